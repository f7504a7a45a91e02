use super::*;
use crate::book::{Capabilities, Contact, Escalation, Money, Person, Renewal, Task};
use crate::command::{Homes, Me, Rows, Selection, SourceInfo, parse};
use jiff::{civil::date, tz::TimeZone};
use std::collections::HashMap;

struct World {
    rows: Rows,
    people: Vec<Person>,
    me: Me,
    homes: Homes,
    sources: Vec<SourceInfo>,
    reasons: HashMap<LocalId, String>,
    zone: TimeZone,
    read_only: bool,
}

const A: LocalId = LocalId(1);
const B: LocalId = LocalId(2);

fn world() -> World {
    let (crm, cs): (SourceName, SourceName) = ("crm".into(), "cs".into());
    let mut rows = Rows::default();
    let account = |id, name: &str| Account {
        id,
        name: name.into(),
        arr: Money::new(24_000_000, "EUR"),
        csm: Some(LocalId(10)),
        ..Account::default()
    };
    let facts = Facts {
        open_escalation: Some(LocalId(5)),
        open_renewal: Some(LocalId(7)),
        ..Facts::default()
    };
    rows.accounts.insert(A, (account(A, "Northwind"), facts));
    rows.accounts
        .insert(B, (account(B, "Zeta"), Facts::default()));
    rows.escalations.insert(
        LocalId(5),
        Escalation {
            id: LocalId(5),
            account: Some(A),
            title: "Usage".into(),
            status_kind: Some("new".into()),
            priority_kind: Some("medium".into()),
            ..Escalation::default()
        },
    );
    rows.renewals.insert(
        LocalId(7),
        Renewal {
            id: LocalId(7),
            account: Some(A),
            name: "Northwind 2027".into(),
            due: Some(date(2026, 12, 31)),
            amount: Money::new(24_000_000, "EUR"),
            ..Renewal::default()
        },
    );
    rows.tasks.insert(
        LocalId(8),
        Task {
            id: LocalId(8),
            account: Some(A),
            title: "QBR deck".into(),
            status_kind: Some("open".into()),
            due: Some(date(2026, 11, 20)),
            ..Task::default()
        },
    );
    rows.contacts.push(Contact {
        id: LocalId(3),
        name: "Ann Lee".into(),
        ..Contact::default()
    });
    rows.held_by
        .insert(target(Entity::Account, A), vec![crm.clone(), cs.clone()]);
    rows.held_by
        .insert(target(Entity::Escalation, LocalId(5)), vec![cs.clone()]);
    rows.held_by
        .insert(target(Entity::Renewal, LocalId(7)), vec![crm.clone()]);
    rows.held_by
        .insert(target(Entity::Task, LocalId(8)), vec![cs.clone()]);
    let person = |id, name: &str, email: &str| Person {
        id: LocalId(id),
        name: name.into(),
        email: Some(email.into()),
        ..Person::default()
    };
    let info = |name: &SourceName| SourceInfo {
        name: Some(name.clone()),
        read_only: false,
        capabilities: Capabilities {
            writes: Vec::new(),
            choices: vec![(
                Entity::Renewal,
                "stage".into(),
                vec!["Negotiation".into(), "Closed Won".into()],
            )],
        },
    };
    World {
        rows,
        people: vec![
            person(10, "Dana Weiss", "dana@example.com"),
            person(11, "Bo Nilsson", "bo@example.com"),
        ],
        me: Me {
            name: "dana@example.com".into(),
            person: Some(LocalId(10)),
        },
        sources: vec![info(&crm), info(&cs)],
        homes: Homes {
            risk: Some(cs.clone()),
            note: Some(cs.clone()),
            task: Some(crm.clone()),
            renewal: Some(crm),
            csm: Some(cs),
        },
        reasons: HashMap::from([(A, "usage".to_owned())]),
        zone: TimeZone::UTC,
        read_only: false,
    }
}

impl World {
    fn plan(&self, line: &str, targets: &[Target]) -> Result<Plan, String> {
        let selection = Selection {
            targets: targets.to_vec(),
            items: Vec::new(),
        };
        let command = parse(line).map_err(|e| e.to_string())?;
        plan(
            &command,
            &Context {
                selection: &selection,
                rows: &self.rows,
                people: &self.people,
                me: &self.me,
                now: "2026-11-22T10:00:00Z".parse().expect("an instant"),
                today: date(2026, 11, 22),
                zone: &self.zone,
                fiscal_month: 1,
                homes: &self.homes,
                sources: &self.sources,
                read_only: self.read_only,
                other: None,
                candidate: None,
                reasons: &self.reasons,
            },
        )
        .map_err(|e| e.0)
    }
}

