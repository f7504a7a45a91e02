//! From a vendor's row to records in canonical fields.

use super::path::{Path, member};
use super::request::Values;
use super::schema::{Also, Condition, From, Pipe, StreamSpec, ValueSpec, Words};
use super::template::Text;
use crate::book::{Entity, FieldValue, Record, RowProblem};
use crate::connect::IDENTIFIERS;
use crate::connect::canon;
use crate::connect::convert::{convert, domain, instant, kind_of};
use crate::connect::json::scalar;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A pick list as the vendor has it.
#[derive(Debug, Default)]
pub struct PickTable {
    /// Value, label, kind.
    pub rows: Vec<(String, String, Option<String>)>,
}

impl PickTable {
    /// The label of a value.
    pub fn label(&self, value: &str) -> Option<&str> {
        self.rows
            .iter()
            .find(|r| r.0 == value)
            .map(|r| r.1.as_str())
    }
    /// The kind of a value.
    pub fn kind(&self, value: &str) -> Option<&str> {
        self.rows.iter().find(|r| r.0 == value)?.2.as_deref()
    }
    /// The value of a label; a value stands for itself.
    pub fn value(&self, label: &str) -> Option<&str> {
        self.rows
            .iter()
            .find(|r| r.1.eq_ignore_ascii_case(label))
            .or_else(|| self.rows.iter().find(|r| r.0 == label))
            .map(|r| r.0.as_str())
    }
}

/// All pick lists by name.
pub type Picks = BTreeMap<String, Arc<PickTable>>;

/// What is asked of a stream in this tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Canonical fields and where they are in a row.
    pub fields: Vec<(String, Path)>,
    /// Canonical fields and the vendor's names for them.
    pub names: Vec<(String, String)>,
    /// The vendor's names of everything that is asked for.
    pub select: Vec<String>,
    /// What does not exist in this tenant, in words.
    pub drift: Vec<String>,
}

/// What rows are mapped with.
pub struct Mapper<'m> {
    /// The stream.
    pub spec: &'m StreamSpec,
    /// What was asked for.
    pub plan: &'m Plan,
    /// Pick lists.
    pub picks: &'m Picks,
    /// Answers of the joins, by join and row id.
    pub joins: &'m HashMap<String, HashMap<String, String>>,
    /// Options and such, for texts.
    pub values: Values<'m>,
    /// The currency of amounts that name none.
    pub currency: &'m str,
    /// The first load: rows that are to leave need not be named.
    pub first: bool,
}

/// What rows became.
#[derive(Debug, Default)]
pub struct Mapped {
    /// Records.
    pub records: Vec<Record>,
    /// What was wrong with them.
    pub problems: Vec<RowProblem>,
}

/// A row whose `select.at` part is found once.
struct Row<'r> {
    raw: &'r str,
    id: String,
    record: Option<&'r Record>,
}

