//! A filter over the buffered events, applied in slices so that no key waits for it.

use std::collections::VecDeque;

use super::buffer::EventBuffer;
use super::config::ScreenConfig;
use super::line_editor::MAX_CHARACTERS;
use super::plain_filter::PlainFilter;
use super::row_index::RowIndex;
use super::time_slice::TimeSlice;
use crate::error::Error;
use crate::model::Kind;
use crate::output::stored_event::StoredEventReader;
use crate::query::check::{Kinds, check};
use crate::query::program::{StepBudget, parse};
use crate::query::{EventContext, Predicate, TypeFilter, resolve_named_filter};

/// The name of the filter in error messages.
const FILTER_NAME: &str = "the filter";

/// A filter and the buffered events that it keeps.
pub struct FilterTask {
    /// The text as typed: words, a glob for types, an expression, or `@` and the name of a filter.
    pub source: String,
    /// The filter as a jq expression.
    pub expression: String,
    /// The first warning of the checker, if any.
    pub warning: Option<String>,
    test: FilterTest,
    numbers: VecDeque<u64>,
    index: RowIndex,
    next: u64,
}

/// What an event is tested with.
enum FilterTest {
    Jq(Predicate),
    Plain(PlainFilter),
}

impl FilterTask {
    /// Compiles a filter. An expression is checked against the model.
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
        if let Some(plain) = PlainFilter::parse(expression) {
            let plain = plain?;
            let types = Kind::ALL.iter().map(|kind| kind.spec().event_type);
            let warning = "no event type of the model matches";
            let warning = (!plain.has_type(types)).then(|| warning.to_owned());
            let expression = plain.expression();
            return Ok(Self::new(source, expression, warning, FilterTest::Plain(plain)));
        }
        Self::compile_jq(source, name, expression, config)
    }

    /// Compiles a jq expression, whose name is used in messages.
    fn compile_jq(
        source: &str,
        name: &str,
        expression: &str,
        config: &ScreenConfig,
    ) -> Result<Self, Error> {
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
        Ok(Self::new(source, expression.to_owned(), warning, FilterTest::Jq(predicate)))
    }

    fn new(source: &str, expression: String, warning: Option<String>, test: FilterTest) -> Self {
        Self {
            source: source.to_owned(),
            expression,
            warning,
            test,
            numbers: VecDeque::new(),
            index: RowIndex::default(),
            next: 0,
        }
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
        let numbers = &self.numbers;
        self.index.drop_before(buffer.first(), |number| {
            numbers.get(numbers.partition_point(|kept| *kept <= number)).copied()
        });
        self.next = self.next.max(buffer.first());
        while let Some(stored) = buffer.get(self.next) {
            if !slice.take() {
                break;
            }
            let test = &mut self.test;
            let is_match = reader.read(stored, |event| match test {
                FilterTest::Jq(predicate) => predicate.holds(&EventContext::new(event)),
                FilterTest::Plain(plain) => plain.matches(event),
            });
            if is_match {
                self.numbers.push_back(self.next);
                self.index.push(self.next, stored);
            }
            self.next += 1;
        }
        match &mut self.test {
            FilterTest::Jq(predicate) => predicate.take_failure_message(),
            FilterTest::Plain(_) => None,
        }
    }

    /// Returns the rows of the events that pass the filter.
    #[must_use]
    pub const fn index(&self) -> &RowIndex {
        &self.index
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
