//! The account page: what matters on two lines, why it is at risk, health and usage drawn as lines, work, timeline, fields with their source.

use super::accounts::{arr_in, decide, when};
use super::{change, empty, health_role};
use crate::book::{AccountDetail, AccountRow, Entity, HistoryPoint, LocalId, Person, Signal};
use crate::insight::reasons;
use crate::insight::reasons::speaks_for;
use crate::tui::app::{App, Item, Pane};
use crate::tui::fmt;
use crate::tui::text::{fit, wrap};
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit, line_width, spark};
use crate::tui::widgets::chart::{Chart, Series, nice};
use crate::tui::widgets::table::{Column, RowLook, Table, col};
use jiff::civil::Date;
use ratatui::layout::Rect;

/// Draws the page.
pub fn draw(app: &mut App, ui: &mut Ui<'_>, area: Rect, id: LocalId) {
    let snap = app.snap.clone();
    let Some(a) = snap.book.account_by_id(id) else {
        let inner = ui.pane(area, &[bit("Account", Role::TitleFocus)], &[], true);
        ui.put(inner.x, inner.y + 1, inner.width, "This account is no longer in the book: its records were deleted or merged. esc goes back.", Role::Text);
        return;
    };
    let head = head(app, ui, area, &a);
    let rest = Rect {
        y: area.y + head,
        height: area.height.saturating_sub(head),
        ..area
    };
    let focus = app.focus;
    if app.zoom || rest.width < 110 || rest.height < 22 {
        let strip: Vec<Bit<'_>> = app
            .panes()
            .iter()
            .enumerate()
            .flat_map(|(i, p)| {
                let role = if *p == focus {
                    Role::TitleFocus
                } else {
                    Role::Muted
                };
                [
                    bit(if i > 0 { " · " } else { "" }, Role::Muted),
                    bit(p.title(), role),
                ]
            })
            .collect();
        pane(app, ui, rest, focus, &a, Some(strip));
        return;
    }
    let left = rest.width * 52 / 100;
    let charts = (rest.height * 2 / 5).clamp(9, 16);
    let why = charts.min(rest.height / 2);
    pane(
        app,
        ui,
        Rect {
            width: left,
            height: why,
            ..rest
        },
        Pane::Facts,
        &a,
        None,
    );
    pane(
        app,
        ui,
        Rect {
            y: rest.y + why,
            width: left,
            height: rest.height - why,
            ..rest
        },
        Pane::Items,
        &a,
        None,
    );
    let right = Rect {
        x: rest.x + left,
        width: rest.width - left,
        ..rest
    };
    charts_box(
        app,
        ui,
        Rect {
            height: charts,
            ..right
        },
        &a,
    );
    let below = if focus == Pane::Fields {
        Pane::Fields
    } else {
        Pane::Timeline
    };
    pane(
        app,
        ui,
        Rect {
            y: right.y + charts,
            height: right.height - charts,
            ..right
        },
        below,
        &a,
        None,
    );
}

/// The lines on top, without a frame. Returns how many.
fn head(app: &App, ui: &mut Ui<'_>, area: Rect, a: &AccountRow<'_>) -> u16 {
    let d = app.snap.derived.account(a.row());
    let mut name = vec![bit(format!(" {}", a.name()), Role::Strong)];
    for text in [
        a.domain(),
        a.segment(),
        a.touch(),
        a.region(),
        a.industry(),
        a.stage(),
    ]
    .into_iter()
    .flatten()
    {
        name.push(bit(format!(" · {text}"), Role::Muted));
    }
    for tag in a.tags() {
        name.push(bit(format!("  #{tag}"), Role::Mark));
    }
    ui.line(area.x, area.y, area.width.saturating_sub(1), &name);
    let health = match a.health() {
        Some(h) => bit(h.to_string(), health_role(app, h)),
        None => bit("unknown", Role::Muted),
    };
    let loss_role = if d.loss >= 0.5 { Role::Bad } else { Role::Text };
    let mut groups: Vec<Vec<Bit<'_>>> = vec![
        vec![bit("ARR ", Role::Muted), arr_in(a)],
        vec![
            bit("health ", Role::Muted),
            health,
            bit(" ", Role::Muted),
            change(a.health_delta()),
        ],
        vec![
            bit("loss ", Role::Muted),
            bit(fmt::percent(f64::from(d.loss)), loss_role),
        ],
        vec![bit("decide ", Role::Muted), decide(app.snap.today, a)],
        vec![
            bit("CSM ", Role::Muted),
            a.csm().map_or_else(
                || bit("nobody", Role::Watch),
                |p| bit(p.name().to_owned(), Role::Text),
            ),
        ],
    ];
    if let Some(l) = a.level() {
        groups.push(vec![
            bit("level ", Role::Muted),
            bit(l.to_owned(), Role::Bad),
        ]);
    }
    if let Some(day) = a.snoozed_until().filter(|_| a.is_snoozed(app.snap.today)) {
        groups.push(vec![bit(
            format!("z snoozed until {}", fmt::absolute(app.snap.today, day)),
            Role::Watch,
        )]);
    }
    if a.acked_at().is_some() {
        let by = a.acked_by().unwrap_or("somebody");
        groups.push(vec![
            bit("✓ acked ", Role::Good),
            bit(format!("by {by}"), Role::Muted),
        ]);
    }
    if let Some(o) = a.outcome() {
        groups.push(vec![
            bit("outcome ", Role::Muted),
            bit(o.replace('_', " "), Role::Text),
        ]);
    }
    if let Some(s) = a.sentiment() {
        groups.push(vec![
            bit("feels ", Role::Muted),
            bit(s.to_owned(), Role::Text),
        ]);
    }
    let mut x = area.x + 1;
    for g in &groups {
        let w = line_width(g) as u16;
        if x + w > area.right() {
            break;
        }
        ui.line(x, area.y + 1, w, g);
        x += w + 3;
    }
    2
}

