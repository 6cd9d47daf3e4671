//! Decoding and redaction, from the bytes of a frame to a line of output: every outcome of each.

use bytes::Bytes;
use evtap::internals::output::ndjson;
use evtap::model::catalog::observer::emotion::Emotion;
use evtap::model::catalog::value::CompletionReason;
use evtap::model::catalog::{CallEnded, CallStarted};
use evtap::model::decode::Decoder;
use evtap::model::{Field, Kind, Stream};
use evtap::model::{FrameFlags, FrameFormat, Origin};
use evtap::redact::{Mode, Policy, PseudonymKey, Redactor};
use evtap::transport::RawFrame;
use proptest::prelude::*;
use serde_json::Value;

/// Returns a frame of that format.
pub fn frame(format: FrameFormat, event: Option<&str>, data: &[u8]) -> RawFrame {
    RawFrame {
        origin: std::sync::Arc::default(),
        format,
        event: event.map(str::to_owned),
        id: None,
        data: Bytes::copy_from_slice(data),
        received_at: None,
        fault: None,
        offset: 0,
        flags: FrameFlags::default(),
    }
}

/// Returns the line that a frame becomes.
pub fn line(frame: &RawFrame, policy: Policy) -> String {
    let mut decoder = Decoder::default();
    let mut redactor = Redactor::new(policy);
    let event = decoder.decode(frame.as_frame());
    let mut out = Vec::new();
    ndjson::object(&redactor.redact(&event), &mut out);
    String::from_utf8(out).expect("NDJSON is UTF-8")
}

fn sse(event: &str, data: &str) -> String {
    line(&frame(FrameFormat::Sse, Some(event), data.as_bytes()), Policy::default())
}

fn record(data: &str) -> String {
    line(&frame(FrameFormat::Record, None, data.as_bytes()), Policy::default())
}

fn reveal(names: &[&str]) -> Policy {
    let mut policy = Policy::default();
    for name in names {
        policy.reveal.add(name);
    }
    policy
}

#[test]
fn the_event_type_may_be_in_the_frame_or_the_payload() {
    let expected = r#"{"event_type":"call.started","call_sid":"CA1","caller_id":"[redacted]","direction":"inbound","service_id":"s","_tap":{"stream":"workspace","redacted":["caller_id"]}}"#;
    let payload =
        r#""call_sid":"CA1","caller_id":"+12025550123","direction":"inbound","service_id":"s""#;
    assert_eq!(sse("call.started", &format!("{{{payload}}}")), expected);
    assert_eq!(
        sse("call.started", &format!("{{\"event_type\":\"call.started\",{payload}}}")),
        expected
    );
    assert_eq!(
        line(
            &frame(
                FrameFormat::Sse,
                None,
                format!("{{{payload},\"event_type\":\"call.started\"}}").as_bytes()
            ),
            Policy::default()
        ),
        expected
    );
}

#[test]
fn both_observer_envelopes_give_the_same_line() {
    let expected = r#"{"event_type":"user_transcript","transcript":"[redacted]","state":"intake","_tap":{"stream":"observer","redacted":["transcript"]}}"#;
    for data in [
        r#"{"type":"user_transcript","transcript":"I am Jane","state":"intake"}"#,
        r#"{"type":"user_transcript","data":{"transcript":"I am Jane","state":"intake"}}"#,
        r#"{"data":{"transcript":"I am Jane"},"type":"user_transcript","state":"intake"}"#,
    ] {
        assert_eq!(
            line(&frame(FrameFormat::Observer, None, data.as_bytes()), Policy::default()),
            expected
        );
        assert_eq!(record(data), expected);
    }
}

