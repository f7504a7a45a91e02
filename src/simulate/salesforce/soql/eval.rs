//! Finding the records. Only as many are looked at as the condition allows: by id, by a reference or key, by the time
//! of change, else all.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use jiff::civil::{Date, Weekday};

use super::ast::{Function, Op};
use super::bind::{Aggregate, Bound, Expr, Last, Node, Route, Set, Sort, Test, is_id, is_stamp};
use crate::simulate::salesforce::schema::{Kind, common};
use crate::simulate::salesforce::table::{Key, Store};
use crate::simulate::salesforce::value::{Id, Value, number_text, zoned};

/// What a query found.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Count(u64),
    /// Rows of the query's object, in order.
    Rows(Vec<u32>),
    /// Values in the order of the query's columns.
    Groups(Vec<Vec<Value>>),
}

/// Whose eyes look.
pub struct Scope<'a> {
    pub store: &'a Store,
    /// Whether the recycle bin is looked into.
    pub deleted: bool,
}

impl Scope<'_> {
    /// Runs a query.
    pub fn run(&self, query: &Bound) -> Answer {
        let rows = || self.find(query, None);
        if query.only_count {
            return Answer::Count(rows().len() as u64);
        }
        if query.grouped {
            return Answer::Groups(self.groups(query));
        }
        Answer::Rows(rows())
    }

    /// The rows of a query of children, for one parent.
    pub fn children(&self, query: &Bound, field: usize, parent: Id) -> Vec<u32> {
        self.find(query, Some((field, parent)))
    }

    fn find(&self, query: &Bound, parent: Option<(usize, Id)>) -> Vec<u32> {
        let filter = query.filter.as_ref().map(|filter| self.settle(filter));
        let offset = query.offset as usize;
        let wanted = if query.grouped {
            usize::MAX
        } else {
            query
                .limit
                .map_or(usize::MAX, |limit| (limit as usize).saturating_add(offset))
        };
        let deleted = self.deleted || query.all_rows;
        let by_stamp = matches!(query.order.as_slice(), [first, ..] if is_stamp(&first.expr) && !first.descending)
            && query
                .order
                .get(1)
                .is_none_or(|second| is_id(&second.expr) && !second.descending)
            && query.order.len() <= 2;
        let by_id = query.order.is_empty()
            || query.grouped
            || matches!(query.order.as_slice(), [first, ..] if is_id(&first.expr) && !first.descending);
        let mut rows: Vec<u32> = Vec::new();
        let direct = match parent {
            Some((field, parent)) => {
                Some(self.store.with_key(query.object, field, &Key::Id(parent)))
            }
            None => filter
                .as_ref()
                .and_then(|filter| self.direct(query.object, filter)),
        };
        let since = filter.as_ref().and_then(lowest_stamp);
        let walk_stamps = direct.is_none() && (by_stamp || since.is_some());
        let sorted = if walk_stamps { by_stamp } else { by_id };
        // Where rows come in the wanted order, the first ones are enough.
        let enough = if sorted { wanted } else { usize::MAX };
        let mut take = |row: u32| {
            let id = Id {
                object: query.object,
                row,
            };
            if rows.len() < enough
                && (deleted || !self.store.deleted(id))
                && filter.as_ref().is_none_or(|filter| self.test(id, filter))
            {
                rows.push(row);
            }
            rows.len() < enough
        };
        if let Some(direct) = direct {
            let _ = direct
                .into_iter()
                .filter(|row| {
                    self.store.exists(Id {
                        object: query.object,
                        row: *row,
                    })
                })
                .all(&mut take);
        } else if walk_stamps {
            self.store
                .since(query.object, since.unwrap_or(i64::MIN), &mut take);
        } else {
            let from = filter
                .as_ref()
                .and_then(|filter| lowest_row(query.object, filter))
                .unwrap_or(0);
            let _ = self.store.rows(query.object, from).all(&mut take);
        }
        if walk_stamps && !by_stamp && by_id {
            rows.sort_unstable();
        }
        if !query.grouped {
            if !sorted && !by_id {
                self.sort(query, &mut rows);
            }
            rows.truncate(wanted);
            if offset > 0 {
                rows.drain(..offset.min(rows.len()));
            }
        }
        rows
    }

    fn sort(&self, query: &Bound, rows: &mut [u32]) {
        let mut keyed: Vec<(Vec<Value>, u32)> = rows
            .iter()
            .map(|row| {
                let id = Id {
                    object: query.object,
                    row: *row,
                };
                (
                    query
                        .order
                        .iter()
                        .map(|key| self.value(id, &key.expr))
                        .collect(),
                    *row,
                )
            })
            .collect();
        keyed.sort_by(|a, b| compare_keys(&query.order, &a.0, &b.0).then(a.1.cmp(&b.1)));
        for (place, (_, row)) in rows.iter_mut().zip(keyed) {
            *place = row;
        }
    }

    /// Replaces subqueries by what they find.
    fn settle(&self, test: &Test) -> Test {
        match test {
            Test::And(parts) => Test::And(parts.iter().map(|part| self.settle(part)).collect()),
            Test::Or(parts) => Test::Or(parts.iter().map(|part| self.settle(part)).collect()),
            Test::Not(inner) => Test::Not(Box::new(self.settle(inner))),
            Test::Rows {
                left,
                query,
                negated,
            } => {
                let mut set = Set::default();
                for row in self.find(query, None) {
                    let id = Id {
                        object: query.object,
                        row,
                    };
                    if let Some(column) = query.columns.first() {
                        let value = self.node(id, &column.node);
                        if !value.is_null() {
                            set.add(value);
                        }
                    }
                }
                Test::In {
                    left: left.clone(),
                    set,
                    negated: *negated,
                }
            }
            other => other.clone(),
        }
    }

    /// The rows that an equality on the id, a reference or a key allows.
    fn direct(&self, object: u16, test: &Test) -> Option<Vec<u32>> {
        match test {
            Test::And(parts) => parts.iter().find_map(|part| self.direct(object, part)),
            Test::Compare {
                left: Expr::Route(route),
                op: Op::Eq,
                value,
            } => self.by_key(object, route.own()?, value),
            Test::In {
                left: Expr::Route(route),
                set,
                negated: false,
            } if set.others.is_empty() && !set.null => {
                let field = route.own()?;
                if set.ids.len() + set.texts.len() > 20_000 {
                    return None;
                }
                let ids = set.ids.iter().map(|id| Value::Id(*id));
                let texts = set.texts.iter().map(|text| Value::text(text));
                let mut rows = Vec::new();
                for value in ids.chain(texts) {
                    rows.extend(self.by_key(object, field, &value)?);
                }
                rows.sort_unstable();
                rows.dedup();
                Some(rows)
            }
            _ => None,
        }
    }

    fn by_key(&self, object: u16, field: usize, value: &Value) -> Option<Vec<u32>> {
        let definition = &self.store.schema.object(object).fields[field];
        match value {
            Value::Id(id) if field == common::ID => Some(if id.object == object {
                vec![id.row]
            } else {
                Vec::new()
            }),
            Value::Id(_) if definition.child.is_some() => {
                Some(self.store.with_key(object, field, &Key::of(value)?))
            }
            Value::Text(_) if definition.external => {
                Some(self.store.with_key(object, field, &Key::of(value)?))
            }
            _ => None,
        }
    }

    /// Whether a record meets a condition.
    fn test(&self, id: Id, test: &Test) -> bool {
        evaluate(test, &|expr| self.value(id, expr))
    }

    /// The value of an expression for a record.
    pub fn value(&self, id: Id, expr: &Expr) -> Value {
        match expr {
            Expr::Route(route) => self.route(id, route),
            Expr::Corporate(inner) => self.corporate(id, inner),
            Expr::Call(Function::ConvertCurrency, inner) => self.corporate(id, inner),
            Expr::Call(function, inner) => call(*function, &self.value(id, inner), inner.kind()),
            Expr::Aggregate(..) => Value::Null,
        }
    }

    fn corporate(&self, id: Id, inner: &Expr) -> Value {
        let Some(amount) = self.value(id, inner).number() else {
            return Value::Null;
        };
        let mut owner = id;
        if let Expr::Route(route) = inner {
            match self.follow(id, &route.hops) {
                Some(at) => owner = at,
                None => return Value::Null,
            }
        }
        let code = self
            .store
            .schema
            .object(owner.object)
            .field("CurrencyIsoCode")
            .map(|field| self.store.get(owner, field));
        let rate = match code {
            Some(Value::Text(code)) => self.store.schema.rate(&code).unwrap_or(1.0),
            _ => 1.0,
        };
        Value::Num((amount / rate * 1e6).round() / 1e6)
    }

    fn follow(&self, mut id: Id, hops: &[usize]) -> Option<Id> {
        for hop in hops {
            match self.store.get(id, *hop) {
                Value::Id(next) => id = next,
                _ => return None,
            }
        }
        Some(id)
    }

    fn route(&self, id: Id, route: &Route) -> Value {
        match (self.follow(id, &route.hops), &route.last) {
            (Some(id), Last::Field(field)) => self.store.get(id, *field),
            (Some(id), Last::Named(name)) => self.named(id, name),
            (None, _) => Value::Null,
        }
    }

    /// A field of a record of any kind, by name.
    pub fn named(&self, id: Id, name: &str) -> Value {
        let object = self.store.schema.object(id.object);
        match name {
            "Type" => Value::text(object.name),
            "Name" => object
                .name_field()
                .map_or(Value::Null, |field| self.store.get(id, field)),
            _ => object
                .field(name)
                .map_or(Value::Null, |field| self.store.get(id, field)),
        }
    }

    /// The value of a column that has one.
    pub fn node(&self, id: Id, node: &Node) -> Value {
        match node {
            Node::Field(field) => self.store.get(id, *field),
            Node::Named(name) => self.named(id, name),
            Node::Value(expr) => self.value(id, expr),
            Node::Parent { field, inner } => match (self.store.get(id, *field), inner.first()) {
                (Value::Id(parent), Some(column)) => self.node(parent, &column.node),
                _ => Value::Null,
            },
            Node::Children { .. } | Node::TypeOf { .. } => Value::Null,
        }
    }

    fn groups(&self, query: &Bound) -> Vec<Vec<Value>> {
        struct Group {
            keys: Vec<Value>,
            sums: Vec<Tally>,
        }
        let mut places: HashMap<Vec<String>, usize> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        let schema = &self.store.schema;
        if query.group.is_empty() {
            groups.push(Group {
                keys: Vec::new(),
                sums: vec![Tally::default(); query.aggregates.len()],
            });
            places.insert(Vec::new(), 0);
        }
        for row in self.find(query, None) {
            let id = Id {
                object: query.object,
                row,
            };
            let keys: Vec<Value> = query
                .group
                .iter()
                .map(|expr| self.value(id, expr))
                .collect();
            let key: Vec<String> = keys
                .iter()
                .map(|key| {
                    if let Value::Id(id) = key {
                        schema.id_text(*id)
                    } else {
                        key.plain(schema).to_lowercase()
                    }
                })
                .collect();
            let place = *places.entry(key).or_insert_with(|| {
                groups.push(Group {
                    keys,
                    sums: vec![Tally::default(); query.aggregates.len()],
                });
                groups.len() - 1
            });
            for (tally, aggregate) in groups[place].sums.iter_mut().zip(&query.aggregates) {
                match &aggregate.of {
                    None => tally.count += 1,
                    Some(expr) => tally.add(aggregate, self.value(id, expr), schema),
                }
            }
        }
        let mut rows: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
        for group in &groups {
            let value = |expr: &Expr| -> Value {
                match expr {
                    Expr::Aggregate(place, _) => {
                        group.sums[*place].result(&query.aggregates[*place])
                    }
                    other => query
                        .group
                        .iter()
                        .position(|known| known == other)
                        .map_or(Value::Null, |place| group.keys[place].clone()),
                }
            };
            if query
                .having
                .as_ref()
                .is_some_and(|having| !evaluate(&self.settle(having), &value))
            {
                continue;
            }
            let cells = query
                .columns
                .iter()
                .map(|column| {
                    if let Node::Value(expr) = &column.node {
                        value(expr)
                    } else {
                        Value::Null
                    }
                })
                .collect();
            rows.push((
                query.order.iter().map(|key| value(&key.expr)).collect(),
                cells,
            ));
        }
        rows.sort_by(|a, b| compare_keys(&query.order, &a.0, &b.0));
        let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
        rows.into_iter()
            .skip(query.offset as usize)
            .take(limit)
            .map(|(_, cells)| cells)
            .collect()
    }
}

