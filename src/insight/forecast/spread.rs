//! How far the outcome can lie from the weighted forecast: the distribution of a sum of renewals, each of which comes whole or not at all.
//!
//! Amounts differ, so that it is the Poisson binomial distribution with weights. It is convolved exactly as long as the sums stay few
//! enough (always up to 16 renewals, and far beyond where amounts are round); a larger book on a grid whose step the answer names. A
//! normal curve alone would not do: books are small, and their sums lumpy.

use super::chance::Share;
use super::normal;
use serde::{Deserialize, Serialize};

/// Sums kept apart before a grid takes over.
const SUMS: usize = 1 << 16;
/// So much work (renewals × sums) is done exactly.
const WORK: usize = 8_000_000;
/// Renewals that lie on the grid one by one, those that move the sum most; the rest of a very large book is one normal share.
const ON_GRID: usize = 2048;

/// The distribution of what comes, by what people ask of it. Amounts are minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// With 90 % it is at least this: the smallest amount that is not undershot more often than once in ten.
    pub p10: i64,
    /// As often above as below.
    pub p50: i64,
    /// With 10 % it is more than this.
    pub p90: i64,
    /// The standard deviation.
    pub sd: f64,
    /// How it was computed.
    pub method: Method,
}

/// How a distribution was computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Nothing is open: there is one outcome.
    #[default]
    Certain,
    /// Every possible sum with its probability.
    Exact {
        /// How many sums are possible.
        sums: usize,
    },
    /// On a grid.
    Grid {
        /// Its step, minor units: amounts are split between their two neighbours, so that the mean is kept.
        step: i64,
        /// Small renewals that are one normal share beside it.
        rest: usize,
    },
}

/// The distribution of the sum of `items` (amount, probability) on top of what is certain. `correlation`: 0 for independent ones, see
/// [`Settings`](super::Settings).
pub fn spread(
    certain: i64,
    items: impl IntoIterator<Item = (i64, Share)>,
    correlation: f64,
) -> Spread {
    let mut base = certain;
    let mut open: Vec<Item> = Vec::new();
    for (amount, share) in items {
        if share == Share::ALL {
            base = base.saturating_add(amount);
        } else if share != Share::NONE && amount > 0 {
            let p = share.fraction();
            let threshold = if correlation > 0.0 {
                normal::quantile(p)
            } else {
                0.0
            };
            open.push(Item {
                amount,
                p,
                threshold,
            });
        }
    }
    if open.is_empty() {
        return Spread {
            p10: base,
            p50: base,
            p90: base,
            sd: 0.0,
            method: Method::Certain,
        };
    }
    let worlds = worlds(&open, correlation);
    let sd = deviation(&open, &worlds);
    let (answer, method) = match exact(&open, &worlds) {
        Some(sums) => {
            let at = |q| base.saturating_add(quantile(&sums, q));
            let method = Method::Exact { sums: sums.len() };
            ([at(0.1), at(0.5), at(0.9)], method)
        }
        None => on_grid(&mut open, &worlds, base),
    };
    Spread {
        p10: answer[0],
        p50: answer[1],
        p90: answer[2],
        sd,
        method,
    }
}

/// A renewal that may come or not.
struct Item {
    amount: i64,
    p: f64,
    /// The standard normal value below which it comes; only for correlated ones.
    threshold: f64,
}

/// Independent renewals live in one world. Correlated ones share a factor: given its value they are independent again, with other
/// probabilities; so many values of it, with their weights, make the mixture.
struct World {
    weight: f64,
    /// The factor and its loading; none: probabilities as they are.
    factor: Option<(f64, f64)>,
}

impl World {
    fn probability(&self, item: &Item) -> f64 {
        match self.factor {
            None => item.p,
            // Vasicek's one-factor model: p given z is Φ((Φ⁻¹(p) + √ρ·z) / √(1 − ρ)); its mean over z is p again.
            Some((z, rho)) => normal::cdf((item.threshold + rho.sqrt() * z) / (1.0 - rho).sqrt()),
        }
    }
}

fn worlds(open: &[Item], correlation: f64) -> Vec<World> {
    let rho = correlation.clamp(0.0, 0.9);
    if rho == 0.0 || rho.is_nan() || open.len() < 2 {
        return vec![World {
            weight: 1.0,
            factor: None,
        }];
    }
    // The trapezoid rule on a bell curve is exact to rounding at this step.
    let mut out: Vec<World> = (-24..=24)
        .map(|i| {
            let z = f64::from(i) * 0.25;
            World {
                weight: (-0.5 * z * z).exp(),
                factor: Some((z, rho)),
            }
        })
        .collect();
    let all: f64 = out.iter().map(|w| w.weight).sum();
    out.iter_mut().for_each(|w| w.weight /= all);
    out
}

/// The standard deviation, from the variances: no grid enters it.
fn deviation(open: &[Item], worlds: &[World]) -> f64 {
    let mean: f64 = open.iter().map(|i| i.amount as f64 * i.p).sum();
    let variance: f64 = worlds
        .iter()
        .map(|w| {
            let (mut m, mut v) = (0.0, 0.0);
            for item in open {
                let (a, p) = (item.amount as f64, w.probability(item));
                m += a * p;
                v += a * a * p * (1.0 - p);
            }
            w.weight * (v + (m - mean) * (m - mean))
        })
        .sum();
    variance.max(0.0).sqrt()
}

