//! A filter over the buffered events, applied in slices so that no key waits for it.

use std::collections::VecDeque;

use super::buffer::EventBuffer;
use super::config::ScreenConfig;
use super::line_editor::MAX_CHARACTERS;
use super::time_slice::TimeSlice;
use crate::error::Error;
use crate::output::stored_event::StoredEventReader;
use crate::query::check::{Kinds, check};
use crate::query::program::{StepBudget, parse};
use crate::query::{EventContext, Predicate, TypeFilter, resolve_named_filter};

/// The name of the filter in error messages.
const FILTER_NAME: &str = "the filter";

/// A filter and the buffered events that it keeps.
pub struct FilterTask {
    /// The text as typed: an expression, or `@` and the name of a filter.
    pub source: String,
    /// The jq expression.
    pub expression: String,
    /// The first warning of the checker, if any.
    pub warning: Option<String>,
    predicate: Predicate,
    numbers: VecDeque<u64>,
    next: u64,
}

impl FilterTask {
    /// Compiles an expression and checks it against the model.
    ///
    /// # Errors
    /// Fails if the expression is invalid, if the named filter does not exist, or if the checker
    /// rejects the expression.
    pub fn compile(source: &str, config: &ScreenConfig) -> Result<Self, Error> {
        if source.chars().count() > MAX_CHARACTERS {
            return Err(Error::usage(
                "cannot use this filter",
                format!("it is longer than {MAX_CHARACTERS} characters"),
                "compare with the beginning of a long text: startswith(\"…\")",
            ));
        }
        let named = resolve_named_filter(&config.named, FILTER_NAME, source)?;
        let (name, expression) = named
            .as_ref()
            .map_or((FILTER_NAME, source), |(name, expression)| (name.as_str(), *expression));
        let parsed = parse(name, expression)?;
        // Keys wait while an event is tested, so a test may not take long.
        let predicate =
            Predicate::with_budget(StepBudget::INTERACTIVE, &parsed, &config.variables)?
                .keeping_failure_message();
        if !predicate.ends() {
            let advice = "pass it with --filter on the command line, which allows more time";
            return Err(Error::usage(
                "cannot use this filter here",
                "it takes too long even on an event without fields",
                advice,
            ));
        }
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

    /// Tests buffered events until the slice is used up. Returns a message when the expression fails
    /// for the first time. Events on which it fails do not pass.
    pub fn advance(
        &mut self,
        buffer: &EventBuffer,
        reader: &mut StoredEventReader,
        slice: &mut TimeSlice,
    ) -> Option<String> {
        while self.numbers.front().is_some_and(|number| *number < buffer.first()) {
            self.numbers.pop_front();
        }
        self.next = self.next.max(buffer.first());
        while let Some(stored) = buffer.get(self.next) {
            if !slice.take() {
                break;
            }
            let is_match =
                reader.read(stored, |event| self.predicate.holds(&EventContext::new(event)));
            if is_match {
                self.numbers.push_back(self.next);
            }
            self.next += 1;
        }
        self.predicate.take_failure_message()
    }

    /// Returns the number of the first event that was not tested.
    #[must_use]
    pub const fn tested(&self) -> u64 {
        self.next
    }

    /// Returns whether all buffered events were tested.
    #[must_use]
    pub fn is_finished(&self, buffer: &EventBuffer) -> bool {
        self.next >= buffer.end()
    }

    /// Returns the numbers of the events that pass the filter, in ascending order. Events at the
    /// front may have been dropped from the buffer.
    #[must_use]
    pub const fn numbers(&self) -> &VecDeque<u64> {
        &self.numbers
    }
}
