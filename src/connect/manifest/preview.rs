//! The requests that a manifest would make, for a person who reviews it: `csops connect manifest check FILE`. Nothing is sent, secrets are masked.

use super::request::{Values, build};
use super::schema::{Manifest, Request};
use crate::connect::http::Ask;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A line for each request, with sample values in its placeholders.
pub fn preview(m: &Manifest, now: jiff::Timestamp) -> String {
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    for (name, spec) in &m.option {
        let value = spec
            .default
            .clone()
            .or_else(|| spec.values.first().cloned());
        options.insert(name.clone(), value.unwrap_or_else(|| format!("<{name}>")));
    }
    let secrets: BTreeMap<String, secrecy::SecretString> = m
        .secret
        .keys()
        .map(|n| (n.clone(), "••••".to_owned().into()))
        .collect();
    let mut switches = BTreeMap::new();
    for (name, switch) in &m.switch {
        let values = Values {
            options: Some(&options),
            ..Values::default()
        };
        let text = options
            .get(&switch.by)
            .and_then(|o| switch.is.get(o))
            .unwrap_or(&switch.otherwise);
        switches.insert(name.clone(), text.render(&values).unwrap_or_default());
    }
    let base = m
        .http
        .base
        .clone()
        .unwrap_or_else(|| "<base_url>".to_owned());
    let lookups: BTreeMap<String, String> = m
        .write
        .values()
        .flat_map(|w| w.lookup.keys())
        .map(|n| (n.clone(), format!("<{n}>")))
        .collect();
    let fields: Vec<String> = Vec::new();
    let row = "{}";
    let plain = Values {
        options: Some(&options),
        secrets: Some(&secrets),
        switches: Some(&switches),
        lookups: Some(&lookups),
        base: &base,
        now: Some(now),
        ..Values::default()
    };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} ({}) at {base}, login: {}, credentials ••••",
        m.name,
        m.id,
        m.auth.kinds.join(" or ")
    );
    for (what, ask) in crate::connect::adapter_requests(m, &options, now) {
        show(&mut out, &what, &ask);
    }
    let mut say =
        |what: &str, request: &Request, values: &Values<'_>| match build(request, values, true) {
            Some(ask) => show(&mut out, what, &ask),
            None => {
                let _ = writeln!(out, "  {what}: needs a value that is not set");
            }
        };
    if let Some(check) = &m.check {
        say("check", &check.request, &plain);
    }
    for (name, pick) in &m.pick {
        say(&format!("pick {name}"), &pick.request, &plain);
    }
    for s in &m.stream {
        let mut names: Vec<String> = Vec::new();
        for n in s.fields.values() {
            names.extend(n.0.first().cloned());
        }
        names.extend(s.extra.iter().cloned());
        let first = Values {
            fields: if names.is_empty() { &fields } else { &names },
            words: Some(&s.words),
            offset: Some(0),
            number: Some(u64::from(s.page.first)),
            size: s.page.size,
            since: s.sync.first_days.and_then(|d| {
                now.checked_sub(jiff::SignedDuration::from_hours(24 * i64::from(d)))
                    .ok()
            }),
            ..plain.clone()
        };
        if let Some(d) = &s.describe {
            say(&format!("{} fields", s.name), &d.request, &first);
        }
        say(&s.name, &s.read, &first);
        if let Some(changes) = &s.changes {
            let page = s.changes_page.as_ref().unwrap_or(&s.page);
            let later = Values {
                since: Some(now),
                size: page.size,
                number: Some(u64::from(page.first)),
                ..first
            };
            say(&format!("{} changes", s.name), changes, &later);
        }
        for join in &s.join {
            let rows = [row];
            let values = Values {
                rows: &rows,
                words: Some(&s.words),
                ..plain.clone()
            };
            say(
                &format!("{} join {}", s.name, join.name),
                &join.request,
                &values,
            );
        }
    }
    for (entity, w) in &m.write {
        let values = Values {
            id: Some("<id>"),
            account: Some("<account>"),
            marker: Some("<marker>"),
            author: Some("<author>"),
            ..plain.clone()
        };
        for (verb, one) in [
            ("read", &w.read),
            ("create", &w.create),
            ("update", &w.update),
            ("delete", &w.delete),
        ] {
            if let Some(one) = one {
                say(&format!("{entity} {verb}"), &one.request, &values);
            }
        }
        if let Some(find) = &w.find {
            say(&format!("{entity} find"), &find.request, &values);
        }
        for (name, l) in &w.lookup {
            say(&format!("{entity} lookup {name}"), &l.request, &values);
        }
    }
    out
}

fn show(out: &mut String, what: &str, ask: &Ask) {
    let place = ask.elsewhere.as_deref().unwrap_or("");
    let _ = writeln!(out, "  {what}: {} {place}{}", ask.method, ask.path);
    if let Some(body) = &ask.json {
        let _ = writeln!(out, "      {}", String::from_utf8_lossy(body));
    }
}
