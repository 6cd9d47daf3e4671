//! The methods of [`RedactedEvent`] beside its NDJSON line: fields, typed structs and `_tap`.

use evtap::internals::output::ndjson;
use evtap::model::FrameFormat;
use evtap::model::catalog::{CallEnded, CallStarted, TapGap};
use evtap::model::decode::Decoder;
use evtap::model::{Field, Kind, Stream};
use evtap::redact::{Mode, Policy, RedactedEvent, Redactor};

use crate::decode_redact::frame;

/// Decodes and redacts a recorded line and passes it to `ask`.
fn with_event<T>(data: &str, policy: &Policy, look: impl FnOnce(&RedactedEvent<'_>) -> T) -> T {
    let raw = frame(FrameFormat::Record, None, data.as_bytes());
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
    look(&redactor.redact(&decoder.decode(raw.as_frame())))
}

const STARTED: &str = r#"{"event_type":"call.started","call_sid":"C\u00e9\n","caller_id":"+1","direction":null,"service_id":7,"m\u006fre":1.5,"_tap":{"id":"17","stream":"workspace"}}"#;

#[test]
fn fields_have_names_text_and_numbers() {
    with_event(STARTED, &Policy::default(), |shown| {
        assert_eq!(shown.name(), "call.started");
        assert_eq!(
            (shown.event_type(), shown.kind(), shown.stream()),
            ("call.started", Some(Kind::CallStarted), Some(Stream::Workspace))
        );
        assert_eq!(shown.tap().redacted, ["caller_id", "service_id", "more"]);
        let fields: Vec<_> = shown
            .fields()
            .map(|field| {
                (
                    field.name().into_owned(),
                    field.text().map(std::borrow::Cow::into_owned),
                    field.number(),
                    field.hidden,
                )
            })
            .collect();
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            ("call_sid", text("C\u{e9}\n"), None, false),
            ("caller_id", text("[redacted]"), None, true),
            ("direction", None, None, false),
            ("service_id", text("[redacted]"), None, true),
            ("more", text("[redacted]"), None, true),
        ];
        assert_eq!(
            fields,
            expected.map(|(name, text, number, hidden)| (name.to_owned(), text, number, hidden))
        );
        let plain = shown.field("caller_id").expect("it is there");
        assert_eq!(
            (plain.key, plain.json, plain.spec.map(|spec| spec.name)),
            ("caller_id", "\"[redacted]\"", Some("caller_id"))
        );
        assert_eq!(shown.field("more").map(|field| field.hidden), Some(true));
        assert!(shown.field("mor").is_none() && shown.field("").is_none());
    });
    with_event(r#"{"event_type":"brand.new"}"#, &Policy::default(), |shown| {
        assert_eq!(
            (shown.event_type(), shown.kind(), shown.stream(), shown.fields().count()),
            ("brand.new", None, None, 0)
        );
    });
}

#[test]
fn reads_as_the_struct_of_its_own_type_only() {
    with_event(STARTED, &Policy::default(), |shown| {
        let call: CallStarted = shown.read().expect("a call.started");
        assert_eq!(
            (&call.caller_id, &call.call_sid),
            (&Field::Hidden, &Field::Value("C\u{e9}\n".to_owned()))
        );
        assert_eq!((call.direction, call.service_id), (Field::Null, Field::Hidden));
        assert!(shown.read::<CallEnded>().is_none() && shown.read::<TapGap>().is_none());
    });
    let dropping = Policy { mode: Mode::Drop, ..Policy::default() };
    with_event(STARTED, &dropping, |shown| {
        assert!(shown.field("caller_id").is_none());
        assert_eq!(
            shown.read::<CallStarted>().expect("a call.started").caller_id,
            Field::Hidden,
            "it was there"
        );
    });
    let absent = r#"{"event_type":"call.started","_tap":{"redacted":["direction"]}}"#;
    with_event(absent, &Policy::default(), |shown| {
        let call: CallStarted = shown.read().expect("a call.started");
        assert_eq!((call.caller_id, call.direction), (Field::Absent, Field::Hidden));
    });
}

