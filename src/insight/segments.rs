//! How the work is spread: accounts and ARR per CSM in each group, against target bands.

use super::Coverage;
use crate::book::derived::{HAS_RISK, IN_QUEUE};
use crate::book::{AccountRow, Book, Derived, LocalId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

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
    /// The region.
    Region,
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
        let band = |from: f64, to: f64, arr_from: f64, arr_to: Option<f64>, source: &str| Band {
            accounts_from: from,
            accounts_to: to,
            arr_from: Some(arr_from),
            arr_to,
            source: format!("{source}; a rule of thumb, weak"),
        };
        Targets(BTreeMap::from([
            (
                "high".to_owned(),
                band(
                    5.0,
                    15.0,
                    1e6,
                    Some(2e6),
                    "lyniro.com, commune.us, brighteyevc.com",
                ),
            ),
            (
                "mid".to_owned(),
                band(20.0, 75.0, 2e6, Some(2e6), "lyniro.com, gaingrowretain.com"),
            ),
            (
                "tech".to_owned(),
                band(200.0, 500.0, 2e6, None, "lyniro.com, commune.us"),
            ),
        ]))
    }
}

impl Targets {
    /// The band of a group: its own, else that of the touch model which its name speaks of.
    pub fn band(&self, group: &str) -> Option<&Band> {
        let group = group.to_lowercase();
        self.0.get(&group).or_else(|| {
            let words: [(&str, &[&str]); 3] = [
                ("high", &["high", "enterprise", "strategic"]),
                ("mid", &["mid", "commercial"]),
                ("tech", &["tech", "digital", "smb", "small", "low"]),
            ];
            let (key, _) = words
                .iter()
                .find(|(_, names)| names.iter().any(|n| group.contains(n)))?;
            self.0.get(*key)
        })
    }
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

/// One group. Amounts are minor units of the reporting currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentRow {
    /// Its name; empty for accounts without one.
    pub key: String,
    /// When grouped by CSM: who.
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
    /// Accounts (with a CSM) per CSM.
    pub accounts_per_csm: Option<f64>,
    /// ARR (of accounts with a CSM) per CSM.
    pub arr_per_csm: Option<i64>,
    /// The target band.
    pub band: Option<Band>,
    /// Against the band, by accounts per CSM.
    pub verdict: Option<Verdict>,
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
    /// The groups, the most ARR per account first; accounts without a group last.
    pub rows: Vec<SegmentRow>,
    /// People who are the CSM of at least one account.
    pub csms: usize,
    /// People whose role is CS Ops.
    pub cs_ops: usize,
    /// CSMs per person of CS Ops.
    pub csm_per_ops: Option<f64>,
    /// Why there is no such ratio, or the benchmark to hold it against.
    pub ops_note: String,
}

/// Hashes ids by one multiplication: they are our own numbers, nobody can choose them to collide.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.write_u64(u64::from(*b));
        }
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }
    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

type IdSet = HashSet<LocalId, BuildHasherDefault<IdHasher>>;
/// Groups by where their word lies in memory (the Book keeps each once), and by person where two may share a name.
type Groups<'a> = HashMap<(usize, LocalId), (&'a str, Group), BuildHasherDefault<IdHasher>>;

#[derive(Default)]
struct Group {
    person: Option<LocalId>,
    accounts: usize,
    arr: i64,
    covered_arr: i64,
    coverage: Coverage,
    csms: IdSet,
    without: usize,
    in_queue: usize,
    at_risk: i64,
    risks: usize,
    health: u64,
    health_coverage: Coverage,
}

fn key<'a>(a: &AccountRow<'a>, by: GroupBy) -> &'a str {
    match by {
        GroupBy::Touch => a.touch(),
        GroupBy::Segment => a.segment(),
        GroupBy::Region => a.region(),
        GroupBy::Csm => a.csm().map(|p| p.name()),
    }
    .unwrap_or("")
}

/// The ratios of each group.
pub fn segments(book: &Book, derived: &Derived, by: GroupBy, targets: &Targets) -> Segments {
    let mut groups = Groups::default();
    let mut all = IdSet::default();
    for a in book.accounts() {
        let csm = a.csm_id();
        let person = csm.filter(|_| by == GroupBy::Csm);
        let word = key(&a, by);
        let place = match word {
            "" => 0,
            word => word.as_ptr() as usize,
        };
        let (_, g) = groups
            .entry((place, person.unwrap_or_default()))
            .or_insert_with(|| (word, Group::default()));
        g.person = person;
        g.accounts += 1;
        let arr = a.arr_reporting();
        g.coverage.count(a.arr(), &arr);
        let arr = arr.map_or(0, |m| m.minor);
        g.arr += arr;
        match csm {
            Some(id) => {
                g.csms.insert(id);
                all.insert(id);
                g.covered_arr += arr;
            }
            None => g.without += 1,
        }
        let d = derived.account(a.row());
        if d.is(IN_QUEUE) {
            g.in_queue += 1;
            g.at_risk += d.at_stake;
        }
        g.risks += usize::from(d.is(HAS_RISK));
        g.health += a.health().map_or(0, u64::from);
        g.health_coverage.count(None::<()>, &a.health());
    }
    let mut rows: Vec<SegmentRow> = groups
        .into_iter()
        .map(|(_, (key, g))| {
            let csms = g.csms.len();
            let per = (csms > 0).then(|| (g.accounts - g.without) as f64 / csms as f64);
            let band = match by {
                GroupBy::Touch | GroupBy::Segment if !key.is_empty() => targets.band(key).cloned(),
                _ => None,
            };
            let verdict = per.zip(band.as_ref()).map(|(n, b)| {
                if n < b.accounts_from {
                    Verdict::Under
                } else if n > b.accounts_to {
                    Verdict::Over
                } else {
                    Verdict::Within
                }
            });
            SegmentRow {
                key: key.to_owned(),
                person: g.person,
                accounts: g.accounts,
                arr: g.arr,
                arr_coverage: g.coverage,
                csms,
                without_csm: g.without,
                accounts_per_csm: per,
                arr_per_csm: (csms > 0).then(|| g.covered_arr / csms as i64),
                band,
                verdict,
                in_queue: g.in_queue,
                at_risk: g.at_risk,
                open_risks: g.risks,
                health: (g.health_coverage.known > 0)
                    .then(|| g.health as f64 / g.health_coverage.known as f64),
                health_coverage: g.health_coverage,
            }
        })
        .collect();
    rows.sort_by(|x, y| {
        let worth = |r: &SegmentRow| r.arr / (r.accounts.max(1) as i64);
        (x.key.is_empty().cmp(&y.key.is_empty()))
            .then(worth(y).cmp(&worth(x)))
            .then_with(|| (&x.key, x.person).cmp(&(&y.key, y.person)))
    });
    let cs_ops = book
        .people()
        .filter(|p| {
            p.is_active()
                && p.role()
                    .is_some_and(|r| r.to_lowercase().replace(['_', '-'], " ").contains("cs ops"))
        })
        .count();
    let csms = all.len();
    Segments {
        currency: String::from_utf8_lossy(&book.reporting()).into_owned(),
        by,
        rows,
        csms,
        cs_ops,
        csm_per_ops: (cs_ops > 0 && csms > 0).then(|| csms as f64 / cs_ops as f64),
        ops_note: if cs_ops == 0 {
            "n/a: no source names anybody whose role is CS Ops".to_owned()
        } else {
            "12 : 1 on average (Gainsight's CS Ops benchmarking survey, 2021)".to_owned()
        },
    }
}
