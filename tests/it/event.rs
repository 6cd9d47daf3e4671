//! The typed events of the library: what they show is what the command shows, and nothing hidden
//! gets out by accident.

use std::fmt::Write;

use evtap::emulator::samples::sample;
use evtap::json::scan;
use evtap::model::catalog::value::CompletionReason;
use evtap::model::decode::Decoder;
use evtap::model::{
    DriftKind, Event, Exposed, Field, FieldSpec, Frame, FrameFormat, Kind, Origin, Type,
};
use evtap::redact::{Policy, Redactor};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::support::evtap;

/// Occurs in every value that must not be shown.
const CANARY: &str = "Jane Canary";

/// An event as a test sends it.
struct Sent {
    format: FrameFormat,
    line: Option<String>,
    data: String,
}

impl Sent {
    fn frame<'a>(&'a self, origin: &'a Origin) -> Frame<'a> {
        let frame = Frame::new(self.format, self.data.as_bytes(), origin);
        Frame { event: self.line.as_deref(), ..frame }
    }

    fn event(&self) -> Event {
        let data = self.data.as_bytes();
        let event = match self.format {
            FrameFormat::Sse => Event::from_sse(self.line.as_deref(), data),
            FrameFormat::Observer => Event::from_observer(data),
            FrameFormat::Record | FrameFormat::Own => Event::from_slice(data),
        };
        event.expect("a JSON object with a type")
    }

    /// Returns the members of the line that the redaction pipeline produces, without `_tap`.
    fn shown(&self) -> Vec<(String, String)> {
        let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
        let mut line = Vec::new();
        let origin = Origin::default();
        let frame = self.frame(&origin);
        redactor.redact(&decoder.decode(frame)).write_object(&mut line);
        let mut members = members(&line);
        assert_eq!(members.pop().expect("a member").0, "_tap");
        members
    }
}

/// Returns the members of a JSON object as they are written.
fn members(json: &[u8]) -> Vec<(String, String)> {
    let mut members = Vec::new();
    let text = scan::scan_object(json, &mut members).expect("a JSON object");
    members
        .iter()
        .map(|member| (member.key.slice(text).to_owned(), member.value.slice(text).to_owned()))
        .collect()
}

fn quoted(text: &str, rng: &mut StdRng) -> String {
    if rng.random_bool(0.9) {
        return Value::from(text).to_string();
    }
    let escapes = text.encode_utf16().fold(String::new(), |mut escapes, unit| {
        let _ = write!(escapes, "\\u{unit:04x}");
        escapes
    });
    format!("\"{escapes}\"")
}

fn pick<T: Copy>(values: &[T], rng: &mut StdRng) -> T {
    values[rng.random_range(0..values.len())]
}

/// Returns a value of a type in a spelling that parsing and writing it again would change.
fn unusual_spelling(ty: &Type, value: &Value, rng: &mut StdRng) -> String {
    match ty {
        Type::Number => pick(&["1.10", "1e3", "-0", "0.30000000000000004", "1E-7"], rng).to_owned(),
        Type::Integer => pick(&["9007199254740993", "123456789012345678901", "-0"], rng).to_owned(),
        Type::Text => {
            let texts = [
                "a\ttab",
                "\u{202e}from right to left\u{7f}",
                "call +1 303 555 0161 or jane@example.org",
                "é漢🙂",
                "\"\\/",
                "",
                "[redacted]",
            ];
            quoted(pick(&texts, rng), rng)
        }
        Type::Choice(_) => "\"brand_new\"".to_owned(),
        Type::List(_) | Type::Map(_) | Type::Record(_) => {
            serde_json::to_string_pretty(value).expect("JSON")
        }
        _ => value.to_string(),
    }
}

