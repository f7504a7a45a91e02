//! Why an account is at risk, in plain words with number, age and source; and what speaks for it.

use super::health::measure::usage_day;
use super::rules::{Band, Rules};
use crate::book::derived::OURS_DRIVES;
use crate::book::{AccountDerived, AccountRow, Day, Derived, text::visible};
use jiff::civil::Date;
use serde::Serialize;

/// The kinds of reason. Those for concern come first, each is one bit of the derived column; those behind them speak for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// A risk is open.
    OpenRisk,
    /// Health is bad.
    BadHealth,
    /// Health is in the middle band.
    WatchHealth,
    /// Health fell.
    HealthFell,
    /// Usage fell.
    UsageFell,
    /// A sponsor or champion left.
    SponsorLeft,
    /// Urgent tickets are open.
    UrgentTickets,
    /// Many tickets are open.
    ManyTickets,
    /// A detractor's answer.
    Detractor,
    /// The CSM has a bad feeling.
    BadSentiment,
    /// Nobody spoke with them for long.
    Quiet,
    /// The renewal day is past and the renewal still open.
    RenewalPast,
    /// No decision date is known.
    NoDate,
    /// No health is known.
    NoHealth,
    /// Usage grew.
    UsageGrew,
    /// Health rose.
    HealthRose,
    /// A promoter's answer.
    Promoter,
    /// Health is good.
    GoodHealth,
    /// The CSM has a good feeling.
    GoodSentiment,
    /// Somebody spoke with them not long ago.
    Touched,
}

impl ReasonKind {
    /// The kinds for concern, the strongest first.
    pub const ALL: [ReasonKind; 14] = [
        ReasonKind::OpenRisk,
        ReasonKind::BadHealth,
        ReasonKind::WatchHealth,
        ReasonKind::HealthFell,
        ReasonKind::UsageFell,
        ReasonKind::SponsorLeft,
        ReasonKind::UrgentTickets,
        ReasonKind::ManyTickets,
        ReasonKind::Detractor,
        ReasonKind::BadSentiment,
        ReasonKind::Quiet,
        ReasonKind::RenewalPast,
        ReasonKind::NoDate,
        ReasonKind::NoHealth,
    ];
    /// Its bit; nothing for what speaks for the account.
    pub fn bit(self) -> u16 {
        1u16.checked_shl(self as u32).unwrap_or(0)
    }
    /// What kind of risk it is, in the words of GitLab's handbook on customer health (risk reasons); they are offered when escalating too.
    /// None where a figure does not say.
    pub fn taxonomy(self) -> Option<&'static str> {
        use ReasonKind::*;
        match self {
            UsageFell => Some("lack of adoption"),
            SponsorLeft => Some("sponsor change"),
            UrgentTickets | ManyTickets => Some("product defect"),
            Detractor | BadSentiment => Some("negative sentiment"),
            Quiet => Some("unresponsive"),
            _ => None,
        }
    }
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// Its kind.
    pub kind: ReasonKind,
    /// In words, `usage −38% in 30d`; control characters are visible marks.
    pub text: String,
    /// The day of the figure behind it.
    pub at: Option<Date>,
    /// That figure's age in days (negative: it is dated in the future).
    pub age_days: Option<i32>,
    /// The source of the figure.
    pub source: Option<String>,
    /// What kind of risk it is, see [`ReasonKind::taxonomy`].
    pub taxonomy: Option<&'static str>,
    /// For ordering: larger is stronger. It does not enter the probability, which goes by health band and open risk alone.
    pub weight: f32,
}

impl Reason {
    /// With age and source, `usage −38% in 30d (2d old, cs)`.
    pub fn line(&self) -> String {
        let age = self.age_days.map(|d| match d {
            0 => "today".to_owned(),
            d if d < 0 => format!("dated {}d ahead", -d),
            d => format!("{d}d old"),
        });
        match (age, &self.source) {
            (Some(a), Some(s)) => format!("{} ({a}, {})", self.text, visible(s)),
            (Some(a), None) => format!("{} ({a})", self.text),
            (None, Some(s)) => format!("{} ({})", self.text, visible(s)),
            (None, None) => self.text.clone(),
        }
    }
}

