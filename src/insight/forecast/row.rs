//! One renewal as the forecast sees it: in which period it counts, what it brings, how likely.

use super::category::Category;
use super::chance::{Chance, Notice, chance};
use super::settings::Settings;
use crate::book::derived::{ABOVE_THRESHOLD, HAS_RISK};
use crate::book::{AccountRow, Book, Day, Derived, LocalId, Money, RenewalRow};
use crate::insight::page::Excluded;
use jiff::civil::Date;

/// A renewal that counts. Amounts are minor units of the reporting currency.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The renewal.
    pub renewal: RenewalRow<'a>,
    /// The CSM of its account; [`LocalId::NONE`] where there is none.
    pub csm: LocalId,
    /// The day on which it is due now.
    pub due: Day,
    /// The day on which it was due first: it counts in the period of this day, wherever `due` moved.
    pub cohort: Day,
    /// The day on which it closed.
    pub closed: Day,
    /// What is up for renewal.
    pub target: i64,
    /// What is expected, or was signed.
    pub amount: i64,
    /// Its category.
    pub category: Category,
    /// How likely it comes.
    pub chance: Chance,
    /// What is known of its notice.
    pub notice: Notice,
    /// What is up for renewal is not known: the amount stands for it.
    pub no_target: bool,
    /// Its account is above the threshold of loss or has an open risk.
    pub at_risk: bool,
}

impl Row<'_> {
    /// What it brings at most without growth: the amount, at most the target.
    pub fn gross(&self) -> i64 {
        self.amount.min(self.target)
    }
    /// What its category holds of it: what it brings, or, where it brings nothing, what was up for renewal.
    pub fn held(&self) -> i64 {
        match self.category {
            Category::Lost | Category::Omitted => self.target,
            _ => self.gross(),
        }
    }
    /// What is to be counted on, gross.
    pub fn weighted(&self) -> i64 {
        self.chance.share.part_of(self.gross())
    }
    /// What is to be counted on, growth included.
    pub fn weighted_net(&self) -> i64 {
        self.chance.share.part_of(self.amount)
    }
    /// Neither won nor lost.
    pub fn is_open(&self) -> bool {
        self.renewal.is_open()
    }
    /// Won.
    pub fn is_won(&self) -> bool {
        self.renewal.stage_kind() == "won"
    }
    /// It is certain to end, and its term still runs: the ARR of today holds it, the forecast does not.
    pub fn is_committed_churn(&self, today: Day) -> bool {
        let leaves = self.category == Category::Lost || self.notice.given != Day::NONE;
        leaves && !self.is_won() && self.due != Day::NONE && self.due >= today
    }
    /// Its account's name, with the renewal's own where that says more.
    pub fn label(&self) -> String {
        label(&self.renewal)
    }
}

/// A renewal that cannot count, and why.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut<'a> {
    /// The renewal.
    pub renewal: RenewalRow<'a>,
    /// The day that says in which period it would count.
    pub cohort: Day,
    /// Why.
    pub reason: Reason,
}

/// Why a renewal does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Neither amount nor target is known.
    NoAmount,
    /// Its currency has no rate into the reporting currency.
    NoRate([u8; 3]),
    /// What is up for renewal is a credit.
    Negative,
    /// Open, without a day.
    NoDay,
    /// Closed, and nobody said how.
    Unsaid,
}

impl LeftOut<'_> {
    /// As it is listed.
    pub fn excluded(&self) -> Excluded {
        let due = self
            .renewal
            .due()
            .map_or_else(String::new, |d| format!(", due {d}"));
        Excluded {
            row: format!("{}{due}", label(&self.renewal)),
            reason: match self.reason {
                Reason::NoAmount => "neither an amount nor a target is known".into(),
                Reason::NoRate(code) => format!(
                    "{} has no rate into {}",
                    String::from_utf8_lossy(&code),
                    String::from_utf8_lossy(&self.renewal.book().reporting())
                ),
                Reason::Negative => "what is up for renewal is negative".into(),
                Reason::NoDay => "it has no due day".into(),
                Reason::Unsaid => "it is closed, and nobody said whether won or lost".into(),
            },
        }
    }
}

fn label(r: &RenewalRow<'_>) -> String {
    let account = r.account().map_or("unknown account", |a| a.name());
    let several = r.account().is_some_and(|a| a.renewals().nth(1).is_some());
    let name = if several && !r.name().is_empty() {
        format!("{account}, {}", r.name())
    } else {
        account.to_owned()
    };
    crate::book::text::visible(&name).into_owned()
}