fn title<'a>(pane: Pane, focus: bool, strip: Option<Vec<Bit<'a>>>) -> Vec<Bit<'a>> {
    strip.unwrap_or_else(|| {
        vec![bit(
            pane.title(),
            if focus { Role::TitleFocus } else { Role::Title },
        )]
    })
}

/// Draws one of its panes.
fn pane<'a>(
    app: &mut App,
    ui: &mut Ui<'_>,
    area: Rect,
    pane: Pane,
    a: &AccountRow<'a>,
    strip: Option<Vec<Bit<'a>>>,
) {
    let focus = app.focus == pane;
    let narrow = strip.is_some();
    let right = match pane {
        Pane::Items => vec![bit(fmt::count(app.items().len()), Role::Muted)],
        Pane::Timeline => vec![bit(
            app.detail()
                .map_or_else(String::new, |d| fmt::count(d.touchpoints.len())),
            Role::Muted,
        )],
        _ => Vec::new(),
    };
    let inner = ui.pane(area, &title(pane, focus, strip), &right, focus);
    ui.hit(area, Hit::Pane(pane as usize));
    match pane {
        Pane::Items => items(app, ui, area, inner),
        Pane::Timeline => {
            let lines = app
                .detail()
                .map(|d| timeline(app, d, usize::from(inner.width)));
            match lines {
                Some(l) if l.is_empty() => empty::draw(app, ui, inner, Pane::Timeline),
                lines => scrolled(app, ui, area, inner, pane, lines.unwrap_or_else(loading)),
            }
        }
        Pane::Fields => {
            let lines = app
                .detail()
                .map(|d| fields(app, d, usize::from(inner.width)));
            scrolled(app, ui, area, inner, pane, lines.unwrap_or_else(loading));
        }
        _ => {
            // In the narrow layout the charts stand under the reasons.
            let mut lines = why(app, a, usize::from(inner.width));
            let charts = if narrow && inner.height >= 14 {
                (inner.height / 2).min(12)
            } else {
                0
            };
            lines.truncate(usize::from(inner.height).max(lines.len()));
            let text = Rect {
                height: inner.height - charts,
                ..inner
            };
            scrolled(app, ui, area, text, Pane::Facts, lines);
            if charts > 0 {
                let below = Rect {
                    y: inner.bottom() - charts,
                    height: charts,
                    ..inner
                };
                let half = below.width / 2;
                health_chart(
                    app,
                    ui,
                    Rect {
                        width: half.saturating_sub(1),
                        ..below
                    },
                );
                usage_chart(
                    app,
                    ui,
                    Rect {
                        x: below.x + half,
                        width: below.width - half,
                        ..below
                    },
                    a,
                );
            }
        }
    }
}

fn loading<'a>() -> Vec<Vec<Bit<'a>>> {
    vec![vec![bit("…", Role::Muted)]]
}

