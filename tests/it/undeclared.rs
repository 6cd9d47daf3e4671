//! What no declaration covers is hidden: values of another type, nested values that nothing is
//! declared about, and names that may be text about a person.

use evtap::emulator::samples::sample;
use evtap::json::JsonType;
use evtap::model::{Class, DriftKind, Event, FieldSpec, FrameFormat, Kind, Type};
use evtap::redact::{Mode, Policy, PseudonymKey};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::decode_redact::{frame, line};
use crate::support::evtap;

fn modes() -> [Policy; 4] {
    let key = PseudonymKey::new(&[7; 32]).expect("it is long enough");
    [Mode::Mask, Mode::Partial, Mode::Hash(key), Mode::Drop]
        .map(|mode| Policy { mode, ..Policy::default() })
}

fn shown(data: &str) -> Value {
    let line = line(&frame(FrameFormat::Record, None, data.as_bytes()), Policy::default());
    serde_json::from_str(&line).expect("a line is JSON")
}

/// Returns an event in every frame format in which it can arrive.
fn in_every_format(event_type: &str, fields: &Value) -> [evtap::transport::RawFrame; 5] {
    let with = |key: &str| {
        let mut object = fields.as_object().expect("an object").clone();
        object.insert(key.to_owned(), event_type.into());
        Value::from(object).to_string()
    };
    let nested = json!({"type": event_type, "data": fields}).to_string();
    [
        frame(FrameFormat::Sse, Some(event_type), fields.to_string().as_bytes()),
        frame(FrameFormat::Sse, None, with("event_type").as_bytes()),
        frame(FrameFormat::Observer, None, with("type").as_bytes()),
        frame(FrameFormat::Observer, None, nested.as_bytes()),
        frame(FrameFormat::Record, None, with("event_type").as_bytes()),
    ]
}

/// Returns values with personal text that the declaration of the field does not cover.
fn mismatches(field: &FieldSpec) -> Vec<Value> {
    let text = json!("Jane Roe, 303-555-0161");
    let is_text_covered =
        field.ty.accepts(JsonType::String) && !matches!(field.ty, Type::Choice(_) | Type::Uuid);
    [text.clone(), json!([text]), json!({"Jane Roe": text}), json!({"who": {"Jane Roe": text}})]
        .into_iter()
        .filter(|value| match value {
            Value::String(_) => !is_text_covered,
            Value::Array(_) => !matches!(field.ty, Type::List(Type::Text)),
            _ => true,
        })
        .collect()
}

