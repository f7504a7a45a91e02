//! One row of a [`Book`] at a time, by typed accessors that cost a few array reads each.

use super::Book;
use super::day::Day;
use super::id::LocalId;
use super::tables::{AccountExtra, EscalationExtra, NO_U8, NO_U16, NO_WEEK, RenewalExtra};
use super::value::Money;
use jiff::{Timestamp, civil::Date};

macro_rules! view {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub struct $name<'a> {
            pub(super) book: &'a Book,
            pub(super) row: u32,
        }
        impl std::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.row)
            }
        }
        impl<'a> $name<'a> {
            /// Its row number; stays the same for the life of a Book and of those made from it.
            pub fn row(&self) -> u32 {
                self.row
            }
            /// The book that it is a row of.
            pub fn book(&self) -> &'a Book {
                self.book
            }
        }
    };
}

view!(
    /// A customer.
    AccountRow
);
view!(
    /// A renewal.
    RenewalRow
);
view!(
    /// A task.
    TaskRow
);
view!(
    /// A risk.
    EscalationRow
);
view!(
    /// One of our own people.
    PersonRow
);

fn u8_of(n: u8) -> Option<u8> {
    (n != NO_U8).then_some(n)
}

fn decision(notice: Day, due: Day, today: Day) -> Day {
    if notice >= today { notice } else { due }
}

fn text(s: &str) -> Option<&str> {
    (!s.is_empty()).then_some(s)
}

