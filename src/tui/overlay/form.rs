//! Asks for the arguments of a command: lists to choose from, days with their meaning, texts whose draft survives a crash.

use super::{Overlay, Then, centred};
use crate::book::LocalId;
use crate::command::when::parse_day;
use crate::command::{ArgKind, Command, CommandSpec, On, Selection};
use crate::tui::app::{App, Ask};
use crate::tui::fmt;
use crate::tui::text::width;
use crate::tui::theme::Role;
use crate::tui::ui::{Hit, Ui, bit};
use crate::tui::widgets::editor::Editor;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;

/// One argument or option.
struct Field {
    label: String,
    kind: ArgKind,
    optional: bool,
    /// The option's name; none for an argument by position.
    flag: Option<&'static str>,
    help: String,
    editor: Editor,
    /// Values to choose from, each with a word about it.
    choices: Vec<(String, String)>,
    /// The choice in focus, among those that match what is typed.
    picked: Option<usize>,
}

impl Field {
    fn matching(&self) -> Vec<&(String, String)> {
        let typed = self.editor.text().trim().to_lowercase();
        self.choices
            .iter()
            .filter(|(v, h)| {
                typed.is_empty()
                    || v.to_lowercase().contains(&typed)
                    || h.to_lowercase().contains(&typed)
            })
            .collect()
    }
    /// Its value: the choice in focus, else what is typed.
    fn value(&self) -> String {
        let typed = self.editor.text().trim();
        // A day that is typed in full is meant as typed, whatever the list offers.
        let exact = self
            .choices
            .iter()
            .any(|(v, _)| v.eq_ignore_ascii_case(typed));
        match self
            .picked
            .and_then(|n| self.matching().get(n).map(|c| c.0.clone()))
        {
            Some(v) if !exact => v,
            _ => typed.to_owned(),
        }
    }
    fn is_text(&self) -> bool {
        self.kind == ArgKind::Text && self.flag.is_none()
    }
    fn retype(&mut self) {
        let n = self.matching().len();
        let typed = !self.editor.text().trim().is_empty();
        self.picked = match self.kind {
            // What is typed counts for kinds that take more than the list.
            kind if kind.is_day() => None,
            ArgKind::Amount | ArgKind::Tag | ArgKind::Text => None,
            _ if n > 0 && (typed || !self.optional) => Some(0),
            _ => None,
        };
    }
}

/// The form of one command.
pub struct Form {
    spec: &'static CommandSpec,
    selection: Selection,
    /// The account whose draft it keeps: only when it is about one.
    account: Option<LocalId>,
    about: String,
    fields: Vec<Field>,
    at: usize,
    error: Option<String>,
}

impl Form {
    /// Asks for what a command lacks; what it has is filled in.
    pub fn open(app: &App, command: Command) -> Form {
        let selection = app.selection();
        let accounts: std::collections::BTreeSet<LocalId> = selection
            .targets
            .iter()
            .filter_map(|t| app.account_of(*t))
            .collect();
        let account = accounts.first().copied().filter(|_| accounts.len() == 1);
        let about = match (account, selection.targets.len()) {
            _ if command.spec.on == On::Nothing => String::new(),
            (Some(id), 0 | 1) => app
                .snap
                .book
                .account_by_id(id)
                .map_or_else(String::new, |a| a.name().to_owned()),
            (_, n) => format!("{n} marked rows"),
        };
        let spec = command.spec;
        let mut fields = Vec::new();
        for (i, a) in spec.args.iter().enumerate() {
            fields.push(Form::field(
                app,
                a.name.to_lowercase(),
                a.kind,
                a.optional,
                None,
                String::new(),
                command.arg(i).unwrap_or(""),
            ));
        }
        for f in spec.flags {
            fields.push(Form::field(
                app,
                f.name.to_owned(),
                f.kind,
                true,
                Some(f.name),
                f.help.to_owned(),
                command.flag(f.name).unwrap_or(""),
            ));
        }
        if let Some(id) = account
            && let Some(draft) = app.cockpit.draft(id, spec.name)
            && let Some(f) = fields.iter_mut().find(|f| f.is_text())
            && f.editor.text().is_empty()
        {
            f.editor.set(draft.text);
        }
        let at = fields
            .iter()
            .position(|f| f.editor.text().is_empty())
            .unwrap_or(0);
        Form {
            spec,
            selection,
            account,
            about,
            fields,
            at,
            error: None,
        }
    }

