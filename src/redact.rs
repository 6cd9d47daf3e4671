//! From [`Event`] to [`Shown`]: the only way, and the only place that decides what is hidden.
//!
//! A `Shown` is the text that arrived with masks in place of spans. Whatever prints, filters, counts or records takes a
//! `Shown`; none of it can come at what a mask covers, since only this module reads an `Event`.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::decode::{Content, Event, Found, key_of, shown_name};
use crate::event::{Declared, EventSpec, Field, FieldSpec, JsonType, Kind, MASK, Stream, Tap, Type};
use crate::sanitize;
use crate::scan::{self, Span};

/// What takes the place of a hidden value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// `"[redacted]"`.
    #[default]
    Mask,
    /// Nothing: the field is left out.
    Drop,
}

/// Fields by name: all of them, one of every event, or one of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    all: bool,
    anywhere: HashSet<String>,
    of_event: HashSet<(String, String)>,
}

impl Names {
    /// Adds `all`, `field` or `event.field`.
    pub fn add(&mut self, name: &str) {
        if name == "all" {
            self.all = true;
        } else if let Some((event, field)) = of_event(name) {
            self.of_event.insert((event.to_owned(), field.to_owned()));
        } else {
            self.anywhere.insert(name.to_owned());
        }
    }

    fn has(&self, event: &str, field: &str) -> bool {
        self.all || self.anywhere.contains(field) || self.of_event.iter().any(|(of, name)| of == event && name == field)
    }
}

/// Splits `call.started.caller_id` into the event and its field.
fn of_event(name: &str) -> Option<(&str, &str)> {
    let (event, field) = name.rsplit_once('.')?;
    Some((event, field))
}

/// What is hidden, and how.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What takes the place of a hidden value.
    pub mode: Mode,
    /// What is shown though its class says otherwise.
    pub reveal: Names,
    /// What is hidden though its class says otherwise. It goes before `reveal`.
    pub redact: Names,
}

/// How a field is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Hide,
    /// Shown, but for what nobody has classed inside it.
    Show,
    /// Asked for by name: shown with all that is inside.
    Reveal,
}

impl Policy {
    fn treat(&self, event: &str, name: &str, spec: Option<&FieldSpec>) -> Treatment {
        if self.redact.has(event, name) {
            Treatment::Hide
        } else if self.reveal.has(event, name) {
            Treatment::Reveal
        } else if spec.is_none_or(|spec| spec.class.is_hidden()) {
            Treatment::Hide
        } else {
            Treatment::Show
        }
    }

    /// Whether a declared field is hidden.
    #[must_use]
    pub fn hides(&self, event: &EventSpec, field: &FieldSpec) -> bool {
        self.treat(event.event_type, field.name, Some(field)) == Treatment::Hide
    }
}

/// Where a text of a shown event stands.
#[derive(Debug, Clone, Copy)]
enum Piece {
    /// In the frame, as it arrived.
    Arrived(Span),
    /// In the scratch text.
    Made(usize, usize),
    /// `"[redacted]"`, quotes included.
    Mask,
}

struct Entry {
    key: Piece,
    value: Piece,
    hidden: bool,
    spec: Option<&'static FieldSpec>,
}

/// Redacts event after event by one policy, with tables that are used again.
pub struct Redactor {
    policy: Policy,
    entries: Vec<Entry>,
    scratch: String,
}

/// An event as it may be shown.
pub struct Shown<'a> {
    text: &'a str,
    scratch: &'a str,
    entries: &'a [Entry],
    name: Cow<'a, str>,
    kind: Option<Kind>,
    tap: Tap,
    recorded_tap: Option<&'a str>,
}

/// A field as it may be shown.
#[derive(Clone, Copy)]
pub struct ShownField<'a> {
    /// What stands between the quotes of its key.
    pub key: &'a str,
    /// Its value: valid JSON on one line, without white space between tokens and without hostile characters.
    pub json: &'a str,
    /// The value is hidden; `json` is a mask.
    pub hidden: bool,
    /// Its declaration, if the model has it.
    pub spec: Option<&'static FieldSpec>,
}

impl ShownField<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        if self.key.contains('\\') { Cow::Owned(scan::unescape(self.key)) } else { Cow::Borrowed(self.key) }
    }
}

const MASK_JSON: &str = "\"[redacted]\"";

