//! The weekly record of forecasts, and renewals whose day moves.

use super::*;
use crate::book::{ForecastScope, ForecastSnapshot};
use jiff::civil::{Date, date};

fn made(taken: Date, scope: ForecastScope, weighted: i64) -> ForecastSnapshot {
    ForecastSnapshot {
        taken,
        scope,
        from: date(2026, 10, 1),
        to: date(2026, 12, 31),
        currency: *b"USD",
        due: 1000,
        closed: 100,
        commit: 300,
        best: 500,
        weighted,
        in_or_out: 450,
        p10: 350,
        p50: 420,
        p90: 510,
    }
}

#[test]
fn one_forecast_is_kept_for_each_week_and_scope() {
    let w = world();
    let (monday, next) = (date(2026, 11, 16), date(2026, 11, 23));
    let scopes = [
        ForecastScope::All,
        ForecastScope::Nobody,
        ForecastScope::Csm(LocalId(7)),
    ];
    let of = |day: Date, n: i64| scopes.map(|s| made(day, s, n)).to_vec();
    let put = |week, forecasts| wait(w.store.put_forecasts(week, forecasts));
    let tuesday = date(2026, 11, 17);
    assert_eq!(put(monday, of(tuesday, 400)), Ok(true));
    // Later on the same day more is known; on a later day the week has its forecast.
    assert_eq!(put(monday, of(tuesday, 410)), Ok(true));
    assert_eq!(put(monday, of(date(2026, 11, 20), 420)), Ok(false));
    assert_eq!(put(next, of(next, 430)), Ok(true));
    assert_eq!(put(next, Vec::new()), Ok(false));
    let mut want = of(tuesday, 410);
    want.extend(of(next, 430));
    assert_eq!(wait(w.store.forecasts()), Ok(want));
}

#[test]
fn a_renewal_that_moves_keeps_its_first_day() {
    let w = world();
    acme(&w.store);
    let with = |due: Date| {
        let fields = [
            ("account", FieldValue::Id(LocalId(1))),
            ("due", FieldValue::Date(due)),
        ];
        put(&w.store, vec![row(Entity::Renewal, 1, &fields)])
    };
    with(date(2026, 11, 30));
    with(date(2027, 1, 15));
    let read = || {
        let delta = wait(w.store.rows_of(vec![target(Entity::Renewal, 1)])).unwrap();
        let r = &delta.renewals[0];
        (r.due, r.original_due, r.pushes)
    };
    let first = Some(date(2026, 11, 30));
    assert_eq!(read(), (Some(date(2027, 1, 15)), first, Some(1)));
    // The same said again is no change.
    assert_eq!(with(date(2027, 1, 15)).changed, []);
    with(date(2027, 2, 15));
    assert_eq!(read(), (Some(date(2027, 2, 15)), first, Some(2)));
}
