//! The format `ndjson`: one JSON object per line.
//!
//! An object has `event_type`, then the fields in the order in which they arrived, then `_tap`.

use super::columns::Columns;
use super::encoder::Encoder;
use super::format::OutputFormat;
use crate::error::Error;
use crate::query::EventContext;
use crate::redact::RedactedEvent;

/// The format `ndjson`.
pub const FORMAT: OutputFormat = OutputFormat {
    name: "ndjson",
    argument: None,
    help: "One JSON object per line.",
    refuses_fields: None,
    is_coloured: false,
    shows_local_times: false,
    encoder: |options| Ok(Box::new(Ndjson::new(options.columns))),
};

/// Encodes events as NDJSON.
pub struct Ndjson {
    columns: Option<Columns>,
}

impl Ndjson {
    /// Creates an encoder of whole events, or of these columns of them.
    #[must_use]
    pub const fn new(columns: Option<Columns>) -> Self {
        Self { columns }
    }
}

impl Encoder for Ndjson {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        match &self.columns {
            None => line(context.event, out),
            Some(columns) => {
                columns.object(context.event, out);
                out.push(b'\n');
            }
        }
        Ok(())
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        Some(Box::new(Self { columns: self.columns.clone() }))
    }

    fn is_ndjson(&self) -> bool {
        self.columns.is_none()
    }
}

/// Appends an event as one JSON object, without a line end.
pub fn object(shown: &RedactedEvent<'_>, out: &mut Vec<u8>) {
    shown.write_object(out);
}

/// Appends an event as one JSON object and a line end.
pub fn line(shown: &RedactedEvent<'_>, out: &mut Vec<u8>) {
    object(shown, out);
    out.push(b'\n');
}
