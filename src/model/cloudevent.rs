//! The CloudEvents attributes that evtap writes, and their recognition when evtap reads them back.

use std::borrow::Cow;
use std::fmt::Write;

use super::{is_call_sid, is_uuid};
use crate::text::terminal;

/// The fields that become the attribute `subject`; the first one that an event has is used.
pub const SUBJECTS: &[&str] = &["call_sid", "surface_id", "session_id"];

/// The beginning of an envelope that evtap writes, before the value of `id`.
pub(crate) const START: &str = "{\"specversion\":\"1.0\",\"id\":";

/// What evtap writes before the values of the other attributes, in this order. An event need not
/// have `subject` and `time`.
pub(crate) const SOURCE: &str = ",\"source\":";
pub(crate) const TYPE: &str = ",\"type\":";
pub(crate) const SUBJECT: &str = ",\"subject\":";
pub(crate) const TIME: &str = ",\"time\":";
pub(crate) const DATA: &str = ",\"datacontenttype\":\"application/json\",\"data\":";

/// The attribute `source` of an event whose stream is unknown.
const NO_STREAM: &str = "evtap";

/// Returns the attribute `source`: the path of the stream on the platform, in parts. It is a URI
/// reference without a host, because a recording does not contain the host.
#[must_use]
pub const fn source<'a>(workspace_id: Option<&'a str>, call_sid: Option<&'a str>) -> [&'a str; 5] {
    match (workspace_id, call_sid) {
        (Some(workspace), Some(call)) => ["/v1/", workspace, "/observers/", call, "/ws"],
        (Some(workspace), None) => ["/v1/", workspace, "/events/stream", "", ""],
        (None, _) => [NO_STREAM, "", "", "", ""],
    }
}

/// Returns whether `text` is a source that [`source`] could have returned.
#[must_use]
pub fn is_source(text: &str) -> bool {
    let Some(path) = text.strip_prefix("/v1/") else { return text == NO_STREAM };
    let call = |path: &str| {
        let call = path.strip_prefix("observers/").and_then(|path| path.strip_suffix("/ws"));
        call.is_some_and(is_call_sid)
    };
    path.split_once('/').is_some_and(|(workspace, path)| {
        is_uuid(workspace) && (path == "events/stream" || call(path))
    })
}

/// Escapes the characters that the text of an attribute must not contain (CloudEvents 1.0, section
/// "Type System").
#[must_use]
pub fn legal(text: &str) -> Cow<'_, str> {
    if terminal::is_plain(text) {
        return Cow::Borrowed(text);
    }
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
    Cow::Owned(out)
}

/// Returns whether `text` is the value of `time` that evtap could have written.
#[must_use]
pub(crate) fn is_time(text: &str) -> bool {
    text.len() <= 35 && super::is_time(text)
}

/// Returns whether `text` has the form of the ids that `-o cloudevents` writes.
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

/// Returns the time of an event, from its envelope: its time or, if evtap wrote the envelope, its id;
/// `None` if neither is known.
#[cfg(feature = "transport")]
pub(crate) fn time(envelope: &[u8]) -> Option<jiff::Timestamp> {
    #[derive(serde::Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        time: Option<Cow<'a, str>>,
        #[serde(borrow)]
        id: Option<Cow<'a, str>>,
    }
    let Envelope { time, id } = serde_json::from_slice(envelope).ok()?;
    if let Some(time) = time {
        return time.parse().ok();
    }
    let id = id.filter(|id| is_id(id))?;
    jiff::Timestamp::from_millisecond(id.split('-').next()?.parse().ok()?).ok()
}

/// Returns whether an envelope has an event that only says that a tap is connected, alive or ends.
#[cfg(feature = "nats")]
pub(crate) fn is_presence(envelope: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: EventData<'a>,
    }
    #[derive(serde::Deserialize)]
    struct EventData<'a> {
        #[serde(borrow)]
        event_type: Cow<'a, str>,
    }
    serde_json::from_slice(envelope).is_ok_and(|Envelope { data: EventData { event_type } }| {
        ["tap.connected", "tap.position", "tap.ended"].contains(&&*event_type)
    })
}

#[cfg(all(test, feature = "transport"))]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_event_is_in_its_envelope() {
        let time = |body: &str| time(body.as_bytes()).map(jiff::Timestamp::as_millisecond);
        let body = r#"{"specversion":"1.0","time":"2026-05-05T10:00:00.5Z","data":{"time":"no"}}"#;
        assert_eq!(time(body), Some(1_777_975_200_500));
        let id = r#"{"id":"1777975200500-0123456789abcdef-1"}"#;
        assert_eq!(time(id), Some(1_777_975_200_500));
        for other in [
            "",
            "x",
            "{}",
            r#"{"id":"7"}"#,
            r#"{"id":"n7-0123456789abcdef"}"#,
            r#"{"time":1}"#,
            r#"{"time":"now"}"#,
        ] {
            assert_eq!(time(other), None, "{other}");
        }
    }
    #[cfg(feature = "nats")]
    #[test]
    fn only_what_taps_say_of_themselves_is_presence() {
        let is_presence = |event_type: &str| {
            let body = format!(r#"{{"type":"x","data":{{"event_type":"{event_type}"}}}}"#);
            is_presence(body.as_bytes())
        };
        assert!(["tap.connected", "tap.position", "tap.ended"].into_iter().all(is_presence));
        assert!(!["tap.gap", "tap.malformed", "tap.position.x", ""].into_iter().any(is_presence));
        assert!(!super::is_presence(b"tap.position"));
    }
}
