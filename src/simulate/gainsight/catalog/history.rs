//! What was measured and what was deleted.

use super::{Object, ObjectId, company, field, fixed, gsid, nothing, of, required, seen};
use crate::simulate::gainsight::value::{Kind, Val, day, second, text};
use crate::simulate::world::{WEEKS, World};

/// Use of the product, week by week.
pub(super) fn usage() -> Object {
    Object {
        id: ObjectId::Usage,
        name: "Usage_Weekly__gc",
        label: "Usage Weekly",
        rows: |w| (w.accounts.len() * WEEKS) as u32,
        visible: |w, r| {
            let (account, week) = weekly(w, r);
            seen(w, account) && w.usage(account, week).is_some()
        },
        nested: false,
        writable: true,
        fields: vec![
            gsid(ObjectId::Usage),
            required(
                "Company__gc",
                "Company",
                Kind::Lookup(ObjectId::Company),
                |w, r| company(weekly(w, r).0),
            ),
            required("Week_Start__gc", "Week Start", Kind::Date, |w, r| {
                day(w.week_start(weekly(w, r).1))
            }),
            field("Active_Users__gc", "Active Users", Kind::Number, |w, r| {
                let (account, week) = weekly(w, r);
                w.usage(account, week)
                    .map_or(Val::Null, |usage| Val::Num(f64::from(usage.active_users)))
            }),
            field(
                "Licensed_Users__gc",
                "Licensed Users",
                Kind::Number,
                |w, r| {
                    let (account, week) = weekly(w, r);
                    w.usage(account, week)
                        .map_or(Val::Null, |usage| Val::Num(f64::from(usage.seats)))
                },
            ),
            field("Logins__gc", "Logins", Kind::Number, |w, r| {
                let (account, week) = weekly(w, r);
                w.usage(account, week)
                    .map_or(Val::Null, |usage| Val::Num(f64::from(usage.logins)))
            }),
            field(
                "Adoption__gc",
                "Feature Adoption",
                Kind::Percentage,
                |w, r| {
                    let (account, week) = weekly(w, r);
                    w.usage(account, week)
                        .map_or(Val::Null, |usage| Val::Num(f64::from(usage.adoption)))
                },
            ),
            fixed("CreatedDate", "Created Date", Kind::DateTime, week_end),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, week_end),
        ],
    }
}

/// Health scores, week by week and after each change.
pub(super) fn health_history() -> Object {
    Object {
        id: ObjectId::HealthHistory,
        name: "Scorecard_History__gc",
        label: "Scorecard History",
        rows: |w| (w.accounts.len() * WEEKS) as u32,
        visible: |w, r| {
            let (account, week) = weekly(w, r);
            seen(w, account) && w.health(account, week).is_some()
        },
        nested: false,
        writable: false,
        fields: vec![
            gsid(ObjectId::HealthHistory),
            field(
                "Company__gc",
                "Company",
                Kind::Lookup(ObjectId::Company),
                |w, r| company(weekly(w, r).0),
            ),
            field(
                "Snapshot_Date__gc",
                "Snapshot Date",
                Kind::Date,
                |w, r| match week_end(w, r) {
                    Val::Ms(ms) => Val::Ms(ms - ms.rem_euclid(86_400_000)),
                    other => other,
                },
            ),
            field("Score__gc", "Score", Kind::Number, |w, r| {
                let (account, week) = weekly(w, r);
                w.health(account, week)
                    .map_or(Val::Null, |score| Val::Num(f64::from(score)))
            }),
            fixed("CreatedDate", "Created Date", Kind::DateTime, week_end),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, week_end),
        ],
    }
}

/// Answers to surveys.
pub(super) fn nps() -> Object {
    Object {
        id: ObjectId::Nps,
        name: "nps_survey_response",
        label: "NPS Survey Response",
        rows: |w| w.surveys.len() as u32,
        visible: |w, r| {
            w.surveys
                .get(r as usize)
                .is_some_and(|survey| seen(w, survey.account))
        },
        nested: false,
        writable: false,
        fields: vec![
            gsid(ObjectId::Nps),
            field(
                "CompanyId",
                "Company",
                Kind::Lookup(ObjectId::Company),
                |w, r| of(&w.surveys, r, |s| company(s.account)),
            ),
            field(
                "PersonId",
                "Person",
                Kind::Lookup(ObjectId::Person),
                |w, r| {
                    w.surveys
                        .get(r as usize)
                        .and_then(|s| s.contact)
                        .map_or(Val::Null, |contact| Val::Row(ObjectId::Person, contact))
                },
            ),
            field("NPSScore", "NPS Score", Kind::Number, |w, r| {
                of(&w.surveys, r, |s| Val::Num(f64::from(s.score)))
            }),
            field("Comments", "Comments", Kind::LongText, |w, r| {
                text(w.survey_comment(r))
            }),
            field("RespondedDate", "Responded Date", Kind::DateTime, |w, r| {
                of(&w.surveys, r, |s| second(s.at))
            }),
            fixed("CreatedDate", "Created Date", Kind::DateTime, |w, r| {
                of(&w.surveys, r, |s| second(s.at))
            }),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, |w, r| {
                of(&w.surveys, r, |s| second(s.at))
            }),
        ],
    }
}

/// What was deleted, and when.
pub(super) fn delete_log() -> Object {
    Object {
        id: ObjectId::DeleteLog,
        name: "record_delete_log",
        label: "Record Delete Log",
        rows: |_| 0,
        visible: |_, _| true,
        nested: true,
        writable: false,
        fields: vec![
            gsid(ObjectId::DeleteLog),
            fixed("RecordId", "Record Id", Kind::Text, nothing),
            fixed("ObjectName", "Object Name", Kind::Text, nothing),
            fixed("DeletedOn", "Deleted On", Kind::DateTime, nothing),
            fixed("CreatedDate", "Created Date", Kind::DateTime, nothing),
            fixed("ModifiedDate", "Modified Date", Kind::DateTime, nothing),
        ],
    }
}

/// Week and account of a row of the weekly objects: all accounts of the first week, then of the next.
fn weekly(world: &World, row: u32) -> (u32, usize) {
    let accounts = world.accounts.len().max(1) as u32;
    (row % accounts, (row / accounts) as usize)
}

/// A week's row is written in the night after its Sunday.
fn week_end(w: &World, r: u32) -> Val<'_> {
    match day(w.week_start(weekly(w, r).1)) {
        Val::Ms(ms) => Val::Ms(ms + 7 * 86_400_000 - 3_600_000),
        other => other,
    }
}