/// Returns a value with the canary in it, at a place that the declaration does not cover.
fn uncovered(ty: &Type, rng: &mut StdRng) -> String {
    let canary = format!("\"{CANARY}\"");
    let nested = match ty {
        Type::List(item) => Some(format!("[null, {}]", uncovered(item, rng))),
        Type::Map(item) => {
            let value = uncovered(item, rng);
            Some(format!(r#"{{"k":{value},"{CANARY}":1,"{CANARY} 2":{canary},"none":null}}"#))
        }
        Type::Record(members) => {
            let member = &members[rng.random_range(0..members.len())];
            let value = uncovered(&member.ty, rng);
            Some(format!(r#"{{"{}":{value},"{CANARY}":{canary},"who":[{canary}]}}"#, member.name))
        }
        _ => None,
    };
    if let Some(nested) = nested.filter(|_| rng.random_bool(0.7)) {
        return nested;
    }
    let list = format!("[{canary}]");
    let map = format!("{{\"{CANARY}\":{canary}}}");
    let others: &[&str] = match ty {
        Type::Text | Type::Unstated => &[&list, &map],
        Type::OneOf(_) => &[&list],
        Type::List(_) => &[&canary, &map],
        Type::Map(_) | Type::Record(_) => &[&canary, &list],
        _ => &[&canary, "\"+1 303 555 0161\"", &list, &map],
    };
    pick(others, rng).to_owned()
}

/// Returns the JSON of a declared field; `None` if the field is missing.
fn declared(field: &FieldSpec, value: &Value, rng: &mut StdRng) -> Option<String> {
    match rng.random_range(0..20) {
        0 | 1 => None,
        2 => Some("null".to_owned()),
        3 | 4 => Some(unusual_spelling(&field.ty, value, rng)),
        5..=7 => Some(uncovered(&field.ty, rng)),
        _ => Some(value.to_string()),
    }
}

/// Draws an event of that type as it may arrive: with fields that are missing, unknown, duplicate,
/// of another type or in another spelling.
fn sent(kind: Option<Kind>, seed: u64) -> Sent {
    let mut rng = StdRng::seed_from_u64(seed);
    let rng = &mut rng;
    let event_type = kind.map_or("brand.new", |kind| kind.spec().event_type);
    let mut fields = Vec::new();
    for field in kind.iter().flat_map(|kind| kind.spec().fields) {
        let values = sample(kind.expect("declared").spec(), rng);
        for _ in 0..if rng.random_bool(0.05) { 2 } else { 1 } {
            if let Some(json) = declared(field, &values[field.name], rng) {
                fields.push((quoted(field.name, rng), json));
            }
        }
    }
    for _ in 0..rng.random_range(0..4) {
        let names = [
            "extra",
            "data_2",
            "Jane Canary",
            "Jane-Canary-1980-03-04",
            "+13035550161",
            "\u{202e}x",
            "a.b",
            "[redacted]",
            "[redacted 2]",
        ];
        let key = quoted(pick(&names, rng), rng);
        let values = ["null", "\"Jane Canary\"", "5550161", "{\"Jane Canary\":[1]}", "[ true ]"];
        let at = rng.random_range(0..=fields.len());
        fields.insert(at, (key, pick(&values, rng).to_owned()));
    }
    let space = if rng.random_bool(0.2) { " \n" } else { "" };
    let object = |members: Vec<String>| format!("{{{space}{}{space}}}", members.join(","));
    let mut members: Vec<_> = fields
        .into_iter()
        .map(|(key, json)| format!("{space}{key}:{space}{json}{space}"))
        .collect();
    let named = |key: &str| format!("\"{key}\":\"{event_type}\"");
    let (format, line, data) = match rng.random_range(0..5) {
        0 => (FrameFormat::Sse, Some(event_type.to_owned()), object(members)),
        1 => (FrameFormat::Observer, None, {
            members.insert(rng.random_range(0..=members.len()), named("type"));
            object(members)
        }),
        2 => (
            FrameFormat::Observer,
            None,
            object(vec![named("type"), "\"data\":".to_owned() + &object(members)]),
        ),
        format => (if format == 3 { FrameFormat::Sse } else { FrameFormat::Record }, None, {
            members.insert(rng.random_range(0..=members.len()), named("event_type"));
            object(members)
        }),
    };
    Sent { format, line, data }
}

fn kind(number: usize) -> Option<Kind> {
    Kind::ALL.get(number).copied()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_event_serialises_as_the_pipeline_prints_it(number in 0..=Kind::ALL.len(), seed in any::<u64>()) {
        let sent = sent(kind(number), seed);
        let event = sent.event();
        let json = serde_json::to_string(&event).expect("it serialises");
        prop_assert_eq!(members(json.as_bytes()), sent.shown(), "{}", sent.data);
        let debug = format!("{event:?}{event:#?}{:?}", event.unknown_fields().collect::<Vec<_>>());
        for text in [&json, &debug] {
            prop_assert!(!text.contains(CANARY) && !text.contains("5550161"), "{}", text);
        }
        prop_assert_eq!(event.raw(), sent.data.as_bytes());
        prop_assert_eq!(event.kind(), kind(number));
    }

    #[test]
    fn exposed_values_are_those_received(number in 0..=Kind::ALL.len(), seed in any::<u64>()) {
        let sent = sent(kind(number), seed);
        let event = sent.event();
        let exposed: Value =
            serde_json::from_str(&serde_json::to_string(&Exposed(&event)).expect("JSON")).expect("JSON");
        let mut arrived: Value = serde_json::from_str(&sent.data).expect("JSON");
        let members = arrived.as_object_mut().expect("an object");
        members.shift_remove("type");
        if let (Some(Value::Object(data)), 1) = (members.get("data").cloned(), members.len()) {
            *members = data;
        }
        members.insert("event_type".to_owned(), kind(number).map_or("brand.new", |kind| kind.spec().event_type).into());
        prop_assert_eq!(exposed, arrived);
    }

    #[test]
    fn drift_matches_the_pipeline(number in 0..=Kind::ALL.len(), seed in any::<u64>()) {
        let sent = sent(kind(number), seed);
        let mut decoder = Decoder::default();
        let mut redactor = Redactor::new(Policy::default());
        let origin = Origin::default();
        let decoded = decoder.decode(sent.frame(&origin));
        let event = sent.event();
        prop_assert_eq!(event.drift(), &*redactor.redact(&decoded).tap().drift);
    }

    #[test]
    fn any_bytes_are_an_event_or_an_error_that_does_not_quote_them(data in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        r#"\{("(event_)?type":("[a-z. ]{0,9}"|1|null|\{\}),?|"data":\{.{0,9}\},?|[a-z]{0,5}){0,3}\}"#.prop_map(String::into_bytes),
    ]) {
        for read in [Event::from_slice(&data), Event::from_observer(&data), Event::from_sse(Some("call.ended"), &data)] {
            match read {
                Ok(event) => {
                    prop_assert_eq!(event.raw(), &*data);
                    let json = serde_json::to_string(&event).expect("it serialises");
                    prop_assert!(serde_json::from_str::<Value>(&json).is_ok(), "{}", json);
                }
                Err(error) => prop_assert!(error.to_string().starts_with("not an event: ")),
            }
        }
    }
}

#[tokio::test]
async fn replay_prints_what_an_event_serialises_to() {
    let mut lines = Vec::new();
    for seed in 0..2000 {
        let number = usize::try_from(seed).expect("small") % (Kind::ALL.len() + 1);
        let sent = sent(kind(number), seed);
        // On one line, it has the form of a recording.
        if sent.line.is_none() && !sent.data.contains('\n') {
            lines.push(sent.data);
        }
    }
    assert!(lines.len() > 300, "{}", lines.len());
    let output = evtap("replay - -o ndjson").stdin(lines.join("\n")).run().await.ended(0);
    assert_eq!(output.lines().count(), lines.len());
    for (data, shown) in lines.iter().zip(output.lines()) {
        let event = Event::from_slice(data.as_bytes()).expect("an event");
        let by_library = serde_json::to_string(&event).expect("it serialises");
        let end = shown.find(",\"_tap\":{").expect("it has one");
        assert_eq!(by_library, format!("{}}}", &shown[..end]));
        // A line that evtap has written reads as the same event, and its masks are recognised.
        let again = Event::from_slice(shown.as_bytes()).expect("an event");
        assert_eq!(serde_json::to_string(&again).expect("it serialises"), by_library);
        assert_eq!(again.drift(), event.drift());
    }
}

#[test]
fn every_declared_type_has_its_variant() {
    for kind in Kind::ALL.iter().chain(Kind::OWN) {
        let json = format!(r#"{{"event_type":"{}"}}"#, kind.spec().event_type);
        let event = Event::from_slice(json.as_bytes()).expect("an event");
        assert_eq!(event.kind(), Some(*kind));
        assert!(!matches!(event, Event::Unknown(_)), "{json}");
        assert!(format!("{event:?}").starts_with(&format!("{kind:?}({kind:?}")), "{event:?}");
        assert_eq!(serde_json::to_string(&event).expect("it serialises"), json);
    }
    let own = Event::from_sse(Some("tap.gap"), b"{}").expect("an event");
    assert!(matches!(own, Event::Unknown(_)), "a server cannot send evtap's own lines");
}

#[test]
fn deviations_are_drift_not_errors() {
    use DriftKind::{DuplicateField, MissingField, OtherType, UnknownField, UnknownValue};
    let json = br#"{"event_type":"call.ended","completion_reason":"Jane Canary","duration_seconds":"long","escalated":true,"escalated":false,"more":1}"#;
    let event = Event::from_slice(json).expect("an event");
    let kinds: Vec<_> = event.drift().iter().map(|drift| drift.kind).collect();
    assert_eq!(
        kinds,
        [UnknownValue, OtherType, DuplicateField, UnknownField, MissingField, MissingField]
    );
    let Event::CallEnded(call) = &event else { panic!("{event:?}") };
    assert_eq!(call.call_sid, Field::Absent);
    assert_eq!(call.escalated.value(), Some(&false), "the last counts");
    assert_eq!(call.completion_reason.value().map(CompletionReason::expose), Some(CANARY));
    assert_eq!(call.completion_reason.to_string(), "[redacted]");
    assert_eq!(call.duration_seconds, Field::Other("\"long\"".to_owned().into()));
}

#[test]
fn an_unknown_type_that_is_not_a_plain_name_is_masked() {
    let event = Event::from_slice(br#"{"type":"Jane Canary, born 1980","a":1}"#).expect("an event");
    let Event::Unknown(unknown) = &event else { panic!("{event:?}") };
    assert_eq!(unknown.event_type(), "[redacted]");
    assert_eq!(*unknown.exposed_type().expose(), "Jane Canary, born 1980");
    assert_eq!(
        serde_json::to_string(unknown).expect("it serialises"),
        r#"{"event_type":"[redacted]","a":"[redacted]"}"#
    );
    let exposed: Value =
        serde_json::to_value(Exposed(&event)).expect("it serialises to a value as well");
    assert_eq!(exposed["event_type"], "Jane Canary, born 1980");
}

#[test]
fn masks_in_a_recording_are_recognised() {
    let line = br#"{"event_type":"call.started","call_sid":"CA1","caller_id":"[redacted ..61]","direction":"inbound","service_id":"s","_tap":{"id":"1700000000001","time":"2023-11-14T22:13:20.001Z","redacted":["caller_id"]}}"#;
    let event = Event::from_slice(line).expect("an event");
    let Event::CallStarted(call) = &event else { panic!("{event:?}") };
    assert_eq!(call.caller_id, Field::Hidden);
    assert_eq!(event.tap().time.as_deref(), Some("2023-11-14T22:13:20.001Z"));
    assert_eq!(event.drift(), []);
    let json = serde_json::to_string(&event).expect("it serialises");
    assert!(json.contains(r#""caller_id":"[redacted ..61]""#), "{json}");
    let exposed: Value = serde_json::to_value(Exposed(&event)).expect("it serialises");
    assert_eq!(exposed, serde_json::from_slice::<Value>(line).expect("JSON"), "with its _tap");
}
