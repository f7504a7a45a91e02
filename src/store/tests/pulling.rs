//! Pages, cursors, sweeps, and what waits to be merged.

use super::*;
use crate::book::{MatchKey, RowProblem, Unmatched};

fn named(id: &str, name: &str) -> Record {
    rec(Entity::Account, id, &[("name", text(name))])
}

#[test]
fn a_page_and_its_cursor_come_together_and_what_is_known_costs_nothing() {
    let w = world();
    let run = wait(w.store.begin_run(&crm(), false, at(0))).unwrap();
    assert_eq!(wait(w.store.cursor(&crm(), "accounts")), Ok(None));
    let first = vec![named("a", "A"), named("b", "B"), named("c", "C")];
    let apply = |p: PageWrite| wait(w.store.apply_page(p)).unwrap();
    assert_eq!(apply(page("accounts", run, "1", first.clone())).inserted, 3);
    assert_eq!(
        wait(w.store.cursor(&crm(), "accounts")),
        Ok(Some(Cursor("1".into())))
    );
    // The same fields in another order are the same.
    let mut two = rec(
        Entity::Account,
        "d",
        &[("name", text("D")), ("stage", text("live"))],
    );
    apply(page("accounts", run, "2", vec![two.clone()]));
    two.fields.reverse();
    let mut gone = named("b", "");
    gone.deleted = true;
    gone.fields.clear();
    let stats = apply(page(
        "accounts",
        run,
        "3",
        vec![named("a", "A"), named("c", "CC"), two, gone.clone()],
    ));
    assert_eq!(
        stats,
        PageStats {
            inserted: 0,
            changed: 1,
            unchanged: 2,
            deleted: 1,
            implied: 0
        }
    );
    assert!(!apply(page("accounts", run, "4", vec![gone])).any());
    wait(w.store.reset_stream(&crm(), "accounts")).unwrap();
    assert_eq!(wait(w.store.cursor(&crm(), "accounts")), Ok(None));
    let counts = wait(w.store.counts()).unwrap();
    assert_eq!(counts.records, [("crm".into(), "account".into(), 4)]);
}

#[test]
fn an_older_page_does_not_bring_an_old_value_back() {
    let w = world();
    let mut new = named("a", "new");
    new.modified = Some(at(10));
    let mut old = named("a", "old");
    old.modified = Some(at(5));
    wait(w.store.apply_page(page("accounts", 1, "1", vec![new]))).unwrap();
    let stats = wait(w.store.apply_page(page("accounts", 1, "2", vec![old]))).unwrap();
    assert_eq!(stats.unchanged, 1);
}

#[test]
fn a_sweep_takes_what_a_full_run_has_not_seen() {
    let w = world();
    let run = wait(w.store.begin_run(&crm(), true, at(0))).unwrap();
    let both = vec![named("a", "A"), named("b", "B")];
    wait(w.store.apply_page(page("accounts", run, "1", both))).unwrap();
    assert_eq!(wait(w.store.sweep(&crm(), "accounts", run)), Ok(0));
    let run = wait(w.store.begin_run(&crm(), true, at(1))).unwrap();
    wait(
        w.store
            .apply_page(page("accounts", run, "2", vec![named("a", "A")])),
    )
    .unwrap();
    assert_eq!(wait(w.store.sweep(&crm(), "accounts", run)), Ok(1));
    let batch = wait(w.store.dirty_batch(10)).unwrap().unwrap();
    let gone = batch.dirty.iter().find(|r| r.record.deleted).unwrap();
    assert_eq!(gone.record.external_id, "b");
    wait(w.store.finish_run(run, 1, 3, Some("late".into()), at(2))).unwrap();
    let runs = wait(w.store.runs(5)).unwrap();
    assert_eq!((runs[0].run, runs[0].requests, runs.len()), (run, 3, 2));
    assert_eq!((runs[0].finished, runs[1].finished), (Some(at(2)), None));
}

