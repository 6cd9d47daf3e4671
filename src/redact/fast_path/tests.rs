//! Which events take the fast path, and that it gives the same result as the full path.

mod any_order;
mod envelopes;
mod modes;

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::table::MAX_CACHED_TAPS;
use crate::emulator::samples::sample;
use crate::model::Kind;
use crate::model::conformance::conformance;
use crate::model::decode::Decoder;
use crate::model::{Frame, FrameFlags, FrameFormat, Origin};
use crate::output::ndjson;
use crate::redact::{Policy, RedactedEvent, RedactedField, Redactor, ScrubMode};

/// Redacts each event on both paths and asserts that the results are equal.
struct PathComparison {
    decoder: Decoder,
    redactor: Redactor,
    /// Reports which path an event takes.
    probe: (Decoder, Redactor),
    /// Takes the full path only.
    full: (Decoder, Redactor),
    /// Audit the same events, the first on both paths and the second on the full path.
    audits: [(Decoder, Redactor); 2],
    has_rest: bool,
    /// The id of SSE frames.
    id: &'static str,
}

impl PathComparison {
    fn new(policy: Policy) -> Self {
        let [probe, full] = [(); 2].map(|()| (Decoder::default(), Redactor::new(policy.clone())));
        let audit = Policy { scrub: ScrubMode::All, ..Policy::default() };
        Self {
            decoder: Decoder::default(),
            redactor: Redactor::new(policy),
            probe,
            full,
            audits: [(); 2].map(|()| (Decoder::default(), Redactor::new(audit.clone()))),
            has_rest: false,
            id: "1700000000001",
        }
    }

    /// Returns what a recorded line becomes, and whether it takes the fast path. Every other line
    /// has more text after it in the buffer.
    #[track_caller]
    fn line(&mut self, text: &str) -> (String, bool) {
        self.has_rest ^= true;
        let rest = if self.has_rest { "\n,\"call_sid\":\"CA1\",1]}\"]}\n" } else { "" };
        self.frame(FrameFormat::Record, None, text, rest)
    }

    /// Returns what an SSE frame becomes, and whether it takes the fast path.
    #[track_caller]
    fn event(&mut self, event_type: &str, text: &str) -> (String, bool) {
        self.frame(FrameFormat::Sse, Some(event_type), text, "")
    }

    #[track_caller]
    fn frame(
        &mut self,
        format: FrameFormat,
        event: Option<&str>,
        data: &str,
        rest: &str,
    ) -> (String, bool) {
        let origin = Origin { workspace_id: event.map(|_| "w".to_owned()), ..Origin::default() };
        let text = [data, rest].concat();
        let frame = Frame {
            origin: &origin,
            format,
            event,
            id: event.and(Some(self.id)),
            data: data.as_bytes(),
            text: Some(&text),
            received_at: event.and(Some(Timestamp::UNIX_EPOCH)),
            fault: None,
            offset: 0,
            flags: FrameFlags::default(),
        };
        let is_fast = self.probe.1.recognize(&frame).is_some();
        let _ = self.probe.1.decode_and_redact(&mut self.probe.0, frame);
        let (mut line, mut full_line) = (Vec::new(), Vec::new());
        let redacted = self.redactor.decode_and_redact(&mut self.decoder, frame);
        let event = self.full.0.decode(frame);
        let full = self.full.1.redact(&event);
        let fields = |redacted: &RedactedEvent<'_>| {
            let field = |field: RedactedField<'_>| {
                (field.key.to_owned(), field.json.to_owned(), field.hidden)
            };
            redacted.fields().map(field).collect::<Vec<_>>()
        };
        assert_eq!(fields(&redacted), fields(&full), "{text}");
        assert_eq!(redacted.tap(), full.tap(), "{text}");
        for (key, json, _) in fields(&full) {
            assert_eq!(
                redacted.field(&key).map(|field| field.json == json),
                full.field(&key).map(|field| field.json == json)
            );
        }
        ndjson::object(&redacted, &mut line);
        ndjson::object(&full, &mut full_line);
        let [line, full_line] =
            [line, full_line].map(|line| String::from_utf8(line).expect("text"));
        assert_eq!(line, full_line, "{text}");
        self.compare_audits(frame);
        (line, is_fast)
    }

    #[track_caller]
    fn compare_audits(&mut self, frame: Frame<'_>) {
        let [(decoder, both), (full_decoder, full)] = &mut self.audits;
        let (mut findings, mut full_findings) = (Vec::new(), Vec::new());
        let audited = both.decode_and_audit(decoder, frame, &mut findings);
        let event = full_decoder.decode(frame);
        let is_recorded = event.recorded_tap.is_some();
        let redacted = full.audit(&event, &mut full_findings);
        assert_eq!(findings, full_findings, "{:?}", frame.text);
        assert_eq!((&*audited.event_type, audited.kind), (redacted.event_type(), redacted.kind()));
        if audited.kind == Some(Kind::TapMalformed) {
            assert_eq!(audited.is_recorded, is_recorded);
        }
    }

    fn is_fast(&mut self, text: &str) -> bool {
        self.line(text).1
    }
}