/// Lines that scroll; only those in sight are drawn.
fn scrolled(
    app: &mut App,
    ui: &mut Ui<'_>,
    frame: Rect,
    inner: Rect,
    pane: Pane,
    lines: Vec<Vec<Bit<'_>>>,
) {
    let height = usize::from(inner.height);
    let focus = app.focus == pane;
    let list = app.list_mut(pane);
    // The cursor is the first line shown: moving scrolls.
    let last = lines.len().saturating_sub(height);
    list.len = last + 1;
    list.cursor = list.cursor.min(last);
    list.top = list.cursor;
    list.height = height.max(1);
    let top = list.cursor;
    for (i, line) in lines.iter().skip(top).take(height).enumerate() {
        ui.line(inner.x, inner.y + i as u16, inner.width, line);
    }
    ui.thumb(frame, top, height, lines.len(), focus);
}

fn why<'a>(app: &App, a: &AccountRow<'_>, room: usize) -> Vec<Vec<Bit<'a>>> {
    let today = app.snap.today;
    let d = app.snap.derived.account(a.row());
    let money = |m: i64| fmt::money_in(app.snap.book.reporting_money(m));
    let mut out = vec![vec![
        bit(fmt::percent(f64::from(d.loss)), Role::Strong),
        bit(" loss × ", Role::Muted),
        bit(money(d.at_stake), Role::Strong),
        bit(" at stake × ", Role::Muted),
        bit(format!("{:.2}", d.closeness), Role::Strong),
        bit(" closeness = ", Role::Muted),
        bit(money(d.urgency as i64), Role::Accent),
        bit(
            if app.snap.derived.in_queue(a.row()) {
                "  in the queue"
            } else {
                "  not in the queue"
            },
            Role::Muted,
        ),
    ]];
    let found = reasons(a, &app.snap.derived, today);
    if found.is_empty() {
        out.push(vec![bit(
            "No reason for concern that csops knows of.",
            Role::Good,
        )]);
    }
    for (i, r) in found.iter().enumerate() {
        for (n, l) in wrap(&r.line(), room.saturating_sub(2))
            .into_iter()
            .enumerate()
        {
            out.push(vec![
                bit(if n == 0 { "· " } else { "  " }, Role::Accent),
                bit(l, if i < 3 { Role::Text } else { Role::Muted }),
            ]);
        }
    }
    if let Some(good) = speaks_for(a, &app.snap.derived, today, &app.snap.settings.risk) {
        let lines = wrap(&good.line(), room.saturating_sub(6));
        for (n, l) in lines.into_iter().enumerate() {
            out.push(vec![
                bit(if n == 0 { "· but " } else { "      " }, Role::Muted),
                bit(l, Role::Good),
            ]);
        }
    }
    let date = |d: Option<Date>| when(today, d);
    let person = |p: Option<crate::book::PersonRow<'_>>| {
        p.map_or_else(|| "nobody".to_owned(), |p| p.name().to_owned())
    };
    let auto = match a.auto_renew() {
        Some(true) => ", renews by itself",
        Some(false) => ", must be renewed",
        None => "",
    };
    for (label, value) in [
        ("renewal", format!("{}{auto}", date(a.renewal_date()))),
        ("notice", date(a.notice_deadline())),
        ("last touch", date(a.last_touch())),
        ("seller", person(a.owner())),
        ("customer since", date(a.start())),
        (
            "NPS",
            a.nps().map_or_else(
                || "none".to_owned(),
                |n| match a.nps_at() {
                    Some(day) => format!("{n} of 10, {}", date(Some(day))),
                    None => format!("{n} of 10"),
                },
            ),
        ),
        (
            "tickets",
            format!("{} open, {} urgent", a.open_tickets(), a.urgent_tickets()),
        ),
    ] {
        out.push(vec![
            bit(format!("{label:<15}"), Role::Muted),
            bit(value, Role::Text),
        ]);
    }
    out
}

fn charts_box(app: &App, ui: &mut Ui<'_>, area: Rect, a: &AccountRow<'_>) {
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

fn series<'d>(d: &'d AccountDetail, kind: &str) -> Vec<(&'d Signal, Date, f64)> {
    d.signals
        .iter()
        .filter(|s| s.kind == kind)
        .filter_map(|s| Some((s, s.at?, s.value?)))
        .collect()
}

