//! The ledger of annual recurring revenue: what each account paid for each line, stretch by stretch, and which rows could not be used.
//!
//! An account's ledger comes from its subscriptions; without any from its imported movements; without those from its closed renewals and won
//! opportunities, tied to the ARR that it has today. [`build`] makes it from a [`Book`]; [`retention`](super::retention) reads it under a policy.

mod derived;
mod moved;
mod problem;
mod sold;
#[cfg(test)]
mod tests;

pub use problem::{Problem, Problems};

use crate::book::{AccountRow, Began, Book, Day, Entity};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What an account's ledger was made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Its subscriptions.
    #[default]
    Subscriptions,
    /// Its imported movements.
    Movements,
    /// Its closed renewals, won opportunities and the ARR that it has today.
    Renewals,
}

/// What becomes of an account whose rows are in several currencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixed {
    /// It is listed and left out.
    #[default]
    Exclude,
    /// Each row counts at its own currency's rate.
    Convert,
}

/// A stretch of a line: what was paid a year, from when to when. Days are days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Minor units a year in its own currency.
    pub minor: i64,
    /// The first day.
    pub start: i32,
    /// The last day paid; [`NEVER`] while it runs on.
    pub end: i32,
    /// The day on which it was signed; [`NEVER`] where nobody said.
    pub signed: i32,
    /// The number of its currency in [`Ledger::currencies`].
    pub currency: u16,
    /// What began it; never `Unsaid`.
    pub began: Began,
    /// Notice was given.
    pub cancelled: bool,
    /// It does not come again.
    pub one_off: bool,
}

/// No such day: later than any.
pub const NEVER: i32 = i32::MAX;

/// A line of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The number of its name in the Book; 0 has none.
    pub name: u32,
    /// The number of its newest stretch's product.
    pub product: u32,
    /// The number of its newest stretch's contract.
    pub contract: u32,
    /// Its first stretch in [`Ledger::stretches`]; its last one is before the next line's first.
    pub first: u32,
}

/// A renewal that was due and is closed, of an account whose lines have no terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The day on which it was due.
    pub day: i32,
    /// What was up for renewal, minor units.
    pub due: i64,
    /// What it was renewed at; 0 when it was lost.
    pub renewed: i64,
    /// The number of its currency.
    pub currency: u16,
}

/// The ledger of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountLedger {
    /// The account's row in the Book.
    pub row: u32,
    /// Its first line in [`Ledger::lines`].
    pub line: u32,
    /// One more than its last.
    pub line_end: u32,
    /// Its first closed renewal in [`Ledger::dues`].
    pub due: u32,
    /// One more than its last.
    pub due_end: u32,
    /// What it was made from.
    pub source: Source,
    /// The day from which it is known; `i32::MIN` when from the beginning.
    pub known_from: i32,
}

/// The ledger of a Book.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Accounts with a ledger that can be used, in the order of their rows.
    pub accounts: Vec<AccountLedger>,
    /// Their lines, account by account.
    pub lines: Vec<Line>,
    /// The lines' stretches, line by line, by their start. Of several that cover a day the last one counts.
    pub stretches: Vec<Stretch>,
    /// Closed renewals, account by account, of accounts whose lines have no terms.
    pub dues: Vec<Due>,
    /// Currencies by their number.
    pub currencies: Vec<[u8; 3]>,
    /// Rows and accounts that were left out.
    pub problems: Problems,
    /// Rows that count although something is odd about them.
    pub notices: Problems,
    /// Accounts that should have a ledger: they have subscriptions, movements, closed renewals or ARR.
    pub of: usize,
    /// Accounts by what their ledger was made from.
    pub sources: [usize; 3],
    /// Some row says when it was signed.
    pub has_signed: bool,
    /// Some row says whether it comes again.
    pub has_recurring: bool,
    /// Some row says in which contract it stands.
    pub has_contract: bool,
}

