//! What a bound query is made of: routes to fields, expressions, tests and columns.

use crate::simulate::salesforce::schema::{Kind, common};
use crate::simulate::salesforce::soql::ast::*;
use crate::simulate::salesforce::value::{Id, Value};
use std::collections::HashSet;

/// The last step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Last {
    Field(usize),
    /// By name, at the end of a reference to several kinds of object.
    Named(&'static str),
}

/// A path from a record to a value: references to follow, then a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub hops: Vec<usize>,
    pub last: Last,
    pub kind: Kind,
}

impl Route {
    /// The field, when it is one of the record itself.
    pub fn own(&self) -> Option<usize> {
        match (&self.last, self.hops.is_empty()) {
            (Last::Field(field), true) => Some(*field),
            _ => None,
        }
    }
}

/// Something that has a value for a record, or for a group of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Route(Route),
    Call(Function, Box<Expr>),
    /// Place in [`Bound::aggregates`].
    Aggregate(usize, Kind),
    /// A currency amount in the corporate currency.
    Corporate(Box<Expr>),
}

impl Expr {
    pub fn kind(&self) -> Kind {
        match self {
            Expr::Route(route) => route.kind,
            Expr::Call(Function::ToLabel | Function::Format, _) => Kind::Text,
            Expr::Call(Function::DayOnly, _) => Kind::Date,
            Expr::Call(Function::ConvertCurrency, inner) => inner.kind(),
            Expr::Call(..) => Kind::Int,
            Expr::Aggregate(_, kind) => *kind,
            Expr::Corporate(_) => Kind::Double,
        }
    }
}

/// One aggregate to compute.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub function: Function,
    /// Missing for `COUNT()`.
    pub of: Option<Expr>,
}

/// Values to be found in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Set {
    pub ids: HashSet<Id>,
    /// In lower case.
    pub texts: HashSet<String>,
    pub others: Vec<Value>,
    pub null: bool,
}

impl Set {
    pub fn add(&mut self, value: Value) {
        match value {
            Value::Null => self.null = true,
            Value::Id(id) => drop(self.ids.insert(id)),
            Value::Text(text) => drop(self.texts.insert(text.to_lowercase())),
            other => self.others.push(other),
        }
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    /// One of `= != < <= > >=`.
    Compare {
        left: Expr,
        op: Op,
        value: Value,
    },
    /// The same against the days or milliseconds from `from` to before `to`.
    Span {
        left: Expr,
        op: Op,
        from: Value,
        to: Value,
    },
    In {
        left: Expr,
        set: Set,
        negated: bool,
    },
    Rows {
        left: Expr,
        query: Box<Bound>,
        negated: bool,
    },
    Like {
        left: Expr,
        pattern: String,
    },
    /// Each inner list must be contained whole.
    Includes {
        left: Expr,
        any: Vec<Vec<String>>,
        negated: bool,
    },
    /// A comparison with an id that nobody has.
    Never(bool),
}

/// A node of the select list's tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Field(usize),
    Named(&'static str),
    Value(Expr),
    Parent {
        field: usize,
        inner: Vec<Column>,
    },
    Children {
        object: u16,
        field: usize,
        query: Box<Bound>,
    },
    TypeOf {
        field: usize,
        cases: Vec<(u16, Vec<Column>)>,
        otherwise: Vec<Column>,
    },
}

/// A name and what stands under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub node: Node,
}

/// An order key.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    pub expr: Expr,
    pub descending: bool,
    pub nulls_last: bool,
}

/// A checked query.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    pub object: u16,
    pub columns: Vec<Column>,
    pub filter: Option<Test>,
    /// `SELECT COUNT() FROM …`: only the number is wanted.
    pub only_count: bool,
    /// Rows are groups: of all records when there is nothing in `group`.
    pub grouped: bool,
    pub group: Vec<Expr>,
    pub aggregates: Vec<Aggregate>,
    pub having: Option<Test>,
    pub order: Vec<Sort>,
    pub limit: Option<u64>,
    pub offset: u64,
    pub all_rows: bool,
}

/// Whether a field is the one by which changes are found.
pub fn is_stamp(expr: &Expr) -> bool {
    matches!(expr, Expr::Route(route) if route.own() == Some(common::STAMP))
}

/// Whether a field is the record's own id.
pub fn is_id(expr: &Expr) -> bool {
    matches!(expr, Expr::Route(route) if route.own() == Some(common::ID))
}
