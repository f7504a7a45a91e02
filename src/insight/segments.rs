//! How the work is spread: accounts, ARR and hours per CSM in each group, against target bands. [`Spread`] does the counting.

use super::capacity::spread::Spread;
use super::{Coverage, Settings};
use crate::book::{Book, Derived, LocalId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What accounts are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// The touch model.
    #[default]
    Touch,
    /// The segment.
    Segment,
    /// The customer success manager.
    Csm,
    /// Who leads the customer success manager.
    Team,
    /// The region.
    Region,
}

impl GroupBy {
    /// Every grouping, in the order in which they are offered.
    pub const ALL: [GroupBy; 5] = [
        GroupBy::Touch,
        GroupBy::Segment,
        GroupBy::Csm,
        GroupBy::Team,
        GroupBy::Region,
    ];
    /// Its name: the field of an account that tells its group.
    pub fn name(self) -> &'static str {
        match self {
            GroupBy::Touch => "touch",
            GroupBy::Segment => "segment",
            GroupBy::Csm => "csm",
            GroupBy::Team => "team",
            GroupBy::Region => "region",
        }
    }
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            GroupBy::Touch => "touch model",
            GroupBy::Segment => "segment",
            GroupBy::Csm => "CSM",
            GroupBy::Team => "team",
            GroupBy::Region => "region",
        }
    }
    /// The grouping of that name.
    pub fn parse(name: &str) -> Option<GroupBy> {
        GroupBy::ALL
            .into_iter()
            .find(|b| b.name().eq_ignore_ascii_case(name))
    }
}

/// A target band and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Accounts per CSM, from.
    pub accounts_from: f64,
    /// Accounts per CSM, to.
    pub accounts_to: f64,
    /// ARR per CSM, whole units of the reporting currency, from; none where only a rule of thumb for accounts exists.
    pub arr_from: Option<f64>,
    /// ARR per CSM, to.
    pub arr_to: Option<f64>,
    /// Whose band it is.
    pub source: String,
}

/// Target bands by the name of a touch model or segment, lower case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Targets(pub BTreeMap<String, Band>);

impl Default for Targets {
    fn default() -> Self {
        let band = |accounts: (f64, f64), arr: (Option<f64>, Option<f64>), source: &str| Band {
            accounts_from: accounts.0,
            accounts_to: accounts.1,
            arr_from: arr.0,
            arr_to: arr.1,
            source: format!("{source}; a rule of thumb, weak"),
        };
        let (one, two) = (Some(1e6), Some(2e6));
        let high = "lyniro.com, commune.us, brighteyevc.com";
        let (mid, tech) = ("lyniro.com, gaingrowretain.com", "lyniro.com, commune.us");
        Targets(BTreeMap::from([
            ("high".into(), band((5.0, 15.0), (one, two), high)),
            ("mid".into(), band((20.0, 75.0), (None, two), mid)),
            ("tech".into(), band((200.0, 500.0), (two, None), tech)),
        ]))
    }
}

impl Targets {
    /// The band of a group: its own, else that of the touch model which its name speaks of.
    pub fn band(&self, group: &str) -> Option<&Band> {
        by_name(&self.0, group)
    }
    /// The band of an account: its segment's own, else its touch model's, else that of the touch model which the segment speaks of.
    pub fn band_of(&self, touch: &str, segment: &str) -> Option<&Band> {
        of_account(&self.0, touch, segment)
    }
}

/// The touch model that a group's name speaks of: `enterprise` is worked with a high touch.
fn touch_word(group: &str) -> Option<&'static str> {
    const WORDS: [(&str, &[&str]); 3] = [
        ("high", &["high", "enterprise", "strategic"]),
        ("mid", &["mid", "commercial"]),
        ("tech", &["tech", "digital", "smb", "small", "low"]),
    ];
    let (key, _) = WORDS
        .iter()
        .find(|(_, names)| names.iter().any(|n| group.contains(n)))?;
    Some(key)
}

