//! Who looks after customers, and how much of a full-time person each is today: part-time, in their ramp, leading, gone.

use super::settings::{CapacitySettings, Ramping};
use crate::book::{Book, LocalId, PersonRow, Role};
use jiff::civil::Date;
use std::collections::{BTreeSet, HashMap};

/// How somebody counts today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In full, or by their hours.
    Counted,
    /// In this month of their ramp, 1 being the first.
    Ramping(u32),
    /// Leads people.
    Leader,
    /// CS Ops, but CSM of some account.
    Ops,
    /// Begins later.
    NotStarted,
    /// Has left, but is still CSM of some account.
    Left,
    /// CSM of some account, but no source knows them.
    Unknown,
}

/// Somebody who looks after customers, or is named as a CSM.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Who.
    pub id: LocalId,
    /// What they are called.
    pub name: String,
    /// How they count.
    pub standing: Standing,
    /// Their hours as a part of full time.
    pub part: f64,
    /// The part of these that the ramp leaves, 0 to 1.
    pub ramp: f64,
    /// Full-time equivalents for customers today: hours × ramp × share of time.
    pub fte: f64,
    /// The same without the ramp: what they will be.
    pub full_fte: f64,
    /// Who leads them.
    pub manager: LocalId,
    /// Where they work, if somebody says so.
    pub region: Option<String>,
    /// First day.
    pub start: Option<Date>,
    /// Last day.
    pub end: Option<Date>,
}

impl Member {
    /// Why they do not count in full, for a table; empty when they do.
    pub fn note(&self) -> String {
        match self.standing {
            Standing::Counted if (self.part - 1.0).abs() < 1e-9 => String::new(),
            Standing::Counted => format!("part-time, {:.0} %", self.part * 100.0),
            Standing::Ramping(month) => {
                format!(
                    "month {month}, counts {:.0} %",
                    self.part * self.ramp * 100.0
                )
            }
            Standing::Leader if self.fte > 0.0 => {
                format!("leads, {:.0} % for accounts", self.fte * 100.0)
            }
            Standing::Leader => "leads".into(),
            Standing::Ops => "CS Ops".into(),
            Standing::NotStarted => self
                .start
                .map_or_else(|| "not here yet".into(), |d| format!("starts on {d}")),
            Standing::Left => self
                .end
                .map_or_else(|| "has left".into(), |d| format!("left on {d}")),
            Standing::Unknown => "no source knows who this is; counts in full".into(),
        }
    }
    /// Whether they look after customers: a CSM, here or soon.
    pub fn is_csm(&self) -> bool {
        matches!(
            self.standing,
            Standing::Counted | Standing::Ramping(_) | Standing::NotStarted | Standing::Unknown
        )
    }
    /// Their full-time equivalents for customers on a day, by what is known today.
    pub fn fte_on(&self, day: Date, settings: &CapacitySettings) -> f64 {
        if self.end.is_some_and(|end| end < day) || self.start.is_some_and(|s| s > day) {
            return 0.0;
        }
        self.full_fte * settings.ramp_of(month_of(self.start, day))
    }
}

/// Everybody that matters here.
#[derive(Clone, Debug, Default)]
pub struct Team {
    /// CSMs and whoever is named as one, by name.
    pub members: Vec<Member>,
    /// What those who lead them are called.
    pub leads: HashMap<LocalId, String>,
    places: HashMap<LocalId, u32>,
    /// CSMs who are here, as full-time equivalents that are paid: hours, not ramp.
    pub csms: f64,
    /// How many people that is.
    pub csm_heads: usize,
    /// Leaders, likewise.
    pub leaders: f64,
    /// CS Ops, likewise.
    pub ops: f64,
    /// How many people that is.
    pub ops_heads: usize,
}

