//! Inserting many rows: several with each statement.

use super::codec::give;
use super::error::Res;
use rusqlite::{Connection, Statement, ToSql};

/// A statement that inserts many rows.
pub(super) struct Many {
    /// Up to the values. It says what becomes of a row that is refused, and that is not to be the usual `ABORT`: to be able to take back the
    /// rows before it SQLite copies each page before it is changed, which was a tenth of what the writing thread did. After `FAIL` the whole
    /// transaction is given up here.
    pub into: String,
    /// The values of one row, in parentheses.
    pub row: String,
    /// What comes after them.
    pub end: &'static str,
}

/// So many rows are inserted by one statement: to begin and to end one is a good part of what a row costs.
const ROWS: usize = 32;

impl Many {
    /// Inserts rows. `shared` are the first parameters, the same for all rows; `bind` binds those of one row from a place on. How many
    /// rows were inserted.
    pub(super) fn insert<T>(
        &self,
        db: &Connection,
        shared: &[&dyn ToSql],
        rows: &[T],
        bind: impl Fn(&T, &mut Statement<'_>, &mut usize) -> rusqlite::Result<()>,
    ) -> Res<usize> {
        let mut inserted = 0;
        let whole = rows.len() - rows.len() % ROWS;
        for (rows, at_once) in [(&rows[..whole], ROWS), (&rows[whole..], 1)] {
            if rows.is_empty() {
                continue;
            }
            let values = vec![self.row.as_str(); at_once].join(",");
            let mut statement =
                db.prepare_cached(&format!("{} {values} {}", self.into, self.end))?;
            let mut i = 1;
            for value in shared {
                give(&mut statement, &mut i, value)?;
            }
            let first = i;
            for rows in rows.chunks_exact(at_once) {
                let mut i = first;
                for row in rows {
                    bind(row, &mut statement, &mut i)?;
                }
                inserted += statement.raw_execute()?;
            }
        }
        Ok(inserted)
    }
}
