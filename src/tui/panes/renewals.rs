//! The renewal pipeline: quarters by forecast category with their weight, and the renewals by the day they are due.

use super::{empty, list_state, sign};
use crate::book::{Entity, LocalId, RenewalRow};
use crate::insight::{Category, Pipeline, PipelineQuarter};
use crate::tui::app::{App, Pane};
use crate::tui::fmt;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit, line_width};
use crate::tui::widgets::table::{Cell, Column, RowLook, Table, col};
use ratatui::layout::Rect;
use std::collections::HashSet;

const COLUMNS: [Column; 10] = [
    col("due", "Due", 10, 95).right(),
    col("account", "Account", 16, 100).grow(4),
    col("amount", "Amount", 7, 98).right(),
    col("forecast", "Forecast", 11, 90),
    col("stage", "Stage", 14, 70).grow(1),
    col("probability", "Prob", 4, 60).right(),
    col("health", "Health", 6, 65).right(),
    col("notice", "Notice", 10, 55).right(),
    col("owner", "Owner", 14, 50).grow(1),
    col("name", "Renewal", 16, 30).grow(3),
];

/// The columns of a pane that shares the screen.
const SMALL: [Column; 5] = [
    col("due", "Due", 10, 95).right(),
    col("account", "Account", 16, 100).grow(4),
    col("amount", "Amount", 7, 98).right(),
    col("forecast", "Forecast", 11, 90),
    col("notice", "Notice", 10, 55).right(),
];

/// Draws the pane.
pub fn draw(app: &mut App, ui: &mut Ui<'_>, area: Rect) {
    let pane = Pane::Renewals;
    let focus = app.focus == pane;
    let role = if focus { Role::TitleFocus } else { Role::Title };
    let wide = area.width >= 100;
    let columns = quarters_shown(area.width.saturating_sub(4), wide);
    let quarters = &app.shown().totals(app.mine).pipeline.quarters;
    let labels: Vec<&str> = quarters
        .iter()
        .take(usize::from(columns))
        .map(|q| q.label.as_str())
        .collect();
    let span = match labels.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first, .., last] => format!("{first} to {last}"),
    };
    let mut right = list_state(app, pane, "by due day");
    if area.width >= 60 && app.asked[pane as usize].query.is_empty() {
        right.push(bit(format!(" · {span}"), Role::Muted));
    }
    let inner = ui.pane(area, &[bit("Renewals", role)], &right, focus);
    ui.hit(area, Hit::Pane(pane as usize));
    let used = summary(app, ui, inner, wide);
    let rest = Rect {
        y: inner.y + used,
        height: inner.height.saturating_sub(used),
        ..inner
    };
    let Some(view) = app.view(pane).cloned() else {
        empty::draw(app, ui, rest, pane);
        return;
    };
    if view.rows.is_empty() {
        empty::draw(app, ui, rest, pane);
        return;
    }
    let snap = app.shown().clone();
    let mut list = std::mem::take(app.list_mut(pane));
    let marks = std::mem::take(&mut list.marks);
    {
        let app: &App = app;
        let sort = app.asked[pane as usize].sort.as_ref();
        Table {
            pane: pane as usize,
            columns: if wide { &COLUMNS } else { &SMALL },
            sort: sort.map(|(c, d)| (c.as_str(), *d)),
            focus,
            notes: u16::from(wide),
            titles: rest.height > 5,
        }
        .draw(
            ui,
            Rect {
                x: rest.x.saturating_sub(1),
                width: rest.width + 1,
                ..rest
            },
            &mut list,
            |place, columns| match view
                .rows
                .get(place)
                .filter(|r| snap.book.is_alive(Entity::Renewal, **r))
            {
                Some(row) => look(app, &snap.book.renewal(*row), columns, &marks),
                None => RowLook::default(),
            },
            |place, _| match view.rows.get(place) {
                Some(row) => vec![note(app, &snap.book.renewal(*row))],
                None => Vec::new(),
            },
        );
        ui.thumb(
            Rect {
                y: rest.y.saturating_sub(1),
                height: rest.height + 2,
                ..area
            },
            list.top,
            list.height,
            list.len,
            focus,
        );
    }
    list.marks = marks;
    *app.list_mut(pane) = list;
}

