//! Which defects there are: those that one account's own rows show, those that only show beside other accounts, and rows that belong to
//! no account.

use super::twins::twins;
use super::{Kind, Settings};
use crate::book::{AccountRow, Book, Day, LocalId, RenewalRow, day::days, text::visible};
use crate::insight::money_words;
use jiff::civil::{Date, date};
use serde::Serialize;

/// One defect of one account, or of a row that belongs to none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Which kind.
    pub kind: Kind,
    /// The account, where there is one.
    pub account: Option<LocalId>,
    /// The account's name, or the row's.
    pub subject: String,
    /// What exactly is wrong.
    pub detail: String,
    /// The amount that it hides, minor units of the reporting currency; none where no amount is known.
    pub hidden: Option<i64>,
    /// How it is put right.
    pub fix: String,
}

/// Is told of a defect: its kind, the amount that it hides, and what exactly is wrong, in words that are only made when asked for.
pub type Tell<'t> = &'t mut dyn FnMut(Kind, Option<i64>, &dyn Fn() -> String);

/// The day and the settings that accounts are looked at with.
pub struct Eye<'a> {
    today: Day,
    earliest: Day,
    latest: Day,
    settings: &'a Settings,
}

impl<'a> Eye<'a> {
    /// Looks with these settings on this day.
    pub fn new(today: Date, settings: &'a Settings) -> Eye<'a> {
        let now = Day::of(Some(today));
        let years = i32::from(settings.years_ahead);
        Eye {
            today: now,
            earliest: Day(days(date(settings.earliest_year.clamp(1, 9999), 1, 1))),
            latest: Day(now.0.saturating_add(years * 366)),
            settings,
        }
    }
    fn is_odd(&self, day: Day) -> bool {
        day != Day::NONE && (day < self.earliest || day > self.latest)
    }

    /// Tells of each defect that the account's own rows show: its kind, the amount that it hides, and what exactly is wrong. Each kind is
    /// told at most once.
    pub fn look<'b>(&self, a: &AccountRow<'b>, tell: Tell<'_>) {
        let mut tell = |kind: Kind, hidden: Option<i64>, say: &dyn Fn() -> String| {
            if self.settings.counts(kind) {
                // A credit line hides nothing that could be lost.
                tell(kind, hidden.map(|h| h.max(0)), say);
            }
        };
        let arr = a.arr_reporting().map(|m| m.minor);
        // A free or former customer has nothing to renew.
        if a.renewal_day() == Day::NONE && arr != Some(0) {
            tell(Kind::NoRenewalDate, arr, &|| match a.open_renewal() {
                Some(_) => "its open renewal has no day".to_owned(),
                None => "no open renewal and no date of its own".to_owned(),
            });
        }
        self.renewals(a, arr, &mut tell);
        let csm = a.csm();
        if csm.is_none_or(|p| !p.is_active()) {
            tell(Kind::NoOwner, arr, &|| match csm {
                Some(p) => format!("its CSM {} is not with us any more", visible(p.name())),
                None if a.csm_id().is_some() => "its CSM is nobody that we know".to_owned(),
                None => "no CSM".to_owned(),
            });
        }
        let age = Day::of(a.health_at())
            .get()
            .map(|at| self.today.0.saturating_sub(at));
        let limit = i32::from(self.settings.stale_health_days);
        match (a.health(), age) {
            (None, _) => tell(Kind::NoHealth, arr, &|| "no score".to_owned()),
            (Some(h), Some(age)) if age > limit => tell(Kind::StaleHealth, arr, &|| {
                format!(
                    "health {h} is {age} days old{}",
                    from(a.health_source(), " ")
                )
            }),
            _ => {}
        }
        self.amounts(a, arr, &mut tell);
        let odd = odd_date(self, a);
        if let Some(what) = odd {
            tell(Kind::ImpossibleDate, arr, &|| what.clone());
        }
    }

    fn renewals(&self, a: &AccountRow<'_>, arr: Option<i64>, tell: Tell<'_>) {
        let (mut overdue, mut unsaid) = (Tally::default(), Tally::default());
        for r in a.renewals() {
            let said = matches!(r.stage_kind(), "won" | "lost");
            let closed = r.closed().is_some() || said;
            if !closed && r.due_day() != Day::NONE && r.due_day() < self.today {
                overdue.add(&r);
            }
            let without = !said || (r.stage_kind() == "lost" && r.outcome().is_none());
            if closed && without {
                unsaid.add(&r);
            }
        }
        if let Some(first) = overdue.first {
            tell(Kind::RenewalOverdue, overdue.amount.or(arr), &|| {
                let late = self.today.0.saturating_sub(first.due_day().0);
                format!(
                    "{} was due {late} days ago and is open{}",
                    called(&first),
                    overdue.more()
                )
            });
        }
        if let Some(first) = unsaid.first {
            tell(Kind::NoOutcome, unsaid.amount, &|| {
                let how = match first.stage_kind() {
                    "lost" => "was lost, and no reason is given",
                    _ => "is closed, and nobody said how it ended",
                };
                format!("{} {how}{}", called(&first), unsaid.more())
            });
        }
    }