/// Labels under the left end, the middle and the right end.
fn dates(today: Date, points: &[(f64, f64)], first: Date) -> Vec<(f64, String)> {
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
fn steps(history: &[HistoryPoint], today: Date) -> Vec<(Date, f64)> {
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

fn health_chart(app: &App, ui: &mut Ui<'_>, area: Rect) {
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

fn usage_chart(app: &App, ui: &mut Ui<'_>, area: Rect, a: &AccountRow<'_>) {
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
    Chart {
        series: &[Series {
            points: &points,
            role: Role::Chart2,
            sign: "",
        }],
        x: (0.0, end),
        y: (0.0, nice(most)),
        y_label: &|v| fmt::short(v),
        x_labels: &labels,
        marks: &[],
        cursor: None,
    }
    .draw(ui, area);
}

const ITEMS: [Column; 5] = [
    col("kind", "Kind", 8, 90).fixed(),
    col("state", "When", 15, 95).fixed(),
    col("title", "What", 18, 100).grow(4).fixed(),
    col("value", "", 11, 80).right().fixed(),
    col("who", "Whose", 10, 60).grow(1).fixed(),
];

fn items(app: &mut App, ui: &mut Ui<'_>, area: Rect, inner: Rect) {
    if app.detail().is_none() {
        ui.put(inner.x, inner.y, inner.width, "…", Role::Muted);
        return;
    }
    if app.items().is_empty() {
        empty::draw(app, ui, inner, Pane::Items);
        return;
    }
    let mut list = std::mem::take(app.list_mut(Pane::Items));
    {
        let app: &App = app;
        if let Some(d) = app.detail() {
            list.len = app.items().len();
            Table {
                pane: Pane::Items as usize,
                columns: &ITEMS,
                sort: None,
                focus: app.focus == Pane::Items,
                notes: 1,
                titles: false,
            }
            .draw(
                ui,
                Rect {
                    x: inner.x.saturating_sub(1),
                    width: inner.width + 1,
                    ..inner
                },
                &mut list,
                |place, columns| match app.items().get(place) {
                    Some(item) => item_look(
                        app,
                        d,
                        item,
                        columns,
                        place == 0 || app.items()[place - 1].target.entity != item.target.entity,
                    ),
                    None => RowLook::default(),
                },
                |place, _| {
                    app.items()
                        .get(place)
                        .and_then(|i| item_note(app, d, i))
                        .into_iter()
                        .collect()
                },
            );
            ui.thumb(
                area,
                list.top,
                list.height,
                list.len,
                app.focus == Pane::Items,
            );
        }
    }
    *app.list_mut(Pane::Items) = list;
}

fn person(d: &AccountDetail, id: Option<LocalId>) -> &str {
    id.and_then(|id| d.people.iter().find(|p: &&Person| p.id == id))
        .map_or("", |p| p.name.as_str())
}

fn item_look<'a>(
    app: &App,
    d: &'a AccountDetail,
    item: &Item,
    columns: &[(Column, u16)],
    first: bool,
) -> RowLook<'a> {
    let today = app.snap.today;
    let zone = &app.snap.zone;
    let day = |t: Option<jiff::Timestamp>| t.map(|t| t.to_zoned(zone.clone()).date());
    let when = |d: Option<Date>| d.map_or_else(String::new, |d| fmt::date(today, d));
    // State, title, value, whose, still open.
    let (kind, state, title, value, who, open): (&str, Bit<'a>, &str, Bit<'a>, &str, bool) =
        match item.target.entity {
            Entity::Escalation => match d.escalations.get(item.at) {
                Some(r) => {
                    let open = r.status_kind.as_deref() != Some("closed");
                    let role = if open { Role::Bad } else { Role::Muted };
                    let word = r.status_kind.as_deref().unwrap_or("new").replace('_', " ");
                    (
                        "risk",
                        bit(format!("{} {word}", if open { "!" } else { "✓" }), role),
                        &r.title,
                        bit(r.priority_kind.as_deref().unwrap_or(""), role),
                        person(d, r.owner),
                        open,
                    )
                }
                None => return RowLook::default(),
            },
            Entity::Renewal => match d.renewals.get(item.at) {
                Some(r) => {
                    let open = !matches!(r.stage_kind.as_deref(), Some("won" | "lost"));
                    let value = r
                        .amount
                        .or(r.target)
                        .map_or_else(String::new, fmt::money_in);
                    (
                        "renewal",
                        bit(
                            if open {
                                when(r.due)
                            } else {
                                format!(
                                    "{} {}",
                                    r.stage_kind.as_deref().unwrap_or("closed"),
                                    r.closed
                                        .or(r.due)
                                        .map_or_else(String::new, |d| fmt::absolute(today, d))
                                )
                            },
                            if open { Role::Text } else { Role::Muted },
                        ),
                        &r.name,
                        bit(value, Role::Strong),
                        person(d, r.owner),
                        open,
                    )
                }
                None => return RowLook::default(),
            },
            Entity::Task => match d.tasks.get(item.at) {
                Some(t) => {
                    let open = t.status_kind.as_deref() != Some("done");
                    (
                        "task",
                        super::tasks::due(today, t.due, open),
                        &t.title,
                        bit(
                            t.priority_kind.as_deref().unwrap_or(""),
                            super::tasks::priority_role(t.priority_kind.as_deref()),
                        ),
                        person(d, t.owner),
                        open,
                    )
                }
                None => return RowLook::default(),
            },
            Entity::Ticket => match d.tickets.get(item.at) {
                Some(t) => {
                    let open = t.status_kind.as_deref() != Some("closed");
                    let urgent = matches!(t.priority_kind.as_deref(), Some("urgent"))
                        || t.escalated == Some(true);
                    let role = if !open {
                        Role::Muted
                    } else if urgent {
                        Role::Bad
                    } else {
                        Role::Text
                    };
                    (
                        "ticket",
                        bit(
                            if open {
                                format!("open {}", when(day(t.opened)))
                            } else {
                                "✓ closed".to_owned()
                            },
                            role,
                        ),
                        &t.subject,
                        bit(t.priority_kind.as_deref().unwrap_or(""), role),
                        t.number.as_deref().unwrap_or(""),
                        open,
                    )
                }
                None => return RowLook::default(),
            },
            _ => match d.contacts.get(item.at) {
                Some(c) => {
                    let here = c.active != Some(false);
                    (
                        "person",
                        bit(
                            if here {
                                c.role.clone().unwrap_or_default()
                            } else {
                                format!("left {}", when(c.left_at))
                            },
                            if here { Role::Text } else { Role::Bad },
                        ),
                        &c.name,
                        bit("", Role::Muted),
                        c.title.as_deref().unwrap_or(""),
                        here,
                    )
                }
                None => return RowLook::default(),
            },
        };
    RowLook {
        sign: None,
        faint: !open,
        cells: columns
            .iter()
            .map(|(c, _)| match c.key {
                "kind" => vec![bit(if first { kind } else { "" }, Role::Muted)],
                "state" => vec![state.clone()],
                "title" => vec![bit(title, Role::Text)],
                "value" => vec![value.clone()],
                _ => vec![bit(who, Role::Muted)],
            })
            .collect(),
    }
}

/// More about the work in focus, on one line.
fn item_note<'a>(app: &App, d: &'a AccountDetail, item: &Item) -> Option<Vec<Bit<'a>>> {
    let one = |text: String| Some(vec![bit(text, Role::Muted)]);
    let words = |parts: &[Option<String>]| {
        parts
            .iter()
            .flatten()
            .filter(|s| !s.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join(" · ")
    };
    match item.target.entity {
        Entity::Escalation => {
            let r = d.escalations.get(item.at)?;
            one(words(&[
                r.reason.clone(),
                r.opened
                    .map(|t| format!("opened {} ago", fmt::ago(app.now(), t))),
                r.outcome.clone(),
                r.comments
                    .as_deref()
                    .map(|c| fit(c.lines().next().unwrap_or(""), 120).into_owned()),
            ]))
        }
        Entity::Renewal => {
            let r = d.renewals.get(item.at)?;
            one(words(&[
                r.stage.clone(),
                r.forecast
                    .as_ref()
                    .map(|f| format!("forecast {}", f.replace('_', " "))),
                r.probability.map(|p| format!("{p}%")),
                r.notice_deadline
                    .map(|n| format!("notice by {}", fmt::absolute(app.snap.today, n))),
                r.next_step.clone(),
            ]))
        }
        Entity::Task => {
            let t = d.tasks.get(item.at)?;
            one(words(&[
                t.status.clone(),
                t.kind.clone(),
                t.description
                    .as_deref()
                    .map(|c| fit(c.lines().next().unwrap_or(""), 120).into_owned()),
            ]))
        }
        Entity::Ticket => {
            let t = d.tickets.get(item.at)?;
            one(words(&[
                t.status.clone(),
                t.opened
                    .map(|o| format!("opened {} ago", fmt::ago(app.now(), o))),
            ]))
        }
        _ => {
            let c = d.contacts.get(item.at)?;
            one(words(&[c.email.clone(), c.phone.clone(), c.title.clone()]))
        }
    }
}

