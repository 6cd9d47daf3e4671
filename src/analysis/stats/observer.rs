//! The observers that count events: [`StatsObserver`] for `evtap stats`, and [`SummaryObserver`]
//! for `--stats`.

use std::any::Any;
use std::io::{self, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossterm::{cursor, queue, terminal};
use jiff::Timestamp;
use serde_json::json;

use super::grouped::GroupedStats;
use super::grouping::Grouping;
use super::part::{StatsPart, StatsTally};
use super::series::{self, Series, SeriesRow};
use super::text::{self, cell};
use super::{event_millis, html, json};
use crate::output::status;
use crate::output::{Observer, ObserverTally, Out, OutputError};
use crate::query::{EventContext, OutputProgram};

/// How often the output of a live stream is updated.
const TICK: Duration = Duration::from_secs(1);

/// The format of statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsFormat {
    /// A table for people.
    Text,
    /// A JSON object, or one for each row of a series.
    Json,
    /// A series as comma-separated values.
    Csv,
    /// A page with charts.
    Html,
}

/// The options of `evtap stats`.
pub struct StatsConfig {
    /// The format.
    pub format: StatsFormat,
    /// The length of an interval, for a series in place of a summary at the end.
    pub every: Option<Duration>,
    /// The jq program whose values are the groups of an event.
    pub group_by: Option<OutputProgram>,
    /// Whether the stream is live, so that the clock gives the time of events.
    pub is_live: bool,
    /// Whether the output is a terminal, where a live table is redrawn in place.
    pub is_terminal: bool,
    /// Whether the output may have colours.
    pub has_colour: bool,
    /// The names of the fields that the user asked to reveal, which a page announces.
    pub revealed: Vec<String>,
}

/// An observer that counts events and writes the statistics.
pub struct StatsObserver {
    output: Arc<Mutex<StatsOutput>>,
    grouping: Option<Grouping>,
    /// The length of an interval, in milliseconds.
    every: Option<i64>,
    is_live: bool,
    /// The number of events on which the program of `grouping` failed.
    failures: u64,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

/// The statistics and their output, shared by the observer and the ticker.
struct StatsOutput {
    out: Out,
    format: StatsFormat,
    has_colour: bool,
    revealed: Vec<String>,
    is_live: bool,
    stats: GroupedStats,
    series: Option<Series>,
    /// The number of lines to replace, if the table is redrawn in place.
    drawn_lines: Option<u16>,
    /// The error of the ticker, for the observer to return.
    error: Option<io::Error>,
}

impl StatsObserver {
    /// Creates an observer that writes to `out`.
    #[must_use]
    pub fn new(out: Out, config: StatsConfig) -> Self {
        let StatsConfig { format, every, group_by, is_live, is_terminal, has_colour, revealed } =
            config;
        let is_grouped = group_by.is_some();
        let every = every.map(|every| i64::try_from(every.as_millis()).unwrap_or(i64::MAX));
        let is_redrawn = is_live && is_terminal && every.is_none() && format == StatsFormat::Text;
        let series = every.map(|every| Series::new(every, is_grouped));
        let needs_ticker = is_live && (series.is_some() || is_redrawn);
        let mut output = StatsOutput {
            out,
            format,
            has_colour,
            revealed,
            is_live,
            stats: GroupedStats::new(is_grouped).with_events_over_time(format == StatsFormat::Html),
            series,
            drawn_lines: is_redrawn.then_some(0),
            error: None,
        };
        output.start(is_grouped);
        let output = Arc::new(Mutex::new(output));
        let ticker = needs_ticker.then(|| start_ticker(Arc::clone(&output)));
        let grouping = group_by.map(|program| Grouping::new(Arc::new(program)));
        Self { output, grouping, every, is_live, failures: 0, ticker }
    }
}

fn lock(output: &Mutex<StatsOutput>) -> MutexGuard<'_, StatsOutput> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a thread that updates the output regularly until the returned sender is dropped.
fn start_ticker(output: Arc<Mutex<StatsOutput>>) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = channel();
    lock(&output).tick();
    let run = move || {
        while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            lock(&output).tick();
        }
    };
    (stop, std::thread::spawn(run))
}

impl Observer for StatsObserver {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        let groups = match self.grouping.as_mut().map(|grouping| grouping.groups(context)) {
            None => &[],
            Some(Ok(groups)) => groups,
            Some(Err(error)) => {
                self.failures += 1;
                if self.failures == 1 {
                    let event_type = context.event.event_type();
                    let reason = error.reason();
                    status::warn(&format!(
                        "--group-by fails on {event_type}: {reason}; such events are in no group \
                         (reported once)"
                    ));
                }
                &[]
            }
        };
        let millis = if self.is_live { Some(now()) } else { event_millis(context.event) };
        let mut output = lock(&self.output);
        if let Some(error) = output.error.take() {
            return Err(error.into());
        }
        match &mut output.series {
            None => output.stats.observe(context.event, millis, groups),
            Some(series) => {
                let rows = series.observe(context.event, millis, groups).into_iter().collect();
                output.write_rows(rows)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        lock(&self.output).error.take().map_or(Ok(()), Err)
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some((stop, ticker)) = self.ticker.take() {
            drop(stop);
            // The output keeps the ticker's error, so the thread returns nothing.
            let _ = ticker.join();
        }
        let mut output = lock(&self.output);
        if let Some(error) = output.error.take() {
            return Err(error);
        }
        output.finish()
    }

    fn failures(&self) -> u64 {
        self.failures
    }

    fn tally(&self) -> Option<Box<dyn ObserverTally>> {
        // The clock gives the time of events on a live stream.
        let grouping = self.grouping.as_ref().map(Grouping::fork);
        let is_drawn = lock(&self.output).format == StatsFormat::Html;
        (!self.is_live).then(|| Box::new(StatsTally::new(grouping, self.every, is_drawn)) as Box<_>)
    }

    fn can_merge(&self, counts: &(dyn Any + Send)) -> bool {
        let Some(part) = counts.downcast_ref::<StatsPart>() else { return false };
        // The first failure is reported with the type of its event.
        let is_first_failure = self.failures == 0 && part.failures > 0;
        let output = lock(&self.output);
        !is_first_failure && part.can_merge(&output.stats, output.series.as_ref())
    }

    fn merge(&mut self, counts: &(dyn Any + Send)) -> io::Result<()> {
        let Some(part) = counts.downcast_ref::<StatsPart>() else { return Ok(()) };
        self.failures += part.failures;
        let output = &mut *lock(&self.output);
        let rows = part.merge_into(&mut output.stats, output.series.as_mut());
        output.write_rows(rows)
    }
}

impl StatsOutput {
    /// Writes the header of a series, or prepares the terminal for a table that is redrawn.
    fn start(&mut self, is_grouped: bool) {
        if self.drawn_lines.is_some() {
            // A message on stderr would appear in the middle of the table.
            status::hold_back();
        }
        let header = match (&self.series, self.format) {
            (None, _) | (_, StatsFormat::Json | StatsFormat::Html) => return,
            (_, StatsFormat::Text) => series::text_header(is_grouped),
            (_, StatsFormat::Csv) => series::csv_header(is_grouped),
        };
        self.error = self.write(&header).err();
    }

