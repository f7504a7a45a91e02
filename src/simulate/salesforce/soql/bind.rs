//! What the names of a query mean: objects, fields, relationships and types from the schema. Everything that can be
//! refused is refused here, so that evaluation cannot fail.

use std::collections::HashSet;

use jiff::civil::Date;

use super::ast::*;
use super::dates;
use crate::simulate::salesforce::error::{Failure, invalid_field, malformed, placed};
use crate::simulate::salesforce::schema::{Field, Kind, Schema, common};
use crate::simulate::salesforce::value::{Id, Value, day_start, zoned};

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

/// The last step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Last {
    Field(usize),
    /// By name, at the end of a reference to several kinds of object.
    Named(&'static str),
}

/// A path from a record to a value: references to follow, then a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub hops: Vec<usize>,
    pub last: Last,
    pub kind: Kind,
}

impl Route {
    /// The field, when it is one of the record itself.
    pub fn own(&self) -> Option<usize> {
        match (&self.last, self.hops.is_empty()) {
            (Last::Field(field), true) => Some(*field),
            _ => None,
        }
    }
}

/// Something that has a value for a record, or for a group of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    Route(Route),
    Call(Function, Box<Expr>),
    /// Place in [`Bound::aggregates`].
    Aggregate(usize, Kind),
    /// A currency amount in the corporate currency.
    Corporate(Box<Expr>),
}

impl Expr {
    pub fn kind(&self) -> Kind {
        match self {
            Expr::Route(route) => route.kind,
            Expr::Call(Function::ToLabel | Function::Format, _) => Kind::Text,
            Expr::Call(Function::DayOnly, _) => Kind::Date,
            Expr::Call(Function::ConvertCurrency, inner) => inner.kind(),
            Expr::Call(..) => Kind::Int,
            Expr::Aggregate(_, kind) => *kind,
            Expr::Corporate(_) => Kind::Double,
        }
    }
}

/// One aggregate to compute.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub function: Function,
    /// Missing for `COUNT()`.
    pub of: Option<Expr>,
}

/// Values to be found in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Set {
    pub ids: HashSet<Id>,
    /// In lower case.
    pub texts: HashSet<String>,
    pub others: Vec<Value>,
    pub null: bool,
}

impl Set {
    pub fn add(&mut self, value: Value) {
        match value {
            Value::Null => self.null = true,
            Value::Id(id) => drop(self.ids.insert(id)),
            Value::Text(text) => drop(self.texts.insert(text.to_lowercase())),
            other => self.others.push(other),
        }
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    /// One of `= != < <= > >=`.
    Compare {
        left: Expr,
        op: Op,
        value: Value,
    },
    /// The same against the days or milliseconds from `from` to before `to`.
    Span {
        left: Expr,
        op: Op,
        from: Value,
        to: Value,
    },
    In {
        left: Expr,
        set: Set,
        negated: bool,
    },
    Rows {
        left: Expr,
        query: Box<Bound>,
        negated: bool,
    },
    Like {
        left: Expr,
        pattern: String,
    },
    /// Each inner list must be contained whole.
    Includes {
        left: Expr,
        any: Vec<Vec<String>>,
        negated: bool,
    },
    /// A comparison with an id that nobody has.
    Never(bool),
}

/// A node of the select list's tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Field(usize),
    Named(&'static str),
    Value(Expr),
    Parent {
        field: usize,
        inner: Vec<Column>,
    },
    Children {
        object: u16,
        field: usize,
        query: Box<Bound>,
    },
    TypeOf {
        field: usize,
        cases: Vec<(u16, Vec<Column>)>,
        otherwise: Vec<Column>,
    },
}

/// A name and what stands under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub node: Node,
}

/// An order key.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    pub expr: Expr,
    pub descending: bool,
    pub nulls_last: bool,
}

/// A checked query.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    pub object: u16,
    pub columns: Vec<Column>,
    pub filter: Option<Test>,
    /// `SELECT COUNT() FROM …`: only the number is wanted.
    pub only_count: bool,
    /// Rows are groups: of all records when there is nothing in `group`.
    pub grouped: bool,
    pub group: Vec<Expr>,
    pub aggregates: Vec<Aggregate>,
    pub having: Option<Test>,
    pub order: Vec<Sort>,
    pub limit: Option<u64>,
    pub offset: u64,
    pub all_rows: bool,
}

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

    fn condition(&mut self, condition: &Condition, having: bool) -> Bind<Test> {
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

    fn compare(&mut self, term: &Term, op: Op, right: &Right, having: bool) -> Bind<Test> {
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

    fn wrong_type(&self, kind: Kind, name: &str, at: usize) -> Failure {
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

    fn literal(&self, kind: Kind, literal: &Literal, name: &str, at: usize) -> Bind<Bounds> {
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

/// What a literal becomes.
enum Bounds {
    Value(Value),
    /// To be compared in the corporate currency.
    Corporate(Value),
    Span(Value, Value),
    /// An id that nobody has.
    Nobody,
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

/// Puts a path into the tree of columns.
fn insert(
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

/// Whether a field is the one by which changes are found.
pub fn is_stamp(expr: &Expr) -> bool {
    matches!(expr, Expr::Route(route) if route.own() == Some(common::STAMP))
}

/// Whether a field is the record's own id.
pub fn is_id(expr: &Expr) -> bool {
    matches!(expr, Expr::Route(route) if route.own() == Some(common::ID))
}