/// Returns a recorded line with these members, in this order.
fn object(event_type: &str, fields: &[(&str, String)]) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, json)| format!(",\"{name}\":{json}")).collect();
    format!("{{\"event_type\":\"{event_type}\"{}}}", fields.concat())
}

/// Returns a sample of every field of an event, as JSON.
fn fields(kind: Kind) -> Vec<(&'static str, String)> {
    let sample = sample(kind.spec(), &mut StdRng::seed_from_u64(3));
    kind.spec().fields.iter().map(|field| (field.name, sample[field.name].to_string())).collect()
}

/// Returns values of every JSON type, whether or not a declaration accepts them.
fn values() -> impl Iterator<Item = String> {
    let scalars = [
        json!(null),
        json!(true),
        json!(1),
        json!(-1.5),
        json!(1e3),
        json!(""),
        json!("x"),
        json!("[redacted]"),
    ];
    let inside = [
        json!([]),
        json!([1]),
        json!(["x", null]),
        json!({}),
        json!({"odd": 1}),
        json!([{"name": "joy", "score": 0.5}]),
    ];
    scalars
        .into_iter()
        .chain(inside)
        .map(|value| value.to_string())
        .chain(["\"call (202) 555-0123\"".to_owned()])
}

#[test]
fn declared_events_take_the_fast_path_unless_a_part_of_a_value_is_rewritten() {
    for kind in Kind::ALL {
        let mut paths = PathComparison::new(Policy::default());
        let (name, fields) = (kind.spec().event_type, fields(*kind));
        let is_fast = |paths: &mut PathComparison, fields: &[(&str, String)]| {
            let (line, is_fast) = paths.line(&object(name, fields));
            let is_rewritten = |(field, json): &(&str, String)| {
                let field = kind.spec().field(field).expect("a declared field");
                !field.class.is_hidden()
                    && json.starts_with(['{', '['])
                    && conformance(json, &field.ty).is_shown()
                    && !line.contains(json)
            };
            let is_rewritten = fields.iter().any(is_rewritten);
            assert_eq!(is_fast, !is_rewritten, "{line}");
        };
        is_fast(&mut paths, &fields);
        for at in 0..fields.len() {
            let mut less = fields.clone();
            less.remove(at);
            is_fast(&mut paths, &less);
            for value in values() {
                let mut other = fields.clone();
                other[at].1 = value;
                is_fast(&mut paths, &other);
            }
        }
    }
}

fn started(rest: &str) -> String {
    format!(
        "{{\"event_type\":\"call.started\",\"call_sid\":\"CA1\",\"direction\":\"inbound\",\"service_id\":\"s\"{rest}}}"
    )
}

