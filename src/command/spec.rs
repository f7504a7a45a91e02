//! What is said of a command in the table: its name, arguments, help, what it acts on and its keys.

/// A group of commands, for help and palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Work the queue.
    Triage,
    /// Other writes.
    Write,
    /// Move about.
    Move,
    /// What is shown and how.
    View,
    /// Sync, outbox, program.
    Program,
}

impl Group {
    /// Every group in the order of the help page.
    pub const ALL: [Group; 5] = [
        Group::Triage,
        Group::Write,
        Group::Move,
        Group::View,
        Group::Program,
    ];
    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Group::Triage => "Triage",
            Group::Write => "Change",
            Group::Move => "Move",
            Group::View => "View",
            Group::Program => "Program",
        }
    }
}

/// Where a key counts. On the home screen the scope is that of the pane in focus; a scope's keys win over [`Scope::Global`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere.
    Global,
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
    /// The account page.
    Account,
    /// Metrics.
    Metrics,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 8] = [
        Scope::Global,
        Scope::Queue,
        Scope::Renewals,
        Scope::Segments,
        Scope::Tasks,
        Scope::Sync,
        Scope::Account,
        Scope::Metrics,
    ];
    /// The name of its table in `keymap.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Global => "global",
            Scope::Queue => "queue",
            Scope::Renewals => "renewals",
            Scope::Segments => "segments",
            Scope::Tasks => "tasks",
            Scope::Sync => "sync",
            Scope::Account => "account",
            Scope::Metrics => "metrics",
        }
    }
    /// The scope of that name.
    pub fn parse(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// What a command acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Nothing: it can always run.
    Nothing,
    /// The accounts of the selection (of a renewal, task or risk: its account).
    Account,
    /// The selected renewals; on an account its open one.
    Renewal,
    /// The selected tasks.
    Task,
    /// The selected outbox items.
    Outbox,
}

/// The type of an argument: decides how it is checked, completed and asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// The rest of the line, as it stands; may have several lines.
    Text,
    /// One word.
    Word,
    /// One of our people: name, e-mail or `me`.
    Who,
    /// A day: `2026-12-01`, `tomorrow`, `fri`, `+3d`, `2w`, `eom`, `eoq`.
    Date,
    /// A day that has been: `-1w`, `yesterday`, `2026-11-03`.
    PastDate,
    /// An escalation level, `L0` to `L3`.
    Level,
    /// How a risk ended.
    Outcome,
    /// A stage of a renewal, the vendor's word.
    Stage,
    /// A forecast category.
    Forecast,
    /// An amount, `118k` or `118000 EUR`.
    Amount,
    /// A tag with a sign, `+pilot` or `-pilot`.
    Tag,
    /// good, watch or bad.
    Sentiment,
    /// A kind of touchpoint: call, email, meeting, note or update.
    TouchKind,
    /// A priority, `p1` to `p4`.
    Priority,
    /// A field of a task: title, due, priority, owner, description.
    TaskField,
    /// A screen: its name or number.
    Screen,
    /// A page of the metrics screen.
    Page,
    /// A figure, by the name of its definition.
    Figure,
    /// A switch of the page that is shown.
    Switch,
    /// What a what-if moves, `usage.trend=0 tickets=closed`, or a scenario; the rest of the line.
    Move,
    /// A saved view.
    View,
    /// A column to sort by; a leading `-` sorts downwards.
    Column,
    /// A configured source.
    Source,
    /// A theme.
    Theme,
    /// A query, the rest of the line.
    Query,
    /// A field of the registry.
    Field,
    /// Another account: name, id or domain.
    Account,
    /// A contact of the account.
    Contact,
    /// An outbox item's id.
    Item,
    /// on or off.
    OnOff,
}

/// An argument by position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arg {
    /// Its name in help, upper case.
    pub name: &'static str,
    /// Its type.
    pub kind: ArgKind,
    /// It may be left out.
    pub optional: bool,
}

/// An option by name, `--reason TEXT`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flag {
    /// Its name without dashes.
    pub name: &'static str,
    /// Its type.
    pub kind: ArgKind,
    /// One line about it.
    pub help: &'static str,
}