#[test]
fn problems_are_kept_until_the_row_is_good() {
    let w = world();
    let mut p = page("accounts", 1, "1", vec![]);
    let problem = |id: Option<&str>, why: &str| RowProblem {
        entity: Entity::Account,
        external_id: id.map(str::to_owned),
        reason: why.into(),
    };
    p.problems = vec![problem(Some("a"), "no name"), problem(None, "no id")];
    wait(w.store.apply_page(p.clone())).unwrap();
    wait(w.store.apply_page(p)).unwrap();
    assert_eq!(wait(w.store.row_problems(&crm(), 10)).unwrap().len(), 2);
    wait(
        w.store
            .apply_page(page("accounts", 1, "2", vec![named("a", "A")])),
    )
    .unwrap();
    let left = wait(w.store.row_problems(&crm(), 10)).unwrap();
    assert_eq!((left.len(), left[0].problem.reason.as_str()), (1, "no id"));
    let status = crate::book::SourceStatus {
        source: Some(crm()),
        ..Default::default()
    };
    wait(w.store.save_source_status(status)).unwrap();
    let status = wait(w.store.source_statuses()).unwrap().remove(0);
    assert_eq!((status.streams[0].rows, status.streams[0].problems), (1, 1));
}

#[test]
fn dirty_records_come_in_order_of_dependence_with_all_that_is_known() {
    let w = world();
    let renewal = rec(
        Entity::Renewal,
        "r",
        &[
            ("account", FieldValue::Ref("a".into())),
            ("name", text("R")),
        ],
    );
    let person = rec(Entity::Person, "p", &[("name", text("Pia"))]);
    wait(
        w.store
            .apply_page(page("x", 1, "1", vec![renewal, named("a", "A"), person])),
    )
    .unwrap();
    let next = || wait(w.store.dirty_batch(10)).unwrap();
    let clean = |keys: Vec<RecordKey>, ties: Vec<CrosswalkEntry>| {
        let batch = MergeBatch {
            clean: keys,
            crosswalk: ties,
            ..MergeBatch::default()
        };
        wait(w.store.write_merged(batch, at(1))).unwrap();
    };
    assert_eq!(next().unwrap().entity, Some(Entity::Person));
    clean(
        vec![key("crm", Entity::Person, "p")],
        vec![tie("crm", Entity::Person, "p", 1)],
    );
    assert_eq!(next().unwrap().entity, Some(Entity::Account));
    // It changes while it is being merged: it is not clean afterwards.
    wait(
        w.store
            .apply_page(page("x", 1, "2", vec![named("a", "AA")])),
    )
    .unwrap();
    let a = key("crm", Entity::Account, "a");
    clean(vec![a.clone()], vec![tie("crm", Entity::Account, "a", 1)]);
    let batch = next().unwrap();
    assert_eq!(batch.dirty[0].record.get("name"), Some(&text("AA")));
    assert_eq!(batch.crosswalk[0].local, LocalId(1));
    clean(vec![a], vec![]);
    let batch = next().unwrap();
    assert_eq!(batch.entity, Some(Entity::Renewal));
    assert_eq!(batch.crosswalk, [tie("crm", Entity::Account, "a", 1)]);
    clean(
        vec![key("crm", Entity::Renewal, "r")],
        vec![tie("crm", Entity::Renewal, "r", 1)],
    );
    assert!(next().is_none());
    assert_eq!(wait(w.store.remerge(Remerge::Source(crm()))), Ok(3));
    assert_eq!(
        wait(
            w.store
                .remerge(Remerge::Rows(vec![target(Entity::Renewal, 1)]))
        ),
        Ok(1)
    );
}