#[test]
fn a_value_that_does_not_match_its_declaration_is_hidden_in_every_field() {
    let mut rng = StdRng::seed_from_u64(1);
    for kind in Kind::ALL {
        let spec = kind.spec();
        for field in spec.fields.iter().filter(|field| !field.class.is_hidden()) {
            for value in mismatches(field) {
                let mut fields = sample(spec, &mut rng);
                fields.insert(field.name.to_owned(), value.clone());
                for frame in in_every_format(spec.event_type, &Value::from(fields)) {
                    for policy in modes() {
                        let line = line(&frame, policy);
                        assert!(!line.contains("Jane") && !line.contains("0161"), "{line}");
                        let line: Value = serde_json::from_str(&line).expect("JSON");
                        let is_named = |name: &Value| {
                            let name = name.as_str().expect("a name");
                            name.split('.').next() == Some(field.name)
                        };
                        let redacted = line["_tap"]["redacted"].as_array().expect("names");
                        assert!(redacted.iter().any(is_named), "{}: {line}", field.name);
                        // The contract allows anything there, so it is no drift.
                        let is_open = matches!(field.ty, Type::Unstated)
                            || (field.name == "emotional_summary" && value.get("who").is_some());
                        let drift = line["_tap"]["drift"].as_array();
                        assert!(
                            is_open
                                || drift.is_some_and(|drift| {
                                    drift.iter().any(|drift| is_named(&drift["field"]))
                                }),
                            "{}: {line}",
                            field.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_library_hides_a_value_that_does_not_match_its_declaration() {
    let data = br#"{"event_type":"call.ended","duration_seconds":"Jane Roe","completion_reason":"Jane Roe","call_sid":["Jane Roe"]}"#;
    let event = Event::from_slice(data).expect("an event");
    assert!(
        !format!("{event:?} {}", serde_json::to_string(&event).expect("JSON")).contains("Jane")
    );
    let Event::CallEnded(call) = &event else { panic!("{event:?}") };
    let each = serde_json::to_string(&(&call.duration_seconds, &call.completion_reason));
    assert_eq!(each.expect("JSON"), r#"["[redacted]","[redacted]"]"#);
    let emotion = br#"{"type":"emotion","language_toxicity":{"Jane Roe":0.1},"speaker":{"energy_trend":"Jane Roe"}}"#;
    let event = Event::from_slice(emotion).expect("an event");
    let Event::Emotion(emotion) = &event else { panic!("{event:?}") };
    let each = serde_json::to_string(&(&emotion.language_toxicity, &emotion.speaker));
    assert!(!format!("{event:?} {}", each.expect("JSON")).contains("Jane"));
}

#[test]
fn a_new_value_of_an_enum_is_shown_only_if_it_looks_like_an_identifier() {
    for (value, is_shown) in [
        ("evaporated", true),
        ("warm_transfer.v2", true),
        ("Jane Roe", false),
        ("Jane-Roe-1980", false),
        ("303-555-0161", false),
        ("", false),
        ("\u{ff4a}ane", false),
    ] {
        let line =
            shown(&json!({"event_type": "call.ended", "completion_reason": value}).to_string());
        let expected = if is_shown { value } else { "[redacted]" };
        assert_eq!(line["completion_reason"], expected);
        let drift = json!({"kind": "unknown_value", "field": "completion_reason"});
        assert_eq!(line["_tap"]["drift"][0], drift);
        assert_eq!(line["_tap"]["redacted"].is_null(), is_shown, "{line}");
    }
    let nested =
        r#"{"type":"emotion","speaker":{"energy_trend":"Jane Roe","energy_delta":"Jane"}}"#;
    let line = shown(nested);
    assert_eq!(
        line["speaker"],
        json!({"energy_trend": "[redacted]", "energy_delta": "[redacted]"})
    );
    let redacted = json!(["speaker.energy_trend", "speaker.energy_delta"]);
    assert_eq!(line["_tap"]["redacted"], redacted);
}

#[test]
fn keys_of_a_map_are_shown_only_if_they_look_like_identifiers() {
    let data = r#"{"type":"emotion","language_toxicity":{"insult":0.5,"Jane Roe":0.25,"threat":"Jane Roe","303-555-0161":0.75,"none":null}}"#;
    let line = shown(data);
    assert_eq!(
        line["language_toxicity"],
        json!({"insult": 0.5, "[redacted]": "[redacted]", "threat": "[redacted]", "[redacted 2]": "[redacted]", "none": null})
    );
    assert_eq!(
        line["_tap"]["redacted"],
        json!([
            "language_toxicity.[redacted]",
            "language_toxicity.threat",
            "language_toxicity.[redacted 2]"
        ])
    );
    let drift = |kind: &str, field: &str| json!({"kind": kind, "field": field});
    assert_eq!(
        line["_tap"]["drift"].as_array().expect("drift")[..3],
        [
            drift("unknown_field", "language_toxicity.[redacted]"),
            drift("other_type", "language_toxicity.threat"),
            drift("unknown_field", "language_toxicity.[redacted 2]"),
        ]
    );
}

#[test]
fn nested_values_that_nothing_is_declared_about_are_hidden() {
    let data = r#"{"type":"session_end","emotional_summary":{"patient":{"name":"Jane Roe"},"who":["Jane"],"said":"It is Jane.","dominant":"calm","shifts":2,"loud":true,"none":null,"call":3035550161}}"#;
    let line = shown(data);
    assert_eq!(
        line["emotional_summary"],
        json!({"patient": "[redacted]", "who": "[redacted]", "said": "[redacted]",
            "dominant": "[redacted]", "shifts": "[redacted]", "loud": true, "none": null,
            "call": "[redacted]"})
    );
    assert_eq!(
        line["_tap"],
        json!({"stream": "observer", "redacted": [
            "emotional_summary.patient", "emotional_summary.who", "emotional_summary.said",
            "emotional_summary.dominant", "emotional_summary.shifts", "emotional_summary.call",
        ]})
    );
    let mut policy = Policy::default();
    policy.reveal.add("emotional_summary");
    let revealed = self::line(&frame(FrameFormat::Record, None, data.as_bytes()), policy);
    assert!(revealed.contains(r#"{"patient":{"name":"Jane Roe"},"who":["Jane"]"#), "{revealed}");
}

#[test]
fn names_that_may_be_text_about_a_person_get_distinct_placeholders() {
    let names = [
        "Jane-Roe-1980-03-04",
        "Jane Roe",
        "303-555-0161",
        "_id",
        "$ref",
        "mrnA-123-456",
        &"x".repeat(65),
    ];
    let fields: serde_json::Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), json!("Jane"))).collect();
    let masks: Vec<_> = std::iter::once("[redacted]".to_owned())
        .chain((2..=names.len()).map(|number| format!("[redacted {number}]")))
        .collect();
    for event_type in ["call.started", "brand.new", "Jane-Roe-1980-03-04"] {
        for frame in in_every_format(event_type, &Value::from(fields.clone())) {
            let line = line(&frame, Policy::default());
            assert!(!line.contains("Jane") && !line.contains("x".repeat(9).as_str()), "{line}");
            let again = self::line(
                &self::frame(FrameFormat::Record, None, line.as_bytes()),
                Policy::default(),
            );
            assert_eq!(again, line, "a replay says the same");
            let line: Value = serde_json::from_str(&line).expect("JSON");
            let keys: Vec<_> = line.as_object().expect("an object").keys().skip(1).collect();
            assert_eq!(keys[..names.len()], masks.iter().collect::<Vec<_>>());
            let redacted = line["_tap"]["redacted"].as_array().expect("names");
            assert_eq!(json!(redacted[..names.len()]), json!(masks));
            if event_type == "call.started" {
                let drift: Vec<_> = line["_tap"]["drift"]
                    .as_array()
                    .expect("drift")
                    .iter()
                    .filter(|drift| drift["kind"] == "unknown_field")
                    .map(|drift| drift["field"].clone())
                    .collect();
                assert_eq!(json!(drift), json!(masks));
            }
        }
    }
}

/// `--phi drop` leaves out fields, and what remains must keep its name in a replay.
#[test]
fn placeholders_stay_the_same_when_fields_are_left_out() {
    let data = r#"{"event_type":"brand.new","Jane Roe":1,"J. Roe":null,"Roe, J.":1,"+1":null}"#;
    let policy = Policy { mode: Mode::Drop, ..Policy::default() };
    let first = line(&frame(FrameFormat::Record, None, data.as_bytes()), policy.clone());
    assert!(first.contains(r#""[redacted 2]":null,"[redacted 4]":null,"_tap""#), "{first}");
    assert_eq!(line(&frame(FrameFormat::Record, None, first.as_bytes()), policy), first);
}

#[test]
fn a_forged_tap_cannot_carry_names() {
    for name in [
        "Jane-Roe-1980-03-04",
        "Jane Roe",
        "a.Jane Roe",
        "[redacted 3035550161]",
        "[redacted 1980]",
        "[redacted 02]",
        "a.mrnA-123-456",
    ] {
        for tap in [
            json!({"redacted": [name]}),
            json!({"scrubbed": [name]}),
            json!({"drift": [{"kind": "unknown_field", "field": name}]}),
        ] {
            let line =
                shown(&format!(r#"{{"event_type":"call.started","call_sid":"C","_tap":{tap}}}"#));
            assert!(!line.to_string().contains(name), "{line}");
            let drift = json!({"kind": "unknown_field", "field": "_tap"});
            assert!(line["_tap"]["drift"].as_array().expect("drift").contains(&drift), "{line}");
        }
    }
}

#[tokio::test]
async fn audits_statistics_and_timelines_mask_names_and_find_what_is_not_declared() {
    let sid = "CA5f0c8d1f1d2e4b7a9c3d5e7f90123456";
    let lines = [
        json!({"type": "session_end", "call_sid": sid, "emotional_summary": {"patient": {"name": "Jane Roe"}}}),
        json!({"event_type": "call.ended", "call_sid": sid, "duration_seconds": "Jane Roe, 303-555-0161"}),
        json!({"event_type": "call.ended", "call_sid": sid, "Jane-Roe-1980-03-04": 1, "Roe-1980": 1}),
        json!({"event_type": "Jane-Roe-1980-03-04", "call_sid": sid}),
        json!({"type": "emotion", "language_toxicity": {"Jane Roe": 0.1}}),
    ];
    let lines = lines.map(|line| line.to_string()).join("\n");
    let report = evtap("audit - -o json").stdin(lines.clone()).run().await.ended(7);
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    for (event_type, field) in [
        ("session_end", "emotional_summary.patient"),
        ("call.ended", "duration_seconds"),
        ("call.ended", "[redacted]"),
        ("call.ended", "[redacted 2]"),
        ("[redacted]", "event_type"),
        ("emotion", "language_toxicity.[redacted]"),
    ] {
        let is_it = |finding: &&Value| {
            (&finding["event_type"], &finding["field"]) == (&event_type.into(), &field.into())
        };
        let finding = findings.iter().find(is_it).unwrap_or_else(|| panic!("{field}: {report}"));
        assert_eq!(finding["reason"], "unknown", "{finding}");
    }
    for command in [
        "audit -",
        "stats -",
        "stats - -o json",
        "stats - -o html",
        "timeline -",
        &format!("timeline {sid} -"),
        &format!("timeline {sid} - -o html"),
        "replay - -o pretty",
        "replay - -o csv",
        "replay - -o cloudevents",
    ] {
        let ran = evtap(command).stdin(lines.clone()).run().await;
        let all = ran.ended(if command.starts_with("audit") { 7 } else { 0 }) + &ran.stderr();
        assert!(!all.contains("Roe") && !all.contains("1980") && !all.contains("0161"), "{all}");
    }
}

#[tokio::test]
async fn a_long_key_costs_no_more_than_its_length() {
    let key = "k".repeat(4 << 20);
    let members: Vec<_> = (0..400_000).map(|n| format!("\"m{n}\":{{}}")).collect();
    let members = members.join(",");
    let data = format!(
        "{{\"type\":\"session_end\",\"emotional_summary\":{{\"{key}\":{{{members}}}}},\"{key}\": {{{members}}}}}"
    );
    // The test support kills a run that hangs; one that copied the key for each member would.
    let masked = evtap("replay - --max-frame 32MiB").stdin(data.clone()).run().await.ended(0);
    assert!(masked.contains(r#""emotional_summary":{"[redacted]":"[redacted]"}"#), "{masked}");
    let revealed =
        evtap("replay - --max-frame 32MiB --reveal all").stdin(data.clone()).run().await.ended(0);
    assert!(revealed.len() > data.len(), "{}", revealed.len());
}

#[test]
fn values_that_match_their_declaration_stay_visible() {
    let mut rng = StdRng::seed_from_u64(2);
    for kind in Kind::ALL {
        let spec = kind.spec();
        let fields = sample(spec, &mut rng);
        let line = line(
            &in_every_format(spec.event_type, &Value::from(fields.clone()))[4],
            Policy::default(),
        );
        let line: Value = serde_json::from_str(&line).expect("JSON");
        for field in spec.fields.iter().filter(|field| field.class == Class::Open) {
            assert_eq!(line[field.name], fields[field.name], "{}", field.name);
        }
        let event = Event::from_slice(line.to_string().as_bytes()).expect("an event");
        assert!(event.drift().iter().all(|drift| drift.kind == DriftKind::UnknownEvent), "{line}");
    }
}

#[test]
fn text_in_a_field_of_ids_or_times_is_hidden() {
    for data in [
        r#"{"event_type":"operator.profile_updated","operator_id":"JaneRoe3035550161"}"#,
        r#"{"event_type":"operator.profile_updated","operator_id":"jane-roe-303-555-0161"}"#,
        r#"{"event_type":"operator.wrap_up","call_sid":"CA1","operator_id":"Jane Roe 303-555-0161"}"#,
        r#"{"event_type":"operator.wrap_up","call_sid":"CA1","operator_id":3035550161}"#,
        r#"{"event_type":"tap.gap","from":"Jane Roe","to":"Roe 303-555-0161","certain":true,"reason":"beyond_buffer","_tap":{}}"#,
        r#"{"event_type":"x","h-192.168.10.20":1}"#,
    ] {
        let line = shown(data).to_string();
        for part in ["ane", "Roe", "0161", "192"] {
            assert!(!line.contains(part), "{line}");
        }
    }
    let gap = r#"{"event_type":"tap.gap","from":"2026-05-05T09:41:27.123Z","to":"2026-05-05T09:41:28.000Z","certain":true,"reason":"beyond_buffer"}"#;
    assert_eq!(shown(gap)["from"], "2026-05-05T09:41:27.123Z");
}
