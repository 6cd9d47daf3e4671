//! Conversion between redacted events and jq values.

use bytes::Bytes;
use jaq_json::{Map, Num, Val};

use crate::json::scan;
use crate::json::string::unescape;
use crate::redact::RedactedEvent;
use crate::text::terminal;

/// Converts the whole event to an object, with `event_type` first and `_tap` last, as in NDJSON.
#[must_use]
pub fn event(event: &RedactedEvent<'_>) -> Val {
    let mut object = Map::default();
    object.insert(text("event_type"), text(event.event_type()));
    for field in event.fields() {
        object.insert(text(&field.name()), json(field.json));
    }
    object.insert(text("_tap"), json(&event.tap_json()));
    Val::obj(object)
}

/// Converts the named fields to an object. Each name comes with its jq value, which is the key.
#[must_use]
pub fn fields(event: &RedactedEvent<'_>, names: &[(String, Val)]) -> Val {
    let mut object = Map::default();
    for (name, key) in names {
        // A field of the payload takes precedence over the event type, as it comes later.
        let value = match name.as_str() {
            "_tap" => json(&event.tap_json()),
            name => match event.field(name) {
                Some(field) => json(field.json),
                None if name == "event_type" => text(event.event_type()),
                None => continue,
            },
        };
        object.insert(key.clone(), value);
    }
    Val::obj(object)
}

/// Converts a text to a jq string.
#[must_use]
pub fn text(text: &str) -> Val {
    Val::utf8_str(Bytes::copy_from_slice(text.as_bytes()))
}

/// Converts JSON that is known to be valid.
#[must_use]
pub fn json(json: &str) -> Val {
    match json.as_bytes() {
        [b'"', inside @ .., b'"'] if !inside.contains(&b'\\') => {
            Val::utf8_str(Bytes::copy_from_slice(inside))
        }
        _ => jaq_json::read::parse_single(json.as_bytes()).unwrap_or_default(),
    }
}

/// Writes a value as JSON on one line, with hostile characters escaped.
///
/// Calculated numbers are written as jq writes them: integers without a fraction, `nan` as null,
/// and the infinities as the largest finite numbers.
#[must_use]
pub fn to_json(value: &Val) -> String {
    let mut text = value.to_string();
    if [".0", "NaN", "Infinity", "e"].iter().any(|mark| text.contains(mark)) {
        text = with_jq_numbers(value).to_string();
    }
    let mut json = String::with_capacity(text.len());
    terminal::push_json(&text, &mut json);
    json
}

fn with_jq_numbers(value: &Val) -> Val {
    match value {
        Val::Num(Num::Float(number)) if number.is_nan() => Val::Null,
        Val::Num(Num::Float(number)) if number.is_infinite() => {
            Val::from(f64::MAX.copysign(*number))
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 2^53 it is exact")]
        Val::Num(Num::Float(number)) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Val::from(*number as isize)
        }
        Val::Arr(items) => items.iter().map(with_jq_numbers).collect(),
        Val::Obj(object) => Val::obj(
            object.iter().map(|(key, value)| (key.clone(), with_jq_numbers(value))).collect(),
        ),
        other => other.clone(),
    }
}

/// Returns whether jq takes a value for true: anything but null and false.
#[must_use]
pub const fn is_true(value: &Val) -> bool {
    !matches!(value, Val::Null | Val::Bool(false))
}

/// Returns a member of a JSON object; of duplicates, the last.
#[must_use]
pub fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let is_key = |found: &str| found == key || unescape(found) == key;
    scan::entries(object)
        .into_iter()
        .rev()
        .find(|(found, _)| found.is_some_and(is_key))
        .map(|(_, value)| value)
}
