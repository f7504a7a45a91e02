//! Numbers worked by hand: the team, the hours model, hiring, the business case, a rebalance of a small book, the page.

use super::business::{Saving, break_even_arr, break_even_ratio, ops_advice};
use super::costs::Costs;
use super::hiring::{Growth, growth, hiring};
use super::rebalance::{Wish, propose};
use super::spread::Spread;
use super::team::{Standing, Team};
use crate::book::{
    Account, Book, Calendar, Derived, Escalation, Facts, LocalId, Money, Overlay, Person, Renewal,
    RowDelta, Scope,
};
use crate::insight::page::{Block, Value, made as made_page};
use crate::insight::{GroupBy, Rules, Settings, Verdict, definition, derive};
use jiff::civil::{Date, date};
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 26);

fn person(id: u32, role: &str) -> Person {
    Person {
        id: LocalId(id),
        name: format!("Person {id}"),
        email: Some(format!("p{id}@example.com")),
        role: Some(role.into()),
        start: Some(date(2020, 1, 1)),
        ..Person::default()
    }
}

fn account(id: u32, touch: &str, csm: u32, arr: i64) -> (Account, Facts) {
    let account = Account {
        id: LocalId(id),
        name: format!("Account {id}"),
        touch: Some(touch.into()),
        csm: (csm > 0).then_some(LocalId(csm)),
        arr: Money::new(arr * 100, "USD"),
        ..Account::default()
    };
    (account, Facts::default())
}

fn book(people: Vec<Person>, accounts: Vec<(Account, Facts)>) -> (Book, Derived) {
    made(RowDelta {
        people,
        accounts,
        ..RowDelta::default()
    })
}

fn made(delta: RowDelta) -> (Book, Derived) {
    let book = Book::empty().apply(delta, &Overlay::default());
    let derived = derive(&book, TODAY, &Rules::default());
    (book, derived)
}

/// 12 high, 30 mid and 100 tech touch accounts of one CSM.
fn fixture() -> Vec<(Account, Facts)> {
    let touch = |i: u32| match i {
        0..12 => "high",
        12..42 => "mid",
        _ => "tech",
    };
    (0..142).map(|i| account(i + 1, touch(i), 1, 10)).collect()
}

#[test]
fn the_hours_model_to_the_last_digit() {
    let (book, derived) = book(vec![person(1, "csm")], fixture());
    let settings = Settings::default();
    let spread = Spread::of(&book, &derived, TODAY, &settings);
    let s = spread.by(GroupBy::Touch);
    assert_eq!(s.total.need, 1820.0);
    assert_eq!(s.total.have, 1170.0);
    assert_eq!(s.fte_needed, 1.5555555555555556);
    assert_eq!(s.total.utilisation, Some(1820.0 / 1170.0));
    // The CSM is divided by the hours: 900 + 720 + 200 of 1,820.
    let of = |key: &str| s.rows.iter().find(|r| r.key == key).unwrap();
    assert_eq!(of("high").fte, 900.0 / 1820.0);
    assert_eq!(of("mid").accounts_per_csm, Some(30.0 / (720.0 / 1820.0)));
    let fte: f64 = s.rows.iter().map(|r| r.fte).sum();
    assert!((fte - 1.0).abs() < 1e-12);
    // Every grouping adds up to the same.
    for by in GroupBy::ALL {
        let s = spread.by(by);
        let need: f64 = s.rows.iter().map(|r| r.need).sum();
        assert_eq!((need, s.total.need), (1820.0, 1820.0), "{by:?}");
        assert_eq!(s.rows.iter().map(|r| r.arr).sum::<i64>(), s.total.arr);
    }
    // The CSM's own band: 142 accounts fill 12/15 + 30/75 + 100/500 of a person at the upper ends.
    let csm = &spread.by(GroupBy::Csm).rows[0];
    let band = csm.band.clone().unwrap();
    assert_eq!(
        band.accounts_to,
        142.0 / (12.0 / 15.0 + 30.0 / 75.0 + 100.0 / 500.0)
    );
    assert_eq!(csm.verdict, Some(Verdict::Over));
}

