//! Counts events instead of writing them, or beside: `evtap stats` and `--stats`.

use std::any::Any;
use std::io::{self, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossterm::{cursor, queue, terminal};
use jiff::Timestamp;
use serde_json::json;

use crate::analysis::stats;
use crate::analysis::stats::grouped::GroupedStats;
use crate::analysis::stats::series::{self, Series, SeriesRow};
use crate::analysis::stats::text::cell;
use crate::output::status;
use crate::output::{Observer, Out, OutputError, Tally};
use crate::query::program::{Program, ProgramError};
use crate::query::{EventContext, budget_exceeded, value};

/// How often a live stream's figures are told anew.
const TICK: Duration = Duration::from_secs(1);

/// How figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsFormat {
    /// A table for people.
    Text,
    /// A JSON object; one a line, of a series.
    Json,
    /// A series as a table between commas.
    Csv,
}

/// What figures are wanted.
pub struct StatsConfig {
    /// How they are written.
    pub form: StatsFormat,
    /// A row for so much time, rather than a sum at the end.
    pub every: Option<Duration>,
    /// What they are grouped by.
    pub group_by: Option<Program>,
    /// The stream is live: time is that of the clock.
    pub live: bool,
    /// There is a terminal, on which the figures are kept up to date.
    pub terminal: bool,
    /// There may be colours.
    pub paint: bool,
}

/// Counts events, and writes what it has counted.
pub struct StatsObserver {
    told: Arc<Mutex<StatsOutput>>,
    group_by: Option<Program>,
    live: bool,
    failures: u64,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

/// What was counted, and where it is told.
struct StatsOutput {
    out: Out,
    form: StatsFormat,
    paint: bool,
    live: bool,
    board: GroupedStats,
    series: Option<Series>,
    /// How many lines on the terminal are to be replaced.
    painted: Option<u16>,
    broken: Option<io::Error>,
}

impl StatsObserver {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Out, setup: StatsConfig) -> Self {
        let StatsConfig { form, every, group_by, live, terminal, paint } = setup;
        let grouped = group_by.is_some();
        let every = every.map(|every| i64::try_from(every.as_millis()).unwrap_or(i64::MAX));
        let painted =
            (live && terminal && every.is_none() && form == StatsFormat::Text).then_some(0);
        let series = every.map(|every| Series::new(every, grouped));
        let ticks = live && (series.is_some() || painted.is_some());
        let mut told = StatsOutput {
            out,
            form,
            paint,
            live,
            board: GroupedStats::new(grouped),
            series,
            painted,
            broken: None,
        };
        told.head(grouped);
        let told = Arc::new(Mutex::new(told));
        let ticker = ticks.then(|| ticker(Arc::clone(&told)));
        Self { told, group_by, live, failures: 0, ticker }
    }

    /// The groups that an event belongs to.
    fn groups(&mut self, context: &EventContext<'_>) -> Result<Vec<String>, OutputError> {
        let Some(program) = &self.group_by else { return Ok(Vec::new()) };
        let mut groups = Vec::new();
        let outcome = program.run(context.value(), |value| {
            groups.push(value::to_json(&value));
            true
        });
        match outcome {
            Ok(()) => {}
            Err(ProgramError::BudgetExceeded) => return Err(budget_exceeded("--group-by").into()),
            Err(ProgramError::Failed(reason)) => {
                self.failures += 1;
                if self.failures == 1 {
                    let event_type = context.event.event_type();
                    status::report(&format!(
                        "--group-by fails on {event_type}: {reason}; such events are in no group (told once)"
                    ));
                }
            }
        }
        Ok(groups)
    }
}

/// What another worker counts.
#[derive(Default)]
struct StatsTally(Option<Box<GroupedStats>>);

impl Tally for StatsTally {
    fn event(&mut self, context: &EventContext<'_>) {
        let board = self.0.get_or_insert_with(|| Box::new(GroupedStats::new(false)));
        board.observe(context.event, stats::moment(context.event), &[]);
    }

    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        self.0.take().map(|board| board as Box<dyn Any + Send>)
    }
}

/// Whether the counts of a [`StatsTally`] can be merged into `board`.
fn can_merge(board: &GroupedStats, counts: &(dyn Any + Send)) -> bool {
    counts.downcast_ref().is_some_and(|counts| board.has_room(counts))
}

/// Merges the counts of a [`StatsTally`] into `board`.
fn merge(board: &mut GroupedStats, counts: &(dyn Any + Send)) {
    if let Some(counts) = counts.downcast_ref() {
        board.merge(counts);
    }
}

fn lock(told: &Mutex<StatsOutput>) -> MutexGuard<'_, StatsOutput> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells what time has made of the figures, until the sender is dropped.
fn ticker(told: Arc<Mutex<StatsOutput>>) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = channel();
    lock(&told).tick();
    let run = move || {
        while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            lock(&told).tick();
        }
    };
    (stop, std::thread::spawn(run))
}

