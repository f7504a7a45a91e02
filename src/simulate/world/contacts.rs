//! The people at a customer.

use super::days;
use super::generate::Scene;
use super::names::{FAMILY, GIVEN, TITLES};
use super::rng::Rng;
use super::trouble::Track;
use super::types::{Account, Contact, ContactRole, Driver, Segment};

/// Appends the contacts of account `i`: always a sponsor first, mostly a champion.
pub(super) fn contacts(
    scene: &Scene,
    i: usize,
    account: &Account,
    track: &Track,
    into: &mut Vec<Contact>,
) {
    let mut rng = Rng::of(scene.seed, "contact", i as u64);
    let count = match account.segment {
        Segment::Enterprise => 4 + rng.below(5),
        Segment::MidMarket => 2 + rng.below(4),
        Segment::Smb => 1 + rng.below(3),
    };
    let roles = [
        ContactRole::Sponsor,
        ContactRole::Champion,
        ContactRole::Admin,
        ContactRole::User,
        ContactRole::Billing,
    ];
    let host: &str = if account.domain.is_empty() {
        "mail.example.com"
    } else {
        &account.domain
    };
    for place in 0..count {
        let role = roles[if place < 5 { place } else { 3 }];
        let (given, given_mail) = *rng.pick(&GIVEN);
        let (family, family_mail) = *rng.pick(&FAMILY);
        let number = if place == 0 {
            String::new()
        } else {
            (place + 1).to_string()
        };
        // One mail address in thirty is missing.
        let email = if rng.chance(0.03) {
            String::new()
        } else {
            format!("{given_mail}.{family_mail}{number}@{host}")
        };
        // When a sponsor leaves, that is where the trouble begins.
        let gone = match track.current.or(track.past) {
            Some(episode) if episode.driver == Driver::SponsorChange && place == 0 => {
                Some(scene.day_of_week(episode.onset) - 7)
            }
            _ => rng
                .chance(0.04)
                .then(|| scene.today - rng.between(10, 600) as i32),
        };
        let gone = gone.filter(|&day| {
            day > days::number(account.start).max(scene.today - 700) && day < scene.today
        });
        let created = account.created + rng.between(0, 40) * 86_400 + rng.between(0, 30_000);
        let modified = gone.map_or_else(|| scene.stamp(&mut rng, 500), |day| scene.second(day));
        into.push(Contact {
            account: i as u32,
            first: given.into(),
            last: family.into(),
            email: email.into(),
            title: TITLES[role as usize][rng.below(TITLES[role as usize].len())],
            role,
            primary: place == 0,
            left: gone.map(days::day),
            created: created.min(modified),
            modified,
        });
    }
}
