//! Which rows a query selects.

use super::ast::{Expr, NamedDay, Op, Term, Value};
use super::search::{Bits, How, Needle, row_has, search};
use crate::book::registry::{Cell as FieldCell, FieldRef, Scope, Tense, Type};
use crate::book::value::exponent;
use crate::book::{Day, Entity, LocalId, PersonRow, fold};
use std::cell::RefCell;

/// The rows of a kind that a query selects, in the order in which they entered.
pub fn filter(scope: &Scope<'_>, entity: Entity, expr: &Expr) -> Vec<u32> {
    let plan = Plan::of(scope, entity, expr, true);
    scope
        .book
        .rows(entity)
        .filter(|r| plan.test(scope, *r))
        .collect()
}

/// Those of some rows that a query selects, in the order given.
pub fn narrow(scope: &Scope<'_>, entity: Entity, expr: &Expr, rows: &[u32]) -> Vec<u32> {
    // A search over everything pays only when much of it is asked for.
    let batch = rows.len() * 8 > scope.book.bound(entity) as usize;
    let plan = Plan::of(scope, entity, expr, batch);
    rows.iter()
        .copied()
        .filter(|r| scope.book.is_alive(entity, *r) && plan.test(scope, *r))
        .collect()
}

/// Whether a query selects one row.
pub fn matches(scope: &Scope<'_>, entity: Entity, expr: &Expr, row: u32) -> bool {
    Plan::of(scope, entity, expr, false).test(scope, row)
}

/// Whether everything that `new` selects is also selected by `old`, as far as can be seen at a glance: then only the rows that `old`
/// selected need to be looked at.
pub fn narrows(old: &Expr, new: &Expr) -> bool {
    fn parts(e: &Expr) -> Vec<&Expr> {
        match e {
            Expr::All => Vec::new(),
            Expr::And(parts) => parts.iter().collect(),
            other => vec![other],
        }
    }
    fn covers(old: &Expr, new: &Expr) -> bool {
        match (old, new) {
            (Expr::Term(Term::Exact(o)), Expr::Term(Term::Exact(n))) => n.contains(o.as_str()),
            (Expr::Term(Term::Fuzzy(o)), Expr::Term(Term::Fuzzy(n))) => o == n,
            (
                Expr::Term(Term::Field {
                    field: f,
                    op: p,
                    value: v,
                }),
                Expr::Term(Term::Field {
                    field: g,
                    op: q,
                    value: w,
                }),
            ) => std::ptr::eq(f.field, g.field) && f.of_account == g.of_account && p == q && v == w,
            (Expr::Not(o), Expr::Not(n)) => covers(o, n) && covers(n, o),
            (Expr::Or(o), Expr::Or(n)) | (Expr::And(o), Expr::And(n)) => {
                o.len() == n.len() && o.iter().zip(n).all(|(o, n)| covers(o, n))
            }
            _ => false,
        }
    }
    let new = parts(new);
    parts(old).iter().all(|o| new.iter().any(|n| covers(o, n)))
}

/// A query made ready for many rows.
enum Plan {
    All,
    Text(Bits),
    Needle(Box<RefCell<Needle>>, Entity),
    Field(FieldRef, Test),
    And(Vec<Plan>),
    Or(Vec<Plan>),
    Not(Box<Plan>),
}

impl Plan {
    fn of(scope: &Scope<'_>, entity: Entity, expr: &Expr, batch: bool) -> Plan {
        match expr {
            Expr::All => Plan::All,
            Expr::Not(e) => Plan::Not(Box::new(Plan::of(scope, entity, e, batch))),
            Expr::Or(parts) => Plan::Or(
                parts
                    .iter()
                    .map(|e| Plan::of(scope, entity, e, batch))
                    .collect(),
            ),
            Expr::And(parts) => {
                // Each word is searched for only where the words before it were found.
                let mut found: Option<Bits> = None;
                let mut plans: Vec<Plan> = Vec::with_capacity(parts.len());
                for e in parts {
                    match (e, batch) {
                        (Expr::Term(Term::Fuzzy(text)), true) => {
                            let needle = Needle::new(text, How::Fuzzy);
                            found = Some(search(scope.book, entity, &needle, found.as_ref()));
                        }
                        (Expr::Term(Term::Exact(text)), true) => {
                            let needle = Needle::new(text, How::Exact);
                            found = Some(search(scope.book, entity, &needle, found.as_ref()));
                        }
                        _ => plans.push(Plan::of(scope, entity, e, batch)),
                    }
                }
                plans.extend(found.map(Plan::Text));
                // What is cheap to test comes first.
                plans.sort_by_key(|p| match p {
                    Plan::Text(_) | Plan::All => 0,
                    Plan::Field(..) => 1,
                    Plan::Needle(..) => 3,
                    _ => 2,
                });
                Plan::And(plans)
            }
            Expr::Term(Term::Field { field, op, value }) => {
                Plan::Field(*field, Test::of(scope, field, *op, value))
            }
            Expr::Term(Term::Fuzzy(text)) => Plan::text(scope, entity, text, How::Fuzzy, batch),
            Expr::Term(Term::Exact(text)) => Plan::text(scope, entity, text, How::Exact, batch),
        }
    }

