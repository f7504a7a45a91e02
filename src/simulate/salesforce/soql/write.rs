//! Records as JSON, in the order of the select list, and as CSV cells.

use super::bind::{Bound, Column, Node};
use super::eval::Scope;
use crate::simulate::salesforce::value::{Id, Value, write_json_text};

/// Appends one record as JSON. `version` is that of the request, e.g. `v62.0`.
pub fn record(scope: &Scope<'_>, version: &str, id: Id, columns: &[Column], out: &mut String) {
    let schema = &scope.store.schema;
    let name = schema.object(id.object).name;
    out.push_str(&format!(
        "{{\"attributes\":{{\"type\":\"{name}\",\"url\":\"/services/data/{version}/sobjects/{name}/{}\"}}",
        schema.id_text(id)
    ));
    for column in columns {
        out.push(',');
        write_json_text(&column.name, out);
        out.push(':');
        match &column.node {
            Node::Parent { field, inner } => match scope.store.get(id, *field) {
                Value::Id(parent) => record(scope, version, parent, inner, out),
                _ => out.push_str("null"),
            },
            Node::TypeOf {
                field,
                cases,
                otherwise,
            } => match scope.store.get(id, *field) {
                Value::Id(parent) => {
                    let case = cases
                        .iter()
                        .find(|(object, _)| *object == parent.object)
                        .map_or(otherwise, |(_, columns)| columns);
                    record(scope, version, parent, case, out);
                }
                _ => out.push_str("null"),
            },
            Node::Children {
                object,
                field,
                query,
            } => children(scope, version, id, *object, *field, query, out),
            node => scope.node(id, node).write_json(schema, out),
        }
    }
    out.push('}');
}

fn children(
    scope: &Scope<'_>,
    version: &str,
    parent: Id,
    object: u16,
    field: usize,
    query: &Bound,
    out: &mut String,
) {
    let rows = scope.children(query, field, parent);
    if rows.is_empty() {
        out.push_str("null");
        return;
    }
    out.push_str(&format!(
        "{{\"totalSize\":{},\"done\":true,\"records\":[",
        rows.len()
    ));
    for (place, row) in rows.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        record(scope, version, Id { object, row }, &query.columns, out);
    }
    out.push_str("]}");
}

/// The column names of a CSV, `Owner.Name` for a path; `None` when the query selects what a CSV cannot hold.
pub fn headers(columns: &[Column], prefix: &str, into: &mut Vec<String>) -> Option<()> {
    for column in columns {
        let name = format!("{prefix}{}", column.name);
        match &column.node {
            Node::Parent { inner, .. } => headers(inner, &format!("{name}."), into)?,
            Node::Children { .. } | Node::TypeOf { .. } => return None,
            _ => into.push(name),
        }
    }
    Some(())
}

/// The cells of one record, in the order of [`headers`].
pub fn cells(scope: &Scope<'_>, id: Option<Id>, columns: &[Column], into: &mut Vec<String>) {
    for column in columns {
        match (&column.node, id) {
            (Node::Parent { field, inner }, id) => {
                let parent = id.and_then(|id| match scope.store.get(id, *field) {
                    Value::Id(parent) => Some(parent),
                    _ => None,
                });
                cells(scope, parent, inner, into);
            }
            (node, Some(id)) => into.push(scope.node(id, node).plain(&scope.store.schema)),
            (_, None) => into.push(String::new()),
        }
    }
}
