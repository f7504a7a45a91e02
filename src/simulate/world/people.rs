//! Our own people: CSMs, sellers, a lead, operations, support. Dana Whitfield, in whose name the demo runs, is a CSM.

use super::names::{FAMILY, GIVEN};
use super::rng::Rng;
use super::types::{Job, Region, User};

/// The user in whose name the demo runs.
pub(super) const DANA: u32 = 2;

/// The lead of Customer Success.
pub(super) const LEAD: u32 = 0;

/// All users for a book of `accounts`, created before `day` (seconds).
pub(super) fn users(seed: u64, accounts: usize, now: i64) -> Vec<User> {
    let csms = (accounts / 45).clamp(4, 400);
    let sellers = (accounts / 90).clamp(3, 200);
    let support = (accounts / 200).clamp(2, 100);
    let mut users = Vec::new();
    let mut add = |first: &str, last: &str, mail: &str, job, title, region, active, manager| {
        let row = users.len() as u64;
        let mut rng = Rng::of(seed, "user", row);
        let created = now - 86_400 * rng.between(400, 2200) - rng.between(0, 80_000);
        let modified = now - 86_400 * rng.between(2, 390) - rng.between(0, 80_000);
        users.push(User {
            first: first.into(),
            last: last.into(),
            email: mail.into(),
            job,
            title,
            region,
            manager,
            active,
            created,
            modified,
        });
    };
    add(
        "Morgan",
        "Reed",
        "morgan.reed@example.com",
        Job::Lead,
        "VP Customer Success",
        Region::Amer,
        true,
        None,
    );
    add(
        "Priya",
        "Raman",
        "priya.raman@example.com",
        Job::Operations,
        "CS Operations Manager",
        Region::Emea,
        true,
        Some(LEAD),
    );
    add(
        "Dana",
        "Whitfield",
        "dana@example.com",
        Job::Csm,
        "Senior Customer Success Manager",
        Region::Amer,
        true,
        Some(LEAD),
    );
    let regions = [Region::Amer, Region::Emea, Region::Apac, Region::Latam];
    let total = csms + sellers + support + 1;
    for i in 0..total {
        // Different names for as long as there are any: the two lists are walked with steps that share no factor.
        let (given, given_mail) = GIVEN[(i * 7 + 5) % 60];
        let (family, family_mail) = FAMILY[(i * 11 + i / 60 * 5 + 3) % 60];
        let (job, title) = match i {
            i if i < csms => (
                Job::Csm,
                if i % 3 == 0 {
                    "Senior Customer Success Manager"
                } else {
                    "Customer Success Manager"
                },
            ),
            i if i < csms + sellers => (Job::Seller, "Account Executive"),
            i if i < csms + sellers + support => (Job::Support, "Support Engineer"),
            // The one who left: rows still name them.
            _ => (Job::Csm, "Customer Success Manager"),
        };
        let number = if i >= 60 {
            format!("{}", i)
        } else {
            String::new()
        };
        add(
            given,
            family,
            &format!("{given_mail}.{family_mail}{number}@example.com"),
            job,
            title,
            regions[i % 7 % 4],
            i + 1 < total,
            Some(LEAD),
        );
    }
    users
}

/// Who looks after what.
pub(super) struct Team {
    csms: Vec<u32>,
    sellers: Vec<u32>,
    pub support: Vec<u32>,
    gone: u32,
    dana: f64,
}

impl Team {
    pub fn new(users: &[User], accounts: usize) -> Self {
        let of = |job| {
            (0..users.len() as u32)
                .filter(move |&i| {
                    users[i as usize].job == job && users[i as usize].active && i != DANA
                })
                .collect::<Vec<_>>()
        };
        let gone = users.len().saturating_sub(1) as u32;
        Team {
            csms: of(Job::Csm),
            sellers: of(Job::Seller),
            support: of(Job::Support),
            gone,
            dana: (38.0 / accounts.max(1) as f64).clamp(0.02, 0.3),
        }
    }

    /// The CSM and the seller of an account; about one in fifty still belongs to somebody who has left.
    pub fn assign(&self, rng: &mut Rng) -> (u32, u32) {
        let csm = if rng.chance(self.dana) {
            DANA
        } else if rng.chance(0.02) {
            self.gone
        } else {
            *rng.pick(&self.csms)
        };
        (csm, *rng.pick(&self.sellers))
    }
}