#[test]
fn field_order_digits_and_escapes_are_preserved() {
    let data = r#"{ "duration_seconds" : 1.10, "direction":"in\u0062ound","completion_reason":"completed","call_sid":"C\/A","escalated":false}"#;
    let expected = r#"{"event_type":"call.ended","duration_seconds":1.10,"direction":"in\u0062ound","completion_reason":"completed","call_sid":"C\/A","escalated":false,"_tap":{"stream":"workspace"}}"#;
    assert_eq!(sse("call.ended", data), expected);
    let big = r#"{"trigger_id":"x","trigger_name":"y","status":"s","n":1}"#;
    assert!(
        line(&frame(FrameFormat::Sse, Some("trigger.completed"), big.as_bytes()), reveal(&["n"]))
            .contains(r#""n":1,"#)
    );
    let digits = "9".repeat(400);
    let data = format!(
        r#"{{"call_sid":"a","completion_reason":"completed","direction":"test","duration_seconds":{digits}}}"#
    );
    assert!(sse("call.ended", &data).contains(&digits));
}

#[test]
fn an_event_is_one_line_without_control_characters() {
    let data = "{\n\"reason\":\"a\u{9b}31m\u{7f}b\u{202e}c\",\r\n\"call_sid\" : \"x\", \"escalation_id\":\"y\",\"trigger\":\"ai\",\"ex\u{200b}tra\":\n[1,\n2]}";
    let line = sse("call.escalated", data);
    assert!(line.contains(r#""reason":"a\u009b31m\u007fb\u202ec""#), "{line}");
    assert!(!evtap::text::terminal::has_hostile(&line), "{line}");
    let nested = "{\"call_sid\":\"x\",\"type\":\"emotion\",\"scores\":[ { \"name\" :\n \"joy\" , \"score\":1 } ]}";
    assert!(record(nested).contains(r#""scores":[{"name":"joy","score":1}]"#));
}

#[test]
fn null_stays_null_and_every_other_json_type_is_masked() {
    for value in [
        "\"x\"",
        "7",
        "-1.5e3",
        "true",
        "false",
        "[1,\"x\"]",
        "{\"x\":{\"y\":1}}",
        "\"\"",
        "[]",
        "{}",
        "\"[redacted]\"",
    ] {
        let line = sse(
            "call.started",
            &format!(
                r#"{{"call_sid":"C","direction":"inbound","service_id":"s","caller_id":{value}}}"#
            ),
        );
        assert!(line.contains(r#""caller_id":"[redacted]""#), "{line}");
        assert!(line.contains(r#""redacted":["caller_id"]"#), "{line}");
    }
    let line = sse(
        "call.started",
        r#"{"call_sid":"C","direction":"inbound","service_id":"s","caller_id":null}"#,
    );
    assert!(line.contains(r#""caller_id":null"#) && !line.contains("redacted"), "{line}");
}

#[test]
fn undeclared_fields_and_events_are_hidden_and_reported() {
    let known = r#""call_sid":"C","direction":"inbound","service_id":"s""#;
    let line = sse(
        "call.started",
        &format!(r#"{{{known},"mood":{{"Jane":"sad"}},"Jane Roe, 1980":1,"gone":null}}"#),
    );
    assert!(
        line.contains(r#""mood":"[redacted]","[redacted]":"[redacted]","gone":null"#),
        "{line}"
    );
    assert!(line.contains(r#""drift":[{"kind":"unknown_field","field":"mood"},{"kind":"unknown_field","field":"[redacted]"},{"kind":"unknown_field","field":"gone"}]"#), "{line}");
    assert!(!line.contains("Jane"), "{line}");
    let line = sse("call.paused", r#"{"call_sid":"C","transcript":"Jane"}"#);
    assert_eq!(
        line,
        r#"{"event_type":"call.paused","call_sid":"[redacted]","transcript":"[redacted]","_tap":{"redacted":["call_sid","transcript"],"drift":[{"kind":"unknown_event"}]}}"#
    );
    let line = sse("Jane Roe called", r#"{"a":1}"#);
    assert!(line.starts_with(r#"{"event_type":"[redacted]","a":"[redacted]""#), "{line}");
}

#[test]
fn undeclared_values_inside_an_open_field_are_masked() {
    let scores = r#"{"type":"emotion","arousal":0.1,"dominant":"joy","valence":0.2,"scores":[{"name":"joy","score":0.5,"who":"Jane"},["Jane"]],"speaker":{"zcr_delta":1,"energy_trend":"rising"},"provider":{"name":"Jane"}}"#;
    let line = record(scores);
    assert!(
        line.contains(r#""scores":[{"name":"joy","score":0.5,"who":"[redacted]"},"[redacted]"]"#),
        "{line}"
    );
    assert!(line.contains(r#""speaker":{"zcr_delta":1,"energy_trend":"rising"}"#), "{line}");
    assert!(line.contains(r#""provider":"[redacted]""#), "{line}");
    assert!(line.contains(r#""redacted":["scores.who","scores","provider"]"#), "{line}");
    assert!(!line.contains("Jane"), "{line}");
    assert_eq!(record(&line), line, "a line of evtap's own comes back the same");
    let line = self::line(
        &frame(FrameFormat::Record, None, scores.as_bytes()),
        reveal(&["emotion.scores"]),
    );
    assert!(
        line.contains(r#""scores":[{"name":"joy","score":0.5,"who":"Jane"},["Jane"]]"#),
        "asked for by name: {line}"
    );
}

#[test]
fn drift_is_reported_and_drops_nothing() {
    let line = sse(
        "call.ended",
        r#"{"call_sid":7,"completion_reason":"evaporated","direction":null,"escalated":"yes","escalated":true}"#,
    );
    assert_eq!(
        line,
        concat!(
            r#"{"event_type":"call.ended","call_sid":"[redacted]","completion_reason":"evaporated","direction":null,"escalated":"[redacted]","escalated":true,"_tap":{"stream":"workspace","redacted":["call_sid","escalated"],"drift":["#,
            r#"{"kind":"other_type","field":"call_sid"},{"kind":"unknown_value","field":"completion_reason"},{"kind":"other_type","field":"direction"},"#,
            r#"{"kind":"other_type","field":"escalated"},{"kind":"duplicate_field","field":"escalated"},{"kind":"missing_field","field":"duration_seconds"}]}}"#
        )
    );
}

#[test]
fn duplicate_and_escaped_keys_cannot_evade_the_policy() {
    let line = sse(
        "call.started",
        r#"{"call_sid":"C","direction":"inbound","service_id":"s","caller_id":"one","caller\u005fid":"two"}"#,
    );
    assert!(!line.contains("one") && !line.contains("two"), "{line}");
    // If two types differ, no declaration can be trusted.
    for data in [
        r#"{"event_type":"call.ended","transcript":"x","call_sid":"C"}"#,
        r#"{"event_type":"call.started","event_type":"call.ended","call_sid":"C"}"#,
    ] {
        let line = sse("call.started", data);
        assert!(
            line.contains(r#""call_sid":"[redacted]""#) && line.contains("type_conflict"),
            "{line}"
        );
    }
}

#[test]
fn malformed_frames_are_reported_without_their_text() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    for (data, category, offset) in [
        (&b""[..], "empty", 0),
        (b"  ", "empty", 2),
        (b"{\"call_sid\":\"Jane", "truncated", 17),
        (b"{\"call_sid\":Jane}", "not_json", 12),
        (b"[\"Jane\"]", "not_an_object", 0),
        (b"\"Jane\"", "not_an_object", 0),
        (b"17", "not_an_object", 0),
        (b"null", "not_an_object", 0),
        (b"{\"call_sid\":\"\xff\"}", "not_utf8", 13),
        (b"{\"call_sid\":\"\\ud800\"}", "lone_surrogate", 19),
        (deep.as_bytes(), "too_deep", 131),
    ] {
        let line = line(&frame(FrameFormat::Sse, Some("call.started"), data), Policy::default());
        let expected = format!(
            r#"{{"event_type":"tap.malformed","offset":{offset},"length":{},"category":"{category}","_tap":{{}}}}"#,
            data.len()
        );
        assert_eq!(line, expected);
        assert_eq!(record(&line), line);
    }
    assert!(record(r#"{"call_sid":"Jane"}"#).contains("no_event_type"));
    assert!(
        line(&frame(FrameFormat::Sse, None, b"{\"a\":1}"), Policy::default())
            .starts_with(r#"{"event_type":"message","a":"[redacted]""#)
    );
}

#[test]
fn large_and_deeply_nested_values_pass() {
    let text = "é".repeat(1 << 19);
    let line = sse(
        "call.escalated",
        &format!(r#"{{"call_sid":"C","escalation_id":"e","trigger":"ai","reason":"{text}"}}"#),
    );
    assert!(line.len() > 1 << 20 && line.contains(&text));
    let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
    let deep = format!(r#"{{"type":"session_end","emotional_summary":{{"a":{deep}}}}}"#);
    let masked = r#""emotional_summary":{"a":"[redacted]"}"#;
    assert!(record(&deep).contains(masked), "{}", record(&deep));
    let revealed = self::line(
        &frame(FrameFormat::Record, None, deep.as_bytes()),
        reveal(&["session_end.emotional_summary"]),
    );
    assert!(revealed.contains(&deep[deep.find("{\"a\"").expect("it is there")..deep.len() - 2]));
}

#[test]
fn a_recorded_line_replays_byte_for_byte() {
    let mut live = frame(
        FrameFormat::Sse,
        Some("call.started"),
        br#"{"call_sid":"C","direction":"sideways","service_id":{"a":1},"caller_id":"+1","odd":1.0}"#,
    );
    live.id = Some("1700000000001".into());
    live.received_at = Some("2023-11-14T22:13:21.5Z".parse().expect("a time"));
    live.origin = std::sync::Arc::new(Origin {
        stream: Some(Stream::Workspace),
        workspace_id: Some("1b4e28ba-2fa1-11d2-883f-0016d3cca427".to_owned()),
        call_sid: None,
    });
    let first = line(&live, Policy::default());
    assert!(
        first.contains(r#""_tap":{"id":"1700000000001","time":"2023-11-14T22:13:20.001Z","received_at":"2023-11-14T22:13:21.500Z","stream":"workspace","workspace_id":"1b4e28ba-2fa1-11d2-883f-0016d3cca427","redacted":["#),
        "{first}"
    );
    assert_eq!(record(&first), first);
    let revealed = line(&live, reveal(&["all"]));
    assert!(
        revealed.contains(r#""caller_id":"+1","odd":1.0"#) && !revealed.contains("redacted"),
        "{revealed}"
    );
    assert_eq!(record(&revealed), first, "what was revealed is hidden again");
    let drop = Policy { mode: Mode::Drop, ..Policy::default() };
    let dropped = line(&live, drop.clone());
    assert!(
        !dropped.contains("\"caller_id\":")
            && dropped.contains(r#""redacted":["service_id","caller_id","odd"]"#),
        "{dropped}"
    );
    assert_eq!(record(&dropped), dropped);
    assert_eq!(
        line(&frame(FrameFormat::Record, None, first.as_bytes()), drop.clone())
            .matches("caller_id")
            .count(),
        1
    );
}

#[test]
fn tap_members_cannot_carry_arbitrary_text() {
    for tap in [
        r#"{"id":"Jane"}"#,
        r#"{"note":"Jane"}"#,
        r#"{"redacted":["Jane Roe"]}"#,
        r#"{"time":"Jane"}"#,
        r#"{"workspace_id":"Jane"}"#,
        "\"Jane\"",
        r#"{"drift":[{"kind":"unknown_field","field":"Jane Roe"}]}"#,
    ] {
        let line = record(&format!(
            r#"{{"event_type":"text.started","channel_kind":"sms","service_id":"s","session_id":"t","_tap":{tap}}}"#
        ));
        assert!(!line.contains("Jane"), "{line}");
        assert_eq!(line.matches("_tap").count(), 2, "once as a key, once as drift: {line}");
    }
    // A server cannot write `_tap` or send evtap's own events.
    let line = sse("call.started", r#"{"call_sid":"C","_tap":{"id":"1"}}"#);
    assert!(!line.contains(r#""id":"1""#), "{line}");
    let line = sse("tap.malformed", r#"{"category":"Jane"}"#);
    assert!(line.contains(r#""category":"[redacted]""#), "{line}");
}

#[test]
fn an_event_type_that_is_not_a_string_is_not_passed_on() {
    for value in ["{\"a\":1}", "[\"Jane\"]", "5", "null"] {
        let line =
            sse("call.started", &format!(r#"{{"event_type":{value},"direction":"inbound"}}"#));
        assert!(
            line.starts_with(r#"{"event_type":"call.started","direction":"inbound","_tap":"#),
            "{line}"
        );
        assert!(line.contains(r#"{"kind":"unknown_field","field":"event_type"}"#), "{line}");
        assert_eq!(record(&line), line, "a replay says the same");
    }
}

#[test]
fn recorded_tap_members_are_kept_without_white_space() {
    let line = record(
        "{\"event_type\":\"text.started\",\"channel_kind\":\"sms\",\"service_id\":\"s\",\"session_id\":\"t\",\"_tap\":{\r\"id\":\t\"5\"}}",
    );
    assert!(line.ends_with(r#""session_id":"t","_tap":{"id":"5"}}"#), "{line}");
}

#[test]
fn reveal_and_redact_select_fields_by_name() {
    let data = r#"{"call_sid":"C","direction":"inbound","service_id":"s","caller_id":"+1"}"#;
    let with =
        |policy| line(&frame(FrameFormat::Sse, Some("call.started"), data.as_bytes()), policy);
    assert!(with(reveal(&["caller_id"])).contains(r#""caller_id":"+1""#));
    assert!(with(reveal(&["call.started.caller_id"])).contains(r#""caller_id":"+1""#));
    assert!(with(reveal(&["session_info.caller_id"])).contains(r#""caller_id":"[redacted]""#));
    assert!(with(reveal(&["transcript"])).contains(r#""caller_id":"[redacted]""#));
    let mut both = reveal(&["all"]);
    both.redact.add("caller_id");
    both.redact.add("call_sid");
    let line = with(both);
    assert!(
        line.contains(r#""call_sid":"[redacted]""#) && line.contains(r#""caller_id":"[redacted]""#),
        "{line}"
    );
}

#[test]
fn redacting_call_sid_also_hides_it_in_tap() {
    let mut observed = frame(
        FrameFormat::Observer,
        None,
        br#"{"type":"session_end","call_sid":"CA00000000000000000000000000000001"}"#,
    );
    observed.origin = std::sync::Arc::new(Origin {
        stream: Some(Stream::Observer),
        workspace_id: None,
        call_sid: Some("CA00000000000000000000000000000001".to_owned()),
    });
    let mut policy = Policy::default();
    policy.redact.add("call_sid");
    let first = line(&observed, Policy::default());
    assert_eq!(first.matches("CA0000").count(), 2, "{first}");
    assert!(!line(&observed, policy.clone()).contains("CA0000"));
    assert!(!line(&frame(FrameFormat::Record, None, first.as_bytes()), policy).contains("CA0000"));
}

#[test]
fn typed_structs_are_read_from_redacted_events() {
    let mut decoder = Decoder::default();
    let mut redactor = Redactor::new(Policy::default());
    let started = frame(
        FrameFormat::Sse,
        Some("call.started"),
        br#"{"call_sid":"C","direction":"sideways","service_id":"s","caller_id":"+1"}"#,
    );
    let event = decoder.decode(started.as_frame());
    let shown = redactor.redact(&event);
    let call: CallStarted = shown.read().expect("a call.started");
    assert_eq!(call.caller_id, Field::Hidden);
    assert_eq!(call.call_sid, Field::Value("C".to_owned()));
    assert_eq!(shown.read::<CallEnded>(), None);
    assert_eq!(shown.kind(), Some(Kind::CallStarted));

    let ended = frame(
        FrameFormat::Sse,
        Some("call.ended"),
        br#"{"completion_reason":"voicemail","duration_seconds":61.5,"escalated":"no"}"#,
    );
    let event = decoder.decode(ended.as_frame());
    let call: CallEnded = redactor.redact(&event).read().expect("a call.ended");
    assert_eq!(call.completion_reason, Field::Value(CompletionReason::Voicemail));
    assert_eq!(call.duration_seconds.value(), Some(&61.5));
    assert_eq!(call.escalated, Field::Hidden);
    assert_eq!(call.call_sid, Field::Absent);

    let emotion = frame(
        FrameFormat::Observer,
        None,
        br#"{"type":"emotion","data":{"scores":[{"name":"joy","score":1}],"speaker":{"normalized":true},"coherence":null}}"#,
    );
    let event = decoder.decode(emotion.as_frame());
    let emotion: Emotion = redactor.redact(&event).read().expect("an emotion");
    assert_eq!(emotion.scores.value().map(|scores| scores[0].name.as_str()), Some("joy"));
    assert_eq!(emotion.speaker.value().and_then(|voice| voice.normalized), Some(true));
    assert_eq!(emotion.coherence, Field::Null);
}

/// Generates JSON values of every type, with the canary in each string and key.
fn canaries(canary: &'static str) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::from(canary)),
        Just(Value::from(format!("{canary}\u{9b}\"\n"))),
        Just(Value::from(4_081_516_234_u64))
    ];
    leaf.prop_recursive(4, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(Just(format!("{canary} key")), inner, 1..2)
                .prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_become_one_json_line(event in prop::option::of(".{0,12}"), data in prop::collection::vec(any::<u8>(), 0..80), format in 0usize..3) {
        let format = [FrameFormat::Sse, FrameFormat::Observer, FrameFormat::Record][format];
        let line = line(&frame(format, event.as_deref(), &data), Policy::default());
        prop_assert!(serde_json::from_str::<Value>(&line).is_ok_and(|value| value.is_object()), "{}", line);
        prop_assert!(!evtap::text::terminal::has_hostile(&line));
    }

    #[test]
    fn no_hidden_value_is_in_the_output(kind in 0..Kind::ALL.len(), value in canaries("canary"), unknown in canaries("canary"), format in 0usize..3) {
        let spec = Kind::ALL[kind].spec();
        let mut object = serde_json::Map::new();
        object.insert(if format == 1 { "type" } else { "event_type" }.to_owned(), spec.event_type.into());
        for field in spec.fields.iter().filter(|field| field.class.is_hidden()) {
            object.insert(field.name.to_owned(), value.clone());
        }
        object.insert("undeclared".to_owned(), unknown);
        let data = Value::from(object).to_string();
        for mode in [Mode::Mask, Mode::Drop, Mode::Partial, Mode::Hash(PseudonymKey::random())] {
            let policy = Policy { mode, ..Policy::default() };
            let line = line(&frame([FrameFormat::Sse, FrameFormat::Observer, FrameFormat::Record][format], None, data.as_bytes()), policy.clone());
            prop_assert!(!line.contains("canary") && !line.contains("4081516234"), "{}", line);
            prop_assert_eq!(self::line(&frame(FrameFormat::Record, None, line.as_bytes()), policy), line);
        }
    }
}
