//! The interface of an output format, and the reasons why writing can fail.

use std::any::Any;
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

    /// Returns an encoder for another worker, or `None` if the bytes depend on earlier events in a
    /// way that [`merge`](Self::merge) cannot complete.
    fn fork(&self) -> Option<Box<dyn Encoder>> {
        None
    }

    /// Called on a fork after each chunk. Returns what the original needs to complete the bytes
    /// that the fork has appended since the last call, or `None` if they are complete.
    fn take_pending(&mut self) -> Option<Box<dyn Any + Send>> {
        None
    }

    /// Completes the bytes of a fork for one chunk, for example the separator before the first
    /// event, which depends on earlier chunks. Chunks are completed in order, and interleaved with
    /// calls of [`event`](Self::event) for the chunks that are not processed by a fork.
    fn merge(&mut self, _pending: Box<dyn Any + Send>, _bytes: &mut Vec<u8>) {}

    /// Returns whether the bytes of an event are its object and a line end, as in a record.
    fn is_ndjson(&self) -> bool {
        false
    }

    /// Returns how many bytes of an event precede its [id](EventContext::id), or `None` if the
    /// encoder does not need ids that are the same in every run.
    fn id_offset(&self) -> Option<usize> {
        None
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
