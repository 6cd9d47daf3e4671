//! Replaces the values of events, at every depth, by invented ones of the same type and length.

use std::collections::HashMap;

use rand::RngExt;

use super::fictions::Fictions;
use super::originals::Originals;
use super::recorded::{RecordedEvent, RecordedField};
use crate::emulator::samples::sample_field;
use crate::json::JsonType;
use crate::json::scan::iter_entries;
use crate::json::string::{unescape, unquote};
use crate::model::{Class, Domain, FieldSpec, MemberSpec, Type, is_choice, is_name, is_time};
use crate::text::MASK;

/// The fields and members whose values are words of a program: states, tools, channels and so on.
/// They are kept if they look like names.
const VOCABULARY: &[&str] = &[
    "action",
    "bounce_subtype",
    "bounce_type",
    "channel",
    "channel_kind",
    "completion_reason",
    "current_state",
    "delivery_status",
    "dominant",
    "final_state",
    "initial_state",
    "mode",
    "model",
    "next_state",
    "previous_state",
    "protocol",
    "provider",
    "segment_dominant",
    "source",
    "speaker_role",
    "state",
    "state_after",
    "state_before",
    "status",
    "tool_name",
    "transition_type",
    "tts_emotion",
];

/// The fields that hold the time of an event.
const TIMES: &[&str] = &["timestamp", "submitted_at"];

/// The longest number that is kept, in digits before the point: more may be a record number.
const MAX_DIGITS: usize = 7;

/// The length of an invented text in place of a mask, in bytes.
const MASKED_LENGTH: usize = 32;

/// What a text is, which decides what takes its place. Equal texts of one sort get equal inventions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sort {
    Text(Domain),
    Id,
    Key,
}

/// Invents values.
pub(super) struct Inventor {
    fictions: Fictions,
    call_sid: String,
    /// The inventions, by what they replace.
    known: HashMap<(Sort, String), String>,
    /// The number of values that were replaced.
    pub replaced: u64,
    /// The number of undeclared names that were replaced.
    pub names: u64,
}

impl Inventor {
    pub fn new(seed: u64, originals: Originals, call_sid: &str) -> Self {
        Self {
            fictions: Fictions::new(seed, originals),
            call_sid: call_sid.to_owned(),
            known: HashMap::new(),
            replaced: 0,
            names: 0,
        }
    }

    /// Returns the payload of an event, as JSON with variables.
    pub fn payload(&mut self, event: &RecordedEvent) -> String {
        let declared = event.kind.map_or(&[][..], |kind| kind.spec().fields);
        let mut taken: Vec<String> = declared.iter().map(|field| field.name.to_owned()).collect();
        let mut json = String::from("{");
        for field in &event.fields {
            let name = match field.spec {
                Some(spec) => spec.name.to_owned(),
                None => self.name(&field.name, &taken),
            };
            if json.len() > 1 {
                json.push(',');
            }
            push_text(&name, &mut json);
            json.push(':');
            self.field(field, &mut json);
            taken.push(name);
        }
        json.push('}');
        json
    }

    fn field(&mut self, field: &RecordedField, out: &mut String) {
        let Some(spec) = field.spec else {
            return self.unknown(field.json.as_deref().unwrap_or("null"), Domain::Text, out);
        };
        match &field.json {
            Some(json) if field.is_masked => self.masked(spec, json, out),
            None => self.masked(spec, "", out),
            Some(json) if spec.class == Class::Open => {
                self.open(json, &spec.ty, spec.name, spec, out);
            }
            Some(json) => self.hidden(json, &spec.ty, spec, out),
        }
    }

    /// Appends an invented value in place of a mask.
    fn masked(&mut self, spec: &FieldSpec, mask: &str, out: &mut String) {
        self.replaced += 1;
        let is_text = spec.ty.accepts(JsonType::String);
        if !is_text {
            let sample = sample_field(spec, &mut self.fictions.rng).to_string();
            return self.unknown(&sample, Domain::Text, out);
        }
        let sort = Sort::Text(spec.domain);
        // One person is behind all masks of a field, but texts differ.
        let key = (sort, format!("{mask} {}", spec.name));
        let is_person = spec.domain != Domain::Text || mask.starts_with("\"phi:");
        if let Some(known) = self.known.get(&key).filter(|_| is_person) {
            return push_text(known, out);
        }
        let fictions = &mut self.fictions;
        let text = match spec.domain {
            Domain::Phone => fictions.telephone("+10000000000"),
            Domain::Address => fictions.address(MASKED_LENGTH),
            Domain::Name => fictions.name(MASKED_LENGTH / 2),
            Domain::Text if spec.name.ends_with("_url") => fictions.link(MASKED_LENGTH),
            Domain::Text if spec.name.ends_with("_id") => fictions.id("id_4f09ab17"),
            Domain::Text => fictions.prose(MASKED_LENGTH),
        };
        push_text(&text, out);
        self.known.insert(key, text);
    }

