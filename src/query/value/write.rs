//! Writes values as JSON.

use std::fmt::{self, Display, Write as _};

use super::budget;
use super::jq_value::JqValue;
use crate::text::terminal;

/// The deepest level that is written. jq writes `<skipped: too deep>` instead.
const MAX_WRITTEN_DEPTH: usize = 10_000;

/// The length of a value that a message quotes, in bytes.
const QUOTED: usize = 29;

impl JqValue {
    /// Returns the value as JSON, as jq's `tojson` writes it; `None` if it is too long for the
    /// current evaluation.
    #[must_use]
    pub fn to_json(&self) -> Option<String> {
        if !budget::pay(self.weight()) || !budget::has_room(self.weight_as_size()) {
            return None;
        }
        let mut out = String::new();
        // Escapes can make the text longer than the value.
        self.write(&mut out, budget::MAX_HELD, 0);
        budget::has_room(out.len()).then_some(out)
    }

    /// Returns the value as JSON on one line, with hostile characters escaped; `None` if it is too
    /// long for the current evaluation.
    #[must_use]
    pub fn to_safe_json(&self) -> Option<String> {
        let json = self.to_json()?;
        if !terminal::has_hostile(&json) {
            return Some(json);
        }
        let mut safe = String::with_capacity(json.len() + 8);
        terminal::push_json(&json, &mut safe);
        Some(safe)
    }

    fn weight_as_size(&self) -> usize {
        usize::try_from(self.weight()).unwrap_or(usize::MAX)
    }

    /// Appends the value, and stops after `limit` bytes.
    fn write(&self, out: &mut String, limit: usize, level: usize) {
        if out.len() > limit {
            return;
        }
        if level > MAX_WRITTEN_DEPTH {
            out.push_str("<skipped: too deep>");
            return;
        }
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => number.write(out),
            Self::Text(text) => write_text(text, out, limit),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if out.len() > limit {
                        return;
                    }
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out, limit, level + 1);
                }
                out.push(']');
            }
            Self::Object(object) => {
                out.push('{');
                for (index, (key, value)) in object.iter().enumerate() {
                    if out.len() > limit {
                        return;
                    }
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(key, out, limit);
                    out.push(':');
                    value.write(out, limit, level + 1);
                }
                out.push('}');
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

/// Appends a string with the escapes that jq uses.
fn write_text(text: &str, out: &mut String, limit: usize) {
    let text = start_of(text, limit);
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !matches!(byte, 0..=0x1f | b'"' | b'\\' | 0x7f) {
            continue;
        }
        out.push_str(&text[plain_from..at]);
        plain_from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            _ => {
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
        if out.len() > limit {
            return;
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

/// Shows the beginning of the value as JSON, as jq's messages do.
impl Display for JqValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        match self {
            Self::Text(whole) => {
                // jq takes this many characters, not bytes.
                let end = whole.char_indices().nth(QUOTED + 1).map_or(whole.len(), |(at, _)| at);
                write_text(&whole[..end], &mut text, usize::MAX);
            }
            _ => self.write(&mut text, 4 * QUOTED, 0),
        }
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
