//! The world goes on: every few seconds something happens to some customer, and each vendor hears of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, Weekday};
use tokio::task::JoinHandle;

use super::Vendor;
use super::clock::SimClock;
use super::journal::Journal;
use super::world::rng::Rng;
use super::world::{Change, Driver, Lifecycle, Renewal, Stage, WEEKS, World, WorldEvent};

/// Makes the events of one world, one after the other. Event `n` depends on the seed, on `n` and on the day.
pub struct Events {
    world: Arc<World>,
    clock: SimClock,
    next: u64,
}

impl Events {
    /// Goes on after event number `last`.
    pub fn after(world: Arc<World>, clock: SimClock, last: u64) -> Self {
        Events {
            world,
            clock,
            next: last + 1,
        }
    }

    /// What happens next; `None` in an empty world.
    pub fn happen(&mut self) -> Option<WorldEvent> {
        // Some draws hit a row to which nothing can happen (a customer who left, a closed renewal): draw again.
        for _ in 0..200 {
            let number = self.next;
            self.next += 1;
            if let Some(change) = change(&self.world, number, self.clock.today()) {
                return Some(WorldEvent {
                    number,
                    at: self.clock.stamp(),
                    change,
                });
            }
        }
        None
    }
}

fn change(world: &World, number: u64, today: Date) -> Option<Change> {
    let mut rng = Rng::of(world.seed, "live", number);
    let account = rng.below(world.accounts.len()) as u32;
    let row = world
        .accounts
        .get(account as usize)
        .filter(|row| row.lifecycle != Lifecycle::Churned)?;
    let ill = row.trouble.is_some();
    match rng.weighted(&[30.0, 20.0, 12.0, 8.0, 12.0, 6.0, 5.0, 3.0, 1.0, 2.0, 4.0]) {
        0 => {
            let last = world.usage(account, WEEKS - 1)?;
            let factor = if ill || rng.chance(0.15) {
                0.55 + 0.4 * rng.unit()
            } else {
                0.93 + 0.14 * rng.unit()
            };
            let active_users =
                ((f64::from(last.active_users) * factor).round() as u32).min(last.seats);
            let logins = (f64::from(last.logins) * factor).round() as u32;
            let adoption = (f64::from(last.adoption) * factor)
                .round()
                .clamp(0.0, 100.0) as u8;
            Some(Change::Usage {
                account,
                week: monday(today),
                active_users,
                seats: last.seats,
                logins,
                adoption,
            })
        }
        1 => {
            let score = i64::from(world.health_now(account)?);
            let score = score
                + if ill || rng.chance(0.2) {
                    -rng.between(2, 18)
                } else {
                    rng.between(-3, 5)
                };
            Some(Change::Health {
                account,
                score: score.clamp(1, 99) as u8,
            })
        }
        2 => {
            let subject = *rng.pick(&[
                "Cannot open the weekly report",
                "Sync has stopped",
                "Error 403 after the change of roles",
                "Please raise our API limit",
                "Numbers differ between views",
            ]);
            let severity =
                [0, 1, 2, 3][rng.weighted(&[3.0, 5.0, 2.0, if ill { 1.5 } else { 0.2 }])];
            let contacts = world.contacts_of(account);
            let contact =
                (!contacts.is_empty()).then(|| (contacts.start + rng.below(contacts.len())) as u32);
            let support: Vec<u32> = (0..world.users.len() as u32)
                .filter(|&user| world.users[user as usize].job == super::world::Job::Support)
                .collect();
            Some(Change::CaseOpened {
                account,
                contact,
                subject: subject.to_owned(),
                severity,
                owner: *support.get(rng.below(support.len()))?,
            })
        }
        3 => {
            let case = rng.below(world.cases.len());
            world
                .cases
                .get(case)
                .filter(|row| row.closed.is_none())
                .map(|_| Change::CaseClosed { case: case as u32 })
        }
        4 => {
            let task = rng.below(world.tasks.len());
            world
                .tasks
                .get(task)
                .filter(|row| row.completed.is_none())
                .map(|_| Change::TaskDone { task: task as u32 })
        }
        5 => {
            let (renewal, row) = open_renewal(world, account)?;
            let next = match row.stage {
                Stage::Prospecting => 1,
                Stage::Discovery => 2,
                Stage::Proposal => 3,
                _ => 4,
            };
            Some(Change::StageMoved {
                renewal,
                stage: if ill { next.min(2) } else { next },
            })
        }
        6 => {
            let (renewal, row) = open_renewal(world, account)?;
            let factor = if ill {
                0.8 + 0.15 * rng.unit()
            } else {
                0.97 + 0.12 * rng.unit()
            };
            let unit = 10i64.pow(u32::from(
                world.currencies.get(row.currency as usize)?.decimals,
            ));
            Some(Change::AmountChanged {
                renewal,
                amount: (row.amount as f64 * factor / unit as f64).round() as i64 * unit,
            })
        }
        7 => {
            let contacts = world.contacts_of(account);
            let contact = contacts.start + rng.below(contacts.len());
            world
                .contacts
                .get(contact)
                .filter(|row| row.left.is_none())
                .map(|_| Change::ContactLeft {
                    contact: contact as u32,
                    on: today,
                })
        }
        8 => Some(Change::AccountRenamed {
            account,
            name: format!(
                "{} (now part of {})",
                row.name,
                rng.pick(&["Helios Group", "Norrland AB", "Kappa Holdings"])
            ),
        }),
        9 if ill => {
            let reason = row.trouble.unwrap_or(Driver::LowAdoption).label();
            let due = today
                .checked_add(jiff::Span::new().days(14))
                .unwrap_or(today);
            Some(Change::RiskOpened {
                account,
                reason: reason.to_owned(),
                name: format!("{reason} at {}", row.name_in_gainsight()),
                owner: row.csm,
                due,
            })
        }
        10 => {
            let contacts = world.contacts_of(account);
            let contact =
                (!contacts.is_empty()).then(|| (contacts.start + rng.below(contacts.len())) as u32);
            let score = if ill {
                rng.between(0, 6)
            } else {
                rng.between(5, 10)
            };
            Some(Change::SurveyAnswered {
                account,
                contact,
                score: score as u8,
            })
        }
        _ => None,
    }
}