#[test]
fn who_counts_and_how_much() {
    let mut settings = Settings::default();
    let mut half = person(2, "csm");
    half.capacity_hours = Some(900.0);
    let started = |id, day| Person {
        start: Some(day),
        ..person(id, "csm")
    };
    let mut gone = person(9, "csm");
    gone.end = Some(date(2026, 11, 25));
    let mut led = person(1, "Customer Success Manager");
    led.manager = Some(LocalId(7));
    let people = vec![
        led,
        half,
        started(3, date(2026, 11, 1)),
        started(4, date(2026, 10, 26)),
        started(5, date(2026, 8, 27)),
        started(6, date(2026, 8, 26)),
        person(7, "VP Customer Success"),
        person(8, "cs_ops"),
        gone,
        started(10, date(2026, 12, 1)),
        person(11, "Account Executive"),
    ];
    // The leader, the one who left, and a stranger have accounts too.
    let accounts = [7, 9, 12, 1]
        .map(|p| account(100 + p, "high", p, 10))
        .to_vec();
    let (book, derived) = book(people, accounts);
    let team = Team::of(&book, TODAY, &settings.capacity);
    let of = |id: u32| team.members.iter().find(|m| m.id == LocalId(id));
    let counts: Vec<(u32, Standing, f64)> = (1..=12)
        .filter_map(|id| of(id).map(|m| (id, m.standing, m.fte)))
        .collect();
    use Standing::{Counted, Leader, Left, NotStarted, Ramping, Unknown};
    assert_eq!(
        counts,
        [
            (1, Counted, 1.0),
            (2, Counted, 0.5),
            // The first month, then two halves, then all.
            (3, Ramping(1), 0.0),
            (4, Ramping(2), 0.5),
            (5, Ramping(3), 0.5),
            (6, Counted, 1.0),
            (7, Leader, 0.0),
            (9, Left, 0.0),
            (10, NotStarted, 0.0),
            (12, Unknown, 1.0),
        ]
    );
    // Paid are those who are here, by their hours: six CSMs, one of them half, and the stranger.
    assert_eq!((team.csms, team.leaders, team.ops), (6.5, 1.0, 1.0));
    let spread = Spread::of(&book, &derived, TODAY, &settings);
    let touch = spread.by(GroupBy::Touch);
    assert_eq!((touch.rows[0].not_counted, touch.rows[0].accounts), (2, 4));
    assert_eq!(touch.rows[0].accounts_per_csm, Some(1.0));
    assert_eq!(touch.csm_per_ops, Some(6.5));
    let teams = spread.by(GroupBy::Team);
    assert_eq!(teams.rows[0].key, "Person 7");
    // Those who learn can be left out, and a leader can have accounts.
    settings.capacity.ramping = super::settings::Ramping::Exclude;
    settings.capacity.leader_share = 0.2;
    let team = Team::of(&book, TODAY, &settings.capacity);
    let of = |id: u32| team.members.iter().find(|m| m.id == LocalId(id)).unwrap();
    assert_eq!((of(4).fte, of(4).full_fte, of(7).fte), (0.0, 1.0, 0.2));
}

#[test]
fn nobody_and_nothing_is_no_number() {
    let (book, derived) = book(Vec::new(), vec![account(1, "something else", 0, 10)]);
    let settings = Settings::default();
    let s = Spread::of(&book, &derived, TODAY, &settings).by(GroupBy::Touch);
    let r = &s.rows[0];
    assert_eq!(
        (r.accounts_per_csm, r.utilisation, r.verdict),
        (None, None, None)
    );
    assert_eq!((r.hours_coverage.known, r.hours_coverage.of), (0, 1));
    assert!(s.csm_per_ops.is_none() && s.ops_note.starts_with("n/a"));
    assert!(s.cost_share.is_none() && s.cost_note.contains("csm_cost"));
    assert!(growth(&book, TODAY, &settings.capacity).is_err());
}

#[test]
fn what_it_costs() {
    let mut settings = Settings::default();
    let mut half = person(2, "csm");
    half.capacity_hours = Some(900.0);
    let people = vec![
        person(1, "csm"),
        half,
        person(3, "leader"),
        person(4, "cs_ops"),
    ];
    let (book, _) = book(people, Vec::new());
    settings.capacity.csm_cost = Some(10_000_000);
    settings.capacity.ops_cost = Some(9_000_000);
    settings.capacity.other_cost = Some(1_000_000);
    let team = Team::of(&book, TODAY, &settings.capacity);
    let c = Costs::of(&team, 500_000_000, &settings.capacity);
    assert_eq!(c.csm_payroll, Some(15_000_000));
    assert_eq!((c.total, c.share), (Some(25_000_000), Some(0.05)));
    assert_eq!(c.ops_share, Some(0.36));
    assert!(c.left_out[0].1.contains("leader_cost"));
}

