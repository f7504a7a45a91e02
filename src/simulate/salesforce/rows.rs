//! Single records over HTTP: create, read, change, upsert, delete, with conditions on the time of change or the ETag.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::Org;
use super::error::Failure;
use super::http::{Reply, Request};
use super::live::between;
use super::schema::common;
use super::table::Store;
use super::value::{Id, Value, parse_time, time_text};
use super::write::{self, Change};

/// The answer to a write that made or touched `id`.
pub fn saved(id: &str, created: Option<bool>) -> Json {
    let mut body = json!({ "id": id, "success": true, "errors": [] });
    if let Some(created) = created {
        body["created"] = created.into();
    }
    body
}

/// The second of a conditional header's date.
fn header_seconds(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(text.trim())
        .ok()
        .map(|at| at.timestamp().as_second())
}

/// What the conditional headers of a request say about a record.
enum Condition {
    Go,
    /// 304
    Unchanged,
    /// 412
    Failed,
}

impl Org {
    /// A record's ETag; only accounts have one.
    fn etag(&self, store: &Store, id: Id) -> Option<String> {
        (id.object == self.at.account).then(|| {
            let stamp = store.stamp(id) as u64;
            format!(
                "\"{:016x}--gzip\"",
                crate::simulate::world::rng::hash(stamp ^ u64::from(id.row) << 32)
            )
        })
    }

    fn condition(&self, store: &Store, id: Id, request: &Request) -> Result<Condition, Failure> {
        let seconds = store.stamp(id).div_euclid(1000);
        let writing = request.method != "GET";
        let date = |name: &str| -> Result<Option<i64>, Failure> {
            let Some(text) = request.header(name) else {
                return Ok(None);
            };
            match header_seconds(text) {
                Some(at) => Ok(Some(at)),
                None if writing => Err(Failure::new(
                    400,
                    "INVALID_HEADER",
                    format!("the value of the header {name} is no date of RFC 1123: {text}"),
                )),
                None => Ok(None),
            }
        };
        let etag = self.etag(store, id);
        let matches = |list: &str| -> bool {
            list.split(',')
                .map(|tag| tag.trim().trim_start_matches("W/"))
                .any(|tag| {
                    tag == "*"
                        || etag.as_deref().is_some_and(|etag| {
                            etag == tag
                                || etag.trim_matches('"').trim_end_matches("--gzip")
                                    == tag.trim_matches('"').trim_end_matches("--gzip")
                        })
                })
        };
        if etag.is_some() {
            if request
                .header("if-match")
                .is_some_and(|list| !matches(list))
            {
                return Ok(Condition::Failed);
            }
            if request.header("if-none-match").is_some_and(matches) {
                return Ok(if writing {
                    Condition::Failed
                } else {
                    Condition::Unchanged
                });
            }
        }
        if date("if-unmodified-since")?.is_some_and(|limit| seconds > limit) {
            return Ok(Condition::Failed);
        }
        if date("if-modified-since")?.is_some_and(|limit| seconds <= limit) {
            return Ok(if writing {
                Condition::Failed
            } else {
                Condition::Unchanged
            });
        }
        Ok(Condition::Go)
    }

    /// The record with an id in a path.
    ///
    /// # Errors
    /// 404 `NOT_FOUND` or `ENTITY_IS_DELETED`, 400 `MALFORMED_ID`.
    pub fn find(&self, store: &Store, object: u16, text: &str) -> Result<Id, Failure> {
        let gone = || Failure::new(404, "NOT_FOUND", "The requested resource does not exist");
        match store.schema.parse_id(text) {
            Err(()) => Err(Failure::new(
                404,
                "NOT_FOUND",
                "Provided external ID field does not exist or is not accessible: ".to_string()
                    + text,
            )),
            Ok(Some(id)) if id.object == object && store.exists(id) => {
                if store.deleted(id) {
                    Err(Failure::new(404, "ENTITY_IS_DELETED", "entity is deleted"))
                } else {
                    Ok(id)
                }
            }
            Ok(_) => Err(gone()),
        }
    }

    /// One record as JSON, all fields or those of `fields`.
    ///
    /// # Errors
    /// `INVALID_FIELD` for a name that is none.
    pub fn row_json(
        &self,
        store: &Store,
        version: &str,
        id: Id,
        fields: Option<&[String]>,
    ) -> Result<String, Failure> {
        let object = store.schema.object(id.object);
        let text = match fields {
            Some(fields) if !fields.is_empty() => {
                // Paths such as Owner.Name are allowed: the query language knows them.
                let mut list: Vec<&str> = Vec::new();
                for field in fields {
                    if !list.iter().any(|known| known.eq_ignore_ascii_case(field)) {
                        list.push(field);
                    }
                }
                if !list.iter().any(|field| field.eq_ignore_ascii_case("Id")) {
                    list.push("Id");
                }
                if let Some(odd) = list.iter().find(|field| {
                    !field
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
                }) {
                    return Err(no_column(odd, object.name));
                }
                list.join(",")
            }
            _ => object
                .visible()
                .map(|(_, field)| field.name)
                .collect::<Vec<_>>()
                .join(","),
        };
        let bound = super::soql::prepare(
            &store.schema,
            &format!("SELECT {text} FROM {}", object.name),
            self.now_ms(),
        )
        .map_err(|failure| match failure.code {
            "INVALID_FIELD" => {
                let message = failure
                    .message
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .replace("on entity", "on sobject of type");
                Failure::new(400, "INVALID_FIELD", message)
            }
            _ => failure,
        })?;
        let mut out = String::new();
        super::soql::record(
            &super::soql::Scope {
                store,
                deleted: true,
            },
            version,
            id,
            &bound.columns,
            &mut out,
        );
        Ok(out)
    }