fn compare_keys(order: &[Sort], a: &[Value], b: &[Value]) -> Ordering {
    for ((key, a), b) in order.iter().zip(a).zip(b) {
        let found = match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if key.nulls_last {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, true) => {
                if key.nulls_last {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, false) if key.descending => b.order(a),
            (false, false) => a.order(b),
        };
        if found != Ordering::Equal {
            return found;
        }
    }
    Ordering::Equal
}

/// A lower bound of `SystemModstamp` that the condition implies.
fn lowest_stamp(test: &Test) -> Option<i64> {
    match test {
        Test::And(parts) => parts.iter().filter_map(lowest_stamp).max(),
        Test::Or(parts) => parts
            .iter()
            .map(lowest_stamp)
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .min(),
        Test::Compare {
            left,
            op: Op::Eq | Op::Gt | Op::Ge,
            value: Value::Time(ms),
        } if is_stamp(left) => Some(*ms),
        Test::Span {
            left,
            op: Op::Eq | Op::Ge | Op::Gt,
            from: Value::Time(ms),
            ..
        } if is_stamp(left) => Some(*ms),
        _ => None,
    }
}

/// A lower bound of the row that the condition implies.
fn lowest_row(object: u16, test: &Test) -> Option<u32> {
    match test {
        Test::And(parts) => parts
            .iter()
            .filter_map(|part| lowest_row(object, part))
            .max(),
        Test::Compare {
            left,
            op: Op::Gt | Op::Ge,
            value: Value::Id(id),
        } if is_id(left) && id.object == object => Some(id.row),
        _ => None,
    }
}

