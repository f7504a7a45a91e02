//! A fixed little world to draw: every figure of it is written down here.

mod world;

use crate::book::{
    Account, AccountDetail, Book, Budget, Capabilities, Change, Clock, Conflict, ConflictField,
    Contact, CrosswalkEntry, Entity, Escalation, Facts, FieldChange, FieldValue, LocalId, MatchHow,
    Money, OutboxItem, OutboxState, Overlay, Person, Provenance, Renewal, RowDelta, Signal,
    SourceState, SourceStatus, StreamStatus, Target, Task, Ticket, Touchpoint, Unmatched, Verb,
    WriteSupport,
};
use crate::cockpit::keymap::Keymap;
use crate::cockpit::{Cockpit, Snapshot};
use crate::command::{Homes, Me, SourceInfo};
use crate::tui::app::{App, Pane};
use crate::tui::draw::draw;
use crate::tui::theme::{Depth, Themes};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;
use world::{delta, people};

/// A clock that stands still.
pub struct Still(pub Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// The instant of the fixture.
pub fn now() -> Timestamp {
    "2026-11-22T09:30:00Z".parse().expect("an instant")
}

fn today() -> Date {
    date(2026, 11, 22)
}

fn in_days(n: i64) -> Date {
    today().checked_add(n.days()).expect("a day")
}

fn before(n: i64) -> Timestamp {
    now().checked_sub((n * 24).hours()).expect("an instant")
}

fn usd(units: i64) -> Option<Money> {
    Money::new(units * 100, "USD")
}

fn source(name: &str, connector: &str, state: SourceState) -> SourceStatus {
    let streams = ["people", "accounts", "contacts", "renewals", "tasks"]
        .into_iter()
        .enumerate()
        .map(|(i, stream)| StreamStatus {
            stream: stream.into(),
            rows: 40 * (i as u64 + 1),
            changed: i as u64,
            last_success: Some(now().checked_sub(14.seconds()).expect("an instant")),
            requests: 1,
            problems: u64::from(i == 1) * 3,
            ..StreamStatus::default()
        })
        .collect();
    SourceStatus {
        source: Some(name.into()),
        connector: connector.into(),
        base_url: format!("https://{name}.example.com"),
        state,
        last_success: Some(now().checked_sub(14.seconds()).expect("an instant")),
        next_run: Some(now().checked_add(11.minutes()).expect("an instant")),
        error: (state == SourceState::Failing).then(|| {
            "cs.example.com answered 503 for 12 minutes; csops tries again in 4 minutes".into()
        }),
        read_only: false,
        budget: Budget {
            ours: 812,
            promise: Some(10_000),
            vendor_used: None,
            vendor_max: None,
        },
        streams,
        log: vec![(now(), "accounts: 40 rows, 1 request".into())],
    }
}

fn outbox_item(n: u32, command: &str, state: OutboxState) -> OutboxItem {
    let conflict = (state == OutboxState::Conflict).then(|| Conflict {
        modified: Some(before(0)),
        by: Some("Sam Seller".into()),
        fields: vec![ConflictField {
            field: "due".into(),
            base: FieldValue::Date(date(2026, 12, 31)),
            mine: FieldValue::Date(date(2027, 2, 28)),
            theirs: FieldValue::Date(date(2027, 1, 31)),
        }],
    });
    OutboxItem {
        id: format!("item-{n}"),
        operation: format!("op-{n}"),
        command: command.into(),
        change: Change {
            target: Target { entity: Entity::Renewal, id: LocalId(n) },
            account: LocalId(n),
            verb: Verb::Update,
            fields: vec![FieldChange {
                field: "due".into(),
                base: FieldValue::Date(date(2026, 12, 31)),
                want: FieldValue::Date(date(2027, 2, 28)),
            }],
            source: "crm".into(),
        },
        external_id: Some("006xx".into()),
        attempts: u32::from(state != OutboxState::Waiting),
        error: (state == OutboxState::Failed)
            .then(|| "the vendor refused it: FIELD_CUSTOM_VALIDATION_EXCEPTION close date lies in a closed quarter".into()),
        next_attempt: now().checked_add(4.seconds()).expect("an instant"),
        finished: (state == OutboxState::Done).then(now),
        conflict,
        state,
        created: now(),
    }
}

/// The whole picture.
pub fn snapshot() -> Snapshot {
    let book = Book::empty()
        .with_money("USD", &[], Some(today()))
        .apply(delta(), &Overlay::default());
    let me = Me {
        name: "dana@example.com".into(),
        person: Some(LocalId(1)),
    };
    let mut s = Snapshot::of(
        book,
        me,
        now(),
        TimeZone::UTC,
        crate::book::Calendar::default(),
        crate::insight::Settings::default(),
    );
    s.generation = 1;
    s.last_visit = Some(before(2));
    s.sources = Arc::new(vec![
        source("crm", "salesforce", SourceState::Idle),
        source("cs", "gainsight", SourceState::Failing),
    ]);
    let write = |entity, field: &str| WriteSupport {
        entity,
        field: field.into(),
        writes: "Field".into(),
        guarded: true,
        why_not: None,
    };
    let can = |name: &str| SourceInfo {
        name: Some(name.into()),
        read_only: false,
        capabilities: Capabilities {
            writes: vec![write(Entity::Renewal, "stage"), write(Entity::Task, "*")],
            choices: vec![(
                Entity::Renewal,
                "stage".into(),
                vec![
                    "Discovery".into(),
                    "Negotiation".into(),
                    "Closed Won".into(),
                ],
            )],
        },
    };
    s.infos = Arc::new(vec![can("crm"), can("cs")]);
    s.homes = Arc::new(Homes {
        risk: Some("cs".into()),
        note: Some("cs".into()),
        task: Some("crm".into()),
        renewal: Some("crm".into()),
        csm: Some("cs".into()),
    });
    s.outbox = Arc::new(vec![
        outbox_item(1, "renewal close 2027-02-28", OutboxState::Conflict),
        outbox_item(2, "renewal close 2027-02-28", OutboxState::Failed),
        outbox_item(3, "renewal close 2027-02-28", OutboxState::Waiting),
        outbox_item(4, "renewal close 2027-02-28", OutboxState::Done),
    ]);
    s.unmatched = Arc::new(vec![Unmatched {
        source: "cs".into(),
        entity: Entity::Account,
        external_id: "1P01".into(),
        name: "North Wind Trading".into(),
        local: LocalId(40),
        candidate: Some(LocalId(1)),
        reason: "the name is nearly that of Northwind Traders".into(),
    }]);
    s.problems = Arc::new(vec![
        "config.toml:12:3: there is no key `chanel`, did you mean `channel`?".into(),
    ]);
    s
}

/// Everything about the first account.
pub fn detail() -> AccountDetail {
    let d = delta();
    let of = |id: Option<LocalId>| id == Some(LocalId(1));
    let signal = |kind: &str, week: i64, value: f64| Signal {
        id: LocalId(1),
        account: Some(LocalId(1)),
        kind: kind.into(),
        at: Some(in_days(-7 * (51 - week) - 6)),
        value: Some(value),
        unit: None,
        text: None,
    };
    let mut signals: Vec<Signal> = (0..52)
        .map(|w| signal("health", w, 78.0 - (w as f64).powf(1.6) / 12.0))
        .collect();
    signals.extend((0..52).map(|w| {
        signal(
            "usage.weekly",
            w,
            300.0 + 140.0 * (w as f64 / 9.0).sin() + if w > 44 { -60.0 } else { 0.0 },
        )
    }));
    AccountDetail {
        history: Vec::new(),
        account: d.accounts[0].0.clone(),
        facts: d.accounts[0].1.clone(),
        extra: vec![("x.Tier__c".into(), FieldValue::Text("Gold".into()))],
        provenance: vec![
            Provenance {
                field: "name".into(),
                source: "crm".into(),
                at: Some(before(3)),
                losers: vec![("cs".into(), FieldValue::Text("North Wind".into()))],
            },
            Provenance {
                field: "health".into(),
                source: "cs".into(),
                at: Some(before(2)),
                losers: vec![],
            },
        ],
        crosswalk: vec![CrosswalkEntry {
            source: "crm".into(),
            entity: Entity::Account,
            external_id: "001xx".into(),
            local: LocalId(1),
            how: MatchHow::New,
        }],
        unmatched: Vec::new(),
        subscriptions: Vec::new(),
        movements: Vec::new(),
        opportunities: Vec::new(),
        contacts: vec![
            Contact {
                id: LocalId(1),
                account: Some(LocalId(1)),
                name: "Ana Bell".into(),
                title: Some("CFO".into()),
                email: Some("ana@account1.example".into()),
                role: Some("sponsor".into()),
                active: Some(false),
                left_at: Some(in_days(-9)),
                ..Contact::default()
            },
            Contact {
                id: LocalId(2),
                account: Some(LocalId(1)),
                name: "Ravi Rao".into(),
                title: Some("Admin".into()),
                role: Some("champion".into()),
                active: Some(true),
                ..Contact::default()
            },
        ],
        renewals: d
            .renewals
            .iter()
            .filter(|r| of(r.account))
            .cloned()
            .collect(),
        tasks: d.tasks.iter().filter(|r| of(r.account)).cloned().collect(),
        tickets: vec![Ticket {
            id: LocalId(1),
            account: Some(LocalId(1)),
            number: Some("00042".into()),
            subject: "Export fails every night".into(),
            status_kind: Some("open".into()),
            priority_kind: Some("urgent".into()),
            opened: Some(before(3)),
            ..Ticket::default()
        }],
        escalations: d
            .escalations
            .iter()
            .filter(|r| of(r.account))
            .cloned()
            .collect(),
        touchpoints: vec![
            Touchpoint {
                id: LocalId(1),
                account: Some(LocalId(1)),
                kind: Some("call".into()),
                subject: "Pricing call".into(),
                body: Some("They compare us with two others.\nNext step: order form.".into()),
                at: Some(before(3)),
                author: Some(LocalId(1)),
                contact: Some(LocalId(1)),
            },
            Touchpoint {
                id: LocalId(2),
                account: Some(LocalId(1)),
                kind: Some("email".into()),
                subject: "Sponsor leaves \u{1b}]0;owned\u{7}".into(),
                body: None,
                at: Some(before(9)),
                author: None,
                contact: None,
            },
        ],
        signals,
        people: people(),
    }
}

/// A screen over a picture, its lists answered.
pub fn app_of(snapshot: Snapshot, theme: &str, depth: Depth) -> App {
    let cockpit = Cockpit::fixed(snapshot);
    let mut app = App::new(
        cockpit,
        Arc::new(Still(now())),
        Arc::new(Keymap::defaults()),
        Themes::load(None, depth),
        theme,
    );
    answered(&mut app);
    app
}

/// The same over the fixed world.
pub fn app(theme: &str) -> App {
    app_of(snapshot(), theme, Depth::True)
}

/// Waits until every list that is drawn is the answer to what was asked.
pub fn answered(app: &mut App) {
    loop {
        let members = app.screen == crate::command::Screen::Segments;
        let mut panes = vec![Pane::Queue, Pane::Renewals, Pane::Tasks];
        panes.extend(members.then_some(Pane::Members));
        let done = panes.into_iter().all(|pane| {
            let wanted = app.spec(pane);
            pane.slot()
                .and_then(|s| app.cockpit.view(s))
                .is_some_and(|v| {
                    v.spec == wanted && v.generation == app.cockpit.snapshot().generation
                })
        });
        let page = app.screen != crate::command::Screen::Metrics
            || app
                .cockpit
                .page(&app.page_spec())
                .is_some_and(|p| p.generation == app.cockpit.snapshot().generation);
        let whys = app.overlays.iter().all(|o| match o {
            crate::tui::overlay::Overlay::Why(w) => w.made(app),
            crate::tui::overlay::Overlay::WhatIf(w) => w.made(app),
            _ => true,
        });
        if done && page && whys {
            app.refresh();
            return;
        }
        std::thread::yield_now();
    }
}

/// Draws a frame.
pub fn frame(app: &mut App, width: u16, height: u16) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    draw(app, &mut buf);
    buf
}

