//! Statistics of a set of events, divided into groups if `--group-by` asks for them.

use super::event_stats::{EventStats, measure};
use super::histogram::DurationHistogram;
use super::tally::Tally;
use crate::model::Kind;
use crate::redact::RedactedEvent;

/// The number of groups that are counted separately.
const MAX_GROUPS: usize = 200;

/// Statistics of all events, and of each group.
#[derive(Debug, Clone)]
pub struct GroupedStats {
    /// The statistics of all events.
    pub totals: EventStats,
    /// The statistics of each group, by the group's value as JSON.
    pub groups: Option<Tally<GroupStats>>,
}

/// Statistics of one group.
#[derive(Debug, Clone, Default)]
pub struct GroupStats {
    /// The number of events.
    pub events: u64,
    /// The durations that the events report.
    pub durations: DurationHistogram,
}

impl GroupedStats {
    /// Creates empty statistics, with groups if `is_grouped`.
    #[must_use]
    pub fn new(is_grouped: bool) -> Self {
        Self { totals: EventStats::default(), groups: is_grouped.then(|| Tally::new(MAX_GROUPS)) }
    }

    /// Whether [`merge`](Self::merge) gives the same result as counting the other's events one by
    /// one. The other has no groups.
    #[must_use]
    pub fn has_room(&self, other: &Self) -> bool {
        self.totals.has_room(&other.totals)
    }

    /// Adds the other's counts and durations. The other has no groups.
    pub fn merge(&mut self, other: &Self) {
        self.totals.merge(&other.totals);
    }

    /// Returns the approximate memory use of what can grow large, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let groups = self.groups.iter().flat_map(Tally::named);
        self.totals.bytes() + groups.map(|(_, group)| group.durations.bytes()).sum::<usize>()
    }

    /// Counts an event that belongs to `groups`, with its time in milliseconds of Unix time.
    pub fn observe(&mut self, event: &RedactedEvent<'_>, millis: Option<i64>, groups: &[String]) {
        self.totals.observe(event, millis);
        for name in groups {
            let Some(group) = self.groups.as_mut().map(|tally| tally.entry(name)) else { return };
            group.events += 1;
            measure(&mut group.durations, reported_millis(event));
        }
    }
}

/// Returns the duration that an event reports, in milliseconds.
fn reported_millis(event: &RedactedEvent<'_>) -> Option<f64> {
    const UNITS: &[(&str, f64)] = &[
        ("duration_ms", 1.0),
        ("duration_seconds", 1000.0),
        ("duration_s", 1000.0),
        ("e2e_ttfb_ms", 1.0),
        ("total_ms", 1.0),
    ];
    // This event reports how long a call has lasted so far.
    if event.kind() == Some(Kind::SessionInfo) {
        return None;
    }
    UNITS.iter().find_map(|(name, millis)| Some(event.field(name)?.number()? * millis))
}
