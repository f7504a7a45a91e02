//! What would be if: one signal of an account moved, or a scenario of the whole book, before and after. Nothing of it is ever written:
//! a second version of the Book is made beside the one that there is, asked the same questions, and dropped.
//!
//! [`whatif`] takes a line (`usage.trend=0 tickets=closed`, `slip-commits`, `lose-top-3`); [`MOVES`] and [`SCENARIOS`] list what can stand
//! in it.

mod definition;
mod figures;
mod moves;
mod page;
mod scenario;

pub use definition::DEFINITIONS;
pub use moves::MOVES;
pub use page::page;
pub use scenario::SCENARIOS;

use crate::book::{Book, Calendar, Derived, LocalId, Overlay, RowDelta};
use crate::insight::page::Value;
use crate::insight::{Settings, resettle};
use figures::Figures;
use jiff::civil::Date;
use serde::Serialize;

/// What it is computed from.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Everything we know.
    pub book: &'a Book,
    /// What insight computed of each account.
    pub derived: &'a Derived,
    /// The day that counts as today.
    pub today: Date,
    /// The fiscal calendar.
    pub calendar: &'a Calendar,
    /// What the configuration says about figures.
    pub settings: &'a Settings,
}

/// One figure before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The name of its definition.
    pub name: &'static str,
    /// What stands beside it.
    pub label: String,
    /// As it is.
    pub before: Value,
    /// As it would be.
    pub after: Value,
}

impl Pair {
    /// Whether it moves.
    pub fn moves(&self) -> bool {
        self.before != self.after
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIf {
    /// What was asked.
    pub line: String,
    /// What it is about: the account's name, or the scenario in words.
    pub title: String,
    /// The account, where it is about one.
    pub account: Option<LocalId>,
    /// The reporting currency.
    pub currency: String,
    /// What is moved.
    pub moved: Vec<Pair>,
    /// The account's figures.
    pub figures: Vec<Pair>,
    /// The whole book's figures.
    pub book: Vec<Pair>,
    /// What it is worth.
    pub notes: Vec<String>,
}

/// Answers a line. `account`: the one that signals are moved of.
///
/// # Errors
/// A sentence when the line says nothing, names what cannot be moved, or the account lacks what is to be moved.
pub fn whatif(ground: &Ground<'_>, account: Option<LocalId>, line: &str) -> Result<WhatIf, String> {
    let terms: Vec<&str> = line.split_whitespace().collect();
    match terms.as_slice() {
        [] => Err(format!(
            "say what is to be moved, such as usage.trend=0 or tickets=closed, or a scenario: {}",
            scenario::names()
        )),
        [one] if !one.contains('=') => scenario::play(ground, one),
        _ => {
            let id = account.ok_or("no account is in focus whose signal could be moved")?;
            moved(ground, id, line, &terms)
        }
    }
}

fn moved(ground: &Ground<'_>, id: LocalId, line: &str, terms: &[&str]) -> Result<WhatIf, String> {
    let account = ground
        .book
        .account_by_id(id)
        .ok_or_else(|| format!("the account #{id} is not in the book"))?;
    let mut draft = moves::Draft::of(&account, ground.today);
    let mut pairs = Vec::new();
    for term in terms {
        pairs.push(moves::apply(&mut draft, term)?);
    }
    let (before, after) = both(ground, draft.delta());
    let mut notes = Vec::new();
    let (x, y) = (before.standing(), after.standing());
    if x.drives == Some("vendor") && x.loss == y.loss && x.csops != y.csops {
        notes.push(
            "The probability of loss goes by the vendor's score, which does not move with the signal: [health] drive = \"csops\" lets ours count."
                .to_owned(),
        );
    }
    notes.push(NEVER_WRITTEN.to_owned());
    Ok(WhatIf {
        line: line.trim().to_owned(),
        title: crate::book::text::visible(account.name()).into_owned(),
        account: Some(id),
        currency: currency(ground.book),
        moved: pairs,
        figures: x.beside(&y),
        book: before.beside(&after),
        notes,
    })
}

const NEVER_WRITTEN: &str = "Nothing of this is written: neither to a vendor nor here.";

fn currency(book: &Book) -> String {
    String::from_utf8_lossy(&book.reporting()).into_owned()
}

/// The figures as they are and as they would be after a delta.
fn both(ground: &Ground<'_>, delta: RowDelta) -> (Figures, Figures) {
    let opening = figures::opening(ground.book);
    let touched: Vec<LocalId> = ground.book.touched_by(&delta).into_iter().collect();
    let wanted = touched.first().copied().filter(|_| touched.len() == 1);
    let before = Figures::of(ground, opening, wanted);
    let book = ground.book.apply(delta, &Overlay::default());
    let (book, derived) = resettle(ground.derived, book, touched, ground.today, ground.settings);
    let after = Figures::of(
        &Ground {
            book: &book,
            derived: &derived,
            ..*ground
        },
        opening,
        wanted,
    );
    (before, after)
}

#[cfg(test)]
mod tests;
