//! The ordered check of `expect`: one predicate after the other must match, each within its time.
//!
//! The check uses the times of the events, if they have one, so that a recording has the same
//! result as the live stream. The clock only decides when a live stream is silent for too long.

use std::any::Any;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{StopCheck, StopCondition, Verdict};
use crate::error::{Error, Exit, Result};
use crate::query::{EventContext, Failures, Predicate};
use crate::text::terminal;
use crate::text::units::{DurationError, parse_duration};

/// One step: `[within DURATION] EXPRESSION`.
pub struct ExpectStep {
    text: String,
    within: Option<Duration>,
    predicate: Predicate,
    met: Option<StepMatch>,
}

/// The match of a step.
#[derive(Debug, Clone, Copy)]
struct StepMatch {
    /// The time since the previous step was met, or since the first event.
    after: Option<SignedDuration>,
    /// Whether the step was met within its time.
    in_time: bool,
}

impl ExpectStep {
    /// Parses a step from the command line or a line of a file. Errors call it `option`.
    pub fn read(
        option: &str,
        line: &str,
        compile: &impl Fn(&str, &str) -> Result<Predicate>,
    ) -> Result<Self> {
        let line = line.trim();
        let (within, text) = match line.strip_prefix("within ") {
            Some(rest) => {
                let (duration, text) =
                    rest.trim_start().split_once(char::is_whitespace).unwrap_or((rest, ""));
                let within = parse_duration(duration).map_err(|error| {
                    let what = format!("cannot use {option} {duration}");
                    Error::usage(what, error.to_string(), DurationError::ADVICE)
                })?;
                (Some(within), text.trim())
            }
            None => (None, line),
        };
        let predicate = compile(option, text)?;
        Ok(Self { text: text.to_owned(), within, predicate, met: None })
    }
}

/// Parses the steps in the `text` of the file `name`: one per line, ignoring blank lines and
/// comments (`#`).
pub fn read_file(
    name: &str,
    text: &str,
    compile: impl Fn(&str, &str) -> Result<Predicate>,
) -> Result<Vec<ExpectStep>> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let steps: Vec<_> = lines
        .map(|(at, line)| ExpectStep::read(&format!("line {} of {name}", at + 1), line, &compile))
        .collect::<Result<_>>()?;
    if steps.is_empty() {
        return Err(Error::usage(
            format!("cannot use the steps in {name}"),
            "the file has no steps",
            "write a line like: within 30s .event_type == \"call.ended\"",
        ));
    }
    Ok(steps)
}

/// The steps of a check and its progress.
pub struct Expectation {
    steps: Vec<ExpectStep>,
    at: usize,
    /// The time of the event that met the last step, or of the first event.
    since: Option<Timestamp>,
    /// The clock time at which the current step began.
    began: Instant,
    live: bool,
    /// The current step, for workers.
    shared_at: Arc<AtomicUsize>,
}

impl Expectation {
    /// Creates a check with these steps, for a live stream or a recording.
    #[must_use]
    pub fn new(steps: Vec<ExpectStep>, live: bool) -> Self {
        let shared_at = Arc::default();
        Self { steps, at: 0, since: None, began: Instant::now(), live, shared_at }
    }

    fn exit(&self) -> Exit {
        let all = self.steps.iter().all(|step| step.met.is_some_and(|met| met.in_time));
        if all { Exit::Done } else { Exit::Verdict }
    }
}

impl StopCondition for Expectation {
    fn observe(&mut self, context: &EventContext<'_>) -> Result<bool> {
        let now = context.event.tap().moment();
        let since = *self.since.get_or_insert_with(|| now.unwrap_or_default());
        let after = now.map(|now| now.duration_since(since));
        let Some(step) = self.steps.get_mut(self.at) else { return Ok(true) };
        let in_time = match (step.within, after) {
            (Some(within), Some(after)) => is_in_time(after, within),
            (Some(within), None) => !self.live || self.began.elapsed() <= within,
            (None, _) => true,
        };
        if !in_time {
            return Ok(true);
        }
        if step.predicate.holds(context) {
            step.met = Some(StepMatch { after, in_time });
            self.at += 1;
            self.shared_at.store(self.at, Ordering::Relaxed);
            self.since = now.or(self.since);
            self.began = Instant::now();
        }
        Ok(self.at == self.steps.len())
    }