impl Ledger {
    /// The stretches of a line.
    pub fn stretches_of(&self, line: u32) -> &[Stretch] {
        let line = line as usize;
        let end = (self.lines.get(line + 1)).map_or(self.stretches.len(), |l| l.first as usize);
        &self.stretches[self.lines[line].first as usize..end]
    }
    /// The first day of an account's ledger.
    pub fn begins(&self, account: &AccountLedger) -> Option<i32> {
        let lines = account.line..account.line_end;
        lines
            .filter_map(|l| self.stretches_of(l).first().map(|s| s.start))
            .min()
    }
    /// Puts the ledger of later accounts behind this one.
    fn append(&mut self, other: Ledger) {
        let (lines, stretches) = (self.lines.len() as u32, self.stretches.len() as u32);
        let dues = self.dues.len() as u32;
        self.accounts
            .extend(other.accounts.into_iter().map(|a| AccountLedger {
                line: a.line + lines,
                line_end: a.line_end + lines,
                due: a.due + dues,
                due_end: a.due_end + dues,
                ..a
            }));
        let more = other.lines.into_iter();
        self.lines.extend(more.map(|l| Line {
            first: l.first + stretches,
            ..l
        }));
        self.stretches.extend(other.stretches);
        self.dues.extend(other.dues);
        self.problems.extend(&other.problems);
        self.notices.extend(&other.notices);
        self.of += other.of;
        for (sum, more) in self.sources.iter_mut().zip(other.sources) {
            *sum += more;
        }
        self.has_signed |= other.has_signed;
        self.has_recurring |= other.has_recurring;
        self.has_contract |= other.has_contract;
    }
    /// Nothing is known of any account.
    pub fn is_empty(&self) -> bool {
        self.of == 0
    }
    /// What it was made from, in words.
    pub fn source(&self) -> String {
        let names = ["subscriptions", "movements", "closed renewals"];
        let parts: Vec<String> = (self.sources.iter().zip(names))
            .filter(|(n, _)| **n > 0)
            .map(|(n, name)| format!("{name} of {}", crate::insight::many(*n, "account")))
            .collect();
        parts.join(", ")
    }
}

/// What a part of the ledger is made into: an account's lines and stretches until it is known whether they can be used.
#[derive(Debug, Default)]
struct Draft {
    lines: Vec<Line>,
    stretches: Vec<Stretch>,
    dues: Vec<Due>,
    known_from: i32,
    /// Why the account is left out.
    out: Option<String>,
}

impl Draft {
    fn clear(&mut self) {
        self.lines.clear();
        self.stretches.clear();
        self.dues.clear();
        self.known_from = i32::MIN;
        self.out = None;
    }
    /// Leaves the account out; the first reason stays.
    fn leave_out(&mut self, why: impl FnOnce() -> String) {
        if self.out.is_none() {
            self.out = Some(why());
        }
    }
    /// More than one currency.
    fn is_mixed(&self) -> bool {
        let first = self.stretches.first().map(|s| s.currency);
        self.stretches.iter().any(|s| Some(s.currency) != first)
    }
}

/// Days that a row can have; others are slips of a key.
const FIRST_DAY: i32 = 0;
const LAST_DAY: i32 = 47_846; // 2100-12-31

/// A day that can be meant.
fn plausible(day: i32) -> bool {
    (FIRST_DAY..=LAST_DAY).contains(&day)
}

/// A day in words.
fn day_words(day: i32) -> String {
    Day(day)
        .date()
        .map_or_else(|| "no day".into(), |d| d.to_string())
}

/// Fewer account rows than this are read by one thread.
const FEW: usize = 4_000;

/// Makes the ledger of a Book as it is known on a day.
pub fn build(book: &Book, today: Date, mixed: Mixed) -> Ledger {
    let mut ledger = build_rows(book, 0..book.bound(Entity::Account), today, mixed);
    for s in book.stray_subscriptions() {
        let why = "the subscription's account is not known";
        ledger.problems.row(None, s.line(), s.start(), why.into());
    }
    for m in book.stray_movements() {
        let why = "the movement's account is not known";
        ledger.problems.row(None, m.line(), m.date(), why.into());
    }
    ledger
}

/// The ledger of the accounts with these row numbers: a large book need not have the ledger of all at once.
pub fn build_rows(book: &Book, rows: std::ops::Range<u32>, today: Date, mixed: Mixed) -> Ledger {
    let start = rows.start;
    spread(rows.len(), |places| {
        let rows = places.map(|n| start + n as u32);
        part(book, rows, crate::book::day::days(today), mixed)
    })
}

