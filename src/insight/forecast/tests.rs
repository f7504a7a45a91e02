//! The forecast on fixtures worked by hand, and what must hold of every book.

use super::row::Reason;
use super::settings::Look;
use super::spread::spread;
use super::*;
use crate::book::{
    Account, Book, Calendar, Day, Derived, Facts, ForecastScope, ForecastSnapshot, LocalId, Money,
    Overlay, Renewal, RowDelta,
};
use crate::insight::{Rules, derive};
use jiff::civil::{Date, date};
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 22);

fn usd(thousands: i64) -> Option<Money> {
    Money::new(thousands * 100_000, "USD")
}

/// A renewal of account `id`, amounts in thousands.
fn renewal(id: u32, due: Date, amount: i64, kind: &str, category: &str, p: u8) -> Renewal {
    Renewal {
        id: LocalId(id),
        account: Some(LocalId(id)),
        due: Some(due),
        amount: usd(amount),
        target: usd(amount),
        stage_kind: Some(kind.into()),
        forecast: Some(category.into()),
        probability: Some(p),
        ..Renewal::default()
    }
}

fn account(id: u32, health: u8) -> (Account, Facts) {
    let account = Account {
        id: LocalId(id),
        name: format!("Account {id}"),
        health: Some(health),
        ..Account::default()
    };
    (account, Facts::default())
}

