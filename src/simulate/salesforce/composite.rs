//! Many requests in one: `composite`, `composite/batch`, `composite/sobjects`, `composite/tree`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::Org;
use super::error::Failure;
use super::http::{Reply, Request};
use super::rest::Access;
use super::rows::{no_column, not_allowed, saved};
use super::schema::common;
use super::table::Store;
use super::value::Id;
use super::write::Change;

/// How many records a collection, and how many requests a composite or batch may hold.
const RECORDS: usize = 200;
const REQUESTS: usize = 25;
/// How many runs of one type a collection may hold.
const CHUNKS: usize = 10;

const ROLLED_BACK: &str = "Record rolled back because not all records were valid and the request was using AllOrNone header";
const HALTED: &str =
    "The transaction was rolled back since another operation in the same transaction failed.";

impl Org {
    /// `/composite/…`; `rest` is the path after it.
    pub fn composite(
        &self,
        access: &mut Access<'_, '_>,
        version: &str,
        user: Id,
        rest: &[&str],
        request: &Request,
    ) -> Reply {
        match (request.method.as_str(), rest) {
            ("GET", []) => Reply::json(
                200,
                &json!({
                    "tree": format!("/services/data/{version}/composite/tree"),
                    "batch": format!("/services/data/{version}/composite/batch"),
                    "sobjects": format!("/services/data/{version}/composite/sobjects"),
                }),
            ),
            ("POST", []) => self.composite_requests(access, user, request).into(),
            ("POST", ["batch"]) => self.batch(access, version, user, request).into(),
            (_, ["sobjects", object]) if matches!(request.method.as_str(), "GET" | "POST") => self
                .with_store(access, |store| {
                    self.retrieve(store, version, object, request)
                })
                .into(),
            ("POST" | "PATCH" | "DELETE", ["sobjects", ..]) => {
                self.with_change(access, user, |change| {
                    self.collection(change, rest, request)
                })
            }
            ("POST", ["tree", object]) => {
                self.with_change(access, user, |change| self.tree(change, object, request))
            }
            (method, [] | ["batch"] | ["tree", _] | ["sobjects", ..]) => {
                Reply::failed(&not_allowed(method, "GET, POST, PATCH, DELETE"))
            }
            _ => Reply::failed(&Failure::not_found()),
        }
    }

