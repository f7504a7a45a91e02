mod ahead;
mod people;

use super::*;
use crate::book::id::LOCAL;
use crate::book::{
    Account, AnyRow, Candidate, CrosswalkEntry, DirtyBatch, Entity, FieldValue, LocalId, MatchHow,
    MatchKey, MergeBatch, Money, Provenance, Record, StoredRecord, Target,
};

fn rules() -> Rules {
    Rules::new(
        vec![("crm".into(), Role::Crm), ("cs".into(), Role::Success)],
        Configured::default(),
    )
}

fn text(s: &str) -> FieldValue {
    FieldValue::Text(s.into())
}

fn record(
    source: &str,
    entity: Entity,
    id: &str,
    fields: &[(&'static str, FieldValue)],
) -> StoredRecord {
    StoredRecord {
        source: source.into(),
        record: Record {
            entity,
            external_id: id.into(),
            modified: None,
            deleted: false,
            fields: fields
                .iter()
                .map(|(f, v)| ((*f).into(), v.clone()))
                .collect(),
        },
    }
}

fn account(source: &str, id: &str, fields: &[(&'static str, FieldValue)]) -> StoredRecord {
    record(source, Entity::Account, id, fields)
}

fn tie(source: &str, entity: Entity, id: &str, local: u32) -> CrosswalkEntry {
    CrosswalkEntry {
        source: source.into(),
        entity,
        external_id: id.into(),
        local: LocalId(local),
        how: MatchHow::New,
    }
}

fn batch(dirty: Vec<StoredRecord>) -> DirtyBatch {
    DirtyBatch {
        entity: dirty.first().map(|d| d.record.entity),
        dirty,
        ..DirtyBatch::default()
    }
}

fn run(batch: &DirtyBatch, candidates: &[Candidate]) -> MergeBatch {
    let rules = rules();
    let plan = identify(&rules, batch, candidates);
    combine(&rules, batch, &plan, LocalId(100))
}

fn accounts(out: &MergeBatch) -> Vec<&Account> {
    out.rows
        .iter()
        .filter_map(|r| match &r.row {
            AnyRow::Account(a) => Some(a),
            _ => None,
        })
        .collect()
}

fn how(out: &MergeBatch, source: &str) -> Vec<(u32, MatchHow)> {
    out.crosswalk
        .iter()
        .filter(|c| &*c.source == source)
        .map(|c| (c.local.0, c.how))
        .collect()
}

#[test]
fn a_stored_identifier_makes_two_records_one_account_and_each_field_comes_from_its_owner() {
    let eur = |n| FieldValue::Money(Money::new(n, "EUR").unwrap());
    let out = run(
        &batch(vec![
            account(
                "cs",
                "1P02",
                &[
                    ("name", text("ACME (Gainsight)")),
                    ("health", FieldValue::Number(31.0)),
                    ("arr", eur(5_000)),
                    ("identifiers", FieldValue::List(vec!["001A".into()])),
                ],
            ),
            account(
                "crm",
                "001A",
                &[
                    ("name", text("Acme")),
                    ("health", FieldValue::Number(80.0)),
                    ("arr", eur(9_000)),
                    ("x.Tier", text("gold")),
                ],
            ),
        ]),
        &[],
    );
    let [acme] = accounts(&out)[..] else {
        panic!("{out:?}")
    };
    assert_eq!(
        (acme.id.0, acme.name.as_str(), acme.health),
        (100, "Acme", Some(31))
    );
    assert_eq!(acme.arr, Money::new(9_000, "EUR"));
    assert_eq!(how(&out, "crm"), [(100, MatchHow::New)]);
    assert_eq!(how(&out, "cs"), [(100, MatchHow::Identifier)]);
    assert!(out.unmatched.is_empty());
    assert_eq!(out.rows[0].extra, [("Tier".to_owned(), text("gold"))]);
    let provenance = |f: &str| {
        let p: &Provenance = out.rows[0]
            .provenance
            .iter()
            .find(|p| p.field == f)
            .unwrap();
        (p.source.to_string(), p.losers.clone())
    };
    assert_eq!(
        provenance("health"),
        ("cs".into(), vec![("crm".into(), FieldValue::Number(80.0))])
    );
    assert_eq!(provenance("name").1.len(), 1);
    assert_eq!(provenance("*").0, "crm");
}

#[test]
fn the_domain_matches_whatever_the_order_and_the_spelling_and_a_shared_host_does_not() {
    for sources in [["crm", "cs"], ["cs", "crm"]] {
        let [a, b] = sources;
        let out = run(
            &batch(vec![
                account(
                    a,
                    "1",
                    &[
                        ("name", text("Acme Inc")),
                        ("domain", text("https://www.acme.io/")),
                    ],
                ),
                account(
                    b,
                    "2",
                    &[("name", text("Akme")), ("domain", text("acme.io"))],
                ),
                account(
                    a,
                    "3",
                    &[("name", text("Solo")), ("domain", text("gmail.com"))],
                ),
                account(
                    b,
                    "4",
                    &[("name", text("Other")), ("domain", text("gmail.com"))],
                ),
            ]),
            &[],
        );
        assert_eq!(accounts(&out).len(), 3);
        assert!(out.crosswalk.iter().any(|c| c.how == MatchHow::Domain));
    }
}

#[test]
fn the_same_name_only_makes_a_candidate_and_two_records_of_one_source_stay_two() {
    let out = run(
        &batch(vec![
            account("crm", "1", &[("name", text("Müller & Söhne GmbH"))]),
            account(
                "crm",
                "2",
                &[("name", text("Zeta")), ("domain", text("zeta.com"))],
            ),
            account(
                "crm",
                "3",
                &[("name", text("Zeta EU")), ("domain", text("zeta.com"))],
            ),
            account("cs", "9", &[("name", text("Muller + Sohne"))]),
            account(
                "cs",
                "8",
                &[("name", text("Zeta Group")), ("domain", text("zeta.com"))],
            ),
            account("cs", "7", &[("name", text("Nobody"))]),
        ]),
        &[],
    );
    assert_eq!(accounts(&out).len(), 6);
    let listed: Vec<(&str, bool)> = out
        .unmatched
        .iter()
        .map(|u| (u.external_id.as_str(), u.candidate.is_some()))
        .collect();
    assert_eq!(listed, [("9", true), ("8", true), ("7", false)]);
    assert!(out.unmatched[0].reason.contains("Müller & Söhne GmbH"));
}

#[test]
fn a_later_record_joins_the_row_that_the_store_names() {
    let mut b = batch(vec![account(
        "cs",
        "1P",
        &[
            ("name", text("Acme CS")),
            ("domain", text("acme.io")),
            ("health", FieldValue::Number(50.0)),
        ],
    )]);
    assert!(keys(&rules(), &b).contains(&MatchKey::Domain("acme.io".into())));
    assert!(keys(&rules(), &b).contains(&MatchKey::Identifier("1P".into())));
    let candidates = [Candidate {
        key: MatchKey::Domain("acme.io".into()),
        local: LocalId(7),
        name: "Acme".into(),
        sources: vec!["crm".into()],
        account: None,
    }];
    let rules = rules();
    let plan = identify(&rules, &b, &candidates);
    assert_eq!(
        (plan.new_rows, plan.joined.as_slice()),
        (0, &[LocalId(7)][..])
    );
    let more = vec![account(
        "crm",
        "001",
        &[
            ("name", text("Acme")),
            ("owner", FieldValue::Ref("005".into())),
        ],
    )];
    assert_eq!(needed(&more).len(), 2);
    b.siblings = more;
    b.crosswalk = vec![
        tie("crm", Entity::Account, "001", 7),
        tie("crm", Entity::Person, "005", 3),
    ];
    let out = combine(&rules, &b, &plan, LocalId::NONE);
    let [acme] = accounts(&out)[..] else { panic!() };
    assert_eq!(
        (acme.id.0, acme.name.as_str(), acme.owner, acme.health),
        (7, "Acme", Some(LocalId(3)), Some(50))
    );
    assert_eq!(
        out.clean.len(),
        2,
        "what was said of the joined record is taken back"
    );
}

#[test]
fn what_is_kept_here_wins_even_when_it_was_emptied_and_does_not_keep_a_row_alive() {
    let day = FieldValue::Date(jiff::civil::date(2026, 12, 1));
    let mut b = batch(vec![
        account(
            "crm",
            "001",
            &[("name", text("Acme")), ("snoozed_until", day.clone())],
        ),
        account(
            LOCAL,
            "7",
            &[("snoozed_until", FieldValue::Null), ("level", text("L2"))],
        ),
    ]);
    b.crosswalk = vec![tie("crm", Entity::Account, "001", 7)];
    let out = run(&b, &[]);
    let [acme] = accounts(&out)[..] else {
        panic!("{out:?}")
    };
    assert_eq!(
        (acme.snoozed_until, acme.level.as_deref()),
        (None, Some("L2"))
    );
    b.dirty[0].record.deleted = true;
    let out = run(&b, &[]);
    assert!(out.rows.is_empty());
    assert_eq!(
        out.removed,
        [Target {
            entity: Entity::Account,
            id: LocalId(7)
        }]
    );
}

#[test]
fn a_row_waits_for_its_account_and_is_listed_until_it_comes() {
    let mut b = batch(vec![record(
        "crm",
        Entity::Contact,
        "003",
        &[
            ("name", text("Ann")),
            ("account", FieldValue::Ref("001".into())),
        ],
    )]);
    let out = run(&b, &[]);
    assert!(out.rows.is_empty());
    assert_eq!(out.waiting[0].1.external_id, "001");
    assert!(out.unmatched[0].reason.contains("account 001"));
    b.crosswalk = vec![tie("crm", Entity::Account, "001", 7)];
    let out = run(&b, &[]);
    assert_eq!(out.rows[0].row.account(), LocalId(7));
}

#[test]
fn an_account_whose_parent_is_not_there_yet_stands_and_waits() {
    let out = run(
        &batch(vec![
            account(
                "crm",
                "1",
                &[
                    ("name", text("Child")),
                    ("parent", FieldValue::Ref("2".into())),
                ],
            ),
            account(
                "crm",
                "2",
                &[
                    ("name", text("Mother")),
                    ("parent", FieldValue::Ref("3".into())),
                ],
            ),
        ]),
        &[],
    );
    let all = accounts(&out);
    assert_eq!(all[0].parent, Some(all[1].id));
    assert_eq!(all[1].parent, None);
    assert_eq!(out.waiting.len(), 1);
}

#[test]
fn a_value_of_the_wrong_type_is_left_out_and_shown_as_lost() {
    let out = run(
        &batch(vec![account(
            "crm",
            "1",
            &[("name", text("Acme")), ("health", text("fine"))],
        )]),
        &[],
    );
    assert_eq!(accounts(&out)[0].health, None);
    let p = &out.rows[0].provenance[0];
    assert_eq!(
        (p.field.as_str(), p.losers[0].1.clone()),
        ("health", text("fine"))
    );
}

#[test]
fn a_kind_and_its_word_come_from_one_source() {
    let task = |s, id, fields: &[(&'static str, FieldValue)]| record(s, Entity::Task, id, fields);
    let mut b = batch(vec![
        task(
            "crm",
            "T1",
            &[
                ("title", text("Call")),
                ("status", text("Working")),
                ("status_kind", FieldValue::Null),
            ],
        ),
        task(
            "cs",
            "C1",
            &[("status", text("Done")), ("status_kind", text("done"))],
        ),
    ]);
    b.crosswalk = vec![
        tie("crm", Entity::Task, "T1", 4),
        tie("cs", Entity::Task, "C1", 4),
    ];
    let out = run(&b, &[]);
    let row = &out.rows[0].row;
    assert_eq!(row.get("status"), Some(text("Working")));
    assert_eq!(row.get("status_kind"), Some(FieldValue::Null));
}

#[test]
fn a_record_joins_the_row_of_another_system_that_holds_its_id() {
    let b = batch(vec![account("crm", "001", &[("name", text("Acme"))])]);
    let held = Candidate {
        key: MatchKey::HeldOf("crm".into(), "001".into()),
        local: LocalId(7),
        name: "Acme CS".into(),
        sources: vec!["cs".into()],
        account: None,
    };
    assert!(keys(&rules(), &b).contains(&held.key));
    assert_eq!(
        how(&run(&b, std::slice::from_ref(&held)), "crm"),
        [(7, MatchHow::Identifier)]
    );
    // Where another record of its own system is there already, it stands for itself and a person is asked.
    let taken = Candidate {
        sources: vec!["cs".into(), "crm".into()],
        ..held
    };
    let out = run(&b, &[taken]);
    assert_eq!(how(&out, "crm")[0].1, MatchHow::New);
    assert_eq!(out.unmatched[0].candidate, Some(LocalId(7)));
}

#[test]
fn a_twin_that_comes_later_takes_in_the_row_that_stood_alone_with_what_is_kept_here() {
    let company = account(
        "cs",
        "1P",
        &[
            ("name", text("Acme CS")),
            ("identifiers", FieldValue::List(vec!["001".into()])),
        ],
    );
    let alone = run(&batch(vec![company.clone()]), &[]);
    assert_eq!(alone.unmatched.len(), 1);
    let waits = &alone.waiting[0].1;
    assert_eq!((&*waits.source, waits.external_id.as_str()), ("crm", "001"));

    // The CRM's account has come, opened row 9, and so woke the company, which stands alone as row 7 with a tag.
    let mut b = batch(vec![company]);
    b.siblings = vec![
        account(
            LOCAL,
            "7",
            &[("tags", FieldValue::List(vec!["vip".into()]))],
        ),
        account("crm", "001", &[("name", text("Acme"))]),
    ];
    b.crosswalk = vec![
        tie("cs", Entity::Account, "1P", 7),
        tie(LOCAL, Entity::Account, "7", 7),
        tie("crm", Entity::Account, "001", 9),
    ];
    let candidates = [Candidate {
        key: MatchKey::Identifier("001".into()),
        local: LocalId(9),
        name: "Acme".into(),
        sources: vec!["crm".into()],
        account: None,
    }];
    assert!(keys(&rules(), &b).contains(&candidates[0].key));
    let out = run(&b, &candidates);
    let [acme] = accounts(&out)[..] else {
        panic!("{out:?}")
    };
    assert_eq!(
        (acme.id.0, acme.name.as_str(), acme.tags.len()),
        (9, "Acme", 1)
    );
    assert_eq!(how(&out, "cs"), [(9, MatchHow::Identifier)]);
    assert_eq!(how(&out, LOCAL)[0].0, 9);
    assert!(out.unmatched.is_empty());
    // A person who tied it by hand is not overruled.
    b.crosswalk[0].how = MatchHow::Manual;
    assert!(run(&b, &candidates).crosswalk.is_empty());
}

#[test]
fn what_is_listed_stays_listed_when_the_record_changes() {
    let mut b = batch(vec![account("cs", "1P", &[("name", text("Acme Inc"))])]);
    b.crosswalk = vec![tie("cs", Entity::Account, "1P", 7)];
    let candidates = [Candidate {
        key: MatchKey::Name("acme".into()),
        local: LocalId(9),
        name: "Acme".into(),
        sources: vec!["crm".into()],
        account: None,
    }];
    let out = run(&b, &candidates);
    assert_eq!(out.unmatched[0].candidate, Some(LocalId(9)));
    assert!(out.crosswalk.is_empty());
}

fn with(change: impl FnOnce(&mut Configured)) -> Rules {
    let mut configured = Configured::default();
    change(&mut configured);
    Rules::new(
        vec![("crm".into(), Role::Crm), ("cs".into(), Role::Success)],
        configured,
    )
}

fn run_with(rules: &Rules, batch: &DirtyBatch, candidates: &[Candidate]) -> MergeBatch {
    let plan = identify(rules, batch, candidates);
    combine(rules, batch, &plan, LocalId(100))
}

/// A company and an account with one domain, tied by it as row 7.
fn tied_by_domain() -> DirtyBatch {
    let mut b = batch(vec![account(
        "cs",
        "1P",
        &[
            ("name", text("Acme Europe")),
            ("domain", text("acme.io")),
            ("x.Billing", text("001")),
        ],
    )]);
    b.siblings = vec![account(
        "crm",
        "001",
        &[("name", text("Acme")), ("domain", text("acme.io"))],
    )];
    b.crosswalk = vec![
        tie("cs", Entity::Account, "1P", 7),
        tie("crm", Entity::Account, "001", 7),
    ];
    b.crosswalk[0].how = MatchHow::Domain;
    b
}

#[test]
fn a_mark_that_no_longer_counts_parts_what_it_tied_and_nothing_else() {
    let b = tied_by_domain();
    // Nothing changed: it stays.
    assert!(run(&b, &[]).crosswalk.is_empty());
    let apart = |rules: &Rules, b: &DirtyBatch| how(&run_with(rules, b, &[]), "cs");
    let no_domain = with(|c| c.identity.account = vec![By::StoredId, By::Name]);
    assert_eq!(apart(&no_domain, &b), [(100, MatchHow::New)]);
    let refused = with(|c| {
        c.identity.shared_domains.insert("acme.io".into());
    });
    assert_eq!(apart(&refused, &b), [(100, MatchHow::New)]);
    // Another mark that they have in common keeps them together.
    let by_field = with(|c| {
        c.identity.account = vec![By::StoredId];
        c.identity.ids = vec![IdField {
            source: "cs".into(),
            entity: Entity::Account,
            field: "x.Billing".into(),
            of: "crm".into(),
        }];
    });
    assert!(apart(&by_field, &b).is_empty());
    // What a person tied is not parted.
    let mut by_hand = tied_by_domain();
    by_hand.crosswalk[0].how = MatchHow::Manual;
    assert!(apart(&no_domain, &by_hand).is_empty());
}

#[test]
fn a_field_that_holds_the_id_of_one_source_asks_for_that_source_alone() {
    let rules = with(|c| {
        c.identity.ids = vec![IdField {
            source: "cs".into(),
            entity: Entity::Account,
            field: "x.Billing".into(),
            of: "crm".into(),
        }];
    });
    let b = batch(vec![account(
        "cs",
        "77",
        &[("name", text("Acme")), ("x.Billing", text("123"))],
    )]);
    let asked = keys(&rules, &b);
    assert!(asked.contains(&MatchKey::IdentifierOf("crm".into(), "123".into())));
    assert!(
        !asked.contains(&MatchKey::Identifier("123".into())),
        "{asked:?}"
    );
    let answer = Candidate {
        key: MatchKey::IdentifierOf("crm".into(), "123".into()),
        local: LocalId(9),
        name: "Acme Inc".into(),
        sources: vec!["crm".into()],
        account: None,
    };
    let out = run_with(&rules, &b, &[answer]);
    assert_eq!(how(&out, "cs"), [(9, MatchHow::Identifier)]);
}

#[test]
fn two_systems_that_count_alike_do_not_mean_the_same_account() {
    let b = batch(vec![
        account("crm", "123", &[("name", text("Acme"))]),
        account("cs", "123", &[("name", text("Boreal"))]),
    ]);
    assert_eq!(accounts(&run(&b, &[])).len(), 2);
    // One id in letters and digits does, unless it is not asked for.
    let b = batch(vec![
        account("crm", "ACME-1", &[("name", text("Acme"))]),
        account("cs", "ACME-1", &[("name", text("Boreal"))]),
    ]);
    assert_eq!(accounts(&run(&b, &[])).len(), 1);
    let rules = with(|c| c.identity.account = vec![By::StoredId, By::Domain]);
    assert_eq!(accounts(&run_with(&rules, &b, &[])).len(), 2);
}

#[test]
fn the_first_mark_that_says_something_decides() {
    let b = batch(vec![
        account("crm", "001", &[("name", text("Acme"))]),
        account(
            "crm",
            "002",
            &[("name", text("Boreal")), ("domain", text("boreal.io"))],
        ),
        account(
            "cs",
            "1P",
            &[
                ("name", text("Acme")),
                ("domain", text("boreal.io")),
                ("identifiers", FieldValue::List(vec!["001".into()])),
            ],
        ),
    ]);
    assert_eq!(how(&run(&b, &[]), "cs"), [(100, MatchHow::Identifier)]);
    let domain_first = with(|c| c.identity.account = vec![By::Domain, By::StoredId]);
    assert_eq!(
        how(&run_with(&domain_first, &b, &[]), "cs"),
        [(101, MatchHow::Domain)]
    );
    let names_ask_no_more = with(|c| c.identity.account = vec![By::StoredId]);
    let lone = batch(vec![account("cs", "1P", &[("name", text("Acme"))])]);
    let candidates = [Candidate {
        key: MatchKey::Name("acme".into()),
        local: LocalId(9),
        name: "Acme".into(),
        sources: vec!["crm".into()],
        account: None,
    }];
    assert_eq!(
        run(&lone, &candidates).unmatched[0].candidate,
        Some(LocalId(9))
    );
    let out = run_with(&names_ask_no_more, &lone, &candidates);
    assert_eq!(out.unmatched[0].candidate, None);
}

#[test]
fn rows_of_a_kind_that_others_own_are_set_aside_and_come_back() {
    let task =
        |source: &str, id: &str| record(source, Entity::Task, id, &[("title", text("Call Acme"))]);
    let mut b = batch(vec![
        task("crm", "00T"),
        task("cs", "1T"),
        task("import", "9"),
    ]);
    let owned = with(|c| {
        c.owners.insert(Entity::Task, vec!["crm".into()]);
    });
    let out = run_with(&owned, &b, &[]);
    let titles: Vec<&str> = out
        .crosswalk
        .iter()
        .map(|c| c.external_id.as_str())
        .collect();
    assert_eq!(titles, ["00T", "9"], "what is imported always counts");
    assert_eq!(out.clean.len(), 3, "nobody asks for it again and again");
    // What was there leaves, and is there again under its own id when the rule goes.
    b.crosswalk = vec![tie("cs", Entity::Task, "1T", 5)];
    let out = run_with(&owned, &b, &[]);
    assert_eq!(
        out.removed,
        [Target {
            entity: Entity::Task,
            id: LocalId(5)
        }]
    );
    let out = run(&b, &[]);
    assert!(out.removed.is_empty());
    assert!(out.rows.iter().any(|r| r.row.target().id == LocalId(5)));
}

#[test]
fn a_renewal_that_two_systems_hold_is_one_where_a_field_says_so() {
    let rules = with(|c| {
        c.identity.ids = vec![IdField {
            source: "cs".into(),
            entity: Entity::Renewal,
            field: "x.opportunity".into(),
            of: "crm".into(),
        }];
    });
    let renewal = |source: &str, id: &str, fields: &[(&'static str, FieldValue)]| {
        record(source, Entity::Renewal, id, fields)
    };
    let crm = renewal("crm", "006A", &[("name", text("Acme 2027"))]);
    let cs = renewal(
        "cs",
        "R-1",
        &[
            ("name", text("Acme renewal")),
            ("x.opportunity", text("006A")),
        ],
    );
    assert!(is_matched(&rules, &"cs".into(), &cs.record));
    assert!(!is_matched(&rules, &"crm".into(), &crm.record));
    // In whichever order they come.
    for dirty in [vec![crm.clone(), cs.clone()], vec![cs.clone(), crm.clone()]] {
        assert_eq!(run_with(&rules, &batch(dirty), &[]).rows.len(), 1);
    }
    // The other came first and opened row 9.
    let answer = Candidate {
        key: MatchKey::IdentifierOf("crm".into(), "006A".into()),
        local: LocalId(9),
        name: "Acme 2027".into(),
        sources: vec!["crm".into()],
        account: None,
    };
    let out = run_with(&rules, &batch(vec![cs.clone()]), &[answer]);
    assert_eq!(how(&out, "cs"), [(9, MatchHow::Identifier)]);
    // Nobody is there yet: it waits for that source's.
    let alone = run_with(&rules, &batch(vec![cs]), &[]);
    let waits = &alone.waiting[0].1;
    assert_eq!(
        (&*waits.source, waits.entity, waits.external_id.as_str()),
        ("crm", Entity::Renewal, "006A")
    );
}
