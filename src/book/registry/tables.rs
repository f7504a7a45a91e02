//! The fields themselves, entity by entity: name, aliases, title, type, help and how each is read from a row.

use super::{Cell, Field, Scope, Tense, Type};
use crate::book::derived::{
    HAS_RISK, HEALTH_DISAGREES, OURS_DRIVES, SENTIMENT_DISAGREES, SNOOZED, VENDOR_DRIVES,
};
use crate::book::views::{AccountRow, PersonRow};
use crate::book::{Book, Day, Money};
use jiff::{Timestamp, civil::Date};

fn text(s: Option<&str>) -> Cell<'_> {
    s.filter(|s| !s.is_empty()).map_or(Cell::None, Cell::Text)
}
fn number<'a>(n: Option<impl Into<f64>>) -> Cell<'a> {
    n.map_or(Cell::None, |n| Cell::Number(n.into()))
}
/// A share as people write it: what a short number holds of 0.7 is a little less, and would not be found by `>=70%`.
fn share<'a>(f: f32) -> Cell<'a> {
    Cell::Number((f64::from(f) * 1e6).round() / 1e6)
}
fn day<'a>(d: Day) -> Cell<'a> {
    if d == Day::NONE {
        Cell::None
    } else {
        Cell::Day(d)
    }
}
fn date<'a>(d: Option<Date>) -> Cell<'a> {
    day(Day::of(d))
}
fn instant<'a>(t: Option<Timestamp>) -> Cell<'a> {
    t.map_or(Cell::None, Cell::Instant)
}
fn person(p: Option<PersonRow<'_>>) -> Cell<'_> {
    p.map_or(Cell::None, Cell::Person)
}
fn money<'a>(book: &Book, m: Option<Money>) -> Cell<'a> {
    m.map_or(Cell::None, |m| {
        Cell::Money(m, book.fx().convert(m).map(|r| r.minor))
    })
}
fn of_account<'a>(
    a: Option<AccountRow<'a>>,
    get: impl FnOnce(AccountRow<'a>) -> Cell<'a>,
) -> Cell<'a> {
    a.map_or(Cell::None, get)
}

macro_rules! field {
    ($name:literal $(| $alias:literal)*, $title:literal, $ty:ident $(($unit:literal))? $([$tense:ident])? $({$($word:literal),*})?, $help:literal, $read:expr) => {
        Field {
            name: $name,
            aliases: &[$($alias),*],
            title: $title,
            ty: Type::$ty,
            unit: concat!($($unit)?),
            tense: tense!($($tense)?),
            words: &[$($($word),*)?],
            help: $help,
            read: $read,
        }
    };
}
macro_rules! tense {
    () => {
        Tense::None
    };
    ($tense:ident) => {
        Tense::$tense
    };
}

