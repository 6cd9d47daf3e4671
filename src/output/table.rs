//! The formats `csv` and `tsv`: a header line with the names of the columns, then one line per
//! event.
//!
//! CSV follows RFC 4180, with lines that end in CRLF.

use super::columns::{Columns, PAYLOAD, part, tap_text};
use super::encoder::Encoder;
use super::format::{EncoderOptions, OutputFormat};
use crate::error::Error;
use crate::json::string::{contents, push_unescaped};
use crate::query::EventContext;
use crate::redact::RedactedEvent;
use crate::text::terminal;

/// The format `csv`.
pub const CSV: OutputFormat = OutputFormat {
    name: "csv",
    argument: None,
    help: "A table with commas.",
    refuses_fields: None,
    is_coloured: false,
    shows_local_times: false,
    encoder: |options| Ok(Box::new(Table::new(options, Separator::Comma))),
};

/// The format `tsv`.
pub const TSV: OutputFormat = OutputFormat {
    name: "tsv",
    help: "A table with tabs.",
    encoder: |options| Ok(Box::new(Table::new(options, Separator::Tab))),
    ..CSV
};

/// The separator between the cells of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// A comma; cells are quoted if they need to be.
    Comma,
    /// A tab; cells are never quoted.
    Tab,
}

/// Encodes events as the rows of a table.
#[derive(Clone)]
pub struct Table {
    columns: Columns,
    separator: Separator,
    /// The text of a cell that is not in the event as it is shown.
    text: String,
    /// The cell of [`PAYLOAD`].
    payload: Vec<u8>,
}

impl Table {
    /// Creates an encoder of the selected columns, or of the default columns.
    #[must_use]
    pub fn new(options: EncoderOptions, separator: Separator) -> Self {
        let columns = options.columns.unwrap_or_else(Columns::usual);
        Self { columns, separator, text: String::new(), payload: Vec::new() }
    }

    /// Appends the part of an event with that name.
    fn push_part(&mut self, shown: &RedactedEvent<'_>, name: &str, out: &mut Vec<u8>) {
        let tap = || {
            let text = tap_text(shown.tap(), name.strip_prefix("_tap.")?)?;
            shown.field("_tap").is_none().then_some(text)
        };
        if let Some(field) = shown.field(name) {
            self.push_json(field.json, out);
        } else if name == "event_type" {
            self.push_text(shown.event_type(), out);
        } else if name == PAYLOAD {
            self.push_payload(shown, out);
        } else if let Some(text) = tap() {
            self.push_text(text, out);
        } else if let Some(json) = part(shown, name) {
            self.push_json(&json, out);
        }
    }

    /// Appends a JSON value: a string without quotes, null as empty text, and anything else as
    /// JSON.
    fn push_json(&mut self, json: &str, out: &mut Vec<u8>) {
        match contents(json) {
            Some(text) if is_simple(text) => out.extend_from_slice(text.as_bytes()),
            Some(text) => {
                let mut unescaped = std::mem::take(&mut self.text);
                unescaped.clear();
                push_unescaped(text, &mut unescaped);
                self.push_text(&unescaped, out);
                self.text = unescaped;
            }
            None if json == "null" => {}
            None => self.push_text(json, out),
        }
    }

    /// Appends a text. Control characters are escaped, so that each event takes one line.
    fn push_text(&self, text: &str, out: &mut Vec<u8>) {
        if is_simple(text) {
            out.extend_from_slice(text.as_bytes());
        } else {
            push_cell(terminal::visible(text).as_bytes(), self.separator, out);
        }
    }

    /// Appends the fields of an event as one JSON object.
    fn push_payload(&mut self, shown: &RedactedEvent<'_>, out: &mut Vec<u8>) {
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        shown.write_fields(&mut payload);
        // The fields follow a comma, as if another member came before.
        match payload.first_mut() {
            Some(comma) => *comma = b'{',
            None => payload.push(b'{'),
        }
        payload.push(b'}');
        push_cell(&payload, self.separator, out);
        self.payload = payload;
    }

    fn push_row(&mut self, out: &mut Vec<u8>, push: impl Fn(&mut Self, &str, &mut Vec<u8>)) {
        let (delimiter, end): (_, &[u8]) = match self.separator {
            Separator::Comma => (b',', b"\r\n"),
            Separator::Tab => (b'\t', b"\n"),
        };
        let start = out.len();
        let columns = std::mem::replace(&mut self.columns, Columns::new(Vec::new()));
        for (at, name) in columns.names().iter().enumerate() {
            if at > 0 {
                out.push(delimiter);
            }
            push(self, name, out);
        }
        // Many readers skip an empty line, so it is not a row with an empty cell.
        if out.len() == start {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(end);
        self.columns = columns;
    }
}

impl Encoder for Table {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.push_row(out, |table, name, out| table.push_text(name, out));
    }

    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        self.push_row(out, |table, name, out| table.push_part(context.event, name, out));
        Ok(())
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        Some(Box::new(self.clone()))
    }
}

/// Returns whether a text, or the contents of a JSON string, is a cell as it stands.
fn is_simple(text: &str) -> bool {
    // Without an early exit the compiler checks several bytes in each step.
    let is_simple = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b',' | b'\\');
    text.bytes().fold(true, |simple, byte| simple & is_simple(byte))
}

/// Appends text without control characters as a cell, in quotes if it needs them.
fn push_cell(text: &[u8], separator: Separator, out: &mut Vec<u8>) {
    let needs_quotes = separator == Separator::Comma && memchr::memchr2(b'"', b',', text).is_some();
    if !needs_quotes {
        out.extend_from_slice(text);
        return;
    }
    let start = out.len();
    out.resize(start + 2 * text.len() + 2, b'"');
    let cell = &mut out[start..];
    let mut at = 1;
    for byte in text {
        cell[at] = *byte;
        // The place of the next byte is after the second quote, which is there already.
        at += 1 + usize::from(*byte == b'"');
    }
    out.truncate(start + at + 1);
}
