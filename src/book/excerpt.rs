//! Rows out of a [`Book`] again: the few that a screen cache keeps, and which accounts a delta touches.

use super::Book;
use super::id::{Entity, LocalId};
use super::rows::{Account, Escalation, Facts, Person, Rate, Renewal, RowDelta, Task};
use super::views::{AccountRow, EscalationRow, PersonRow, RenewalRow, TaskRow};
use std::collections::BTreeSet;

fn own(s: Option<&str>) -> Option<String> {
    s.map(str::to_owned)
}

impl AccountRow<'_> {
    /// The account and its facts, as they entered with the overlay applied.
    pub fn to_row(&self) -> (Account, Facts) {
        let account = Account {
            id: self.id(),
            name: self.name().to_owned(),
            domain: own(self.domain()),
            parent: self.parent(),
            segment: own(self.segment()),
            touch: own(self.touch()),
            csm: self.csm_id(),
            owner: Some(LocalId(self.book.accounts.owner.get(self.row))).filter(|i| i.is_some()),
            region: own(self.region()),
            industry: own(self.industry()),
            stage: own(self.stage()),
            arr: self.arr().filter(|_| !self.is_arr_counted()),
            start: self.start(),
            renewal: self.book.accounts.renewal.get(self.row).date(),
            notice_days: self.notice_days(),
            auto_renew: self.auto_renew(),
            health: self.health(),
            health_at: self.health_at(),
            sentiment: own(self.sentiment()),
            nps: self.nps(),
            snoozed_until: self.snoozed_until(),
            acked_at: self.acked_at(),
            acked_by: own(self.acked_by()),
            resolved_at: self.resolved_at(),
            resolved_reasons: own(self.resolved_reasons()),
            outcome: own(self.outcome()),
            level: own(self.level()),
            tags: self.tags().to_vec(),
        };
        let before = self
            .health()
            .zip(self.health_delta())
            .and_then(|(h, d)| u8::try_from(i16::from(h) - d).ok());
        let facts = Facts {
            usage: self.usage(),
            usage_at: self.usage_at(),
            usage_source: self.usage_source().map(Into::into),
            health_before: before,
            health_source: self.health_source().map(Into::into),
            open_tickets: self.open_tickets(),
            urgent_tickets: self.urgent_tickets(),
            ticket_at: self.ticket_at(),
            ticket_source: self.ticket_source().map(Into::into),
            last_touch: self.last_touch(),
            sponsor_left: self.sponsor_left(),
            contact_source: self.contact_source().map(Into::into),
            nps_at: self.nps_at(),
            nps_source: self.nps_source().map(Into::into),
            open_renewal: self.open_renewal().map(|r| r.id()),
            open_escalation: self.open_risk().map(|r| r.id()),
            changed_at: self.changed_at(),
            arr_source: self.arr_source().map(Into::into),
            arr_other: self.other_arr().map(|(other, _)| other),
            arr_other_source: self.other_arr().and_then(|(_, s)| s).map(Into::into),
        };
        (account, facts)
    }
}

impl RenewalRow<'_> {
    /// The renewal as it entered.
    pub fn to_row(&self) -> Renewal {
        let reference = |n: u32| Some(LocalId(n)).filter(|i| i.is_some());
        Renewal {
            id: self.id(),
            account: Some(self.account_id()).filter(|i| i.is_some()),
            name: self.name().to_owned(),
            due: self.due(),
            original_due: self.original_due(),
            pushes: self.pushes(),
            notice_deadline: self.notice_deadline(),
            amount: self.amount(),
            target: self.target(),
            stage: own(self.stage()),
            stage_kind: Some(self.stage_kind().to_owned()),
            forecast: own(self.forecast()),
            probability: self.probability(),
            owner: reference(self.book.renewals.owner.get(self.row)),
            outcome: own(self.outcome()),
            closed: self.closed(),
            next_step: own(self.next_step()),
        }
    }
}

impl TaskRow<'_> {
    /// The task as it entered, without its description, which the Book does not hold.
    pub fn to_row(&self) -> Task {
        let reference = |n: u32| Some(LocalId(n)).filter(|i| i.is_some());
        Task {
            id: self.id(),
            account: Some(self.account_id()).filter(|i| i.is_some()),
            title: self.title().to_owned(),
            description: None,
            due: self.due(),
            priority: own(self.priority()),
            priority_kind: own(self.priority_kind()),
            owner: reference(self.book.tasks.owner.get(self.row)),
            status: own(self.status()),
            status_kind: Some(self.status_kind().to_owned()),
            kind: own(self.kind()),
            class: own(self.class()),
            completed_at: self.completed_at(),
            escalation: self.escalation_id(),
        }
    }
}

impl EscalationRow<'_> {
    /// The risk as it entered, without its comments, which the Book does not hold.
    pub fn to_row(&self) -> Escalation {
        let reference = |n: u32| Some(LocalId(n)).filter(|i| i.is_some());
        Escalation {
            id: self.id(),
            account: Some(self.account_id()).filter(|i| i.is_some()),
            title: self.title().to_owned(),
            reason: own(self.reason()),
            status: own(self.status()),
            status_kind: Some(self.status_kind().to_owned()),
            priority: own(self.priority()),
            priority_kind: own(self.priority_kind()),
            owner: reference(self.book.escalations.owner.get(self.row)),
            opened: self.opened(),
            due: self.due(),
            closed: self.closed(),
            outcome: own(self.outcome()),
            comments: None,
        }
    }
}

