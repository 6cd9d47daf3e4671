//! Parts of an event by name: `event_type`, a field, or a part of `_tap` such as `_tap.time`.

use std::borrow::Cow;

use crate::json::string::unquote;
use crate::model::Tap;
use crate::query::value::member;
use crate::redact::RedactedEvent;
use crate::text::terminal::push_quoted;

/// The columns if none are selected: what all events have in common, and the fields as JSON.
const USUAL: &[&str] = &[
    "event_type",
    "_tap.time",
    "_tap.id",
    "_tap.stream",
    "_tap.workspace_id",
    "call_sid",
    PAYLOAD,
];

/// The column that contains the fields of an event as one JSON object.
pub const PAYLOAD: &str = "payload";

/// The names of event parts, in the order in which they are written.
#[derive(Debug, Clone)]
pub struct Columns(Vec<String>);

impl Columns {
    /// Creates columns with these names.
    #[must_use]
    pub const fn new(names: Vec<String>) -> Self {
        Self(names)
    }

    /// Returns the default columns, which fit any event.
    #[must_use]
    pub fn usual() -> Self {
        Self(USUAL.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Returns the names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Iterates over the columns: the name, and the part of the event as JSON, or `None` if the
    /// event does not have it.
    pub fn parts<'a>(
        &self,
        shown: &'a RedactedEvent<'_>,
    ) -> impl Iterator<Item = (&str, Option<Cow<'a, str>>)> {
        self.0.iter().map(|name| (name.as_str(), part(shown, name)))
    }

    /// Appends the parts that the event has as one JSON object.
    pub fn object(&self, shown: &RedactedEvent<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut first = true;
        for (name, json) in self.parts(shown) {
            let Some(json) = json else { continue };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            push_quoted(name, out);
            out.push(b':');
            out.extend_from_slice(json.as_bytes());
        }
        out.push(b'}');
    }
}

/// Returns a part of an event as JSON. `a.b` is the member `b` of the object `a`.
#[must_use]
pub fn part<'a>(shown: &'a RedactedEvent<'_>, name: &str) -> Option<Cow<'a, str>> {
    if let Some(field) = shown.field(name) {
        return Some(Cow::Borrowed(field.json));
    }
    match name {
        "event_type" => {
            let mut json = Vec::new();
            push_quoted(shown.event_type(), &mut json);
            return String::from_utf8(json).ok().map(Cow::Owned);
        }
        "_tap" => return Some(shown.tap_json()),
        PAYLOAD => {
            let members: Vec<_> =
                shown.fields().map(|field| format!("\"{}\":{}", field.key, field.json)).collect();
            return Some(Cow::Owned(format!("{{{}}}", members.join(","))));
        }
        _ => {}
    }
    let (outer, inner) = name.split_once('.')?;
    inner.split('.').try_fold(part(shown, outer)?, |json, key| match json {
        _ if !json.starts_with('{') => None,
        Cow::Borrowed(json) => member(json, key).map(Cow::Borrowed),
        Cow::Owned(json) => member(&json, key).map(|json| Cow::Owned(json.to_owned())),
    })
}

/// Returns the text of a member of `_tap`, if that is a text.
#[must_use]
pub fn tap_text<'a>(tap: &'a Tap, name: &str) -> Option<&'a str> {
    match name {
        "id" => tap.id.as_deref(),
        "time" => tap.time.as_deref(),
        "received_at" => tap.received_at.as_deref(),
        "stream" => tap.stream.as_deref(),
        "workspace_id" => tap.workspace_id.as_deref(),
        "call_sid" => tap.call_sid.as_deref(),
        _ => None,
    }
}

/// Formats a JSON value for a table cell: a string without quotes, null as empty text, and anything
/// else as JSON.
#[must_use]
pub fn text(json: &str) -> String {
    match unquote(json) {
        Some(text) => text.into_owned(),
        None if json == "null" => String::new(),
        None => json.to_owned(),
    }
}