fn look<'a>(
    app: &App,
    r: &RenewalRow<'a>,
    columns: &[(Column, u16)],
    marks: &HashSet<LocalId>,
) -> RowLook<'a> {
    let account = r.account();
    let fresh = account.is_some_and(|a| app.shown().is_fresh(&a));
    RowLook {
        sign: sign(marks.contains(&r.id()), fresh, false),
        faint: !r.is_open(),
        cells: columns.iter().map(|(c, _)| cell(app, r, c.key)).collect(),
    }
}

fn category_role(c: Category) -> Role {
    match c {
        Category::Closed | Category::Commit => Role::Good,
        Category::Lost | Category::Omitted => Role::Bad,
        Category::Best | Category::Pipeline => Role::Watch,
        Category::MostLikely => Role::Text,
    }
}

fn cell<'a>(app: &App, r: &RenewalRow<'a>, key: &str) -> Cell<'a> {
    let today = app.shown().today;
    match key {
        "due" => vec![match r.due() {
            None => bit("no date !", Role::Watch),
            Some(day) => {
                let n = fmt::days(today, day);
                let late = n < 0 && r.is_open();
                let role = if late {
                    Role::Bad
                } else if n <= 30 {
                    Role::Watch
                } else {
                    Role::Text
                };
                bit(
                    if late {
                        format!("✗ {}d late", -n)
                    } else {
                        fmt::date(today, day)
                    },
                    role,
                )
            }
        }],
        "account" => vec![match r.account() {
            Some(a) => bit(a.name(), Role::Text),
            None => bit("unknown account", Role::Muted),
        }],
        "amount" => vec![match (
            r.amount_reporting().or_else(|| r.target_reporting()),
            r.amount(),
        ) {
            (Some(m), _) => bit(fmt::money(m), Role::Strong),
            (None, Some(m)) => bit(format!("{}*", fmt::money_in(m)), Role::Watch),
            (None, None) => bit("?", Role::Muted),
        }],
        "forecast" => {
            let c = Category::of(r);
            vec![bit(c.name(), category_role(c))]
        }
        "stage" => vec![bit(r.stage().unwrap_or("–"), Role::Muted)],
        "probability" => vec![r.probability().map_or_else(
            || bit("–", Role::Muted),
            |p| bit(format!("{p}%"), Role::Text),
        )],
        "health" => vec![match r.account().and_then(|a| a.health()) {
            Some(h) => bit(h.to_string(), super::health_role(app, h)),
            None => bit("?", Role::Muted),
        }],
        "notice" => vec![match r.notice_day().date() {
            None => bit("–", Role::Muted),
            Some(day) => {
                let n = fmt::days(today, day);
                let role = if (0..=14).contains(&n) {
                    Role::Bad
                } else {
                    Role::Muted
                };
                bit(fmt::date(today, day), role)
            }
        }],
        "owner" => vec![r.owner().map_or_else(
            || bit("nobody", Role::Muted),
            |p| bit(p.name(), Role::Muted),
        )],
        "name" => vec![bit(r.name(), Role::Muted)],
        _ => Vec::new(),
    }
}

fn note<'a>(app: &App, r: &RenewalRow<'_>) -> Vec<Bit<'a>> {
    let mut bits = Vec::new();
    if let Some(step) = r.next_step() {
        bits.push(bit("next: ", Role::Muted));
        bits.push(bit(step.to_owned(), Role::Text));
    }
    if let Some(was) = r.original_due().filter(|d| Some(*d) != r.due()) {
        let times = match r.pushes() {
            Some(n) if n > 1 => format!(", {n} times"),
            _ => String::new(),
        };
        bits.push(bit(
            format!(
                "  moved from {}{times}",
                fmt::absolute(app.shown().today, was)
            ),
            Role::Watch,
        ));
    }
    if let (Some(t), Some(a)) = (r.target_reporting(), r.amount_reporting())
        && t.minor != a.minor
    {
        bits.push(bit(
            format!("  up for renewal {}", fmt::money_in(t)),
            Role::Muted,
        ));
    }
    if let Some(a) = r.account() {
        let line = crate::insight::reasons::line(
            &a,
            &app.shown().derived,
            app.shown().today,
            &app.shown().settings.risk,
        );
        if !line.is_empty() {
            let lead = if bits.is_empty() { "" } else { "  " };
            bits.push(bit(format!("{lead}{line}"), Role::Muted));
        }
    }
    if bits.is_empty() {
        bits.push(bit("no next step is written down", Role::Muted));
    }
    bits
}