#[test]
fn the_business_case_to_the_last_digit() {
    let saving = Saving {
        people: 10.0,
        hours_a_week: 4.0,
        weeks: 46.0,
        cost: Some(10_000_000),
        hours_per_year: 1800.0,
        hours_per_fte: 1170.0,
        account_hours: Some(24.0),
    };
    let got = saving.hours_saved();
    assert_eq!((got.hours, got.value), (1840.0, Some(10_222_222)));
    assert_eq!(got.accounts, Some(76.66666666666667));
    // 90,000 at a margin of 80 %; 40 accounts per CSM and a payroll of 10 × 100,000.
    assert_eq!(break_even_arr(9_000_000, 0.8), Some(11_250_000));
    assert_eq!(break_even_arr(1, 0.0), None);
    let ratio = break_even_ratio(40.0, 9_000_000, 100_000_000).unwrap();
    assert!((ratio - 43.6).abs() < 1e-12);
    assert_eq!(break_even_ratio(40.0, 1, 0), None);
    for (csms, ops, word) in [
        (4.0, 0.0, "usually hired at about 5"),
        (5.0, 0.0, "time for the first"),
        (9.0, 1.0, "second is usually"),
        (10.0, 1.0, "time for a second"),
        (30.0, 2.0, "more CSMs"),
        (20.0, 2.0, "no fewer"),
    ] {
        assert!(ops_advice(csms, ops).contains(word), "{csms} {ops}");
    }
}

#[test]
fn hires_start_a_ramp_before_they_are_needed() {
    let mut settings = Settings::default();
    settings.capacity.growth = Some(0.0);
    settings.capacity.quarters = 3;
    let (book, derived) = book(vec![person(1, "csm")], fixture());
    let spread = Spread::of(&book, &derived, TODAY, &settings);
    let rate = |rate| Growth {
        rate,
        source: String::new(),
        trend: None,
    };
    let calendar = Calendar::default();
    let plan = hiring(&spread, rate(0.0), &calendar, TODAY);
    // 1.56 people for one: the second should have started three months before the quarter's end, so starts today and does a half by then.
    let q = &plan.quarters[0];
    assert_eq!((q.label.as_str(), q.hires, q.late), ("Q4 2026", 1, true));
    assert_eq!((q.start_by, q.hired), (Some(TODAY), 0.5));
    assert!((q.short - 0.0555555).abs() < 1e-6);
    assert_eq!(plan.scarcest.as_deref(), Some("high"));
    assert_eq!((plan.quarters[1].hires, plan.quarters[1].short), (0, 0.0));
    // At 100 % a year the work of Q2 2027 is 1.556 × 2^(216/365) = 2.344 people.
    let plan = hiring(&spread, rate(1.0), &calendar, TODAY);
    let q = &plan.quarters[2];
    assert!((q.needed - 1.5555555 * 2f64.powf(216.0 / 365.0)).abs() < 1e-6);
    let starts: Vec<_> = plan
        .quarters
        .iter()
        .map(|q| (q.hires, q.start_by))
        .collect();
    assert_eq!(
        starts,
        [(1, Some(TODAY)), (0, None), (1, Some(date(2027, 3, 30))),]
    );
    assert_eq!(q.decide_by, Some(date(2027, 1, 29)));
    // Half of them leave in a year.
    settings.capacity.attrition = Some(0.5);
    let spread = Spread::of(&book, &derived, TODAY, &settings);
    let plan = hiring(&spread, rate(0.0), &calendar, TODAY);
    let q = &plan.quarters[2];
    assert!((q.have - 0.5f64.powf(216.0 / 365.0)).abs() < 1e-9);
    assert!((q.have + q.leavers - 1.0).abs() < 1e-9);
}