pub(super) static ACCOUNT: &[Field] = &[
    field!(
        "name" | "account",
        "Account",
        Text,
        "the account's name",
        |s, r| text(Some(s.book.account(r).name()))
    ),
    field!("id", "Id", Number, "csops' own id", |s, r| Cell::Number(
        f64::from(s.book.account(r).id().0)
    )),
    field!("domain", "Domain", Text, "internet domain", |s, r| text(
        s.book.account(r).domain()
    )),
    field!(
        "health" | "score",
        "Health",
        Number("points"),
        "health score, 0 (bad) to 100",
        |s, r| number(s.book.account(r).health())
    ),
    field!(
        "health.delta" | "health_delta",
        "±30d",
        Number("points"),
        "health now less health 30 days before",
        |s, r| number(s.book.account(r).health_delta())
    ),
    field!(
        "health.at" | "health_at",
        "Scored",
        Date[Behind],
        "when the health was computed",
        |s, r| date(s.book.account(r).health_at())
    ),
    field!(
        "health.csops" | "csops",
        "Ours",
        Number("points"),
        "csops' own health score by the model under [health], 0 (bad) to 100",
        |s, r| number(s.derived.health(r).points())
    ),
    field!(
        "health.coverage",
        "Cover",
        Percent,
        "how much of the health model's weight is known of the account",
        |s, r| Cell::Number(f64::from(s.derived.health(r).coverage) / 100.0)
    ),
    field!("health.band", "Band", Word {"good", "watch", "bad", "insufficient"}, "band of csops' own score; insufficient where too little is known", |s, r| {
        let band = s.derived.health(r).band().map_or(BANDS.len() - 1, usize::from);
        text(BANDS.get(band).copied())
    }),
    field!("health.drives", "By", Word {"vendor", "csops"}, "whose score the probability of loss goes by", |s, r| {
        let health = s.derived.health(r);
        match (health.is(OURS_DRIVES), health.is(VENDOR_DRIVES)) {
            (true, _) => Cell::Text("csops"),
            (_, true) => Cell::Text("vendor"),
            _ => Cell::None,
        }
    }),
    field!(
        "health.disagrees",
        "Differ",
        Bool,
        "the vendor's score and csops' lie more than one band apart",
        |s, r| Cell::Bool(s.derived.health(r).is(HEALTH_DISAGREES))
    ),
    field!(
        "health.model",
        "Model",
        Word,
        "version of the health model that csops' score is of",
        |s, r| {
            let scored = s.derived.health(r).points().is_some();
            text(Some(s.derived.model()).filter(|_| scored))
        }
    ),
    field!(
        "sentiment.disagrees",
        "Feels other",
        Bool,
        "what the CSM feels and the score that counts lie more than one band apart",
        |s, r| Cell::Bool(s.derived.health(r).is(SENTIMENT_DISAGREES))
    ),
    field!(
        "arr",
        "ARR",
        Money,
        "annual recurring revenue, compared in the reporting currency",
        |s, r| money(s.book, s.book.account(r).arr())
    ),
    field!(
        "arr_counted",
        "ARR counted",
        Bool,
        "no system names the ARR: it is what the account's subscriptions or movements pay today",
        |s, r| Cell::Bool(s.book.account(r).is_arr_counted())
    ),
    field!(
        "renewal" | "renews" | "due",
        "Renewal",
        Date[Ahead],
        "the next renewal: the open renewal's due day, else the account's own date",
        |s, r| day(s.book.account(r).renewal_day())
    ),
    field!(
        "decide" | "decision",
        "Decide",
        Date[Ahead],
        "the day on which the renewal is decided: the notice deadline while it lies ahead, else the renewal",
        |s, r| day(s.book.account(r).decision_day(s.day()))
    ),
    field!(
        "notice",
        "Notice",
        Date[Ahead],
        "the last day to give notice",
        |s, r| day(s.book.account(r).notice_day())
    ),
    field!(
        "csm" | "owner",
        "CSM",
        Person,
        "the customer success manager",
        |s, r| person(s.book.account(r).csm())
    ),
    field!(
        "team",
        "Team",
        Person,
        "who leads the customer success manager",
        |s, r| person(s.book.account(r).csm().and_then(|p| p.manager()))
    ),
    field!(
        "seller" | "crm_owner",
        "Seller",
        Person,
        "the owner in the CRM",
        |s, r| person(s.book.account(r).owner())
    ),
    field!("segment", "Segment", Word {"enterprise", "mid-market", "smb"}, "segment", |s, r| text(s.book.account(r).segment())),
    field!("touch", "Touch", Word {"high", "mid", "tech"}, "touch model", |s, r| text(s.book.account(r).touch())),
    field!("region", "Region", Word, "region", |s, r| text(
        s.book.account(r).region()
    )),
    field!("industry", "Industry", Word, "industry", |s, r| text(
        s.book.account(r).industry()
    )),
    field!(
        "stage" | "lifecycle",
        "Stage",
        Word,
        "lifecycle stage",
        |s, r| text(s.book.account(r).stage())
    ),
    field!("sentiment", "Feeling", Word {"good", "watch", "bad"}, "what the CSM feels", |s, r| text(s.book.account(r).sentiment())),
    field!(
        "start" | "since",
        "Since",
        Date[Behind],
        "customer since",
        |s, r| date(s.book.account(r).start())
    ),
    field!(
        "auto_renew",
        "Auto",
        Bool,
        "renews by itself unless notice is given",
        |s, r| s
            .book
            .account(r)
            .auto_renew()
            .map_or(Cell::None, Cell::Bool)
    ),
    field!(
        "nps",
        "NPS",
        Number,
        "newest survey answer, 0 to 10",
        |s, r| number(s.book.account(r).nps())
    ),
    field!(
        "tickets",
        "Tickets",
        Number,
        "open support cases",
        |s, r| Cell::Number(f64::from(s.book.account(r).open_tickets()))
    ),
    field!(
        "tickets.urgent" | "urgent",
        "Urgent",
        Number,
        "open urgent or escalated support cases",
        |s, r| Cell::Number(f64::from(s.book.account(r).urgent_tickets()))
    ),
    field!(
        "usage",
        "Usage",
        Number("users"),
        "weekly active users, newest week",
        |s, r| number(s.book.account(r).usage()[11])
    ),
    field!(
        "usage.trend" | "trend",
        "Trend",
        Percent,
        "usage against four weeks before",
        |s, r| {
            let t = s.derived.account(r).usage_trend;
            if t.is_nan() { Cell::None } else { share(t) }
        }
    ),
    field!(
        "last_touch" | "touched",
        "Touched",
        Date[Behind],
        "the newest touchpoint with a person",
        |s, r| date(s.book.account(r).last_touch())
    ),
    field!(
        "sponsor_left",
        "Sponsor left",
        Date[Behind],
        "a sponsor or champion left",
        |s, r| date(s.book.account(r).sponsor_left())
    ),
    field!(
        "loss" | "risk",
        "Loss",
        Percent,
        "probability of loss (placeholder by health band and open risk)",
        |s, r| share(s.derived.account(r).loss)
    ),
    field!(
        "at_stake",
        "At stake",
        Money,
        "ARR decided at the next renewal, reporting currency",
        |s, r| reporting(s, s.derived.account(r).at_stake)
    ),
    field!(
        "closeness",
        "Closeness",
        Number,
        "min(1, 90/d), d days until the decision",
        |s, r| share(s.derived.account(r).closeness)
    ),
    field!(
        "urgency",
        "Urgency",
        Money,
        "loss × at stake × closeness",
        |s, r| reporting(s, s.derived.account(r).urgency as i64)
    ),
    field!(
        "expected_loss",
        "Exp. loss",
        Money,
        "loss × at stake",
        |s, r| reporting(s, s.derived.account(r).expected_loss() as i64)
    ),
    field!(
        "cost_of_delay" | "delay",
        "Week costs",
        Money,
        "what another week of waiting costs: loss × at stake × what the save curve falls by in it (an assumption)",
        |s, r| reporting(s, s.derived.account(r).cost_of_delay() as i64)
    ),
    field!("at_risk", "At risk", Bool, "in the queue", |s, r| {
        Cell::Bool(s.derived.in_queue(r))
    }),
    field!(
        "risk.open" | "escalated",
        "Risk",
        Bool,
        "a risk is open",
        |s, r| Cell::Bool(s.derived.account(r).is(HAS_RISK))
    ),
    field!(
        "reason",
        "Reason",
        Text,
        "the open risk's reason",
        |s, r| text(s.book.account(r).open_risk().and_then(|e| e.reason()))
    ),
    field!("priority", "Priority", Word {"critical", "high", "medium", "low"}, "the open risk's priority", |s, r| text(s.book.account(r).open_risk().and_then(|e| e.priority_kind()))),
    field!(
        "assignee",
        "Assigned",
        Person,
        "the open risk's owner",
        |s, r| person(s.book.account(r).open_risk().and_then(|e| e.owner()))
    ),
    field!("level", "Level", Word {"L0", "L1", "L2", "L3"}, "escalation level", |s, r| text(s.book.account(r).level())),
    field!(
        "snoozed" | "asleep",
        "Asleep",
        Bool,
        "snoozed today",
        |s, r| Cell::Bool(s.derived.account(r).is(SNOOZED))
    ),
    field!(
        "snoozed_until" | "until",
        "Until",
        Date[Ahead],
        "snoozed until",
        |s, r| date(s.book.account(r).snoozed_until())
    ),
    field!("acked", "Acked", Bool, "acknowledged", |s, r| Cell::Bool(
        s.book.account(r).acked_at().is_some()
    )),
    field!(
        "acked_at",
        "Acked at",
        Instant[Behind],
        "when it was acknowledged",
        |s, r| instant(s.book.account(r).acked_at())
    ),
    field!(
        "resolved_at" | "resolved",
        "Resolved",
        Instant[Behind],
        "when it was resolved",
        |s, r| instant(s.book.account(r).resolved_at())
    ),
    field!("outcome", "Outcome", Word {"saved", "reduced", "lost", "false_alarm"}, "outcome of the last resolve", |s, r| text(s.book.account(r).outcome())),
    field!(
        "tag" | "tags",
        "Tags",
        List,
        "tags",
        |s, r| match s.book.account(r).tags() {
            [] => Cell::None,
            t => Cell::List(t),
        }
    ),
    field!(
        "changed" | "changed_at",
        "Changed",
        Instant[Behind],
        "any of its rows changed",
        |s, r| instant(s.book.account(r).changed_at())
    ),
    field!(
        "defects",
        "Defects",
        Number,
        "how many kinds of defect its data has, as far as its own rows show",
        |s, r| Cell::Number(f64::from(s.judge.defects(s, r).bits.count_ones()))
    ),
    field!("defect", "Defect", List {"no_renewal_date", "renewal_overdue", "no_outcome", "no_owner", "no_health", "stale_health", "missing_arr", "no_rate", "arr_differs", "impossible_date"}, "what is wrong with its data; duplicates and orphans are in csops quality", |s, r| Cell::Words(s.judge.defects(s, r))),
    field!("expansion", "Expansion", List {"seat_use", "usage_growth", "promoter", "limit_hit"}, "what speaks for expansion", |s, r| Cell::Words(s.judge.expansion(s, r))),
    field!(
        "opportunity",
        "Opportunity",
        Money,
        "ARR × signals of expansion ÷ 4, nothing while at risk: whom to speak to about more",
        |s, r| reporting(s, s.judge.opportunity(s, r))
    ),
    field!("forecast", "Forecast", Word {"omitted", "pipeline", "best", "most_likely", "commit", "closed"}, "the open renewal's forecast category", |s, r| text(s.book.account(r).open_renewal().and_then(|o| o.forecast()))),
    field!(
        "amount",
        "Amount",
        Money,
        "the open renewal's amount",
        |s, r| money(
            s.book,
            s.book.account(r).open_renewal().and_then(|o| o.amount())
        )
    ),
];