/// One command of the table.
#[derive(Debug, PartialEq)]
pub struct CommandSpec {
    /// Its name; a name of two words is a command with a subcommand, `task done`.
    pub name: &'static str,
    /// Arguments by position. Only the last may be [`ArgKind::Text`], [`ArgKind::Query`] or [`ArgKind::Move`].
    pub args: &'static [Arg],
    /// Options by name.
    pub flags: &'static [Flag],
    /// One line of help, for people.
    pub help: &'static str,
    /// Its group.
    pub group: Group,
    /// What it acts on.
    pub on: On,
    /// It writes to a vendor or to what is kept here: refused when everything is read-only.
    pub writes: bool,
    /// It cannot be undone: asks first.
    pub irreversible: bool,
    /// Its default keys: where, and the sequence, `g g`.
    pub keys: &'static [(Scope, &'static str)],
}

impl CommandSpec {
    /// How it is written, `assign WHO`, `escalate [--to LEVEL] [--reason TEXT]`.
    pub fn usage(&self) -> String {
        use std::fmt::Write;
        let mut s = self.name.to_owned();
        for a in self.args {
            let _ = if a.optional {
                write!(s, " [{}]", a.name)
            } else {
                write!(s, " {}", a.name)
            };
        }
        for f in self.flags {
            let _ = write!(s, " [--{} {}]", f.name, f.kind.placeholder());
        }
        s
    }
}

impl ArgKind {
    /// Days that are offered, as a person would type them; none for what is no day.
    pub fn days(self) -> &'static [&'static str] {
        match self {
            ArgKind::Date => &[
                "+1w", "tomorrow", "+3d", "monday", "+2w", "+1m", "eom", "eoq",
            ],
            ArgKind::PastDate => &["yesterday", "-1w", "-2w", "-1m", "-3m", "-1y", "today"],
            _ => &[],
        }
    }
    /// Whether it is a day.
    pub fn is_day(self) -> bool {
        !self.days().is_empty()
    }
    /// Its word in help.
    pub fn placeholder(self) -> &'static str {
        match self {
            ArgKind::Text => "TEXT",
            ArgKind::Word => "WORD",
            ArgKind::Who => "WHO",
            ArgKind::Date | ArgKind::PastDate => "DATE",
            ArgKind::Level => "LEVEL",
            ArgKind::Outcome => "OUTCOME",
            ArgKind::Stage => "STAGE",
            ArgKind::Forecast => "CATEGORY",
            ArgKind::Amount => "AMOUNT",
            ArgKind::Tag => "±TAG",
            ArgKind::Sentiment => "good|watch|bad",
            ArgKind::TouchKind => "TYPE",
            ArgKind::Priority => "p1…p4",
            ArgKind::TaskField => "FIELD",
            ArgKind::Screen => "SCREEN",
            ArgKind::Page => "PAGE",
            ArgKind::Figure => "FIGURE",
            ArgKind::Switch => "SWITCH",
            ArgKind::Move => "SIGNAL=VALUE",
            ArgKind::View => "VIEW",
            ArgKind::Column => "COLUMN",
            ArgKind::Source => "SOURCE",
            ArgKind::Theme => "THEME",
            ArgKind::Query => "QUERY",
            ArgKind::Field => "FIELD",
            ArgKind::Account => "ACCOUNT",
            ArgKind::Contact => "CONTACT",
            ArgKind::Item => "ID",
            ArgKind::OnOff => "on|off",
        }
    }
    /// It takes the rest of the line as it stands.
    pub fn takes_rest(self) -> bool {
        matches!(self, ArgKind::Text | ArgKind::Query | ArgKind::Move)
    }
    /// Its values when they are the same everywhere.
    pub fn fixed_choices(self) -> &'static [&'static str] {
        match self {
            ArgKind::Level => &["L0", "L1", "L2", "L3"],
            ArgKind::Outcome => &["saved", "reduced", "lost", "false_alarm"],
            ArgKind::Forecast => &[
                "omitted",
                "pipeline",
                "best",
                "most_likely",
                "commit",
                "closed",
            ],
            ArgKind::Sentiment => &["good", "watch", "bad"],
            ArgKind::TouchKind => &["call", "email", "meeting", "note", "update"],
            ArgKind::Priority => &["p1", "p2", "p3", "p4"],
            ArgKind::TaskField => &["title", "due", "priority", "owner", "description"],
            ArgKind::Screen => &[
                "home", "queue", "renewals", "segments", "tasks", "sync", "metrics",
            ],
            ArgKind::OnOff => &["on", "off"],
            _ => &[],
        }
    }
}
