//! The solver against brute force and its promises; the proposal on a small book.

use super::solver::{Carrier, DIMS, Item, Load, ONE, Solution, solve};
use proptest::prelude::*;

fn carrier(limit: i64, regions: &[bool]) -> Carrier {
    Carrier {
        give: [limit; DIMS],
        take: [limit; DIMS],
        sheds: true,
        receives: true,
        serves: regions.to_vec(),
    }
}

fn item(owner: usize, load: Load) -> Item {
    Item {
        owner,
        load,
        ..Item::default()
    }
}

fn loads(carriers: &[Carrier], items: &[Item], at: &[usize]) -> Vec<Load> {
    let mut loads = vec![[0; DIMS]; carriers.len()];
    for (i, c) in items.iter().zip(at) {
        (0..DIMS).for_each(|d| loads[*c][d] += i.load[d]);
    }
    loads
}

fn overload(carriers: &[Carrier], loads: &[Load]) -> i64 {
    let over = |(c, l): (&Carrier, &Load)| -> i64 {
        let all = (0..DIMS).map(|d| (l[d] - c.give[d]).max(0)).sum();
        if c.sheds { all } else { 0 }
    };
    carriers.iter().zip(loads).map(over).sum()
}

/// Every way to move the items: the least overload, and the fewest moves that leave it.
fn brute(carriers: &[Carrier], items: &[Item]) -> (i64, usize) {
    fn go(
        carriers: &[Carrier],
        items: &[Item],
        start: &[Load],
        at: &mut Vec<usize>,
        n: usize,
        best: &mut (i64, usize),
    ) {
        if n == items.len() {
            let now = loads(carriers, items, at);
            let moves = items
                .iter()
                .zip(at.iter())
                .filter(|(i, a)| i.owner != **a)
                .count();
            *best = (*best).min((overload(carriers, &now), moves));
            return;
        }
        go(carriers, items, start, at, n + 1, best);
        let i = &items[n];
        let over = |c: usize| (0..DIMS).any(|d| start[c][d] > carriers[c].give[d]);
        if i.fixed || !carriers[i.owner].sheds || !over(i.owner) {
            return;
        }
        for c in 0..carriers.len() {
            let serves = i.region.is_none_or(|r| carriers[c].serves[r]);
            let now = loads(carriers, items, at)[c];
            let room =
                (0..DIMS).all(|d| i.load[d] == 0 || now[d] + i.load[d] <= carriers[c].take[d]);
            if c != i.owner && carriers[c].receives && !over(c) && serves && room {
                at[n] = c;
                go(carriers, items, start, at, n + 1, best);
                at[n] = i.owner;
            }
        }
    }
    let mut at: Vec<usize> = items.iter().map(|i| i.owner).collect();
    let start = loads(carriers, items, &at);
    let mut best = (i64::MAX, usize::MAX);
    go(carriers, items, &start, &mut at, 0, &mut best);
    best
}

fn problem(people: usize, accounts: usize) -> impl Strategy<Value = (Vec<Carrier>, Vec<Item>)> {
    let carrier = (
        5i64..15,
        0i64..4,
        prop::collection::vec(any::<bool>(), 2),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.9),
    )
        .prop_map(|(limit, ramp, serves, sheds, receives)| Carrier {
            give: [limit, limit + 2, limit + 4],
            take: [limit - ramp, limit + 2 - ramp, limit + 4],
            sheds,
            receives,
            serves,
        });
    let item = (
        0..people,
        [0i64..6, 0i64..6, 0i64..6],
        prop::option::of(0usize..2),
        prop::bool::weighted(0.15),
        0u8..2,
        0u32..5,
    )
        .prop_map(|(owner, load, region, fixed, tier, cost)| Item {
            // Most of the work lies with the first.
            owner: owner / 2,
            load,
            region,
            fixed,
            tier,
            cost,
        });
    (
        prop::collection::vec(carrier, people),
        prop::collection::vec(item, 1..accounts),
    )
}