/// How many quarters have room side by side.
fn quarters_shown(width: u16, wide: bool) -> u16 {
    if wide { (width / 44).clamp(1, 4) } else { 1 }
}

/// The weight of each category, for one or more quarters side by side. Returns the lines used.
fn summary(app: &App, ui: &mut Ui<'_>, area: Rect, wide: bool) -> u16 {
    let p = &app.shown().totals(app.mine).pipeline;
    if p.quarters.is_empty() || area.height < 8 {
        return 0;
    }
    let columns = quarters_shown(area.width, wide);
    let shown: Vec<&PipelineQuarter> = p.quarters.iter().take(usize::from(columns)).collect();
    // The same scale in every quarter, so that lengths can be compared.
    let most = shown
        .iter()
        .flat_map(|q| {
            let f = &q.forecast;
            f.categories
                .iter()
                .map(|b| b.amount)
                .chain([f.at_risk.amount])
        })
        .max()
        .unwrap_or(0)
        .max(1);
    let rows: Vec<Category> = Category::ALL
        .into_iter()
        .filter(|c| shown.iter().any(|q| q.category(*c).count > 0))
        .collect();
    let room = area.height.saturating_sub(5);
    let risky = shown.iter().any(|q| q.forecast.at_risk.count > 0);
    let lines = (rows.len() as u16 + u16::from(risky))
        .min(room.saturating_sub(1))
        .min(if wide { 8 } else { 6 });
    // What is at risk is said even where not every category has a line.
    let rows = &rows[..rows.len().min(usize::from(lines - u16::from(risky)))];
    let width = area.width / columns;
    for (i, q) in shown.iter().enumerate() {
        let at = Rect::new(
            area.x + i as u16 * width,
            area.y,
            width.saturating_sub(if wide { 3 } else { 0 }),
            lines + 1,
        );
        quarter(app, ui, at, q, rows, risky, most);
    }
    let mut used = lines + 1;
    let others = others(app, p, usize::from(columns));
    if !wide && !others.is_empty() && area.height > lines + 6 {
        ui.line(area.x, area.y + used, area.width, &others);
        used += 1;
    }
    if wide {
        let line = Rect {
            y: area.y + used,
            height: 1,
            ..area
        };
        used += outside(app, ui, line, p, others);
    }
    for x in area.left()..area.right() {
        ui.put(x, area.y + used, 1, "─", Role::Border);
    }
    used + 1
}

fn quarter(
    app: &App,
    ui: &mut Ui<'_>,
    area: Rect,
    q: &PipelineQuarter,
    rows: &[Category],
    risky: bool,
    most: i64,
) {
    let money = |minor: i64| fmt::money_in(app.shown().book.reporting_money(minor));
    let f = &q.forecast;
    let gap = if f.coverage.is_full() { "" } else { "*" };
    let due = vec![
        bit(format!("{} ", q.label), Role::Title),
        bit(format!("{}{gap}", money(f.due)), Role::Strong),
        bit(" due", Role::Muted),
    ];
    ui.line(area.x, area.y, area.width, &head(q, due, area.width));
    let label = 12.min(area.width / 3);
    let tail = 12;
    let bar = area.width.saturating_sub(label + tail + 1);
    let mut y = area.y + 1;
    let mut line = |ui: &mut Ui<'_>, name: &str, count: usize, amount: i64, role: Role| {
        if y >= area.bottom() {
            return;
        }
        ui.put(area.x, y, label - 1, name, Role::Muted);
        if count > 0 {
            ui.bar(area.x + label, y, bar, amount as f64 / most as f64, role);
            let text = vec![
                bit(
                    fmt::money(app.shown().book.reporting_money(amount)),
                    Role::Strong,
                ),
                bit(format!("{count:>4}"), Role::Muted),
            ];
            let w = line_width(&text).min(usize::from(tail)) as u16;
            ui.line(area.right().saturating_sub(w), y, w, &text);
        }
        y += 1;
    };
    for c in rows {
        let b = q.category(*c);
        let role = match c {
            Category::Lost | Category::Omitted => Role::Bad,
            Category::Closed => Role::Good,
            _ => Role::Bar,
        };
        line(ui, c.name(), b.count, b.amount, role);
    }
    if risky {
        line(
            ui,
            "! at risk",
            f.at_risk.count,
            f.at_risk.amount,
            Role::Watch,
        );
    }
}

