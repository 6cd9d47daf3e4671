//! Fields as people see them: their order and their text.

use std::borrow::Cow;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use crate::json::string::{contents, push_unescaped};
use crate::model::catalog::field_named;
use crate::model::{id_prefix, is_call_sid, is_uuid};
use crate::output::columns::{Columns, part};
use crate::redact::{RedactedEvent, RedactedField};
use crate::text::terminal;

/// The importance of a field, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FieldRank {
    Leading(usize),
    Other,
    Null,
}

/// A field formatted as text.
pub(crate) struct FieldText {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) hidden: bool,
    pub(crate) rank: FieldRank,
}

/// A field of a line. Its text is in the event or, if it is not there as it is shown, in a scratch
/// text.
pub(super) struct LineField<'e> {
    pub name: LineText<'e>,
    pub value: LineText<'e>,
    pub hidden: bool,
    pub rank: FieldRank,
}

/// A text of a line.
pub(super) enum LineText<'e> {
    Event(&'e str),
    Scratch(Range<usize>),
}

impl<'e> LineText<'e> {
    pub(super) fn resolve<'t>(&self, scratch: &'t str) -> &'t str
    where
        'e: 't,
    {
        match self {
            Self::Event(text) => text,
            Self::Scratch(range) => &scratch[range.clone()],
        }
    }

    /// Appends a text to the scratch text.
    fn push(text: &str, scratch: &mut String) -> Self {
        let start = scratch.len();
        scratch.push_str(text);
        Self::Scratch(start..scratch.len())
    }

    /// Returns the name of a field.
    fn name(field: &RedactedField<'e>, scratch: &mut String) -> Self {
        match field.spec {
            Some(spec) => Self::Event(spec.name),
            None if is_plain_word(field.key) => Self::Event(field.key),
            None => Self::push(&terminal::visible(&field.name()), scratch),
        }
    }

    /// Returns a JSON value as people see it: a string without quotes if it is one word, with
    /// quotes if not.
    fn value(json: &'e str, scratch: &mut String) -> Self {
        let Some(text) = contents(json) else { return Self::Event(json) };
        if is_plain_word(text) {
            return Self::Event(text);
        }
        let is_word = |text: &str| !text.is_empty() && !text.contains(' ');
        if !text.contains('\\') && !terminal::has_hostile(text) {
            return Self::Event(if is_word(text) { text } else { json });
        }
        let quote = scratch.len();
        scratch.push('"');
        let start = scratch.len();
        push_unescaped(text, scratch);
        if let Cow::Owned(visible) = terminal::visible(&scratch[start..]) {
            scratch.truncate(start);
            scratch.push_str(&visible);
        }
        if is_word(&scratch[start..]) {
            return Self::Scratch(start..scratch.len());
        }
        scratch.push('"');
        Self::Scratch(quote..scratch.len())
    }
}

/// Returns whether a part of JSON is printable ASCII without spaces and escapes.
fn is_plain_word(text: &str) -> bool {
    // Without an early exit the compiler checks several bytes in each step.
    let is_plain = |byte| matches!(byte, b'!'..=b'~') && byte != b'\\';
    !text.is_empty() && text.bytes().fold(true, |plain, byte| plain & is_plain(byte))
}

impl LineField<'_> {
    /// Returns the number of columns of the field: a space, the name, an equals sign and the value.
    pub(super) fn columns(&self, scratch: &str) -> usize {
        2 + width_of(self.name.resolve(scratch)) + width_of(self.value.resolve(scratch))
    }

    /// Shortens the value if it is an id.
    pub(super) fn shorten(&mut self, scratch: &mut String) {
        let value = self.value.resolve(scratch);
        if is_shortened(value) {
            let length = id_prefix(value).len();
            let start = scratch.len();
            match &self.value {
                LineText::Event(value) => scratch.push_str(&value[..length]),
                LineText::Scratch(range) => {
                    scratch.extend_from_within(range.start..range.start + length);
                }
            }
            scratch.push('…');
            self.value = LineText::Scratch(start..scratch.len());
        }
    }
}

