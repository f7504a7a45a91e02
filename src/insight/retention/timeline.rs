//! A ledger under a policy: for every line the days on which what it pays changes, grace, holds and signing days applied.

use super::policy::{Early, Late, OneOff, Policy};
use crate::book::Began;
use crate::insight::ledger::{Ledger, NEVER, Stretch};

/// What happens to a line on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It begins, for the first time.
    Start,
    /// It is paid more or less for.
    Step,
    /// The same, because of its price.
    Price,
    /// It is over.
    End,
    /// It is there again after it was over.
    Return,
}

/// A change of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The first day on which it counts, as days since 1970-01-01.
    pub at: i32,
    /// The number of the currency.
    pub currency: u16,
    /// What happens.
    pub change: Change,
    /// What is paid from then on, minor units a year.
    pub minor: i64,
}

/// The steps of all lines of a ledger.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    steps: Vec<Step>,
    /// The first step of each line, and one more behind the last.
    first: Vec<u32>,
}

impl Timeline {
    /// Applies a policy to a ledger. `known`: the day up to which it is known what became of a term, today or the last day asked for.
    pub fn of(ledger: &Ledger, policy: &Policy, known: i32) -> Timeline {
        let lines = ledger.lines.len();
        let mut timeline = Timeline {
            steps: Vec::with_capacity(ledger.stretches.len() + lines),
            first: Vec::with_capacity(lines + 1),
        };
        let mut kept = Vec::new();
        for line in 0..lines as u32 {
            timeline.first.push(timeline.steps.len() as u32);
            let mut rows = ledger.stretches_of(line);
            if policy.one_off == OneOff::Exclude && rows.iter().any(|s| s.one_off) {
                kept.clear();
                kept.extend(rows.iter().filter(|s| !s.one_off));
                rows = &kept;
            }
            compile(rows, policy, known, &mut timeline.steps);
        }
        timeline.first.push(timeline.steps.len() as u32);
        timeline
    }

    /// The steps of a line, in time order.
    #[inline]
    pub fn line(&self, line: u32) -> &[Step] {
        let line = line as usize;
        &self.steps[self.first[line] as usize..self.first[line + 1] as usize]
    }
}

/// Days of a gap that a policy takes for none: the successor is late, not back.
pub(super) fn grace(late: Late, before: &Stretch) -> i32 {
    match late {
        Late::Grace(days) => i32::from(days),
        Late::TermEnd => 0,
        Late::Hold if before.cancelled => 0,
        Late::Hold => NEVER,
    }
}

/// Days strictly between the end of a stretch and the later of the next one's start and signature.
pub(super) fn gap(before: &Stretch, next: &Stretch) -> i32 {
    let signed = if next.signed == NEVER {
        next.start
    } else {
        next.signed
    };
    next.start
        .max(signed)
        .saturating_sub(before.end)
        .saturating_sub(1)
}

/// The last stretch of a line has ended and nothing has followed: whether it still counts.
pub(super) fn is_held(late: Late, last: &Stretch, known: i32) -> bool {
    !last.cancelled
        && match late {
            Late::Grace(days) => known <= last.end.saturating_add(i32::from(days)),
            Late::TermEnd => false,
            Late::Hold => true,
        }
}

fn compile(rows: &[Stretch], policy: &Policy, known: i32, steps: &mut Vec<Step>) {
    let mut before: Option<&Stretch> = None;
    let mut last_at = i32::MIN;
    for s in rows {
        let mut at = s.start;
        let mut change = match (s.began, before) {
            (_, None) => Change::Start,
            (Began::Escalator, _) => Change::Price,
            _ => Change::Step,
        };
        if let Some(before) = before {
            // A row that begins inside the one before follows it without a gap, whenever it was signed.
            let gap = if s.start <= before.end {
                0
            } else {
                gap(before, s)
            };
            if gap > 0 && gap > grace(policy.late, before) {
                let end = (before.end + 1).max(last_at);
                steps.push(Step {
                    at: end,
                    currency: before.currency,
                    change: Change::End,
                    minor: 0,
                });
                at = before.end + 1 + gap;
                change = Change::Return;
                last_at = end;
            } else if policy.early == Early::Signing {
                at = at.min(s.signed);
            }
        }
        // A step never takes effect before the one that it follows.
        at = at.max(last_at);
        steps.push(Step {
            at,
            currency: s.currency,
            change,
            minor: s.minor,
        });
        last_at = at;
        before = Some(s);
    }
    if let Some(last) = rows.last()
        && last.end != NEVER
        && !is_held(policy.late, last, known)
    {
        steps.push(Step {
            at: (last.end + 1).max(last_at),
            currency: last.currency,
            change: Change::End,
            minor: 0,
        });
    }
}
