//! Puts the book together, account by account, and answers questions about it.

use std::ops::Range;

use jiff::civil::{Date, Weekday};

use super::people::{self, Team};
use super::rng::{Rng, hash};
use super::trouble::Track;
use super::types::*;
use super::{accounts, activity, contacts, days, mess, renewals};

/// What every part of the generator needs to know.
pub(super) struct Scene {
    pub seed: u64,
    /// The anchor date as a day number, and its first second.
    pub today: i32,
    pub now: i64,
    pub currencies: Vec<Currency>,
    /// The Monday of the first week of the history, as a day number.
    pub first_monday: i32,
    /// How much happens in each week of the history: little at Christmas, less in August.
    pub seasons: Vec<f64>,
}

impl Scene {
    fn new(seed: u64, anchor: Date) -> Self {
        let today = days::number(anchor);
        let this_monday = today - i32::from(anchor.weekday().since(Weekday::Monday));
        let currencies = vec![
            Currency {
                code: "USD",
                decimals: 2,
                per_usd: 1.0,
            },
            Currency {
                code: "EUR",
                decimals: 2,
                per_usd: 0.92,
            },
            Currency {
                code: "GBP",
                decimals: 2,
                per_usd: 0.79,
            },
            Currency {
                code: "SEK",
                decimals: 2,
                per_usd: 10.45,
            },
            Currency {
                code: "JPY",
                decimals: 0,
                per_usd: 151.0,
            },
            Currency {
                code: "BRL",
                decimals: 2,
                per_usd: 5.4,
            },
        ];
        let first_monday = this_monday - 7 * WEEKS as i32;
        let season = |week: i32| match days::day(first_monday + 7 * week).iso_week_date().week() {
            52 | 53 | 1 => 0.55,
            31..=33 => 0.88,
            _ => 1.0,
        };
        Scene {
            seed,
            today,
            now: i64::from(today) * 86_400,
            currencies,
            first_monday,
            seasons: (0..WEEKS as i32).map(season).collect(),
        }
    }

    /// The week (with its fraction) of a day number, counted from the first week of the history.
    pub fn week(&self, day: i32) -> f64 {
        f64::from(day - self.first_monday) / 7.0
    }

    pub fn day_of_week(&self, week: f64) -> i32 {
        self.first_monday + (week * 7.0) as i32
    }

    /// A second within working hours of a day, the same for every caller.
    pub fn second(&self, day: i32) -> i64 {
        (i64::from(day) * 86_400 + 28_800 + (hash(day as u64 ^ self.seed) % 30_000) as i64)
            .min(self.now - 60)
    }

    /// Any second within working hours of a day, before the anchor date.
    pub fn second_of(&self, rng: &mut Rng, day: i32) -> i64 {
        (i64::from(day) * 86_400 + rng.between(25_200, 64_800)).min(self.now - 60)
    }

    /// A second within the last `days` days before the anchor date; the nearer the likelier.
    pub fn stamp(&self, rng: &mut Rng, days: i64) -> i64 {
        let back = rng.unit() * rng.unit() * days as f64 * 86_400.0;
        self.now - 60 - back as i64
    }
}

impl World {
    /// The book of `accounts` customers as it stands on the morning of `anchor`. The same arguments always make the same
    /// book.
    pub fn generate(seed: u64, anchor: Date, accounts: usize) -> World {
        let scene = Scene::new(seed, anchor);
        let users = people::users(seed, accounts, scene.now);
        let team = Team::new(&users, accounts);
        let mut world = World {
            seed,
            anchor,
            currencies: scene.currencies.clone(),
            users,
            accounts: Vec::with_capacity(accounts),
            contacts: Vec::with_capacity(accounts * 3),
            contracts: Vec::with_capacity(accounts * 5 / 2),
            renewals: Vec::with_capacity(accounts * 5 / 2),
            tasks: Vec::with_capacity(accounts * 3 / 2),
            cases: Vec::with_capacity(accounts * 4),
            risks: Vec::with_capacity(accounts / 2),
            touchpoints: Vec::with_capacity(accounts * 7),
            surveys: Vec::with_capacity(accounts * 2),
            active_users: Vec::with_capacity(accounts * WEEKS),
            health: Vec::with_capacity(accounts * WEEKS),
        };
        for i in 0..accounts {
            world.add_account(&scene, &team, i);
        }
        world
    }

    fn add_account(&mut self, scene: &Scene, team: &Team, i: usize) {
        let mut account = accounts::account(scene, team, i);
        let track = Track::new(&mut Rng::of(scene.seed, "trouble", i as u64));
        let chain = renewals::chain(
            scene,
            i,
            &mut account,
            &track,
            &mut self.contracts,
            &mut self.renewals,
        );
        let begin = days::number(account.start).max(scene.first_monday);
        let end = chain.left.unwrap_or(scene.today);
        let last_week = scene.week(end - 7).floor() as i32;
        let first_week = scene.week(begin).ceil() as i32;
        let histories = (&mut self.active_users, &mut self.health);
        accounts::history(
            scene,
            i,
            &account,
            first_week..=last_week,
            &track,
            histories,
        );
        let health = self
            .health
            .last()
            .copied()
            .filter(|&score| score != NO_HEALTH);
        if chain.left.is_none() {
            account.trouble = track.driver(scene.week(scene.today));
        }
        account.sentiment = match health {
            Some(0..45) => -1,
            Some(75..) => 1,
            _ => 0,
        };
        let kind = mess::kind(i, &mut Rng::of(scene.seed, "mess", i as u64));
        if let Some(kind) = kind {
            mess::spoil(
                kind,
                i,
                &mut account,
                chain.open.map(|place| &mut self.renewals[place]),
            );
        }
        let first = self.contacts.len() as u32;
        contacts::contacts(scene, i, &account, &track, &mut self.contacts);
        let subject = activity::Subject {
            index: i as u32,
            account: &account,
            track: &track,
            contacts: first..self.contacts.len() as u32,
            days: begin..end.max(begin),
        };
        activity::cases(scene, team, &subject, &mut self.cases);
        activity::risks(scene, &subject, &mut self.risks, &mut self.tasks);
        activity::tasks(scene, &subject, &mut self.tasks);
        activity::touchpoints(scene, &subject, &mut self.touchpoints);
        activity::surveys(scene, &subject, &mut self.surveys);
        self.accounts.push(account);
    }