/// Moves the SID of the call to the left until it fits into `room` columns, of which the last shows
/// that something was cut off.
pub(super) fn keep_call(fields: &mut [LineField<'_>], room: usize, scratch: &str) {
    let is_call = |field: &LineField<'_>| field.name.resolve(scratch) == "call_sid";
    let Some(at) = fields.iter().position(is_call) else { return };
    let mut left = room.saturating_sub(1 + fields[at].columns(scratch));
    let fits = |field: &&LineField<'_>| {
        let rest = left.checked_sub(field.columns(scratch));
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    let to = fields[..at].iter().take_while(fits).count();
    fields[to..=at].rotate_right(1);
}

/// Appends the fields, the most important first, and otherwise in the order in which they arrived.
pub(super) fn push_ordered<'e>(
    shown: &RedactedEvent<'e>,
    fields: &mut Vec<LineField<'e>>,
    scratch: &mut String,
) {
    fields.extend(shown.fields().map(|field| LineField {
        name: LineText::name(&field, scratch),
        value: LineText::value(field.json, scratch),
        hidden: field.hidden,
        rank: match field.spec {
            Some(spec) => rank_of(spec.rank, field.json),
            None => rank(field.key, field.json),
        },
    }));
    fields.sort_by_key(|field| field.rank);
}

/// Appends the parts of the event that `columns` selects, in that order.
pub(super) fn push_chosen<'e>(
    shown: &'e RedactedEvent<'_>,
    columns: &Columns,
    fields: &mut Vec<LineField<'e>>,
    scratch: &mut String,
) {
    for (at, name) in columns.names().iter().enumerate() {
        let Some(json) = part(shown, name) else { continue };
        fields.push(LineField {
            name: LineText::push(&terminal::visible(name), scratch),
            value: match json {
                Cow::Borrowed(json) => LineText::value(json, scratch),
                Cow::Owned(json) => LineText::push(&plain(&json), scratch),
            },
            hidden: shown.field(name).is_some_and(|field| field.hidden),
            rank: FieldRank::Leading(at),
        });
    }
}

/// Returns the fields, the most important first, and otherwise in the order in which they arrived.
pub(crate) fn ordered(shown: &RedactedEvent<'_>) -> Vec<FieldText> {
    let (mut fields, mut scratch) = (Vec::new(), String::new());
    push_ordered(shown, &mut fields, &mut scratch);
    let text = |field: LineField<'_>| FieldText {
        name: field.name.resolve(&scratch).to_owned(),
        value: field.value.resolve(&scratch).to_owned(),
        hidden: field.hidden,
        rank: field.rank,
    };
    fields.into_iter().map(text).collect()
}

/// Returns the rank of a field with this name and value.
pub(crate) fn rank(name: &str, json: &str) -> FieldRank {
    rank_of(field_named(name).and_then(|field| field.rank), json)
}

fn rank_of(rank: Option<u16>, json: &str) -> FieldRank {
    match rank {
        _ if json == "null" => FieldRank::Null,
        Some(rank) => FieldRank::Leading(usize::from(rank)),
        None => FieldRank::Other,
    }
}

/// Shortens an id to its prefix; returns any other value unchanged.
pub(crate) fn short(value: String) -> String {
    if is_shortened(&value) { format!("{}…", id_prefix(&value)) } else { value }
}

fn is_shortened(value: &str) -> bool {
    is_uuid(value) || is_call_sid(value)
}

/// Formats a JSON value for people: a string without quotes if it is one word, with quotes if not.
pub(crate) fn plain(json: &str) -> String {
    let mut scratch = String::new();
    LineText::value(json, &mut scratch).resolve(&scratch).to_owned()
}

/// Returns the number of terminal columns that `text` takes.
pub(crate) fn width_of(text: &str) -> usize {
    if terminal::is_plain(text) {
        return text.len();
    }
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn a_field_has_the_same_rank_in_every_event() {
        for kind in Kind::ALL.iter().chain(Kind::OWN) {
            for field in kind.spec().fields {
                assert_eq!(rank_of(field.rank, "1"), rank(field.name, "1"), "{}", field.name);
            }
        }
    }
}
