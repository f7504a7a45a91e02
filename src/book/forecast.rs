//! What is kept for the forecast: how it was made one week, to be held against what became of it, and the day on which a renewal was due
//! first.

use super::id::LocalId;
use super::rows::Renewal;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Whose renewals a forecast is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForecastScope {
    /// Everybody's.
    All,
    /// Those of accounts without a CSM.
    Nobody,
    /// Those of one CSM's accounts.
    Csm(LocalId),
}

/// The forecast of one fiscal quarter and scope, as of one day. Amounts are minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastSnapshot {
    /// The day on which it was made.
    pub taken: Date,
    /// Whose renewals.
    pub scope: ForecastScope,
    /// The quarter's first day.
    pub from: Date,
    /// The quarter's last day.
    pub to: Date,
    /// The reporting currency of that day.
    pub currency: [u8; 3],
    /// What is up for renewal.
    pub due: i64,
    /// Won, at most the target of each.
    pub closed: i64,
    /// Won and committed.
    pub commit: i64,
    /// The same with best case.
    pub best: i64,
    /// The weighted forecast.
    pub weighted: i64,
    /// Every likely renewal in full.
    pub in_or_out: i64,
    /// The lower end of the interval.
    pub p10: i64,
    /// Its middle.
    pub p50: i64,
    /// Its upper end.
    pub p90: i64,
}

impl Renewal {
    /// The renewal as it stands over what it was before: its first due day stays, and moving the day to a later one is counted while it is
    /// open, where no system does either.
    pub fn after(&self, before: &Renewal) -> Renewal {
        let now = self;
        let mut row = now.clone();
        if row.original_due.is_none() {
            row.original_due = before
                .original_due
                .or_else(|| before.due.filter(|d| now.due.is_some_and(|n| n != *d)));
        }
        if now.pushes.is_none() || now.pushes == before.pushes {
            let open = now.stage_kind.as_deref().unwrap_or("open") == "open";
            let later = before.due.zip(now.due).is_some_and(|(b, n)| n > b);
            let pushes = before
                .pushes
                .unwrap_or(0)
                .saturating_add(u16::from(open && later));
            row.pushes = (pushes > 0).then_some(pushes).or(now.pushes);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn due(d: Date) -> Renewal {
        Renewal {
            due: Some(d),
            ..Renewal::default()
        }
    }

    #[test]
    fn the_first_day_stays_and_later_ones_are_counted() {
        let (june, july, august) = (date(2026, 6, 1), date(2026, 7, 1), date(2026, 8, 1));
        let once = due(july).after(&due(june));
        assert_eq!((once.original_due, once.pushes), (Some(june), Some(1)));
        let twice = due(august).after(&once);
        assert_eq!((twice.original_due, twice.pushes), (Some(june), Some(2)));
        // The same again says nothing new; earlier is no push.
        assert_eq!(due(august).after(&twice), twice);
        let back = due(june).after(&twice);
        assert_eq!((back.original_due, back.pushes), (Some(june), Some(2)));
        // Closing sets the day to that of the signature in some systems: the first day is kept, nothing was pushed.
        let mut won = due(july);
        won.stage_kind = Some("won".into());
        let won = won.after(&due(june));
        assert_eq!((won.original_due, won.pushes), (Some(june), None));
        // What a system says itself counts.
        let mut says = due(august);
        (says.original_due, says.pushes) = (Some(july), Some(7));
        assert_eq!(says.after(&twice), says);
        assert_eq!(due(june).after(&due(june)), due(june));
    }
}