/// The text of a frame, line by line.
pub fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buf.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buf.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let s = buf[(x, y)].symbol();
            skip = crate::tui::text::width(s).saturating_sub(1);
            line.push_str(s);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The styles of a frame as runs: a legend of letters, then `letter×cells` per line.
pub fn styles(buf: &Buffer) -> String {
    use std::fmt::Write;
    let mut legend: Vec<String> = Vec::new();
    let mut body = String::new();
    for y in 0..buf.area.height {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for x in 0..buf.area.width {
            let c = &buf[(x, y)];
            let look = format!("{} on {} {:?}", c.fg, c.bg, c.modifier);
            let n = legend.iter().position(|l| *l == look).unwrap_or_else(|| {
                legend.push(look);
                legend.len() - 1
            });
            match runs.last_mut() {
                Some((last, count)) if *last == n => *count += 1,
                _ => runs.push((n, 1)),
            }
        }
        let line: Vec<String> = runs.iter().map(|(n, c)| format!("{n}x{c}")).collect();
        let _ = writeln!(body, "{}", line.join(" "));
    }
    let legend: Vec<String> = legend
        .iter()
        .enumerate()
        .map(|(n, l)| format!("{n} = {l}"))
        .collect();
    format!("{}\n{body}", legend.join("\n"))
}
