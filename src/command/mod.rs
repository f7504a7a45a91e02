//! What a person can do: one table of named commands behind keys, palette, mouse, command line and scripts.
//!
//! [`COMMANDS`](table::COMMANDS) is the table; [`parse`] turns a line into a [`Command`]; [`complete`] helps while it is typed;
//! [`can_run`] says whether it can run now and if not why; [`plan`] turns it into [`Change`](crate::book::Change)s or an
//! [`Effect`] for whoever asked. Nothing here does I/O or asks the clock.

pub mod complete;
pub mod context;
pub mod effect;
pub mod line;
pub mod money;
pub mod plan;
pub mod spec;
pub mod table;
pub mod when;

pub use complete::{Choices, Completion, complete};
pub use context::{Context, Homes, Me, Rows, Selection, Situation, SourceInfo, can_run};
pub use effect::{Effect, Motion, OutboxAction, Plan, Screen};
pub use line::{Command, LineError, parse};
pub use plan::{PlanError, plan};
pub use spec::{Arg, ArgKind, CommandSpec, Flag, Group, On, Scope};
pub use table::{COMMANDS, find};