    fn composite_requests(
        &self,
        access: &mut Access<'_, '_>,
        user: Id,
        request: &Request,
    ) -> Result<Reply, Failure> {
        if matches!(access, Access::Within(_)) {
            return Err(Failure::new(
                400,
                "INVALID_INPUT",
                "composite requests cannot be nested",
            ));
        }
        let body = request.object()?;
        let parts = body
            .get("compositeRequest")
            .and_then(Json::as_array)
            .ok_or_else(|| Failure::new(400, "JSON_PARSER_ERROR", "compositeRequest is missing"))?;
        if parts.is_empty() || parts.len() > REQUESTS {
            return Err(Failure::new(
                400,
                "INVALID_INPUT",
                format!(
                    "The composite request must hold 1 to {REQUESTS} subrequests; it has {}",
                    parts.len()
                ),
            ));
        }
        let whole = body
            .get("allOrNone")
            .and_then(Json::as_bool)
            .unwrap_or(false);
        let mut names: Vec<&str> = Vec::new();
        for part in parts {
            let name = part
                .get("referenceId")
                .and_then(Json::as_str)
                .unwrap_or_default();
            if name.is_empty()
                || names.contains(&name)
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                return Err(Failure::new(
                    400,
                    "INVALID_INPUT",
                    format!("referenceId '{name}' is missing, not unique or not a name"),
                ));
            }
            names.push(name);
        }
        let mut change = self.change(user);
        let start = change.mark();
        let mut results: Vec<(u16, Json, Map<String, Json>)> = Vec::new();
        let mut known: BTreeMap<String, Json> = BTreeMap::new();
        let mut failed = None;
        for (place, part) in parts.iter().enumerate() {
            if whole && failed.is_some() {
                break;
            }
            let reply = match self.subrequest(&mut change, user, part, &known) {
                Ok(reply) => reply,
                Err(failure) => Reply::failed(&failure),
            };
            let json = if reply.body.is_empty() {
                Json::Null
            } else {
                serde_json::from_str(&reply.body).unwrap_or(Json::Null)
            };
            if reply.status < 300 {
                known.insert(names[place].to_string(), json.clone());
            } else if failed.is_none() && reply.status >= 400 {
                failed = Some(place);
            }
            let headers = reply
                .headers
                .iter()
                .filter(|(name, _)| name != "Sforce-Limit-Info")
                .map(|(name, value)| (name.clone(), value.clone().into()))
                .collect();
            results.push((reply.status, json, headers));
        }
        if let (true, Some(failed)) = (whole, failed) {
            change.roll_back(start);
            let halted = json!([{ "errorCode": "PROCESSING_HALTED", "message": HALTED }]);
            for (place, result) in results.iter_mut().enumerate() {
                if place != failed {
                    *result = (400, halted.clone(), Map::new());
                }
            }
            while results.len() < parts.len() {
                results.push((400, halted.clone(), Map::new()));
            }
        }
        self.keep(change, start)?;
        let list: Vec<Json> = results
            .into_iter()
            .zip(names)
            .map(|((status, body, headers), name)| json!({ "body": body, "httpHeaders": headers, "httpStatusCode": status, "referenceId": name }))
            .collect();
        Ok(Reply::json(200, &json!({ "compositeResponse": list })))
    }

    fn subrequest(
        &self,
        change: &mut Change<'_>,
        user: Id,
        part: &Json,
        known: &BTreeMap<String, Json>,
    ) -> Result<Reply, Failure> {
        let text = |name: &str| part.get(name).and_then(Json::as_str).unwrap_or_default();
        let url = fill_text(text("url"), known)?;
        let mut inner = Request::new(text("method"), &url);
        if let Some(headers) = part.get("httpHeaders").and_then(Json::as_object) {
            for (name, value) in headers {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_string);
                inner
                    .headers
                    .insert(name.to_ascii_lowercase(), fill_text(&value, known)?);
            }
        }
        if let Some(body) = part.get("body").filter(|body| !body.is_null()) {
            inner.body = fill(body, known)?.to_string().into();
        }
        if inner.path.first().map(String::as_str) != Some("services") {
            return Err(Failure::new(
                400,
                "INVALID_INPUT",
                format!("the url of a subrequest begins with /services/data/: '{url}'"),
            ));
        }
        Ok(self.data(&mut Access::Within(change), user, &inner))
    }

    fn batch(
        &self,
        access: &mut Access<'_, '_>,
        version: &str,
        user: Id,
        request: &Request,
    ) -> Result<Reply, Failure> {
        if matches!(access, Access::Within(_)) {
            return Err(Failure::new(
                400,
                "INVALID_INPUT",
                "batch requests cannot be nested",
            ));
        }
        let body = request.object()?;
        let parts = body
            .get("batchRequests")
            .and_then(Json::as_array)
            .ok_or_else(|| Failure::new(400, "JSON_PARSER_ERROR", "batchRequests is missing"))?;
        if parts.is_empty() || parts.len() > REQUESTS {
            return Err(Failure::new(
                400,
                "INVALID_INPUT",
                format!(
                    "The batch must hold 1 to {REQUESTS} requests; it has {}",
                    parts.len()
                ),
            ));
        }
        let halt = body
            .get("haltOnError")
            .and_then(Json::as_bool)
            .unwrap_or(false);
        let mut errors = false;
        let mut results = Vec::new();
        for part in parts {
            if errors && halt {
                results.push(json!({ "statusCode": 412, "result": [{ "errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request" }] }));
                continue;
            }
            let url = part
                .get("url")
                .and_then(Json::as_str)
                .unwrap_or_default()
                .trim_start_matches('/');
            let url = if url.starts_with("services/") {
                url.to_string()
            } else {
                format!("services/data/{url}")
            };
            let mut inner = Request::new(
                part.get("method")
                    .and_then(Json::as_str)
                    .unwrap_or_default(),
                &url,
            );
            if let Some(rich) = part.get("richInput").filter(|rich| !rich.is_null()) {
                inner.body = rich.to_string().into();
            }
            let reply = if inner.path.get(2).map(String::as_str) > Some(version)
                && inner.path.get(2).map(String::len) == Some(version.len())
            {
                Reply::failed(&Failure::new(
                    400,
                    "INVALID_BATCH_REQUEST",
                    "a request of a batch cannot have a higher version than the batch",
                ))
            } else {
                self.data(&mut Access::Alone, user, &inner)
            };
            errors |= reply.status >= 400;
            let result: Json = if reply.body.is_empty() {
                Json::Null
            } else {
                serde_json::from_str(&reply.body).unwrap_or(Json::Null)
            };
            results.push(json!({ "statusCode": reply.status, "result": result }));
        }
        Ok(Reply::json(
            200,
            &json!({ "hasErrors": errors, "results": results }),
        ))
    }

    /// `GET` or `POST /composite/sobjects/{object}`: many records by id.
    fn retrieve(
        &self,
        store: &Store,
        version: &str,
        object: &str,
        request: &Request,
    ) -> Result<Reply, Failure> {
        let object = super::rest::object_named(store, object)?;
        let (ids, fields): (Vec<String>, Vec<String>) = if request.method == "POST" {
            let body = request.object()?;
            let list = |name: &str| -> Vec<String> {
                body.get(name)
                    .and_then(Json::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str)
                    .map(str::to_string)
                    .collect()
            };
            (list("ids"), list("fields"))
        } else {
            let list = |name: &str| {
                request
                    .param(name)
                    .unwrap_or_default()
                    .split(',')
                    .map(str::trim)
                    .filter(|text| !text.is_empty())
                    .map(str::to_string)
                    .collect()
            };
            (list("ids"), list("fields"))
        };
        if ids.is_empty() || fields.is_empty() {
            return Err(Failure::new(
                400,
                "MISSING_ARGUMENT",
                "ids and fields are required",
            ));
        }
        let most = if request.method == "POST" { 2000 } else { 800 };
        if ids.len() > most {
            return Err(Failure::new(
                400,
                "EXCEEDED_ID_LIMIT",
                format!(
                    "record limit reached. cannot submit more than {most} records into this call"
                ),
            ));
        }
        let mut out = String::from("[");
        for (place, text) in ids.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            match store.schema.parse_id(text) {
                Err(()) => {
                    return Err(Failure::new(
                        400,
                        "MALFORMED_ID",
                        format!("malformed id {text}"),
                    ));
                }
                Ok(Some(id)) if id.object == object && store.exists(id) && !store.deleted(id) => {
                    out.push_str(&self.row_json(store, version, id, Some(&fields))?);
                }
                Ok(_) => out.push_str("null"),
            }
        }
        out.push(']');
        Ok(Reply::text(200, out))
    }

    /// `POST`, `PATCH` or `DELETE /composite/sobjects`, and `PATCH /composite/sobjects/{object}/{key}`.
    fn collection(
        &self,
        change: &mut Change<'_>,
        rest: &[&str],
        request: &Request,
    ) -> Result<Reply, Failure> {
        let start = change.mark();
        let too_many = || {
            Failure::new(
                400,
                "EXCEEDED_ID_LIMIT",
                format!(
                    "record limit reached. cannot submit more than {RECORDS} records into this call"
                ),
            )
        };
        let mut results: Vec<Result<Json, (Failure, Option<String>)>> = Vec::new();
        let whole;
        if request.method == "DELETE" {
            whole = request
                .param("allOrNone")
                .is_some_and(|value| value.eq_ignore_ascii_case("true"));
            let ids: Vec<&str> = request
                .param("ids")
                .unwrap_or_default()
                .split(',')
                .map(str::trim)
                .filter(|id| !id.is_empty())
                .collect();
            if ids.is_empty() {
                return Err(Failure::new(400, "MISSING_ARGUMENT", "ids is required"));
            }
            if ids.len() > RECORDS {
                return Err(too_many());
            }
            for text in ids {
                let result = self.known(change, text).and_then(|id| {
                    change
                        .delete(id)
                        .map(|()| saved(&change.store.schema.id_text(id), None))
                });
                results.push(result.map_err(|failure| (failure, Some(text.to_string()))));
            }
        } else {
            let body = request.object()?;
            whole = body
                .get("allOrNone")
                .and_then(Json::as_bool)
                .unwrap_or(false);
            let records = body
                .get("records")
                .and_then(Json::as_array)
                .ok_or_else(|| Failure::new(400, "JSON_PARSER_ERROR", "records is missing"))?;
            if records.len() > RECORDS {
                return Err(too_many());
            }
            let kinds: Vec<&str> = records
                .iter()
                .map(|record| {
                    record
                        .get("attributes")
                        .and_then(|known| known.get("type"))
                        .and_then(Json::as_str)
                        .unwrap_or_default()
                })
                .collect();
            let runs = kinds
                .iter()
                .zip(kinds.iter().skip(1))
                .filter(|(a, b)| !a.eq_ignore_ascii_case(b))
                .count()
                + 1;
            if runs > CHUNKS {
                return Err(Failure::new(
                    400,
                    "LIMIT_EXCEEDED",
                    format!(
                        "Cannot have more than {CHUNKS} chunks in a single operation. Please rearrange the data to reduce chunking."
                    ),
                ));
            }
            for (record, kind) in records.iter().zip(kinds) {
                let id = record
                    .as_object()
                    .and_then(|record| {
                        record
                            .iter()
                            .find(|(name, _)| name.eq_ignore_ascii_case("id"))
                    })
                    .and_then(|(_, id)| id.as_str());
                let result = self.one(change, rest, request, record, kind, id);
                results.push(result.map_err(|failure| (failure, id.map(str::to_string))));
            }
        }
        if whole && results.iter().any(Result::is_err) {
            change.roll_back(start);
            for result in &mut results {
                if result.is_ok() {
                    *result = Err((
                        Failure::new(400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK),
                        None,
                    ));
                }
            }
        }
        let list: Vec<Json> = results
            .into_iter()
            .map(|result| {
                result.unwrap_or_else(|(failure, id)| {
                    failure.saved(if request.method == "POST" { None } else { id })
                })
            })
            .collect();
        Ok(Reply::json(200, &Json::Array(list)))
    }

    fn known(&self, change: &Change<'_>, text: &str) -> Result<Id, Failure> {
        match change.store.schema.parse_id(text) {
            Err(()) => Err(Failure::new(400, "MALFORMED_ID", format!("bad id {text}"))),
            Ok(Some(id)) if change.store.exists(id) => Ok(id),
            Ok(_) => Err(Failure::new(
                400,
                "INVALID_CROSS_REFERENCE_KEY",
                "invalid cross reference id",
            )),
        }
    }

    fn one(
        &self,
        change: &mut Change<'_>,
        rest: &[&str],
        request: &Request,
        record: &Json,
        kind: &str,
        id: Option<&str>,
    ) -> Result<Json, Failure> {
        let fields = record
            .as_object()
            .ok_or_else(|| Failure::new(400, "JSON_PARSER_ERROR", "a record must be an object"))?;
        let kind = if let (true, ["sobjects", object, _]) = (kind.is_empty(), rest) {
            object
        } else {
            kind
        };
        if kind.is_empty() {
            return Err(Failure::new(
                400,
                "INVALID_INPUT",
                "Include a type in the attributes of the record",
            ));
        }
        let object = super::rest::object_named(&change.store, kind).map_err(|failure| Failure {
            status: 400,
            code: "INVALID_TYPE",
            ..failure
        })?;
        match (request.method.as_str(), rest) {
            ("POST", ["sobjects"]) => {
                let id = change.create(object, fields)?;
                Ok(saved(&change.store.schema.id_text(id), None))
            }
            ("PATCH", ["sobjects"]) => {
                let id = id.ok_or_else(|| {
                    Failure::new(
                        400,
                        "MISSING_ARGUMENT",
                        "Id not specified in an update call",
                    )
                })?;
                let id = self.known(change, id)?;
                if id.object != object {
                    return Err(Failure::new(
                        400,
                        "INVALID_CROSS_REFERENCE_KEY",
                        "the id is of another type",
                    ));
                }
                let mut fields = fields.clone();
                fields.retain(|name, _| !name.eq_ignore_ascii_case("id"));
                change.update(id, &fields)?;
                Ok(saved(&change.store.schema.id_text(id), None))
            }
            ("PATCH", ["sobjects", _, key]) => {
                let definition_name = change.store.schema.object(object).name;
                let place = change
                    .store
                    .schema
                    .object(object)
                    .field(key)
                    .ok_or_else(|| no_column(key, definition_name))?;
                let by_id = place == common::ID;
                let value = fields
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(key))
                    .map(|(_, value)| {
                        value
                            .as_str()
                            .map_or_else(|| value.to_string(), str::to_string)
                    });
                let mut fields = fields.clone();
                fields.retain(|name, _| !name.eq_ignore_ascii_case(key));
                let (id, created) = match value {
                    Some(value) => change.upsert(object, place, &value, &fields, false)?,
                    None if by_id => (change.create(object, &fields)?, true),
                    None => {
                        return Err(Failure::new(
                            400,
                            "MISSING_ARGUMENT",
                            format!("{key} not specified"),
                        ));
                    }
                };
                Ok(saved(&change.store.schema.id_text(id), Some(created)))
            }
            (method, _) => Err(not_allowed(method, "POST, PATCH, DELETE")),
        }
    }

    /// `POST /composite/tree/{object}`: records with their children, all or none.
    fn tree(
        &self,
        change: &mut Change<'_>,
        object: &str,
        request: &Request,
    ) -> Result<Reply, Failure> {
        let start = change.mark();
        let object = super::rest::object_named(&change.store, object)?;
        let body = request.object()?;
        let records = body
            .get("records")
            .and_then(Json::as_array)
            .ok_or_else(|| Failure::new(400, "JSON_PARSER_ERROR", "records is missing"))?;
        let mut results = Vec::new();
        let mut errors = Vec::new();
        for record in records {
            self.branch(change, object, record, None, &mut results, &mut errors, 0);
        }
        if results.len() + errors.len() > RECORDS {
            errors = vec![
                json!({ "referenceId": "", "errors": [{ "statusCode": "EXCEEDED_ID_LIMIT", "message": format!("at most {RECORDS} records"), "fields": [] }] }),
            ];
        }
        if errors.is_empty() {
            return Ok(Reply::json(
                201,
                &json!({ "hasErrors": false, "results": results }),
            ));
        }
        change.roll_back(start);
        Ok(Reply::json(
            400,
            &json!({ "hasErrors": true, "results": errors }),
        ))
    }

    #[allow(clippy::too_many_arguments)]
    fn branch(
        &self,
        change: &mut Change<'_>,
        object: u16,
        record: &Json,
        parent: Option<(&str, &str)>,
        results: &mut Vec<Json>,
        errors: &mut Vec<Json>,
        depth: usize,
    ) {
        let name = record
            .get("attributes")
            .and_then(|known| known.get("referenceId"))
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_string();
        let refuse = |failure: Failure| json!({ "referenceId": name, "errors": [{ "statusCode": failure.code, "message": failure.message, "fields": failure.fields }] });
        let Some(fields) = record.as_object().filter(|_| depth < 5 && !name.is_empty()) else {
            errors.push(refuse(Failure::new(
                400,
                "INVALID_INPUT",
                "a record needs attributes with a referenceId, and at most five levels",
            )));
            return;
        };
        let schema = change.store.schema.clone();
        let definition = schema.object(object);
        let mut own = Map::new();
        let mut below = Vec::new();
        for (key, value) in fields {
            match (
                value.get("records").and_then(Json::as_array),
                definition
                    .children
                    .iter()
                    .find(|child| child.relation.eq_ignore_ascii_case(key)),
            ) {
                (Some(records), Some(child)) => below.push((
                    child.object,
                    schema.object(child.object).fields[child.field].name,
                    records,
                )),
                _ => drop(own.insert(key.clone(), value.clone())),
            }
        }
        if let Some((field, id)) = parent {
            own.insert(field.into(), id.into());
        }
        match change.create(object, &own) {
            Ok(id) => {
                let text = schema.id_text(id);
                results.push(json!({ "referenceId": name, "id": text }));
                for (object, field, records) in below {
                    for record in records {
                        self.branch(
                            change,
                            object,
                            record,
                            Some((field, &text)),
                            results,
                            errors,
                            depth + 1,
                        );
                    }
                }
            }
            Err(failure) => errors.push(refuse(failure)),
        }
    }
}