fn timeline<'a>(app: &App, d: &AccountDetail, room: usize) -> Vec<Vec<Bit<'a>>> {
    let mut out = Vec::new();
    for t in &d.touchpoints {
        let when = t.at.map_or_else(
            || "some day".to_owned(),
            |at| fmt::instant(app.now(), at, &app.snap.zone),
        );
        let kind = t.kind.as_deref().unwrap_or("note");
        let glyph = match kind {
            "call" => "☎",
            "email" => "✉",
            "meeting" => "◆",
            "update" => "↻",
            _ => "✎",
        };
        let who = person(d, t.author);
        let with = t
            .contact
            .and_then(|c| d.contacts.iter().find(|x| x.id == c))
            .map_or_else(String::new, |c| format!(" with {}", c.name));
        out.push(vec![
            bit(format!("{glyph} "), Role::Accent),
            bit(t.subject.clone(), Role::Text),
            bit(format!("  {when}"), Role::Muted),
            bit(
                if who.is_empty() {
                    with
                } else {
                    format!(" · {who}{with}")
                },
                Role::Muted,
            ),
        ]);
        if let Some(body) = t
            .body
            .as_deref()
            .filter(|b| !b.trim().is_empty() && *b != t.subject)
        {
            for l in wrap(body.trim(), room.saturating_sub(2))
                .into_iter()
                .take(4)
            {
                out.push(vec![bit("  ", Role::Muted), bit(l, Role::Muted)]);
            }
        }
    }
    out
}

