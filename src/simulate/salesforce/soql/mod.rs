//! SOQL, Salesforce's query language: `lex` → `parse` (into `ast`) → `bind` (names and types against the schema) → `eval`
//! (over a `Store`). [`run`] does all four. `dates` knows the date literals, `write` turns a result into JSON or CSV rows.

mod ast;
mod bind;
mod dates;
mod eval;
mod lex;
mod parse;
mod write;

pub use bind::Bound;
pub use eval::{Answer, Scope};
pub use write::{cells, headers, record};

use super::error::Failure;
use super::schema::Schema;

/// Reads and checks a query.
///
/// # Errors
/// `MALFORMED_QUERY`, `INVALID_TYPE`, `INVALID_FIELD` and the like, with the place in the text.
pub fn prepare(schema: &Schema, text: &str, now_ms: i64) -> Result<Bound, Failure> {
    let query = parse::parse(text)?;
    bind::bind(schema, text, &query, now_ms)
}
