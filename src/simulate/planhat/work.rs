//! The models about what runs and what happens: tasks, opportunities, licenses, conversations (notes and tickets), surveys,
//! churn, invoices, issues.

use serde_json::{Value, json};

use super::catalog::{
    COMPANIES, CONVERSATIONS, ENDUSERS, LICENSES, NPS, OPPORTUNITIES, TASKS, USERS, company,
    company_name, id, row_of, seen, stamped, user,
};
use crate::simulate::labels;
use crate::simulate::overlay::{
    Kind, Overlay, Table, derived, field, fixed, iso_day, iso_second, nothing, number, of, own_id,
    required, text,
};
use crate::simulate::world::{Driver, Renewal, RiskKind, RiskStatus, Stage, TouchKind, World};

const CHURN: usize = 9;
const INVOICES: usize = 10;

/// What the statuses of tasks are called; the documents name only the second [G].
pub(super) const TODO: &str = "To-do";
pub(super) const RUNNING: &str = "In-progress";
pub(super) const DONE: &str = "Done";

fn currency(world: &World, place: u8) -> Value {
    world
        .currencies
        .get(place as usize)
        .map_or(Value::Null, |currency| text(currency.code))
}

/// The name of the user that a row names, as it is now.
fn owner_name(state: &Overlay, table: usize, row: u32) -> Value {
    let id = state.text(table, row, "ownerId");
    row_of(USERS, &id)
        .filter(|row| state.exists(USERS, *row))
        .map_or(Value::Null, |row| state.named(USERS, row, "nickName"))
}

fn person(world: &World, contact: Option<u32>) -> Value {
    let found = contact.and_then(|row| Some((row, world.contacts.get(row as usize)?)));
    found.map_or_else(
        || json!([]),
        |(row, c)| json!([{ "id": id(ENDUSERS, row), "name": format!("{} {}", c.first, c.last) }]),
    )
}

pub(super) fn tasks() -> Table {
    let fields = vec![
        own_id("_id"),
        required("mainType", Kind::Text, |_, _| text("task")),
        required("companyId", Kind::Row(COMPANIES), |w, r| {
            of(&w.tasks, r, |t| company(t.account))
        }),
        derived("companyName", Kind::Text, |o, r| {
            company_name(o, TASKS, r, "companyId")
        }),
        field("startTime", Kind::Instant, |w, r| {
            of(&w.tasks, r, |t| t.due.map_or(Value::Null, iso_day))
        }),
        field("endTime", Kind::Instant, nothing),
        field("dateDone", Kind::Instant, |w, r| {
            of(&w.tasks, r, |t| t.completed.map_or(Value::Null, iso_second))
        }),
        field("action", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| text(&t.subject))
        }),
        field("description", Kind::Text, nothing),
        field("type", Kind::Text, |_, _| text("todo")),
        field("ownerId", Kind::Row(USERS), |w, r| {
            of(&w.tasks, r, |t| user(t.owner))
        }),
        derived("ownerName", Kind::Text, |o, r| owner_name(o, TASKS, r)),
        field("status", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| {
                use crate::simulate::world::TaskStatus::*;
                text(match t.status {
                    NotStarted | Deferred => TODO,
                    InProgress | Waiting => RUNNING,
                    Completed => DONE,
                })
            })
        }),
        field("isArchived", Kind::Bool, |w, r| {
            of(&w.tasks, r, |t| Value::Bool(labels::done(t.status)))
        }),
        field("noSpecificTime", Kind::Bool, |_, _| Value::Bool(true)),
        field("repeat", Kind::Text, nothing),
        field("repeatDays", Kind::Int, nothing),
        field("checklist", Kind::List, |_, _| json!([])),
        field("users", Kind::List, |_, _| json!([])),
        field("endusers", Kind::List, |w, r| {
            of(&w.tasks, r, |t| person(w, t.contact))
        }),
        field("externalId", Kind::Text, nothing),
        field("sourceId", Kind::Text, nothing),
        field("custom.Priority", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| text(labels::priority(t.priority)))
        }),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, |w, r| {
            of(&w.tasks, r, |t| iso_second(t.created))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            of(&w.tasks, r, |t| iso_second(t.modified))
        }),
    );
    Table {
        name: "tasks",
        fields,
        rows: |w| w.tasks.len() as u32,
        seen: |w, r| w.tasks.get(r as usize).is_some_and(|t| seen(w, t.account)),
        account: Some(|w, r| w.tasks[r as usize].account),
        stamps,
    }
}

