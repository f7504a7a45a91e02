//! One struct per kind of thing, as merged from all systems: what merge writes, the store keeps, and the Book and the account page read.
//!
//! The names of the fields are the canonical names that records, changes and mappings use; every struct can be read and written by
//! them (`get`, `set`). Where a vendor has a pick list, the vendor's own word stands beside a canonical kind (`status`, `status_kind`).

use super::crosswalk::{CrosswalkEntry, Unmatched};
use super::history::HistoryPoint;
use super::id::{Entity, LocalId, SourceName};
use super::record::FieldName;
use super::value::{FieldError, FieldValue, Money};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// A type that can stand in a row's field.
trait Field: Sized {
    const EXPECTED: &'static str;
    fn to_value(&self) -> FieldValue;
    /// `None` when the value is of another type.
    fn of_value(value: &FieldValue) -> Option<Self>;
}

macro_rules! optional_field {
    ($ty:ty, $expected:literal, $to:expr, { $($pattern:pat $(if $guard:expr)? => $of:expr),+ $(,)? }) => {
        impl Field for Option<$ty> {
            const EXPECTED: &'static str = $expected;
            fn to_value(&self) -> FieldValue {
                self.clone().map_or(FieldValue::Null, $to)
            }
            fn of_value(value: &FieldValue) -> Option<Self> {
                match value {
                    FieldValue::Null => Some(None),
                    $($pattern $(if $guard)? => $of,)+
                    #[allow(unreachable_patterns)]
                    _ => None,
                }
            }
        }
    };
}

optional_field!(String, "text", FieldValue::Text, {
    FieldValue::Text(s) => Some(Some(s.clone())),
    FieldValue::Ref(s) => Some(Some(s.clone())),
    other => Some(Some(other.to_string())),
});
optional_field!(bool, "yes or no", FieldValue::Bool, { FieldValue::Bool(b) => Some(Some(*b)) });
optional_field!(f64, "a number", FieldValue::Number, { FieldValue::Number(n) => Some(Some(*n)) });
optional_field!(u8, "a number from 0 to 100", |n: u8| FieldValue::Number(f64::from(n)), {
    // Vendors hold percentages and scores as doubles; what lies outside the scale is not a score.
    FieldValue::Number(n) if (0.0..=100.0).contains(n) => Some(Some(n.round() as u8)),
});
optional_field!(u16, "a whole number", |n: u16| FieldValue::Number(f64::from(n)), {
    FieldValue::Number(n) if (0.0..=65535.0).contains(n) => Some(Some(n.round() as u16)),
});
optional_field!(Money, "an amount", FieldValue::Money, { FieldValue::Money(m) => Some(Some(*m)) });
optional_field!(Date, "a date", FieldValue::Date, {
    FieldValue::Date(d) => Some(Some(*d)),
    FieldValue::Instant(t) => Some(Some(t.to_zoned(jiff::tz::TimeZone::UTC).date())),
});
optional_field!(Timestamp, "a date and time", FieldValue::Instant, {
    FieldValue::Instant(t) => Some(Some(*t)),
    FieldValue::Date(d) => d.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| Some(z.timestamp())),
});
optional_field!(LocalId, "a reference", FieldValue::Id, { FieldValue::Id(id) => Some(Some(*id)) });

impl Field for String {
    const EXPECTED: &'static str = "text";
    fn to_value(&self) -> FieldValue {
        FieldValue::text(self.clone())
    }
    fn of_value(value: &FieldValue) -> Option<Self> {
        Some(match value {
            FieldValue::Null => String::new(),
            other => other.to_string(),
        })
    }
}

impl Field for Vec<String> {
    const EXPECTED: &'static str = "a list";
    fn to_value(&self) -> FieldValue {
        if self.is_empty() {
            FieldValue::Null
        } else {
            FieldValue::List(self.clone())
        }
    }
    fn of_value(value: &FieldValue) -> Option<Self> {
        match value {
            FieldValue::Null => Some(Vec::new()),
            FieldValue::List(l) => Some(l.clone()),
            FieldValue::Text(s) => Some(s.split([';', ',']).map(|t| t.trim().to_owned()).collect()),
            _ => None,
        }
    }
}

