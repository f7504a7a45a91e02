//! From the text of `config.toml` to [`Settings`].

use super::figures;
use super::identity;
use super::metrics;
use super::nearest::nearest;
use super::reader::{Problem, Reader, Section, Severity, Shown, texts_of};
use super::settings::*;
use super::sources;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// A settings file as it was understood.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// What it says, with defaults for everything else.
    pub settings: Settings,
    /// What could not be used, in the file's order.
    pub problems: Vec<Problem>,
    /// Every key with its value and origin, for `config show`; secrets hidden.
    pub shown: Vec<Shown>,
    /// Whether there was a file.
    pub found: bool,
}

impl Loaded {
    /// The problems that keep a value from being used.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems
            .iter()
            .filter(|p| p.severity == Severity::Error)
    }
}

/// Reads the settings file. One that is not there gives the defaults without a problem (`found` is false); one that cannot be read,
/// the defaults with one problem.
pub fn load(file: &Path) -> Loaded {
    match std::fs::read(file) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => load_text(&text, file),
            Err(e) => {
                let text = String::from_utf8_lossy(e.as_bytes()).into_owned();
                unreadable(file, &text, e.utf8_error().valid_up_to())
            }
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Loaded {
            found: false,
            ..load_text("", file)
        },
        Err(e) => {
            let mut loaded = load_text("", file);
            loaded.problems.push(Problem {
                file: file.to_owned(),
                line: 1,
                column: 1,
                severity: Severity::Error,
                message: format!("the settings file cannot be read: {e}; the defaults are used"),
            });
            loaded
        }
    }
}

fn unreadable(file: &Path, text: &str, at: usize) -> Loaded {
    let (line, column) = Reader::new(file, text).place(at);
    let mut loaded = load_text("", file);
    loaded.found = true;
    loaded.problems.push(Problem {
        file: file.to_owned(),
        line,
        column,
        severity: Severity::Error,
        message: "the settings file is not UTF-8 text; save it as UTF-8. The defaults are used"
            .to_owned(),
    });
    loaded
}

