//! The weekly record of forecasts.

use super::error::Res;
use crate::book::{Day, ForecastScope, ForecastSnapshot, LocalId};
use jiff::civil::Date;
use rusqlite::{Connection, params};

const ALL: i64 = -1;

fn number(scope: ForecastScope) -> i64 {
    match scope {
        ForecastScope::All => ALL,
        ForecastScope::Nobody => 0,
        ForecastScope::Csm(id) => i64::from(id.0),
    }
}

fn scope(number: i64) -> ForecastScope {
    match u32::try_from(number) {
        Err(_) => ForecastScope::All,
        Ok(0) => ForecastScope::Nobody,
        Ok(id) => ForecastScope::Csm(LocalId(id)),
    }
}

fn day(date: Date) -> i32 {
    Day::of(Some(date)).0
}

/// Keeps the forecasts of a week. What was kept of the same week on an earlier day stays as it is; what was kept of the same day is
/// replaced. Whether they were kept.
pub(super) fn put(db: &Connection, week: Date, forecasts: &[ForecastSnapshot]) -> Res<bool> {
    let Some(first) = forecasts.first() else {
        return Ok(false);
    };
    let before: Option<i32> = db
        .prepare_cached("SELECT min(taken) FROM forecast_snapshot WHERE week=?1")?
        .query_row([day(week)], |r| r.get(0))?;
    if before.is_some_and(|taken| taken < day(first.taken)) {
        return Ok(false);
    }
    db.prepare_cached("DELETE FROM forecast_snapshot WHERE week=?1")?
        .execute([day(week)])?;
    let mut insert = db.prepare_cached(
        r#"INSERT INTO forecast_snapshot(week,scope,quarter,quarter_end,taken,currency,due,closed,"commit",best,weighted,in_or_out,p10,p50,p90)
           VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)"#,
    )?;
    for f in forecasts {
        insert.execute(params![
            day(week),
            number(f.scope),
            day(f.from),
            day(f.to),
            day(f.taken),
            String::from_utf8_lossy(&f.currency),
            f.due,
            f.closed,
            f.commit,
            f.best,
            f.weighted,
            f.in_or_out,
            f.p10,
            f.p50,
            f.p90
        ])?;
    }
    Ok(true)
}

/// Every forecast that was kept, oldest first.
pub(super) fn all(db: &Connection) -> Res<Vec<ForecastSnapshot>> {
    let mut statement = db.prepare_cached(
        r#"SELECT scope,quarter,quarter_end,taken,currency,due,closed,"commit",best,weighted,in_or_out,p10,p50,p90
           FROM forecast_snapshot ORDER BY week,scope,quarter"#,
    )?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let date = |i: usize| -> Res<Option<Date>> { Ok(Day(r.get(i)?).date()) };
        let currency = r.get_ref(4)?.as_str().unwrap_or("").as_bytes().try_into();
        // A row that somebody spoiled is nobody's forecast.
        let (Some(from), Some(to), Some(taken), Ok(currency)) =
            (date(1)?, date(2)?, date(3)?, currency)
        else {
            continue;
        };
        out.push(ForecastSnapshot {
            taken,
            scope: scope(r.get(0)?),
            from,
            to,
            currency,
            due: r.get(5)?,
            closed: r.get(6)?,
            commit: r.get(7)?,
            best: r.get(8)?,
            weighted: r.get(9)?,
            in_or_out: r.get(10)?,
            p10: r.get(11)?,
            p50: r.get(12)?,
            p90: r.get(13)?,
        });
    }
    Ok(out)
}
