//! The language on a small book: what each form selects, and what each mistake says.

use super::*;
use crate::book::{
    Account, Book, Calendar, Derived, Entity, Escalation, Facts, LocalId, Money, Overlay, Person,
    Renewal, RowDelta, Task,
};
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 22);

fn book() -> Book {
    let account = |id: u32, name: &str| Account {
        id: LocalId(id),
        name: name.into(),
        ..Account::default()
    };
    let mut northwind = account(1, "Northwind Traders");
    northwind.health = Some(41);
    northwind.segment = Some("Mid-Market".into());
    northwind.arr = Money::new(24_000_000, "USD");
    northwind.csm = Some(LocalId(1));
    northwind.tags = vec!["pilot".into(), "vip".into()];
    let mut zeta = account(2, "Zeta Biotech 株式会社");
    zeta.health = Some(75);
    zeta.segment = Some("enterprise".into());
    zeta.arr = Money::new(9_000_000, "USD");
    zeta.renewal = Some(date(2026, 12, 20));
    zeta.start = Some(date(2026, 11, 1));
    let mut grun = account(3, "Grünwald \"AG\"");
    grun.health = Some(20);
    grun.arr = Money::new(100, "CHF");
    grun.csm = Some(LocalId(2));
    grun.renewal = Some(date(2027, 6, 1));
    let mut usage = [Some(100); 12];
    usage[10] = Some(60);
    usage[11] = Some(60);
    let facts = |usage| Facts {
        usage,
        ..Facts::default()
    };
    let person = |id: u32, name: &str, email: &str| Person {
        id: LocalId(id),
        name: name.into(),
        email: Some(email.into()),
        ..Person::default()
    };
    Book::empty().apply(
        RowDelta {
            accounts: vec![
                (northwind, facts(usage)),
                (zeta, Facts::default()),
                (grun, Facts::default()),
                (account(4, "Acme GmbH"), Facts::default()),
            ],
            people: vec![
                person(1, "Dana Müller", "dana@example.com"),
                person(2, "Lee", "lee@example.com"),
            ],
            renewals: vec![Renewal {
                id: LocalId(1),
                account: Some(LocalId(1)),
                name: "Renewal 2026".into(),
                due: Some(date(2026, 11, 1)),
                amount: Money::new(5_000_000, "USD"),
                forecast: Some("most_likely".into()),
                owner: Some(LocalId(2)),
                ..Renewal::default()
            }],
            tasks: vec![Task {
                id: LocalId(1),
                account: Some(LocalId(2)),
                title: "Call the CFO".into(),
                due: Some(date(2026, 11, 20)),
                priority_kind: Some("p1".into()),
                ..Task::default()
            }],
            escalations: vec![Escalation {
                id: LocalId(1),
                account: Some(LocalId(3)),
                title: "Sponsor left".into(),
                priority_kind: Some("high".into()),
                ..Escalation::default()
            }],
            ..RowDelta::default()
        },
        &Overlay::default(),
    )
}

fn derived(book: &Book) -> Derived {
    let mut d = Derived::default();
    for a in book.accounts() {
        d.set(
            a.row(),
            crate::book::AccountDerived {
                usage_trend: a.usage_trend().unwrap_or(f32::NAN),
                ..Default::default()
            },
        );
    }
    d
}

