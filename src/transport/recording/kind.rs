//! Detection of what a recording contains, by its first lines.

/// The kind of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordingKind {
    /// One event per line.
    Ndjson,
    /// A JSON array of events, or events that each take several lines.
    Json,
    /// A captured stream.
    Sse,
}

/// The beginnings of lines that recordings have, and other files hardly ever.
const PREFIXES: &[(&[u8], RecordingKind)] = &[
    (b"[\n  {\n", RecordingKind::Json),
    (b"{\n  \"", RecordingKind::Json),
    (b"id:", RecordingKind::Sse),
    (b"data:", RecordingKind::Sse),
    (b"event:", RecordingKind::Sse),
    (b"retry:", RecordingKind::Sse),
];

/// The maximum length of a line end and of what shows the kind of the line after it, in bytes.
pub(super) const MAX_PREFIX: usize = 7;

/// A format that evtap does not read.
pub(super) struct UnsupportedFormat {
    magic: &'static [u8],
    /// What the file is.
    pub why: &'static str,
    /// How to turn it into something that evtap reads.
    pub advice: &'static str,
}

const UNSUPPORTED: &[UnsupportedFormat] = &[
    UnsupportedFormat {
        magic: b"\xfd7zXZ\0",
        why: "it is compressed by xz",
        advice: "decompress it first, or pipe the output of `xz -dc` to evtap",
    },
    UnsupportedFormat {
        magic: b"BZh",
        why: "it is compressed by bzip2",
        advice: "decompress it first, or pipe the output of `bzip2 -dc` to evtap",
    },
    UnsupportedFormat {
        magic: b"\x04\x22\x4d\x18",
        why: "it is compressed by lz4",
        advice: "decompress it first, or pipe the output of `lz4 -dc` to evtap",
    },
    UnsupportedFormat {
        magic: b"PK\x03\x04",
        why: "it is a zip archive",
        advice: "unpack it first, or pipe the output of `unzip -p` to evtap",
    },
    UnsupportedFormat { magic: b"\xff\xfe", why: UTF_16, advice: CONVERT },
    UnsupportedFormat { magic: b"\xfe\xff", why: UTF_16, advice: CONVERT },
];

const UTF_16: &str = "it is UTF-16, not UTF-8";
const CONVERT: &str = "convert it first, or pipe the output of `iconv -f UTF-16 -t UTF-8` to evtap";

/// Returns the format of a file that begins with these bytes, if evtap certainly cannot read it.
pub(super) fn unsupported(beginning: &[u8]) -> Option<&'static UnsupportedFormat> {
    UNSUPPORTED.iter().find(|format| beginning.starts_with(format.magic))
}

/// Returns whether this beginning is not text, or is damaged.
pub(super) fn is_binary(beginning: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(beginning) {
        Ok(_) => true,
        // The last character may be incomplete.
        Err(error) => error.error_len().is_none(),
    };
    !is_utf8 || memchr::memchr(0, beginning).is_some()
}

/// Returns whether a recording with this beginning has one event per line.
pub(super) fn is_ndjson(beginning: &[u8]) -> bool {
    unsupported(beginning).is_none()
        && match detect(beginning, true) {
            Some(kind) => kind == RecordingKind::Ndjson,
            None => !is_binary(beginning),
        }
}

/// Returns the kind that the first line shows that looks like an event or like a part of one.
/// Unless the beginning `is_complete`, a last line without an end is ignored.
pub(super) fn detect(beginning: &[u8], is_complete: bool) -> Option<RecordingKind> {
    let mut rest = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    if is_binary(rest) {
        return certain_kind(rest).or_else(|| Some(find_line(rest)?.1));
    }
    while !rest.is_empty() {
        let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
            return if is_complete { line_kind(rest) } else { None };
        };
        if let Some(kind) = line_kind(&rest[..end]) {
            return Some(kind);
        }
        rest = &rest[end + 1..];
    }
    None
}

