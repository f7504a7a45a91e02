//! Lists: what is asked for, and the row numbers that answer it. They are computed on a thread of their own, the newest question first.

use super::snapshot::Snapshot;
use crate::book::derived::{ABOVE_THRESHOLD, HAS_RISK};
use crate::book::{Entity, LocalId};
use crate::query::order::default_keys;
use crate::query::{Expr, Scope, filter, narrow, narrows, order, parse, sort_keys};
use std::sync::Arc;

/// A list of the cockpit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// All accounts.
    Accounts,
    /// The accounts at risk.
    Queue,
    /// Open renewals.
    Renewals,
    /// Open tasks.
    Tasks,
    /// Risks.
    Escalations,
    /// Our people.
    People,
}

/// Who asks: each slot holds the newest answer, and a newer question replaces an older one of the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The queue pane and screen.
    Queue,
    /// The renewals pane and screen.
    Renewals,
    /// The tasks pane and screen.
    Tasks,
    /// Anything else (accounts of a segment, a search).
    Other,
}

/// What a list is to show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ViewSpec {
    /// Which list.
    pub kind: ListKind,
    /// The filter, in the query language; empty for all.
    pub query: String,
    /// Columns to sort by, the first first; true is downwards. Empty: the list's own order.
    pub sort: Vec<(String, bool)>,
    /// Only the book of `[me]`.
    pub mine: bool,
    /// Also what the list leaves out by itself: snoozed and resolved accounts, closed renewals and risks, completed tasks, people who left.
    pub asleep: bool,
}

impl ListKind {
    /// The kind of thing that its rows are.
    pub fn entity(self) -> Entity {
        match self {
            ListKind::Accounts | ListKind::Queue => Entity::Account,
            ListKind::Renewals => Entity::Renewal,
            ListKind::Tasks => Entity::Task,
            ListKind::Escalations => Entity::Escalation,
            ListKind::People => Entity::Person,
        }
    }
}

impl ViewSpec {
    /// The columns to sort by as a text, `-arr,name`.
    fn sort_text(&self) -> String {
        self.sort
            .iter()
            .map(|(column, down)| format!("{}{column}", if *down { "-" } else { "" }))
            .collect::<Vec<_>>()
            .join(",")
    }
    /// The list in its own order, everybody's.
    pub fn of(kind: ListKind) -> ViewSpec {
        ViewSpec {
            kind,
            query: String::new(),
            sort: Vec::new(),
            mine: false,
            asleep: false,
        }
    }
}

/// The answer.
#[derive(Clone, Debug)]
pub struct View {
    /// What was asked.
    pub spec: ViewSpec,
    /// The snapshot's generation that it was made from.
    pub generation: u64,
    /// The snapshot's epoch: its rows are row numbers of that Book and of no other.
    pub epoch: u32,
    /// The rows in order.
    pub rows: Arc<Vec<u32>>,
    /// How many rows the list has without the filter.
    pub total: usize,
    /// Why the filter could not be used; then the rows are those of the last filter that could.
    pub error: Option<String>,
}

