//! Figures as a series over time: a row for each stretch of it.
//!
//! Events of a recording go by their own time. A stretch is over once events have come in eight later ones, so that some
//! disorder does no harm; what comes later still is counted in the oldest one that is open, and told of as `late`. A stretch
//! without events has no row, but on a live stream, whose time is that of the clock.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::grouped::GroupedStats;
use super::text::{cell, per_second, span};
use super::{EventStats, json};
use crate::model::Kind;
use crate::redact::RedactedEvent;
use crate::text::units::count;

/// How many stretches are open at once.
const OPEN: usize = 8;

/// See the [module](self).
pub struct Series {
    /// The length of a stretch, in milliseconds.
    every: i64,
    grouped: bool,
    open: BTreeMap<Option<i64>, SeriesRow>,
    /// The end of the last stretch that is over.
    over: Option<i64>,
}

/// One stretch.
pub struct SeriesRow {
    /// When it begins and ends, in milliseconds of Unix time; unknown of events without a time before any that has one.
    pub stretch: Option<(i64, i64)>,
    /// What was counted in it.
    pub board: GroupedStats,
    /// How many of its events belong to a stretch that was over.
    pub late: u64,
}

impl Series {
    /// With stretches of that many milliseconds.
    #[must_use]
    pub const fn new(every: i64, grouped: bool) -> Self {
        Self { every, grouped, open: BTreeMap::new(), over: None }
    }

    /// Counts an event, and gives the stretch that is over with it.
    pub fn observe(
        &mut self,
        shown: &RedactedEvent<'_>,
        moment: Option<i64>,
        groups: &[String],
    ) -> Option<SeriesRow> {
        let newest = self
            .open
            .keys()
            .next_back()
            .copied()
            .flatten()
            .or(self.over.map(|over| over - self.every));
        let start = moment.map(|moment| moment.div_euclid(self.every) * self.every).or(newest);
        let is_late = start.zip(self.over).is_some_and(|(start, over)| start < over);
        let oldest = self.open.keys().flatten().next().copied().or(self.over);
        let row = self.row(if is_late { oldest } else { start });
        row.late += u64::from(is_late);
        row.board.observe(shown, moment, groups);
        (self.open.len() > OPEN).then(|| self.close())?
    }

    fn row(&mut self, start: Option<i64>) -> &mut SeriesRow {
        let Self { every, grouped, open, .. } = self;
        open.entry(start).or_insert_with(|| SeriesRow {
            stretch: start.map(|start| (start, start.saturating_add(*every))),
            board: GroupedStats::new(*grouped),
            late: 0,
        })
    }

    fn close(&mut self) -> Option<SeriesRow> {
        let (start, row) = self.open.pop_first()?;
        self.over = start.map(|start| start.saturating_add(self.every)).or(self.over);
        Some(row)
    }

    /// The stretches that are over by the clock, also those without events.
    pub fn until(&mut self, now: i64) -> Vec<SeriesRow> {
        let mut rows = Vec::new();
        let mut next = self.over.unwrap_or_else(|| now.div_euclid(self.every) * self.every);
        while next.saturating_add(self.every) <= now {
            self.row(Some(next));
            rows.extend(self.close());
            next += self.every;
        }
        self.over.get_or_insert(next);
        rows
    }

    /// All stretches that are still open.
    pub fn finish(&mut self) -> Vec<SeriesRow> {
        std::iter::from_fn(|| self.close()).collect()
    }
}

/// The columns, as machines and as people know them, and how wide the latter have it.
type Column = (&'static str, &'static str, usize);

const COLUMNS: &[Column] = &[
    ("events", "events", 8),
    ("per_second", "per s", 8),
    ("calls_started", "begun", 6),
    ("calls_ended", "ended", 6),
    ("escalations", "escal", 6),
    ("tool_calls", "tools", 6),
    ("tool_failures", "fail", 5),
    ("turn_ms_p95", "turn p95", 9),
    ("drifted", "drift", 6),
    ("gaps", "gaps", 5),
];

const GROUP_COLUMNS: &[Column] = &[
    ("events", "events", 8),
    ("per_second", "per s", 8),
    ("ms_p50", "p50", 9),
    ("ms_p95", "p95", 9),
    ("ms_max", "max", 9),
];

/// The columns of a group's value.
const GROUP: usize = 22;

/// A number in a cell.
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

