//! Output formats, the writer of stdout, and observers of the event stream.
//!
//! An [`Encoder`] turns a [`RedactedEvent`](crate::redact::RedactedEvent) into bytes and a
//! [`Writer`] writes the bytes. Neither has access to anything that was not redacted. [`FORMATS`]
//! lists the formats that `-o` takes; the parser, the help and the test matrices derive from it.
//! Parts of the program that look at events without writing them (statistics, the timeline, the
//! live screen) are [`Observer`]s. Status messages on stderr go through [`status`].

pub mod cloudevents;
pub mod columns;
mod encoder;
pub mod event_ids;
pub mod family;
mod format;
mod formats;
pub mod jq;
pub mod json;
pub mod ndjson;
pub mod observer;
pub mod pretty;
pub mod raw;
pub mod status;
pub mod status_lines;
pub mod stored_event;
mod style;
pub mod table;
pub mod template;
pub mod trace_status;
pub mod writer;

pub use encoder::{Encoder, OutputError};
pub use format::{EncoderOptions, OutputFormat, TimeDisplay};
pub use formats::{FORMATS, FormatChoice, list_formats};
pub use observer::{Observer, ObserverTally};
pub use writer::{LineBuffer, Out, Writer};
