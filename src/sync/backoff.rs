//! How long to wait before trying again: doubling, with a little chance in it so that many do not come back at once.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// The wait after the `failures`-th failure in a row (from 1): `first`, doubled each time, at most `most`, 20 % up or down, and never less
/// than what the vendor asked for.
pub(super) fn wait(
    failures: u32,
    first: Duration,
    most: Duration,
    asked: Option<Duration>,
) -> Duration {
    let doubled = first.saturating_mul(1u32 << failures.saturating_sub(1).min(16));
    let chance = f64::from(RandomState::new().build_hasher().finish() as u32) / f64::from(u32::MAX);
    let wait = doubled.min(most).mul_f64(0.8 + 0.4 * chance);
    asked.map_or(wait, |a| wait.max(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_are_bounded_and_obey_the_vendor() {
        let s = Duration::from_secs;
        for n in 1..=60 {
            let w = wait(n, s(2), s(300), None);
            let plain = s(2).saturating_mul(1 << (n - 1).min(16)).min(s(300));
            assert!(
                w >= plain.mul_f64(0.79) && w <= plain.mul_f64(1.21),
                "{n}: {w:?}"
            );
        }
        assert!(wait(1, s(2), s(300), Some(s(120))) >= s(120));
    }
}
