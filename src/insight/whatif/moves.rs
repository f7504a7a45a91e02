//! What can be moved of an account, and how a value is written.

use super::Pair;
use crate::book::day::{date_of, days};
use crate::book::{
    Account, AccountRow, Entity, Escalation, Facts, LocalId, Renewal, RowDelta, Signal,
    nearest::nearest,
};
use crate::insight::health::Measure;
use crate::insight::page::Value;
use jiff::ToSpan;
use jiff::civil::Date;

/// What can be moved: name, what a value may be. `=` sets it, `+=` and `-=` move it from where it is.
pub const MOVES: &[(&str, &str)] = &[
    ("usage", "weekly users now: 120, or += 20%"),
    ("usage.trend", "usage against four weeks before: 0, -10%"),
    ("tickets", "open tickets: 0, or closed"),
    ("tickets.urgent", "urgent ones of them: 0, or closed"),
    ("nps", "the newest survey answer: 0 to 10"),
    ("touch.age", "days since somebody spoke with them: 0"),
    ("sponsor", "found, or left"),
    ("sentiment", "what the CSM feels: good, watch, bad"),
    ("health", "the vendor's score: 0 to 100, or += 10"),
    ("risk.open", "whether a risk is open: yes, no"),
    ("renewal", "the day of the renewal: 2027-03-31, or += 30d"),
    ("forecast", "the open renewal's category: commit, best, …"),
    ("probability", "the open renewal's: 0 to 100, or none"),
    (
        "signal:KIND",
        "the newest signal of a kind: signal:licence.use=80",
    ),
];

const CATEGORIES: [&str; 6] = [
    "omitted",
    "pipeline",
    "best",
    "most_likely",
    "commit",
    "closed",
];

/// No row of the store has this id.
const INVENTED: LocalId = LocalId(u32::MAX);

/// The account as it would be.
pub(super) struct Draft<'a> {
    row: AccountRow<'a>,
    today: Date,
    account: Account,
    facts: Facts,
    renewal: Option<Renewal>,
    risk: Option<bool>,
    signals: Vec<Signal>,
}

/// How a value counts.
#[derive(Clone, Copy, PartialEq)]
enum Op {
    Set,
    Add,
    Subtract,
}

