//! The JSON of a typed event as evtap shows it by default: hidden values are masked, free text is
//! scrubbed, and everything else is as it arrived.
//!
//! [`redact`](crate::redact) does this faster and for any policy; a test compares the two. They
//! differ in one point: here, a value that does not have its declared type is always masked.

use std::borrow::Cow;

use super::name::shown_name;
use super::stand_in::MASK_JSON;
use super::types::{Type, is_choice};
use crate::json::string::{unescape, unquote};
use crate::json::{JsonType, scan};
use crate::text::{MASK, scrub, terminal};

/// Appends a key, given the text between its quotes, and a colon.
pub(super) fn push_key(key: &str, out: &mut String) {
    out.push('"');
    terminal::push_json(key, out);
    out.push_str("\":");
}

/// Appends an undeclared key, or the mask if the key does not look like a name.
pub(super) fn push_unknown_key(key: &str, out: &mut String) {
    let name = unescape(key);
    push_key(if shown_name(&name) == name { key } else { MASK }, out);
}

/// Appends the mask for a hidden or undeclared value; null stays null.
pub(super) fn push_hidden(json: &str, out: &mut String) {
    out.push_str(if json == "null" { json } else { MASK_JSON });
}

/// Appends a declared value, with the parts masked that do not match the declaration.
pub(super) fn push_declared(json: &str, ty: &Type, is_free: bool, out: &mut String) {
    if json == "null" {
        out.push_str(json);
    } else if !matches(json, ty) {
        out.push_str(MASK_JSON);
    } else if json.starts_with(['{', '[']) {
        push_container(json, ty, is_free, out);
    } else {
        push_scalar(json, is_free, out);
    }
}

/// Returns the JSON of free text with identifiers masked.
pub(super) fn scrubbed(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    push_declared(json, &Type::Any, true, &mut out);
    out
}

/// Returns whether a value has a type, regardless of its content.
fn matches(json: &str, ty: &Type) -> bool {
    let found = JsonType::from_first_byte(json.as_bytes()[0]);
    ty.accepts(found)
        && match ty {
            Type::Integer => !json.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')),
            // A new choice that looks like a name is shown, as an unknown event type is.
            Type::Choice(choices) => is_choice(json, choices) || is_name(json),
            // The content of such a container is not declared.
            Type::Unstated | Type::OneOf(_) => !found.is_container(),
            _ => true,
        }
}

fn is_name(json: &str) -> bool {
    let text = unquote(json).unwrap_or_default();
    shown_name(&text) == text
}

fn push_container(json: &str, ty: &Type, is_free: bool, out: &mut String) {
    let (open, close) = if json.starts_with('{') { ('{', '}') } else { ('[', ']') };
    out.push(open);
    for (at, (key, value)) in scan::iter_entries(json).enumerate() {
        if at > 0 {
            out.push(',');
        }
        let declared = match (ty, key) {
            (Type::List(item) | Type::Map(item), _) => Some(*item),
            (Type::Record(members), Some(key)) => {
                let name = unescape(key);
                members.iter().find(|member| member.name == name).map(|member| &member.ty)
            }
            (Type::Any, _) => Some(ty),
            _ => None,
        };
        match (key, declared) {
            (Some(key), Some(_)) if is_free => push_free_key(key, out),
            (Some(key), Some(_)) => push_key(key, out),
            (Some(key), None) => push_unknown_key(key, out),
            (None, _) => {}
        }
        match declared {
            Some(ty) => push_declared(value, ty, is_free, out),
            None => push_hidden(value, out),
        }
    }
    out.push(close);
}

fn push_scalar(json: &str, is_free: bool, out: &mut String) {
    let text = match json.as_bytes()[0] {
        b'"' if is_free => unquote(json).unwrap_or_default(),
        // In place of prose, a number may identify a person.
        b'-' | b'0'..=b'9' if is_free => Cow::Borrowed(json),
        _ => return terminal::push_json(json, out),
    };
    match scrub::scrub(&text) {
        Some(scrubbed) => push_text(&scrubbed.text, out),
        None => terminal::push_json(json, out),
    }
}

fn push_free_key(key: &str, out: &mut String) {
    match scrub::scrub(&unescape(key)) {
        Some(scrubbed) => {
            push_text(&scrubbed.text, out);
            out.push(':');
        }
        None => push_key(key, out),
    }
}

/// Appends text as a JSON string.
pub(super) fn push_text(text: &str, out: &mut String) {
    terminal::push_json(&serde_json::Value::from(text).to_string(), out);
}
