//! Random ledgers, figured by the definitions alone, day by day and without any of the code that is under test; and what holds of all.

use super::fixture::{Fixture, TODAY};
use super::*;
use crate::book::Money;
use crate::book::day::{date_of, days};
use crate::insight::retention::series::{Source, cohorts, monthly, quarter_rates, quarterly};
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A row as the definitions see it.
#[derive(Clone, Debug)]
struct Row {
    change: &'static str,
    start: i32,
    end: i32,
    minor: i64,
    signed: Option<i32>,
}

/// A line is a list of rows; a customer a list of lines.
type Line = Vec<Row>;

#[derive(Clone, Debug)]
struct Term {
    gap: i32,
    len: i32,
    minor: i64,
    late: i32,
    renews: bool,
    step: Option<(bool, i32, i64)>,
}

fn term() -> impl Strategy<Value = Term> {
    let step = prop::option::of((any::<bool>(), 1..100i32, 1..300i64));
    let gap = prop_oneof![3 => Just(0), 2 => 1..130i32];
    let late = prop_oneof![3 => Just(-20), 1 => 1..100i32];
    (gap, 120..500i32, 1..300i64, late, any::<bool>(), step).prop_map(
        |(gap, len, minor, late, renews, step)| Term {
            gap,
            len,
            minor,
            late,
            renews,
            step,
        },
    )
}

fn line() -> impl Strategy<Value = Line> {
    let first = days(date(2024, 1, 1));
    (first..first + 500, prop::collection::vec(term(), 1..4)).prop_map(|(start, terms)| {
        let mut rows: Line = Vec::new();
        let mut next = start;
        for t in terms {
            let start = next + if rows.is_empty() { 0 } else { t.gap };
            let end = start + t.len - 1;
            let change = match (rows.is_empty(), t.renews) {
                (true, _) | (_, false) => "new",
                _ => "renewal",
            };
            rows.push(Row {
                change,
                start,
                end,
                minor: t.minor,
                signed: Some(start + t.late),
            });
            // A step inside a term that was signed late would be a step before its term.
            if let Some((price, at, minor)) = t.step
                && t.late <= 0
            {
                let change = if price { "escalator" } else { "amendment" };
                rows.push(Row {
                    change,
                    start: start + at,
                    end,
                    minor,
                    signed: None,
                });
            }
            next = end + 1;
        }
        rows
    })
}

fn book() -> impl Strategy<Value = Vec<Vec<Line>>> {
    prop::collection::vec(prop::collection::vec(line(), 1..4), 1..6)
}

fn fixture(customers: &[Vec<Line>]) -> Fixture {
    let mut f = Fixture::default();
    for (c, lines) in customers.iter().enumerate() {
        for (l, rows) in lines.iter().enumerate() {
            for r in rows {
                let s = f.sold(&format!("C{c},L{l},{}", r.change));
                s.start = date_of(r.start);
                s.end = date_of(r.end);
                s.arr = Money::new(r.minor, "USD");
                s.signed = r.signed.and_then(date_of);
            }
        }
    }
    f
}

/// Days between the end of a row and the later of the next one's start and signature.
fn gap(rows: &[Row], i: usize) -> i32 {
    let next = &rows[i + 1];
    next.start.max(next.signed.unwrap_or(next.start)) - rows[i].end - 1
}

/// What a line pays on a day. `forgiven`: days of a gap that are none.
fn paid(rows: &[Row], day: i32, forgiven: i32, known: i32) -> i64 {
    let Some(i) = rows.iter().rposition(|r| r.start <= day) else {
        return 0;
    };
    let follows = i > 0 && rows[i].start > rows[i - 1].end;
    if follows && gap(rows, i - 1) > forgiven && day <= rows[i - 1].end + gap(rows, i - 1) {
        return 0;
    }
    let still = match rows.get(i + 1) {
        Some(_) => gap(rows, i) <= forgiven,
        None => forgiven > 0 && known <= rows[i].end + forgiven,
    };
    if day <= rows[i].end || still {
        rows[i].minor
    } else {
        0
    }
}

