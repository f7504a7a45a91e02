//! The figures that were shown on a day: a few dozen rows a day, whatever the size of the book.

use crate::book::DayFigures;
use crate::book::day::{date_of, days};
use crate::store::error::Res;
use rusqlite::{Connection, params};

/// Keeps the figures of a day in the place of what was kept of it before.
pub(in crate::store) fn put_figures(db: &Connection, figures: &[DayFigures]) -> Res<()> {
    let mut cleared = None;
    let mut put = db.prepare_cached(
        "INSERT OR REPLACE INTO history_figure(day,\"by\",key,currency,accounts,arr,arr_known,health_known,health_sum,in_queue,at_risk,due)
         VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
    )?;
    for f in figures {
        let day = days(f.day);
        if cleared != Some(day) {
            db.prepare_cached("DELETE FROM history_figure WHERE day=?1")?
                .execute([day])?;
            cleared = Some(day);
        }
        put.execute(params![
            day,
            f.by,
            f.key,
            f.currency,
            f.accounts,
            f.arr,
            f.arr_known,
            f.health_known,
            i64::try_from(f.health_sum).unwrap_or(i64::MAX),
            f.in_queue,
            f.at_risk,
            f.due
        ])?;
    }
    Ok(())
}

/// All figures kept, oldest first.
pub(in crate::store) fn figures(db: &Connection) -> Res<Vec<DayFigures>> {
    let mut statement = db.prepare_cached(
        "SELECT day,\"by\",key,currency,accounts,arr,arr_known,health_known,health_sum,in_queue,at_risk,due FROM history_figure ORDER BY day",
    )?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let Some(day) = date_of(r.get(0)?) else {
            continue;
        };
        out.push(DayFigures {
            day,
            by: r.get(1)?,
            key: r.get(2)?,
            currency: r.get(3)?,
            accounts: r.get(4)?,
            arr: r.get(5)?,
            arr_known: r.get(6)?,
            health_known: r.get(7)?,
            health_sum: r.get::<_, i64>(8)?.unsigned_abs(),
            in_queue: r.get(9)?,
            at_risk: r.get(10)?,
            due: r.get(11)?,
        });
    }
    Ok(out)
}
