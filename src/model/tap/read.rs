//! Reads `_tap` from a recorded line.
//!
//! The form that evtap writes has a fixed key order and no escapes, so it is read by comparing
//! bytes. Any other form is left to serde. In both cases every part is then checked to be something
//! that evtap could have written, so that a line of unknown origin cannot pass protected text off
//! as `_tap`.

use super::{Name, Tap, is_call_sid, is_id, is_uuid};
use crate::model::EventSpec;
use crate::model::name::is_path;

impl Tap {
    /// Reads `json` into `self`, reusing its memory. `spec` is the declaration of the event.
    ///
    /// Returns false if evtap cannot have written it; the content of `self` is then unspecified.
    #[must_use]
    pub fn read(&mut self, json: &str, spec: Option<&EventSpec>) -> bool {
        if self.read_canonical(json, spec).is_none() {
            match serde_json::from_str(json) {
                Ok(tap) => *self = tap,
                Err(_) => return false,
            }
        }
        self.could_be_ours()
    }

    /// Reads the form that evtap writes; `None` if the form differs.
    fn read_canonical(&mut self, json: &str, spec: Option<&EventSpec>) -> Option<()> {
        let mut reader = TapReader { rest: json.strip_prefix('{')?, is_first: true };
        assign(&mut self.id, reader.text("\"id\":\"")?);
        assign(&mut self.time, reader.text("\"time\":\"")?);
        assign(&mut self.received_at, reader.text("\"received_at\":\"")?);
        self.stream = reader.text("\"stream\":\"")?.map(|stream| match stream {
            "workspace" => Name::Borrowed("workspace"),
            "observer" => Name::Borrowed("observer"),
            other => Name::Owned(other.to_owned()),
        });
        assign(&mut self.workspace_id, reader.text("\"workspace_id\":\"")?);
        assign(&mut self.call_sid, reader.text("\"call_sid\":\"")?);
        reader.names("\"redacted\":[", &mut self.redacted, spec)?;
        reader.names("\"scrubbed\":[", &mut self.scrubbed, spec)?;
        self.drift.clear();
        (reader.rest == "}").then_some(())
    }

    /// Returns whether evtap could have written each part.
    fn could_be_ours(&self) -> bool {
        let names = self.redacted.iter().chain(&self.scrubbed);
        let mut names = names.chain(self.drift.iter().filter_map(|drift| drift.field.as_ref()));
        let count = self.redacted.len() + self.scrubbed.len() + self.drift.len();
        let time = |text: &Option<String>| text.as_deref().is_none_or(is_time);
        self.id.as_deref().is_none_or(is_id)
            && time(&self.time)
            && time(&self.received_at)
            && self
                .stream
                .as_deref()
                .is_none_or(|stream| matches!(stream, "workspace" | "observer"))
            && self.workspace_id.as_deref().is_none_or(is_uuid)
            && self.call_sid.as_deref().is_none_or(is_call_sid)
            && names.all(|path| matches!(path, Name::Borrowed(_)) || is_path(path, count))
    }
}

/// Reads the members of an object in their fixed order.
struct TapReader<'j> {
    rest: &'j str,
    is_first: bool,
}

impl<'j> TapReader<'j> {
    /// Consumes `key`, with the comma before it, if it comes next.
    fn take_key(&mut self, key: &str) -> bool {
        let rest = if self.is_first { Some(self.rest) } else { self.rest.strip_prefix(',') };
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix(key)) else { return false };
        *self = Self { rest, is_first: false };
        true
    }

    /// Consumes the text before the next quote, and the quote.
    fn quoted(&mut self) -> Option<&'j str> {
        let (text, rest) =
            self.rest.split_at_checked(memchr::memchr(b'"', self.rest.as_bytes())?)?;
        self.rest = &rest[1..];
        is_plain(text).then_some(text)
    }

    /// Consumes the string member that starts with `key`.
    ///
    /// Returns `Some(None)` if another member comes next, and `None` if the form differs.
    #[expect(clippy::option_option, reason = "absent and unreadable are different outcomes")]
    fn text(&mut self, key: &str) -> Option<Option<&'j str>> {
        if self.take_key(key) { self.quoted().map(Some) } else { Some(None) }
    }

    /// Consumes the member that starts with `key`, a list of names, if it comes next. `None` if the
    /// form differs.
    fn names(&mut self, key: &str, names: &mut Vec<Name>, spec: Option<&EventSpec>) -> Option<()> {
        names.clear();
        if !self.take_key(key) {
            return Some(());
        }
        loop {
            self.rest = self.rest.strip_prefix('"')?;
            let name = self.quoted()?;
            let declared = spec.and_then(|spec| spec.field(name));
            names.push(
                declared.map_or_else(
                    || Name::Owned(name.to_owned()),
                    |field| Name::Borrowed(field.name),
                ),
            );
            match self.rest.as_bytes().first()? {
                b',' => self.rest = &self.rest[1..],
                b']' => {
                    self.rest = &self.rest[1..];
                    return Some(());
                }
                _ => return None,
            }
        }
    }
}

