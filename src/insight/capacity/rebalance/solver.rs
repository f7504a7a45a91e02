//! Fewest moves that take the most overload away: a problem of whole numbers that knows nothing of customers.
//!
//! A carrier has a limit in each dimension; what it has above its limits is its overload. An item may move from an overloaded carrier to
//! one that takes it without going above any limit of its own. First the overload that can be taken away at all counts, then the number of
//! moves, then how little each move costs. The moves are found greedily, the most relief first, then improved: moves that turned out not to
//! be needed are dropped, two are replaced by one, and one is sent elsewhere where that makes room. Small problems are then searched
//! through to the end. The same question always has the same answer.

use super::exact;

/// What is limited: hours, accounts, ARR.
pub const DIMS: usize = 3;

/// A load in each dimension, in billionths of a full-time person.
pub type Load = [i64; DIMS];

/// One full-time person.
pub const ONE: i64 = 1_000_000_000;

/// Somebody who carries items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Carrier {
    /// Above this it is overloaded.
    pub give: Load,
    /// Up to this it takes more.
    pub take: Load,
    /// Its overload counts, and its items may move away.
    pub sheds: bool,
    /// Items may move to it.
    pub receives: bool,
    /// Which regions it serves, by number.
    pub serves: Vec<bool>,
}

/// Something that is carried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// Whose it is.
    pub owner: usize,
    /// What it weighs.
    pub load: Load,
    /// Its region; none may go anywhere.
    pub region: Option<usize>,
    /// It never moves.
    pub fixed: bool,
    /// Moves only when all of the lower tiers would not do.
    pub tier: u8,
    /// What moving it costs; the less the better.
    pub cost: u32,
}

/// A move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// What.
    pub item: usize,
    /// From whom.
    pub from: usize,
    /// To whom.
    pub to: usize,
    /// By how much it lowers the total overload when the moves are made in their order.
    pub relief: i64,
}

/// The moves, in an order in which each lowers the total overload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solution {
    /// The moves.
    pub moves: Vec<Move>,
    /// The total overload before.
    pub before: i64,
    /// The total overload after.
    pub after: i64,
    /// It was searched to the end: there is nothing better.
    pub proved: bool,
}

/// Finds the moves; at most `most` of them.
pub fn solve(carriers: &[Carrier], items: &[Item], most: usize) -> Solution {
    let mut state = State::new(carriers, items);
    let before = state.overload();
    let mut proved = true;
    let last = items.iter().map(|i| i.tier).max().unwrap_or(0);
    for tier in 0..=last {
        if state.overload() == 0 || state.moved.len() >= most {
            break;
        }
        // What moved in an earlier tier stays where it is now.
        let settled: Vec<usize> = std::mem::take(&mut state.moved);
        let room = most - settled.len();
        proved &= state.solve_tier(tier, room);
        state.moved.splice(0..0, settled);
    }
    state.drop_needless();
    state.even_out();
    state.in_order(before, proved)
}

/// Where everything is, while moves are tried.
#[derive(Clone)]
pub(super) struct State<'p> {
    pub carriers: &'p [Carrier],
    pub items: &'p [Item],
    pub loads: Vec<Load>,
    pub at: Vec<usize>,
    /// Who takes items: whoever was within all limits in the beginning.
    pub open: Vec<bool>,
    /// Items that are not with their owner.
    pub moved: Vec<usize>,
}