fn with<R>(run: impl FnOnce(&Scope<'_>) -> R) -> R {
    let book = book();
    let derived = derived(&book);
    run(&Scope {
        book: &book,
        derived: &derived,
        today: TODAY,
        me: Some(LocalId(1)),
        calendar: Calendar::default(),
        judge: &(),
    })
}

/// The ids that a query selects; and it selects the same by any way of asking.
fn ids(entity: Entity, text: &str) -> Vec<u32> {
    with(|scope| {
        let expr = parse(text, entity).unwrap_or_else(|e| panic!("{text}: {e}"));
        let rows = filter(scope, entity, &expr);
        let all: Vec<u32> = scope.book.rows(entity).collect();
        assert_eq!(narrow(scope, entity, &expr, &all), rows, "{text}");
        for row in all {
            let one = matches(scope, entity, &expr, row);
            assert_eq!(one, rows.contains(&row), "{text} row {row}");
        }
        rows.iter()
            .map(|r| scope.book.id_of(entity, *r).0)
            .collect()
    })
}

fn accounts(text: &str) -> Vec<u32> {
    ids(Entity::Account, text)
}

#[test]
fn each_form_of_the_contract_selects_what_it_says() {
    for (text, want) in [
        ("", vec![1, 2, 3, 4]),
        ("health<50", vec![1, 3]),
        ("health>=41 health<=75", vec![1, 2]),
        ("health:none", vec![4]),
        ("health:any", vec![1, 2, 3]),
        // Within 60 days from now; Northwind's open renewal is overdue and counts.
        ("renewal<60d", vec![1, 2]),
        ("renewal>60d", vec![3]),
        ("renewal<today", vec![1]),
        ("renewal:eoq", vec![2]),
        ("renewal>=2027-01-01", vec![3]),
        ("renewal:2026-12-20", vec![2]),
        ("renewal<+30d renewal>=today", vec![2]),
        ("start<60d", vec![2]),
        ("start>14d", vec![2]),
        ("start>60d", vec![]),
        ("owner:me", vec![1]),
        ("csm:\"dana m\"", vec![1]),
        ("csm:muller", vec![1]),
        ("csm:lee@example.com", vec![3]),
        ("csm:none", vec![2, 4]),
        ("segment:enterprise", vec![2]),
        ("segment:mid-market", vec![1]),
        ("segment=\"mid market\"", vec![1]),
        ("segment!=enterprise", vec![1, 3, 4]),
        ("arr>=100k", vec![1]),
        ("arr<0.1m", vec![2]),
        ("tag:pilot", vec![1]),
        ("-tag:pilot health<50", vec![3]),
        ("not tag:pilot health<50", vec![3]),
        ("usage.trend<-20%", vec![1]),
        ("usage.trend < -20%", vec![1]),
        ("usage.trend:-40%", vec![1]),
        ("\"acme\"", vec![4]),
        ("\"trader\"", vec![1]),
        ("\"grunwald\"", vec![3]),
        ("\"株式\"", vec![2]),
        ("grunwald", vec![3]),
        ("nwtrad", vec![1]),
        ("acm", vec![4]),
        ("(health<30 or health>70) -segment:enterprise", vec![3]),
        ("health<30 or health>70", vec![2, 3]),
        ("forecast:most", vec![1]),
        ("amount>=50k", vec![1]),
        ("HEALTH<50 and -(tag:vip)", vec![3]),
        ("zzzz", vec![]),
    ] {
        assert_eq!(accounts(text), want, "{text}");
    }
}

#[test]
fn other_kinds_have_their_own_fields_and_their_accounts() {
    assert_eq!(ids(Entity::Renewal, "owner:lee"), [1]);
    assert_eq!(ids(Entity::Renewal, "csm:me health<50 northwind"), [1]);
    assert_eq!(ids(Entity::Renewal, "owner:me"), [0u32; 0]);
    assert_eq!(ids(Entity::Renewal, "due<60d forecast:most_likely"), [1]);
    assert_eq!(ids(Entity::Task, "overdue:yes priority:p1 zeta"), [1]);
    assert_eq!(ids(Entity::Task, "\"cfo\""), [1]);
    assert_eq!(ids(Entity::Task, "segment:enterprise"), [1]);
    assert_eq!(ids(Entity::Escalation, "priority:high grunwald"), [1]);
    assert_eq!(ids(Entity::Person, "dana"), [1]);
    assert_eq!(ids(Entity::Person, "muller"), [1]);
}

#[test]
fn mistakes_name_the_column_and_the_nearest_name() {
    for (text, column, says, suggestion) in [
        ("helth<50", 1, "did you mean `health`", Some("health")),
        (
            "arr>1k segmnt:smb",
            8,
            "did you mean `segment`",
            Some("segment"),
        ),
        ("health<abc", 8, "takes a number, not `abc`", None),
        ("renewal<soon", 9, "takes a date", None),
        ("health<", 8, "a value is missing", None),
        ("(health<5", 1, "never closed", None),
        ("health<5)", 9, "closes nothing", None),
        ("\"acme", 1, "never closed", None),
        ("health<5 or", 12, "missing", None),
        (":5", 1, "a field is missing", None),
        ("segment<5", 9, "cannot be compared with `<`", None),
        (
            "forecast:comit",
            10,
            "did you mean `commit`",
            Some("commit"),
        ),
        ("acked:maybe", 7, "yes or no", None),
        ("漢字 helth:1", 4, "did you mean `health`", Some("health")),
    ] {
        let e = parse(text, Entity::Account).expect_err(text);
        assert!(e.to_string().contains(says), "{text}: {e}");
        assert_eq!(e.column, column, "{text}: {e}");
        assert_eq!(e.suggestion.as_deref(), suggestion, "{text}: {e}");
    }
    assert!(parse(&"(".repeat(100_000), Entity::Account).is_err());
    assert!(parse(&"-".repeat(100_000), Entity::Account).is_err());
}

#[test]
fn sorting_puts_missing_values_last_in_both_directions() {
    with(|scope| {
        let sorted = |keys: &str| {
            let mut rows: Vec<u32> = scope.book.rows(Entity::Account).collect();
            let keys = sort_keys(Entity::Account, keys).unwrap();
            order(scope, Entity::Account, &mut rows, &keys);
            let ids = rows.iter().map(|r| scope.book.account(*r).id().0);
            ids.collect::<Vec<u32>>()
        };
        assert_eq!(sorted("health"), [3, 1, 2, 4]);
        assert_eq!(sorted("-health"), [2, 1, 3, 4]);
        assert_eq!(sorted("name"), [4, 3, 1, 2]);
        assert_eq!(sorted("-name"), [2, 1, 3, 4]);
        // Grünwald's francs have no rate and cannot be compared.
        assert_eq!(sorted("-arr"), [1, 2, 3, 4]);
        assert_eq!(sorted("csm,-health"), [1, 3, 2, 4]);
        assert_eq!(sorted("renewal"), [1, 2, 3, 4]);
        let e = sort_keys(Entity::Account, "healht").unwrap_err();
        assert!(e.contains("`health`"), "{e}");
    });
}

#[test]
fn completion_offers_fields_then_values() {
    with(|scope| {
        let labels = |text: &str| {
            let offers = complete(scope, Entity::Account, text, text.len());
            offers.into_iter().map(|c| c.label).collect::<Vec<_>>()
        };
        assert_eq!(labels("heal")[0], "health");
        assert!(labels("health<50 ren").contains(&"renewal".to_owned()));
        assert!(labels("segment:").contains(&"enterprise".to_owned()));
        assert_eq!(labels("segment:ent"), ["enterprise"]);
        assert!(labels("owner:").contains(&"me".to_owned()));
        assert!(labels("owner:dan").contains(&"dana@example.com".to_owned()));
        assert!(labels("renewal<e").contains(&"eoq".to_owned()));
        let c = &complete(scope, Entity::Account, "segment:mid", 11)[0];
        assert_eq!((c.insert.as_str(), c.span.clone()), ("mid-market", 8..11));
        // A cursor inside a character does no harm.
        complete(scope, Entity::Account, "漢", 1);
    });
}

#[test]
fn a_longer_query_narrows_only_when_it_cannot_add_rows() {
    let narrower = |old: &str, new: &str| {
        narrows(
            &parse(old, Entity::Account).unwrap(),
            &parse(new, Entity::Account).unwrap(),
        )
    };
    assert!(narrower("health<50", "health<50 acme"));
    assert!(narrower("", "acme"));
    assert!(narrower("\"ac\"", "\"acme\""));
    assert!(!narrower("ac", "acm"));
    assert!(!narrower("health<50", "health<60"));
    assert!(!narrower("health<5", "health<5 or acme"));
    assert!(!narrower("-\"a\"", "-\"ab\""));
}

mod anything {
    use super::*;
    use proptest::prelude::*;

    proptest! {
           #[test]
           fn no_text_makes_it_panic(text in "[a-z:<>=!()\" %+0-9.-]{0,40}|\\PC{0,30}", cursor in 0..50usize) {
               with(|scope| {
                   for entity in [Entity::Account, Entity::Renewal, Entity::Task, Entity::Person] {
                       if let Ok(expr) = parse(&text, entity) {
                           let rows = filter(scope, entity, &expr);
                           let all: Vec<u32> = scope.book.rows(entity).collect();
                           assert_eq!(narrow(scope, entity, &expr, &all), rows);
                       }
                       complete(scope, entity, &text, cursor);
                   }
               });
           }

           /// Sorting by stretches and searching whole chunks find what a plain look at each name finds.
           #[test]
           fn names_sort_and_are_found_as_by_hand(
               names in prop::collection::vec("(Northwind )?[ABab é漢]{0,20}", 1..40),
               needle in "[ab é漢]{1,3}",
           ) {
               let accounts = names.iter().zip(1..).map(|(name, id)| {
                   let account = Account { id: LocalId(id), name: name.clone(), ..Account::default() };
                   (account, Facts::default())
               });
               let delta = RowDelta { accounts: accounts.collect(), ..RowDelta::default() };
               let book = Book::empty().apply(delta, &Overlay::default());
               let scope = Scope {
                   book: &book,
                   derived: &Derived::default(),
                   today: TODAY,
                   me: None,
                   calendar: Calendar::default(),
    judge: &(),
               };
               for descending in [false, true] {
                   let mut rows: Vec<u32> = (0..names.len() as u32).collect();
                   let text = if descending { "-name" } else { "name" };
                   order(&scope, Entity::Account, &mut rows, &sort_keys(Entity::Account, text).unwrap());
                   let mut hand: Vec<u32> = (0..names.len() as u32).collect();
                   hand.sort_by_key(|r| crate::book::fold(&names[*r as usize]));
                   if descending {
                       // Stable, so that equal names keep the order of their ids.
                       hand.sort_by_key(|r| std::cmp::Reverse(crate::book::fold(&names[*r as usize])));
                   }
                   // A name that is empty is missing and comes last.
                   let (some, none): (Vec<u32>, Vec<u32>) =
                       hand.into_iter().partition(|r| !names[*r as usize].is_empty());
                   prop_assert_eq!(rows, [some, none].concat());
               }
               let wanted = crate::book::fold(&needle);
               let expr = parse(&format!("\"{needle}\""), Entity::Account).unwrap();
               let hand: Vec<u32> = (0..names.len() as u32)
                   .filter(|r| crate::book::fold(&names[*r as usize]).contains(&wanted))
                   .collect();
               prop_assert_eq!(filter(&scope, Entity::Account, &expr), hand);
           }

           /// What one condition excludes and what it selects are everything.
           #[test]
           fn a_condition_and_its_opposite_are_everything(n in -100..200i32, op in "[<>:=]|<=|>=") {
               let is = accounts(&format!("health{op}{n}"));
               let not = accounts(&format!("-health{op}{n}"));
               let mut both = [is, not].concat();
               both.sort_unstable();
               assert_eq!(both, [1, 2, 3, 4]);
           }
       }
}