/// What holds of every answer, large or small.
fn promises(carriers: &[Carrier], items: &[Item], s: &Solution, most: usize) {
    assert!(s.moves.len() <= most);
    let mut at: Vec<usize> = items.iter().map(|i| i.owner).collect();
    let before = loads(carriers, items, &at);
    let mut now = overload(carriers, &before);
    assert_eq!(now, s.before);
    for m in &s.moves {
        let i = &items[m.item];
        assert!(!i.fixed, "a kept account moved");
        assert!(carriers[m.from].sheds && carriers[m.to].receives && m.from == i.owner);
        assert_eq!(at[m.item], m.from, "moved twice");
        assert!(
            i.region.is_none_or(|r| carriers[m.to].serves[r]),
            "another region"
        );
        at[m.item] = m.to;
        let then = overload(carriers, &loads(carriers, items, &at));
        assert!(then < now, "a move that takes no overload away");
        assert_eq!(now - then, m.relief);
        now = then;
    }
    assert_eq!(now, s.after);
    let after = loads(carriers, items, &at);
    for (c, carrier) in carriers.iter().enumerate() {
        for d in 0..DIMS {
            if before[c][d] <= carrier.give[d] {
                assert!(
                    after[c][d] <= carrier.give[d],
                    "a limit that held is broken"
                );
            }
        }
        let took = s.moves.iter().any(|m| m.to == c);
        assert!(
            !took
                || (0..DIMS).all(|d| after[c][d] <= carrier.take[d] || after[c][d] == before[c][d])
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn small_problems_are_solved_with_the_fewest_moves((carriers, mut items) in problem(4, 9)) {
        items.iter_mut().for_each(|i| i.tier = 0);
        let s = solve(&carriers, &items, usize::MAX);
        promises(&carriers, &items, &s, usize::MAX);
        prop_assert!(s.proved);
        prop_assert_eq!((s.after, s.moves.len()), brute(&carriers, &items));
    }

    #[test]
    fn no_answer_breaks_a_limit_or_moves_what_is_kept((carriers, items) in problem(12, 200), most in 0usize..40) {
        let s = solve(&carriers, &items, most);
        promises(&carriers, &items, &s, most);
        let all = solve(&carriers, &items, usize::MAX);
        promises(&carriers, &items, &all, usize::MAX);
        prop_assert!(all.after <= s.after);
        // The same question has the same answer.
        prop_assert_eq!(&all, &solve(&carriers, &items, usize::MAX));
    }

    #[test]
    fn what_is_touchy_moves_only_when_nothing_else_would_do((carriers, items) in problem(4, 9)) {
        let s = solve(&carriers, &items, usize::MAX);
        promises(&carriers, &items, &s, usize::MAX);
        let mut calm = items.clone();
        calm.iter_mut().for_each(|i| i.fixed |= i.tier > 0);
        let (left, _) = brute(&carriers, &calm);
        if left == 0 {
            prop_assert!(s.moves.iter().all(|m| items[m.item].tier == 0));
        }
        prop_assert!(s.after <= left);
    }
}

#[test]
fn one_heavy_account_moves_rather_than_three_light_ones() {
    let carriers = [carrier(10, &[]), carrier(10, &[])];
    let mut items = vec![item(0, [4, 0, 0])];
    items.extend((0..9).map(|_| item(0, [1, 0, 0])));
    let s = solve(&carriers, &items, usize::MAX);
    assert_eq!((s.before, s.after, s.moves.len()), (3, 0, 1));
    assert_eq!(s.moves[0].item, 0);
}

#[test]
fn of_two_that_would_do_the_one_who_has_known_the_csm_the_shortest_moves() {
    let carriers = [carrier(10, &[]), carrier(10, &[])];
    let mut items: Vec<Item> = (0..4).map(|_| item(0, [3, 0, 0])).collect();
    for (i, days) in items.iter_mut().zip([900, 30, 400, 700]) {
        i.cost = days;
    }
    let s = solve(&carriers, &items, usize::MAX);
    assert_eq!((s.moves.len(), s.moves[0].item), (1, 1));
}

#[test]
fn a_moved_one_makes_room_for_another() {
    // The best fit for the first would leave no room for the second, which only one of them serves.
    let carriers = [
        carrier(0, &[true, true]),
        carrier(5, &[true, true]),
        carrier(6, &[true, false]),
    ];
    let mut items = vec![item(0, [5, 0, 0]), item(0, [4, 0, 0])];
    items[0].region = Some(0);
    items[1].region = Some(1);
    let s = solve(&carriers, &items, usize::MAX);
    assert_eq!((s.after, s.moves.len()), (0, 2));
    assert_eq!(ONE, 1_000_000_000);
}
