//! Points of metrics: one number for a company, a metric and a day. The history of the world is read where it lies; what was
//! pushed or happened since lies beside it.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;
use super::catalog::{COMPANIES, METRICS, id};
use crate::simulate::overlay::{iso_second, number};
use crate::simulate::world::{WEEKS, World, day_number};

/// The metrics of the world.
pub(super) const DIMENSIONS: [&str; 4] = ["active_users", "logins", "adoption", "health"];

/// A number that was pushed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Point {
    /// The row of the company.
    pub company: u32,
    pub dimension: String,
    /// Days since 1970.
    pub day: i64,
    pub value: f64,
}

/// What came to the world's history since.
#[derive(Default)]
pub(super) struct Metrics {
    points: BTreeMap<(u32, String, i64), f64>,
}

/// Which points are asked for.
pub(super) struct Wanted {
    pub companies: Option<HashSet<u32>>,
    pub dimension: Option<String>,
    pub from: i64,
    pub to: i64,
    pub offset: usize,
    pub limit: usize,
}

impl Metrics {
    pub fn put(&mut self, point: &Point) {
        self.points.insert(
            (point.company, point.dimension.clone(), point.day),
            point.value,
        );
    }

    fn has(&self, company: u32, dimension: &str, day: i64) -> bool {
        !self.points.is_empty()
            && self
                .points
                .contains_key(&(company, dimension.to_owned(), day))
    }
}

fn historic(world: &World, company: u32, dimension: usize, week: usize) -> Option<f64> {
    if dimension == 3 {
        return world.health(company, week).map(f64::from);
    }
    let usage = world.usage(company, week)?;
    Some(match dimension {
        0 => f64::from(usage.active_users),
        1 => f64::from(usage.logins),
        _ => f64::from(usage.adoption),
    })
}

/// The points that are asked for, the world's first.
pub(super) fn list(state: &State, wanted: &Wanted) -> Vec<Value> {
    let world = &state.rows.world;
    let mut skipped = 0;
    let mut page = Vec::new();
    let mut take = |page: &mut Vec<Value>, make: &dyn Fn() -> Value| {
        if skipped < wanted.offset {
            skipped += 1;
        } else {
            page.push(make());
        }
        page.len() >= wanted.limit
    };
    let asks = |company: u32| {
        wanted
            .companies
            .as_ref()
            .is_none_or(|companies| companies.contains(&company))
    };
    let days: Vec<i64> = (0..WEEKS)
        .map(|week| day_number(world.week_start(week)))
        .collect();
    let shown = |company: u32, dimension: &str, day: i64, value: f64, place: u32| {
        let mut point = json!({
            "_id": id(METRICS, place), "dimensionId": dimension, "time": iso_second(day * 86_400), "value": number(value),
            "model": "Company", "companyId": id(COMPANIES, company), "parentId": id(COMPANIES, company),
        });
        if let Value::String(name) = state.rows.named(COMPANIES, company, "name") {
            point["companyName"] = Value::String(name);
        }
        point
    };
    for company in state.rows.rows(COMPANIES).filter(|row| asks(*row)) {
        for (place, dimension) in DIMENSIONS.iter().enumerate() {
            if wanted
                .dimension
                .as_ref()
                .is_some_and(|asked| asked != dimension)
            {
                continue;
            }
            for (week, day) in days.iter().enumerate() {
                if *day < wanted.from || *day > wanted.to {
                    continue;
                }
                if state.metrics.has(company, dimension, *day) {
                    continue;
                }
                let Some(value) = historic(world, company, place, week) else {
                    continue;
                };
                let number = (company * DIMENSIONS.len() as u32 + place as u32)
                    .wrapping_mul(WEEKS as u32)
                    .wrapping_add(week as u32);
                if take(&mut page, &|| {
                    shown(company, dimension, *day, value, number)
                }) {
                    return page;
                }
            }
        }
    }
    for (place, ((company, dimension, day), value)) in state.metrics.points.iter().enumerate() {
        let fits = asks(*company)
            && wanted
                .dimension
                .as_ref()
                .is_none_or(|asked| asked == dimension)
            && (wanted.from..=wanted.to).contains(day)
            && state.rows.exists(COMPANIES, *company);
        let number = (1 << 31) + place as u32;
        if fits
            && take(&mut page, &|| {
                shown(*company, dimension, *day, *value, number)
            })
        {
            return page;
        }
    }
    page
}
