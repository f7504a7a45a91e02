//! What we do: timeline, calls to action, their tasks.

use super::{Object, ObjectId, company, field, fixed, gsid, nothing, of, required, seen, user};
use crate::simulate::gainsight::picklists::Category;
use crate::simulate::gainsight::value::{Kind, Val, day, owned, second, text};
use crate::simulate::world::{Priority, RiskKind, RiskStatus, TaskStatus, TouchKind};

/// What happened between us and a customer.
pub(super) fn timeline() -> Object {
    Object {
        id: ObjectId::Timeline,
        name: "activity_timeline",
        label: "Timeline",
        rows: |w| w.touchpoints.len() as u32,
        visible: |w, r| {
            w.touchpoints
                .get(r as usize)
                .is_some_and(|t| t.in_gainsight && seen(w, t.account))
        },
        nested: true,
        writable: false,
        fields: vec![
            gsid(ObjectId::Timeline),
            field("ExternalId", "External ID", Kind::Text, nothing),
            field("ContextName", "Context", Kind::Text, |_, _| text("Company")),
            field("TypeName", "Type", Kind::Text, |w, r| {
                of(&w.touchpoints, r, |t| {
                    text(match t.kind {
                        TouchKind::Call => "Call",
                        TouchKind::Meeting | TouchKind::Review => "Meeting",
                        TouchKind::Email => "Email",
                        TouchKind::Update => "Update",
                    })
                })
            }),
            field("Subject", "Subject", Kind::Text, |w, r| {
                owned(w.touch_subject(r))
            }),
            field("Notes", "Notes", Kind::LongText, |w, r| {
                owned(w.touch_notes(r))
            }),
            field("NotesPlainText", "Notes (plain)", Kind::LongText, |w, r| {
                owned(w.touch_notes(r))
            }),
            field("ActivityDate", "Activity Date", Kind::DateTime, |w, r| {
                of(&w.touchpoints, r, |t| second(t.at))
            }),
            field("DurationInMins", "Duration", Kind::Number, |w, r| {
                Val::Num(f64::from(w.touch_minutes(r)))
            }),
            field(
                "GsCompanyId",
                "Company",
                Kind::Lookup(ObjectId::Company),
                |w, r| of(&w.touchpoints, r, |t| company(t.account)),
            ),
            field(
                "AuthorId",
                "Author",
                Kind::Lookup(ObjectId::User),
                |w, r| of(&w.touchpoints, r, |t| user(t.author)),
            ),
            field("GsCtaId", "CTA", Kind::Lookup(ObjectId::Cta), nothing),
            field(
                "InternalAttendees",
                "Internal Attendees",
                Kind::Text,
                nothing,
            ),
            field(
                "ExternalAttendees",
                "External Attendees",
                Kind::Text,
                |w, r| {
                    let contact = w.touchpoints.get(r as usize).and_then(|t| t.contact);
                    contact
                        .and_then(|c| w.contacts.get(c as usize))
                        .map_or(Val::Null, |c| text(&c.email))
                },
            ),
            fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                of(&w.touchpoints, r, |t| second(t.at + 600))
            }),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                of(&w.touchpoints, r, |t| second(t.at + 600))
            }),
        ],
    }
}