fn evaluate(test: &Test, value_of: &dyn Fn(&Expr) -> Value) -> bool {
    match test {
        Test::And(parts) => parts.iter().all(|part| evaluate(part, value_of)),
        Test::Or(parts) => parts.iter().any(|part| evaluate(part, value_of)),
        Test::Not(inner) => !evaluate(inner, value_of),
        Test::Never(answer) => *answer,
        Test::Compare { left, op, value } => {
            let left = value_of(left);
            match op {
                Op::Eq => left.order(value) == Ordering::Equal && left.is_null() == value.is_null(),
                Op::Ne => left.order(value) != Ordering::Equal || left.is_null() != value.is_null(),
                _ if left.is_null() || value.is_null() => false,
                Op::Lt => left.order(value) == Ordering::Less,
                Op::Le => left.order(value) != Ordering::Greater,
                Op::Gt => left.order(value) == Ordering::Greater,
                _ => left.order(value) != Ordering::Less,
            }
        }
        Test::Span { left, op, from, to } => {
            let left = value_of(left);
            if left.is_null() {
                return *op == Op::Ne;
            }
            let before = left.order(from) == Ordering::Less;
            let after = left.order(to) != Ordering::Less;
            match op {
                Op::Eq => !before && !after,
                Op::Ne => before || after,
                Op::Lt => before,
                Op::Le => !after,
                Op::Gt => after,
                _ => !before,
            }
        }
        Test::In { left, set, negated } => {
            let found = match value_of(left) {
                Value::Null => set.null,
                Value::Id(id) => set.ids.contains(&id),
                Value::Text(text) => set.texts.contains(&text.to_lowercase()),
                other => set
                    .others
                    .iter()
                    .any(|value| value.order(&other) == Ordering::Equal),
            };
            found != *negated
        }
        Test::Like { left, pattern } => match value_of(left) {
            Value::Text(text) => like(&text.to_lowercase(), pattern),
            _ => false,
        },
        Test::Includes { left, any, negated } => {
            let values: BTreeSet<String> = match value_of(left) {
                Value::Text(text) => text.split(';').map(str::to_lowercase).collect(),
                _ => BTreeSet::new(),
            };
            any.iter()
                .any(|all| all.iter().all(|value| values.contains(value)))
                != *negated
        }
        // Settled before.
        Test::Rows { .. } => false,
    }
}