#[test]
fn growth_is_counted_from_new_and_lost_accounts() {
    let mut accounts: Vec<_> = (1..=12).map(|i| account(i, "mid", 1, 10)).collect();
    for (i, (a, _)) in accounts.iter_mut().enumerate() {
        a.start = Some(if i < 3 {
            date(2026, 3, 1)
        } else {
            date(2024, 3, 1)
        });
    }
    accounts[11].0.stage = Some("Churned".into());
    let lost = Renewal {
        id: LocalId(1),
        account: Some(LocalId(12)),
        stage_kind: Some("lost".into()),
        closed: Some(date(2026, 6, 1)),
        ..Renewal::default()
    };
    let (book, _) = made(RowDelta {
        accounts,
        renewals: vec![lost],
        ..RowDelta::default()
    });
    // 11 now; a year ago 8 of them and the lost one.
    let g = growth(&book, TODAY, &Settings::default().capacity).unwrap();
    assert_eq!(g.trend, Some([9, 3, 1, 11]));
    assert_eq!(g.rate, 11.0 / 9.0 - 1.0);
}

fn scope<'a>(book: &'a Book, derived: &'a Derived) -> Scope<'a> {
    Scope {
        book,
        derived,
        today: TODAY,
        me: None,
        calendar: Calendar::default(),
        judge: &(),
    }
}

#[test]
fn a_rebalance_keeps_regions_touchy_accounts_and_the_list() {
    // The first has 20 high-touch accounts, 5 above the band and 330 hours above the time; the second and third have none.
    let mut accounts: Vec<_> = (1..=20).map(|i| account(i, "high", 1, 10)).collect();
    for (a, _) in &mut accounts {
        a.region = Some(if a.id.0 % 2 == 0 { "EMEA" } else { "AMER" }.into());
        a.start = Some(date(2020, 1, 1));
    }
    accounts[1].0.tags = vec!["keep".into()];
    accounts[5].0.start = Some(date(2026, 10, 1));
    let risk = Escalation {
        id: LocalId(1),
        account: Some(LocalId(4)),
        ..Escalation::default()
    };
    let mut people = vec![person(1, "csm"), person(2, "csm"), person(3, "leader")];
    people[1].region = Some("emea".into());
    let (book, derived) = made(RowDelta {
        accounts,
        people,
        escalations: vec![risk],
        ..RowDelta::default()
    });
    let settings = Settings::default();
    let wish = Wish {
        keep: Some("tag:keep".into()),
        ..Wish::default()
    };
    let p = propose(&scope(&book, &derived), &settings, &wish).unwrap();
    // 1,500 hours of 1,170: five accounts of 75 hours are the fewest.
    assert_eq!((p.moves.len(), p.after, p.kept), (5, 0.0, 1));
    assert!(p.before > 0.0 && p.moves.iter().all(|m| m.relief > 0.0));
    for m in &p.moves {
        assert_eq!(
            (m.region.as_deref(), m.who.as_str()),
            (Some("EMEA"), "p2@example.com")
        );
        assert!(![2, 4].contains(&m.account.0));
    }
    assert!(
        p.moves.iter().any(|m| m.account == LocalId(6)),
        "the newest goes first"
    );
    let of = |id: u32| {
        p.people
            .iter()
            .find(|x| x.person == Some(LocalId(id)))
            .unwrap()
    };
    assert_eq!((of(1).before.accounts, of(1).after.accounts), (20, 15));
    assert_eq!(of(2).after.utilisation, Some(375.0 / 1170.0));
    assert_eq!(of(2).after.overload, 0.0);
    // Fewer moves than needed: what is left is said.
    let few = propose(
        &scope(&book, &derived),
        &settings,
        &Wish {
            max_moves: Some(2),
            ..wish
        },
    )
    .unwrap();
    assert_eq!(few.moves.len(), 2);
    assert!(few.after > 0.0 && few.notes[0].contains("no more moves are allowed"));
    let wrong = Wish {
        keep: Some("helth<5".into()),
        ..Wish::default()
    };
    assert!(propose(&scope(&book, &derived), &settings, &wrong).is_err());
}