impl Mapper<'_> {
    /// Maps a row.
    pub fn map(&self, raw: &str, out: &mut Mapped) {
        let spec = self.spec;
        let mut row = Row {
            raw,
            id: String::new(),
            record: None,
        };
        let Some(id) = self.value(&spec.id, &row).and_then(|v| v.text()) else {
            out.problems.push(RowProblem {
                entity: spec.entity,
                external_id: None,
                reason: "a row without an id was left out".into(),
            });
            return;
        };
        row.id = id.clone();
        let modified = spec
            .modified
            .as_ref()
            .and_then(|m| instant(&self.value(m, &row)?.text()?));
        let new = |entity: Entity, id: &str, deleted: bool| Record {
            entity,
            external_id: id.to_owned(),
            modified,
            deleted,
            fields: Vec::new(),
        };
        let fits = |c: &Condition, row: &Row<'_>| self.fits(c, row);
        let gone = spec.gone.as_ref().is_some_and(|c| fits(c, &row));
        let kept = spec.keep.as_ref().is_none_or(|c| fits(c, &row));
        if gone || !kept {
            if gone || !self.first {
                out.records.push(new(spec.entity, &id, true));
                for also in &spec.also {
                    if let Some(id) = self.value(&also.id, &row).and_then(|v| v.text()) {
                        out.records.push(new(also.entity, &id, true));
                    }
                }
            }
            return;
        }
        let mut main = new(spec.entity, &id, false);
        let currency = spec
            .currency
            .as_ref()
            .and_then(|c| self.value(c, &row)?.text())
            .map_or_else(
                || self.currency.to_owned(),
                |c| c.trim().to_ascii_uppercase(),
            );
        let mut bad = |entity, name: &str, why: String| {
            out.problems.push(RowProblem {
                entity,
                external_id: Some(id.clone()),
                reason: format!("{name} {why}; the field was left out"),
            });
        };
        let base = if spec.select.at.is_root() {
            Some(raw)
        } else {
            spec.select.at.first(raw)
        };
        if let Some(base) = base {
            let members = Members::of(base);
            for (canonical, path) in &self.plan.fields {
                if spec.map.contains_key(canonical) {
                    continue;
                }
                let Some(value) = members.find(path) else {
                    continue;
                };
                match convert(value, kind_of(spec.entity, canonical), &currency) {
                    Ok(value) => main.fields.push((spec.entity.field_name(canonical), value)),
                    Err(why) => bad(spec.entity, canonical, why),
                }
            }
        }
        // What is made of other canonical fields comes after them.
        for later in [false, true] {
            for (canonical, value) in &spec.map {
                if matches!(value.from, From::Of(_)) != later {
                    continue;
                }
                let row = Row {
                    raw,
                    id: id.clone(),
                    record: Some(&main),
                };
                let found = match (later, &value.from) {
                    // The tenant's own name for a field wins also where the field is worked upon.
                    (false, From::Path(_)) => {
                        match self.plan.fields.iter().find(|(c, _)| c == canonical) {
                            Some((_, path)) => base
                                .and_then(|b| path.first(b))
                                .and_then(|raw| self.refine(value, Got::Raw(raw))),
                            None => self.value(value, &row),
                        }
                    }
                    _ => self.value(value, &row),
                };
                let made = found.map_or(Ok(FieldValue::Null), |v| {
                    v.convert(spec.entity, canonical, &currency)
                });
                match made {
                    Ok(made) => set(&mut main, canonical, made),
                    Err(why) => bad(spec.entity, canonical, why),
                }
            }
        }
        let row = Row {
            raw,
            id: id.clone(),
            record: Some(&main),
        };
        let identifiers: Vec<String> = spec
            .identifiers
            .iter()
            .filter_map(|v| self.value(v, &row)?.text())
            .collect();
        let mut more = Vec::new();
        let mut instead = false;
        for also in &spec.also {
            let fits = also.when.0.iter().all(|c| self.fits(c, &row));
            let Some(other) = self.value(&also.id, &row).and_then(|v| v.text()) else {
                continue;
            };
            if !fits {
                if !self.first {
                    more.push(new(also.entity, &other, true));
                }
                continue;
            }
            instead |= also.instead;
            let mut record = new(also.entity, &other, false);
            self.also(also, &row, &currency, &mut record, &mut bad);
            settle(&mut record);
            more.push(record);
        }
        if !identifiers.is_empty() {
            set(&mut main, IDENTIFIERS, FieldValue::List(identifiers));
        }
        if instead {
            if !self.first {
                out.records.push(new(spec.entity, &id, true));
            }
        } else {
            settle(&mut main);
            out.records.push(main);
        }
        out.records.append(&mut more);
    }

    fn also(
        &self,
        also: &Also,
        row: &Row<'_>,
        currency: &str,
        record: &mut Record,
        bad: &mut impl FnMut(Entity, &str, String),
    ) {
        for (canonical, value) in &also.map {
            // A canonical field that is passed on keeps its type.
            if let (From::Of(from), Some(main)) = (&value.from, row.record)
                && value.is_plain()
            {
                if let Some(v) = main.get(from) {
                    set(record, canonical, v.clone());
                }
                continue;
            }
            match self.value(value, row).map_or(Ok(FieldValue::Null), |v| {
                v.convert(also.entity, canonical, currency)
            }) {
                Ok(made) => set(record, canonical, made),
                Err(why) => bad(also.entity, canonical, why),
            }
        }
    }

    fn value<'r>(&self, spec: &ValueSpec, row: &Row<'r>) -> Option<Got<'r>> {
        let got = self
            .source(spec, row)
            .and_then(|got| self.refine(spec, got));
        match (&spec.or, &got) {
            (Some(other), None) => self.value(other, row),
            (Some(other), Some(g)) if g.text().is_none() => self.value(other, row),
            _ => got.or_else(|| spec.otherwise.clone().map(Got::Text)),
        }
    }

    fn source<'r>(&self, spec: &ValueSpec, row: &Row<'r>) -> Option<Got<'r>> {
        Some(match &spec.from {
            From::Path(path) => found(path, row.raw)?,
            From::Const(text) => Got::Text(text.clone()),
            From::Text(text) => Got::Text(self.text(text, row)?),
            From::Of(field) => Got::Text(field_text(row.record?.get(field)?)?),
            From::Join(name, path) => {
                let join = self.spec.join.iter().find(|j| j.name == *name)?;
                let key = if join.of.is_root() {
                    row.id.clone()
                } else {
                    join.of.text(row.raw)?
                };
                let raw = self.joins.get(name)?.get(&key)?;
                Got::Text(path.text(raw)?)
            }
            From::All(paths) => Got::Text(together(paths, row.raw)?),
        })
    }

    fn text(&self, text: &Text, row: &Row<'_>) -> Option<String> {
        let values = Values {
            row: Some(row.raw),
            id: (!row.id.is_empty()).then_some(row.id.as_str()),
            ..self.values.clone()
        };
        text.render(&values)
    }

    fn refine<'r>(&self, spec: &ValueSpec, got: Got<'r>) -> Option<Got<'r>> {
        refined(spec, got, self.picks)
    }

    fn fits(&self, c: &Condition, row: &Row<'_>) -> bool {
        if let (Some(_), Some(options)) = (&c.option, self.values.options) {
            return c.holds_of(options);
        }
        let text = match &c.of {
            Some(field) => row.record.and_then(|r| r.get(field)).and_then(field_text),
            None => found(&c.path, row.raw).and_then(|g| g.text()),
        };
        let text = text.filter(|t| !t.trim().is_empty());
        condition(c, text.as_deref(), |t| self.text(t, row))
    }
}