impl PersonRow<'_> {
    /// The person as entered.
    pub fn to_row(&self) -> Person {
        Person {
            id: self.id(),
            name: self.book.people.name.get(self.row).to_owned(),
            email: own(self.email()),
            role: own(self.role()),
            active: match self.book.people.active.get(self.row) {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
            manager: self.manager_id(),
            region: own(self.region()),
            capacity_hours: self.capacity_hours(),
            start: self.start(),
            end: self.end(),
        }
    }
}

impl Book {
    /// The rows named, with everything that they refer to (their accounts, those accounts' open renewal and risk, people, rates): enough
    /// for a small Book that shows them as this one does. The overlay is applied already, so apply the result with an empty one.
    pub fn excerpt(&self, wanted: &[(Entity, u32)]) -> RowDelta {
        let mut accounts: BTreeSet<u32> = BTreeSet::new();
        let mut renewals: BTreeSet<u32> = BTreeSet::new();
        let mut tasks: BTreeSet<u32> = BTreeSet::new();
        let mut risks: BTreeSet<u32> = BTreeSet::new();
        for (entity, row) in wanted.iter().filter(|(e, r)| self.is_alive(*e, *r)) {
            let account = match entity {
                Entity::Account => Some(self.account(*row)),
                Entity::Renewal => {
                    renewals.insert(*row);
                    self.renewal(*row).account()
                }
                Entity::Task => {
                    tasks.insert(*row);
                    self.task(*row).account()
                }
                Entity::Escalation => {
                    risks.insert(*row);
                    self.escalation(*row).account()
                }
                _ => None,
            };
            accounts.extend(account.map(|a| a.row()));
        }
        for row in &accounts {
            renewals.extend(self.account(*row).open_renewal().map(|r| r.row()));
            risks.extend(self.account(*row).open_risk().map(|r| r.row()));
        }
        let mut delta = RowDelta {
            seq: self.seq(),
            accounts: accounts.iter().map(|r| self.account(*r).to_row()).collect(),
            renewals: renewals.iter().map(|r| self.renewal(*r).to_row()).collect(),
            tasks: tasks.iter().map(|r| self.task(*r).to_row()).collect(),
            escalations: risks.iter().map(|r| self.escalation(*r).to_row()).collect(),
            rates: self.rates().cloned().collect::<Vec<Rate>>(),
            ..RowDelta::default()
        };
        let people: BTreeSet<LocalId> = (delta.accounts.iter().flat_map(|(a, _)| [a.csm, a.owner]))
            .chain(delta.renewals.iter().map(|r| r.owner))
            .chain(delta.tasks.iter().map(|t| t.owner))
            .chain(delta.escalations.iter().map(|e| e.owner))
            .flatten()
            .collect();
        delta.people = people
            .into_iter()
            .filter_map(|id| Some(self.person_by_id(id)?.to_row()))
            .collect();
        delta
    }

    /// The accounts whose figures a delta may change, asked of the Book before it is applied.
    pub fn touched_by(&self, delta: &RowDelta) -> BTreeSet<LocalId> {
        let mut touched: BTreeSet<LocalId> = delta.accounts.iter().map(|(a, _)| a.id).collect();
        let mut add = |entity: Entity, id: LocalId, now: Option<LocalId>| {
            touched.extend(now);
            if let Some(row) = self.row_of(entity, id) {
                touched.insert(match entity {
                    Entity::Renewal => self.renewal(row).account_id(),
                    Entity::Task => self.task(row).account_id(),
                    Entity::Escalation => self.escalation(row).account_id(),
                    Entity::Opportunity => self.opportunities.chain.account(row),
                    Entity::Signal => self.signals.chain.account(row),
                    _ => id,
                });
            }
        };
        for r in &delta.renewals {
            add(Entity::Renewal, r.id, r.account);
        }
        for o in &delta.opportunities {
            add(Entity::Opportunity, o.id, o.account);
        }
        for (s, _) in &delta.signals {
            add(Entity::Signal, s.id, s.account);
        }
        for t in &delta.tasks {
            add(Entity::Task, t.id, t.account);
        }
        for e in &delta.escalations {
            add(Entity::Escalation, e.id, e.account);
        }
        for (entity, id) in &delta.removed {
            match entity {
                Entity::Person | Entity::Rate | Entity::Subscription | Entity::Movement => {}
                _ => add(*entity, *id, None),
            }
        }
        let sold = delta.subscriptions.iter().map(|s| (s.id, s.account));
        let moved = delta.movements.iter().map(|m| (m.id, m.account));
        touched.extend(sold.clone().chain(moved.clone()).filter_map(|(_, a)| a));
        let gone = |kind| {
            let of = delta.removed.iter().filter(move |(e, _)| *e == kind);
            of.map(|(_, id)| *id)
        };
        let sold = sold.map(|(id, _)| id).chain(gone(Entity::Subscription));
        touched.extend(sold.filter_map(|id| self.ledger.account_of_subscription(id)));
        let moved = moved.map(|(id, _)| id).chain(gone(Entity::Movement));
        touched.extend(moved.filter_map(|id| self.ledger.account_of_movement(id)));
        touched
    }
}
