//! The cockpit on both simulated vendors, without a screen: a morning's work arrives at the vendors exactly once with the right values, as a
//! second cockpit on a database of its own finds out by asking them.

use csops::book::{AccountDetail, Entity, LocalId, OutboxState};
use csops::cockpit::{Cockpit, ListKind, Setup, Snapshot, SystemClock, ViewSpec};
use csops::command::{Command, Selection, parse};
use csops::config::load_text;
use csops::simulate::{AuthDetails, Options, Simulation, start};
use jiff::tz::TimeZone;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

async fn vendors() -> Simulation {
    let mut options = Options {
        accounts: 60,
        freeze: true,
        ..Options::default()
    };
    options.limits.gainsight_per_minute = 100_000;
    start(options).await.expect("the simulated vendors start")
}

/// A configuration that points at them.
fn config(sim: &Simulation) -> String {
    let mut out = r#"
[me]
email = "dana@example.com"
[write]
risk = "gainsight"
note = "gainsight"
task = "salesforce"
renewal = "salesforce"
csm = "gainsight"
[triage]
grace = "0s"
[calendar]
time_zone = "UTC"
"#
    .to_owned();
    for v in &sim.vendors {
        let auth = match &v.auth {
            AuthDetails::ClientCredentials {
                client_id,
                client_secret,
                token_url,
            } => format!(
                "{{ kind = \"client_credentials\", client_id = \"{client_id}\", client_secret = \"{client_secret}\", token_url = \"{token_url}\" }}"
            ),
            AuthDetails::Header { name, value } => {
                format!("{{ kind = \"header\", name = \"{name}\", value = \"{value}\" }}")
            }
            AuthDetails::Bearer { token } => {
                format!("{{ kind = \"bearer\", token = \"{token}\" }}")
            }
            AuthDetails::Basic { user, password } => {
                format!("{{ kind = \"basic\", user = \"{user}\", password = \"{password}\" }}")
            }
        };
        out.push_str(&format!(
            "[[source]]\nname = \"{0}\"\nconnector = \"{0}\"\nbase_url = \"{1}\"\nauth = {auth}\nevery = \"1h\"\noptions = {{ requests_per_minute = \"0\" }}\n",
            v.connector, v.base_url
        ));
    }
    out
}

fn cockpit(config: &str, dir: &Path, background: bool) -> Cockpit {
    let loaded = load_text(config, &dir.join("config.toml"));
    let errors: Vec<String> = loaded.errors().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{errors:?}");
    Cockpit::open(Setup {
        settings: loaded.settings,
        db: dir.join("csops.db"),
        clock: Arc::new(SystemClock::new(TimeZone::UTC)),
        problems: Vec::new(),
        connectors: None,
        background,
    })
    .expect("the database opens")
}

