//! Statistics of a set of events, divided into groups if `--group-by` asks for them.

use super::event_stats::{EventStats, measure};
use super::histogram::DurationHistogram;
use super::over_time::EventsOverTime;
use super::tally::Tally;
use crate::model::Kind;
use crate::redact::RedactedEvent;

/// The number of groups that are counted separately.
const MAX_GROUPS: usize = 200;

/// The number of groups that are counted separately in a part of a stream.
const MAX_PART_GROUPS: usize = 4096;

/// Statistics of all events, and of each group.
#[derive(Debug, Clone)]
pub struct GroupedStats {
    /// The statistics of all events.
    pub totals: EventStats,
    /// The statistics of each group, by the group's value as JSON.
    pub groups: Option<Tally<GroupStats>>,
    /// The number of events over time, for a report with pictures.
    pub over_time: Option<EventsOverTime>,
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
        let groups = is_grouped.then(|| Tally::new(MAX_GROUPS));
        Self { totals: EventStats::default(), groups, over_time: None }
    }

    /// Also counts the events over time, if `is_drawn`.
    #[must_use]
    pub fn with_events_over_time(self, is_drawn: bool) -> Self {
        Self { over_time: is_drawn.then(EventsOverTime::default), ..self }
    }

    /// Creates the statistics of a part of a stream, which can only be
    /// [merged](GroupedStats::merge).
    #[must_use]
    pub fn part(is_grouped: bool) -> Self {
        let groups = is_grouped.then(|| Tally::new(MAX_PART_GROUPS));
        Self { totals: EventStats::part(), groups, over_time: None }
    }

    /// Whether [`merge`](Self::merge) gives the same result as counting the events of a
    /// [part](Self::part) one by one.
    #[must_use]
    pub fn can_merge(&self, part: &Self) -> bool {
        self.totals.can_merge(&part.totals) && part.groups.as_ref().is_none_or(Tally::is_complete)
    }

    /// Adds the counts and durations of a [part](Self::part).
    pub fn merge(&mut self, part: &Self) {
        self.totals.merge(&part.totals);
        if let (Some(own), Some(part)) = (&mut self.over_time, &part.over_time) {
            own.merge(part);
        }
        if let (Some(own), Some(part)) = (&mut self.groups, &part.groups) {
            own.merge(part, |own, part| {
                own.events += part.events;
                own.durations.merge(&part.durations);
            });
        }
    }

    /// Whether all names and items of these parts can be counted separately, so that the order of
    /// the parts does not matter.
    #[must_use]
    pub fn has_room<'p>(&self, parts: impl Iterator<Item = &'p Self>) -> bool {
        let (mut room, mut groups) =
            (self.totals.room(), self.groups.as_ref().map_or(0, Tally::room));
        for part in parts {
            for (room, needed) in room.iter_mut().zip(part.totals.needed_room()) {
                let Some(rest) = room.checked_sub(needed) else { return false };
                *room = rest;
            }
            let needed = part.groups.as_ref().map_or(0, Tally::len);
            let Some(rest) = groups.checked_sub(needed) else { return false };
            groups = rest;
        }
        true
    }

    /// Returns the most memory that [`bytes`](Self::bytes) can grow by when a part is merged, if
    /// `counted` more events and members of groups are counted in all.
    #[must_use]
    pub fn max_growth(&self, part: &Self, counted: u64) -> usize {
        let none = DurationHistogram::default();
        let groups = part.groups.iter().flat_map(Tally::named).map(|(name, group)| {
            let own = self.groups.as_ref().and_then(|groups| groups.get(name));
            own.map_or(&none, |own| &own.durations).max_growth(&group.durations, counted)
        });
        self.totals.max_growth(&part.totals, counted) + groups.sum::<usize>()
    }

    /// Returns the number of events and of members of groups, of which a histogram contains at most
    /// one duration each.
    #[must_use]
    pub fn counted(&self) -> u64 {
        let groups = self.groups.iter().flat_map(Tally::named);
        self.totals.events + groups.map(|(_, group)| group.events).sum::<u64>()
    }

    /// Returns the approximate memory use of what can grow large, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let groups = self.groups.iter().flat_map(Tally::named);
        self.totals.bytes() + groups.map(|(_, group)| group.durations.bytes()).sum::<usize>()
    }

    /// Counts an event that belongs to `groups`, with its time in milliseconds of Unix time.
    pub fn observe(&mut self, event: &RedactedEvent<'_>, millis: Option<i64>, groups: &[Box<str>]) {
        self.totals.observe(event, millis);
        if let Some(over_time) = &mut self.over_time {
            if let Some(millis) = millis {
                over_time.add(millis, 1);
            }
            if event.kind() == Some(Kind::TapGap) {
                over_time.add_gap(event);
            }
        }
        let Some(tally) = self.groups.as_mut().filter(|_| !groups.is_empty()) else { return };
        let duration = reported_millis(event);
        for name in groups {
            let group = tally.entry(name);
            group.events += 1;
            measure(&mut group.durations, duration);
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