impl<'a> AccountRow<'a> {
    fn extra(&self) -> Option<&'a AccountExtra> {
        self.book.accounts.extra.get(self.row).map(|e| &**e)
    }
    fn symbol(&self, n: u32) -> Option<&'a str> {
        text(self.book.shared.symbols.get(n))
    }
    fn source(&self, kind: usize) -> Option<&'a str> {
        let n = self.book.accounts.sources.get(self.row) as usize;
        self.book.shared.sources.get(n)?[kind].as_deref()
    }
    /// Local id.
    pub fn id(&self) -> LocalId {
        LocalId(self.book.accounts.rows.ids.get(self.row))
    }
    /// Name, as the vendor wrote it (make it [`visible`](super::text::visible) before showing).
    pub fn name(&self) -> &'a str {
        self.book.accounts.name.get(self.row)
    }
    /// The name folded for searching, where it differs from plain ASCII.
    pub fn folded(&self) -> Option<&'a str> {
        text(self.book.accounts.folded.get(self.row))
    }
    /// Internet domain.
    pub fn domain(&self) -> Option<&'a str> {
        text(self.book.accounts.domain.get(self.row))
    }
    /// Parent account.
    pub fn parent(&self) -> Option<LocalId> {
        self.extra().map(|e| e.parent).filter(|p| p.is_some())
    }
    /// Segment.
    pub fn segment(&self) -> Option<&'a str> {
        self.symbol(self.book.accounts.segment.get(self.row))
    }
    /// Touch model.
    pub fn touch(&self) -> Option<&'a str> {
        self.symbol(self.book.accounts.touch.get(self.row))
    }
    /// Region.
    pub fn region(&self) -> Option<&'a str> {
        self.symbol(self.book.accounts.region.get(self.row))
    }
    /// Industry.
    pub fn industry(&self) -> Option<&'a str> {
        self.symbol(self.book.accounts.industry.get(self.row))
    }
    /// Lifecycle stage.
    pub fn stage(&self) -> Option<&'a str> {
        self.symbol(self.book.accounts.stage.get(self.row))
    }
    /// What the CSM feels.
    pub fn sentiment(&self) -> Option<&'a str> {
        self.symbol(self.book.accounts.sentiment.get(self.row))
    }
    /// The customer success manager.
    pub fn csm(&self) -> Option<PersonRow<'a>> {
        self.book.person_by_id(self.csm_id()?)
    }
    /// The customer success manager's id, known to us or not.
    pub fn csm_id(&self) -> Option<LocalId> {
        Some(LocalId(self.book.accounts.csm.get(self.row))).filter(|i| i.is_some())
    }
    /// The owner in the CRM.
    pub fn owner(&self) -> Option<PersonRow<'a>> {
        self.book
            .person_by_id(LocalId(self.book.accounts.owner.get(self.row)))
    }
    /// ARR in its own currency: as a system names it, else as it is counted from the account's lines (see [`Book::count_arr`]).
    pub fn arr(&self) -> Option<Money> {
        self.book.money(&self.book.accounts.arr, self.row)
    }
    /// Whether the ARR is counted from the account's lines: no system names one.
    pub fn is_arr_counted(&self) -> bool {
        self.book.accounts.arr_counted.get(self.row)
    }
    /// ARR in the reporting currency; none without ARR or without a rate.
    pub fn arr_reporting(&self) -> Option<Money> {
        self.book.money_reporting(&self.book.accounts.arr, self.row)
    }
    /// Where the ARR came from, when another system says something else.
    pub fn arr_source(&self) -> Option<&'a str> {
        self.extra()?.other_arr.as_ref()?.source.as_deref()
    }
    /// What another system says about the ARR, and which.
    pub fn other_arr(&self) -> Option<(Money, Option<&'a str>)> {
        let other = self.extra()?.other_arr.as_ref()?;
        Some((other.other, other.other_source.as_deref()))
    }
    /// Customer since.
    pub fn start(&self) -> Option<Date> {
        self.book.accounts.start.get(self.row).date()
    }
    /// The open renewal that decides: the one with the earliest due date.
    pub fn open_renewal(&self) -> Option<RenewalRow<'a>> {
        let row = self
            .book
            .accounts
            .open_renewal
            .get(self.row)
            .checked_sub(1)?;
        Some(RenewalRow {
            book: self.book,
            row,
        })
    }
    /// The open risk that stands for the account: the highest priority, then the oldest.
    pub fn open_risk(&self) -> Option<EscalationRow<'a>> {
        let row = self.book.accounts.open_risk.get(self.row).checked_sub(1)?;
        Some(EscalationRow {
            book: self.book,
            row,
        })
    }
    /// Its renewals, closed ones too.
    pub fn renewals(&self) -> impl Iterator<Item = RenewalRow<'a>> + use<'a> {
        let book = self.book;
        let rows = book.renewals.chain.of(self.id());
        rows.map(move |row| RenewalRow { book, row })
    }
    /// Its tasks, done ones too.
    pub fn tasks(&self) -> impl Iterator<Item = TaskRow<'a>> + use<'a> {
        let book = self.book;
        let rows = book.tasks.chain.of(self.id());
        rows.map(move |row| TaskRow { book, row })
    }
    /// Its risks, closed ones too.
    pub fn risks(&self) -> impl Iterator<Item = EscalationRow<'a>> + use<'a> {
        let book = self.book;
        let rows = book.escalations.chain.of(self.id());
        rows.map(move |row| EscalationRow { book, row })
    }
    /// The next renewal as a [`Day`]: the open renewal's due day, else the account's own date.
    pub fn renewal_day(&self) -> Day {
        let due = self
            .open_renewal()
            .map_or(Day::NONE, |r| self.book.renewals.due.get(r.row));
        if due == Day::NONE {
            self.book.accounts.renewal.get(self.row)
        } else {
            due
        }
    }
    /// The next renewal: the open renewal's due day, else the account's own date.
    pub fn renewal_date(&self) -> Option<Date> {
        self.renewal_day().date()
    }
    /// The last day to give notice as a [`Day`]: the open renewal's, else the renewal day less the days of notice.
    pub fn notice_day(&self) -> Day {
        let open = self
            .open_renewal()
            .map_or(Day::NONE, |r| self.book.renewals.notice.get(r.row));
        match (open.get(), self.notice_days(), self.renewal_day().get()) {
            (None, Some(notice), Some(due)) => Day(due - i32::from(notice)),
            _ => open,
        }
    }
    /// The last day to give notice.
    pub fn notice_deadline(&self) -> Option<Date> {
        self.notice_day().date()
    }
    /// The day on which the renewal is decided, as a [`Day`].
    pub fn decision_day(&self, today: Day) -> Day {
        decision(self.notice_day(), self.renewal_day(), today)
    }
    /// The day on which the renewal is decided: the notice deadline while it lies ahead, else the renewal day.
    pub fn decision_date(&self, today: Date) -> Option<Date> {
        self.decision_day(Day::of(Some(today))).date()
    }
    /// Days of notice.
    pub fn notice_days(&self) -> Option<u16> {
        Some(self.book.accounts.notice_days.get(self.row)).filter(|n| *n != NO_U16)
    }
    /// Renews by itself.
    pub fn auto_renew(&self) -> Option<bool> {
        u8_of(self.book.accounts.auto_renew.get(self.row)).map(|b| b == 1)
    }
    /// Health, 0 to 100.
    pub fn health(&self) -> Option<u8> {
        u8_of(self.book.accounts.health.get(self.row))
    }
    /// The renewal date as the account's own record says it, whatever its open renewal says.
    pub fn own_renewal(&self) -> Day {
        self.book.accounts.renewal.get(self.row)
    }
    /// When the health was computed.
    pub fn health_at(&self) -> Option<Date> {
        self.book.accounts.health_at.get(self.row).date()
    }
    /// Health now less health about 30 days before.
    pub fn health_delta(&self) -> Option<i16> {
        let before = u8_of(self.book.accounts.health_before.get(self.row))?;
        Some(i16::from(self.health()?) - i16::from(before))
    }
    /// Where health came from.
    pub fn health_source(&self) -> Option<&'a str> {
        self.source(1)
    }
    /// Net promoter answer, 0 to 10.
    pub fn nps(&self) -> Option<u8> {
        u8_of(self.book.accounts.nps.get(self.row))
    }
    /// The day of that answer.
    pub fn nps_at(&self) -> Option<Date> {
        self.book.accounts.nps_at.get(self.row).date()
    }
    /// Where surveys came from.
    pub fn nps_source(&self) -> Option<&'a str> {
        self.source(4)
    }
    /// Weekly usage, oldest first; `None` where a week is missing.
    pub fn usage(&self) -> [Option<u32>; 12] {
        let shift = self.book.accounts.usage_shift.get(self.row);
        // A column's default is a row that never entered; those are not read.
        self.book
            .accounts
            .usage
            .get(self.row)
            .map(|w| (w != NO_WEEK).then(|| u32::from(w) << shift))
    }
    /// The first day of the newest usage week.
    pub fn usage_at(&self) -> Option<Date> {
        self.book.accounts.usage_at.get(self.row).date()
    }
    /// Where usage came from.
    pub fn usage_source(&self) -> Option<&'a str> {
        self.source(0)
    }
    /// Usage now against four weeks before, as a fraction (−0.38): the mean of the two newest weeks against the mean of the two weeks
    /// four weeks earlier. None when either side is missing or nothing was used then.
    pub fn usage_trend(&self) -> Option<f32> {
        let u = self.usage();
        let mean = |from: usize| {
            let known = u[from..from + 2].iter().flatten();
            let (n, sum) = known.fold((0u8, 0f32), |(n, s), w| (n + 1, s + *w as f32));
            (n > 0).then(|| sum / f32::from(n))
        };
        let (then, now) = (mean(6)?, mean(10)?);
        (then > 0.0).then(|| now / then - 1.0)
    }
    /// Open support cases.
    pub fn open_tickets(&self) -> u16 {
        self.book.accounts.open_tickets.get(self.row)
    }
    /// Of these, urgent or escalated ones.
    pub fn urgent_tickets(&self) -> u16 {
        self.book.accounts.urgent_tickets.get(self.row)
    }
    /// When the newest was opened.
    pub fn ticket_at(&self) -> Option<Date> {
        self.book.accounts.ticket_at.get(self.row).date()
    }
    /// Where tickets came from.
    pub fn ticket_source(&self) -> Option<&'a str> {
        self.source(2)
    }
    /// The newest touchpoint with a person.
    pub fn last_touch(&self) -> Option<Date> {
        self.book.accounts.last_touch.get(self.row).date()
    }
    /// A sponsor or champion left.
    pub fn sponsor_left(&self) -> Option<Date> {
        self.extra()?.sponsor_left.date()
    }
    /// Where contacts came from.
    pub fn contact_source(&self) -> Option<&'a str> {
        self.source(3)
    }
    /// Any of its rows changed.
    pub fn changed_at(&self) -> Option<Timestamp> {
        match self.book.accounts.changed_at.get(self.row) {
            0 => None,
            s => Timestamp::from_second(i64::from(s)).ok(),
        }
    }
    /// Snoozed until this day.
    pub fn snoozed_until(&self) -> Option<Date> {
        self.extra()?.snoozed_until.date()
    }
    /// Asleep today.
    pub fn is_snoozed(&self, today: Date) -> bool {
        self.snoozed_until().is_some_and(|d| d > today)
    }
    /// Acknowledged at.
    pub fn acked_at(&self) -> Option<Timestamp> {
        self.extra()?.acked_at
    }
    /// Acknowledged by (e-mail).
    pub fn acked_by(&self) -> Option<&'a str> {
        self.extra()?.acked_by.as_deref()
    }
    /// Resolved at.
    pub fn resolved_at(&self) -> Option<Timestamp> {
        self.extra()?.resolved_at
    }
    /// The reasons' fingerprint when it was resolved.
    pub fn resolved_reasons(&self) -> Option<&'a str> {
        self.extra()?.resolved_reasons.as_deref()
    }
    /// Outcome of the last resolve.
    pub fn outcome(&self) -> Option<&'a str> {
        self.extra()?.outcome.as_deref()
    }
    /// Escalation level, L0 to L3.
    pub fn level(&self) -> Option<&'a str> {
        self.extra()?.level.as_deref()
    }
    /// Tags.
    pub fn tags(&self) -> &'a [String] {
        self.extra().map_or(&[], |e| &e.tags)
    }
}