/// Returns the kind that a line of text shows.
fn line_kind(line: &[u8]) -> Option<RecordingKind> {
    let line = line.trim_ascii();
    match line {
        b"{" | [b'[', ..] => Some(RecordingKind::Json),
        [b'{', ..] => Some(RecordingKind::Ndjson),
        _ => {
            let name = &line[..memchr::memchr(b':', line)?];
            // A comment has an empty name.
            let is_field = matches!(name, b"" | b"id" | b"event" | b"data" | b"retry");
            is_field.then_some(RecordingKind::Sse)
        }
    }
}

/// Returns where the first line begins that is certainly of a recording, although it follows bytes
/// that are not text, and its kind.
pub(super) fn find_line(bytes: &[u8]) -> Option<(usize, RecordingKind)> {
    memchr::memchr_iter(b'\n', bytes)
        .find_map(|end| Some((end + 1, certain_kind(&bytes[end + 1..])?)))
}

/// Returns the kind of recording in which a line begins like this, if no other file has such lines.
fn certain_kind(line: &[u8]) -> Option<RecordingKind> {
    let kind = PREFIXES.iter().find(|(prefix, _)| line.starts_with(prefix)).map(|(_, kind)| *kind);
    kind.or(match line {
        [b'{', b'"', name @ ..] if name.len() >= 4 => {
            let is_name = name[..4].iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
            is_name.then_some(RecordingKind::Ndjson)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_is_recognised_shows_the_kind() {
        for (beginning, expected) in [
            (&b"{\"event_type\":\"x\"}\n"[..], Some(RecordingKind::Ndjson)),
            (b"\xef\xbb\xbf\n\n{}", Some(RecordingKind::Ndjson)),
            (b"oops\n{\"a\":1}\n", Some(RecordingKind::Ndjson)),
            (b"oops\n", None),
            (b"retry: 3000\n\n", Some(RecordingKind::Sse)),
            (b": hello\n", Some(RecordingKind::Sse)),
            (b"\r\nid:1\r\n", Some(RecordingKind::Sse)),
            (b"oops\nid:1\n", Some(RecordingKind::Sse)),
            (b"[\n  {\n", Some(RecordingKind::Json)),
            (b"\xef\xbb\xbf[{\"a\":1},", Some(RecordingKind::Json)),
            (b"{\n  \"event_type\"", Some(RecordingKind::Json)),
            (b"\0{\"type\":1}\n{\"type\":1}\n", Some(RecordingKind::Ndjson)),
            (b"{\"type\":\"\0\"}\n", Some(RecordingKind::Ndjson)),
            (b"\0\n: x\ndata: {}\n", Some(RecordingKind::Sse)),
            (b"\xff\n\n[\n  {\n", Some(RecordingKind::Json)),
            (b"\x7fELF\0\0\n: \n[0\n{\"0\n", None),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR: {", None),
        ] {
            assert_eq!(detect(beginning, true), expected, "{}", beginning.escape_ascii());
        }
    }

    #[test]
    fn a_line_without_an_end_shows_nothing_until_the_beginning_is_complete() {
        for beginning in [&b"{"[..], b"\nid:1", b"[", b"{\"a\":1}"] {
            assert_eq!(detect(beginning, false), None);
            assert!(detect(beginning, true).is_some());
        }
    }

    #[test]
    fn a_line_is_found_after_bytes_that_are_not_text() {
        for (bytes, expected) in [
            (&b"\0\0\n{\"type\":1}"[..], Some((3, RecordingKind::Ndjson))),
            (b"\0\n\n\nevent: x\n", Some((4, RecordingKind::Sse))),
            (b"\0\n{\n  \"type\"", Some((2, RecordingKind::Json))),
            (b"{\"type\":1}", None),
            (b"\0\n{\"a\":1}\n[\n{ :\n", None),
        ] {
            assert_eq!(find_line(bytes), expected, "{}", bytes.escape_ascii());
        }
        assert!(PREFIXES.iter().all(|(prefix, _)| prefix.len() < MAX_PREFIX));
    }
}