/// The figures of one window, by the definitions.
fn replay(
    customers: &[Vec<Line>],
    (from, to): (i32, i32),
    policy: &Policy,
) -> BTreeMap<&'static str, i64> {
    use crate::insight::retention::policy::*;
    let known = days(TODAY).max(to);
    let forgiven = match policy.late {
        Late::Grace(n) => i32::from(n),
        Late::TermEnd => 0,
        Late::Hold => unreachable!("not replayed"),
    };
    let mut sums: BTreeMap<&'static str, i64> = BTreeMap::new();
    let mut add = |name, n: i64| *sums.entry(name).or_default() += n;
    for lines in customers {
        let value = |l: &Line, day| paid(l, day, forgiven, known);
        let opening: i64 = lines.iter().map(|l| value(l, from - 1)).sum();
        let closing: i64 = lines.iter().map(|l| value(l, to)).sum();
        add("opening", opening);
        add("closing", closing);
        // What of a line at the closing is not what it was: it was gone in between.
        let returned = |l: &Line| {
            let (mut gone, mut out) = (0, false);
            for day in from..=to {
                match value(l, day) {
                    0 => gone += 1,
                    _ if gone > 0 => {
                        out |= match policy.reactivation {
                            Reactivation::Ignore(n) => gone > i32::from(n),
                            _ => true,
                        };
                        gone = 0;
                    }
                    _ => {}
                }
            }
            out && value(l, from - 1) != 0 && value(l, to) != 0
        };
        let price = |l: &Line| {
            if value(l, from - 1) == 0 || value(l, to) == 0 || returned(l) {
                return 0;
            }
            let steps = l.iter().filter(|r| r.change == "escalator");
            let within = steps.filter(|r| r.start >= from && r.start <= to);
            let rises = within.map(|r| value(l, r.start) - value(l, r.start - 1));
            rises.sum::<i64>().min(value(l, to))
        };
        let was_there = |l: &Line| l[0].start < from;
        let apart = policy.price != Price::Include;
        if opening == 0 {
            for l in lines {
                let back = was_there(l) && policy.reactivation != Reactivation::ChurnNew;
                add(if back { "reactivation" } else { "new" }, value(l, to));
            }
            continue;
        }
        add("customers", 1);
        let back: i64 = lines
            .iter()
            .filter(|l| returned(l))
            .map(|l| value(l, to))
            .sum();
        let left = closing - back;
        let lost = left == 0;
        add("lost", i64::from(lost));
        let bucket = match policy.reactivation {
            Reactivation::ChurnNew => "new",
            _ => "reactivation",
        };
        add(bucket, back);
        let cells: Vec<Vec<&Line>> = match policy.netting {
            Netting::Line => lines.iter().map(|l| vec![l]).collect(),
            _ => vec![lines.iter().collect()],
        };
        for cell in cells {
            let sum = |f: &dyn Fn(&Line) -> i64| cell.iter().map(|l| f(l)).sum::<i64>();
            let o = sum(&|l| value(l, from - 1));
            let stays = sum(&|l| if returned(l) { 0 } else { value(l, to) });
            let p = if apart { sum(&price) } else { 0 };
            let change = stays - o - p;
            add("price", p);
            add("expansion", change.max(0));
            add(if lost { "churn" } else { "contraction" }, (-change).max(0));
            let counted = stays - if policy.price == Price::Exclude { p } else { 0 };
            add("retained", counted);
            add("kept", counted.min(o));
        }
    }
    sums.retain(|_, n| *n != 0);
    sums
}

fn computed(r: &Report) -> BTreeMap<&'static str, i64> {
    let (t, s) = (&r.totals, &r.totals.sum);
    let all = [
        ("opening", s.opening),
        ("closing", s.closing),
        ("new", s.new),
        ("reactivation", s.reactivation),
        ("price", s.price),
        ("expansion", s.expansion),
        ("contraction", s.contraction),
        ("churn", s.churn),
        ("retained", s.retained),
        ("kept", s.kept),
        ("customers", t.customers as i64),
        ("lost", t.lost as i64),
    ];
    all.into_iter().filter(|(_, n)| *n != 0).collect()
}

