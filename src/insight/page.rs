//! Figures as data: pages of them, each figure with its definition, what it was computed from and what it left out.
//!
//! Insight makes a [`Page`]; the cockpit's Metrics screen draws it and the command line prints it, neither knows what it is about. A new
//! page is a function and a line in [`PAGES`].

use super::{Coverage, Settings, retention};
use crate::book::{AccountRow, nearest::nearest, text::visible};
use crate::book::{Book, Calendar, Derived, ForecastSnapshot, History, LocalId};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The values that a person chose for a page's switches, by the switch's name. What is not in it has its configured value.
pub type Choices = BTreeMap<String, String>;

/// What pages are made from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
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
    /// Only the accounts of this person.
    pub mine: Option<LocalId>,
    /// The figures of earlier days.
    pub history: &'a History,
    /// What was chosen for the page's switches, or what the page is about (`account`).
    pub choices: &'a Choices,
    /// The forecasts that were kept, one a week.
    pub forecasts: &'a [ForecastSnapshot],
}

impl<'a> Input<'a> {
    /// What was chosen for a switch; nothing where its configured value counts.
    pub fn choice(&self, name: &str) -> Option<&'a str> {
        self.choices.get(name).map(String::as_str)
    }
}

/// Something of a page that a person can flip to see what becomes of its figures: a policy switch, a grouping. The page offers it with
/// the value that it was made with; whoever shows it makes the page again with another [`Choices`]. Which rows move by it is for the page
/// to show, as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Switch {
    /// Its name in [`Choices`], commands and the configuration.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Its values, in the order in which they are flipped through.
    pub values: Vec<String>,
    /// The one that the page was made with.
    pub current: String,
}

/// One page of the Metrics screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Page {
    /// Its name in commands, `retention`.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The conventions that its figures follow, short: shown as a badge.
    pub badge: String,
    /// What the page says, in one plain sentence made from its figures.
    pub sentence: String,
    /// What a person can flip on it.
    pub switches: Vec<Switch>,
    /// Its parts, from top to bottom.
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "block")]
pub enum Block {
    /// A few figures side by side.
    Figures {
        /// What they are.
        title: String,
        /// The figures.
        figures: Vec<Figure>,
    },
    /// Rows of figures.
    Table {
        /// What it lists.
        title: String,
        /// Heads of the columns after the first, which holds the row's label.
        columns: Vec<String>,
        /// Its rows.
        rows: Vec<TableRow>,
        /// What stands there when it has no row: why, and what fills it.
        empty: String,
    },
    /// Bars, one below the other, on one scale that begins at zero.
    Bars {
        /// What they are.
        title: String,
        /// The bars.
        bars: Vec<Figure>,
    },
    /// Lines over time.
    Lines {
        /// What they are.
        title: String,
        /// The lines, all in one unit.
        lines: Vec<Line>,
        /// A height that matters: the target.
        mark: Option<Value>,
    },
    /// Steps from an opening to a closing amount.
    Waterfall {
        /// What it bridges.
        title: String,
        /// Opening amount, the changes with their sign, closing amount.
        steps: Vec<Figure>,
    },
    /// A table whose cells are coloured by their value.
    Heat {
        /// What it shows.
        title: String,
        /// Heads of the columns after the first.
        columns: Vec<String>,
        /// Its rows; a cell without a value stays empty.
        rows: Vec<TableRow>,
        /// The values at which the colours begin and end.
        scale: (f64, f64),
        /// Why it is empty.
        empty: String,
    },
    /// A paragraph.
    Text {
        /// What it says.
        text: String,
    },
}

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TableRow {
    /// What it is about.
    pub label: String,
    /// The account that it is about: `enter` opens it.
    pub account: Option<LocalId>,
    /// Its figures, one for each column.
    pub cells: Vec<Figure>,
}

/// A line of a chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Line {
    /// Its name.
    pub label: String,
    /// Its points in time order.
    pub points: Vec<(Date, Figure)>,
}

/// A value, by what it measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Minor units of the reporting currency.
    Money(i64),
    /// A fraction: 0.849 is 84.9 %.
    Ratio(f64),
    /// Things.
    Count(i64),
    /// A number with so many decimals.
    Number(f64, u8),
    /// Days.
    Days(f64),
    /// A day.
    Date(Date),
    /// Words.
    Text(String),
    /// There is no answer, and why.
    None(String),
    /// Nothing is to stand here.
    #[default]
    Empty,
}

impl Value {
    /// A fraction, or why there is none.
    pub fn ratio(value: Option<f64>, why: &str) -> Value {
        value.map_or_else(|| Value::None(why.to_owned()), Value::Ratio)
    }
    /// An amount, or why there is none.
    pub fn money(minor: Option<i64>, why: &str) -> Value {
        minor.map_or_else(|| Value::None(why.to_owned()), Value::Money)
    }
    /// The value on a scale; money in whole minor units.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Money(n) | Value::Count(n) => Some(*n as f64),
            Value::Ratio(n) | Value::Number(n, _) | Value::Days(n) => Some(*n),
            Value::Date(_) | Value::Text(_) | Value::None(_) | Value::Empty => None,
        }
    }
}

/// How a figure lies to what is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is wanted of it.
    #[default]
    Plain,
    /// As wanted.
    Good,
    /// Near the edge.
    Watch,
    /// Not as wanted.
    Bad,
}

