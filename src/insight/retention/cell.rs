//! What a window makes of one netting unit of a customer: opening, closing, and the bucket of every change in between.

/// What is to be known of a cell.
pub mod mark {
    /// Its customer was there at the opening.
    pub const COHORT: u16 = 1;
    /// Its customer is gone at the closing.
    pub const LOST: u16 = 2;
    /// It stands for its customer when customers are counted.
    pub const HEAD: u16 = 4;
    /// Of its customer something was due.
    pub const DUE: u16 = 8;
    /// Of its customer all that was due was lost.
    pub const DUE_LOST: u16 = 16;
    /// A term of it has ended and still counts: it may be renewed yet.
    pub const PENDING: u16 = 32;
    /// A line of it was gone and came back, which is ignored.
    pub const BACK_IGNORED: u16 = 64;
    /// A line of it was gone and came back, which is not.
    pub const BACK: u16 = 128;
    /// A term that ended before its renewal was signed is credited.
    pub const WINDFALL: u16 = 256;
    /// It was not there at the opening and is at the closing.
    pub const NEW: u16 = 512;
}

/// One netting unit of a customer. Amounts are minor units of the reporting currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The account's row in the Book.
    pub account: u32,
    /// The number of its line's name, where lines stand for themselves.
    pub line: u32,
    /// The number of its product, where products stand for themselves.
    pub product: u32,
    /// At the opening.
    pub opening: i64,
    /// At the closing, all of it.
    pub closing: i64,
    /// Of the closing what counts for net retention; 0 outside of the cohort.
    pub retained: i64,
    /// Of that what counts for gross retention.
    pub kept: i64,
    /// Customers that were not there.
    pub new: i64,
    /// More from customers that were.
    pub expansion: i64,
    /// Back after they were gone.
    pub reactivation: i64,
    /// Prices, where they stand apart.
    pub price: i64,
    /// Rates of exchange, where they stand apart.
    pub fx: i64,
    /// Less from customers that stay.
    pub contraction: i64,
    /// Customers that are gone.
    pub churn: i64,
    /// Was due for renewal.
    pub due: i64,
    /// Of that what was renewed, at most what was due.
    pub due_kept: i64,
    /// What it was renewed at.
    pub due_renewed: i64,
    /// See [`mark`].
    pub marks: u16,
}

impl Cell {
    /// Whether a mark is set.
    pub fn is(&self, mark: u16) -> bool {
        self.marks & mark != 0
    }
    /// Opening and all changes, less the closing: 0 when every change is in exactly one bucket.
    pub fn check(&self) -> i64 {
        let parts = [
            self.opening,
            self.new,
            self.expansion,
            self.reactivation,
            self.price,
            self.fx,
        ];
        let rises: i128 = parts.into_iter().map(i128::from).sum();
        let falls = [self.contraction, self.churn, self.closing];
        let left = rises - falls.into_iter().map(i128::from).sum::<i128>();
        i64::try_from(left).unwrap_or(i64::MAX)
    }
    /// Adds the amounts of another.
    #[inline]
    fn add(&mut self, c: &Cell) {
        self.opening = self.opening.saturating_add(c.opening);
        self.closing = self.closing.saturating_add(c.closing);
        self.retained = self.retained.saturating_add(c.retained);
        self.kept = self.kept.saturating_add(c.kept);
        self.new = self.new.saturating_add(c.new);
        self.expansion = self.expansion.saturating_add(c.expansion);
        self.reactivation = self.reactivation.saturating_add(c.reactivation);
        self.price = self.price.saturating_add(c.price);
        self.fx = self.fx.saturating_add(c.fx);
        self.contraction = self.contraction.saturating_add(c.contraction);
        self.churn = self.churn.saturating_add(c.churn);
        self.due = self.due.saturating_add(c.due);
        self.due_kept = self.due_kept.saturating_add(c.due_kept);
        self.due_renewed = self.due_renewed.saturating_add(c.due_renewed);
    }
    /// Nothing happens in it at all.
    pub fn is_blank(&self) -> bool {
        self.opening == 0 && self.closing == 0 && self.due == 0 && self.due_renewed == 0
    }
}

/// Sums of cells: the figures of a window, of everything or of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The sums of the amounts.
    pub sum: Cell,
    /// Customers at the opening.
    pub customers: usize,
    /// Of these, gone.
    pub lost: usize,
    /// Customers of which something was due.
    pub due_customers: usize,
    /// Of these, all that was due lost.
    pub due_lost: usize,
    /// Customers that are new.
    pub new_customers: usize,
    /// Cells whose term has ended and still counts.
    pub pending: usize,
    /// Cells with a line that came back, which is ignored.
    pub back_ignored: usize,
    /// Cells with a late renewal that is credited when it was signed.
    pub windfalls: usize,
}

impl Totals {
    /// One more cell.
    #[inline]
    pub fn add(&mut self, c: &Cell) {
        self.sum.add(c);
        let head = c.is(mark::HEAD);
        self.customers += usize::from(head && c.is(mark::COHORT));
        self.lost += usize::from(head && c.is(mark::COHORT) && c.is(mark::LOST));
        self.due_customers += usize::from(head && c.is(mark::DUE));
        self.due_lost += usize::from(head && c.is(mark::DUE_LOST));
        self.new_customers += usize::from(head && c.is(mark::NEW) && !c.is(mark::COHORT));
        self.pending += usize::from(c.is(mark::PENDING));
        self.back_ignored += usize::from(c.is(mark::BACK_IGNORED));
        self.windfalls += usize::from(c.is(mark::WINDFALL));
    }
    /// Those of other customers.
    pub fn join(&mut self, other: &Totals) {
        self.sum.add(&other.sum);
        self.customers += other.customers;
        self.lost += other.lost;
        self.due_customers += other.due_customers;
        self.due_lost += other.due_lost;
        self.new_customers += other.new_customers;
        self.pending += other.pending;
        self.back_ignored += other.back_ignored;
        self.windfalls += other.windfalls;
    }
    fn share(part: i64, of: i64) -> Option<f64> {
        (of > 0).then(|| part as f64 / of as f64)
    }
    /// Gross retention of the opening.
    pub fn gross(&self) -> Option<f64> {
        Self::share(self.sum.kept, self.sum.opening)
    }
    /// Net retention of the opening.
    pub fn net(&self) -> Option<f64> {
        Self::share(self.sum.retained, self.sum.opening)
    }
    /// Customers lost, of those at the opening.
    pub fn churn(&self) -> Option<f64> {
        Self::share(self.lost as i64, self.customers as i64)
    }
    /// What was renewed of what was due, rises left out.
    pub fn renewal_gross(&self) -> Option<f64> {
        Self::share(self.sum.due_kept, self.sum.due)
    }
    /// What it was renewed at, of what was due.
    pub fn renewal_net(&self) -> Option<f64> {
        Self::share(self.sum.due_renewed, self.sum.due)
    }
    /// Customers lost, of those of which something was due.
    pub fn due_churn(&self) -> Option<f64> {
        Self::share(self.due_lost as i64, self.due_customers as i64)
    }
}
