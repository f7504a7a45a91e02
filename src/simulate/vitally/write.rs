//! Creating, changing and deleting records. The facts name the fields of tasks; those of the other tables are unverified.

use serde_json::{Map, Value, json};

use super::Refusal;
use super::catalog::{NOTE_CATEGORIES, NOTE_CATEGORY, TASK_CATEGORIES, TASK_CATEGORY, Table, iso};
use super::ids;
use super::store::Store;

/// What a field holds.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Number,
    Moment,
    /// The id of a record of this table.
    Of(Table),
    /// The id of a category: its number in ids, and how many there are.
    Category(u8, usize),
    Traits,
    List,
}

/// A field that may be written: its name, what it holds, whether a new record must have it, and whether only a new one may.
type Field = (&'static str, Shape, bool, bool);

const fn field(name: &'static str, shape: Shape) -> Field {
    (name, shape, false, false)
}

const fn needed(name: &'static str, shape: Shape) -> Field {
    (name, shape, true, false)
}

const EXTERNAL: Field = ("externalId", Shape::Text, false, true);

const TASK: &[Field] = &[
    EXTERNAL,
    ("accountId", Shape::Of(Table::Account), true, false),
    needed("name", Shape::Text),
    field("description", Shape::Text),
    field("dueDate", Shape::Moment),
    field("assignedToId", Shape::Of(Table::Admin)),
    field("completedById", Shape::Of(Table::Admin)),
    field("completedAt", Shape::Moment),
    field(
        "categoryId",
        Shape::Category(TASK_CATEGORY, TASK_CATEGORIES.len()),
    ),
    field("projects", Shape::List),
    field("tags", Shape::List),
    field("traits", Shape::Traits),
];

const NOTE: &[Field] = &[
    EXTERNAL,
    ("accountId", Shape::Of(Table::Account), true, false),
    needed("note", Shape::Text),
    needed("noteDate", Shape::Moment),
    field("subject", Shape::Text),
    field("authorId", Shape::Of(Table::Admin)),
    field(
        "categoryId",
        Shape::Category(NOTE_CATEGORY, NOTE_CATEGORIES.len()),
    ),
    field("tags", Shape::List),
    field("traits", Shape::Traits),
];

const ACCOUNT: &[Field] = &[
    ("externalId", Shape::Text, true, true),
    needed("name", Shape::Text),
    field("organizationId", Shape::Of(Table::Organization)),
    field("traits", Shape::Traits),
    field("csmId", Shape::Of(Table::Admin)),
    field("accountExecutiveId", Shape::Of(Table::Admin)),
    field("accountOwnerId", Shape::Of(Table::Admin)),
    field("mrr", Shape::Number),
    field("nextRenewalDate", Shape::Moment),
    field("churnedAt", Shape::Moment),
];

const ORGANIZATION: &[Field] = &[
    ("externalId", Shape::Text, true, true),
    needed("name", Shape::Text),
    field("traits", Shape::Traits),
];

const USER: &[Field] = &[
    ("externalId", Shape::Text, true, true),
    field("name", Shape::Text),
    field("email", Shape::Text),
    field("accounts", Shape::List),
    field("traits", Shape::Traits),
    field("joinDate", Shape::Moment),
];

const NPS: &[Field] = &[
    EXTERNAL,
    needed("userId", Shape::Of(Table::User)),
    needed("score", Shape::Number),
    needed("respondedAt", Shape::Moment),
    field("feedback", Shape::Text),
];

const PROJECT: &[Field] = &[
    EXTERNAL,
    needed("accountId", Shape::Of(Table::Account)),
    needed("name", Shape::Text),
    field("description", Shape::Text),
    field("targetStartDate", Shape::Moment),
    field("targetCompletionDate", Shape::Moment),
    field("ownedById", Shape::Of(Table::Admin)),
    field("traits", Shape::Traits),
];

const CONVERSATION: &[Field] = &[
    ("externalId", Shape::Text, true, true),
    needed("subject", Shape::Text),
    needed("messages", Shape::List),
    field("accountId", Shape::Of(Table::Account)),
    field("authorId", Shape::Of(Table::Admin)),
    field("traits", Shape::Traits),
];

fn fields(table: Table) -> &'static [Field] {
    match table {
        Table::Account => ACCOUNT,
        Table::Organization => ORGANIZATION,
        Table::User => USER,
        Table::Task => TASK,
        Table::Note => NOTE,
        Table::Conversation => CONVERSATION,
        Table::NpsResponse => NPS,
        Table::Project => PROJECT,
        Table::Admin => &[],
    }
}

