//! Rewrites a value that cannot be shown as it arrived.
//!
//! The result is JSON on one line without hostile characters, with undeclared nested values masked
//! and identifiers in text scrubbed. [`FieldRedactor`](super::redactor) decides which values need
//! this and passes the field's declaration; this module applies it at every depth.

use super::findings::{Reason, RedactionLog};
use super::mask::{self, Mode};
use crate::json::string::unquote;
use crate::json::{JsonType, scan};
use crate::model::conformance::{NestedValue, conformance, nested_values};
use crate::model::{Domain, Name, Type, is_opaque_id};
use crate::text::scrub::{self, Scrubbed};
use crate::text::terminal;

/// Which values of a field are searched for identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScrubScope {
    Nothing,
    /// Strings without the form of an id, for a field that holds ids: a detector takes the digits of
    /// some for a record number.
    StringsBesidesIds,
    /// Strings. Numbers are measurements: in a field of prose, where one may be a telephone number,
    /// no number is declared, and so it is hidden.
    Strings,
}

impl ScrubScope {
    /// Returns whether a value must be rewritten because it, or a value inside it, holds an
    /// identifier.
    pub(super) fn finds(self, json: &str) -> bool {
        self != Self::Nothing
            && match JsonType::from_first_byte(json.as_bytes()[0]) {
                JsonType::String => {
                    let text = unquote(json).unwrap_or_default();
                    !self.skips(&text) && scrub::finds_identifier(&text)
                }
                JsonType::Array | JsonType::Object => {
                    scan::iter_entries(json).any(|(_, value)| self.finds(value))
                }
                JsonType::Null | JsonType::Bool | JsonType::Number => false,
            }
    }

    /// Returns whether a string is an id in a field that holds ids.
    fn skips(self, text: &str) -> bool {
        self == Self::StringsBesidesIds && is_opaque_id(text)
    }
}

/// Rewrites the value of one field.
pub(super) struct Rewriter<'r, 'n> {
    pub mode: &'r Mode,
    pub scrub: ScrubScope,
    /// The field's name, safe to show.
    pub field: &'r str,
    pub log: &'r mut RedactionLog<'n>,
}

/// The names that lead to a value, from the outermost to its own, safe to show.
///
/// They are joined only if something is recorded about the value. Otherwise, a value inside a long
/// key would cost as much as the key.
#[derive(Clone, Copy)]
struct NamePath<'p> {
    outer: Option<&'p NamePath<'p>>,
    name: &'p str,
}

impl NamePath<'_> {
    fn join(&self) -> String {
        let mut path = self.outer.map_or_else(String::new, |outer| outer.join() + ".");
        path.push_str(self.name);
        #[cfg(test)]
        JOINED.set(JOINED.get() + path.len());
        path
    }
}

impl Rewriter<'_, '_> {
    /// Appends a value of a declared type to `out`, with everything masked that the type does not
    /// cover.
    pub(super) fn push_covered(&mut self, json: &str, ty: &Type, out: &mut String) {
        let path = NamePath { outer: None, name: self.field };
        self.push_typed(json, ty, &path, out);
    }

    /// Appends a value of which everything is shown to `out`.
    pub(super) fn push_all(&mut self, json: &str, out: &mut String) {
        let Some(close) = push_opening_bracket(json, out) else {
            return self.push_scalar(json, out);
        };
        for (at, (key, value)) in scan::iter_entries(json).enumerate() {
            if at > 0 {
                out.push(',');
            }
            if let Some(key) = key {
                push_key(key, out);
            }
            self.push_all(value, out);
        }
        out.push(close);
    }

    fn push_typed(&mut self, json: &str, ty: &Type, path: &NamePath<'_>, out: &mut String) {
        let Some(close) = push_opening_bracket(json, out) else {
            return self.push_scalar(json, out);
        };
        let mut is_first = true;
        for NestedValue { key, name, ty, json, .. } in nested_values(json, ty) {
            let inner = name.as_deref().map(|name| NamePath { outer: Some(path), name });
            let path = inner.as_ref().unwrap_or(path);
            let ty = ty.filter(|ty| conformance(json, ty).is_shown());
            let is_hidden = ty.is_none() && json != "null";
            let is_already_hidden = is_hidden && self.record_hidden(json, path);
            if is_hidden && matches!(self.mode, Mode::Drop) {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                out.push(',');
            }
            if let Some(key) = key {
                push_key(&key, out);
            }
            match ty {
                Some(ty) => self.push_typed(json, ty, path, out),
                None if is_hidden && !is_already_hidden => {
                    mask::push(self.mode, || Domain::for_field(path.name), json, out);
                }
                None => out.push_str(json),
            }
        }
        out.push(close);
    }

