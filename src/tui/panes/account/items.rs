//! The account's work: renewals, risks, tasks and tickets in one list, each with what is to be known of it.

use super::super::empty;
use crate::book::{AccountDetail, Entity, LocalId, Person};
use crate::tui::app::{App, Item, Pane};
use crate::tui::fmt;
use crate::tui::text::fit;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Ui, bit};
use crate::tui::widgets::table::{Column, RowLook, Table, col, with_bar};
use jiff::civil::Date;
use ratatui::layout::Rect;

pub(super) const ITEMS: [Column; 5] = [
    col("kind", "Kind", 8, 90).fixed(),
    col("state", "When", 15, 95).fixed(),
    col("title", "What", 18, 100).grow(4).fixed(),
    col("value", "", 11, 80).right().fixed(),
    col("who", "Whose", 10, 60).grow(1).fixed(),
];

pub(super) fn items(app: &mut App, ui: &mut Ui<'_>, area: Rect, inner: Rect) {
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
                with_bar(inner),
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

pub(super) fn person(d: &AccountDetail, id: Option<LocalId>) -> &str {
    id.and_then(|id| d.people.iter().find(|p: &&Person| p.id == id))
        .map_or("", |p| p.name.as_str())
}

pub(super) fn item_look<'a>(
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
                        super::super::tasks::due(today, t.due, open),
                        &t.title,
                        bit(
                            t.priority_kind.as_deref().unwrap_or(""),
                            super::super::tasks::priority_role(t.priority_kind.as_deref()),
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
pub(super) fn item_note<'a>(app: &App, d: &'a AccountDetail, item: &Item) -> Option<Vec<Bit<'a>>> {
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
