//! The health model: `[health]` of the settings, or a file of its own with the same keys (for `csops health diff`).

use super::reader::{Problem, Reader, Section, Severity, float, type_name};
use super::settings::{Health, HealthDrive, HealthMissing, HealthScale, HealthSignal, HealthWhen};
use std::collections::BTreeSet;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What can be measured of an account; beside these `signal:KIND` names any kind of signal.
pub const MEASURES: &[&str] = &[
    "usage.level",
    "usage",
    "usage.trend",
    "tickets",
    "tickets.urgent",
    "nps",
    "touch.age",
    "sponsor.age",
    "sentiment",
    "health",
    "health.delta",
    "risk.open",
];

/// Reads a model from a file: its `[health]`, or the whole file when it has none.
///
/// # Errors
/// When the file cannot be read, in one sentence.
pub fn load_health(file: &Path) -> Result<(Health, Vec<Problem>), String> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| format!("the health model {} cannot be read: {e}", file.display()))?;
    let reader = Reader::new(file, &text);
    let (document, errors) = DeTable::parse_recoverable(&text);
    for e in errors {
        let message = e.message().lines().next().unwrap_or("not TOML").to_owned();
        reader.say(Severity::Error, e.span(), message);
    }
    let top = Section::new(&reader, "", Some(document.get_ref()), None);
    // In a whole settings file the rest is not looked at: `config check` does that.
    let health = if top.has("health") {
        health(top.section("health"))
    } else {
        health(top)
    };
    let (mut problems, _) = reader.finish();
    problems.sort_by_key(|p| (p.line, p.column));
    Ok((health, problems))
}

/// Reads the model.
pub(super) fn health(s: Section<'_, '_>) -> Health {
    let d = Health::default();
    let drives = [
        ("vendor", HealthDrive::Vendor),
        ("csops", HealthDrive::Csops),
    ];
    let missing = [
        ("drop", HealthMissing::Drop),
        ("neutral", HealthMissing::Neutral),
        ("bad", HealthMissing::Bad),
    ];
    let mut health = Health {
        drive: s.word("drive", "vendor", &drives).unwrap_or(d.drive),
        missing: s.word("missing", "drop", &missing).unwrap_or(d.missing),
        coverage: s
            .number("coverage", d.coverage, 0.0..=1.0)
            .unwrap_or(d.coverage),
        hysteresis: s.whole_or("hysteresis", d.hysteresis, 0..=50),
        good: byte(&s, "good", 1..=100),
        watch: byte(&s, "watch", 0..=100),
        signals: signals(&s, true),
        when: Vec::new(),
    };
    if let (Some(good), Some(watch)) = (health.good, health.watch)
        && watch > good
    {
        s.error(
            s.raw("watch").map(|v| v.span()),
            format!("`{}` ({watch}) lies above `good` ({good})", s.name("watch")),
        );
        (health.good, health.watch) = (None, None);
    }
    let names: BTreeSet<String> = health.signals.iter().map(|s| s.name.clone()).collect();
    health.when = cases(&s, &names);
    s.done();
    health
}

/// A small whole number that may be left out.
fn byte(
    s: &Section<'_, '_>,
    key: &'static str,
    range: std::ops::RangeInclusive<u64>,
) -> Option<u8> {
    s.whole(key, None, range).and_then(|n| u8::try_from(n).ok())
}

/// A number that may be left out.
fn number(
    s: &Section<'_, '_>,
    key: &'static str,
    range: std::ops::RangeInclusive<f64>,
) -> Option<f64> {
    if s.has(key) {
        s.number(key, 0.0, range)
    } else {
        s.raw(key);
        None
    }
}

/// The signals of a table in the order of the file. With `whole` they are the model's, each of which must say what it measures and how
/// that becomes points; else they are changes.
fn signals(s: &Section<'_, '_>, whole: bool) -> Vec<HealthSignal> {
    let mut found: Vec<(usize, HealthSignal)> = Vec::new();
    for (name, section) in s.section("signals").tables() {
        let path = s.name(&format!("signals.{name}"));
        let mut signal = HealthSignal {
            measure: String::new(),
            weight: number(&section, "weight", 0.0..=1e6),
            scale: scale(&section),
            half_life: number(&section, "half_life_days", 0.1..=36_500.0),
            name,
        };
        let mut usable = true;
        if whole {
            // Without one it is the measure of its own name.
            let named = section.has("measure");
            let own = measure(&signal.name).ok().filter(|_| !named);
            let found = section.parsed("measure", &signal.name, measure).or(own);
            if found.is_none() && !named {
                let all = MEASURES.join(", ");
                section.error(
                    section.span(),
                    format!(
                        "`{path}` names no measure: set measure to one of {all}, or signal:KIND"
                    ),
                );
            }
            if signal.scale.is_none() && !["worst", "best", "steps"].iter().any(|k| section.has(k))
            {
                section.error(section.span(), format!("`{path}` does not say how its value becomes points: set worst and best, or steps = [[value, points], …]"));
            }
            usable = found.is_some() && signal.scale.is_some();
            signal.measure = found.unwrap_or_default();
        }
        if usable {
            found.push((section.span().map_or(0, |s| s.start), signal));
        }
        section.done();
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, s)| s).collect()
}

