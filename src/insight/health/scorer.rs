//! The model applied to accounts: one [`Scorer`] for a pass over many.

use super::measure::Reading;
use super::model::{Drive, Edges, Model, Signal};
use super::score::{Part, Score, band_of, fresh, weigh};
use crate::book::{AccountRow, Day};
use crate::insight::rules::{Band, Rules};

/// What an account's signals come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Graded {
    /// The score.
    pub score: Score,
    /// Where bands begin for this account.
    pub edges: Edges,
    /// The band; none when the coverage is not sufficient.
    pub band: Option<Band>,
}

/// One signal of one account, for whoever asks why.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalPart<'m> {
    /// The signal as it counts for this account.
    pub signal: &'m Signal,
    /// Its value and day; none when it is missing.
    pub reading: Option<Reading>,
    /// Its points and what its age has left of its weight.
    pub part: Part,
}

/// The signals and edges that hold where some of the model's cases fit.
struct Variant {
    cases: u32,
    signals: Vec<Signal>,
    edges: Edges,
}

/// Applies a model. Keeps what it worked out of the model's cases.
pub struct Scorer<'m> {
    model: &'m Model,
    today: Day,
    variants: Vec<Variant>,
}

impl<'m> Scorer<'m> {
    /// Of a model, on a day.
    pub fn new(model: &'m Model, today: Day) -> Scorer<'m> {
        Scorer {
            model,
            today,
            variants: Vec::new(),
        }
    }

    fn variant(&mut self, a: &AccountRow<'_>) -> &Variant {
        let cases = self.model.cases(a, self.today);
        let known = self.variants.iter().position(|v| v.cases == cases);
        let at = known.unwrap_or_else(|| {
            let (signals, edges) = self.model.variant(cases);
            self.variants.push(Variant {
                cases,
                signals,
                edges,
            });
            self.variants.len() - 1
        });
        &self.variants[at]
    }

    /// The score and the band of an account that was in a band before, as far as that is known.
    pub fn grade(&mut self, a: &AccountRow<'_>, previous: Option<Band>) -> Graded {
        let (model, today) = (self.model, self.today);
        let variant = self.variant(a);
        let parts = variant.signals.iter().map(|s| part(s, a, today).1);
        let score = weigh(parts, model.missing);
        Graded {
            score,
            edges: variant.edges,
            band: band(model, &score, variant.edges, previous),
        }
    }

    /// Its signals one by one, the heaviest first.
    pub fn parts(&mut self, a: &AccountRow<'_>) -> Vec<SignalPart<'_>> {
        let today = self.today;
        let mut parts: Vec<SignalPart<'_>> = self
            .variant(a)
            .signals
            .iter()
            .map(|signal| {
                let (reading, part) = part(signal, a, today);
                SignalPart {
                    signal,
                    reading,
                    part,
                }
            })
            .collect();
        parts.sort_by(|x, y| y.signal.weight.total_cmp(&x.signal.weight));
        parts
    }
}

fn part(signal: &Signal, a: &AccountRow<'_>, today: Day) -> (Option<Reading>, Part) {
    let reading = signal.measure.read(a, today);
    let points = reading.and_then(|r| signal.scale.points(r.value));
    let age = reading.and_then(|r| r.age(today));
    let part = Part {
        weight: signal.weight,
        points,
        fresh: fresh(age, signal.half_life),
    };
    (reading, part)
}

fn band(model: &Model, score: &Score, edges: Edges, previous: Option<Band>) -> Option<Band> {
    // 0.6 of 100 parts is 60 of them, whatever binary fractions make of it.
    let sufficient = score.coverage + 1e-9 >= model.coverage;
    let points = score.whole().filter(|_| sufficient)?;
    Some(band_of(
        points,
        edges.good,
        edges.watch,
        previous,
        model.hysteresis,
    ))
}

/// The score, its band and whose it is that the probability of loss goes by; none when nobody has one.
pub fn driving(
    rules: &Rules,
    vendor: Option<u8>,
    ours: Option<(u8, Band)>,
) -> Option<(u8, Band, Drive)> {
    let vendor = vendor.map(|h| (h, rules.band(h), Drive::Vendor));
    let ours = ours.map(|(h, band)| (h, band, Drive::Csops));
    match rules.health.drive {
        Drive::Vendor => vendor.or(ours),
        Drive::Csops => ours.or(vendor),
    }
}
