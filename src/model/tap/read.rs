//! Reads `_tap` from a recorded line.
//!
//! The form that evtap writes has a fixed key order and no escapes, so it is read by comparing
//! bytes. Any other form is left to serde. In both cases every part is then checked to be something
//! that evtap could have written, so that a line of unknown origin cannot pass protected text off
//! as `_tap`.

use super::form::{self, CALL_SID_LENGTH, TIME_LENGTH, UUID_LENGTH};
use super::{Name, Tap, assign, is_call_sid, is_id, is_uuid};
use crate::model::EventSpec;
use crate::model::name::is_path;

impl Tap {
    /// Reads `json` into `self`, reusing its memory. `spec` is the declaration of the event.
    ///
    /// Returns false if evtap cannot have written it; the content of `self` is then unspecified.
    #[must_use]
    pub fn read(&mut self, json: &str, spec: Option<&EventSpec>) -> bool {
        let declared = |name: &str| Some(spec?.field(name)?.name);
        if self.read_start(json, declared) == Some(json.len()) {
            return true;
        }
        // serde also reads an object from an array of its members.
        match json.starts_with('{').then(|| serde_json::from_str(json)) {
            Some(Ok(tap)) => *self = tap,
            _ => return false,
        }
        self.could_be_ours()
    }

    /// Reads the object at the start of `text` in the form that evtap writes, and returns its
    /// length. `declared` returns the name of a field that the event declares.
    ///
    /// Returns `None` if the form differs; the content of `self` is then unspecified.
    pub(crate) fn read_start(
        &mut self,
        text: &str,
        mut declared: impl FnMut(&str) -> Option<&'static str>,
    ) -> Option<usize> {
        let mut reader = TapReader { text, at: 0, separator: b'{' };
        let id = reader.member(b"\"id\":\"", |rest| {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            (1..=19).contains(&length).then_some(length)
        })?;
        assign(&mut self.id, id);
        assign(&mut self.time, reader.member(b"\"time\":\"", time_length)?);
        assign(&mut self.received_at, reader.member(b"\"received_at\":\"", time_length)?);
        self.stream = reader
            .member(b"\"stream\":\"", |rest| {
                ["workspace\"", "observer\""]
                    .into_iter()
                    .find(|stream| rest.starts_with(stream.as_bytes()))
                    .map(|stream| stream.len() - 1)
            })?
            .map(|stream| {
                Name::Borrowed(if stream == "observer" { "observer" } else { "workspace" })
            });
        let workspace_id = reader.member(b"\"workspace_id\":\"", |rest| {
            rest.first_chunk().is_some_and(form::is_uuid).then_some(UUID_LENGTH)
        })?;
        assign(&mut self.workspace_id, workspace_id);
        let call_sid = reader.member(b"\"call_sid\":\"", |rest| {
            rest.first_chunk().is_some_and(form::is_call_sid).then_some(CALL_SID_LENGTH)
        })?;
        assign(&mut self.call_sid, call_sid);
        reader.names(b"\"redacted\":[", &mut self.redacted, &mut declared)?;
        reader.names(b"\"scrubbed\":[", &mut self.scrubbed, &mut declared)?;
        self.drift.clear();
        let is_empty = reader.separator == b'{' && reader.skip(b"{");
        (is_empty || reader.separator == b',').then_some(())?;
        (reader.skip(b"}") && self.has_paths()).then_some(reader.at)
    }

    /// Returns whether evtap could have written each part.
    fn could_be_ours(&self) -> bool {
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
            && self.has_paths()
    }

    /// Returns whether evtap could have written the names.
    fn has_paths(&self) -> bool {
        let names = self.redacted.iter().chain(&self.scrubbed);
        let mut names = names.chain(self.drift.iter().filter_map(|drift| drift.field.as_ref()));
        let count = self.redacted.len() + self.scrubbed.len() + self.drift.len();
        names.all(|path| matches!(path, Name::Borrowed(_)) || is_path(path, count))
    }
}

/// Reads the members of an object in their fixed order.
struct TapReader<'j> {
    text: &'j str,
    at: usize,
    /// What comes before the next key: the opening brace or a comma.
    separator: u8,
}

impl<'j> TapReader<'j> {
    fn rest(&self) -> &'j [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Consumes `text` if it comes next.
    #[inline]
    fn skip<const LENGTH: usize>(&mut self, text: &[u8; LENGTH]) -> bool {
        let is_next = self.rest().first_chunk() == Some(text);
        if is_next {
            self.at += LENGTH;
        }
        is_next
    }

    /// Consumes a separator and `key`, if they come next.
    #[inline]
    fn skip_key<const LENGTH: usize>(&mut self, key: &[u8; LENGTH]) -> bool {
        let [separator, rest @ ..] = self.rest() else { return false };
        let is_next = *separator == self.separator && rest.first_chunk() == Some(key);
        if is_next {
            self.at += 1 + LENGTH;
            self.separator = b',';
        }
        is_next
    }