macro_rules! row {
    ($(#[$meta:meta])* $name:ident, $entity:expr, { $($(#[$fmeta:meta])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            /// The local id.
            pub id: LocalId,
            $($(#[$fmeta])* pub $field: $ty,)*
        }
        impl $name {
            /// The kind of thing.
            pub const ENTITY: Entity = $entity;
            /// The canonical names of its fields.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];
            /// A field's value; `None` when there is no such field.
            pub fn get(&self, field: &str) -> Option<FieldValue> {
                match field {
                    $(stringify!($field) => Some(self.$field.to_value()),)*
                    _ => None,
                }
            }
            /// Sets a field. Errors when there is no such field or the value is of another type; the row is then unchanged.
            pub fn set(&mut self, field: &str, value: &FieldValue) -> Result<(), FieldError> {
                match field {
                    $(stringify!($field) => {
                        self.$field = <$ty as Field>::of_value(value).ok_or_else(|| FieldError::Type {
                            field: stringify!($field),
                            expected: <$ty as Field>::EXPECTED,
                            got: value.to_string(),
                        })?;
                        Ok(())
                    })*
                    other => Err(FieldError::Unknown(other.to_owned())),
                }
            }
        }
    };
}

row!(
    /// A customer.
    Account, Entity::Account, {
    /// What it is called by the system that owns the name.
    name: String,
    /// Internet domain, lower case, without `www.`.
    domain: Option<String>,
    /// The parent account.
    parent: Option<LocalId>,
    /// Segment: enterprise, mid-market, smb or the tenant's own.
    segment: Option<String>,
    /// Touch model: high, mid or tech.
    touch: Option<String>,
    /// The customer success manager.
    csm: Option<LocalId>,
    /// The owner in the CRM (often the seller).
    owner: Option<LocalId>,
    /// Region.
    region: Option<String>,
    /// Industry.
    industry: Option<String>,
    /// Lifecycle stage, the vendor's word.
    stage: Option<String>,
    /// Annual recurring revenue in its own currency.
    arr: Option<Money>,
    /// Customer since.
    start: Option<Date>,
    /// The next renewal date as the account record says it (the open renewal's due date wins, see [`Facts`]).
    renewal: Option<Date>,
    /// Days of notice before the term ends.
    notice_days: Option<u16>,
    /// Renews by itself unless notice is given.
    auto_renew: Option<bool>,
    /// Health score, 0 (bad) to 100.
    health: Option<u8>,
    /// When the health was computed.
    health_at: Option<Date>,
    /// What the CSM feels: good, watch or bad.
    sentiment: Option<String>,
    /// Net promoter answer, 0 to 10 (the newest).
    nps: Option<u8>,
    /// Kept here: snoozed until this day.
    snoozed_until: Option<Date>,
    /// Kept here: acknowledged at.
    acked_at: Option<Timestamp>,
    /// Kept here: acknowledged by (e-mail).
    acked_by: Option<String>,
    /// Kept here: resolved at; back in the queue when the reasons change after.
    resolved_at: Option<Timestamp>,
    /// Kept here: a fingerprint of the reasons when it was resolved.
    resolved_reasons: Option<String>,
    /// Kept here: outcome of the last resolve: saved, reduced, lost, false_alarm.
    outcome: Option<String>,
    /// Kept here: escalation level, L0 to L3.
    level: Option<String>,
    /// Kept here: tags.
    tags: Vec<String>,
});

row!(
    /// A person at a customer.
    Contact, Entity::Contact, {
    /// The account.
    account: Option<LocalId>,
    /// Full name.
    name: String,
    /// Title.
    title: Option<String>,
    /// E-mail.
    email: Option<String>,
    /// Telephone.
    phone: Option<String>,
    /// Role: sponsor, champion, user, …
    role: Option<String>,
    /// Still there.
    active: Option<bool>,
    /// When they left, as far as known.
    left_at: Option<Date>,
});

row!(
    /// One of our own people.
    Person, Entity::Person, {
    /// Full name.
    name: String,
    /// E-mail, lower case.
    email: Option<String>,
    /// Role: csm, seller, cs_ops, leader, … (see [`Role`](super::Role))
    role: Option<String>,
    /// Still with us.
    active: Option<bool>,
    /// Who leads them.
    manager: Option<LocalId>,
    /// Where they work; an account of another region is not given to them.
    region: Option<String>,
    /// Hours that they work, as `[capacity] full_time_hours` counts them: a year, a week. Nothing counts as full time.
    capacity_hours: Option<f64>,
    /// Their first day with us.
    start: Option<Date>,
    /// Their last day with us.
    end: Option<Date>,
});

row!(
    /// One stretch of a subscription line, as sold: a new row begins with every change of what is paid.
    Subscription, Entity::Subscription, {
    /// The account.
    account: Option<LocalId>,
    /// The line that it is a stretch of; what renews and grows together.
    line: Option<String>,
    /// What was sold.
    product: Option<String>,
    /// The contract that it stands in.
    contract: Option<String>,
    /// What began it: new, renewal, amendment, escalator or ramp; nothing leaves it to the ledger.
    change: Option<String>,
    /// The first day.
    start: Option<Date>,
    /// The last day paid; nothing while it runs on.
    end: Option<Date>,
    /// Annual recurring revenue in its own currency; a negative one is a credit.
    arr: Option<Money>,
    /// The day on which it was signed.
    signed: Option<Date>,
    /// The day on which notice was given.
    cancelled: Option<Date>,
    /// Comes again every year; `false` is a one-off.
    recurring: Option<bool>,
    /// Days of notice before the term ends.
    notice_days: Option<u16>,
    /// Renews by itself unless notice is given.
    auto_renew: Option<bool>,
});

row!(
    /// One change of annual recurring revenue.
    Movement, Entity::Movement, {
    /// The account.
    account: Option<LocalId>,
    /// The subscription line.
    line: Option<String>,
    /// The day on which it takes effect.
    date: Option<Date>,
    /// open, new, expansion, contraction, churn, reactivation or price.
    kind: Option<String>,
    /// The size of the change, positive; of a change of price with its sign.
    amount: Option<Money>,
    /// Why.
    reason: Option<String>,
});

row!(
    /// A renewal.
    Renewal, Entity::Renewal, {
    /// The account.
    account: Option<LocalId>,
    /// What it is called.
    name: String,
    /// The day on which the term ends or the deal is to close.
    due: Option<Date>,
    /// The due day before it was moved, for cohorts; kept here where no system gives it.
    original_due: Option<Date>,
    /// How often the due day was moved to a later one; counted here where no system does.
    pushes: Option<u16>,
    /// The last day to give notice.
    notice_deadline: Option<Date>,
    /// The amount expected.
    amount: Option<Money>,
    /// What is up for renewal.
    target: Option<Money>,
    /// Stage, the vendor's word.
    stage: Option<String>,
    /// open, won or lost.
    stage_kind: Option<String>,
    /// Forecast category: omitted, pipeline, best, most_likely, commit, closed.
    forecast: Option<String>,
    /// Probability of closing, 0 to 100 %.
    probability: Option<u8>,
    /// Its owner.
    owner: Option<LocalId>,
    /// Why it was lost, or how it ended.
    outcome: Option<String>,
    /// The day on which it closed.
    closed: Option<Date>,
    /// The next step, as written by its owner.
    next_step: Option<String>,
});

row!(
    /// A chance to sell an existing customer more. Renewals are rows of their own.
    Opportunity, Entity::Opportunity, {
    /// The account.
    account: Option<LocalId>,
    /// What it is called.
    name: String,
    /// What is sold, the vendor's word: upsell, cross-sell, more seats, …
    kind: Option<String>,
    /// The amount expected, a year.
    amount: Option<Money>,
    /// Stage, the vendor's word.
    stage: Option<String>,
    /// open, won or lost.
    stage_kind: Option<String>,
    /// The day on which it was opened.
    created: Option<Date>,
    /// The day on which sales took it over; of a lead that customer success qualified.
    accepted: Option<Date>,
    /// The day on which it is to close.
    due: Option<Date>,
    /// The day on which it closed.
    closed: Option<Date>,
    /// Its owner.
    owner: Option<LocalId>,
    /// Where it came from, the vendor's word (lead source): tells a lead that customer success qualified from others.
    origin: Option<String>,
    /// Why it was lost, or how it ended.
    outcome: Option<String>,
});

row!(
    /// Something to do.
    Task, Entity::Task, {
    /// The account.
    account: Option<LocalId>,
    /// What.
    title: String,
    /// More about it.
    description: Option<String>,
    /// By when.
    due: Option<Date>,
    /// Priority, the vendor's word.
    priority: Option<String>,
    /// p1 (urgent), p2, p3 or p4.
    priority_kind: Option<String>,
    /// Whose.
    owner: Option<LocalId>,
    /// Status, the vendor's word.
    status: Option<String>,
    /// open, in_progress, waiting or done.
    status_kind: Option<String>,
    /// call, email, meeting or to_do.
    kind: Option<String>,
    /// What kind of work it is, the team's word: onboarding, milestone, bau, strategic, …
    class: Option<String>,
    /// When it was completed.
    completed_at: Option<Timestamp>,
    /// The escalation (call to action) that it belongs to.
    escalation: Option<LocalId>,
});

row!(
    /// A support case.
    Ticket, Entity::Ticket, {
    /// The account.
    account: Option<LocalId>,
    /// The number that people quote.
    number: Option<String>,
    /// Subject.
    subject: String,
    /// Status, the vendor's word.
    status: Option<String>,
    /// open, waiting or closed.
    status_kind: Option<String>,
    /// Priority, the vendor's word.
    priority: Option<String>,
    /// urgent, high, normal or low.
    priority_kind: Option<String>,
    /// Escalated at support.
    escalated: Option<bool>,
    /// Opened.
    opened: Option<Timestamp>,
    /// Closed.
    closed: Option<Timestamp>,
    /// Whose.
    owner: Option<LocalId>,
});

row!(
    /// A risk: the open item of the queue.
    Escalation, Entity::Escalation, {
    /// The account.
    account: Option<LocalId>,
    /// What it is called.
    title: String,
    /// Why, the vendor's word.
    reason: Option<String>,
    /// Status, the vendor's word.
    status: Option<String>,
    /// new, acknowledged, in_progress or closed.
    status_kind: Option<String>,
    /// Priority, the vendor's word.
    priority: Option<String>,
    /// critical, high, medium or low.
    priority_kind: Option<String>,
    /// Whose.
    owner: Option<LocalId>,
    /// Opened.
    opened: Option<Timestamp>,
    /// By when.
    due: Option<Date>,
    /// Closed.
    closed: Option<Timestamp>,
    /// saved, reduced, lost, false_alarm.
    outcome: Option<String>,
    /// What people wrote on it.
    comments: Option<String>,
});

row!(
    /// Something that happened with the customer.
    Touchpoint, Entity::Touchpoint, {
    /// The account.
    account: Option<LocalId>,
    /// call, email, meeting, note or update.
    kind: Option<String>,
    /// Subject.
    subject: String,
    /// What was said.
    body: Option<String>,
    /// When.
    at: Option<Timestamp>,
    /// Who of ours.
    author: Option<LocalId>,
    /// With whom.
    contact: Option<LocalId>,
});

row!(
    /// A dated number about an account.
    Signal, Entity::Signal, {
    /// The account.
    account: Option<LocalId>,
    /// usage.weekly, health, nps, csat, ces, milestone.first_value, seats.used, …
    kind: String,
    /// The day that it is about (a week: its first day).
    at: Option<Date>,
    /// The number.
    value: Option<f64>,
    /// users, percent, points.
    unit: Option<String>,
    /// A comment that came with it.
    text: Option<String>,
});

row!(
    /// What one unit of a currency is worth in another.
    Rate, Entity::Rate, {
    /// From this currency.
    from: String,
    /// To this one (the corporate currency).
    to: String,
    /// One `from` is this many `to`.
    rate: Option<f64>,
    /// From this day on.
    at: Option<Date>,
    /// spot (also when nothing is said) or plan: a rate that a plan is made with and that no amount of today is converted by.
    kind: Option<String>,
});

/// Figures about an account that come from its other rows: kept by the store beside the account so that the Book need not hold those rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Weekly usage (active users), oldest first, the twelve newest weeks; `None` where a week is missing.
    pub usage: [Option<u32>; 12],
    /// The first day of the newest usage week.
    pub usage_at: Option<Date>,
    /// Where usage came from.
    pub usage_source: Option<SourceName>,
    /// Health about 30 days before `Account::health_at`.
    pub health_before: Option<u8>,
    /// Where health came from.
    pub health_source: Option<SourceName>,
    /// Open support cases.
    pub open_tickets: u16,
    /// Of these, urgent or escalated ones.
    pub urgent_tickets: u16,
    /// When the newest of these was opened.
    pub ticket_at: Option<Date>,
    /// Where tickets came from.
    pub ticket_source: Option<SourceName>,
    /// The newest touchpoint with a person.
    pub last_touch: Option<Date>,
    /// A sponsor or champion left on this day.
    pub sponsor_left: Option<Date>,
    /// Where contacts came from.
    pub contact_source: Option<SourceName>,
    /// The newest survey's day.
    pub nps_at: Option<Date>,
    /// Where surveys came from.
    pub nps_source: Option<SourceName>,
    /// The open renewal that decides: the earliest one not closed.
    pub open_renewal: Option<LocalId>,
    /// The open risk that stands for the account in the queue: the highest priority, then the oldest.
    pub open_escalation: Option<LocalId>,
    /// Any of the account's rows changed at this instant.
    pub changed_at: Option<Timestamp>,
    /// Where the account's ARR came from, when another system says something else.
    pub arr_source: Option<SourceName>,
    /// What that other system says; the first of them when there are several.
    pub arr_other: Option<Money>,
    /// The other system.
    pub arr_other_source: Option<SourceName>,
}

/// Kinds of signal that are long series: the account's facts hold what a Book needs of them, so the Book does not hold their rows.
pub const SERIES: [&str; 2] = ["usage.weekly", "health"];

/// A signal and the day on which it was followed up: the first call, mail or meeting with the account on or after its day.
pub type Followed = (Signal, Option<Date>);

/// Rows that entered, changed or left since a point in the store's history; what the Book is fed with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RowDelta {
    /// The store's sequence number that this brings the Book to.
    pub seq: u64,
    /// Accounts and their facts.
    pub accounts: Vec<(Account, Facts)>,
    /// Our own people.
    pub people: Vec<Person>,
    /// Renewals.
    pub renewals: Vec<Renewal>,
    /// Chances to sell more.
    pub opportunities: Vec<Opportunity>,
    /// Tasks.
    pub tasks: Vec<Task>,
    /// Risks.
    pub escalations: Vec<Escalation>,
    /// Signals that are no [`SERIES`], and when they were followed up.
    pub signals: Vec<Followed>,
    /// Rates.
    pub rates: Vec<Rate>,
    /// Stretches of subscription lines.
    #[serde(default)]
    pub subscriptions: Vec<Subscription>,
    /// Movements of annual recurring revenue.
    #[serde(default)]
    pub movements: Vec<Movement>,
    /// What left.
    pub removed: Vec<(Entity, LocalId)>,
}

