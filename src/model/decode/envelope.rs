//! Opens CloudEvents envelopes (CloudEvents 1.0, JSON format).
//!
//! The event is in `data`: either a line that evtap wrote, or the fields of an event whose type is
//! the envelope's. Only the type and the time of the envelope are passed on. Attributes that evtap
//! would not have written are reported by name, so that they do not vanish silently and an audit
//! finds them.

use jiff::Timestamp;

use super::member::{key_of, string};
use crate::json::JsonType;
use crate::json::scan::{self, Member};
use crate::json::string::contents;
use crate::model::cloudevent::{self, SUBJECTS};
use crate::model::name::NameMasks;
use crate::model::{Name, is_call_sid, is_uuid};

/// An opened envelope.
pub(super) struct Envelope<'a> {
    /// The envelope's type, if the data does not name its own.
    pub name: Option<&'a str>,
    /// The envelope's time, if the data is not a line that evtap wrote.
    pub time: Option<Timestamp>,
    /// The attributes that evtap would not have written, or not with such a value.
    pub unexpected: Vec<UnexpectedMember>,
}

/// An attribute or a member that evtap would not have written.
pub(crate) struct UnexpectedMember {
    /// Its name, safe to show.
    pub name: Name,
    /// It is reported as drift, because no specification defines it.
    pub is_drift: bool,
}

/// The context attributes that the specification defines.
/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#context-attributes>
const CONTEXT: &[&str] =
    &["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"];

/// Opens an envelope and replaces `members` with the members of its data.
///
/// Returns `None` and keeps the object's own members if it is not an envelope, or its data is not
/// an object. It is then an undeclared event, whose fields are all hidden.
pub(super) fn open<'a>(text: &'a str, members: &mut Vec<Member>) -> Option<Envelope<'a>> {
    let find = |name: &str| members.iter().find(|member| member.key.slice(text) == name);
    let is_string = |member: &&Member| member.json == JsonType::String;
    find("specversion").filter(is_string)?;
    if find("event_type").is_some() {
        return None;
    }
    let name = contents(find("type").filter(is_string)?.value.slice(text))?.trim();
    let data = *find("data").filter(|data| data.json == JsonType::Object)?;
    let attributes: Vec<_> =
        members.iter().filter(|member| member.key != data.key).copied().collect();
    members.clear();
    scan::scan_inner_object(text, data.value, members);
    let named = members
        .iter()
        .find(|member| member.json == JsonType::String && member.key.slice(text) == "event_type");
    // No declared name has escapes.
    if named.is_none() && name.contains('\\') {
        members.clear();
        members.extend(attributes);
        members.push(data);
        return None;
    }
    let time = attributes
        .iter()
        .find(|member| member.key.slice(text) == "time")
        .and_then(|time| contents(time.value.slice(text)));
    let time = time.filter(|_| named.is_none()).and_then(|time| time.parse::<Timestamp>().ok());
    let event_type = named.map(|named| string(named.value, text));
    let mut masks = NameMasks::default();
    let unexpected = attributes
        .iter()
        .filter(|attribute| !could_be_ours(attribute, event_type.as_deref(), text, members))
        .map(|attribute| {
            let name = key_of(attribute, text);
            let is_extension = !CONTEXT.contains(&&*name);
            let name = masks.show(name);
            UnexpectedMember {
                name: Name::Owned(format!("cloudevent.{name}")),
                is_drift: is_extension,
            }
        });
    Some(Envelope { name: named.is_none().then_some(name), time, unexpected: unexpected.collect() })
}

/// Returns whether evtap could have written an attribute around `data`.
fn could_be_ours(
    attribute: &Member,
    event_type: Option<&str>,
    text: &str,
    data: &[Member],
) -> bool {
    if attribute.json != JsonType::String {
        return false;
    }
    let value = string(attribute.value, text);
    match &*key_of(attribute, text) {
        "specversion" => value == "1.0",
        "id" => cloudevent::is_id(&value),
        "source" => cloudevent::is_source(&value),
        // If the type names the event, decoding checks it.
        "type" => event_type.is_none_or(|event_type| value == cloudevent::legal(event_type)),
        "subject" => is_uuid(&value) || is_call_sid(&value) || is_subject(&value, text, data),
        "time" => cloudevent::is_time(&value),
        "datacontenttype" => value == "application/json",
        _ => false,
    }
}

/// Returns whether a subject is the id that evtap would have taken from `data`.
fn is_subject(value: &str, text: &str, data: &[Member]) -> bool {
    let subjects = data.iter().filter(|member| {
        SUBJECTS.contains(&&*key_of(member, text)) && member.json == JsonType::String
    });
    subjects
        .map(|member| string(member.value, text))
        .any(|subject| cloudevent::legal(&subject) == value)
}
