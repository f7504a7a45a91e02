//! What happened: support cases, calls to action, tasks, touchpoints, surveys. All follow the trouble with a delay.

use std::ops::Range;

use super::days;
use super::generate::Scene;
use super::people::{LEAD, Team};
use super::rng::Rng;
use super::text::CASE_SUBJECTS;
use super::trouble::Track;
use super::types::*;

/// What the makers of this file need to know about one account.
pub(super) struct Subject<'a> {
    pub index: u32,
    pub account: &'a Account,
    pub track: &'a Track,
    /// Places of its contacts.
    pub contacts: Range<u32>,
    /// First and last day as a customer within the history.
    pub days: Range<i32>,
}

impl Subject<'_> {
    fn rng(&self, scene: &Scene, purpose: &str) -> Rng {
        Rng::of(scene.seed, purpose, u64::from(self.index))
    }

    fn contact(&self, rng: &mut Rng) -> Option<u32> {
        (!self.contacts.is_empty() && rng.chance(0.85))
            .then(|| self.contacts.start + rng.below(self.contacts.len()) as u32)
    }

    /// Times per year for this size of customer.
    fn scaled(&self, enterprise: f64, mid: f64, smb: f64) -> f64 {
        match self.account.segment {
            Segment::Enterprise => enterprise,
            Segment::MidMarket => mid,
            Segment::Smb => smb,
        }
    }

    /// Days on which something happens that happens `yearly` times a year, more often while there is trouble.
    fn happenings(
        &self,
        scene: &Scene,
        rng: &mut Rng,
        yearly: f64,
        lag_weeks: f64,
        under_trouble: f64,
    ) -> Vec<i32> {
        let mut on = Vec::new();
        let mut day = f64::from(self.days.start);
        let peak = yearly * under_trouble.max(1.0) / 365.0;
        if peak <= 0.0 {
            return on;
        }
        loop {
            // A Poisson process at the highest rate, thinned to the rate of the day.
            day += -(1.0 - rng.unit()).ln() / peak;
            if day >= f64::from(self.days.end) {
                return on;
            }
            let trouble = self.track.at(scene.week(day as i32) - lag_weeks);
            let rate = yearly / 365.0 * (1.0 + (under_trouble - 1.0) * trouble);
            if rng.chance(rate / peak) {
                on.push(day as i32);
            }
        }
    }
}

pub(super) fn cases(scene: &Scene, team: &Team, subject: &Subject<'_>, into: &mut Vec<Case>) {
    let mut rng = subject.rng(scene, "case");
    for day in subject.happenings(scene, &mut rng, subject.scaled(3.2, 1.1, 0.45), 3.0, 5.0) {
        let trouble = subject.track.at(scene.week(day) - 3.0);
        let severity = [
            Severity::Low,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ][rng.weighted(&[3.0, 5.0, 1.4 + 4.0 * trouble, 0.3 + 1.5 * trouble])];
        let opened = scene.second_of(&mut rng, day);
        let took =
            (86_400.0 * 4.0 * (0.9 * rng.normal()).exp() * (1.0 + 2.0 * trouble)) as i64 + 3600;
        let closed = Some(opened + took).filter(|&at| at < scene.now);
        let escalated = severity >= Severity::High && rng.chance(0.15 + 0.4 * trouble);
        let status = match closed {
            Some(_) => CaseStatus::Closed,
            None if escalated => CaseStatus::Escalated,
            None => *rng.pick(&[
                CaseStatus::New,
                CaseStatus::Working,
                CaseStatus::Working,
                CaseStatus::Waiting,
            ]),
        };
        into.push(Case {
            account: subject.index,
            contact: subject.contact(&mut rng),
            subject: rng.below(CASE_SUBJECTS.len()) as u16,
            status,
            severity,
            escalated,
            origin: ["Email", "Web", "Phone", "Email"][rng.below(4)],
            owner: *rng.pick(&team.support),
            opened,
            closed,
            modified: closed.unwrap_or_else(|| rng.between(opened, scene.now - 60)),
        });
    }
}

