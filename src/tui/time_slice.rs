//! A budget for work in the event loop, so that keys do not wait.

use std::time::Instant;

/// A number of events and a deadline after which no further event is started.
#[derive(Debug, Clone, Copy)]
pub struct TimeSlice {
    events: usize,
    until: Option<Instant>,
}

impl TimeSlice {
    /// Creates a slice of at most `events` events.
    #[must_use]
    pub const fn with_events(events: usize) -> Self {
        Self { events, until: None }
    }

    /// Sets the deadline.
    #[must_use]
    pub const fn until(self, until: Instant) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Takes one event from the budget. Returns whether the event may be processed.
    pub fn take(&mut self) -> bool {
        let has_room = self.events > 0 && self.until.is_none_or(|until| Instant::now() < until);
        self.events -= usize::from(has_room);
        has_room
    }
}