impl Observer for StatsObserver {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        let groups = self.groups(context)?;
        let moment = if self.live { Some(now()) } else { stats::moment(context.event) };
        let mut told = lock(&self.told);
        if let Some(error) = told.broken.take() {
            return Err(error.into());
        }
        match &mut told.series {
            None => told.board.observe(context.event, moment, &groups),
            Some(series) => {
                let rows = series.observe(context.event, moment, &groups).into_iter().collect();
                told.rows(rows)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut told = lock(&self.told);
        told.broken.take().map_or(Ok(()), Err)
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some((stop, ticker)) = self.ticker.take() {
            drop(stop);
            // It has nothing to give.
            let _ = ticker.join();
        }
        let mut told = lock(&self.told);
        if let Some(error) = told.broken.take() {
            return Err(error);
        }
        told.finish()
    }

    fn failures(&self) -> u64 {
        self.failures
    }

    fn tally(&self) -> Option<Box<dyn Tally>> {
        // The rows of a series depend on order, and the first failure of --group-by is reported.
        let is_sum = !self.live && self.group_by.is_none() && lock(&self.told).series.is_none();
        is_sum.then(|| Box::new(StatsTally::default()) as Box<dyn Tally>)
    }

    fn can_merge(&self, counts: &(dyn Any + Send)) -> bool {
        can_merge(&lock(&self.told).board, counts)
    }

    fn merge(&mut self, counts: &(dyn Any + Send)) {
        merge(&mut lock(&self.told).board, counts);
    }
}

impl StatsOutput {
    fn head(&mut self, grouped: bool) {
        if self.painted.is_some() {
            // What is told on stderr would stand in the middle of the figures.
            status::hold_back();
        }
        let head = match (&self.series, self.form) {
            (None, _) | (_, StatsFormat::Json) => return,
            (_, StatsFormat::Text) => series::text_head(grouped),
            (_, StatsFormat::Csv) => series::csv_head(grouped),
        };
        self.broken = self.write(&head).err();
    }

    fn tick(&mut self) {
        let written = if let Some(series) = &mut self.series {
            let rows = series.until(now());
            self.rows(rows)
        } else {
            self.paint()
        };
        self.broken = self.broken.take().or(written.err());
    }

    fn rows(&mut self, rows: Vec<SeriesRow>) -> io::Result<()> {
        for row in rows {
            let text = match self.form {
                StatsFormat::Text => row.text(),
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

    fn text(&self, paint: bool) -> String {
        stats::text::board(&self.board, self.live.then(now), paint)
    }

    /// Puts the figures in the place of those before.
    fn paint(&mut self) -> io::Result<()> {
        let (width, height) = terminal::size()
            .map_or((80, 24), |(width, height)| (usize::from(width), usize::from(height)));
        // Where lines would be cut, colours would be.
        let text = self.text(self.paint && width >= 80);
        let room = height.saturating_sub(2);
        let mut lines: Vec<_> = text
            .lines()
            .map(|line| if width < 80 { cell(line, width) } else { line.to_owned() })
            .collect();
        if lines.len() > room {
            let hidden = lines.len() - room;
            lines.truncate(room);
            lines.push(
                cell(
                    &format!("… {hidden} more lines, at the end or on a taller screen"),
                    width.min(60),
                )
                .trim_end()
                .to_owned(),
            );
        }
        self.wipe()?;
        self.painted = u16::try_from(lines.len()).ok();
        self.write(&(lines.join("\n") + "\n"))
    }

    /// Takes the figures away, and lets what waits on stderr out.
    fn wipe(&mut self) -> io::Result<()> {
        if let Some(lines @ 1..) = self.painted {
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
        if self.painted.is_some() {
            let wiped = self.wipe();
            status::release();
            wiped?;
        }
        if let Some(series) = &mut self.series {
            let rows = series.finish();
            return self.rows(rows);
        }
        let text = match self.form {
            StatsFormat::Text | StatsFormat::Csv => self.text(self.paint),
            StatsFormat::Json => {
                stats::json::line(&stats::json::board(&self.board, self.live.then(now)))
            }
        };
        self.write(&text)
    }
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Counts the events that are written, and sums them up on stderr at the end.
pub struct SummaryObserver {
    board: GroupedStats,
    format: status::StatusFormat,
}

impl SummaryObserver {
    /// Creates an observer whose summary has the format of status messages.
    #[must_use]
    pub fn new(format: status::StatusFormat) -> Self {
        Self { board: GroupedStats::new(false), format }
    }
}

impl Observer for SummaryObserver {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.board.observe(context.event, stats::moment(context.event), &[]);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.format == status::StatusFormat::Json {
            status::tell_json(
                &json!({"status": "stats", "stats": stats::json::board(&self.board, None)}),
            );
        } else {
            status::lines(&stats::text::board(&self.board, None, false));
        }
        Ok(())
    }

    fn tally(&self) -> Option<Box<dyn Tally>> {
        Some(Box::new(StatsTally::default()))
    }

    fn can_merge(&self, counts: &(dyn Any + Send)) -> bool {
        can_merge(&self.board, counts)
    }

    fn merge(&mut self, counts: &(dyn Any + Send)) {
        merge(&mut self.board, counts);
    }
}
