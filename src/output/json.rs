//! The format `json`: one JSON array of all events, indented like the output of `jq --slurp .`.
//!
//! Each event is written as soon as it arrives. The array is closed when the run ends, also if a
//! limit or a signal ends it.

use std::any::Any;

use colored::Colorize;

use super::columns::{Columns, part};
use super::encoder::Encoder;
use super::format::OutputFormat;
use super::style::Style;
use crate::error::Error;
use crate::query::EventContext;
use crate::redact::RedactedEvent;
use crate::text::terminal::push_quoted;

/// The indentation of each level, in spaces.
const STEP: usize = 2;

/// The format `json`.
pub const FORMAT: OutputFormat = OutputFormat {
    name: "json",
    argument: None,
    help: "One JSON array.",
    refuses_fields: None,
    is_coloured: true,
    shows_local_times: false,
    encoder: |options| Ok(Box::new(Json::new(options.columns))),
};

/// Encodes events as one array.
pub struct Json {
    columns: Option<Columns>,
    has_events: bool,
    is_fork: bool,
    styles: JsonStyles,
    /// The name or the event type that is being written.
    text: Vec<u8>,
}

struct JsonStyles {
    key: Style,
    string: Style,
    null: Style,
    hidden: Style,
}

impl Json {
    /// Creates an encoder of whole events, or of these columns of them, coloured if colours are
    /// enabled now.
    #[must_use]
    pub fn new(columns: Option<Columns>) -> Self {
        let styles = JsonStyles {
            key: Style::new(|text| text.blue()),
            string: Style::new(|text| text.green()),
            null: Style::new(|text| text.dimmed()),
            hidden: Style::new(|text| text.magenta()),
        };
        Self { columns, has_events: false, is_fork: false, styles, text: Vec::new() }
    }

    /// Appends an event as an object.
    fn push_event(&mut self, shown: &RedactedEvent<'_>, out: &mut Vec<u8>) {
        let mut object = ObjectWriter { styles: &self.styles, is_empty: true, out };
        if let Some(columns) = &self.columns {
            for name in columns.names() {
                let Some(json) = part(shown, name) else { continue };
                let is_hidden = shown.field(name).is_some_and(|field| field.hidden);
                let key = quoted(name, &mut self.text);
                object.push_member(&key[1..key.len() - 1], &json, is_hidden);
            }
        } else {
            let event_type = quoted(shown.event_type(), &mut self.text);
            object.push_member("event_type", event_type, false);
            for field in shown.fields() {
                object.push_member(field.key, field.json, field.hidden);
            }
            object.push_member("_tap", &shown.tap_json(), false);
        }
        object.finish();
    }
}

impl Encoder for Json {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let is_first = !std::mem::replace(&mut self.has_events, true) && !self.is_fork;
        out.extend_from_slice(if is_first { b"[\n" } else { b",\n" });
        push_spaces(STEP, out);
        self.push_event(context.event, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.has_events { b"\n]\n" } else { b"[]\n" });
    }

    /// Returns an encoder that writes a comma before each event.
    fn fork(&self) -> Option<Box<dyn Encoder>> {
        Some(Box::new(Self { is_fork: true, ..Self::new(self.columns.clone()) }))
    }

    fn take_pending(&mut self) -> Option<Box<dyn Any + Send>> {
        std::mem::take(&mut self.has_events).then(|| Box::new(()) as _)
    }

    /// Replaces the comma before the first event of all by the bracket.
    fn merge(&mut self, _pending: Box<dyn Any + Send>, bytes: &mut Vec<u8>) {
        let is_first = !std::mem::replace(&mut self.has_events, true);
        if let Some(first) = bytes.first_mut().filter(|_| is_first) {
            *first = b'[';
        }
    }
}

/// Returns a text as a JSON string, which is written to `json`.
fn quoted<'j>(text: &str, json: &'j mut Vec<u8>) -> &'j str {
    json.clear();
    push_quoted(text, json);
    std::str::from_utf8(json).unwrap_or_default()
}

/// Writes the object of an event.
struct ObjectWriter<'w> {
    styles: &'w JsonStyles,
    is_empty: bool,
    out: &'w mut Vec<u8>,
}

impl ObjectWriter<'_> {
    /// Appends a member; `key` is JSON without its quotes, and `json` has no space around it.
    fn push_member(&mut self, key: &str, json: &str, is_hidden: bool) {
        let is_first = std::mem::take(&mut self.is_empty);
        self.out.extend_from_slice(if is_first { b"{\n" } else { b",\n" });
        push_spaces(2 * STEP, self.out);
        self.styles.key.push_parts(["\"", key, "\""], self.out);
        self.out.extend_from_slice(b": ");
        if is_hidden {
            self.styles.hidden.push(json, self.out);
        } else if json.starts_with('"') {
            self.styles.string.push(json, self.out);
        } else {
            push_value(json, 2 * STEP, self.styles, self.out);
        }
    }

    fn finish(self) {
        if self.is_empty {
            self.out.extend_from_slice(b"{}");
        } else {
            push_line_end(STEP, self.out);
            self.out.push(b'}');
        }
    }
}

/// Appends valid JSON, indented, which begins on a line with an indentation of `by` spaces.
fn push_value(json: &str, mut by: usize, styles: &JsonStyles, out: &mut Vec<u8>) {
    let bytes = json.as_bytes();
    let skip_space = |at: usize| {
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        at + bytes[at..].iter().take_while(is_space).count()
    };
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'"' => {
                let end = end_of_string(bytes, at);
                let is_key = bytes.get(skip_space(end)) == Some(&b':');
                let style = if is_key { &styles.key } else { &styles.string };
                style.push(&json[at..end], out);
                end
            }
            b'{' | b'[' => {
                out.push(*byte);
                let next = skip_space(at + 1);
                if let Some(close @ (b'}' | b']')) = bytes.get(next) {
                    out.push(*close);
                    next + 1
                } else {
                    by += STEP;
                    push_line_end(by, out);
                    next
                }
            }
            b'}' | b']' => {
                by -= STEP;
                push_line_end(by, out);
                out.push(*byte);
                at + 1
            }
            b',' => {
                out.push(b',');
                push_line_end(by, out);
                at + 1
            }
            b':' => {
                out.extend_from_slice(b": ");
                at + 1
            }
            b'n' => {
                styles.null.push("null", out);
                at + "null".len()
            }
            b' ' | b'\t' | b'\n' | b'\r' => at + 1,
            _ => {
                let is_scalar = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                let length = bytes[at..].iter().take_while(is_scalar).count().max(1);
                out.extend_from_slice(&bytes[at..at + length]);
                at + length
            }
        };
        at = end;
    }
}

/// Returns the index after the closing quote of the string that begins at `start`.
fn end_of_string(json: &[u8], start: usize) -> usize {
    let mut from = start + 1;
    while let Some(quote) = memchr::memchr(b'"', &json[from..]).map(|at| from + at) {
        let escapes = json[start + 1..quote].iter().rev().take_while(|byte| **byte == b'\\');
        if escapes.count() % 2 == 0 {
            return quote + 1;
        }
        from = quote + 1;
    }
    json.len()
}

fn push_line_end(by: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    push_spaces(by, out);
}

fn push_spaces(count: usize, out: &mut Vec<u8>) {
    const SPACES: [u8; 32] = [b' '; 32];
    match SPACES.get(..count) {
        Some(spaces) => out.extend_from_slice(spaces),
        None => out.extend(std::iter::repeat_n(b' ', count)),
    }
}
