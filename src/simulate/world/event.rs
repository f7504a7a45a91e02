//! What happens after the anchor date: each event carries absolute values, so that applying it twice does no harm.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// One change of the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorldEvent {
    /// 1, 2, 3 … over the life of a world.
    pub number: u64,
    pub at: Timestamp,
    pub change: Change,
}

/// What changed. Indexes are places in the tables of the world; an event about a row that a vendor does not have is ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// This week's usage of an account, in active users.
    Usage {
        account: u32,
        week: Date,
        active_users: u32,
        seats: u32,
        logins: u32,
        adoption: u8,
    },
    /// A new health score.
    Health { account: u32, score: u8 },
    /// A customer opened a case. Its number is `WorldEvent::number`; `severity` is 0 low … 3 critical.
    CaseOpened {
        account: u32,
        contact: Option<u32>,
        subject: String,
        severity: u8,
        owner: u32,
    },
    /// A case of the generated world was closed.
    CaseClosed { case: u32 },
    /// Somebody else completed a task.
    TaskDone { task: u32 },
    /// A renewal moved to the stage with this place in [`super::Stage`] (0–4, still open).
    StageMoved { renewal: u32, stage: u8 },
    /// A renewal's expected amount changed; minor units of its currency.
    AmountChanged { renewal: u32, amount: i64 },
    /// A contact left the customer.
    ContactLeft { contact: u32, on: Date },
    /// The company was renamed in both systems.
    AccountRenamed { account: u32, name: String },
    /// A call to action was opened on an account (Gainsight).
    RiskOpened {
        account: u32,
        reason: String,
        name: String,
        owner: u32,
        due: Date,
    },
    /// A customer answered a survey.
    SurveyAnswered {
        account: u32,
        contact: Option<u32>,
        score: u8,
    },
}
