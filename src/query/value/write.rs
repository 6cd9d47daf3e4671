//! Writes values as JSON.

use std::fmt::{self, Display};
use std::io::Write as _;

use super::budget;
use super::jq_value::JqValue;
use crate::text::terminal;

/// The deepest level that is written. jq writes `<skipped: too deep>` instead.
const MAX_WRITTEN_DEPTH: usize = 10_000;

/// The length of a value that a message quotes, in bytes.
const QUOTED: usize = 29;

/// How the output of a program is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStyle {
    /// As JSON on one line, with hostile characters escaped.
    Json,
    /// Strings as they are, without quotes; other values as JSON.
    Raw,
    /// Strings without quotes, with visible escapes for hostile characters; other values as JSON.
    Visible,
}

impl JqValue {
    /// Appends the value as an output of a program. Returns false if it is too long for the current
    /// evaluation.
    #[must_use]
    pub fn push_output(&self, style: OutputStyle, out: &mut Vec<u8>) -> bool {
        match (self, style) {
            (Self::Text(text), OutputStyle::Raw) => out.extend_from_slice(text.as_bytes()),
            (Self::Text(text), OutputStyle::Visible) => {
                out.extend_from_slice(terminal::visible(text).as_bytes());
            }
            _ => return self.push_safe_json(out),
        }
        true
    }

    /// Returns the value as JSON, as jq's `tojson` writes it; `None` if it is too long for the
    /// current evaluation.
    #[must_use]
    pub fn to_json(&self) -> Option<String> {
        let mut json = Vec::new();
        self.push_json(&mut json).then(|| into_text(json))
    }

    /// Appends the value as JSON on one line, with hostile characters escaped. Returns false if it
    /// is too long for the current evaluation.
    #[must_use]
    pub fn push_safe_json(&self, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let is_written = self.push_json(out);
        escape_hostile(out, start);
        is_written
    }

    /// Returns the value as JSON on one line, with hostile characters escaped; `None` if it is too
    /// long for the current evaluation.
    #[must_use]
    pub fn to_safe_json(&self) -> Option<String> {
        let mut json = Vec::new();
        self.push_safe_json(&mut json).then(|| into_text(json))
    }

    /// Appends the JSON that [`JqValue::to_json`] returns. Returns false if it is too long for the
    /// current evaluation.
    #[must_use]
    pub fn push_json(&self, out: &mut Vec<u8>) -> bool {
        if !budget::pay(self.weight()) || !budget::has_room(self.weight_as_size()) {
            return false;
        }
        let start = out.len();
        // Escapes can make the text longer than the value.
        self.write(out, start + budget::MAX_HELD, 0);
        budget::has_room(out.len() - start)
    }

    fn weight_as_size(&self) -> usize {
        usize::try_from(self.weight()).unwrap_or(usize::MAX)
    }

    /// Appends the value, and stops where `out` has more than `limit` bytes.
    fn write(&self, out: &mut Vec<u8>, limit: usize, level: usize) {
        if out.len() > limit {
            return;
        }
        if level > MAX_WRITTEN_DEPTH {
            out.extend_from_slice(b"<skipped: too deep>");
            return;
        }
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Number(number) => number.write(out),
            Self::Text(text) => push_text(text, out, limit),
            Self::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if out.len() > limit {
                        return;
                    }
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write(out, limit, level + 1);
                }
                out.push(b']');
            }
            Self::Object(object) => {
                out.push(b'{');
                for (index, (key, value)) in object.iter().enumerate() {
                    if out.len() > limit {
                        return;
                    }
                    if index > 0 {
                        out.push(b',');
                    }
                    push_text(key, out, limit);
                    out.push(b':');
                    value.write(out, limit, level + 1);
                }
                out.push(b'}');
            }
        }
    }
}

/// Returns as many whole characters from the start of a text as fit into `limit` bytes.
#[must_use]
pub fn start_of(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Escapes the hostile characters in the JSON that `out` has from `start` on.
pub fn escape_hostile(out: &mut Vec<u8>, start: usize) {
    // Without an early exit the compiler checks several bytes in each step.
    if out[start..].iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~')) {
        return;
    }
    let Ok(json) = str::from_utf8(&out[start..]) else { return };
    if terminal::has_hostile(json) {
        let mut safe = String::with_capacity(json.len() + 8);
        terminal::push_json(json, &mut safe);
        out.truncate(start);
        out.extend_from_slice(safe.as_bytes());
    }
}

/// Appends a string with the escapes that jq uses, of which it may take about `limit` bytes.
fn push_text(text: &str, out: &mut Vec<u8>, limit: usize) {
    out.push(b'"');
    push_escaped(start_of(text, limit), out, limit);
    out.push(b'"');
}

/// Appends the contents of a string with the escapes that jq uses, and stops where `out` has more
/// than `limit` bytes.
pub fn push_escaped(text: &str, out: &mut Vec<u8>, limit: usize) {
    let bytes = text.as_bytes();
    let is_plain = |byte| !matches!(byte, 0..=0x1f | b'"' | b'\\' | 0x7f);
    // Without an early exit the compiler checks several bytes in each step.
    if text.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
        out.extend_from_slice(bytes);
        return;
    }
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if is_plain(byte) {
            continue;
        }
        out.extend_from_slice(&bytes[plain_from..at]);
        plain_from = at + 1;
        let escape = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\t' => b't',
            b'\r' => b'r',
            8 => b'b',
            12 => b'f',
            _ => 0,
        };
        if escape == 0 {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
        if out.len() > limit {
            return;
        }
    }
    out.extend_from_slice(&bytes[plain_from..]);
}

/// Converts what was written to text.
fn into_text(written: Vec<u8>) -> String {
    String::from_utf8(written).unwrap_or_default()
}

/// Shows the beginning of the value as JSON, as jq's messages do.
impl Display for JqValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = Vec::new();
        match self {
            Self::Text(whole) => {
                // jq takes this many characters, not bytes.
                let end = whole.char_indices().nth(QUOTED + 1).map_or(whole.len(), |(at, _)| at);
                push_text(&whole[..end], &mut json, usize::MAX);
            }
            _ => self.write(&mut json, 4 * QUOTED, 0),
        }
        let text = into_text(json);
        if text.len() <= QUOTED {
            return f.write_str(&text);
        }
        let end = match text.as_bytes()[0] {
            b'"' => "\"",
            b'[' => "]",
            b'{' => "}",
            _ => "",
        };
        let start = start_of(&text, QUOTED - 3 - end.len());
        write!(f, "{start}...{end}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_in_jq() {
        let text = JqValue::text("a\"\\\n\t\r\u{8}\u{c}\u{1}\u{7f}é\u{1f600}/");
        assert_eq!(text.to_json().as_deref(), Some(r#""a\"\\\n\t\r\b\f\u0001\u007fé😀/""#));
    }

    #[test]
    fn messages_quote_the_start_of_a_value() {
        let long = "dsfdsafdasf sdfdsf sdfds fds fdsf";
        assert_eq!(JqValue::text(long).to_string(), "\"dsfdsafdasf sdfdsf sdfds...\"");
        assert_eq!(JqValue::text("a").to_string(), "\"a\"");
        let array = JqValue::array(vec![JqValue::text(long); 1000]);
        assert_eq!(array.to_string(), "[\"dsfdsafdasf sdfdsf sdfd...]");
    }
}
