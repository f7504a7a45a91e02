//! One outbox item: what it changes, how it goes; of a conflict both versions side by side, with one key each.

use super::{Overlay, Then, centred};
use crate::book::{FieldValue, OutboxItem, OutboxState};
use crate::cockpit::Cockpit;
use crate::command::{Scope, Selection, parse};
use crate::tui::app::App;
use crate::tui::fmt;
use crate::tui::text::wrap;
use crate::tui::theme::Role;
use crate::tui::ui::{Hit, Ui, bit};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

/// The item that is looked at.
pub struct ItemBox {
    id: String,
}

/// The commands offered on an item.
const ACTIONS: [(&str, &str); 4] = [
    ("conflict mine", "keep mine"),
    ("conflict theirs", "take theirs"),
    ("retry", "try again"),
    ("drop", "give up"),
];

impl ItemBox {
    /// Of an outbox item.
    pub fn open(id: &str) -> ItemBox {
        ItemBox { id: id.to_owned() }
    }

    fn item<'a>(&self, app: &'a App) -> Option<&'a OutboxItem> {
        app.snap.outbox.iter().find(|i| i.id == self.id)
    }

    /// A key: those of the sync screen act on the item; escape and enter close.
    pub fn key(self, app: &mut App, key: &KeyEvent) -> Then {
        if matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q')) {
            return Then::Close;
        }
        if let Some(chord) = crate::cockpit::keymap::Chord::of(key)
            && let crate::cockpit::keymap::KeyMatch::Run(lines) =
                app.keymap.feed(Scope::Sync, &[chord])
            && let Some(line) = lines.first()
            && let Ok(command) = parse(line)
            && ACTIONS.iter().any(|(name, _)| *name == command.spec.name)
        {
            return Then::Run(format!("{line} {}", self.id));
        }
        Then::Stay(Overlay::Item(self))
    }

    /// Draws it.
    pub fn draw(&self, app: &App, ui: &mut Ui<'_>, area: Rect) {
        let Some(item) = self.item(app) else {
            return;
        };
        let width = 104.min(area.width);
        let fields = item
            .conflict
            .as_ref()
            .map_or(item.change.fields.len(), |c| c.fields.len());
        let errors = item
            .error
            .as_deref()
            .map(|e| wrap(e, usize::from(width.saturating_sub(4))))
            .unwrap_or_default();
        let height = fields.min(16) as u16 + errors.len().min(6) as u16 + 10;
        let frame = centred(area, width, height);
        let (mark, role) = crate::tui::panes::sync::state_look(&item.state);
        let title = format!("{mark} {}", item.state.name());
        let inner = ui.overlay(
            frame,
            &[
                bit(title, role),
                bit(format!("  {}", item.command), Role::Title),
            ],
            &[bit("esc closes", Role::Muted)],
        );
        if inner.height < 3 {
            return;
        }
        let mut y = inner.y;
        let account = app
            .snap
            .book
            .account_by_id(item.change.account)
            .map_or_else(String::new, |a| a.name().to_owned());
        let about = [
            ("of", account),
            (
                "what",
                format!("{} {}", verb(item), item.change.target.entity),
            ),
            ("to", item.change.source.to_string()),
            ("made", format!("{} ago", fmt::ago(app.now(), item.created))),
            (
                "tried",
                match item.attempts {
                    0 => "not yet".to_owned(),
                    1 => "once".to_owned(),
                    n => format!("{n} times"),
                },
            ),
        ];
        let mut bits = Vec::new();
        for (label, value) in about {
            bits.push(bit(format!("{label} "), Role::Muted));
            bits.push(bit(format!("{value}   "), Role::Text));
        }
        ui.line(inner.x, y, inner.width, &bits);
        y += 2;
        y = self.fields(app, ui, inner, y, item);
        for line in errors.iter().take(6) {
            if y < inner.bottom() {
                ui.put(inner.x, y, inner.width, line, Role::Bad);
                y += 1;
            }
        }
        self.actions(app, ui, inner, item);
    }

    fn fields(
        &self,
        app: &App,
        ui: &mut Ui<'_>,
        inner: Rect,
        mut y: u16,
        item: &OutboxItem,
    ) -> u16 {
        let conflict = item.conflict.as_ref();
        let columns: u16 = if conflict.is_some() { 4 } else { 3 };
        let w = inner.width / columns;
        let titles: &[&str] = if conflict.is_some() {
            &["field", "was", "mine", "theirs"]
        } else {
            &["field", "was", "becomes"]
        };
        for (i, t) in titles.iter().enumerate() {
            ui.put(inner.x + i as u16 * w, y, w - 1, t, Role::Column);
        }
        y += 1;
        let rows: Vec<Vec<(String, Role)>> = match conflict {
            Some(c) => c
                .fields
                .iter()
                .map(|f| {
                    vec![
                        (f.field.to_string(), Role::Muted),
                        (value_text(&app.cockpit, &f.base), Role::Text),
                        (value_text(&app.cockpit, &f.mine), Role::Accent),
                        (value_text(&app.cockpit, &f.theirs), Role::Watch),
                    ]
                })
                .collect(),
            None => item
                .change
                .fields
                .iter()
                .map(|f| {
                    vec![
                        (f.field.to_string(), Role::Muted),
                        (value_text(&app.cockpit, &f.base), Role::Text),
                        (value_text(&app.cockpit, &f.want), Role::Accent),
                    ]
                })
                .collect(),
        };
        for row in rows.iter().take(16) {
            if y + 3 >= inner.bottom() {
                ui.put(inner.x, y, inner.width, "…", Role::Muted);
                return y + 1;
            }
            for (i, (text, role)) in row.iter().enumerate() {
                ui.put(inner.x + i as u16 * w, y, w - 1, text, *role);
            }
            y += 1;
        }
        if let Some(c) = conflict {
            let when = c
                .modified
                .map(|t| format!("{} ago", fmt::ago(app.now(), t)));
            let said = match (&c.by, when) {
                (Some(by), Some(when)) => format!("changed there by {by}, {when}"),
                (Some(by), None) => format!("changed there by {by}"),
                (None, Some(when)) => format!("changed there {when}"),
                (None, None) => {
                    "changed there meanwhile; the vendor does not say by whom".to_owned()
                }
            };
            ui.put(inner.x, y + 1, inner.width, &said, Role::Muted);
            y += 2;
        }
        y + 1
    }

    fn actions(&self, app: &App, ui: &mut Ui<'_>, inner: Rect, item: &OutboxItem) {
        let y = inner.bottom() - 1;
        let mut x = inner.x;
        for (name, label) in ACTIONS {
            let fits = match item.state {
                OutboxState::Conflict => name != "retry",
                OutboxState::Failed | OutboxState::Waiting | OutboxState::Unknown => {
                    !name.starts_with("conflict")
                }
                _ => false,
            };
            let selection = Selection::items([item.id.clone()]);
            let Some(spec) = crate::command::find(name).filter(|_| fits) else {
                continue;
            };
            if app.cockpit.can_run(spec, &selection).is_err() {
                continue;
            }
            let Some(key) = app.keymap.keys_for(name, Scope::Sync) else {
                continue;
            };
            let start = x;
            x += ui.put(x, y, inner.right().saturating_sub(x), &key, Role::Key);
            x += 1 + ui.put(
                x + 1,
                y,
                inner.right().saturating_sub(x + 1),
                label,
                Role::Text,
            );
            ui.hit(
                Rect::new(start, y, x - start, 1),
                Hit::Command(format!("{name} {}", item.id)),
            );
            x += 3;
        }
    }
}

fn verb(item: &OutboxItem) -> &'static str {
    match item.change.verb {
        crate::book::Verb::Create => "a new",
        crate::book::Verb::Update => "change of a",
        crate::book::Verb::Delete => "end of a",
    }
}

/// A value as people read it: ids become names.
pub fn value_text(cockpit: &Cockpit, value: &FieldValue) -> String {
    match value {
        FieldValue::Null => "–".to_owned(),
        FieldValue::Money(m) => fmt::money_full(*m),
        FieldValue::Id(id) => {
            let s = cockpit.snapshot();
            s.book
                .person_by_id(*id)
                .map_or_else(|| value.to_string(), |p| p.name().to_owned())
        }
        other => other.to_string(),
    }
}
