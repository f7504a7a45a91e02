//! An account's lines from its subscriptions.

use super::{Draft, LAST_DAY, Ledger, Line, NEVER, Stretch, day_words, plausible};
use crate::book::{AccountRow, Began, Day, SubscriptionRow};

/// Reads subscriptions; keeps its room from account to account.
#[derive(Default)]
pub(super) struct Reader<'a> {
    rows: Vec<SubscriptionRow<'a>>,
}

/// What makes rows one line: its name, else the product.
fn line_of(s: &SubscriptionRow<'_>) -> (u32, u32) {
    match s.line_number() {
        0 => (0, s.product_number()),
        n => (n, 0),
    }
}

impl<'a> Reader<'a> {
    /// Whether the account has subscriptions; its usable ones are then in the draft.
    pub fn read(
        &mut self,
        account: &AccountRow<'a>,
        draft: &mut Draft,
        ledger: &mut Ledger,
    ) -> bool {
        self.rows.clear();
        self.rows.extend(account.subscriptions());
        if self.rows.is_empty() {
            return false;
        }
        self.rows
            .sort_unstable_by_key(|s| (line_of(s), s.start(), s.id()));
        let rows = std::mem::take(&mut self.rows);
        for line in rows.chunk_by(|a, b| line_of(a) == line_of(b)) {
            read_line(account, line, draft, ledger);
        }
        self.rows = rows;
        true
    }
}

/// Reads the rows of one line, in the order of their starts.
fn read_line(
    account: &AccountRow<'_>,
    rows: &[SubscriptionRow<'_>],
    draft: &mut Draft,
    ledger: &mut Ledger,
) {
    let first = draft.stretches.len();
    let mut before: Option<&SubscriptionRow<'_>> = None;
    let mut line = Line {
        name: rows.first().map_or(0, |s| s.line_number()),
        first: first as u32,
        ..Line::default()
    };
    for s in rows {
        ledger.has_signed |= s.signed() != Day::NONE;
        ledger.has_recurring |= s.recurring().is_some();
        ledger.has_contract |= s.contract_number() != 0;
        if let Some(why) = unusable(s) {
            let day = s.start();
            ledger.problems.row(Some(account), s.line(), day, why);
            continue;
        }
        if let Some(b) = before.filter(|b| b.start() == s.start()) {
            let same = b.minor() == s.minor()
                && b.currency_number() == s.currency_number()
                && b.end() == s.end();
            if same {
                let why = "a duplicate: the same line, start and amount stand in another row";
                ledger
                    .problems
                    .row(Some(account), s.line(), s.start(), why.into());
            } else {
                let (line, day) = (name(s), day_words(s.start().0));
                draft.leave_out(|| {
                    format!(
                        "overlapping subscriptions: {line} begins on {day} in two rows that differ"
                    )
                });
            }
            continue;
        }
        before = Some(s);
        let mut end = s.end().get().unwrap_or(NEVER);
        if end != NEVER && end > LAST_DAY {
            let why = format!("ends on {}: taken as running on", day_words(end));
            let day = s.start();
            ledger.notices.row(Some(account), s.line(), day, why);
            end = NEVER;
        }
        put(draft, first, s, end);
        for (kept, number) in [
            (&mut line.product, s.product_number()),
            (&mut line.contract, s.contract_number()),
        ] {
            if number != 0 {
                *kept = number;
            }
        }
    }
    if draft.stretches.len() > first {
        resume(draft, first, NEVER);
        draft.lines.push(line);
    }
}

/// A line in words.
fn name(s: &SubscriptionRow<'_>) -> String {
    match (s.line(), s.product()) {
        (Some(line), _) => format!("line {}", crate::book::text::visible(line)),
        (None, Some(product)) => format!("product {}", crate::book::text::visible(product)),
        (None, None) => "the line without a name".into(),
    }
}

/// Why a row cannot be used, whatever the others are.
fn unusable(s: &SubscriptionRow<'_>) -> Option<String> {
    let start = s.start().get();
    let end = s.end().get();
    let Some(start) = start else {
        return Some("the subscription has no start".into());
    };
    if !plausible(start) {
        return Some(format!(
            "starts on {}, an impossible date",
            day_words(start)
        ));
    }
    if end.is_some_and(|e| e < start) {
        let end = day_words(end.unwrap_or_default());
        return Some(format!("ends on {end}, before it starts"));
    }
    if s.cancelled().get().is_some_and(|c| !plausible(c)) {
        let day = day_words(s.cancelled().0);
        return Some(format!("was cancelled on {day}, an impossible date"));
    }
    if s.cancelled().get().is_some_and(|c| c < start) && s.began() != Began::Renewal {
        let day = day_words(s.cancelled().0);
        return Some(format!("churn before the start: cancelled on {day}"));
    }
    if s.currency_number() == 0 {
        return Some("has no amount, or an amount without a currency".into());
    }
    None
}

/// Puts a usable row behind those of its line, which begin at `first`.
fn put(draft: &mut Draft, first: usize, s: &SubscriptionRow<'_>, end: i32) {
    let mut stretch = Stretch {
        minor: s.minor(),
        start: s.start().0,
        end,
        signed: s.signed().get().unwrap_or(NEVER),
        currency: s.currency_number(),
        began: s.began(),
        cancelled: s.cancelled() != Day::NONE,
        one_off: s.recurring() == Some(false),
    };
    match draft.stretches[first..].last().copied() {
        None if stretch.began == Began::Unsaid => stretch.began = Began::New,
        None => {}
        Some(before) => {
            // A last day that is the next first day is a way of writing, no overlap.
            let inside = before.end > stretch.start;
            let differs = before.end != NEVER && end != NEVER && before.end != end;
            let clash = match stretch.began {
                Began::New => inside,
                Began::Unsaid => inside && differs,
                _ => false,
            };
            if clash {
                let (line, from) = (name(s), day_words(stretch.start));
                let until = match before.end {
                    NEVER => "runs on".to_owned(),
                    end => format!("runs until {}", day_words(end)),
                };
                draft.leave_out(|| {
                    format!("overlapping subscriptions: {line} begins on {from} while the row before {until}")
                });
            }
            if stretch.began == Began::Unsaid {
                stretch.began = match inside {
                    true => Began::Amendment,
                    false => Began::Renewal,
                };
            }
            resume(draft, first, stretch.start);
        }
    }
    draft.stretches.push(stretch);
}

/// Where a step ended before its term did, and before the line's next row begins, what stood before stands again in between.
fn resume(draft: &mut Draft, first: usize, next_start: i32) {
    while let Some(again) = resumed(&draft.stretches[first..])
        && again.start < next_start
    {
        draft.stretches.push(again);
    }
}

/// What stands again after the last of these stretches has ended: the newest one before it that reaches further.
fn resumed(rows: &[Stretch]) -> Option<Stretch> {
    let (last, before) = rows.split_last()?;
    let step = matches!(
        last.began,
        Began::Amendment | Began::Escalator | Began::Ramp
    );
    if !step || last.end == NEVER {
        return None;
    }
    let term = before.iter().rev().find(|s| s.end > last.end)?;
    Some(Stretch {
        start: last.end + 1,
        began: Began::Amendment,
        signed: NEVER,
        ..*term
    })
}
