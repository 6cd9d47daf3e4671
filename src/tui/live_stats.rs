//! What is counted of all events that came, also of those that the buffer has let go.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::message::FilteredCounts;
use crate::analysis::stats::EventStats;
use crate::model::family;
use crate::output::stored_event::StoredEvent;
use crate::redact::RedactedEvent;

/// For how many seconds rates are kept.
pub const SECONDS: usize = 240;

/// What is counted.
#[derive(Debug, Clone, Default)]
pub struct LiveStats {
    /// Of all events.
    pub totals: EventStats,
    /// What was not selected.
    pub filtered_out: FilteredCounts,
    /// When the last event came.
    pub last: Option<Timestamp>,
    /// Events a second by family, the newest second last.
    pub rates: BTreeMap<String, VecDeque<u64>>,
    second: i64,
}

/// How many families are told apart.
const FAMILIES: usize = 100;

impl LiveStats {
    /// Counts an event.
    pub fn observe(&mut self, stored: &StoredEvent, event: &RedactedEvent<'_>, now: Timestamp) {
        self.advance(now);
        self.totals.observe(event, stored.time.map(Timestamp::as_millisecond));
        self.last = Some(now);
        let family = family(&stored.event_type);
        let known = self.rates.len() < FAMILIES || self.rates.contains_key(family);
        let seconds = self
            .rates
            .entry(if known { family } else { "(others)" }.to_owned())
            .or_insert_with(|| VecDeque::from([0]));
        if let Some(second) = seconds.back_mut() {
            *second += 1;
        }
    }

    /// Counts events that were not selected.
    pub const fn add_filtered(&mut self, counts: FilteredCounts, now: Timestamp) {
        self.filtered_out.events += counts.events;
        self.filtered_out.malformed += counts.malformed;
        self.filtered_out.drifted += counts.drifted;
        self.filtered_out.gaps += counts.gaps;
        self.last = Some(now);
    }

    /// Lets time pass.
    pub fn advance(&mut self, now: Timestamp) {
        let second = now.as_second();
        let elapsed = usize::try_from(second.saturating_sub(self.second)).unwrap_or(0).min(SECONDS);
        self.second = self.second.max(second);
        for seconds in self.rates.values_mut() {
            for _ in 0..elapsed {
                if seconds.len() == SECONDS {
                    seconds.pop_front();
                }
                seconds.push_back(0);
            }
        }
    }

    /// Events a second over the last five whole seconds.
    #[must_use]
    pub fn rate(&self) -> u64 {
        let recent: u64 = self
            .rates
            .values()
            .map(|seconds| seconds.iter().rev().skip(1).take(5).sum::<u64>())
            .sum();
        let whole =
            self.rates.values().map(VecDeque::len).max().unwrap_or(0).saturating_sub(1).clamp(1, 5)
                as u64;
        recent.div_ceil(whole)
    }
}
