//! Two csops on one database: both work, one syncs. The lease says which one; it lapses a few seconds after its holder dies.

use super::engine::Shared;
use crate::book::SourceState;
use crate::store::{Lease, StoreError};
use std::sync::Arc;
use std::time::Duration;

const NAME: &str = "sync";
/// So long the lease holds without a sign of life.
const TTL: Duration = Duration::from_secs(10);
/// So often it is renewed.
pub(super) const RENEW: Duration = Duration::from_secs(3);

/// Who this process is, for people and for the lease: `csops 4711 on laptop`.
pub fn holder() -> String {
    format!("csops {} on {}", std::process::id(), machine())
}

fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|h| h.trim().to_owned())
        .filter(|h| !h.is_empty())
        .unwrap_or_else(|| "this machine".to_owned())
}

/// Whether the holder is a process of this machine that is no more. Where that cannot be told the lease runs out by itself.
fn is_dead(holder: &str) -> bool {
    let Some((pid, host)) = holder
        .strip_prefix("csops ")
        .and_then(|rest| rest.split_once(" on "))
    else {
        return false;
    };
    let Ok(pid) = pid.parse::<u32>() else {
        return false;
    };
    cfg!(target_os = "linux")
        && host == machine()
        && pid != std::process::id()
        && !std::path::Path::new(&format!("/proc/{pid}")).exists()
}

impl Shared {
    /// Takes or renews the lease; whoever holds it instead of us.
    pub(super) async fn take_lease(&self) -> Result<Option<String>, StoreError> {
        match self.store.lease(NAME, &self.holder, TTL).await? {
            Lease::Ours => Ok(None),
            Lease::Theirs { holder, .. } if is_dead(&holder) => {
                self.store.release_lease(NAME, &holder).await?;
                match self.store.lease(NAME, &self.holder, TTL).await? {
                    Lease::Ours => Ok(None),
                    Lease::Theirs { holder, .. } => Ok(Some(holder)),
                }
            }
            Lease::Theirs { holder, .. } => Ok(Some(holder)),
        }
    }

    pub(super) async fn release_lease(&self) {
        if self.leader.send_replace(false)
            && let Err(e) = self.store.release_lease(NAME, &self.holder).await
        {
            tracing::warn!("the sync lease could not be given back: {e}");
        }
    }

    /// Becomes the one that syncs: first settles what a dead process left half-done.
    pub(super) async fn lead(&self) -> Result<(), StoreError> {
        let found = self.store.recover_after_crash(self.clock.now()).await?;
        if found > 0 {
            tracing::info!(
                "{found} actions were on their way when csops ended; asking what became of them"
            );
        }
        self.remerge_if_rules_changed().await?;
        self.leader.send_replace(true);
        self.push.notify_one();
        Ok(())
    }
}

/// Keeps trying for the lease and renews it, for as long as the engine runs.
pub(super) async fn keep(shared: Arc<Shared>) {
    loop {
        match shared.take_lease().await {
            Ok(None) => {
                if !*shared.leader.borrow() {
                    if let Err(e) = shared.lead().await {
                        shared.trouble(&e);
                    } else {
                        for source in &shared.sources {
                            source.change(&shared, |s| {
                                if s.state == SourceState::Elsewhere {
                                    s.state = SourceState::Idle;
                                }
                            });
                        }
                    }
                }
            }
            Ok(Some(other)) => {
                shared.leader.send_replace(false);
                shared.follow(&other).await;
            }
            Err(e) => shared.trouble(&e),
        }
        tokio::time::sleep(RENEW).await;
    }
}

impl Shared {
    /// Another process syncs: shows what it writes down about it.
    async fn follow(&self, other: &str) {
        let stored = match self.store.source_statuses().await {
            Ok(stored) => stored,
            Err(e) => return self.trouble(&e),
        };
        for source in &self.sources {
            let theirs = stored
                .iter()
                .find(|s| s.source.as_ref() == Some(&source.name));
            source.change(self, |s| {
                if let Some(theirs) = theirs {
                    let read_only = s.read_only;
                    *s = theirs.clone();
                    s.read_only = read_only;
                }
                s.state = SourceState::Elsewhere;
                if s.log.is_empty() {
                    s.log
                        .push((self.clock.now(), format!("{other} syncs this database")));
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_of_this_machine_can_be_known_to_be_dead() {
        assert!(!is_dead(&holder()));
        assert!(!is_dead("csops 999999999 on some-other-machine"));
        if cfg!(target_os = "linux") {
            assert!(is_dead(&format!("csops 999999999 on {}", machine())));
        }
    }
}
