//! CloudEvents: an event in an envelope of attributes.
//!
//! The event is what `data` holds: a line of evtap's, or the fields of an event whose type is the envelope's. Nothing of
//! the envelope but the type and the time is shown. What stands in it that evtap would not have written there is named, so
//! that it does not vanish in silence, and so that an audit finds it.

use jiff::Timestamp;

use super::member::{key_of, rfc3339, string};
use crate::json::JsonType;
use crate::json::scan::{self, Member};
use crate::json::string::contents;
use crate::model::cloudevent::{self, SUBJECTS};
use crate::model::{Name, is_call_sid, is_name, is_uuid};
use crate::text::MASK;

/// An envelope, opened.
pub(super) struct Envelope<'a> {
    /// The type that it gives to data that names none.
    pub name: Option<&'a str>,
    /// Its time, where the data is no line of evtap's.
    pub time: Option<String>,
    /// The attributes that evtap would not have written, or not so.
    pub odd: Vec<UnexpectedMember>,
}

/// An attribute, or a member, that evtap would not have written.
pub(crate) struct UnexpectedMember {
    /// Its name, as it may be shown.
    pub name: Name,
    /// It is told as drift: nobody has specified it.
    pub is_drift: bool,
}

/// The attributes of the specification. `specversion` comes first where evtap wrote it, but need not.
const CONTEXT: &[&str] =
    &["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"];

/// Opens the envelope that an object is, if it is one: `members` are those of its data then. Data that is no object leaves
/// the envelope closed, to be taken as an event that nobody has classed.
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
    // Escapes are in no name that is declared.
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
    let odd = attributes
        .iter()
        .filter(|attribute| !is_ours(attribute, event_type.as_deref(), text, members))
        .map(|attribute| {
            let name = key_of(attribute, text);
            let is_extension = !CONTEXT.contains(&&*name);
            let name = if is_name(&name) { name.into_owned() } else { MASK.to_owned() };
            UnexpectedMember {
                name: Name::Owned(format!("cloudevent.{name}")),
                is_drift: is_extension,
            }
        });
    Some(Envelope {
        name: named.is_none().then_some(name),
        time: time.map(rfc3339),
        odd: odd.collect(),
    })
}

/// Whether evtap could have written an attribute around that data.
fn is_ours(attribute: &Member, event_type: Option<&str>, text: &str, data: &[Member]) -> bool {
    if attribute.json != JsonType::String {
        return false;
    }
    let value = string(attribute.value, text);
    match &*key_of(attribute, text) {
        "specversion" => value == "1.0",
        "id" => cloudevent::is_id(&value),
        "source" => cloudevent::is_source(&value),
        // Its name is looked at where it names the event.
        "type" => event_type.is_none_or(|event_type| value == cloudevent::legal(event_type)),
        "subject" => is_uuid(&value) || is_call_sid(&value) || is_subject(&value, text, data),
        "time" => value.len() <= 35 && value.parse::<Timestamp>().is_ok(),
        "datacontenttype" => value == "application/json",
        _ => false,
    }
}

fn is_subject(value: &str, text: &str, data: &[Member]) -> bool {
    let about = data.iter().filter(|member| {
        SUBJECTS.contains(&&*key_of(member, text)) && member.json == JsonType::String
    });
    about
        .map(|member| cloudevent::legal(&string(member.value, text)))
        .any(|subject| subject == value)
}
