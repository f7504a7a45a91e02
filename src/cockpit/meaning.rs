//! What the configuration means to insight: its settings of figures, made from the settings that were read.

use super::figures;
use crate::book::Rate;
use crate::config;
use crate::insight::forecast::settings::Look;
use crate::insight::ledger::Mixed;
use crate::insight::priority::SaveCurve;
use crate::insight::{Band, Category, Rules, Settings, Targets, forecast, retention};

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
        retention: retention_of(settings),
        forecast: forecast_of(settings),
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

/// How renewals are forecast.
fn forecast_of(settings: &config::Settings) -> forecast::Settings {
    let c = &settings.forecast;
    let look = |name: &String| {
        let found = Look::ALL.iter().find(|(n, _)| n == name);
        found.map(|(_, look)| *look)
    };
    forecast::Settings {
        target: c.target,
        quarters: c.quarters.clone(),
        order: c.order.iter().filter_map(look).collect(),
        stages: c.stages.clone(),
        categories: c
            .categories
            .iter()
            .filter_map(|(name, p)| Some((Category::parse(name)?, *p)))
            .collect(),
        otherwise: c.otherwise,
        floor: c.floor,
        cap: c.cap,
        auto_renew: c.auto_renew,
        correlation: c.correlation,
        in_from: c.in_from,
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

/// The conventions and targets of retention.
fn retention_of(settings: &config::Settings) -> retention::Settings {
    let metrics = &settings.metrics;
    let mut policy = retention::Policy::default();
    for (name, value) in &metrics.policy {
        // The settings file was checked against the same words: a test holds them alike.
        if policy.set(name, value).is_err() {
            continue;
        }
    }
    retention::Settings {
        policy,
        mixed_currencies: match metrics.convert_mixed {
            true => Mixed::Convert,
            false => Mixed::Exclude,
        },
        grr_target: metrics.grr_target,
        nrr_target: metrics.nrr_target,
        logo_churn_target: metrics.logo_churn_target,
    }
}

/// The configured rates as rows; they win over the vendors'.
pub(super) fn rates_of(settings: &config::Settings) -> Vec<Rate> {
    let money = &settings.money;
    let rates = money.rates.iter().map(|r| Rate {
        from: r.currency.clone(),
        to: money.reporting_currency.clone(),
        rate: Some(r.rate),
        at: r.at,
        kind: Some(if r.plan { "plan" } else { "spot" }.to_owned()),
        ..Rate::default()
    });
    rates.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_file_knows_the_switches_of_retention() {
        let own: Vec<config::SwitchWords> = (retention::SWITCHES.iter())
            .map(|s| (s.name, s.values))
            .collect();
        assert_eq!(config::SWITCHES, own);
        let text =
            "[metrics]\nlate = \"term_end\"\nnrr_target = 1.1\nmixed_currencies = \"convert\"\n";
        let loaded = config::load_text(text, std::path::Path::new("config.toml"));
        let settings = settings_of(&loaded.settings).retention;
        assert_eq!(settings.policy.value("late"), "term_end");
        assert_eq!(
            (settings.grr_target, settings.nrr_target),
            (None, Some(1.1))
        );
        assert_eq!(settings.mixed_currencies, Mixed::Convert);
    }
}
