//! What became of the events that a destination was given, counted while the run goes on.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::output::status::DestinationCounts;

/// The results of a destination so far, which any thread may read.
pub trait ResultCounts: fmt::Debug + Send + Sync {
    /// Returns the counts so far.
    fn counts(&self) -> DestinationCounts;

    /// Returns the number of attempts that failed and were repeated.
    fn retries(&self) -> u64;
}

/// Counts the results of a destination.
#[derive(Debug)]
pub struct DeliveryResults {
    /// The name of the destination, such as `endpoint`.
    name: &'static str,
    /// The past participle for a delivered event, such as `forwarded`.
    verb: &'static str,
    delivered: AtomicU64,
    refused: AtomicU64,
    retries: AtomicU64,
}

impl DeliveryResults {
    /// Creates results without any event; see [`DestinationCounts`] for the names.
    #[must_use]
    pub const fn new(name: &'static str, verb: &'static str) -> Self {
        let (delivered, refused, retries) =
            (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Self { name, verb, delivered, refused, retries }
    }

    /// Counts an event that was delivered.
    pub fn add_delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an event that the destination refused permanently. Returns how many there are.
    pub fn add_refused(&self) -> u64 {
        self.refused.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts an attempt that failed and will be repeated.
    pub fn add_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }
}

impl ResultCounts for DeliveryResults {
    fn counts(&self) -> DestinationCounts {
        DestinationCounts {
            delivered: self.delivered.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            ..DestinationCounts::new(self.name, self.verb)
        }
    }

    fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }
}