/// The calls to action of one account, and the steps of the open ones.
pub(super) fn risks(
    scene: &Scene,
    subject: &Subject<'_>,
    risks: &mut Vec<Risk>,
    tasks: &mut Vec<Task>,
) {
    let mut rng = subject.rng(scene, "risk");
    let name = subject.account.name_in_gainsight();
    let mut add = |rng: &mut Rng,
                   kind: RiskKind,
                   reason: Driver,
                   status: RiskStatus,
                   opened: i64,
                   closed: Option<i64>| {
        let title = match kind {
            RiskKind::Risk => format!("{} at {name}", reason.label()),
            RiskKind::Opportunity => format!("Expansion at {name}"),
            RiskKind::Lifecycle => format!("Onboarding of {name}"),
        };
        let important = kind == RiskKind::Risk && rng.chance(0.25);
        risks.push(Risk {
            account: subject.index,
            kind,
            reason,
            status,
            priority: if important {
                Priority::High
            } else {
                *rng.pick(&[
                    Priority::Low,
                    Priority::Normal,
                    Priority::Normal,
                    Priority::High,
                ])
            },
            important,
            owner: subject.account.csm,
            name: title.into(),
            due: days::day((opened / 86_400) as i32 + rng.between(10, 45) as i32),
            opened,
            closed,
            modified: closed.unwrap_or_else(|| rng.between(opened, scene.now - 60)),
        });
        (risks.len() - 1) as u32
    };
    if let Some(past) = subject.track.past.filter(|past| past.severity > 0.4) {
        let day = scene.day_of_week(past.onset + 5.0);
        if subject.days.contains(&day) && rng.chance(0.8) {
            let opened = scene.second_of(&mut rng, day);
            let closed = (opened + rng.between(20, 90) * 86_400).min(scene.now - 3600);
            let lost = subject.account.lifecycle == Lifecycle::Churned;
            let status = if lost {
                RiskStatus::ClosedLost
            } else if rng.chance(0.85) {
                RiskStatus::ClosedSaved
            } else {
                RiskStatus::ClosedInvalid
            };
            add(
                &mut rng,
                RiskKind::Risk,
                past.driver,
                status,
                opened,
                Some(closed),
            );
        }
    }
    let churned = subject.account.lifecycle == Lifecycle::Churned;
    if let Some(now) = subject.track.current
        && !churned
    {
        // People open a risk when the score shows it, and not always.
        let day = scene.day_of_week(now.onset + 5.0 + 4.0 * rng.unit());
        if subject.days.contains(&day) && rng.chance(0.35 + 0.6 * now.severity) {
            let opened = scene.second_of(&mut rng, day);
            let status = *rng.pick(&[
                RiskStatus::New,
                RiskStatus::New,
                RiskStatus::InProgress,
                RiskStatus::Acknowledged,
            ]);
            let risk = add(&mut rng, RiskKind::Risk, now.driver, status, opened, None);
            let steps = [
                "Call the sponsor",
                "Review usage with the champion",
                "Agree on a success plan",
                "Escalate to the product team",
            ];
            for (place, step) in steps.iter().take(1 + rng.below(4)).enumerate() {
                let done = place == 0 && rng.chance(0.4);
                let created = opened + 60 + place as i64;
                let completed = done.then(|| rng.between(created, scene.now - 60));
                tasks.push(Task {
                    account: subject.index,
                    risk: Some(risk),
                    contact: None,
                    subject: (*step).into(),
                    due: Some(days::day(day + 5 + 7 * place as i32)),
                    status: if done {
                        TaskStatus::Completed
                    } else {
                        TaskStatus::NotStarted
                    },
                    priority: Priority::Normal,
                    owner: subject.account.csm,
                    completed,
                    created,
                    modified: completed.unwrap_or(created),
                });
            }
        }
    }
    if !churned && rng.chance(0.04) {
        let opened = scene.stamp(&mut rng, 120);
        add(
            &mut rng,
            RiskKind::Opportunity,
            Driver::LowAdoption,
            RiskStatus::New,
            opened,
            None,
        );
    }
    if subject.account.lifecycle == Lifecycle::Onboarding && rng.chance(0.6) {
        let opened = scene.second_of(&mut rng, subject.days.start.min(scene.today - 2));
        add(
            &mut rng,
            RiskKind::Lifecycle,
            Driver::LowAdoption,
            RiskStatus::InProgress,
            opened,
            None,
        );
    }
}

