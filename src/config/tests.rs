use super::*;
use std::path::Path;
use std::time::Duration;

fn read(text: &str) -> Loaded {
    load_text(text, Path::new("/etc/csops/config.toml"))
}

fn messages(loaded: &Loaded) -> Vec<String> {
    loaded
        .problems
        .iter()
        .map(|p| format!("{}:{}: {}", p.line, p.column, p.message))
        .collect()
}

const TWO: &str = r#"
read_only = true
[[source]]
name = "crm"
connector = "salesforce"
base_url = "http://127.0.0.1:9000/"
every = "5m"
auth = { kind = "client_credentials", client_id = "id", client_secret_env = "SF" }
fields."account.health" = "Health__c"
fields.account.segment = "Segment__c"
[[source]]
name = "cs"
connector = "gainsight"
auth = { kind = "header", name = "accesskey", value_command = "pass show gs" }
[me]
email = "Dana@Example.com"
[write]
risk = "cs"
task = "crm"
[calendar]
time_zone = "Europe/Berlin"
fiscal_year_start = "02-01"
week_start = "sunday"
[money]
reporting_currency = "eur"
rates = { USD = 0.92, GBP = { "2025-01-01" = 1.2, "2025-07-01" = 1.15 } }
plan_rates = { USD = 0.9 }
[metrics]
late = "grace:30d"
netting = "line"
grr_target = 0.9
mixed_currencies = "convert"
[segments.enterprise]
accounts_per_csm = [5, 15]
[precedence]
"account.arr" = ["cs", "crm"]
"#;

#[test]
fn everything_that_is_said_is_understood() {
    let loaded = read(TWO);
    assert_eq!(messages(&loaded), Vec::<String>::new());
    let s = &loaded.settings;
    assert!(s.read_only);
    assert_eq!(s.sources.len(), 2);
    let crm = &s.sources[0];
    assert_eq!(crm.base_url.as_deref(), Some("http://127.0.0.1:9000"));
    assert_eq!(crm.every, Duration::from_secs(300));
    assert_eq!(crm.fields["account.health"], "Health__c");
    assert_eq!(crm.fields["account.segment"], "Segment__c");
    assert_eq!(crm.at, "config.toml:3");
    assert!(matches!(
        s.sources[1].auth,
        AuthSettings::Header {
            value: Secret::Command(_),
            ..
        }
    ));
    assert_eq!(s.me.email.as_deref(), Some("dana@example.com"));
    assert_eq!(s.write.risk.as_deref(), Some("cs"));
    assert_eq!(s.calendar.fiscal_year_start, (2, 1));
    assert_eq!(s.money.reporting_currency, "EUR");
    let rates: Vec<_> = (s.money.rates.iter())
        .map(|r| (r.currency.as_str(), r.rate, r.at.is_some(), r.plan))
        .collect();
    assert_eq!(
        rates,
        [
            ("GBP", 1.2, true, false),
            ("GBP", 1.15, true, false),
            ("USD", 0.92, false, false),
            ("USD", 0.9, false, true)
        ]
    );
    assert_eq!(s.metrics.policy["late"], "grace:30d");
    assert_eq!(s.metrics.policy["netting"], "line");
    assert_eq!(
        (s.metrics.grr_target, s.metrics.nrr_target),
        (Some(0.9), None)
    );
    assert!(s.metrics.convert_mixed);
    assert_eq!(s.segments["enterprise"].accounts_per_csm, Some((5.0, 15.0)));
    assert_eq!(s.precedence["account.arr"], ["cs", "crm"]);
}

#[test]
fn each_mistake_says_where_it_is_and_what_was_meant_and_the_rest_loads() {
    let loaded = read(
        r#"
raed_only = true
[[source]]
name = "crm"
connector = "salesforce"
evrey = "5m"
every = "soon"
daily_requests = "many"
auth = { kind = "bearar", token_env = "T" }
[[source]]
name = "cs"
connector = "gainsight"
scope = "min"
auth = { kind = "header", name = "accesskey" }
[[source]]
name = "ok"
connector = "salesforce"
[write]
risk = "okk"
[calendar]
time_zone = "Europe/Berlim"
[risk]
probabilities = [0.5, 0.1, 0.2, 0.3]
threshold = 3
[interface]
mouse = "yes"
theme = "solar"
"#,
    );
    let expected = [
        "2:1: unknown key `raed_only`; did you mean `read_only`?",
        "6:1: unknown key `source.crm.evrey`; did you mean `every`?",
        "7:9: `source.crm.every` does not understand `soon`; write a length of time such as 30s, 15m or 1h",
        "8:18: `source.crm.daily_requests` takes a whole number, not a text",
        "9:17: `source.crm.auth.kind` does not know `bearar`; did you mean `bearer`?",
        "13:9: `source.cs.scope` does not know `min`; did you mean `mine`?",
        "14:8: `source.cs.auth.value` is missing; give it as value_env, value_command or value_file, or write value_keyring = true and run csops auth login cs",
        "19:8: `write.risk` names a source `okk`; did you mean `ok`?",
        "21:13: `calendar.time_zone` does not know the time zone `Europe/Berlim`; write an IANA name such as Europe/Berlin",
        "23:17: `risk.probabilities` must rise: good health, watch, bad, bad with an open risk",
        "24:13: `risk.threshold` must lie between 0 and 1, not 3",
        "26:9: `interface.mouse` takes true or false, not a text",
    ];
    assert_eq!(messages(&loaded), expected);
    let names: Vec<&str> = loaded
        .settings
        .sources
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(names, ["ok"]);
    assert_eq!(loaded.settings.interface.theme, "solar");
    assert_eq!(loaded.settings.risk, Risk::default());
    assert_eq!(
        loaded.problems[0].to_string(),
        "/etc/csops/config.toml:2:1: unknown key `raed_only`; did you mean `read_only`?"
    );
}

