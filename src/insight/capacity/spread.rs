//! One walk over the accounts: how many, how much ARR and how many hours each CSM has of each kind of account, in each region; and from
//! that every grouping, so that the groups of one always add up to the same as those of another.

use super::super::segments::{Band, GroupBy, SegmentRow, Segments, Verdict};
use super::super::{Coverage, Settings};
use super::costs::{Costs, OPS_BENCHMARK, ops_ratio};
use super::kinds::{Kind, Kinds};
use super::settings::CapacitySettings;
use super::team::Team;
use crate::book::derived::{HAS_RISK, IN_QUEUE};
use crate::book::value::exponent;
use crate::book::{Book, Derived, LocalId};
use jiff::civil::Date;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Hashes small numbers of our own by multiplication: nobody can choose them to collide.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
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

type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// No CSM.
const NOBODY: u32 = u32::MAX;

/// What is counted of some accounts.
#[derive(Clone, Debug, Default)]
struct Tally {
    accounts: usize,
    arr: i64,
    arr_coverage: Coverage,
    in_queue: usize,
    at_risk: i64,
    risks: usize,
    health: u64,
    health_coverage: Coverage,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.accounts += other.accounts;
        self.arr = self.arr.saturating_add(other.arr);
        add_coverage(&mut self.arr_coverage, &other.arr_coverage);
        self.in_queue += other.in_queue;
        self.at_risk = self.at_risk.saturating_add(other.at_risk);
        self.risks += other.risks;
        self.health += other.health;
        add_coverage(&mut self.health_coverage, &other.health_coverage);
    }
}

fn add_coverage(to: &mut Coverage, more: &Coverage) {
    to.known += more.known;
    to.of += more.of;
    to.no_rate += more.no_rate;
}

/// The accounts of one CSM, of one kind, in one region.
struct Cell<'a> {
    member: u32,
    kind: u32,
    touch: &'a str,
    segment: &'a str,
    region: &'a str,
    tally: Tally,
}

/// How the work of a Book is spread.
pub struct Spread<'a> {
    /// Who looks after customers.
    pub team: Team,
    /// The kinds of accounts.
    pub kinds: Vec<Kind>,
    cells: Vec<Cell<'a>>,
    /// Thousandths of an hour that each member's accounts take, and how many they are.
    loads: Vec<(i64, usize)>,
    settings: &'a Settings,
    currency: String,
    /// Minor units in a whole one of the reporting currency.
    unit: f64,
}

