//! What is counted of all events that came, also of those that the buffer has let go.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::feed::PassedOver;
use super::held::Held;
use crate::event::catalog::{CallEnded, Latency, ToolCallCompleted};
use crate::event::{Kind, family};
use crate::redact::Shown;

/// For how many seconds rates are kept.
pub const SECONDS: usize = 240;

/// How many measurements percentiles are made from.
const MEASURED: usize = 10_000;

/// Measurements, of which the newest count.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    values: VecDeque<f64>,
}

impl Measured {
    /// Adds one.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.values.len() == MEASURED {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values below which 50, 95 and 99 in a hundred lie.
    #[must_use]
    pub fn percentiles(&self) -> Option<[f64; 3]> {
        let mut sorted: Vec<_> = self.values.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        // The nearest rank: the smallest value that so many are at or below.
        Some([50, 95, 99].map(|percent| sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1).min(last)]))
    }
}

/// What is counted.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// Events in all.
    pub total: u64,
    /// Those among them that were not selected.
    pub filtered: u64,
    /// Frames that held no event.
    pub malformed: u64,
    /// Events that the model did not expect so.
    pub drifted: u64,
    /// Places where events were lost.
    pub gaps: u64,
    /// When the last event came.
    pub last: Option<Timestamp>,
    /// Events by type.
    pub types: BTreeMap<String, u64>,
    /// Calls by how they ended.
    pub outcomes: BTreeMap<String, u64>,
    /// Events a second by family, the newest second last.
    pub rates: BTreeMap<String, VecDeque<u64>>,
    /// How long things took, by what it is.
    pub measured: BTreeMap<&'static str, Measured>,
    second: i64,
}

/// How many types are told apart, so that no stream of invented names fills the memory.
const TYPES: usize = 500;

impl Numbers {
    /// Counts an event.
    pub fn see(&mut self, held: &Held, shown: &Shown<'_>, now: Timestamp) {
        self.advance(now);
        self.total += 1;
        self.malformed += u64::from(held.kind == Some(Kind::TapMalformed));
        self.gaps += u64::from(held.event_type == "tap.gap");
        self.drifted += u64::from(held.drifted);
        self.last = Some(now);
        let known = self.types.len() < TYPES || self.types.contains_key(&*held.event_type);
        let name = if known { &*held.event_type } else { "(others)" };
        *self.types.entry(name.to_owned()).or_default() += 1;
        let family = family(name).to_owned();
        let seconds = self.rates.entry(family).or_insert_with(|| VecDeque::from([0]));
        if let Some(second) = seconds.back_mut() {
            *second += 1;
        }
        if let Some(ended) = shown.read::<CallEnded>() {
            let outcome = ended.completion_reason.value().map_or("(unknown)", |reason| reason.as_str());
            if self.outcomes.len() < TYPES || self.outcomes.contains_key(outcome) {
                *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
            }
            self.measure("call, s", ended.duration_seconds.value());
        } else if let Some(latency) = shown.read::<Latency>() {
            self.measure("turn to first audio, ms", latency.e2e_ttfb_ms.value());
            self.measure("engine, ms", latency.engine_ms.value());
            self.measure("navigation, ms", latency.nav_ms.value());
            self.measure("render, ms", latency.render_ms.value());
            self.measure("speech, ms", latency.audio_ttfb_ms.value());
        } else if let Some(tool) = shown.read::<ToolCallCompleted>() {
            self.measure("tool call, ms", tool.duration_ms.value());
        }
    }

    fn measure(&mut self, what: &'static str, value: Option<&f64>) {
        if let Some(value) = value {
            self.measured.entry(what).or_default().add(*value);
        }
    }

    /// Counts events that were not selected.
    pub const fn pass(&mut self, passed: PassedOver, now: Timestamp) {
        self.total += passed.events;
        self.filtered += passed.events;
        self.malformed += passed.malformed;
        self.drifted += passed.drifted;
        self.gaps += passed.gaps;
        self.last = Some(now);
    }

    /// Lets time pass.
    pub fn advance(&mut self, now: Timestamp) {
        let second = now.as_second();
        let passed = usize::try_from(second.saturating_sub(self.second)).unwrap_or(0).min(SECONDS);
        self.second = self.second.max(second);
        for seconds in self.rates.values_mut() {
            for _ in 0..passed {
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
        let recent: u64 = self.rates.values().map(|seconds| seconds.iter().rev().skip(1).take(5).sum::<u64>()).sum();
        let whole = self.rates.values().map(VecDeque::len).max().unwrap_or(0).saturating_sub(1).clamp(1, 5) as u64;
        recent.div_ceil(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut measured = Measured::default();
        assert_eq!(measured.percentiles(), None);
        (1..=200).rev().for_each(|value| measured.add(f64::from(value)));
        measured.add(f64::NAN);
        assert_eq!(measured.percentiles(), Some([100.0, 190.0, 198.0]));
    }
}
