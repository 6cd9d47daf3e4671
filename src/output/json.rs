//! One JSON array of all events, indented as `jq --slurp .` would have it.
//!
//! Each event is written as soon as it has come; the array is closed when the run ends, by a limit or a signal too.

use std::borrow::Cow;
use std::io;

use colored::Colorize;

use super::columns::Columns;
use super::{EventSink, LineBuffer, Out, OutputError};
use crate::json::scan;
use crate::query::EventContext;
use crate::redact::RedactedEvent;
use crate::text::terminal::push_quoted;

/// How far each level is indented.
const STEP: usize = 2;

/// Writes an array.
pub struct Json {
    lines: LineBuffer,
    columns: Option<Columns>,
    begun: bool,
}

impl Json {
    /// Writes to `out`: whole events, or these columns of them; coloured if colours are on.
    #[must_use]
    pub const fn new(out: Out, columns: Option<Columns>) -> Self {
        Self { lines: LineBuffer::new(out), columns, begun: false }
    }
}

impl EventSink for Json {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        let mut text =
            if std::mem::replace(&mut self.begun, true) { ",\n" } else { "[\n" }.to_owned();
        indent(STEP, &mut text);
        members(members_of(context.event, self.columns.as_ref()), STEP, &mut text);
        Ok(self.lines.text(|out| out.extend_from_slice(text.as_bytes()))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        let end: &[u8] = if self.begun { b"\n]" } else { b"[]" };
        self.lines.line(|out| out.extend_from_slice(end))?;
        self.lines.flush()
    }
}

/// A member: its key as JSON, its value, and whether that is hidden.
type JsonField<'a> = (String, Cow<'a, str>, bool);

fn members_of<'a>(
    shown: &'a RedactedEvent<'_>,
    columns: Option<&'a Columns>,
) -> Vec<JsonField<'a>> {
    if let Some(columns) = columns {
        let is_hidden = |name: &str| shown.field(name).is_some_and(|field| field.hidden);
        return columns
            .parts(shown)
            .filter_map(|(name, json)| Some((key(name), json?, is_hidden(name))))
            .collect();
    }
    let first = (key("event_type"), Cow::Owned(key(shown.event_type())), false);
    let fields = shown
        .fields()
        .map(|field| (format!("\"{}\"", field.key), Cow::Borrowed(field.json), field.hidden));
    let last = (key("_tap"), shown.tap_json(), false);
    std::iter::once(first).chain(fields).chain([last]).collect()
}

fn key(text: &str) -> String {
    let mut json = Vec::new();
    push_quoted(text, &mut json);
    String::from_utf8(json).unwrap_or_default()
}

fn indent(by: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', by));
}

/// Appends an object whose own line is indented by that much.
fn members<'a>(members: impl IntoIterator<Item = JsonField<'a>>, by: usize, out: &mut String) {
    let mut first = true;
    for (key, json, is_hidden) in members {
        out.push_str(if std::mem::take(&mut first) { "{\n" } else { ",\n" });
        indent(by + STEP, out);
        *out += &key.blue().to_string();
        out.push_str(": ");
        if is_hidden {
            *out += &json.magenta().to_string();
        } else {
            value(&json, by + STEP, out);
        }
    }
    close(first, "{}", by, '}', out);
}

/// Appends a value that begins on a line that is indented by that much.
fn value(json: &str, by: usize, out: &mut String) {
    match json.as_bytes().first() {
        Some(b'{') => {
            let entries = scan::entries(json).into_iter();
            members(
                entries.map(|(key, json)| {
                    (format!("\"{}\"", key.unwrap_or_default()), Cow::Borrowed(json), false)
                }),
                by,
                out,
            );
        }
        Some(b'[') => {
            let mut first = true;
            for (_, json) in scan::entries(json) {
                out.push_str(if std::mem::take(&mut first) { "[\n" } else { ",\n" });
                indent(by + STEP, out);
                value(json, by + STEP, out);
            }
            close(first, "[]", by, ']', out);
        }
        Some(b'"') => *out += &json.green().to_string(),
        Some(b'n') => *out += &json.dimmed().to_string(),
        _ => out.push_str(json),
    }
}

fn close(is_empty: bool, empty: &str, by: usize, end: char, out: &mut String) {
    if is_empty {
        out.push_str(empty);
    } else {
        out.push('\n');
        indent(by, out);
        out.push(end);
    }
}