/// The bands of a score, from good to bad, then none for want of data.
const BANDS: [&str; 4] = ["good", "watch", "bad", "insufficient"];

fn reporting<'a>(s: &Scope<'a>, minor: i64) -> Cell<'a> {
    Cell::Money(s.book.reporting_money(minor), Some(minor))
}

pub(super) static RENEWAL: &[Field] = &[
    field!("account", "Account", Text, "the account's name", |s, r| {
        of_account(s.book.renewal(r).account(), |a| text(Some(a.name())))
    }),
    field!(
        "name" | "renewal.name",
        "Renewal",
        Text,
        "what the renewal is called",
        |s, r| text(Some(s.book.renewal(r).name()))
    ),
    field!("id", "Id", Number, "csops' own id", |s, r| Cell::Number(
        f64::from(s.book.renewal(r).id().0)
    )),
    field!(
        "due" | "renewal" | "close",
        "Due",
        Date[Ahead],
        "the day on which the term ends",
        |s, r| day(s.book.renewal(r).due_day())
    ),
    field!(
        "original_due",
        "First due",
        Date[Ahead],
        "the due day before it was moved",
        |s, r| date(s.book.renewal(r).original_due())
    ),
    field!(
        "pushes" | "pushed",
        "Pushed",
        Number(""),
        "how often the due day was moved to a later one",
        |s, r| number(s.book.renewal(r).pushes())
    ),
    field!(
        "decide" | "decision",
        "Decide",
        Date[Ahead],
        "the notice deadline while it lies ahead, else the due day",
        |s, r| day(s.book.renewal(r).decision_day(s.day()))
    ),
    field!(
        "notice" | "notice_deadline",
        "Notice",
        Date[Ahead],
        "the last day to give notice",
        |s, r| date(s.book.renewal(r).notice_deadline())
    ),
    field!(
        "amount",
        "Amount",
        Money,
        "the amount expected, compared in the reporting currency",
        |s, r| money(s.book, s.book.renewal(r).amount())
    ),
    field!(
        "target",
        "Target",
        Money,
        "what is up for renewal",
        |s, r| money(s.book, s.book.renewal(r).target())
    ),
    field!(
        "stage",
        "Stage",
        Text,
        "stage, the vendor's word",
        |s, r| text(s.book.renewal(r).stage())
    ),
    field!("status" | "stage_kind", "Status", Word {"open", "won", "lost"}, "open, won or lost", |s, r| text(Some(s.book.renewal(r).stage_kind()))),
    field!("forecast", "Forecast", Word {"omitted", "pipeline", "best", "most_likely", "commit", "closed"}, "forecast category", |s, r| text(s.book.renewal(r).forecast())),
    field!(
        "probability",
        "Prob",
        Number("%"),
        "probability of closing, 0 to 100",
        |s, r| number(s.book.renewal(r).probability())
    ),
    field!("owner", "Owner", Person, "the renewal's owner", |s, r| {
        person(s.book.renewal(r).owner())
    }),
    field!("outcome", "Outcome", Text, "how it ended", |s, r| text(
        s.book.renewal(r).outcome()
    )),
    field!(
        "closed",
        "Closed",
        Date[Behind],
        "the day on which it closed",
        |s, r| date(s.book.renewal(r).closed())
    ),
    field!(
        "next_step" | "next",
        "Next step",
        Text,
        "the next step",
        |s, r| text(s.book.renewal(r).next_step())
    ),
];