    /// `GET /sobjects/Account/001…`
    ///
    /// # Errors
    /// In Salesforce's words.
    pub fn get_row(
        &self,
        store: &Store,
        version: &str,
        id: Id,
        request: &Request,
    ) -> Result<Reply, Failure> {
        let etag = self.etag(store, id);
        let tagged = |reply: Reply| {
            let modified = Timestamp::from_millisecond(store.stamp(id))
                .ok()
                .and_then(|at| {
                    jiff::fmt::rfc2822::DateTimePrinter::new()
                        .timestamp_to_rfc9110_string(&at)
                        .ok()
                });
            let reply = match &etag {
                Some(etag) => reply.with("ETag", etag),
                None => reply,
            };
            match modified {
                Some(modified) => reply.with("Last-Modified", &modified),
                None => reply,
            }
        };
        match self.condition(store, id, request)? {
            Condition::Unchanged => return Ok(tagged(Reply::empty(304))),
            Condition::Failed => return Err(precondition()),
            Condition::Go => {}
        }
        let fields: Option<Vec<String>> = request.param("fields").map(|list| {
            list.split(',')
                .map(|field| field.trim().to_string())
                .filter(|field| !field.is_empty())
                .collect()
        });
        Ok(tagged(Reply::text(
            200,
            self.row_json(store, version, id, fields.as_deref())?,
        )))
    }

    /// Everything under `/sobjects/{object}/…` that writes.
    ///
    /// # Errors
    /// In Salesforce's words.
    pub fn write_row(
        &self,
        change: &mut Change<'_>,
        object: u16,
        rest: &[&str],
        request: &Request,
    ) -> Result<Reply, Failure> {
        let method = request
            .param("_HttpMethod")
            .map_or(request.method.clone(), str::to_ascii_uppercase);
        match (method.as_str(), rest) {
            ("POST", []) => {
                let id = change.create(object, &request.object()?)?;
                let text = change.store.schema.id_text(id);
                let name = change.store.schema.object(object).name;
                Ok(Reply::json(201, &saved(&text, None)).with(
                    "Location",
                    &format!("/services/data/{}/sobjects/{name}/{text}", request.path[2]),
                ))
            }
            ("PATCH", [text]) => {
                let id = self.find(&change.store, object, text)?;
                match self.condition(&change.store, id, request)? {
                    Condition::Go => {}
                    Condition::Unchanged | Condition::Failed => return Err(precondition()),
                }
                change.update(id, &request.object()?)?;
                Ok(Reply::empty(204))
            }
            ("DELETE", [text]) => {
                let id = self.find(&change.store, object, text)?;
                change.delete(id)?;
                Ok(Reply::empty(204))
            }
            ("PATCH" | "POST", [field, value]) => {
                let place = self.key_field(change, object, field)?;
                if let Some(id) = change.by_key(object, place, value)? {
                    match self.condition(&change.store, id, request)? {
                        Condition::Go => {}
                        Condition::Unchanged | Condition::Failed => return Err(precondition()),
                    }
                }
                let only = request
                    .param("updateOnly")
                    .is_some_and(|only| only.eq_ignore_ascii_case("true"));
                let (id, created) =
                    change.upsert(object, place, value, &request.object()?, only)?;
                let text = change.store.schema.id_text(id);
                Ok(Reply::json(
                    if created { 201 } else { 200 },
                    &saved(&text, Some(created)),
                ))
            }
            ("DELETE", [field, value]) => {
                let place = self.key_field(change, object, field)?;
                let id = change
                    .by_key(object, place, value)?
                    .ok_or_else(Failure::not_found)?;
                change.delete(id)?;
                Ok(Reply::empty(204))
            }
            _ => Err(not_allowed(&method, "GET, PATCH, DELETE")),
        }
    }

    fn key_field(&self, change: &Change<'_>, object: u16, field: &str) -> Result<usize, Failure> {
        let definition = change.store.schema.object(object);
        definition
            .field(field)
            .filter(|place| *place == common::ID || definition.fields[*place].external)
            .ok_or_else(|| {
                Failure::new(
                    404,
                    "NOT_FOUND",
                    format!(
                        "Provided external ID field does not exist or is not accessible: {field}"
                    ),
                )
            })
    }