#[test]
fn siblings_come_along_and_candidates_are_found() {
    let w = world();
    let mut cs = page(
        "companies",
        1,
        "1",
        vec![rec(
            Entity::Account,
            "c",
            &[("health", FieldValue::Number(40.0))],
        )],
    );
    cs.source = "cs".into();
    wait(
        w.store
            .apply_page(page("accounts", 1, "1", vec![named("a", "Äcme")])),
    )
    .unwrap();
    wait(w.store.apply_page(cs)).unwrap();
    let batch = MergeBatch {
        rows: vec![row(
            Entity::Account,
            5,
            &[("name", text("Acme")), ("domain", text("acme.example"))],
        )],
        crosswalk: vec![
            tie("crm", Entity::Account, "a", 5),
            tie("cs", Entity::Account, "c", 5),
        ],
        clean: vec![
            key("crm", Entity::Account, "a"),
            key("cs", Entity::Account, "c"),
        ],
        unmatched: vec![Unmatched {
            source: "cs".into(),
            entity: Entity::Account,
            external_id: "c".into(),
            name: "Acme".into(),
            local: LocalId(5),
            candidate: Some(LocalId(6)),
            reason: "same name".into(),
        }],
        ..MergeBatch::default()
    };
    wait(w.store.dirty_batch(10)).unwrap();
    wait(w.store.write_merged(batch, at(1))).unwrap();
    assert!(wait(w.store.dirty_batch(10)).unwrap().is_none());
    assert_eq!(wait(w.store.unmatched(10)).unwrap().len(), 1);
    wait(
        w.store
            .apply_page(page("accounts", 1, "2", vec![named("a", "Acme 2")])),
    )
    .unwrap();
    let batch = wait(w.store.dirty_batch(10)).unwrap().unwrap();
    assert_eq!(
        (
            batch.dirty.len(),
            batch.siblings.len(),
            batch.crosswalk.len()
        ),
        (1, 1, 2)
    );
    assert_eq!(batch.siblings[0].key(), key("cs", Entity::Account, "c"));
    let keys = vec![
        MatchKey::Identifier("a".into()),
        MatchKey::Domain("acme.example".into()),
        MatchKey::Name("aCME".into()),
        MatchKey::Domain("nobody.example".into()),
    ];
    let found = wait(w.store.candidates(Entity::Account, keys.clone())).unwrap();
    assert_eq!(
        found.iter().map(|c| &c.key).collect::<Vec<_>>(),
        keys[..3].iter().collect::<Vec<_>>()
    );
    assert!(
        found
            .iter()
            .all(|c| c.local == LocalId(5) && c.sources.len() == 2)
    );
    assert_eq!(
        wait(w.store.records_of(Entity::Account, vec![LocalId(5)]))
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        wait(w.store.crosswalk_of(vec![
            key("cs", Entity::Account, "c"),
            key("cs", Entity::Account, "z")
        ]))
        .unwrap()
        .len(),
        1
    );
}

#[test]
fn a_row_that_waits_for_another_is_merged_again_when_that_one_comes() {
    let w = world();
    let renewal = rec(
        Entity::Renewal,
        "r",
        &[("account", FieldValue::Ref("late".into()))],
    );
    wait(w.store.apply_page(page("x", 1, "1", vec![renewal]))).unwrap();
    wait(w.store.dirty_batch(10)).unwrap();
    let r = key("crm", Entity::Renewal, "r");
    let late = key("crm", Entity::Account, "late");
    let batch = MergeBatch {
        clean: vec![r.clone()],
        waiting: vec![(r.clone(), late.clone())],
        ..MergeBatch::default()
    };
    wait(w.store.write_merged(batch.clone(), at(1))).unwrap();
    assert!(wait(w.store.dirty_batch(10)).unwrap().is_none());
    let come = MergeBatch {
        crosswalk: vec![tie("crm", Entity::Account, "late", 1)],
        ..MergeBatch::default()
    };
    wait(w.store.write_merged(come, at(2))).unwrap();
    assert_eq!(
        wait(w.store.dirty_batch(10)).unwrap().unwrap().dirty[0].key(),
        r
    );
    // What came in the meantime is not waited for.
    wait(w.store.write_merged(batch, at(3))).unwrap();
    assert_eq!(wait(w.store.counts()).unwrap().dirty, 1);
}