/// Replaces `@{name.path}` in every text of a value. A text that is nothing but a reference takes the value as it is.
fn fill(json: &Json, known: &BTreeMap<String, Json>) -> Result<Json, Failure> {
    Ok(match json {
        Json::String(text) => match text
            .strip_prefix("@{")
            .and_then(|rest| rest.strip_suffix('}'))
            .filter(|rest| !rest.contains('}'))
        {
            Some(path) => resolve(path, known)?,
            None => Json::String(fill_text(text, known)?),
        },
        Json::Array(list) => Json::Array(
            list.iter()
                .map(|item| fill(item, known))
                .collect::<Result<_, _>>()?,
        ),
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), fill(value, known)?)))
                .collect::<Result<_, Failure>>()?,
        ),
        other => other.clone(),
    })
}

fn fill_text(text: &str, known: &BTreeMap<String, Json>) -> Result<String, Failure> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("@{") {
        let Some(end) = rest[at..].find('}') else {
            break;
        };
        out.push_str(&rest[..at]);
        let value = resolve(&rest[at + 2..at + end], known)?;
        out.push_str(
            &value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_string),
        );
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// `ref.records[0].Id`
fn resolve(path: &str, known: &BTreeMap<String, Json>) -> Result<Json, Failure> {
    let wrong = || {
        Failure::new(
            400,
            "PROCESSING_HALTED",
            format!(
                "Invalid reference specified. No value for {path} found in {}",
                path.split('.').next().unwrap_or(path)
            ),
        )
    };
    let (name, rest) = path
        .split_once(['.', '['])
        .map_or((path, ""), |(name, _)| (name, &path[name.len()..]));
    let mut value = known.get(name).ok_or_else(wrong)?;
    for step in rest
        .split(['.', '['])
        .map(|step| step.trim_end_matches(']'))
        .filter(|step| !step.is_empty())
    {
        value = match value {
            Json::Array(list) => step.parse::<usize>().ok().and_then(|place| list.get(place)),
            Json::Object(fields) => fields.get(step).or_else(|| {
                fields
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(step))
                    .map(|(_, value)| value)
            }),
            _ => None,
        }
        .ok_or_else(wrong)?;
    }
    Ok(value.clone())
}
