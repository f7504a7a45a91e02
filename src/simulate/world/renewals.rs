//! Contracts and renewals: the chain of terms of each account, what became of those that ended in the last two years, and
//! the open renewal that comes next.

use jiff::civil::Date;

use super::days;
use super::generate::Scene;
use super::rng::Rng;
use super::trouble::Track;
use super::types::{Account, Contract, Driver, Forecast, Lifecycle, Renewal, Segment, Stage};

/// What the chain of terms says about the account.
pub(super) struct Chain {
    /// When the customer left, as a day number.
    pub left: Option<i32>,
    /// Place of the open renewal, if one was made.
    pub open: Option<usize>,
}

const NEXT_STEPS: [&str; 7] = [
    "Send proposal",
    "Legal review of the order form",
    "Procurement call",
    "Wait for budget approval",
    "Confirm seat count",
    "Executive call",
    "Collect signature",
];

/// Appends the contracts and renewals of account `i`, and sets its ARR, renewal date and lifecycle.
pub(super) fn chain(
    scene: &Scene,
    i: usize,
    account: &mut Account,
    track: &Track,
    contracts: &mut Vec<Contract>,
    renewals: &mut Vec<Renewal>,
) -> Chain {
    let mut rng = Rng::of(scene.seed, "contract", i as u64);
    let term: i32 = match (account.segment, rng.unit()) {
        (Segment::Enterprise, u) if u < 0.3 => 36,
        (Segment::Enterprise, u) if u < 0.5 => 24,
        (Segment::MidMarket, u) if u < 0.2 => 24,
        _ => 12,
    };
    let notice_days = [30u8, 60, 90, 120][rng.weighted(&match account.segment {
        Segment::Enterprise => [1.0, 2.0, 5.0, 2.0],
        Segment::MidMarket => [3.0, 4.0, 3.0, 0.5],
        Segment::Smb => [7.0, 2.0, 1.0, 0.2],
    })];
    let auto_renew = rng.chance(if account.segment == Segment::Smb {
        0.7
    } else {
        0.35
    });
    let horizon = scene.today - 730;
    let unit = 10i64.pow(u32::from(
        scene.currencies[account.currency as usize].decimals,
    ));
    let mut arr = account.arr;
    let mut begin = account.start;
    let mut terms = 0;
    loop {
        let next = days::add_months(account.start, term * (terms + 1));
        let next_day = days::number(next);
        // A few renewals are late: their day is past and they are still open.
        let late = next_day < scene.today && next_day > scene.today - 25 && rng.chance(0.5);
        let over = next_day < scene.today && !late;
        if next_day >= horizon {
            contracts.push(Contract {
                account: i as u32,
                start: begin,
                end: days::day(next_day - 1),
                term_months: term as u8,
                arr,
                currency: account.currency,
                notice_days,
                auto_renew,
                active: !over,
                modified: scene.second(days::number(begin)),
            });
        }
        let notice = Some(days::day(next_day - i32::from(notice_days)));
        if over {
            if next_day >= horizon {
                let trouble = track.at(scene.week(next_day));
                let driver = track.driver(scene.week(next_day));
                let lost = rng.chance(0.01 + 0.65 * trouble);
                let change = match rng.unit() {
                    _ if lost => 0.0,
                    u if u < 0.18 + 0.4 * trouble => 0.7 + 0.28 * rng.unit(),
                    u if u < 0.55 => 1.0,
                    _ => 1.02 + 0.22 * rng.unit() * rng.unit(),
                };
                let signed = (arr as f64 * change / unit as f64).round() as i64 * unit;
                let closed = next_day - rng.between(-6, 35) as i32;
                let closed = closed.min(scene.today - 1);
                renewals.push(Renewal {
                    account: i as u32,
                    contract: contracts.len().saturating_sub(1) as u32,
                    due: Some(next),
                    original_due: next,
                    notice_deadline: notice,
                    amount: if lost { arr } else { signed },
                    target: arr,
                    currency: account.currency,
                    stage: if lost { Stage::Lost } else { Stage::Won },
                    forecast: if lost {
                        Forecast::Omitted
                    } else {
                        Forecast::Closed
                    },
                    probability: if lost { 0 } else { 100 },
                    owner: account.seller,
                    closed: Some(days::day(closed)),
                    reason: (lost || signed < arr).then(|| driver.unwrap_or(Driver::Budget)),
                    next_step: None,
                    created: scene.second(next_day - 180).max(account.created),
                    modified: scene.second(closed),
                });
                if lost {
                    account.arr = 0;
                    account.lifecycle = Lifecycle::Churned;
                    return Chain {
                        left: Some(next_day),
                        open: None,
                    };
                }
                arr = signed;
            }
            begin = next;
            terms += 1;
            continue;
        }
        account.arr = arr;
        account.renewal_date = Some(next);
        if next_day > scene.today + 460 {
            return Chain {
                left: None,
                open: None,
            };
        }
        let open = open_renewal(
            scene,
            i,
            account,
            track,
            next,
            notice,
            contracts.len().saturating_sub(1) as u32,
            unit,
            &mut rng,
        );
        renewals.push(open);
        return Chain {
            left: None,
            open: Some(renewals.len() - 1),
        };
    }
}