impl<'a> RenewalRow<'a> {
    fn extra(&self) -> Option<&'a RenewalExtra> {
        self.book.renewals.extra.get(self.row).map(|e| &**e)
    }
    fn symbol(&self, n: u32) -> Option<&'a str> {
        text(self.book.shared.symbols.get(n))
    }
    /// Local id.
    pub fn id(&self) -> LocalId {
        LocalId(self.book.renewals.rows.ids.get(self.row))
    }
    /// Its account's id.
    pub fn account_id(&self) -> LocalId {
        self.book.renewals.chain.account(self.row)
    }
    /// Its account.
    pub fn account(&self) -> Option<AccountRow<'a>> {
        self.book.account_by_id(self.account_id())
    }
    /// What it is called.
    pub fn name(&self) -> &'a str {
        self.book.renewals.name.get(self.row)
    }
    /// The day on which the term ends.
    pub fn due(&self) -> Option<Date> {
        self.book.renewals.due.get(self.row).date()
    }
    /// The due day before it was moved.
    pub fn original_due(&self) -> Option<Date> {
        self.extra()?.original_due.date()
    }
    /// How often the due day was moved to a later one, as far as known.
    pub fn pushes(&self) -> Option<u16> {
        self.extra()?.pushes
    }
    /// The last day to give notice.
    pub fn notice_deadline(&self) -> Option<Date> {
        self.book.renewals.notice.get(self.row).date()
    }
    /// The last day to give notice as a [`Day`]: its own, else the due day less the account's days of notice.
    pub fn notice_day(&self) -> Day {
        let own = self.book.renewals.notice.get(self.row);
        if own == Day::NONE
            && let Some(due) = self.due_day().get()
            && let Some(days) = self.account().and_then(|a| a.notice_days())
        {
            return Day(due - i32::from(days));
        }
        own
    }
    /// The due day as a [`Day`].
    pub fn due_day(&self) -> Day {
        self.book.renewals.due.get(self.row)
    }
    /// The day on which it is decided, as a [`Day`].
    pub fn decision_day(&self, today: Day) -> Day {
        decision(self.notice_day(), self.due_day(), today)
    }
    /// The day on which it is decided: the notice deadline (its own, else from the account's days of notice) while it lies ahead,
    /// else the due day.
    pub fn decision_date(&self, today: Date) -> Option<Date> {
        self.decision_day(Day::of(Some(today))).date()
    }
    /// The amount expected, in its own currency.
    pub fn amount(&self) -> Option<Money> {
        self.book.money(&self.book.renewals.amount, self.row)
    }
    /// The amount in the reporting currency.
    pub fn amount_reporting(&self) -> Option<Money> {
        self.book
            .money_reporting(&self.book.renewals.amount, self.row)
    }
    /// What is up for renewal, in its own currency.
    pub fn target(&self) -> Option<Money> {
        self.book.money(&self.book.renewals.target, self.row)
    }
    /// The same in the reporting currency.
    pub fn target_reporting(&self) -> Option<Money> {
        self.book
            .money_reporting(&self.book.renewals.target, self.row)
    }
    /// Stage, the vendor's word.
    pub fn stage(&self) -> Option<&'a str> {
        self.symbol(self.book.renewals.stage.get(self.row))
    }
    /// open, won or lost.
    pub fn stage_kind(&self) -> &'a str {
        self.symbol(self.book.renewals.stage_kind.get(self.row))
            .unwrap_or("open")
    }
    /// Not closed.
    pub fn is_open(&self) -> bool {
        !matches!(self.stage_kind(), "won" | "lost")
    }
    /// Forecast category: omitted, pipeline, best, most_likely, commit, closed.
    pub fn forecast(&self) -> Option<&'a str> {
        self.symbol(self.book.renewals.forecast.get(self.row))
    }
    /// Probability of closing, 0 to 100 %.
    pub fn probability(&self) -> Option<u8> {
        u8_of(self.book.renewals.probability.get(self.row))
    }
    /// Its owner.
    pub fn owner(&self) -> Option<PersonRow<'a>> {
        self.book
            .person_by_id(LocalId(self.book.renewals.owner.get(self.row)))
    }
    /// Why it was lost, or how it ended.
    pub fn outcome(&self) -> Option<&'a str> {
        self.extra()?.outcome.as_deref()
    }
    /// The day on which it closed.
    pub fn closed(&self) -> Option<Date> {
        self.extra()?.closed.date()
    }
    /// The next step.
    pub fn next_step(&self) -> Option<&'a str> {
        self.extra()?.next_step.as_deref()
    }
}

