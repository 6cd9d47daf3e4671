//! The JSON of a typed event as evtap shows it by default: hidden values are masked, free text is
//! scrubbed, and everything else is as it arrived.
//!
//! [`redact`](crate::redact) does this faster and for any policy; a test compares the two.

use std::borrow::Cow;

use super::conformance::{conformance, nested_values};
use super::stand_in::MASK_JSON;
use super::types::Type;
use crate::json::string::unquote;
use crate::text::{scrub, terminal};

/// Appends a key, given the text between its quotes, and a colon.
pub(super) fn push_key(key: &str, out: &mut String) {
    out.push('"');
    terminal::push_json(key, out);
    out.push_str("\":");
}

/// Appends the mask for a hidden or undeclared value; null stays null.
pub(super) fn push_hidden(json: &str, out: &mut String) {
    out.push_str(if json == "null" { json } else { MASK_JSON });
}

/// Appends a declared value, with the parts masked that its declaration does not cover.
pub(super) fn push_declared(json: &str, ty: &Type, is_free: bool, out: &mut String) {
    if !conformance(json, ty).is_shown() {
        push_hidden(json, out);
    } else if json.starts_with(['{', '[']) {
        push_container(json, ty, is_free, out);
    } else {
        push_scalar(json, is_free, out);
    }
}

fn push_container(json: &str, ty: &Type, is_free: bool, out: &mut String) {
    let (open, close) = if json.starts_with('{') { ('{', '}') } else { ('[', ']') };
    out.push(open);
    for (at, nested) in nested_values(json, ty).enumerate() {
        if at > 0 {
            out.push(',');
        }
        if let Some(key) = &nested.key {
            push_key(key, out);
        }
        match nested.ty {
            Some(ty) => push_declared(nested.json, ty, is_free, out),
            None => push_hidden(nested.json, out),
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

/// Appends text as a JSON string.
pub(super) fn push_text(text: &str, out: &mut String) {
    terminal::push_json(&serde_json::Value::from(text).to_string(), out);
}
