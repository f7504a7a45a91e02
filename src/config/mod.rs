//! The settings file: where it lies, its syntax, and messages with file, line and column. Meaning that needs other rooms (command
//! names, queries, fields) is checked in cockpit.
//!
//! Enter through [`Paths::resolve`] (where things are) and [`load`] (what they say): a [`Loaded`] always holds usable [`Settings`],
//! beside the [`Problem`]s of what could not be used and, for `config show --origin`, every key with its value and where it came from.
//! Nothing here is ever written out in full: `config.example.toml` at the top of the repository is the complete, commented list.

mod capacity;
mod figures;
mod forecast;
mod health;
mod identity;
mod metrics;
mod nearest;
mod parse;
mod paths;
mod reader;
mod secret;
mod settings;
mod sources;

pub use capacity::Capacity;
pub use figures::{Growth, Onboarding, Quality, ScoreMethod, Voice};
pub use forecast::Forecast;
pub use health::{MEASURES, load_health};
pub use metrics::{SWITCHES, SwitchWords};
pub use nearest::nearest;
pub use parse::{Loaded, load, load_text};
pub use paths::{Overrides, PathError, Paths};
pub use reader::{Origin, Problem, Severity, Shown};
pub use secret::{Secret, SecretError, exposed};
pub use settings::{
    AuthSettings, Calendar, ConfiguredRate, Health, HealthDrive, HealthMissing, HealthScale,
    HealthSignal, HealthWhen, IdFieldSettings, IdentitySettings, Interface, LogLevel, Me, Metrics,
    MoneySettings, Risk, Scope, SegmentTarget, Settings, SourceConfig, Triage, WriteHomes,
};

#[cfg(test)]
mod tests;