/// What is due, then the target and the interval of the forecast as far as there is room: the interval says more.
fn head<'a>(q: &PipelineQuarter, due: Vec<Bit<'a>>, width: u16) -> Vec<Bit<'a>> {
    let (Some(gross), Some((low, high))) = (q.forecast.gross(), q.forecast.interval()) else {
        return due;
    };
    let target = q.target.map(|t| {
        vec![
            bit("  target ", Role::Muted),
            bit(fmt::percent(t), Role::Text),
        ]
    });
    // Without a target nobody said what would be too little.
    let role = match q.target {
        None => Role::Strong,
        Some(t) if gross >= t => Role::Good,
        Some(t) if gross >= t - 0.05 => Role::Watch,
        Some(_) => Role::Bad,
    };
    let sign = match q.target {
        Some(t) if gross < t => " ▼",
        Some(_) => " ▲",
        None => "",
    };
    let forecast = |word: &'static str| {
        vec![
            bit(word, Role::Muted),
            bit(format!("{}{sign}", range(low, high)), role),
        ]
    };
    let fits = |bits: &[Bit<'_>]| line_width(bits) <= usize::from(width);
    let mut line = due.clone();
    line.extend(target.into_iter().flatten());
    line.extend(forecast("  forecast "));
    if fits(&line) {
        return line;
    }
    for word in ["  forecast ", "  "] {
        let mut line = due.clone();
        line.extend(forecast(word));
        if fits(&line) {
            return line;
        }
    }
    due
}

/// P10 to P90 as shares of what is due, `88–94%`; one number where both read alike.
fn range(low: f64, high: f64) -> String {
    let (low, high) = (fmt::percent(low), fmt::percent(high));
    if low == high {
        return high;
    }
    format!("{}–{high}", low.trim_end_matches('%'))
}

/// The quarters that have no bars, on one line.
fn others<'a>(app: &App, p: &Pipeline, shown: usize) -> Vec<Bit<'a>> {
    let mut bits: Vec<Bit<'_>> = Vec::new();
    for q in p.quarters.iter().skip(shown) {
        let money = fmt::money_in(app.shown().book.reporting_money(q.forecast.due));
        bits.push(bit(format!("{} ", q.label), Role::Muted));
        bits.push(bit(money, Role::Text));
        if let Some(gross) = q.forecast.gross() {
            bits.push(bit(format!(" {}", fmt::percent(gross)), Role::Muted));
        }
        bits.push(bit("   ", Role::Muted));
    }
    bits
}

/// What lies outside of the quarters.
fn outside<'a>(app: &App, ui: &mut Ui<'_>, line: Rect, p: &Pipeline, others: Vec<Bit<'a>>) -> u16 {
    let money = |minor: i64| fmt::money_in(app.shown().book.reporting_money(minor));
    let mut bits: Vec<Bit<'_>> = others;
    let slipped = p.quarters.first().map(|q| q.slipped_in);
    for (name, b, role) in [
        ("slipped", p.slipped, Role::Watch),
        ("slipped in", slipped.unwrap_or_default(), Role::Watch),
        ("overdue", p.overdue, Role::Bad),
        ("later", p.later, Role::Text),
        ("without a date", p.undated, Role::Watch),
    ] {
        if b.count > 0 {
            bits.push(bit(format!("{} ", fmt::count(b.count)), role));
            bits.push(bit(format!("{name} "), Role::Muted));
            bits.push(bit(format!("{}   ", money(b.amount)), role));
        }
    }
    let words = p.coverage.words();
    if !words.is_empty() {
        bits.push(bit(format!("amounts known of {words}"), Role::Muted));
    }
    if bits.is_empty() {
        return 0;
    }
    ui.line(line.x, line.y, line.width, &bits);
    1
}