/// Everything about one account, for the account page and `csops show`; read from the store, the overlay applied.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AccountDetail {
    /// The account.
    pub account: Account,
    /// Its facts.
    pub facts: Facts,
    /// Tenant's own fields.
    pub extra: Vec<(String, FieldValue)>,
    /// Which source each field's value came from: field, source, when, and the values that lost.
    pub provenance: Vec<Provenance>,
    /// The vendors' records behind it.
    pub crosswalk: Vec<CrosswalkEntry>,
    /// Looks like it, but is not matched.
    pub unmatched: Vec<Unmatched>,
    /// People there.
    pub contacts: Vec<Contact>,
    /// Its subscription lines, by line and start.
    pub subscriptions: Vec<Subscription>,
    /// Its movements of annual recurring revenue, oldest first.
    pub movements: Vec<Movement>,
    /// Renewals, open first.
    pub renewals: Vec<Renewal>,
    /// Chances to sell more, open first.
    pub opportunities: Vec<Opportunity>,
    /// Tasks, open first.
    pub tasks: Vec<Task>,
    /// Support cases, open first, newest first.
    pub tickets: Vec<Ticket>,
    /// Risks, open first.
    pub escalations: Vec<Escalation>,
    /// What happened, newest first.
    pub touchpoints: Vec<Touchpoint>,
    /// Dated numbers, oldest first.
    pub signals: Vec<Signal>,
    /// Names of the people that rows refer to.
    pub people: Vec<Person>,
    /// What it was from which day on, oldest first.
    pub history: Vec<HistoryPoint>,
}

