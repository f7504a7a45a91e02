//! Accounts that are the same customer: one company's own domain twice, or one name but for its spelling and legal form.

use crate::book::Book;
use crate::book::company::{core_name, own_domain};
use std::collections::HashMap;

/// An account that another one seems to be as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Its row.
    pub row: u32,
    /// The row of the one that stays: the one with the largest ARR, else the one that entered first.
    pub of: u32,
    /// What they have in common.
    pub by: &'static str,
}

/// All of them, each once. Accounts of one group of companies (one the parent of the other, or the same parent) are none.
pub fn twins(book: &Book) -> Vec<Twin> {
    let mut by_domain: HashMap<String, Vec<u32>> = HashMap::new();
    let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
    for a in book.accounts() {
        if let Some(domain) = a.domain().and_then(own_domain) {
            by_domain.entry(domain).or_default().push(a.row());
        }
        let name = core_name(a.name());
        if !name.is_empty() {
            by_name.entry(name).or_default().push(a.row());
        }
    }
    let mut found: HashMap<u32, Twin> = HashMap::new();
    // The domain says more than the name.
    for (groups, by) in [(by_domain, "same domain"), (by_name, "same name")] {
        for rows in groups.into_values().filter(|rows| rows.len() > 1) {
            // One order over all accounts, so that no two point at each other.
            let largest = |row: &u32| {
                let arr = book.account(*row).arr_reporting().map(|m| m.minor);
                (arr, std::cmp::Reverse(*row))
            };
            let Some(of) = rows.iter().copied().max_by_key(largest) else {
                continue;
            };
            for row in rows {
                if row != of && !is_group(book, row, of) {
                    found.entry(row).or_insert(Twin { row, of, by });
                }
            }
        }
    }
    let mut all: Vec<Twin> = found.into_values().collect();
    all.sort_by_key(|t| t.row);
    all
}

fn is_group(book: &Book, a: u32, b: u32) -> bool {
    let (a, b) = (book.account(a), book.account(b));
    let (up, over) = (a.parent(), b.parent());
    up == Some(b.id()) || over == Some(a.id()) || (up.is_some() && up == over)
}
