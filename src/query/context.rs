//! One event on its way through filters and encoders, with what has been computed about it.

use std::cell::OnceCell;

use jaq_json::Val;

use super::value;
use crate::redact::RedactedEvent;

/// An event under selection; its jq value is made once, if anything asks for it.
pub struct EventContext<'a> {
    /// The event.
    pub event: &'a RedactedEvent<'a>,
    /// The number of the recording that it is from; 0 on a live stream.
    pub recording: usize,
    /// Where in it the event begins, in bytes; 0 on a live stream.
    pub offset: u64,
    value: OnceCell<Val>,
}

impl<'a> EventContext<'a> {
    /// An event to select from.
    #[must_use]
    pub const fn new(event: &'a RedactedEvent<'a>) -> Self {
        Self { event, recording: 0, offset: 0, value: OnceCell::new() }
    }

    /// The same event, which begins there in the recording of that number.
    #[must_use]
    pub fn with_position(self, recording: usize, offset: u64) -> Self {
        Self { recording, offset, ..self }
    }

    /// It as jq sees it.
    #[must_use]
    pub fn value(&self) -> Val {
        self.value.get_or_init(|| value::event(self.event)).clone()
    }
}