impl Team {
    /// The team of a Book on a day.
    pub fn of(book: &Book, today: Date, settings: &CapacitySettings) -> Team {
        let carrying: BTreeSet<LocalId> = book.accounts().filter_map(|a| a.csm_id()).collect();
        let managers: BTreeSet<LocalId> = book
            .people()
            .filter(|p| p.is_active() && (carrying.contains(&p.id()) || role(p) == Some(Role::Csm)))
            .filter_map(|p| p.manager_id())
            .collect();
        let mut team = Team::default();
        for p in book.people() {
            let carries = carrying.contains(&p.id());
            let leads = managers.contains(&p.id());
            let member = member(&p, carries, leads, today, settings);
            let here = p.is_active()
                && p.start().is_none_or(|d| d <= today)
                && p.end().is_none_or(|d| d >= today);
            if here {
                let part = settings.part_time(p.capacity_hours());
                match member.as_ref().map(|m| m.standing) {
                    Some(Standing::Counted | Standing::Ramping(_)) => {
                        team.csms += part;
                        team.csm_heads += 1;
                    }
                    _ if role(&p) == Some(Role::CsOps) => {
                        team.ops += part;
                        team.ops_heads += 1;
                    }
                    _ if role(&p) == Some(Role::Leader) || leads => team.leaders += part,
                    _ => {}
                }
            }
            team.members
                .extend(member.filter(|m| carries || m.is_csm()));
        }
        for id in carrying {
            if book.person_by_id(id).is_none() {
                team.csms += 1.0;
                team.csm_heads += 1;
                team.members.push(unknown(id));
            }
        }
        team.members
            .sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        for m in &team.members {
            if let Some(lead) = book.person_by_id(m.manager) {
                team.leads.insert(lead.id(), lead.name().to_owned());
            }
        }
        let places = team.members.iter().zip(0..).map(|(m, i)| (m.id, i));
        team.places = places.collect();
        team
    }

    /// The place of somebody among the members.
    pub fn place(&self, id: LocalId) -> Option<u32> {
        self.places.get(&id).copied()
    }

    /// Full-time equivalents for customers today.
    pub fn fte(&self) -> f64 {
        self.members.iter().map(|m| m.fte).sum()
    }
}

fn role(p: &PersonRow<'_>) -> Option<Role> {
    Role::of(p.role()?)
}

/// The month of somebody's work on a day, 1 being the first; far beyond every ramp where no start is known.
pub(super) fn month_of(start: Option<Date>, day: Date) -> u32 {
    let Some(start) = start else {
        return u32::MAX;
    };
    let months = (i32::from(day.year()) - i32::from(start.year())) * 12
        + i32::from(day.month() - start.month())
        - i32::from(day.day() < start.day());
    u32::try_from(months).unwrap_or(0) + 1
}

fn unknown(id: LocalId) -> Member {
    Member {
        id,
        name: format!("#{id}"),
        standing: Standing::Unknown,
        part: 1.0,
        ramp: 1.0,
        fte: 1.0,
        full_fte: 1.0,
        manager: LocalId::NONE,
        region: None,
        start: None,
        end: None,
    }
}

fn member(
    p: &PersonRow<'_>,
    carries: bool,
    leads: bool,
    today: Date,
    settings: &CapacitySettings,
) -> Option<Member> {
    let gone = !p.is_active() || p.end().is_some_and(|d| d < today);
    let month = month_of(p.start(), today);
    let ramp = settings.ramp_of(month);
    let standing = match role(p) {
        _ if gone => Standing::Left,
        Some(Role::CsOps) => Standing::Ops,
        Some(Role::Leader) => Standing::Leader,
        Some(Role::Csm) => standing_of(p, ramp, month, today),
        // Who carries accounts is a CSM whatever the title says, unless they lead those who do.
        _ if carries && leads => Standing::Leader,
        _ if carries => standing_of(p, ramp, month, today),
        _ => return None,
    };
    let part = settings.part_time(p.capacity_hours());
    let share = match standing {
        Standing::Counted | Standing::Ramping(_) | Standing::Unknown => 1.0,
        Standing::NotStarted => 1.0,
        Standing::Leader => settings.leader_share.clamp(0.0, 1.0),
        Standing::Ops | Standing::Left => 0.0,
    };
    let now = match standing {
        Standing::NotStarted => 0.0,
        Standing::Ramping(_) if settings.ramping == Ramping::Exclude => 0.0,
        Standing::Ramping(_) => ramp,
        _ => 1.0,
    };
    Some(Member {
        id: p.id(),
        name: p.name().to_owned(),
        standing,
        part,
        ramp: now,
        fte: part * share * now,
        full_fte: part * share,
        manager: p.manager_id().unwrap_or_default(),
        region: p.region().map(str::to_owned),
        start: p.start(),
        end: p.end(),
    })
}

fn standing_of(p: &PersonRow<'_>, ramp: f64, month: u32, today: Date) -> Standing {
    if p.start().is_some_and(|d| d > today) {
        Standing::NotStarted
    } else if ramp < 1.0 {
        Standing::Ramping(month)
    } else {
        Standing::Counted
    }
}