/// Understands the text of a settings file; `file` is for messages and for paths relative to it.
pub fn load_text(text: &str, file: &Path) -> Loaded {
    let reader = Reader::new(file, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut broken = BTreeSet::new();
    for e in errors {
        let message = e.message().lines().next().unwrap_or("not TOML").to_owned();
        broken.insert(reader.place(e.span().map_or(0, |s| s.start)).0);
        reader.say(Severity::Error, e.span(), message);
    }
    let syntax = reader.count();
    let settings = settings(&reader, document.get_ref(), file);
    let (mut problems, shown) = reader.finish();
    // What the parser made of a broken line is not worth a second message.
    let mut at = 0;
    problems.retain(|p| {
        at += 1;
        at <= syntax || !broken.contains(&p.line)
    });
    problems.sort_by_key(|p| (p.line, p.column));
    Loaded {
        settings,
        problems,
        shown,
        found: true,
    }
}

/// One of the words, or the sentence that follows the key's name.
pub(super) fn choose(text: &str, words: &[&'static str]) -> Result<&'static str, String> {
    if let Some(w) = words.iter().find(|w| **w == text) {
        return Ok(w);
    }
    Err(match nearest(text, words.iter().copied()) {
        Some(w) => format!("does not know `{text}`; did you mean `{w}`?"),
        None => format!("does not know `{text}`; it is one of: {}", words.join(", ")),
    })
}

fn settings(reader: &Reader<'_>, document: &DeTable<'_>, file: &Path) -> Settings {
    let top = Section::new(reader, "", Some(document), None);
    let base = file.parent().unwrap_or(Path::new("."));
    let settings = Settings {
        read_only: top.flag("read_only", false),
        me: me(top.section("me")),
        sources: source_list(&top, base),
        write: WriteHomes::default(),
        calendar: calendar(top.section("calendar")),
        money: metrics::money(top.section("money")),
        metrics: metrics::metrics(top.section("metrics")),
        risk: risk(top.section("risk")),
        health: super::health::health(top.section("health")),
        forecast: super::forecast::forecast(top.section("forecast")),
        triage: triage(top.section("triage")),
        segments: segments(top.section("segments")),
        capacity: super::capacity::capacity(top.section("capacity")),
        quality: figures::quality(top.section("quality")),
        growth: figures::growth(top.section("growth")),
        onboarding: figures::onboarding(top.section("onboarding")),
        voice: figures::voice(top.section("voice")),
        precedence: BTreeMap::new(),
        identity: IdentitySettings::default(),
        read: BTreeMap::new(),
        interface: interface(top.section("interface")),
        log_level: log(top.section("log")),
    };
    let names: Vec<&str> = settings.sources.iter().map(|s| s.name.as_str()).collect();
    let alone = top.raw("source").is_none();
    let write = write_homes(top.section("write"), &names, alone);
    let precedence = precedence(&top.section("precedence"), &names);
    let identity = identity::identity(top.section("identity"), &names);
    let read = identity::owners(top.section("read"), &names);
    top.done();
    Settings {
        write,
        precedence,
        identity,
        read,
        ..settings
    }
}

fn source_list(top: &Section<'_, '_>, base: &Path) -> Vec<SourceConfig> {
    let Some(raw) = top.raw("source") else {
        return Vec::new();
    };
    let Some(list) = raw.get_ref().as_array() else {
        top.error(
            Some(raw.span()),
            "`source` is a list; write [[source]] with two brackets".to_owned(),
        );
        return Vec::new();
    };
    let mut sources: Vec<SourceConfig> = Vec::new();
    for (index, item) in list.iter().enumerate() {
        let Some(table) = item.get_ref().as_table() else {
            top.error(
                Some(item.span()),
                "`source` is a list of tables; write [[source]]".to_owned(),
            );
            continue;
        };
        let section = Section::new(top.reader, "source", Some(table), Some(item.span()));
        let Some(source) = sources::read(section, index, base) else {
            continue;
        };
        if let Some(first) = sources.iter().find(|s| s.name == source.name) {
            top.error(
                Some(item.span()),
                format!(
                    "there are two sources named `{}` (the first at {}); the second is left out: give it another name",
                    source.name, first.at
                ),
            );
            continue;
        }
        sources.push(source);
    }
    sources
}

fn me(s: Section<'_, '_>) -> Me {
    let me = Me {
        email: s.parsed("email", "", |e| {
            if e.split_once('@')
                .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
            {
                Ok(e.to_lowercase())
            } else {
                Err(format!("must be an e-mail address, not `{e}`"))
            }
        }),
        name: s.text("name", ""),
    };
    s.done();
    me
}

/// What stands for csops itself where a source is named: such writes are kept here and sent nowhere.
const KEPT_HERE: &str = "local";

/// `alone`: the file names no source at all, usable or not.
fn write_homes(s: Section<'_, '_>, names: &[&str], alone: bool) -> WriteHomes {
    let home = |key: &'static str| {
        let named = s.parsed(key, "", |name| {
            if name == KEPT_HERE || names.contains(&name) {
                return Ok(name.to_owned());
            }
            Err(unknown_source(name, names))
        });
        named.or_else(|| alone.then(|| KEPT_HERE.to_owned()))
    };
    let write = WriteHomes {
        risk: home("risk"),
        note: home("note"),
        task: home("task"),
        renewal: home("renewal"),
        csm: home("csm"),
    };
    s.done();
    write
}

pub(super) fn unknown_source(name: &str, names: &[&str]) -> String {
    match nearest(name, names.iter().copied()) {
        Some(right) => format!("names a source `{name}`; did you mean `{right}`?"),
        None if names.is_empty() => {
            format!("names a source `{name}`, but there is no usable [[source]]")
        }
        None => format!(
            "names a source `{name}`; the sources are: {}",
            names.join(", ")
        ),
    }
}

fn precedence(s: &Section<'_, '_>, names: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut map = BTreeMap::new();
    for (key, value) in s.entries() {
        let list = match value.get_ref() {
            DeValue::String(one) => Some(vec![one.to_string()]),
            other => texts_of(other),
        };
        let Some(list) = list else {
            s.error(
                Some(value.span()),
                format!("`{}` takes a list of source names", s.name(&key)),
            );
            continue;
        };
        if let Some(stranger) = list.iter().find(|n| !names.contains(&n.as_str())) {
            s.error(
                Some(value.span()),
                format!("`{}` {}", s.name(&key), unknown_source(stranger, names)),
            );
            continue;
        }
        s.reader
            .show(s.name(&key), format!("{list:?}"), Some(value.span()));
        map.insert(key, list);
    }
    map
}

fn calendar(s: Section<'_, '_>) -> Calendar {
    let default = Calendar::default();
    let zone = default.time_zone.iana_name().unwrap_or("UTC").to_owned();
    let week = [
        ("monday", Weekday::Monday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let calendar = Calendar {
        time_zone: s
            .parsed("time_zone", &zone, |name| {
                TimeZone::get(name).map_err(|_| {
                    format!("does not know the time zone `{name}`; write an IANA name such as Europe/Berlin")
                })
            })
            .unwrap_or(default.time_zone),
        fiscal_year_start: s
            .parsed("fiscal_year_start", "01-01", |text| {
                month_day(text).ok_or_else(|| {
                    format!("must be a month and a day such as 02-01, not `{text}`")
                })
            })
            .unwrap_or(default.fiscal_year_start),
        week_start: s
            .word("week_start", "monday", &week)
            .unwrap_or(default.week_start),
    };
    s.done();
    calendar
}

/// A day that every year has: 29 February would have no fiscal year in three of four.
fn month_day(text: &str) -> Option<(i8, i8)> {
    let (month, day) = text.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    jiff::civil::Date::new(2025, month, day)
        .ok()
        .map(|_| (month, day))
}

fn risk(s: Section<'_, '_>) -> Risk {
    let d = Risk::default();
    let byte = |key, default: u8| {
        s.whole(key, Some(default.into()), 0..=100)
            .and_then(|n| u8::try_from(n).ok())
            .unwrap_or(default)
    };
    let mut risk = Risk {
        good: byte("good", d.good),
        watch: byte("watch", d.watch),
        probabilities: s
            .numbers("probabilities", Some(d.probabilities), |p| {
                if p.iter().any(|p| !(0.0..=1.0).contains(p)) {
                    Err("takes fractions between 0 and 1, such as [0.05, 0.25, 0.55, 0.85]".into())
                } else if p.windows(2).any(|w| w[0] > w[1]) {
                    Err("must rise: good health, watch, bad, bad with an open risk".into())
                } else {
                    Ok(())
                }
            })
            .unwrap_or(d.probabilities),
        threshold: s
            .number("threshold", d.threshold, 0.0..=1.0)
            .unwrap_or(d.threshold),
        save_curve: s
            .numbers("save_curve", Some(d.save_curve), |[most, _, days]| {
                if (0.0..=1.0).contains(most) && *days > 0.0 {
                    Ok(())
                } else {
                    Err("takes the most that can be saved (0 to 1), the days at which half of it is left, and days above 0 to fall in, such as [0.65, 60, 20]".into())
                }
            })
            .unwrap_or(d.save_curve),
    };
    if risk.watch > risk.good {
        s.error(
            s.raw("watch").map(|v| v.span()),
            format!(
                "`risk.watch` ({}) lies above `risk.good` ({}); the defaults {} and {} are used",
                risk.watch, risk.good, d.watch, d.good
            ),
        );
        (risk.good, risk.watch) = (d.good, d.watch);
    }
    s.done();
    risk
}

fn triage(s: Section<'_, '_>) -> Triage {
    let d = Triage::default();
    let triage = Triage {
        grace: s.duration("grace", "5s", 0..=300).unwrap_or(d.grace),
        snooze_days: s
            .whole("snooze_days", Some(d.snooze_days.into()), 1..=365)
            .and_then(|n| u16::try_from(n).ok())
            .unwrap_or(d.snooze_days),
        levels: s.texts("levels", &d.levels).unwrap_or(d.levels),
        reasons: s.texts("reasons", &d.reasons).unwrap_or(d.reasons),
        outcomes: s.texts("outcomes", &d.outcomes).unwrap_or(d.outcomes),
    };
    s.done();
    triage
}

fn segments(s: Section<'_, '_>) -> BTreeMap<String, SegmentTarget> {
    let range = |r: &[f64; 2]| {
        if r[0] >= 0.0 && r[0] <= r[1] {
            Ok(())
        } else {
            Err("takes two numbers, from and to, such as [20, 75]".to_owned())
        }
    };
    s.tables()
        .into_iter()
        .map(|(name, section)| {
            let target = SegmentTarget {
                accounts_per_csm: section
                    .numbers("accounts_per_csm", None, range)
                    .map(|[a, b]| (a, b)),
                arr_per_csm: section
                    .numbers("arr_per_csm", None, range)
                    .map(|[a, b]| (a, b)),
            };
            section.done();
            (name, target)
        })
        .collect()
}

fn interface(s: Section<'_, '_>) -> Interface {
    let d = Interface::default();
    let interface = Interface {
        theme: s.text("theme", &d.theme).unwrap_or(d.theme),
        mouse: s.flag("mouse", d.mouse),
        extended_keys: s.flag("extended_keys", d.extended_keys),
        screen: s
            .whole("screen", Some(d.screen.into()), 0..=5)
            .and_then(|n| u8::try_from(n).ok())
            .unwrap_or(d.screen),
        everybody: s.flag("everybody", d.everybody),
    };
    s.done();
    interface
}

fn log(s: Section<'_, '_>) -> LogLevel {
    let levels = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];
    let level = s.word("level", "info", &levels).unwrap_or_default();
    s.done();
    level
}
