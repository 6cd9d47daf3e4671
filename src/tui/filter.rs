//! A filter over the events at hand, applied in slices so that no key waits for it.

use std::collections::VecDeque;

use super::buffer::EventBuffer;
use super::config::ScreenConfig;
use super::time_slice::TimeSlice;
use crate::error::Error;
use crate::output::stored_event::StoredEventReader;
use crate::query::check::{Kinds, check};
use crate::query::program::{StepBudget, parse};
use crate::query::{EventContext, Predicate, TypeFilter, resolve_named_filter};

/// The option that messages about the filter name.
const NAME: &str = "the filter";

/// No key waits for an expression that takes so long on one event.
fn too_long() -> Error {
    let advice = "give it by --filter on the command line, where it may take longer";
    Error::usage(
        "cannot filter by that here",
        "on one event it takes so long that keys would have to wait",
        advice,
    )
}

/// A filter, and the events at hand that it keeps.
pub struct FilterTask {
    /// The expression as it was typed: perhaps a name.
    pub source: String,
    /// The expression itself.
    pub expression: String,
    /// A warning of the checker about an expression that can be used.
    pub warning: Option<String>,
    predicate: Predicate,
    numbers: VecDeque<u64>,
    next: u64,
}

impl FilterTask {
    /// Compiles an expression, and holds it against the model.
    pub fn compile(source: &str, config: &ScreenConfig) -> Result<Self, Error> {
        let named = resolve_named_filter(&config.named, NAME, source)?;
        let (name, expression) = named
            .as_ref()
            .map_or((NAME, source), |(name, expression)| (name.as_str(), *expression));
        let parsed = parse(name, expression)?;
        // Keys wait for the event in hand, so it may not take long.
        let predicate =
            Predicate::with_budget(StepBudget::INTERACTIVE, &parsed, &config.variables)?;
        let (_, findings) =
            check(&parsed, Kinds::from_filter(&TypeFilter::default()), &config.policy, true);
        let mut warning = None;
        for finding in findings {
            let error = finding.error(&parsed);
            if finding.fatal {
                return Err(error);
            }
            warning.get_or_insert(error.to_string());
        }
        let expression = expression.to_owned();
        Ok(Self {
            source: source.to_owned(),
            expression,
            warning,
            predicate,
            numbers: VecDeque::new(),
            next: 0,
        })
    }

    /// Looks at events at hand until all were looked at or the slice is used up. Returns whether all
    /// were looked at.
    pub fn advance(
        &mut self,
        buffer: &EventBuffer,
        reader: &mut StoredEventReader,
        slice: &mut TimeSlice,
    ) -> Result<bool, Error> {
        while self.numbers.front().is_some_and(|number| *number < buffer.first()) {
            self.numbers.pop_front();
        }
        self.next = self.next.max(buffer.first());
        while let Some(stored) = buffer.get(self.next) {
            if !slice.take() {
                return Ok(false);
            }
            let holds = reader
                .read(stored, |event| self.predicate.holds(&EventContext::new(event)))
                .map_err(|_| too_long())?;
            if holds {
                self.numbers.push_back(self.next);
            }
            self.next += 1;
        }
        Ok(true)
    }

    /// Whether all events at hand were looked at.
    #[must_use]
    pub fn is_finished(&self, buffer: &EventBuffer) -> bool {
        self.next >= buffer.end()
    }

    /// The numbers of the events that it keeps, in order; some at the front may be gone from the buffer.
    #[must_use]
    pub const fn numbers(&self) -> &VecDeque<u64> {
        &self.numbers
    }
}
