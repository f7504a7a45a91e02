//! The arithmetic of surveys: scores and their 95 % intervals.

use super::Method;
use super::scale::Scale;

/// The quantile of the normal distribution for a two-sided interval of 95 %.
const Z: f64 = 1.96;

/// A net promoter score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nps {
    /// Answers of 9 and 10.
    pub promoters: usize,
    /// Answers between.
    pub passives: usize,
    /// Answers from 0 to 6.
    pub detractors: usize,
    /// −100 to 100.
    pub score: i64,
    /// The 95 % interval: ±1.96·√((p + d − (p − d)²)/n)·100, within −100 and 100.
    pub interval: (f64, f64),
}

impl Nps {
    /// How many answered.
    pub fn n(&self) -> usize {
        self.promoters + self.passives + self.detractors
    }
}

/// Whether an answer is a promoter's (also the mean of an account's answers).
pub fn is_promoter(answer: f64) -> bool {
    answer >= 9.0
}

/// Whether an answer is a detractor's: 0 to 6.
pub fn is_detractor(answer: f64) -> bool {
    answer <= 6.0
}

/// The score of some answers from 0 to 10; none of none.
pub fn nps(answers: impl IntoIterator<Item = f64>) -> Option<Nps> {
    let (mut promoters, mut passives, mut detractors) = (0, 0, 0);
    for a in answers {
        match a {
            a if is_promoter(a) => promoters += 1,
            a if is_detractor(a) => detractors += 1,
            _ => passives += 1,
        }
    }
    let n = promoters + passives + detractors;
    if n == 0 {
        return None;
    }
    let (p, d) = (promoters as f64 / n as f64, detractors as f64 / n as f64);
    // Whole per cent from whole counts, half away from zero.
    let score = (100.0 * (promoters as f64 - detractors as f64) / n as f64).round() as i64;
    let half = Z * ((p + d - (p - d).powi(2)).max(0.0) / n as f64).sqrt() * 100.0;
    let exact = (p - d) * 100.0;
    Some(Nps {
        promoters,
        passives,
        detractors,
        score,
        interval: ((exact - half).max(-100.0), (exact + half).min(100.0)),
    })
}

/// A score of satisfaction or effort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// How it was computed.
    pub method: Method,
    /// How many answered.
    pub n: usize,
    /// A share (top, percent) from 0 to 1, or an answer on the scale (mean).
    pub value: f64,
    /// The 95 % interval: Wilson's for a share of answers; the mean ± 1.96 standard errors, within the scale, for the others. None for
    /// the mean of a single answer.
    pub interval: Option<(f64, f64)>,
    /// Answers in the uppermost boxes.
    pub top: usize,
    /// The sum of the answers.
    pub sum: f64,
}

/// The score of answers on one scale; none of none. `boxes`: how many of the uppermost answers count as the top.
pub fn score(answers: &[f64], scale: Scale, method: Method, boxes: u8) -> Option<Score> {
    let n = answers.len();
    if n == 0 {
        return None;
    }
    let count = n as f64;
    let edge = f64::from(scale.high) - f64::from(boxes) + 1.0;
    let top = answers.iter().filter(|a| **a >= edge).count();
    let sum: f64 = answers.iter().sum();
    let mean = sum / count;
    let around = || {
        (n > 1).then(|| {
            let spread: f64 = answers.iter().map(|a| (a - mean).powi(2)).sum();
            let half = Z * (spread / (count - 1.0) / count).sqrt();
            (
                (mean - half).max(f64::from(scale.low)),
                (mean + half).min(f64::from(scale.high)),
            )
        })
    };
    let high = f64::from(scale.high);
    let (value, interval) = match method {
        Method::Top => (top as f64 / count, Some(wilson(top, n))),
        Method::Mean => (mean, around()),
        Method::Percent => (mean / high, around().map(|(a, b)| (a / high, b / high))),
    };
    Some(Score {
        method,
        n,
        value,
        interval,
        top,
        sum,
    })
}

/// Wilson's 95 % interval of a share of `n`: holds for few answers and near 0 and 1, where the normal one does not.
pub fn wilson(hits: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (k, n) = (hits as f64, n as f64);
    let (p, z2) = (k / n, Z * Z);
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    ((middle - half).max(0.0), (middle + half).min(1.0))
}
