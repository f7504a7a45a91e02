//! The figures of one window: of everything and of every group, with the rows behind them.

use super::cell::{Cell, Totals};
use super::customers::Customers;
use super::group::{By, Groups};
use super::policy::{FxMode, Late, Netting, OneOff, Policy, Unit, Window};
use super::timeline::Timeline;
use super::window::{Frame, LeftOut, Walk};
use crate::book::day::{date_of, days};
use crate::book::fx::Ratio;
use crate::book::{Book, Calendar, LocalId, Money, RateKind};
use crate::insight::Coverage;
use crate::insight::ledger::{Ledger, Problems};
use jiff::civil::Date;
use std::collections::HashMap;

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The conventions.
    pub policy: Policy,
    /// What to group by.
    pub by: Vec<By>,
    /// Whether the rows are wanted.
    pub with_rows: bool,
    /// Only the accounts of this person.
    pub mine: Option<LocalId>,
}

/// All groups of one grouping.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouped {
    /// What is grouped by.
    pub by: By,
    /// The groups, the largest opening first; their sums are those of everything.
    pub groups: Vec<Group>,
}

/// The figures of one group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Its name.
    pub key: String,
    /// Its figures.
    pub totals: Totals,
}

/// The figures of one window.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The first day, as days since 1970-01-01.
    pub from: i32,
    /// The last day.
    pub to: i32,
    /// The conventions that were followed; grouping by product nets by product.
    pub policy: Policy,
    /// The figures of everything.
    pub totals: Totals,
    /// The figures of the groups, grouping by grouping as asked for.
    pub grouped: Vec<Grouped>,
    /// The cells behind them, in the order of the accounts; empty when they were not wanted.
    pub rows: Vec<Cell>,
    /// Cells whose changes do not add up; there is none.
    pub broken: Vec<Cell>,
    /// Accounts and rows that are not in it.
    pub excluded: Problems,
    /// Of the accounts that should be in it, those that are.
    pub coverage: Coverage,
    /// Why there is no answer under this policy.
    pub unavailable: Option<String>,
}

/// The window of a policy, from what was asked for.
///
/// # Errors
/// A sentence when the days do not fit the policy's window.
pub fn window(
    policy: &Policy,
    from: Option<Date>,
    to: Option<Date>,
    today: Date,
    calendar: &Calendar,
) -> Result<(Date, Date), String> {
    let end = to.unwrap_or(today);
    let trailing = || {
        let after = date_of(days(end) + 1).unwrap_or(end);
        after
            .checked_sub(jiff::Span::new().years(1))
            .map_err(|_| format!("there are no twelve months before {end}"))
    };
    let start = match (policy.window, from) {
        (Window::Range, Some(from)) => from,
        (Window::Range | Window::Ttm, None) => trailing()?,
        (Window::Quarter, None) => calendar.quarter(end).start,
        (Window::Year, None) => {
            let mut quarter = calendar.quarter(end);
            while quarter.number > 1 {
                let before = date_of(days(quarter.start) - 1);
                quarter = calendar.quarter(before.unwrap_or(quarter.start));
            }
            quarter.start
        }
        (window, Some(_)) => {
            return Err(format!(
                "window={} begins by itself: give no --from, or window=range",
                window.word()
            ));
        }
    };
    if start > end {
        return Err(format!(
            "the window begins on {start}, after its end on {end}"
        ));
    }
    Ok((start, end))
}

/// Why a policy has no answer on a ledger.
pub fn unavailable(book: &Book, ledger: &Ledger, policy: &Policy) -> Option<String> {
    let needs = [
        (
            policy.late == Late::Hold && !ledger.has_signed,
            "late=hold needs to know when renewals were signed: no subscription says (column signed)",
        ),
        (
            policy.one_off == OneOff::Include && !ledger.has_recurring,
            "one_off=include needs to know what comes again: no subscription says (column recurring)",
        ),
        (
            policy.unit == Unit::Contract && !ledger.has_contract,
            "unit=contract needs to know the contracts: no subscription says (column contract)",
        ),
        (
            policy.fx == FxMode::Plan && !book.has_plan_rates(),
            "fx=plan needs the plan's rates: there are none (csops import --kind rates with kind plan, or [money.plan_rates])",
        ),
    ];
    let found = needs.into_iter().find(|(missing, _)| *missing);
    found.map(|(_, why)| why.to_owned())
}

