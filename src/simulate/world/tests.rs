//! What the generated book must be like, whatever the seed.

use std::collections::HashSet;

use jiff::civil::date;

use super::*;

fn book(seed: u64, accounts: usize) -> World {
    World::generate(seed, date(2026, 11, 22), accounts)
}

#[test]
fn the_same_arguments_make_the_same_book_and_others_another() {
    let (a, b, c) = (book(1, 240), book(1, 240), book(2, 240));
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
    assert_ne!(format!("{:?}", a.accounts), format!("{:?}", c.accounts));
}

#[test]
fn the_demo_book_has_the_size_and_the_spread_of_a_real_one() {
    for seed in 1..=8 {
        let world = book(seed, 240);
        let arr: f64 = world
            .accounts
            .iter()
            .map(|account| world.usd(account.arr, account.currency))
            .sum();
        assert!((6.5e6..15e6).contains(&arr), "seed {seed}: {arr}");
        let mut sizes: Vec<f64> = world
            .accounts
            .iter()
            .map(|account| world.usd(account.arr, account.currency))
            .collect();
        sizes.sort_by(f64::total_cmp);
        let top: f64 = sizes.iter().rev().take(24).sum();
        assert!(top / arr > 0.35, "the largest tenth holds {:.2}", top / arr);
        let currencies: HashSet<u8> = world
            .accounts
            .iter()
            .map(|account| account.currency)
            .collect();
        assert!(currencies.len() >= 5);
        let dana = world
            .accounts
            .iter()
            .filter(|account| account.csm == world.dana())
            .count();
        assert!((20..=65).contains(&dana), "seed {seed}: Dana has {dana}");
        let open: Vec<&Renewal> = world
            .renewals
            .iter()
            .filter(|renewal| !renewal.stage.closed())
            .collect();
        let soon = open
            .iter()
            .filter(|renewal| {
                renewal
                    .due
                    .is_some_and(|due| due >= date(2026, 11, 22) && due <= date(2026, 12, 22))
            })
            .count();
        assert!(soon >= 4, "seed {seed}: {soon} due within 30 days");
        for (from, to) in [
            (date(2026, 11, 22), date(2027, 2, 22)),
            (date(2027, 2, 22), date(2027, 5, 22)),
            (date(2027, 5, 22), date(2027, 8, 22)),
            (date(2027, 8, 22), date(2027, 11, 22)),
        ] {
            assert!(
                open.iter()
                    .filter(|renewal| renewal.due.is_some_and(|due| due >= from && due < to))
                    .count()
                    > 10
            );
        }
        let past: Vec<&Renewal> = world
            .renewals
            .iter()
            .filter(|renewal| renewal.stage.closed())
            .collect();
        let lost = past
            .iter()
            .filter(|renewal| renewal.stage == Stage::Lost)
            .count();
        assert!(
            past.len() > 120 && (3..past.len() / 4).contains(&lost),
            "seed {seed}: {lost} lost of {}",
            past.len()
        );
        assert!(
            past.iter()
                .any(|renewal| renewal.stage == Stage::Won && renewal.amount > renewal.target)
        );
        assert!(
            past.iter()
                .any(|renewal| renewal.stage == Stage::Won && renewal.amount < renewal.target)
        );
        assert!(
            world
                .tasks
                .iter()
                .any(|task| task.completed.is_none()
                    && task.due.is_some_and(|due| due < world.anchor))
        );
        assert!(
            world
                .risks
                .iter()
                .filter(|risk| risk.kind == RiskKind::Risk && risk.closed.is_none())
                .count()
                >= 8
        );
    }
}