pub(super) static TASK: &[Field] = &[
    field!("account", "Account", Text, "the account's name", |s, r| {
        of_account(s.book.task(r).account(), |a| text(Some(a.name())))
    }),
    field!(
        "title" | "name" | "task",
        "Task",
        Text,
        "what is to be done",
        |s, r| text(Some(s.book.task(r).title()))
    ),
    field!("id", "Id", Number, "csops' own id", |s, r| Cell::Number(
        f64::from(s.book.task(r).id().0)
    )),
    field!("due", "Due", Date[Ahead], "by when", |s, r| day(s
        .book
        .task(r)
        .due_day())),
    field!(
        "overdue",
        "Overdue",
        Bool,
        "open and due before today",
        |s, r| Cell::Bool(s.book.task(r).is_overdue(s.today))
    ),
    field!("priority", "Prio", Word {"p1", "p2", "p3", "p4"}, "priority, p1 is urgent", |s, r| text(s.book.task(r).priority_kind())),
    field!("status", "Status", Word {"open", "in_progress", "waiting", "done"}, "open, in_progress, waiting or done", |s, r| text(Some(s.book.task(r).status_kind()))),
    field!("kind" | "type", "Kind", Word {"call", "email", "meeting", "to_do"}, "call, email, meeting or to_do", |s, r| text(s.book.task(r).kind())),
    field!("class", "Class", Word {"onboarding", "milestone", "bau", "strategic"}, "what kind of work it is", |s, r| text(s.book.task(r).class())),
    field!("owner", "Owner", Person, "whose", |s, r| person(
        s.book.task(r).owner()
    )),
    field!(
        "completed" | "done",
        "Done",
        Instant[Behind],
        "when it was completed",
        |s, r| instant(s.book.task(r).completed_at())
    ),
];