    fn amounts(&self, a: &AccountRow<'_>, arr: Option<i64>, tell: Tell<'_>) {
        let fx = a.book().fx();
        let renewal = a.open_renewal();
        let about = renewal.and_then(|r| r.target().or_else(|| r.amount()));
        if a.arr().is_none() {
            let known = about.and_then(|m| fx.convert(m)).map(|m| m.minor);
            tell(Kind::MissingArr, known, &|| {
                match about {
                Some(m) => format!("no ARR; its open renewal is about {}", money_words(m)),
                None if a.subscriptions().next().is_some() || a.movements().next().is_some() => {
                    "no ARR, and its subscriptions or movements cannot be used: csops metrics says why".to_owned()
                }
                None => "no ARR".to_owned(),
            }
            });
        }
        let foreign = [a.arr(), about];
        if let Some(m) = foreign
            .into_iter()
            .flatten()
            .find(|m| fx.convert(*m).is_none())
        {
            tell(Kind::NoRate, None, &|| {
                format!("{}: there is no rate of {}", money_words(m), m.code())
            });
        }
        if let Some((other, source)) = a.other_arr()
            && let (Some(ours), Some(theirs)) = (arr, fx.convert(other))
        {
            let gap = (i128::from(ours) - i128::from(theirs.minor)).unsigned_abs();
            let larger = ours.unsigned_abs().max(theirs.minor.unsigned_abs());
            if gap as f64 > larger as f64 * self.settings.arr_tolerance.max(0.0) {
                tell(Kind::ArrDiffers, i64::try_from(gap).ok(), &|| {
                    format!(
                        "{}{}, but {}{}",
                        a.arr().map_or(String::new(), money_words),
                        from(a.arr_source(), " "),
                        money_words(other),
                        from(source, " ")
                    )
                });
            }
        }
    }
}

/// Some renewals of an account, and what they come to.
#[derive(Default)]
struct Tally<'a> {
    first: Option<RenewalRow<'a>>,
    count: usize,
    amount: Option<i64>,
}

impl<'a> Tally<'a> {
    fn add(&mut self, r: &RenewalRow<'a>) {
        self.count += 1;
        // The oldest stands for them all.
        if self
            .first
            .is_none_or(|f| (r.due_day(), r.id()) < (f.due_day(), f.id()))
        {
            self.first = Some(*r);
        }
        if let Some(m) = crate::insight::pipeline::amount_of(r) {
            self.amount = Some(self.amount.unwrap_or(0).saturating_add(m));
        }
    }
    fn more(&self) -> String {
        match self.count {
            0 | 1 => String::new(),
            n => format!(", and {} more", n - 1),
        }
    }
}

/// The first day of an account's rows that cannot be, in words.
fn odd_date(eye: &Eye<'_>, a: &AccountRow<'_>) -> Option<String> {
    let shown = |d: Day| d.date().map_or_else(|| "?".to_owned(), |d| d.to_string());
    let odd = |what: &str, day: Day| eye.is_odd(day).then(|| format!("{what} {}", shown(day)));
    let start = Day::of(a.start());
    let health_at = Day::of(a.health_at());
    let own = odd("customer since", start)
        .or_else(|| odd("renewal date", a.own_renewal()))
        .or_else(|| odd("health of", health_at))
        .or_else(|| {
            // A day of room: the other system may be in another zone.
            let ahead = health_at != Day::NONE && health_at.0 > eye.today.0.saturating_add(1);
            ahead.then(|| format!("health of {}, which is yet to come", shown(health_at)))
        })
        .or_else(|| {
            let ends = a.renewal_day();
            (start != Day::NONE && ends != Day::NONE && ends < start).then(|| {
                format!(
                    "renews on {}, before it began on {}",
                    shown(ends),
                    shown(start)
                )
            })
        });
    if own.is_some() {
        return own;
    }
    let of_renewals = a.renewals().find_map(|r| {
        let (due, notice) = (r.due_day(), Day::of(r.notice_deadline()));
        odd("a renewal due", due)
            .or_else(|| odd("a renewal first due", Day::of(r.original_due())))
            .or_else(|| odd("a renewal closed", Day::of(r.closed())))
            .or_else(|| odd("a notice by", notice))
            .or_else(|| {
                (due != Day::NONE && notice != Day::NONE && notice > due).then(|| {
                    format!(
                        "notice by {}, after the renewal on {}",
                        shown(notice),
                        shown(due)
                    )
                })
            })
    });
    of_renewals
        .or_else(|| {
            a.subscriptions().find_map(|s| {
                let (begins, ends) = (s.start(), s.end());
                odd("a subscription from", begins)
                    .or_else(|| odd("a subscription until", ends))
                    .or_else(|| {
                        (begins != Day::NONE && ends != Day::NONE && ends < begins).then(|| {
                            format!(
                                "a subscription ends on {}, before it begins on {}",
                                shown(ends),
                                shown(begins)
                            )
                        })
                    })
            })
        })
        .or_else(|| {
            let mut moved = a.movements();
            moved.find_map(|m| odd("a movement of", m.date()))
        })
        .or_else(|| {
            let mut numbers = a.signals();
            numbers.find_map(|s| odd(&format!("{} of", visible(s.kind())), s.at()))
        })
        .or_else(|| a.tasks().find_map(|t| odd("a task due", t.due_day())))
        .or_else(|| {
            a.opportunities().find_map(|o| {
                odd("an opportunity due", o.due())
                    .or_else(|| odd("an opportunity closed", o.closed()))
            })
        })
}

