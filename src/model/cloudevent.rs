//! The attributes of an event as a CloudEvent, as evtap writes and knows them.

use std::fmt::Write;

use super::{is_call_sid, is_uuid};

/// The fields that say what an event is about; the first that it has counts.
pub const SUBJECTS: &[&str] = &["call_sid", "surface_id", "session_id"];

/// Where an event comes from if nothing says by which stream.
const NO_STREAM: &str = "evtap";

/// Where an event comes from: the stream's path on the platform, as a URI reference, since a recording doesn't know the host.
#[must_use]
pub fn source(workspace_id: Option<&str>, call_sid: Option<&str>) -> String {
    match (workspace_id, call_sid) {
        (Some(workspace), Some(call)) => format!("/v1/{workspace}/observers/{call}/ws"),
        (Some(workspace), None) => format!("/v1/{workspace}/events/stream"),
        (None, _) => NO_STREAM.to_owned(),
    }
}

/// Whether text is a source as they are made here.
#[must_use]
pub fn is_source(text: &str) -> bool {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        ["", "v1", workspace, "events", "stream"] => is_uuid(workspace),
        ["", "v1", workspace, "observers", call, "ws"] => is_uuid(workspace) && is_call_sid(call),
        _ => text == NO_STREAM,
    }
}

/// An attribute's text without the characters that none may have (CloudEvents 1.0, section "Type System").
#[must_use]
pub fn legal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
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

/// Whether text is an id as `-o cloudevents` makes them.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let digits = |text: &str| {
        (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut parts = text.splitn(3, '-');
    let (moment, identity, count) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    digits(moment.strip_prefix('n').unwrap_or(moment))
        && identity.len() == 16
        && identity.bytes().all(|byte| byte.is_ascii_hexdigit())
        && count.is_none_or(digits)
}