/// The reasons for concern that hold, as bits, without making any text. `band`: the one that the probability of loss goes by.
pub(super) fn bits(a: &AccountRow<'_>, today: Day, rules: &Rules, band: Option<Band>) -> u16 {
    use ReasonKind::*;
    let mut found = 0;
    let mut set = |kind: ReasonKind, on: bool| {
        if on {
            found |= kind.bit();
        }
    };
    set(OpenRisk, a.open_risk().is_some());
    set(BadHealth, band == Some(Band::Bad));
    set(WatchHealth, band == Some(Band::Watch));
    set(NoHealth, band.is_none());
    let drop = a.health_delta().unwrap_or(0);
    set(HealthFell, drop <= -i16::from(rules.health_drop.max(1)));
    set(
        UsageFell,
        a.usage_trend()
            .is_some_and(|t| t <= -rules.usage_drop.abs().max(0.01)),
    );
    set(
        SponsorLeft,
        age(Day::of(a.sponsor_left()), today).is_some_and(|d| d <= i32::from(rules.sponsor_days)),
    );
    set(UrgentTickets, a.urgent_tickets() > 0);
    set(ManyTickets, a.open_tickets() >= rules.many_tickets.max(1));
    set(Detractor, a.nps().is_some_and(|n| n <= 6));
    set(BadSentiment, a.sentiment() == Some("bad"));
    set(
        Quiet,
        age(Day::of(a.last_touch()), today).is_some_and(|d| d >= i32::from(rules.quiet_days)),
    );
    let decision = a.decision_day(today);
    set(NoDate, decision == Day::NONE);
    set(
        RenewalPast,
        a.open_renewal().is_some() && decision != Day::NONE && decision < today,
    );
    found
}

fn age(of: Day, today: Day) -> Option<i32> {
    Some(today.get()?.saturating_sub(of.get()?))
}

/// The reasons that count when a resolved account is looked at again: all but the open risk (resolving closes it; a later one is found
/// by its date) and the gaps in the data.
pub(super) fn lasting(found: u16) -> u16 {
    use ReasonKind::*;
    found & !(OpenRisk.bit() | NoDate.bit() | NoHealth.bit())
}

/// A fingerprint of an account's reasons, stored when it is resolved.
pub fn fingerprint(found: u16) -> String {
    format!("r{:04x}", lasting(found))
}

/// The reasons of a stored fingerprint.
pub(super) fn parse_fingerprint(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix('r')?, 16).ok()
}

/// The reasons for concern of an account, the strongest first.
pub fn reasons(a: &AccountRow<'_>, derived: &Derived, today: Date) -> Vec<Reason> {
    let now = Day::of(Some(today));
    let d = derived.account(a.row());
    let mut all: Vec<Reason> = ReasonKind::ALL
        .into_iter()
        .filter(|k| d.reasons & k.bit() != 0)
        .map(|kind| put(a, &d, kind, now))
        .collect();
    all.sort_by(|x, y| y.weight.total_cmp(&x.weight));
    all
}

/// What speaks most for an account: the largest figure that pulls the other way, with its number, age and source.
pub fn speaks_for(
    a: &AccountRow<'_>,
    derived: &Derived,
    today: Date,
    rules: &Rules,
) -> Option<Reason> {
    use ReasonKind::*;
    let now = Day::of(Some(today));
    let d = derived.account(a.row());
    let band = driving_score(a, &d, rules).map(|s| s.1);
    let touched = age(Day::of(a.last_touch()), now);
    [
        (UsageGrew, a.usage_trend().is_some_and(|t| t >= 0.05)),
        (
            HealthRose,
            a.health_delta()
                .is_some_and(|d| d >= i16::from(rules.health_drop.max(1))),
        ),
        (Promoter, a.nps().is_some_and(|n| n >= 9)),
        (GoodHealth, band == Some(Band::Good)),
        (GoodSentiment, a.sentiment() == Some("good")),
        (
            Touched,
            touched.is_some_and(|t| (0..=14.min(i32::from(rules.quiet_days))).contains(&t)),
        ),
    ]
    .into_iter()
    .filter(|(_, holds)| *holds)
    .map(|(kind, _)| put(a, &d, kind, now))
    .max_by(|x, y| x.weight.total_cmp(&y.weight))
}

/// The score that the probability of loss goes by, its band, and whether it is ours.
pub(super) fn driving_score(
    a: &AccountRow<'_>,
    d: &AccountDerived,
    rules: &Rules,
) -> Option<(u8, Band, bool)> {
    if d.health.is(OURS_DRIVES) {
        let band = d.health.band().and_then(Band::at)?;
        Some((d.health.points()?, band, true))
    } else {
        a.health().map(|h| (h, rules.band(h), false))
    }
}

