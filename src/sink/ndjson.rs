//! One JSON object a line: `event_type`, the fields in the order in which they arrived, `_tap`.

use std::io;

use super::columns::Columns;
use super::{Broken, Lines, Out, Sink};
use crate::redact::Shown;
use crate::sanitize;
use crate::select::Subject;

/// Writes NDJSON.
pub struct Ndjson {
    lines: Lines,
    columns: Option<Columns>,
}

impl Ndjson {
    /// Writes to `out`: whole events, or these columns of them.
    #[must_use]
    pub const fn new(out: Out, columns: Option<Columns>) -> Self {
        Self { lines: Lines::new(out), columns }
    }
}

impl Sink for Ndjson {
    fn event(&mut self, subject: &Subject<'_>) -> Result<(), Broken> {
        Ok(self.lines.line(|out| match &self.columns {
            None => object(subject.shown, out),
            Some(columns) => columns.object(subject.shown, out),
        })?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }
}

/// Appends an event as one JSON object, without a line end.
pub fn object(shown: &Shown<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"event_type\":");
    quoted(shown.event_type(), out);
    for field in shown.fields() {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(field.key.as_bytes());
        out.extend_from_slice(b"\":");
        out.extend_from_slice(field.json.as_bytes());
    }
    out.extend_from_slice(b",\"_tap\":");
    shown.write_tap(out);
    out.push(b'}');
}

/// Appends text as a JSON string.
pub fn quoted(text: &str, out: &mut Vec<u8>) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        let mut safe = String::with_capacity(text.len() + 8);
        sanitize::push_json(&serde_json::Value::from(text).to_string(), &mut safe);
        out.extend_from_slice(safe.as_bytes());
    }
}
