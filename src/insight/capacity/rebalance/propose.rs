//! From a Book to the solver's question, and from its answer to moves of accounts.

use super::super::kinds::{Kind, Kinds};
use super::super::settings::{CapacitySettings, RebalanceRules};
use super::super::team::{Member, Standing, Team};
use super::solver::{Carrier, DIMS, Item, Load, ONE, solve};
use crate::book::value::exponent;
use crate::book::{AccountRow, Book, Day, Entity, LocalId, Scope};
use crate::insight::Settings;
use crate::query::{filter, parse};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Who leaves within so many days gets no more accounts.
const LEAVING_DAYS: i32 = 90;

/// A region counts as somebody's when so large a part of their accounts lies there.
const SERVES: f64 = 0.1;

/// What is asked of a rebalance; what it leaves open is as the configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wish {
    /// Accounts that never move, as a query, besides the configured ones.
    pub keep: Option<String>,
    /// At most so many moves.
    pub max_moves: Option<usize>,
    /// Accounts without a CSM are given to somebody too; those of somebody who left are in any case.
    pub unassigned: bool,
}

/// What somebody has to do. Amounts are minor units of the reporting currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Work {
    /// Accounts.
    pub accounts: usize,
    /// Their ARR.
    pub arr: i64,
    /// Hours a year that they take.
    pub hours: f64,
    /// These as a part of what there is; none for somebody without time.
    pub utilisation: Option<f64>,
    /// Accounts as a part of what the bands allow.
    pub band: Option<f64>,
    /// ARR as a part of what the bands allow.
    pub arr_band: Option<f64>,
    /// What is above the limits, as full-time people.
    pub overload: f64,
}

/// What adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    accounts: i64,
    arr: i64,
    /// Thousandths of an hour.
    hours: i64,
    load: Load,
}

impl Sums {
    fn add(&mut self, other: &Sums, sign: i64) {
        self.accounts += sign * other.accounts;
        self.arr = self.arr.saturating_add(other.arr.saturating_mul(sign));
        self.hours += sign * other.hours;
        for d in 0..DIMS {
            self.load[d] += sign * other.load[d];
        }
    }
}

/// Somebody before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonLoad {
    /// Who; none for the accounts without a CSM.
    pub person: Option<LocalId>,
    /// What they are called.
    pub name: String,
    /// Who leads them.
    pub manager: Option<String>,
    /// Where they work.
    pub region: Option<String>,
    /// Full-time equivalents.
    pub fte: f64,
    /// Why they do not count in full.
    pub note: String,
    /// Hours a year that they have for customers.
    pub have: f64,
    /// Now.
    pub before: Work,
    /// With all moves.
    pub after: Work,
    #[serde(skip)]
    limit: Load,
    #[serde(skip)]
    sheds: bool,
    #[serde(skip)]
    sums: Sums,
}

/// One account that would change hands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Move {
    /// The account.
    pub account: LocalId,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: Option<String>,
    /// Its ARR, minor units of the reporting currency.
    pub arr: Option<i64>,
    /// Hours a year that it takes.
    pub hours: Option<f64>,
    /// Whose it is: a place among the people.
    pub from: usize,
    /// Whose it would be.
    pub to: usize,
    /// The word by which the `owner` command finds them: an e-mail address, else the name.
    pub who: String,
    /// Overload that it takes away, as full-time people.
    pub relief: f64,
    /// What it means for continuity.
    pub note: String,
    #[serde(skip)]
    sums: Sums,
}

/// A proposal.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Proposal {
    /// The reporting currency.
    pub currency: String,
    /// Everybody, the most overloaded first.
    pub people: Vec<PersonLoad>,
    /// The moves, in an order in which each takes overload away.
    pub moves: Vec<Move>,
    /// Overload before, as full-time people.
    pub before: f64,
    /// Overload after.
    pub after: f64,
    /// It was searched to the end: fewer moves would not do.
    pub proved: bool,
    /// Accounts that are kept where they are by the do-not-move list.
    pub kept: usize,
    /// What is still too much and why, or why nothing has to move.
    pub notes: Vec<String>,
    /// Which dimensions are limits.
    #[serde(skip)]
    limited: [bool; DIMS],
}

impl Proposal {
    /// What everybody would have with some of the moves only: those for whose place `taken` holds.
    pub fn with(&self, taken: impl Fn(usize) -> bool) -> Vec<Work> {
        let mut sums: Vec<Sums> = self.people.iter().map(|p| p.sums).collect();
        for (_, m) in self.moves.iter().enumerate().filter(|(n, _)| taken(*n)) {
            sums[m.from].add(&m.sums, -1);
            sums[m.to].add(&m.sums, 1);
        }
        let people = self.people.iter().zip(&sums);
        people.map(|(p, s)| p.work(s, &self.limited)).collect()
    }
}