    fn text(scope: &Scope<'_>, entity: Entity, text: &str, how: How, batch: bool) -> Plan {
        let needle = Needle::new(text, how);
        if batch {
            Plan::Text(search(scope.book, entity, &needle, None))
        } else {
            Plan::Needle(Box::new(RefCell::new(needle)), entity)
        }
    }

    fn test(&self, scope: &Scope<'_>, row: u32) -> bool {
        match self {
            Plan::All => true,
            Plan::Text(bits) => bits.has(row),
            Plan::Needle(needle, entity) => row_has(scope, *entity, row, &mut needle.borrow_mut()),
            Plan::Field(field, test) => test.holds(field.read(scope, row)),
            Plan::And(parts) => parts.iter().all(|p| p.test(scope, row)),
            Plan::Or(parts) => parts.iter().any(|p| p.test(scope, row)),
            Plan::Not(p) => !p.test(scope, row),
        }
    }
}

/// What a field's value must be.
struct Test {
    want: Want,
    /// `!=`: the opposite.
    negate: bool,
    words: Words,
}

enum Want {
    Missing,
    Present,
    /// Folded text; whether it must be equal, may begin or be contained.
    Text(String, TextFit),
    Person(PersonFit),
    /// Bounds, both included.
    Between(f64, f64),
    Days(i32, i32),
    Bool(bool),
    /// Nothing can hold: `owner:me` and nobody knows who that is.
    Never,
}

#[derive(Clone, Copy, PartialEq)]
enum TextFit {
    Equal,
    Begins,
    Contains,
}

enum PersonFit {
    Id(LocalId),
    Text(String),
}

/// Answers for words that were seen before: there are few, and they repeat a million times.
struct Words(RefCell<Vec<(usize, bool)>>);

const SLOTS: usize = 256;

impl Words {
    fn new() -> Words {
        Words(RefCell::new(vec![(0, false); SLOTS]))
    }
    /// The answer for an interned text or a person, found by where it lies in memory (the Book outlives the test).
    fn ask(&self, key: usize, answer: impl FnOnce() -> bool) -> bool {
        let slot = (key >> 4) % SLOTS;
        let (known, was) = self.0.borrow()[slot];
        if known == key {
            return was;
        }
        let is = answer();
        self.0.borrow_mut()[slot] = (key, is);
        is
    }
}

/// Folded, with `-`, `_` and spaces alike: `mid-market`, `Mid Market`, `most_likely`.
fn word(text: &str) -> String {
    fold(text).replace(['-', '_'], " ")
}

impl Test {
    fn of(scope: &Scope<'_>, field: &FieldRef, op: Op, value: &Value) -> Test {
        let ty = field.field.ty;
        let want = match value {
            Value::Missing => Want::Missing,
            Value::Present => Want::Present,
            Value::Bool(b) => Want::Bool(*b),
            Value::Me => scope
                .me
                .map_or(Want::Never, |id| Want::Person(PersonFit::Id(id))),
            Value::Text(t) if ty == Type::Person => Want::Person(PersonFit::Text(t.clone())),
            Value::Text(t) => match (ty, op) {
                (Type::Text, Op::Has) => Want::Text(t.clone(), TextFit::Contains),
                (Type::Text, _) => Want::Text(t.clone(), TextFit::Equal),
                (_, Op::Has) => Want::Text(word(t), TextFit::Begins),
                (_, _) => Want::Text(word(t), TextFit::Equal),
            },
            Value::Number(n) => {
                let n = match ty {
                    Type::Money => n * 10f64.powi(exponent(&scope.book.reporting()) as i32),
                    _ => *n,
                };
                // Equal as far as it was written: per cent to the whole, the rest to a millionth.
                let near = if ty == Type::Percent {
                    0.005
                } else {
                    n.abs().max(1.0) * 1e-9
                };
                match op {
                    Op::Has | Op::Is | Op::IsNot => Want::Between(n - near, n + near),
                    Op::Below => Want::Between(f64::NEG_INFINITY, n.next_down()),
                    Op::AtMost => Want::Between(f64::NEG_INFINITY, n),
                    Op::Above => Want::Between(n.next_up(), f64::INFINITY),
                    Op::AtLeast => Want::Between(n, f64::INFINITY),
                }
            }
            day => days(scope, field.field.tense, op, day),
        };
        Test {
            want,
            negate: op == Op::IsNot,
            words: Words::new(),
        }
    }

    fn holds(&self, cell: FieldCell<'_>) -> bool {
        self.positive(cell) != self.negate
    }