fn put(a: &AccountRow<'_>, d: &AccountDerived, kind: ReasonKind, today: Day) -> Reason {
    use ReasonKind::*;
    let of_health = |weight| {
        if d.health.is(OURS_DRIVES) {
            let (points, coverage) = (d.health.points().unwrap_or(0), d.health.coverage);
            let text = format!("health {points} by csops' model, {coverage}% covered");
            (text, None, None, weight)
        } else {
            let text = format!("health {}", a.health().unwrap_or(0));
            (text, a.health_at(), a.health_source(), weight)
        }
    };
    let (text, at, source, weight) = match kind {
        OpenRisk => {
            let risk = a.open_risk();
            let why = risk.and_then(|r| r.reason()).map(visible);
            let why = why.map_or(String::new(), |w| format!(": {w}"));
            let word = risk.and_then(|r| r.priority_kind()).unwrap_or("open");
            let opened = risk
                .and_then(|r| r.opened())
                .map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date());
            (format!("{word} risk{why}"), opened, None, 5.0)
        }
        BadHealth => of_health(4.0),
        WatchHealth => of_health(1.5),
        GoodHealth => of_health(2.0),
        HealthFell => {
            let delta = a.health_delta().unwrap_or(0);
            (
                format!("health −{} in 30d", -delta),
                a.health_at(),
                a.health_source(),
                2.0 + f32::from(-delta) / 20.0,
            )
        }
        UsageFell => {
            let trend = a.usage_trend().unwrap_or(0.0);
            (
                format!("usage −{:.0}% in 30d", -trend * 100.0),
                usage_day(a, today).date(),
                a.usage_source(),
                3.0 - trend,
            )
        }
        SponsorLeft => (
            "sponsor left".to_owned(),
            a.sponsor_left(),
            a.contact_source(),
            3.6,
        ),
        UrgentTickets => {
            let n = a.urgent_tickets();
            (
                super::many(n.into(), "urgent ticket"),
                a.ticket_at(),
                a.ticket_source(),
                3.1 + f32::from(n.min(5)) / 10.0,
            )
        }
        ManyTickets => (
            format!("{} tickets open", a.open_tickets()),
            a.ticket_at(),
            a.ticket_source(),
            1.8,
        ),
        UsageGrew => {
            let trend = a.usage_trend().unwrap_or(0.0);
            (
                format!("usage +{:.0}% in 30d", trend * 100.0),
                usage_day(a, today).date(),
                a.usage_source(),
                // Twice as much is no more of an argument than half as much more.
                2.0 + trend.min(0.5) * 4.0,
            )
        }
        HealthRose => {
            let delta = a.health_delta().unwrap_or(0);
            (
                format!("health +{delta} in 30d"),
                a.health_at(),
                a.health_source(),
                2.1 + f32::from(delta) / 20.0,
            )
        }
        Detractor | Promoter => (
            format!("NPS answer {} of 10", a.nps().unwrap_or(0)),
            a.nps_at(),
            a.nps_source(),
            2.2,
        ),
        GoodSentiment => ("CSM's feeling: good".to_owned(), None, None, 1.6),
        Touched => {
            let days = age(Day::of(a.last_touch()), today).unwrap_or(0);
            (format!("spoken with {days}d ago"), None, None, 1.0)
        }
        BadSentiment => ("CSM's feeling: bad".to_owned(), None, None, 2.6),
        Quiet => {
            let days = age(Day::of(a.last_touch()), today).unwrap_or(0);
            (
                format!("no touch for {days}d"),
                None,
                None,
                1.2 + days.min(365) as f32 / 365.0,
            )
        }
        RenewalPast => {
            let days = age(a.decision_day(today), today).unwrap_or(0);
            (
                format!("renewal {days}d overdue, still open"),
                None,
                None,
                3.4,
            )
        }
        NoDate => (
            "no renewal date (counts as close)".to_owned(),
            None,
            None,
            0.6,
        ),
        NoHealth => (
            "no health score (counts as middle)".to_owned(),
            None,
            None,
            0.5,
        ),
    };
    Reason {
        kind,
        text,
        at,
        age_days: age(Day::of(at), today),
        source: source.map(str::to_owned),
        taxonomy: kind.taxonomy(),
        weight,
    }
}

/// The three strongest reasons and what speaks for the account in one line, as it stands under the row in focus.
pub fn line(a: &AccountRow<'_>, derived: &Derived, today: Date, rules: &Rules) -> String {
    let all = reasons(a, derived, today);
    let mut parts: Vec<String> = all.iter().take(3).map(Reason::line).collect();
    if all.len() > 3 {
        parts.push(format!("+{}", all.len() - 3));
    }
    if let Some(good) = speaks_for(a, derived, today, rules) {
        parts.push(format!("but {}", good.line()));
    }
    parts.join(" · ")
}