impl Provenance {
    /// The field of the entry that stands for every field without one of its own.
    pub const REST: &'static str = "*";

    /// Where a field's value came from: its own entry, else the one that stands for the rest.
    pub fn of<'a>(all: &'a [Provenance], field: &str) -> Option<&'a Provenance> {
        all.iter()
            .find(|p| p.field == field)
            .or_else(|| all.iter().find(|p| p.field == Provenance::REST))
    }

    /// An entry for every field of an account that has a value or that somebody said something else about, in the order of the fields.
    /// Health and survey answers that the account's own record does not have came from its signals, as the facts tell.
    pub fn spelt_out(all: &[Provenance], account: &Account, facts: &Facts) -> Vec<Provenance> {
        let mut out = Vec::new();
        for field in Account::FIELDS {
            let own = all.iter().find(|p| p.field == *field);
            let has_value = account.get(field).is_some_and(|v| !v.is_null());
            if let Some(own) = own {
                out.push(own.clone());
            } else if has_value && let Some(rest) = Provenance::of(all, field) {
                let signal = match *field {
                    "health" | "health_at" => facts.health_source.as_ref(),
                    "nps" => facts.nps_source.as_ref(),
                    _ => None,
                };
                out.push(Provenance {
                    field: (*field).to_owned(),
                    source: signal.unwrap_or(&rest.source).clone(),
                    at: rest.at.filter(|_| signal.is_none_or(|s| *s == rest.source)),
                    losers: Vec::new(),
                });
            }
        }
        out
    }
}