#[test]
fn events_that_cannot_be_copied_take_the_full_path() {
    let mut paths = PathComparison::new(Policy::default());
    assert!(paths.is_fast(&started(",\"caller_id\":\"+2\"")));
    for (from, to, is_fast) in [
        ("CA1", "CAé", true),
        ("CA1", "CA\u{202e}", true),
        ("CA1", "CA\u{9b}1", true),
        ("\"CA1\"", "\"CA1\" ", false),
        (":\"CA1\"", ": \"CA1\"", false),
        ("+1", "+\u{202e}1", true),
        ("CA1", "CA\\u00e9", true),
        ("call.started", "call.nothing", false),
        ("\"event_type\"", "\"event_type\" ", false),
        ("}", ",\"undeclared\":1}", true),
        ("}", ",\"\\u0061\":1}", false),
        ("}", "} ", true),
        ("}", "}\r", true),
        ("}", "} x", false),
        ("}", "}}", false),
        ("}", ",}", false),
        ("}", "", false),
        ("}", ",\"direction\":\"inbound\"}", false),
    ] {
        let line = started(",\"caller_id\":\"+1\"").replacen(from, to, 1);
        assert_eq!(paths.is_fast(&line), is_fast, "{line}");
    }
    let ended = |steps: &str| {
        let begin = "{\"event_type\":\"call.ended\",\"call_sid\":\"CA1\",\"completion_reason\":\"completed\"";
        format!("{begin},\"direction\":\"inbound\",\"duration_seconds\":{steps}}}")
    };
    for (steps, is_fast) in
        [("1.10", true), ("2", true), ("1.", false), ("01", false), ("\"1\"", true)]
    {
        assert_eq!(paths.is_fast(&ended(steps)), is_fast, "{steps}");
    }
    let escalated = |reason: &str| {
        let begin =
            "{\"event_type\":\"call.escalated\",\"call_sid\":\"CA1\",\"escalation_id\":\"e\"";
        format!("{begin},\"reason\":\"{reason}\",\"trigger\":\"caller\"}}")
    };
    let reasons = [
        ("asked for somebody", true),
        ("call (202) 555-0123", true),
        ("call \\u0028202) 555-0123", true),
    ];
    for (reason, is_fast) in reasons {
        assert_eq!(paths.is_fast(&escalated(reason)), is_fast, "{reason}");
    }
    assert!(paths.is_fast(&started(",\"caller_id\":\"(202) 555-0123\"")));
    // `--scrub all` searches strings; a number is searched in free text only.
    let mut paths = PathComparison::new(Policy { scrub: ScrubMode::All, ..Policy::default() });
    assert!(paths.is_fast(&ended("2025550123")));
}