    fn deadline(&self) -> Option<Instant> {
        let step = self.steps.get(self.at).filter(|_| self.live)?;
        step.within.map(|within| self.began + within)
    }

    fn end(&mut self) -> Exit {
        self.exit()
    }

    fn failures_each(&mut self) -> Vec<&mut Failures> {
        self.steps.iter_mut().map(|step| step.predicate.failures_mut()).collect()
    }

    /// The clock takes part in the check of a live stream.
    fn fork(&self) -> Option<Box<dyn StopCheck>> {
        let steps = self.steps.iter().map(|step| (step.predicate.fork(), step.within)).collect();
        let at = Arc::clone(&self.shared_at);
        let check = StepCheck { steps, at, checked: None };
        (!self.live).then(|| Box::new(check) as Box<dyn StopCheck>)
    }

    fn can_skip(&self, checked: Option<&(dyn Any + Send)>) -> bool {
        let Some(checked) = checked.and_then(|checked| checked.downcast_ref::<CheckedStep>())
        else {
            // There was no event.
            return true;
        };
        let Some(since) = self.since.filter(|_| checked.at == self.at) else { return false };
        let within = self.steps.get(self.at).and_then(|step| step.within);
        within
            .zip(checked.latest)
            .is_none_or(|(within, latest)| is_in_time(latest.duration_since(since), within))
    }

    fn verdict(&self) -> Option<Verdict> {
        let is_met = self.exit() == Exit::Done;
        let reason = if is_met {
            "every step was met".to_owned()
        } else {
            format!("step {} of {} was not met", self.at + 1, self.steps.len())
        };
        Some(Verdict { is_met, reason })
    }

    fn report(&self) -> Option<String> {
        let mut text = String::new();
        for (at, step) in self.steps.iter().enumerate() {
            let (verdict, after) = match step.met {
                Some(StepMatch { after, .. }) => (
                    "met",
                    after.map_or_else(
                        || "-".to_owned(),
                        |after| format!("{:.3} s", after.as_secs_f64()),
                    ),
                ),
                None if at == self.at => ("not met", "-".to_owned()),
                None => ("not reached", "-".to_owned()),
            };
            let within =
                step.within.map_or_else(String::new, |within| format!(" within {within:?}"));
            let expression = terminal::visible(&step.text);
            let _ = writeln!(text, "{verdict:11}  {after:>10}{within:14}  {expression}");
        }
        Some(text)
    }
}

/// Whether a step that is met `after` this time is met within its time.
fn is_in_time(after: SignedDuration, within: Duration) -> bool {
    after <= SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX)
}

/// Evaluates the current step of an [`Expectation`] on a worker thread.
///
/// Each step is met by one event only, so there are few chunks in which a step is met, or of which
/// an earlier step was evaluated because it has been met since.
struct StepCheck {
    steps: Vec<(Predicate, Option<Duration>)>,
    /// The current step, shared with the [`Expectation`].
    at: Arc<AtomicUsize>,
    checked: Option<CheckedStep>,
}

/// The step that no event of a chunk met.
struct CheckedStep {
    at: usize,
    /// The latest time of the events, if the step must be met within a time.
    latest: Option<Timestamp>,
}

impl StopCheck for StepCheck {
    fn check(&mut self, context: &EventContext<'_>) -> bool {
        let checked = self.checked.get_or_insert_with(|| CheckedStep {
            at: self.at.load(Ordering::Relaxed),
            latest: None,
        });
        let Some((predicate, within)) = self.steps.get_mut(checked.at) else { return false };
        if within.is_some() {
            checked.latest = checked.latest.max(context.event.tap().moment());
        }
        !predicate.holds(context)
    }

    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        self.checked.take().map(|checked| Box::new(checked) as Box<dyn Any + Send>)
    }

    fn failures_each(&mut self) -> Vec<&mut Failures> {
        self.steps.iter_mut().map(|(predicate, _)| predicate.failures_mut()).collect()
    }
}
