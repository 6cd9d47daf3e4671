//! Statistics as a time series, with a row for each interval.
//!
//! The events of a recording are placed by their own time. An interval is closed once eight later
//! ones have events, so that events may be slightly out of order. An event that belongs to a closed
//! interval is counted in the oldest open one, and in the row's `late`. Intervals without events
//! have no row, except on a live stream, whose time is that of the clock. If the clock jumps ahead,
//! a single row stands for the whole time.
//!
//! Open intervals take a limited amount of memory. When they exceed it, the oldest is closed early.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::event_stats::EventStats;
use super::grouped::GroupedStats;
use super::json;
use super::series_part::{SeriesPart, start};
use super::text::{cell, per_second, span};
use crate::model::Kind;
use crate::redact::RedactedEvent;
use crate::text::units::count;

/// The number of intervals that are open at once.
const MAX_OPEN: usize = 8;

/// The memory of the intervals that are open at once, in bytes.
const MAX_OPEN_BYTES: usize = 48 << 20;

/// How many events are counted until the memory is determined again.
const EVENTS_PER_CHECK: u32 = 1024;

/// The number of intervals without events that have a row each.
const MAX_EMPTY: i64 = 100;

/// Statistics over time, with a limited number of open intervals.
pub struct Series {
    /// The length of an interval, in milliseconds.
    every: i64,
    is_grouped: bool,
    /// The open intervals, by their start.
    open: BTreeMap<Option<i64>, SeriesRow>,
    /// The end of the last interval that was closed.
    closed_until: Option<i64>,
    /// The number of events until the memory is determined again.
    unchecked: u32,
    /// The memory that the open intervals may take, in bytes.
    pub(super) max_bytes: usize,
}

/// The statistics of one interval.
pub struct SeriesRow {
    /// The start and the end, in milliseconds of Unix time. `None` holds events without a time that
    /// come before any event with one.
    pub interval: Option<(i64, i64)>,
    /// The statistics.
    pub stats: GroupedStats,
    /// The number of events that belong to an earlier interval, which was closed.
    pub late: u64,
}

impl Series {
    /// Creates a series whose intervals are `every` milliseconds long.
    #[must_use]
    pub const fn new(every: i64, is_grouped: bool) -> Self {
        Self {
            every,
            is_grouped,
            open: BTreeMap::new(),
            closed_until: None,
            unchecked: 0,
            max_bytes: MAX_OPEN_BYTES,
        }
    }

    /// Counts an event, and returns the row of the interval that this closes, if any.
    pub fn observe(
        &mut self,
        event: &RedactedEvent<'_>,
        millis: Option<i64>,
        groups: &[Box<str>],
    ) -> Option<SeriesRow> {
        let (start, is_late) =
            place(self.every, &self.open.keys().copied(), self.closed_until, millis);
        let row = self.row(start);
        row.late += u64::from(is_late);
        row.stats.observe(event, millis, groups);
        (self.open.len() > MAX_OPEN || self.is_too_large()).then(|| self.close_oldest())?
    }

    /// Returns whether the open intervals take too much memory, which is determined now and then.
    fn is_too_large(&mut self) -> bool {
        self.unchecked = self.unchecked.checked_sub(1).unwrap_or(EVENTS_PER_CHECK);
        self.unchecked == 0 && self.open.len() > 1 && self.bytes() > self.max_bytes
    }

    fn bytes(&self) -> usize {
        self.open.values().map(|row| row.stats.bytes()).sum()
    }

    /// Whether [`merge`](Self::merge) gives the same result as counting the events of a part one
    /// by one.
    #[must_use]
    pub fn can_merge(&self, part: &SeriesPart) -> bool {
        let Some(rows) = self.rows_of(part) else { return false };
        let empty = GroupedStats::new(self.is_grouped);
        let own = |start: Option<i64>| self.open.get(&start).map_or(&empty, |row| &row.stats);
        let max_bytes = || {
            let counted = |row: Option<i64>| {
                let of_row = rows.iter().filter(|(start, _)| *start == row);
                of_row.map(|(_, stats)| stats.counted()).sum()
            };
            let growth = |(start, stats): &(Option<i64>, &GroupedStats)| {
                empty.bytes() + own(*start).max_growth(stats, counted(*start))
            };
            self.bytes() + rows.iter().map(growth).sum::<usize>()
        };
        let is_checked = part.events >= u64::from(self.unchecked);
        rows.iter().all(|(start, stats)| own(*start).can_merge(stats))
            && (!is_checked || max_bytes() <= self.max_bytes)
    }