/// Calls to action.
pub(super) fn call_to_action() -> Object {
    Object {
        id: ObjectId::Cta,
        name: "call_to_action",
        label: "Call To Action",
        rows: |w| w.risks.len() as u32,
        visible: |w, r| {
            w.risks
                .get(r as usize)
                .is_some_and(|risk| seen(w, risk.account))
        },
        nested: false,
        writable: false,
        fields: vec![
            gsid(ObjectId::Cta),
            required("Name", "Name", Kind::Text, |w, r| {
                of(&w.risks, r, |risk| text(&risk.name))
            }),
            required(
                "CompanyId",
                "Company",
                Kind::Lookup(ObjectId::Company),
                |w, r| of(&w.risks, r, |risk| company(risk.account)),
            ),
            required("OwnerId", "Owner", Kind::Lookup(ObjectId::User), |w, r| {
                of(&w.risks, r, |risk| user(risk.owner))
            }),
            required("DueDate", "Due Date", Kind::Date, |w, r| {
                of(&w.risks, r, |risk| day(risk.due))
            }),
            required("TypeId", "Type", Kind::Pick(Category::CtaType), |w, r| {
                of(&w.risks, r, |risk| {
                    Val::Pick(Category::CtaType, risk.kind as u16)
                })
            }),
            required(
                "ReasonId",
                "Reason",
                Kind::Pick(Category::CtaReason),
                |w, r| {
                    of(&w.risks, r, |risk| {
                        Val::Pick(
                            Category::CtaReason,
                            match risk.kind {
                                RiskKind::Risk => risk.reason as u16,
                                RiskKind::Opportunity => 10,
                                RiskKind::Lifecycle => 11,
                            },
                        )
                    })
                },
            ),
            required(
                "StatusId",
                "Status",
                Kind::Pick(Category::CtaStatus),
                |w, r| {
                    of(&w.risks, r, |risk| {
                        Val::Pick(
                            Category::CtaStatus,
                            match risk.status {
                                RiskStatus::New => 0,
                                RiskStatus::InProgress => 1,
                                RiskStatus::Acknowledged => 2,
                                RiskStatus::ClosedSaved => 3,
                                RiskStatus::ClosedLost => 4,
                                RiskStatus::ClosedInvalid => 5,
                            },
                        )
                    })
                },
            ),
            required(
                "PriorityId",
                "Priority",
                Kind::Pick(Category::CtaPriority),
                |w, r| {
                    of(&w.risks, r, |risk| {
                        Val::Pick(
                            Category::CtaPriority,
                            match risk.priority {
                                Priority::High => 0,
                                Priority::Normal => 1,
                                Priority::Low => 2,
                            },
                        )
                    })
                },
            ),
            fixed("IsClosed", "Is Closed", Kind::Boolean, |w, r| {
                of(&w.risks, r, |risk| Val::Bool(risk.closed.is_some()))
            }),
            field("IsImportant", "Is Important", Kind::Boolean, |w, r| {
                of(&w.risks, r, |risk| Val::Bool(risk.important))
            }),
            field("ClosedDate", "Closed Date", Kind::DateTime, |w, r| {
                w.risks
                    .get(r as usize)
                    .and_then(|risk| risk.closed)
                    .map_or(Val::Null, second)
            }),
            field("Comments", "Comments", Kind::LongText, nothing),
            field("EntityType", "Entity Type", Kind::Text, |_, _| {
                text("Company")
            }),
            field("Source", "Source", Kind::Text, |_, _| text("Rule")),
            field("Playbook", "Playbook", Kind::Text, nothing),
            fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                of(&w.risks, r, |risk| second(risk.opened))
            }),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                of(&w.risks, r, |risk| second(risk.modified))
            }),
        ],
    }
}

/// The steps of a call to action.
pub(super) fn task() -> Object {
    Object {
        id: ObjectId::Task,
        name: "cs_task",
        label: "CS Task",
        rows: |w| w.tasks.len() as u32,
        visible: |w, r| {
            w.tasks
                .get(r as usize)
                .is_some_and(|task| task.risk.is_some() && seen(w, task.account))
        },
        nested: false,
        writable: false,
        fields: vec![
            gsid(ObjectId::Task),
            required("Name", "Name", Kind::Text, |w, r| {
                of(&w.tasks, r, |task| text(&task.subject))
            }),
            required("CTAId", "CTA", Kind::Lookup(ObjectId::Cta), |w, r| {
                w.tasks
                    .get(r as usize)
                    .and_then(|task| task.risk)
                    .map_or(Val::Null, |risk| Val::Row(ObjectId::Cta, risk))
            }),
            field(
                "CompanyId",
                "Company",
                Kind::Lookup(ObjectId::Company),
                |w, r| of(&w.tasks, r, |task| company(task.account)),
            ),
            field("OwnerId", "Owner", Kind::Lookup(ObjectId::User), |w, r| {
                of(&w.tasks, r, |task| user(task.owner))
            }),
            field("DueDate", "Due Date", Kind::Date, |w, r| {
                w.tasks
                    .get(r as usize)
                    .and_then(|task| task.due)
                    .map_or(Val::Null, day)
            }),
            field(
                "StatusId",
                "Status",
                Kind::Pick(Category::TaskStatus),
                |w, r| {
                    of(&w.tasks, r, |task| {
                        Val::Pick(
                            Category::TaskStatus,
                            u16::from(task.status == TaskStatus::Completed),
                        )
                    })
                },
            ),
            field(
                "PriorityId",
                "Priority",
                Kind::Pick(Category::CtaPriority),
                |_, _| Val::Pick(Category::CtaPriority, 1),
            ),
            fixed("IsClosed", "Is Closed", Kind::Boolean, |w, r| {
                of(&w.tasks, r, |task| Val::Bool(task.completed.is_some()))
            }),
            field("ClosedDate", "Closed Date", Kind::DateTime, |w, r| {
                w.tasks
                    .get(r as usize)
                    .and_then(|task| task.completed)
                    .map_or(Val::Null, second)
            }),
            field("Description", "Description", Kind::LongText, nothing),
            fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                of(&w.tasks, r, |task| second(task.created))
            }),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                of(&w.tasks, r, |task| second(task.modified))
            }),
        ],
    }
}