fn renewal(world: &World, row: u32, read: impl FnOnce(&Renewal) -> Value) -> Value {
    of(&world.renewals, row, read)
}

pub(super) fn opportunities() -> Table {
    let fields = vec![
        own_id("_id"),
        field("title", Kind::Text, |w, r| {
            renewal(w, r, |row| {
                let year = row.original_due.year();
                text(&format!("Renewal {year}"))
            })
        }),
        required("companyId", Kind::Row(COMPANIES), |w, r| {
            renewal(w, r, |row| company(row.account))
        }),
        derived("companyName", Kind::Text, |o, r| {
            company_name(o, OPPORTUNITIES, r, "companyId")
        }),
        field("salesStage", Kind::Text, |w, r| {
            renewal(w, r, |row| text(labels::stage(row.stage)))
        }),
        field("status", Kind::Text, |w, r| {
            renewal(w, r, |row| {
                text(match row.stage {
                    Stage::Won => "won",
                    Stage::Lost => "lost",
                    _ => "active",
                })
            })
        }),
        field("dealDate", Kind::Instant, |w, r| {
            renewal(w, r, |row| iso_second(row.created))
        }),
        field("landingDate", Kind::Instant, |w, r| {
            renewal(w, r, |row| row.due.map_or(Value::Null, iso_day))
        }),
        field("closeDate", Kind::Instant, |w, r| {
            renewal(w, r, |row| {
                row.closed.or(row.due).map_or(Value::Null, iso_day)
            })
        }),
        field("_currency", Kind::Text, |w, r| {
            renewal(w, r, |row| currency(w, row.currency))
        }),
        field("ownerId", Kind::Row(USERS), |w, r| {
            renewal(w, r, |row| user(row.owner))
        }),
        field("mrr", Kind::Decimal, |w, r| {
            renewal(w, r, |row| number(w.major(row.amount, row.currency) / 12.0))
        }),
        field("arr", Kind::Decimal, |w, r| {
            renewal(w, r, |row| number(w.major(row.amount, row.currency)))
        }),
        field("nrr", Kind::Decimal, |w, r| {
            renewal(w, r, |_| Value::from(0))
        }),
        // A value that is sent is ignored; it follows from the amounts.
        derived("value", Kind::Decimal, |o, r| {
            let part = |name| o.named(OPPORTUNITIES, r, name).as_f64().unwrap_or(0.0);
            number(part("arr") + part("nrr"))
        }),
        field("contractLength", Kind::Int, |w, r| {
            renewal(w, r, |row| {
                of(&w.contracts, row.contract, |c| Value::from(c.term_months))
            })
        }),
        field("stageHistory", Kind::List, |_, _| json!([])),
        field("externalId", Kind::Text, |_, r| {
            Value::String(format!("renewal-{r:07}"))
        }),
        field("sourceId", Kind::Text, nothing),
        field("custom.Forecast Category", Kind::Text, |w, r| {
            renewal(w, r, |row| text(labels::forecast(row.forecast)))
        }),
        field("custom.Notice Deadline", Kind::Instant, |w, r| {
            renewal(w, r, |row| row.notice_deadline.map_or(Value::Null, iso_day))
        }),
        field("custom.Probability", Kind::Int, |w, r| {
            renewal(w, r, |row| Value::from(row.probability))
        }),
        field("custom.Loss Reason", Kind::Text, |w, r| {
            renewal(w, r, |row| {
                labels::reason(row.reason).map_or(Value::Null, text)
            })
        }),
        field("custom.Next Step", Kind::Text, |w, r| {
            renewal(w, r, |row| row.next_step.map_or(Value::Null, text))
        }),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, |w, r| {
            renewal(w, r, |row| iso_second(row.created))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            renewal(w, r, |row| iso_second(row.modified))
        }),
    );
    Table {
        name: "opportunities",
        fields,
        rows: |w| w.renewals.len() as u32,
        seen: |w, r| {
            w.renewals
                .get(r as usize)
                .is_some_and(|row| seen(w, row.account))
        },
        account: Some(|w, r| w.renewals[r as usize].account),
        stamps,
    }
}

