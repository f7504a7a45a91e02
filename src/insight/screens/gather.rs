//! Rows of the Book gathered for a figure's explanation: counted all, kept the heaviest.

use crate::book::Money;
use crate::insight::Coverage;
use crate::insight::page::{Excluded, Value, Why, WhyRow};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How many rows an explanation keeps.
pub const KEPT: usize = 200;

/// What counts in a figure and what does not, as row numbers with their weight: all are counted, the heaviest are kept, so that a large
/// book costs no more memory than a small one.
#[derive(Clone, Debug, Default)]
pub struct Gather {
    /// The heaviest rows, the lightest of them on top: how heavy, which, and what it weighs.
    heaviest: BinaryHeap<Reverse<(u64, Reverse<u32>, i64)>>,
    counted: usize,
    sum: i64,
    /// The first rows that are left out, and whether a rate is what they lack.
    out: Vec<(u32, bool)>,
    left: usize,
    no_rate: usize,
}

impl Gather {
    /// A row that counts, with what it weighs.
    pub fn count(&mut self, row: u32, weight: i64) {
        self.counted += 1;
        self.sum = self.sum.saturating_add(weight);
        let entry = Reverse((weight.unsigned_abs(), Reverse(row), weight));
        if self.heaviest.len() < KEPT {
            self.heaviest.push(entry);
        } else if self
            .heaviest
            .peek()
            .is_some_and(|lightest| entry < *lightest)
        {
            self.heaviest.pop();
            self.heaviest.push(entry);
        }
    }
    /// A row whose amount counts where it is known; where not it is left out, for it has none or its currency has no rate.
    pub fn amount(&mut self, row: u32, native: Option<Money>, reporting: Option<i64>) {
        match reporting {
            Some(n) => self.count(row, n),
            None => self.leave_out(row, native.is_some()),
        }
    }
    /// A row that is left out because what it needs is not known.
    pub fn leave(&mut self, row: u32) {
        self.leave_out(row, false);
    }
    fn leave_out(&mut self, row: u32, rate: bool) {
        self.left += 1;
        self.no_rate += usize::from(rate);
        if self.out.len() < KEPT {
            self.out.push((row, rate));
        }
    }
    /// How many rows count.
    pub fn counted(&self) -> usize {
        self.counted
    }
    /// The sum of the weights.
    pub fn sum(&self) -> i64 {
        self.sum
    }
    /// The explanation: the heaviest rows as `row` words them, those left out with `missing` as reason unless it is the rate.
    pub fn why(
        self,
        row: impl Fn(u32, i64) -> WhyRow,
        name: impl Fn(u32) -> String,
        missing: &str,
    ) -> Why {
        let heaviest = self.heaviest.into_sorted_vec();
        Why {
            rows: heaviest
                .iter()
                .map(|Reverse((_, Reverse(n), weight))| row(*n, *weight))
                .collect(),
            rows_in: self.counted,
            left_out: self
                .out
                .iter()
                .map(|(r, rate)| Excluded {
                    row: name(*r),
                    reason: if *rate {
                        "its currency has no rate".to_owned()
                    } else {
                        missing.to_owned()
                    },
                })
                .collect(),
            rows_out: self.left,
            coverage: Coverage {
                known: self.counted,
                of: self.counted + self.left,
                no_rate: self.no_rate,
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
