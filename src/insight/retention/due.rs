//! Terms that were due for renewal in a window, and what became of them.
//!
//! A term is due when a renewal follows it, or nothing, or only a row that begins the line anew; steps inside a term do not make it due.
//! What became of it the policy's `late` decides alone: a line that comes back after a gap that is longer is not renewed by that.

use super::policy::{Late, Policy};
use super::timeline::{gap, grace, is_held};
use crate::book::Began;
use crate::insight::ledger::{NEVER, Stretch};

/// Under `late=term_end` a renewal that is signed after its term has ended is credited on the day on which it is signed, when that is not
/// more than so many days later: after more it is a reactivation, which renews nothing.
const WINDFALL_DAYS: i32 = 60;

/// What of a line was due in a window. Amounts in minor units of the line's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LineDue {
    /// A term of it ended in the window.
    pub is_due: bool,
    /// What was up for renewal: the opening amount, else what the term paid at its end.
    pub due: i64,
    /// What became of it: 0 when it was lost.
    pub renewed: i64,
    /// It ended, and it is not yet known what becomes of it: it counts as renewed.
    pub pending: bool,
    /// The due and the renewed amount of a term that ended before and was signed late, in the window.
    pub windfall: (i64, i64),
}

/// One term's end.
struct End<'a> {
    day: i32,
    last: &'a Stretch,
    next: Option<&'a Stretch>,
}

/// The ends of a line's terms that are due, in time order.
fn ends(rows: &[Stretch]) -> impl Iterator<Item = End<'_>> {
    rows.iter().enumerate().filter_map(|(i, last)| {
        let next = rows.get(i + 1);
        match next {
            Some(next) if !matches!(next.began, Began::Renewal | Began::New) => None,
            None if last.end == NEVER => None,
            _ => Some(End {
                day: match (last.end, next) {
                    (NEVER, Some(next)) => next.start - 1,
                    (end, _) => end,
                },
                last,
                next,
            }),
        }
    })
}

/// What of a line was due from the day after `opening_day` to `closing_day`. `opening` and `closing` are what it paid on those days.
pub(super) fn line_due(
    rows: &[Stretch],
    policy: &Policy,
    (opening_day, closing_day): (i32, i32),
    known: i32,
    (opening, closing): (i64, i64),
) -> LineDue {
    let within = |day: i32| day > opening_day && day <= closing_day;
    let mut out = LineDue::default();
    let mut lost = false;
    for end in ends(rows) {
        let gap = end.next.map_or(0, |n| gap(end.last, n).max(0));
        let renewed = match end.next {
            Some(_) => gap <= grace(policy.late, end.last),
            None => is_held(policy.late, end.last, known),
        };
        if let (Some(next), Late::TermEnd, false) = (end.next, policy.late, renewed)
            && next.began == Began::Renewal
            && gap <= WINDFALL_DAYS
            && within(end.day + 1 + gap)
        {
            out.windfall.0 += end.last.minor;
            out.windfall.1 += next.minor;
        }
        if !within(end.day) {
            continue;
        }
        if !out.is_due {
            out.is_due = true;
            out.due = if opening != 0 {
                opening
            } else {
                end.last.minor
            };
        }
        lost |= !renewed;
        out.renewed = match end.next {
            // What the successor pays shows only after the window.
            Some(next) if next.start > closing_day => next.minor,
            Some(_) => closing,
            None => {
                out.pending |= renewed;
                end.last.minor
            }
        };
    }
    if lost {
        out.renewed = 0;
        out.pending = false;
    }
    out
}