#[allow(clippy::too_many_arguments)]
fn open_renewal(
    scene: &Scene,
    i: usize,
    account: &Account,
    track: &Track,
    due: Date,
    notice: Option<Date>,
    contract: u32,
    unit: i64,
    rng: &mut Rng,
) -> Renewal {
    let left = days::number(due) - scene.today;
    let trouble = track.at(scene.week(scene.today));
    // Sellers see trouble late, so the category lags behind the truth.
    let seen = track.at(scene.week(scene.today) - 6.0);
    let progress = 1.0 - f64::from(left.clamp(0, 300)) / 300.0 + 0.18 * rng.normal();
    let stage = match progress {
        p if p < 0.25 => Stage::Prospecting,
        p if p < 0.5 => Stage::Discovery,
        p if p < 0.75 => Stage::Proposal,
        p if p < 0.97 || seen > 0.4 => Stage::Negotiation,
        _ => Stage::Verbal,
    };
    let forecast = match (stage, seen) {
        (_, seen) if seen > 0.55 => Forecast::Pipeline,
        (Stage::Prospecting | Stage::Discovery, _) => Forecast::Pipeline,
        (_, seen) if seen > 0.25 => Forecast::BestCase,
        (Stage::Proposal, _) => Forecast::BestCase,
        (Stage::Negotiation, _) if rng.chance(0.3) => Forecast::BestCase,
        _ => Forecast::Commit,
    };
    let probability = match stage {
        Stage::Prospecting => 10,
        Stage::Discovery => 25,
        Stage::Proposal => 50,
        Stage::Negotiation => 75,
        _ => 90,
    };
    let growth = if trouble > 0.3 {
        1.0 - 0.2 * rng.unit()
    } else if rng.chance(0.45) {
        1.0 + 0.15 * rng.unit()
    } else {
        1.0
    };
    // One in ten has been moved before.
    let original = if rng.chance(0.1) {
        days::day(days::number(due) - 30 * rng.between(1, 3) as i32)
    } else {
        due
    };
    Renewal {
        account: i as u32,
        contract,
        due: Some(due),
        original_due: original,
        notice_deadline: notice,
        amount: (account.arr as f64 * growth / unit as f64).round() as i64 * unit,
        target: account.arr,
        currency: account.currency,
        stage,
        forecast,
        probability,
        owner: account.seller,
        closed: None,
        reason: None,
        next_step: rng.chance(0.7).then(|| *rng.pick(&NEXT_STEPS)),
        created: scene
            .second(days::number(due) - 300)
            .min(scene.stamp(rng, 300))
            .max(account.created),
        modified: scene.stamp(rng, 45),
    }
}
