//! Events of every type of the model, generated from a seed: optional fields are missing at random,
//! strings contain escapes and letters of several scripts, and some values that are normally hidden
//! are in the clear, as in a recording by another program.

use std::io::Write;

use evtap::model::{Class, EventSpec, FieldSpec, Kind, Stream, Type};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

/// The first time of a recording, in milliseconds of Unix time.
const BEGIN: i64 = 1_795_932_465_062;

const WORDS: &[&str] = &[
    "the",
    "caller",
    "said",
    "that",
    "she",
    "would",
    "like",
    "to",
    "move",
    "an",
    "appointment",
    "for",
    "next",
    "week",
    "because",
    "of",
    "work",
    "and",
    "asked",
    "whether",
    "clinic",
    "has",
    "parking",
    "naïve",
    "café",
    "Zürich",
    "Łódź",
    "東京",
    "emoji",
    "😀",
    "über",
    "señor",
];
const NAMES: &[&str] = &[
    "reminder",
    "intake-form",
    "greeting",
    "collect name",
    "état",
    "book_appointment",
    "verify",
    "a/b",
    "triage",
];

/// Writes events, as lines of a recording.
pub struct Generator {
    rng: StdRng,
    /// Whether nearly every event has a shape that was not seen before: its fields in random order,
    /// and a field that the model lacks.
    is_wild: bool,
    calls: Vec<String>,
    workspaces: Vec<String>,
    /// The time of the last event, in milliseconds of Unix time.
    now: i64,
}

