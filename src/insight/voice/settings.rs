//! What `[voice]` in the configuration can change.

use super::scale::Scale;
use serde::{Deserialize, Serialize};

/// How answers of satisfaction and effort become one figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The share of answers in the uppermost boxes: two of CSAT, three of CES (5 and more of 7).
    #[default]
    Top,
    /// The mean answer.
    Mean,
    /// The sum of the answers as a share of the most that it could be.
    Percent,
}

impl Method {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Method::Top => "top",
            Method::Mean => "mean",
            Method::Percent => "percent",
        }
    }
}

/// How surveys are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Answers of so many days, today included, count.
    pub period_days: u16,
    /// How CSAT is computed.
    pub csat: Method,
    /// How CES is computed.
    pub ces: Method,
    /// The scale of CSAT answers that name none: from 1 to this.
    pub csat_scale: u8,
    /// The scale of CES answers that name none: from 1 to this.
    pub ces_scale: u8,
    /// An unhappy answer is to be followed up within so many hours.
    pub follow_up_hours: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            period_days: 365,
            csat: Method::Top,
            ces: Method::Mean,
            csat_scale: 5,
            ces_scale: 7,
            follow_up_hours: 48,
        }
    }
}

impl Settings {
    /// The scale of answers that name none, by their kind.
    pub fn scale(&self, kind: super::answers::Kind) -> Scale {
        use super::answers::Kind;
        match kind {
            Kind::Nps => Scale { low: 0, high: 10 },
            Kind::Csat => Scale {
                low: 1,
                high: self.csat_scale.max(2),
            },
            Kind::Ces => Scale {
                low: 1,
                high: self.ces_scale.max(2),
            },
        }
    }
    /// Answers carry a day and no time: the follow-up counts in whole days.
    pub fn follow_up_days(&self) -> i32 {
        i32::from(self.follow_up_hours.div_ceil(24))
    }
}
