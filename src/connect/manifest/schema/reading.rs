//! What is fetched, how its pages follow, and what its fields mean.

use super::super::path::Path;
use super::super::template::Text;
use super::*;
use crate::book::Entity;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Paging.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// How the next page is asked for.
    #[serde(default)]
    pub by: PageBy,
    /// Rows of a page.
    #[serde(default)]
    pub size: Option<u32>,
    /// The number of the first page.
    #[serde(default)]
    pub first: u32,
    /// Where the next page's bookmark or address is, or (`keyset`) the key of a row.
    #[serde(default)]
    pub from: Path,
    /// How many rows there are in all, where the vendor says so.
    #[serde(default)]
    pub total: Option<Path>,
    /// The vendor shows no more than so many rows of one question.
    #[serde(default)]
    pub cap: Option<u64>,
}

/// How the next page is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageBy {
    /// There is one page.
    #[default]
    None,
    /// `{number}`, until a page is short.
    Number,
    /// `{offset}`, until a page is short.
    Offset,
    /// `{cursor}`, until there is none.
    Cursor,
    /// The address in the answer, until there is none.
    Url,
    /// `{last}`, the key of the last row, until a page is short.
    Keyset,
}

/// How it is told what is new.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// The way.
    #[serde(default)]
    pub by: SyncBy,
    /// Minutes that are asked for again.
    #[serde(default)]
    pub overlap_minutes: u32,
    /// After so many hours everything is read again, to find what has gone.
    #[serde(default)]
    pub sweep_hours: Option<u32>,
    /// How many days of dated rows a first load reads: `{since}` begins there; empty: all.
    #[serde(default)]
    pub first_days: Option<u32>,
}

/// How it is told what is new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncBy {
    /// Everything is read each time.
    #[default]
    Whole,
    /// The vendor filters by `{since}`.
    Since,
    /// Newest first; reading stops at what is known.
    Feed,
}

/// Where a value comes from and what is made of it.
#[derive(Clone, Debug)]
pub struct ValueSpec {
    /// Where from.
    pub from: From,
    /// A number is seconds since 1970, not milliseconds.
    pub unix: bool,
    /// Exact words and what they stand for.
    pub is: BTreeMap<String, String>,
    /// What all other words stand for.
    pub otherwise: Option<String>,
    /// A list of words that csops knows.
    pub words: Option<Words>,
    /// The label of a value in a pick list.
    pub pick: Option<String>,
    /// The kind of a value in a pick list.
    pub pick_kind: Option<String>,
    /// What is done to it, in order.
    pub pipe: Vec<Pipe>,
    /// What stands for it when it is empty.
    pub or: Option<Box<ValueSpec>>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum From {
    /// A path in the row.
    Path(Path),
    /// A canonical field that is mapped already.
    Of(String),
    /// A fixed text.
    Const(String),
    /// A text put together from the row.
    Text(Text),
    /// The result of a join: its name and a path in it.
    Join(String, Path),
    /// Several texts with blanks between them, as far as they are filled: first and last name.
    All(Vec<Path>),
}

/// Lists of words that csops knows ([`canon`](crate::connect::canon)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Words {
    TaskStatus,
    TicketStatus,
    RiskStatus,
    TaskPriority,
    TicketPriority,
    RiskPriority,
    Forecast,
    TouchKind,
    TouchModel,
    PersonRole,
    ContactRole,
    Outcome,
    StageKind,
}

/// What can be done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pipe {
    /// Small letters.
    Lower,
    /// The internet domain in an address.
    Domain,
    /// Words without HTML.
    StripHtml,
    /// Without the marker of a create.
    WithoutMarker,
    /// 100 minus the number: where a high score is bad.
    Invert,
    /// A fraction as a score: times 100.
    Percent,
    /// A score from 0 to 10 as one from 0 to 100.
    TimesTen,
    /// The day of an instant.
    Day,
    /// The first line of a text.
    FirstLine,
}

/// A question about a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where to look.
    #[serde(default)]
    pub path: Path,
    /// A canonical field instead.
    #[serde(default)]
    pub of: Option<String>,
    /// An option of the source instead.
    #[serde(default)]
    pub option: Option<String>,
    /// It is one of these, regardless of case.
    #[serde(default)]
    pub is: Option<Names>,
    /// It is none of these.
    #[serde(default)]
    pub not: Option<Names>,
    /// It begins with this.
    #[serde(default)]
    pub starts: Option<String>,
    /// It contains this text, with placeholders.
    #[serde(default)]
    pub has: Option<Text>,
    /// It is there and not blank, or it is not.
    #[serde(default)]
    pub filled: Option<bool>,
}

/// One condition or several, which all must hold.
#[derive(Clone, Debug, Default)]
pub struct Conditions(pub Vec<Condition>);

/// One more record from a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    /// What it is.
    pub entity: Entity,
    /// Only for such rows; for others it leaves.
    #[serde(default)]
    pub when: Conditions,
    /// Its id.
    pub id: ValueSpec,
    /// The main record leaves: this one stands instead.
    #[serde(default)]
    pub instead: bool,
    /// Its fields.
    pub map: BTreeMap<String, ValueSpec>,
}

/// More about the rows of a page, asked for in batches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// What `join` in a value calls it.
    pub name: String,
    /// The request, with `@each`.
    pub request: Request,
    /// How many rows at once.
    pub batch: u32,
    /// Rows of the answer.
    #[serde(default)]
    pub rows: Path,
    /// The id of the row that they belong to.
    pub key: Path,
    /// Where in a row that id is, when the row goes here by another.
    #[serde(default)]
    pub of: Path,
    /// The join whose results are asked about instead of the rows: what belongs to what belongs to a row.
    #[serde(default)]
    pub through: Option<String>,
    /// Where in such a result the id is.
    #[serde(default)]
    pub at: Path,
}

/// Where the vendor describes the fields of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The request.
    pub request: Request,
    /// Its rows.
    #[serde(default)]
    pub rows: Path,
    /// The field's name, as it is asked for.
    pub name: Path,
    /// What people call it.
    #[serde(default)]
    pub label: Path,
    /// Its type, in the vendor's word.
    #[serde(default, rename = "type")]
    pub kind: Path,
    /// Only rows of this kind count, where the vendor has one list for all.
    #[serde(default)]
    pub when: Option<Condition>,
    /// What stands before the name in a row: `custom.`.
    #[serde(default)]
    pub prefix: String,
}
