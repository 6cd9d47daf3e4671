//! Figures of all that came, or of a stretch of time; by groups, if somebody asks for them.

use super::histogram::DurationHistogram;
use super::tally::Tally;
use super::{EventStats, measure};
use crate::model::Kind;
use crate::redact::RedactedEvent;

/// How many groups are told apart.
const GROUPS: usize = 200;

/// What is counted.
#[derive(Debug, Clone)]
pub struct GroupedStats {
    /// Of all events.
    pub figures: EventStats,
    /// Of the events of each group, by the group's value as JSON.
    pub groups: Option<Tally<GroupStats>>,
}

/// What is counted of a group.
#[derive(Debug, Clone, Default)]
pub struct GroupStats {
    /// Its events.
    pub events: u64,
    /// How long those took that tell it.
    pub took: DurationHistogram,
}

impl GroupedStats {
    /// An empty one, with groups if it is `grouped`.
    #[must_use]
    pub fn new(grouped: bool) -> Self {
        Self { figures: EventStats::default(), groups: grouped.then(|| Tally::new(GROUPS)) }
    }

    /// Whether merging `other`, which has no groups, gives what observing its events would give.
    #[must_use]
    pub fn has_room(&self, other: &Self) -> bool {
        self.figures.has_room(&other.figures)
    }

    /// Adds the counts of `other`, which has no groups.
    pub fn merge(&mut self, other: &Self) {
        self.figures.merge(&other.figures);
    }

    /// Counts an event of that moment, which belongs to these groups.
    pub fn observe(&mut self, shown: &RedactedEvent<'_>, moment: Option<i64>, groups: &[String]) {
        self.figures.observe(shown, moment);
        for name in groups {
            let Some(group) = self.groups.as_mut().map(|tally| tally.of(name)) else { return };
            group.events += 1;
            measure(&mut group.took, took(shown));
        }
    }
}

/// How long it took what an event tells the end of, in milliseconds.
fn took(shown: &RedactedEvent<'_>) -> Option<f64> {
    const UNITS: &[(&str, f64)] = &[
        ("duration_ms", 1.0),
        ("duration_seconds", 1000.0),
        ("duration_s", 1000.0),
        ("e2e_ttfb_ms", 1.0),
        ("total_ms", 1.0),
    ];
    if shown.kind() == Some(Kind::SessionInfo) {
        return None;
    }
    UNITS.iter().find_map(|(name, millis)| Some(shown.field(name)?.number()? * millis))
}
