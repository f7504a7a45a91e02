//! The arithmetic of an account's place in the queue, with its reasons and what the figures are worth.

use crate::book::AccountRow;
use crate::insight::explain;
use crate::tui::app::App;
use crate::tui::text::{width, wrap};
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, bit};

/// A label, its value, and a note that wraps under itself.
fn entry(
    out: &mut Vec<Vec<Bit<'static>>>,
    label: &str,
    value: &str,
    note: &str,
    room: usize,
    role: Role,
) {
    let lead = 22 + 12;
    let notes = wrap(note, room.saturating_sub(lead).max(12));
    for (i, n) in notes.into_iter().enumerate() {
        let (l, v) = if i == 0 { (label, value) } else { ("", "") };
        let pad = 12usize.saturating_sub(width(v) + 2);
        out.push(vec![
            bit(format!("{l:<22}"), Role::Muted),
            bit(format!("{}{v}  ", " ".repeat(pad)), role),
            bit(n, Role::Text),
        ]);
    }
}

/// The arithmetic of an account's place in the queue.
pub(super) fn lines(app: &App, a: &AccountRow<'_>, room: usize) -> Vec<Vec<Bit<'static>>> {
    let s = super::shown(app);
    let e = explain(a, &s.derived, s.today, &s.settings.risk);
    let mut out: Vec<Vec<Bit<'static>>> = Vec::new();
    let paragraph = |out: &mut Vec<Vec<Bit<'static>>>, text: &str, role: Role| {
        out.extend(wrap(text, room).into_iter().map(|l| vec![bit(l, role)]));
    };
    paragraph(&mut out, &e.membership, Role::Strong);
    out.push(Vec::new());
    let last = e.steps.len().saturating_sub(1);
    for (i, s) in e.steps.iter().enumerate() {
        if i == last && i > 0 {
            out.push(vec![bit("─".repeat(room.min(90)), Role::Border)]);
        }
        entry(&mut out, &s.label, &s.value, &s.note, room, Role::Strong);
    }
    out.push(Vec::new());
    out.push(vec![bit("Other orders", Role::Title)]);
    for s in &e.orders {
        entry(&mut out, &s.label, &s.value, &s.note, room, Role::Text);
    }
    out.push(Vec::new());
    out.push(vec![bit("Health by csops' model", Role::Title)]);
    for s in &e.health {
        entry(&mut out, &s.label, &s.value, &s.note, room, Role::Text);
    }
    out.push(Vec::new());
    out.push(vec![bit("Reasons, the strongest first", Role::Title)]);
    if e.reasons.is_empty() {
        out.push(vec![bit("none that csops knows of", Role::Muted)]);
    }
    for r in &e.reasons {
        for (i, l) in wrap(&r.line(), room.saturating_sub(2))
            .into_iter()
            .enumerate()
        {
            let lead = if i == 0 { "· " } else { "  " };
            out.push(vec![bit(lead, Role::Accent), bit(l, Role::Text)]);
        }
    }
    if let Some(good) = &e.speaks_for {
        for (i, l) in wrap(&good.line(), room.saturating_sub(6))
            .into_iter()
            .enumerate()
        {
            let lead = if i == 0 { "· but " } else { "      " };
            out.push(vec![bit(lead, Role::Muted), bit(l, Role::Good)]);
        }
    }
    if !e.caveats.is_empty() {
        out.push(Vec::new());
        out.push(vec![bit("What this is worth", Role::Title)]);
        for c in &e.caveats {
            paragraph(&mut out, c, Role::Muted);
        }
    }
    out
}
