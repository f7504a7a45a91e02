//! Conditions: whether a comparison can be, and which values its literals stand for.

use super::super::ast::*;
use super::super::dates;
use super::bound::*;
use super::{Bind, Binder, NAME_FIELDS, bind, term_text};
use crate::simulate::salesforce::error::{Failure, invalid_field, malformed, placed};
use crate::simulate::salesforce::schema::Kind;
use crate::simulate::salesforce::value::{Value, day_start};

/// What a literal becomes.
pub(super) enum Bounds {
    Value(Value),
    /// To be compared in the corporate currency.
    Corporate(Value),
    Span(Value, Value),
    /// An id that nobody has.
    Nobody,
}

/// Puts a path into the tree of columns.
pub(super) fn insert(
    binder: &Binder<'_>,
    columns: &mut Vec<Column>,
    object: u16,
    parts: &[String],
    path: &Path,
) -> Bind<()> {
    let Some((first, rest)) = parts.split_first() else {
        return Ok(());
    };
    let here = binder.schema.object(object);
    if rest.is_empty() {
        let Some(place) = here.field(first) else {
            return Err(binder.no_column(path, first, here.name));
        };
        let name = here.fields[place].name.to_string();
        if columns.iter().any(|column| column.name == name) {
            return Err(invalid_field(
                binder.source,
                path.at,
                &format!("duplicate field selected: {name}"),
            ));
        }
        columns.push(Column {
            name,
            node: Node::Field(place),
        });
        return Ok(());
    }
    if path.parts.len() > 7 {
        return Err(malformed(
            binder.source,
            path.at,
            "SOQL relationship paths cannot be longer than five levels",
        ));
    }
    let Some(hop) = here.relation(first) else {
        return Err(binder.no_relation(path, first));
    };
    let field = &here.fields[hop];
    let name = field.relation.unwrap_or_default().to_string();
    let place = match columns.iter().position(|column| column.name == name) {
        Some(place) => place,
        None => {
            columns.push(Column {
                name,
                node: Node::Parent {
                    field: hop,
                    inner: Vec::new(),
                },
            });
            columns.len() - 1
        }
    };
    let Node::Parent { inner, .. } = &mut columns[place].node else {
        return Err(malformed(
            binder.source,
            path.at,
            "a relationship is selected twice in different ways",
        ));
    };
    if field.refs.len() > 1 {
        let known = NAME_FIELDS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&rest[0]));
        let Some((name, _)) = known.filter(|_| rest.len() == 1) else {
            return Err(if rest.len() == 1 {
                binder.no_column(path, &rest[0], "Name")
            } else {
                binder.no_relation(path, &rest[0])
            });
        };
        if inner.iter().any(|column| column.name == *name) {
            return Err(invalid_field(
                binder.source,
                path.at,
                &format!("duplicate field selected: {}", path.text()),
            ));
        }
        inner.push(Column {
            name: (*name).into(),
            node: Node::Named(name),
        });
        return Ok(());
    }
    let target = binder
        .target(field)
        .ok_or_else(|| binder.no_relation(path, first))?;
    insert(binder, inner, target, rest, path)
}