pub(super) fn licenses() -> Table {
    let fields = vec![
        own_id("_id"),
        field("product", Kind::Text, |_, _| text("Platform")),
        required("_currency", Kind::Text, |w, r| {
            of(&w.contracts, r, |c| currency(w, c.currency))
        }),
        required("companyId", Kind::Row(COMPANIES), |w, r| {
            of(&w.contracts, r, |c| company(c.account))
        }),
        derived("companyName", Kind::Text, |o, r| {
            company_name(o, LICENSES, r, "companyId")
        }),
        required("fromDate", Kind::Instant, |w, r| {
            of(&w.contracts, r, |c| iso_day(c.start))
        }),
        field("toDate", Kind::Instant, |w, r| {
            of(&w.contracts, r, |c| iso_day(c.end))
        }),
        field("fixedPeriod", Kind::Bool, |_, _| Value::Bool(true)),
        field("mrr", Kind::Decimal, |w, r| {
            of(&w.contracts, r, |c| {
                number(w.major(c.arr, c.currency) / 12.0)
            })
        }),
        field("arr", Kind::Decimal, |w, r| {
            of(&w.contracts, r, |c| number(w.major(c.arr, c.currency)))
        }),
        field("value", Kind::Decimal, |w, r| {
            of(&w.contracts, r, |c| {
                number(w.major(c.arr, c.currency) * f64::from(c.term_months) / 12.0)
            })
        }),
        field("renewalStatus", Kind::Text, |w, r| {
            of(&w.contracts, r, |c| {
                let lost = w.renewals_of(c.account).any(|place| {
                    w.renewals[place].contract == r && w.renewals[place].stage == Stage::Lost
                });
                text(match (c.active, lost) {
                    (_, true) => "lost",
                    (true, _) => "ongoing",
                    _ => "renewed",
                })
            })
        }),
        field("renewalDate", Kind::Instant, |w, r| {
            of(&w.contracts, r, |c| {
                c.end.tomorrow().map_or(Value::Null, iso_day)
            })
        }),
        field("autoRenews", Kind::Bool, |w, r| {
            of(&w.contracts, r, |c| Value::Bool(c.auto_renew))
        }),
        // Months.
        field("renewalPeriod", Kind::Int, |w, r| {
            of(&w.contracts, r, |c| Value::from(c.term_months))
        }),
        // Days.
        field("noticePeriod", Kind::Int, |w, r| {
            of(&w.contracts, r, |c| Value::from(c.notice_days))
        }),
        field("externalId", Kind::Text, |_, r| {
            Value::String(format!("contract-{r:07}"))
        }),
        field("sourceId", Kind::Text, nothing),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, |w, r| {
            of(&w.contracts, r, |c| iso_day(c.start))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            of(&w.contracts, r, |c| iso_second(c.modified))
        }),
    );
    Table {
        name: "licenses",
        fields,
        rows: |w| w.contracts.len() as u32,
        seen: |w, r| {
            w.contracts
                .get(r as usize)
                .is_some_and(|c| seen(w, c.account))
        },
        account: Some(|w, r| w.contracts[r as usize].account),
        stamps,
    }
}

/// The case behind a conversation: the tickets come after the notes.
pub(super) fn case_of(world: &World, row: u32) -> Option<usize> {
    (row as usize)
        .checked_sub(world.touchpoints.len())
        .filter(|case| *case < world.cases.len())
}

/// Whether a conversation is a ticket.
pub(super) fn is_ticket(state: &Overlay, row: u32) -> bool {
    state.named(CONVERSATIONS, row, "type") == "ticket"
}

