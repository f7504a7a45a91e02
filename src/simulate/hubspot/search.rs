//! `POST …/{type}/search`: filters, text, one sort, pages by number, and no more than 10,000 results.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::catalog::{OBJECT_ID, ObjectId};
use super::error::Refusal;
use super::objects::{Wanted, record};
use super::store::{Store, measured};
use super::value::{Kind, Val, instant};
use super::{Answer, Portal};

/// Results per page at most, and when nobody says how many.
const PAGE: usize = 200;
const DEFAULT: usize = 10;

/// No page reaches beyond this many results.
const CAP: usize = 10_000;

/// The limits that are safe by every copy of the documents.
const GROUPS: usize = 5;
const FILTERS: usize = 6;
const ALL_FILTERS: usize = 18;

/// Characters of `query`.
const QUERY: usize = 3000;

/// How long the pages after the first see the rows of the first.
const KEPT: Duration = Duration::from_secs(15);

/// The rows of one search: what was asked, when, at which version of the store, and what fitted.
pub(super) type Page = (String, Instant, u64, Arc<Vec<u32>>);

impl Portal {
    pub(super) fn search(&self, id: ObjectId, body: &Value) -> Answer {
        if !body.is_object() {
            return Err(Refusal::invalid("Invalid input JSON: not an object"));
        }
        let store = self.read();
        let groups = groups(&store, id, body)?;
        let words = match body.get("query") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) if text.chars().count() <= QUERY => tokens(text),
            Some(Value::String(_)) => {
                return Err(Refusal::invalid(format!(
                    "query must not be longer than {QUERY} characters"
                )));
            }
            Some(_) => return Err(Refusal::invalid("Invalid input JSON: query is not a text")),
        };
        let sort = sort(&store, id, body.get("sorts"))?;
        let limit = whole(body.get("limit"), DEFAULT, "limit")?;
        if limit > PAGE {
            return Err(Refusal::invalid(format!(
                "limit must not be more than {PAGE}, it was {limit}"
            )));
        }
        let offset = whole(body.get("after"), 0, "after")?;
        if offset + limit > CAP {
            return Err(Refusal::invalid(format!(
                "Search cannot page beyond {CAP} results; after was {offset}"
            )));
        }
        let wanted = Wanted::in_body(&store, id, body)?;
        let name = format!(
            "{} {} {} {}",
            id.plural(),
            body.get("filterGroups").unwrap_or(&Value::Null),
            body.get("query").unwrap_or(&Value::Null),
            body.get("sorts").unwrap_or(&Value::Null)
        );
        let rows = self.found(&store, id, name, offset > 0, || {
            select(&store, id, &groups, &words, sort)
        });
        let results: Vec<Value> = rows
            .iter()
            .skip(offset)
            .take(limit)
            .map(|row| record(&store, &wanted, id, *row, true))
            .collect();
        let end = offset + results.len();
        let mut answer = json!({ "total": rows.len(), "results": results });
        if end < rows.len()
            && limit > 0
            && let Some(map) = answer.as_object_mut()
        {
            map.insert(
                "paging".into(),
                json!({ "next": { "after": end.to_string() } }),
            );
        }
        Ok(Json(answer).into_response())
    }

    /// The rows of a search. A first page is always fresh; the pages after it see the rows as they were then, for some
    /// seconds, so that a large object is not sorted again for each page.
    fn found(
        &self,
        store: &Store,
        id: ObjectId,
        name: String,
        further: bool,
        select: impl FnOnce() -> Vec<u32>,
    ) -> Arc<Vec<u32>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|(_, when, ..)| when.elapsed() < KEPT);
        let fresh = store.settled(id);
        let known = pages.iter().find(|(known, _, version, _)| {
            *known == name && (further || (fresh && *version == store.version))
        });
        if let Some((.., rows)) = known {
            return rows.clone();
        }
        drop(pages);
        let rows = Arc::new(select());
        // What the index does not know yet must not be remembered as the answer at this version.
        let version = if fresh { store.version } else { u64::MAX };
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|(known, ..)| *known != name);
        if pages.len() >= 4 {
            pages.remove(0);
        }
        pages.push((name, Instant::now(), version, rows.clone()));
        rows
    }
}

