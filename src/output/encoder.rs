//! The interface of an output format, and the reasons why writing can fail.

use std::io;

use crate::error::Error;
use crate::query::{EventContext, Failures};

/// Turns events into bytes.
pub trait Encoder: Send {
    /// Appends what precedes the first event, such as the header of a table.
    ///
    /// Called once, before the first event, flush or end, whichever comes first.
    fn begin(&mut self, _out: &mut Vec<u8>) {}

    /// Appends one event.
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error>;

    /// Appends what follows the last event, such as a closing bracket.
    fn finish(&mut self, _out: &mut Vec<u8>) {}

    /// Called before a flush, when no event is waiting.
    fn pause(&mut self) {}

    /// Returns an encoder for another worker, or `None` if the bytes depend on earlier events.
    fn fork(&self) -> Option<Box<dyn Encoder>> {
        None
    }

    /// Returns whether events need an [id](EventContext::id) that is the same in every run.
    fn needs_ids(&self) -> bool {
        false
    }

    /// Returns the failure counter of the encoder's expression, if it has one.
    fn failures(&mut self) -> Option<&mut Failures> {
        None
    }
}

/// Why an event could not be written.
#[derive(Debug)]
pub enum OutputError {
    /// Writing failed, for example because the reader of a pipe was closed.
    Io(io::Error),
    /// The event could not be encoded or delivered.
    Failed(Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for OutputError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
