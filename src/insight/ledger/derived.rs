//! What closed renewals and won opportunities tell where there is nothing better: an account's ARR of today, taken back deal by deal.
//!
//! A won renewal took the ARR from what was up for renewal to what was signed, a lost one took it away, each on the day on which it was
//! due; a won opportunity to sell more added its amount on the day on which it closed. Going back from today's ARR gives what it was
//! before. All of the account is one line, without a name.

use super::{Draft, Due, Line, NEVER, Stretch, plausible};
use crate::book::{AccountRow, Began, Day, OpportunityRow, RenewalRow};

/// A closed deal: what was paid before it and after it.
struct Closed {
    day: i32,
    signed: i32,
    due: i64,
    renewed: i64,
    currency: [u8; 3],
}

/// What a won opportunity tells; nothing when it is not won, or has no day or amount.
fn won(o: &OpportunityRow<'_>) -> Option<Closed> {
    let amount = o.amount().filter(|_| o.stage_kind() == "won")?;
    let day = o.closed().get().or(o.due().get());
    Some(Closed {
        day: day.filter(|d| plausible(*d))?,
        signed: NEVER,
        due: 0,
        renewed: amount.minor,
        currency: amount.currency,
    })
}

/// What a closed renewal tells; nothing when it is open, or has no day or amount.
fn closed(r: &RenewalRow<'_>) -> Option<Closed> {
    let won = match r.stage_kind() {
        "won" => true,
        "lost" => false,
        _ => return None,
    };
    let closed = Day::of(r.closed()).get();
    let due = Day::of(r.original_due()).get().or(r.due_day().get());
    let day = due.or(closed).filter(|d| plausible(*d))?;
    let (target, amount) = (r.target(), r.amount());
    let money = target.or(amount)?;
    let renewed = match (won, amount) {
        (false, _) => 0,
        (true, Some(a)) if a.currency == money.currency => a.minor,
        (true, _) => money.minor,
    };
    Some(Closed {
        day,
        signed: closed.unwrap_or(NEVER),
        due: money.minor,
        renewed,
        currency: money.currency,
    })
}

/// The number of a currency among those of the Book.
fn number(currencies: &[[u8; 3]], currency: [u8; 3]) -> Option<u16> {
    let at = currencies.iter().position(|c| *c == currency)?;
    u16::try_from(at).ok()
}

/// The account's closed renewals as what was due, for lines without terms.
pub(super) fn dues(account: &AccountRow<'_>, draft: &mut Draft, currencies: &[[u8; 3]]) {
    let all = account.renewals().filter_map(|r| closed(&r));
    draft.dues.extend(all.filter_map(|c| {
        Some(Due {
            day: c.day,
            due: c.due,
            renewed: c.renewed,
            currency: number(currencies, c.currency)?,
        })
    }));
}

/// Whether the account has ARR or closed renewals; its ledger is then in the draft.
pub(super) fn read(
    account: &AccountRow<'_>,
    today: i32,
    draft: &mut Draft,
    currencies: &[[u8; 3]],
) -> bool {
    let mut all: Vec<Closed> = account.renewals().filter_map(|r| closed(&r)).collect();
    all.sort_by_key(|c| c.day);
    let last = all.iter().rfind(|c| c.day <= today);
    let last = last.map(|c| (c.renewed, c.currency));
    all.extend(account.opportunities().filter_map(|o| won(&o)));
    all.sort_by_key(|c| c.day);
    let now = match (account.arr(), last) {
        (Some(arr), _) => (arr.minor, arr.currency),
        (None, Some(last)) => last,
        (None, None) => return false,
    };
    let (minor, currency) = now;
    if let Some(other) = all.iter().find(|c| c.currency != currency) {
        let code = |c: &[u8; 3]| String::from_utf8_lossy(c).into_owned();
        let (one, two) = (code(&currency), code(&other.currency));
        draft.leave_out(|| {
            format!("two currencies in one account: its ARR is in {one}, a closed deal in {two}")
        });
        return true;
    }
    let Some(currency) = number(currencies, currency) else {
        return false;
    };
    dues(account, draft, currencies);
    // Back from today: what stood before each renewal took effect.
    let past = all.partition_point(|c| c.day <= today);
    let mut before = vec![0_i64; all.len()];
    let mut level = minor;
    for (at, c) in all[..past].iter().enumerate().rev() {
        level = level.saturating_sub(c.renewed.saturating_sub(c.due));
        before[at] = level;
    }
    if before[..past].iter().any(|b| *b < 0) || minor < 0 {
        draft.leave_out(|| {
            "its closed renewals and won opportunities do not tie to its ARR of today: taken back, it would have been negative".into()
        });
        return true;
    }
    let begins = Day::of(account.start()).get().filter(|d| plausible(*d));
    let begins = begins.unwrap_or(i32::MIN + 1);
    let mut later = all.iter().zip(&before).filter(|(c, _)| c.day > begins);
    let mut level = later
        .clone()
        .next()
        .map_or(minor, |(c, before)| match c.day <= today {
            true => *before,
            false => minor,
        });
    let mut push = |minor: i64, start: i32, signed: i32| {
        let mut began = Began::New;
        if let Some(last) = draft.stretches.last_mut()
            && last.end == NEVER
        {
            last.end = start - 1;
            began = Began::Amendment;
        }
        if minor > 0 {
            draft.stretches.push(Stretch {
                minor,
                start,
                end: NEVER,
                signed,
                currency,
                began,
                // Where it ends that was said: nothing is late.
                cancelled: true,
                one_off: false,
            });
        }
    };
    push(level, begins, NEVER);
    for (c, _) in later.by_ref() {
        level = level.saturating_add(c.renewed.saturating_sub(c.due)).max(0);
        push(level, c.day, c.signed);
    }
    if !draft.stretches.is_empty() {
        draft.lines.push(Line::default());
    }
    true
}
