//! Counts and rates of all events of the session, including those that the buffer has dropped.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::message::FilteredCounts;
use crate::analysis::activity::{ActivityBucket, ActivitySeries};
use crate::analysis::stats::EventStats;
use crate::model::family;
use crate::output::stored_event::StoredEvent;
use crate::redact::RedactedEvent;

/// The number of seconds for which rates are kept.
pub const SECONDS: usize = 240;

/// The counts and rates of the session.
#[derive(Debug, Clone)]
pub struct LiveStats {
    /// The counts of all events that passed the filter of the command line.
    pub totals: EventStats,
    /// The counts of the other events.
    pub filtered_out: FilteredCounts,
    /// When the last event arrived.
    pub last: Option<Timestamp>,
    /// Events per second by family, the newest second last.
    pub rates: BTreeMap<String, VecDeque<u64>>,
    /// The events of the whole session over time.
    pub history: History,
    /// The events of the whole session over time, by family.
    pub histories: BTreeMap<String, History>,
    second: i64,
}

/// The events of the whole session over time.
pub type History = ActivitySeries<240>;

impl Default for LiveStats {
    fn default() -> Self {
        Self {
            totals: EventStats::without_steps(),
            filtered_out: FilteredCounts::default(),
            last: None,
            rates: BTreeMap::new(),
            history: History::default(),
            histories: BTreeMap::new(),
            second: 0,
        }
    }
}

/// The maximum number of families with a rate of their own.
const MAX_FAMILIES: usize = 100;

impl LiveStats {
    /// Counts an event that arrives `now`. For the rates it counts at the time `at`, which is that of
    /// the event in a replay.
    pub fn observe(
        &mut self,
        stored: &StoredEvent,
        event: &RedactedEvent<'_>,
        now: Timestamp,
        at: Timestamp,
    ) {
        self.advance(at);
        self.totals.observe(event, stored.time.map(Timestamp::as_millisecond));
        self.last = Some(now);
        let family = family(&stored.event_type);
        let known = self.rates.len() < MAX_FAMILIES || self.rates.contains_key(family);
        let family = if known { family } else { "(others)" };
        let bucket = ActivityBucket::from(stored);
        self.history.add(at, bucket);
        self.histories.entry(family.to_owned()).or_default().add(at, bucket);
        let seconds = self.rates.entry(family.to_owned()).or_insert_with(|| VecDeque::from([0]));
        // An event may be a little older than the newest one.
        let back = usize::try_from(self.second - at.as_second()).unwrap_or(0);
        if back < SECONDS {
            while seconds.len() <= back {
                seconds.push_front(0);
            }
            let place = seconds.len() - 1 - back;
            seconds[place] += 1;
        }
    }

    /// Returns the approximate memory use of a copy, in bytes.
    #[must_use]
    pub fn copied_bytes(&self) -> usize {
        let rates = self.rates.iter().map(|(family, seconds)| {
            let history = self.histories.get(family).map_or(0, ActivitySeries::bytes);
            let entries = size_of::<(String, VecDeque<u64>, String, History)>();
            2 * family.len() + entries + seconds.len() * size_of::<u64>() + history
        });
        self.totals.copied_bytes() + self.totals.name_bytes() + rates.sum::<usize>()
    }

    /// Counts events that the filter of the command line dropped.
    pub const fn add_filtered(&mut self, counts: FilteredCounts, now: Timestamp) {
        self.filtered_out.events += counts.events;
        self.filtered_out.malformed += counts.malformed;
        self.filtered_out.drifted += counts.drifted;
        self.filtered_out.gaps += counts.gaps;
        self.last = Some(now);
    }

    /// Advances the rates to `now`.
    pub fn advance(&mut self, now: Timestamp) {
        let second = now.as_second();
        let elapsed = usize::try_from(second.saturating_sub(self.second)).unwrap_or(0).min(SECONDS);
        self.second = self.second.max(second);
        if self.history.span().is_some() {
            self.history.extend_to(now);
        }
        for seconds in self.rates.values_mut() {
            for _ in 0..elapsed {
                if seconds.len() == SECONDS {
                    seconds.pop_front();
                }
                seconds.push_back(0);
            }
        }
    }

    /// Returns the time up to which the rates are known.
    #[must_use]
    pub fn rates_until(&self) -> Timestamp {
        Timestamp::from_second(self.second).unwrap_or_default()
    }

    /// Returns the events per second, averaged over the last five whole seconds and rounded up.
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
