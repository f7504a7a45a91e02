//! The two lines above everything: what matters, and the screens.

use crate::book::SourceState;
use crate::command::Screen;
use crate::tui::app::App;
use crate::tui::fmt;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit, line_width};
use ratatui::layout::Rect;

/// A group of figures; the smaller `keep`, the sooner it gives way.
struct Group<'a> {
    bits: Vec<Bit<'a>>,
    /// The figures in it: how many of the bits each takes, and its name, for a click.
    names: &'static [(usize, &'static str)],
    keep: u8,
}

/// Draws both lines.
pub fn draw(app: &App, ui: &mut Ui<'_>, area: Rect) {
    ui.fill(Rect { height: 1, ..area }, Role::Header);
    let brand = " csops ";
    let used = ui.put(area.x, area.y, area.width, brand, Role::Brand);
    let age = age(app, area.width < 100);
    let age_width = line_width(&age) as u16 + 1;
    let room = area.width.saturating_sub(used + age_width + 2);
    let mut groups = figures(app);
    let need = |g: &[Group<'_>]| {
        g.iter().map(|g| line_width(&g.bits)).sum::<usize>() + g.len().saturating_sub(1) * 3
    };
    fit(&mut groups, usize::from(room), &need);
    let spare = usize::from(room).saturating_sub(need(&groups));
    let gap = 3 + (spare / groups.len().max(1)).min(4) as u16;
    let mut x = area.x + used + 2;
    for g in &groups {
        let left = (area.right().saturating_sub(age_width + 1)).saturating_sub(x);
        let used = ui.line(x, area.y, left, &g.bits);
        let mut from = 0;
        let mut start = x;
        for (count, name) in g.names {
            let w = line_width(&g.bits[from..(from + count).min(g.bits.len())]) as u16;
            let area = Rect::new(start, area.y, w.min((x + used).saturating_sub(start)), 1);
            ui.hit(area, Hit::Command(format!("why {name}")));
            (from, start) = (from + count, start + w);
        }
        x += used + gap;
    }
    ui.line_right(area.x, area.y, area.width.saturating_sub(1), &age);
    ui.hit(
        Rect::new(area.right().saturating_sub(age_width), area.y, age_width, 1),
        Hit::Command("goto sync".into()),
    );
    if area.height > 1 {
        tabs(app, ui, Rect::new(area.x, area.y + 1, area.width, 1));
    }
}

