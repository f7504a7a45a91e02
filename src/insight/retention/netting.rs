//! Lines that are netted with one another, as one cell: into which bucket each change falls, and what of the closing counts.

use super::cell::{Cell, mark};
use super::course::is_ignored;
use super::policy::{Cap, Netting, Price, Reactivation};
use super::timeline::{Change, Step, Timeline};
use super::window::{Frame, LineCell};
use crate::insight::ledger::Ledger;

/// Puts lines that are negative into the largest cell of their account: credits are netted before the cap.
pub(super) fn net_credits(lines: &mut [LineCell]) {
    // An account with many credits is looked through once: its largest cell keeps its key.
    let mut known: Option<(u32, (u32, u32))> = None;
    for i in 0..lines.len() {
        if lines[i].opening >= 0 && lines[i].closing >= 0 {
            continue;
        }
        let account = lines[i].account;
        let key = match known {
            Some((of, key)) if of == account => key,
            _ => (lines.iter())
                .filter(|l| l.account == account)
                .max_by_key(|l| (l.opening, l.closing))
                .map_or(lines[i].key, |l| l.key),
        };
        known = Some((account, key));
        lines[i].key = key;
    }
}

/// The lines that are netted with one another as a cell.
pub(super) fn cell(
    ledger: &Ledger,
    timeline: &Timeline,
    frame: &Frame,
    lines: &[LineCell],
    marks: u16,
    events: &mut Vec<(i32, i64)>,
) -> Cell {
    let policy = &frame.policy;
    let first = lines[0];
    let named = lines.iter().find(|l| l.line != u32::MAX).unwrap_or(&first);
    let meta = ledger
        .lines
        .get(named.line as usize)
        .copied()
        .unwrap_or_default();
    let mut c = Cell {
        account: ledger.accounts[first.account as usize].row,
        line: if policy.netting == Netting::Line {
            meta.name
        } else {
            0
        },
        product: match policy.netting {
            Netting::Account => 0,
            _ => meta.product,
        },
        marks,
        ..Cell::default()
    };
    let cohort = c.is(mark::COHORT);
    let apart = policy.price != Price::Include;
    // What is there at the closing and counts for nothing of what was there at the opening.
    let (mut returned, mut reported_returned) = (0_i64, 0_i64);
    let (mut price, mut reported_price) = (0_i64, 0_i64);
    let (mut constant, mut new_renewed) = (0_i64, 0_i64);
    for l in lines {
        c.opening += l.opening;
        constant += l.closing;
        c.closing += l.reported;
        if l.returned {
            returned += l.closing;
            reported_returned += l.reported;
            c.marks |= mark::BACK;
        }
        if l.ignored {
            c.marks |= mark::BACK_IGNORED;
        }
        if l.pending {
            c.marks |= mark::PENDING;
        }
        if l.windfall.1 != 0 {
            c.marks |= mark::WINDFALL;
        }
        price += l.price;
        reported_price += l.reported_price;
        c.due += l.due;
        c.due_renewed += l.renewed + l.windfall.1;
        c.due_kept += l.windfall.0.min(l.windfall.1);
        if l.opening == 0 && !l.is_due && l.line != u32::MAX {
            new_renewed += l.reported;
        }
    }
    c.fx = c.closing - constant;
    // What a customer adds on new lines belongs to its renewal as a rise does on an old one.
    if c.is(mark::DUE) {
        c.due_renewed += new_renewed;
        let own = c.due_renewed - lines.iter().map(|l| l.windfall.1).sum::<i64>();
        c.due_kept += match policy.cap {
            Cap::Account => own.min(c.due),
            Cap::Losses => lines.iter().map(|l| l.renewed.min(l.due)).sum(),
        };
    }
    let comeback = match policy.reactivation {
        Reactivation::ChurnNew => &mut c.new,
        Reactivation::Ignore(_) | Reactivation::Bucket => &mut c.reactivation,
    };
    if !cohort {
        let back = lines
            .iter()
            .filter(|l| l.back)
            .map(|l| l.closing)
            .sum::<i64>();
        *comeback += back;
        c.new += constant - back;
        return c;
    }
    *comeback += returned;
    c.retained = c.closing - reported_returned;
    if policy.price == Price::Exclude {
        c.retained -= reported_price;
    }
    if apart {
        c.price = price;
    }
    let (rises, falls) = match policy.cap {
        Cap::Account => {
            let change = constant - returned - c.opening - c.price;
            (change.max(0), (-change).max(0))
        }
        Cap::Losses => every_change(timeline, frame, lines, events),
    };
    c.expansion += rises;
    c.kept = match policy.cap {
        Cap::Account => c.opening.min(c.retained),
        Cap::Losses => c.opening - falls,
    };
    match c.is(mark::LOST) {
        true => c.churn = falls,
        false => c.contraction = falls,
    }
    c
}

/// All rises and all falls of the lines together, day by day, at the opening's rates: what stands apart left out.
fn every_change(
    timeline: &Timeline,
    frame: &Frame,
    lines: &[LineCell],
    events: &mut Vec<(i32, i64)>,
) -> (i64, i64) {
    let policy = &frame.policy;
    events.clear();
    for l in lines.iter().filter(|l| l.line != u32::MAX) {
        let value = |s: &Step| frame.at_opening(s.currency, s.minor).unwrap_or(0);
        let steps = timeline.line(l.line);
        let (mut now, mut ended, mut priced) = (l.opening, i32::MIN, 0);
        for (i, s) in steps.iter().enumerate() {
            if s.at <= frame.opening || s.at > frame.closing {
                continue;
            }
            let was_there = l.opening != 0;
            if s.change == Change::End {
                ended = s.at;
                let again = steps.get(i + 1).filter(|n| n.at <= frame.closing);
                if was_there && again.is_some_and(|n| is_ignored(policy, s.at, n.at)) {
                    continue;
                }
            }
            if s.change == Change::Return && was_there && !is_ignored(policy, ended, s.at) {
                // What came back is a change of its own, with all that became of it.
                break;
            }
            let then = value(s);
            if s.change == Change::Price && policy.price != Price::Include {
                priced += then - now;
            } else {
                events.push((s.at, then - now));
            }
            now = then;
        }
        // Prices of which nothing is left, or that do not stand apart here, are changes like others.
        if policy.price != Price::Include {
            events.push((frame.closing, priced - l.price));
        }
    }
    events.sort_unstable_by_key(|(day, _)| *day);
    let (mut rises, mut falls) = (0, 0);
    for day in events.chunk_by(|a, b| a.0 == b.0) {
        let sum: i64 = day.iter().map(|(_, change)| change).sum();
        rises += sum.max(0);
        falls += (-sum).max(0);
    }
    (rises, falls)
}