/// The row of the conversation for a case.
pub(super) fn ticket_row(world: &World, case: u32) -> Option<u32> {
    u32::try_from(world.touchpoints.len())
        .ok()?
        .checked_add(case)
}

macro_rules! conversation {
    ($world:ident, $row:ident, $note:ident => $of_note:expr, $case:ident => $of_case:expr) => {
        match case_of($world, $row) {
            Some(place) => {
                let $case = &$world.cases[place];
                $of_case
            }
            None => of(&$world.touchpoints, $row, |$note| $of_note),
        }
    };
}

pub(super) fn conversations() -> Table {
    let fields = vec![
        own_id("_id"),
        required(
            "companyId",
            Kind::Row(COMPANIES),
            |w, r| conversation!(w, r, n => company(n.account), c => company(c.account)),
        ),
        derived("companyName", Kind::Text, |o, r| {
            company_name(o, CONVERSATIONS, r, "companyId")
        }),
        required("type", Kind::Text, |w, r| {
            conversation!(w, r, n => text(match n.kind {
                TouchKind::Call => "call",
                TouchKind::Email => "email",
                _ => "note",
            }), _c => text("ticket"))
        }),
        field("subject", Kind::Text, |w, r| match case_of(w, r) {
            Some(place) => text(w.case_subject(place as u32)),
            None => text(&w.touch_subject(r)),
        }),
        derived("title", Kind::Text, |o, r| {
            if is_ticket(o, r) {
                o.named(CONVERSATIONS, r, "subject")
            } else {
                Value::Null
            }
        }),
        field("description", Kind::Text, |w, r| match case_of(w, r) {
            Some(place) => text(w.case_subject(place as u32)),
            None => text(&w.touch_notes(r)),
        }),
        derived("snippet", Kind::Text, |o, r| {
            let text = o.text(CONVERSATIONS, r, "description");
            Value::String(text.chars().take(200).collect())
        }),
        field(
            "date",
            Kind::Instant,
            |w, r| conversation!(w, r, n => iso_second(n.at), c => iso_second(c.opened)),
        ),
        field(
            "ownerId",
            Kind::Row(USERS),
            |w, r| conversation!(w, r, n => user(n.author), c => user(c.owner)),
        ),
        field("users", Kind::List, |w, r| {
            let owner = conversation!(w, r, n => Value::from(n.author), c => Value::from(c.owner));
            let row = owner.as_u64().unwrap_or(0) as u32;
            of(
                &w.users,
                row,
                |u| json!([{ "id": user(row), "name": u.name() }]),
            )
        }),
        field(
            "endusers",
            Kind::List,
            |w, r| conversation!(w, r, n => person(w, n.contact), c => person(w, c.contact)),
        ),
        // What follows is there for tickets only.
        field("email", Kind::Text, |w, r| {
            conversation!(w, r, _n => Value::Null, c => c
                .contact
                .map_or(Value::Null, |row| of(&w.contacts, row, |p| text(&p.email))))
        }),
        field(
            "status",
            Kind::Text,
            |w, r| conversation!(w, r, _n => Value::Null, c => text(labels::ticket_status(c.status))),
        ),
        field(
            "severity",
            Kind::Text,
            |w, r| conversation!(w, r, _n => Value::Null, c => text(labels::severity(c.severity))),
        ),
        field(
            "source",
            Kind::Text,
            |w, r| conversation!(w, r, _n => Value::Null, c => text(c.origin)),
        ),
        field(
            "closedAt",
            Kind::Instant,
            |w, r| conversation!(w, r, _n => Value::Null, c => c.closed.map_or(Value::Null, iso_second)),
        ),
        field("product", Kind::Text, nothing),
        field("url", Kind::Text, nothing),
        field("timeSpent", Kind::Int, |w, r| match case_of(w, r) {
            Some(_) => Value::Null,
            None => Value::from(w.touch_minutes(r)),
        }),
        field("tags", Kind::List, |_, _| json!([])),
        field("externalId", Kind::Text, nothing),
        field("sourceId", Kind::Text, |w, r| match case_of(w, r) {
            Some(place) => Value::String(format!("case-{place}")),
            None => Value::Null,
        }),
        field(
            "custom.Sentiment",
            Kind::Text,
            |w, r| conversation!(w, r, n => text(labels::sentiment(n.mood)), _c => Value::Null),
        ),
        field(
            "custom.Kind",
            Kind::Text,
            |w, r| conversation!(w, r, n => text(labels::touch_kind(n.kind)), _c => Value::Null),
        ),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed(
            "createdAt",
            Kind::Instant,
            |w, r| conversation!(w, r, n => iso_second(n.at), c => iso_second(c.opened)),
        ),
        fixed(
            "updatedAt",
            Kind::Instant,
            |w, r| conversation!(w, r, n => iso_second(n.at), c => iso_second(c.modified)),
        ),
    );
    Table {
        name: "conversations",
        fields,
        rows: |w| (w.touchpoints.len() + w.cases.len()) as u32,
        seen: |w, r| match case_of(w, r) {
            Some(place) => seen(w, w.cases[place].account),
            None => w
                .touchpoints
                .get(r as usize)
                .is_some_and(|n| n.in_gainsight && seen(w, n.account)),
        },
        account: Some(|w, r| match case_of(w, r) {
            Some(place) => w.cases[place].account,
            None => w.touchpoints[r as usize].account,
        }),
        stamps,
    }
}

