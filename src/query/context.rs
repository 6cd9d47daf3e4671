//! An event with its position and its cached jq value, as filters and encoders receive it.

use std::cell::OnceCell;

use super::value::{self, JqValue, budget};
use crate::redact::RedactedEvent;

/// A redacted event in its context. Its jq value is computed at most once.
pub struct EventContext<'a> {
    /// The redacted event.
    pub event: &'a RedactedEvent<'a>,
    /// The index of the recording that the event is from; 0 on a live stream.
    pub recording: usize,
    /// The offset of the event in its recording, in bytes; 0 on a live stream.
    pub offset: u64,
    /// The id of the event that is the same in every run and process, if an output needs it.
    pub id: Option<&'a str>,
    value: OnceCell<JqValue>,
}

impl<'a> EventContext<'a> {
    /// Creates a context at offset 0 of recording 0.
    #[must_use]
    pub const fn new(event: &'a RedactedEvent<'a>) -> Self {
        Self { event, recording: 0, offset: 0, id: None, value: OnceCell::new() }
    }

    /// Sets the position of the event in a recording.
    #[must_use]
    pub fn with_position(self, recording: usize, offset: u64) -> Self {
        Self { recording, offset, ..self }
    }

    /// Sets the id of the event that is the same in every run and process.
    #[must_use]
    pub const fn with_id(mut self, id: Option<&'a str>) -> Self {
        self.id = id;
        self
    }

    /// Returns the whole event as a jq value. It is incomplete if the current evaluation is
    /// exhausted.
    #[must_use]
    pub fn value(&self) -> JqValue {
        if let Some(value) = self.value.get() {
            return value.clone();
        }
        let value = value::event(self.event);
        if !budget::is_exhausted() {
            let _ = self.value.set(value.clone());
        }
        value
    }
}
