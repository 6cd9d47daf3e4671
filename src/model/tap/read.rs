//! Reads `_tap` from a line of a recording.
//!
//! As evtap writes it, it is read by comparing: its keys come in one order, and nothing in it needs an escape. Whatever is
//! written otherwise is left to serde. Then every part must be what evtap itself could have written, so that a line of unknown
//! making can't pass anything hidden off as `_tap`.

use super::{Name, Tap, is_call_sid, is_id, is_uuid};
use crate::model::{EventSpec, is_name};
use crate::text::MASK;

impl Tap {
    /// Reads what `json` says of an event of that declaration into `self`, whose memory is used again. False if evtap can't
    /// have written it; `self` is then worth nothing.
    #[must_use]
    pub fn read(&mut self, json: &str, spec: Option<&EventSpec>) -> bool {
        if self.read_plain(json, spec).is_none() {
            match serde_json::from_str(json) {
                Ok(tap) => *self = tap,
                Err(_) => return false,
            }
        }
        self.is_sound()
    }

    /// Reads it if it is written as evtap does.
    fn read_plain(&mut self, json: &str, spec: Option<&EventSpec>) -> Option<()> {
        let mut members = TapReader { rest: json.strip_prefix('{')?, is_first: true };
        set(&mut self.id, members.text("\"id\":\"")?);
        set(&mut self.time, members.text("\"time\":\"")?);
        set(&mut self.received_at, members.text("\"received_at\":\"")?);
        self.stream = members.text("\"stream\":\"")?.map(|stream| match stream {
            "workspace" => Name::Borrowed("workspace"),
            "observer" => Name::Borrowed("observer"),
            other => Name::Owned(other.to_owned()),
        });
        set(&mut self.workspace_id, members.text("\"workspace_id\":\"")?);
        set(&mut self.call_sid, members.text("\"call_sid\":\"")?);
        members.names("\"redacted\":[", &mut self.redacted, spec)?;
        members.names("\"scrubbed\":[", &mut self.scrubbed, spec)?;
        self.drift.clear();
        (members.rest == "}").then_some(())
    }

    /// Whether each part is what evtap itself could have written.
    fn is_sound(&self) -> bool {
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
            && self
                .redacted
                .iter()
                .chain(&self.scrubbed)
                .chain(self.drift.iter().filter_map(|drift| drift.field.as_ref()))
                .all(|path| {
                    matches!(path, Name::Borrowed(_)) || path.split('.').all(is_name_or_mask)
                })
    }
}

/// The rest of an object.
struct TapReader<'j> {
    rest: &'j str,
    is_first: bool,
}

impl<'j> TapReader<'j> {
    fn begins(&mut self, key: &str) -> bool {
        let rest = if self.is_first { Some(self.rest) } else { self.rest.strip_prefix(',') };
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix(key)) else { return false };
        *self = Self { rest, is_first: false };
        true
    }

    /// What stands before the next quote.
    fn quoted(&mut self) -> Option<&'j str> {
        let (text, rest) =
            self.rest.split_at_checked(memchr::memchr(b'"', self.rest.as_bytes())?)?;
        self.rest = &rest[1..];
        is_plain(text).then_some(text)
    }

    /// The member that `key` begins, if it is the next. `None` if it is not written as evtap does.
    #[expect(clippy::option_option, reason = "there is none, or it can't be read")]
    fn text(&mut self, key: &str) -> Option<Option<&'j str>> {
        if self.begins(key) { self.quoted().map(Some) } else { Some(None) }
    }

    fn names(&mut self, key: &str, names: &mut Vec<Name>, spec: Option<&EventSpec>) -> Option<()> {
        names.clear();
        if !self.begins(key) {
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

/// Whether text stands in JSON for itself.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\')
}

fn set(slot: &mut Option<String>, text: Option<&str>) {
    match (slot.as_mut(), text) {
        (Some(slot), Some(text)) => {
            slot.clear();
            slot.push_str(text);
        }
        (_, text) => *slot = text.map(str::to_owned),
    }
}

/// Whether text is a time by RFC 3339.
fn is_time(text: &str) -> bool {
    is_usual_time(text.as_bytes()) || (text.len() <= 35 && text.parse::<jiff::Timestamp>().is_ok())
}

/// Whether it is `2026-05-05T10:00:00.000Z`, on a day that every month has.
fn is_usual_time(text: &[u8]) -> bool {
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

fn is_name_or_mask(part: &str) -> bool {
    part == MASK || is_name(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_serde(json: &str) -> Option<Tap> {
        serde_json::from_str::<Tap>(json).ok().filter(Tap::is_sound)
    }

    fn read(json: &str) -> Option<Tap> {
        // What an earlier line has left behind is gone.
        let mut tap = Tap {
            id: Some("7".to_owned()),
            redacted: vec!["x".into()],
            scrubbed: vec!["y".into()],
            ..Tap::default()
        };
        tap.read(json, None).then_some(tap)
    }

    #[test]
    fn what_evtap_writes_needs_no_serde() {
        let json = r#"{"id":"1700000000000","time":"2023-11-14T22:13:20.000Z","stream":"workspace","redacted":["caller_id","a.b"]}"#;
        let mut tap = Tap::default();
        assert_eq!(tap.read_plain(json, None), Some(()));
        assert_eq!(Some(tap), by_serde(json));
        assert_eq!(read("{}"), Some(Tap::default()));
    }

    #[test]
    fn what_it_can_not_have_written_is_refused_as_by_serde() {
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
            assert_eq!(read(json), by_serde(json), "{json}");
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_reads(json in r#"\{(("(id|time|stream|call_sid)":"[0-9a-zT:.-]{0,3}"|"redacted":\["[a-z. ]{0,2}"(,"a")?\]),?){0,3}\}"#) {
            prop_assert_eq!(read(&json), by_serde(&json));
        }

        #[test]
        fn a_usual_time_is_one(month in 0..15u8, day in 0..35u8, hour in 0..30u8, minute in 0..70u8) {
            let text = format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:00.000Z");
            prop_assert!(!is_usual_time(text.as_bytes()) || text.parse::<jiff::Timestamp>().is_ok());
        }
    }
}
