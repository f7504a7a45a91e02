//! `csops metrics`: retention, the ARR waterfall and the renewal forecast of a window, under named conventions.

use super::args::{Global, Metrics as Options};
use super::open::{How, head, of_day, open};
use super::print::{Rows, money_json, print_json};
use super::start::{Failure, narrate};
use crate::book::text::visible;
use crate::book::{Book, FieldValue};
use crate::cockpit::Snapshot;
use crate::insight::forecast::{self, Forecast, Parted, Period};
use crate::insight::ledger::{Ledger, build};
use crate::insight::page::Value as Cell;
use crate::insight::retention::group::Groups;
use crate::insight::retention::json::{CoverageJson, Figures};
use crate::insight::retention::policy::Denominator;
use crate::insight::retention::rows::{Of, Writer};
use crate::insight::retention::{Ask, By, Grouped, Policy, Report, Totals, report, window};
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use std::io::Write;

/// Everything that is printed.
struct Printed<'a> {
    snapshot: &'a Snapshot,
    ledger: Ledger,
    report: Report,
    from: Date,
    to: Date,
}

/// Runs it.
///
/// # Errors
/// 2 for a switch, day or group that cannot be understood, 1 for a day before history begins.
pub fn run(global: &Global, options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let by: Result<Vec<By>, String> = options.by.iter().map(|b| By::parse(b.trim())).collect();
    let by = by.map_err(|e| Failure::usage(format!("--by: {e}")))?;
    let session = open(global, How::Headless)?;
    let present = session.cockpit.snapshot();
    let past = match &options.as_of {
        Some(day) => session.as_of(&present, day)?,
        None => None,
    };
    let snapshot = past.as_ref().map_or(&*present, |p| &p.snapshot);
    let printed = compute(snapshot, options, by)?;
    let mut head = head(snapshot, "metrics");
    if let Some(past) = &past {
        of_day(&mut head, past);
    }
    if options.json {
        print_json(&document(&printed, head), out)?;
    } else {
        text(&printed, options, out)?;
    }
    if printed.ledger.is_empty() {
        narrate(crate::insight::header::NO_LEDGER);
    }
    Ok(())
}

fn day(name: &str, text: Option<&String>) -> Result<Option<Date>, Failure> {
    let read = |t: &String| {
        t.parse::<Date>()
            .map_err(|_| Failure::usage(format!("--{name} {t}: a day is written as 2025-12-31")))
    };
    text.map(read).transpose()
}

fn compute<'a>(
    snapshot: &'a Snapshot,
    options: &Options,
    by: Vec<By>,
) -> Result<Printed<'a>, Failure> {
    let settings = &snapshot.settings.retention;
    let mut policy: Policy = settings.policy;
    for text in &options.policy {
        let set = policy.set_pairs(text);
        set.map_err(|e| Failure::usage(format!("--policy: {e}")))?;
    }
    let (from, to) = (
        day("from", options.from.as_ref())?,
        day("to", options.to.as_ref())?,
    );
    let calendar = &snapshot.calendar;
    let (from, to) = window(&policy, from, to, snapshot.today, calendar).map_err(Failure::usage)?;
    let ledger = build(&snapshot.book, snapshot.today, settings.mixed_currencies);
    let ask = Ask {
        from,
        to,
        policy,
        by,
        with_rows: options.explain,
        mine: None,
    };
    let report = report(&snapshot.book, &ledger, &ask, snapshot.today, calendar);
    Ok(Printed {
        snapshot,
        ledger,
        report,
        from,
        to,
    })
}