    /// Appends the value of an open field, or one inside it, named `name`.
    fn open(&mut self, json: &str, ty: &Type, name: &str, spec: &FieldSpec, out: &mut String) {
        let found = JsonType::from_first_byte(json.as_bytes().first().copied().unwrap_or(b'n'));
        match (found, ty) {
            (JsonType::Null, _) => out.push_str("null"),
            (JsonType::Bool, Type::Bool | Type::Unstated) => out.push_str(json),
            (JsonType::Number, Type::Number) if name == "start_time" => {
                out.push_str("\"{{start_seconds}}\"");
            }
            (JsonType::Number, Type::Number) if is_short(json) => out.push_str(json),
            (JsonType::Number, Type::Integer) if is_short(json) && is_whole(json) => {
                out.push_str(json);
            }
            (JsonType::String, Type::Choice(choices)) if is_choice(json, choices) => {
                out.push_str(json);
            }
            (JsonType::String, Type::Text | Type::Uuid | Type::Time | Type::Unstated) => {
                self.open_text(&unquote(json).unwrap_or_default(), ty, name, spec, out);
            }
            (JsonType::Array, Type::List(item)) => {
                self.items(json, out, |inventor, json, out| {
                    inventor.open(json, item, name, spec, out);
                });
            }
            (JsonType::Object, Type::Map(value)) => {
                self.members(json, &[], out, |inventor, key, _, json, out| {
                    // A key that may be text about a person says the same of its value.
                    if is_name(key) {
                        inventor.open(json, value, "", spec, out);
                    } else {
                        inventor.unknown(json, Domain::Text, out);
                    }
                });
            }
            (JsonType::Object, Type::Record(members)) => {
                self.members(json, members, out, |inventor, _, member, json, out| match member {
                    Some(MemberSpec { name, ty, .. }) => inventor.open(json, ty, name, spec, out),
                    None => inventor.unknown(json, Domain::Text, out),
                });
            }
            (_, Type::OneOf(types)) if types.iter().any(|ty| ty.accepts(found)) => {
                if let Some(ty) = types.iter().find(|ty| ty.accepts(found)) {
                    self.open(json, ty, name, spec, out);
                }
            }
            _ => self.unknown(json, spec.domain, out),
        }
    }

    /// Appends the text of an open field.
    fn open_text(&mut self, text: &str, ty: &Type, name: &str, spec: &FieldSpec, out: &mut String) {
        let is_member = name != spec.name;
        let is_word = matches!(ty, Type::Text | Type::Unstated) && is_name(text);
        if is_word && (is_member || VOCABULARY.contains(&name)) {
            return push_text(text, out);
        }
        self.replaced += 1;
        if (*ty == Type::Time || TIMES.contains(&name)) && is_time(text) {
            out.push_str("\"{{now}}\"");
        } else if text == self.call_sid {
            out.push_str("\"{{call_sid}}\"");
        } else if name == "workspace_id" {
            out.push_str("\"{{workspace_id}}\"");
        } else if !is_member && (spec.is_id() || *ty == Type::Unstated) && is_id_like(text) {
            let id = self.invented(Sort::Id, text);
            push_text(&id, out);
        } else {
            let sort = if is_name(text) { Sort::Key } else { Sort::Text(spec.domain) };
            let text = self.invented(sort, text);
            push_text(&text, out);
        }
    }

    /// Appends a value in place of one that is hidden or free text, and declared to be of a type.
    fn hidden(&mut self, json: &str, ty: &Type, spec: &FieldSpec, out: &mut String) {
        match ty {
            Type::Text if spec.name.ends_with("_id") => match unquote(json) {
                Some(text) if is_id_like(&text) => {
                    self.replaced += 1;
                    let id = self.invented(Sort::Id, &text);
                    push_text(&id, out);
                }
                _ => self.unknown(json, spec.domain, out),
            },
            _ => self.unknown(json, spec.domain, out),
        }
    }