fn switches() -> impl Strategy<Value = String> {
    (
        prop::sample::select(vec!["account", "line"]),
        prop::sample::select(vec!["grace:60d", "grace:5d", "term_end"]),
        prop::sample::select(vec!["ignore:90d", "ignore:20d", "churn_new", "bucket"]),
        prop::sample::select(vec!["include", "separate", "exclude"]),
    )
        .prop_map(|(n, l, r, p)| format!("netting={n} late={l} reactivation={r} price={p}"))
}

fn window() -> impl Strategy<Value = (i32, i32)> {
    let first = days(date(2024, 6, 1));
    (first..first + 700, 0..500i32).prop_map(|(from, len)| (from, from + len))
}

fn report(f: &Fixture, switches: &str, (from, to): (i32, i32)) -> Report {
    let day = |d| date_of(d).unwrap().to_string();
    f.report(switches, &day(from), &day(to))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn a_replay_day_by_day_gives_the_same_figures(
        customers in book(), switches in switches(), window in window(),
    ) {
        let mut policy = Policy::default();
        policy.set_pairs(&switches).unwrap();
        let r = report(&fixture(&customers), &switches, window);
        prop_assert_eq!(computed(&r), replay(&customers, window, &policy));
        prop_assert_eq!(r.totals.sum.check(), 0);
        prop_assert!(r.broken.is_empty());
    }

    #[test]
    fn gross_is_never_above_net_nor_above_one(
        customers in book(), switches in switches(), window in window(),
    ) {
        let t = report(&fixture(&customers), &switches, window).totals;
        if let Some((gross, net)) = t.gross().zip(t.net()) {
            prop_assert!(gross <= net.min(1.0) + 1e-12 && gross >= 0.0, "{gross} {net}");
        }
        prop_assert!(t.renewal_gross().is_none_or(|g| g <= 1.0 || t.windfalls > 0));
        prop_assert!(t.sum.due_kept <= t.sum.due_renewed);
        prop_assert!(t.lost <= t.customers && t.due_lost <= t.due_customers);
    }

    #[test]
    fn a_rise_on_a_line_of_its_own_never_changes_gross_retention_by_line(
        customers in book(), more in line(), window in window(),
    ) {
        let before = report(&fixture(&customers), "netting=line", window).totals.sum;
        let mut grown = customers.clone();
        let mut more = more;
        // It begins within the window.
        let shift = window.0 - more[0].start;
        for r in &mut more {
            (r.start, r.end) = (r.start + shift, r.end + shift);
            r.signed = r.signed.map(|s| s + shift);
        }
        grown[0].push(more);
        let after = report(&fixture(&grown), "netting=line", window).totals.sum;
        prop_assert_eq!((before.opening, before.kept), (after.opening, after.kept));
    }

    #[test]
    fn a_new_customer_changes_no_retention(customers in book(), new in line(), window in window()) {
        let before = report(&fixture(&customers), "", window).totals;
        let shift = window.0 - new[0].start;
        let new: Line = new.into_iter().map(|r| Row {
            start: r.start + shift,
            end: r.end + shift,
            signed: r.signed.map(|s| s + shift),
            ..r
        }).collect();
        let mut more = customers.clone();
        more.push(vec![new]);
        let after = report(&fixture(&more), "", window).totals;
        prop_assert_eq!((before.gross(), before.net(), before.churn()), (after.gross(), after.net(), after.churn()));
    }

    #[test]
    fn splitting_an_account_into_lines_never_raises_gross_retention_by_line(
        customers in book(), parts in prop::collection::vec(0..=100i64, 8), window in window(),
    ) {
        let before = report(&fixture(&customers), "netting=line", window).totals.sum;
        let split: Vec<Vec<Line>> = customers.iter().map(|lines| {
            lines.iter().flat_map(|rows| {
                let part = |i: usize, r: &Row| r.minor * parts[i % parts.len()] / 100;
                let one = rows.iter().enumerate().map(|(i, r)| Row { minor: part(i, r), ..r.clone() });
                let two = rows.iter().enumerate()
                    .map(|(i, r)| Row { minor: r.minor - part(i, r), ..r.clone() });
                [one.collect::<Line>(), two.collect()]
            }).collect()
        }).collect();
        let after = report(&fixture(&split), "netting=line", window).totals.sum;
        prop_assert_eq!(before.opening, after.opening);
        prop_assert!(after.kept <= before.kept, "{} > {}", after.kept, before.kept);
    }

    #[test]
    fn groups_add_up_whatever_the_policy(
        customers in book(), switches in switches(), window in window(), unit in 0..2usize, cap in any::<bool>(),
    ) {
        let mut f = fixture(&customers);
        for c in 0..customers.len() {
            let parent = f.account("C0").id;
            let a = f.account(&format!("C{c}"));
            a.segment = Some(format!("S{}", c % 2));
            a.parent = Some(parent).filter(|p| *p != a.id && c % 2 == 0);
        }
        let unit = ["unit=account", "unit=parent"][unit];
        let cap = if cap { "cap=losses" } else { "" };
        let day = |d| date_of(d).unwrap().to_string();
        for by in By::ALL {
            let r = f.grouped(&format!("{switches} {unit} {cap}"), &day(window.0), &day(window.1), Some(by));
            let mut all = Totals::default();
            let mut counts = (0, 0, 0, 0);
            for g in &r.grouped[0].groups {
                all.add(&g.totals.sum);
                counts.0 += g.totals.customers;
                counts.1 += g.totals.lost;
                counts.2 += g.totals.due_customers;
                counts.3 += g.totals.due_lost;
            }
            let t = r.totals;
            prop_assert_eq!(all.sum, t.sum);
            prop_assert_eq!(counts, (t.customers, t.lost, t.due_customers, t.due_lost));
            prop_assert_eq!(t.sum.check(), 0);
        }
    }

    #[test]
    fn every_point_of_a_series_is_the_report_of_its_window(customers in book(), switches in switches()) {
        let f = fixture(&customers);
        let (book, ledger) = (f.book(), f.ledger());
        let mut policy = Policy::default();
        policy.set_pairs(&switches).unwrap();
        let calendar = crate::book::Calendar::default();
        let source = Source { book: &book, ledger: &ledger, policy: &policy, calendar: &calendar, today: TODAY, mine: None };
        for (end, t) in monthly(&source, 6) {
            let from = end.first_of_month().checked_sub(jiff::Span::new().months(11)).unwrap();
            let r = report(&f, &switches, (days(from), days(end)));
            prop_assert_eq!((t.gross(), t.net(), t.churn()), (r.totals.gross(), r.totals.net(), r.totals.churn()));
        }
        let q = quarterly(&source);
        for (quarter, t) in &q.quarters {
            let r = report(&f, &switches, (days(quarter.start), days(quarter.end)));
            prop_assert_eq!(t.sum.contraction, r.totals.sum.contraction);
            prop_assert_eq!(t.sum.churn, r.totals.sum.churn);
        }
        // A cohort's opening is what its customers pay at the end of their first quarter, and its first age the report of those alone.
        for c in cohorts(&source, 12) {
            let own: Vec<Vec<Line>> = customers.iter().filter(|lines| {
                let began = lines.iter().map(|l| l[0].start).min().unwrap();
                (days(c.quarter.start)..=days(c.quarter.end)).contains(&began)
            }).cloned().collect();
            let end = days(c.quarter.end);
            let later = crate::book::Calendar::default().next(&c.quarter);
            let r = report(&fixture(&own), &switches, (end + 1, days(later.end)));
            prop_assert_eq!((c.ages[0].sum.opening, c.ages[0].net()), (r.totals.sum.opening, r.totals.net()));
        }
    }
}

#[test]
fn quarterly_shares_of_their_own_openings_do_not_add_up_and_those_of_the_annual_base_do() {
    let rates = quarter_rates(&[(10_000, 250), (11_500, 300), (13_200, 350), (15_000, 350)]);
    let sum = |f: fn(&series::QuarterRate) -> Option<f64>| rates.iter().filter_map(f).sum::<f64>();
    assert!((sum(|r| r.of_own) - 0.10093544137022398).abs() < 1e-15);
    assert_eq!(sum(|r| r.of_year), 0.125);
    assert_eq!(quarter_rates(&[(0, 0)])[0].of_own, None);
}
