//! How a cockpit begins: the last picture at once, the database opened, the core and its sources started.

use super::core::{Core, first_snapshot};
use super::handle::{Cockpit, Shared};
use super::sources::Sources;
use crate::book::Clock;
use crate::config::Settings;
use crate::store::{Options, Storage, Store, StoreError};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// What a cockpit is opened with.
pub struct Setup {
    /// The settings.
    pub settings: Settings,
    /// The database file.
    pub db: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is wrong with the files of the configuration, to be shown.
    pub problems: Vec<String>,
    /// The folder of the user's own connectors, when there is one.
    pub connectors: Option<PathBuf>,
    /// Pull and push in the background, by the schedules.
    pub background: bool,
}

impl Cockpit {
    /// Opens the database and begins to read the Book; what was shown last is there at once. To be called on a tokio runtime.
    ///
    /// # Errors
    /// When the database cannot be used: a sentence with its remedy.
    pub fn open(setup: Setup) -> Result<Cockpit, StoreError> {
        let first = first_snapshot(&setup.settings, &*setup.clock, &setup.db, setup.problems);
        let store: Arc<dyn Storage> = Arc::new(Store::open(&setup.db, Options::default())?);
        let settings = Arc::new(setup.settings);
        let engine_ready = watch::Sender::new(None);
        let (requests, receiver) = mpsc::unbounded_channel();
        let shared = Shared::new(
            first,
            requests,
            engine_ready.subscribe(),
            Some(store.clone()),
        );
        let sources = Sources::open(
            settings.clone(),
            setup.clock.clone(),
            store.clone(),
            &setup.db,
            setup.connectors,
            setup.background,
            engine_ready,
        );
        let core = Core::new(store, setup.clock, settings, shared.clone(), sources);
        tokio::spawn(core.run(receiver));
        shared.start_threads();
        Ok(Cockpit { shared })
    }
}