    /// Records that a nested value is hidden, and returns whether an earlier run has hidden it.
    fn record_hidden(&mut self, json: &str, path: &NamePath<'_>) -> bool {
        let path = path.join();
        let is_already_hidden = self.log.is_already_hidden(&path, json);
        self.log.record_hidden(Name::Owned(path), json, Reason::Unknown);
        is_already_hidden
    }

    fn push_scalar(&mut self, json: &str, out: &mut String) {
        if let Some(scrubbed) = push_scalar(json, self.scrub, out) {
            self.log.record_scrubbed(self.field, &scrubbed);
        }
    }
}

/// Appends a value that is shown, and is neither an array nor an object, to `out`. Returns what was
/// scrubbed in it.
pub(super) fn push_scalar(json: &str, scrub: ScrubScope, out: &mut String) -> Option<Scrubbed> {
    let text = match JsonType::from_first_byte(json.as_bytes()[0]) {
        JsonType::String if scrub != ScrubScope::Nothing => unquote(json).unwrap_or_default(),
        _ => {
            terminal::push_json(json, out);
            return None;
        }
    };
    let found = if scrub.skips(&text) { None } else { scrub::scrub(&text) };
    match &found {
        Some(scrubbed) => {
            terminal::push_json(&serde_json::Value::from(&*scrubbed.text).to_string(), out);
        }
        None => terminal::push_json(json, out),
    }
    found
}

/// Appends the opening bracket of an array or object and returns the closing one; `None` if the
/// value is neither.
fn push_opening_bracket(json: &str, out: &mut String) -> Option<char> {
    let (open, close) = match json.as_bytes()[0] {
        b'{' => ('{', '}'),
        b'[' => ('[', ']'),
        _ => return None,
    };
    out.push(open);
    Some(close)
}

/// Appends a key and a colon; `key` is the text between the quotes, escapes included.
fn push_key(key: &str, out: &mut String) {
    out.push('"');
    terminal::push_json(key, out);
    out.push_str("\":");
}

#[cfg(test)]
thread_local! {
    /// The number of bytes that [`NamePath::join`] has written.
    static JOINED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::JOINED;
    use crate::model::decode::Decoder;
    use crate::model::{Frame, FrameFormat, Origin};
    use crate::redact::{Policy, Redactor};

    /// Redacts an event and returns how many bytes of paths that took.
    fn joined_bytes(data: &str, policy: &Policy) -> usize {
        JOINED.set(0);
        let (origin, mut decoder) = (Origin::default(), Decoder::default());
        let frame = Frame::new(FrameFormat::Record, data.as_bytes(), &origin);
        let mut redactor = Redactor::new(policy.clone());
        let _ = redactor.redact(&decoder.decode(frame));
        JOINED.get()
    }

    #[test]
    fn paths_cost_no_more_than_the_text_however_long_a_key_is() {
        let key = "k".repeat(100_000);
        let long = (0..10).map(|n| format!("\"{key}{n}\": {{}}"));
        let short = (0..10_000).map(|n| format!("\"m{n}\": {{}}"));
        let members = long.chain(short).collect::<Vec<_>>().join(",");
        let data = format!(
            r#"{{"type":"emotion","scores":[{{{members}}}],"speaker":{{{members}}},"{key}":{{"{key}":{{{members}}}}}}}"#
        );
        let bytes = joined_bytes(&data, &Policy::default());
        assert!(bytes > 100_000 && bytes < data.len(), "{bytes} of {}", data.len());
        let mut reveals = Policy::default();
        reveals.reveal.add("all");
        assert_eq!(joined_bytes(&data, &reveals), 0);
    }
}