#[test]
fn every_kind_of_mess_is_in_the_demo_book() {
    let world = book(1, 240);
    let any = |what: &str, test: &dyn Fn(&Account) -> bool| {
        assert!(world.accounts.iter().any(test), "no account {what}")
    };
    any("without a renewal date", &|a| {
        a.renewal_date.is_none() && a.arr > 0
    });
    any("in Salesforce only", &|a| {
        a.in_salesforce && !a.in_gainsight
    });
    any("in Gainsight only", &|a| !a.in_salesforce && a.in_gainsight);
    any("with two spellings", &|a| {
        a.gainsight_name
            .as_deref()
            .is_some_and(|name| name != &*a.name)
    });
    any("known by its name only", &|a| {
        a.in_salesforce && a.in_gainsight && !a.linked && !a.gainsight_domain
    });
    any("of the year 0202", &|a| a.start.year() == 202);
    any("that renews in 2099", &|a| {
        a.renewal_date.is_some_and(|date| date.year() == 2099)
    });
    any("with an escape sequence", &|a| a.name.contains("\u{1b}]0;"));
    any("with a newline", &|a| a.name.contains('\n'));
    any("with a tab", &|a| a.name.contains('\t'));
    any("with a formula", &|a| a.name.starts_with("=HYPERLINK"));
    any("with an emoji", &|a| a.name.contains('🚀'));
    any("in Arabic", &|a| a.name.contains('ش'));
    any("in Chinese", &|a| a.name.contains('北'));
}

#[test]
fn trouble_shows_in_usage_before_it_shows_in_health_and_costs_renewals() {
    let world = book(3, 4000);
    // How many had fallen by a fifth in the half year before the decision: of the lost, and of the won.
    let fallen = |stage: Stage| {
        let (mut fell, mut all) = (0, 0);
        for renewal in world
            .renewals
            .iter()
            .filter(|renewal| renewal.stage == stage)
        {
            let decided = renewal.due.and_then(|due| {
                (0..WEEKS).rev().find(|&week| {
                    world.week_start(week) < due && world.usage(renewal.account, week).is_some()
                })
            });
            let Some(week) = decided.filter(|&week| week >= 40) else {
                continue;
            };
            let (Some(before), Some(after)) = (
                world.usage(renewal.account, week - 40),
                world.usage(renewal.account, week - 2),
            ) else {
                continue;
            };
            all += 1;
            fell +=
                usize::from(f64::from(after.active_users) < 0.8 * f64::from(before.active_users));
        }
        assert!(all > 30);
        f64::from(u32::try_from(fell * 1000 / all).unwrap_or(0)) / 1000.0
    };
    let (lost, won) = (fallen(Stage::Lost), fallen(Stage::Won));
    assert!(
        lost > 0.45 && lost > 2.0 * won,
        "{lost} of the lost and {won} of the won had fallen"
    );
    let weeks = |account: u32| {
        (
            world.usage(account, WEEKS - 1),
            world.usage(account, WEEKS - 30),
        )
    };
    let sick = world
        .accounts
        .iter()
        .enumerate()
        .filter(|(_, account)| account.trouble.is_some());
    assert!(sick.clone().filter(|&(i, _)| matches!(weeks(i as u32), (Some(now), Some(then)) if now.active_users < then.active_users)).count() * 2 > sick.count());
}

#[test]
fn nothing_generated_lies_after_the_anchor_date() {
    let world = book(5, 600);
    let now = world.anchor_second();
    assert!(
        world
            .accounts
            .iter()
            .all(|row| row.modified < now && row.created < now)
    );
    assert!(
        world
            .contacts
            .iter()
            .all(|row| row.modified < now && row.created <= row.modified)
    );
    assert!(
        world
            .renewals
            .iter()
            .all(|row| row.modified < now && row.created < now)
    );
    assert!(
        world
            .tasks
            .iter()
            .all(|row| row.modified < now && row.created < now)
    );
    assert!(
        world
            .cases
            .iter()
            .all(|row| row.modified < now && row.opened <= row.modified)
    );
    assert!(
        world
            .risks
            .iter()
            .all(|row| row.modified < now && row.opened <= row.modified)
    );
    assert!(world.touchpoints.iter().all(|row| row.at < now));
    assert!(world.surveys.iter().all(|row| row.at < now));
}

#[test]
fn no_two_accounts_have_one_name() {
    let world = book(1, 30_000);
    let names: HashSet<&str> = world
        .accounts
        .iter()
        .map(|account| &*account.name)
        .collect();
    assert_eq!(names.len(), world.accounts.len());
}

#[test]
fn small_books_and_an_empty_one_work() {
    for accounts in [0, 1, 2, 5, 30] {
        assert_eq!(book(1, accounts).accounts.len(), accounts);
    }
}