/// A written number and whether it was a percentage.
#[derive(Clone, Copy)]
struct Number {
    n: f64,
    percent: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn of(row: &AccountRow<'a>, today: Date) -> Draft<'a> {
        let (account, facts) = row.to_row();
        Draft {
            row: *row,
            today,
            account,
            facts,
            renewal: row.open_renewal().map(|r| r.to_row()),
            risk: None,
            signals: Vec::new(),
        }
    }

    /// What changes in the Book.
    pub(super) fn delta(self) -> RowDelta {
        let mut delta = RowDelta::default();
        let id = self.account.id;
        match self.risk {
            Some(false) => {
                let open = self.row.risks().filter(|r| r.is_open());
                delta.removed = open.map(|r| (Entity::Escalation, r.id())).collect();
            }
            Some(true) if self.row.open_risk().is_none() => delta.escalations.push(Escalation {
                id: INVENTED,
                account: Some(id),
                ..Escalation::default()
            }),
            _ => {}
        }
        delta.renewals.extend(self.renewal);
        delta.accounts.push((self.account, self.facts));
        delta.signals = self.signals.into_iter().map(|s| (s, None)).collect();
        delta
    }

    fn count(&self, now: f64, op: Op, value: &str, range: (f64, f64)) -> Result<f64, String> {
        let v = number(value)?;
        let n = match (op, v.percent) {
            (Op::Set, false) => v.n,
            (Op::Set, true) => return Err("takes a number; += and -= take a percentage too".into()),
            (Op::Add, false) => now + v.n,
            (Op::Subtract, false) => now - v.n,
            (Op::Add, true) => now * (1.0 + v.n / 100.0),
            (Op::Subtract, true) => now * (1.0 - v.n / 100.0),
        };
        // Moving stops at the end of the scale, setting beyond it is a mistake.
        if op != Op::Set {
            return Ok(n.clamp(range.0, range.1).round());
        }
        if n < range.0 || n > range.1 {
            return Err(format!("must lie between {} and {}", range.0, range.1));
        }
        Ok(n.round())
    }

    /// Makes the mean of the two newest weeks this many users.
    fn use_now(&mut self, users: f64) {
        let users = users.round().clamp(0.0, 4e9) as u32;
        (self.facts.usage[10], self.facts.usage[11]) = (Some(users), Some(users));
        self.facts.usage_at = self.facts.usage_at.or(Some(self.today));
    }
}

/// Moves one thing: `usage.trend=0`.
pub(super) fn apply(draft: &mut Draft<'_>, term: &str) -> Result<Pair, String> {
    let at = term
        .find('=')
        .ok_or_else(|| format!("`{term}`: write SIGNAL=VALUE, such as usage.trend=0"))?;
    let (name, value) = (&term[..at], &term[at + 1..]);
    let (name, op) = match name.as_bytes().last() {
        Some(b'+') => (&name[..at - 1], Op::Add),
        Some(b'-') => (&name[..at - 1], Op::Subtract),
        _ => (name, Op::Set),
    };
    let name = name.to_ascii_lowercase();
    let about = |e: String| format!("`{term}`: {name} {e}");
    let label = name.clone();
    let (name, before, after) = set(draft, &name, op, value).map_err(about)?;
    Ok(Pair {
        name,
        label,
        before,
        after,
    })
}

type Moved = (&'static str, Value, Value);

fn set(d: &mut Draft<'_>, name: &str, op: Op, value: &str) -> Result<Moved, String> {
    let whole = |n: f64| Value::Count(n as i64);
    let word = |w: &str| Value::Text(w.to_owned());
    let none = || Value::None("unknown".into());
    match name {
        "usage" => {
            let now = mean(&d.facts.usage, 10);
            let users = d.count(now.unwrap_or(0.0), op, value, (0.0, 4e9))?;
            if op != Op::Set && now.is_none() {
                return Err("is not known, so it can only be set: usage=120".into());
            }
            d.use_now(users);
            Ok(("usage", now.map_or_else(none, whole), whole(users)))
        }
        "usage.trend" => {
            let then = mean(&d.facts.usage, 6)
                .filter(|t| *t > 0.0)
                .ok_or("cannot be moved: no usage is known of four weeks before")?;
            let now = mean(&d.facts.usage, 10);
            let trend = fraction(now.map(|n| n / then - 1.0), op, value)?;
            if trend < -1.0 {
                return Err("cannot fall by more than 100%".into());
            }
            d.use_now(then * (1.0 + trend));
            let before = now.map_or_else(none, |n| Value::Ratio(n / then - 1.0));
            Ok(("usage.trend", before, Value::Ratio(trend)))
        }
        "tickets" | "tickets.urgent" => {
            let value = if value == "closed" { "0" } else { value };
            let urgent = name == "tickets.urgent";
            let f = &d.facts;
            let now = f64::from(if urgent {
                f.urgent_tickets
            } else {
                f.open_tickets
            });
            let n = d.count(now, op, value, (0.0, 60_000.0))? as u16;
            if urgent {
                d.facts.urgent_tickets = n;
                d.facts.open_tickets = d.facts.open_tickets.max(n);
            } else {
                d.facts.open_tickets = n;
                d.facts.urgent_tickets = d.facts.urgent_tickets.min(n);
            }
            let name = if urgent { "tickets.urgent" } else { "tickets" };
            Ok((name, whole(now), whole(f64::from(n))))
        }
        "nps" => {
            let now = d.account.nps;
            let n = d.count(f64::from(now.unwrap_or(0)), op, value, (0.0, 10.0))?;
            d.account.nps = Some(n as u8);
            d.facts.nps_at = Some(d.today);
            Ok(("nps", now.map_or_else(none, |n| whole(n.into())), whole(n)))
        }
        "touch" | "touch.age" => {
            let now = d
                .facts
                .last_touch
                .map(|t| f64::from(days_between(t, d.today)));
            let value = value.strip_suffix('d').unwrap_or(value);
            let n = d.count(now.unwrap_or(0.0), op, value, (0.0, 36_500.0))?;
            d.facts.last_touch = d.today.checked_sub((n as i64).days()).ok();
            Ok((
                "touch.age",
                now.map_or_else(none, Value::Days),
                Value::Days(n),
            ))
        }
        "sponsor" => {
            let left = d.facts.sponsor_left.is_some();
            d.facts.sponsor_left = match one_of(value, &["found", "left"])? {
                "left" => Some(d.today),
                _ => None,
            };
            let shown = if left {
                word("left")
            } else {
                word("none left")
            };
            Ok(("sponsor", shown, word(value)))
        }
        "sentiment" => {
            let now = d.account.sentiment.clone();
            let want = one_of(value, &["good", "watch", "bad"])?;
            d.account.sentiment = Some(want.to_owned());
            Ok((
                "sentiment",
                now.as_deref().map_or_else(none, word),
                word(want),
            ))
        }
        "health" => {
            let now = d.account.health;
            let n = d.count(f64::from(now.unwrap_or(50)), op, value, (0.0, 100.0))?;
            d.account.health = Some(n as u8);
            d.account.health_at = Some(d.today);
            Ok((
                "health",
                now.map_or_else(none, |n| whole(n.into())),
                whole(n),
            ))
        }
        "risk" | "risk.open" => {
            let open = d.row.open_risk().is_some();
            let want = one_of(value, &["yes", "no"])?;
            d.risk = Some(want == "yes");
            Ok((
                "risk.open",
                word(if open { "yes" } else { "no" }),
                word(want),
            ))
        }
        "renewal" => {
            let now = d.row.renewal_date();
            let day = day_of(now, op, value, d.today)?;
            let shift = now.map_or(0, |n| days_between(n, day));
            let moved = |x: Option<Date>| x.map(|x| date_of(days(x) + shift).unwrap_or(x));
            match &mut d.renewal {
                Some(r) => {
                    r.original_due = r.original_due.or(r.due);
                    r.due = Some(day);
                    r.notice_deadline = moved(r.notice_deadline);
                }
                None => d.account.renewal = Some(day),
            }
            Ok((
                "renewal",
                now.map_or_else(none, Value::Date),
                Value::Date(day),
            ))
        }
        "forecast" | "probability" => {
            let count = |d: &Draft<'_>, now: f64| d.count(now, op, value, (0.0, 100.0));
            let now = d.renewal.as_ref().and_then(|r| r.probability);
            let n = match (name, value) {
                ("probability", "none") => None,
                ("probability", _) => Some(count(d, f64::from(now.unwrap_or(50)))? as u8),
                _ => now,
            };
            let renewal = d
                .renewal
                .as_mut()
                .ok_or("cannot be moved: no renewal is open")?;
            if name == "forecast" {
                let want = one_of(value, &CATEGORIES)?;
                let before = renewal.forecast.as_deref().map_or_else(none, word);
                renewal.forecast = Some(want.to_owned());
                return Ok(("forecast", before, word(want)));
            }
            renewal.probability = n;
            let shown = |p: Option<u8>| p.map_or_else(none, |p| whole(p.into()));
            Ok(("probability", shown(now), shown(n)))
        }
        _ => match name.parse::<Measure>() {
            Ok(Measure::Signal(kind)) => {
                let today = crate::book::Day::of(Some(d.today));
                let now = d.row.newest(&kind, today).map(|n| n.0);
                let v = number(value)?;
                let n = match op {
                    Op::Set => v.n,
                    Op::Add => now.unwrap_or(0.0) + v.n,
                    Op::Subtract => now.unwrap_or(0.0) - v.n,
                };
                d.signals.push(Signal {
                    id: LocalId(INVENTED.0 - d.signals.len() as u32),
                    account: Some(d.account.id),
                    kind: kind.to_string(),
                    at: Some(d.today),
                    value: Some(n),
                    ..Signal::default()
                });
                let shown = |n: f64| Value::Number(n, 2);
                Ok(("signal", now.map_or_else(none, shown), shown(n)))
            }
            _ => Err(match nearest(name, MOVES.iter().map(|m| m.0)) {
                Some(n) => format!("cannot be moved; did you mean `{n}`?"),
                None => {
                    let all: Vec<&str> = MOVES.iter().map(|m| m.0).collect();
                    format!("cannot be moved; these can: {}", all.join(", "))
                }
            }),
        },
    }
}

fn mean(weeks: &[Option<u32>; 12], from: usize) -> Option<f64> {
    let known = weeks[from..from + 2].iter().flatten();
    let (n, sum) = known.fold((0.0, 0.0), |(n, s), w| (n + 1.0, s + f64::from(*w)));
    (n > 0.0).then(|| sum / n)
}

fn days_between(from: Date, to: Date) -> i32 {
    days(to) - days(from)
}

fn number(text: &str) -> Result<Number, String> {
    let (digits, percent) = match text.strip_suffix('%') {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let digits = digits.replace('−', "-");
    match digits.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok(Number { n, percent }),
        _ => Err(format!("takes a number, not `{text}`")),
    }
}

/// A fraction: 0.1 or 10%.
fn fraction(now: Option<f64>, op: Op, value: &str) -> Result<f64, String> {
    let v = number(value)?;
    let n = if v.percent { v.n / 100.0 } else { v.n };
    let now = || now.ok_or("is not known, so it can only be set");
    Ok(match op {
        Op::Set => n,
        Op::Add => now()? + n,
        Op::Subtract => now()? - n,
    })
}

fn day_of(now: Option<Date>, op: Op, value: &str, today: Date) -> Result<Date, String> {
    if let (Op::Set, Ok(day)) = (op, value.parse::<Date>()) {
        return Ok(day);
    }
    let count = value.trim_start_matches('+').strip_suffix('d');
    let count: i32 = count
        .and_then(|n| n.parse().ok())
        .ok_or_else(|| format!("takes a day such as 2027-03-31 or +30d, not `{value}`"))?;
    let (from, count) = match op {
        Op::Set => (today, count),
        Op::Add => (now.unwrap_or(today), count),
        Op::Subtract => (now.unwrap_or(today), count.saturating_neg()),
    };
    // `date_of` and not a span, which panics on more days than the calendar has.
    date_of(days(from).saturating_add(count)).ok_or_else(|| "lies beyond the calendar".to_owned())
}

fn one_of<'w>(value: &str, words: &[&'w str]) -> Result<&'w str, String> {
    words
        .iter()
        .find(|w| w.eq_ignore_ascii_case(value))
        .copied()
        .ok_or_else(|| format!("takes one of {}, not `{value}`", words.join(", ")))
}