/// By the number of the currency, what it is worth on a day.
pub(super) fn rates_on(
    book: &Book,
    ledger: &Ledger,
    day: i32,
    kind: RateKind,
) -> Vec<Option<Ratio>> {
    let fx = book.fx_on(date_of(day).unwrap_or(Date::MIN), kind);
    ledger.currencies.iter().map(|c| fx.ratio(c)).collect()
}

/// The frame of a window.
pub(super) fn frame(
    book: &Book,
    ledger: &Ledger,
    policy: &Policy,
    (from, to): (i32, i32),
    today: i32,
    with_due: bool,
) -> Frame {
    let opening = from - 1;
    let (opening_rates, closing_rates) = match policy.fx {
        FxMode::Constant => {
            let rates = rates_on(book, ledger, opening, RateKind::Spot);
            (rates.clone(), rates)
        }
        FxMode::Plan => {
            let rates = rates_on(book, ledger, opening, RateKind::Plan);
            (rates.clone(), rates)
        }
        FxMode::Reported => (
            rates_on(book, ledger, opening, RateKind::Spot),
            rates_on(book, ledger, to, RateKind::Spot),
        ),
    };
    Frame {
        opening,
        closing: to,
        known: today.max(to),
        policy: *policy,
        opening_rates,
        closing_rates,
        with_due,
    }
}

/// The figures of the trailing twelve months under the configured policy, for the header.
pub fn trailing(
    book: &Book,
    ledger: &Ledger,
    policy: &Policy,
    today: Date,
    calendar: &Calendar,
    mine: Option<LocalId>,
    with_rows: bool,
) -> Report {
    let policy = Policy {
        window: Window::Ttm,
        ..*policy
    };
    let Ok((from, to)) = window(&policy, None, None, today, calendar) else {
        return Report::default();
    };
    let ask = Ask {
        from,
        to,
        policy,
        by: Vec::new(),
        with_rows,
        mine,
    };
    report(book, ledger, &ask, today, calendar)
}

/// What one walk over customers adds up.
struct Sums {
    all: Totals,
    grouped: Vec<Vec<Totals>>,
    rows: Vec<Cell>,
    broken: Vec<Cell>,
    left: Vec<(u32, LeftOut)>,
}

impl Sums {
    fn of(groupings: &[Groups]) -> Sums {
        Sums {
            all: Totals::default(),
            grouped: (groupings.iter())
                .map(|g| vec![Totals::default(); g.keys.len()])
                .collect(),
            rows: Vec::new(),
            broken: Vec::new(),
            left: Vec::new(),
        }
    }
    fn add(&mut self, cell: Cell, groupings: &[Groups], with_rows: bool) {
        self.all.add(&cell);
        for (groups, sums) in groupings.iter().zip(&mut self.grouped) {
            if let Some(sum) = sums.get_mut(groups.group(&cell)) {
                sum.add(&cell);
            }
        }
        if cell.check() != 0 {
            self.broken.push(cell);
        }
        if with_rows {
            self.rows.push(cell);
        }
    }
    /// Those of the next part.
    fn join(&mut self, other: Sums) {
        self.all.join(&other.all);
        for (sums, others) in self.grouped.iter_mut().zip(other.grouped) {
            for (sum, other) in sums.iter_mut().zip(others) {
                sum.join(&other);
            }
        }
        self.rows.extend(other.rows);
        self.broken.extend(other.broken);
        self.left.extend(other.left);
    }
}