fn fields<'a>(app: &App, d: &AccountDetail, room: usize) -> Vec<Vec<Bit<'a>>> {
    let mut out: Vec<Vec<Bit<'a>>> = Vec::new();
    let heading = |out: &mut Vec<Vec<Bit<'a>>>, text: &str| {
        if !out.is_empty() {
            out.push(Vec::new());
        }
        out.push(vec![bit(text.to_owned(), Role::Title)]);
    };
    heading(&mut out, "Where each value comes from");
    for p in &d.provenance {
        let value = d.account.get(&p.field).unwrap_or_default();
        let text = crate::tui::overlay::item::value_text(&app.cockpit, &value);
        out.push(vec![
            bit(format!("{:<14}", fit(&p.field, 13)), Role::Muted),
            bit(
                fit(&text, room.saturating_sub(34).max(8)).into_owned(),
                Role::Text,
            ),
            bit(format!("  {}", p.source), Role::Accent),
            bit(
                p.at.map_or_else(String::new, |t| format!(" {} ago", fmt::ago(app.now(), t))),
                Role::Muted,
            ),
        ]);
        for (source, other) in &p.losers {
            let text = crate::tui::overlay::item::value_text(&app.cockpit, other);
            out.push(vec![
                bit(" ".repeat(14), Role::Muted),
                bit(format!("{source} says "), Role::Watch),
                bit(text, Role::Muted),
            ]);
        }
    }
    if !d.crosswalk.is_empty() {
        heading(&mut out, "The records behind it");
        for c in &d.crosswalk {
            let how = match c.how {
                crate::book::MatchHow::New => "opened it",
                crate::book::MatchHow::Identifier => "matched by its stored identifier",
                crate::book::MatchHow::Domain => "matched by domain",
                crate::book::MatchHow::Name => "matched by name, confirmed",
                crate::book::MatchHow::Manual => "joined by hand",
                crate::book::MatchHow::Named => "its rows call it so",
            };
            out.push(vec![
                bit(format!("{:<14}", c.source), Role::Accent),
                bit(c.external_id.clone(), Role::Text),
                bit(format!("  {how}"), Role::Muted),
            ]);
        }
    }
    if !d.unmatched.is_empty() {
        heading(&mut out, "May be the same customer");
        for u in &d.unmatched {
            out.push(vec![
                bit("≈ ", Role::Watch),
                bit(u.name.clone(), Role::Text),
                bit(format!("  {}: {}", u.source, u.reason), Role::Muted),
            ]);
        }
        let key = app
            .keymap
            .keys_for("account confirm", crate::command::Scope::Account);
        let key = key.unwrap_or_else(|| ":account confirm".to_owned());
        out.push(vec![
            bit(key, Role::Key),
            bit(" makes them one", Role::Muted),
        ]);
    }
    if !d.extra.is_empty() {
        heading(&mut out, "Your own fields");
        for (name, value) in &d.extra {
            out.push(vec![
                bit(format!("{:<22}", fit(name, 21)), Role::Muted),
                bit(
                    crate::tui::overlay::item::value_text(&app.cockpit, value),
                    Role::Text,
                ),
            ]);
        }
    }
    out
}