    fn field(
        app: &App,
        label: String,
        kind: ArgKind,
        optional: bool,
        flag: Option<&'static str>,
        help: String,
        value: &str,
    ) -> Field {
        let mut choices: Vec<(String, String)> = kind
            .fixed_choices()
            .iter()
            .map(|c| ((*c).to_owned(), String::new()))
            .collect();
        if choices.is_empty() {
            choices = app.choices(kind);
        }
        if kind.is_day() {
            choices = kind
                .days()
                .iter()
                .filter_map(|t| {
                    let month = app.snap.calendar.fiscal_month;
                    let day = parse_day(t, app.snap.today, month).ok()?;
                    Some(((*t).to_owned(), day.strftime("%a %-d %b %Y").to_string()))
                })
                .collect();
        }
        let many = kind == ArgKind::Text && flag.is_none();
        let mut field = Field {
            label,
            kind,
            optional,
            flag,
            help,
            editor: if many {
                Editor::lines(value)
            } else {
                Editor::line(value)
            },
            choices,
            picked: None,
        };
        field.retype();
        if kind.is_day() && !optional && value.is_empty() {
            field.picked = Some(0);
        }
        field
    }

    /// The command as the fields have it.
    fn command(&self) -> Command {
        let mut command = Command {
            spec: self.spec,
            args: Vec::new(),
            flags: Vec::new(),
        };
        for f in &self.fields {
            let value = f.value();
            match f.flag {
                None => command.args.push(value),
                Some(name) if !value.is_empty() => command = command.with(name, value),
                Some(_) => {}
            }
        }
        while command.args.last().is_some_and(String::is_empty) {
            command.args.pop();
        }
        command
    }

    fn send(mut self: Box<Self>, app: &mut App) -> Then {
        if let Some(n) = self
            .fields
            .iter()
            .position(|f| !f.optional && f.value().is_empty())
        {
            self.at = n;
            self.error = Some(format!("{} is needed", self.fields[n].label));
            return Then::Stay(Overlay::Form(self));
        }
        for (n, f) in self.fields.iter().enumerate() {
            let value = f.value();
            if f.kind.is_day()
                && !value.is_empty()
                && let Err(e) = parse_day(&value, app.snap.today, app.snap.calendar.fiscal_month)
            {
                self.error = Some(e);
                self.at = n;
                return Then::Stay(Overlay::Form(self));
            }
        }
        let command = self.command();
        app.write(command, self.selection, self.account);
        Then::Close
    }

    fn enter(mut self: Box<Self>, app: &mut App) -> Then {
        let next = self.at + 1;
        // Enter goes through the fields; on the last one, or where nothing else is needed and this was a text, it sends.
        if self.fields[self.at].value().is_empty() && !self.fields[self.at].optional {
            self.error = Some(format!("{} is needed", self.fields[self.at].label));
            return Then::Stay(Overlay::Form(self));
        }
        let rest_optional = self.fields.iter().skip(next).all(|f| f.optional);
        if next >= self.fields.len() || (self.fields[self.at].is_text() && rest_optional) {
            return self.send(app);
        }
        self.at = next;
        self.error = None;
        Then::Stay(Overlay::Form(self))
    }

    fn keep_draft(&self, app: &App) {
        let Some(account) = self.account else { return };
        if let Some(f) = self.fields.iter().find(|f| f.is_text()) {
            if f.editor.text().trim().is_empty() {
                app.cockpit.drop_draft(account, self.spec.name);
            } else {
                app.cockpit
                    .save_draft(account, self.spec.name, f.editor.text());
            }
        }
    }

    fn typed(&mut self, app: &App) {
        let f = &mut self.fields[self.at];
        f.retype();
        self.error = None;
        if f.is_text() {
            self.keep_draft(app);
        }
    }

    fn step(&mut self, by: isize) {
        let f = &mut self.fields[self.at];
        let n = f.matching().len() as isize;
        if n > 0 {
            f.picked = Some(match f.picked {
                None if by > 0 => 0,
                None => (n - 1) as usize,
                Some(p) => (p as isize + by).rem_euclid(n) as usize,
            });
        }
    }