/// `verb entity#id@source field=want …` of each change: enough to see all that matters.
fn shown(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|c| {
            let fields: Vec<String> = c
                .fields
                .iter()
                .map(|f| format!("{}={}", f.field, f.want))
                .collect();
            format!(
                "{:?} {}#{}@{} {}",
                c.verb,
                c.target.entity,
                c.target.id,
                c.source,
                fields.join(" ")
            )
        })
        .collect()
}

fn account(id: LocalId) -> Target {
    target(Entity::Account, id)
}

#[test]
fn ack_marks_the_open_risk_and_creates_one_where_there_is_none() {
    let w = world();
    let p = w
        .plan("ack", &[account(A), account(B), account(A)])
        .expect("a plan");
    assert_eq!(
        shown(&p),
        [
            "Update escalation#5@cs status_kind=acknowledged",
            "Update account#1@local acked_at=2026-11-22T10:00:00Z acked_by=dana@example.com",
            "Create escalation#0@cs status_kind=acknowledged account=#2 title=Risk: Zeta opened=2026-11-22T10:00:00Z priority_kind=medium",
            "Update account#2@local acked_at=2026-11-22T10:00:00Z acked_by=dana@example.com",
        ]
    );
    assert_eq!(p.summary, "acknowledged 2 accounts");
}

#[test]
fn escalate_raises_level_and_priority_and_notes_the_level() {
    let mut w = world();
    let p = w
        .plan("escalate --reason sponsor left", &[account(A)])
        .expect("a plan");
    assert_eq!(
        shown(&p),
        [
            "Update account#1@local level=L1",
            "Update escalation#5@cs priority_kind=high reason=sponsor left",
            "Create touchpoint#0@cs account=#1 kind=note subject=Escalated to L1: sponsor left body=Escalated to L1: sponsor left at=2026-11-22T10:00:00Z author=#10",
        ]
    );
    w.rows.accounts.get_mut(&A).expect("there").0.level = Some("L3".into());
    assert_eq!(
        w.plan("escalate", &[account(A)]),
        Err("Northwind is at L3 already, the highest level".into())
    );
    assert!(shown(&w.plan("deescalate", &[account(A)]).expect("a plan"))[0].contains("level=L2"));
    assert_eq!(
        w.plan("escalate --to L9", &[account(A)]),
        Err("`L9` is no level; there are L0, L1, L2, L3".into())
    );
}

#[test]
fn resolve_closes_the_risk_and_remembers_the_reasons() {
    let p = world()
        .plan("resolve saved --reason new sponsor", &[account(A)])
        .expect("a plan");
    assert_eq!(
        shown(&p),
        [
            "Update escalation#5@cs status_kind=closed outcome=saved comments=new sponsor",
            "Update account#1@local resolved_at=2026-11-22T10:00:00Z resolved_reasons=usage outcome=saved",
        ]
    );
}

#[test]
fn people_are_found_by_name_mail_and_part_and_mistakes_are_named() {
    let w = world();
    for who in ["bo", "Bo Nilsson", "bo@example.com", "nils"] {
        let p = w
            .plan(&format!("assign \"{who}\""), &[account(A)])
            .expect(who);
        assert_eq!(shown(&p), ["Update escalation#5@cs owner=#11"]);
    }
    assert_eq!(
        w.plan("assign Xavier", &[account(A)]),
        Err("nobody of ours is called `Xavier`".into())
    );
    assert!(
        w.plan("owner bo", &[account(A)])
            .is_ok_and(|p| shown(&p) == ["Update account#1@cs csm=#11"])
    );
}

#[test]
fn a_write_goes_where_the_record_lives() {
    let w = world();
    let task = target(Entity::Task, LocalId(8));
    // The home of tasks is crm, but this one lives in cs.
    assert_eq!(
        shown(&w.plan("task done", &[task]).expect("a plan")),
        ["Update task#8@cs status_kind=done"]
    );
    assert_eq!(
        shown(&w.plan("task move +3d", &[task]).expect("a plan")),
        ["Update task#8@cs due=2026-11-25"]
    );
    assert_eq!(
        shown(
            &w.plan("task new Call --due fri --priority P1", &[task])
                .expect("a plan")
        ),
        [
            "Create task#0@crm account=#1 title=Call status_kind=open priority_kind=p1 due=2026-11-27 owner=#10"
        ]
    );
    assert!(w.plan("task done", &[account(A)]).is_err());
}

