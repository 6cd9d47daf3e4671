//! Nowhere to write: for commands that only judge.

use std::io;

use super::{EventSink, OutputError};
use crate::query::EventContext;

/// Takes every event and writes none.
pub struct Discard;

impl EventSink for Discard {
    fn event(&mut self, _: &EventContext<'_>) -> Result<(), OutputError> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
