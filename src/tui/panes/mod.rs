//! What fills the screen: one file per pane. Each draws from the snapshot into its area, and builds only the rows that are seen.

pub mod account;
pub mod accounts;
pub mod empty;
pub mod footer;
pub mod header;
pub mod metrics;
pub mod renewals;
pub mod segments;
pub mod sync;
pub mod tasks;

use super::app::{App, Pane};
use super::theme::Role;
use super::ui::{Bit, bit};

/// The sign in front of a row: marked, else new since the last visit, else asleep.
pub fn sign<'a>(marked: bool, fresh: bool, asleep: bool) -> Option<Bit<'a>> {
    if marked {
        Some(bit("■", Role::Mark))
    } else if asleep {
        Some(bit("z", Role::Muted))
    } else if fresh {
        Some(bit("●", Role::New))
    } else {
        None
    }
}

/// What stands at the right end of a list's frame: filter, sort, marks, rows.
pub fn list_state<'a>(app: &App, pane: Pane, order: &str) -> Vec<Bit<'a>> {
    let asked = &app.asked[pane as usize];
    let mut bits: Vec<Bit<'a>> = Vec::new();
    let marks = app.list(pane).marks.len();
    if marks > 0 {
        bits.push(bit(format!("■{} ", super::fmt::count(marks)), Role::Mark));
    }
    if !asked.query.is_empty() {
        bits.push(bit(
            format!("/{} ", super::text::fit(&asked.query, 24)),
            Role::Accent,
        ));
    }
    if let Some(view) = app.view(pane) {
        let shown = super::fmt::count(view.rows.len());
        bits.push(bit(
            if view.rows.len() == view.total {
                shown
            } else {
                format!("{shown} of {}", super::fmt::count(view.total))
            },
            Role::Title,
        ));
    }
    let by = match &asked.sort {
        Some((column, down)) => format!(" · by {column}{}", if *down { " ▾" } else { " ▴" }),
        None if order.is_empty() => String::new(),
        None => format!(" · {order}"),
    };
    bits.push(bit(by, Role::Muted));
    bits
}

/// A change of points: `▼9`, `▲2`, `–`.
pub fn change<'a>(delta: Option<i16>) -> Bit<'a> {
    match delta {
        None => bit("", Role::Muted),
        Some(0) => bit("–", Role::Muted),
        Some(d) if d < 0 => bit(
            format!("▼{}", -d),
            if d <= -5 { Role::Bad } else { Role::Watch },
        ),
        Some(d) => bit(format!("▲{d}"), Role::Good),
    }
}

/// The label of a health score.
pub fn health_role(app: &App, health: u8) -> Role {
    match app.snap.settings.risk.band(health) {
        crate::insight::rules::Band::Good => Role::Good,
        crate::insight::rules::Band::Watch => Role::Watch,
        crate::insight::rules::Band::Bad => Role::Bad,
    }
}