pub(super) fn nps() -> Table {
    let fields = vec![
        own_id("_id"),
        required("email", Kind::Text, |w, r| {
            of(&w.surveys, r, |s| {
                s.contact
                    .map_or(Value::Null, |row| of(&w.contacts, row, |p| text(&p.email)))
            })
        }),
        field("companyId", Kind::Row(COMPANIES), |w, r| {
            of(&w.surveys, r, |s| company(s.account))
        }),
        derived("companyName", Kind::Text, |o, r| {
            company_name(o, NPS, r, "companyId")
        }),
        required("score", Kind::Int, |w, r| {
            of(&w.surveys, r, |s| Value::from(s.score))
        }),
        field("comment", Kind::Text, |w, r| text(w.survey_comment(r))),
        field("dateSent", Kind::Instant, |w, r| {
            of(&w.surveys, r, |s| iso_second(s.at - 86_400))
        }),
        field("dateAnswered", Kind::Instant, |w, r| {
            of(&w.surveys, r, |s| iso_second(s.at))
        }),
        field("source", Kind::Text, |_, _| text("planhat")),
        field("externalId", Kind::Text, nothing),
        field("sourceId", Kind::Text, nothing),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, |w, r| {
            of(&w.surveys, r, |s| iso_second(s.at))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            of(&w.surveys, r, |s| iso_second(s.at))
        }),
    );
    Table {
        name: "nps",
        fields,
        rows: |w| w.surveys.len() as u32,
        seen: |w, r| {
            w.surveys
                .get(r as usize)
                .is_some_and(|s| seen(w, s.account))
        },
        account: Some(|w, r| w.surveys[r as usize].account),
        stamps,
    }
}

/// The renewals that were lost. The documents do not show the fields; these names are a guess [G].
pub(super) fn churn() -> Table {
    let fields = vec![
        own_id("_id"),
        required("companyId", Kind::Row(COMPANIES), |w, r| {
            renewal(w, r, |row| company(row.account))
        }),
        derived("companyName", Kind::Text, |o, r| {
            company_name(o, CHURN, r, "companyId")
        }),
        field("churnDate", Kind::Instant, |w, r| {
            renewal(w, r, |row| row.due.map_or(Value::Null, iso_day))
        }),
        field("value", Kind::Decimal, |w, r| {
            renewal(w, r, |row| number(w.major(row.target, row.currency)))
        }),
        field("_currency", Kind::Text, |w, r| {
            renewal(w, r, |row| currency(w, row.currency))
        }),
        field("reasons", Kind::List, |w, r| {
            renewal(w, r, |row| match labels::reason(row.reason) {
                Some(reason) => json!([{ "value": reason }]),
                None => json!([]),
            })
        }),
        field("comment", Kind::Text, nothing),
        field("externalId", Kind::Text, nothing),
        field("sourceId", Kind::Text, nothing),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, |w, r| {
            renewal(w, r, |row| iso_second(row.modified))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            renewal(w, r, |row| iso_second(row.modified))
        }),
    );
    Table {
        name: "churn",
        fields,
        rows: |w| w.renewals.len() as u32,
        seen: |w, r| {
            w.renewals
                .get(r as usize)
                .is_some_and(|row| row.stage == Stage::Lost && seen(w, row.account))
        },
        account: Some(|w, r| w.renewals[r as usize].account),
        stamps,
    }
}

