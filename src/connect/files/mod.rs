//! Files as a source: separated values and JSON lines, read row by row into records of canonical fields.
//!
//! Enter through [`Table::open`], which looks a file over (encoding, separator, columns, the order of days, the decimal sign) and then hands
//! out its rows in pages. `kinds` holds the columns as data, `survey` finds out what a file is, `split` takes lines apart, `cell` reads
//! values, `rows` makes records and refusals, `finish` completes them, `map` is what a person can say instead. `folder` is the
//! connector: a folder that is watched.

mod cell;
mod encoding;
mod finish;
mod folder;
mod json;
mod kinds;
mod map;
mod rows;
mod split;
mod survey;
#[cfg(test)]
mod tests;

pub(super) use folder::Folder;
pub use kinds::FileKind;
pub use rows::{FilePage, Reading, Refusal, Table};
