//! The quarter in its ways of counting, then quarter by quarter and CSM by CSM.

use super::Made;
use super::figures::Set;
use crate::book::LocalId;
use crate::insight::forecast::category::Category;
use crate::insight::page::{Block, Figure, TableRow, Value};

/// The blocks about one quarter, and what they say.
pub(super) struct Quarter {
    pub(super) sentence: String,
    pub(super) blocks: Vec<Block>,
}

/// The quarter that the page is about.
pub(super) fn quarter(made: &Made<'_>) -> Quarter {
    let set = of_quarter(made, made.shown);
    let f = &set.sums;
    let label = &made.period().label;
    let money = |name, label: &str, n| set.money(name, label, n);
    let figures = vec![
        money("forecast.due", "due", f.due),
        set.target("target"),
        money("forecast.closed", "closed", f.closed),
        set.aimed("forecast.weighted", "weighted forecast", f.weighted),
        set.rate("forecast.gross", "gross rate", f.gross()),
        set.rate("forecast.net", "net rate", f.net()),
        interval(&set, "P10", f.spread.p10),
        interval(&set, "P50", f.spread.p50),
        interval(&set, "P90", f.spread.p90),
        set.money("forecast.sd", "σ", f.spread.sd.round() as i64),
    ];
    let mut bars: Vec<Figure> = Category::ROLL_UP
        .into_iter()
        .filter(|c| *c != Category::MostLikely || f.category(*c).count > 0)
        .map(|c| set.aimed("forecast.category", c.name(), f.cumulative(c)))
        .collect();
    bars.push(money("forecast.due", "due", f.due));
    let apart = [
        (
            "forecast.category",
            "omitted",
            f.category(Category::Omitted),
        ),
        ("forecast.category", "lost", f.category(Category::Lost)),
        (
            "forecast.committed_churn",
            "committed churn",
            f.committed_churn,
        ),
        ("forecast.slipped", "slipped to a later quarter", f.slipped),
    ];
    let blocks = vec![
        Block::Figures {
            title: format!("{label}: what will come"),
            figures,
        },
        Block::Bars {
            title: "Categories, each with all surer ones, and the target".into(),
            bars,
        },
        ways(&set),
        Block::Figures {
            title: "In none of the categories, or apart".into(),
            figures: apart
                .into_iter()
                .map(|(name, label, b)| money(name, &format!("{label} ({})", b.count), b.amount))
                .collect(),
        },
    ];
    Quarter {
        sentence: sentence(made, &set),
        blocks,
    }
}

fn of_quarter(made: &Made<'_>, i: usize) -> Set {
    let period = &made.quarters[i];
    made.set(
        &made.of(period),
        &made.out_of(period),
        period.end(),
        made.targets[i],
    )
}

/// A point of the interval; there is none where nothing is due.
fn interval(set: &Set, label: &str, n: i64) -> Figure {
    if set.sums.count == 0 {
        return Figure {
            value: Value::None("nothing is due".into()),
            ..set.money("forecast.interval", label, 0)
        };
    }
    set.aimed("forecast.interval", label, n)
}

/// The same quarter in each of the usual ways, side by side.
fn ways(set: &Set) -> Block {
    let f = &set.sums;
    let row = |label: &str, name, n: i64| TableRow {
        label: label.into(),
        account: None,
        cells: vec![set.aimed(name, label, n), set.rate(name, label, f.share(n))],
    };
    let rows = if f.count == 0 {
        Vec::new()
    } else {
        vec![
            row("weighted", "forecast.weighted", f.weighted),
            row(
                "category: commit",
                "forecast.category",
                f.cumulative(Category::Commit),
            ),
            row(
                "category: best",
                "forecast.category",
                f.cumulative(Category::Best),
            ),
            row("in or out", "forecast.in_or_out", f.in_or_out),
            row(
                "P10, nine times in ten at least",
                "forecast.interval",
                f.spread.p10,
            ),
            row("P50", "forecast.interval", f.spread.p50),
            row("P90, once in ten more", "forecast.interval", f.spread.p90),
            row("with growth", "forecast.net", f.weighted_net),
        ]
    };
    Block::Table {
        title: "Side by side".into(),
        columns: ["amount", "of due"].map(str::to_owned).to_vec(),
        rows,
        empty: "Nothing is due in this quarter; renewals come from the CRM or `csops import … --kind renewals`."
            .into(),
    }
}