/// Waits for a picture of which something holds; says what was seen instead when it never comes.
async fn until(cockpit: &Cockpit, what: &str, holds: impl Fn(&Snapshot) -> bool) {
    let mut events = cockpit.events();
    let wait = async {
        while !holds(&cockpit.snapshot()) {
            // Missed events do no harm: the picture is asked again.
            let _ = events.recv().await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(120), wait)
        .await
        .is_err()
    {
        let s = cockpit.snapshot();
        panic!(
            "{what} did not come\nsources {:#?}\noutbox {:#?}",
            s.sources, s.outbox
        );
    }
}

async fn run(cockpit: &Cockpit, line: &str, entity: Entity, ids: &[LocalId]) -> String {
    let command: Command = parse(line).expect(line);
    let selection = Selection::of(entity, ids.iter().copied());
    cockpit
        .run(command, selection, false)
        .await
        .unwrap_or_else(|e| panic!("{line}: {e}"))
        .summary
}

fn ids(cockpit: &Cockpit, kind: ListKind) -> Vec<LocalId> {
    let s = cockpit.snapshot();
    let view = cockpit.view_now(&ViewSpec::of(kind));
    view.rows
        .iter()
        .map(|r| s.book.id_of(kind.entity(), *r))
        .collect()
}

fn name_of(cockpit: &Cockpit, id: LocalId) -> String {
    let s = cockpit.snapshot();
    let row = s
        .book
        .row_of(Entity::Account, id)
        .expect("the account is there");
    s.book.account(row).name().to_owned()
}

/// The vendors' own answer about an account, as a fresh cockpit pulled it.
async fn asked(fresh: &Cockpit, name: &str) -> AccountDetail {
    let hit = fresh.find_account(name).await.expect("found");
    let id = hit
        .first()
        .unwrap_or_else(|| panic!("{name} is not at the vendors"))
        .id;
    fresh.read_detail(id).await.expect("read").expect("there")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mornings_work_arrives_at_the_vendors_exactly_once() {
    let sim = vendors().await;
    let config = config(&sim);
    let home = tempfile::tempdir().expect("a folder");
    let c = cockpit(&config, home.path(), true);
    c.loaded().await.expect("loaded");
    until(&c, "the first pull", |s| {
        s.sources.len() == 2
            && s.sources.iter().all(|s| s.last_success.is_some())
            && s.book.count(Entity::Account) > 40
    })
    .await;
    c.refresh().await;
    assert!(c.snapshot().me.person.is_some(), "Dana is known");

    // Accounts with a risk of their own and unmistakable names.
    let s = c.snapshot();
    let plain = |id: &LocalId| {
        let row = s.book.row_of(Entity::Account, *id).expect("there");
        let a = s.book.account(row);
        a.name()
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == ' ')
            && a.name().len() > 6
    };
    let queue: Vec<LocalId> = ids(&c, ListKind::Queue).into_iter().filter(plain).collect();
    assert!(queue.len() >= 5, "the queue has work: {}", queue.len());
    let with_risk = |id: &&LocalId| {
        let row = s.book.row_of(Entity::Account, **id).expect("there");
        s.book
            .account(row)
            .open_risk()
            .is_some_and(|r| r.status_kind() == "new")
    };
    let first = *queue.iter().find(with_risk).expect("somebody has a risk");
    let others: Vec<LocalId> = queue.iter().filter(|id| **id != first).copied().collect();
    let second = others[0];
    let renewal = s
        .book
        .renewals()
        .find(|r| {
            r.is_open()
                && r.due().is_some_and(|d| d > s.today)
                && r.account().is_some_and(|a| plain(&a.id()))
        })
        .map(|r| (r.id(), r.account_id()))
        .expect("an open renewal");
    let task = s
        .book
        .tasks()
        .find(|t| {
            t.is_open()
                && t.account()
                    .is_some_and(|a| plain(&a.id()) && a.id() != first && a.id() != second)
        })
        .map(|t| (t.id(), t.account_id(), t.title().to_owned()))
        .expect("an open task");

    run(&c, "ack", Entity::Account, &[first]).await;
    run(
        &c,
        "note \"Spoke with the sponsor: £5k stays, “yes”.\"",
        Entity::Account,
        &[first],
    )
    .await;
    run(
        &c,
        "escalate --to L2 --reason \"usage is down for the third week\"",
        Entity::Account,
        &[second],
    )
    .await;
    run(&c, "snooze +7d", Entity::Account, &others[1..4]).await;
    run(
        &c,
        "renewal close 2031-03-15",
        Entity::Renewal,
        &[renewal.0],
    )
    .await;
    run(&c, "task done", Entity::Task, &[task.0]).await;
    run(
        &c,
        "task new \"Send the adoption plan\" --due 2031-01-02 --priority p2",
        Entity::Account,
        &[first],
    )
    .await;
    run(
        &c,
        "log call --date yesterday \"Renewal call, friendly\"",
        Entity::Account,
        &[second],
    )
    .await;
    until(&c, "an empty outbox", |s| s.moving() == 0).await;
    // Undone after it was sent: the inverse is sent.
    let owner_of = |c: &Cockpit, account: LocalId| {
        let s = c.snapshot();
        let row = s.book.row_of(Entity::Account, account).expect("there");
        let risk = s.book.account(row).open_risk();
        risk.and_then(|r| r.owner())
            .map(|p| p.email().unwrap_or_default().to_owned())
    };
    let before = owner_of(&c, second);
    let colleague = c
        .snapshot()
        .book
        .accounts()
        .filter_map(|a| Some(a.csm()?.email()?.to_owned()))
        .find(|e| Some(e) != before.as_ref())
        .expect("somebody else");
    run(
        &c,
        &format!("assign {colleague}"),
        Entity::Account,
        &[second],
    )
    .await;
    assert_eq!(
        owner_of(&c, second),
        Some(colleague.clone()),
        "it shows at once"
    );
    until(&c, "an empty outbox", |s| s.moving() == 0).await;
    run(&c, "undo", Entity::Account, &[]).await;
    until(&c, "an empty outbox", |s| s.moving() == 0).await;
    assert_eq!(owner_of(&c, second), before);
    for item in c.snapshot().outbox.iter() {
        assert!(
            matches!(item.state, OutboxState::Done | OutboxState::Dropped),
            "{} {:?}: {:?}",
            item.command,
            item.state,
            item.error
        );
    }
    let (first_name, second_name) = (name_of(&c, first), name_of(&c, second));
    let (renewal_name, task_name) = (name_of(&c, renewal.1), name_of(&c, task.1));
    c.close().await;

    // What the vendors say to somebody who knows nothing.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let fresh = cockpit(&config, elsewhere.path(), false);
    fresh.loaded().await.expect("loaded");
    for result in fresh.sync_once(&[], true).await.expect("pulled") {
        assert_eq!(result.error, None, "{}", result.source);
    }
    let one = asked(&fresh, &first_name).await;
    let risk = one
        .escalations
        .iter()
        .find(|e| e.status_kind.as_deref() != Some("closed"))
        .expect("its risk is open");
    assert!(
        matches!(
            risk.status_kind.as_deref(),
            Some("acknowledged" | "in_progress")
        ),
        "{risk:?}"
    );
    let notes = |d: &AccountDetail, text: &str| {
        d.touchpoints
            .iter()
            .filter(|t| {
                t.subject.contains(text) || t.body.as_deref().is_some_and(|b| b.contains(text))
            })
            .count()
    };
    assert_eq!(
        notes(&one, "£5k stays, “yes”."),
        1,
        "{:#?}",
        one.touchpoints
    );
    let new: Vec<_> = one
        .tasks
        .iter()
        .filter(|t| t.title == "Send the adoption plan")
        .collect();
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].due, Some(jiff::civil::date(2031, 1, 2)));
    assert_eq!(new[0].priority_kind.as_deref(), Some("p2"));

    let two = asked(&fresh, &second_name).await;
    assert_eq!(notes(&two, "Escalated to L2"), 1, "{:#?}", two.touchpoints);
    assert_eq!(notes(&two, "Renewal call, friendly"), 1);
    assert!(
        two.escalations.iter().any(|e| matches!(
            e.priority_kind.as_deref(),
            Some("critical" | "high")
        ) && e.status_kind.as_deref() != Some("closed")),
        "{:#?}",
        two.escalations
    );

    let owners: Vec<_> = two
        .escalations
        .iter()
        .filter(|e| e.status_kind.as_deref() != Some("closed"))
        .filter_map(|e| {
            two.people
                .iter()
                .find(|p| Some(p.id) == e.owner)?
                .email
                .clone()
        })
        .collect();
    assert!(
        !owners.contains(&colleague),
        "taken back at the vendor, too: {owners:?}"
    );

    let moved = asked(&fresh, &renewal_name).await;
    assert!(
        moved
            .renewals
            .iter()
            .any(|r| r.due == Some(jiff::civil::date(2031, 3, 15))),
        "{:#?}",
        moved.renewals
    );
    let done = asked(&fresh, &task_name).await;
    assert!(
        !done
            .tasks
            .iter()
            .any(|t| t.title == task.2 && t.status_kind.as_deref() != Some("done")),
        "{:#?}",
        done.tasks
    );
    fresh.close().await;
}
