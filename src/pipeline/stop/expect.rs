//! The ordered check of `expect`: one predicate after the other must match, each within its time.
//!
//! The check uses the times of the events, if they have one, so that a recording has the same
//! result as the live stream. The clock only decides when a live stream is silent for too long.

use std::fmt::Write;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{StopCondition, Verdict};
use crate::error::{Error, Exit, Result};
use crate::query::{EventContext, Predicate};
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
}

impl Expectation {
    /// Creates a check with these steps, for a live stream or a recording.
    #[must_use]
    pub fn new(steps: Vec<ExpectStep>, live: bool) -> Self {
        Self { steps, at: 0, since: None, began: Instant::now(), live }
    }

    fn exit(&self) -> Exit {
        let all = self.steps.iter().all(|step| step.met.is_some_and(|met| met.in_time));
        if all { Exit::Done } else { Exit::Verdict }
    }
}

impl StopCondition for Expectation {
    fn observe(&mut self, context: &EventContext<'_>) -> Result<bool> {
        let tap = context.event.tap();
        let now: Option<Timestamp> =
            tap.time.as_ref().or(tap.received_at.as_ref()).and_then(|time| time.parse().ok());
        let since = *self.since.get_or_insert_with(|| now.unwrap_or_default());
        let after = now.map(|now| now.duration_since(since));
        let Some(step) = self.steps.get_mut(self.at) else { return Ok(true) };
        let in_time = match (step.within, after) {
            (Some(within), Some(after)) => {
                after <= SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX)
            }
            (Some(within), None) => !self.live || self.began.elapsed() <= within,
            (None, _) => true,
        };
        if !in_time {
            return Ok(true);
        }
        if step.predicate.holds(context) {
            step.met = Some(StepMatch { after, in_time });
            self.at += 1;
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

    fn failures(&self) -> u64 {
        self.steps.iter().map(|step| step.predicate.failures()).sum()
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