/// One invoice for each contract. Here the company is `cId`.
pub(super) fn invoices() -> Table {
    let fields = vec![
        own_id("_id"),
        required("cId", Kind::Row(COMPANIES), |w, r| {
            of(&w.contracts, r, |c| company(c.account))
        }),
        derived("companyName", Kind::Text, |o, r| {
            company_name(o, INVOICES, r, "cId")
        }),
        field("invoiceNo", Kind::Text, |_, r| {
            Value::String(format!("INV-{r:07}"))
        }),
        field("invoiceDate", Kind::Instant, |w, r| {
            of(&w.contracts, r, |c| iso_day(c.start))
        }),
        field("dueDate", Kind::Instant, |w, r| {
            of(&w.contracts, r, |c| {
                c.start
                    .checked_add(jiff::Span::new().days(30))
                    .map_or(Value::Null, iso_day)
            })
        }),
        field("currency", Kind::Text, |w, r| {
            of(&w.contracts, r, |c| currency(w, c.currency))
        }),
        field("amount", Kind::Decimal, |w, r| {
            of(&w.contracts, r, |c| number(w.major(c.arr, c.currency)))
        }),
        field("externalId", Kind::Text, nothing),
        field("sourceId", Kind::Text, nothing),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, |w, r| {
            of(&w.contracts, r, |c| iso_day(c.start))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            of(&w.contracts, r, |c| iso_second(c.modified))
        }),
    );
    Table {
        name: "invoices",
        fields,
        rows: |w| w.contracts.len() as u32,
        seen: |w, r| {
            w.contracts
                .get(r as usize)
                .is_some_and(|c| seen(w, c.account))
        },
        account: Some(|w, r| w.contracts[r as usize].account),
        stamps,
    }
}

/// Defects that customers complain of: the calls to action about the product. An issue names several companies.
pub(super) fn issues() -> Table {
    let fields = vec![
        own_id("_id"),
        required("title", Kind::Text, |w, r| {
            of(&w.risks, r, |risk| text(&risk.name))
        }),
        field("companyIds", Kind::List, |w, r| {
            of(&w.risks, r, |risk| json!([company(risk.account)]))
        }),
        field("enduserIds", Kind::List, |_, _| json!([])),
        field("status", Kind::Text, |w, r| {
            of(&w.risks, r, |risk| {
                text(match risk.status {
                    RiskStatus::New => "new",
                    RiskStatus::InProgress | RiskStatus::Acknowledged => "open",
                    _ => "closed",
                })
            })
        }),
        field("description", Kind::Text, nothing),
        field("externalId", Kind::Text, nothing),
        field("sourceId", Kind::Text, nothing),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, |w, r| {
            of(&w.risks, r, |risk| iso_second(risk.opened))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            of(&w.risks, r, |risk| iso_second(risk.modified))
        }),
    );
    Table {
        name: "issues",
        fields,
        rows: |w| w.risks.len() as u32,
        seen: |w, r| {
            w.risks.get(r as usize).is_some_and(|risk| {
                risk.kind == RiskKind::Risk
                    && risk.reason == Driver::ProductDefect
                    && seen(w, risk.account)
            })
        },
        account: Some(|w, r| w.risks[r as usize].account),
        stamps,
    }
}
