//! Converts redacted events to values.

use super::jq_text::JqText;
use super::jq_value::{JqObject, JqValue};
use super::number::Number;
use super::read;
use crate::json::scan;
use crate::json::string::unescape;
use crate::redact::RedactedEvent;

/// Converts the whole event to an object, with `event_type` first and `_tap` last, as in NDJSON.
#[must_use]
pub fn event(event: &RedactedEvent<'_>) -> JqValue {
    let mut object = JqObject::with_capacity(event.fields().count() + 2);
    object.insert("event_type".into(), JqValue::text(event.event_type()));
    for field in event.fields() {
        object.insert((&*field.name()).into(), json(field.json));
    }
    object.insert("_tap".into(), json(&event.tap_json()));
    JqValue::Object(object)
}

/// Converts the named fields to an object.
#[must_use]
pub fn fields(event: &RedactedEvent<'_>, names: &[JqText]) -> JqValue {
    let mut object = JqObject::with_capacity(names.len());
    for name in names {
        // A field of the payload takes precedence over the event type, as it comes later.
        let value = match &**name {
            "_tap" => json(&event.tap_json()),
            field => match event.field(field) {
                Some(field) => json(field.json),
                None if field == "event_type" => JqValue::text(event.event_type()),
                None => continue,
            },
        };
        object.insert(name.clone(), value);
    }
    JqValue::Object(object)
}

/// Converts JSON that is known to be valid.
#[must_use]
pub fn json(json: &str) -> JqValue {
    match json.as_bytes() {
        [b'"', inside @ .., b'"'] if !inside.contains(&b'\\') => {
            JqValue::text(&json[1..json.len() - 1])
        }
        [b'-' | b'0'..=b'9', ..] => Number::parse(json).map(JqValue::Number).unwrap_or_default(),
        _ => read::read(json).unwrap_or_default(),
    }
}

/// Returns a member of a JSON object; of duplicates, the last.
#[must_use]
pub fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let is_key = |found: &str| found == key || unescape(found) == key;
    scan::iter_entries(object)
        .filter(|(found, _)| found.is_some_and(is_key))
        .last()
        .map(|(_, value)| value)
}