impl PersonLoad {
    fn work(&self, sums: &Sums, limited: &[bool; DIMS]) -> Work {
        let hours = sums.hours as f64 / 1000.0;
        let of_limit =
            |d: usize| (self.limit[d] > 0).then(|| sums.load[d] as f64 / self.limit[d] as f64);
        let over: i64 = (0..DIMS)
            .filter(|d| limited[*d] && self.sheds)
            .map(|d| (sums.load[d] - self.limit[d]).max(0))
            .sum();
        Work {
            accounts: usize::try_from(sums.accounts).unwrap_or(0),
            arr: sums.arr,
            hours,
            utilisation: (self.have > 0.0).then(|| hours / self.have),
            band: of_limit(1),
            arr_band: of_limit(2),
            overload: people(over),
        }
    }
}

/// Billionths of a person as people.
fn people(load: i64) -> f64 {
    load as f64 / ONE as f64
}

/// What one account weighs for whoever has it: hours, its share of the band of accounts, its share of the band of ARR. Rounded down, so
/// that a CSM whose band is exactly full is not above it.
fn load_of(kind: &Kind, arr: i64, s: &CapacitySettings, unit: f64) -> Load {
    // An absurd amount weighs as much as a million people: such loads can still be added.
    let part = |of: f64| (of.min(1e6) * ONE as f64).floor() as i64;
    let hours = s.hours_per_fte();
    let mut load = [0; DIMS];
    if let Some(need) = kind.hours.filter(|_| hours > 0.0) {
        load[0] = part(need as f64 / 1000.0 / hours);
    }
    if let Some(band) = &kind.band {
        if band.accounts_to > 0.0 {
            load[1] = part(1.0 / band.accounts_to);
        }
        if let Some(to) = band.arr_to.filter(|to| *to > 0.0) {
            load[2] = part(arr.max(0) as f64 / (to * unit));
        }
    }
    if load == [0; DIMS] {
        // Of unknown weight, but not of none: somebody who has left is to have no account at all.
        load[1] = 1;
    }
    load
}

fn carrier(m: &Member, today: Day, s: &CapacitySettings) -> Carrier {
    let limit = |fte: f64| -> Load {
        let whole = (fte * ONE as f64).round() as i64;
        [
            (fte * s.target_utilisation * ONE as f64).round() as i64,
            whole,
            whole,
        ]
    };
    let leaving = m
        .end
        .and_then(|d| Day::of(Some(d)).get())
        .is_some_and(|d| d - today.0 < LEAVING_DAYS);
    let works = matches!(
        m.standing,
        Standing::Counted | Standing::Ramping(_) | Standing::Unknown
    ) || m.fte > 0.0;
    Carrier {
        give: limit(m.full_fte),
        take: limit(m.fte),
        sheds: works || m.standing == Standing::Left,
        receives: works && m.fte > 0.0 && !leaving && m.standing != Standing::Unknown,
        serves: Vec::new(),
    }
}

/// Proposes moves. `scope` is what the do-not-move list is read with.
///
/// # Errors
/// A do-not-move list that cannot be understood, in words.
pub fn propose(scope: &Scope<'_>, settings: &Settings, wish: &Wish) -> Result<Proposal, String> {
    let (book, s) = (scope.book, &settings.capacity);
    let rules = &s.rebalance;
    let keep = kept(scope, rules, wish)?;
    let team = Team::of(book, scope.today, s);
    let mut carriers: Vec<Carrier> = team
        .members
        .iter()
        .map(|m| carrier(m, scope.day(), s))
        .collect();
    // The accounts without a CSM are nobody's: a carrier without any limit, or without any room.
    let nobody = carriers.len();
    carriers.push(Carrier {
        sheds: wish.unassigned,
        ..Carrier::default()
    });
    let gathered = gather(scope, settings, &team, &keep, nobody);
    serve(&mut carriers, &gathered, &team);
    let limited = [rules.by_hours, rules.by_accounts, rules.by_arr];
    let items: Vec<Item> = gathered
        .accounts
        .iter()
        .map(|a| {
            let mut item = a.item.clone();
            for (load, limited) in item.load.iter_mut().zip(limited) {
                if !limited {
                    *load = 0;
                }
            }
            if item.load == [0; DIMS] {
                item.load[1] = 1;
            }
            item
        })
        .collect();
    let most = wish.max_moves.or(rules.max_moves).unwrap_or(usize::MAX);
    let solution = solve(&carriers, &items, most);
    let mut proposal = Proposal {
        currency: String::from_utf8_lossy(&book.reporting()).into_owned(),
        people: everybody(book, &team, &carriers, &gathered, s),
        before: people(solution.before),
        after: people(solution.after),
        proved: solution.proved,
        kept: keep.len(),
        limited,
        ..Proposal::default()
    };
    for m in &solution.moves {
        let a = &gathered.accounts[m.item];
        proposal.moves.push(Move {
            account: a.id,
            name: a.name.to_owned(),
            region: a.region.map(str::to_owned),
            arr: a.arr,
            hours: (a.sums.hours > 0).then(|| a.sums.hours as f64 / 1000.0),
            from: m.from,
            to: m.to,
            who: who(book, &team.members[m.to]),
            relief: people(m.relief),
            note: a.note.clone(),
            sums: a.sums,
        });
    }
    let before = proposal.with(|_| false);
    let after = proposal.with(|_| true);
    for ((p, b), a) in proposal.people.iter_mut().zip(before).zip(after) {
        (p.before, p.after) = (b, a);
    }
    proposal.notes = notes(&proposal, &items, &solution.moves, most);
    Ok(proposal)
}

