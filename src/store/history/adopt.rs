//! Taking over the daily history of the formats that kept it as rows: of each account its ARR, health, segment and CSM, one row for each day
//! on which one of them was otherwise than before.

use super::pack::{Entry, Fields, Was};
use super::{append, begin_day, code};
use crate::book::day::date_of;
use crate::book::{Entity, FieldValue, LocalId, Money};
use crate::store::codec::day_of;
use crate::store::error::Res;
use rusqlite::{Connection, Row, params};

fn values(r: &Row<'_>, from: usize) -> rusqlite::Result<Fields> {
    let (minor, code): (Option<i64>, Option<String>) = (r.get(from)?, r.get(from + 1)?);
    let arr = minor
        .zip(code)
        .and_then(|(minor, code)| Money::new(minor, &code))
        .map_or(FieldValue::Null, FieldValue::Money);
    let health: Option<u8> = r.get(from + 2)?;
    let segment: Option<String> = r.get(from + 3)?;
    let csm: Option<u32> = r.get(from + 4)?;
    Ok(vec![
        ("arr".into(), arr),
        (
            "health".into(),
            health.map_or(FieldValue::Null, |h| FieldValue::Number(f64::from(h))),
        ),
        (
            "segment".into(),
            segment.map_or(FieldValue::Null, FieldValue::Text),
        ),
        (
            "csm".into(),
            csm.map_or(FieldValue::Null, |id| FieldValue::Id(LocalId(id))),
        ),
    ])
}

fn differing(old: &Fields, new: &Fields) -> Fields {
    old.iter()
        .zip(new)
        .filter(|(a, b)| a.1 != b.1)
        .map(|(a, _)| a.clone())
        .collect()
}

/// Turns the old rows into entries and drops their table. What changed after the last of those days is taken to have changed on the day
/// after it; whatever else there is counts as having been there all the time. Nothing
/// happens where there is no such table.
pub(in crate::store) fn adopt(db: &Connection) -> Res<()> {
    let there: bool = db.query_row(
        "SELECT EXISTS(SELECT 1 FROM sqlite_schema WHERE type='table' AND name='daily_history')",
        [],
        |r| r.get(0),
    )?;
    if !there {
        return Ok(());
    }
    let mut statement =
        db.prepare("SELECT account,date,arr,arr_currency,health,segment,csm FROM daily_history ORDER BY account,date")?;
    let mut rows = statement.query([])?;
    let mut old: Vec<(u32, i32, Fields)> = Vec::new();
    while let Some(r) = rows.next()? {
        let day = r
            .get_ref(1)?
            .as_str()
            .ok()
            .and_then(|t| day_of(t.as_bytes()));
        if let Some(day) = day {
            old.push((r.get(0)?, crate::book::day::days(day), values(r, 2)?));
        }
    }
    drop(rows);
    drop(statement);
    let days = || old.iter().map(|(_, day, _)| *day);
    if let (Some(first), Some(last), Some(kind)) =
        (days().min(), days().max(), code(Entity::Account))
    {
        let begin = |day: i32| date_of(day).map_or(Ok(()), |day| begin_day(db, day));
        begin(first)?;
        begin(last)?;
        let mut now = db.prepare(
            "SELECT arr,arr_currency,coalesce(health,signal_health),segment,csm FROM account WHERE id=?1",
        )?;
        let note = |account: u32, until: i32, was: Was, gone: bool| {
            append(db, (kind, account), Entry { until, was }, gone, &|_| None)
        };
        for of_account in old.chunk_by(|a, b| a.0 == b.0) {
            let Some((account, came, _)) = of_account.first() else {
                continue;
            };
            if *came > first {
                note(*account, *came, Was::Absent, false)?;
            }
            for pair in of_account.windows(2) {
                if let [(_, _, before), (_, until, after)] = pair {
                    note(
                        *account,
                        *until,
                        Was::Fields(differing(before, after)),
                        false,
                    )?;
                }
            }
            let Some((_, _, before)) = of_account.last() else {
                continue;
            };
            let mut found = now.query(params![account])?;
            match found.next()? {
                Some(r) => {
                    let changed = differing(before, &values(r, 0)?);
                    if !changed.is_empty() {
                        begin(last + 1)?;
                        note(*account, last + 1, Was::Fields(changed), false)?;
                    }
                }
                None => {
                    begin(last + 1)?;
                    note(*account, last + 1, Was::Whole(before.clone()), true)?;
                }
            }
        }
    }
    db.execute_batch("DROP TABLE daily_history")?;
    Ok(())
}