/// Words, lists and pipes of a value.
fn refined<'r>(spec: &ValueSpec, got: Got<'r>, picks: &Picks) -> Option<Got<'r>> {
    if spec.is_plain() {
        return Some(got);
    }
    let Some(mut text) = got.text() else {
        return spec.otherwise.clone().map(Got::Text);
    };
    if spec.unix {
        text = instant(&format!(
            "{}000",
            text.split('.').next().unwrap_or_default()
        ))?
        .to_string();
    }
    for pipe in &spec.pipe {
        text = piped(*pipe, text)?;
    }
    if let Some(name) = &spec.pick {
        // A value that the list does not have is shown as it is.
        if let Some(label) = picks.get(name).and_then(|p| p.label(&text)) {
            text = label.to_owned();
        }
    }
    if let Some(name) = &spec.pick_kind {
        text = match picks.get(name).and_then(|p| p.kind(&text)) {
            Some(kind) => kind.to_owned(),
            None => spec.otherwise.clone()?,
        };
    }
    let exact = spec.is.iter().find(|(k, _)| k.eq_ignore_ascii_case(&text));
    if let Some(word) = exact.map(|(_, word)| word).or_else(|| spec.is.get("*")) {
        return Some(Got::Text(word.clone()));
    }
    let text = match spec.words {
        Some(words) => worded(words, &text),
        None if !spec.is.is_empty() => None,
        None => Some(text),
    };
    text.or_else(|| spec.otherwise.clone()).map(Got::Text)
}

/// Whether a text fits a condition.
pub fn condition(
    c: &Condition,
    text: Option<&str>,
    render: impl Fn(&Text) -> Option<String>,
) -> bool {
    let any = |names: &[String]| {
        text.is_some_and(|t| names.iter().any(|n| n.eq_ignore_ascii_case(t.trim())))
    };
    c.filled.is_none_or(|f| f == text.is_some())
        && c.is.as_ref().is_none_or(|n| any(&n.0))
        && c.not.as_ref().is_none_or(|n| !any(&n.0))
        && c.starts
            .as_ref()
            .is_none_or(|s| text.is_some_and(|t| t.to_lowercase().starts_with(&s.to_lowercase())))
        && c.has
            .as_ref()
            .is_none_or(|h| text.is_some_and(|t| render(h).is_some_and(|h| t.contains(&h))))
}

impl Condition {
    /// Whether a condition on an option of the source holds.
    pub fn holds_of(&self, options: &BTreeMap<String, String>) -> bool {
        let text = self.option.as_ref().and_then(|o| options.get(o));
        let text = text.map(String::as_str).filter(|t| !t.trim().is_empty());
        let values = Values {
            options: Some(options),
            ..Values::default()
        };
        condition(self, text, |t| t.render(&values))
    }
}