    /// Writes the rows of intervals that have ended, or redraws the table.
    fn tick(&mut self) {
        let written = if let Some(series) = &mut self.series {
            let rows = series.close_until(now());
            self.write_rows(rows)
        } else {
            self.redraw()
        };
        self.error = self.error.take().or(written.err());
    }

    fn write_rows(&mut self, rows: Vec<SeriesRow>) -> io::Result<()> {
        for row in rows {
            let text = match self.format {
                StatsFormat::Text | StatsFormat::Html => row.text(),
                StatsFormat::Json => row.json(),
                StatsFormat::Csv => row.csv(),
            };
            self.write(&text)?;
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    fn text(&self, has_colour: bool) -> String {
        text::table(&self.stats, self.is_live.then(now), has_colour)
    }

    /// Replaces the table on the terminal by the current one.
    fn redraw(&mut self) -> io::Result<()> {
        let (width, height) = terminal::size()
            .map_or((80, 24), |(width, height)| (usize::from(width), usize::from(height)));
        // Truncating a line would also truncate its colour sequences.
        let text = self.text(self.has_colour && width >= 80);
        let room = height.saturating_sub(2);
        let mut lines: Vec<_> = text
            .lines()
            .map(|line| if width < 80 { cell(line, width) } else { line.to_owned() })
            .collect();
        if lines.len() > room {
            let hidden = lines.len() - room;
            lines.truncate(room);
            let note = format!("… {hidden} more lines, at the end or on a taller screen");
            lines.push(cell(&note, width.min(60)).trim_end().to_owned());
        }
        self.clear()?;
        self.drawn_lines = u16::try_from(lines.len()).ok();
        self.write(&(lines.join("\n") + "\n"))
    }

    /// Removes the table from the terminal, and lets the lines that wait for stderr through.
    fn clear(&mut self) -> io::Result<()> {
        if let Some(lines @ 1..) = self.drawn_lines {
            queue!(
                self.out,
                cursor::MoveToPreviousLine(lines),
                terminal::Clear(terminal::ClearType::FromCursorDown)
            )?;
            self.out.flush()?;
        }
        status::release();
        status::hold_back();
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.drawn_lines.is_some() {
            let cleared = self.clear();
            status::release();
            cleared?;
        }
        if let Some(series) = &mut self.series {
            let rows = series.finish();
            return self.write_rows(rows);
        }
        let text = match self.format {
            StatsFormat::Html => {
                let until = self.is_live.then(now);
                let mut page = io::BufWriter::new(&mut self.out);
                html::html(&self.stats, until, &self.revealed, &mut page)?;
                return page.flush();
            }
            StatsFormat::Text | StatsFormat::Csv => self.text(self.has_colour),
            StatsFormat::Json => json::line(&json::grouped(&self.stats, self.is_live.then(now))),
        };
        self.write(&text)
    }
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// An observer that counts the events that are written, and writes a summary to stderr at the end.
pub struct SummaryObserver {
    stats: GroupedStats,
    format: status::StatusFormat,
}

impl SummaryObserver {
    /// Creates an observer whose summary has the format of status messages.
    #[must_use]
    pub fn new(format: status::StatusFormat) -> Self {
        Self { stats: GroupedStats::new(false), format }
    }
}

impl Observer for SummaryObserver {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.stats.observe(context.event, event_millis(context.event), &[]);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.format == status::StatusFormat::Json {
            let stats = json::grouped(&self.stats, None);
            status::report_json(&json!({"status": "stats", "stats": stats}));
        } else {
            status::lines(&text::table(&self.stats, None, false));
        }
        Ok(())
    }

    fn tally(&self) -> Option<Box<dyn ObserverTally>> {
        Some(Box::new(StatsTally::new(None, None, false)))
    }

    fn can_merge(&self, counts: &(dyn Any + Send)) -> bool {
        counts.downcast_ref::<StatsPart>().is_some_and(|part| part.can_merge(&self.stats, None))
    }

    fn merge(&mut self, counts: &(dyn Any + Send)) -> io::Result<()> {
        if let Some(part) = counts.downcast_ref::<StatsPart>() {
            part.merge_into(&mut self.stats, None);
        }
        Ok(())
    }
}