    /// Appends a value in place of one about which nothing is known but its JSON.
    fn unknown(&mut self, json: &str, domain: Domain, out: &mut String) {
        match JsonType::from_first_byte(json.as_bytes().first().copied().unwrap_or(b'n')) {
            JsonType::Null => out.push_str("null"),
            JsonType::Bool => {
                self.replaced += 1;
                let value = self.fictions.rng.random_bool(0.5);
                out.push_str(if value { "true" } else { "false" });
            }
            JsonType::Number => {
                self.replaced += 1;
                let number = self.number(json);
                out.push_str(&number);
            }
            JsonType::String => {
                self.replaced += 1;
                let text = unquote(json).unwrap_or_default();
                let text = self.invented(Sort::Text(domain), &text);
                push_text(&text, out);
            }
            JsonType::Array => self.items(json, out, |inventor, json, out| {
                inventor.unknown(json, domain, out);
            }),
            JsonType::Object => self.members(json, &[], out, |inventor, _, _, json, out| {
                inventor.unknown(json, domain, out);
            }),
        }
    }

    /// Returns another number with as many digits.
    fn number(&mut self, json: &str) -> String {
        let (mantissa, exponent) = match json.find(['e', 'E']) {
            Some(at) => json.split_at(at),
            None => (json, ""),
        };
        let number = self.fictions.number(mantissa.trim_start_matches('-'));
        let sign = if json.starts_with('-') { "-" } else { "" };
        let exponent: String = exponent
            .chars()
            .map(|character| if character.is_ascii_digit() { '1' } else { character })
            .collect();
        format!("{sign}{number}{exponent}")
    }

    fn items(
        &mut self,
        json: &str,
        out: &mut String,
        mut invent: impl FnMut(&mut Self, &str, &mut String),
    ) {
        out.push('[');
        for (at, (_, json)) in iter_entries(json).enumerate() {
            if at > 0 {
                out.push(',');
            }
            invent(self, json, out);
        }
        out.push(']');
    }

    /// Appends an object. The keys are invented, except those of declared members.
    fn members(
        &mut self,
        json: &str,
        declared: &'static [MemberSpec],
        out: &mut String,
        mut invent: impl FnMut(&mut Self, &str, Option<&'static MemberSpec>, &str, &mut String),
    ) {
        let mut taken: Vec<_> = declared.iter().map(|member| member.name.to_owned()).collect();
        out.push('{');
        for (at, (key, json)) in iter_entries(json).enumerate() {
            if at > 0 {
                out.push(',');
            }
            let key = unescape(key.unwrap_or_default());
            let member = declared.iter().find(|member| key == member.name);
            let name = match member {
                Some(member) => member.name.to_owned(),
                None => self.name(&key, &taken),
            };
            push_text(&name, out);
            out.push(':');
            invent(self, &key, member, json, out);
            taken.push(name);
        }
        out.push('}');
    }

    /// Returns a name in place of one that is not declared, other than those that are `taken`.
    pub fn name(&mut self, original: &str, taken: &[String]) -> String {
        self.names += 1;
        let mut name = self.invented(Sort::Key, original);
        // Short names are soon used up.
        while taken.contains(&name) {
            let length = name.len() + usize::from(name.len() < 4);
            name = self.fictions.identifier(length.max(1));
        }
        name
    }

    /// Returns the invention in place of a text.
    fn invented(&mut self, sort: Sort, original: &str) -> String {
        let key = (sort, original.to_owned());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let (length, fictions) = (original.len(), &mut self.fictions);
        let has_letters = original.chars().any(char::is_alphabetic) || !original.is_ascii();
        let digits = original.bytes().filter(u8::is_ascii_digit).count();
        let is_plain = original.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\'');
        let is_number = !has_letters && is_plain && digits > 0;
        let text = match sort {
            Sort::Key => fictions.identifier(length),
            Sort::Id => fictions.id(original),
            _ if original == MASK => fictions.prose(MASKED_LENGTH),
            Sort::Text(Domain::Phone) if is_number => fictions.telephone(original),
            Sort::Text(Domain::Address) if is_number && digits >= MAX_DIGITS => {
                fictions.telephone(original)
            }
            Sort::Text(Domain::Address) => fictions.address(length),
            Sort::Text(Domain::Name) => fictions.name(length),
            Sort::Text(_) if original.starts_with("http") => fictions.link(length),
            Sort::Text(_) => fictions.prose(length),
        };
        self.known.insert(key, text.clone());
        text
    }
}

/// Returns whether a text may be an id that a system gives out, whose form is kept.
fn is_id_like(text: &str) -> bool {
    let is_form =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    !text.is_empty() && text.bytes().all(is_form)
}

fn is_short(json: &str) -> bool {
    let whole = json.trim_start_matches('-').bytes().take_while(u8::is_ascii_digit).count();
    whole <= MAX_DIGITS && !json.contains(['e', 'E'])
}

fn is_whole(json: &str) -> bool {
    !json.contains(['.', 'e', 'E'])
}

/// Appends invented text, or a name, as a JSON string.
fn push_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
