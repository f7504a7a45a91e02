//! What the tenants of several vendors call the same things: segments, stages, moods.

use super::world::{
    CaseStatus, ContactRole, Driver, Forecast, Lifecycle, Priority, Segment, Severity, Stage,
    TaskStatus, Touch, TouchKind,
};

pub(super) fn segment(segment: Segment) -> &'static str {
    match segment {
        Segment::Enterprise => "Enterprise",
        Segment::MidMarket => "Mid-Market",
        Segment::Smb => "SMB",
    }
}

pub(super) fn touch(touch: Touch) -> &'static str {
    match touch {
        Touch::High => "High Touch",
        Touch::Mid => "Mid Touch",
        Touch::Tech => "Tech Touch",
    }
}

pub(super) fn phase(lifecycle: Lifecycle) -> &'static str {
    match lifecycle {
        Lifecycle::Onboarding => "Onboarding",
        Lifecycle::Adopting => "Adoption",
        Lifecycle::Mature => "Mature",
        Lifecycle::Churned => "Churned",
    }
}

pub(super) fn sentiment(mood: i8) -> &'static str {
    match mood {
        ..=-1 => "Negative",
        0 => "Neutral",
        1.. => "Positive",
    }
}

pub(super) fn stage(stage: Stage) -> &'static str {
    STAGES[stage as usize % STAGES.len()]
}

/// The stages in the order of [`Stage`].
pub(super) const STAGES: [&str; 7] = [
    "Prospecting",
    "Discovery",
    "Proposal",
    "Negotiation",
    "Verbal Commit",
    "Closed Won",
    "Closed Lost",
];

pub(super) fn forecast(forecast: Forecast) -> &'static str {
    match forecast {
        Forecast::Omitted => "Omitted",
        Forecast::Pipeline => "Pipeline",
        Forecast::BestCase => "Best Case",
        Forecast::Commit => "Commit",
        Forecast::Closed => "Closed",
    }
}

pub(super) fn role(role: ContactRole) -> &'static str {
    match role {
        ContactRole::Sponsor => "Sponsor",
        ContactRole::Champion => "Champion",
        ContactRole::Admin => "Admin",
        ContactRole::User => "User",
        ContactRole::Billing => "Billing",
    }
}

pub(super) fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "Low",
        Priority::Normal => "Normal",
        Priority::High => "High",
    }
}

pub(super) fn severity(severity: Severity) -> &'static str {
    SEVERITIES[severity as usize % SEVERITIES.len()]
}

/// The severities in the order of [`Severity`].
pub(super) const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

pub(super) fn ticket_status(status: CaseStatus) -> &'static str {
    match status {
        CaseStatus::New => "new",
        CaseStatus::Working => "open",
        CaseStatus::Waiting => "pending",
        CaseStatus::Escalated => "escalated",
        CaseStatus::Closed => "closed",
    }
}

pub(super) fn touch_kind(kind: TouchKind) -> &'static str {
    match kind {
        TouchKind::Call => "Call",
        TouchKind::Meeting => "Meeting",
        TouchKind::Email => "Email",
        TouchKind::Update => "Update",
        TouchKind::Review => "Business Review",
    }
}

/// Whether there is nothing left to do on a task.
pub(super) fn done(status: TaskStatus) -> bool {
    status == TaskStatus::Completed
}

pub(super) fn reason(reason: Option<Driver>) -> Option<&'static str> {
    reason.map(Driver::label)
}