    /// Consumes the string member that starts with `key`. `length_of` returns how many bytes the
    /// text has, if it is valid; none of them needs an escape.
    ///
    /// Returns `Some(None)` if another member comes next, and `None` if the form differs.
    #[inline]
    #[expect(clippy::option_option, reason = "absent and unreadable are different outcomes")]
    fn member<const LENGTH: usize>(
        &mut self,
        key: &[u8; LENGTH],
        length_of: impl Fn(&[u8]) -> Option<usize>,
    ) -> Option<Option<&'j str>> {
        if !self.skip_key(key) {
            return Some(None);
        }
        let start = self.at;
        self.at += length_of(self.rest())?;
        let text = self.text.get(start..self.at)?;
        self.skip(b"\"").then_some(Some(text))
    }

    /// Consumes the member that starts with `key`, a list of names, if it comes next. `None` if the
    /// form differs.
    fn names<const LENGTH: usize>(
        &mut self,
        key: &[u8; LENGTH],
        names: &mut Vec<Name>,
        declared: &mut impl FnMut(&str) -> Option<&'static str>,
    ) -> Option<()> {
        names.clear();
        if !self.skip_key(key) {
            return Some(());
        }
        loop {
            self.skip(b"\"").then_some(())?;
            let start = self.at;
            self.at += self.rest().iter().take_while(|byte| is_plain(**byte)).count();
            let name = self.text.get(start..self.at)?;
            names.push(declared(name).map_or_else(|| Name::Owned(name.to_owned()), Name::Borrowed));
            self.skip(b"\"").then_some(())?;
            if !self.skip(b",") {
                return self.skip(b"]").then_some(());
            }
        }
    }
}

/// Returns whether a byte of a JSON string needs no escape and is printable ASCII.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}

/// Returns the length of the time at the start of `rest`, before a quote; `None` if it is no time.
#[inline]
fn time_length(rest: &[u8]) -> Option<usize> {
    if rest.first_chunk().is_some_and(form::is_time) {
        return Some(TIME_LENGTH);
    }
    let length = rest.iter().take_while(|byte| is_plain(**byte)).count();
    str::from_utf8(&rest[..length]).is_ok_and(is_time).then_some(length)
}

/// Returns whether a text is a time in the form of RFC 3339.
fn is_time(text: &str) -> bool {
    text.as_bytes().try_into().is_ok_and(form::is_time)
        || (text.len() <= 35 && text.parse::<jiff::Timestamp>().is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_with_serde(json: &str) -> Option<Tap> {
        let tap = serde_json::from_str::<Tap>(json).ok().filter(|_| json.starts_with('{'));
        tap.filter(Tap::could_be_ours)
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
        assert_eq!(tap.read_start(json, |_| None), Some(json.len()));
        assert_eq!(Some(tap), read_with_serde(json));
        assert_eq!(read("{}"), Some(Tap::default()));
        assert_eq!(read("[]"), None);
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
        fn every_time_in_the_fixed_form_parses(
            year in 0..10_000u16, month in 0..15u8, day in 0..35u8, hour in 0..30u8, minute in 0..70u8, second in 0..70u8,
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z");
            let has_form = form::is_time(text.as_bytes().try_into().expect("24 bytes"));
            prop_assert!(!has_form || text.parse::<jiff::Timestamp>().is_ok(), "{text}");
            let is_common = (1..=12).contains(&month) && (1..=28).contains(&day) && hour < 24 && minute < 60 && second < 60 && year < 9900;
            prop_assert!(has_form || !is_common, "{text}");
        }

        #[test]
        fn fixed_forms_are_those_of_their_pattern(text in "[-0-9a-fA-FgGzZTC:.@`/]{34,36}|CA[0-9a-zA-Z]{31}[0-9a-zA-Z/:@`{\\[]|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{11}[0-9a-gA-G/:@`-]") {
            let is_hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
            let has_form = text.len() == 36
                && text.bytes().enumerate().all(|(at, byte)| if is_hyphen(at) { byte == b'-' } else { byte.is_ascii_hexdigit() });
            prop_assert_eq!(is_uuid(&text), has_form);
            let has_form = text.len() == 34 && text.starts_with("CA") && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            prop_assert_eq!(is_call_sid(&text), has_form);
        }

        #[test]
        fn one_wrong_byte_spoils_a_fixed_form(at in 0..24usize, byte in any::<u8>()) {
            let mut time = *b"2026-05-05T10:00:00.000Z";
            time[at] = byte;
            let parsed = str::from_utf8(&time).is_ok_and(|text| text.parse::<jiff::Timestamp>().is_ok());
            prop_assert!(!form::is_time(&time) || parsed);
        }
    }
}