/// The word by which a command finds somebody.
fn who(book: &Book, m: &Member) -> String {
    book.person_by_id(m.id)
        .and_then(|p| p.email())
        .map_or_else(|| m.name.clone(), str::to_owned)
}

/// The accounts that never move.
fn kept(scope: &Scope<'_>, rules: &RebalanceRules, wish: &Wish) -> Result<HashSet<u32>, String> {
    let mut kept = HashSet::new();
    for (query, place) in [
        (rules.keep.as_deref(), "[capacity.rebalance] keep"),
        (wish.keep.as_deref(), "the accounts to keep"),
    ] {
        let Some(query) = query.filter(|q| !q.trim().is_empty()) else {
            continue;
        };
        let expr = parse(query, Entity::Account).map_err(|e| format!("{place}: {e}"))?;
        kept.extend(filter(scope, Entity::Account, &expr));
    }
    Ok(kept)
}

/// An account on its way to the solver.
struct Account<'a> {
    id: LocalId,
    name: &'a str,
    region: Option<&'a str>,
    arr: Option<i64>,
    sums: Sums,
    item: Item,
    note: String,
}

struct Gathered<'a> {
    accounts: Vec<Account<'a>>,
    regions: BTreeMap<&'a str, usize>,
}

fn gather<'a>(
    scope: &Scope<'a>,
    settings: &Settings,
    team: &Team,
    keep: &HashSet<u32>,
    nobody: usize,
) -> Gathered<'a> {
    let book = scope.book;
    let unit = 10f64.powi(exponent(&book.reporting()) as i32);
    let mut kinds = Kinds::new(settings);
    let mut out = Gathered {
        accounts: Vec::new(),
        regions: BTreeMap::new(),
    };
    let starts: HashMap<usize, Day> = team
        .members
        .iter()
        .enumerate()
        .map(|(i, m)| (i, Day::of(m.start)))
        .collect();
    for a in book.accounts() {
        let place = kinds.place(&a) as usize;
        let kind = &kinds.all[place];
        if kind.former {
            continue;
        }
        let owner = a
            .csm_id()
            .and_then(|id| team.place(id))
            .map_or(nobody, |i| i as usize);
        let next = out.regions.len();
        let region = a.region().map(|r| *out.regions.entry(r).or_insert(next));
        let arr = a.arr_reporting().map(|m| m.minor);
        let load = load_of(kind, arr.unwrap_or(0), &settings.capacity, unit);
        let since = starts.get(&owner).copied().unwrap_or(Day::NONE);
        let continuity = continuity(&a, scope.day(), since, &settings.capacity.rebalance);
        out.accounts.push(Account {
            id: a.id(),
            name: a.name(),
            region: a.region(),
            arr,
            sums: Sums {
                accounts: 1,
                arr: arr.unwrap_or(0),
                hours: kind.hours.unwrap_or(0),
                load,
            },
            item: Item {
                owner,
                load,
                region,
                fixed: keep.contains(&a.row()),
                tier: continuity.tier,
                cost: continuity.cost,
            },
            note: continuity.note,
        });
    }
    out
}

struct Continuity {
    tier: u8,
    cost: u32,
    note: String,
}