fn whole(value: Option<&Value>, default: usize, name: &str) -> Result<usize, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(default),
        Some(Value::String(text)) if text.is_empty() => Ok(default),
        Some(value) => value
            .as_u64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| *number < 1 << 40)
            .ok_or_else(|| Refusal::invalid(format!("{name} must be a whole number"))),
    }
}

/// What a filter asks of a row.
enum Test {
    Has(bool),
    /// Within a range; which of its ends belong to it.
    Range {
        from: (f64, bool),
        to: (f64, bool),
    },
    Numbers(Vec<f64>, bool),
    /// One of these texts; with or without regard to case.
    Texts(Vec<String>, bool, bool),
    Before(String, bool),
    After(String, bool),
    Tokens(Vec<String>, bool),
}

enum Condition {
    Property(u16, Test),
    /// Associated with one of these.
    Linked(HashSet<u32>, bool),
}

fn groups(store: &Store, id: ObjectId, body: &Value) -> Result<Vec<Vec<Condition>>, Refusal> {
    let list = match body.get("filterGroups") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => {
            return Err(Refusal::invalid(
                "Invalid input JSON: filterGroups is not a list",
            ));
        }
    };
    if list.len() > GROUPS {
        return Err(Refusal::invalid(format!(
            "There are {} filter groups; at most {GROUPS} are allowed",
            list.len()
        )));
    }
    let (mut groups, mut all) = (Vec::new(), 0);
    for group in list {
        let filters = group
            .get("filters")
            .and_then(Value::as_array)
            .ok_or_else(|| Refusal::invalid("Invalid input JSON: a filter group has no filters"))?;
        all += filters.len();
        if filters.len() > FILTERS || all > ALL_FILTERS {
            return Err(Refusal::invalid(format!(
                "Too many filters: at most {FILTERS} in a group and {ALL_FILTERS} in all"
            )));
        }
        let compiled: Result<Vec<Condition>, Refusal> = filters
            .iter()
            .map(|filter| condition(store, id, filter))
            .collect();
        groups.push(compiled?);
    }
    Ok(groups)
}