impl<'a> TaskRow<'a> {
    fn symbol(&self, n: u32) -> Option<&'a str> {
        text(self.book.shared.symbols.get(n))
    }
    /// Local id.
    pub fn id(&self) -> LocalId {
        LocalId(self.book.tasks.rows.ids.get(self.row))
    }
    /// Its account's id.
    pub fn account_id(&self) -> LocalId {
        self.book.tasks.chain.account(self.row)
    }
    /// Its account.
    pub fn account(&self) -> Option<AccountRow<'a>> {
        self.book.account_by_id(self.account_id())
    }
    /// What.
    pub fn title(&self) -> &'a str {
        self.book.tasks.title.get(self.row)
    }
    /// By when.
    pub fn due(&self) -> Option<Date> {
        self.due_day().date()
    }
    /// By when, as a [`Day`].
    pub fn due_day(&self) -> Day {
        self.book.tasks.due.get(self.row)
    }
    /// Priority, the vendor's word.
    pub fn priority(&self) -> Option<&'a str> {
        self.symbol(self.book.tasks.priority.get(self.row))
    }
    /// p1 to p4.
    pub fn priority_kind(&self) -> Option<&'a str> {
        self.symbol(self.book.tasks.priority_kind.get(self.row))
    }
    /// Whose.
    pub fn owner(&self) -> Option<PersonRow<'a>> {
        self.book
            .person_by_id(LocalId(self.book.tasks.owner.get(self.row)))
    }
    /// Status, the vendor's word.
    pub fn status(&self) -> Option<&'a str> {
        self.symbol(self.book.tasks.status.get(self.row))
    }
    /// open, in_progress, waiting or done.
    pub fn status_kind(&self) -> &'a str {
        self.symbol(self.book.tasks.status_kind.get(self.row))
            .unwrap_or("open")
    }
    /// Not done.
    pub fn is_open(&self) -> bool {
        self.status_kind() != "done"
    }
    /// Open and due before today.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.is_open() && self.due().is_some_and(|d| d < today)
    }
    /// call, email, meeting or to_do.
    pub fn kind(&self) -> Option<&'a str> {
        self.symbol(self.book.tasks.kind.get(self.row))
    }
    /// What kind of work it is, the team's word: onboarding, milestone, …
    pub fn class(&self) -> Option<&'a str> {
        self.symbol(self.book.tasks.class.get(self.row))
    }
    /// When it was completed.
    pub fn completed_at(&self) -> Option<Timestamp> {
        self.book.tasks.completed.get(self.row).copied()
    }
    /// The risk that it belongs to.
    pub fn escalation_id(&self) -> Option<LocalId> {
        Some(LocalId(self.book.tasks.escalation.get(self.row))).filter(|i| i.is_some())
    }
}