#[test]
fn broken_syntax_is_located_and_does_not_take_the_rest_down() {
    let loaded =
        read("[me]\nemail = \"dana@example.com\"\nname = \n[interface]\ntheme = \"light\"\n");
    assert_eq!(loaded.problems.len(), 1, "{:?}", loaded.problems);
    assert_eq!(loaded.problems[0].line, 3);
    assert_eq!(
        loaded.settings.me.email.as_deref(),
        Some("dana@example.com")
    );
    assert_eq!(loaded.settings.interface.theme, "light");
}

#[test]
fn a_secret_in_plain_text_is_used_warned_about_and_never_shown() {
    let loaded = read(
        "[[source]]\nname = \"crm\"\nconnector = \"salesforce\"\nauth = { kind = \"bearer\", token = \"hunter2\" }\n",
    );
    assert_eq!(loaded.settings.sources.len(), 1);
    assert_eq!(loaded.errors().count(), 0);
    assert_eq!(loaded.problems[0].severity, Severity::Warning);
    assert!(loaded.problems[0].message.contains("token_command"));
    assert!(!format!("{loaded:?}").contains("hunter2"));
}

#[test]
fn every_value_tells_its_origin() {
    let loaded = read("[triage]\ngrace = \"10s\"\n");
    let of = |key: &str| loaded.shown.iter().find(|s| s.key == key).cloned();
    let grace = of("triage.grace").unwrap();
    assert_eq!(
        (grace.value.as_str(), grace.origin),
        ("\"10s\"", Origin::Line(2))
    );
    let theme = of("interface.theme").unwrap();
    assert_eq!(
        (theme.value.as_str(), theme.origin),
        ("\"dark\"", Origin::Default)
    );
}

#[test]
fn a_file_that_is_not_there_gives_the_defaults_and_one_that_is_not_text_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let missing = load(&dir.path().join("config.toml"));
    assert!(!missing.found && missing.problems.is_empty());
    let path = dir.path().join("latin.toml");
    std::fs::write(&path, b"[me]\nname = \"M\xfcller\"\n").unwrap();
    let loaded = load(&path);
    assert_eq!(
        (loaded.problems[0].line, loaded.problems[0].column),
        (2, 10)
    );
    assert!(loaded.problems[0].message.contains("UTF-8"));
}

#[test]
fn the_example_is_complete_and_without_a_problem() {
    let text = include_str!("../../config.example.toml");
    let loaded = read(text);
    assert_eq!(messages(&loaded), Vec::<String>::new());
    // Every key that can be set stands in the example, set or in a comment.
    for shown in &loaded.shown {
        let key = shown.key.rsplit('.').next().unwrap_or_default();
        assert!(
            text.contains(key),
            "config.example.toml lacks `{}`",
            shown.key
        );
    }
    assert_eq!(loaded.settings.sources.len(), 3);
    assert_eq!(loaded.settings.triage, Triage::default());
    assert_eq!(loaded.settings.risk, Risk::default());
    assert_eq!(loaded.settings.interface, Interface::default());
    assert_eq!(loaded.settings.quality, Quality::default());
    assert_eq!(loaded.settings.growth, Growth::default());
    assert_eq!(loaded.settings.onboarding, Onboarding::default());
    assert_eq!(loaded.settings.voice, Voice::default());
}