/// Computes the figures of a window.
pub fn report(book: &Book, ledger: &Ledger, ask: &Ask, today: Date, calendar: &Calendar) -> Report {
    let mut policy = ask.policy;
    if ask.by.contains(&By::Product) {
        policy.netting = Netting::Product;
    }
    let (from, to) = (days(ask.from), days(ask.to));
    let mut out = Report {
        from,
        to,
        policy,
        unavailable: unavailable(book, ledger, &policy),
        ..Report::default()
    };
    if out.unavailable.is_some() {
        return out;
    }
    let frame = frame(book, ledger, &policy, (from, to), days(today), true);
    let timeline = Timeline::of(ledger, &policy, frame.known);
    let groupings: Vec<Groups> = (ask.by.iter())
        .map(|by| Groups::of(book, ledger, calendar, *by))
        .collect();
    let customers = Customers::of(book, ledger, policy.unit, ask.mine);
    let parts = customers.spread(|part| {
        let mut sums = Sums::of(&groupings);
        let mut walk = Walk::new(ledger, &timeline, &frame);
        part.each(|accounts| {
            let Sums { left, .. } = &mut sums;
            let mut left = std::mem::take(left);
            walk.customer(
                accounts,
                &mut |cell| sums.add(cell, &groupings, ask.with_rows),
                &mut |at, why| left.push((at, why)),
            );
            sums.left = left;
        });
        sums
    });
    let mut sums = Sums::of(&groupings);
    for part in parts {
        sums.join(part);
    }
    let left = sums.left;
    (out.totals, out.rows, out.broken) = (sums.all, sums.rows, sums.broken);
    match ask.mine {
        None => out.excluded.extend(&ledger.problems),
        Some(_) => {
            let csm = |id| book.account_by_id(id).and_then(|a| a.csm_id());
            out.excluded
                .extend_with(&ledger.problems, |id| csm(id) == ask.mine);
        }
    }
    for (at, why) in &left {
        let account = book.account(ledger.accounts[*at as usize].row);
        out.excluded
            .account(&account, reason(book, ledger, &frame, *why));
    }
    let no_rate = left.iter().filter(|(_, w)| matches!(w, LeftOut::NoRate(_)));
    let mut gone: Vec<u32> = left.iter().map(|(at, _)| *at).collect();
    gone.sort_unstable();
    gone.dedup();
    out.coverage = Coverage {
        known: customers.accounts() - gone.len(),
        of: match ask.mine {
            None => ledger.of,
            Some(_) => customers.accounts(),
        },
        no_rate: no_rate.count(),
    };
    out.grouped = groupings
        .into_iter()
        .zip(sums.grouped)
        .map(|(groups, sums)| sorted(groups, sums))
        .collect();
    out
}

/// Groups that have anything: quarters in their order, others the largest first.
fn sorted(groups: Groups, sums: Vec<Totals>) -> Grouped {
    let by = groups.by();
    let keys = groups.keys.into_iter().zip(sums);
    let mut groups: Vec<Group> = keys
        .map(|(key, totals)| Group { key, totals })
        .filter(|g| g.totals != Totals::default())
        .collect();
    match by {
        By::Cohort => groups.sort_by(|a, b| a.key.cmp(&b.key)),
        _ => groups.sort_by(|a, b| {
            let size = |g: &Group| (g.totals.sum.opening, g.totals.sum.closing);
            size(b).cmp(&size(a)).then_with(|| a.key.cmp(&b.key))
        }),
    }
    Grouped { by, groups }
}

/// Why an account is not in a window, in words.
fn reason(book: &Book, ledger: &Ledger, frame: &Frame, why: LeftOut) -> String {
    let day = |day: i32| date_of(day).map_or_else(String::new, |d| d.to_string());
    match why {
        LeftOut::NoRate(currency) => {
            let code = ledger.currencies.get(usize::from(currency));
            let code = code.map_or_else(String::new, |c| String::from_utf8_lossy(c).into_owned());
            let to = String::from_utf8_lossy(&book.reporting()).into_owned();
            let kind = match frame.policy.fx {
                FxMode::Plan => "plan rate",
                FxMode::Constant | FxMode::Reported => "rate",
            };
            let until = match frame.policy.fx {
                FxMode::Reported => format!("{} or {}", day(frame.opening), day(frame.closing)),
                _ => day(frame.opening),
            };
            format!("there is no {kind} from {code} to {to} on or before {until}")
        }
        LeftOut::Negative(minor) => {
            let money = Money {
                minor,
                currency: book.reporting(),
            };
            format!("its ARR is negative ({money})")
        }
        LeftOut::Unknown(from) => format!(
            "its movements begin on {}, after the opening on {}",
            day(from + 1),
            day(frame.opening)
        ),
        LeftOut::TooLarge => "an amount of it is larger than can be added up".into(),
        LeftOut::NoContract => {
            "a subscription of it does not say in which contract it stands".into()
        }
    }
}

/// Names of lines, or of products where there is no line, of cells that need one.
pub fn cell_name<'a>(book: &'a Book, cell: &Cell) -> Option<&'a str> {
    let number = if cell.line != 0 {
        cell.line
    } else {
        cell.product
    };
    Some(book.ledger_name(number)).filter(|n| !n.is_empty())
}

/// The rows of a report by what a change of policy does to them: account row → (retained, kept).
pub fn by_account(rows: &[Cell]) -> HashMap<u32, (i64, i64)> {
    let mut out: HashMap<u32, (i64, i64)> = HashMap::new();
    for c in rows {
        let sums = out.entry(c.account).or_default();
        sums.0 += c.retained;
        sums.1 += c.kept;
    }
    out
}
