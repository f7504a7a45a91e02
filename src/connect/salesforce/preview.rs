//! The requests that the manifest makes the adapter send, for a person who reviews it. What a tenant has decides among the names of a field.

use super::{pull, version};
use crate::book::Entity;
use crate::connect::http::{Ask, encode};
use crate::connect::manifest::schema::Manifest;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What each request is for, and the request, with sample values.
pub fn preview(
    m: &Manifest,
    options: &BTreeMap<String, String>,
    now: Timestamp,
) -> Vec<(String, Ask)> {
    let data = format!("/services/data/{}", version(options));
    let mut out = vec![("check".to_owned(), Ask::get("/services/data/"))];
    for spec in &m.object {
        let stream = &spec.stream;
        if spec.is_found() {
            out.push((
                format!("{stream} object ({})", spec.find.join(" or ")),
                Ask::get(format!("{data}/sobjects")),
            ));
        } else {
            out.push((
                format!("{stream} fields"),
                Ask::get(format!("{data}/sobjects/{}/describe", encode(&spec.name))),
            ));
        }
        let [first, later] = pull::samples(&data, spec, now);
        out.push((stream.clone(), Ask::get(first)));
        if spec.entity != Entity::Rate {
            out.push((format!("{stream} changes"), Ask::get(later)));
        }
    }
    for (entity, write) in &m.write {
        let Some(spec) = m.object_of(*entity) else {
            continue;
        };
        let mut body = Map::new();
        for field in write.fields.values() {
            if field.when.as_ref().is_none_or(|c| c.holds_of(options))
                && let Some(to) = &field.to
            {
                // An account's field is written where it is read.
                let to = match to.strip_prefix('=') {
                    Some(own) => spec.names(own).first().map_or(own, String::as_str),
                    None => to,
                };
                body.insert(to.to_owned(), json!("<value>"));
            }
        }
        let path = format!("{data}/sobjects/{}/<id>", spec.name);
        out.push((
            format!("{entity} change"),
            Ask::write(Method::PATCH, path, Some(&Value::Object(body))),
        ));
    }
    out
}
