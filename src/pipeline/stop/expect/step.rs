//! One step of `expect`: what must match, how often, and within which time.

use std::time::Duration;

use jiff::SignedDuration;

use crate::error::{Error, Result};
use crate::query::Predicate;
use crate::text::units::{DurationError, parse_duration};

/// What a step asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepSpec {
    /// The name of the step, or what was written.
    pub name: String,
    /// The jq expression that an event must match.
    pub expression: String,
    /// The time within which the step must be met.
    pub within: Option<Duration>,
    /// The number of events that must match.
    pub times: u64,
    /// Whether no event may match.
    pub is_never: bool,
    /// The file and the line of the step, if it comes from a file.
    pub place: Option<(String, usize)>,
}

impl StepSpec {
    /// Parses a step from the command line or a line of a file:
    /// `[never | [within DURATION] [N times]] EXPR`. Errors call it `option`.
    pub fn parse(option: &str, line: &str) -> Result<Self> {
        let line = line.trim();
        let mut spec = Self {
            name: line.to_owned(),
            expression: String::new(),
            within: None,
            times: 1,
            is_never: false,
            place: None,
        };
        let mut rest = line;
        if let Some(expression) = rest.strip_prefix("never ") {
            spec.is_never = true;
            rest = expression.trim_start();
        } else {
            if let Some(after) = rest.strip_prefix("within ") {
                let (duration, after) =
                    after.trim_start().split_once(char::is_whitespace).unwrap_or((after, ""));
                spec.within = Some(parse_duration(duration).map_err(|error| {
                    let what = format!("cannot use {option} {duration}");
                    Error::usage(what, error.to_string(), DurationError::ADVICE)
                })?);
                after.trim().clone_into(&mut spec.name);
                rest = after.trim_start();
            }
            let mut words = rest.splitn(3, char::is_whitespace);
            if let (Some(number), Some("times"), Some(after)) =
                (words.next(), words.next(), words.next())
                && let Ok(times) = number.parse()
            {
                if times == 0 {
                    let what = format!("cannot use {option} 0 times");
                    return Err(Error::usage(what, "it asks for nothing", "write never EXPR"));
                }
                spec.times = times;
                rest = after.trim_start();
            }
        }
        rest.clone_into(&mut spec.expression);
        Ok(spec)
    }
}

/// A step and how far it is.
pub struct ExpectStep {
    /// What the step asks for.
    pub spec: StepSpec,
    pub(super) predicate: Predicate,
    /// The number of events that have matched.
    pub(super) matches: u64,
    /// What has been decided.
    pub(super) decided: Option<StepMatch>,
}

/// The event that decided a step: the last one that it needs, or the first one that must not be.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepMatch {
    /// The time since the step began, if the times of both events are known.
    pub after: Option<SignedDuration>,
}

impl ExpectStep {
    /// Creates a step that has not begun. `predicate` is the compiled expression.
    #[must_use]
    pub const fn new(spec: StepSpec, predicate: Predicate) -> Self {
        Self { spec, predicate, matches: 0, decided: None }
    }

    /// Returns whether the step waits for an event.
    pub(super) const fn is_open(&self) -> bool {
        !self.spec.is_never && self.decided.is_none()
    }

    /// Returns whether the step is met so far.
    pub(super) const fn is_met(&self) -> bool {
        self.decided.is_some() != self.spec.is_never
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_often_and_when() {
        let parse = |line| {
            let spec = StepSpec::parse("-", line).expect(line);
            (spec.within.map(|within| within.as_secs()), spec.times, spec.is_never, spec.expression)
        };
        for (line, expected) in [
            (" .a ", (None, 1, false, ".a")),
            ("within 30s .a == 1", (Some(30), 1, false, ".a == 1")),
            ("3 times .a", (None, 3, false, ".a")),
            ("within  5m  2 times  .a", (Some(300), 2, false, ".a")),
            ("never .a", (None, 1, true, ".a")),
            ("neverland", (None, 1, false, "neverland")),
            ("3 + .a > 1", (None, 1, false, "3 + .a > 1")),
        ] {
            let (within, times, is_never, expression) = expected;
            assert_eq!(parse(line), (within, times, is_never, expression.to_owned()), "{line}");
        }
        assert!(StepSpec::parse("-", "0 times .a").is_err());
        assert!(StepSpec::parse("-", "within soon .a").is_err());
    }
}