/// Every possible sum with its probability, in rising order; none when they are too many.
fn exact(open: &[Item], worlds: &[World]) -> Option<Vec<(i64, f64)>> {
    // The possible sums do not depend on the world: one that has too many ends it before the others are tried.
    let mut mixture: Vec<(i64, f64)> = Vec::new();
    let mut work = 0;
    for world in worlds {
        let mut sums = vec![(0, world.weight)];
        for item in open {
            work += sums.len();
            sums = shifted(&sums, item.amount, world.probability(item))?;
            if sums.len() > SUMS || work > WORK {
                return None;
            }
        }
        if mixture.is_empty() {
            mixture = sums;
        } else {
            mixture.iter_mut().zip(sums).for_each(|(m, s)| m.1 += s.1);
        }
    }
    Some(mixture)
}

/// The sums with one more renewal: the old ones where it does not come, and the old ones raised by its amount where it does.
fn shifted(sums: &[(i64, f64)], amount: i64, p: f64) -> Option<Vec<(i64, f64)>> {
    let mut out: Vec<(i64, f64)> = Vec::with_capacity(sums.len() * 2);
    let mut raised = sums.iter().peekable();
    let mut kept = sums.iter().peekable();
    loop {
        let next = match (kept.peek(), raised.peek()) {
            (Some(k), Some(r)) => k.0.min(r.0.checked_add(amount)?),
            (Some(k), None) => k.0,
            (None, Some(r)) => r.0.checked_add(amount)?,
            (None, None) => return Some(out),
        };
        let mut weight = 0.0;
        if let Some(k) = kept.next_if(|k| k.0 == next) {
            weight += k.1 * (1.0 - p);
        }
        if let Some(r) = raised.next_if(|r| r.0 + amount == next) {
            weight += r.1 * p;
        }
        out.push((next, weight));
    }
}

/// The smallest sum that is reached with at least this probability from below.
fn quantile(sums: &[(i64, f64)], q: f64) -> i64 {
    let mut below = 0.0;
    for (sum, p) in sums {
        below += p;
        // Probabilities add up to one but for rounding.
        if below >= q - 1e-12 {
            return *sum;
        }
    }
    sums.last().map_or(0, |s| s.0)
}

fn sum_of(items: &[Item]) -> i64 {
    items
        .iter()
        .fold(0, |sum: i64, i| sum.saturating_add(i.amount))
}

/// The largest renewals on a grid, the rest as one normal share.
fn on_grid(open: &mut [Item], worlds: &[World], base: i64) -> ([i64; 3], Method) {
    let moves = |i: &Item| (i.amount as f64).powi(2) * i.p * (1.0 - i.p);
    open.sort_by(|a, b| moves(b).total_cmp(&moves(a)).then(b.amount.cmp(&a.amount)));
    let (big, rest) = open.split_at(open.len().min(ON_GRID));
    let total = sum_of(big);
    // Splitting amounts between two points blurs the sum by less than half a step for each root of their number; so many points keep
    // that under a hundredth of its deviation. Many worlds share the work.
    let cells = (32 * big.len()).clamp(1 << 11, 1 << 14) >> if worlds.len() > 1 { 2 } else { 0 };
    let step = (total / cells as i64 + 1).max(1);
    let size = (total / step) as usize + big.len() + 2;
    let mut whole: Vec<(Vec<f64>, f64, f64)> = Vec::with_capacity(worlds.len());
    for world in worlds {
        let mut grid = vec![0.0; size];
        grid[0] = world.weight;
        let mut top = 0;
        for item in big {
            let (p, amount) = (world.probability(item), item.amount);
            let (cell, part) = (
                (amount / step) as usize,
                (amount % step) as f64 / step as f64,
            );
            // In place from above: what lies below is still as it was.
            top = (top + cell + 1).min(size - 1);
            for i in (0..=top).rev() {
                let mut v = grid[i] * (1.0 - p);
                if i >= cell {
                    v += grid[i - cell] * p * (1.0 - part);
                }
                if i > cell {
                    v += grid[i - cell - 1] * p * part;
                }
                grid[i] = v;
            }
        }
        let (mut mean, mut variance) = (0.0, 0.0);
        for item in rest {
            let (a, p) = (item.amount as f64, world.probability(item));
            mean += a * p;
            variance += a * a * p * (1.0 - p);
        }
        whole.push((grid, mean, variance.sqrt()));
    }
    let below = |x: f64| -> f64 {
        whole
            .iter()
            .map(|(grid, mean, sd)| {
                grid.iter()
                    .enumerate()
                    .map(|(i, w)| {
                        let left = x - mean - i as f64 * step as f64;
                        let share = if *sd > 0.0 {
                            normal::cdf(left / sd)
                        } else {
                            f64::from(u8::from(left >= 0.0))
                        };
                        w * share
                    })
                    .sum::<f64>()
            })
            .sum()
    };
    let most = total.saturating_add(sum_of(rest));
    let at = |q: f64| {
        // The smallest step at which the probability from below reaches q.
        let (mut low, mut high) = (0_i64, (most / step).saturating_add(1));
        while low < high {
            let middle = low.midpoint(high);
            if below(middle as f64 * step as f64) >= q - 1e-9 {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        base.saturating_add(low.saturating_mul(step).min(most))
    };
    let method = Method::Grid {
        step,
        rest: rest.len(),
    };
    ([at(0.1), at(0.5), at(0.9)], method)
}
