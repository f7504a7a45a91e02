//! The embedded database: what each vendor said, what was made of it, the outbox, the operation log, and the small things that
//! survive a restart. One SQLite file behind an asynchronous trait.
//!
//! Enter through [`Store::open`], then use the [`Storage`] trait. One thread writes, a few read; nobody waits for anybody else's
//! reading. Time is an argument everywhere but in the lease, which compares the real clocks of two processes.

mod bytes;
mod codec;
mod engine;
mod error;
mod facts;
pub mod fill;
mod forecast;
mod fresh;
mod history;
mod implied;
mod load;
mod log;
mod many;
mod merging;
mod open;
mod operations;
mod outbox;
mod packed;
mod peek;
mod records;
mod refs;
mod rows;
mod settle;
mod small;
mod sqlite;
mod storage;
#[cfg(test)]
mod tests;
mod ties;
mod types;

pub use engine::Store;
pub use error::StoreError;
pub use open::peek_screen_cache;
pub use packed::pack;
pub use peek::{Fate, Peek};
pub use storage::{Answer, Storage};
pub use types::{
    AccountHit, Committed, Counts, Draft, Facts, FreshBatch, FreshPage, ItemOutcome, Lease,
    MergeStats, Options, PageStats, PageWrite, Past, Remerge, Resolution, RunReport, Span,
    StreamProblem, Undone,
};