fn cells(figures: &EventStats) -> Vec<Cell> {
    let tools = figures.tools.sorted(|_| 0);
    let sum = |of: fn(&super::ToolStats) -> u64| tools.iter().map(|(_, tool)| of(tool)).sum();
    let gaps =
        figures.gaps.sorted(|_| 0).iter().map(|(_, (certain, possible))| certain + possible).sum();
    vec![
        Cell::Count(figures.events),
        Cell::Rate(figures.events),
        Cell::Count(figures.of(Kind::CallStarted)),
        Cell::Count(figures.of(Kind::CallEnded)),
        Cell::Count(figures.of(Kind::CallEscalated)),
        Cell::Count(sum(|tool| tool.started.max(tool.completed))),
        Cell::Count(sum(|tool| tool.failed)),
        Cell::Millis(figures.latency[0].percentiles().map(|[_, p95, _]| p95)),
        Cell::Count(figures.drifted),
        Cell::Count(gaps),
    ]
}

impl SeriesRow {
    fn seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        self.stretch.map_or(0.0, |(from, to)| (to - from) as f64 / 1000.0)
    }

    /// Each line of the row: the group, if there are groups, and the cells.
    fn lines(&self) -> Vec<(Option<String>, Vec<Cell>)> {
        let Some(groups) = &self.board.groups else {
            return vec![(None, cells(&self.board.figures))];
        };
        let line = |(name, group): (Option<&str>, &super::grouped::GroupStats)| {
            let (percentiles, bounds) = (group.took.percentiles(), group.took.bounds());
            let cells = vec![
                Cell::Count(group.events),
                Cell::Rate(group.events),
                Cell::Millis(percentiles.map(|[p50, ..]| p50)),
                Cell::Millis(percentiles.map(|[_, p95, _]| p95)),
                Cell::Millis(bounds.map(|(_, most)| most)),
            ];
            (Some(name.unwrap_or("(other)").to_owned()), cells)
        };
        groups.sorted(|group| group.events).into_iter().map(line).collect()
    }

    /// Lines for people.
    #[must_use]
    pub fn text(&self) -> String {
        let time = self.stretch.map_or_else(
            || "-".to_owned(),
            |(from, _)| time(from).strftime("%m-%d %H:%M:%S").to_string(),
        );
        let mut text = String::new();
        for (group, cells) in self.lines() {
            let _ = write!(text, "{time:14}");
            let columns = if group.is_some() { GROUP_COLUMNS } else { COLUMNS };
            if let Some(group) = group {
                let _ = write!(text, "  {}", cell(&group, GROUP));
            }
            for (cell, (_, _, width)) in cells.iter().zip(columns) {
                let _ = write!(text, "{:>width$}", cell.text(self.seconds()));
            }
            text.push('\n');
        }
        text
    }

    /// One object on a line.
    #[must_use]
    pub fn json(&self) -> String {
        let mut object = json::board(&self.board, None);
        object["stretch"] = self
            .stretch
            .map_or(Value::Null, |(from, to)| json!([json::time(from), json::time(to)]));
        object["late"] = json!(self.late);
        json::line(&object)
    }

    /// Records of a table between commas.
    #[must_use]
    pub fn csv(&self) -> String {
        let (from, to) =
            self.stretch.map(|(from, to)| (json::time(from), json::time(to))).unwrap_or_default();
        let mut text = String::new();
        for (group, cells) in self.lines() {
            let cells = cells.iter().map(|cell| cell.csv(self.seconds()));
            text += &record(
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

/// What stands above the rows, for people.
#[must_use]
pub fn text_head(grouped: bool) -> String {
    let columns = if grouped { GROUP_COLUMNS } else { COLUMNS };
    let mut head = format!("{:14}", "UTC");
    if grouped {
        let _ = write!(head, "  {:GROUP$}", "group");
    }
    for (_, name, width) in columns {
        let _ = write!(head, "{name:>width$}");
    }
    head + "\n"
}

/// What stands above the rows, between commas.
#[must_use]
pub fn csv_head(grouped: bool) -> String {
    let columns = if grouped { GROUP_COLUMNS } else { COLUMNS };
    let names = columns.iter().map(|(name, ..)| *name);
    record(
        ["from", "to"].into_iter().chain(grouped.then_some("group")).chain(names).chain(["late"]),
    )
}

fn record(fields: impl Iterator<Item = impl AsRef<[u8]>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Into memory it does not fail.
    let _ = writer.write_record(fields);
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}
