//! Tasks, notes, calls, meetings, mails and survey answers. Notes, calls, meetings and mails are the touchpoints of the
//! world that no other system keeps; a touchpoint is one of the four by its kind.

use super::catalog::{Field, Object, ObjectId, field, stamp};
use super::records::{mood, mood_field, owner, seen};
use super::value::{Kind, Val, day, number, owned, second, text};
use crate::simulate::world::{Priority, Survey, Task, TaskStatus, TouchKind, Touchpoint, World};

fn task_of<'a>(world: &'a World, row: u32, read: impl FnOnce(&'a Task) -> Val<'a>) -> Val<'a> {
    world.tasks.get(row as usize).map_or(Val::Null, read)
}

/// The states of a task; what is between the first and the last is unverified.
pub(super) const TASK_STATES: [(&str, &str); 5] = [
    ("NOT_STARTED", "Not started"),
    ("IN_PROGRESS", "In progress"),
    ("WAITING", "Waiting"),
    ("DEFERRED", "Deferred"),
    ("COMPLETED", "Completed"),
];

pub(super) fn task() -> Object {
    let fields = vec![
        // When it is due: at noon of the day, as the portal's people enter it.
        field("hs_timestamp", "Due date", Kind::DateTime, |w, r| {
            task_of(w, r, |row| match day(row.due).measure() {
                Some(ms) => Val::Ms(ms as i64 + 12 * 3_600_000),
                None => Val::Null,
            })
        }),
        field("hs_task_subject", "Task Title", Kind::Text, |w, r| {
            task_of(w, r, |row| text(&row.subject))
        })
        .searched(),
        field("hs_task_body", "Task Notes", Kind::Text, |_, _| Val::Null)
            .area()
            .searched(),
        field("hs_task_status", "Task Status", Kind::Pick, |w, r| {
            task_of(w, r, |row| {
                text(match row.status {
                    TaskStatus::NotStarted => "NOT_STARTED",
                    TaskStatus::InProgress => "IN_PROGRESS",
                    TaskStatus::Waiting => "WAITING",
                    TaskStatus::Completed => "COMPLETED",
                    TaskStatus::Deferred => "DEFERRED",
                })
            })
        })
        .options(&TASK_STATES),
        field("hs_task_priority", "Priority", Kind::Pick, |w, r| {
            task_of(w, r, |row| {
                text(match row.priority {
                    Priority::Low => "LOW",
                    Priority::Normal => "MEDIUM",
                    Priority::High => "HIGH",
                })
            })
        })
        .options(&[
            ("NONE", "None"),
            ("LOW", "Low"),
            ("MEDIUM", "Medium"),
            ("HIGH", "High"),
        ]),
        field("hs_task_type", "Task Type", Kind::Pick, |_, _| text("TODO")).options(&[
            ("TODO", "To Do"),
            ("CALL", "Call"),
            ("EMAIL", "Email"),
        ]),
        field("hubspot_owner_id", "Assigned to", Kind::Owner, |w, r| {
            task_of(w, r, |row| owner(row.owner))
        }),
        field(
            "hs_task_completion_date",
            "Completed at",
            Kind::DateTime,
            |w, r| task_of(w, r, |row| stamp(row.completed)),
        )
        .fixed(),
    ];
    Object::new(
        ObjectId::Task,
        |w| w.tasks.len() as u32,
        // The steps of a call to action live where the call to action lives.
        |w, r| {
            w.tasks
                .get(r as usize)
                .is_some_and(|row| row.risk.is_none() && seen(w, row.account))
        },
        (
            |w, r| stamp(w.tasks.get(r as usize).map(|row| row.created)),
            |w, r| stamp(w.tasks.get(r as usize).map(|row| row.modified)),
        ),
        fields,
    )
}

fn touch<'a>(world: &'a World, row: u32, read: impl FnOnce(&'a Touchpoint) -> Val<'a>) -> Val<'a> {
    world.touchpoints.get(row as usize).map_or(Val::Null, read)
}

/// Which of the four a touchpoint is.
pub(super) fn touch_object(kind: TouchKind) -> ObjectId {
    match kind {
        TouchKind::Call => ObjectId::Call,
        TouchKind::Meeting | TouchKind::Review => ObjectId::Meeting,
        TouchKind::Email => ObjectId::Email,
        TouchKind::Update => ObjectId::Note,
    }
}

fn touched(world: &World, row: u32, object: ObjectId) -> bool {
    world.touchpoints.get(row as usize).is_some_and(|row| {
        !row.in_gainsight && touch_object(row.kind) == object && seen(world, row.account)
    })
}

fn touch_object_with(id: ObjectId, visible: fn(&World, u32) -> bool, fields: Vec<Field>) -> Object {
    let mut all = vec![
        field("hs_timestamp", "Activity date", Kind::DateTime, |w, r| {
            touch(w, r, |row| second(row.at))
        }),
        field(
            "hubspot_owner_id",
            "Activity assigned to",
            Kind::Owner,
            |w, r| touch(w, r, |row| owner(row.author)),
        ),
    ];
    all.extend(fields);
    all.push(mood_field(|w, r| touch(w, r, |row| mood(row.mood))));
    let at: super::catalog::Reader = |w, r| touch(w, r, |row| second(row.at));
    Object::new(id, |w| w.touchpoints.len() as u32, visible, (at, at), all)
}

