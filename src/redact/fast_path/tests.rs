//! Which events take the fast path, and that it gives the same result as the full path.

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{MAX_LESSONS, MAX_SHAPES};
use crate::emulator::samples::sample;
use crate::model::conformance::conformance;
use crate::model::decode::Decoder;
use crate::model::{Class, Kind, Type};
use crate::model::{Frame, FrameFlags, FrameFormat, Origin};
use crate::output::ndjson;
use crate::redact::{
    Mode, Policy, PseudonymKey, RedactedEvent, RedactedField, Redactor, ScrubMode,
};

/// Redacts each event on both paths and asserts that the results are equal.
struct PathComparison {
    decoder: Decoder,
    redactor: Redactor,
    /// Learns from the same events, and reports which path an event takes.
    probe: (Decoder, Redactor),
    /// Takes the full path only, and learns nothing.
    full: (Decoder, Redactor),
    has_rest: bool,
    /// The id of SSE frames.
    id: &'static str,
}

impl PathComparison {
    fn new(policy: Policy) -> Self {
        let [probe, full] = [(); 2].map(|()| (Decoder::default(), Redactor::new(policy.clone())));
        Self {
            decoder: Decoder::default(),
            redactor: Redactor::new(policy),
            probe,
            full,
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
        (line, is_fast)
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
fn events_like_earlier_ones_take_the_fast_path_unless_they_need_drift_or_scrubbing() {
    for kind in Kind::ALL {
        let mut paths = PathComparison::new(Policy::default());
        let (name, fields) = (kind.spec().event_type, fields(*kind));
        assert!(!paths.is_fast(&object(name, &fields)), "nothing is learned yet");
        let is_fast = |paths: &mut PathComparison, fields: &[(&str, String)]| {
            let (line, is_fast) = paths.line(&object(name, fields));
            let is_unstated = |(at, (_, json)): (usize, &(&str, String))| {
                let field = &kind.spec().fields[at];
                field.ty == Type::Unstated
                    && !field.class.is_hidden()
                    && !conformance(json, &field.ty).is_shown()
            };
            let is_inside = fields.len() == kind.spec().fields.len()
                && fields.iter().enumerate().any(is_unstated);
            assert_eq!(
                is_fast,
                !line.contains("\"drift\"") && !line.contains("\"scrubbed\"") && !is_inside,
                "{line}"
            );
            is_fast
        };
        let is_prose = kind.spec().fields.iter().any(|field| field.class == Class::Free);
        assert!(is_prose || is_fast(&mut paths, &fields), "{name}");
        for at in 0..fields.len() {
            let mut less = fields.clone();
            less.remove(at);
            assert!(
                is_prose || is_fast(&mut paths, &less) != kind.spec().fields[at].required,
                "{name} without {}",
                fields[at].0
            );
            for value in values() {
                let mut other = fields.clone();
                other[at].1 = value;
                if !is_prose || !matches!(kind.spec().fields[at].class, Class::Free) {
                    paths.line(&object(name, &other));
                }
                if !is_prose {
                    is_fast(&mut paths, &other);
                }
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
    paths.line(&started(",\"caller_id\":\"+1\""));
    assert!(paths.is_fast(&started(",\"caller_id\":\"+2\"")));
    for (from, to, is_fast) in [
        ("CA1", "CAé", true),
        ("CA1", "CA\u{202e}", false),
        ("CA1", "CA\u{9b}1", false),
        ("\"CA1\"", "\"CA1\" ", false),
        (":\"CA1\"", ": \"CA1\"", false),
        ("+1", "+\u{202e}1", true),
        ("CA1", "CA\\u00e9", true),
        ("call.started", "call.nothing", false),
        ("\"event_type\"", "\"event_type\" ", false),
        ("}", ",\"undeclared\":1}", false),
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
    paths.line(&ended("1.5"));
    for (steps, is_fast) in
        [("1.10", true), ("2", true), ("1.", false), ("01", false), ("\"1\"", false)]
    {
        assert_eq!(paths.is_fast(&ended(steps)), is_fast, "{steps}");
    }
    // Free text takes the fast path unless it holds an identifier; hidden text may hold one.
    let escalated = |reason: &str| {
        let begin =
            "{\"event_type\":\"call.escalated\",\"call_sid\":\"CA1\",\"escalation_id\":\"e\"";
        format!("{begin},\"reason\":\"{reason}\",\"trigger\":\"caller\"}}")
    };
    paths.line(&escalated("asked for a person"));
    let reasons = [
        ("asked for somebody", true),
        ("call (202) 555-0123", false),
        ("call \\u0028202) 555-0123", false),
    ];
    for (reason, is_fast) in reasons {
        assert_eq!(paths.is_fast(&escalated(reason)), is_fast, "{reason}");
    }
    assert!(paths.is_fast(&started(",\"caller_id\":\"(202) 555-0123\"")));
    // `--scrub all` searches strings; a number is searched in free text only.
    let mut paths = PathComparison::new(Policy { scrub: ScrubMode::All, ..Policy::default() });
    paths.line(&ended("1.5"));
    assert!(paths.is_fast(&ended("2025550123")));
}

#[test]
fn sse_frames_take_the_fast_path_too() {
    let mut paths = PathComparison::new(Policy::default());
    let started = |rest: &str| {
        format!("{{\"call_sid\":\"CA1\",\"direction\":\"inbound\",\"service_id\":\"s\"{rest}}}")
    };
    assert!(
        !paths.event("call.started", &started(",\"caller_id\":\"+1\"")).1,
        "nothing is learned yet"
    );
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
        ("call.started", "{}".to_owned(), false),
        ("call.started", "{".to_owned(), false),
        ("call.started", String::new(), false),
        ("call.ended", started(""), false),
        ("tap.gap", started(""), false),
        ("", started(""), false),
    ] {
        assert_eq!(paths.event(event_type, &data).1, is_fast, "{event_type} {data}");
    }
    let (name, json) = &fields(Kind::SessionEnd)[0];
    paths.event("session_end", &format!("{{\"{name}\":{json}}}"));
    let (line, is_fast) = paths.event("session_end", "{}");
    assert!(
        is_fast && line.starts_with("{\"event_type\":\"session_end\",\"_tap\":{\"id\":"),
        "{line}"
    );
    paths.id = "soon";
    let (line, is_fast) = paths.event("call.started", &started(""));
    assert!(!is_fast && line.contains("drift"), "{line}");
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
    paths.line(&line("[\"a\"]"));
    assert_eq!(
        [paths.is_fast(&line("[\"a\",\"b\"]")), paths.is_fast(&line("[\"a\", \"b\"]"))],
        [true, false]
    );
    let mut hiding = Policy::default();
    hiding.redact.add("fields_submitted");
    let mut paths = PathComparison::new(hiding);
    paths.line(&line("[\"a\"]"));
    assert!(paths.is_fast(&line("[\"a\", \"b\"]")));
}

#[test]
fn orders_that_do_not_contradict_merge_into_one_shape() {
    let all = fields(Kind::SessionEnd);
    assert!(
        all.len() > 2 * MAX_SHAPES
            && Kind::SessionEnd.spec().fields.iter().all(|field| !field.required)
    );
    let of = |which: &[usize]| {
        object("session_end", &which.iter().map(|at| all[*at].clone()).collect::<Vec<_>>())
    };
    // More orders than fit without merging; then all fields at once, which has not come yet.
    let mut paths = PathComparison::new(Policy::default());
    for which in [&[2][..], &[1, 2], &[2, 4], &[2, 5], &[0, 1], &[5, 6, 7]] {
        assert!(!paths.is_fast(&of(which)), "{which:?}");
        assert!(paths.is_fast(&of(which)), "{which:?}");
    }
    // A new field goes right after the field that precedes it.
    assert!(
        paths.is_fast(&of(&[0, 1, 2, 5, 4]))
            && paths.is_fast(&of(&[0, 4]))
            && paths.is_fast(&of(&[]))
    );
    // A contradicting order becomes another shape, up to the maximum.
    let orders = [[1, 0, 2], [2, 1, 0], [2, 0, 1], [0, 2, 1]];
    let mut learned = 1;
    for which in orders {
        let is_known = paths.is_fast(&of(&which));
        learned += usize::from(!is_known && paths.is_fast(&of(&which)));
    }
    assert_eq!(learned, MAX_SHAPES);
    assert!(
        paths.is_fast(&of(&orders[0])) && paths.is_fast(&of(&[0, 1, 2, 5, 4])),
        "no shape is evicted"
    );
}

#[test]
fn learning_stops_after_the_maximum_of_lessons() {
    let mut paths = PathComparison::new(Policy::default());
    let duplicate = started(",\"caller_id\":\"+1\",\"call_sid\":\"twice\"");
    for _ in 0..usize::from(MAX_LESSONS) - 1 {
        assert!(!paths.is_fast(&duplicate), "{duplicate}");
    }
    paths.line(&started(""));
    assert!(paths.is_fast(&started("")), "the last lesson is learned");
    let reversed = "{\"event_type\":\"call.started\",\"service_id\":\"s\",\"direction\":\"inbound\",\"call_sid\":\"CA1\"}";
    for _ in 0..3 {
        assert!(!paths.is_fast(reversed), "the lessons are used up");
    }
    let other = "{\"event_type\":\"text.started\",\"channel_kind\":\"sms\",\"service_id\":\"s\",\"session_id\":\"x\"}";
    paths.line(other);
    assert!(paths.is_fast(other), "each type has its own lessons");
}

#[test]
fn tap_lists_what_is_hidden_in_each_event_and_the_cache_is_bounded() {
    let mut all = Policy::default();
    for field in Kind::SessionEnd.spec().fields {
        all.redact.add(&format!("session_end.{}", field.name));
    }
    for (policy, kind, most) in
        [(Policy::default(), Kind::SessionInfo, 2), (all, Kind::SessionEnd, 64)]
    {
        let mut paths = PathComparison::new(policy);
        let (name, optional) = (kind.spec().event_type, fields(kind));
        paths.line(&object(name, &optional));
        // More combinations than the cache holds.
        for which in 0..200_usize {
            let is_in = |(at, _): &(usize, &(&str, String))| {
                kind.spec().fields[*at].required || which & 1 << (at % 8) != 0
            };
            let some: Vec<_> =
                optional.iter().enumerate().filter(is_in).map(|(_, field)| field.clone()).collect();
            assert!(paths.is_fast(&object(name, &some)), "{some:?}");
            let shapes = paths.redactor.shapes().expect("the policy allows the fast path");
            let taps = &shapes.by_kind[kind as usize].shapes[0].taps;
            assert!(
                taps.len() <= most && (which < 2 || taps.len() > 1 || most == 64),
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
    paths.line(&started(",\"caller_id\":\"+1\""));
    let pseudonym = format!("\"phi:phone:00000000:{}\"", "0".repeat(32));
    let hidden = r#"{"id":"1700000000001","stream":"workspace","redacted":["caller_id"]}"#;
    for (caller, tap, is_fast) in [
        ("\"[redacted]\"", hidden, true),
        ("\"[redacted]\"", r#"{"redacted":["caller_id"]}"#, true),
        ("\"[redacted]\"", r#"{"redacted":["caller_id","direction"]}"#, false),
        ("\"[redacted]\"", r#"{"redacted":["direction"]}"#, false),
        ("\"[redacted]\"", r#"{"redacted":[]}"#, false),
        ("\"[redacted]\"", "{}", false),
        ("\"[redacted]\"", "1", false),
        ("\"[redacted]\"", r#"{"redacted":["caller_id"],"odd":1}"#, false),
        ("\"+1\"", hidden, false),
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
fn only_masking_policies_that_keep_tap_ids_use_the_fast_path() {
    let redacts = |name: &str| {
        let mut policy = Policy::default();
        policy.redact.add(name);
        policy
    };
    let key = PseudonymKey::new(&[7; 32]).expect("long enough");
    let mode = |mode| Policy { mode, ..Policy::default() };
    for (policy, allows_fast_path) in [
        (Policy::default(), true),
        (redacts("direction"), true),
        (redacts("workspace_id"), false),
        (redacts("call_sid"), false),
        (redacts("all"), false),
        (mode(Mode::Partial), false),
        (mode(Mode::Hash(key)), false),
        (mode(Mode::Drop), false),
    ] {
        let mut paths = PathComparison::new(policy.clone());
        let tap = r#"{"workspace_id":"1b4e28ba-2fa1-11d2-883f-0016d3cca427","call_sid":"CA00000000000000000000000000000001"}"#;
        paths.line(&started(""));
        assert_eq!(paths.is_fast(&started("")), allows_fast_path, "{policy:?}");
        paths.line(&started(&format!(",\"_tap\":{tap}")));
    }
}

#[test]
fn an_event_without_fields_is_decoded() {
    let mut paths = PathComparison::new(Policy::default());
    for line in [
        "{\"event_type\":\"call.started\"}",
        "{\"event_type\":\"call.started\",}",
        "{\"event_type\":\"\"}",
        "{}",
    ] {
        for _ in 0..2 {
            assert!(!paths.is_fast(line), "{line}");
        }
    }
    let value: Value =
        serde_json::from_str(&paths.line("{\"event_type\":\"call.started\"}").0).expect("JSON");
    assert_eq!(value["event_type"], "call.started");
}