#[test]
fn a_record_that_holds_anothers_id_is_found_by_it_and_left_alone_when_that_one_joins_its_row() {
    for (joins, woken) in [(5, 0), (6, 1)] {
        let w = world();
        let holder = PageWrite {
            source: "cs".into(),
            ..page("companies", 1, "1", vec![named("c", "Acme CS")])
        };
        wait(w.store.apply_page(holder)).unwrap();
        wait(w.store.dirty_batch(10)).unwrap();
        let (own, twin) = (
            key("cs", Entity::Account, "c"),
            key("crm", Entity::Account, "001"),
        );
        let batch = MergeBatch {
            clean: vec![own.clone()],
            crosswalk: vec![tie("cs", Entity::Account, "c", 5)],
            rows: vec![row(Entity::Account, 5, &[("name", text("Acme CS"))])],
            waiting: vec![(own, twin)],
            ..MergeBatch::default()
        };
        wait(w.store.write_merged(batch, at(1))).unwrap();
        let keys = [("crm", "001"), ("cs", "001"), ("crm", "002")]
            .map(|(source, id)| MatchKey::HeldOf(source.into(), id.into()));
        let found = wait(w.store.candidates(Entity::Account, keys.to_vec())).unwrap();
        assert_eq!(
            found
                .iter()
                .map(|c| (&c.key, c.local.0))
                .collect::<Vec<_>>(),
            [(&keys[0], 5)]
        );
        let come = MergeBatch {
            crosswalk: vec![tie("crm", Entity::Account, "001", joins)],
            ..MergeBatch::default()
        };
        wait(w.store.write_merged(come, at(2))).unwrap();
        assert_eq!(wait(w.store.counts()).unwrap().dirty, woken, "row {joins}");
    }
}

#[test]
fn relinking_moves_the_record_its_children_and_removes_what_is_left_empty() {
    let w = world();
    let renewal = rec(
        Entity::Renewal,
        "r",
        &[("account", FieldValue::Ref("b".into()))],
    );
    wait(w.store.apply_page(page(
        "x",
        1,
        "1",
        vec![named("a", "A"), named("b", "B"), renewal],
    )))
    .unwrap();
    while let Some(batch) = wait(w.store.dirty_batch(10)).unwrap() {
        let clean = batch.dirty.iter().map(|d| d.key()).collect();
        wait(w.store.write_merged(
            MergeBatch {
                clean,
                ..MergeBatch::default()
            },
            at(0),
        ))
        .unwrap();
    }
    let first = wait(w.store.reserve_ids(Entity::Account, 2)).unwrap();
    assert_eq!(first, LocalId(1));
    let mut renewal = row(Entity::Renewal, 1, &[("name", text("R"))]);
    renewal
        .row
        .set("account", &FieldValue::Id(LocalId(2)))
        .unwrap();
    let batch = MergeBatch {
        rows: vec![
            row(Entity::Account, 1, &[("name", text("A"))]),
            row(Entity::Account, 2, &[("name", text("B"))]),
            renewal,
        ],
        crosswalk: vec![
            tie("crm", Entity::Account, "a", 1),
            tie("crm", Entity::Account, "b", 2),
            tie("crm", Entity::Renewal, "r", 1),
        ],
        ..MergeBatch::default()
    };
    wait(w.store.write_merged(batch, at(1))).unwrap();
    assert_eq!(wait(w.store.counts()).unwrap().dirty, 0);
    let stats = wait(
        w.store
            .relink(vec![tie("crm", Entity::Account, "b", 1)], at(2)),
    )
    .unwrap();
    assert!(stats.changed.contains(&target(Entity::Account, 2)));
    let since = wait(w.store.load_since(stats.seq - 1)).unwrap();
    assert_eq!(since.removed, [(Entity::Account, LocalId(2))]);
    assert_eq!(wait(w.store.counts()).unwrap().dirty, 3);
    let ids = wait(w.store.external_ids(target(Entity::Account, 1))).unwrap();
    assert!(
        ids.iter()
            .any(|t| t.external_id == "b" && t.how == MatchHow::Manual)
    );
    // And apart again, to a row of its own.
    wait(
        w.store
            .relink(vec![tie("crm", Entity::Account, "b", 0)], at(3)),
    )
    .unwrap();
    assert_eq!(
        wait(w.store.external_ids(target(Entity::Account, 3)))
            .unwrap()
            .len(),
        1
    );
}