/// `%` any text, `_` one character, `\` takes the next sign as it is.
fn like(text: &str, pattern: &str) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum Sign {
        Any,
        One,
        Char(char),
    }
    let mut signs = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        signs.push(match c {
            '%' => Sign::Any,
            '_' => Sign::One,
            '\\' => Sign::Char(chars.next().unwrap_or('\\')),
            c => Sign::Char(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match signs.get(p) {
            Some(Sign::Any) => {
                retry = Some((p, t));
                p += 1;
            }
            Some(Sign::One) => {
                t += 1;
                p += 1;
            }
            Some(Sign::Char(c)) if *c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match retry {
                Some((at, from)) => {
                    retry = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    signs[p..].iter().all(|sign| *sign == Sign::Any)
}

fn call(function: Function, value: &Value, kind: Kind) -> Value {
    let date: Date = match value {
        Value::Null => return Value::Null,
        Value::Date(date) => *date,
        Value::Time(ms) => zoned(*ms).date(),
        other => {
            return match function {
                Function::Format => Value::text(&formatted(other, kind)),
                _ => other.clone(),
            };
        }
    };
    let int = |number: i64| Value::Int(number);
    let month = i64::from(date.month());
    let since_sunday = |date: Date| i64::from(date.weekday().since(Weekday::Sunday));
    match function {
        Function::CalendarYear | Function::FiscalYear => int(i64::from(date.year())),
        Function::CalendarQuarter | Function::FiscalQuarter => int((month - 1) / 3 + 1),
        Function::CalendarMonth | Function::FiscalMonth => int(month),
        Function::DayInMonth => int(i64::from(date.day())),
        Function::DayInWeek => int(since_sunday(date) + 1),
        Function::DayInYear => int(i64::from(date.day_of_year())),
        Function::WeekInMonth => int((i64::from(date.day()) - 1) / 7 + 1),
        Function::WeekInYear => int((i64::from(date.day_of_year()) - 1) / 7 + 1),
        Function::DayOnly => Value::Date(date),
        Function::HourInDay => match value {
            Value::Time(ms) => int(i64::from(zoned(*ms).hour())),
            _ => Value::Null,
        },
        Function::Format => Value::text(&match value {
            Value::Time(ms) => {
                let at = zoned(*ms);
                let (hour, half) = (at.hour(), if at.hour() < 12 { "AM" } else { "PM" });
                format!(
                    "{}/{}/{}, {}:{:02} {half}",
                    date.month(),
                    date.day(),
                    date.year(),
                    (hour + 11) % 12 + 1,
                    at.minute()
                )
            }
            _ => format!("{}/{}/{}", date.month(), date.day(), date.year()),
        }),
        _ => value.clone(),
    }
}

/// A number with thousands separated, as the English locale has it.
fn formatted(value: &Value, kind: Kind) -> String {
    let Some(number) = value.number() else {
        return match value {
            Value::Text(text) => text.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => String::new(),
        };
    };
    let text = if kind == Kind::Currency {
        format!("{:.2}", number.abs())
    } else {
        number_text(number.abs()).trim_end_matches(".0").to_string()
    };
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(whole, fraction)| {
            (whole, Some(fraction))
        });
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    if number < 0.0 { format!("-{out}") } else { out }
}

/// What an aggregate has seen of one group.
#[derive(Clone, Default)]
struct Tally {
    count: i64,
    sum: f64,
    least: Option<Value>,
    most: Option<Value>,
    distinct: RefCell<BTreeSet<String>>,
}

impl Tally {
    fn add(
        &mut self,
        aggregate: &Aggregate,
        value: Value,
        schema: &crate::simulate::salesforce::schema::Schema,
    ) {
        if value.is_null() {
            return;
        }
        self.count += 1;
        match aggregate.function {
            Function::CountDistinct => {
                let key = if let Value::Id(id) = value {
                    schema.id_text(id)
                } else {
                    value.plain(schema).to_lowercase()
                };
                self.distinct.borrow_mut().insert(key);
            }
            Function::Sum | Function::Avg => self.sum += value.number().unwrap_or(0.0),
            Function::Min
                if self
                    .least
                    .as_ref()
                    .is_none_or(|least| value.order(least) == Ordering::Less) =>
            {
                self.least = Some(value)
            }
            Function::Max
                if self
                    .most
                    .as_ref()
                    .is_none_or(|most| value.order(most) == Ordering::Greater) =>
            {
                self.most = Some(value)
            }
            _ => {}
        }
    }

    fn result(&self, aggregate: &Aggregate) -> Value {
        match aggregate.function {
            Function::Count => Value::Int(self.count),
            Function::CountDistinct => Value::Int(self.distinct.borrow().len() as i64),
            Function::Sum if self.count > 0 => Value::Num((self.sum * 1e6).round() / 1e6),
            Function::Avg if self.count > 0 => Value::Num(self.sum / self.count as f64),
            Function::Min => self.least.clone().unwrap_or(Value::Null),
            Function::Max => self.most.clone().unwrap_or(Value::Null),
            _ => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns() {
        assert!(like("acme corp", "acme%"));
        assert!(like("acme corp", "%corp"));
        assert!(like("acme corp", "%me c_rp"));
        assert!(!like("acme corp", "acme"));
        assert!(like("100%", "100\\%"));
        assert!(!like("1000", "100\\%"));
        assert!(like("", "%"));
        assert!(!like("", "_"));
        assert!(like("aXbXc", "a%X%c"));
    }
}