#[test]
fn renewals_take_the_vendors_stages_canonical_categories_and_amounts() {
    let w = world();
    let one = |line: &str| w.plan(line, &[account(A)]).map(|p| shown(&p).join("; "));
    assert_eq!(
        one("renewal stage \"closed won\"").as_deref(),
        Ok("Update renewal#7@crm stage=Closed Won")
    );
    assert_eq!(
        one("renewal forecast commit").as_deref(),
        Ok("Update renewal#7@crm forecast=commit")
    );
    assert_eq!(
        one("renewal amount 118k").as_deref(),
        Ok("Update renewal#7@crm amount=118000.00 EUR")
    );
    assert_eq!(
        one("renewal close 2027-02-15").as_deref(),
        Ok("Update renewal#7@crm due=2027-02-15")
    );
    assert_eq!(
        one("renewal stage Negotiate"),
        Err("`Negotiate` is no stage, did you mean `Negotiation`?".into())
    );
    assert_eq!(
        w.plan("renewal amount 1k", &[account(B)]),
        Err("there is no open renewal here".into())
    );
}

#[test]
fn what_is_kept_here_goes_to_the_local_source() {
    let w = world();
    let one = |line: &str| w.plan(line, &[account(A)]).map(|p| shown(&p).join("; "));
    assert_eq!(
        one("snooze +2w").as_deref(),
        Ok("Update account#1@local snoozed_until=2026-12-06")
    );
    assert_eq!(
        one("tag +Pilot").as_deref(),
        Ok("Update account#1@local tags=pilot")
    );
    assert_eq!(
        one("sentiment watch").as_deref(),
        Ok("Update account#1@local sentiment=watch")
    );
    assert_eq!(
        one("snooze yesterday"),
        Err("2026-11-21 is not in the future: snooze until a later day".into())
    );
    assert_eq!(one("wake"), Err("it is awake already".into()));
    assert_eq!(one("tag -pilot"), Err("it has no such tag".into()));
}

#[test]
fn notes_and_calls_carry_day_contact_and_author() {
    let w = world();
    let p = w
        .plan(
            "log call --date 2026-11-20 --contact ann Spoke about pricing\nwill sign",
            &[account(A)],
        )
        .expect("a plan");
    assert_eq!(
        shown(&p),
        [
            "Create touchpoint#0@cs account=#1 kind=call subject=Spoke about pricing body=Spoke about pricing\nwill sign at=2026-11-20T12:00:00Z author=#10 contact=#3"
        ]
    );
    assert!(w.plan("log call --date tomorrow x", &[account(A)]).is_err());
    assert!(w.plan("log call --contact bob x", &[account(A)]).is_err());
    assert_eq!(
        w.plan("note", &[account(A)]),
        Err("`note` needs TEXT: note TEXT".into())
    );
}

#[test]
fn read_only_homes_and_selection_are_reasons_not_to_run() {
    let mut w = world();
    assert_eq!(w.plan("ack", &[]), Err("no account is selected".into()));
    w.sources[1].read_only = true;
    assert_eq!(
        w.plan("ack", &[account(A)]),
        Err("cs is read-only: `readonly off cs` allows writes again".into())
    );
    w.read_only = true;
    assert!(
        w.plan("snooze 3d", &[account(A)])
            .is_err_and(|e| e.contains("csops is read-only"))
    );
    w.read_only = false;
    w.homes.note = None;
    assert_eq!(
        w.plan("note x", &[account(A)]),
        Err("no source takes a note: set [write] note in config.toml to a source, or to \"local\" to keep it here".into())
    );
}

#[test]
fn an_edit_that_changes_nothing_is_said_and_not_written() {
    let w = world();
    assert_eq!(
        w.plan("owner dana", &[account(A)]),
        Err("Dana Weiss has it already".into())
    );
    assert_eq!(
        w.plan("renewal close 2026-12-31", &[account(A)]),
        Err("its close date is that already".into())
    );
}
