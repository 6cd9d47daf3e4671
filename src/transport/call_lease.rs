//! Which tap owns a call.
//!
//! The events of an observer have no ids, so two taps that observe the same call would publish them
//! twice. Exactly one tap therefore owns a call, by a lease in a store that all taps share. The
//! owner renews its lease. A tap that has seen no renewal for [`TTL`] takes the call over, and
//! reports the time since the last one as a gap.
//!
//! Clocks need not agree: each tap measures with its own how long a lease has not changed. An owner
//! that cannot renew considers its lease lapsed before another tap can take it over, and publishes
//! nothing of the call until it has renewed it. The number of a lease, its epoch, grows with each
//! owner of a call.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

/// How long a lease must not have changed until another tap takes the call over.
pub const TTL: Duration = Duration::from_secs(10);

/// The time between two renewals.
const RENEWAL: Duration = Duration::from_secs(3);

/// How long a lease is valid after the beginning of its renewal: less than [`TTL`], so that a
/// publish that is under way can end before another tap owns the call.
const VALIDITY: Duration = Duration::from_secs(7);

/// The time between two looks at a lease of another tap, and between two attempts to renew one.
const RETRY: Duration = Duration::from_millis(500);

/// How long giving up all leases may take at the end of a run. Afterwards, other taps wait.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a lease is remembered after the end of its call, because its events may wait to be
/// published.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// An entry of the store.
#[derive(Debug, Clone)]
pub struct LeaseEntry {
    /// The value that was stored.
    pub value: Bytes,
    /// The number of the change that stored it, which is higher than that of all earlier changes.
    pub revision: u64,
    /// When it was stored, by the clock of the store.
    pub stored: Timestamp,
}

impl LeaseEntry {
    fn read(&self) -> Option<LeaseValue> {
        serde_json::from_slice(&self.value).ok()
    }

    /// Returns the name of the tap that owns the call; `None` if none does.
    #[must_use]
    pub fn owner(&self) -> Option<String> {
        self.read().filter(|value| value.state == LeaseState::Held).map(|value| value.tap)
    }

    /// Returns the state of the lease. One that cannot be read is not renewed by anybody.
    fn state(&self) -> LeaseState {
        self.read().map_or(LeaseState::Held, |value| value.state)
    }
}

/// The store did not answer, or refused to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreFailed;

/// A store of leases that all taps share.
pub trait LeaseStore: Send + Sync {
    /// Returns the entry of a call.
    fn get<'a>(&'a self, call: &'a str) -> BoxFuture<'a, Result<Option<LeaseEntry>, StoreFailed>>;

    /// Stores the entry of a call if its last change has this revision, or if there is no entry for
    /// `None`. Returns the new revision; `None` if there was another change.
    fn set<'a>(
        &'a self,
        call: &'a str,
        value: Bytes,
        revision: Option<u64>,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreFailed>>;
}

/// The value of an entry.
#[derive(Debug, Serialize, Deserialize)]
struct LeaseValue {
    /// The name of the owner, for people.
    tap: String,
    /// The run of the owner.
    run: String,
    state: LeaseState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LeaseState {
    /// The owner observes the call.
    Held,
    /// The owner has ended, the call has not.
    Released,
    /// The call has ended.
    Ended,
}

/// A lease of this tap.
#[derive(Debug, Clone, Copy)]
struct Held {
    epoch: u64,
    /// The number of the last change of its entry.
    revision: u64,
    /// Until when it is valid; `None` if another tap owns the call.
    valid_until: Option<Instant>,
    /// When the call ended. Nothing else can be published of it then.
    ended: Option<Instant>,
}

/// Whether events of a call may be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseCheck {
    /// They may.
    Valid,
    /// They may once the lease has been renewed.
    Lapsed,
    /// Another tap owns the call.
    Lost,
}

/// A lease that was acquired.
#[derive(Debug)]
pub struct CallLease {
    /// The time up to which another tap has observed the call.
    pub observed_until: Option<Timestamp>,
}

/// The leases of this tap.
pub struct CallLeases {
    store: Box<dyn LeaseStore>,
    tap: String,
    run: String,
    held: Mutex<HashMap<String, Held>>,
    /// Whether the run has ended, so that no lease is acquired or renewed any more.
    is_closed: AtomicBool,
}

impl CallLeases {
    /// Creates the leases of the tap with this name. `run` must differ from run to run.
    #[must_use]
    pub fn new(store: Box<dyn LeaseStore>, tap: &str, run: u64) -> Self {
        let run = format!("{run:016x}");
        let (held, is_closed) = (Mutex::default(), AtomicBool::new(false));
        Self { store, tap: tap.to_owned(), run, held, is_closed }
    }