#[test]
fn sse_frames_take_the_fast_path_too() {
    let mut paths = PathComparison::new(Policy::default());
    let started = |rest: &str| {
        format!("{{\"call_sid\":\"CA1\",\"direction\":\"inbound\",\"service_id\":\"s\"{rest}}}")
    };
    for (event_type, data, is_fast) in [
        ("call.started", started(",\"caller_id\":\"+2\""), true),
        ("call.started", started(""), true),
        ("call.started", started("") + " ", true),
        ("call.started", started(",\"caller_id\":\"+\u{202e}2\""), true),
        ("call.started", started(",\"event_type\":\"call.started\""), false),
        ("call.started", started(",\"event_type\":\"call.ended\""), false),
        ("call.started", started(",\"_tap\":{}"), false),
        ("call.started", started(",\"_tap\":{\"redacted\":[]}"), false),
        ("call.started", started("").replacen('{', "{ ", 1), false),
        ("call.started", started("").replacen('{', ",", 1), false),
        ("call.started", "{}".to_owned(), true),
        ("call.started", "{".to_owned(), false),
        ("call.started", String::new(), false),
        ("call.ended", started(""), true),
        ("tap.gap", started(""), false),
        ("", started(""), false),
    ] {
        assert_eq!(paths.event(event_type, &data).1, is_fast, "{event_type} {data}");
    }
    let (line, is_fast) = paths.event("session_end", "{}");
    assert!(
        is_fast && line.starts_with("{\"event_type\":\"session_end\",\"_tap\":{\"id\":"),
        "{line}"
    );
    paths.id = "soon";
    let (line, is_fast) = paths.event("call.started", &started(""));
    assert!(is_fast && line.contains(r#""drift":[{"kind":"odd_id"}]"#), "{line}");
}

/// White space between tokens is removed from a shown value; in a hidden one the mask replaces it.
#[test]
fn white_space_in_a_shown_value_takes_the_full_path() {
    let mut paths = PathComparison::new(Policy::default());
    let line = |names: &str| {
        format!(
            "{{\"event_type\":\"surface.submitted\",\"entity_id\":\"e\",\"fields_submitted\":{names},\"surface_id\":\"s\"}}"
        )
    };
    assert_eq!(
        [paths.is_fast(&line("[\"a\",\"b\"]")), paths.is_fast(&line("[\"a\", \"b\"]"))],
        [true, false]
    );
    let mut hiding = Policy::default();
    hiding.redact.add("fields_submitted");
    let mut paths = PathComparison::new(hiding);
    assert!(paths.is_fast(&line("[\"a\", \"b\"]")));
}

#[test]
fn tap_lists_what_is_hidden_in_each_event_and_the_cache_is_bounded() {
    let mut all = Policy::default();
    for field in Kind::SessionEnd.spec().fields {
        all.redact.add(&format!("session_end.{}", field.name));
    }
    for (policy, kind, most) in
        [(Policy::default(), Kind::SessionInfo, 2), (all, Kind::SessionEnd, MAX_CACHED_TAPS)]
    {
        let mut paths = PathComparison::new(policy);
        let (name, optional) = (kind.spec().event_type, fields(kind));
        // More combinations than the cache holds.
        for which in 0..200_usize {
            let is_in = |(at, _): &(usize, &(&str, String))| {
                kind.spec().fields[*at].required || which & 1 << (at % 8) != 0
            };
            let some: Vec<_> =
                optional.iter().enumerate().filter(is_in).map(|(_, field)| field.clone()).collect();
            assert!(paths.is_fast(&object(name, &some)), "{some:?}");
            let fast_path = paths.redactor.fast_path().expect("the policy allows the fast path");
            let taps = &fast_path.tables[kind as usize].as_ref().expect("used").taps;
            assert!(
                taps.len() <= most && (which < 2 || taps.len() > 1 || most > 2),
                "{}",
                taps.len()
            );
        }
    }
}

#[test]
fn a_recorded_line_takes_the_fast_path_if_its_tap_is_current() {
    let mut paths = PathComparison::new(Policy::default());
    let line =
        |caller: &str, tap: &str| started(&format!(",\"caller_id\":{caller},\"_tap\":{tap}"));
    let pseudonym = format!("\"phi:phone:00000000:{}\"", "0".repeat(32));
    let hidden = r#"{"id":"1700000000001","stream":"workspace","redacted":["caller_id"]}"#;
    for (caller, tap, is_fast) in [
        ("\"[redacted]\"", hidden, true),
        ("\"[redacted]\"", r#"{"redacted":["caller_id"]}"#, true),
        ("\"[redacted]\"", r#"{"redacted":["caller_id","direction"]}"#, false),
        ("\"[redacted]\"", r#"{"redacted":["direction"]}"#, false),
        ("\"[redacted]\"", r#"{"redacted":[]}"#, true),
        ("\"[redacted]\"", "{}", true),
        ("\"[redacted]\"", "1", false),
        ("\"[redacted]\"", r#"{"redacted":["caller_id"],"odd":1}"#, false),
        ("\"+1\"", hidden, true),
        ("\"+1\"", "{}", true),
        ("\"+1\"", r#"{"scrubbed":["direction"]}"#, true),
        ("\"+1\"", r#"{"drift":[{"kind":"unknown_event"}]}"#, true),
        (&pseudonym, hidden, false),
        ("\"[redacted ..23]\"", hidden, false),
        ("null", "{}", true),
        ("null", hidden, false),
    ] {
        assert_eq!(paths.is_fast(&line(caller, tap)), is_fast, "{caller} {tap}");
    }
    let whole = line("\"[redacted]\"", hidden);
    assert!(
        !paths.is_fast(&whole.replacen("}}", "},\"call_sid\":\"CA2\"}", 1)),
        "`_tap` comes last"
    );
}

#[test]
fn a_recorded_line_without_fields_stays_as_it_is() {
    let mut paths = PathComparison::new(Policy::default());
    paths.line("{\"event_type\":\"session_end\"}");
    let line = "{\"event_type\":\"session_end\",\"_tap\":{\"stream\":\"observer\"}}";
    assert_eq!(paths.line(line), (line.to_owned(), true));
}

#[test]
fn an_event_without_fields_has_drift() {
    let mut paths = PathComparison::new(Policy::default());
    assert!(paths.is_fast("{\"event_type\":\"call.started\"}"));
    for line in ["{\"event_type\":\"call.started\",}", "{\"event_type\":\"\"}", "{}"] {
        for _ in 0..2 {
            assert!(!paths.is_fast(line), "{line}");
        }
    }
    let value: Value =
        serde_json::from_str(&paths.line("{\"event_type\":\"call.started\"}").0).expect("JSON");
    assert_eq!(value["event_type"], "call.started");
    assert_eq!(value["_tap"]["drift"][0], json!({"kind": "missing_field", "field": "call_sid"}));
}
