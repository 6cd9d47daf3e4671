//! Writes the JSON of an event as jq writes the values that it stands for: strings with jq's
//! escapes, numbers with their canonical digits, objects without duplicate keys.

use std::borrow::Cow;

use super::expr::EvalError;
use super::value::NativeValue;
use crate::json::scan;
use crate::query::value::{Number, json, push_escaped};
use crate::redact::RedactedEvent;

/// The most members of an object that are compared with each other.
const MAX_MEMBERS: usize = 32;

impl NativeValue<'_> {
    /// Appends the value as JSON; hostile characters may remain. Fails if jq might write something
    /// else.
    pub(super) fn push_json(
        &self,
        event: &RedactedEvent<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        let value = match self {
            Self::Event => return push_event(event, out),
            Self::Json(json) => return push_value(json, out),
            Self::Text(text) => {
                push_text(text, out);
                return Ok(());
            }
            Self::Constant(value) => value,
            Self::Computed(value) => value,
        };
        if value.push_json(out) { Ok(()) } else { Err(EvalError) }
    }
}

/// Appends a text as a JSON string.
pub(super) fn push_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    push_escaped(text, out, usize::MAX);
    out.push(b'"');
}

/// Appends the whole event, with `event_type` first and `_tap` last.
fn push_event(event: &RedactedEvent<'_>, out: &mut Vec<u8>) -> Result<(), EvalError> {
    if !event.has_distinct_names() {
        return Err(EvalError);
    }
    out.extend_from_slice(b"{\"event_type\":");
    push_text(event.event_type(), out);
    for field in event.fields() {
        out.extend_from_slice(b",\"");
        push_contents(field.key, true, out)?;
        out.extend_from_slice(b"\":");
        push_value(field.json, out)?;
    }
    out.extend_from_slice(b",\"_tap\":");
    match event.tap_json() {
        Cow::Borrowed(tap) => push_value(tap, out)?,
        Cow::Owned(tap) => NativeValue::Computed(json(&tap)).push_json(event, out)?,
    }
    out.push(b'}');
    Ok(())
}

/// Appends a JSON value.
pub(super) fn push_value(json: &str, out: &mut Vec<u8>) -> Result<(), EvalError> {
    match json.as_bytes() {
        [b'"', inside @ .., b'"'] => {
            if inside.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
                out.extend_from_slice(json.as_bytes());
                return Ok(());
            }
            out.push(b'"');
            push_contents(&json[1..json.len() - 1], true, out)?;
            out.push(b'"');
        }
        [b'-' | b'0'..=b'9', ..] => push_number(json, out)?,
        [b'[', ..] => {
            out.push(b'[');
            for (at, (_, item)) in scan::iter_entries(json).enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push_value(item, out)?;
            }
            out.push(b']');
        }
        [b'{', ..] => push_object(json, out)?,
        _ => out.extend_from_slice(json.as_bytes()),
    }
    Ok(())
}

/// Returns whether a character of a string is written as it is, and is harmless.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'\\'
}

fn push_object(json: &str, out: &mut Vec<u8>) -> Result<(), EvalError> {
    let mut names = [""; MAX_MEMBERS];
    out.push(b'{');
    for (at, (name, value)) in scan::iter_entries(json).enumerate() {
        let (Some(name), true) = (name, at < MAX_MEMBERS) else { return Err(EvalError) };
        if name.contains('\\') || names[..at].contains(&name) {
            return Err(EvalError);
        }
        names[at] = name;
        out.extend_from_slice(if at > 0 { b",\"" } else { b"\"" });
        push_contents(name, true, out)?;
        out.extend_from_slice(b"\":");
        push_value(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn push_number(json: &str, out: &mut Vec<u8>) -> Result<(), EvalError> {
    let digits = json.strip_prefix('-').unwrap_or(json);
    let is_canonical = match digits.split_once('.') {
        None => is_digits(digits),
        // Smaller numbers are written with an exponent.
        Some((whole, fraction)) => {
            is_digits(whole)
                && is_digits(fraction)
                && (whole != "0" || !fraction.starts_with("000000"))
        }
    };
    if is_canonical {
        out.extend_from_slice(json.as_bytes());
    } else {
        Number::parse(json).ok_or(EvalError)?.write(out);
    }
    Ok(())
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Appends the contents of a JSON string: with jq's escapes if it `is_json`, or else without any.
pub(super) fn push_contents(
    contents: &str,
    is_json: bool,
    out: &mut Vec<u8>,
) -> Result<(), EvalError> {
    let mut rest = contents;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        push_unescaped(&rest[..at], is_json, out);
        let escape = *rest.as_bytes().get(at + 1).ok_or(EvalError)?;
        rest = &rest[at + 2..];
        let character = match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let (character, length) = decode_unit(rest).ok_or(EvalError)?;
                rest = &rest[length..];
                character
            }
            _ => return Err(EvalError),
        };
        push_unescaped(character.encode_utf8(&mut [0; 4]), is_json, out);
    }
    push_unescaped(rest, is_json, out);
    Ok(())
}

fn push_unescaped(text: &str, is_json: bool, out: &mut Vec<u8>) {
    if is_json {
        push_escaped(text, out, usize::MAX);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Decodes the digits after `\u`, and the second unit of a pair. Also returns their length.
fn decode_unit(text: &str) -> Option<(char, usize)> {
    let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
    let first = unit(text)?;
    if !matches!(first, 0xd800..=0xdbff) {
        return Some((char::from_u32(u32::from(first))?, 4));
    }
    let second = unit(text.get(4..)?.strip_prefix("\\u")?)?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 10))
}
