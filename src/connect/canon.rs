//! Vendors' words and the canonical kinds beside them: statuses, priorities, forecast categories; and back, to the word that this
//! tenant has for a kind.

use crate::book::{FieldValue, Record};

fn low(word: &str) -> String {
    word.trim().to_ascii_lowercase()
}

fn has(word: &str, any: &[&str]) -> bool {
    any.iter().any(|a| word.contains(a))
}

/// open, in_progress, waiting or done.
pub fn task_status(word: &str, closed: Option<bool>) -> &'static str {
    let w = low(word);
    if closed == Some(true) {
        return "done";
    }
    if closed.is_none() && has(&w, &["complete", "closed", "done", "resolved", "cancel"]) {
        return "done";
    }
    if has(&w, &["progress", "working", "started"]) && !w.contains("not started") {
        "in_progress"
    } else if has(&w, &["wait", "deferred", "hold", "block", "pending"]) {
        "waiting"
    } else {
        "open"
    }
}

/// open, waiting or closed.
pub fn ticket_status(word: &str, closed: Option<bool>) -> &'static str {
    let w = low(word);
    match closed {
        Some(true) => "closed",
        None if has(&w, &["closed", "solved", "resolved"]) => "closed",
        _ if has(&w, &["wait", "hold", "pending"]) => "waiting",
        _ => "open",
    }
}

/// new, acknowledged, in_progress or closed.
pub fn risk_status(word: &str, closed: Option<bool>) -> &'static str {
    let w = low(word);
    match closed {
        Some(true) => "closed",
        None if has(&w, &["closed", "resolved", "success", "done", "no action"]) => "closed",
        _ if has(&w, &["ack", "accepted", "triage", "seen"]) => "acknowledged",
        _ if has(
            &w,
            &["progress", "work", "escalat", "pending", "hold", "open"],
        ) =>
        {
            "in_progress"
        }
        _ => "new",
    }
}

/// p1 (urgent) to p4.
pub fn task_priority(word: &str) -> Option<&'static str> {
    let w = low(word);
    Some(match w.as_str() {
        "" => return None,
        "p1" | "1" => "p1",
        "p2" | "2" => "p2",
        "p3" | "3" => "p3",
        "p4" | "4" => "p4",
        _ if has(&w, &["urgent", "critical", "highest"]) => "p1",
        _ if w.contains("high") => "p2",
        _ if has(&w, &["normal", "medium"]) => "p3",
        _ if w.contains("low") => "p4",
        _ => return None,
    })
}

/// urgent, high, normal or low.
pub fn ticket_priority(word: &str) -> Option<&'static str> {
    task_priority(word).map(|p| match p {
        "p1" => "urgent",
        "p2" => "high",
        "p3" => "normal",
        _ => "low",
    })
}

/// critical, high, medium or low.
pub fn risk_priority(word: &str) -> Option<&'static str> {
    task_priority(word).map(|p| match p {
        "p1" => "critical",
        "p2" => "high",
        "p3" => "medium",
        _ => "low",
    })
}

/// omitted, pipeline, best, most_likely, commit or closed.
pub fn forecast(word: &str) -> Option<&'static str> {
    let w: String = low(word)
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect();
    Some(match w.as_str() {
        "omitted" => "omitted",
        "pipeline" => "pipeline",
        "bestcase" | "best" => "best",
        "mostlikely" => "most_likely",
        "commit" | "forecast" => "commit",
        "closed" => "closed",
        _ => return None,
    })
}

/// call, email, meeting, note or update.
pub fn touch_kind(word: &str) -> &'static str {
    let w = low(word);
    if has(&w, &["call", "phone"]) {
        "call"
    } else if w.contains("mail") {
        "email"
    } else if has(&w, &["meeting", "ebr", "qbr", "in person", "event"]) {
        "meeting"
    } else if w.contains("update") {
        "update"
    } else {
        "note"
    }
}

/// high, mid or tech; a tenant's own word stays as it is.
pub fn touch_model(word: &str) -> String {
    let w = low(word);
    if has(&w, &["high", "white glove"]) {
        "high".to_owned()
    } else if has(&w, &["mid", "medium"]) {
        "mid".to_owned()
    } else if has(&w, &["tech", "digital", "low", "scale", "pooled"]) {
        "tech".to_owned()
    } else {
        word.to_owned()
    }
}

/// What both vendors' accounts need once their fields are mapped: one word for each touch model, so that two systems' spellings do not make
/// two groups, and a day for the health score. Where no field says when it was computed, it is at least as old as the record's last change.
pub fn settle_account(record: &mut Record) {
    for (name, value) in &mut record.fields {
        if let ("touch", FieldValue::Text(word)) = (name.as_ref(), &*value) {
            *value = FieldValue::Text(touch_model(word));
        }
    }
    let given = |f: &str| record.get(f).is_some_and(|v| !v.is_null());
    if let (true, false, Some(at)) = (given("health"), given("health_at"), record.modified) {
        let day = FieldValue::Date(at.to_zoned(jiff::tz::TimeZone::UTC).date());
        record.fields.retain(|(n, _)| n != "health_at");
        record.fields.push(("health_at".into(), day));
    }
}

/// A role of one of ours from a title or department.
pub fn person_role(title: &str) -> Option<&'static str> {
    crate::book::Role::of(title).map(crate::book::Role::name)
}

