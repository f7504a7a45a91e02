//! Small problems searched to the end: every item stays or goes to one of those who take it, and branches that cannot become better than
//! what is known are left.

use super::solver::{DIMS, Load, State};

/// So many items at most.
const ITEMS: usize = 24;

/// So many places are looked at; then it is too large.
const BUDGET: usize = 50_000;

/// What the search says.
pub(super) enum Found<'p> {
    /// There is nothing better than what is known.
    Nothing,
    /// There is this.
    Better(Box<State<'p>>),
    /// It was not searched to the end.
    TooLarge,
}

/// Searches for moves of `candidates` from `start` on that leave less overload than `known`, or as much with fewer moves.
pub(super) fn search<'p>(
    start: &State<'p>,
    candidates: &[usize],
    known: &State<'p>,
    most: usize,
) -> Found<'p> {
    if candidates.len() > ITEMS {
        return Found::TooLarge;
    }
    let mut items = candidates.to_vec();
    // The heaviest first: what they decide prunes the most.
    items.sort_by_key(|i| {
        (
            std::cmp::Reverse(start.items[*i].load.iter().sum::<i64>()),
            *i,
        )
    });
    // What could still leave each owner, from each place of the list on.
    let mut rest = vec![vec![[0; DIMS]; start.carriers.len()]; items.len() + 1];
    for n in (0..items.len()).rev() {
        rest[n] = rest[n + 1].clone();
        let item = &start.items[items[n]];
        for (left, load) in rest[n][item.owner].iter_mut().zip(item.load) {
            *left += load;
        }
    }
    let receivers = (0..start.carriers.len())
        .filter(|c| start.open[*c])
        .collect();
    let mut search = Search {
        items,
        rest,
        receivers,
        best: (known.overload(), known.moved.len()),
        found: None,
        left: BUDGET,
        most,
    };
    let mut state = start.clone();
    if !search.from(&mut state, 0) {
        return Found::TooLarge;
    }
    match search.found {
        Some(state) => Found::Better(Box::new(state)),
        None => Found::Nothing,
    }
}

struct Search<'p> {
    items: Vec<usize>,
    rest: Vec<Vec<Load>>,
    receivers: Vec<usize>,
    best: (i64, usize),
    found: Option<State<'p>>,
    left: usize,
    most: usize,
}

impl<'p> Search<'p> {
    /// Searches from the `n`th item on; false when the budget is used up.
    fn from(&mut self, state: &mut State<'p>, n: usize) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let now = (state.overload(), state.moved.len());
        if now < self.best {
            self.best = now;
            self.found = Some(state.clone());
        }
        if n == self.items.len() || now.1 >= self.most {
            return true;
        }
        // The least overload that this branch could reach, and the fewest moves with which it could.
        let least = self.least(state, n);
        let moves = now.1 + usize::from(least < now.0);
        if (least, moves) >= self.best {
            return true;
        }
        let item = self.items[n];
        let owner = state.items[item].owner;
        for (k, c) in self.receivers.clone().into_iter().enumerate() {
            if !state.fits(item, c) || self.as_an_earlier(state, k, c) {
                continue;
            }
            state.put(item, c);
            let searched = self.from(state, n + 1);
            state.put(item, owner);
            if !searched {
                return false;
            }
        }
        self.from(state, n + 1)
    }

    fn least(&self, state: &State<'p>, n: usize) -> i64 {
        let of = |c: usize| -> i64 {
            let (carrier, load) = (&state.carriers[c], &state.loads[c]);
            (0..DIMS)
                .map(|d| (load[d] - self.rest[n][c][d] - carrier.give[d]).max(0))
                .sum()
        };
        (0..state.carriers.len())
            .filter(|c| state.carriers[*c].sheds)
            .map(of)
            .sum()
    }

    /// Whether somebody before in the list is in the same position: then what follows is the same too.
    fn as_an_earlier(&self, state: &State<'p>, k: usize, c: usize) -> bool {
        self.receivers[..k]
            .iter()
            .any(|e| state.carriers[*e] == state.carriers[c] && state.loads[*e] == state.loads[c])
    }
}
