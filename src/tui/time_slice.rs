//! A budget for work that must not keep the keys waiting.

use std::time::Instant;

/// A number of events, and a time after which no further event is taken.
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

    /// Ends the slice at that time.
    #[must_use]
    pub const fn until(self, until: Instant) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Takes one event from the slice. Returns whether there was room for it.
    pub fn take(&mut self) -> bool {
        let has_room = self.events > 0 && self.until.is_none_or(|until| Instant::now() < until);
        self.events -= usize::from(has_room);
        has_room
    }
}
