//! How far publishing is, as the pipeline and the task that publishes both see it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::delivery::destination::LastStored;
use crate::delivery::failure::DeliveryFailure;
use crate::delivery::results::ResultCounts;
use crate::output::status::DestinationCounts;

/// The maximum memory of the events that have not been acknowledged, in bytes. Beyond it, the
/// pipeline waits. A larger event is published alone.
pub(super) const MAX_UNACKNOWLEDGED: usize = 4 << 20;

/// The memory at which the pipeline continues, in bytes: so much less that it wakes up seldom, and
/// enough to keep many workspaces busy meanwhile.
const LOW_WATER: usize = MAX_UNACKNOWLEDGED / 2;

/// How far publishing is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PublishCounts {
    /// The number of messages that were handed over.
    pub taken: u64,
    /// The number of the first of these of which each is stored or refused.
    pub settled: u64,
    /// The memory of those that are not, in bytes.
    pub bytes: usize,
    /// The number of all stored events, without those about the tap.
    pub delivered: u64,
    /// The number of all refused events.
    pub refused: u64,
    /// The number of attempts that failed and were repeated.
    pub retries: u64,
    /// The number of events that are neither.
    pub left: usize,
    /// How often the stream has lost what it had, because it was deleted and created again, or
    /// because its server has.
    pub restarts: u64,
    /// The newest message that is known to be stored.
    pub last_stored: Option<LastStored>,
}

/// What the pipeline waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The first messages are stored or refused, so many in number.
    Settled(u64),
    /// There is room for further ones.
    Room,
}

impl Awaited {
    fn is_met(self, counts: &PublishCounts) -> bool {
        match self {
            Self::Settled(until) => counts.settled >= until,
            Self::Room => counts.bytes <= LOW_WATER,
        }
    }
}

#[derive(Debug, Default)]
struct ProgressState {
    counts: PublishCounts,
    failure: Option<DeliveryFailure>,
    awaited: Option<Awaited>,
}

/// How far publishing is, and a way to wait for it.
#[derive(Debug, Default)]
pub(super) struct PublishProgress {
    state: Mutex<ProgressState>,
    changed: Notify,
}

impl PublishProgress {
    /// Returns how far publishing is.
    pub fn counts(&self) -> PublishCounts {
        self.state().counts
    }

    /// Returns why nothing is published any more.
    pub fn failure(&self) -> Option<DeliveryFailure> {
        self.state().failure.clone()
    }

    /// Changes the counts, and wakes the pipeline if that is what it waits for.
    pub fn update(&self, change: impl FnOnce(&mut PublishCounts)) {
        let mut state = self.state();
        change(&mut state.counts);
        if state.awaited.is_some_and(|awaited| awaited.is_met(&state.counts)) {
            state.awaited = None;
            self.changed.notify_one();
        }
    }

    /// Notes why nothing is published any more. The first failure counts.
    pub fn fail(&self, failure: DeliveryFailure) {
        self.state().failure.get_or_insert(failure);
        self.changed.notify_one();
    }

    /// Waits for progress, or until nothing is published any more.
    pub async fn wait(&self, awaited: Awaited) {
        loop {
            {
                let mut state = self.state();
                if state.failure.is_some() || awaited.is_met(&state.counts) {
                    state.awaited = None;
                    return;
                }
                state.awaited = Some(awaited);
            }
            // A notification that came before is remembered.
            self.changed.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, ProgressState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResultCounts for PublishProgress {
    fn counts(&self) -> DestinationCounts {
        let PublishCounts { delivered, refused, .. } = self.counts();
        DestinationCounts { delivered, refused, ..DestinationCounts::new("broker", "published") }
    }

    fn retries(&self) -> u64 {
        self.counts().retries
    }
}
