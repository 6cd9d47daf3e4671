//! Events as jq sees them: the values of a [`RedactedEvent`], and nothing behind its masks.

use bytes::Bytes;
use jaq_json::{Map, Num, Val};

use crate::json::scan;
use crate::json::string::unescape;
use crate::redact::RedactedEvent;
use crate::text::terminal;

/// The whole event as one object, `event_type` first and `_tap` last, as in NDJSON.
#[must_use]
pub fn event(shown: &RedactedEvent<'_>) -> Val {
    let mut object = Map::default();
    object.insert(text("event_type"), text(shown.event_type()));
    for field in shown.fields() {
        object.insert(text(&field.name()), json(field.json));
    }
    object.insert(text("_tap"), json(&shown.tap_json()));
    Val::obj(object)
}

/// These fields of the event, as far as it has them, as one object. Each name comes with itself as a key.
#[must_use]
pub fn fields(shown: &RedactedEvent<'_>, names: &[(String, Val)]) -> Val {
    let mut object = Map::default();
    for (name, key) in names {
        // Of two with one name, the one in the payload counts, as it comes later.
        let value = match name.as_str() {
            "_tap" => json(&shown.tap_json()),
            name => match shown.field(name) {
                Some(field) => json(field.json),
                None if name == "event_type" => text(shown.event_type()),
                None => continue,
            },
        };
        object.insert(key.clone(), value);
    }
    Val::obj(object)
}

/// A string.
#[must_use]
pub fn text(text: &str) -> Val {
    Val::utf8_str(Bytes::copy_from_slice(text.as_bytes()))
}

/// A value from JSON that has been found valid.
#[must_use]
pub fn json(json: &str) -> Val {
    match json.as_bytes() {
        [b'"', inside @ .., b'"'] if !inside.contains(&b'\\') => {
            Val::utf8_str(Bytes::copy_from_slice(inside))
        }
        _ => jaq_json::read::parse_single(json.as_bytes()).unwrap_or_default(),
    }
}

/// A value as JSON on one line, hostile characters as escapes. Numbers that were calculated are written as jq does: whole
/// ones without a fraction, `nan` as null, the infinities as the largest numbers.
#[must_use]
pub fn to_json(value: &Val) -> String {
    let mut text = value.to_string();
    if [".0", "NaN", "Infinity", "e"].iter().any(|mark| text.contains(mark)) {
        text = with_numbers_of_jq(value).to_string();
    }
    let mut json = String::with_capacity(text.len());
    terminal::push_json(&text, &mut json);
    json
}

fn with_numbers_of_jq(value: &Val) -> Val {
    match value {
        Val::Num(Num::Float(number)) if number.is_nan() => Val::Null,
        Val::Num(Num::Float(number)) if number.is_infinite() => {
            Val::from(f64::MAX.copysign(*number))
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 2^53 it is exact")]
        Val::Num(Num::Float(number)) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Val::from(*number as isize)
        }
        Val::Arr(items) => items.iter().map(with_numbers_of_jq).collect(),
        Val::Obj(object) => Val::obj(
            object.iter().map(|(key, value)| (key.clone(), with_numbers_of_jq(value))).collect(),
        ),
        other => other.clone(),
    }
}

/// Whether jq takes a value for true.
#[must_use]
pub const fn is_true(value: &Val) -> bool {
    !matches!(value, Val::Null | Val::Bool(false))
}

/// The member of an object in JSON: of several with one key, the last.
#[must_use]
pub fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let is_key = |found: &str| found == key || unescape(found) == key;
    scan::entries(object)
        .into_iter()
        .rev()
        .find(|(found, _)| found.is_some_and(is_key))
        .map(|(_, value)| value)
}