/// Where one field's value came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The field.
    pub field: String,
    /// The source whose value won.
    pub source: SourceName,
    /// When that source last modified its record.
    pub at: Option<Timestamp>,
    /// Values of other sources that differ.
    pub losers: Vec<(SourceName, FieldValue)>,
}

impl Entity {
    /// The canonical names of its fields.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Entity::Account => Account::FIELDS,
            Entity::Contact => Contact::FIELDS,
            Entity::Person => Person::FIELDS,
            Entity::Subscription => Subscription::FIELDS,
            Entity::Movement => Movement::FIELDS,
            Entity::Renewal => Renewal::FIELDS,
            Entity::Opportunity => Opportunity::FIELDS,
            Entity::Task => Task::FIELDS,
            Entity::Ticket => Ticket::FIELDS,
            Entity::Escalation => Escalation::FIELDS,
            Entity::Touchpoint => Touchpoint::FIELDS,
            Entity::Signal => Signal::FIELDS,
            Entity::Rate => Rate::FIELDS,
        }
    }

    /// The name of one of its fields; a canonical one is not copied.
    pub fn field_name(self, field: &str) -> FieldName {
        match self.fields().iter().find(|f| **f == field) {
            Some(known) => FieldName::Borrowed(known),
            None => FieldName::Owned(field.to_owned()),
        }
    }
}