/// A role of a person at a customer from role and title.
pub fn contact_role(role: &str, title: &str) -> Option<String> {
    let w = low(role);
    for known in [
        "sponsor",
        "champion",
        "user",
        "admin",
        "decision maker",
        "detractor",
    ] {
        if w.contains(known) {
            return Some(known.replace(' ', "_"));
        }
    }
    if !role.trim().is_empty() {
        return Some(role.trim().to_owned());
    }
    let t = low(title);
    if has(
        &t,
        &[
            "sponsor",
            "chief",
            "cio",
            "cto",
            "ceo",
            "coo",
            "cfo",
            "vp",
            "vice president",
        ],
    ) {
        Some("sponsor".into())
    } else if t.contains("champion") {
        Some("champion".into())
    } else {
        None
    }
}

/// saved, reduced, lost or false_alarm from a closing word.
pub fn outcome(word: &str) -> Option<&'static str> {
    let w = low(word);
    if has(&w, &["false", "invalid", "no action", "duplicate"]) {
        Some("false_alarm")
    } else if has(&w, &["reduc", "downgrad", "partial"]) {
        Some("reduced")
    } else if has(&w, &["lost", "churn", "unsuccess", "fail"]) {
        Some("lost")
    } else if has(&w, &["saved", "success", "resolved", "won"]) {
        Some("saved")
    } else {
        None
    }
}

/// The first of the tenant's words whose kind is the wanted one.
pub fn word_for<'a>(
    choices: &'a [String],
    want: &str,
    kind: impl Fn(&str) -> Option<&'static str>,
) -> Option<&'a str> {
    choices
        .iter()
        .find(|c| c.eq_ignore_ascii_case(want))
        .or_else(|| choices.iter().find(|c| kind(c) == Some(want)))
        .map(String::as_str)
}

/// The marker of a create, as it stands in a text that can be searched: `[csops:` and the first 12 digits of the id.
pub fn marker(id: &str) -> String {
    let digits: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    // The random end of a time-ordered UUID tells two writes of one instant apart.
    let tail = digits
        .get(digits.len().saturating_sub(12)..)
        .unwrap_or(&digits);
    format!("[csops:{tail}]")
}

/// The text without a marker.
pub fn without_marker(text: &str) -> String {
    let Some(start) = text.rfind("[csops:") else {
        return text.to_owned();
    };
    let Some(len) = text[start..].find(']') else {
        return text.to_owned();
    };
    let rest = &text[start + len + 1..];
    format!("{}{}", text[..start].trim_end(), rest)
}

/// Notes come as HTML; the terminal shows their words.
pub fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['<', '&']) {
        out.push_str(&rest[..start]);
        let tail = &rest[start..];
        if let Some((sign, length)) = entity(tail) {
            out.push_str(sign);
            rest = &tail[length..];
            continue;
        }
        // A lone `<` is a character, not a tag.
        let is_tag = tail.starts_with('<')
            && tail[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        match tail.find('>') {
            Some(end) if is_tag => {
                let tag = tail[1..end].to_ascii_lowercase();
                let ends = ["br", "/p", "/div", "/li"];
                if ends.iter().any(|t| tag.starts_with(t)) {
                    out.push('\n');
                }
                rest = &tail[end + 1..];
            }
            _ => {
                out.push_str(&tail[..1]);
                rest = &tail[1..];
            }
        }
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// The sign that an entity at the beginning of a text stands for, and how long it is.
fn entity(text: &str) -> Option<(&'static str, usize)> {
    const ALL: [(&str, &str); 7] = [
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", " "),
    ];
    ALL.iter()
        .find(|(name, _)| text.starts_with(name))
        .map(|(name, sign)| (*sign, name.len()))
}

/// HTML that shows a text as it is: what [`without_tags`] makes a text of again, but for blanks at its ends.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("<br>"),
            c => out.push(c),
        }
    }
    out
}

/// open, won or lost.
pub fn stage_kind(word: &str) -> &'static str {
    let w = low(word);
    if has(
        &w,
        &["lost", "churn", "cancel", "closed_lost", "closedlost"],
    ) {
        "lost"
    } else if has(&w, &["won", "renewed"]) {
        "won"
    } else {
        "open"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_kinds_and_kinds_become_this_tenants_words() {
        assert_eq!(task_status("Not Started", Some(false)), "open");
        assert_eq!(task_status("Completed", None), "done");
        assert_eq!(
            task_status("Waiting on someone else", Some(false)),
            "waiting"
        );
        assert_eq!(risk_status("Work In Progress", None), "in_progress");
        assert_eq!(forecast("Best Case"), Some("best"));
        assert_eq!(forecast("MostLikely"), Some("most_likely"));
        let words = [
            "New".to_owned(),
            "Acknowledged".into(),
            "Closed Success".into(),
        ];
        let kind = |w: &str| Some(risk_status(w, None));
        assert_eq!(word_for(&words, "acknowledged", kind), Some("Acknowledged"));
        assert_eq!(word_for(&words, "closed", kind), Some("Closed Success"));
    }

    #[test]
    fn a_marker_can_be_put_in_and_taken_out() {
        let m = marker("0191f6a2-1111-7222-8333-444455556666");
        assert_eq!(m, "[csops:444455556666]");
        assert_eq!(without_marker(&format!("Call Ada {m}")), "Call Ada");
        assert_eq!(without_marker("plain [x]"), "plain [x]");
    }
}
