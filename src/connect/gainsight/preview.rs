//! The requests that the manifest makes the adapter send, for a person who reviews it. What a tenant has decides among the names of a field.

use super::pull::{question, rows_of_page};
use super::{DELETIONS, is_query};
use crate::book::Entity;
use crate::connect::http::Ask;
use crate::connect::manifest::schema::Manifest;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What each request is for, and the request, with sample values.
pub fn preview(
    m: &Manifest,
    _options: &BTreeMap<String, String>,
    now: Timestamp,
) -> Vec<(String, Ask)> {
    let mut out = Vec::new();
    for spec in &m.object {
        let stream = &spec.stream;
        let select = spec.likeliest();
        if is_query(spec) {
            let object = if spec.is_found() {
                let words = spec.find.join(" or ");
                out.push((
                    format!("{stream} object ({words})"),
                    Ask::get("/v1/meta/services/objects/list?po=company&em=false"),
                ));
                format!("<{words}>")
            } else {
                spec.name.clone()
            };
            let about = json!({"objectNames": [object], "populatePickListOptions": "true"});
            out.push((
                format!("{stream} fields"),
                Ask::query("/v1/meta/services/objects/describe", &about),
            ));
            let mut select = select;
            select.extend(["Gsid", "ModifiedDate"].map(str::to_owned));
            let size = rows_of_page(spec);
            out.push((stream.clone(), question(&object, &select, None, 0, size)));
            let since = Some(("ModifiedDate", now));
            out.push((
                format!("{stream} changes"),
                question(&object, &select, since, 0, size),
            ));
            continue;
        }
        let ask = match spec.entity {
            Entity::Escalation => Ask::query(
                "/v2/cockpit/cta/list",
                &json!({"select": select, "linkedObject": true, "pageSize": spec.page, "pageNumber": 1}),
            ),
            Entity::Task => Ask::query(
                "/v2/cockpit/task/list/<call to action>",
                &json!({"select": select}),
            ),
            _ => Ask::query(
                format!("/v1/data/objects/query/{DELETIONS}"),
                &json!({"select": select, "limit": 5000, "offset": 0}),
            ),
        };
        out.push((stream.clone(), ask));
    }
    for (entity, write) in &m.write {
        let (path, object) = match entity {
            Entity::Escalation => ("/v2/cockpit/cta/".to_owned(), None),
            Entity::Task => ("/v2/cockpit/task".to_owned(), None),
            Entity::Touchpoint => ("/v1/ant/es/activity".to_owned(), None),
            Entity::Account => match m.object_of(Entity::Account) {
                Some(spec) => (
                    format!("/v1/data/objects/{}?keys=Gsid", spec.name),
                    Some(spec),
                ),
                None => continue,
            },
            _ => continue,
        };
        let mut record = Map::new();
        for to in write.fields.values().filter_map(|f| f.to.as_deref()) {
            let to = match (to.strip_prefix('='), object) {
                (Some(own), Some(spec)) => spec.names(own).first().map_or(own, String::as_str),
                _ => to,
            };
            record.insert(to.to_owned(), json!("<value>"));
        }
        let body = match entity {
            Entity::Escalation | Entity::Task => json!({"requests": [{"record": record}]}),
            _ => json!({"records": [Value::Object(record)]}),
        };
        out.push((
            format!("{entity} change"),
            Ask::write(Method::PUT, path, Some(&body)),
        ));
    }
    out
}