#[test]
fn figures_are_set_within_their_ranges_and_a_slip_is_told() {
    let loaded = read(
        "[quality]\narr_tolerance = 0.05\nstale_health_days = 0\n[voice]\ncsat = \"medain\"\nces = \"percent\"\n[growth]\nseat_usage = 1\n",
    );
    assert_eq!(loaded.settings.quality.arr_tolerance, 0.05);
    assert_eq!(loaded.settings.quality.stale_health_days, 30);
    assert_eq!(loaded.settings.voice.csat, ScoreMethod::Top);
    assert_eq!(loaded.settings.voice.ces, ScoreMethod::Percent);
    let said = messages(&loaded).join("\n");
    for part in ["stale_health_days", "csat", "seat_use"] {
        assert!(said.contains(part), "{said}");
    }
}

/// One source with that login, and what was said about it.
fn login(auth: &str) -> (Option<AuthSettings>, Vec<String>) {
    let loaded = read(&format!(
        "[[source]]\nname = \"crm\"\nconnector = \"salesforce\"\nauth = {{ {auth} }}\n"
    ));
    let auth = loaded.settings.sources.first().map(|s| s.auth.clone());
    (auth, messages(&loaded))
}

#[test]
fn a_user_may_be_the_key_with_an_empty_password_and_a_forgotten_password_is_told() {
    let (auth, said) = login(r#"kind = "basic", user_env = "KEY", password = """#);
    assert!(matches!(
        auth,
        Some(AuthSettings::Basic {
            user: Secret::Env(_),
            password: None,
            raw: false
        })
    ));
    assert_eq!(said, Vec::<String>::new());
    let (auth, said) = login(r#"kind = "basic", user_keyring = true, raw = true"#);
    let Some(AuthSettings::Basic {
        user: Secret::Kept(account),
        raw: true,
        ..
    }) = auth
    else {
        panic!("{said:?}");
    };
    assert_eq!(account, "crm/user");
    // A key in plain text is warned about; a name beside a password is not.
    let (_, said) = login(r#"kind = "basic", user = "sk_live", password = """#);
    assert!(said[0].contains("plain text"), "{said:?}");
    let (auth, said) = login(r#"kind = "basic", user = "dana", password_env = "P""#);
    assert!(auth.is_some() && said.is_empty(), "{said:?}");
    let (auth, said) = login(r#"kind = "basic", user = "dana""#);
    assert!(
        auth.is_none()
            && said
                .iter()
                .any(|m| m.contains("`source.crm.auth.password` is missing")),
        "{said:?}"
    );
}

#[test]
fn the_kinds_of_login_take_their_keys_and_no_others() {
    for good in [
        r#"kind = "query", name = "key", value_env = "K""#,
        r#"kind = "login", user = "dana", password_keyring = true"#,
        r#"kind = "login", password_env = "T""#,
        r#"kind = "authorization_code", client_id = "app", scopes = ["a"], redirect_port = 1717, token_url = "https://x.example/token""#,
        r#"kind = "client_credentials", client_id = "app", client_secret_env = "S", scopes = ["a", "b"]"#,
        r#"kind = "refresh", client_id = "app", refresh_token_keyring = true, revoke_url = "https://x.example/revoke""#,
    ] {
        let (auth, said) = login(good);
        assert!(auth.is_some() && said.is_empty(), "{good}: {said:?}");
    }
    for (bad, part) in [
        (
            r#"kind = "query", name = "key""#,
            "value_keyring = true and run csops auth login crm",
        ),
        (r#"kind = "authorization_code""#, "client_id` is missing"),
        (
            r#"kind = "authorization_code", client_id = "a", redirect_port = 70000"#,
            "between 1 and 65535",
        ),
        (
            r#"kind = "bearer", token_env = "T", token_keyring = true"#,
            "more than once",
        ),
        (
            r#"kind = "bearer", token_keyring = "yes""#,
            "takes true or false",
        ),
        (
            r#"kind = "basic", user = "u", password_env = "P", raws = true"#,
            "did you mean `raw`",
        ),
    ] {
        let (_, said) = login(bad);
        assert!(said.iter().any(|m| m.contains(part)), "{bad}: {said:?}");
    }
}

#[test]
fn a_health_model_names_its_signals_and_each_mistake_in_it_stands_at_its_place() {
    let loaded = read(
        r#"
[health]
drive = "csop"
coverage = 60
good = 40
watch = 70
[health.signals.usage]
measure = "usage.tend"
worst = 0
best = 1
[health.signals.licences]
measure = "signal:licence.use"
weight = 30
steps = [[0, 20], [50, 120]]
[health.signals.nps]
worst = 3
best = 9
half_life = 90
[health.signals.calm]
measure = "tickets"
[[health.when]]
segmnt = "smb"
signals.npa = { weight = 3 }
"#,
    );
    let expected = [
        "3:9: `health.drive` does not know `csop`; did you mean `csops`?",
        "4:12: `health.coverage` must lie between 0 and 1, not 60",
        "6:9: `health.watch` (70) lies above `good` (40)",
        "8:11: `health.signals.usage.measure` does not know `usage.tend`; did you mean `usage.trend`?",
        "14:19: `health.signals.licences.steps` has 120 points; they lie between 0 and 100",
        "18:1: unknown key `health.signals.nps.half_life`; did you mean `half_life_days`?",
        "19:1: `health.signals.calm` does not say how its value becomes points: set worst and best, or steps = [[value, points], …]",
        "22:1: unknown key `health.when.1.segmnt`; did you mean `segment`?",
        "23:15: `health.when.1.signals` has no signal `npa` to change; did you mean `nps`?",
    ];
    assert_eq!(messages(&loaded), expected);
    // Without a measure it is the one of its own name.
    let health = &loaded.settings.health;
    assert_eq!(health.signals.len(), 1);
    assert_eq!(
        (health.signals[0].measure.as_str(), health.signals[0].weight),
        ("nps", None)
    );
    assert_eq!((health.good, health.watch), (None, None));
}

#[test]
fn a_model_of_its_own_needs_no_section() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("model.toml");
    std::fs::write(&file, "good = 80\n[signals.nps]\nworst = 3\nbest = 9\n").unwrap();
    let (health, problems) = load_health(&file).unwrap();
    assert_eq!(problems, []);
    assert_eq!((health.good, health.signals.len()), (Some(80), 1));
    let error = load_health(&dir.path().join("none.toml")).unwrap_err();
    assert!(error.contains("none.toml cannot be read"), "{error}");
}

#[test]
fn the_forecast_is_read_with_its_mistakes() {
    let loaded = read(
        r#"
[forecast]
target = 0.9
order = ["account", "moon"]
floor = 0.9
cap = 0.5
correlation = 1
[forecast.quarters]
"2027-q1" = 0.95
"Q4 2026" = 0.9
[forecast.stages]
Negotiation = 0.8
[forecast.categories]
best = 0.75
comit = 0.9
"#,
    );
    assert_eq!(
        messages(&loaded),
        [
            "4:9: `forecast.order` does not know `moon`; there are vendor, stage, category, account",
            "5:9: `forecast.floor` (0.9) lies above `forecast.cap` (0.5); the defaults 0.05 and 0.98 are used",
            "7:15: `forecast.correlation` must lie between 0 and 0.9, not 1",
            "10:13: `forecast.quarters.Q4 2026` names no fiscal quarter; write the year in which the fiscal year ends and the quarter, such as 2026-Q4",
            "15:9: `forecast.categories.comit` names no category; did you mean `commit`?",
        ]
    );
    let fraction = |key: &str, n| [(key.to_owned(), n)].into();
    assert_eq!(
        loaded.settings.forecast,
        Forecast {
            target: Some(0.9),
            quarters: fraction("2027-Q1", 0.95),
            stages: fraction("negotiation", 0.8),
            categories: fraction("best", 0.75),
            ..Forecast::default()
        }
    );
}

#[test]
fn capacity_is_read_with_its_mistakes() {
    let loaded = read(
        r#"
[capacity]
internal_share = 0.4
ramp = [0.0, 0.25]
ramping = "exclude"
growth = -2
csm_cost = 100_000
[capacity.hours]
Enterprise = 90
mid = -1
[capacity.rebalance]
keep = "tag:keep"
limits = ["hours", "moons"]
"#,
    );
    assert_eq!(
        messages(&loaded),
        [
            "6:10: `capacity.growth` must lie between -0.95 and 10, not -2",
            "10:7: `capacity.hours.mid` takes hours a year between 0 and 8760",
            "13:10: `capacity.rebalance.limits` does not know `moons`; there are hours, accounts, arr",
        ]
    );
    let c = &loaded.settings.capacity;
    assert_eq!(
        *c,
        Capacity {
            hours: [("enterprise".to_owned(), 90.0)].into(),
            internal_share: 0.4,
            ramp: vec![0.0, 0.25],
            ramping_counts: false,
            csm_cost: Some(100_000.0),
            keep: Some("tag:keep".into()),
            ..Capacity::default()
        }
    );
}

#[test]
fn mistakes_in_rates_and_policies_name_what_was_meant() {
    let loaded = read(
        r#"
[money.rates]
EUR = { soon = 1.1 }
XYZ = 1.0
JPY = 0
[metrics]
late = "grase:60d"
reactivation = "ignore:soon"
netting = "lines"
fx = "plan:3d"
"#,
    );
    let all = messages(&loaded).join("\n");
    for said in [
        "\"2025-01-31\"",
        "`XYZ`",
        "a number above 0",
        "`grace`",
        "a number of days",
        "`line`",
        "`plan:3d`",
    ] {
        assert!(all.contains(said), "{said} is not in:\n{all}");
    }
    assert!(loaded.settings.money.rates.is_empty());
    assert!(loaded.settings.metrics.policy.is_empty());
}