    /// Returns the row to which each of the statistics in a part belongs. `None` if the result
    /// depends on the order of events in a segment.
    fn rows_of<'p>(&self, part: &'p SeriesPart) -> Option<Vec<(Option<i64>, &'p GroupedStats)>> {
        if part.is_too_large {
            return None;
        }
        let mut open: BTreeSet<_> = self.open.keys().copied().collect();
        let mut closed_until = self.closed_until;
        let (mut rows, mut shared) = (Vec::new(), BTreeSet::new());
        for segment in &part.segments {
            let (start, _) = place(self.every, &open.iter().copied(), closed_until, segment.first);
            open.insert(start);
            if open.len() > MAX_OPEN {
                let oldest = open.pop_first()?;
                if oldest == start {
                    return None;
                }
                closed_until = end(oldest, self.every).or(closed_until);
            }
            let first = rows.len();
            rows.extend(segment.stats.iter().map(|(start, stats)| {
                (place(self.every, &open.iter().copied(), closed_until, *start).0, &**stats)
            }));
            shared.extend(rows[first..].iter().enumerate().filter_map(|(at, (row, _))| {
                rows[first..first + at].iter().any(|(other, _)| other == row).then_some(*row)
            }));
        }
        // The events of statistics that belong to one row came in an order that is not known.
        let has_room = |row: &Option<i64>| {
            let parts = rows.iter().filter(|(start, _)| start == row).map(|(_, stats)| *stats);
            match self.open.get(row) {
                Some(row) => row.stats.has_room(parts),
                None => GroupedStats::new(self.is_grouped).has_room(parts),
            }
        };
        shared.iter().all(has_room).then_some(rows)
    }

    /// Counts the events of a part, and returns the rows of the intervals that this closes.
    pub fn merge(&mut self, part: &SeriesPart) -> Vec<SeriesRow> {
        let mut closed = Vec::new();
        for segment in &part.segments {
            let (start, _) =
                place(self.every, &self.open.keys().copied(), self.closed_until, segment.first);
            self.row(start);
            if self.open.len() > MAX_OPEN {
                closed.extend(self.close_oldest());
            }
            for (start, stats) in &segment.stats {
                let (start, is_late) =
                    place(self.every, &self.open.keys().copied(), self.closed_until, *start);
                let row = self.row(start);
                row.late += if is_late { stats.totals.events } else { 0 };
                row.stats.merge(stats);
            }
        }
        // The counter of events goes down to 0 and then begins again.
        let period = u64::from(EVENTS_PER_CHECK) + 1;
        let unchecked = (u64::from(self.unchecked) + period - part.events % period) % period;
        self.unchecked = u32::try_from(unchecked).unwrap_or_default();
        closed
    }

    fn row(&mut self, start: Option<i64>) -> &mut SeriesRow {
        let Self { every, is_grouped, open, .. } = self;
        open.entry(start).or_insert_with(|| SeriesRow {
            interval: start.map(|start| (start, start.saturating_add(*every))),
            stats: GroupedStats::new(*is_grouped),
            late: 0,
        })
    }

    fn close_oldest(&mut self) -> Option<SeriesRow> {
        let (start, row) = self.open.pop_first()?;
        self.closed_until = end(start, self.every).or(self.closed_until);
        Some(row)
    }

    /// Closes the intervals that have ended by the clock, also those without events, and returns
    /// their rows. Many intervals without events have one row together.
    pub fn close_until(&mut self, now: i64) -> Vec<SeriesRow> {
        let mut rows = Vec::new();
        let current = now.div_euclid(self.every).saturating_mul(self.every);
        let mut next = self.closed_until.unwrap_or(current);
        while now.saturating_sub(next) >= self.every {
            let open = self.open.keys().copied().flatten().next().unwrap_or(current).min(current);
            if open.saturating_sub(next) / self.every > MAX_EMPTY {
                let row = self.row(Some(next));
                row.interval = Some((next, open));
                rows.extend(self.open.pop_first().map(|(_, row)| row));
                next = open;
            } else {
                self.row(Some(next));
                rows.extend(self.close_oldest());
                next = next.saturating_add(self.every);
            }
            self.closed_until = Some(next);
        }
        self.closed_until.get_or_insert(next);
        rows
    }

    /// Closes all intervals that are open, and returns their rows.
    pub fn finish(&mut self) -> Vec<SeriesRow> {
        std::iter::from_fn(|| self.close_oldest()).collect()
    }
}

