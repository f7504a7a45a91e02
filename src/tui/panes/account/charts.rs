//! Health and usage as lines over the days, with their axes.

use crate::book::{AccountDetail, AccountRow, HistoryPoint, Signal};
use crate::tui::app::App;
use crate::tui::fmt;
use crate::tui::text::wrap;
use crate::tui::theme::Role;
use crate::tui::ui::{Ui, bit, spark};
use crate::tui::widgets::chart::{Chart, Series, scale};
use jiff::civil::Date;
use ratatui::layout::Rect;

pub(super) fn charts_box(app: &App, ui: &mut Ui<'_>, area: Rect, a: &AccountRow<'_>) {
    let half = area.width / 2;
    let left = Rect {
        width: half,
        ..area
    };
    let right = Rect {
        x: area.x + half,
        width: area.width - half,
        ..area
    };
    let unit = bit("points", Role::Muted);
    let inner = ui.pane(left, &[bit("Health", Role::Title)], &[unit], false);
    health_chart(app, ui, inner);
    let inner = ui.pane(
        right,
        &[bit("Usage", Role::Title)],
        &[bit("active users a week", Role::Muted)],
        false,
    );
    usage_chart(app, ui, inner, a);
}

pub(super) fn series<'d>(d: &'d AccountDetail, kind: &str) -> Vec<(&'d Signal, Date, f64)> {
    d.signals
        .iter()
        .filter(|s| s.kind == kind)
        .filter_map(|s| Some((s, s.at?, s.value?)))
        .collect()
}

/// Labels under the left end, the middle and the right end.
pub(super) fn dates(today: Date, points: &[(f64, f64)], first: Date) -> Vec<(f64, String)> {
    let (Some(a), Some(b)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let at = |x: f64| {
        first
            .checked_add(jiff::Span::new().try_days(x as i64).unwrap_or_default())
            .map_or_else(
                |_| String::new(),
                |d| {
                    if d.year() == today.year() {
                        d.strftime("%-d %b").to_string()
                    } else {
                        d.strftime("%b %y").to_string()
                    }
                },
            )
    };
    let middle = (a.0 + b.0) / 2.0;
    vec![(a.0, at(a.0)), (middle, at(middle)), (b.0, at(b.0))]
}

/// Health as it was known from day to day: it stays what it was until the day on which it changed. Nothing while it never did.
pub(super) fn steps(history: &[HistoryPoint], today: Date) -> Vec<(Date, f64)> {
    let mut out: Vec<(Date, f64)> = Vec::new();
    for point in history {
        if let (Some((_, before)), Ok(eve)) = (out.last().copied(), point.date.yesterday()) {
            out.push((eve, before));
        }
        if let Some(health) = point.health {
            out.push((point.date, f64::from(health)));
        }
    }
    if let Some((last, health)) = out.last().copied()
        && last < today
    {
        out.push((today, health));
    }
    out
}

pub(super) fn health_chart(app: &App, ui: &mut Ui<'_>, area: Rect) {
    let Some(d) = app.detail() else {
        ui.put(area.x, area.y, area.width, "…", Role::Muted);
        return;
    };
    let today = app.snap.today;
    let found: Vec<(Date, f64)> = series(d, "health")
        .into_iter()
        .map(|(_, at, v)| (at, v))
        .collect();
    let found = if found.is_empty() {
        steps(&d.history, today)
    } else {
        found
    };
    let Some(first) = found.first().map(|f| f.0) else {
        for (i, l) in wrap("No health history: it begins with the first sync, one point a day, or comes from the CS platform.", usize::from(area.width)).iter().enumerate() {
            if (i as u16) < area.height {
                ui.put(area.x, area.y + i as u16, area.width, l, Role::Muted);
            }
        }
        return;
    };
    let points: Vec<(f64, f64)> = found
        .iter()
        .map(|(at, v)| (fmt::days(first, *at) as f64, *v))
        .collect();
    let labels = dates(today, &points, first);
    let end = points.last().map_or(1.0, |p| p.0).max(1.0);
    let rules = &app.snap.settings.risk;
    Chart {
        series: &[Series {
            points: &points,
            role: Role::Chart,
            sign: "",
        }],
        x: (0.0, end),
        y: (0.0, 100.0),
        step: 25.0,
        y_label: &|v| format!("{v:.0}"),
        x_labels: &labels,
        marks: &[
            (f64::from(rules.good_from), Role::Good),
            (f64::from(rules.bad_below), Role::Bad),
        ],
        cursor: None,
    }
    .draw(ui, area);
}

pub(super) fn usage_chart(app: &App, ui: &mut Ui<'_>, area: Rect, a: &AccountRow<'_>) {
    let today = app.snap.today;
    let found = app
        .detail()
        .map(|d| series(d, "usage.weekly"))
        .unwrap_or_default();
    let Some(first) = found.first().map(|f| f.1) else {
        let usage = a.usage();
        if usage.iter().any(Option::is_some) {
            ui.put(area.x, area.y, area.width, &spark(&usage), Role::Spark);
        } else {
            ui.put(
                area.x,
                area.y,
                area.width,
                "No source gives usage.",
                Role::Muted,
            );
        }
        return;
    };
    let points: Vec<(f64, f64)> = found
        .iter()
        .map(|(_, at, v)| (fmt::days(first, *at) as f64, *v))
        .collect();
    let labels = dates(today, &points, first);
    let end = points.last().map_or(1.0, |p| p.0).max(1.0);
    let most = points.iter().map(|p| p.1).fold(0.0, f64::max);
    let (y, step) = scale(0.0, most, false);
    Chart {
        series: &[Series {
            points: &points,
            role: Role::Chart2,
            sign: "",
        }],
        x: (0.0, end),
        y,
        step,
        y_label: &|v| fmt::short(v),
        x_labels: &labels,
        marks: &[],
        cursor: None,
    }
    .draw(ui, area);
}
