//! Output formats, the writer of stdout, and observers of the event stream.
//!
//! An [`Encoder`] turns a [`RedactedEvent`](crate::redact::RedactedEvent) into bytes and a
//! [`Writer`] writes the bytes. Neither has access to anything that was not redacted. [`FORMATS`]
//! lists the formats that `-o` takes; the parser, the help and the test matrices derive from it.
//! What does not write events but needs to see them (statistics, the timeline, the live screen)
//! is an [`Observer`].

pub mod cloudevents;
pub mod columns;
pub mod family;
pub mod format;
pub mod jq;
pub mod json;
pub mod ndjson;
pub mod observer;
pub mod pretty;
pub mod raw;
pub mod status;
pub mod stored_event;
pub mod table;
pub mod template;
pub mod writer;

use std::io;

use crate::error::Error;
use crate::query::{EventContext, Failures};

pub use format::{EncoderOptions, FormatChoice, OutputFormat};
pub use observer::{Observer, Tally};
pub use writer::{LineBuffer, Out, Writer};

/// The formats that `-o` takes, in the order in which help lists them.
pub const FORMATS: &[&OutputFormat] = &[
    &pretty::FORMAT,
    &ndjson::FORMAT,
    &json::FORMAT,
    &cloudevents::FORMAT,
    &table::CSV,
    &table::TSV,
    &template::FORMAT,
];

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

    /// Prepares for events that come after a pause, before the bytes so far are flushed.
    fn pause(&mut self) {}

    /// Returns an encoder for another worker, or `None` if the bytes depend on earlier events.
    fn fork(&self) -> Option<Box<dyn Encoder>> {
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
    /// Writing failed, for example because the reader of a pipe has gone.
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