/// Bodies are HTML.
fn body(world: &World, row: u32) -> Val<'_> {
    let notes = world.touch_notes(row);
    if notes.is_empty() {
        return Val::Null;
    }
    let safe = notes
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    owned(format!("<p>{safe}</p>"))
}

pub(super) fn note() -> Object {
    let fields = vec![
        field("hs_note_body", "Note body", Kind::Text, body)
            .area()
            .searched(),
    ];
    touch_object_with(ObjectId::Note, |w, r| touched(w, r, ObjectId::Note), fields)
}

pub(super) fn call() -> Object {
    let fields = vec![
        field("hs_call_title", "Call Title", Kind::Text, |w, r| {
            owned(w.touch_subject(r))
        })
        .searched(),
        field("hs_call_body", "Call notes", Kind::Text, body)
            .area()
            .searched(),
        // In milliseconds.
        field("hs_call_duration", "Call duration", Kind::Number, |w, r| {
            number(w.touch_minutes(r) * 60_000)
        }),
        field("hs_call_direction", "Call direction", Kind::Pick, |_, _| {
            text("OUTBOUND")
        })
        .options(&[("INBOUND", "Inbound"), ("OUTBOUND", "Outbound")]),
        field("hs_call_status", "Call status", Kind::Pick, |_, _| {
            text("COMPLETED")
        })
        .options(&[
            ("COMPLETED", "Completed"),
            ("NO_ANSWER", "No answer"),
            ("BUSY", "Busy"),
            ("CANCELED", "Canceled"),
        ]),
        field("hs_call_disposition", "Call outcome", Kind::Text, |_, _| {
            Val::Null
        }),
    ];
    touch_object_with(ObjectId::Call, |w, r| touched(w, r, ObjectId::Call), fields)
}

pub(super) fn meeting() -> Object {
    let fields = vec![
        field("hs_meeting_title", "Meeting name", Kind::Text, |w, r| {
            owned(w.touch_subject(r))
        })
        .searched(),
        field("hs_meeting_body", "Meeting notes", Kind::Text, body)
            .area()
            .searched(),
        field(
            "hs_meeting_start_time",
            "Meeting start time",
            Kind::DateTime,
            |w, r| touch(w, r, |row| second(row.at)),
        ),
        field(
            "hs_meeting_end_time",
            "Meeting end time",
            Kind::DateTime,
            |w, r| {
                touch(w, r, |row| {
                    second(row.at + 60 * i64::from(w.touch_minutes(r)))
                })
            },
        ),
        field(
            "hs_meeting_outcome",
            "Meeting outcome",
            Kind::Pick,
            |_, _| text("COMPLETED"),
        )
        .options(&[
            ("SCHEDULED", "Scheduled"),
            ("COMPLETED", "Completed"),
            ("NO_SHOW", "No show"),
            ("CANCELED", "Canceled"),
        ]),
    ];
    touch_object_with(
        ObjectId::Meeting,
        |w, r| touched(w, r, ObjectId::Meeting),
        fields,
    )
}

pub(super) fn email() -> Object {
    let fields = vec![
        field("hs_email_subject", "Email subject", Kind::Text, |w, r| {
            owned(w.touch_subject(r))
        })
        .searched(),
        field("hs_email_text", "Email body", Kind::Text, |w, r| {
            owned(w.touch_notes(r))
        })
        .searched(),
        field(
            "hs_email_direction",
            "Email direction",
            Kind::Pick,
            |_, _| text("EMAIL"),
        )
        .options(&[("EMAIL", "Outgoing"), ("INCOMING_EMAIL", "Incoming")]),
        field(
            "hs_email_status",
            "Email send status",
            Kind::Pick,
            |_, _| text("SENT"),
        )
        .options(&[
            ("SENT", "Sent"),
            ("BOUNCED", "Bounced"),
            ("FAILED", "Failed"),
        ]),
    ];
    touch_object_with(
        ObjectId::Email,
        |w, r| touched(w, r, ObjectId::Email),
        fields,
    )
}

fn survey<'a>(world: &'a World, row: u32, read: impl FnOnce(&'a Survey) -> Val<'a>) -> Val<'a> {
    world.surveys.get(row as usize).map_or(Val::Null, read)
}

pub(super) fn feedback() -> Object {
    let at: super::catalog::Reader = |w, r| survey(w, r, |row| second(row.at));
    let fields = vec![
        field("hs_survey_type", "Survey type", Kind::Pick, |_, _| {
            text("NPS")
        })
        .options(&[("NPS", "NPS"), ("CES", "CES"), ("CSAT", "CSAT")]),
        field("hs_survey_name", "Survey name", Kind::Text, |_, _| {
            text("Customer loyalty")
        })
        .searched(),
        field("hs_value", "Rating", Kind::Number, |w, r| {
            survey(w, r, |row| number(row.score))
        })
        .default(),
        field("hs_content", "Content", Kind::Text, |w, r| {
            text(w.survey_comment(r))
        })
        .default()
        .searched(),
        field(
            "hs_submission_timestamp",
            "Submission timestamp",
            Kind::DateTime,
            at,
        )
        .default(),
    ];
    Object::new(
        ObjectId::Feedback,
        |w| w.surveys.len() as u32,
        // A survey is sent to somebody: an answer without a person is not the portal's.
        |w, r| {
            w.surveys
                .get(r as usize)
                .is_some_and(|row| row.contact.is_some() && seen(w, row.account))
        },
        (at, at),
        fields,
    )
}