pub(super) static ESCALATION: &[Field] = &[
    field!("account", "Account", Text, "the account's name", |s, r| {
        of_account(s.book.escalation(r).account(), |a| text(Some(a.name())))
    }),
    field!(
        "title" | "name",
        "Risk",
        Text,
        "what the risk is called",
        |s, r| text(Some(s.book.escalation(r).title()))
    ),
    field!("id", "Id", Number, "csops' own id", |s, r| Cell::Number(
        f64::from(s.book.escalation(r).id().0)
    )),
    field!("reason", "Reason", Text, "why", |s, r| text(
        s.book.escalation(r).reason()
    )),
    field!("status", "Status", Word {"new", "acknowledged", "in_progress", "closed"}, "new, acknowledged, in_progress or closed", |s, r| text(Some(s.book.escalation(r).status_kind()))),
    field!("priority" | "severity", "Priority", Word {"critical", "high", "medium", "low"}, "critical, high, medium or low", |s, r| text(s.book.escalation(r).priority_kind())),
    field!("owner" | "assignee", "Owner", Person, "whose", |s, r| {
        person(s.book.escalation(r).owner())
    }),
    field!("due", "Due", Date[Ahead], "by when", |s, r| date(
        s.book.escalation(r).due()
    )),
    field!(
        "opened",
        "Opened",
        Instant[Behind],
        "when it was opened",
        |s, r| instant(s.book.escalation(r).opened())
    ),
    field!(
        "closed",
        "Closed",
        Instant[Behind],
        "when it was closed",
        |s, r| instant(s.book.escalation(r).closed())
    ),
    field!("outcome", "Outcome", Word {"saved", "reduced", "lost", "false_alarm"}, "how it ended", |s, r| text(s.book.escalation(r).outcome())),
];

