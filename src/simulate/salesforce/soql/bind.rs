//! What the names of a query mean: objects, fields, relationships and types from the schema. Everything that can be
//! refused is refused here, so that evaluation cannot fail.

mod bound;
mod condition;

pub use bound::*;
use condition::*;

use jiff::civil::Date;

use super::ast::*;
use crate::simulate::salesforce::error::{Failure, invalid_field, malformed, placed};
use crate::simulate::salesforce::schema::{Field, Kind, Schema};
use crate::simulate::salesforce::value::zoned;

/// The fields that one can ask of a reference to several kinds of object.
const NAME_FIELDS: &[(&str, Kind)] = &[
    ("Id", Kind::Id),
    ("Name", Kind::Text),
    ("Type", Kind::Picklist),
    ("FirstName", Kind::Text),
    ("LastName", Kind::Text),
    ("Email", Kind::Email),
    ("Phone", Kind::Phone),
    ("Title", Kind::Text),
    ("Username", Kind::Text),
    ("Alias", Kind::Text),
    ("IsActive", Kind::Bool),
];

/// Gives the names of `query` their meaning.
///
/// # Errors
/// `INVALID_TYPE`, `INVALID_FIELD`, `MALFORMED_QUERY`, `INVALID_QUERY_FILTER_OPERATOR`, `NUMBER_OUTSIDE_VALID_RANGE`.
pub fn bind(schema: &Schema, source: &str, query: &Query, now_ms: i64) -> Result<Bound, Failure> {
    let Some(object) = schema.find(&query.from) else {
        let message = format!(
            "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. \
             Please reference your WSDL or the describe call for the appropriate names.",
            query.from
        );
        return Err(Failure::new(
            400,
            "INVALID_TYPE",
            placed(source, query.from_at, &message),
        ));
    };
    Binder {
        schema,
        source,
        today: zoned(now_ms).date(),
        now_ms,
        query,
        object,
        aggregates: Vec::new(),
    }
    .bind()
}

struct Binder<'a> {
    schema: &'a Schema,
    source: &'a str,
    today: Date,
    now_ms: i64,
    query: &'a Query,
    object: u16,
    aggregates: Vec<Aggregate>,
}

type Bind<T> = Result<T, Failure>;