/// What moving an account means for the customer. One with an open risk or a renewal at hand moves only when no other would do; of the
/// others, those who have known their CSM the shortest move first. How long that is can be bounded: no longer than the customer is one, and
/// than the CSM is with us.
fn continuity(
    a: &AccountRow<'_>,
    today: Day,
    csm_since: Day,
    rules: &RebalanceRules,
) -> Continuity {
    let since = Day::of(a.start()).max(csm_since);
    let known = since.get().map(|d| today.0.saturating_sub(d).max(0));
    let renews = a
        .renewal_day()
        .get()
        .map(|d| d - today.0)
        .filter(|d| (0..=i32::from(rules.quiet_days)).contains(d));
    let mut notes = Vec::new();
    if a.open_risk().is_some() {
        notes.push("open risk".to_owned());
    }
    notes.extend(renews.map(|d| format!("renews in {d}d")));
    let tier = u8::from(!notes.is_empty());
    match known {
        Some(days) if days < 365 => notes.push(format!("with the CSM at most {days}d")),
        Some(days) => notes.push(format!("with the CSM at most {}y", days / 365)),
        None => {}
    }
    Continuity {
        tier,
        // Without a day it may have been long.
        cost: known.map_or(3650, |d| d as u32),
        note: notes.join(", "),
    }
}

/// Which regions everybody serves: their own where somebody says so, else those where a good part of their accounts lies; somebody without
/// either serves all.
fn serve(carriers: &mut [Carrier], gathered: &Gathered<'_>, team: &Team) {
    let mut counts = vec![vec![0usize; gathered.regions.len()]; carriers.len()];
    for a in &gathered.accounts {
        if let Some(r) = a.item.region {
            counts[a.item.owner][r] += 1;
        }
    }
    for (c, carrier) in carriers.iter_mut().enumerate() {
        let own = team.members.get(c).and_then(|m| m.region.as_deref());
        let all: usize = counts[c].iter().sum();
        carrier.serves = match own {
            Some(own) => {
                let same = |r: &&str| r.eq_ignore_ascii_case(own);
                let mut serves = vec![false; gathered.regions.len()];
                for (region, place) in &gathered.regions {
                    serves[*place] = same(region);
                }
                serves
            }
            None if all == 0 => vec![true; gathered.regions.len()],
            None => {
                let enough = (all as f64 * SERVES).max(1.0);
                counts[c].iter().map(|n| *n as f64 >= enough).collect()
            }
        };
    }
}

fn everybody(
    book: &Book,
    team: &Team,
    carriers: &[Carrier],
    gathered: &Gathered<'_>,
    s: &CapacitySettings,
) -> Vec<PersonLoad> {
    let mut sums = vec![Sums::default(); carriers.len()];
    for a in &gathered.accounts {
        sums[a.item.owner].add(&a.sums, 1);
    }
    let mut all: Vec<PersonLoad> = team
        .members
        .iter()
        .map(|m| PersonLoad {
            person: Some(m.id),
            name: m.name.clone(),
            manager: book.person_by_id(m.manager).map(|p| p.name().to_owned()),
            region: m.region.clone(),
            fte: m.fte,
            note: m.note(),
            have: m.fte * s.hours_per_fte(),
            before: Work::default(),
            after: Work::default(),
            limit: [0; DIMS],
            sheds: false,
            sums: Sums::default(),
        })
        .collect();
    all.push(PersonLoad {
        person: None,
        name: "no CSM".into(),
        manager: None,
        region: None,
        fte: 0.0,
        note: String::new(),
        have: 0.0,
        before: Work::default(),
        after: Work::default(),
        limit: [0; DIMS],
        sheds: false,
        sums: Sums::default(),
    });
    for ((p, c), sums) in all.iter_mut().zip(carriers).zip(sums) {
        (p.limit, p.sheds, p.sums) = (c.give, c.sheds, sums);
    }
    all
}

/// What is still too much and why, or why nothing moves.
fn notes(p: &Proposal, items: &[Item], moves: &[super::solver::Move], most: usize) -> Vec<String> {
    let mut out = Vec::new();
    if p.before <= 0.0 {
        out.push("nobody has more than the limits allow: nothing has to move".into());
        return out;
    }
    let moved: HashSet<usize> = moves.iter().map(|m| m.item).collect();
    for (c, person) in p.people.iter().enumerate() {
        if person.after.overload <= 0.0 {
            continue;
        }
        let free = items
            .iter()
            .enumerate()
            .any(|(n, i)| i.owner == c && !i.fixed && !moved.contains(&n));
        let why = if moves.len() >= most {
            "no more moves are allowed"
        } else if free {
            "nobody who serves the regions of the other accounts has room for one of them"
        } else {
            "the other accounts are kept where they are"
        };
        let over = person.after.overload;
        out.push(format!(
            "{} still has too much by {over:.2} of a full-time person: {why}",
            person.name
        ));
    }
    out
}
