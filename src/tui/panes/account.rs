//! The account page: what matters on two lines, why it is at risk, health and usage drawn as lines, work, timeline, fields with their source.

mod charts;
mod items;

use super::accounts::{arr_in, decide, when};
use super::{change, empty, health_role};
use crate::book::{AccountDetail, AccountRow, LocalId};
use crate::insight::reasons;
use crate::insight::reasons::speaks_for;
use crate::tui::app::{App, Pane};
use crate::tui::fmt;
use crate::tui::text::{fit, wrap};
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit, line_width};
use charts::{charts_box, health_chart, usage_chart};
use items::{items, person};
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
    // No system names it: it is what its subscriptions or movements pay.
    let by_lines = match a.is_arr_counted() {
        true => " counted",
        false => "",
    };
    let by_lines = bit(by_lines, Role::Muted);
    let loss_role = if d.loss >= 0.5 { Role::Bad } else { Role::Text };
    let mut groups: Vec<Vec<Bit<'_>>> = vec![
        vec![bit("ARR ", Role::Muted), arr_in(a), by_lines],
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
