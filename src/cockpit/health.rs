//! What `[health]` means: from the settings to the model that insight applies.

use crate::config::{self, HealthDrive, HealthMissing, HealthScale, HealthSignal};
use crate::insight::health::{Drive, Edges, Missing, Model, Scale, Signal, SignalChange, When};

/// The model that the settings describe. Bands that they do not give are those of `[risk]`, signals that they do not give the built-in
/// ones.
pub fn model_of(health: &config::Health, risk: &config::Risk) -> Model {
    let built_in = Model::default();
    let signals: Vec<Signal> = health
        .signals
        .iter()
        .filter_map(|s| {
            Some(Signal {
                name: s.name.clone(),
                // The settings take known names only.
                measure: s.measure.parse().ok()?,
                weight: s.weight.unwrap_or(1.0),
                scale: scale_of(s)?,
                half_life: s.half_life,
            })
        })
        .collect();
    let good = health.good.unwrap_or(risk.good);
    Model {
        drive: match health.drive {
            HealthDrive::Vendor => Drive::Vendor,
            HealthDrive::Csops => Drive::Csops,
        },
        missing: match health.missing {
            HealthMissing::Drop => Missing::Drop,
            HealthMissing::Neutral => Missing::Neutral,
            HealthMissing::Bad => Missing::Bad,
        },
        coverage: health.coverage,
        hysteresis: health.hysteresis,
        edges: Edges {
            good,
            watch: health.watch.unwrap_or(risk.watch).min(good),
        },
        signals: if signals.is_empty() {
            built_in.signals
        } else {
            signals
        },
        when: health
            .when
            .iter()
            .map(|w| When {
                segment: w.segment.clone(),
                touch: w.touch.clone(),
                stage: w.stage.clone(),
                from_month: w.from_month,
                to_month: w.to_month,
                good: w.good,
                watch: w.watch,
                signals: w
                    .signals
                    .iter()
                    .map(|s| SignalChange {
                        name: s.name.clone(),
                        weight: s.weight,
                        scale: scale_of(s),
                        half_life: s.half_life,
                    })
                    .collect(),
            })
            .collect(),
    }
}

fn scale_of(signal: &HealthSignal) -> Option<Scale> {
    signal.scale.as_ref().map(|s| match s {
        HealthScale::Linear { worst, best } => Scale::Linear {
            worst: *worst,
            best: *best,
        },
        HealthScale::Steps(steps) => Scale::Steps(steps.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Account, Book, Day, Facts, LocalId, Overlay, RowDelta};
    use crate::insight::health::{MEASURES, Scorer};
    use jiff::civil::{Date, date};
    use std::path::Path;

    const TODAY: Date = date(2026, 11, 22);

    fn load(file: &str) -> Model {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let (health, problems) = config::load_health(&path).unwrap();
        assert_eq!(problems, []);
        model_of(&health, &config::Risk::default())
    }

    #[test]
    fn the_example_is_the_built_in_model() {
        assert_eq!(load("config.example.toml"), Model::default());
        let nothing = model_of(&config::Health::default(), &config::Risk::default());
        assert_eq!(nothing, Model::default());
    }

    #[test]
    fn the_settings_take_the_measures_that_there_are() {
        let names: Vec<&str> = MEASURES.iter().map(|m| m.0).collect();
        assert_eq!(config::MEASURES, names);
    }

    /// Licence use by the age of the customer and engagement: the colours of GitLab's handbook.
    #[test]
    fn gitlabs_thresholds_by_the_age_of_the_customer() {
        let model = load("docs/health-gitlab.toml");
        let account = |kind: &str, months: i32, value: f64| {
            let account = Account {
                id: LocalId(1),
                start: TODAY.checked_sub(jiff::Span::new().months(months)).ok(),
                ..Account::default()
            };
            let signal = crate::book::Signal {
                id: LocalId(1),
                account: Some(LocalId(1)),
                kind: kind.into(),
                at: Some(TODAY),
                value: Some(value),
                ..crate::book::Signal::default()
            };
            let delta = RowDelta {
                accounts: vec![(account, Facts::default())],
                signals: vec![(signal, None)],
                ..RowDelta::default()
            };
            let book = Book::empty().apply(delta, &Overlay::default());
            let mut scorer = Scorer::new(&model, Day::of(Some(TODAY)));
            match scorer.grade(&book.account(0), None).score.whole() {
                Some(20) => "red",
                Some(55) => "yellow",
                Some(85) => "green",
                _ => "none",
            }
        };
        for (months, colours) in [
            (0, ["red", "yellow", "yellow", "green", "green", "green"]),
            (5, ["red", "yellow", "yellow", "green", "green", "green"]),
            (6, ["red", "red", "red", "yellow", "yellow", "green"]),
            (9, ["red", "red", "red", "red", "red", "green"]),
            (48, ["red", "red", "red", "red", "red", "green"]),
        ] {
            let got =
                [9.0, 10.0, 50.0, 51.0, 75.0, 76.0].map(|v| account("licence.use", months, v));
            assert_eq!(got, colours, "after {months} months");
        }
        let engaged = [0.0, 49.0, 50.0, 79.0, 80.0].map(|v| account("engagement", 3, v));
        assert_eq!(engaged, ["red", "red", "yellow", "yellow", "green"]);
    }
}
