//! A first load and merging anew make the same book as changes that come one by one.

use super::*;

#[tokio::test]
async fn another_precedence_merges_anew_without_fetching() {
    let w = World::new();
    w.crm.put(
        Entity::Account,
        "001",
        &[("name", text("Acme")), ("health", FieldValue::Number(90.0))],
    );
    w.sync(false).await;
    assert_eq!(w.accounts().await[0].health, Some(31));
    let fetched = w.crm.paper().fetches.len();
    let other = w.another(Configured {
        precedence: BTreeMap::from([("account.health".to_owned(), vec!["crm".to_owned()])]),
        ..Configured::default()
    });
    other.push_pending(Duration::from_secs(30)).await.unwrap();
    assert_eq!(w.accounts().await[0].health, Some(90));
    assert_eq!(w.crm.paper().fetches.len(), fetched);
}

#[tokio::test]
async fn other_marks_part_and_join_again_without_fetching() {
    let w = World::new();
    for (vendor, id, name) in [(&w.crm, "004", "Delta"), (&w.cs, "1D", "Delta Europe")] {
        vendor.put(
            Entity::Account,
            id,
            &[("name", text(name)), ("domain", text("delta.example"))],
        );
    }
    w.sync(false).await;
    let names = |all: Vec<Account>| all.into_iter().map(|a| a.name).collect::<Vec<_>>();
    let joined = ["Acme", "Boreal", "Cirrus", "Delta"];
    assert_eq!(names(w.accounts().await), joined);
    let fetched = (w.crm.paper().fetches.len(), w.cs.paper().fetches.len());
    let mut rules = Configured::default();
    rules.identity.shared_domains.insert("delta.example".into());
    let strict = w.another(rules);
    strict.push_pending(Duration::from_secs(30)).await.unwrap();
    assert_eq!(
        names(w.accounts().await),
        ["Acme", "Boreal", "Cirrus", "Delta", "Delta Europe"]
    );
    let usual = w.another(Configured::default());
    usual.push_pending(Duration::from_secs(30)).await.unwrap();
    assert_eq!(names(w.accounts().await), joined);
    assert_eq!(
        (w.crm.paper().fetches.len(), w.cs.paper().fetches.len()),
        fetched
    );
}