impl<'a> EscalationRow<'a> {
    fn extra(&self) -> Option<&'a EscalationExtra> {
        self.book.escalations.extra.get(self.row).map(|e| &**e)
    }
    fn symbol(&self, n: u32) -> Option<&'a str> {
        text(self.book.shared.symbols.get(n))
    }
    /// Local id.
    pub fn id(&self) -> LocalId {
        LocalId(self.book.escalations.rows.ids.get(self.row))
    }
    /// Its account's id.
    pub fn account_id(&self) -> LocalId {
        self.book.escalations.chain.account(self.row)
    }
    /// Its account.
    pub fn account(&self) -> Option<AccountRow<'a>> {
        self.book.account_by_id(self.account_id())
    }
    /// What it is called.
    pub fn title(&self) -> &'a str {
        self.book.escalations.title.get(self.row)
    }
    /// Why, the vendor's word.
    pub fn reason(&self) -> Option<&'a str> {
        self.symbol(self.book.escalations.reason.get(self.row))
    }
    /// Status, the vendor's word.
    pub fn status(&self) -> Option<&'a str> {
        self.symbol(self.book.escalations.status.get(self.row))
    }
    /// new, acknowledged, in_progress or closed.
    pub fn status_kind(&self) -> &'a str {
        self.symbol(self.book.escalations.status_kind.get(self.row))
            .unwrap_or("new")
    }
    /// Not closed.
    pub fn is_open(&self) -> bool {
        self.status_kind() != "closed"
    }
    /// Priority, the vendor's word.
    pub fn priority(&self) -> Option<&'a str> {
        self.symbol(self.book.escalations.priority.get(self.row))
    }
    /// critical, high, medium or low.
    pub fn priority_kind(&self) -> Option<&'a str> {
        self.symbol(self.book.escalations.priority_kind.get(self.row))
    }
    /// Whose.
    pub fn owner(&self) -> Option<PersonRow<'a>> {
        self.book
            .person_by_id(LocalId(self.book.escalations.owner.get(self.row)))
    }
    /// By when.
    pub fn due(&self) -> Option<Date> {
        self.book.escalations.due.get(self.row).date()
    }
    /// Opened.
    pub fn opened(&self) -> Option<Timestamp> {
        self.extra()?.opened
    }
    /// Closed.
    pub fn closed(&self) -> Option<Timestamp> {
        self.extra()?.closed
    }
    /// saved, reduced, lost, false_alarm.
    pub fn outcome(&self) -> Option<&'a str> {
        self.extra()?.outcome.as_deref()
    }
    /// 0 critical, 1 high, 2 medium, 3 low, 4 unknown: for sorting.
    pub fn priority_rank(&self) -> u8 {
        match self.priority_kind() {
            Some("critical") => 0,
            Some("high") => 1,
            Some("medium") => 2,
            Some("low") => 3,
            _ => 4,
        }
    }
}