/// Salesforce tasks: open ones around today, a third of them overdue, and some that are done.
pub(super) fn tasks(scene: &Scene, subject: &Subject<'_>, into: &mut Vec<Task>) {
    let mut rng = subject.rng(scene, "task");
    let subjects = [
        "Prepare business review",
        "Send renewal proposal",
        "Follow up on open tickets",
        "Check in with champion",
        "Update success plan",
        "Book training",
        "Confirm seat count",
        "Introduce new sponsor",
        "Share adoption report",
        "Ask for reference",
        "Clean up contact list",
        "=1+1 check the formula",
    ];
    if subject.account.lifecycle == Lifecycle::Churned {
        return;
    }
    let open = subject.scaled(1.8, 0.9, 0.28);
    let count = open as usize + usize::from(rng.chance(open.fract()));
    let done = usize::from(rng.chance(0.5 * open.min(1.5)));
    for place in 0..count + done {
        let finished = place >= count;
        let due = scene.today
            + if finished {
                -(rng.between(5, 90) as i32)
            } else {
                rng.between(-20, 40) as i32
            };
        let (before, after) = (rng.between(2, 25) as i32, rng.between(0, 2) as i32);
        let created = scene.second_of(&mut rng, due.min(scene.today) - before);
        let completed = finished.then(|| {
            scene
                .second_of(&mut rng, due - after)
                .clamp(created, scene.now - 60)
        });
        let status = if finished {
            TaskStatus::Completed
        } else {
            [
                TaskStatus::NotStarted,
                TaskStatus::InProgress,
                TaskStatus::Waiting,
                TaskStatus::Deferred,
            ][rng.weighted(&[7.0, 2.0, 0.8, 0.2])]
        };
        let text = if place == 0 && rng.chance(0.01) {
            subjects[11]
        } else {
            subjects[rng.below(11)]
        };
        into.push(Task {
            account: subject.index,
            risk: None,
            contact: subject.contact(&mut rng),
            subject: text.into(),
            due: (!rng.chance(0.03)).then(|| days::day(due)),
            status,
            priority: [Priority::Low, Priority::Normal, Priority::High]
                [rng.weighted(&[1.0, 6.0, 2.0])],
            owner: if rng.chance(0.9) {
                subject.account.csm
            } else {
                subject.account.seller
            },
            completed,
            created,
            modified: completed.unwrap_or_else(|| rng.between(created, scene.now - 60)),
        });
    }
}

/// Calls, meetings, mails: less often while the customer is slipping away, and in a worse mood.
pub(super) fn touchpoints(scene: &Scene, subject: &Subject<'_>, into: &mut Vec<Touchpoint>) {
    let mut rng = subject.rng(scene, "touch");
    let yearly = match subject.account.touch {
        Touch::High => 7.0,
        Touch::Mid => 2.6,
        Touch::Tech => 0.7,
    };
    for day in subject.happenings(scene, &mut rng, yearly, 2.0, 0.6) {
        let trouble = subject.track.at(scene.week(day) - 2.0);
        let kind = [
            TouchKind::Call,
            TouchKind::Meeting,
            TouchKind::Email,
            TouchKind::Update,
            TouchKind::Review,
        ][rng.weighted(&[4.0, 2.0, 3.0, 2.0, 0.7])];
        let mood = match rng.unit() - 0.9 * trouble {
            u if u < 0.12 => -1,
            u if u < 0.6 => 0,
            _ => 1,
        };
        into.push(Touchpoint {
            account: subject.index,
            contact: subject.contact(&mut rng),
            kind,
            author: if rng.chance(0.03) {
                LEAD
            } else {
                subject.account.csm
            },
            at: scene.second_of(&mut rng, day),
            in_gainsight: subject.account.in_gainsight
                && (!subject.account.in_salesforce || rng.chance(0.6)),
            mood,
        });
    }
}

pub(super) fn surveys(scene: &Scene, subject: &Subject<'_>, into: &mut Vec<Survey>) {
    let mut rng = subject.rng(scene, "survey");
    for day in subject.happenings(scene, &mut rng, subject.scaled(1.8, 0.9, 0.4), 0.0, 1.0) {
        let trouble = subject.track.at(scene.week(day) - 3.0);
        let score = (8.6 - 6.5 * trouble + 1.5 * rng.normal())
            .round()
            .clamp(0.0, 10.0) as u8;
        into.push(Survey {
            account: subject.index,
            contact: subject.contact(&mut rng),
            score,
            at: scene.second_of(&mut rng, day),
            comment: rng.below(6) as u16,
        });
    }
}