fn open_renewal(world: &World, account: u32) -> Option<(u32, &Renewal)> {
    let last = world.renewals_of(account).next_back()?;
    world
        .renewals
        .get(last)
        .filter(|row| !row.stage.closed())
        .map(|row| (last as u32, row))
}

/// The Monday of the week of `day`.
fn monday(day: Date) -> Date {
    day.checked_sub(jiff::Span::new().days(day.weekday().since(Weekday::Monday)))
        .unwrap_or(day)
}

/// The pause between two events: four seconds in a book of 240, shorter in larger ones, never under half a second.
fn pause(accounts: usize) -> Duration {
    Duration::from_secs_f64((4.0 * (240.0 / accounts.max(1) as f64).powf(0.3)).clamp(0.5, 6.0))
}

/// Lets the world go on until the task is aborted. Each event is journaled for a vendor before the vendor shows it.
pub(super) fn run(mut events: Events, vendors: Vec<(Arc<dyn Vendor>, Journal)>) -> JoinHandle<()> {
    let pause = pause(events.world.accounts.len());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(pause).await;
            let Some(event) = events.happen() else { return };
            for (vendor, journal) in &vendors {
                if let Err(error) = vendor.keep_live(&event, journal) {
                    tracing::warn!(%error, vendor = vendor.name(), "a change of the world was not kept and is left out");
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::civil::date;

    #[test]
    fn a_hundred_events_touch_many_kinds_of_rows_and_repeat_from_the_same_number() {
        let world = Arc::new(World::generate(1, date(2026, 11, 22), 240));
        let clock = || {
            SimClock::new(Arc::new(|| {
                Timestamp::from_second(1_795_348_800).unwrap_or_default()
            }))
        };
        let mut events = Events::after(world.clone(), clock(), 0);
        let first: Vec<WorldEvent> = std::iter::from_fn(|| events.happen()).take(100).collect();
        assert_eq!(first.len(), 100);
        assert!(
            first
                .windows(2)
                .all(|pair| pair[0].number < pair[1].number && pair[0].at < pair[1].at)
        );
        let kinds: std::collections::HashSet<_> = first
            .iter()
            .map(|event| std::mem::discriminant(&event.change))
            .collect();
        assert!(kinds.len() >= 8, "{} kinds", kinds.len());
        let mut again = Events::after(world, clock(), first[49].number);
        assert_eq!(
            again.happen().map(|event| event.change),
            Some(first[50].change.clone())
        );
    }
}