impl<'a> PersonRow<'a> {
    /// Local id.
    pub fn id(&self) -> LocalId {
        LocalId(self.book.people.rows.ids.get(self.row))
    }
    /// Full name; the e-mail address where there is no name.
    pub fn name(&self) -> &'a str {
        match self.book.people.name.get(self.row) {
            "" => self.book.people.email.get(self.row),
            name => name,
        }
    }
    /// E-mail, lower case.
    pub fn email(&self) -> Option<&'a str> {
        text(self.book.people.email.get(self.row))
    }
    /// Role.
    pub fn role(&self) -> Option<&'a str> {
        text(
            self.book
                .shared
                .symbols
                .get(self.book.people.role.get(self.row)),
        )
    }
    /// Still with us (unknown counts as yes).
    pub fn is_active(&self) -> bool {
        self.book.people.active.get(self.row) != 0
    }
    /// Who leads them.
    pub fn manager(&self) -> Option<PersonRow<'a>> {
        self.book.person_by_id(self.manager_id()?)
    }
    /// The id of who leads them, known to us or not.
    pub fn manager_id(&self) -> Option<LocalId> {
        Some(LocalId(self.book.people.manager.get(self.row))).filter(|i| i.is_some())
    }
    /// Where they work.
    pub fn region(&self) -> Option<&'a str> {
        text(
            self.book
                .shared
                .symbols
                .get(self.book.people.region.get(self.row)),
        )
    }
    /// Hours that they work, in the unit of `[capacity] full_time_hours`.
    pub fn capacity_hours(&self) -> Option<f64> {
        self.book.people.capacity_hours.get(self.row).copied()
    }
    /// Their first day with us.
    pub fn start(&self) -> Option<Date> {
        self.book.people.start.get(self.row).date()
    }
    /// Their last day with us.
    pub fn end(&self) -> Option<Date> {
        self.book.people.end.get(self.row).date()
    }
}