/// Returns the start of the row in which an event is counted, and whether the event is late. `open`
/// are the starts of the open intervals, in order.
fn place(
    every: i64,
    open: &(impl DoubleEndedIterator<Item = Option<i64>> + Clone),
    closed_until: Option<i64>,
    millis: Option<i64>,
) -> (Option<i64>, bool) {
    let newest = || open.clone().next_back().flatten().or(closed_until.map(|end| end - every));
    let start = millis.map_or_else(newest, |millis| Some(start(every, millis)));
    let is_late = start.zip(closed_until).is_some_and(|(start, end)| start < end);
    let oldest = || open.clone().flatten().next().or(closed_until);
    (if is_late { oldest() } else { start }, is_late)
}

/// Returns the end of the interval with this start.
fn end(start: Option<i64>, every: i64) -> Option<i64> {
    Some(start?.saturating_add(every))
}

/// A column: its name in CSV, its title in a table, and its usual width in a table. A blank comes
/// before each column.
type Column = (&'static str, &'static str, usize);

const COLUMNS: &[Column] = &[
    ("events", "events", 7),
    ("per_second", "per s", 7),
    ("calls_started", "begun", 5),
    ("calls_ended", "ended", 5),
    ("escalations", "escal", 5),
    ("tool_calls", "tools", 5),
    ("tool_failures", "fail", 4),
    ("turn_ms_p95", "turn p95", 8),
    ("drifted", "drift", 5),
    ("gaps", "gaps", 4),
];

const GROUP_COLUMNS: &[Column] = &[
    ("events", "events", 7),
    ("per_second", "per s", 7),
    ("ms_p50", "p50", 8),
    ("ms_p95", "p95", 8),
    ("ms_max", "max", 8),
];

/// The width of the column that holds the group's value.
const GROUP_WIDTH: usize = 22;

/// The value of a cell.
enum Cell {
    Count(u64),
    Rate(u64),
    Millis(Option<f64>),
}

impl Cell {
    fn text(&self, seconds: f64) -> String {
        match self {
            Self::Count(number) => count(*number),
            Self::Rate(number) => per_second(*number, seconds),
            Self::Millis(millis) => millis.map(span).unwrap_or_default(),
        }
    }

    fn csv(&self, seconds: f64) -> String {
        match self {
            Self::Count(number) => number.to_string(),
            Self::Rate(number) => per_second(*number, seconds),
            Self::Millis(millis) => millis.map(|millis| millis.to_string()).unwrap_or_default(),
        }
    }
}

/// Returns the cells of [`COLUMNS`].
fn cells(stats: &EventStats) -> Vec<Cell> {
    let tools = stats.tools.sorted(|_| 0);
    let sum = |value: fn(&super::event_stats::ToolStats) -> u64| {
        tools.iter().map(|(_, tool)| value(tool)).sum()
    };
    let gaps =
        stats.gaps.sorted(|_| 0).iter().map(|(_, (certain, possible))| certain + possible).sum();
    vec![
        Cell::Count(stats.events),
        Cell::Rate(stats.events),
        Cell::Count(stats.count_of(Kind::CallStarted)),
        Cell::Count(stats.count_of(Kind::CallEnded)),
        Cell::Count(stats.count_of(Kind::CallEscalated)),
        Cell::Count(sum(|tool| tool.started.max(tool.completed))),
        Cell::Count(sum(|tool| tool.failed)),
        Cell::Millis(stats.latency[0].percentiles().map(|[_, p95, _]| p95)),
        Cell::Count(stats.drifted),
        Cell::Count(gaps),
    ]
}

