//! `/crm/v3/pipelines`: the portal's pipelines of deals and tickets and their stages. Answers are not paged.

use serde_json::{Value, json};

use super::catalog::ObjectId;

pub(super) struct Stage {
    pub id: &'static str,
    pub label: &'static str,
    /// Of winning a deal, 0 to 1; of a ticket, 1 when it is closed.
    pub probability: f64,
}

pub(super) struct Pipeline {
    pub object: ObjectId,
    pub id: &'static str,
    pub label: &'static str,
    pub stages: &'static [Stage],
}

const fn stage(id: &'static str, label: &'static str, probability: f64) -> Stage {
    Stage {
        id,
        label,
        probability,
    }
}

/// Where renewals are: a pipeline of the tenant's own, so that its stages have numbers for ids.
pub(super) const RENEWALS: Pipeline = Pipeline {
    object: ObjectId::Deal,
    id: "74018265",
    label: "Renewals",
    stages: &[
        stage("142530661", "Not Started", 0.1),
        stage("142530662", "Discovery", 0.25),
        stage("142530663", "Proposal", 0.5),
        stage("142530664", "Negotiation", 0.75),
        stage("142530665", "Verbal", 0.9),
        stage("142530666", "Renewed", 1.0),
        stage("142530667", "Churned", 0.0),
    ],
};

/// The one that every portal begins with.
const SALES: Pipeline = Pipeline {
    object: ObjectId::Deal,
    id: "default",
    label: "Sales Pipeline",
    stages: &[
        stage("appointmentscheduled", "Appointment Scheduled", 0.2),
        stage("qualifiedtobuy", "Qualified To Buy", 0.4),
        stage("presentationscheduled", "Presentation Scheduled", 0.6),
        stage("decisionmakerboughtin", "Decision Maker Bought-In", 0.8),
        stage("contractsent", "Contract Sent", 0.9),
        stage("closedwon", "Closed Won", 1.0),
        stage("closedlost", "Closed Lost", 0.0),
    ],
};

pub(super) const SUPPORT: Pipeline = Pipeline {
    object: ObjectId::Ticket,
    id: "0",
    label: "Support Pipeline",
    stages: &[
        stage("1", "New", 0.0),
        stage("2", "Waiting on contact", 0.0),
        stage("3", "Waiting on us", 0.0),
        stage("4", "Closed", 1.0),
        stage("184502311", "Escalated", 0.0),
    ],
};

const PIPELINES: [&Pipeline; 3] = [&SALES, &RENEWALS, &SUPPORT];

impl Pipeline {
    fn json(&self, at: &str) -> Value {
        json!({
            "label": self.label, "displayOrder": 0, "id": self.id, "createdAt": at, "updatedAt": at, "archived": false,
            "stages": self.stages_json(at)
        })
    }

    fn stages_json(&self, at: &str) -> Vec<Value> {
        self.stages
            .iter()
            .enumerate()
            .map(|(place, stage)| {
                json!({
                    "label": stage.label, "displayOrder": place, "id": stage.id, "createdAt": at, "updatedAt": at,
                    "archived": false, "metadata": self.metadata(stage)
                })
            })
            .collect()
    }

    /// Even the flags are texts.
    fn metadata(&self, stage: &Stage) -> Value {
        if self.object == ObjectId::Ticket {
            let closed = stage.probability > 0.5;
            return json!({
                "isClosed": closed.to_string(), "ticketState": if closed { "CLOSED" } else { "OPEN" }
            });
        }
        json!({
            "isClosed": closes(stage).to_string(),
            "probability": format!("{:?}", stage.probability)
        })
    }
}

fn closes(stage: &Stage) -> bool {
    stage.probability <= 0.0 || stage.probability >= 1.0
}

/// The pipeline of an object with this id.
pub(super) fn pipeline(object: ObjectId, id: &str) -> Option<&'static Pipeline> {
    PIPELINES
        .into_iter()
        .find(|known| known.object == object && known.id == id)
}

/// The stage with this id, with its pipeline.
pub(super) fn find(object: ObjectId, id: &str) -> Option<(&'static Pipeline, &'static Stage)> {
    PIPELINES
        .into_iter()
        .filter(|known| known.object == object)
        .find_map(|known| {
            let stage = known.stages.iter().find(|stage| stage.id == id)?;
            Some((known, stage))
        })
}

/// Whether a deal or ticket in this stage is closed, and how likely a deal in it is won.
pub(super) fn outcome(object: ObjectId, stage: &str) -> Option<(bool, f64)> {
    let (_, stage) = find(object, stage)?;
    Some(if object == ObjectId::Ticket {
        (stage.probability > 0.5, stage.probability)
    } else {
        (closes(stage), stage.probability)
    })
}

/// The options of the property that names the pipeline, and of the one that names the stage.
pub(super) fn options(object: ObjectId) -> [Vec<(&'static str, &'static str)>; 2] {
    let known = || PIPELINES.iter().filter(move |known| known.object == object);
    [
        known().map(|known| (known.id, known.label)).collect(),
        known()
            .flat_map(|known| known.stages.iter().map(|stage| (stage.id, stage.label)))
            .collect(),
    ]
}

/// All pipelines of an object.
pub(super) fn list(object: ObjectId, at: &str) -> Vec<Value> {
    PIPELINES
        .iter()
        .filter(|known| known.object == object)
        .map(|known| known.json(at))
        .collect()
}

/// One pipeline.
pub(super) fn one(object: ObjectId, id: &str, at: &str) -> Option<Value> {
    pipeline(object, id).map(|known| known.json(at))
}

/// The stages of a pipeline.
pub(super) fn stages(object: ObjectId, id: &str, at: &str) -> Option<Vec<Value>> {
    pipeline(object, id).map(|known| known.stages_json(at))
}