impl<'a> Spread<'a> {
    /// Counts.
    pub fn of(
        book: &'a Book,
        derived: &Derived,
        today: Date,
        settings: &'a Settings,
    ) -> Spread<'a> {
        let team = Team::of(book, today, &settings.capacity);
        let mut kinds = Kinds::new(settings);
        let mut places: QuickMap<(u32, u32, usize), u32> = QuickMap::default();
        let mut cells: Vec<Cell<'a>> = Vec::new();
        for a in book.accounts() {
            let member = a.csm_id().and_then(|id| team.place(id)).unwrap_or(NOBODY);
            let kind = kinds.place(&a);
            let region = a.region().unwrap_or_default();
            let key = (
                member,
                kind,
                if region.is_empty() {
                    0
                } else {
                    region.as_ptr() as usize
                },
            );
            let place = *places.entry(key).or_insert_with(|| {
                cells.push(Cell {
                    member,
                    kind,
                    touch: a.touch().unwrap_or_default(),
                    segment: a.segment().unwrap_or_default(),
                    region,
                    tally: Tally::default(),
                });
                cells.len() as u32 - 1
            });
            let t = &mut cells[place as usize].tally;
            t.accounts += 1;
            let arr = a.arr_reporting();
            t.arr_coverage.count(a.arr(), &arr);
            t.arr = t.arr.saturating_add(arr.map_or(0, |m| m.minor));
            let d = derived.account(a.row());
            if d.is(IN_QUEUE) {
                t.in_queue += 1;
                t.at_risk = t.at_risk.saturating_add(d.at_stake);
            }
            t.risks += usize::from(d.is(HAS_RISK));
            t.health += a.health().map_or(0, u64::from);
            t.health_coverage.count(None::<()>, &a.health());
        }
        let kinds = kinds.all;
        let mut loads = vec![(0, 0); team.members.len()];
        for c in &cells {
            if let Some((hours, accounts)) = loads.get_mut(c.member as usize) {
                let kind = &kinds[c.kind as usize];
                if !kind.former {
                    *hours += kind.hours.unwrap_or(0) * c.tally.accounts as i64;
                    *accounts += c.tally.accounts;
                }
            }
        }
        Spread {
            team,
            kinds,
            cells,
            loads,
            settings,
            currency: String::from_utf8_lossy(&book.reporting()).into_owned(),
            unit: 10f64.powi(exponent(&book.reporting()) as i32),
        }
    }

    /// The settings of capacity.
    pub fn settings(&self) -> &'a CapacitySettings {
        &self.settings.capacity
    }

    /// The groups.
    pub fn by(&self, by: GroupBy) -> Segments {
        let mut groups: HashMap<(&str, LocalId), Group> = HashMap::new();
        if by == GroupBy::Csm {
            // Somebody without an account is the one who can take some.
            for (m, i) in self.team.members.iter().zip(0u32..) {
                if m.is_csm() && self.loads[i as usize].1 == 0 {
                    let g = groups.entry((m.name.as_str(), m.id)).or_default();
                    g.note(i, 0, m.fte);
                }
            }
        }
        let mut total = Group::default();
        for cell in &self.cells {
            let member = self.team.members.get(cell.member as usize);
            let key = match by {
                GroupBy::Touch => (cell.touch, LocalId::NONE),
                GroupBy::Segment => (cell.segment, LocalId::NONE),
                GroupBy::Region => (cell.region, LocalId::NONE),
                GroupBy::Csm => member.map_or(("", LocalId::NONE), |m| (m.name.as_str(), m.id)),
                GroupBy::Team => {
                    let lead = member.map_or(LocalId::NONE, |m| m.manager);
                    (self.team.leads.get(&lead).map_or("", String::as_str), lead)
                }
            };
            self.enter(groups.entry(key).or_default(), cell);
            self.enter(&mut total, cell);
        }
        let mut rows: Vec<SegmentRow> = groups
            .into_iter()
            .map(|((key, person), g)| self.row(by, key, person, &g))
            .collect();
        let people = matches!(by, GroupBy::Csm | GroupBy::Team);
        rows.sort_by(|x, y| {
            let worth = |r: &SegmentRow| r.arr / (r.accounts.max(1) as i64);
            let busy = |r: &SegmentRow| r.utilisation.unwrap_or(-1.0);
            (x.key.is_empty().cmp(&y.key.is_empty()))
                .then_with(|| {
                    if people {
                        busy(y).total_cmp(&busy(x))
                    } else {
                        worth(y).cmp(&worth(x))
                    }
                })
                .then_with(|| (&x.key, x.person).cmp(&(&y.key, y.person)))
        });
        let mut total = self.row(by, "", LocalId::NONE, &total);
        // Whoever has no account yet has time all the same.
        total.fte = self.team.fte();
        total.have = total.fte * self.settings().hours_per_fte();
        self.rate(&mut total);
        let cost = Costs::of(&self.team, total.arr, self.settings());
        let csms = rows_with_csm(&self.cells);
        Segments {
            currency: self.currency.clone(),
            by,
            fte_needed: self.fte_needed(total.need),
            total,
            rows,
            csms,
            cs_ops: self.team.ops_heads,
            csm_per_ops: ops_ratio(&self.team).ok(),
            ops_note: ops_ratio(&self.team).map_or_else(str::to_owned, |_| OPS_BENCHMARK.into()),
            cost_share: cost.share,
            cost_note: cost.note,
        }
    }

    /// Full-time equivalents that so many hours of work ask for, at the utilisation that is planned for; 0 where nobody has any hours.
    pub fn fte_needed(&self, need: f64) -> f64 {
        let s = self.settings();
        let hours = s.hours_per_fte() * s.target_utilisation;
        if hours > 0.0 { need / hours } else { 0.0 }
    }

    fn enter(&self, g: &mut Group, cell: &Cell<'_>) {
        let t = &cell.tally;
        let kind = &self.kinds[cell.kind as usize];
        g.tally.add(t);
        let hours = kind.hours.unwrap_or(0) * t.accounts as i64;
        if !kind.former {
            g.need += hours;
            g.hours_coverage.of += t.accounts;
            g.hours_coverage.known += if kind.hours.is_some() { t.accounts } else { 0 };
        }
        let Some(m) = self.team.members.get(cell.member as usize) else {
            g.without += t.accounts;
            return;
        };
        let (all_hours, all_accounts) = self.loads[cell.member as usize];
        let part = match (kind.former, all_hours, all_accounts) {
            (true, ..) => 0.0,
            (_, 0, 0) => 0.0,
            (_, 0, all) => t.accounts as f64 / all as f64,
            (_, all, _) => hours as f64 / all as f64,
        };
        g.note(cell.member, t.accounts, m.fte * part);
        if kind.former || m.fte <= 0.0 {
            g.not_counted += t.accounts;
            return;
        }
        g.counted += t.accounts;
        g.counted_arr = g.counted_arr.saturating_add(t.arr);
        if let Some(band) = &kind.band {
            g.mix.add(band, t);
        }
    }

    fn row(&self, by: GroupBy, key: &str, person: LocalId, g: &Group) -> SegmentRow {
        let band = match by {
            GroupBy::Touch | GroupBy::Segment if !key.is_empty() => {
                self.settings.segments.band(key).cloned()
            }
            GroupBy::Touch | GroupBy::Segment => None,
            _ => g.mix.band(),
        };
        let fte: f64 = g.people.values().sum();
        let t = &g.tally;
        let note = match by {
            GroupBy::Csm => {
                let member = self.team.place(person);
                member.map_or_else(String::new, |i| self.team.members[i as usize].note())
            }
            _ => String::new(),
        };
        let mut row = SegmentRow {
            key: key.to_owned(),
            person: person.is_some().then_some(person),
            accounts: t.accounts,
            arr: t.arr,
            arr_coverage: t.arr_coverage,
            csms: g.heads,
            without_csm: g.without,
            not_counted: g.not_counted,
            fte,
            accounts_per_csm: (fte > 0.0).then(|| g.counted as f64 / fte),
            arr_per_csm: (fte > 0.0).then(|| (g.counted_arr as f64 / fte).round() as i64),
            band,
            verdict: None,
            arr_verdict: None,
            need: g.need as f64 / 1000.0,
            hours_coverage: g.hours_coverage,
            have: fte * self.settings().hours_per_fte(),
            utilisation: None,
            note,
            in_queue: t.in_queue,
            at_risk: t.at_risk,
            open_risks: t.risks,
            health: (t.health_coverage.known > 0)
                .then(|| t.health as f64 / t.health_coverage.known as f64),
            health_coverage: t.health_coverage,
        };
        self.rate(&mut row);
        row
    }

    /// What follows from hours and band.
    fn rate(&self, row: &mut SegmentRow) {
        row.utilisation = (row.have > 0.0).then(|| row.need / row.have);
        row.verdict = row
            .accounts_per_csm
            .zip(row.band.as_ref())
            .map(|(n, b)| verdict(n, Some(b.accounts_from), Some(b.accounts_to)));
        row.arr_verdict = row.arr_per_csm.zip(row.band.as_ref()).and_then(|(n, b)| {
            let known = b.arr_from.is_some() || b.arr_to.is_some();
            known.then(|| verdict(n as f64 / self.unit, b.arr_from, b.arr_to))
        });
    }
}