/// The defects that an account's own rows show, as bits.
pub fn bits(a: &AccountRow<'_>, eye: &Eye<'_>) -> u16 {
    let mut found = 0;
    eye.look(a, &mut |kind, _, _| found |= kind.bit());
    found
}

/// Every defect, most money first; where no amount is known, last. Of one person's accounts only, when `mine` is given.
pub fn findings(
    book: &Book,
    today: Date,
    settings: &Settings,
    mine: Option<LocalId>,
) -> Vec<Finding> {
    let eye = Eye::new(today, settings);
    let mut all = Vec::new();
    let is_mine = |a: &AccountRow<'_>| mine.is_none() || a.csm_id() == mine;
    for a in book.accounts().filter(is_mine) {
        eye.look(&a, &mut |kind, hidden, say| {
            all.push(finding(kind, Some(&a), a.name(), say(), hidden));
        });
    }
    if settings.counts(Kind::Duplicate) {
        for twin in twins(book) {
            let a = book.account(twin.row);
            if is_mine(&a) {
                let other = book.account(twin.of);
                let detail = format!("{} as {}", twin.by, visible(other.name()));
                let hidden = a.arr_reporting().map(|m| m.minor.max(0));
                all.push(finding(Kind::Duplicate, Some(&a), a.name(), detail, hidden));
            }
        }
    }
    if settings.counts(Kind::Orphan) {
        orphans(book, mine, &mut all);
    }
    all.sort_by(|x, y| {
        let key = |f: &Finding| (std::cmp::Reverse(f.hidden), f.kind, f.account);
        key(x).cmp(&key(y)).then_with(|| x.subject.cmp(&y.subject))
    });
    all
}

fn finding(
    kind: Kind,
    account: Option<&AccountRow<'_>>,
    subject: &str,
    detail: String,
    hidden: Option<i64>,
) -> Finding {
    Finding {
        kind,
        account: account.map(AccountRow::id),
        subject: visible(subject).into_owned(),
        detail,
        hidden,
        fix: kind.defect().fix.to_owned(),
    }
}

/// Accounts that only one system has, records whose account nobody sent, and rows that name none.
fn orphans(book: &Book, mine: Option<LocalId>, all: &mut Vec<Finding>) {
    for u in book.unmatched() {
        let account = book
            .account_by_id(u.local)
            .filter(|_| u.entity == crate::book::Entity::Account);
        if mine.is_some() && account.and_then(|a| a.csm_id()) != mine {
            continue;
        }
        let hidden = account
            .and_then(|a| a.arr_reporting())
            .map(|m| m.minor.max(0));
        let name = account.map_or(u.name.as_str(), |a| a.name());
        let may_be = u
            .candidate
            .and_then(|id| book.account_by_id(id))
            .map_or(String::new(), |c| format!("; may be {}", visible(c.name())));
        let detail = format!(
            "{} of {}: {}{may_be}",
            u.entity,
            visible(&u.source),
            visible(&u.reason)
        );
        all.push(finding(
            Kind::Orphan,
            account.as_ref(),
            name,
            detail,
            hidden,
        ));
    }
    if mine.is_some() {
        return;
    }
    for r in book.renewals().filter(|r| r.account().is_none()) {
        let hidden = crate::insight::pipeline::amount_of(&r).map(|m| m.max(0));
        let detail = "a renewal without an account".to_owned();
        all.push(finding(Kind::Orphan, None, r.name(), detail, hidden));
    }
    // A task may be nobody's; a talk is with somebody.
    let talk = |kind: Option<&str>| matches!(kind, Some("call" | "email" | "meeting"));
    for t in book
        .tasks()
        .filter(|t| t.is_open() && talk(t.kind()) && t.account().is_none())
    {
        let detail = format!("a {} without an account", t.kind().unwrap_or("task"));
        all.push(finding(Kind::Orphan, None, t.title(), detail, None));
    }
}

fn called(r: &RenewalRow<'_>) -> String {
    match r.name() {
        "" => "the renewal".to_owned(),
        name => visible(name).into_owned(),
    }
}

fn from(source: Option<&str>, before: &str) -> String {
    source.map_or(String::new(), |s| format!("{before}({})", visible(s)))
}
