//! The filter language: `health<50 renewal<60d owner:me -tag:pilot (forecast:commit or forecast:best) "acme"`.
//!
//! [`parse`] turns a text into a checked [`Expr`] (errors point at the column and name the nearest field), [`filter`] finds the rows,
//! [`narrow`] only looks at the rows of an earlier, shorter text, [`complete`] offers what could come next, and [`order`] sorts.

pub mod ast;
pub mod complete;
pub mod eval;
pub mod lexer;
pub mod order;
pub mod parse;
pub mod search;
pub mod value;

pub use crate::book::registry::Scope;
pub use ast::{Expr, Op, Term};
pub use complete::{Completion, complete};
pub use eval::{filter, matches, narrow, narrows};
pub use order::{SortKey, order, sort_keys};
pub use parse::{QueryError, parse};

#[cfg(test)]
mod tests;
