//! The Kaplan–Meier estimate of how long something takes, of subjects some of whom are still waiting.

/// One subject: so many days, and whether it happened then or is still awaited (censored).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Days from the beginning to the event, or to today.
    pub days: i32,
    /// It happened.
    pub reached: bool,
}

/// A step of the curve: from this day on, this share still waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The day.
    pub days: i32,
    /// How many waited until this day.
    pub at_risk: usize,
    /// How many of them were there on it.
    pub reached: usize,
    /// The share that waits on after it: the product of (1 − reached ÷ at risk) up to here.
    pub waiting: f64,
}

/// The curve: a step for each day on which it happened to somebody. Whoever is censored on that very day still waited on it.
pub fn curve(spans: &[Span]) -> Vec<Step> {
    let mut sorted = spans.to_vec();
    sorted.sort_by_key(|s| s.days);
    let mut steps: Vec<Step> = Vec::new();
    let mut waiting = 1.0;
    let mut i = 0;
    while i < sorted.len() {
        let days = sorted[i].days;
        let at_risk = sorted.len() - i;
        let same = sorted[i..].iter().take_while(|s| s.days == days).count();
        let reached = sorted[i..i + same].iter().filter(|s| s.reached).count();
        if reached > 0 {
            waiting *= 1.0 - reached as f64 / at_risk as f64;
            steps.push(Step {
                days,
                at_risk,
                reached,
                waiting,
            });
        }
        i += same;
    }
    steps
}

/// The median: the first day on which at most half wait on. None when more than half still wait at the end.
pub fn median(steps: &[Step]) -> Option<i32> {
    // A product of exact halves may come out a hair above one half.
    let half = 0.5 + 1e-12;
    steps.iter().find(|s| s.waiting <= half).map(|s| s.days)
}

/// The share that is there after so many days; none when nobody was watched for so long.
pub fn reached_within(steps: &[Step], spans: &[Span], days: i32) -> Option<f64> {
    let watched = spans.iter().map(|s| s.days).max()?;
    let after = steps.iter().take_while(|s| s.days <= days).last();
    let share = 1.0 - after.map_or(1.0, |s| s.waiting);
    // Beyond the longest wait nothing is known, unless everybody is there.
    (days <= watched || share >= 1.0).then_some(share)
}

/// The median of those who are there, which is too small whenever somebody still waits: shown beside the other to say by how much.
pub fn finished_median(spans: &[Span]) -> Option<f64> {
    let mut days: Vec<i32> = spans.iter().filter(|s| s.reached).map(|s| s.days).collect();
    days.sort_unstable();
    let middle = days.len() / 2;
    match days.len() {
        0 => None,
        n if n % 2 == 1 => Some(f64::from(days[middle])),
        _ => Some((f64::from(days[middle - 1]) + f64::from(days[middle])) / 2.0),
    }
}