/// Answers a question on this thread. `before` is the slot's last answer: when the new filter only narrows it, only its rows are looked at,
/// and when the filter cannot be used its rows stay.
pub fn compute(s: &Snapshot, spec: &ViewSpec, before: Option<&View>) -> View {
    let entity = spec.kind.entity();
    // The numbers of the picture that is shown count; its rows are perhaps those of an earlier day.
    let (generation, epoch) = (s.generation, s.epoch);
    let s = match spec.kind {
        ListKind::Accounts | ListKind::Queue | ListKind::Renewals => s.shown(),
        ListKind::Tasks | ListKind::Escalations | ListKind::People => s,
    };
    let scope = s.scope();
    let before = before.filter(|b| b.spec.kind == spec.kind && b.epoch == epoch);
    let same_list = before.filter(|b| {
        b.generation == generation
            && b.error.is_none()
            && (b.spec.mine, b.spec.asleep, &b.spec.sort) == (spec.mine, spec.asleep, &spec.sort)
    });
    let wrong = |error: String| {
        let mut view = match before {
            Some(b) => b.clone(),
            None => compute(
                s,
                &ViewSpec {
                    query: String::new(),
                    sort: Vec::new(),
                    ..spec.clone()
                },
                None,
            ),
        };
        (view.generation, view.epoch) = (generation, epoch);
        view.spec = spec.clone();
        view.error = Some(error);
        view
    };
    let expr = match parse(&spec.query, entity) {
        Ok(expr) => expr,
        Err(e) => return wrong(e.to_string()),
    };
    let keys = if spec.sort.is_empty() {
        default_keys(entity, spec.kind == ListKind::Queue)
    } else {
        match sort_keys(entity, &spec.sort_text()) {
            Ok(keys) => keys,
            Err(e) => return wrong(e),
        }
    };
    let (rows, total) = match same_list {
        Some(b) if parse(&b.spec.query, entity).is_ok_and(|old| narrows(&old, &expr)) => {
            (narrow(&scope, entity, &expr, &b.rows), b.total)
        }
        _ => {
            let base: Vec<u32> = s
                .book
                .rows(entity)
                .filter(|r| belongs(s, spec, *r))
                .collect();
            let total = base.len();
            let mut rows = selected(&scope, entity, &expr, base, s.book.count(entity));
            order(&scope, entity, &mut rows, &keys);
            (rows, total)
        }
    };
    View {
        spec: spec.clone(),
        generation,
        epoch,
        rows: Arc::new(rows),
        total,
        error: None,
    }
}

/// The rows of a list that a query selects. A search through all names at once is quicker than one by one, once they are many.
fn selected(
    scope: &Scope<'_>,
    entity: Entity,
    expr: &Expr,
    base: Vec<u32>,
    all: usize,
) -> Vec<u32> {
    if expr.is_all() {
        return base;
    }
    if base.len() == all {
        return filter(scope, entity, expr);
    }
    if base.len() > all / 8 {
        // Both are in the order in which rows entered.
        let mut listed = base.iter().copied().peekable();
        return filter(scope, entity, expr)
            .into_iter()
            .filter(|r| {
                while listed.next_if(|l| l < r).is_some() {}
                listed.peek() == Some(r)
            })
            .collect();
    }
    narrow(scope, entity, expr, &base)
}

/// Whether a row belongs to a list.
fn belongs(s: &Snapshot, spec: &ViewSpec, row: u32) -> bool {
    let me = s.me.person.filter(|_| spec.mine);
    let csm_is = |account: Option<crate::book::AccountRow<'_>>, me: LocalId| {
        account.is_some_and(|a| a.csm_id() == Some(me))
    };
    match spec.kind {
        ListKind::Accounts | ListKind::Queue => {
            let listed = spec.kind == ListKind::Accounts
                || if spec.asleep {
                    s.derived.account(row).flags & (ABOVE_THRESHOLD | HAS_RISK) != 0
                } else {
                    s.derived.in_queue(row)
                };
            listed && me.is_none_or(|me| csm_is(Some(s.book.account(row)), me))
        }
        ListKind::Renewals => {
            let r = s.book.renewal(row);
            (spec.asleep || r.is_open())
                && me.is_none_or(|me| {
                    r.owner().is_some_and(|o| o.id() == me) || csm_is(r.account(), me)
                })
        }
        ListKind::Tasks => {
            let t = s.book.task(row);
            (spec.asleep || t.is_open())
                && me.is_none_or(|me| t.owner().is_some_and(|o| o.id() == me))
        }
        ListKind::Escalations => {
            let e = s.book.escalation(row);
            (spec.asleep || e.is_open())
                && me.is_none_or(|me| {
                    e.owner().is_some_and(|o| o.id() == me) || csm_is(e.account(), me)
                })
        }
        ListKind::People => spec.asleep || s.book.person(row).is_active(),
    }
}
