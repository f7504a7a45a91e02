//! The figures of the screens other than Metrics, as pages: what the heads and rows of the panes show, each with its explanation. They
//! are not listed among the pages; `w` on a pane opens them.

pub mod account;
pub mod definitions;
pub mod gather;
pub mod renewals;
pub mod segments;
pub mod sync;
pub mod tasks;

use super::page::Make;

/// The screens' figures: name, title, how they are made. Those of the sync screen need the sources, which are no part of the Book.
pub const SCREENS: &[(&str, &str, Make)] = &[
    ("account", "Account", account::page),
    ("renewals", "Renewals", renewals::page),
    ("segments", "Segments", segments::page),
    ("tasks", "Tasks", tasks::page),
    ("whatif", "What if", super::whatif::page),
];

/// The row that a page is about, from its choice `name`: a number of the Book.
fn about(input: &super::page::Input<'_>, name: &str) -> Option<crate::book::LocalId> {
    let id = input.choice(name)?.parse().ok()?;
    Some(crate::book::LocalId(id))
}

#[cfg(test)]
mod tests;