impl SeriesRow {
    fn seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        self.interval.map_or(0.0, |(from, to)| (to - from) as f64 / 1000.0)
    }

    /// Returns the lines of the row: one, or one for each group with the group's name.
    fn lines(&self) -> Vec<(Option<String>, Vec<Cell>)> {
        let Some(groups) = &self.stats.groups else {
            return vec![(None, cells(&self.stats.totals))];
        };
        let line = |(name, group): (Option<&str>, &super::grouped::GroupStats)| {
            let (percentiles, bounds) = (group.durations.percentiles(), group.durations.bounds());
            let cells = vec![
                Cell::Count(group.events),
                Cell::Rate(group.events),
                Cell::Millis(percentiles.map(|[p50, ..]| p50)),
                Cell::Millis(percentiles.map(|[_, p95, _]| p95)),
                Cell::Millis(bounds.map(|(_, max)| max)),
            ];
            (Some(name.unwrap_or("(other)").to_owned()), cells)
        };
        groups.sorted(|group| group.events).into_iter().map(line).collect()
    }

    /// Renders the row as lines of a table.
    #[must_use]
    pub fn text(&self) -> String {
        let time = self.interval.map_or_else(
            || "-".to_owned(),
            |(from, _)| time(from).strftime("%m-%d %H:%M:%S").to_string(),
        );
        let mut text = String::new();
        for (group, cells) in self.lines() {
            let _ = write!(text, "{time:14}");
            let columns = if group.is_some() { GROUP_COLUMNS } else { COLUMNS };
            if let Some(group) = group {
                let _ = write!(text, "  {}", cell(&group, GROUP_WIDTH));
            }
            for (cell, (_, _, width)) in cells.iter().zip(columns) {
                let _ = write!(text, " {:>width$}", cell.text(self.seconds()));
            }
            text.push('\n');
        }
        text
    }

    /// Renders the row as a JSON object on one line.
    #[must_use]
    pub fn json(&self) -> String {
        let mut object = json::grouped(&self.stats, None);
        object["stretch"] = self
            .interval
            .map_or(Value::Null, |(from, to)| json!([json::time(from), json::time(to)]));
        object["late"] = json!(self.late);
        json::line(&object)
    }

    /// Renders the row as CSV records.
    #[must_use]
    pub fn csv(&self) -> String {
        let (from, to) =
            self.interval.map(|(from, to)| (json::time(from), json::time(to))).unwrap_or_default();
        let mut text = String::new();
        for (group, cells) in self.lines() {
            let cells = cells.iter().map(|cell| cell.csv(self.seconds()));
            text += &csv_record(
                [from.clone(), to.clone()]
                    .into_iter()
                    .chain(group)
                    .chain(cells)
                    .chain([self.late.to_string()]),
            );
        }
        text
    }
}

/// Returns the header of the table.
#[must_use]
pub fn text_header(is_grouped: bool) -> String {
    let columns = if is_grouped { GROUP_COLUMNS } else { COLUMNS };
    let mut header = format!("{:14}", "UTC");
    if is_grouped {
        let _ = write!(header, "  {:GROUP_WIDTH$}", "group");
    }
    for (_, title, width) in columns {
        let _ = write!(header, " {title:>width$}");
    }
    header + "\n"
}

/// Returns the header record of the CSV.
#[must_use]
pub fn csv_header(is_grouped: bool) -> String {
    let columns = if is_grouped { GROUP_COLUMNS } else { COLUMNS };
    let names = columns.iter().map(|(name, ..)| *name);
    let group = is_grouped.then_some("group");
    csv_record(["from", "to"].into_iter().chain(group).chain(names).chain(["late"]))
}

fn csv_record(fields: impl Iterator<Item = impl AsRef<[u8]>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing into memory does not fail.
    let _ = writer.write_record(fields);
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intervals(rows: &[SeriesRow]) -> Vec<(i64, i64)> {
        rows.iter().filter_map(|row| row.interval).collect()
    }

    #[test]
    fn a_clock_that_jumps_ahead_gets_one_row_for_the_whole_time() {
        let mut series = Series::new(1000, false);
        assert!(series.close_until(5500).is_empty());
        assert_eq!(intervals(&series.close_until(7999)), [(5000, 6000), (6000, 7000)]);
        let far = 1_800_000_000_500;
        assert_eq!(intervals(&series.close_until(far)), [(7000, 1_800_000_000_000)]);
        assert_eq!(
            intervals(&series.close_until(far + 1000)),
            [(1_800_000_000_000, 1_800_000_001_000)]
        );
        assert!(series.close_until(i64::MAX).len() < 3 && series.finish().is_empty());
    }

    #[test]
    fn columns_never_touch() {
        let mut row =
            SeriesRow { interval: Some((0, 1000)), stats: GroupedStats::new(false), late: 0 };
        row.stats.totals.events = u64::MAX;
        row.stats.totals.drifted = u64::MAX;
        (0..1000).for_each(|_| row.stats.totals.latency[0].add(1e300));
        let text = row.text();
        let cells: Vec<_> = text.split_whitespace().collect();
        // The time has two words.
        assert_eq!(cells.len(), COLUMNS.len() + 2, "{text}");
    }
}
