//! Synthetic payloads that are derived from the declarations: every field of an event, with a
//! plausible value of its type.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Map, Number, Value, json};

use super::cast::{Person, measure, phone, pick, short_id, sid, uuid};
use crate::model::{Class, EventSpec, FieldSpec, Type};

const SENTENCES: &[&str] = &[
    "My name is Wrenna Oakhallow, and my knee still hurts.",
    "I have taken the ten milligram tablets since May.",
    "Please call me back at (303) 555-0161 after lunch.",
    "The form that you sent does not open on my telephone.",
    "Could Doctor Quillsby see my son before Friday?",
    "Thank you, that is all that I wanted to know.",
];
const WORDS: &[&str] =
    &["greeting", "identify", "triage", "billing", "refill", "closing", "calendar", "records"];

/// Draws a payload with every field of the declaration.
#[must_use]
pub fn sample(spec: &EventSpec, rng: &mut StdRng) -> Map<String, Value> {
    spec.fields.iter().map(|field| (field.name.to_owned(), value(&field.ty, field, rng))).collect()
}

/// Draws a value of a field.
#[must_use]
pub fn sample_field(field: &FieldSpec, rng: &mut StdRng) -> Value {
    value(&field.ty, field, rng)
}

fn value(ty: &Type, field: &FieldSpec, rng: &mut StdRng) -> Value {
    match ty {
        Type::Bool => rng.random_bool(0.5).into(),
        Type::Integer => rng.random_range(0..5000).into(),
        Type::Number => {
            Number::from_f64(measure(0.0, 500.0, rng)).map_or(Value::Null, Value::Number)
        }
        Type::Text | Type::Any | Type::Unstated => text(field, rng).into(),
        Type::Uuid => uuid(rng).into(),
        Type::Time => "2026-05-05T09:41:27.123Z".into(),
        Type::Choice(choices) => pick(choices, rng).into(),
        Type::List(item) => (0..rng.random_range(1..4)).map(|_| value(item, field, rng)).collect(),
        Type::Map(item) => (0..rng.random_range(1..4))
            .map(|index| (format!("key_{index}"), value(item, field, rng)))
            .collect(),
        Type::Record(members) => members
            .iter()
            .map(|member| (member.name.to_owned(), value(&member.ty, field, rng)))
            .collect(),
        Type::OneOf(types) => types.first().map_or(json!(null), |ty| value(ty, field, rng)),
    }
}

/// Draws text that is typical for the name and the class of a field.
fn text(field: &FieldSpec, rng: &mut StdRng) -> String {
    let name = field.name;
    let is = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if is(&["phone", "caller_id", "target_number"]) {
        phone(rng)
    } else if is(&["address"]) {
        Person::draw(rng).email
    } else if is(&["_sid"]) {
        sid(if name.starts_with("conference") { "CF" } else { "CA" }, rng)
    } else if is(&["_url"]) {
        format!("https://forms.example.com/{}", short_id("", rng))
    } else if is(&["timestamp", "_at"]) {
        format!("2026-05-05T{:02}:{:02}:00Z", rng.random_range(0..24), rng.random_range(0..60))
    } else if field.class.is_hidden() && is(&["name"]) {
        Person::draw(rng).name
    } else if is(&["_id"]) {
        short_id("id_", rng)
    } else if field.class == Class::Open {
        pick(WORDS, rng).into()
    } else {
        pick(SENTENCES, rng).into()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::emulator::conformance::fits;
    use crate::model::Kind;

    #[test]
    fn each_sample_fits_its_declaration_and_has_every_field() {
        let mut rng = StdRng::seed_from_u64(11);
        for kind in Kind::ALL {
            for _ in 0..20 {
                let spec = kind.spec();
                let sample = sample(spec, &mut rng);
                assert_eq!(sample.len(), spec.fields.len(), "{}", spec.event_type);
                fits(spec, &Value::Object(sample)).expect("a payload of the declared shape");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_samples() {
        let draw = |seed| sample(Kind::Emotion.spec(), &mut StdRng::seed_from_u64(seed));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
