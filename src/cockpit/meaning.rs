//! What the configuration means to insight: its settings of figures, made from the settings that were read.

use super::figures;
use crate::config;
use crate::insight::priority::SaveCurve;
use crate::insight::{Band, Rules, Settings, Targets};

/// The settings of figures as configured; what is not configured has its default.
pub(super) fn settings_of(settings: &config::Settings) -> Settings {
    Settings {
        risk: rules_of(settings),
        segments: targets_of(settings),
        capacity: super::capacity::capacity_of(settings),
        quality: figures::quality_of(settings),
        growth: figures::growth_of(settings),
        onboarding: figures::onboarding_of(settings),
        voice: figures::voice_of(settings),
        ..Settings::default()
    }
}

/// The rules of risk.
fn rules_of(settings: &config::Settings) -> Rules {
    Rules {
        probability: settings.risk.probabilities.map(|p| p as f32),
        good_from: settings.risk.good,
        bad_below: settings.risk.watch,
        threshold: settings.risk.threshold as f32,
        health: crate::cockpit::health::model_of(&settings.health, &settings.risk),
        save: {
            let [most, half_at, days] = settings.risk.save_curve;
            SaveCurve {
                most,
                half_at,
                days,
            }
        },
        ..Rules::default()
    }
}

/// The target bands as configured, over the built-in rules of thumb.
fn targets_of(settings: &config::Settings) -> Targets {
    let mut targets = Targets::default();
    for (name, wanted) in &settings.segments {
        let built_in = targets.band(name).cloned();
        let accounts = wanted.accounts_per_csm;
        let arr = wanted.arr_per_csm;
        let Some((accounts_from, accounts_to)) =
            accounts.or(built_in.as_ref().map(|b| (b.accounts_from, b.accounts_to)))
        else {
            continue;
        };
        targets.0.insert(
            name.clone(),
            Band {
                accounts_from,
                accounts_to,
                arr_from: arr
                    .map(|a| a.0)
                    .or(built_in.as_ref().and_then(|b| b.arr_from)),
                arr_to: arr
                    .map(|a| a.1)
                    .or(built_in.as_ref().and_then(|b| b.arr_to)),
                source: "[segments] of config.toml".into(),
            },
        );
    }
    targets
}