/// Fields that are adjacent in the frame are copied in one piece. The output must not show that.
#[test]
fn copying_fields_in_one_piece_does_not_change_the_line() {
    for (data, expected) in [
        (
            r#"{"event_type":"call.ended","call_sid":"a","direction":"inbound"}"#,
            r#","call_sid":"a","direction":"inbound""#,
        ),
        (
            r#"{"event_type":"call.ended", "call_sid":"a","direction":"inbound"}"#,
            r#","call_sid":"a","direction":"inbound""#,
        ),
        (
            r#"{"event_type":"call.ended","call_sid": "a","direction":"inbound"}"#,
            r#","call_sid":"a","direction":"inbound""#,
        ),
        (
            r#"{"event_type":"call.ended","call_sid" :"a","direction":"inbound"}"#,
            r#","call_sid":"a","direction":"inbound""#,
        ),
        (
            r#"{"event_type":"call.ended","call_sid":"a" ,"direction":"inbound"}"#,
            r#","call_sid":"a","direction":"inbound""#,
        ),
        (
            r#"{"event_type":"call.ended","call_sid":"a", "direction":"inbound"}"#,
            r#","call_sid":"a","direction":"inbound""#,
        ),
        (
            r#"{"call_sid":"a","event_type":"call.ended","direction":"inbound"}"#,
            r#","call_sid":"a","direction":"inbound""#,
        ),
        (
            r#"{"call_sid":"a","direction":"inbound","event_type":"call.ended"}"#,
            r#","call_sid":"a","direction":"inbound""#,
        ),
        (
            r#"{"event_type":"call.ended","call_sid":"a","odd":1,"direction":"inbound"}"#,
            r#","call_sid":"a","odd":"[redacted]","direction":"inbound""#,
        ),
        (r#"{"odd":1,"event_type":"call.ended","x":2}"#, r#","odd":"[redacted]","x":"[redacted]""#),
        (
            r#"{"type":"latency","data":{"engine_ms":1.10,"nav_ms":2}, "render_ms":3}"#,
            r#","engine_ms":1.10,"nav_ms":2,"render_ms":3"#,
        ),
        (r#"{"event_type":"call.ended"}"#, ""),
    ] {
        with_event(data, &Policy::default(), |shown| {
            let mut out = b"{\"event_type\":\"x\"".to_vec();
            shown.write_fields(&mut out);
            assert_eq!(
                String::from_utf8(out).expect("text"),
                format!("{{\"event_type\":\"x\"{expected}"),
                "{data}"
            );
            let mut line = Vec::new();
            ndjson::object(shown, &mut line);
            let begin = format!(
                "{{\"event_type\":\"{}\"{expected},\"_tap\":{}}}",
                shown.event_type(),
                shown.tap_json()
            );
            assert_eq!(String::from_utf8(line).expect("text"), begin, "{data}");
        });
    }
}

#[test]
fn a_recorded_tap_is_kept_if_it_is_still_right() {
    let odd = r#"{"time":"2023-11-14T22:13:20.001Z","id":"17","redacted":["caller_id"]}"#;
    let spaced = odd.replace(',', ", ");
    for (caller, tap, is_kept) in [
        ("\"[redacted]\"", odd, true),
        ("\"[redacted]\"", &spaced, false),
        ("\"[redacted]\"", r#"{"id":"17"}"#, false),
        ("\"[redacted]\"", "17", false),
    ] {
        let data = format!(r#"{{"event_type":"call.started","caller_id":{caller},"_tap":{tap}}}"#);
        with_event(&data, &Policy::default(), |shown| {
            let mut written = Vec::new();
            shown.write_tap(&mut written);
            assert_eq!(shown.tap_json().as_bytes(), written);
            assert_eq!(written == tap.as_bytes(), is_kept, "{}", shown.tap_json());
            assert!(
                shown.tap_json().contains("caller_id") && shown.tap().redacted == ["caller_id"]
            );
        });
    }
}