fn make(accounts: Vec<(Account, Facts)>, renewals: Vec<Renewal>) -> (Book, Derived) {
    let book = Book::empty().apply(
        RowDelta {
            accounts,
            renewals,
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    let derived = derive(&book, TODAY, &Rules::default());
    (book, derived)
}

fn quarter() -> Period {
    Period::days(date(2026, 10, 1), date(2026, 12, 31))
}

fn forecast(renewals: Vec<Renewal>, settings: &Settings) -> Forecast {
    let accounts = renewals.iter().map(|r| account(r.id.0, 90)).collect();
    let (book, derived) = make(accounts, renewals);
    total(&book, &derived, settings)
}

fn total(book: &Book, derived: &Derived, settings: &Settings) -> Forecast {
    let mut g = Gather::default();
    let period = quarter();
    for row in rows(book, derived, TODAY, settings, None).flatten() {
        if period.has(row.cohort) {
            g.add(&row, Some(period.end()), Day::of(Some(TODAY)), settings);
        }
    }
    g.finish(settings)
}

/// Constructed: due 380 k = open 120 at 95 %, 80 at 75 %, 60 at 45 %, 50 at 15 %, won 40 (closed at 44), lost 30.
fn constructed() -> Vec<Renewal> {
    let day = date(2026, 12, 15);
    let mut won = renewal(5, day, 44, "won", "closed", 100);
    won.target = usd(40);
    vec![
        renewal(1, day, 120, "open", "commit", 95),
        renewal(2, day, 80, "open", "best", 75),
        renewal(3, day, 60, "open", "pipeline", 45),
        renewal(4, day, 50, "open", "pipeline", 15),
        won,
        renewal(6, day, 30, "lost", "omitted", 0),
    ]
}

#[test]
fn the_constructed_quarter_to_the_last_digit() {
    let f = forecast(constructed(), &Settings::default());
    let k = 100_000;
    assert_eq!((f.due, f.closed, f.closed_net), (380 * k, 40 * k, 44 * k));
    assert_eq!(f.weighted - f.closed, 20_850_000);
    assert_eq!(f.weighted, 24_850_000);
    assert!((f.gross().unwrap() - 0.653_947_368_421_052_6).abs() < 1e-15);
    assert!((f.net().unwrap() - 0.664_473_684_210_526_3).abs() < 1e-15);
    assert_eq!(f.in_or_out, 240 * k);
    assert!((f.share(f.in_or_out).unwrap() - 0.631_578_947_368_421).abs() < 1e-15);
    let up = |c| f.cumulative(c) / k;
    assert_eq!(
        Category::ROLL_UP.map(up),
        [40, 160, 160, 240, 350],
        "each category holds the surer ones"
    );
    assert_eq!(f.category(Category::Lost).amount, 30 * k);
    assert_eq!(
        (f.spread.p10, f.spread.p50, f.spread.p90),
        (160 * k, 240 * k, 300 * k)
    );
    assert!((f.spread.sd / 1e5 - 55.621_488_653_217_476).abs() < 1e-9);
    assert_eq!(f.spread.method, Method::Exact { sums: 16 });
}

#[test]
fn the_object_of_the_command_line_has_the_keys_that_scripts_know() {
    let settings = crate::insight::Settings::default();
    let (book, derived) = make((1..=6).map(|i| account(i, 90)).collect(), constructed());
    let choices = Default::default();
    let input = crate::insight::page::Input {
        book: &book,
        derived: &derived,
        today: TODAY,
        calendar: &Calendar::default(),
        settings: &settings,
        mine: None,
        history: &Default::default(),
        choices: &choices,
        forecasts: &[],
    };
    let told = |f: &Forecast| Json::of(f, |n| book.reporting_money(n));
    // In two groups, one renewal in the first.
    let made = parted(&input, &quarter(), 2, |row| {
        Some(usize::from(row.renewal.id() != LocalId(1)))
    });
    assert_eq!(made.excluded, []);
    let text = serde_json::to_value(told(&made.all)).unwrap();
    let usd = |n: &str| serde_json::json!({"amount": n, "currency": "USD"});
    assert_eq!(
        text,
        serde_json::json!({
            "due": usd("380000.00"), "closed": usd("40000.00"), "weighted": usd("248500.00"),
            "category": {
                "closed": usd("40000.00"), "commit": usd("160000.00"), "most_likely": usd("160000.00"),
                "best": usd("240000.00"), "pipeline": usd("350000.00")
            },
            "p10": usd("160000.00"), "p50": usd("240000.00"), "p90": usd("300000.00"),
            "gross": 0.653_947_368_421_052_6, "net": 0.664_473_684_210_526_3
        })
    );
    // Nothing due: no rate, no interval, and no invented 0 or 100 %.
    let none = parted(&input, &Period::days(TODAY, TODAY), 0, |_| None);
    let none = told(&none.all);
    assert_eq!((none.gross, none.net, none.p50), (None, None, None));
    // The groups add up.
    let [one, rest] = &made.groups[..] else {
        panic!("two groups")
    };
    assert_eq!((one.count, one.count + rest.count), (1, made.all.count));
    assert_eq!(one.due + rest.due, made.all.due);
    assert_eq!(one.weighted + rest.weighted, made.all.weighted);
}

#[test]
fn a_probability_is_the_vendors_else_the_configured_one_else_the_accounts() {
    let day = date(2026, 12, 15);
    let plain = |id| Renewal {
        probability: None,
        ..renewal(id, day, 100, "open", "best", 0)
    };
    let mut staged = plain(2);
    staged.stage = Some("Negotiation".into());
    let mut vendor = plain(3);
    vendor.probability = Some(100);
    let mut orphan = plain(4);
    orphan.account = None;
    orphan.forecast = None;
    let (book, derived) = make(
        vec![account(1, 10), account(2, 90), account(3, 90)],
        vec![plain(1), staged, vendor, orphan],
    );
    let read = |settings: &Settings| -> Vec<(f64, Basis, bool)> {
        rows(&book, &derived, TODAY, settings, None)
            .flatten()
            .map(|r| (r.chance.share.fraction(), r.chance.basis, r.chance.bounded))
            .collect()
    };
    let mut settings = Settings::default();
    // Bad health loses with 55 %, good with 5 %.
    assert_eq!(
        read(&settings),
        [
            (0.45, Basis::Account, false),
            (0.95, Basis::Account, false),
            (1.0, Basis::Vendor, false),
            (0.7, Basis::Otherwise, false),
        ]
    );
    settings.stages.insert("negotiation".into(), 0.999);
    settings.categories.insert(Category::Best, 0.01);
    assert_eq!(
        read(&settings)[..3],
        [
            (0.05, Basis::Category, true),
            (0.98, Basis::Stage, true),
            (1.0, Basis::Vendor, false),
        ],
        "floor and cap hold what csops assumes, not what the vendor says"
    );
    settings.order = vec![Look::Account];
    assert_eq!(read(&settings)[2].1, Basis::Account);
}

#[test]
fn a_renewal_by_itself_is_likely_once_its_notice_deadline_has_passed() {
    // 31 December with 90 days of notice must be refused by 2 October.
    let due = date(2026, 12, 31);
    let (mut auto, mut prompt) = (account(1, 10), account(2, 10));
    for a in [&mut auto.0, &mut prompt.0] {
        a.notice_days = Some(90);
    }
    auto.0.auto_renew = Some(true);
    prompt.0.auto_renew = Some(false);
    let mut unplaced = renewal(1, due, 100, "open", "", 40);
    unplaced.forecast = None;
    let (book, derived) = make(
        vec![auto, prompt],
        vec![unplaced, renewal(2, due, 100, "open", "best", 40)],
    );
    let settings = Settings::default();
    let at = |today: Date| -> Vec<(Basis, Category, f64)> {
        rows(&book, &derived, today, &settings, None)
            .flatten()
            .map(|r| {
                assert_eq!(r.notice.deadline.date(), Some(date(2026, 10, 2)));
                (r.chance.basis, r.category, r.chance.share.fraction())
            })
            .collect()
    };
    let open = [
        (Basis::Vendor, Category::Pipeline, 0.4),
        (Basis::Vendor, Category::Best, 0.4),
    ];
    assert_eq!(at(date(2026, 10, 2)), open);
    assert_eq!(
        at(date(2026, 10, 3)),
        [(Basis::AutoRenew, Category::Commit, 0.95), open[1]],
        "without auto-renewal the deadline is only a prompt"
    );
}

#[test]
fn what_is_lost_while_its_term_runs_is_committed_churn() {
    let f = forecast(constructed(), &Settings::default());
    assert_eq!(
        (f.committed_churn.count, f.committed_churn.amount),
        (1, 3_000_000)
    );
    let mut over = constructed();
    over[5].due = Some(date(2026, 11, 21));
    let f = forecast(over, &Settings::default());
    assert_eq!(f.committed_churn.count, 0, "the term has ended");
    assert_eq!(f.due, 38_000_000);
}

#[test]
fn a_renewal_stays_in_the_period_of_its_first_due_day() {
    let mut slipped = renewal(1, date(2027, 1, 20), 100, "open", "commit", 90);
    slipped.original_due = Some(date(2026, 12, 20));
    let mut within = renewal(2, date(2026, 12, 20), 100, "open", "commit", 90);
    within.original_due = Some(date(2026, 11, 1));
    within.pushes = Some(3);
    let mut early = renewal(3, date(2027, 1, 15), 100, "won", "closed", 100);
    early.closed = Some(date(2026, 12, 10));
    early.amount = usd(110);
    let mut late = renewal(4, date(2026, 10, 5), 100, "won", "closed", 100);
    late.closed = Some(date(2026, 11, 4));
    let renewals = vec![slipped, within, early, late];
    let (book, derived) = make((1..=4).map(|i| account(i, 90)).collect(), renewals);
    let settings = Settings::default();
    let f = total(&book, &derived, &settings);
    assert_eq!((f.count, f.due), (3, 30_000_000));
    assert_eq!((f.slipped.count, f.slipped.amount), (1, 10_000_000));
    let now = Day::of(Some(TODAY));
    let timing: Vec<timing::Timing> = rows(&book, &derived, TODAY, &settings, None)
        .flatten()
        .map(|r| timing::Timing::of(&r, now, &Calendar::default()))
        .collect();
    assert_eq!(
        timing.iter().map(|t| t.slipped).collect::<Vec<_>>(),
        [true, false, false, false]
    );
    assert_eq!(
        timing.iter().map(|t| t.pushed).collect::<Vec<_>>(),
        [1, 3, 0, 0]
    );
    assert_eq!(
        timing.iter().map(|t| t.early).collect::<Vec<_>>(),
        [false, false, true, false]
    );
    assert_eq!(
        timing.iter().map(|t| t.late).collect::<Vec<_>>(),
        [None, Some(21), None, Some(30)]
    );
    // The one that was signed in Q4 and due in Q1 counts in Q1, unless signing is what counts.
    let all: Vec<Row<'_>> = rows(&book, &derived, TODAY, &settings, None)
        .flatten()
        .collect();
    let net = |credit| rate(&all, &quarter(), credit).net;
    assert_eq!(net(Credit::Due), 10_000_000);
    assert_eq!(net(Credit::Windfall), 10_000_000);
    assert_eq!(net(Credit::Signing), 21_000_000);
}

/// Two contracts of 100, due in January and February; the first closes in February (the example of Adaptive Insights' practice).
#[test]
fn a_late_renewal_is_a_windfall_that_is_not_capped() {
    let mut first = renewal(1, date(2026, 1, 10), 100, "won", "closed", 100);
    first.closed = Some(date(2026, 2, 3));
    let mut second = renewal(2, date(2026, 2, 20), 100, "won", "closed", 100);
    second.closed = second.due;
    let (book, derived) = make(vec![account(1, 90), account(2, 90)], vec![first, second]);
    let settings = Settings::default();
    let all: Vec<Row<'_>> = rows(&book, &derived, TODAY, &settings, None)
        .flatten()
        .collect();
    let of = |period: Period, credit| rate(&all, &period, credit);
    let (jan, feb) = (
        Period::month(date(2026, 1, 1)),
        Period::month(date(2026, 2, 1)),
    );
    let q1 = Period::days(date(2026, 1, 1), date(2026, 3, 31));
    let windfall = [&jan, &feb, &q1].map(|p| of(p.clone(), Credit::Windfall).gross_rate());
    assert_eq!(windfall, [Some(0.0), Some(2.0), Some(1.0)]);
    assert_eq!(of(feb.clone(), Credit::Windfall).windfall, 10_000_000);
    let due = [jan, feb, q1].map(|p| of(p, Credit::Due).gross_rate());
    assert_eq!(due, [Some(1.0), Some(1.0), Some(1.0)]);
    let empty = of(Period::month(date(2026, 6, 1)), Credit::Windfall);
    assert_eq!(empty.gross_rate(), None, "nothing due is no rate");
}

#[test]
fn what_cannot_count_is_left_out_and_says_why() {
    let day = date(2026, 12, 15);
    let mut francs = renewal(1, day, 1, "open", "best", 50);
    francs.amount = Money::new(100, "CHF");
    francs.target = None;
    let mut empty = renewal(2, day, 1, "open", "best", 50);
    (empty.amount, empty.target) = (None, None);
    let mut undated = renewal(3, day, 1, "open", "best", 50);
    undated.due = None;
    let credit = renewal(4, day, -1, "open", "best", 50);
    let mut unsaid = renewal(5, day, 1, "", "best", 50);
    (unsaid.stage_kind, unsaid.closed) = (None, Some(TODAY));
    let (book, derived) = make(
        (1..=5).map(|i| account(i, 90)).collect(),
        vec![francs, empty, undated, credit, unsaid],
    );
    let settings = Settings::default();
    let out: Vec<Reason> = rows(&book, &derived, TODAY, &settings, None)
        .filter_map(|r| Some(r.err()?.reason))
        .collect();
    assert_eq!(
        out,
        [
            Reason::NoRate(*b"CHF"),
            Reason::NoAmount,
            Reason::NoDay,
            Reason::Negative,
            Reason::Unsaid
        ]
    );
}

#[test]
fn correlation_widens_the_interval_and_moves_nothing_else() {
    let day = date(2026, 12, 15);
    let many = || -> Vec<Renewal> {
        (1..=40)
            .map(|i| renewal(i, day, 10, "open", "best", 80))
            .collect()
    };
    let alone = forecast(many(), &Settings::default());
    let together = forecast(
        many(),
        &Settings {
            correlation: 0.3,
            ..Settings::default()
        },
    );
    assert_eq!(alone.weighted, together.weighted);
    // 40 of the same: σ = 10 k × √(40 × 0.8 × 0.2).
    assert!((alone.spread.sd - 1e6 * 6.4_f64.sqrt()).abs() < 1.0);
    assert!(together.spread.sd > 2.0 * alone.spread.sd);
    assert!(together.spread.p10 < alone.spread.p10);
    assert!(together.spread.p90 > alone.spread.p90);
    // With correlation near its limit of 0.9 the variance of a pair nears p(1−p)·4, as if both were one.
    let pair = spread(0, [(100, Share::of(0.5)), (100, Share::of(0.5))], 0.9);
    // P(both) of two halves with correlation ρ is 1/4 + asin(ρ)/2π.
    let both = 0.25 + 0.9_f64.asin() / (2.0 * std::f64::consts::PI);
    let variance = 2.0 * 2500.0 + 2.0 * (10_000.0 * both - 2500.0);
    assert!((pair.sd - variance.sqrt()).abs() < 1e-6, "{}", pair.sd);
}

#[test]
fn a_large_book_lies_on_a_grid_that_is_close() {
    // 3,000 renewals with amounts that share nothing: the largest on the grid, the rest as a normal share.
    let items: Vec<(i64, Share)> = (0..3000_i64)
        .map(|i| {
            let amount = 100_000 + (i * 7_919) % 900_001;
            let share = Share::of(0.5 + 0.45 * ((i * 31 % 100) as f64 / 100.0));
            (amount, share)
        })
        .collect();
    let mean: f64 = items.iter().map(|(a, s)| *a as f64 * s.fraction()).sum();
    let s = spread(0, items, 0.0);
    let Method::Grid { step, rest } = s.method else {
        panic!("{:?}", s.method)
    };
    assert_eq!(rest, 3000 - 2048);
    assert!((step as f64) < s.sd / 50.0, "the grid is fine enough");
    // So many independent ones are normal: the deciles lie 1.2816 σ from the mean.
    for (p, z) in [(s.p10, -1.2816), (s.p50, 0.0), (s.p90, 1.2816)] {
        let want = mean + z * s.sd;
        assert!((p as f64 - want).abs() < 0.03 * s.sd, "{p} is not {want}");
    }
}

fn kept(taken: Date, scope: ForecastScope, weighted: i64, closed: i64) -> ForecastSnapshot {
    ForecastSnapshot {
        taken,
        scope,
        from: date(2026, 7, 1),
        to: date(2026, 9, 30),
        currency: *b"USD",
        due: 1000,
        closed,
        commit: 0,
        best: 0,
        weighted,
        in_or_out: 0,
        p10: weighted - 50,
        p50: weighted,
        p90: weighted + 50,
    }
}

#[test]
fn past_forecasts_are_graded_when_their_quarter_is_over() {
    let all = ForecastScope::All;
    let mut snapshots = vec![
        // 92, 62 and 34 days before the end, then once after it.
        kept(date(2026, 6, 30), all, 900, 0),
        kept(date(2026, 7, 30), all, 850, 100),
        kept(date(2026, 8, 27), all, 780, 400),
        kept(date(2026, 9, 28), all, 790, 700),
    ];
    let grade = |s: &[ForecastSnapshot], at: Horizon| {
        accuracy(s, *b"USD", TODAY)
            .into_iter()
            .find(|a| a.horizon == at && a.scope == all)
            .unwrap()
    };
    let before = grade(&snapshots, Horizon(30));
    assert_eq!(
        (before.bias(), before.mape(), before.inside()),
        (None, None, None)
    );
    assert_eq!(
        before.reason,
        "no quarter has ended since forecasts are kept"
    );
    snapshots.push(kept(date(2026, 10, 5), all, 800, 800));
    let errors = Horizon::ALL.map(|h| grade(&snapshots, h).grades[0].error());
    assert_eq!(errors, [100, 50, -20]);
    let thirty = grade(&snapshots, Horizon(30));
    assert_eq!((thirty.bias(), thirty.mape()), (Some(-0.025), Some(0.025)));
    assert_eq!(thirty.inside(), Some(1.0));
    assert_eq!(grade(&snapshots, Horizon(90)).inside(), Some(0.0));
    // Two weeks older than the horizon is too old; another currency says nothing.
    let late: Vec<_> = snapshots[1..].to_vec();
    assert_eq!(
        grade(&late, Horizon(90)).reason,
        "no forecast was kept 90 days before the end of a quarter"
    );
    let none = &accuracy(&snapshots, *b"EUR", TODAY)[0];
    assert_eq!(none.bias(), None);
}

#[test]
fn todays_forecasts_are_captured_for_everybody_and_each_csm() {
    let mut accounts: Vec<(Account, Facts)> = (1..=6).map(|i| account(i, 90)).collect();
    accounts[0].0.csm = Some(LocalId(7));
    accounts[1].0.csm = Some(LocalId(8));
    let (book, derived) = make(accounts, constructed());
    let kept = capture(
        &book,
        &derived,
        TODAY,
        &Calendar::default(),
        &Settings::default(),
    );
    let scopes: Vec<ForecastScope> = kept.iter().map(|s| s.scope).collect();
    assert_eq!(
        scopes,
        [
            ForecastScope::All,
            ForecastScope::Nobody,
            ForecastScope::Csm(LocalId(7)),
            ForecastScope::Csm(LocalId(8)),
        ]
    );
    assert_eq!(kept[0].weighted, 24_850_000);
    let sum: i64 = kept[1..].iter().map(|s| s.weighted).sum();
    assert_eq!(kept[0].weighted, sum);
    assert_eq!(
        (kept[0].from, kept[0].to),
        (date(2026, 10, 1), date(2026, 12, 31))
    );
    assert_eq!(accuracy::week(TODAY), date(2026, 11, 16));
    assert_eq!(accuracy::week(date(2026, 11, 23)), date(2026, 11, 23));
}

prop_compose! {
    fn some_renewal()(
        amount in 0_i64..500, target in 1_i64..500, kind in 0_usize..6, category in 0_usize..7, p in 0_u8..=100,
        csm in 0_u32..4, first in 0_i32..200, moved in 0_i32..120,
    ) -> (Renewal, u32) {
        let day = |n: i32| Day(Day::of(Some(date(2026, 9, 1))).0 + n).date();
        let r = Renewal {
            due: day(first + moved),
            original_due: (moved % 3 == 0).then(|| day(first)).flatten(),
            amount: (kind != 5).then(|| usd(amount)).flatten(),
            target: (amount % 4 != 0).then(|| usd(target)).flatten(),
            stage_kind: Some(["open", "open", "open", "won", "lost", "open"][kind].into()),
            forecast: ["commit", "most_likely", "best", "pipeline", "omitted", "closed"].get(category).map(|c| (*c).into()),
            probability: (p % 5 != 0).then_some(p),
            ..Renewal::default()
        };
        (r, csm)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn categories_rise_deciles_rise_and_groups_add_up(made in prop::collection::vec(some_renewal(), 0..40)) {
        let mut accounts = Vec::new();
        let mut renewals = Vec::new();
        for (i, (mut r, csm)) in made.into_iter().enumerate() {
            let id = i as u32 + 1;
            r.id = LocalId(id);
            r.account = Some(LocalId(id));
            let mut a = account(id, (id * 37 % 101) as u8);
            a.0.csm = (csm > 0).then_some(LocalId(csm));
            accounts.push(a);
            renewals.push(r);
        }
        let (book, derived) = make(accounts, renewals);
        let settings = Settings::default();
        let whole = total(&book, &derived, &settings);
        let up = Category::ROLL_UP.map(|c| whole.cumulative(c));
        prop_assert!(up.windows(2).all(|w| w[0] <= w[1]));
        prop_assert_eq!(up[0], whole.category(Category::Closed).amount);
        prop_assert!(up[4] <= whole.due);
        let s = whole.spread;
        prop_assert!(whole.closed <= s.p10 && s.p10 <= s.p50 && s.p50 <= s.p90 && s.p90 <= whole.due.max(s.p90));
        prop_assert!(whole.weighted <= whole.due && whole.weighted >= whole.closed);
        prop_assert_eq!(whole.bases.iter().sum::<usize>(), whole.count);
        let held: usize = whole.categories.iter().map(|b| b.count).sum();
        prop_assert_eq!(held + whole.slipped.count, whole.count);
        // By CSM.
        let (mut due, mut weighted, mut net, mut count) = (0, 0, 0, 0);
        let period = quarter();
        for csm in 0..4 {
            let mut g = Gather::default();
            for row in rows(&book, &derived, TODAY, &settings, None).flatten() {
                if period.has(row.cohort) && row.csm == LocalId(csm) {
                    g.add(&row, Some(period.end()), Day::of(Some(TODAY)), &settings);
                }
            }
            let f = g.finish(&settings);
            due += f.due;
            weighted += f.weighted;
            net += f.weighted_net;
            count += f.count;
        }
        prop_assert_eq!((due, weighted, net, count), (whole.due, whole.weighted, whole.weighted_net, whole.count));
    }

    #[test]
    fn the_exact_distribution_is_that_of_every_outcome(
        items in prop::collection::vec((1_i64..60, 0_u32..=100), 0..=12), base in 0_i64..100,
    ) {
        let items: Vec<(i64, Share)> = items.into_iter().map(|(a, p)| (a, Share::of(f64::from(p) / 100.0))).collect();
        let got = spread(base, items.iter().copied(), 0.0);
        // All 2ⁿ outcomes, one by one.
        let mut outcomes: Vec<(i64, f64)> = (0..1_u32 << items.len())
            .map(|which| {
                items.iter().enumerate().fold((base, 1.0), |(sum, p), (i, (amount, share))| {
                    let q = share.fraction();
                    if which >> i & 1 == 1 { (sum + amount, p * q) } else { (sum, p * (1.0 - q)) }
                })
            })
            .collect();
        outcomes.sort_by_key(|o| o.0);
        let at = |q: f64| {
            let mut below = 0.0;
            outcomes.iter().find(|(_, p)| { below += p; below >= q - 1e-9 }).map_or(base, |o| o.0)
        };
        prop_assert_eq!((got.p10, got.p50, got.p90), (at(0.1), at(0.5), at(0.9)));
        let mean: f64 = outcomes.iter().map(|(a, p)| *a as f64 * p).sum();
        let variance: f64 = outcomes.iter().map(|(a, p)| p * (*a as f64 - mean).powi(2)).sum();
        prop_assert!((got.sd - variance.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn the_grid_lies_within_a_step_or_two_of_the_exact_answer(
        items in prop::collection::vec((1_000_i64..900_000, 1_u32..=99), 8..=14),
    ) {
        let items: Vec<(i64, Share)> = items.into_iter().map(|(a, p)| (a, Share::of(f64::from(p) / 100.0))).collect();
        let exact = spread(0, items.iter().copied(), 0.0);
        // Enough further renewals that weigh next to nothing, so that the sums are too many to be kept apart.
        let dust = (0..24).map(|i| (1_i64 << i.min(20), Share::of(1e-6)));
        let grid = spread(0, items.iter().copied().chain(dust), 0.0);
        let Method::Grid { step, .. } = grid.method else { panic!("{:?}", grid.method) };
        let near = |a: i64, b: i64| (a - b).abs() <= 16 * step;
        prop_assert!(near(exact.p10, grid.p10) && near(exact.p50, grid.p50) && near(exact.p90, grid.p90),
            "{:?} {:?}", exact, grid);
    }
}

#[test]
fn every_figure_of_the_page_is_defined_and_says_where_it_comes_from() {
    use crate::insight::page::{Block, Choices, Figure, Input, Value};
    let mut accounts: Vec<(Account, Facts)> = (1..=7).map(|i| account(i, 90)).collect();
    accounts[0].0.csm = Some(LocalId(7));
    let mut renewals = constructed();
    let mut francs = renewal(7, date(2026, 12, 1), 1, "open", "best", 50);
    francs.amount = Money::new(100, "CHF");
    francs.target = None;
    renewals.push(francs);
    renewals[1].original_due = Some(date(2026, 11, 1));
    renewals[4].closed = Some(date(2026, 9, 20));
    let (book, derived) = make(accounts, renewals);
    let mut settings = crate::insight::Settings::default();
    settings.forecast.target = Some(0.92);
    let choices = Choices::from([("credit".to_owned(), "signing".to_owned())]);
    let kept = [kept(date(2026, 11, 16), ForecastScope::All, 900, 0)];
    let input = Input {
        book: &book,
        derived: &derived,
        today: TODAY,
        calendar: &Calendar::default(),
        settings: &settings,
        mine: None,
        history: &Default::default(),
        choices: &choices,
        forecasts: &kept,
    };
    let page = page(&input);
    assert_eq!(
        page.sentence,
        "Q4 2026: 248k USD of 380k USD due is forecast to renew (65.4 %), and with 80 % certainty between 160k USD and \
         300k USD: 26.6 points under the target of 92 %."
    );
    let mut figures: Vec<&Figure> = Vec::new();
    for block in &page.blocks {
        match block {
            Block::Figures { figures: f, .. } | Block::Bars { bars: f, .. } => figures.extend(f),
            Block::Table { columns, rows, .. } => {
                for row in rows {
                    assert_eq!(row.cells.len(), columns.len(), "{}", row.label);
                    figures.extend(&row.cells);
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(figures.len() > 100);
    for f in &figures {
        if matches!(f.value, Value::Text(_)) && f.why.is_none() {
            continue;
        }
        assert!(crate::insight::definition(f.name).is_some(), "{f:?}");
        let why = f.why.as_ref().unwrap();
        assert!(!why.source.is_empty());
    }
    let due = figures.iter().find(|f| f.name == "forecast.due").unwrap();
    let why = due.why.as_ref().unwrap();
    assert_eq!((why.rows_in, why.rows_out), (6, 1));
    assert_eq!(why.left_out[0].reason, "CHF has no rate into USD");
    // A reviewer can add the rows up.
    let column = |i: usize| -> i64 {
        why.rows
            .iter()
            .map(|r| match r.values[i] {
                Value::Money(n) => n,
                _ => 0,
            })
            .sum()
    };
    assert_eq!((column(0), column(4)), (38_000_000, 24_850_000));
    // The table of CSMs adds up to the quarter.
    let by_csm = page
        .blocks
        .iter()
        .find_map(|b| match b {
            Block::Table { title, rows, .. } if title.starts_with("By CSM") => Some(rows),
            _ => None,
        })
        .unwrap();
    let sum: i64 = by_csm
        .iter()
        .map(|r| match r.cells[5].value {
            Value::Money(n) => n,
            _ => 0,
        })
        .sum();
    assert_eq!(sum, 24_850_000);
    // Nothing known: every block says why it is empty.
    let (book, derived) = make(Vec::new(), Vec::new());
    let empty = super::page(&Input {
        book: &book,
        derived: &derived,
        forecasts: &[],
        ..input
    });
    assert_eq!(empty.sentence, "Nothing is due in Q4 2026.");
}

#[test]
fn notice_is_given_when_everything_that_ends_is_cancelled() {
    use crate::book::Subscription;
    let due = date(2026, 12, 31);
    let sold = |id: u32, end: Date, cancelled: Option<Date>| Subscription {
        id: LocalId(id),
        account: Some(LocalId(1)),
        end: Some(end),
        cancelled,
        notice_days: Some(60),
        auto_renew: Some(true),
        ..Subscription::default()
    };
    let read = |subscriptions: Vec<Subscription>| {
        let book = Book::empty().apply(
            RowDelta {
                accounts: vec![account(1, 90)],
                renewals: vec![renewal(1, due, 100, "open", "commit", 90)],
                subscriptions,
                ..RowDelta::default()
            },
            &Overlay::default(),
        );
        let derived = derive(&book, TODAY, &Rules::default());
        let f = total(&book, &derived, &Settings::default());
        let row = rows(&book, &derived, TODAY, &Settings::default(), None)
            .flatten()
            .map(|r| (r.notice.deadline.date(), r.chance.basis))
            .next();
        (row.unwrap(), f.weighted, f.committed_churn.amount)
    };
    let (k, said) = (100_000, date(2026, 10, 1));
    let by = Some(date(2026, 11, 1));
    // It renews by itself, and 1 November is past.
    let one = sold(1, date(2026, 12, 31), None);
    assert_eq!(read(vec![one.clone()]), ((by, Basis::AutoRenew), 95 * k, 0));
    let gone = sold(1, date(2026, 12, 31), Some(said));
    let other = sold(2, date(2026, 12, 30), None);
    let later = sold(3, date(2027, 12, 31), None);
    // One of two lines is cancelled: the renewal still stands.
    assert_eq!(
        read(vec![gone.clone(), other]),
        ((by, Basis::AutoRenew), 95 * k, 0)
    );
    // All that ends with it is: in today's ARR, out of the forecast.
    assert_eq!(read(vec![gone, later]), ((by, Basis::Notice), 0, 100 * k));
}
