//! The format `json`: one JSON array of all events, indented like the output of `jq --slurp .`.
//!
//! Each event is written as soon as it arrives. The array is closed when the run ends, also if a
//! limit or a signal ends it.

use std::borrow::Cow;

use colored::Colorize;

use super::columns::Columns;
use super::encoder::Encoder;
use super::format::OutputFormat;
use crate::error::Error;
use crate::json::scan;
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
}

impl Json {
    /// Creates an encoder of whole events, or of these columns of them, coloured if colours are
    /// enabled.
    #[must_use]
    pub const fn new(columns: Option<Columns>) -> Self {
        Self { columns, has_events: false }
    }
}

impl Encoder for Json {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let is_first = !std::mem::replace(&mut self.has_events, true);
        let mut text = if is_first { "[\n" } else { ",\n" }.to_owned();
        indent(STEP, &mut text);
        members(members_of(context.event, self.columns.as_ref()), STEP, &mut text);
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.has_events { b"\n]\n" } else { b"[]\n" });
    }
}

/// A member of an object: its key as JSON, its value, and whether the value is hidden.
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

/// Appends an object that begins on a line with an indentation of `by` spaces.
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

/// Appends a value that begins on a line with an indentation of `by` spaces.
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