fn condition(store: &Store, id: ObjectId, filter: &Value) -> Result<Condition, Refusal> {
    let text = |key: &str| filter.get(key).and_then(Value::as_str);
    let name = text("propertyName")
        .ok_or_else(|| Refusal::invalid("Invalid input JSON: a filter names no property"))?;
    let operator = text("operator")
        .ok_or_else(|| Refusal::invalid("Invalid input JSON: a filter has no operator"))?;
    let scalar = |key: &str| match filter.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Bool(flag)) => Ok(flag.to_string()),
        _ => Err(Refusal::invalid(format!(
            "The filter on {name} with {operator} has no {key}"
        ))),
    };
    let list = || -> Result<Vec<String>, Refusal> {
        let values = filter
            .get("values")
            .and_then(Value::as_array)
            .filter(|values| !values.is_empty())
            .ok_or_else(|| {
                Refusal::invalid(format!(
                    "The filter on {name} with {operator} has no values"
                ))
            })?;
        Ok(values
            .iter()
            .map(|value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            })
            .collect())
    };
    if let Some(other) = name.strip_prefix("associations.") {
        let other = ObjectId::named(other).ok_or_else(|| unknown(id, name))?;
        let ids = match operator {
            "EQ" | "NEQ" => vec![scalar("value")?],
            "IN" | "NOT_IN" => list()?,
            _ => return Err(bad_operator(name, operator)),
        };
        let rows = ids
            .iter()
            .filter_map(|which| store.find(other, which))
            .flat_map(|row| store.linked((other, row), id))
            .map(|(row, _)| row)
            .collect();
        return Ok(Condition::Linked(rows, operator.starts_with('N')));
    }
    let field = store
        .object(id)
        .field(name)
        .ok_or_else(|| unknown(id, name))?;
    let kind = store
        .definition(id, field)
        .map_or(Kind::Text, |field| field.kind);
    let measure = |text: &str| -> Result<f64, Refusal> {
        let number = match kind {
            Kind::Number => text.trim().parse().ok(),
            _ => instant(text).map(|ms| ms as f64),
        };
        number
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| {
                Refusal::invalid(format!("{text} is not a {} (for {name})", kind.name()))
            })
    };
    // Picks are matched as they are spelled, other texts without regard to case.
    let fold = kind == Kind::Text;
    let spelled = |text: String| if fold { text.to_lowercase() } else { text };
    const ALL: (f64, bool) = (f64::INFINITY, true);
    const NONE: (f64, bool) = (f64::NEG_INFINITY, true);
    let test = match operator {
        "HAS_PROPERTY" => Test::Has(true),
        "NOT_HAS_PROPERTY" => Test::Has(false),
        "EQ" | "NEQ" => {
            let (value, not) = (scalar("value")?, operator == "NEQ");
            if measured(kind) {
                Test::Numbers(vec![measure(&value)?], not)
            } else {
                Test::Texts(vec![spelled(value)], fold, not)
            }
        }
        "IN" | "NOT_IN" => {
            let (values, not) = (list()?, operator == "NOT_IN");
            if measured(kind) {
                let numbers: Result<Vec<f64>, Refusal> =
                    values.iter().map(|value| measure(value)).collect();
                Test::Numbers(numbers?, not)
            } else {
                Test::Texts(values.into_iter().map(spelled).collect(), fold, not)
            }
        }
        "LT" | "LTE" | "GT" | "GTE" => {
            let (value, with) = (scalar("value")?, operator.ends_with('E'));
            let below = operator.starts_with('L');
            match (measured(kind), below) {
                (true, true) => Test::Range {
                    from: NONE,
                    to: (measure(&value)?, with),
                },
                (true, false) => Test::Range {
                    from: (measure(&value)?, with),
                    to: ALL,
                },
                (false, true) => Test::Before(value.to_lowercase(), with),
                (false, false) => Test::After(value.to_lowercase(), with),
            }
        }
        "BETWEEN" if measured(kind) => Test::Range {
            from: (measure(&scalar("value")?)?, true),
            to: (measure(&scalar("highValue")?)?, true),
        },
        "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN" => Test::Tokens(
            patterns(&scalar("value")?),
            operator == "NOT_CONTAINS_TOKEN",
        ),
        _ => return Err(bad_operator(name, operator)),
    };
    Ok(Condition::Property(field, test))
}

fn unknown(id: ObjectId, name: &str) -> Refusal {
    Refusal::invalid(format!(
        "There is no property {name} on {}; it cannot be searched",
        id.plural()
    ))
}

fn bad_operator(name: &str, operator: &str) -> Refusal {
    Refusal::invalid(format!(
        "Invalid input JSON: {operator} is no operator for {name}"
    ))
}

