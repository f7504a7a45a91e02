//! Conditions, expressions and orders, as the data query and the cockpit share them.

use std::collections::HashMap;

use serde_json::Value;

use super::catalog::ObjectId;
use super::envelope::Refusal;
use super::expression::{Node, Parser};
use super::store::{Path, Store};
use super::value::{self, Kind, Val};

/// A comparison of one field.
struct Condition {
    path: Path,
    operator: Operator,
    values: Vec<Literal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Lt,
    Gt,
    Lte,
    Gte,
    Between,
    In,
    Contains,
    DoesNotContain,
    StartsWith,
    EndsWith,
    IsNull,
    IsNotNull,
    Includes,
    Excludes,
}

enum Literal {
    /// The first and last millisecond that are meant.
    Time(i64, i64),
    Other(Val<'static>),
    /// In lower case, for the operators that look into texts.
    Part(String),
}

impl Operator {
    fn parse(text: &str) -> Option<Operator> {
        Some(match text.to_ascii_uppercase().as_str() {
            "EQ" => Operator::Eq,
            "NE" => Operator::Ne,
            "LT" => Operator::Lt,
            "GT" => Operator::Gt,
            "LTE" => Operator::Lte,
            "GTE" => Operator::Gte,
            "BTW" => Operator::Between,
            "IN" => Operator::In,
            "CONTAINS" => Operator::Contains,
            "DOES_NOT_CONTAINS" => Operator::DoesNotContain,
            "STARTS_WITH" => Operator::StartsWith,
            "ENDS_WITH" => Operator::EndsWith,
            "IS_NULL" => Operator::IsNull,
            "IS_NOT_NULL" => Operator::IsNotNull,
            "INCLUDES" => Operator::Includes,
            "EXCLUDES" => Operator::Excludes,
            _ => return None,
        })
    }

    fn looks_into_text(self) -> bool {
        matches!(
            self,
            Operator::Contains
                | Operator::DoesNotContain
                | Operator::StartsWith
                | Operator::EndsWith
        )
    }
}

/// A compiled `where`.
pub(super) struct Filter {
    conditions: Vec<Condition>,
    tree: Node,
}

/// The codes under which one of the two services refuses.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    /// The key that names the field in a condition: `name` or `fieldName`.
    pub key: &'static str,
    pub bad_field: &'static str,
    pub bad_value: &'static str,
    pub bad_where: &'static str,
}

pub(super) const DATA: Dialect = Dialect {
    key: "name",
    bad_field: "GSOBJ_1013",
    bad_value: "GSOBJ_1005",
    bad_where: "GSOBJ_1009",
};
pub(super) const COCKPIT: Dialect = Dialect {
    key: "fieldName",
    bad_field: "COCKPIT_5102",
    bad_value: "COCKPIT_5103",
    bad_where: "COCKPIT_5104",
};

impl Filter {
    /// Reads `{"conditions": […], "expression": "A AND (B OR C)"}`; nothing, or no conditions, lets every row through.
    pub fn compile(
        store: &Store,
        object: ObjectId,
        source: Option<&Value>,
        dialect: Dialect,
    ) -> Result<Filter, Refusal> {
        let everything = Filter {
            conditions: Vec::new(),
            tree: Node::All(Vec::new()),
        };
        let Some(source) = source.filter(|source| !source.is_null()) else {
            return Ok(everything);
        };
        let list = match source.get("conditions") {
            None | Some(Value::Null) => return Ok(everything),
            Some(Value::Array(list)) if list.is_empty() => return Ok(everything),
            Some(Value::Array(list)) => list,
            Some(_) => {
                return Err(Refusal::new(
                    dialect.bad_where,
                    "Invalid where clause - conditions must be a list",
                ));
            }
        };
        let mut conditions = Vec::new();
        let mut aliases = HashMap::new();
        for (place, item) in list.iter().enumerate() {
            let (condition, alias) = compile_condition(store, object, item, dialect)?;
            conditions.push(condition);
            aliases.insert(
                alias.unwrap_or_else(|| letter(place)).to_ascii_uppercase(),
                place,
            );
        }
        let expression = source
            .get("expression")
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty());
        let tree = match expression {
            Some(text) => Parser::new(text, &aliases, dialect).parse()?,
            None => Node::All((0..conditions.len()).map(Node::Is).collect()),
        };
        Ok(Filter { conditions, tree })
    }

    /// Whether a row fits.
    pub fn fits(&self, store: &Store, object: ObjectId, row: u32) -> bool {
        self.holds(&self.tree, store, object, row)
    }

    fn holds(&self, node: &Node, store: &Store, object: ObjectId, row: u32) -> bool {
        match node {
            Node::All(nodes) => nodes
                .iter()
                .all(|node| self.holds(node, store, object, row)),
            Node::Any(nodes) => nodes
                .iter()
                .any(|node| self.holds(node, store, object, row)),
            Node::Is(place) => self.conditions.get(*place).is_some_and(|condition| {
                condition.holds(&store.follow(object, row, &condition.path))
            }),
        }
    }
}

