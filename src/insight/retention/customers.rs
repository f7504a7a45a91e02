//! Who the customers are that figures are about, and walking over them with every processor.

use super::policy::Unit;
use crate::book::{Book, LocalId};
use crate::insight::ledger::Ledger;

/// Fewer accounts than this are walked over by one thread.
const FEW: usize = 4_000;

/// The customers of a ledger by the places of their accounts: one account each, or all of one parent.
pub(super) struct Customers {
    /// The customer of each account and the account's place, customer by customer.
    order: Vec<(u32, u32)>,
}

impl Customers {
    /// Those of everybody's book or of one person's.
    pub fn of(book: &Book, ledger: &Ledger, unit: Unit, mine: Option<LocalId>) -> Customers {
        let wanted = |row: u32| mine.is_none() || book.account(row).csm_id() == mine;
        let places = (0..ledger.accounts.len() as u32)
            .filter(|at| wanted(ledger.accounts[*at as usize].row));
        let mut order: Vec<(u32, u32)> = match unit {
            Unit::Account | Unit::Contract => places.map(|at| (at, at)).collect(),
            Unit::Parent => places
                .map(|at| (root(book, ledger.accounts[at as usize].row), at))
                .collect(),
        };
        if unit == Unit::Parent {
            order.sort_unstable();
        }
        Customers { order }
    }

    /// How many accounts.
    pub fn accounts(&self) -> usize {
        self.order.len()
    }

    /// Does some work on parts of them, each customer in one part, on as many threads as there are processors; the answers in order.
    pub fn spread<T: Send>(&self, work: impl Fn(Part<'_>) -> T + Sync) -> Vec<T> {
        let threads = match self.order.len() {
            0..FEW => 1,
            _ => std::thread::available_parallelism().map_or(1, |n| n.get().min(8)),
        };
        let share = self.order.len().div_ceil(threads).max(1);
        let mut parts: Vec<Part<'_>> = Vec::new();
        let mut rest = &self.order[..];
        while !rest.is_empty() {
            let mut end = share.min(rest.len());
            while end < rest.len() && rest[end].0 == rest[end - 1].0 {
                end += 1;
            }
            let (part, after) = rest.split_at(end);
            parts.push(Part(part));
            rest = after;
        }
        if parts.len() < 2 {
            return parts.into_iter().map(work).collect();
        }
        let work = &work;
        std::thread::scope(|scope| {
            let running: Vec<_> = (parts.into_iter())
                .map(|part| scope.spawn(move || work(part)))
                .collect();
            running
                .into_iter()
                .map(|thread| match thread.join() {
                    Ok(answer) => answer,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    }
}

/// Some of the customers.
#[derive(Clone, Copy)]
pub(super) struct Part<'a>(&'a [(u32, u32)]);

impl Part<'_> {
    /// The places of each customer's accounts.
    pub fn each(self, mut with: impl FnMut(&[u32])) {
        let mut places = Vec::new();
        for customer in self.0.chunk_by(|a, b| a.0 == b.0) {
            places.clear();
            places.extend(customer.iter().map(|(_, at)| *at));
            with(&places);
        }
    }
}

/// The id of the account above all others; a circle ends where it was entered after some steps.
fn root(book: &Book, row: u32) -> u32 {
    let mut account = book.account(row);
    for _ in 0..16 {
        match account.parent().and_then(|p| book.account_by_id(p)) {
            Some(parent) => account = parent,
            None => break,
        }
    }
    account.id().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_is_in_one_part_and_no_customer_in_two() {
        let order: Vec<(u32, u32)> = (0..20_000).map(|n| (n / 7, n)).collect();
        let customers = Customers { order };
        let seen = customers.spread(|part| {
            let mut all: Vec<Vec<u32>> = Vec::new();
            part.each(|places| all.push(places.to_vec()));
            all
        });
        let all: Vec<Vec<u32>> = seen.into_iter().flatten().collect();
        assert_eq!(all.len(), 20_000_usize.div_ceil(7));
        assert!(all[..all.len() - 1].iter().all(|c| c.len() == 7));
        assert_eq!(all.concat(), (0..20_000).collect::<Vec<u32>>());
        let none = Customers { order: Vec::new() };
        assert!(none.spread(|_| ()).is_empty());
    }
}