/// What a figure is held against.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// The least that is wanted.
    pub from: Option<Value>,
    /// The most that is wanted.
    pub to: Option<Value>,
    /// Whose target it is, with the year.
    pub source: String,
}

/// One figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figure {
    /// The name of its [`Definition`](super::Definition).
    pub name: &'static str,
    /// What stands beside it.
    pub label: String,
    /// Its value.
    pub value: Value,
    /// How it lies to its target.
    pub state: State,
    /// What it is held against.
    pub target: Option<Target>,
    /// Where it comes from; none for a cell that only names something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Arc<Why>>,
}

impl Figure {
    /// A figure without a target.
    pub fn new(name: &'static str, label: impl Into<String>, value: Value, why: Why) -> Figure {
        Figure {
            name,
            label: label.into(),
            value,
            why: Some(Arc::new(why)),
            ..Figure::default()
        }
    }
    /// Words in a cell, which need no explanation.
    pub fn text(text: impl Into<String>) -> Figure {
        Figure {
            value: Value::Text(text.into()),
            ..Figure::default()
        }
    }
    /// An account's CSM, in a cell.
    pub(crate) fn csm(a: &AccountRow<'_>) -> Figure {
        Figure::text(
            a.csm()
                .map_or_else(|| "nobody".into(), |p| visible(p.name()).into_owned()),
        )
    }
}

/// Where a figure comes from: what `w` shows beside its definition.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Why {
    /// The conventions that it follows, when they are not the page's badge.
    pub policy: String,
    /// Its arithmetic: what, and how much.
    pub steps: Vec<(String, Value)>,
    /// Heads of the rows' values: opening, closing.
    pub columns: Vec<String>,
    /// The rows that count, the weightiest first; perhaps only the first of them.
    pub rows: Vec<WhyRow>,
    /// How many rows count in all.
    pub rows_in: usize,
    /// Rows that do not count, and why; perhaps only the first of them.
    pub left_out: Vec<Excluded>,
    /// How many do not count.
    pub rows_out: usize,
    /// How complete it is.
    pub coverage: Coverage,
    /// The day of the newest data in it.
    pub as_of: Option<Date>,
    /// The systems or files that it comes from.
    pub source: String,
}

/// A row that counts in a figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WhyRow {
    /// What it is.
    pub label: String,
    /// Its account.
    pub account: Option<LocalId>,
    /// Its part, or its values in the order of the heads: opening and closing amount, say.
    pub values: Vec<Value>,
    /// What is to be known of it.
    pub note: String,
}

/// A row that was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Excluded {
    /// The row: its account, line and day as far as they are known.
    pub row: String,
    /// Why.
    pub reason: String,
}

impl Page {
    /// The switch of a name.
    ///
    /// # Errors
    /// The page has none of that name: which one may be meant, or which there are.
    pub fn switch(&self, name: &str) -> Result<&Switch, String> {
        if let Some(switch) = self.switches.iter().find(|s| s.name == name) {
            return Ok(switch);
        }
        let names: Vec<&str> = self.switches.iter().map(|s| s.name).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "it has none".to_owned(),
            None => format!("it has {}", names.join(", ")),
        };
        Err(format!(
            "the page {} has no switch `{}`; {hint}",
            self.name,
            visible(name)
        ))
    }
}

/// Makes a page.
pub type Make = fn(&Input<'_>) -> Page;

/// A value of a switch as its page writes it: what retention's policy reads as `grace:30d` may be asked for as `grace:30`, as with
/// `csops metrics --policy`.
///
/// # Errors
/// A value that the policy does not take, in words.
pub fn written(page: &str, switch: &str, value: &str) -> Result<String, String> {
    let of_policy = retention::SWITCHES.iter().any(|s| s.name == switch);
    if page != retention::NAME || !of_policy {
        return Ok(value.to_owned());
    }
    let mut policy = retention::Policy::default();
    policy.set(switch, value)?;
    Ok(policy.value(switch))
}

/// A page of a book for tests, with nothing chosen and nothing kept.
#[cfg(test)]
pub(crate) fn made(make: Make, book: &Book, today: Date, settings: &Settings) -> Page {
    make(&Input {
        book,
        derived: &super::derive(book, today, &settings.risk),
        today,
        calendar: &Calendar::default(),
        settings,
        mine: None,
        history: &History::default(),
        choices: &Choices::new(),
        forecasts: &[],
    })
}

/// The pages in their order: name, title, how it is made.
pub const PAGES: &[(&str, &str, Make)] = &[
    ("overview", "Overview", super::overview::page),
    ("retention", "Retention", retention::page),
    ("forecast", "Forecast", super::forecast::page),
    ("health", "Health", super::health::page),
    ("quality", "Data quality", super::quality::page),
    ("trends", "Trends", super::trends::page),
    ("growth", "Growth", super::growth::page),
    ("onboarding", "Onboarding", super::onboarding::page),
    ("voice", "Customer voice", super::voice::page),
    ("capacity", "Capacity", super::capacity::page::page),
];

/// A page, or the figures of another screen, by its name.
pub fn find(name: &str) -> Option<&'static (&'static str, &'static str, Make)> {
    let all = PAGES.iter().chain(super::screens::SCREENS);
    all.into_iter().find(|(n, _, _)| *n == name)
}