    /// The place of the user in whose name the demo runs.
    pub fn dana(&self) -> u32 {
        people::DANA
    }

    /// The place of the user with this mail address.
    pub fn user_by_email(&self, email: &str) -> Option<u32> {
        self.users
            .iter()
            .position(|user| user.email.eq_ignore_ascii_case(email))
            .map(|place| place as u32)
    }

    /// The first second of the anchor date, in UTC since 1970.
    pub fn anchor_second(&self) -> i64 {
        i64::from(days::number(self.anchor)) * 86_400
    }

    /// The Monday on which week `week` (0 to [`WEEKS`]−1) of the history begins. Week [`WEEKS`] is the one of the anchor date.
    pub fn week_start(&self, week: usize) -> Date {
        let today = days::number(self.anchor);
        let this_monday = today - i32::from(self.anchor.weekday().since(Weekday::Monday));
        days::day(this_monday - 7 * (WEEKS as i32 - week as i32))
    }

    /// How an account was used in a week; `None` where it was no customer.
    pub fn usage(&self, account: u32, week: usize) -> Option<UsageWeek> {
        if week >= WEEKS {
            return None;
        }
        let place = account as usize * WEEKS + week;
        let active = self
            .active_users
            .get(place)
            .copied()
            .filter(|&active| active != NO_USAGE)?;
        let seats = self.accounts.get(account as usize)?.seats;
        let mix = hash(place as u64 ^ self.seed);
        let logins = u32::from(active) * (30 + (mix % 25) as u32) / 10;
        let adoption = (100 * u32::from(active) / seats.max(1)).min(100)
            * (70 + (hash(u64::from(account)) % 30) as u32)
            / 100;
        Some(UsageWeek {
            week: self.week_start(week),
            active_users: u32::from(active),
            seats,
            logins,
            adoption: adoption as u8,
        })
    }

    /// The health score (0–100) that an account had at the end of a week.
    pub fn health(&self, account: u32, week: usize) -> Option<u8> {
        (week < WEEKS)
            .then(|| self.health.get(account as usize * WEEKS + week).copied())
            .flatten()
            .filter(|&score| score != NO_HEALTH)
    }

    /// The latest health score.
    pub fn health_now(&self, account: u32) -> Option<u8> {
        self.health(account, WEEKS - 1)
    }

    /// Places of the contacts of an account.
    pub fn contacts_of(&self, account: u32) -> Range<usize> {
        range(&self.contacts, account, |row| row.account)
    }

    /// Places of the renewals of an account, oldest first; only the last can be open.
    pub fn renewals_of(&self, account: u32) -> Range<usize> {
        range(&self.renewals, account, |row| row.account)
    }

    /// Places of the contracts of an account, oldest first.
    pub fn contracts_of(&self, account: u32) -> Range<usize> {
        range(&self.contracts, account, |row| row.account)
    }

    /// Places of the calls to action of an account.
    pub fn risks_of(&self, account: u32) -> Range<usize> {
        range(&self.risks, account, |row| row.account)
    }

    /// Places of the survey answers of an account.
    pub fn surveys_of(&self, account: u32) -> Range<usize> {
        range(&self.surveys, account, |row| row.account)
    }

    /// An amount in minor units as a decimal number of its currency, e.g. `1234.50`.
    pub fn decimal(&self, minor: i64, currency: u8) -> String {
        match self
            .currencies
            .get(currency as usize)
            .map_or(2, |currency| currency.decimals)
        {
            0 => minor.to_string(),
            decimals => {
                let unit = 10i64.pow(u32::from(decimals));
                let sign = if minor < 0 { "-" } else { "" };
                format!(
                    "{sign}{}.{:0width$}",
                    minor.abs() / unit,
                    minor.abs() % unit,
                    width = decimals as usize
                )
            }
        }
    }

    /// An amount in minor units as a number of its currency.
    pub fn major(&self, minor: i64, currency: u8) -> f64 {
        minor as f64
            / 10f64.powi(i32::from(
                self.currencies
                    .get(currency as usize)
                    .map_or(2, |currency| currency.decimals),
            ))
    }

    /// An amount in minor units as US dollars.
    pub fn usd(&self, minor: i64, currency: u8) -> f64 {
        self.major(minor, currency)
            / self
                .currencies
                .get(currency as usize)
                .map_or(1.0, |currency| currency.per_usd)
    }
}

/// Rows are made account by account, so those of one account lie together.
fn range<T>(rows: &[T], account: u32, of: impl Fn(&T) -> u32) -> Range<usize> {
    rows.partition_point(|row| of(row) < account)..rows.partition_point(|row| of(row) <= account)
}