impl<'p> State<'p> {
    pub fn new(carriers: &'p [Carrier], items: &'p [Item]) -> State<'p> {
        let mut loads = vec![[0; DIMS]; carriers.len()];
        for item in items {
            add(&mut loads[item.owner], &item.load);
        }
        let within = |c: &Carrier, load: &Load| c.give.iter().zip(load).all(|(g, l)| l <= g);
        let open = carriers.iter().zip(&loads);
        State {
            open: open.map(|(c, l)| c.receives && within(c, l)).collect(),
            carriers,
            items,
            loads,
            at: items.iter().map(|i| i.owner).collect(),
            moved: Vec::new(),
        }
    }

    /// What a carrier has above its limits.
    fn excess(&self, c: usize) -> Load {
        let mut over = [0; DIMS];
        if self.carriers[c].sheds {
            for (d, over) in over.iter_mut().enumerate() {
                *over = (self.loads[c][d] - self.carriers[c].give[d]).max(0);
            }
        }
        over
    }

    pub fn overload_of(&self, c: usize) -> i64 {
        self.excess(c).iter().sum()
    }

    pub fn overload(&self) -> i64 {
        (0..self.carriers.len()).map(|c| self.overload_of(c)).sum()
    }

    /// By how much the total overload falls when an item leaves where it is.
    fn relief(&self, item: usize) -> i64 {
        let excess = self.excess(self.at[item]);
        let load = &self.items[item].load;
        excess.iter().zip(load).map(|(e, l)| *e.min(l)).sum()
    }

    /// Whether a carrier takes an item without going above a limit.
    pub fn fits(&self, item: usize, to: usize) -> bool {
        let (item, c, load) = (&self.items[item], &self.carriers[to], &self.loads[to]);
        self.open[to]
            && to != item.owner
            && item
                .region
                .is_none_or(|r| c.serves.get(r).copied().unwrap_or(false))
            && (0..DIMS).all(|d| item.load[d] == 0 || load[d] + item.load[d] <= c.take[d])
    }

    /// The carrier that an item fills best: the least room is left there.
    fn receiver(&self, item: usize) -> Option<usize> {
        let left = |c: usize| -> i64 {
            (0..DIMS)
                .map(|d| self.carriers[c].take[d] - self.loads[c][d] - self.items[item].load[d])
                .sum()
        };
        (0..self.carriers.len())
            .filter(|c| self.fits(item, *c))
            .min_by_key(|c| (left(*c), *c))
    }

    pub fn put(&mut self, item: usize, to: usize) {
        let from = self.at[item];
        subtract(&mut self.loads[from], &self.items[item].load);
        add(&mut self.loads[to], &self.items[item].load);
        self.at[item] = to;
        let owner = self.items[item].owner;
        match (from == owner, to == owner) {
            (true, false) => self.moved.push(item),
            (false, true) => self.moved.retain(|i| *i != item),
            _ => {}
        }
    }

    /// The items of a tier and the ones below that may move and would help.
    pub fn candidates(&self, tier: u8) -> Vec<usize> {
        let over: Vec<bool> = (0..self.carriers.len())
            .map(|c| self.overload_of(c) > 0)
            .collect();
        (0..self.items.len())
            .filter(|i| {
                let item = &self.items[*i];
                self.at[*i] == item.owner
                    && !item.fixed
                    && item.tier <= tier
                    && over[item.owner]
                    && self.relief(*i) > 0
            })
            .collect()
    }

    /// The best moves of one tier; whether they are proved to be.
    fn solve_tier(&mut self, tier: u8, most: usize) -> bool {
        let start = self.clone();
        let candidates = self.candidates(tier);
        let mut by_owner: Vec<Vec<usize>> = vec![Vec::new(); self.carriers.len()];
        for i in &candidates {
            by_owner[self.items[*i].owner].push(*i);
        }
        self.fill(&by_owner, most);
        loop {
            let mut better = self.drop_needless();
            better |= self.two_for_one(&by_owner);
            better |= self.moved.len() < most && self.make_room(&by_owner);
            if !better {
                break;
            }
            self.fill(&by_owner, most);
        }
        self.drop_needless();
        match exact::search(&start, &candidates, self, most) {
            exact::Found::Better(state) => {
                *self = *state;
                true
            }
            exact::Found::Nothing => true,
            exact::Found::TooLarge => false,
        }
    }

    /// Moves items as long as that lowers the overload: each time the one with the most relief; of several the one that costs least, then
    /// the lightest.
    fn fill(&mut self, by_owner: &[Vec<usize>], most: usize) {
        type Best = Option<(usize, usize, i64)>;
        let mut best: Vec<Option<Best>> = vec![None; by_owner.len()];
        while self.moved.len() < most {
            for (owner, items) in by_owner.iter().enumerate() {
                if best[owner].is_none() {
                    best[owner] = Some(self.best_of(items));
                }
            }
            let chosen = best
                .iter()
                .flatten()
                .flatten()
                .max_by_key(|(item, _, relief)| {
                    let i = &self.items[*item];
                    (
                        *relief,
                        std::cmp::Reverse((i.cost, i.load.iter().sum::<i64>(), *item)),
                    )
                })
                .copied();
            let Some((item, to, _)) = chosen else { break };
            self.put(item, to);
            let owner = self.items[item].owner;
            for (o, b) in best.iter_mut().enumerate() {
                // What another wanted to give to the same one may fit there no longer, or better.
                let same = matches!(b, Some(Some((_, t, _))) if *t == to);
                if o == owner || same {
                    *b = None;
                }
            }
        }
    }

    fn best_of(&self, items: &[usize]) -> Option<(usize, usize, i64)> {
        let mut order: Vec<(i64, u32, i64, usize)> = items
            .iter()
            .filter(|i| self.at[**i] == self.items[**i].owner)
            .map(|i| {
                let item = &self.items[*i];
                (-self.relief(*i), item.cost, item.load.iter().sum(), *i)
            })
            .filter(|(relief, ..)| *relief < 0)
            .collect();
        order.sort_unstable();
        order
            .into_iter()
            .find_map(|(relief, _, _, i)| Some((i, self.receiver(i)?, -relief)))
    }

    /// Takes back moves without which the overload is the same, the dearest first.
    fn drop_needless(&mut self) -> bool {
        let mut moved = self.moved.clone();
        moved.sort_by_key(|i| {
            let item = &self.items[*i];
            (std::cmp::Reverse((item.tier, item.cost)), *i)
        });
        let mut any = false;
        for item in moved {
            let (to, before) = (self.at[item], self.overload());
            self.put(item, self.items[item].owner);
            if self.overload() > before {
                self.put(item, to);
            } else {
                any = true;
            }
        }
        any
    }

    /// Replaces two moves of one owner's items by one that does as much. Only the lightest are looked at: two heavy ones are worth two.
    fn two_for_one(&mut self, by_owner: &[Vec<usize>]) -> bool {
        const LIGHTEST: usize = 40;
        let weight = |i: &usize| self.items[*i].load.iter().sum::<i64>();
        let mut any = false;
        for items in by_owner {
            'again: loop {
                let (mut moved, still): (Vec<usize>, Vec<usize>) = items
                    .iter()
                    .partition(|i| self.at[**i] != self.items[**i].owner);
                let Some(heaviest) = still.iter().map(weight).max() else {
                    break;
                };
                moved.sort_by_key(|i| (weight(i), *i));
                moved.truncate(LIGHTEST);
                for (n, a) in moved.iter().enumerate() {
                    for b in &moved[n + 1..] {
                        if self.replace(*a, *b, &still, heaviest) {
                            any = true;
                            continue 'again;
                        }
                    }
                }
                break;
            }
        }
        any
    }

    fn replace(&mut self, a: usize, b: usize, still: &[usize], heaviest: i64) -> bool {
        let owner = self.items[a].owner;
        let (to_a, to_b, goal) = (self.at[a], self.at[b], self.overload_of(owner));
        self.put(a, owner);
        self.put(b, owner);
        let needed = self.overload_of(owner) - goal;
        for i in still.iter().filter(|_| needed <= heaviest) {
            if self.relief(*i) >= needed
                && let Some(to) = self.receiver(*i)
            {
                self.put(*i, to);
                return true;
            }
        }
        self.put(a, to_a);
        self.put(b, to_b);
        false
    }

    /// Where an item would help but fits nowhere, sends another moved one elsewhere so that it fits.
    fn make_room(&mut self, by_owner: &[Vec<usize>]) -> bool {
        let elsewhere: Vec<(usize, usize, usize)> = self
            .moved
            .iter()
            .filter_map(|o| {
                let at = self.at[*o];
                let to = (0..self.carriers.len()).find(|c| *c != at && self.fits(*o, *c))?;
                Some((*o, at, to))
            })
            .collect();
        for item in by_owner.iter().flatten() {
            if self.at[*item] != self.items[*item].owner || self.relief(*item) == 0 {
                continue;
            }
            for (other, at, to) in &elsewhere {
                let freed = self.items[*other].load;
                subtract(&mut self.loads[*at], &freed);
                let fits = self.fits(*item, *at);
                add(&mut self.loads[*at], &freed);
                if fits {
                    self.put(*other, *to);
                    self.put(*item, *at);
                    return true;
                }
            }
        }
        false
    }

    /// Gives what moves to whoever has the most room: the same moves, more even.
    fn even_out(&mut self) {
        let mut moved = self.moved.clone();
        moved.sort_by_key(|i| {
            (
                std::cmp::Reverse(self.items[*i].load.iter().sum::<i64>()),
                *i,
            )
        });
        for item in moved {
            let at = self.at[item];
            self.put(item, self.items[item].owner);
            let filled = |c: usize| -> f64 {
                (0..DIMS)
                    .filter(|d| self.carriers[c].take[*d] > 0)
                    .map(|d| {
                        (self.loads[c][d] + self.items[item].load[d]) as f64
                            / self.carriers[c].take[d] as f64
                    })
                    .fold(0.0, f64::max)
            };
            let to = (0..self.carriers.len())
                .filter(|c| *c == at || self.fits(item, *c))
                .min_by(|a, b| filled(*a).total_cmp(&filled(*b)).then(a.cmp(b)))
                .unwrap_or(at);
            self.put(item, to);
        }
    }

    /// The moves in the order of their relief.
    fn in_order(self, before: i64, proved: bool) -> Solution {
        let after = self.overload();
        let mut left = self.moved.clone();
        let mut replay = State::new(self.carriers, self.items);
        let mut moves = Vec::with_capacity(left.len());
        while let Some((n, item)) = left
            .iter()
            .enumerate()
            .max_by_key(|(_, i)| (replay.relief(**i), std::cmp::Reverse(**i)))
            .map(|(n, i)| (n, *i))
        {
            left.swap_remove(n);
            moves.push(Move {
                item,
                from: self.items[item].owner,
                to: self.at[item],
                relief: replay.relief(item),
            });
            replay.put(item, self.at[item]);
        }
        Solution {
            moves,
            before,
            after,
            proved,
        }
    }
}

fn add(to: &mut Load, more: &Load) {
    to.iter_mut().zip(more).for_each(|(t, m)| *t += m);
}

fn subtract(from: &mut Load, less: &Load) {
    from.iter_mut().zip(less).for_each(|(f, l)| *f -= l);
}