pub(super) static PERSON: &[Field] = &[
    field!("name", "Name", Text, "full name", |s, r| text(Some(
        s.book.person(r).name()
    ))),
    field!("id", "Id", Number, "csops' own id", |s, r| Cell::Number(
        f64::from(s.book.person(r).id().0)
    )),
    field!("email", "E-mail", Text, "e-mail address", |s, r| text(
        s.book.person(r).email()
    )),
    field!("role", "Role", Word, "role", |s, r| text(
        s.book.person(r).role()
    )),
    field!(
        "active",
        "Active",
        Bool,
        "still with us",
        |s, r| Cell::Bool(s.book.person(r).is_active())
    ),
    field!("manager", "Manager", Person, "who leads them", |s, r| {
        person(s.book.person(r).manager())
    }),
    field!("region", "Region", Word, "where they work", |s, r| text(
        s.book.person(r).region()
    )),
    field!(
        "capacity_hours",
        "Hours",
        Number("h"),
        "hours that they work; full time without it",
        |s, r| number(s.book.person(r).capacity_hours())
    ),
    field!(
        "start",
        "Start",
        Date[Behind],
        "their first day with us",
        |s, r| date(s.book.person(r).start())
    ),
    field!(
        "end",
        "End",
        Date[Ahead],
        "their last day with us",
        |s, r| date(s.book.person(r).end())
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_the_number_that_people_write() {
        for percent in 0..=100_u8 {
            let wanted = f64::from(percent) / 100.0;
            let Cell::Number(n) = share(wanted as f32) else {
                panic!("a number");
            };
            assert_eq!(n, wanted, "{percent}");
        }
    }
}
