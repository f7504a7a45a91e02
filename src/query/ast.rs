//! A parsed and checked query.

use crate::book::registry::FieldRef;

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `:` equals or contains, by type.
    Has,
    /// `=` equals.
    Is,
    /// `!=`
    IsNot,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Op {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Op::Has => ":",
            Op::Is => "=",
            Op::IsNot => "!=",
            Op::Below => "<",
            Op::AtMost => "<=",
            Op::Above => ">",
            Op::AtLeast => ">=",
        }
    }
}

/// The value that a field is compared with, checked against the field's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value at all: `field:none`; `field:any` is its opposite.
    Missing,
    /// Any value.
    Present,
    /// Folded text.
    Text(String),
    /// A number; fractions as fractions; amounts in whole units of the reporting currency.
    Number(f64),
    /// A day, counted from 1970.
    Day(i32),
    /// So many days from today (`+30d`, `-7d`): a day.
    FromToday(i32),
    /// A span without a sign (`60d`): within or beyond, in the direction of the field's tense.
    Span(i32),
    /// A day by name.
    Named(NamedDay),
    /// Yes or no.
    Bool(bool),
    /// The person who asks.
    Me,
}

/// Days that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedDay {
    /// Today.
    Today,
    /// Tomorrow.
    Tomorrow,
    /// Yesterday.
    Yesterday,
    /// The end of the week.
    EndOfWeek,
    /// The end of the month.
    EndOfMonth,
    /// The end of the fiscal quarter.
    EndOfQuarter,
    /// The end of the fiscal year.
    EndOfYear,
}

/// One condition.
#[derive(Clone, Debug)]
pub enum Term {
    /// A bare word: the names match it fuzzily (letters in order). Folded.
    Fuzzy(String),
    /// A quoted text: a name contains it exactly, case and marks aside. Folded.
    Exact(String),
    /// A field compared with a value.
    Field {
        /// Which.
        field: FieldRef,
        /// How.
        op: Op,
        /// With what.
        value: Value,
    },
}

/// A query.
#[derive(Clone, Debug, Default)]
pub enum Expr {
    /// Everything.
    #[default]
    All,
    /// A condition.
    Term(Term),
    /// All of them.
    And(Vec<Expr>),
    /// One of them.
    Or(Vec<Expr>),
    /// Not.
    Not(Box<Expr>),
}

impl Expr {
    /// Whether it selects everything.
    pub fn is_all(&self) -> bool {
        matches!(self, Expr::All)
    }
}
