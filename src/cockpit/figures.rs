//! What the configuration says about data quality, growth, onboarding and the customers' voice, as insight takes it.

use crate::config::{Loaded, Origin, Problem, ScoreMethod, Settings, Severity};
use crate::insight::{growth, onboarding, quality, voice};
use std::path::Path;

/// From when on data is defective.
pub(super) fn quality_of(settings: &Settings) -> quality::Settings {
    let s = &settings.quality;
    quality::Settings {
        stale_health_days: s.stale_health_days,
        arr_tolerance: s.arr_tolerance,
        earliest_year: s.earliest_year,
        years_ahead: s.years_ahead,
        ignore: s.ignore.clone(),
    }
}

/// What speaks for expansion.
pub(super) fn growth_of(settings: &Settings) -> growth::Settings {
    let s = &settings.growth;
    growth::Settings {
        seat_use: s.seat_use,
        usage_growth: s.usage_growth,
        limit_days: s.limit_days,
        period_days: s.period_days,
        ask_again_days: s.ask_again_days,
        csql_origins: s.csql_origins.clone(),
    }
}

/// How onboarding is read from records.
pub(super) fn onboarding_of(settings: &Settings) -> onboarding::Settings {
    let s = &settings.onboarding;
    onboarding::Settings {
        cohort_days: s.cohort_days,
        first_value_days: s.first_value_days,
        open_days: s.open_days,
        stages: s.stages.clone(),
        classes: s.classes.clone(),
    }
}

/// How surveys are read.
pub(super) fn voice_of(settings: &Settings) -> voice::Settings {
    let s = &settings.voice;
    let method = |m| match m {
        ScoreMethod::Top => voice::Method::Top,
        ScoreMethod::Mean => voice::Method::Mean,
        ScoreMethod::Percent => voice::Method::Percent,
    };
    voice::Settings {
        period_days: s.period_days,
        csat: method(s.csat),
        ces: method(s.ces),
        csat_scale: s.csat_scale,
        ces_scale: s.ces_scale,
        follow_up_hours: s.follow_up_hours,
    }
}

/// The settings with what only has a meaning here checked as well: the kinds of defect under `[quality] ignore`.
pub fn checked(mut loaded: Loaded, file: &Path) -> Loaded {
    let at = loaded.shown.iter().find(|s| s.key == "quality.ignore");
    let line = match at.map(|s| &s.origin) {
        Some(Origin::Line(line)) => *line,
        _ => 1,
    };
    for name in &loaded.settings.quality.ignore {
        if quality::defect(name).is_some() {
            continue;
        }
        let names = quality::DEFECTS.iter().map(|d| d.name);
        let hint = crate::book::nearest::nearest(name, names)
            .map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        loaded.problems.push(Problem {
            file: file.to_owned(),
            line,
            column: 1,
            severity: Severity::Error,
            message: format!("`quality.ignore`: there is no defect `{name}`{hint}"),
        });
    }
    loaded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_configured_is_insights_default() {
        let settings = Settings::default();
        assert_eq!(quality_of(&settings), quality::Settings::default());
        assert_eq!(growth_of(&settings), growth::Settings::default());
        assert_eq!(onboarding_of(&settings), onboarding::Settings::default());
        assert_eq!(voice_of(&settings), voice::Settings::default());
    }

    #[test]
    fn a_misspelt_defect_is_told_with_its_line_and_its_neighbour() {
        let file = Path::new("config.toml");
        let text = "[quality]\nignore = [\"no_owner\", \"duplicat\"]\n";
        let loaded = checked(crate::config::load_text(text, file), file);
        let said: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "config.toml:2:1: `quality.ignore`: there is no defect `duplicat`; did you mean `duplicate`?"
            ]
        );
    }
}
