//! What a planned command amounts to: changes to write, or something for the front door or the core to do.

use crate::book::Change;

/// A screen that can be gone to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Screen {
    /// Four panes.
    Home,
    /// The queue.
    Queue,
    /// Renewals.
    Renewals,
    /// Segments.
    Segments,
    /// Tasks.
    Tasks,
    /// Sync and outbox.
    Sync,
    /// Metrics.
    Metrics,
}

impl Screen {
    /// The screens in the order of their numbers.
    pub const ALL: [Screen; 7] = [
        Screen::Home,
        Screen::Queue,
        Screen::Renewals,
        Screen::Segments,
        Screen::Tasks,
        Screen::Sync,
        Screen::Metrics,
    ];
    /// Its name, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Screen::Home => "home",
            Screen::Queue => "queue",
            Screen::Renewals => "renewals",
            Screen::Segments => "segments",
            Screen::Tasks => "tasks",
            Screen::Sync => "sync",
            Screen::Metrics => "metrics",
        }
    }
    /// The screen of that name or number.
    pub fn parse(text: &str) -> Option<Screen> {
        if let Ok(n) = text.parse::<usize>() {
            return Screen::ALL.get(n).copied();
        }
        Screen::ALL
            .into_iter()
            .find(|s| s.name().eq_ignore_ascii_case(text))
    }
}

/// How the cursor moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// Down by one.
    Down,
    /// Up by one.
    Up,
    /// Half a page down.
    HalfPageDown,
    /// Half a page up.
    HalfPageUp,
    /// A page down.
    PageDown,
    /// A page up.
    PageUp,
    /// To the first row.
    Top,
    /// To the last row.
    Bottom,
    /// To the left (columns, sections).
    Left,
    /// To the right.
    Right,
}

/// What is done with outbox items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxAction {
    /// Try again now.
    Retry,
    /// Give up; the change goes away.
    Drop,
    /// Conflict: overwrite with ours.
    KeepMine,
    /// Conflict: take the vendor's.
    TakeTheirs,
}

/// Something other than changes. The first half is for the front door, the rest the cockpit does itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Move the cursor.
    Move(Motion),
    /// Go to a screen.
    Goto(Screen),
    /// Next (true) or previous pane.
    Pane(bool),
    /// Open the account page of the row in focus.
    OpenAccount,
    /// Open the row in focus in the vendor's web page.
    OpenWeb,
    /// One step back.
    Back,
    /// Show these rows only; `None` opens the filter line.
    Filter(Option<String>),
    /// Open the palette.
    Palette,
    /// Open help for what is in focus.
    Help,
    /// Go to a page of the metrics screen.
    Page(&'static str),
    /// The next (true) or previous page of the metrics screen.
    PageStep(bool),
    /// Another value for a switch of the page; the next one without.
    Switch(String, Option<String>),
    /// Explain the figure in focus, or the one named.
    Why(Option<&'static str>),
    /// Show what would be if that line came true.
    WhatIf(String),
    /// Propose which accounts would best change hands; with a query of those that stay.
    Rebalance(Option<String>),
    /// Make the pane in focus large, or small again.
    Zoom,
    /// Mark or unmark the row in focus.
    Mark,
    /// Begin or end marking a range.
    MarkRange,
    /// Mark all rows that match.
    MarkAll,
    /// Remove all marks.
    Unmark,
    /// Mine or everybody's.
    ToggleMine,
    /// Sort by a column; downwards when true, `None` turns the direction.
    Sort(String, Option<bool>),
    /// A saved view.
    View(String),
    /// Another theme; `None` goes to the next one.
    Theme(Option<String>),
    /// Copy a field of the row in focus to the clipboard.
    Yank(Option<String>),
    /// Run the last write again on what is in focus.
    Repeat,
    /// Draw everything anew.
    Redraw,
    /// Show or hide the rows that are asleep.
    ToggleAsleep,
    /// Stop like ctrl-z.
    Suspend,
    /// Leave.
    Quit,

    /// Pull and push now: one source or all.
    Sync(Option<String>),
    /// Take back the newest operation that is not taken back.
    Undo,
    /// Do again what was taken back last.
    Redo,
    /// The live read-only switch, of one source or of all.
    ReadOnly(bool, Option<String>),
    /// Show what was known on an earlier day; `None` shows today again.
    AsOf(Option<jiff::civil::Date>),
    /// Outbox items.
    Outbox(OutboxAction, Vec<String>),
    /// Two accounts are one: the second is merged into the first.
    MergeAccounts(crate::book::LocalId, crate::book::LocalId),
    /// One account is several: the record of that source leaves it.
    SplitAccount(crate::book::LocalId, String),
}

impl Effect {
    /// Whether the cockpit carries it out itself (otherwise the front door does).
    pub fn is_for_core(&self) -> bool {
        matches!(
            self,
            Effect::Sync(_)
                | Effect::Undo
                | Effect::Redo
                | Effect::ReadOnly(..)
                | Effect::AsOf(_)
                | Effect::Outbox(..)
                | Effect::MergeAccounts(..)
                | Effect::SplitAccount(..)
        )
    }
}

/// What a command amounts to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What is to be written.
    pub changes: Vec<Change>,
    /// What is to be done besides.
    pub effect: Option<Effect>,
    /// What a person reads when it is done: `acknowledged 3 accounts`.
    pub summary: String,
}