    fn positive(&self, cell: FieldCell<'_>) -> bool {
        match (&self.want, cell) {
            (Want::Missing, cell) => cell.is_none(),
            (Want::Present, cell) => !cell.is_none(),
            (Want::Bool(b), FieldCell::Bool(c)) => *b == c,
            (Want::Between(lo, hi), FieldCell::Number(n)) => *lo <= n && n <= *hi,
            (Want::Between(lo, hi), FieldCell::Money(_, Some(m))) => {
                *lo <= m as f64 && m as f64 <= *hi
            }
            (Want::Days(lo, hi), FieldCell::Day(Day(d))) => {
                Day(d) != Day::NONE && *lo <= d && d <= *hi
            }
            (Want::Days(lo, hi), FieldCell::Instant(t)) => {
                let day = t.as_second().div_euclid(86_400);
                i64::from(*lo) <= day && day <= i64::from(*hi)
            }
            (Want::Text(want, TextFit::Contains), FieldCell::Text(t)) => fold(t).contains(want),
            (Want::Text(want, fit), FieldCell::Text(t)) => {
                self.words.ask(t.as_ptr() as usize, || fits(t, want, *fit))
            }
            (Want::Text(want, fit), FieldCell::List(l)) => l.iter().any(|t| fits(t, want, *fit)),
            (Want::Text(want, fit), FieldCell::Words(w)) => w.iter().any(|t| fits(t, want, *fit)),
            (Want::Person(PersonFit::Id(id)), FieldCell::Person(p)) => p.id() == *id,
            (Want::Person(PersonFit::Text(want)), FieldCell::Person(p)) => self
                .words
                .ask((p.row() as usize + 1) << 4, || is_called(&p, want)),
            _ => false,
        }
    }
}

fn fits(text: &str, want: &str, fit: TextFit) -> bool {
    match fit {
        TextFit::Equal => word(text) == want || fold(text) == want,
        TextFit::Begins => word(text).starts_with(want),
        TextFit::Contains => fold(text).contains(want),
    }
}

fn is_called(p: &PersonRow<'_>, want: &str) -> bool {
    fold(p.name()).contains(want) || p.email().is_some_and(|e| fold(e).starts_with(want))
}

/// The days that a date condition allows.
fn days(scope: &Scope<'_>, tense: Tense, op: Op, value: &Value) -> Want {
    let today = scope.day().0;
    // One day of room on both sides, so that `day ± 1` cannot overflow; `i32::MIN` is no day.
    let (first, last) = (i32::MIN + 2, i32::MAX - 2);
    let at = |d: i32| d.clamp(first, last);
    if let Value::Span(n) = value {
        let n = at(*n);
        let end = at(today.saturating_add(n));
        let begin = at(today.saturating_sub(n));
        return match (tense, op) {
            (Tense::Behind, Op::Below) => Want::Days(begin + 1, last),
            (Tense::Behind, Op::AtMost) => Want::Days(begin, last),
            (Tense::Behind, Op::Above) => Want::Days(first, begin - 1),
            (Tense::Behind, Op::AtLeast) => Want::Days(first, begin),
            (Tense::Behind, _) => Want::Days(begin, today),
            (_, Op::Below) => Want::Days(first, end - 1),
            (_, Op::AtMost) => Want::Days(first, end),
            (_, Op::Above) => Want::Days(end + 1, last),
            (_, Op::AtLeast) => Want::Days(end, last),
            (_, _) => Want::Days(today, end),
        };
    }
    let named = |n: &NamedDay| {
        let c = &scope.calendar;
        let date = match n {
            NamedDay::Today => return today,
            NamedDay::Tomorrow => return today.saturating_add(1),
            NamedDay::Yesterday => return today.saturating_sub(1),
            NamedDay::EndOfWeek => c.end_of_week(scope.today),
            NamedDay::EndOfMonth => c.end_of_month(scope.today),
            NamedDay::EndOfQuarter => c.quarter(scope.today).end,
            NamedDay::EndOfYear => c.end_of_year(scope.today),
        };
        Day::of(Some(date)).0
    };
    let day = match value {
        Value::Day(d) => *d,
        Value::FromToday(n) => today.saturating_add(*n),
        Value::Named(n) => named(n),
        _ => return Want::Never,
    };
    let day = at(day);
    match (op, value) {
        (Op::Below, _) => Want::Days(first, day - 1),
        (Op::AtMost, _) => Want::Days(first, day),
        (Op::Above, _) => Want::Days(day + 1, last),
        (Op::AtLeast, _) => Want::Days(day, last),
        // `renewal:eoq` means up to it, from today on.
        (
            Op::Has,
            Value::Named(
                NamedDay::EndOfWeek
                | NamedDay::EndOfMonth
                | NamedDay::EndOfQuarter
                | NamedDay::EndOfYear,
            ),
        ) => Want::Days(today, day),
        _ => Want::Days(day, day),
    }
}