impl Printed<'_> {
    fn book(&self) -> &Book {
        &self.snapshot.book
    }
    fn figures(&self, totals: &Totals) -> Map<String, Value> {
        let answered = self.report.unavailable.is_none();
        let figures = Figures::of(totals, &self.report.policy, self.book(), answered);
        match serde_json::to_value(figures) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        }
    }
    /// The groups of a grouping. Those that only have something to renew come behind those that have ARR.
    fn groups(&self, grouped: &Grouped) -> Vec<Value> {
        let by = grouped.by;
        let keys = Groups::of(self.book(), &self.ledger, &self.snapshot.calendar, by);
        let blank = Totals::default();
        let known = grouped.groups.iter().map(|g| (g.key.as_str(), &g.totals));
        let others = (keys.keys.iter()).filter(|k| !grouped.groups.iter().any(|g| g.key == **k));
        let forecast = self.forecast(Some(&keys));
        let mut groups: Vec<Value> = Vec::new();
        for (key, totals) in known.chain(others.map(|k| (k.as_str(), &blank))) {
            // A renewal is of an account, not of a product.
            let at = keys.keys.iter().position(|k| k == key);
            let at = at.filter(|_| by != By::Product);
            let own = at.and_then(|at| forecast.groups.get(at));
            if own.is_none_or(|f| f.due == 0) && *totals == blank {
                continue;
            }
            let mut group = Map::new();
            group.insert("by".into(), json!(by.name()));
            group.insert("key".into(), json!(key));
            group.extend(self.figures(totals));
            group.insert("forecast".into(), own.map_or(Value::Null, |f| self.told(f)));
            groups.push(Value::Object(group));
        }
        groups
    }
    /// The forecast of what is due in the window, of everything and of each group; and what is not in it.
    fn forecast(&self, groups: Option<&Groups>) -> Parted {
        let choices = crate::insight::page::Choices::default();
        let input = crate::cockpit::pages::input(self.snapshot, false, &choices);
        let period = Period::days(self.from, self.to);
        let count = groups.map_or(0, |g| g.keys.len());
        forecast::parted(&input, &period, count, |row| {
            groups?.of_account(&row.renewal.account()?)
        })
    }
    /// A forecast as the document tells it.
    fn told(&self, f: &Forecast) -> Value {
        let json = forecast::Json::of(f, |n| self.book().reporting_money(n));
        serde_json::to_value(json).unwrap_or(Value::Null)
    }
}

/// The JSON document.
fn document(p: &Printed<'_>, mut doc: Map<String, Value>) -> Value {
    let r = &p.report;
    doc.insert("from".into(), json!(p.from.to_string()));
    doc.insert("to".into(), json!(p.to.to_string()));
    doc.insert("policy".into(), json!(r.policy));
    doc.insert("badge".into(), json!(r.policy.badge()));
    doc.insert("coverage".into(), json!(CoverageJson::of(r, &p.ledger)));
    doc.insert("unavailable".into(), json!(r.unavailable));
    doc.extend(p.figures(&r.totals));
    let forecast = p.forecast(None);
    doc.insert("forecast".into(), p.told(&forecast.all));
    if !r.grouped.is_empty() {
        let groups: Vec<Value> = r.grouped.iter().flat_map(|g| p.groups(g)).collect();
        let by: Vec<&str> = r.grouped.iter().map(|g| g.by.name()).collect();
        doc.insert("by".into(), json!(by.join(",")));
        doc.insert("groups".into(), json!(groups));
    }
    let problem =
        |row: &str, reason: &str, of: &str| json!({"row": row, "reason": reason, "of": of});
    let mut excluded: Vec<Value> = (r.excluded.list.iter())
        .map(|e| problem(&e.row, &e.reason, "retention"))
        .collect();
    excluded.extend((forecast.excluded.iter()).map(|e| problem(&e.row, &e.reason, "forecast")));
    doc.insert("excluded".into(), json!(excluded));
    let noticed = p.ledger.notices.list.iter();
    let noticed = noticed.map(|n| json!({"row": n.row, "reason": n.reason}));
    doc.insert("noticed".into(), noticed.collect());
    let broken = r.broken.iter().map(|c| p.book().account(c.account).name());
    doc.insert("broken".into(), broken.collect());
    if !r.rows.is_empty() {
        doc.insert("rows".into(), explained_json(p));
    }
    Value::Object(doc)
}

