//! An account's lines from its imported movements, replayed line by line: what does not tie leaves the account out.

use super::{Draft, Ledger, Line, NEVER, Stretch, day_words, plausible};
use crate::book::{AccountRow, Began, Money, MovementKind, MovementRow};

/// Reads movements; keeps its room from account to account.
#[derive(Default)]
pub(super) struct Reader<'a> {
    rows: Vec<MovementRow<'a>>,
}

impl<'a> Reader<'a> {
    /// Whether the account has movements; its lines are then in the draft.
    pub fn read(
        &mut self,
        account: &AccountRow<'a>,
        draft: &mut Draft,
        ledger: &mut Ledger,
    ) -> bool {
        self.rows.clear();
        self.rows.extend(account.movements());
        if self.rows.is_empty() {
            return false;
        }
        self.rows
            .sort_unstable_by_key(|m| (m.line_number(), m.date(), m.kind(), m.id()));
        let mut rows = std::mem::take(&mut self.rows);
        for line in rows.chunk_by_mut(|a, b| a.line_number() == b.line_number()) {
            read_line(account, line, draft, ledger);
        }
        self.rows = rows;
        true
    }
}

/// Why a row cannot be used, whatever the others are.
fn unusable(m: &MovementRow<'_>) -> Option<String> {
    let Some(day) = m.date().get() else {
        return Some("the movement has no date".into());
    };
    if !plausible(day) {
        return Some(format!("is dated {}, an impossible date", day_words(day)));
    }
    if m.currency_number() == 0 {
        return Some("has no amount, or an amount without a currency".into());
    }
    if m.kind() == MovementKind::Unknown {
        return Some("its type is none of those that a movement can have".into());
    }
    None
}

/// The order in which movements of one day take effect: what is there goes first, then comes what is new.
fn turn(kind: MovementKind, standing: bool) -> u8 {
    use MovementKind::*;
    let order = match standing {
        true => [
            Churn,
            Open,
            New,
            Reactivation,
            Expansion,
            Price,
            Contraction,
        ],
        false => [
            Open,
            New,
            Reactivation,
            Expansion,
            Price,
            Contraction,
            Churn,
        ],
    };
    order.iter().position(|k| *k == kind).unwrap_or(7) as u8
}

fn read_line(
    account: &AccountRow<'_>,
    rows: &mut [MovementRow<'_>],
    draft: &mut Draft,
    ledger: &mut Ledger,
) {
    let first = draft.stretches.len();
    let mut replay = Replay::default();
    for day in rows.chunk_by_mut(|a, b| a.date() == b.date()) {
        day.sort_by_key(|m| (turn(m.kind(), replay.standing != 0), m.id()));
        let mut before: Option<MovementKind> = None;
        for m in day {
            if let Some(why) = unusable(m) {
                ledger.problems.row(Some(account), m.line(), m.date(), why);
                continue;
            }
            if before == Some(m.kind()) {
                let why = format!(
                    "a duplicate: another {} stands on the same line and day",
                    m.kind().name()
                );
                ledger.problems.row(Some(account), m.line(), m.date(), why);
                continue;
            }
            before = Some(m.kind());
            if let Err(why) = replay.step(m, first, draft) {
                let line = m.line().map_or_else(
                    || "the line without a name".into(),
                    |l| format!("line {}", crate::book::text::visible(l)),
                );
                let day = day_words(m.date().0);
                draft.leave_out(|| format!("movements that do not tie: {line}, {day}: {why}"));
                return;
            }
        }
    }
    if draft.stretches.len() > first {
        draft.lines.push(Line {
            name: rows.first().map_or(0, MovementRow::line_number),
            first: first as u32,
            ..Line::default()
        });
    }
}

/// What stands on a line.
#[derive(Default)]
struct Replay {
    standing: i64,
    was_there: bool,
}

impl Replay {
    /// One movement: the next stretch, or the end of the last one. The error says why it cannot be.
    fn step(&mut self, m: &MovementRow<'_>, first: usize, draft: &mut Draft) -> Result<(), String> {
        use MovementKind::*;
        let (kind, size, day) = (m.kind(), m.minor(), m.date().0);
        let words = |minor: i64| {
            let currency = m.amount().map_or(*b"???", |a| a.currency);
            Money { minor, currency }.to_string()
        };
        let begins = matches!(kind, Open | New | Reactivation);
        if begins && self.standing != 0 {
            let there = words(self.standing);
            return Err(format!("{} where {there} stands already", kind.name()));
        }
        if kind == Reactivation && !self.was_there {
            return Err("a reactivation of what was never there".into());
        }
        if !begins && self.standing == 0 {
            return Err(match (kind, self.was_there) {
                (Churn, false) => "churn before the start".into(),
                _ => format!("{} where nothing stands", kind.name()),
            });
        }
        let after = match kind {
            Open | New | Reactivation => Some(size),
            Expansion | Price => self.standing.checked_add(size),
            Contraction => self.standing.checked_sub(size),
            Churn | Unknown => Some(0),
        };
        let after = after.ok_or("the amounts are too large to be added")?;
        if kind == Churn && size != self.standing {
            return Err(format!(
                "churn of {} where {} stands",
                words(size),
                words(self.standing)
            ));
        }
        if after < 0 {
            return Err(format!(
                "{} of {} where {} stands",
                kind.name(),
                words(size),
                words(self.standing)
            ));
        }
        // What was there when the ledger begins was there on the day before as well.
        let start = day - i32::from(kind == Open);
        if kind == Open {
            draft.known_from = draft.known_from.max(start);
        }
        if let Some(last) = draft.stretches[first..].last_mut()
            && last.end == NEVER
        {
            last.end = start - 1;
        }
        if after != 0 {
            draft.stretches.push(Stretch {
                minor: after,
                start,
                end: NEVER,
                signed: NEVER,
                currency: m.currency_number(),
                began: match kind {
                    Price => Began::Escalator,
                    Expansion | Contraction => Began::Amendment,
                    _ => Began::New,
                },
                // Where it ends that was said: nothing is late.
                cancelled: true,
                one_off: false,
            });
        }
        self.standing = after;
        self.was_there = true;
        Ok(())
    }
}