impl Binder<'_> {
    pub(super) fn condition(&mut self, condition: &Condition, having: bool) -> Bind<Test> {
        let all = |binder: &mut Self, parts: &[Condition]| {
            parts
                .iter()
                .map(|part| binder.condition(part, having))
                .collect::<Bind<Vec<Test>>>()
        };
        match condition {
            Condition::And(parts) => Ok(Test::And(all(self, parts)?)),
            Condition::Or(parts) => Ok(Test::Or(all(self, parts)?)),
            Condition::Not(inner) => Ok(Test::Not(Box::new(self.condition(inner, having)?))),
            Condition::Compare { left, op, right } => self.compare(left, *op, right, having),
        }
    }

    pub(super) fn compare(
        &mut self,
        term: &Term,
        op: Op,
        right: &Right,
        having: bool,
    ) -> Bind<Test> {
        let at = term.at();
        let left = self.term(term)?;
        if !having && matches!(left, Expr::Aggregate(..)) {
            return Err(malformed(
                self.source,
                at,
                "aggregate functions are not allowed in WHERE; use HAVING",
            ));
        }
        let name = term_text(term);
        let kind = left.kind();
        if !kind.filterable() {
            return Err(invalid_field(
                self.source,
                at,
                &format!("field '{name}' can not be filtered in a query call"),
            ));
        }
        let refuse = || {
            let what = if matches!(kind, Kind::Id | Kind::Reference) {
                "id".to_string()
            } else {
                format!("{} field '{name}'", kind.name())
            };
            Err(Failure::new(
                400,
                "INVALID_QUERY_FILTER_OPERATOR",
                placed(
                    self.source,
                    at,
                    &format!("invalid operator on {what} field"),
                ),
            ))
        };
        match op {
            Op::Like if !kind.textual() || kind == Kind::MultiPicklist => return refuse(),
            Op::Includes | Op::Excludes if kind != Kind::MultiPicklist => return refuse(),
            Op::Lt | Op::Le | Op::Gt | Op::Ge
                if matches!(kind, Kind::Bool | Kind::MultiPicklist) =>
            {
                return refuse();
            }
            _ => {}
        }
        match right {
            Right::Rows(query) => {
                if !matches!(kind, Kind::Id | Kind::Reference) {
                    return Err(malformed(
                        self.source,
                        at,
                        &format!(
                            "Semi join sub-selects can only be used with id fields, not '{name}'"
                        ),
                    ));
                }
                let inner = bind(self.schema, self.source, query, self.now_ms)?;
                let column = match inner.columns.as_slice() {
                    [
                        Column {
                            node: Node::Field(field),
                            ..
                        },
                    ] if !inner.grouped && !inner.only_count => Some(*field),
                    [
                        Column {
                            node: Node::Parent { .. },
                            ..
                        },
                    ] if !inner.grouped => None,
                    _ => {
                        return Err(malformed(
                            self.source,
                            query.from_at,
                            "Semi join sub-selects must select exactly one field",
                        ));
                    }
                };
                if column.is_some_and(|field| {
                    !matches!(
                        self.schema.object(inner.object).fields[field].kind,
                        Kind::Id | Kind::Reference
                    )
                }) {
                    return Err(malformed(
                        self.source,
                        query.from_at,
                        "Semi join sub-selects must select an id field",
                    ));
                }
                Ok(Test::Rows {
                    left,
                    query: Box::new(inner),
                    negated: op == Op::NotIn,
                })
            }
            Right::One(Literal::Text(pattern)) if op == Op::Like => Ok(Test::Like {
                left,
                pattern: pattern.to_lowercase(),
            }),
            Right::One(literal) => match self.literal(kind, literal, &name, at)? {
                Bounds::Value(value) => Ok(Test::Compare { left, op, value }),
                Bounds::Corporate(amount) => Ok(Test::Compare {
                    left: Expr::Corporate(Box::new(left)),
                    op,
                    value: amount,
                }),
                Bounds::Span(from, to) => Ok(Test::Span { left, op, from, to }),
                Bounds::Nobody => Ok(Test::Never(op == Op::Ne)),
            },
            Right::Many(literals) if matches!(op, Op::Includes | Op::Excludes) => {
                let mut any = Vec::new();
                for literal in literals {
                    let Literal::Text(text) = literal else {
                        return Err(self.wrong_type(kind, &name, at));
                    };
                    any.push(
                        text.split(';')
                            .map(|part| part.trim().to_lowercase())
                            .collect(),
                    );
                }
                Ok(Test::Includes {
                    left,
                    any,
                    negated: op == Op::Excludes,
                })
            }
            Right::Many(literals) => {
                let mut set = Set::default();
                let mut spans = Vec::new();
                for literal in literals {
                    match self.literal(kind, literal, &name, at)? {
                        Bounds::Value(value) | Bounds::Corporate(value) => set.add(value),
                        Bounds::Span(from, to) => spans.push(Test::Span {
                            left: left.clone(),
                            op: Op::Eq,
                            from,
                            to,
                        }),
                        Bounds::Nobody => {}
                    }
                }
                let negated = op == Op::NotIn;
                if spans.is_empty() {
                    return Ok(Test::In { left, set, negated });
                }
                spans.push(Test::In {
                    left,
                    set,
                    negated: false,
                });
                let any = Test::Or(spans);
                Ok(if negated {
                    Test::Not(Box::new(any))
                } else {
                    any
                })
            }
        }
    }

    pub(super) fn wrong_type(&self, kind: Kind, name: &str, at: usize) -> Failure {
        let kind_name = match kind {
            Kind::Id | Kind::Reference => "ID",
            _ => kind.soap().trim_start_matches("xsd:"),
        };
        let quotes = if matches!(kind, Kind::Id | Kind::Reference) || kind.textual() {
            "should be enclosed in quotes"
        } else {
            "should not be enclosed in quotes"
        };
        invalid_field(
            self.source,
            at,
            &format!(
                "value of filter criterion for field '{name}' must be of type {kind_name} and {quotes}"
            ),
        )
    }

    pub(super) fn literal(
        &self,
        kind: Kind,
        literal: &Literal,
        name: &str,
        at: usize,
    ) -> Bind<Bounds> {
        let wrong = || Err(self.wrong_type(kind, name, at));
        Ok(match literal {
            Literal::Null => Bounds::Value(Value::Null),
            Literal::Bool(value) if kind == Kind::Bool => Bounds::Value(Value::Bool(*value)),
            Literal::Text(text) => match kind {
                Kind::Id | Kind::Reference if text.is_empty() => Bounds::Value(Value::Null),
                Kind::Id | Kind::Reference => match self.schema.parse_id(text) {
                    Ok(Some(id)) => Bounds::Value(Value::Id(id)),
                    Ok(None) => Bounds::Nobody,
                    Err(()) => {
                        return Err(Failure::new(
                            400,
                            "INVALID_QUERY_FILTER_OPERATOR",
                            placed(self.source, at, &format!("invalid ID field: {text}")),
                        ));
                    }
                },
                _ if kind.textual() => Bounds::Value(Value::text(text)),
                _ => return wrong(),
            },
            Literal::Number(number)
                if kind == Kind::Int && number.fract() == 0.0 && number.abs() < 9e15 =>
            {
                Bounds::Value(Value::Int(*number as i64))
            }
            Literal::Number(number) if kind.numeric() => Bounds::Value(Value::Num(*number)),
            Literal::Currency(code, amount) if kind == Kind::Currency => {
                Bounds::Corporate(Value::Num(
                    amount
                        / self.schema.rate(code).ok_or_else(|| {
                            invalid_field(self.source, at, &format!("unknown currency '{code}'"))
                        })?,
                ))
            }
            Literal::Date(date) if kind == Kind::Date => Bounds::Value(Value::Date(*date)),
            Literal::Time(ms) if kind == Kind::DateTime => Bounds::Value(Value::Time(*ms)),
            Literal::Range(word, number) if matches!(kind, Kind::Date | Kind::DateTime) => {
                let (from, to) = dates::range(word, *number, self.today);
                if kind == Kind::Date {
                    Bounds::Span(Value::Date(from), Value::Date(to))
                } else {
                    Bounds::Span(Value::Time(day_start(from)), Value::Time(day_start(to)))
                }
            }
            _ => return wrong(),
        })
    }
}
