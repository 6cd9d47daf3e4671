//! The report of `expect`: as text, as JSON, as `JUnit` XML, or as TAP, and annotations for GitHub.
//!
//! It quotes what the user wrote, and nothing of an event.

use std::fmt::Write;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use super::step::{ExpectStep, StepSpec};
use crate::text::terminal;

/// The formats of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReportStyle {
    /// A table for people.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// `JUnit` XML.
    Junit,
    /// The Test Anything Protocol, version 14.
    Tap,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepResult {
    Met,
    NotMet,
    NotReached,
}

impl StepResult {
    const fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::NotReached => "not reached",
        }
    }
}

/// A step and its result.
struct ReportRow<'a> {
    spec: &'a StepSpec,
    result: StepResult,
    matches: u64,
    after: Option<SignedDuration>,
}

impl ReportRow<'_> {
    fn name(&self) -> std::borrow::Cow<'_, str> {
        terminal::visible(&self.spec.name)
    }

    fn seconds(&self) -> f64 {
        self.after.map_or(0.0, |after| after.as_secs_f64().max(0.0))
    }

    /// Returns why the step was not met.
    fn why(&self) -> String {
        let StepSpec { within, times, is_never, .. } = self.spec;
        if *is_never {
            return "an event matched".to_owned();
        }
        let within = within.map_or_else(String::new, |within| format!(" within {within:?}"));
        match *times {
            1 => format!("no event matched{within}"),
            times => format!("{} of {times} events matched{within}", self.matches),
        }
    }
}

/// The steps of a check with their results.
pub(super) struct ExpectReport<'a>(Vec<ReportRow<'a>>);

impl<'a> ExpectReport<'a> {
    /// Creates the report. In a sequence, the steps after the first that is not met were not
    /// reached.
    pub fn new(steps: &'a [ExpectStep], is_sequence: bool) -> Self {
        let mut is_waiting = false;
        let rows = steps.iter().map(|step| {
            let result = if step.is_met() {
                StepResult::Met
            } else if step.is_open() && std::mem::replace(&mut is_waiting, is_sequence) {
                StepResult::NotReached
            } else {
                StepResult::NotMet
            };
            let after = step.decided.and_then(|decided| decided.after);
            ReportRow { spec: &step.spec, result, matches: step.matches, after }
        });
        Self(rows.collect())
    }

    /// Returns the number of the first step that was not met, from 1.
    pub fn first_unmet(&self) -> Option<usize> {
        self.0.iter().position(|row| row.result == StepResult::NotMet).map(|at| at + 1)
    }

    /// Returns the report in a format.
    pub fn render(&self, style: ReportStyle) -> String {
        match style {
            ReportStyle::Text => self.text(),
            ReportStyle::Json => self.json(),
            ReportStyle::Junit => self.junit(),
            ReportStyle::Tap => self.tap(),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for row in &self.0 {
            let after = row
                .after
                .map_or_else(|| "-".to_owned(), |after| format!("{:.3} s", after.as_secs_f64()));
            let within =
                row.spec.within.map_or_else(String::new, |within| format!(" within {within:?}"));
            let count = match row.spec.times {
                1 => String::new(),
                times => format!("  ({} of {times})", row.matches),
            };
            let (words, name) = (row.result.words(), row.name());
            let _ = writeln!(text, "{words:11}  {after:>10}{within:14}  {name}{count}");
        }
        text
    }

    fn json(&self) -> String {
        let steps: Vec<_> = self
            .0
            .iter()
            .map(|row| {
                json!({
                    "name": row.spec.name,
                    "expression": row.spec.expression,
                    "result": row.result.words().replace(' ', "_"),
                    "matches": row.matches,
                    "times": row.spec.times,
                    "never": row.spec.is_never,
                    "within_ms": row.spec.within.map(|within: Duration| within.as_millis()),
                    "after_ms": row.after.map(|after| after.as_millis()),
                })
            })
            .collect();
        let is_met = self.first_unmet().is_none();
        format!("{}\n", json!({ "met": is_met, "steps": steps }))
    }

    fn junit(&self) -> String {
        let count = |result| self.0.iter().filter(|row| row.result == result).count();
        let (failures, skipped) = (count(StepResult::NotMet), count(StepResult::NotReached));
        let time: f64 = self.0.iter().map(ReportRow::seconds).sum();
        let counts = format!(
            "tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{time:.3}\"",
            self.0.len()
        );
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"evtap expect\" {counts}>\n"
        );
        for row in &self.0 {
            let name = escaped_xml(&row.name());
            let _ = write!(
                text,
                "    <testcase classname=\"evtap.expect\" name=\"{name}\" time=\"{:.3}\"",
                row.seconds()
            );
            let _ = match row.result {
                StepResult::Met => writeln!(text, "/>"),
                StepResult::NotMet => writeln!(
                    text,
                    "><failure message=\"{}\">{}</failure></testcase>",
                    escaped_xml(&row.why()),
                    escaped_xml(&terminal::visible(&row.spec.expression)),
                ),
                StepResult::NotReached => {
                    writeln!(text, "><skipped message=\"not reached\"/></testcase>")
                }
            };
        }
        text + "  </testsuite>\n</testsuites>\n"
    }

    fn tap(&self) -> String {
        let mut text = format!("TAP version 14\n1..{}\n", self.0.len());
        for (at, row) in self.0.iter().enumerate() {
            let (number, name) = (at + 1, row.name().replace('\\', "\\\\").replace('#', "\\#"));
            let _ = match row.result {
                StepResult::Met => writeln!(text, "ok {number} - {name}"),
                StepResult::NotMet => {
                    writeln!(
                        text,
                        "not ok {number} - {name}\n  ---\n  message: {}\n  ...",
                        row.why()
                    )
                }
                StepResult::NotReached => {
                    writeln!(text, "ok {number} - {name} # SKIP not reached")
                }
            };
        }
        text
    }

    /// Returns a workflow command of GitHub Actions for each step that was not met.
    pub fn annotations(&self) -> Vec<String> {
        let unmet = self.0.iter().enumerate().filter(|(_, row)| row.result == StepResult::NotMet);
        unmet
            .map(|(at, row)| {
                let title = format!("step {} of {} was not met", at + 1, self.0.len());
                let place = row.spec.place.as_ref().map_or_else(String::new, |(file, line)| {
                    format!("file={},line={line},", escaped_property(file))
                });
                let text = escaped_command(&format!("{}: {}", row.name(), row.why()));
                format!("::error {place}title={}::{text}", escaped_property(&title))
            })
            .collect()
    }
}

fn escaped_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Escapes the text of a workflow command.
fn escaped_command(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn escaped_property(text: &str) -> String {
    escaped_command(text).replace(':', "%3A").replace(',', "%2C")
}