impl Generator {
    pub fn new(seed: u64, is_wild: bool) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let calls = (0..400).map(|_| format!("CA{:032x}", rng.random::<u128>())).collect();
        let workspaces = (0..3).map(|_| uuid(&mut rng)).collect();
        Self { rng, is_wild, calls, workspaces, now: BEGIN }
    }

    /// Appends a line.
    pub fn push_line(&mut self, out: &mut Vec<u8>) {
        let spec = Kind::ALL.choose(&mut self.rng).expect("types").spec();
        self.now += self.rng.random_range(0..400);
        let (mut fields, hidden) = self.fields(spec);
        if self.is_wild {
            fields.shuffle(&mut self.rng);
            if self.rng.random_bool(0.7) {
                // Evtap masks names with many digits, so that tools would not agree.
                let mut letter = || char::from(self.rng.random_range(b'a'..=b'z'));
                let name = format!("x_{}{}{}{}", letter(), letter(), letter(), letter());
                fields.push((name, self.rng.random_range(0..10).into()));
            }
        }
        let mut event = Map::from_iter([("event_type".to_owned(), spec.event_type.into())]);
        event.extend(fields);
        let tap = self.tap(spec, event.get("call_sid"), hidden);
        event.insert("_tap".to_owned(), tap);
        let line = Value::from(event).to_string();
        if self.rng.random_bool(0.7) {
            push_ascii_json(&line, out);
        } else {
            out.extend_from_slice(line.as_bytes());
        }
        out.push(b'\n');
    }

    /// Draws the fields of an event, and the names of those that arrive hidden.
    fn fields(&mut self, spec: &EventSpec) -> (Vec<(String, Value)>, Vec<&'static str>) {
        let (mut fields, mut hidden) = (Vec::new(), Vec::new());
        for field in spec.fields {
            if !field.required && self.rng.random_bool(0.4) {
                continue;
            }
            let value = if field.class.is_hidden() && self.rng.random_bool(0.93) {
                hidden.push(field.name);
                "[redacted]".into()
            } else if field.nullable && self.rng.random_bool(0.15) {
                Value::Null
            } else {
                self.value(&field.ty, field)
            };
            fields.push((field.name.to_owned(), value));
        }
        (fields, hidden)
    }

    fn tap(&mut self, spec: &EventSpec, call: Option<&Value>, hidden: Vec<&str>) -> Value {
        let time = rfc3339(self.now);
        let workspace = self.workspaces.choose(&mut self.rng).expect("some").as_str();
        let stream = spec.stream.name();
        let mut tap = if spec.stream == Stream::Workspace {
            json!({"id": self.now.to_string(), "time": time, "received_at": time, "stream": stream, "workspace_id": workspace})
        } else {
            let call = call.filter(|call| call.is_string()).cloned();
            let call = call
                .unwrap_or_else(|| self.calls.choose(&mut self.rng).expect("some").as_str().into());
            json!({"received_at": time, "stream": stream, "workspace_id": workspace, "call_sid": call})
        };
        if !hidden.is_empty() {
            tap["redacted"] = hidden.into();
        }
        tap
    }

    fn value(&mut self, ty: &Type, field: &FieldSpec) -> Value {
        let rng = &mut self.rng;
        if matches!(ty, Type::Text) && field.name == "call_sid" {
            return self.calls.choose(rng).expect("some").as_str().into();
        }
        match ty {
            Type::Bool => rng.random_bool(0.5).into(),
            Type::Integer => rng.random_range(0..90_000).into(),
            Type::Number => self.number(),
            Type::Text => self.text(field.class).into(),
            Type::Uuid => uuid(rng).into(),
            Type::Time => rfc3339(BEGIN - rng.random_range(0..2_000_000_000)).into(),
            Type::Choice(choices) => (*choices.choose(rng).expect("some")).into(),
            Type::List(item) => {
                (0..rng.random_range(0..4)).map(|_| self.value(item, field)).collect()
            }
            Type::Map(item) => ["joy", "anger", "fear", "calm", "insult"]
                .sample(rng, 3)
                .map(|key| (*key).to_owned())
                .collect::<Vec<_>>()
                .into_iter()
                .map(|key| (key, self.value(item, field)))
                .collect(),
            Type::Record(members) => {
                let mut record = Map::new();
                for member in *members {
                    if member.required || self.rng.random_bool(0.6) {
                        record.insert(member.name.to_owned(), self.value(&member.ty, field));
                    }
                }
                record.into()
            }
            Type::OneOf(types) => {
                let ty = types.choose(rng).expect("some");
                self.value(ty, field)
            }
            Type::Any => {
                let id = rng.random_range(1..99);
                json!({"patient": self.text(Class::Free), "id": id, "nested": {"ok": true, "list": [1, 2, null]}})
            }
            Type::Unstated => match rng.random_range(0..3) {
                0 => uuid(rng).into(),
                1 => "running".into(),
                _ => 3.into(),
            },
        }
    }

    fn number(&mut self) -> Value {
        let rng = &mut self.rng;
        match rng.random_range(0..3) {
            0 => rng.random_range(0..900).into(),
            1 => (f64::from(rng.random_range(0..10_000)) / 1e3).into(),
            _ => (f64::from(rng.random_range(0..1_000_000)) / 1e6).into(),
        }
    }

    fn text(&mut self, class: Class) -> String {
        let rng = &mut self.rng;
        match class {
            Class::Open => return (*NAMES.choose(rng).expect("some")).to_owned(),
            Class::Sensitive => return format!("+1303555{:04}", rng.random_range(0..10_000)),
            Class::Phi | Class::Free => {}
        }
        let words: Vec<_> =
            (0..rng.random_range(2..8)).map(|_| *WORDS.choose(rng).expect("some")).collect();
        let words = words.join(" ");
        match rng.random_range(0..100) {
            0..8 => format!("He said \"{words}\"\nand left\t"),
            8..14 => {
                format!(
                    "{words} call 555-{} or mail jane.doe@example.org",
                    rng.random_range(1000..9999)
                )
            }
            14..18 => format!("{words} on 03/14/1962"),
            _ => words,
        }
    }
}

fn uuid(rng: &mut StdRng) -> String {
    let hex = format!("{:032x}", rng.random::<u128>());
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// Formats milliseconds of Unix time.
pub fn rfc3339(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).expect("a time");
    format!("{time:.3}")
}

/// Appends JSON with every character beyond ASCII as an escape.
fn push_ascii_json(json: &str, out: &mut Vec<u8>) {
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character as u8);
        } else {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}