fn mention(entity: Entity, id: &str, more: &[(&'static str, FieldValue)]) -> Record {
    let mut fields = vec![
        (crate::book::record::IMPLIED, FieldValue::Bool(true)),
        ("name", text(id)),
    ];
    fields.extend_from_slice(more);
    rec(entity, id, &fields)
}

#[test]
fn what_rows_refer_to_is_found_by_id_domain_or_name_and_made_when_nothing_answers() {
    let w = world();
    put(
        &w.store,
        vec![
            row(
                Entity::Account,
                1,
                &[("name", text("Acme")), ("domain", text("acme.com"))],
            ),
            row(Entity::Account, 2, &[("name", text("Twin"))]),
            row(Entity::Account, 3, &[("name", text("Twin"))]),
        ],
    );
    let run = wait(w.store.begin_run(&"files".into(), true, at(0))).unwrap();
    let apply = |records| {
        let write = PageWrite {
            source: "files".into(),
            ..page("signals", run, "", records)
        };
        wait(w.store.apply_page(write)).unwrap()
    };
    let account = |id: &str| mention(Entity::Account, id, &[]);
    let means = |id: &str| {
        wait(
            w.store
                .crosswalk_of(vec![key("files", Entity::Account, id)]),
        )
        .unwrap()
        .first()
        .map(|c| (c.local, c.how))
    };
    let stats = apply(vec![
        account("account-1"),
        account("ACME"),
        mention(
            Entity::Account,
            "www.acme.com",
            &[("domain", text("acme.com"))],
        ),
        account("Twin"),
        account("Nobody"),
        account("Nobody"),
    ]);
    assert_eq!(stats.implied, 2, "Twin could be either, Nobody is none");
    for known in ["account-1", "ACME", "www.acme.com"] {
        assert_eq!(means(known), Some((LocalId(1), MatchHow::Named)), "{known}");
    }
    assert_eq!(means("Nobody"), None);
    let made = wait(w.store.dirty_batch(10)).unwrap().expect("made");
    let fields = &made.dirty.iter().find(|d| d.record.external_id == "Nobody");
    assert_eq!(
        fields.expect("it").record.fields,
        [("name".into(), text("Nobody"))]
    );
    // No sweep of the rows that referred to it takes it away.
    assert_eq!(
        wait(w.store.sweep(&"files".into(), "signals", run + 1)),
        Ok(0)
    );

    // The source's own record of it comes: it is that, and the text goes on meaning it.
    let own = rec(Entity::Account, "N1", &[("name", text("Nobody"))]);
    let write = PageWrite {
        source: "files".into(),
        ..page("accounts", run, "", vec![own])
    };
    assert_eq!(wait(w.store.apply_page(write)).unwrap().inserted, 1);
    let (own, how) = means("N1").expect("tied");
    assert_eq!(how, MatchHow::New);
    assert_eq!(means("Nobody"), Some((own, MatchHow::Named)));
    let gone = wait(w.store.counts()).unwrap();
    let files = gone.records.iter().find(|(s, ..)| s == "files");
    assert_eq!(files.map(|(_, _, n)| *n), Some(2), "Twin and N1: {gone:?}");
}

#[test]
fn a_row_that_could_not_be_taken_keeps_what_was_last_said() {
    let w = world();
    let run = wait(w.store.begin_run(&crm(), true, at(0))).unwrap();
    let rows = vec![named("a", "A"), named("b", "B")];
    wait(w.store.apply_page(page("accounts", run, "", rows))).unwrap();
    let next = wait(w.store.begin_run(&crm(), true, at(1))).unwrap();
    let mut bad = page("accounts", next, "", Vec::new());
    bad.problems.push(RowProblem {
        entity: Entity::Account,
        external_id: Some("a".into()),
        reason: "its date is none".into(),
    });
    wait(w.store.apply_page(bad)).unwrap();
    assert_eq!(wait(w.store.sweep(&crm(), "accounts", next)), Ok(1));
    // Read from the beginning, its problems are found again or are no more.
    wait(w.store.reset_stream(&crm(), "accounts")).unwrap();
    assert_eq!(wait(w.store.row_problems(&crm(), 9)), Ok(Vec::new()));
}

/// A page of a first load with one renewal per id, each of account 1, as rows from `first` on.
fn fresh(ids: &[&str], first: u32, cursor: &str) -> FreshPage {
    let records: Vec<Record> = ids
        .iter()
        .map(|id| rec(Entity::Renewal, id, &[("name", text(id))]))
        .collect();
    let rows = (first..)
        .zip(ids)
        .map(|(n, id)| {
            let account = ("account", FieldValue::Id(LocalId(1)));
            row(Entity::Renewal, n, &[("name", text(id)), account])
        })
        .collect();
    let crosswalk = (first..)
        .zip(ids)
        .map(|(n, id)| tie("crm", Entity::Renewal, id, n))
        .collect();
    FreshPage {
        packed: records.iter().map(|r| pack(&r.fields)).collect(),
        merged: vec![FreshBatch {
            first_new: LocalId(first),
            records: ids.len(),
            each_new: false,
            batch: MergeBatch {
                rows,
                crosswalk,
                clean: ids
                    .iter()
                    .map(|id| key("crm", Entity::Renewal, id))
                    .collect(),
                ..MergeBatch::default()
            },
        }],
        page: page("renewals", 1, cursor, records),
        moves: Some(0),
        loading: true,
    }
}

fn open_renewal(store: &Store) -> Option<LocalId> {
    wait(store.load_since(0)).expect("rows").accounts[0]
        .1
        .open_renewal
}

#[test]
fn a_page_of_a_first_load_is_stored_merged_and_its_figures_follow_even_after_a_restart() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("csops.db");
    let store = Store::open(&path, Options::default()).expect("a store");
    acme(&store);
    assert!(wait(store.is_fresh(&crm(), "renewals")).expect("an answer"));
    let first = wait(store.reserve_ids(Entity::Renewal, 2)).expect("ids").0;
    let done = wait(store.apply_fresh(fresh(&["a", "b"], first, "1").into())).expect("stored");
    assert_eq!(done.map(|s| s.inserted), Some(2));
    assert_eq!(wait(store.counts()).expect("counts").dirty, 0);
    assert_eq!(
        open_renewal(&store),
        None,
        "the account was not looked at yet"
    );
    wait(store.close()).expect("closed");
    drop(store);

    let store = Store::open(&path, Options::default()).expect("a store");
    assert!(
        wait(store.is_fresh(&crm(), "renewals")).expect("an answer"),
        "it was interrupted"
    );
    let settle = || {
        let all = LocalId(1)..=LocalId(10);
        let facts = wait(store.facts(all, at(1))).expect("facts");
        wait(store.settle(facts)).expect("settled")
    };
    assert_eq!(settle(), 1);
    assert_eq!(open_renewal(&store), Some(LocalId(first)));
    assert_eq!(settle(), 0);

    // A page that is not all news leaves nothing behind.
    let next = wait(store.reserve_ids(Entity::Renewal, 2)).expect("ids").0;
    let known = wait(store.apply_fresh(fresh(&["c", "b"], next, "2").into())).expect("an answer");
    assert_eq!(known, None, "it was taken for new");
    assert_eq!(wait(store.load_since(0)).expect("rows").renewals.len(), 2);
    let cursor = wait(store.cursor(&crm(), "renewals")).expect("a cursor");
    assert_eq!(cursor, Some(Cursor("1".into())));
    // So is one whose references were looked up before something moved.
    let mut moved = fresh(&["d"], next, "2");
    moved.moves = Some(1);
    let answer = wait(store.apply_fresh(moved.into())).expect("an answer");
    assert_eq!(answer, None);
}