fn measure(text: &str) -> Result<String, String> {
    if MEASURES.contains(&text) || text.strip_prefix("signal:").is_some_and(|k| !k.is_empty()) {
        return Ok(text.to_owned());
    }
    Err(match super::nearest(text, MEASURES.iter().copied()) {
        Some(near) => format!("does not know `{text}`; did you mean `{near}`?"),
        None => format!(
            "does not know `{text}`; it is one of: {}, or signal:KIND",
            MEASURES.join(", ")
        ),
    })
}

/// `worst` and `best`, or `steps`.
fn scale(s: &Section<'_, '_>) -> Option<HealthScale> {
    let (worst, best) = (
        number(s, "worst", -1e12..=1e12),
        number(s, "best", -1e12..=1e12),
    );
    let steps = s.raw("steps");
    match (worst, best, steps) {
        (None, None, Some(raw)) => self::steps(s, raw),
        (Some(worst), Some(best), None) if worst != best => {
            Some(HealthScale::Linear { worst, best })
        }
        (Some(_), Some(_), None) => {
            s.error(
                s.raw("best").map(|v| v.span()),
                format!("`{}` and worst are the same value", s.name("best")),
            );
            None
        }
        (None, None, None) => None,
        (_, _, Some(raw)) => {
            s.error(
                Some(raw.span()),
                format!(
                    "`{}` stands beside worst or best; write one or the other",
                    s.name("steps")
                ),
            );
            None
        }
        _ => {
            if s.has("worst") != s.has("best") {
                s.error(
                    s.span(),
                    format!("`{}` and worst stand together", s.name("best")),
                );
            }
            None
        }
    }
}

fn steps(s: &Section<'_, '_>, raw: &Spanned<DeValue<'_>>) -> Option<HealthScale> {
    let wrong = |span, what: String| {
        s.error(Some(span), format!("`{}` {what}", s.name("steps")));
        None
    };
    let expected = "takes a list of pairs, value and points from it on, such as [[0, 100], [3, 0]]";
    let Some(list) = raw.get_ref().as_array().filter(|l| !l.is_empty()) else {
        return wrong(
            raw.span(),
            format!("{expected}, not {}", type_name(raw.get_ref())),
        );
    };
    let mut out: Vec<(f64, f64)> = Vec::new();
    for item in list.iter() {
        let pair = item.get_ref().as_array().and_then(|p| {
            let n: Vec<f64> = p.iter().filter_map(|v| float(v.get_ref())).collect();
            (p.len() == 2 && n.len() == 2).then(|| (n[0], n[1]))
        });
        let Some((from, points)) = pair else {
            return wrong(item.span(), expected.to_owned());
        };
        if !(0.0..=100.0).contains(&points) {
            return wrong(
                item.span(),
                format!("has {points} points; they lie between 0 and 100"),
            );
        }
        if out.last().is_some_and(|(last, _)| *last >= from) {
            return wrong(
                item.span(),
                format!("must rise from step to step; {from} does not"),
            );
        }
        out.push((from, points));
    }
    Some(HealthScale::Steps(out))
}

/// `[[health.when]]`: what holds otherwise for some accounts.
fn cases(s: &Section<'_, '_>, names: &BTreeSet<String>) -> Vec<HealthWhen> {
    let Some(raw) = s.raw("when") else {
        return Vec::new();
    };
    let Some(list) = raw.get_ref().as_array() else {
        let message = format!(
            "`{0}` is a list; write [[{0}]] with two brackets",
            s.name("when")
        );
        s.error(Some(raw.span()), message);
        return Vec::new();
    };
    let mut out = Vec::new();
    for (i, item) in list.iter().enumerate() {
        let Some(table) = item.get_ref().as_table() else {
            let message = format!("`{0}` is a list of tables; write [[{0}]]", s.name("when"));
            s.error(Some(item.span()), message);
            continue;
        };
        if i == HealthWhen::MOST {
            let message = format!(
                "only the first {} cases of `{}` count",
                HealthWhen::MOST,
                s.name("when")
            );
            s.error(Some(item.span()), message);
            break;
        }
        let path = s.name(&format!("when.{}", i + 1));
        let case = Section::new(s.reader, &path, Some(table), Some(item.span()));
        let months = |key| {
            case.whole(key, None, 0..=1200)
                .and_then(|n| u16::try_from(n).ok())
        };
        let when = HealthWhen {
            segment: case.text("segment", ""),
            touch: case.text("touch", ""),
            stage: case.text("stage", ""),
            from_month: months("from_month"),
            to_month: months("to_month"),
            good: byte(&case, "good", 1..=100),
            watch: byte(&case, "watch", 0..=100),
            signals: signals(&case, false),
        };
        for (name, section) in case.section("signals").tables() {
            // Without signals of the file's own they are csops', whose names the model knows.
            if names.is_empty() || names.contains(&name) {
                continue;
            }
            let hint = match super::nearest(&name, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let all: Vec<&str> = names.iter().map(String::as_str).collect();
                    format!("the signals are: {}", all.join(", "))
                }
            };
            let message = format!("`{path}.signals` has no signal `{name}` to change; {hint}");
            section.error(section.span(), message);
        }
        case.done();
        out.push(when);
    }
    out
}