fn letter(place: usize) -> String {
    char::from(b'A' + (place % 26) as u8).to_string()
}

fn compile_condition(
    store: &Store,
    object: ObjectId,
    item: &Value,
    dialect: Dialect,
) -> Result<(Condition, Option<String>), Refusal> {
    let name = item
        .get(dialect.key)
        .and_then(Value::as_str)
        .ok_or_else(|| {
            Refusal::new(
                dialect.bad_where,
                format!(
                    "Invalid where clause - {} is missing in a condition",
                    dialect.key
                ),
            )
        })?;
    let path = store.path(object, name).ok_or_else(|| {
        Refusal::new(
            dialect.bad_field,
            format!("Invalid fields in where clause - {name}"),
        )
    })?;
    let operator = item.get("operator").and_then(Value::as_str).unwrap_or("EQ");
    let operator = Operator::parse(operator)
        .ok_or_else(|| Refusal::new(dialect.bad_where, format!("Invalid operator - {operator}")))?;
    let written: Vec<&Value> = match item.get("value") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(single) => vec![single],
    };
    let wants = match operator {
        Operator::IsNull | Operator::IsNotNull => 0,
        Operator::Between => 2,
        _ => 1,
    };
    if written.len() < wants {
        return Err(Refusal::new(
            dialect.bad_where,
            format!("Invalid where clause - {name} needs {wants} value(s)"),
        ));
    }
    if operator.looks_into_text() && !path.kind.is_text() {
        return Err(Refusal::new(
            dialect.bad_where,
            format!(
                "Invalid where clause - a text operator cannot be used on {name} of type {}",
                path.kind.name()
            ),
        ));
    }
    let read = |value: &Value| -> Result<Literal, Refusal> {
        let bad = || {
            Refusal::new(
                dialect.bad_value,
                format!(
                    "Invalid value for field {name} of type {}",
                    path.kind.name()
                ),
            )
        };
        if operator.looks_into_text() {
            return value
                .as_str()
                .map(|text| Literal::Part(text.to_lowercase()))
                .ok_or_else(bad);
        }
        match path.kind {
            Kind::Date | Kind::DateTime if !value.is_null() => value::instant(value)
                .map(|(from, to)| Literal::Time(from, to))
                .ok_or_else(bad),
            // A GSID of another object or of nothing is no error: it is simply nobody's.
            Kind::Lookup(_) | Kind::Pick(_) if value.is_string() => Ok(Literal::Other(
                value::read(path.kind, value).unwrap_or(value::text("-").into_owned()),
            )),
            kind => value::read(kind, value).map(Literal::Other).ok_or_else(bad),
        }
    };
    let values = if wants == 0 {
        Vec::new()
    } else {
        written.into_iter().map(read).collect::<Result<_, _>>()?
    };
    let alias = item.get("alias").and_then(Value::as_str).map(str::to_owned);
    Ok((
        Condition {
            path,
            operator,
            values,
        },
        alias,
    ))
}

