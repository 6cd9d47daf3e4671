//! Which of the events at hand a filter keeps, found out in slices so that no key waits for it.

use std::collections::VecDeque;
use std::time::Instant;

use super::buffer::EventBuffer;
use super::state::ScreenConfig;
use crate::error::Error;
use crate::output::stored_event::StoredEventReader;
use crate::query::check::{Kinds, check};
use crate::query::program::{StepBudget, parse};
use crate::query::{EventContext, Predicate, TypeFilter, resolve_named_filter};

/// The option that messages about the filter name.
const NAME: &str = "the filter";

/// How much may be done before the keys have their turn: so many events, and no event after that time.
#[derive(Debug, Clone, Copy)]
pub struct TimeSlice {
    events: usize,
    until: Option<Instant>,
}

impl TimeSlice {
    /// So many events.
    #[must_use]
    pub const fn with_events(events: usize) -> Self {
        Self { events, until: None }
    }

    /// The same, but none after that time.
    #[must_use]
    pub const fn until(self, until: Instant) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Whether there is room for one more event, which then is taken.
    pub fn takes(&mut self) -> bool {
        let has_room = self.events > 0 && self.until.is_none_or(|until| Instant::now() < until);
        self.events -= usize::from(has_room);
        has_room
    }
}

/// No key waits for an expression that takes so long on one event.
fn too_long() -> Error {
    let advice = "give it by --filter on the command line, where it may take longer";
    Error::usage(
        "cannot filter by that here",
        "on one event it takes so long that keys would have to wait",
        advice,
    )
}

/// A filter on its way through the events at hand.
pub struct FilterTask {
    /// The expression as it was typed: perhaps a name.
    pub source: String,
    /// The expression itself.
    pub expression: String,
    /// What the checker has to say about it, though it can be used.
    pub remark: Option<String>,
    predicate: Predicate,
    numbers: VecDeque<u64>,
    next: u64,
}

impl FilterTask {
    /// Compiles an expression, and holds it against the model.
    pub fn compile(source: &str, setup: &ScreenConfig) -> Result<Self, Error> {
        let named = resolve_named_filter(&setup.named, NAME, source)?;
        let (name, expression) = named
            .as_ref()
            .map_or((NAME, source), |(name, expression)| (name.as_str(), *expression));
        let parsed = parse(name, expression)?;
        // Keys wait for the event in hand, so it may not take long.
        let predicate = Predicate::with_budget(StepBudget::INTERACTIVE, &parsed, &setup.variables)?;
        let (_, findings) =
            check(&parsed, Kinds::from_filter(&TypeFilter::default()), &setup.policy, true);
        let mut remark = None;
        for finding in findings {
            let error = finding.error(&parsed);
            if finding.fatal {
                return Err(error);
            }
            remark.get_or_insert(error.to_string());
        }
        let expression = expression.to_owned();
        Ok(Self {
            source: source.to_owned(),
            expression,
            remark,
            predicate,
            numbers: VecDeque::new(),
            next: 0,
        })
    }

    /// Goes on through the events at hand until it is through or the slice is used up. Gives whether it is through.
    pub fn go_on(
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
            if !slice.takes() {
                return Ok(false);
            }
            let holds = reader
                .read(stored, |shown| self.predicate.holds(&EventContext::new(shown)))
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
    pub fn is_through(&self, buffer: &EventBuffer) -> bool {
        self.next >= buffer.end()
    }

    /// The numbers of the events that it keeps, in order; some at the front may be gone from the buffer.
    #[must_use]
    pub const fn numbers(&self) -> &VecDeque<u64> {
        &self.numbers
    }
}