/// The ledger of some accounts, by their row numbers in ascending order.
pub fn build_of(book: &Book, rows: &[u32], today: Date, mixed: Mixed) -> Ledger {
    spread(rows.len(), |places| {
        let rows = rows[places].iter().copied();
        part(book, rows, crate::book::day::days(today), mixed)
    })
}

/// Makes a ledger of so many accounts, on several threads when they are many.
fn spread(accounts: usize, make: impl Fn(std::ops::Range<usize>) -> Ledger + Sync) -> Ledger {
    let threads = match accounts {
        0..FEW => 1,
        _ => std::thread::available_parallelism().map_or(1, |n| n.get().min(8)),
    };
    let share = accounts.div_ceil(threads).max(1);
    let mut parts =
        (0..threads).map(|n| (n * share).min(accounts)..((n + 1) * share).min(accounts));
    let first = parts.next().unwrap_or(0..0);
    let make = &make;
    std::thread::scope(|scope| {
        let others: Vec<_> = parts
            .map(|places| scope.spawn(move || make(places)))
            .collect();
        let mut ledger = make(first);
        for thread in others {
            match thread.join() {
                Ok(more) => ledger.append(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        ledger
    })
}

/// The ledger of some rows of accounts.
fn part(book: &Book, rows: impl Iterator<Item = u32>, today: i32, mixed: Mixed) -> Ledger {
    let mut ledger = Ledger {
        currencies: book.currencies().to_vec(),
        ..Ledger::default()
    };
    let mut draft = Draft::default();
    let mut sold = sold::Reader::default();
    let mut moved = moved::Reader::default();
    for row in rows.filter(|r| book.is_alive(Entity::Account, *r)) {
        let account = book.account(row);
        draft.clear();
        let source = if sold.read(&account, &mut draft, &mut ledger) {
            if account.movements().next().is_some() {
                let why = "the account has subscriptions as well: they count, its movements do not";
                ledger.problems.account(&account, why.into());
            }
            Source::Subscriptions
        } else if moved.read(&account, &mut draft, &mut ledger) {
            derived::dues(&account, &mut draft, &ledger.currencies);
            Source::Movements
        } else if derived::read(&account, today, &mut draft, &ledger.currencies) {
            Source::Renewals
        } else {
            continue;
        };
        // An account with an ARR of nothing and no deals is no customer, past or present.
        if source == Source::Renewals && draft.lines.is_empty() && draft.out.is_none() {
            continue;
        }
        ledger.of += 1;
        if draft.is_mixed() && mixed == Mixed::Exclude {
            let why = mixed_words(&draft.stretches, &ledger.currencies);
            draft.leave_out(|| why);
        }
        enter(&mut ledger, &account, &draft, source);
    }
    ledger
}

fn mixed_words(stretches: &[Stretch], currencies: &[[u8; 3]]) -> String {
    let mut codes: Vec<String> = Vec::new();
    for s in stretches {
        let code = currencies.get(usize::from(s.currency));
        let code = code.map_or_else(String::new, |c| String::from_utf8_lossy(c).into_owned());
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    format!(
        "two currencies in one account ({}): left out; mixed_currencies = \"convert\" under [metrics] counts each at its own rate",
        codes.join(", ")
    )
}

fn enter(ledger: &mut Ledger, account: &AccountRow<'_>, draft: &Draft, source: Source) {
    if let Some(why) = &draft.out {
        ledger.problems.account(account, why.clone());
        return;
    }
    if draft.lines.is_empty() {
        return;
    }
    let (line, due) = (ledger.lines.len() as u32, ledger.dues.len() as u32);
    let first = ledger.stretches.len() as u32;
    ledger.lines.extend(draft.lines.iter().map(|l| Line {
        first: l.first + first,
        ..*l
    }));
    ledger.stretches.extend_from_slice(&draft.stretches);
    ledger.dues.extend_from_slice(&draft.dues);
    ledger.sources[source as usize] += 1;
    ledger.accounts.push(AccountLedger {
        row: account.row(),
        line,
        line_end: ledger.lines.len() as u32,
        due,
        due_end: ledger.dues.len() as u32,
        source,
        known_from: draft.known_from,
    });
}
