//! Rows that could not be used, each with its reason.

use crate::book::text::visible;
use crate::book::{AccountRow, Day, LocalId};
use crate::insight::page::Excluded;

/// A row or an account, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The account, where it is known.
    pub account: Option<LocalId>,
    /// What it is: account, line and day as far as they are known.
    pub row: String,
    /// What is wrong with it.
    pub reason: String,
}

impl From<&Problem> for Excluded {
    fn from(p: &Problem) -> Excluded {
        Excluded {
            row: p.row.clone(),
            reason: p.reason.clone(),
        }
    }
}

/// The first of them, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// The first of them.
    pub list: Vec<Problem>,
    /// How many there are in all.
    pub count: usize,
}

impl Problems {
    /// So many are kept with their words.
    pub const KEPT: usize = 10_000;

    /// One more.
    pub fn add(&mut self, make: impl FnOnce() -> Problem) {
        self.count += 1;
        if self.list.len() < Self::KEPT {
            self.list.push(make());
        }
    }
    /// Those of another list that are of some accounts.
    pub fn extend_with(&mut self, other: &Problems, of: impl Fn(LocalId) -> bool) {
        for problem in &other.list {
            if problem.account.is_some_and(&of) {
                self.add(|| problem.clone());
            }
        }
    }
    /// All of another list.
    pub fn extend(&mut self, other: &Problems) {
        let room = Self::KEPT.saturating_sub(self.list.len());
        self.list.extend(other.list.iter().take(room).cloned());
        self.count += other.count;
    }
    /// A whole account.
    pub(crate) fn account(&mut self, account: &AccountRow<'_>, reason: String) {
        self.row(Some(account), None, Day::NONE, reason);
    }
    /// A row of an account.
    pub(crate) fn row(
        &mut self,
        account: Option<&AccountRow<'_>>,
        line: Option<&str>,
        day: Day,
        reason: String,
    ) {
        self.add(|| {
            let name = account.map(|a| visible(a.name()).into_owned());
            let parts = [
                name,
                line.map(|l| format!("line {}", visible(l))),
                day.date().map(|d| d.to_string()),
            ];
            let row: Vec<String> = parts.into_iter().flatten().collect();
            Problem {
                account: account.map(AccountRow::id),
                row: match row.is_empty() {
                    true => "a row without account, line and day".into(),
                    false => row.join(", "),
                },
                reason,
            }
        });
    }
}