    /// A key.
    pub fn key(mut self: Box<Self>, app: &mut App, key: &KeyEvent) -> Then {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let many = self.fields[self.at].editor.many;
        match key.code {
            KeyCode::Esc => {
                if let Some(f) = self.fields.iter().find(|f| f.is_text())
                    && self.account.is_some()
                    && !f.editor.text().trim().is_empty()
                {
                    app.say(crate::cockpit::Level::Info, "kept as a draft");
                }
                return Then::Close;
            }
            KeyCode::Char('c') if ctrl => return Then::Close,
            KeyCode::Char('s') if ctrl => return self.send(app),
            KeyCode::Enter if !alt || !many => {
                if ctrl {
                    return self.send(app);
                }
                return self.enter(app);
            }
            KeyCode::Enter => {
                self.fields[self.at].editor.insert("\n");
                self.typed(app);
            }
            KeyCode::Tab => self.at = (self.at + 1) % self.fields.len(),
            KeyCode::BackTab => self.at = (self.at + self.fields.len() - 1) % self.fields.len(),
            KeyCode::Down if !many => self.step(1),
            KeyCode::Up if !many => self.step(-1),
            _ => {
                let before = self.fields[self.at].editor.text().to_owned();
                if self.fields[self.at].editor.key(key)
                    && self.fields[self.at].editor.text() != before
                {
                    self.typed(app);
                }
            }
        }
        Then::Stay(Overlay::Form(self))
    }

    /// A paste.
    pub fn paste(&mut self, app: &App, text: &str) {
        self.fields[self.at].editor.insert(text);
        self.typed(app);
    }

    /// A click on a choice of the field in focus.
    pub fn choose(mut self: Box<Self>, app: &mut App, n: usize) -> Then {
        self.fields[self.at].picked = Some(n);
        self.enter(app)
    }

    /// A click on a field.
    pub fn focus(&mut self, n: usize) {
        self.at = n.min(self.fields.len().saturating_sub(1));
    }

    fn list_height(&self, area: Rect) -> u16 {
        let n = self.fields[self.at].matching().len() as u16;
        n.min(8).min(area.height / 3)
    }

    /// Draws it.
    pub fn draw(&self, app: &App, ui: &mut Ui<'_>, area: Rect) {
        let text_rows = (area.height / 4).clamp(2, 7);
        let rows: u16 = self
            .fields
            .iter()
            .map(|f| if f.editor.many { text_rows } else { 1 })
            .sum();
        let frame = centred(area, 78, rows + self.list_height(area) + 5);
        let mut title = self.spec.name.to_owned();
        if let Some(first) = title.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        let inner = ui.overlay(
            frame,
            &[
                bit(title, Role::TitleFocus),
                bit(format!("  {}", self.about), Role::Title),
            ],
            &[],
        );
        if inner.height < 3 {
            return;
        }
        let label = self
            .fields
            .iter()
            .map(|f| width(&f.label))
            .max()
            .unwrap_or(0)
            .min(14) as u16
            + 2;
        let mut y = inner.y;
        for (n, f) in self.fields.iter().enumerate() {
            let focus = n == self.at;
            let h = if f.editor.many { text_rows } else { 1 };
            if y + h + 1 > inner.bottom() {
                break;
            }
            ui.put(
                inner.x,
                y,
                label - 1,
                &f.label,
                if focus { Role::Key } else { Role::Muted },
            );
            let line = Rect::new(inner.x + label, y, inner.width.saturating_sub(label), h);
            ui.hit(
                Rect {
                    x: inner.x,
                    width: inner.width,
                    ..line
                },
                Hit::Field(n),
            );
            ui.fill(line, Role::Input);
            self.field_value(app, ui, line, f, focus);
            y += h;
            if focus {
                y = self.list(ui, inner, label, y, f);
            }
        }
        self.bottom(app, ui, inner);
    }

