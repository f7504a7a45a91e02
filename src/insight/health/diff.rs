//! Who would change band under another model.

use super::model::Model;
use super::scorer::Scorer;
use crate::book::{Book, Day, LocalId};
use crate::insight::Coverage;
use crate::insight::rules::Band;
use jiff::civil::Date;
use serde::Serialize;

/// A band, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Good.
    Good,
    /// In between.
    Watch,
    /// Bad.
    Bad,
    /// Too little is known.
    Insufficient,
}

impl Grade {
    /// All of them, in the order of the matrix.
    pub const ALL: [Grade; 4] = [Grade::Good, Grade::Watch, Grade::Bad, Grade::Insufficient];
    /// Of a band.
    pub fn of(band: Option<Band>) -> Grade {
        match band {
            Some(Band::Good) => Grade::Good,
            Some(Band::Watch) => Grade::Watch,
            Some(Band::Bad) => Grade::Bad,
            None => Grade::Insufficient,
        }
    }
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Grade::Good => "good",
            Grade::Watch => "watch",
            Grade::Bad => "bad",
            Grade::Insufficient => "insufficient",
        }
    }
}

/// An account's score under a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Placed {
    /// Whole points; none when nothing is known.
    pub score: Option<u8>,
    /// The share of the model's weight that is known, 0 to 1.
    pub coverage: f64,
    /// The band.
    pub band: Grade,
}

/// An account whose band changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// The account.
    pub account: LocalId,
    /// Its ARR, minor units of the reporting currency; none when unknown or without a rate.
    pub arr: Option<i64>,
    /// Under the first model.
    pub before: Placed,
    /// Under the second.
    pub after: Placed,
}

/// How many accounts with how much ARR, minor units of the reporting currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Accounts.
    pub accounts: usize,
    /// Their ARR as far as it is known.
    pub arr: i64,
}

/// Two models beside each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// Versions of the models.
    pub versions: (String, String),
    /// The accounts whose band changes, the most ARR first.
    pub moved: Vec<Moved>,
    /// From which band (outer) to which (inner), in the order of [`Grade::ALL`].
    pub matrix: [[Sum; 4]; 4],
    /// All accounts.
    pub all: Sum,
    /// Those whose band changes.
    pub changed: Sum,
    /// Those whose score changes by a whole point or more, band or no band.
    pub rescored: usize,
    /// How many have an ARR that counts.
    pub arr_coverage: Coverage,
}

/// Compares two models over all accounts. Bands go by the scores alone: what an account was before holds neither model back.
pub fn diff(book: &Book, today: Date, before: &Model, after: &Model) -> Diff {
    let day = Day::of(Some(today));
    let mut scorers = [Scorer::new(before, day), Scorer::new(after, day)];
    let mut d = Diff {
        versions: (before.version(), after.version()),
        moved: Vec::new(),
        matrix: Default::default(),
        all: Sum::default(),
        changed: Sum::default(),
        rescored: 0,
        arr_coverage: Coverage::default(),
    };
    for a in book.accounts() {
        let [x, y] = scorers.each_mut().map(|s| {
            let g = s.grade(&a, None);
            Placed {
                score: g.score.whole(),
                coverage: g.score.coverage,
                band: Grade::of(g.band),
            }
        });
        let arr = a.arr_reporting().map(|m| m.minor);
        d.arr_coverage.count(a.arr(), &arr);
        let count = |sum: &mut Sum| {
            sum.accounts += 1;
            sum.arr = sum.arr.saturating_add(arr.unwrap_or(0));
        };
        count(&mut d.all);
        count(&mut d.matrix[x.band as usize][y.band as usize]);
        d.rescored += usize::from(x.score != y.score);
        if x.band != y.band {
            count(&mut d.changed);
            d.moved.push(Moved {
                account: a.id(),
                arr,
                before: x,
                after: y,
            });
        }
    }
    d.moved
        .sort_by_key(|m| (std::cmp::Reverse(m.arr), m.account));
    d
}
