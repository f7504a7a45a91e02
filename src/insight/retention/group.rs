//! What figures are grouped by.

use super::cell::Cell;
use crate::book::nearest::nearest;
use crate::book::text::visible;
use crate::book::{AccountRow, Book, Calendar, Day, Entity};
use crate::insight::ledger::Ledger;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What figures are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The segment.
    Segment,
    /// The customer success manager.
    Csm,
    /// The region.
    Region,
    /// The touch model.
    Touch,
    /// The industry.
    Industry,
    /// The lifecycle stage.
    Stage,
    /// The quarter in which the customer began.
    Cohort,
    /// The currency that it pays in.
    Currency,
    /// The product; netted per product.
    Product,
}

impl By {
    /// All of them.
    pub const ALL: [By; 9] = [
        By::Segment,
        By::Csm,
        By::Region,
        By::Touch,
        By::Industry,
        By::Stage,
        By::Cohort,
        By::Currency,
        By::Product,
    ];
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            By::Segment => "segment",
            By::Csm => "csm",
            By::Region => "region",
            By::Touch => "touch",
            By::Industry => "industry",
            By::Stage => "stage",
            By::Cohort => "cohort",
            By::Currency => "currency",
            By::Product => "product",
        }
    }
    /// The one of that name.
    ///
    /// # Errors
    /// A sentence with the nearest right name.
    pub fn parse(name: &str) -> Result<By, String> {
        let names = || By::ALL.into_iter().map(By::name);
        By::ALL
            .into_iter()
            .find(|b| b.name() == name)
            .ok_or_else(|| match nearest(name, names()) {
                Some(near) => format!("nothing is grouped by `{name}`; did you mean `{near}`?"),
                None => {
                    let names: Vec<_> = names().collect();
                    format!(
                        "nothing is grouped by `{name}`; it is one of {}",
                        names.join(", ")
                    )
                }
            })
    }
}

/// What stands for what has no value in the grouping.
pub const NONE: &str = "(none)";

/// The group of every account, found once so that summing is a look-up.
#[derive(Clone, Debug)]
pub struct Groups {
    by: By,
    /// The group of each account row of the Book.
    of_row: Vec<u32>,
    /// The group of each product number.
    of_product: Vec<u32>,
    /// The groups' names, in the order in which they were met.
    pub keys: Vec<String>,
}

impl Groups {
    /// The groups of the accounts of a ledger.
    pub fn of(book: &Book, ledger: &Ledger, calendar: &Calendar, by: By) -> Groups {
        let mut groups = Groups {
            by,
            of_row: Vec::new(),
            of_product: Vec::new(),
            keys: Vec::new(),
        };
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut number = |key: String, keys: &mut Vec<String>| {
            *known.entry(key).or_insert_with_key(|key| {
                keys.push(key.clone());
                keys.len() as u32 - 1
            })
        };
        if by == By::Product {
            groups.of_product = vec![u32::MAX; book.ledger_names()];
            for line in &ledger.lines {
                let at = line.product as usize;
                if groups.of_product[at] == u32::MAX {
                    let key = named(Some(book.ledger_name(line.product)));
                    groups.of_product[at] = number(key, &mut groups.keys);
                }
            }
            return groups;
        }
        // Accounts without a ledger as well: their renewals are forecast by the same groups.
        groups.of_row = vec![u32::MAX; book.bound(Entity::Account) as usize];
        let mut ledgers = ledger.accounts.iter().peekable();
        for row in book.accounts() {
            let own = ledgers.next_if(|l| l.row == row.row());
            let key = match by {
                By::Segment => named(row.segment()),
                By::Region => named(row.region()),
                By::Touch => named(row.touch()),
                By::Industry => named(row.industry()),
                By::Stage => named(row.stage()),
                By::Csm => named(row.csm().map(|p| p.name())),
                By::Cohort => {
                    let first = || Day(ledger.begins(own?)?).date();
                    row.start().or_else(first).map_or_else(
                        || NONE.to_owned(),
                        |d| {
                            let q = calendar.quarter(d);
                            format!("{} Q{}", q.year, q.number)
                        },
                    )
                }
                By::Currency | By::Product => {
                    let first = || {
                        let stretch = ledger.stretches_of(own?.line).first()?;
                        ledger
                            .currencies
                            .get(usize::from(stretch.currency))
                            .copied()
                    };
                    let code = first().or_else(|| row.arr().map(|m| m.currency));
                    code.map_or_else(
                        || NONE.to_owned(),
                        |c| String::from_utf8_lossy(&c).into_owned(),
                    )
                }
            };
            groups.of_row[row.row() as usize] = number(key, &mut groups.keys);
        }
        groups
    }

    /// What they are.
    pub fn by(&self) -> By {
        self.by
    }

    /// The group of an account; none when products are grouped.
    pub fn of_account(&self, account: &AccountRow<'_>) -> Option<usize> {
        let group = self.of_row.get(account.row() as usize)?;
        Some(*group as usize)
    }

    /// The group of a cell.
    #[inline]
    pub fn group(&self, cell: &Cell) -> usize {
        let list = match self.by {
            By::Product => self.of_product.get(cell.product as usize),
            _ => self.of_row.get(cell.account as usize),
        };
        list.map_or(0, |n| *n as usize)
    }
}

fn named(name: Option<&str>) -> String {
    match name {
        Some(name) if !name.is_empty() => visible(name).into_owned(),
        _ => NONE.to_owned(),
    }
}