impl Condition {
    fn holds(&self, value: &Val<'_>) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let gsid = self.path.kind == Kind::Gsid;
        // Below, at, or above a literal; a time is at a literal that covers it.
        let place = |literal: &Literal| match (literal, value) {
            (_, Val::Null) => None,
            (Literal::Time(from, to), Val::Ms(ms)) => Some(if ms < from {
                Less
            } else if ms > to {
                Greater
            } else {
                Equal
            }),
            (Literal::Other(Val::Text(text)), Val::Row(object, row)) if gsid => {
                let id =
                    crate::simulate::world::ids::gainsight_id(object.prefix(), u64::from(*row));
                Some(id.as_str().cmp(text))
            }
            (Literal::Other(Val::Text(a)), Val::Text(b)) => Some((**b).cmp(&**a)),
            (Literal::Other(other), _)
                if std::mem::discriminant(other) == std::mem::discriminant(value) =>
            {
                Some(value.order(other))
            }
            _ => None,
        };
        let equal = |literal: &Literal| match literal {
            Literal::Other(Val::Null) => *value == Val::Null,
            _ => place(literal) == Some(Equal),
        };
        let text = || match value {
            Val::Text(text) => text.to_lowercase(),
            _ => String::new(),
        };
        let parts = || {
            self.values.iter().filter_map(|literal| {
                if let Literal::Part(part) = literal {
                    Some(part)
                } else {
                    None
                }
            })
        };
        let first = || self.values.first();
        match self.operator {
            Operator::IsNull => *value == Val::Null,
            Operator::IsNotNull => *value != Val::Null,
            // One value or several: EQ with a list is IN, as in the vendor's rule builder.
            Operator::Eq | Operator::In | Operator::Includes => self.values.iter().any(equal),
            Operator::Ne | Operator::Excludes => !self.values.iter().any(equal),
            Operator::Lt => first().and_then(place) == Some(Less),
            Operator::Gt => first().and_then(place) == Some(Greater),
            Operator::Lte => matches!(first().and_then(place), Some(Less | Equal)),
            Operator::Gte => matches!(first().and_then(place), Some(Greater | Equal)),
            Operator::Between => match self.values.as_slice() {
                [from, to, ..] => {
                    matches!(place(from), Some(Greater | Equal))
                        && matches!(place(to), Some(Less | Equal))
                }
                _ => false,
            },
            Operator::Contains => {
                let text = text();
                *value != Val::Null && parts().any(|part| text.contains(part.as_str()))
            }
            Operator::DoesNotContain => {
                let text = text();
                !parts().any(|part| text.contains(part.as_str()))
            }
            Operator::StartsWith => {
                let text = text();
                *value != Val::Null && parts().any(|part| text.starts_with(part.as_str()))
            }
            Operator::EndsWith => {
                let text = text();
                *value != Val::Null && parts().any(|part| text.ends_with(part.as_str()))
            }
        }
    }
}

/// Reads `{"Name": "asc"}` into paths and directions (`true` is descending).
pub(super) fn order(
    store: &Store,
    object: ObjectId,
    source: Option<&Value>,
    dialect: Dialect,
) -> Result<Vec<(Path, bool)>, Refusal> {
    let Some(Value::Object(fields)) = source else {
        return Ok(Vec::new());
    };
    fields
        .iter()
        .map(|(name, direction)| {
            let path = store.path(object, name).ok_or_else(|| {
                Refusal::new(
                    dialect.bad_field,
                    format!("Invalid fields in orderBy clause - {name}"),
                )
            })?;
            Ok((
                path,
                direction
                    .as_str()
                    .is_some_and(|direction| direction.eq_ignore_ascii_case("desc")),
            ))
        })
        .collect()
}

/// The rows that fit, in order; the world's order where none is asked for. Stops after `enough` rows when nothing is to be sorted.
pub(super) fn select(
    store: &Store,
    object: ObjectId,
    filter: &Filter,
    order: &[(Path, bool)],
    enough: usize,
) -> Vec<u32> {
    let fitting = store
        .rows(object)
        .filter(|row| filter.fits(store, object, *row));
    if order.is_empty() {
        return fitting.take(enough).collect();
    }
    let mut keyed: Vec<(Vec<Val<'_>>, u32)> = fitting
        .map(|row| {
            (
                order
                    .iter()
                    .map(|(path, _)| store.follow(object, row, path))
                    .collect(),
                row,
            )
        })
        .collect();
    keyed.sort_by(|(a, row_a), (b, row_b)| {
        for ((a, b), (_, descending)) in a.iter().zip(b).zip(order) {
            let by_value = a.order(b);
            let by_value = if *descending {
                by_value.reverse()
            } else {
                by_value
            };
            if by_value.is_ne() {
                return by_value;
            }
        }
        row_a.cmp(row_b)
    });
    keyed.into_iter().map(|(_, row)| row).collect()
}