    /// `GET /sobjects/Account/External_Id__c/CUST-1`
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn find_by_key(
        &self,
        store: &Store,
        object: u16,
        field: &str,
        value: &str,
    ) -> Result<Id, Failure> {
        let missing = || {
            Failure::new(
                404,
                "NOT_FOUND",
                format!("Provided external ID field does not exist or is not accessible: {field}"),
            )
        };
        let place = store
            .schema
            .object(object)
            .field(field)
            .ok_or_else(missing)?;
        write::by_key(store, object, place, value)?.ok_or_else(Failure::not_found)
    }

    /// `GET /sobjects/Account/updated/?start=&end=`, and `deleted`.
    ///
    /// # Errors
    /// When the dates are missing, wrong, too far apart or too long ago.
    pub fn changed(
        &self,
        store: &Store,
        object: u16,
        request: &Request,
        deleted: bool,
    ) -> Result<Reply, Failure> {
        let instant = |name: &str| -> Result<i64, Failure> {
            let text = request.param(name).ok_or_else(|| {
                Failure::new(400, "MISSING_ARGUMENT", format!("{name}: date is required"))
            })?;
            // A plus sign that nobody encoded arrives as a blank.
            parse_time(&text.replace(' ', "+")).ok_or_else(|| {
                Failure::new(
                    400,
                    "INVALID_REPLICATION_DATE",
                    format!("{name}: '{text}' is not a date and time"),
                )
            })
        };
        let (from, to) = (instant("start")?, instant("end")?);
        let now = self.now_ms();
        if to <= from {
            return Err(Failure::new(
                400,
                "INVALID_REPLICATION_DATE",
                "startDate must be before endDate",
            ));
        }
        if to - from < 60_000 {
            return Err(Failure::new(
                400,
                "INVALID_REPLICATION_DATE",
                "endDate must be at least one minute after startDate",
            ));
        }
        if from < now - 30 * 86_400_000 - 60_000 {
            return Err(Failure::new(
                400,
                "INVALID_REPLICATION_DATE",
                "startDate cannot be more than 30 days ago",
            ));
        }
        let found = between(store, object, from, to.min(now + 1000), deleted);
        let covered = time_text(to.min(now).div_euclid(60_000) * 60_000);
        Ok(Reply::json(
            200,
            &if deleted {
                let earliest = time_text((self.fill.world.anchor_second() - 15 * 86_400) * 1000);
                json!({ "deletedRecords": found, "earliestDateAvailable": earliest, "latestDateCovered": covered })
            } else {
                json!({ "ids": found, "latestDateCovered": covered })
            },
        ))
    }

    /// A record behind a relationship of another: `GET /sobjects/Contact/003…/Account`, or `/Account/001…/Contacts`.
    ///
    /// # Errors
    /// 404 when there is no such relationship, or nothing behind it.
    pub fn related(
        &self,
        store: &Store,
        version: &str,
        id: Id,
        relation: &str,
        request: &Request,
    ) -> Result<Reply, Failure> {
        let object = store.schema.object(id.object);
        if let Some(field) = object.relation(relation) {
            return match store.get(id, field) {
                Value::Id(parent) if !store.deleted(parent) => {
                    self.get_row(store, version, parent, request)
                }
                _ => Err(Failure::new(
                    404,
                    "NOT_FOUND",
                    format!("The requested resource does not exist: {relation} is empty"),
                )),
            };
        }
        let child = object
            .children
            .iter()
            .find(|child| child.relation.eq_ignore_ascii_case(relation))
            .ok_or_else(Failure::not_found)?;
        let definition = store.schema.object(child.object);
        let fields = match request.param("fields") {
            Some(fields) => fields.to_string(),
            None => definition
                .visible()
                .map(|(_, field)| field.name)
                .collect::<Vec<_>>()
                .join(","),
        };
        let text = format!(
            "SELECT {fields} FROM {} WHERE {} = '{}'",
            definition.name,
            definition.fields[child.field].name,
            store.schema.id_text(id)
        );
        let mut inner = Request::new("GET", "/");
        inner.headers = request.headers.clone();
        inner.query.push(("q".into(), text));
        self.query(store, version, &inner, false)
    }
}

pub fn no_column(field: &str, object: &str) -> Failure {
    Failure::new(
        400,
        "INVALID_FIELD",
        format!("No such column '{field}' on sobject of type {object}"),
    )
}

pub fn not_allowed(method: &str, allowed: &str) -> Failure {
    Failure::new(
        405,
        "METHOD_NOT_ALLOWED",
        format!("HTTP Method '{method}' not allowed. Allowed are {allowed}"),
    )
}

fn precondition() -> Failure {
    Failure::new(
        412,
        "PRECONDITION_FAILED",
        "The resource has changed since the date or version that the request names",
    )
}