#[test]
fn who_has_left_gives_everything_away_and_who_learns_gives_nothing() {
    let mut accounts: Vec<_> = (1..=6).map(|i| account(i, "high", 1, 10)).collect();
    accounts.push(account(7, "unheard of", 1, 0));
    accounts.extend((8..=12).map(|i| account(i, "high", 3, 10)));
    accounts.push(account(13, "tech", 0, 10));
    let mut people = vec![person(1, "csm"), person(2, "csm"), person(3, "csm")];
    people[0].active = Some(false);
    people[2].start = Some(date(2026, 11, 20));
    let (book, derived) = book(people, accounts);
    let settings = Settings::default();
    let p = propose(&scope(&book, &derived), &settings, &Wish::default()).unwrap();
    assert_eq!(p.moves.len(), 7);
    assert!(
        p.moves
            .iter()
            .all(|m| p.people[m.to].person == Some(LocalId(2)))
    );
    let all = Wish {
        unassigned: true,
        ..Wish::default()
    };
    let p = propose(&scope(&book, &derived), &settings, &all).unwrap();
    assert_eq!(p.moves.len(), 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever the book: groups add up, and a proposal keeps to its limits.
    #[test]
    fn groups_add_up_in_every_book(rows in prop::collection::vec((0u32..6, 0usize..4, 0usize..3, 0i64..500), 0..80)) {
        let accounts: Vec<_> = rows
            .iter()
            .zip(1u32..)
            .map(|((csm, touch, region, arr), id)| {
                let (mut a, f) = account(id, ["high", "mid", "tech", "other"][*touch], *csm, *arr * 1000);
                a.region = [None, Some("EMEA"), Some("APAC")][*region].map(Into::into);
                (a, f)
            })
            .collect();
        let people = (1..=5).map(|i| person(i, if i == 5 { "leader" } else { "csm" })).collect();
        let (book, derived) = book(people, accounts);
        let settings = Settings::default();
        let spread = Spread::of(&book, &derived, TODAY, &settings);
        for by in GroupBy::ALL {
            let s = spread.by(by);
            prop_assert_eq!(s.rows.iter().map(|r| r.accounts).sum::<usize>(), rows.len());
            prop_assert_eq!(s.rows.iter().map(|r| r.arr).sum::<i64>(), s.total.arr);
            let need: f64 = s.rows.iter().map(|r| r.need).sum();
            prop_assert!((need - s.total.need).abs() < 1e-6);
            let fte: f64 = s.rows.iter().map(|r| r.fte).sum();
            prop_assert!(fte <= s.total.fte + 1e-9);
        }
        let p = propose(&scope(&book, &derived), &settings, &Wish::default()).unwrap();
        for person in &p.people {
            prop_assert!(person.after.overload <= person.before.overload + 1e-9);
        }
        let total: f64 = p.people.iter().map(|x| x.after.overload).sum();
        prop_assert!((total - p.after).abs() < 1e-9);
        prop_assert_eq!(p.people.iter().map(|x| x.after.accounts).sum::<usize>(), rows.len());
    }
}

#[test]
fn every_figure_of_the_page_is_defined_and_says_why() {
    let mut settings = Settings::default();
    for c in [true, false] {
        if c {
            let s = &mut settings.capacity;
            (s.csm_cost, s.ops_cost, s.gross_margin) =
                (Some(10_000_000), Some(9_000_000), Some(0.8));
            (s.growth, s.saved.hours_a_week) = (Some(0.2), Some(4.0));
        } else {
            settings = Settings::default();
        }
        let (book, _) = book(vec![person(1, "csm"), person(2, "cs_ops")], fixture());
        {
            let page = made_page(super::page::page, &book, TODAY, &settings);
            assert!(
                page.sentence
                    .starts_with("1.0 full-time CSMs have work for 1.6: 156 %")
            );
            let mut figures = Vec::new();
            for block in &page.blocks {
                match block {
                    Block::Figures { figures: f, .. } | Block::Bars { bars: f, .. } => {
                        figures.extend(f)
                    }
                    Block::Table { rows, columns, .. } => {
                        for r in rows {
                            assert_eq!(r.cells.len(), columns.len());
                            figures.extend(&r.cells);
                        }
                    }
                    _ => {}
                }
            }
            assert!(figures.len() > 15);
            for f in figures {
                if f.name.is_empty() {
                    continue;
                }
                assert!(definition(f.name).is_some(), "{}", f.name);
                assert!(f.why.is_some(), "{}", f.name);
                assert!(!matches!(&f.value, Value::None(why) if why.is_empty()));
            }
        }
    }
}