/// Texts with blanks between them, as far as they are filled.
fn together(paths: &[Path], raw: &str) -> Option<String> {
    let texts: Vec<String> = paths
        .iter()
        .filter_map(|p| p.text(raw))
        .map(|t| t.trim().to_owned())
        .collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

/// The text of a value that needs nothing but the row.
pub fn alone(spec: &ValueSpec, row: &str) -> Option<String> {
    let got = match &spec.from {
        From::Path(path) => found(path, row)?,
        From::Const(text) => Got::Text(text.clone()),
        From::Text(text) => {
            let values = Values {
                row: Some(row),
                ..Values::default()
            };
            Got::Text(text.render(&values)?)
        }
        From::All(paths) => Got::Text(together(paths, row)?),
        From::Of(_) | From::Join(..) => return None,
    };
    refined(spec, got, &Picks::new())?.text()
}

/// A value on its way: as it stands in the document, or worked upon.
#[derive(Clone, Debug)]
enum Got<'r> {
    Raw(&'r str),
    Text(String),
}

impl Got<'_> {
    fn text(&self) -> Option<String> {
        match self {
            Got::Raw(raw) => scalar(raw).filter(|t| !t.trim().is_empty()),
            Got::Text(t) => Some(t.clone()).filter(|t| !t.trim().is_empty()),
        }
    }

    fn convert(
        &self,
        entity: Entity,
        canonical: &str,
        currency: &str,
    ) -> Result<FieldValue, String> {
        let kind = kind_of(entity, canonical);
        match self {
            Got::Raw(raw) => convert(raw, kind, currency),
            Got::Text(t) => {
                // A list put together from a path with `[]` is a document already.
                if t.starts_with('[')
                    && kind == crate::connect::convert::Kind::List
                    && serde_json::from_str::<Vec<String>>(t).is_ok()
                {
                    return convert(t, kind, currency);
                }
                convert(
                    &serde_json::Value::String(t.clone()).to_string(),
                    kind,
                    currency,
                )
            }
        }
    }
}

fn found<'r>(path: &Path, raw: &'r str) -> Option<Got<'r>> {
    if path
        .ways
        .iter()
        .any(|w| w.contains(&super::path::Step::All))
    {
        let all = path.find(raw);
        return match all.as_slice() {
            [] => None,
            [one] => Some(Got::Raw(one)),
            many => Some(Got::Text(
                serde_json::to_string(&many.iter().filter_map(|r| scalar(r)).collect::<Vec<_>>())
                    .ok()?,
            )),
        };
    }
    path.first(raw).map(Got::Raw)
}

impl ValueSpec {
    fn is_plain(&self) -> bool {
        !self.unix
            && self.is.is_empty()
            && self.otherwise.is_none()
            && self.words.is_none()
            && self.pick.is_none()
            && self.pick_kind.is_none()
            && self.pipe.is_empty()
    }
}

/// The members of an object, read once for all fields of a row.
struct Members<'r> {
    base: &'r str,
    all: Vec<(Cow<'r, str>, &'r str)>,
}

impl<'r> Members<'r> {
    fn of(base: &'r str) -> Members<'r> {
        let row = serde_json::from_str::<Fields<'r>>(base).unwrap_or_default();
        Members { base, all: row.0 }
    }

    fn find(&self, path: &Path) -> Option<&'r str> {
        use super::path::Step;
        path.ways.iter().find_map(|way| {
            let (first, rest) = way.split_first()?;
            let Step::Key(key) = first else {
                return Path {
                    ways: vec![way.clone()],
                }
                .first(self.base);
            };
            let raw = self.all.iter().find(|(k, _)| k == key)?.1;
            let raw = match rest {
                [] => raw,
                [Step::Key(k)] => member(raw, k)?,
                rest => Path {
                    ways: vec![rest.to_vec()],
                }
                .first(raw)?,
            };
            Some(raw)
        })
    }
}

#[derive(Default)]
struct Fields<'r>(Vec<(Cow<'r, str>, &'r str)>);

impl<'de: 'r, 'r> serde::Deserialize<'de> for Fields<'r> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit<'r>(std::marker::PhantomData<&'r ()>);
        impl<'de: 'r, 'r> serde::de::Visitor<'de> for Visit<'r> {
            type Value = Fields<'r>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Fields<'r>, A::Error> {
                let mut out = Vec::with_capacity(24);
                while let Some(key) = map.next_key::<BorrowedKey<'de>>()? {
                    out.push((
                        key.0,
                        map.next_value::<&'de serde_json::value::RawValue>()?.get(),
                    ));
                }
                Ok(Fields(out))
            }
        }
        deserializer.deserialize_map(Visit(std::marker::PhantomData))
    }
}