impl Redactor {
    /// A redactor by that policy.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self { policy, entries: Vec::new(), scratch: String::new() }
    }

    /// Hides what the policy hides.
    pub fn redact<'a>(&'a mut self, event: &Event<'a>) -> Shown<'a> {
        self.entries.clear();
        self.scratch.clear();
        let mut tap = event.tap.clone();
        let (name, kind) = match &event.content {
            Content::Malformed { defect, length } => {
                let offset = event.frame.offset + defect.offset as u64;
                for (spec, value) in Kind::TapMalformed.spec().fields.iter().zip([
                    offset.to_string(),
                    length.to_string(),
                    format!("\"{}\"", defect.category.name()),
                ]) {
                    let (key, value) = (self.made(spec.name), self.made(&value));
                    self.entries.push(Entry { key, value, hidden: false, spec: Some(spec) });
                }
                (Cow::Borrowed(Kind::TapMalformed.spec().event_type), Some(Kind::TapMalformed))
            }
            Content::Event { name, kind, fields } => {
                let plain = event.text.is_ascii() && !event.text.as_bytes().contains(&0x7f);
                for found in *fields {
                    self.field(event, name, Event::spec_of(*kind, found), found, plain, &mut tap.redacted);
                }
                (self.name(name, &mut tap.redacted), *kind)
            }
        };
        for (name, part) in [("workspace_id", &mut tap.workspace_id), ("call_sid", &mut tap.call_sid)] {
            if part.is_some() && self.policy.redact.has("_tap", name) {
                *part = None;
            }
        }
        let recorded_tap = event.recorded_tap.filter(|_| tap == event.tap).map(|span| span.of(event.text));
        Shown { text: event.text, scratch: &self.scratch, entries: &self.entries, name, kind, tap, recorded_tap }
    }

    fn field(
        &mut self,
        event: &Event<'_>,
        event_type: &str,
        spec: Option<&'static FieldSpec>,
        found: &Found,
        plain: bool,
        redacted: &mut Vec<String>,
    ) {
        let member = &found.member;
        let json = member.value.of(event.text);
        let name = key_of(member, event.text);
        let treatment = self.policy.treat(event_type, &name, spec);
        let shown = if treatment == Treatment::Reveal { &name } else { shown_name(&name) };
        let already = json == MASK_JSON && redacted.iter().any(|known| known == shown);
        let hidden = already || (treatment == Treatment::Hide && member.json != JsonType::Null);
        if hidden {
            note(redacted, shown);
            if self.policy.mode == Mode::Drop {
                return;
            }
        }
        let key = if shown != name {
            self.made(shown)
        } else if plain || !sanitize::has_hostile(member.key.of(event.text)) {
            Piece::Arrived(member.key)
        } else {
            self.made_with(|out| sanitize::push_json(member.key.of(event.text), out))
        };
        let value = if hidden {
            Piece::Mask
        } else if found.odd && treatment == Treatment::Show {
            let ty = spec.map(|spec| &spec.ty);
            let mode = self.policy.mode;
            self.made_with(|out| rewrite(json, Inside::Typed(ty), shown, mode, redacted, out))
        } else if member.spaced || (!plain && sanitize::has_hostile(json)) {
            let mode = self.policy.mode;
            self.made_with(|out| rewrite(json, Inside::Free, shown, mode, redacted, out))
        } else {
            Piece::Arrived(member.value)
        };
        self.entries.push(Entry { key, value, hidden, spec });
    }

    fn name<'a>(&self, name: &Cow<'a, str>, redacted: &mut Vec<String>) -> Cow<'a, str> {
        if shown_name(name) == name || self.policy.reveal.all {
            name.clone()
        } else {
            note(redacted, "event_type");
            Cow::Borrowed(MASK)
        }
    }

    fn made(&mut self, text: &str) -> Piece {
        self.made_with(|out| out.push_str(text))
    }

    fn made_with(&mut self, write: impl FnOnce(&mut String)) -> Piece {
        let start = self.scratch.len();
        write(&mut self.scratch);
        Piece::Made(start, self.scratch.len())
    }
}

fn note(redacted: &mut Vec<String>, name: &str) {
    if !redacted.iter().any(|known| known == name) {
        redacted.push(name.to_owned());
    }
}

/// What is known of the inside of a value that is shown.
#[derive(Clone, Copy)]
enum Inside<'t> {
    /// All of it is shown.
    Free,
    /// What the type has is shown.
    Typed(Option<&'t Type>),
}