    fn field_value(&self, app: &App, ui: &mut Ui<'_>, line: Rect, f: &Field, focus: bool) {
        let value = f.value();
        let picked = f.picked.is_some() && f.editor.text().trim() != value;
        if f.editor.text().is_empty() && !focus {
            let hint = if value.is_empty() {
                if f.help.is_empty() {
                    "optional".to_owned()
                } else {
                    f.help.clone()
                }
            } else {
                value.clone()
            };
            let role = if value.is_empty() {
                Role::Muted
            } else {
                Role::Input
            };
            ui.put_styled(
                line.x,
                line.y,
                line.width,
                &hint,
                ui.style(Role::Input).patch(ui.style(role)),
            );
        } else {
            f.editor.draw(ui, line, focus);
            if f.editor.text().is_empty() && focus {
                let hint = if picked {
                    value.clone()
                } else {
                    f.help.clone()
                };
                let style = ui.style(Role::Input).patch(ui.style(Role::Muted));
                ui.put_styled(
                    line.x + 2,
                    line.y,
                    line.width.saturating_sub(2),
                    &hint,
                    style,
                );
            }
        }
        if f.kind.is_day() && !value.is_empty() {
            let today = app.snap.today;
            let (text, role) = match parse_day(&value, today, app.snap.calendar.fiscal_month) {
                Ok(day) => (
                    format!(
                        "{} · {}",
                        day.strftime("%a %-d %b %Y"),
                        fmt::date(today, day)
                    ),
                    Role::Good,
                ),
                Err(_) => ("not a day yet".to_owned(), Role::Watch),
            };
            let style = ui.style(Role::Input).patch(ui.style(role));
            let w = width(&text).min(usize::from(line.width)) as u16;
            ui.put_styled(line.right() - w, line.y, w, &text, style);
        }
    }

    fn list(&self, ui: &mut Ui<'_>, inner: Rect, label: u16, y: u16, f: &Field) -> u16 {
        let matching = f.matching();
        let shown = usize::from(self.list_height(ui.buf.area))
            .min(usize::from(inner.bottom().saturating_sub(y + 1)));
        let top = f.picked.map_or(0, |p| (p + 1).saturating_sub(shown));
        for (i, (value, help)) in matching.iter().enumerate().skip(top).take(shown) {
            let row = Rect::new(
                inner.x + label,
                y + (i - top) as u16,
                inner.width.saturating_sub(label),
                1,
            );
            let used = ui
                .put(row.x + 1, row.y, row.width, value, Role::Text)
                .max(14);
            ui.put(
                row.x + used + 3,
                row.y,
                row.width.saturating_sub(used + 3),
                help,
                Role::Muted,
            );
            ui.hit(row, Hit::Choice(i));
            if f.picked == Some(i) {
                ui.tint(row, Role::Selected);
                ui.put(row.x, row.y, 1, "▌", Role::Accent);
            }
        }
        y + shown as u16
    }

    fn bottom(&self, app: &App, ui: &mut Ui<'_>, inner: Rect) {
        let y = inner.bottom() - 1;
        if let Some(e) = &self.error {
            ui.put(inner.x, y, inner.width, e, Role::Bad);
            return;
        }
        match app.cockpit.can_run(self.spec, &self.selection) {
            Err(why) => {
                ui.put(inner.x, y, inner.width, &why, Role::Watch);
                return;
            }
            // It can be done all the same.
            Ok(Some(kept)) => {
                ui.put(
                    inner.x,
                    y,
                    inner.width,
                    &format!("{kept}   enter keeps it"),
                    Role::Watch,
                );
                return;
            }
            Ok(None) => {}
        }
        let mut bits = vec![bit("enter", Role::Key)];
        let last = self.at + 1 >= self.fields.len()
            || (self.fields[self.at].is_text()
                && self.fields[self.at + 1..].iter().all(|f| f.optional));
        bits.push(bit(if last { " send  " } else { " next  " }, Role::Muted));
        if !last {
            bits.push(bit("ctrl-s", Role::Key));
            bits.push(bit(" send  ", Role::Muted));
        }
        if self.fields.len() > 1 {
            bits.push(bit("tab", Role::Key));
            bits.push(bit(" next field  ", Role::Muted));
        }
        if self.fields[self.at].editor.many {
            bits.push(bit("alt-enter", Role::Key));
            bits.push(bit(" new line  ", Role::Muted));
        }
        bits.push(bit("esc", Role::Key));
        let text = self.account.is_some() && self.fields.iter().any(Field::is_text);
        bits.push(bit(
            if text { " keep as draft" } else { " cancel" },
            Role::Muted,
        ));
        ui.line(inner.x, y, inner.width, &bits);
    }
}

/// A write that is not asked for any more: what [`App::write`] hands to the loop.
pub fn ask(command: Command, selection: Selection, draft: Option<(LocalId, String)>) -> Ask {
    Ask::Run {
        command,
        selection,
        confirmed: false,
        draft,
    }
}
