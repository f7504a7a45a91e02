//! Opportunities counted: how many were won of those that closed, and how leads that customer success qualified fare.

use crate::book::{Day, OpportunityRow};

/// Won and lost in a period. Amounts are minor units of the reporting currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// Won.
    pub won: usize,
    /// Lost.
    pub lost: usize,
    /// The amount won.
    pub won_amount: i64,
    /// The amount lost.
    pub lost_amount: i64,
    /// Won or lost without an amount, or without a rate for it.
    pub without_amount: usize,
    /// Of these, how many only lack the rate.
    pub no_rate: usize,
}

impl Conversion {
    /// Counts an opportunity that was won or lost.
    pub fn add(&mut self, o: &OpportunityRow<'_>) {
        let won = o.stage_kind() == "won";
        let (count, sum) = match won {
            true => (&mut self.won, &mut self.won_amount),
            false => (&mut self.lost, &mut self.lost_amount),
        };
        *count += 1;
        match o.amount_reporting() {
            Some(m) => *sum = sum.saturating_add(m.minor),
            None => {
                self.without_amount += 1;
                self.no_rate += usize::from(o.amount().is_some());
            }
        }
    }
    /// Won ÷ (won + lost); none when nothing closed.
    pub fn by_count(&self) -> Option<f64> {
        let closed = self.won + self.lost;
        (closed > 0).then(|| self.won as f64 / closed as f64)
    }
    /// The same by amount; none when no amount is known.
    pub fn by_amount(&self) -> Option<f64> {
        let closed = self.won_amount.saturating_add(self.lost_amount);
        (closed > 0).then(|| self.won_amount as f64 / closed as f64)
    }
}

/// What became of an opportunity, as conversion sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Won or lost within the period.
    Inside,
    /// Won or lost before it.
    Before,
    /// Still open.
    Open,
    /// Won or lost, and nobody said when.
    Undated,
}

/// Where an opportunity stands to the period from one day to another, both included.
pub fn close(o: &OpportunityRow<'_>, from: Day, to: Day) -> Close {
    match o.closed() {
        _ if o.is_open() => Close::Open,
        Day::NONE => Close::Undated,
        day if day >= from && day <= to => Close::Inside,
        _ => Close::Before,
    }
}

/// The way of leads: created, accepted by sales, won.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funnel {
    /// Created in the period.
    pub created: usize,
    /// Of these, accepted: sales took it over, or it was won.
    pub accepted: usize,
    /// Of these, won.
    pub won: usize,
    /// Of the created ones, lost.
    pub lost: usize,
    /// The amounts of each: created, accepted, won; minor units of the reporting currency.
    pub amounts: [i64; 3],
    /// Created ones without an amount or a rate.
    pub without_amount: usize,
}

impl Funnel {
    /// Counts a lead.
    pub fn add(&mut self, o: &OpportunityRow<'_>) {
        let won = o.stage_kind() == "won";
        let accepted = won || o.accepted() != Day::NONE;
        let amount = o.amount_reporting().map(|m| m.minor);
        self.without_amount += usize::from(amount.is_none());
        let counts = [
            (&mut self.created, true),
            (&mut self.accepted, accepted),
            (&mut self.won, won),
        ];
        for ((count, holds), sum) in counts.into_iter().zip(&mut self.amounts) {
            if holds {
                *count += 1;
                *sum = sum.saturating_add(amount.unwrap_or(0));
            }
        }
        self.lost += usize::from(o.stage_kind() == "lost");
    }
    /// Accepted ÷ created.
    pub fn acceptance(&self) -> Option<f64> {
        (self.created > 0).then(|| self.accepted as f64 / self.created as f64)
    }
    /// Won ÷ accepted.
    pub fn win(&self) -> Option<f64> {
        (self.accepted > 0).then(|| self.won as f64 / self.accepted as f64)
    }
}

/// Whether customer success qualified it, as its origin says.
pub fn is_csql(o: &OpportunityRow<'_>, words: &[String]) -> bool {
    o.origin().is_some_and(|origin| {
        let origin = origin.to_lowercase();
        words
            .iter()
            .any(|w| !w.is_empty() && origin.contains(&w.to_lowercase()))
    })
}