/// The words of a text, in small letters.
fn tokens(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The words of a token filter, in which `*` stands for anything before or after.
fn patterns(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '*'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn token_fits(pattern: &str, word: &str) -> bool {
    let open = (pattern.starts_with('*'), pattern.ends_with('*'));
    let stem = pattern.trim_matches('*');
    match open {
        (true, true) => word.contains(stem),
        (true, false) => word.ends_with(stem),
        (false, true) => word.starts_with(stem),
        (false, false) => word == stem,
    }
}

/// A value that is not there fits `NOT_HAS_PROPERTY` and `NOT_CONTAINS_TOKEN` alone (the latter is unverified).
fn fits(test: &Test, value: &Val<'_>) -> bool {
    match test {
        Test::Has(wanted) => (*value != Val::Null) == *wanted,
        Test::Range { from, to } => value.measure().is_some_and(|value| {
            (value > from.0 || (from.1 && value == from.0))
                && (value < to.0 || (to.1 && value == to.0))
        }),
        Test::Numbers(wanted, not) => value
            .measure()
            .is_some_and(|value| wanted.contains(&value) != *not),
        Test::Texts(wanted, fold, not) => value.shown().is_some_and(|text| {
            let found = if *fold {
                wanted.contains(&text.to_lowercase())
            } else {
                wanted.iter().any(|wanted| wanted.as_str() == text.as_ref())
            };
            found != *not
        }),
        Test::Before(bound, with) => value.shown().is_some_and(|text| {
            let text = text.to_lowercase();
            text < *bound || (*with && text == *bound)
        }),
        Test::After(bound, with) => value.shown().is_some_and(|text| {
            let text = text.to_lowercase();
            text > *bound || (*with && text == *bound)
        }),
        Test::Tokens(patterns, not) => {
            let words = value.shown().map(|text| tokens(&text)).unwrap_or_default();
            let found = patterns
                .iter()
                .all(|pattern| words.iter().any(|word| token_fits(pattern, word)));
            found != *not
        }
    }
}

/// The property and direction of the one sort that a search may have.
fn sort(
    store: &Store,
    id: ObjectId,
    sorts: Option<&Value>,
) -> Result<Option<(u16, bool)>, Refusal> {
    let list = match sorts {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(Refusal::invalid("Invalid input JSON: sorts is not a list")),
    };
    if list.len() > 1 {
        return Err(Refusal::invalid("A search can have one sort, not several"));
    }
    let Some(sort) = list.first() else {
        return Ok(None);
    };
    let (name, down) = match sort {
        Value::String(text) => (text.trim_start_matches('-'), text.starts_with('-')),
        sort => {
            let name = sort
                .get("propertyName")
                .and_then(Value::as_str)
                .ok_or_else(|| Refusal::invalid("Invalid input JSON: a sort names no property"))?;
            let down = match sort.get("direction").and_then(Value::as_str) {
                None | Some("ASCENDING") => false,
                Some("DESCENDING") => true,
                Some(other) => {
                    return Err(Refusal::invalid(format!(
                        "Invalid input JSON: {other} is no direction"
                    )));
                }
            };
            (name, down)
        }
    };
    let field = store
        .object(id)
        .field(name)
        .ok_or_else(|| unknown(id, name))?;
    Ok(Some((field, down)))
}

fn select(
    store: &Store,
    id: ObjectId,
    groups: &[Vec<Condition>],
    words: &[String],
    sort: Option<(u16, bool)>,
) -> Vec<u32> {
    let searched: Vec<u16> = (0u16..)
        .zip(&store.object(id).fields)
        .filter(|(_, field)| field.searched && !field.archived)
        .map(|(place, _)| place)
        .collect();
    let meets = |row: u32| {
        let group = |conditions: &Vec<Condition>| {
            conditions.iter().all(|condition| match condition {
                Condition::Property(field, test) => fits(test, &store.indexed(id, row, *field)),
                Condition::Linked(rows, not) => rows.contains(&row) != *not,
            })
        };
        groups.is_empty() || groups.iter().any(group)
    };
    let says = |row: u32| {
        words.is_empty() || {
            let said: Vec<String> = searched
                .iter()
                .filter_map(|field| Some(tokens(&store.indexed(id, row, *field).shown()?)))
                .flatten()
                .collect();
            words
                .iter()
                .all(|word| said.iter().any(|known| known.starts_with(word.as_str())))
        }
    };
    let mut rows: Vec<u32> = store
        .rows_from(id, 0)
        .filter(|row| store.is_indexed(id, *row) && meets(*row) && says(*row))
        .collect();
    // Rows come in the order of their ids.
    match sort {
        None | Some((OBJECT_ID, false)) => {}
        Some((OBJECT_ID, true)) => rows.reverse(),
        Some((field, down)) => {
            let mut keyed: Vec<(Val<'_>, u32)> = rows
                .iter()
                .map(|row| (store.indexed(id, *row, field), *row))
                .collect();
            keyed.sort_by(|(a, _), (b, _)| {
                // What has no value comes last in both directions.
                let order = a.order(b);
                if down && *a != Val::Null && *b != Val::Null {
                    order.reverse()
                } else {
                    order
                }
            });
            rows = keyed.into_iter().map(|(_, row)| row).collect();
        }
    }
    rows
}