impl Binder<'_> {
    fn bind(mut self) -> Bind<Bound> {
        let query = self.query;
        if query.offset.is_some_and(|offset| offset > 2000) {
            return Err(Failure::new(
                400,
                "NUMBER_OUTSIDE_VALID_RANGE",
                "Maximum SOQL offset allowed is 2000",
            ));
        }
        let only_count = matches!(
            query.items.as_slice(),
            [Item::Term {
                term: Term::Call {
                    function: Function::Count,
                    argument: None,
                    ..
                },
                ..
            }]
        );
        let aggregates =
            |term: &Term| matches!(term, Term::Call { function, .. } if function.aggregates());
        let grouped = !only_count
            && (!query.group.is_empty()
                || query
                    .items
                    .iter()
                    .any(|item| matches!(item, Item::Term { term, .. } if aggregates(term))));
        let mut group = Vec::new();
        for term in &query.group {
            let expr = self.term(term)?;
            if let (Term::Path(path), Expr::Route(route)) = (term, &expr)
                && !route.kind.groupable()
            {
                return Err(invalid_field(
                    self.source,
                    path.at,
                    &format!("field '{}' can not be grouped in a query call", path.text()),
                ));
            }
            group.push(expr);
        }
        let columns = if only_count {
            Vec::new()
        } else if grouped {
            self.group_columns(&group)?
        } else {
            self.columns()?
        };
        let filter = query
            .filter
            .as_ref()
            .map(|filter| self.condition(filter, false))
            .transpose()?;
        let having = query
            .having
            .as_ref()
            .map(|having| self.condition(having, true))
            .transpose()?;
        let mut order = Vec::new();
        for key in &query.order {
            let expr = self.term(&key.term)?;
            if !grouped && matches!(expr, Expr::Aggregate(..)) {
                return Err(malformed(
                    self.source,
                    key.term.at(),
                    "aggregate functions in ORDER BY need a grouped query",
                ));
            }
            if grouped && !matches!(expr, Expr::Aggregate(..)) && !group.contains(&expr) {
                return Err(malformed(
                    self.source,
                    key.term.at(),
                    &format!(
                        "Ordered field must be grouped or aggregated: {}",
                        term_text(&key.term)
                    ),
                ));
            }
            if let Expr::Route(route) = &expr
                && (!route.kind.filterable() || route.kind == Kind::MultiPicklist)
            {
                return Err(invalid_field(
                    self.source,
                    key.term.at(),
                    &format!(
                        "field '{}' can not be sorted in a query call",
                        term_text(&key.term)
                    ),
                ));
            }
            order.push(Sort {
                expr,
                descending: key.descending,
                nulls_last: key.nulls_last,
            });
        }
        if only_count && !order.is_empty() {
            return Err(malformed(
                self.source,
                query.order[0].term.at(),
                "ORDER BY is not allowed with COUNT()",
            ));
        }
        Ok(Bound {
            object: self.object,
            columns,
            filter,
            only_count,
            grouped,
            group,
            aggregates: self.aggregates,
            having,
            order,
            limit: query.limit,
            offset: query.offset.unwrap_or(0),
            all_rows: query.all_rows,
        })
    }

    /// The tree of a plain select list.
    fn columns(&mut self) -> Bind<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::new();
        for item in &self.query.items {
            match item {
                Item::Term {
                    term: Term::Path(path),
                    alias,
                } => {
                    if alias.is_some() {
                        return Err(malformed(
                            self.source,
                            path.at,
                            "only aggregate expressions use field aliasing",
                        ));
                    }
                    let parts = self.strip(path);
                    insert(self, &mut columns, self.object, parts, path)?;
                }
                Item::Term { term, alias } => {
                    let expr = self.term(term)?;
                    let name = alias.clone().unwrap_or_else(|| self.function_name(term));
                    if columns
                        .iter()
                        .any(|column| column.name.eq_ignore_ascii_case(&name))
                    {
                        return Err(invalid_field(
                            self.source,
                            term.at(),
                            &format!("duplicate field selected: {name}"),
                        ));
                    }
                    columns.push(Column {
                        name,
                        node: Node::Value(expr),
                    });
                }
                Item::Fields(word, at) => {
                    if !matches!(word.as_str(), "ALL" | "STANDARD" | "CUSTOM") {
                        return Err(malformed(
                            self.source,
                            *at,
                            &format!("unexpected token: '{word}'"),
                        ));
                    }
                    if word != "STANDARD" && self.query.limit.is_none_or(|limit| limit > 200) {
                        return Err(malformed(
                            self.source,
                            *at,
                            "The SOQL FIELDS function must have a LIMIT of at most 200",
                        ));
                    }
                    for (place, field) in self.schema.object(self.object).visible() {
                        let wanted = word == "ALL" || field.custom() == (word == "CUSTOM");
                        if wanted && !columns.iter().any(|column| column.name == field.name) {
                            columns.push(Column {
                                name: field.name.into(),
                                node: Node::Field(place),
                            });
                        }
                    }
                }
                Item::Children(query) => {
                    let known = self
                        .schema
                        .object(self.object)
                        .children
                        .iter()
                        .find(|child| child.relation.eq_ignore_ascii_case(&query.from));
                    let Some(child) = known else {
                        let message = format!(
                            "Didn't understand relationship '{}' in FROM part of query call. If you are attempting to use a custom relationship, \
                             be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for \
                             the appropriate names.",
                            query.from
                        );
                        return Err(Failure::new(
                            400,
                            "INVALID_TYPE",
                            placed(self.source, query.from_at, &message),
                        ));
                    };
                    let (object, field, name) =
                        (child.object, child.field, child.relation.to_string());
                    let inner = Binder {
                        schema: self.schema,
                        source: self.source,
                        today: self.today,
                        now_ms: self.now_ms,
                        query,
                        object,
                        aggregates: Vec::new(),
                    }
                    .bind()?;
                    if inner.grouped || inner.only_count {
                        return Err(malformed(
                            self.source,
                            query.from_at,
                            "aggregate functions are not allowed in a subquery of the select list",
                        ));
                    }
                    if columns.iter().any(|column| column.name == name) {
                        return Err(malformed(
                            self.source,
                            query.from_at,
                            &format!("duplicate subquery: {name}"),
                        ));
                    }
                    columns.push(Column {
                        name,
                        node: Node::Children {
                            object,
                            field,
                            query: Box::new(inner),
                        },
                    });
                }
                Item::TypeOf {
                    path,
                    cases,
                    otherwise,
                } => {
                    let column = self.type_of(path, cases, otherwise)?;
                    if columns.iter().any(|known| known.name == column.name) {
                        return Err(malformed(
                            self.source,
                            path.at,
                            &format!("{} is selected twice in different ways", column.name),
                        ));
                    }
                    columns.push(column);
                }
            }
        }
        Ok(columns)
    }

    fn type_of(
        &mut self,
        path: &Path,
        cases: &[(String, usize, Vec<Path>)],
        otherwise: &[Path],
    ) -> Bind<Column> {
        let object = self.schema.object(self.object);
        let relation = self.strip(path);
        let found = relation
            .first()
            .filter(|_| relation.len() == 1)
            .and_then(|name| object.relation(name));
        let Some(field) = found.filter(|field| object.fields[*field].refs.len() > 1) else {
            return Err(invalid_field(
                self.source,
                path.at,
                &format!(
                    "'{}' is not a polymorphic relationship of {}",
                    path.text(),
                    object.name
                ),
            ));
        };
        let mut bound = Vec::new();
        for (name, at, paths) in cases {
            let Some(target) = self.schema.find(name) else {
                return Err(Failure::new(
                    400,
                    "INVALID_TYPE",
                    placed(
                        self.source,
                        *at,
                        &format!("sObject type '{name}' is not supported."),
                    ),
                ));
            };
            let mut columns = Vec::new();
            for path in paths {
                insert(self, &mut columns, target, &path.parts, path)?;
            }
            bound.push((target, columns));
        }
        let mut rest = Vec::new();
        for path in otherwise {
            let known = NAME_FIELDS.iter().find(|(name, _)| {
                path.parts.len() == 1 && name.eq_ignore_ascii_case(&path.parts[0])
            });
            let Some((name, _)) = known else {
                return Err(self.no_column(path, &path.parts[0], "Name"));
            };
            rest.push(Column {
                name: (*name).into(),
                node: Node::Named(name),
            });
        }
        let name = object.fields[field]
            .relation
            .unwrap_or_default()
            .to_string();
        Ok(Column {
            name,
            node: Node::TypeOf {
                field,
                cases: bound,
                otherwise: rest,
            },
        })
    }

    /// The select list of a grouped query.
    fn group_columns(&mut self, group: &[Expr]) -> Bind<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::new();
        let mut unnamed = 0;
        for item in &self.query.items {
            let Item::Term { term, alias } = item else {
                return Err(malformed(
                    self.source,
                    self.query.from_at,
                    "a grouped query can select only grouped fields and aggregate functions",
                ));
            };
            let expr = self.term(term)?;
            if !matches!(expr, Expr::Aggregate(..)) && !group.contains(&expr) {
                return Err(malformed(
                    self.source,
                    term.at(),
                    &format!("Field must be grouped or aggregated: {}", term_text(term)),
                ));
            }
            let name = match (alias, term, &expr) {
                (Some(alias), ..) => alias.clone(),
                (None, Term::Path(_), Expr::Route(route)) => self.last_name(route, term),
                _ => {
                    unnamed += 1;
                    format!("expr{}", unnamed - 1)
                }
            };
            if columns
                .iter()
                .any(|column| column.name.eq_ignore_ascii_case(&name))
            {
                return Err(malformed(
                    self.source,
                    term.at(),
                    &format!("duplicate alias: {name}"),
                ));
            }
            columns.push(Column {
                name,
                node: Node::Value(expr),
            });
        }
        Ok(columns)
    }

    /// The field's name as the schema writes it.
    fn last_name(&self, route: &Route, term: &Term) -> String {
        match (&route.last, term) {
            (Last::Named(name), _) => (*name).to_string(),
            (Last::Field(field), _) if route.hops.is_empty() => {
                self.schema.object(self.object).fields[*field]
                    .name
                    .to_string()
            }
            (_, Term::Path(path)) => path.parts.last().cloned().unwrap_or_default(),
            _ => String::new(),
        }
    }

    fn function_name(&self, term: &Term) -> String {
        match term {
            Term::Call {
                argument: Some(argument),
                ..
            } => self.function_name(argument),
            Term::Path(path) => {
                let parts = self.strip(path);
                let known = (parts.len() == 1)
                    .then(|| self.schema.object(self.object).field(&parts[0]))
                    .flatten();
                known.map_or_else(
                    || parts.join("."),
                    |field| {
                        self.schema.object(self.object).fields[field]
                            .name
                            .to_string()
                    },
                )
            }
            Term::Call { .. } => String::new(),
        }
    }

    /// The path without the object's name or alias before it.
    fn strip<'p>(&self, path: &'p Path) -> &'p [String] {
        let first = &path.parts[0];
        let alias = self
            .query
            .alias
            .as_ref()
            .is_some_and(|alias| alias.eq_ignore_ascii_case(first));
        let own = first.eq_ignore_ascii_case(self.schema.object(self.object).name)
            && self.schema.object(self.object).relation(first).is_none();
        if path.parts.len() > 1 && (alias || own) {
            &path.parts[1..]
        } else {
            &path.parts
        }
    }

    fn no_column(&self, path: &Path, field: &str, object: &str) -> Failure {
        let message = format!(
            "No such column '{field}' on entity '{object}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom \
             field name. Please reference your WSDL or the describe call for the appropriate names."
        );
        invalid_field(self.source, path.at, &message)
    }

    fn no_relation(&self, path: &Path, name: &str) -> Failure {
        let message = format!(
            "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' \
             after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."
        );
        invalid_field(self.source, path.at, &message)
    }

    fn route(&self, path: &Path) -> Bind<Route> {
        let parts = self.strip(path);
        let mut object = self.object;
        let mut hops = Vec::new();
        if parts.len() > 6 {
            return Err(malformed(
                self.source,
                path.at,
                "SOQL relationship paths cannot be longer than five levels",
            ));
        }
        let (last, relations) = parts
            .split_last()
            .ok_or_else(|| malformed(self.source, path.at, "a field is missing"))?;
        for (place, name) in relations.iter().enumerate() {
            let Some(hop) = self.schema.object(object).relation(name) else {
                return Err(self.no_relation(path, name));
            };
            hops.push(hop);
            let field = &self.schema.object(object).fields[hop];
            if field.refs.len() > 1 {
                if place + 1 < relations.len() {
                    return Err(self.no_relation(path, &relations[place + 1]));
                }
                let Some((name, kind)) = NAME_FIELDS
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(last))
                else {
                    return Err(self.no_column(path, last, "Name"));
                };
                return Ok(Route {
                    hops,
                    last: Last::Named(name),
                    kind: *kind,
                });
            }
            object = self
                .target(field)
                .ok_or_else(|| self.no_relation(path, name))?;
        }
        let Some(field) = self.schema.object(object).field(last) else {
            return Err(self.no_column(path, last, self.schema.object(object).name));
        };
        Ok(Route {
            hops,
            last: Last::Field(field),
            kind: self.schema.object(object).fields[field].kind,
        })
    }

    fn target(&self, field: &Field) -> Option<u16> {
        field.refs.first().and_then(|name| self.schema.find(name))
    }

    fn term(&mut self, term: &Term) -> Bind<Expr> {
        let (function, argument, at) = match term {
            Term::Path(path) => return self.route(path).map(Expr::Route),
            Term::Call {
                function,
                argument,
                at,
            } => (*function, argument.as_deref(), *at),
        };
        let of = argument.map(|argument| self.term(argument)).transpose()?;
        if function.aggregates() {
            let kind = of.as_ref().map_or(Kind::Int, Expr::kind);
            if matches!(of, Some(Expr::Aggregate(..))) {
                return Err(malformed(
                    self.source,
                    at,
                    "aggregate functions cannot be nested",
                ));
            }
            let fits = match function {
                Function::Sum | Function::Avg => kind.numeric(),
                Function::Min | Function::Max => {
                    kind.filterable()
                        && !matches!(
                            kind,
                            Kind::Bool | Kind::Id | Kind::Reference | Kind::MultiPicklist
                        )
                }
                _ => kind.filterable(),
            };
            if !fits {
                return Err(malformed(
                    self.source,
                    at,
                    &format!(
                        "field {} does not support aggregate operator {function:?}",
                        argument.map(term_text).unwrap_or_default()
                    )
                    .to_string(),
                ));
            }
            let result = match function {
                Function::Count | Function::CountDistinct => Kind::Int,
                Function::Avg => Kind::Double,
                _ => kind,
            };
            // Amounts of several currencies are added up in the corporate one.
            let of = of.map(|of| {
                if kind == Kind::Currency && function != Function::Count {
                    Expr::Corporate(Box::new(of))
                } else {
                    of
                }
            });
            let aggregate = Aggregate { function, of };
            let place = self
                .aggregates
                .iter()
                .position(|known| *known == aggregate)
                .unwrap_or_else(|| {
                    self.aggregates.push(aggregate);
                    self.aggregates.len() - 1
                });
            return Ok(Expr::Aggregate(place, result));
        }
        let of = of.ok_or_else(|| malformed(self.source, at, "a function needs a field"))?;
        if function.of_date() {
            let kind = of.kind();
            let fits = match function {
                Function::HourInDay | Function::DayOnly => kind == Kind::DateTime,
                _ => matches!(kind, Kind::Date | Kind::DateTime),
            };
            if !fits {
                return Err(invalid_field(
                    self.source,
                    at,
                    "a date function needs a field of type date or dateTime",
                ));
            }
        }
        if function == Function::ConvertCurrency && of.kind() != Kind::Currency {
            return Err(invalid_field(
                self.source,
                at,
                "convertCurrency needs a field of type currency",
            ));
        }
        Ok(Expr::Call(function, Box::new(of)))
    }
}

fn term_text(term: &Term) -> String {
    match term {
        Term::Path(path) => path.text(),
        Term::Call {
            argument: Some(argument),
            ..
        } => term_text(argument),
        Term::Call { .. } => "COUNT()".into(),
    }
}