impl Inside<'_> {
    /// What is known of the value of `key` in a value of this type; `None` if nobody has classed it.
    fn of(self, key: Option<&str>) -> Option<Self> {
        match self {
            Self::Free | Self::Typed(Some(Type::Any)) => Some(Self::Free),
            Self::Typed(Some(Type::List(item) | Type::Map(item))) => Some(Self::Typed(Some(item))),
            Self::Typed(Some(Type::Record(members))) => {
                let key = scan::unescape(key?);
                members.iter().find(|member| member.name == key).map(|member| Self::Typed(Some(&member.ty)))
            }
            Self::Typed(_) => None,
        }
    }

    fn has_inside(self, json: JsonType) -> bool {
        match self {
            Self::Free | Self::Typed(Some(Type::Any)) => true,
            Self::Typed(Some(Type::List(_) | Type::Map(_) | Type::Record(_))) => {
                matches!(self, Self::Typed(Some(ty)) if ty.accepts(json))
            }
            Self::Typed(_) => false,
        }
    }
}

/// Writes a value on one line, without hostile characters, and with masks where nobody has classed what is there.
fn rewrite(json: &str, inside: Inside<'_>, path: &str, mode: Mode, redacted: &mut Vec<String>, out: &mut String) {
    let ty = JsonType::of(json.as_bytes()[0]);
    if !ty.is_container() {
        return sanitize::push_json(json, out);
    }
    if !inside.has_inside(ty) {
        note(redacted, path);
        return out.push_str(MASK_JSON);
    }
    let (open, close) = if ty == JsonType::Object { ('{', '}') } else { ('[', ']') };
    out.push(open);
    let mut first = true;
    for (key, value) in scan::entries(json) {
        let known = inside.of(key);
        let name = key.map(scan::unescape);
        let name = name.as_deref().map(|name| if known.is_some() { name } else { shown_name(name) });
        let path = name.map_or_else(|| Cow::Borrowed(path), |name| Cow::Owned(format!("{path}.{name}")));
        let hidden = known.is_none() && value != "null";
        if hidden {
            note(redacted, &path);
            if mode == Mode::Drop {
                continue;
            }
        }
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        if let (Some(key), Some(name)) = (key, name) {
            out.push('"');
            sanitize::push_json(if name == MASK { MASK } else { key }, out);
            out.push_str("\":");
        }
        match known {
            Some(inside) => rewrite(value, inside, &path, mode, redacted, out),
            None if hidden => out.push_str(MASK_JSON),
            None => out.push_str(value),
        }
    }
    out.push(close);
}

impl<'a> Shown<'a> {
    /// Its type.
    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.name
    }

    /// Which of the declared events it is.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// What evtap says about it.
    #[must_use]
    pub const fn tap(&self) -> &Tap {
        &self.tap
    }

    /// `_tap` as JSON: what was recorded, to the byte, where it says the same.
    #[must_use]
    pub fn tap_json(&self) -> Cow<'a, str> {
        match self.recorded_tap {
            Some(recorded) => Cow::Borrowed(recorded),
            None => Cow::Owned(serde_json::to_string(&self.tap).unwrap_or_default()),
        }
    }

    /// The stream that it belongs to.
    #[must_use]
    pub fn stream(&self) -> Option<Stream> {
        self.kind.map(|kind| kind.spec().stream)
    }

    /// Its fields, in the order in which they arrived.
    pub fn fields(&self) -> impl Iterator<Item = ShownField<'a>> {
        let (text, scratch) = (self.text, self.scratch);
        let piece = move |piece: Piece| match piece {
            Piece::Arrived(span) => span.of(text),
            Piece::Made(start, end) => &scratch[start..end],
            Piece::Mask => MASK_JSON,
        };
        self.entries.iter().map(move |entry| ShownField {
            key: piece(entry.key),
            json: piece(entry.value),
            hidden: entry.hidden,
            spec: entry.spec,
        })
    }

    /// The field of that name. Of several with one name, the last counts, as in other readers of JSON.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<ShownField<'a>> {
        self.fields().filter(|field| field.name() == name).last()
    }

    /// The typed struct, if it is such an event.
    #[must_use]
    pub fn read<T: Declared>(&self) -> Option<T> {
        (self.kind?.spec().event_type == T::SPEC.event_type).then(|| {
            T::read(|name| match self.field(name) {
                None if self.tap.redacted.iter().any(|hidden| hidden == name) => Field::Hidden,
                None => Field::Absent,
                Some(field) if field.hidden => Field::Hidden,
                Some(field) if field.json == "null" => Field::Null,
                Some(field) => Field::Value(field.json),
            })
        })
    }
}
