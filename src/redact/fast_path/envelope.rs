//! Recognizes the envelope of a CloudEvent that evtap wrote, by its exact spelling.
//!
//! The full path passes on only the data of such an envelope, and an audit finds nothing in its
//! attributes. Of any other envelope, the full path decides.

use super::fields::FieldBuffer;
use crate::model::cloudevent::{self, SUBJECTS};
use crate::model::{Kind, is_call_sid, is_uuid};
use crate::text::terminal;

/// The attributes of an envelope that depend on its data.
pub(super) struct OwnEnvelope<'a> {
    event_type: &'a str,
    /// The subject, unless it is an id that evtap could have written in any event.
    subject: Option<&'a str>,
    /// Where the data begins.
    pub data: usize,
}

impl<'a> OwnEnvelope<'a> {
    /// Reads the envelope at the start of a text, up to its data. Returns `None` if evtap does not
    /// write such an envelope.
    #[inline]
    pub fn read(text: &'a str) -> Option<Self> {
        let mut rest = text.strip_prefix(cloudevent::START)?;
        let id = take_value(&mut rest)?;
        let source = take_attribute(&mut rest, cloudevent::SOURCE)?;
        let event_type = take_attribute(&mut rest, cloudevent::TYPE)?;
        let subject = take_optional(&mut rest, cloudevent::SUBJECT)?;
        let time = take_optional(&mut rest, cloudevent::TIME)?;
        let data = rest.strip_prefix(cloudevent::DATA)?;
        let is_ours = cloudevent::is_id(id)
            && cloudevent::is_source(source)
            && time.is_none_or(cloudevent::is_time);
        let subject = subject.filter(|subject| !is_uuid(subject) && !is_call_sid(subject));
        is_ours.then_some(Self { event_type, subject, data: text.len() - data.len() })
    }

    /// Returns whether the attributes are those of an event. `text` is the event, and `buffer` has
    /// its fields.
    pub fn is_of(&self, kind: Kind, text: &str, buffer: &FieldBuffer) -> bool {
        let is_in_event = |subject: &str| {
            buffer.fields.iter().any(|field| {
                let value = field.value.arrived(&buffer.replaced).slice(text);
                field.spec.is_some_and(|spec| SUBJECTS.contains(&spec.name))
                    && value.strip_prefix('"').and_then(|value| value.strip_suffix('"'))
                        == Some(subject)
            })
        };
        self.event_type == kind.spec().event_type && self.subject.is_none_or(is_in_event)
    }
}

/// Takes an attribute from the start of `rest`.
fn take_attribute<'a>(rest: &mut &'a str, key: &str) -> Option<&'a str> {
    *rest = rest.strip_prefix(key)?;
    take_value(rest)
}

/// Takes an attribute from the start of `rest`, if it comes next.
#[expect(clippy::option_option, reason = "the outer one is the result of reading")]
fn take_optional<'a>(rest: &mut &'a str, key: &str) -> Option<Option<&'a str>> {
    if rest.starts_with(key) { take_attribute(rest, key).map(Some) } else { Some(None) }
}

/// Takes a string without escapes and characters beyond ASCII from the start of `rest`.
fn take_value<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let (value, after) = rest.strip_prefix('"')?.split_once('"')?;
    *rest = after;
    (terminal::is_plain(value) && !value.contains('\\')).then_some(value)
}