/// What a table of touch models and segments (lower case) says of a group.
pub(super) fn by_name<'t, T>(table: &'t BTreeMap<String, T>, group: &str) -> Option<&'t T> {
    let group = group.to_lowercase();
    table.get(&group).or_else(|| table.get(touch_word(&group)?))
}

/// What a table of touch models and segments (lower case) says of an account.
pub(super) fn of_account<'t, T>(
    table: &'t BTreeMap<String, T>,
    touch: &str,
    segment: &str,
) -> Option<&'t T> {
    table
        .get(&segment.to_lowercase())
        .or_else(|| by_name(table, touch))
        .or_else(|| by_name(table, segment))
}

/// How a group lies to its band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Fewer accounts per CSM than the band.
    Under,
    /// Within the band.
    Within,
    /// More accounts per CSM than the band.
    Over,
}

/// One group. Amounts are minor units of the reporting currency, hours are of a year.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SegmentRow {
    /// Its name; empty for accounts without one.
    pub key: String,
    /// When grouped by CSM or team: who.
    pub person: Option<LocalId>,
    /// Accounts.
    pub accounts: usize,
    /// Their ARR.
    pub arr: i64,
    /// How many have an ARR that counts.
    pub arr_coverage: Coverage,
    /// People who are the CSM of at least one of them.
    pub csms: usize,
    /// Accounts without a CSM.
    pub without_csm: usize,
    /// Accounts whose CSM does not count: has left, leads, is excluded during the ramp; and former customers.
    pub not_counted: usize,
    /// Full-time equivalents that look after them: a CSM with accounts in several groups counts in each by the hours that these take.
    pub fte: f64,
    /// Accounts (of CSMs who count) per full-time equivalent.
    pub accounts_per_csm: Option<f64>,
    /// ARR (of accounts of CSMs who count) per full-time equivalent.
    pub arr_per_csm: Option<i64>,
    /// The target band: the group's own, else the mix of its accounts'.
    pub band: Option<Band>,
    /// Against the band, by accounts per CSM.
    pub verdict: Option<Verdict>,
    /// Against the band, by ARR per CSM.
    pub arr_verdict: Option<Verdict>,
    /// Hours that its accounts take.
    pub need: f64,
    /// How many accounts say how many hours they take.
    pub hours_coverage: Coverage,
    /// Hours that its CSMs have for customers.
    pub have: f64,
    /// Need as a part of what there is.
    pub utilisation: Option<f64>,
    /// Why somebody does not count in full; only when grouped by CSM.
    pub note: String,
    /// Accounts in the queue.
    pub in_queue: usize,
    /// ARR at stake of these.
    pub at_risk: i64,
    /// Open risks.
    pub open_risks: usize,
    /// Mean health of those that have one.
    pub health: Option<f64>,
    /// How many have a health score.
    pub health_coverage: Coverage,
}

/// All groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Segments {
    /// The reporting currency.
    pub currency: String,
    /// What the groups are.
    pub by: GroupBy,
    /// The groups, the most ARR per account first (CSMs and teams: the busiest first); accounts without a group last.
    pub rows: Vec<SegmentRow>,
    /// The whole book, as one group.
    pub total: SegmentRow,
    /// Full-time equivalents that the work asks for at the utilisation that is planned for.
    pub fte_needed: f64,
    /// People who are the CSM of at least one account.
    pub csms: usize,
    /// People whose role is CS Ops.
    pub cs_ops: usize,
    /// CSMs per person of CS Ops.
    pub csm_per_ops: Option<f64>,
    /// Why there is no such ratio, or the benchmark to hold it against.
    pub ops_note: String,
    /// Cost of customer success as a part of ARR.
    pub cost_share: Option<f64>,
    /// Why there is no such share, or the benchmark to hold it against.
    pub cost_note: String,
}

/// The ratios of each group.
pub fn segments(
    book: &Book,
    derived: &Derived,
    today: Date,
    by: GroupBy,
    settings: &Settings,
) -> Segments {
    Spread::of(book, derived, today, settings).by(by)
}
