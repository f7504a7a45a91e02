//! What no API takes stays here: a change, or those of its fields, that the system it would go to cannot take becomes a change of csops' own.

use super::super::context::Context;
use super::super::effect::Plan;
use crate::book::id::LOCAL;
use crate::book::{Change, Entity, SourceName, Verb};

/// Parts every change into what goes to its system and what stays here; the summary says what stays and why.
pub(super) fn keep_here(mut plan: Plan, cx: &Context<'_>) -> Plan {
    let mut why: Option<String> = None;
    let mut out = Vec::with_capacity(plan.changes.len());
    for change in std::mem::take(&mut plan.changes) {
        let Some(capabilities) = cx.source(&change.source).map(|s| &s.capabilities) else {
            out.push(change);
            continue;
        };
        let entity = change.target.entity;
        let refused = |field: &str| {
            let support = capabilities.support(entity, field)?;
            support.why_not.clone()
        };
        let whole = match change.verb {
            Verb::Create => refused("*"),
            Verb::Delete => refused("-").filter(|_| entity != Entity::Escalation),
            // What was made here because it could not be made there is also changed here.
            Verb::Update => refused("*").filter(|_| only_here(cx, &change)),
        };
        if let Some(reason) = whole {
            why.get_or_insert(reason);
            out.push(Change {
                source: LOCAL.into(),
                ..change
            });
            continue;
        }
        if change.verb != Verb::Update {
            out.push(change);
            continue;
        }
        let (kept, sent): (Vec<_>, Vec<_>) = change.fields.iter().cloned().partition(|f| {
            let reason = refused(&f.field);
            let stays = reason.is_some();
            if let Some(reason) = reason {
                why.get_or_insert(reason);
            }
            stays
        });
        for (fields, source) in [
            (sent, change.source.clone()),
            (kept, SourceName::from(LOCAL)),
        ] {
            if !fields.is_empty() {
                out.push(Change {
                    fields,
                    source,
                    ..change.clone()
                });
            }
        }
    }
    plan.changes = out;
    if let Some(why) = why {
        plan.summary = format!("{} · {why}", plan.summary);
    }
    plan
}

fn only_here(cx: &Context<'_>, change: &Change) -> bool {
    let held = cx.rows.held_by.get(&change.target);
    held.is_some_and(|held| !held.is_empty() && held.iter().all(|s| &**s == LOCAL))
}