#[derive(serde::Deserialize)]
struct BorrowedKey<'r>(#[serde(borrow)] Cow<'r, str>);

/// Sets a field, replacing what stood there.
pub fn set(record: &mut Record, field: &str, value: FieldValue) {
    if let Some(slot) = record.fields.iter_mut().find(|(n, _)| n == field) {
        slot.1 = value;
    } else {
        record.fields.push((record.entity.field_name(field), value));
    }
}

/// A canonical value as text, for values that are made of it.
fn field_text(value: &FieldValue) -> Option<String> {
    match value {
        FieldValue::Null => None,
        FieldValue::Text(t) | FieldValue::Ref(t) => Some(t.clone()),
        FieldValue::Money(m) => Some(m.decimal()),
        FieldValue::List(l) => Some(l.join("; ")),
        FieldValue::Instant(t) => Some(t.to_string()),
        other => Some(other.to_string()),
    }
}

/// What every system's rows need once their fields are mapped.
fn settle(record: &mut Record) {
    let text = |r: &Record, f: &str| r.get(f).and_then(FieldValue::as_str).map(str::to_owned);
    match record.entity {
        Entity::Account => {
            if let Some(address) = text(record, "domain") {
                set(
                    record,
                    "domain",
                    domain(&address).map_or(FieldValue::Null, FieldValue::Text),
                );
            }
            canon::settle_account(record);
        }
        Entity::Person | Entity::Contact => {
            if let Some(email) = text(record, "email") {
                set(
                    record,
                    "email",
                    FieldValue::text(email.trim().to_ascii_lowercase()),
                );
            }
            if record.entity == Entity::Contact {
                let (role, title) = (
                    text(record, "role").unwrap_or_default(),
                    text(record, "title").unwrap_or_default(),
                );
                if let Some(role) = canon::contact_role(&role, &title) {
                    set(record, "role", FieldValue::Text(role));
                }
            }
        }
        Entity::Renewal => {
            let open = text(record, "stage_kind").is_none_or(|k| k == "open");
            if open {
                set(record, "closed", FieldValue::Null);
            } else if record.get("closed").is_none_or(FieldValue::is_null) {
                let due = record.get("due").cloned().unwrap_or_default();
                set(record, "closed", due);
            }
        }
        _ => {}
    }
}

fn piped(pipe: Pipe, text: String) -> Option<String> {
    let number = |t: &str| t.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    Some(match pipe {
        Pipe::Lower => text.trim().to_lowercase(),
        Pipe::Domain => domain(&text)?,
        Pipe::StripHtml => canon::without_tags(&text),
        Pipe::WithoutMarker => canon::without_marker(&text),
        Pipe::Invert => (100.0 - number(&text)?).to_string(),
        Pipe::Percent => (100.0 * number(&text)?).to_string(),
        Pipe::TimesTen => (10.0 * number(&text)?).to_string(),
        Pipe::FirstLine => text.trim().lines().next()?.trim().to_owned(),
        Pipe::Day => crate::connect::convert::date(&text)?.to_string(),
    })
}

fn worded(words: Words, text: &str) -> Option<String> {
    let some = |w: &'static str| Some(w.to_owned());
    match words {
        Words::TaskStatus => some(canon::task_status(text, None)),
        Words::TicketStatus => some(canon::ticket_status(text, None)),
        Words::RiskStatus => some(canon::risk_status(text, None)),
        Words::TaskPriority => canon::task_priority(text).map(str::to_owned),
        Words::TicketPriority => canon::ticket_priority(text).map(str::to_owned),
        Words::RiskPriority => canon::risk_priority(text).map(str::to_owned),
        Words::Forecast => canon::forecast(text).map(str::to_owned),
        Words::TouchKind => some(canon::touch_kind(text)),
        Words::TouchModel => Some(canon::touch_model(text)),
        Words::PersonRole => canon::person_role(text).map(str::to_owned),
        Words::ContactRole => canon::contact_role(text, ""),
        Words::Outcome => canon::outcome(text).map(str::to_owned),
        Words::StageKind => some(canon::stage_kind(text)),
    }
}
