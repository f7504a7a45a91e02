//! Rows of the Book gathered for a figure's explanation: counted all, kept the heaviest.

use crate::book::Money;
use crate::insight::Coverage;
use crate::insight::page::{Excluded, Value, Why, WhyRow};

/// How many rows an explanation keeps.
pub const KEPT: usize = 200;

/// What counts in a figure and what does not, as row numbers with their weight.
#[derive(Clone, Debug, Default)]
pub struct Gather {
    rows: Vec<(i64, u32)>,
    out: Vec<(u32, bool)>,
}

impl Gather {
    /// A row that counts, with what it weighs.
    pub fn count(&mut self, row: u32, weight: i64) {
        self.rows.push((weight, row));
    }
    /// A row whose amount counts where it is known; where not it is left out, for it has none or its currency has no rate.
    pub fn amount(&mut self, row: u32, native: Option<Money>, reporting: Option<i64>) {
        match reporting {
            Some(n) => self.count(row, n),
            None => self.out.push((row, native.is_some())),
        }
    }
    /// A row that is left out because what it needs is not known.
    pub fn leave(&mut self, row: u32) {
        self.out.push((row, false));
    }
    /// How many rows count.
    pub fn counted(&self) -> usize {
        self.rows.len()
    }
    /// The sum of the weights.
    pub fn sum(&self) -> i64 {
        self.rows.iter().map(|r| r.0).sum()
    }
    /// The explanation: the heaviest rows as `row` words them, those left out with `missing` as reason unless it is the rate.
    pub fn why(
        mut self,
        row: impl Fn(u32, i64) -> WhyRow,
        name: impl Fn(u32) -> String,
        missing: &str,
    ) -> Why {
        let (rows_in, rows_out) = (self.rows.len(), self.out.len());
        let no_rate = self.out.iter().filter(|o| o.1).count();
        let order = |a: &(i64, u32), b: &(i64, u32)| b.0.abs().cmp(&a.0.abs()).then(a.1.cmp(&b.1));
        if self.rows.len() > KEPT {
            self.rows.select_nth_unstable_by(KEPT, order);
            self.rows.truncate(KEPT);
        }
        self.rows.sort_unstable_by(order);
        Why {
            rows: self.rows.iter().map(|(w, r)| row(*r, *w)).collect(),
            rows_in,
            left_out: self
                .out
                .iter()
                .take(KEPT)
                .map(|(r, rate)| Excluded {
                    row: name(*r),
                    reason: if *rate {
                        "its currency has no rate".to_owned()
                    } else {
                        missing.to_owned()
                    },
                })
                .collect(),
            rows_out,
            coverage: Coverage {
                known: rows_in,
                of: rows_in + rows_out,
                no_rate,
            },
            ..Why::default()
        }
    }
}

/// A row of an explanation with an amount.
pub fn money_row(label: &str, account: Option<crate::book::LocalId>, minor: i64) -> WhyRow {
    WhyRow {
        label: label.to_owned(),
        account,
        values: vec![Value::Money(minor)],
        note: String::new(),
    }
}