/// Leaves the groups that have room: those that matter most first, then whatever still fits beside them.
fn fit<'a>(groups: &mut Vec<Group<'a>>, room: usize, need: &dyn Fn(&[Group<'a>]) -> usize) {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(groups[*i].keep));
    let mut kept: Vec<usize> = Vec::new();
    let mut used = 0;
    for i in order {
        let more = need(&groups[i..=i]) + if kept.is_empty() { 0 } else { 3 };
        if kept.is_empty() || used + more <= room {
            used += more;
            kept.push(i);
        }
    }
    let mut n = 0;
    groups.retain(|_| {
        n += 1;
        kept.contains(&(n - 1))
    });
}

fn money(app: &App, minor: i64) -> String {
    fmt::money_in(app.shown().book.reporting_money(minor))
}

fn figures<'a>(app: &App) -> Vec<Group<'a>> {
    let h = &app.shown().totals(app.mine).header;
    let whose = if app.mine { "mine" } else { "everybody" };
    // A figure that does not cover everything says so with a mark; `w` on it tells the rest.
    let gap = |c: &crate::insight::Coverage| if c.is_full() { "" } else { "*" };
    let ratio = |v: Option<f64>| match v {
        Some(v) => bit(format!("{:.1}%", v * 100.0), Role::Strong),
        None => bit("n/a", Role::Muted),
    };
    let wanted = &app.shown().settings.retention;
    let mut out = vec![
        Group {
            bits: vec![
                bit(whose, Role::Muted),
                bit(format!(" · {}", fmt::count(h.accounts)), Role::Strong),
                bit(" accounts · ", Role::Muted),
                bit(money(app, h.arr), Role::Strong),
                bit(gap(&h.arr_coverage), Role::Watch),
            ],
            names: &[(3, "accounts"), (2, "arr")],
            keep: 7,
        },
        Group {
            bits: vec![
                bit("GRR ", Role::Muted),
                ratio(h.grr),
                against(h.grr, wanted.grr_target),
                bit("  NRR ", Role::Muted),
                ratio(h.nrr),
                against(h.nrr, wanted.nrr_target),
            ],
            names: &[(3, "grr"), (3, "nrr")],
            keep: if h.grr.is_some() { 5 } else { 1 },
        },
        Group {
            bits: vec![
                bit("at risk ", Role::Muted),
                bit(
                    money(app, h.at_risk),
                    if h.at_risk > 0 { Role::Bad } else { Role::Good },
                ),
                bit(gap(&h.at_risk_coverage), Role::Watch),
                at_risk_before(app, h.at_risk),
                bit(format!(" · {}", fmt::count(h.in_queue)), Role::Text),
            ],
            names: &[(4, "at_risk"), (1, "in_queue")],
            keep: 9,
        },
        Group {
            bits: {
                let mut b = vec![
                    bit("due 90d ", Role::Muted),
                    bit(money(app, h.due), Role::Strong),
                    bit(gap(&h.due_coverage), Role::Watch),
                ];
                if let Some(safe) = h.due_safe_share() {
                    let role = if safe < 0.5 {
                        Role::Bad
                    } else if safe < 0.8 {
                        Role::Watch
                    } else {
                        Role::Good
                    };
                    b.push(bit(" · ", Role::Muted));
                    b.push(bit(fmt::percent(safe), role));
                    b.push(bit(" safe", Role::Muted));
                }
                b
            },
            names: &[(3, "due_90d"), (3, "due_safe")],
            keep: 6,
        },
    ];
    if h.tasks_overdue > 0 {
        out.push(Group {
            bits: vec![
                bit(fmt::count(h.tasks_overdue), Role::Bad),
                bit(" overdue", Role::Muted),
            ],
            names: &[(2, "tasks_overdue")],
            keep: 3,
        });
    }
    out
}

/// How a ratio lies to its target: ` ▲92%` reaches it, ` ▼92%` does not.
fn against<'a>(value: Option<f64>, target: Option<f64>) -> Bit<'a> {
    let Some((value, target)) = value.zip(target) else {
        return bit("", Role::Muted);
    };
    let (sign, role) = if value >= target {
        ("▲", Role::Good)
    } else if value >= target - 0.02 {
        ("▼", Role::Watch)
    } else {
        ("▼", Role::Bad)
    };
    bit(format!(" {sign}{}", fmt::percent(target)), role)
}

/// How the ARR at risk of the whole book changed within 30 days, where csops ran then: ` ▲8%`.
fn at_risk_before<'a>(app: &App, now: i64) -> Bit<'a> {
    let s = app.shown();
    let before = s
        .today
        .checked_sub(jiff::Span::new().days(30))
        .ok()
        .filter(|_| !app.mine)
        .and_then(|day| s.history.at("all", "", day))
        .map(|f| f.at_risk)
        .filter(|n| *n > 0);
    let Some(before) = before else {
        return bit("", Role::Muted);
    };
    let change = (now - before) as f64 / before as f64;
    match (change * 100.0).round() {
        c if c > 0.0 => bit(format!(" ▲{c:.0}%"), Role::Bad),
        c if c < 0.0 => bit(format!(" ▼{:.0}%", -c), Role::Good),
        _ => bit("", Role::Muted),
    }
}

/// How old what is seen is, and whether something stands in the way. Where it is narrow, that an earlier day is read-only gives way to the
/// figures of that day.
fn age<'a>(app: &App, narrow: bool) -> Vec<Bit<'a>> {
    let s = &app.snap;
    let now = app.now();
    let mut bits = Vec::new();
    if let Some(past) = &s.past {
        let day = fmt::absolute(s.today, past.snapshot.today);
        let of_today = app.account.is_some() || matches!(app.screen, Screen::Tasks | Screen::Sync);
        let what = match of_today {
            true => " · this screen: today",
            false if narrow => "",
            false => " · read-only",
        };
        bits.push(bit(format!("as of {day}{what}  "), Role::Watch));
    } else if s.read_only {
        bits.push(bit("READ-ONLY  ", Role::Watch));
    }
    let conflicts = s.conflicts().count();
    if conflicts > 0 {
        bits.push(bit(
            format!("⚡{}  ", fmt::counted(conflicts, "conflict")),
            Role::Bad,
        ));
    }
    if let Some(at) = s.from_cache {
        bits.push(bit(
            format!("○ as of {} ago", fmt::ago(now, at)),
            Role::Watch,
        ));
        if let Some(l) = s.loading {
            bits.push(bit(
                format!(" · loading {}", fmt::short(l.rows as f64)),
                Role::Muted,
            ));
        }
        return bits;
    }
    if let Some(l) = s.loading {
        bits.push(bit(
            format!("◌ loading {}", fmt::short(l.rows as f64)),
            Role::Muted,
        ));
        return bits;
    }
    if s.sources.is_empty() {
        bits.push(bit("no source", Role::Watch));
        return bits;
    }
    let running = s.sources.iter().any(|x| x.state == SourceState::Running);
    let broken = s
        .sources
        .iter()
        .find(|x| matches!(x.state, SourceState::Failing | SourceState::Stopped));
    if let Some(x) = broken {
        let name = x.source.as_deref().unwrap_or("a source");
        let word = if x.state == SourceState::Stopped {
            "stopped"
        } else {
            "failing"
        };
        bits.push(bit(format!("✗ {name} {word}  "), Role::Bad));
    }
    match s.data_from() {
        Some(at) => {
            let old = now.duration_since(at).as_secs();
            let role = if old > 86_400 {
                Role::Bad
            } else if old > 7_200 {
                Role::Watch
            } else {
                Role::Good
            };
            let glyph = if running { "◐" } else { "●" };
            bits.push(bit(format!("{glyph} {}", fmt::ago(now, at)), role));
        }
        None if running => bits.push(bit("◐ first load", Role::Accent)),
        None => bits.push(bit("● never synced", Role::Watch)),
    }
    bits
}

/// The line of screens.
fn tabs(app: &App, ui: &mut Ui<'_>, area: Rect) {
    ui.fill(area, Role::Tab);
    let h = &app.shown().totals(app.mine).header;
    let renewals = app.view(crate::tui::app::Pane::Renewals).map(|v| v.total);
    let trouble = app
        .snap
        .outbox
        .iter()
        .filter(|i| i.state.is_pending() && !i.state.is_moving())
        .count();
    let short = area.width < 100;
    let mut x = area.x + 1;
    for (n, screen) in Screen::ALL.into_iter().enumerate() {
        let count = match screen {
            Screen::Queue => Some(h.in_queue),
            Screen::Renewals => renewals,
            Screen::Tasks => Some(h.tasks_open),
            Screen::Sync => (trouble > 0).then_some(trouble),
            _ => None,
        };
        let mut name = screen.name().to_owned();
        if let Some(first) = name.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        let active = app.screen == screen && app.account.is_none();
        let role = if active { Role::TabActive } else { Role::Tab };
        let start = x;
        x += ui.put(
            x,
            area.y,
            area.right().saturating_sub(x),
            &format!(" {n}"),
            if active { role } else { Role::Key },
        );
        x += ui.put(
            x,
            area.y,
            area.right().saturating_sub(x),
            &format!(" {name}"),
            role,
        );
        if let Some(c) = count.filter(|c| *c > 0) {
            let bad = screen == Screen::Sync;
            let text = format!(" {}{}", fmt::short(c as f64), if bad { "!" } else { "" });
            let r = if bad {
                Role::Bad
            } else if active {
                role
            } else {
                Role::Text
            };
            x += ui.put(x, area.y, area.right().saturating_sub(x), &text, r);
        }
        x += ui.put(x, area.y, area.right().saturating_sub(x), " ", role);
        ui.hit(
            Rect::new(start, area.y, x - start, 1),
            Hit::Command(format!("goto {}", screen.name())),
        );
        x += if short { 0 } else { 1 };
    }
    if let Some(a) = app.account.and_then(|id| app.snap.book.account_by_id(id)) {
        let room = area.right().saturating_sub(x + 1).min(34);
        let name =
            crate::tui::text::fit(a.name(), usize::from(room.saturating_sub(4))).into_owned();
        if room > 6 {
            ui.put(x, area.y, room, &format!(" ▸ {name} "), Role::TabActive);
        }
    }
}
