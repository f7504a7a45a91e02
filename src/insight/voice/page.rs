//! The page: the scores with their intervals, their months, the segments, and the answers that wait for somebody.

use super::answers::{Answer, Kind};
use super::measure::{Asked, method_words};
use super::waits::Waits;
use super::{Method, Settings};
use crate::book::text::visible;
use crate::insight::page::{Block, Figure, Input, Line, Page, TableRow, Value};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let settings = &input.settings.voice;
    let asked: Vec<Asked<'_>> = [Kind::Nps, Kind::Csat, Kind::Ces]
        .map(|kind| Asked::of(input, settings, kind))
        .into();
    let [of_nps, of_csat, of_ces] = asked.as_slice() else {
        return Page::default();
    };
    let respondents = of_nps.nps("voice.nps", "NPS", of_nps.answers.values());
    let accounts = of_nps.nps(
        "voice.nps_accounts",
        "NPS by account",
        of_nps.answers.by_account(),
    );
    let csat = of_csat.score(settings.csat);
    let ces = of_ces.score(settings.ces);
    let waits = Waits::of(input, settings, [of_nps, of_csat]);
    let closed = waits.figure(settings);
    let mut page = Page {
        name: "voice",
        title: "Customer voice",
        badge: badge(settings),
        sentence: sentence(&respondents, &closed, of_nps),
        ..Page::default()
    };
    page.blocks.push(Block::Figures {
        title: "What customers say".into(),
        figures: vec![
            respondents.clone(),
            accounts.clone(),
            csat.clone(),
            ces.clone(),
            closed,
        ],
    });
    for a in asked.iter().filter(|a| a.answers.other_scale > 0) {
        page.blocks.push(Block::Text {
            text: format!(
                "Given on another scale than {} and left out, because two scales are never one figure or one line: {} of {} {} answers.",
                a.scale_name(),
                a.answers.other_scale,
                a.answers.other_scale + a.answers.counted.len(),
                a.kind.title(),
            ),
        });
    }
    page.blocks.push(by_measure(
        [of_nps, of_nps, of_csat, of_ces],
        [respondents, accounts, csat, ces],
        settings,
    ));
    for (asked, method) in [
        (of_nps, None),
        (of_csat, Some(settings.csat)),
        (of_ces, Some(settings.ces)),
    ] {
        page.blocks.extend(months(asked, method, input.today));
    }
    page.blocks.push(by_segment(of_nps));
    page.blocks.push(waits.table(input.today));
    page
}

fn badge(s: &Settings) -> String {
    format!(
        "answers of {} d · CSAT {} · CES {} · follow-up within {} h",
        s.period_days,
        s.csat.name(),
        s.ces.name(),
        s.follow_up_hours
    )
}

fn sentence(nps: &Figure, closed: &Figure, asked: &Asked<'_>) -> String {
    let Some(n) = nps.value.number() else {
        return "No survey answer has come in this period: a survey source, or csops import --kind signals with the kinds nps, csat and ces, brings them.".into();
    };
    let followed = match closed.value.number() {
        Some(share) => format!(
            "{:.0} % of the unhappy answers were followed up in time",
            share * 100.0
        ),
        None => "no unhappy answer was due for a follow-up".into(),
    };
    let count = asked.answers.counted.len();
    let answers = crate::insight::many(count, "answer");
    let sign = if n > 0.0 { "+" } else { "" };
    format!("NPS is {sign}{n:.0} from {answers}; {followed}.")
}

/// Each score with its interval, how many answered and on which scale.
fn by_measure(asked: [&Asked<'_>; 4], figures: [Figure; 4], settings: &Settings) -> Block {
    let bound = |f: &Figure, step: &str| {
        let why = f.why.as_ref()?;
        let (_, value) = why.steps.iter().find(|(s, _)| s == step)?;
        Some(Figure {
            value: value.clone(),
            ..f.clone()
        })
    };
    let methods = [
        "respondents",
        "accounts",
        method_words(Kind::Csat, settings.csat),
        method_words(Kind::Ces, settings.ces),
    ];
    let rows = asked
        .into_iter()
        .zip(figures)
        .zip(methods)
        .map(|((asked, f), method)| TableRow {
            label: asked.kind.title().into(),
            account: None,
            cells: vec![
                Figure::text(method),
                Figure::text(asked.scale_name()),
                bound(&f, "n").unwrap_or_default(),
                bound(&f, "95 % from").unwrap_or_default(),
                bound(&f, "95 % to").unwrap_or_default(),
                f,
            ],
        })
        .collect();
    Block::Table {
        title: "Method, answers and interval".into(),
        columns: ["method", "scale", "n", "95 % from", "95 % to", "score"]
            .map(Into::into)
            .to_vec(),
        rows,
        empty: String::new(),
    }
}

/// The score of each month of the period, on the one scale; none without answers.
fn months(asked: &Asked<'_>, method: Option<Method>, today: Date) -> Option<Block> {
    let mut by_month: BTreeMap<Date, Vec<&Answer<'_>>> = BTreeMap::new();
    for a in &asked.answers.counted {
        let day = a.at.date()?;
        by_month.entry(day.last_of_month()).or_default().push(a);
    }
    if by_month.is_empty() {
        return None;
    }
    let points = by_month
        .into_iter()
        .map(|(month, part)| {
            let label = format!(
                "{} {}, n {}",
                month.strftime("%b"),
                month.year(),
                part.len()
            );
            (month.min(today), asked.part(&label, method, &part))
        })
        .collect();
    let how = method.map_or_else(String::new, |m| format!(" {}", m.name()));
    Some(Block::Lines {
        title: format!(
            "{}{how} by month, scale {}",
            asked.kind.title(),
            asked.scale_name()
        ),
        lines: vec![Line {
            label: asked.kind.title().into(),
            points,
        }],
        mark: None,
    })
}

fn by_segment(asked: &Asked<'_>) -> Block {
    let mut by: BTreeMap<&str, Vec<&Answer<'_>>> = BTreeMap::new();
    for a in &asked.answers.counted {
        by.entry(a.account.segment().unwrap_or(""))
            .or_default()
            .push(a);
    }
    let mut rows: Vec<(usize, TableRow)> = by
        .into_iter()
        .map(|(segment, part)| {
            let label = match segment {
                "" => "without a segment".to_owned(),
                s => visible(s).into_owned(),
            };
            let figure = asked.part(&label, None, &part);
            let count = Figure {
                value: Value::Count(part.len() as i64),
                ..figure.clone()
            };
            let row = TableRow {
                label,
                account: None,
                cells: vec![count, figure],
            };
            (part.len(), row)
        })
        .collect();
    rows.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    Block::Table {
        title: "NPS by segment".into(),
        columns: ["answers", "NPS"].map(Into::into).to_vec(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        empty: "No answer in this period.".into(),
    }
}