#[tokio::test]
async fn renewals_of_a_source_that_does_not_own_them_are_set_aside_until_it_does() {
    let w = World::new();
    w.sync(false).await;
    assert_eq!(w.all().await.renewals.len(), 1);
    let owned = |by: &str| {
        let mut rules = Configured::default();
        rules.owners.insert(Entity::Renewal, vec![by.to_owned()]);
        w.another(rules)
    };
    let fetched = w.crm.paper().fetches.len();
    owned("cs")
        .push_pending(Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(w.all().await.renewals.len(), 0);
    owned("crm")
        .push_pending(Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(w.all().await.renewals.len(), 1);
    assert_eq!(w.crm.paper().fetches.len(), fetched);
}

#[tokio::test]
async fn the_account_page_says_of_every_value_where_it_came_from() {
    let w = World::new();
    w.sync(false).await;
    let acme = w.accounts().await[0].id;
    let detail = w.store.detail(acme).await.unwrap().unwrap();
    let seen: Vec<(&str, &str)> = detail
        .provenance
        .iter()
        .map(|p| (p.field.as_str(), &*p.source))
        .collect();
    assert_eq!(seen, [("name", "crm"), ("owner", "crm"), ("health", "cs")]);
    assert_eq!(detail.provenance[0].losers, [("cs".into(), text("ACME"))]);
    assert_eq!(detail.facts.health_source.as_deref(), Some("cs"));
}

/// Everything that can be seen of a book, without local ids, which depend on the order of arrival.
async fn seen(store: &Arc<dyn Storage>) -> Vec<String> {
    let all = store.load_since(0).await.unwrap();
    let names: BTreeMap<LocalId, String> = all
        .accounts
        .iter()
        .map(|(a, _)| (a.id, a.name.clone()))
        .collect();
    let people: BTreeMap<LocalId, String> =
        all.people.iter().map(|p| (p.id, p.name.clone())).collect();
    let renewals: BTreeMap<LocalId, String> = all
        .renewals
        .iter()
        .map(|r| (r.id, r.name.clone()))
        .collect();
    let mut out: Vec<String> = Vec::new();
    for (a, f) in &all.accounts {
        out.push(format!(
            "{} {:?} {:?} {:?} {:?} {:?} {:?}",
            a.name,
            a.health,
            a.domain,
            a.owner.map(|o| &people[&o]),
            f.open_renewal.map(|r| &renewals[&r]),
            f.open_escalation.is_some(),
            f.health_source,
        ));
    }
    for r in &all.renewals {
        out.push(format!("{} of {:?}", r.name, r.account.map(|a| &names[&a])));
    }
    for e in &all.escalations {
        out.push(format!(
            "{} of {:?}",
            e.title,
            e.account.map(|a| &names[&a])
        ));
    }
    out.sort();
    out
}

/// Accounts of which the two sources share some by id, some by domain, some only by name; what hangs on them, some of it on nothing.
fn fill(w: &World, numbers: std::ops::Range<u32>) {
    for n in numbers {
        let (crm, cs) = (format!("A{n}"), format!("B{n}"));
        let owner = ("owner", FieldValue::Ref("005".into()));
        let domain = ("domain", text(&format!("company{n}.example")));
        let name = ("name", text(&format!("Company {n}")));
        w.crm.put(
            Entity::Account,
            &crm,
            &[name.clone(), owner, domain.clone()],
        );
        let health = ("health", FieldValue::Number(f64::from(n % 100)));
        match n % 4 {
            0 => w.cs.put(
                Entity::Account,
                &cs,
                &[
                    ("name", text("other")),
                    health,
                    ("identifiers", FieldValue::List(vec![crm.clone()])),
                ],
            ),
            1 => w.cs.put(
                Entity::Account,
                &cs,
                &[("name", text("other")), health, domain],
            ),
            2 => w.cs.put(Entity::Account, &cs, &[name, health]),
            _ => {}
        }
        // Every ninth belongs to an account that nobody sent.
        let of = if n % 9 == 0 { "gone" } else { &crm };
        w.crm.put(
            Entity::Renewal,
            &format!("R{n}"),
            &[
                ("name", text(&format!("Renewal {n}"))),
                ("account", FieldValue::Ref(of.into())),
                ("stage", text("Open")),
            ],
        );
        w.cs.put(
            Entity::Escalation,
            &format!("E{n}"),
            &[
                ("title", text(&format!("Risk {n}"))),
                ("account", FieldValue::Ref(cs)),
            ],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_makes_the_same_book_as_changes_that_come_one_by_one() {
    let at_once = World::new();
    fill(&at_once, 0..60);
    let results = at_once.sync(false).await;
    assert!(results.iter().all(|r| r.error.is_none()), "{results:?}");
    let by_and_by = World::new();
    by_and_by.sync(false).await;
    for n in 0..6 {
        fill(&by_and_by, n * 10..n * 10 + 10);
        by_and_by.sync(false).await;
    }
    let (first, then) = (seen(&at_once.store).await, seen(&by_and_by.store).await);
    assert_eq!(first, then);
    assert!(
        first.iter().filter(|l| l.contains("Renewal")).count() > 60,
        "{first:?}"
    );
    assert_eq!(at_once.store.counts().await.unwrap().dirty, 0);
    // What comes afterwards finds the rows of the first load.
    at_once
        .crm
        .put(Entity::Account, "gone", &[("name", text("Late"))]);
    at_once.sync(false).await;
    let renewals = at_once.all().await.renewals;
    assert_eq!(
        renewals.len(),
        61,
        "those of the account that came late among them"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_system_comes_first_the_other_joins_its_rows_and_nothing_moves() {
    let mut books = Vec::new();
    for order in [["crm", "cs"], ["cs", "crm"]] {
        let w = World::new();
        fill(&w, 0..40);
        for source in order {
            w.engine.run_once(&[source], false).await.unwrap();
        }
        let nothing = crate::book::DirtyBatch::default();
        let (_, moves) = w.store.context(nothing).await.unwrap();
        assert_eq!(moves, 0, "{order:?}: a record went to another row");
        books.push(seen(&w.store).await);
    }
    assert_eq!(books[0], books[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_joined_by_one_record_of_a_source_however_its_pages_follow_each_other() {
    const COMPANIES: usize = 300;
    let w = World::new();
    let put = |vendor: &Vendor, id: String, n: usize| {
        let fields = [
            ("name", text(&id)),
            ("domain", text(&format!("company{n}.example"))),
        ];
        vendor.put(Entity::Account, &id, &fields);
    };
    for n in 0..COMPANIES {
        put(&w.crm, format!("crm {n}"), n);
    }
    w.engine.run_once(&["crm"], false).await.unwrap();
    // The second of a company follows a page after the first, which may be on its way to the store still.
    for n in 0..COMPANIES {
        put(&w.cs, format!("first {n}"), n);
        if let Some(n) = n.checked_sub(1) {
            put(&w.cs, format!("second {n}"), n);
        }
    }
    w.engine.run_once(&["cs"], false).await.unwrap();
    let mut names: Vec<String> = w.accounts().await.into_iter().map(|a| a.name).collect();
    names.retain(|name| !name.starts_with("crm"));
    let alone = names.iter().filter(|n| n.starts_with("second")).count();
    assert_eq!(alone, COMPANIES - 1, "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_that_breaks_off_goes_on_where_it_was_and_its_figures_follow() {
    let w = World::new();
    fill(&w, 0..20);
    let retry = ErrorKind::Retry {
        after: None,
        maybe_done: false,
    };
    w.crm.paper().breaks_after = Some(("renewals", 3, retry));
    let results = w.sync(false).await;
    assert!(results[0].error.is_some());
    let there = w.all().await.renewals.len();
    assert!((1..20).contains(&there), "{there} renewals came before");
    assert!(w.sync(false).await[0].error.is_none());
    let whole = World::new();
    fill(&whole, 0..20);
    whole.sync(false).await;
    assert_eq!(seen(&w.store).await, seen(&whole.store).await);
    let asked: Vec<_> = w
        .crm
        .paper()
        .fetches
        .iter()
        .filter(|(s, _)| s == "renewals")
        .cloned()
        .collect();
    let begun = asked.iter().filter(|(_, cursor)| cursor.is_none()).count();
    assert_eq!(
        begun, 1,
        "it is not read from the beginning again: {asked:?}"
    );
}

#[tokio::test]
async fn what_a_stream_of_a_first_load_brought_is_counted_when_it_ends() {
    let w = World::new();
    let mut events = w.engine.events();
    let looked = std::cell::Cell::new(0);
    let look = async {
        while events.recv().await.is_ok() {
            for stream in w.engine.statuses().iter().flat_map(|s| &s.streams) {
                assert!(stream.changed == 0 || stream.rows > 0, "{stream:?}");
                let others_go_on = w
                    .engine
                    .statuses()
                    .iter()
                    .any(|s| s.state == SourceState::Running);
                looked.set(looked.get() + usize::from(stream.rows > 0 && others_go_on));
            }
        }
    };
    tokio::select! {
        () = look => {}
        _ = w.sync(false) => {}
    }
    assert!(looked.get() > 0);
}

#[test]
fn a_row_of_the_vendor_counts_once_however_much_it_says() {
    let record = |entity, id: &str| Record {
        entity,
        external_id: id.into(),
        modified: None,
        deleted: false,
        fields: Vec::new(),
    };
    let page = [
        record(Entity::Task, "1"),
        record(Entity::Touchpoint, "1"),
        record(Entity::Task, "2"),
    ];
    assert_eq!(crate::sync::pull::rows_of(&page), 2);
    assert_eq!(crate::sync::pull::rows_of(&[]), 0);
}
