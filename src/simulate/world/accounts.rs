//! Who the customers are.

use super::days;
use super::generate::Scene;
use super::names::{COUNTRIES, FIRST, MIDDLE, SECOND};
use super::people::Team;
use super::rng::Rng;
use super::types::{Account, Lifecycle, Segment, Touch, WEEKS};

/// An account with everything but what follows from its contracts and its trouble.
pub(super) fn account(scene: &Scene, team: &Team, i: usize) -> Account {
    let mut rng = Rng::of(scene.seed, "account", i as u64);
    let segment =
        [Segment::Enterprise, Segment::MidMarket, Segment::Smb][rng.weighted(&[0.14, 0.34, 0.52])];
    let (median, spread) = match segment {
        Segment::Enterprise => (118_000.0, 0.75),
        Segment::MidMarket => (31_000.0, 0.55),
        Segment::Smb => (7_800.0, 0.6),
    };
    let usd = (median * (spread * rng.normal()).exp()).clamp(600.0, 3_000_000.0);
    let country = &COUNTRIES[rng.weighted(&COUNTRIES.map(|row| row.5))];
    let currency = &scene.currencies[country.4 as usize];
    // Prices are round numbers.
    let major = usd * currency.per_usd;
    let step = 10f64.powf((major.log10() - 1.7).floor()).max(1.0);
    let arr = ((major / step).round() * step) as i64 * 10i64.pow(u32::from(currency.decimals));
    let touch = match segment {
        Segment::Enterprise => Touch::High,
        Segment::MidMarket if rng.chance(0.3) => Touch::High,
        Segment::MidMarket => Touch::Mid,
        Segment::Smb if rng.chance(0.15) => Touch::Mid,
        Segment::Smb => Touch::Tech,
    };
    let seats = (usd / (180.0 + 240.0 * rng.unit()))
        .ceil()
        .clamp(3.0, 30_000.0) as u32;
    let employees = (f64::from(seats) * (3.0 + 30.0 * rng.unit() * rng.unit())) as u32 + 5;
    let age_days = if rng.chance(0.1) {
        rng.between(20, 360)
    } else {
        rng.between(360, 2600)
    };
    let start = days::day(scene.today - age_days as i32);
    let (name, stem, industry) = name(scene.seed, i, country.2, &mut rng);
    let domain = format!("{stem}.{}", if rng.chance(0.5) { "com" } else { country.3 });
    let (csm, seller) = team.assign(&mut rng);
    let second_spelling = rng.chance(0.035);
    let visible = rng.unit();
    let gainsight_name = second_spelling.then(|| super::mess::other_spelling(&name).into());
    // Corporate families: a parent is one of the accounts shortly before.
    let parent = (i > 4 && rng.chance(0.06)).then(|| (i - 1 - rng.below(4)) as u32);
    let created = i64::from(scene.today) * 86_400 - age_days * 86_400 - rng.between(1, 40) * 86_400
        + rng.between(28_000, 64_000);
    Account {
        name: name.into(),
        gainsight_name,
        domain: if rng.chance(0.04) {
            "".into()
        } else {
            domain.into()
        },
        industry,
        country: country.0,
        region: country.1,
        segment,
        touch,
        lifecycle: if age_days < 120 {
            Lifecycle::Onboarding
        } else if age_days < 500 {
            Lifecycle::Adopting
        } else {
            Lifecycle::Mature
        },
        parent,
        csm,
        seller,
        currency: country.4,
        arr,
        seats,
        employees,
        start,
        renewal_date: None,
        in_salesforce: visible >= 0.01,
        in_gainsight: visible < 0.985,
        linked: rng.chance(0.88),
        gainsight_domain: rng.chance(0.75),
        trouble: None,
        sentiment: 0,
        created,
        modified: scene.stamp(&mut rng, 30),
    }
}

/// The name, the stem of its mail domain, and the industry. No two accounts of a book have the same name.
fn name(seed: u64, i: usize, forms: &[&str], rng: &mut Rng) -> (String, String, &'static str) {
    let pairs = FIRST.len() * SECOND.len();
    // 6673 shares no factor with the number of pairs: every pair comes once before any comes twice. And it is near the
    // golden section of it, so that neighbours differ in both words.
    let pair = (i * 6673 + (super::rng::hash(seed) % pairs as u64) as usize) % pairs;
    let (first, (second, industry)) = (FIRST[pair / SECOND.len()], SECOND[pair % SECOND.len()]);
    let round = i / pairs;
    let stem = match round {
        0 => format!("{first} {second}"),
        1..=12 => format!("{first} {} {second}", MIDDLE[round - 1]),
        _ => format!("{first} {} {second} {}", MIDDLE[round % 12], round / 12),
    };
    let form = *rng.pick(forms);
    let domain = stem
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    (
        if form.is_empty() {
            stem
        } else {
            format!("{stem} {form}")
        },
        domain,
        industry,
    )
}

/// Weekly usage and health of one account, appended to the two long vectors.
pub(super) fn history(
    scene: &Scene,
    i: usize,
    account: &Account,
    customer: std::ops::RangeInclusive<i32>,
    track: &super::trouble::Track,
    (usage, health): (&mut Vec<u16>, &mut Vec<u8>),
) {
    let first_week = *customer.start();
    let mut rng = Rng::of(scene.seed, "history", i as u64);
    let full = 0.45 + 0.45 * rng.unit();
    let growth = 0.0015 * rng.normal();
    let base_health = 68.0 + 26.0 * rng.unit();
    let mut drift = 0.0;
    for week in 0..WEEKS as i32 {
        if !customer.contains(&week) {
            usage.push(super::types::NO_USAGE);
            health.push(super::types::NO_HEALTH);
            continue;
        }
        let at = f64::from(week);
        let ramp = (f64::from(week - first_week + 2) / 14.0).min(1.0);
        let season = scene.seasons[week as usize];
        let noise = 1.0 + 0.05 * (rng.unit() + rng.unit() + rng.unit() - 1.5);
        let now = track.at(at);
        let active = f64::from(account.seats)
            * full
            * (1.0 + growth * at)
            * ramp
            * season
            * noise
            * (1.0 - 0.75 * now);
        usage.push(
            active
                .round()
                .clamp(0.0, f64::from(account.seats).min(65_000.0)) as u16,
        );
        // A score sees the trouble about five weeks late, and is noisy in itself.
        drift = 0.9 * drift + 1.6 * (rng.unit() + rng.unit() - 1.0);
        let score = base_health - 62.0 * track.at(at - 5.0) + drift - 12.0 * (1.0 - ramp);
        health.push(score.round().clamp(1.0, 99.0) as u8);
    }
}
