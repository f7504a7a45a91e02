//! Small ledgers for tests, row by row.

use crate::book::{
    Account, Book, Calendar, Facts, LocalId, Money, Movement, Overlay, Person, Rate, Renewal,
    RowDelta, Subscription,
};
use crate::insight::ledger::{Ledger, Mixed, build};
use crate::insight::retention::{Ask, By, Policy, Report, report};
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

/// The day on which fixtures are looked at.
pub const TODAY: Date = date(2026, 11, 26);

/// A day of a text.
pub fn day(text: &str) -> Option<Date> {
    text.parse().ok()
}

/// Rows, written as in a file.
#[derive(Clone, Debug, Default)]
pub struct Fixture {
    accounts: BTreeMap<String, Account>,
    people: Vec<Person>,
    subscriptions: Vec<Subscription>,
    movements: Vec<Movement>,
    renewals: Vec<Renewal>,
    rates: Vec<Rate>,
}

impl Fixture {
    /// An account; made when it is not there.
    pub fn account(&mut self, name: &str) -> &mut Account {
        let id = LocalId(self.accounts.len() as u32 + 1);
        self.accounts.entry(name.into()).or_insert_with(|| Account {
            id,
            name: name.into(),
            ..Account::default()
        })
    }
    /// `account,line,change,start,end,arr,currency,signed`; what is left out is empty.
    pub fn sold(&mut self, row: &str) -> &mut Subscription {
        let cells: Vec<&str> = row.split(',').map(str::trim).collect();
        let cell = |i: usize| cells.get(i).copied().filter(|c| !c.is_empty());
        let own = |i: usize| cell(i).map(str::to_owned);
        let account = self.account(cells[0]).id;
        self.subscriptions.push(Subscription {
            id: LocalId(self.subscriptions.len() as u32 + 1),
            account: Some(account),
            line: own(1),
            change: own(2),
            start: cell(3).and_then(day),
            end: cell(4).and_then(day),
            arr: cell(5).and_then(|a| Money::parse(a, cell(6).unwrap_or("USD"))),
            signed: cell(7).and_then(day),
            ..Subscription::default()
        });
        let last = self.subscriptions.len() - 1;
        &mut self.subscriptions[last]
    }
    /// `account,line,date,type,amount,currency`.
    pub fn moved(&mut self, row: &str) {
        let cells: Vec<&str> = row.split(',').map(str::trim).collect();
        let cell = |i: usize| cells.get(i).copied().filter(|c| !c.is_empty());
        let account = self.account(cells[0]).id;
        self.movements.push(Movement {
            id: LocalId(self.movements.len() as u32 + 1),
            account: Some(account),
            line: cell(1).map(str::to_owned),
            date: cell(2).and_then(day),
            kind: cell(3).map(str::to_owned),
            amount: cell(4).and_then(|a| Money::parse(a, cell(5).unwrap_or("USD"))),
            reason: None,
        });
    }
    /// `account,due,stage_kind,target,amount`.
    pub fn renewal(&mut self, row: &str) {
        let cells: Vec<&str> = row.split(',').map(str::trim).collect();
        let account = self.account(cells[0]).id;
        self.renewals.push(Renewal {
            id: LocalId(self.renewals.len() as u32 + 1),
            account: Some(account),
            due: day(cells[1]),
            stage_kind: Some(cells[2].into()),
            target: Money::parse(cells[3], "USD"),
            amount: Money::parse(cells[4], "USD"),
            ..Renewal::default()
        });
    }
    /// A rate into US dollars.
    pub fn rate(&mut self, at: &str, from: &str, rate: f64, kind: &str) {
        self.rates.push(Rate {
            id: LocalId(self.rates.len() as u32 + 1),
            from: from.into(),
            to: "USD".into(),
            rate: Some(rate),
            at: day(at),
            kind: Some(kind.into()),
        });
    }
    /// Makes somebody the account's CSM.
    pub fn csm(&mut self, account: &str, name: &str) {
        let known = self.people.iter().find(|p| p.name == name).map(|p| p.id);
        let id = known.unwrap_or_else(|| {
            let id = LocalId(self.people.len() as u32 + 1);
            self.people.push(Person {
                id,
                name: name.into(),
                ..Person::default()
            });
            id
        });
        self.account(account).csm = Some(id);
    }
    /// As a Book.
    pub fn book(&self) -> Book {
        let delta = RowDelta {
            accounts: (self.accounts.values())
                .map(|a| (a.clone(), Facts::default()))
                .collect(),
            people: self.people.clone(),
            subscriptions: self.subscriptions.clone(),
            movements: self.movements.clone(),
            renewals: self.renewals.clone(),
            rates: self.rates.clone(),
            ..RowDelta::default()
        };
        Book::empty().apply(delta, &Overlay::default())
    }
    /// Its ledger.
    pub fn ledger(&self) -> Ledger {
        build(&self.book(), TODAY, Mixed::Exclude)
    }
    /// The figures of a window under switches, grouped.
    pub fn grouped(&self, switches: &str, from: &str, to: &str, by: Option<By>) -> Report {
        let mut policy = Policy::default();
        policy.set_pairs(switches).unwrap();
        let ask = Ask {
            from: day(from).unwrap(),
            to: day(to).unwrap(),
            policy,
            by: by.into_iter().collect(),
            with_rows: true,
            mine: None,
        };
        report(
            &self.book(),
            &self.ledger(),
            &ask,
            TODAY,
            &Calendar::default(),
        )
    }
    /// The figures of a window under switches.
    pub fn report(&self, switches: &str, from: &str, to: &str) -> Report {
        self.grouped(switches, from, to, None)
    }
}

/// The base cohort: nine customers at the opening of 2025 and one that is new in it; constructed, in thousands.
pub fn base() -> Fixture {
    let mut f = Fixture::default();
    for row in [
        "A1,L,new,2024-04-01,2025-03-31,100000",
        "A1,L,renewal,2025-04-01,2026-03-31,120000",
        "A2,L,new,2024-02-01,2027-01-31,80000",
        "A3,L,new,2024-07-01,2025-06-30,60000",
        "A3,L,renewal,2025-07-01,2026-06-30,45000",
        "A4,L,new,2024-10-01,2025-09-30,50000",
        "A5,P1,new,2024-05-01,2025-04-30,20000",
        "A5,P1,renewal,2025-05-01,2026-04-30,40000",
        "A5,P2,new,2024-05-01,2025-04-30,20000",
        "A5,P2,renewal,2025-05-01,2026-04-30,12000",
        "A6,L,new,2024-03-01,2025-02-28,50000,EUR",
        "A6,L,renewal,2025-03-01,2026-02-28,55000,EUR",
        "A7,L,new,2024-01-01,2026-12-31,30000",
        "A7,L,escalator,2025-07-01,2026-12-31,31500",
        "A8,L,new,2024-06-01,2025-05-31,24000",
        "A8,L,new,2025-08-15,2026-08-14,20000",
        "A9,L,new,2025-03-10,2026-03-09,36000",
        "A10,L,new,2024-12-16,2025-12-15,18000",
        "A10,L,renewal,2025-12-16,2026-12-15,18000,USD,2026-01-20",
    ] {
        f.sold(row);
    }
    f.rate("2024-12-31", "EUR", 1.10, "spot");
    f.rate("2025-12-31", "EUR", 0.95, "spot");
    f
}