    /// Waits until this tap owns a call. Returns `None` if the call has ended.
    pub async fn acquire(&self, call: &str) -> Option<CallLease> {
        // The revision that was seen first, and since when it has not changed.
        let mut seen: Option<(u64, Instant)> = None;
        loop {
            self.wait_if_closed().await;
            let begun = Instant::now();
            let (revision, observed_until) = match self.store.get(call).await {
                Ok(None) => (None, None),
                Ok(Some(entry)) => match (entry.state(), seen) {
                    (LeaseState::Ended, _) => return None,
                    (LeaseState::Released, _) => (Some(entry.revision), Some(entry.stored)),
                    (LeaseState::Held, Some((revision, since))) if revision == entry.revision => {
                        if since.elapsed() < TTL {
                            sleep(RETRY).await;
                            continue;
                        }
                        (Some(entry.revision), Some(entry.stored))
                    }
                    (LeaseState::Held, _) => {
                        seen = Some((entry.revision, Instant::now()));
                        sleep(RETRY).await;
                        continue;
                    }
                },
                Err(StoreFailed) => {
                    sleep(RETRY).await;
                    continue;
                }
            };
            if let Ok(Some(revision)) =
                self.store.set(call, self.value(LeaseState::Held), revision).await
            {
                let valid_until = Some(begun + VALIDITY);
                let held = Held { epoch: revision, revision, valid_until, ended: None };
                let mut all = self.held();
                all.retain(|_, held| held.ended.is_none_or(|ended| ended.elapsed() < REMEMBERED));
                all.insert(call.to_owned(), held);
                return Some(CallLease { observed_until });
            }
            sleep(RETRY).await;
        }
    }

    /// Renews a lease until another tap owns the call.
    pub async fn keep(&self, call: &str) {
        loop {
            sleep(RENEWAL).await;
            self.wait_if_closed().await;
            while !self.renew(call, LeaseState::Held).await {
                if self.is_lost(call) {
                    return;
                }
                sleep(RETRY).await;
                self.wait_if_closed().await;
            }
        }
    }

    /// Gives a lease up: because the call `has_ended`, or so that another tap can observe it.
    pub async fn give_up(&self, call: &str, has_ended: bool) {
        let state = if has_ended { LeaseState::Ended } else { LeaseState::Released };
        // If this fails, others find out by themselves.
        let _ = self.renew(call, state).await;
        if let Some(held) = self.held().get_mut(call) {
            held.ended = Some(Instant::now());
        }
    }

    /// Gives up all leases at the end of a run, once all events of their calls have been published.
    pub async fn release(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        let is_open = |held: &Held| held.ended.is_none() && held.valid_until.is_some();
        let calls: Vec<_> = {
            let held = self.held();
            held.iter().filter(|(_, held)| is_open(held)).map(|(call, _)| call.clone()).collect()
        };
        let release = |call: String| async move {
            // The first attempt fails if a renewal was under way.
            if !self.renew(&call, LeaseState::Released).await && !self.is_lost(&call) {
                self.renew(&call, LeaseState::Released).await;
            }
        };
        let released = join_all(calls.into_iter().map(release));
        let _ = tokio::time::timeout(RELEASE_TIMEOUT, released).await;
    }

    /// Waits forever if the run has ended.
    async fn wait_if_closed(&self) {
        if self.is_closed.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    /// Renews a lease. Returns false if the store did not answer or another tap owns the call.
    async fn renew(&self, call: &str, state: LeaseState) -> bool {
        let begun = Instant::now();
        let Some(known) = self.held().get(call).map(|held| held.revision) else { return false };
        let Ok(renewed) = self.store.set(call, self.value(state), Some(known)).await else {
            return false;
        };
        let Some(revision) = renewed else {
            let entry = self.store.get(call).await;
            if let Some(held) = self.held().get_mut(call) {
                match entry {
                    // An earlier renewal was stored, although its answer was lost. Its time is unknown.
                    Ok(Some(entry)) if self.is_own(&entry) => held.revision = entry.revision,
                    Ok(_) => held.valid_until = None,
                    Err(StoreFailed) => {}
                }
            }
            return false;
        };
        if let Some(held) = self.held().get_mut(call) {
            held.revision = revision;
            held.valid_until = Some(begun + VALIDITY);
        }
        true
    }

    /// Returns the epoch of the lease of a call, if there is or was one.
    #[must_use]
    pub fn epoch(&self, call: &str) -> Option<u64> {
        self.held().get(call).map(|held| held.epoch)
    }

    /// Returns whether events of a call that arrived in this epoch may be published.
    #[must_use]
    pub fn check(&self, call: &str, epoch: u64) -> LeaseCheck {
        match self.held().get(call) {
            None | Some(Held { valid_until: None, .. }) => LeaseCheck::Lost,
            Some(held) if held.epoch != epoch => LeaseCheck::Lost,
            Some(Held { ended: Some(_), .. }) => LeaseCheck::Valid,
            Some(Held { valid_until: Some(until), .. }) if *until > Instant::now() => {
                LeaseCheck::Valid
            }
            Some(_) => LeaseCheck::Lapsed,
        }
    }

    fn is_lost(&self, call: &str) -> bool {
        self.held().get(call).is_none_or(|held| held.valid_until.is_none())
    }

    fn value(&self, state: LeaseState) -> Bytes {
        let value = LeaseValue { tap: self.tap.clone(), run: self.run.clone(), state };
        serde_json::to_vec(&value).unwrap_or_default().into()
    }

    fn is_own(&self, entry: &LeaseEntry) -> bool {
        entry.read().is_some_and(|value| value.run == self.run)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CallLeases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallLeases").field("tap", &self.tap).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