/// The rows that retention is made of.
fn explained(p: &Printed<'_>) -> (Vec<String>, Vec<crate::insight::page::WhyRow>) {
    let of = match p.report.policy.denominator {
        Denominator::Opening => Of::Retention,
        Denominator::Due => Of::Due,
    };
    let writer = Writer::new(p.book(), &p.ledger, &p.report);
    (of.columns(), writer.rows(of, usize::MAX).0)
}

fn explained_json(p: &Printed<'_>) -> Value {
    let (columns, rows) = explained(p);
    let rows = rows.into_iter().map(|row| {
        let mut out = Map::new();
        out.insert("row".into(), json!(row.label));
        for (name, value) in columns.iter().zip(&row.values) {
            if let Cell::Money(minor) = value {
                let name = name.replace(' ', "_").to_lowercase();
                out.insert(name, money_json(p.book().reporting_money(*minor)));
            }
        }
        out.insert("note".into(), json!(row.note));
        Value::Object(out)
    });
    rows.collect()
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "n/a".to_owned(), |r| format!("{:.3} %", r * 100.0))
}

/// Tables for a person.
fn text(p: &Printed<'_>, options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let r = &p.report;
    writeln!(
        out,
        "{} to {}   {}",
        p.from,
        p.to,
        visible(&r.policy.badge())
    )?;
    if let Some(why) = &r.unavailable {
        writeln!(out, "n/a: {}", visible(why))?;
        return Ok(());
    }
    let money = |minor: i64| FieldValue::Money(p.book().reporting_money(minor));
    let named = |name: &str| FieldValue::text(name);
    let rate = |rate: Option<f64>| FieldValue::text(percent(rate));
    let due = r.policy.denominator == Denominator::Due;
    // Of what was due these are rates of other customers than those of the opening, which stands between them.
    let [customers, gross, net, churn] = match due {
        true => [
            "customers due",
            "grr of due",
            "nrr of due",
            "logo churn of due",
        ],
        false => ["customers", "grr", "nrr", "logo churn"],
    };
    let mut rates = Rows {
        columns: [
            "group",
            customers,
            "opening",
            gross,
            net,
            churn,
            "due",
            "renewal gross",
            "renewal net",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: Vec::new(),
    };
    let mut steps = Rows {
        columns: [
            "group",
            "opening",
            "new",
            "expansion",
            "reactivation",
            "price",
            "fx",
            "contraction",
            "churn",
            "closing",
            "check",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: Vec::new(),
    };
    let groups = r.grouped.iter().flat_map(|g| &g.groups);
    let groups = groups.map(|g| (g.key.as_str(), &g.totals));
    for (key, t) in groups.chain([("all", &r.totals)]) {
        let s = &t.sum;
        let (count, gross, net, churn) = match due {
            true => (
                t.due_customers,
                t.renewal_gross(),
                t.renewal_net(),
                t.due_churn(),
            ),
            false => (t.customers, t.gross(), t.net(), t.churn()),
        };
        rates.rows.push(vec![
            named(key),
            FieldValue::Number(count as f64),
            money(s.opening),
            rate(gross),
            rate(net),
            rate(churn),
            money(s.due),
            rate(t.renewal_gross()),
            rate(t.renewal_net()),
        ]);
        let mut row = vec![named(key)];
        row.extend(
            [
                s.opening,
                s.new,
                s.expansion,
                s.reactivation,
                s.price,
                s.fx,
                -s.contraction,
                -s.churn,
                s.closing,
                s.check(),
            ]
            .map(money),
        );
        steps.rows.push(row);
    }
    writeln!(out, "\nRetention")?;
    rates.print_table(out)?;
    writeln!(out, "\nARR from opening to closing")?;
    steps.print_table(out)?;
    writeln!(out, "\nRenewal forecast of the window")?;
    forecast_text(p.book(), &p.forecast(None).all, out)?;
    let c = &r.coverage;
    let share = c
        .share()
        .map_or_else(String::new, |s| format!(" ({:.1} %)", s * 100.0));
    writeln!(
        out,
        "\n{} of {} accounts{share} from {}",
        c.known,
        c.of,
        match p.ledger.source() {
            s if s.is_empty() => "nothing".to_owned(),
            s => s,
        }
    )?;
    if options.explain {
        explain(p, out)?;
    }
    listed("left out", r.excluded.count, r.excluded.list.iter(), out)?;
    let notices = &p.ledger.notices;
    listed(
        "noticed, and counted",
        notices.count,
        notices.list.iter(),
        out,
    )?;
    for cell in &r.broken {
        let name = visible(p.book().account(cell.account).name()).into_owned();
        writeln!(out, "does not tie: {name}")?;
    }
    Ok(())
}

/// Rows that were left out or noticed.
fn listed<'a>(
    what: &str,
    count: usize,
    list: impl Iterator<Item = &'a crate::insight::ledger::Problem>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "\n{count} {what}")?;
    for p in list {
        writeln!(out, "  {}: {}", visible(&p.row), visible(&p.reason))?;
    }
    Ok(())
}

fn forecast_text(book: &Book, f: &Forecast, out: &mut dyn Write) -> std::io::Result<()> {
    let amount = |minor: i64| {
        let money = book.reporting_money(minor);
        format!("{} {}", money.decimal(), money.code())
    };
    for (name, minor) in [
        ("due", f.due),
        ("closed", f.closed),
        ("weighted", f.weighted),
    ] {
        writeln!(out, "  {name:<10} {}", amount(minor))?;
    }
    for (name, minor) in [
        ("p10", f.spread.p10),
        ("p50", f.spread.p50),
        ("p90", f.spread.p90),
    ] {
        let known = (f.count > 0).then(|| amount(minor));
        writeln!(out, "  {name:<10} {}", known.as_deref().unwrap_or("n/a"))?;
    }
    for (name, rate) in [("gross", f.gross()), ("net", f.net())] {
        writeln!(out, "  {name:<10} {}", percent(rate))?;
    }
    Ok(())
}

/// The rows, and how the gross rate is computed from them: GRR, or of what was due the renewal rate, which is of other customers.
fn explain(p: &Printed<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let (columns, rows) = explained(p);
    let s = &p.report.totals.sum;
    let due = p.report.policy.denominator == Denominator::Due;
    let (rate_name, defined) = match due {
        true => (
            "gross renewal rate",
            ["renewal_rate.gross", "renewal_rate.net"],
        ),
        false => ("GRR", ["grr", "nrr"]),
    };
    let (part, whole, net, rate) = match due {
        true => (
            s.due_kept,
            s.due,
            s.due_renewed,
            p.report.totals.renewal_gross(),
        ),
        false => (s.kept, s.opening, s.retained, p.report.totals.gross()),
    };
    let mut table = Rows {
        columns: std::iter::once("row".to_owned())
            .chain(columns.iter().cloned())
            .chain(["note".to_owned()])
            .collect(),
        rows: Vec::new(),
    };
    let money = |minor: i64| FieldValue::Money(p.book().reporting_money(minor));
    for row in rows {
        let mut cells = vec![FieldValue::text(row.label)];
        cells.extend(row.values.iter().map(|v| match v {
            Cell::Money(minor) => money(*minor),
            _ => FieldValue::Null,
        }));
        cells.push(FieldValue::text(row.note));
        table.rows.push(cells);
    }
    table.rows.push(vec![
        FieldValue::text("sum"),
        money(whole),
        money(net),
        money(part),
        FieldValue::Null,
    ]);
    writeln!(
        out,
        "\nRows; {rate_name} = sum of {} ÷ sum of {}",
        columns[2], columns[0]
    )?;
    table.print_table(out)?;
    writeln!(
        out,
        "{rate_name} = {} ÷ {} = {}",
        p.book().reporting_money(part),
        p.book().reporting_money(whole),
        rate.map_or_else(|| "n/a".to_owned(), |r| format!("{r}"))
    )?;
    for name in defined {
        if let Some(d) = crate::insight::definition(name) {
            writeln!(out, "{}: {}. {}", d.title, d.formula, d.note)?;
        }
    }
    Ok(())
}