/// Whether records of the table can be written at all: colleagues are made in the settings.
pub(super) fn writable(table: Table) -> bool {
    table != Table::Admin
}

/// The values of a record as they are kept. Fields that nobody knows are passed over in silence (unverified).
pub(super) fn values(
    store: &Store,
    table: Table,
    body: &Value,
    new: bool,
) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(body) = body else {
        return Err(Refusal::bad("The body must be a JSON object"));
    };
    let mut values = Map::new();
    for (name, shape, needed, once) in fields(table) {
        let given = body.get(*name);
        let empty = matches!(given, None | Some(Value::Null))
            || given.and_then(Value::as_str).is_some_and(str::is_empty);
        // A task or note belongs to an account or to an organization.
        let elsewhere =
            *name == "accountId" && body.get("organizationId").is_some_and(Value::is_string);
        if empty && *needed && !elsewhere && (new || given.is_some()) {
            return Err(Refusal::bad(format!("{name} is required")));
        }
        if *once && !new {
            // What only a new record may have is not changed later, and nobody complains.
            continue;
        }
        match given {
            None if new => drop(values.insert((*name).to_owned(), blank(*shape))),
            None => {}
            Some(_) if empty => drop(values.insert((*name).to_owned(), blank(*shape))),
            Some(value) => {
                let value = read(store, name, *shape, value)?;
                values.insert((*name).to_owned(), value);
            }
        }
    }
    if let Some(Value::String(id)) = body.get("organizationId")
        && table != Table::Account
    {
        let row = store
            .find(Table::Organization, id)
            .ok_or_else(|| Refusal::bad("organizationId is not the id of an organization"))?;
        values.insert(
            "organizationId".to_owned(),
            json!(Table::Organization.id(row)),
        );
    }
    Ok(values)
}

fn blank(shape: Shape) -> Value {
    match shape {
        Shape::Traits => json!({}),
        Shape::List => json!([]),
        _ => Value::Null,
    }
}

fn read(store: &Store, name: &str, shape: Shape, value: &Value) -> Result<Value, Refusal> {
    let wrong = |what: &str| Refusal::bad(format!("{name} must be {what}"));
    Ok(match shape {
        Shape::Text => json!(value.as_str().ok_or_else(|| wrong("a text"))?),
        Shape::Number => match value.as_f64() {
            Some(_) => value.clone(),
            None => return Err(wrong("a number")),
        },
        Shape::Moment => iso(moment(value).ok_or_else(|| wrong("a date"))?),
        Shape::Of(table) => {
            let id = value.as_str().unwrap_or_default();
            let row = store
                .find(table, id)
                .ok_or_else(|| wrong(&format!("the id of one of the {}", table.path())))?;
            json!(table.id(row))
        }
        Shape::Category(table, count) => {
            let id = value.as_str().unwrap_or_default();
            let row = ids::row(table, id).filter(|row| (*row as usize) < count);
            json!(ids::id(
                table,
                row.ok_or_else(|| wrong("the id of a category"))?
            ))
        }
        Shape::Traits => match value {
            Value::Object(_) => value.clone(),
            _ => return Err(wrong("an object")),
        },
        Shape::List => match value {
            Value::Array(_) => value.clone(),
            _ => return Err(wrong("a list")),
        },
    })
}

/// An instant in milliseconds: an ISO day, an ISO instant, or epoch milliseconds.
fn moment(value: &Value) -> Option<i64> {
    if let Some(ms) = value.as_i64() {
        return jiff::Timestamp::from_millisecond(ms).ok().map(|_| ms);
    }
    let text = value.as_str()?.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    Some(crate::simulate::world::day_number(day) * 86_400_000)
}