/// The renewals of the book, or of one CSM's (the account's CSM or the renewal's owner), each as it counts or why it does not.
pub fn rows<'a>(
    book: &'a Book,
    derived: &'a Derived,
    today: Date,
    settings: &'a Settings,
    mine: Option<LocalId>,
) -> impl Iterator<Item = Result<Row<'a>, LeftOut<'a>>> {
    let today = Day::of(Some(today));
    book.renewals()
        .filter(move |r| is_of(r, mine))
        .map(move |r| read(r, derived, today, settings))
}

fn is_of(r: &RenewalRow<'_>, mine: Option<LocalId>) -> bool {
    mine.is_none()
        || r.account().and_then(|a| a.csm_id()) == mine
        || r.owner().map(|o| o.id()) == mine
}

/// The day that decides in which period a renewal counts: the first due day, else the due day; of a closed one without either, the day
/// on which it closed.
fn cohort(r: &RenewalRow<'_>) -> Day {
    let first = Day::of(r.original_due());
    if first != Day::NONE {
        first
    } else if r.due_day() != Day::NONE || r.is_open() {
        r.due_day()
    } else {
        Day::of(r.closed())
    }
}

/// One renewal, as it counts or why it does not. `today` as a day.
pub fn read<'a>(
    r: RenewalRow<'a>,
    derived: &Derived,
    today: Day,
    settings: &Settings,
) -> Result<Row<'a>, LeftOut<'a>> {
    let cohort = cohort(&r);
    let out = |reason| LeftOut {
        renewal: r,
        cohort,
        reason,
    };
    let (target, amount) = (r.target(), r.amount());
    let convert = |m: Money| {
        let book = r.book();
        book.fx()
            .convert(m)
            .map(|m| m.minor)
            .ok_or_else(|| out(Reason::NoRate(m.currency)))
    };
    let up = target.or(amount).ok_or_else(|| out(Reason::NoAmount))?;
    if up.minor < 0 {
        return Err(out(Reason::Negative));
    }
    if r.is_open() {
        if cohort == Day::NONE {
            return Err(out(Reason::NoDay));
        }
        if r.closed().is_some() {
            return Err(out(Reason::Unsaid));
        }
    }
    let account = r.account();
    let notice = notice(&r, account);
    let mut category = Category::of(&r);
    if category == Category::Pipeline && r.forecast().is_none() && notice.passed(today) {
        // Nobody placed it, and nothing stands between it and its renewal.
        category = Category::Commit;
    }
    let d = account.map(|a| derived.account(a.row()));
    let loss = d.map(|d| d.loss);
    Ok(Row {
        renewal: r,
        csm: account.and_then(|a| a.csm_id()).unwrap_or(LocalId::NONE),
        due: r.due_day(),
        cohort,
        closed: match Day::of(r.closed()) {
            // Some systems move the due day to that of the signature and keep no other.
            Day::NONE if !r.is_open() => r.due_day(),
            day => day,
        },
        target: convert(up)?,
        amount: convert(amount.unwrap_or(up))?,
        category,
        chance: chance(&r, category, &notice, loss, today, settings),
        notice,
        no_target: target.is_none(),
        at_risk: d.is_some_and(|d| d.is(ABOVE_THRESHOLD) || d.is(HAS_RISK)),
    })
}

/// So many days may lie between the end of a subscription and the day of the renewal that is about it.
const NEAR: i32 = 31;

/// The notice of a renewal: its deadline, else the days of notice of the subscriptions that end with it, before it is due. Notice was given when all of these subscriptions are cancelled.
fn notice(r: &RenewalRow<'_>, account: Option<AccountRow<'_>>) -> Notice {
    let mut notice = Notice {
        deadline: r.notice_day(),
        given: Day::NONE,
        auto_renew: account.and_then(|a| a.auto_renew()).unwrap_or(false),
    };
    let (Some(account), Some(due)) = (account, r.due_day().get()) else {
        return notice;
    };
    let mut days = None;
    let (mut ending, mut cancelled) = (0, 0);
    let mut given = Day::NONE;
    for s in account.subscriptions() {
        let near = s.end().get().is_some_and(|e| (e - due).abs() <= NEAR);
        if !near || s.recurring() == Some(false) {
            continue;
        }
        ending += 1;
        if s.cancelled() != Day::NONE {
            cancelled += 1;
            given = given.max(s.cancelled());
        }
        // The longest notice is the one that binds first.
        days = days.max(s.notice_days());
        if account.auto_renew().is_none() {
            notice.auto_renew |= s.auto_renew() == Some(true);
        }
    }
    if notice.deadline == Day::NONE
        && let Some(days) = days
    {
        notice.deadline = Day(due - i32::from(days));
    }
    if ending > 0 && cancelled == ending {
        notice.given = given;
    }
    notice
}
