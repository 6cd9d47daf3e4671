//! Checks the payload of an event that a user has written against the model, and completes it.

use std::fmt::Write as _;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::emulator::samples::sample_field;
use crate::json::scan::iter_entries;
use crate::json::string::unescape;
use crate::model::{DriftKind, Event, EventSpec, FieldSpec};
use crate::query::suggest;

/// Why a payload is not one of the event type: the reason, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::emulator) struct PayloadError {
    /// The reason.
    pub why: String,
    /// What to do.
    pub advice: String,
}

/// Checks that a payload is a JSON object, and that the model declares its fields and values.
/// Fields may be missing.
pub(in crate::emulator) fn check_payload(
    spec: &'static EventSpec,
    json: &str,
) -> Result<(), PayloadError> {
    let event_type = spec.event_type;
    let event = Event::from_sse(Some(event_type), json.as_bytes())
        .map_err(|error| not_an_object(&error))?;
    let see = || format!("`evtap schema {event_type}` describes its fields");
    for drift in event.drift() {
        let field = drift.field.as_deref().unwrap_or("a field");
        let (why, advice) = match drift.kind {
            DriftKind::MissingField => continue,
            DriftKind::UnknownField => {
                let names = spec.fields.iter().map(|field| field.name);
                let meant = suggest::nearest(field, names);
                let why = format!("{event_type} has no field {field}");
                (why, meant.map_or_else(see, |meant| format!("did you mean {meant}?")))
            }
            DriftKind::UnknownValue => {
                let why = format!("the value of {field} is none that it takes");
                let choices = spec.field(field).and_then(|field| field.ty.choices());
                (why, choices.map_or_else(see, |choices| format!("use {}", choices.join(", "))))
            }
            DriftKind::OtherType => {
                let ty = spec.field(field).map(|field| field.ty.name());
                let why = format!("the value of {field} has another type");
                (why, ty.map_or_else(see, |ty| format!("its type is {ty}")))
            }
            DriftKind::DuplicateField => {
                (format!("the field {field} occurs twice"), "keep one of them".to_owned())
            }
            DriftKind::TypeConflict => (
                "it names another event type in event_type".to_owned(),
                "omit event_type".to_owned(),
            ),
            _ => (format!("{field} is not as the model declares it"), see()),
        };
        return Err(PayloadError { why, advice });
    }
    Ok(())
}

/// Checks that a payload is a JSON object.
pub(in crate::emulator) fn check_object(json: &str) -> Result<(), PayloadError> {
    Event::from_sse(Some("x"), json.as_bytes()).map(drop).map_err(|error| not_an_object(&error))
}

fn not_an_object(error: &impl std::fmt::Display) -> PayloadError {
    PayloadError {
        why: format!("its data is no JSON object ({error})"),
        advice: "write it like data = '{\"call_sid\":\"{{call_sid}}\"}'".to_owned(),
    }
}

/// Returns a payload with a synthetic value of each required field that it lacks, and without white
/// space between tokens.
pub(in crate::emulator) fn complete_payload(
    spec: &EventSpec,
    json: &str,
    seed: u64,
    own: impl Fn(&str) -> Option<String>,
) -> String {
    let mut json = compact(json);
    let mut rng = StdRng::seed_from_u64(seed);
    let present: Vec<_> = iter_entries(&json)
        .filter_map(|(key, _)| key)
        .map(|key| unescape(key).into_owned())
        .collect();
    let is_missing =
        |field: &&FieldSpec| field.required && present.iter().all(|name| name != field.name);
    for field in spec.fields.iter().filter(is_missing) {
        let value = own(field.name).unwrap_or_else(|| sample_field(field, &mut rng).to_string());
        json.truncate(json.len() - 1);
        if json.len() > 1 {
            json.push(',');
        }
        // Writing into a `String` does not fail.
        let _ = write!(json, "\"{}\":{value}}}", field.name);
    }
    json
}

/// Returns JSON without white space between tokens, which makes it one line.
pub(super) fn compact(json: &str) -> String {
    let (mut in_string, mut is_escaped) = (false, false);
    let mut compact = String::with_capacity(json.len());
    for character in json.chars() {
        if in_string || !character.is_ascii_whitespace() {
            compact.push(character);
        }
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    fn why(kind: Kind, json: &str) -> (String, String) {
        let error = check_payload(kind.spec(), json).expect_err(json);
        (error.why, error.advice)
    }

    #[test]
    fn what_the_model_does_not_declare_is_refused_with_a_suggestion() {
        let kind = Kind::CallEscalated;
        assert_eq!(check_payload(kind.spec(), r#"{"reason":"nurse","trigger":"ai"}"#), Ok(()));
        let (wrong, advice) = why(kind, r#"{"reson":"nurse"}"#);
        assert_eq!(wrong, "call.escalated has no field reson");
        assert_eq!(advice, "did you mean reason?");
        let (wrong, advice) = why(kind, r#"{"trigger":"nurse"}"#);
        assert_eq!(wrong, "the value of trigger is none that it takes");
        assert_eq!(advice, "use caller, ai, operator");
        let (wrong, advice) = why(kind, r#"{"reason":7}"#);
        assert_eq!(
            (&*wrong, &*advice),
            ("the value of reason has another type", "its type is string")
        );
        assert!(why(kind, "[]").0.starts_with("its data is no JSON object"));
        assert!(why(kind, "{").0.starts_with("its data is no JSON object"));
    }

    #[test]
    fn required_fields_are_completed_in_one_line() {
        let spec = Kind::CallEscalated.spec();
        let own = |name: &str| (name == "call_sid").then(|| "\"CA1\"".to_owned());
        for json in ["{}", "{ }", "{\n \"reason\" : \"a  \\\" b\" }"] {
            let complete = complete_payload(spec, json, 1, own);
            assert_eq!(check_payload(spec, &complete), Ok(()), "{complete}");
            assert!(!complete.contains('\n') && complete.contains("\"call_sid\":\"CA1\""));
            let event = Event::from_sse(Some(spec.event_type), complete.as_bytes());
            assert_eq!(event.expect("an event").drift(), []);
        }
        assert_eq!(compact("{ \"a b\" : [ 1 , \"\\\" \" ] }"), r#"{"a b":[1,"\" "]}"#);
    }
}