fn sentence(made: &Made<'_>, set: &Set) -> String {
    let (f, label) = (&set.sums, &made.period().label);
    let Some(gross) = f.gross() else {
        return format!("Nothing is due in {label}.");
    };
    let money = |n| made.words(n);
    let mut out = format!(
        "{label}: {} of {} due is forecast to renew ({:.1} %), and with 80 % certainty between {} and {}",
        money(f.weighted),
        money(f.due),
        gross * 100.0,
        money(f.spread.p10),
        money(f.spread.p90)
    );
    if let Some(target) = made.targets[made.shown] {
        let points = (gross - target) * 100.0;
        let side = if points < 0.0 { "under" } else { "above" };
        out.push_str(&format!(
            ": {:.1} points {side} the target of {:.0} %",
            points.abs(),
            target * 100.0
        ));
    }
    if f.slipped.count > 0 {
        out.push_str(&format!(
            "; {} of it slipped to a later quarter",
            money(f.slipped.amount)
        ));
    }
    out.push('.');
    out
}

const COLUMNS: [&str; 11] = [
    "due", "n", "closed", "commit", "best", "weighted", "gross", "net", "target", "P10", "P90",
];

fn cells(set: &Set) -> Vec<Figure> {
    let f = &set.sums;
    let money = |name, n| set.money(name, "", n);
    vec![
        money("forecast.due", f.due),
        set.count("forecast.due", "", f.count),
        money("forecast.closed", f.closed),
        money("forecast.category", f.cumulative(Category::Commit)),
        money("forecast.category", f.cumulative(Category::Best)),
        money("forecast.weighted", f.weighted),
        set.rate("forecast.gross", "", f.gross()),
        set.rate("forecast.net", "", f.net()),
        set.target(""),
        interval(set, "", f.spread.p10),
        interval(set, "", f.spread.p90),
    ]
}

/// Quarter by quarter.
pub(super) fn by_quarter(made: &Made<'_>) -> Block {
    let rows = (0..made.quarters.len())
        .map(|i| TableRow {
            label: made.quarters[i].label.clone(),
            account: None,
            cells: cells(&of_quarter(made, i)),
        })
        .collect();
    Block::Table {
        title: "By quarter".into(),
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows,
        empty: String::new(),
    }
}

/// CSM by CSM; the sum of the rows is the quarter.
pub(super) fn by_csm(made: &Made<'_>) -> Block {
    let period = made.period();
    let all = made.of(period);
    let mut rows: Vec<(i64, TableRow)> = made
        .csms(&all)
        .into_iter()
        .map(|csm| {
            let own: Vec<_> = all.iter().copied().filter(|r| r.csm == csm).collect();
            let target = made.targets[made.shown];
            let set = made.set(&own, &[], period.end(), target);
            let row = TableRow {
                label: name_of(made, csm),
                account: None,
                cells: cells(&set),
            };
            (set.sums.due, row)
        })
        .collect();
    rows.sort_by_key(|(due, _)| std::cmp::Reverse(*due));
    Block::Table {
        title: format!("By CSM, {}", period.label),
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        empty: "Nothing is due in this quarter.".into(),
    }
}

/// What a CSM is called.
pub(super) fn name_of(made: &Made<'_>, csm: LocalId) -> String {
    if !csm.is_some() {
        return "nobody".into();
    }
    made.input.book.person_by_id(csm).map_or_else(
        || "somebody unknown".into(),
        |p| crate::book::text::visible(p.name()).into_owned(),
    )
}