/// Returns whether a JSON string needs no unescaping and holds printable ASCII only.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\')
}

fn assign(slot: &mut Option<String>, text: Option<&str>) {
    match (slot.as_mut(), text) {
        (Some(slot), Some(text)) => {
            slot.clear();
            slot.push_str(text);
        }
        (_, text) => *slot = text.map(str::to_owned),
    }
}

/// Returns whether a text is a time in the form of RFC 3339.
fn is_time(text: &str) -> bool {
    is_canonical_time(text.as_bytes())
        || (text.len() <= 35 && text.parse::<jiff::Timestamp>().is_ok())
}

/// Returns whether a text is a time in evtap's own form, such as `2026-05-05T10:00:00.000Z`, on a
/// day that every month has. This avoids parsing; other times are left to the parser.
fn is_canonical_time(text: &[u8]) -> bool {
    const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let two = |at: usize| (text[at] - b'0') * 10 + text[at + 1] - b'0';
    text.len() == FORM.len()
        && text
            .iter()
            .zip(FORM)
            .all(|(byte, form)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form })
        && (1..=12).contains(&two(5))
        && (1..=28).contains(&two(8))
        && two(11) < 24
        && two(14) < 60
        && two(17) < 60
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_with_serde(json: &str) -> Option<Tap> {
        serde_json::from_str::<Tap>(json).ok().filter(Tap::could_be_ours)
    }

    fn read(json: &str) -> Option<Tap> {
        // Reading must overwrite what an earlier line has left in the buffers.
        let mut tap = Tap {
            id: Some("7".to_owned()),
            redacted: vec!["x".into()],
            scrubbed: vec!["y".into()],
            ..Tap::default()
        };
        tap.read(json, None).then_some(tap)
    }

    #[test]
    fn reads_what_evtap_writes_without_serde() {
        let json = r#"{"id":"1700000000000","time":"2023-11-14T22:13:20.000Z","stream":"workspace","redacted":["caller_id","a.b"]}"#;
        let mut tap = Tap::default();
        assert_eq!(tap.read_canonical(json, None), Some(()));
        assert_eq!(Some(tap), read_with_serde(json));
        assert_eq!(read("{}"), Some(Tap::default()));
    }

    #[test]
    fn agrees_with_serde_on_what_evtap_cannot_have_written() {
        for json in [
            r#"{"id":"x"}"#,
            r#"{"id":"1","id":"2"}"#,
            r#"{"time":"2023-02-30T00:00:00.000Z"}"#,
            r#"{"time":"2023-01-31T00:00:00.000Z"}"#,
            r#"{"time":"2023-01-01T24:00:00.000Z"}"#,
            r#"{"redacted":[]}"#,
            r#"{"redacted":["My name is Jane"]}"#,
            r#"{"redacted":["a"],"redacted":["b"]}"#,
            r#"{"stream":"workspace","id":"1"}"#,
            r#"{"stream":"other"}"#,
            r#"{"stream":null}"#,
            r#"{,"id":"1"}"#,
            r#"{"id":"1",}"#,
            r#"{"id":"1""stream":"workspace"}"#,
            r#"{"redacted":["a" ,"b"]}"#,
            r#"{"redacted":["a\u0062"]}"#,
            r#"{"drift":[{"kind":"unknown_field","field":"a"}]}"#,
            r#"{"other":1}"#,
        ] {
            assert_eq!(read(json), read_with_serde(json), "{json}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_on_any_text(json in r#"\{(("(id|time|stream|call_sid)":"[0-9a-zT:.-]{0,3}"|"redacted":\["[a-z. ]{0,2}"(,"a")?\]),?){0,3}\}"#) {
            prop_assert_eq!(read(&json), read_with_serde(&json));
        }

        #[test]
        fn every_canonical_time_parses(month in 0..15u8, day in 0..35u8, hour in 0..30u8, minute in 0..70u8) {
            let text = format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:00.000Z");
            prop_assert!(!is_canonical_time(text.as_bytes()) || text.parse::<jiff::Timestamp>().is_ok());
        }
    }
}
