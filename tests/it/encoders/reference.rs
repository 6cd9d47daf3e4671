//! The straightforward way to write the formats for machines, and `template`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use colored::Colorize;
use csv::{QuoteStyle, WriterBuilder};
use evtap::internals::output::columns::{Columns, text};
use evtap::internals::output::ndjson;
use evtap::json::scan;
use evtap::query::value::member;
use evtap::redact::RedactedEvent;
use evtap::text::terminal::{self, push_quoted};
use minijinja::Value;
use minijinja::value::Serde;

fn quoted(text: &str) -> String {
    let mut json = Vec::new();
    push_quoted(text, &mut json);
    String::from_utf8(json).expect("UTF-8")
}

/// Returns a part of an event as JSON.
fn part<'a>(shown: &'a RedactedEvent<'_>, name: &str) -> Option<Cow<'a, str>> {
    if let Some(field) = shown.field(name) {
        return Some(field.json.into());
    }
    match name {
        "event_type" => return Some(quoted(shown.event_type()).into()),
        "_tap" => return Some(shown.tap_json()),
        "payload" => {
            let members: Vec<_> =
                shown.fields().map(|field| format!("\"{}\":{}", field.key, field.json)).collect();
            return Some(format!("{{{}}}", members.join(",")).into());
        }
        _ => {}
    }
    let (outer, inner) = name.split_once('.')?;
    let mut json = part(shown, outer)?.into_owned();
    for key in inner.split('.') {
        json = if json.starts_with('{') { member(&json, key)?.to_owned() } else { return None };
    }
    Some(json.into())
}

/// Returns an event as an object in an array.
pub fn json(shown: &RedactedEvent<'_>, columns: Option<&Columns>) -> String {
    let mut text = String::new();
    members(members_of(shown, columns), 2, &mut text);
    text
}

/// A member of an object: its key as JSON, its value, and whether the value is hidden.
type JsonField<'a> = (String, Cow<'a, str>, bool);

fn members_of<'a>(shown: &'a RedactedEvent<'_>, columns: Option<&Columns>) -> Vec<JsonField<'a>> {
    if let Some(columns) = columns {
        let is_hidden = |name: &str| shown.field(name).is_some_and(|field| field.hidden);
        let names = columns.names().iter();
        return names
            .filter_map(|name| Some((quoted(name), part(shown, name)?, is_hidden(name))))
            .collect();
    }
    let first = (quoted("event_type"), quoted(shown.event_type()).into(), false);
    let fields = shown
        .fields()
        .map(|field| (format!("\"{}\"", field.key), Cow::Borrowed(field.json), field.hidden));
    std::iter::once(first)
        .chain(fields)
        .chain([(quoted("_tap"), shown.tap_json(), false)])
        .collect()
}

fn indent(by: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', by));
}

fn members<'a>(members: impl IntoIterator<Item = JsonField<'a>>, by: usize, out: &mut String) {
    let mut first = true;
    for (key, json, is_hidden) in members {
        out.push_str(if std::mem::take(&mut first) { "{\n" } else { ",\n" });
        indent(by + 2, out);
        *out += &key.blue().to_string();
        out.push_str(": ");
        if is_hidden {
            *out += &json.magenta().to_string();
        } else {
            value(&json, by + 2, out);
        }
    }
    close(first, "{}", by, '}', out);
}

fn value(json: &str, by: usize, out: &mut String) {
    match json.as_bytes().first() {
        Some(b'{') => {
            let entries = scan::entries(json).into_iter();
            let member = |(key, json): (Option<&str>, _)| {
                (format!("\"{}\"", key.unwrap_or_default()), Cow::Borrowed(json), false)
            };
            members(entries.map(member), by, out);
        }
        Some(b'[') => {
            let mut first = true;
            for (_, json) in scan::entries(json) {
                out.push_str(if std::mem::take(&mut first) { "[\n" } else { ",\n" });
                indent(by + 2, out);
                value(json, by + 2, out);
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

/// Returns an event as a row of a table.
pub fn row(shown: &RedactedEvent<'_>, columns: &Columns, is_csv: bool) -> String {
    let cell = |name| part(shown, name).map_or_else(String::new, |json| text(&json));
    cells(columns.names().iter().map(|name| cell(name)), is_csv)
}

/// Returns a row with these cells.
pub fn cells(cells: impl Iterator<Item = String>, is_csv: bool) -> String {
    let (delimiter, quotes, end) = if is_csv {
        (b',', QuoteStyle::Necessary, "\r\n")
    } else {
        (b'\t', QuoteStyle::Never, "\n")
    };
    let mut writer =
        WriterBuilder::new().delimiter(delimiter).quote_style(quotes).from_writer(Vec::new());
    let cells = cells.map(|cell| terminal::visible(&cell).into_owned());
    writer.write_record(cells).expect("memory");
    let row = String::from_utf8(writer.into_inner().expect("memory")).expect("UTF-8");
    row.strip_suffix('\n').unwrap_or(&row).to_owned() + end
}

/// Returns an event with this id as a CloudEvent.
pub fn cloud_event(shown: &RedactedEvent<'_>, id: &str) -> String {
    let tap = shown.tap();
    let source = match (&tap.workspace_id, &tap.call_sid) {
        (Some(workspace), Some(call)) => format!("/v1/{workspace}/observers/{call}/ws"),
        (Some(workspace), None) => format!("/v1/{workspace}/events/stream"),
        (None, _) => "evtap".to_owned(),
    };
    let shown_text = |name: &&str| {
        let field = shown.field(name).filter(|field| !field.hidden)?;
        field.text().filter(|text| !text.is_empty()).map(Cow::into_owned)
    };
    let subject = ["call_sid", "surface_id", "session_id"].iter().find_map(shown_text);
    let attributes = [
        ("id", Some(id)),
        ("source", Some(&*source)),
        ("type", Some(shown.event_type())),
        ("subject", subject.as_deref().or(tap.call_sid.as_deref())),
        ("time", tap.time.as_deref().or(tap.received_at.as_deref())),
        ("datacontenttype", Some("application/json")),
    ];
    let mut text = "{\"specversion\":\"1.0\"".to_owned();
    for (name, value) in attributes {
        if let Some(value) = value {
            let _ = write!(text, ",\"{name}\":{}", quoted(&legal(value)));
        }
    }
    let mut data = Vec::new();
    ndjson::object(shown, &mut data);
    format!("{text},\"data\":{}}}", String::from_utf8(data).expect("UTF-8"))
}

fn legal(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        let is_noncharacter =
            matches!(character, '\u{fdd0}'..='\u{fdef}') || u32::from(character) & 0xfffe == 0xfffe;
        if character.is_control() || is_noncharacter {
            let _ = write!(out, "{}", character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// Returns all parts of an event as variables of a template.
pub fn variables(shown: &RedactedEvent<'_>) -> Value {
    let parse = |json: &str| {
        let value = serde_json::from_str::<serde_json::Value>(json).expect("JSON");
        Value::from(Serde(value))
    };
    let own = [
        ("event_type".to_owned(), Value::from(shown.event_type())),
        ("_tap".to_owned(), parse(&shown.tap_json())),
    ];
    let fields = shown.fields().map(|field| (field.name().into_owned(), parse(field.json)));
    own.into_iter().chain(fields).collect::<BTreeMap<_, _>>().into()
}