fn verdict(n: f64, from: Option<f64>, to: Option<f64>) -> Verdict {
    // A hair's breadth is no breach: the number is a quotient.
    let near = n.abs() * 1e-9;
    if from.is_some_and(|f| n < f - near) {
        Verdict::Under
    } else if to.is_some_and(|t| n > t + near) {
        Verdict::Over
    } else {
        Verdict::Within
    }
}

fn rows_with_csm(cells: &[Cell<'_>]) -> usize {
    let mut members: Vec<u32> = cells.iter().map(|c| c.member).collect();
    members.sort_unstable();
    members.dedup();
    members.iter().filter(|m| **m != NOBODY).count()
}

/// A group while it is counted.
#[derive(Default)]
struct Group {
    tally: Tally,
    need: i64,
    hours_coverage: Coverage,
    without: usize,
    not_counted: usize,
    counted: usize,
    counted_arr: i64,
    heads: usize,
    /// Full-time equivalents by member.
    people: std::collections::BTreeMap<u32, f64>,
    with_account: std::collections::BTreeSet<u32>,
    mix: Mix,
}

impl Group {
    fn note(&mut self, member: u32, accounts: usize, fte: f64) {
        *self.people.entry(member).or_default() += fte;
        if accounts > 0 && self.with_account.insert(member) {
            self.heads += 1;
        }
    }
}

/// The band of a mix of accounts: each account takes its share (one of so many) of what a CSM may carry.
#[derive(Default)]
struct Mix {
    accounts: usize,
    /// Full-time equivalents that the accounts fill at the upper end of their bands, and at the lower.
    at_most: f64,
    at_least: f64,
    /// The same of ARR; the accounts whose band has such an end.
    arr: [(i64, f64, bool); 2],
    sources: std::collections::BTreeSet<String>,
}

impl Mix {
    fn add(&mut self, band: &Band, t: &Tally) {
        let n = t.accounts as f64;
        self.accounts += t.accounts;
        self.at_most += n / band.accounts_to.max(f64::MIN_POSITIVE);
        self.at_least += n / band.accounts_from.max(f64::MIN_POSITIVE);
        for (end, limit) in [band.arr_from, band.arr_to].into_iter().enumerate() {
            let (arr, filled, missing) = &mut self.arr[end];
            match limit.filter(|l| *l > 0.0) {
                Some(limit) => {
                    *arr = arr.saturating_add(t.arr);
                    *filled += t.arr as f64 / limit;
                }
                None => *missing = true,
            }
        }
        self.sources.insert(band.source.clone());
    }

    fn band(&self) -> Option<Band> {
        let n = self.accounts as f64;
        (self.accounts > 0).then(|| {
            // An end of ARR is known only where every account has one.
            let arr = |(arr, filled, missing): (i64, f64, bool)| {
                (!missing && filled > 0.0).then(|| arr as f64 / filled)
            };
            let one = self.sources.len() == 1;
            Band {
                accounts_from: n / self.at_least,
                accounts_to: n / self.at_most,
                arr_from: arr(self.arr[0]),
                arr_to: arr(self.arr[1]),
                source: match self.sources.first() {
                    Some(source) if one => source.clone(),
                    _ => "the mix of its touch models' bands".into(),
                },
            }
        })
    }
}
