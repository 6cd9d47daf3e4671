//! Counts the events of a chunk on a worker thread.

use std::any::Any;

use super::event_millis;
use super::grouped::GroupedStats;
use super::grouping::Grouping;
use super::series::{Series, SeriesRow};
use super::series_part::SeriesPart;
use crate::output::ObserverTally;
use crate::query::EventContext;

/// Counts events on a worker thread.
pub(super) struct StatsTally {
    grouping: Option<Grouping>,
    /// The length of an interval of a series, in milliseconds.
    every: Option<i64>,
    /// Whether events are counted over time for a picture.
    is_drawn: bool,
    part: Option<Box<StatsPart>>,
}

/// The statistics of the events of a chunk.
pub(super) struct StatsPart {
    counts: PartCounts,
    /// The number of events on which the program of `--group-by` failed.
    pub failures: u64,
}

enum PartCounts {
    Totals(Box<GroupedStats>),
    Series(SeriesPart),
}

impl StatsTally {
    pub const fn new(grouping: Option<Grouping>, every: Option<i64>, is_drawn: bool) -> Self {
        Self { grouping, every, is_drawn, part: None }
    }
}

impl ObserverTally for StatsTally {
    fn event(&mut self, context: &EventContext<'_>) {
        let Self { grouping, every, is_drawn, part } = self;
        let is_grouped = grouping.is_some();
        let part = part.get_or_insert_with(|| {
            let counts = match *every {
                None => {
                    let stats = GroupedStats::part(is_grouped).with_events_over_time(*is_drawn);
                    PartCounts::Totals(Box::new(stats))
                }
                Some(every) => PartCounts::Series(SeriesPart::new(every, is_grouped)),
            };
            Box::new(StatsPart { counts, failures: 0 })
        });
        let groups = match grouping.as_mut().map(|grouping| grouping.groups(context)) {
            None => &[],
            Some(Ok(groups)) => groups,
            Some(Err(_)) => {
                part.failures += 1;
                &[]
            }
        };
        let (event, millis) = (context.event, event_millis(context.event));
        match &mut part.counts {
            PartCounts::Totals(stats) => stats.observe(event, millis, groups),
            PartCounts::Series(series) => series.observe(event, millis, groups),
        }
    }

    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        self.part.take().map(|part| part as Box<dyn Any + Send>)
    }
}

impl StatsPart {
    /// Whether [`merge_into`](Self::merge_into) has the same result as observing the events one by
    /// one.
    pub fn can_merge(&self, stats: &GroupedStats, series: Option<&Series>) -> bool {
        match (&self.counts, series) {
            (PartCounts::Totals(part), None) => stats.can_merge(part),
            (PartCounts::Series(part), Some(series)) => series.can_merge(part),
            _ => false,
        }
    }

    /// Adds the counts to the statistics or to the series, and returns the rows that this closes.
    pub fn merge_into(
        &self,
        stats: &mut GroupedStats,
        series: Option<&mut Series>,
    ) -> Vec<SeriesRow> {
        match (&self.counts, series) {
            (PartCounts::Totals(part), _) => {
                stats.merge(part);
                Vec::new()
            }
            (PartCounts::Series(part), Some(series)) => series.merge(part),
            (PartCounts::Series(_), None) => Vec::new(),
        }
    }
}
