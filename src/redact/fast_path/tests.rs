//! Which events take the short way, and that it leads to where the long one does.

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::ORDERS;
use crate::emulator::samples::sample;
use crate::model::decode::Decoder;
use crate::model::{Class, Kind, Type};
use crate::model::{Frame, FrameFlags, FrameFormat, Origin};
use crate::output::ndjson;
use crate::redact::{
    Mode, Policy, PseudonymKey, RedactedEvent, RedactedField, Redactor, ScrubMode,
};

/// A walk that learns as it goes.
struct Walk {
    decoder: Decoder,
    redactor: Redactor,
    /// One that learns the same, to be asked which way it will go.
    asked: (Decoder, Redactor),
    /// The same by the long way, which learns nothing.
    plain: (Decoder, Redactor),
    has_more: bool,
    /// The id of the frames of a stream.
    id: &'static str,
}

impl Walk {
    fn by(policy: Policy) -> Self {
        let [asked, plain] = [(); 2].map(|()| (Decoder::default(), Redactor::new(policy.clone())));
        Self {
            decoder: Decoder::default(),
            redactor: Redactor::new(policy),
            asked,
            plain,
            has_more: false,
            id: "1700000000001",
        }
    }

    /// What a line becomes, which must be what the long way makes of it, and whether it takes the short one. Every other line
    /// has others behind it.
    #[track_caller]
    fn line(&mut self, text: &str) -> (String, bool) {
        self.has_more ^= true;
        let rest = if self.has_more { "\n,\"call_sid\":\"CA1\",1]}\"]}\n" } else { "" };
        self.frame(FrameFormat::Record, None, text, rest)
    }

    /// The same of a frame of a stream.
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
        let Redactor { shapes, made, tap, .. } = &mut self.asked.1;
        let is_short =
            shapes.as_mut().is_some_and(|shapes| shapes.recognise(&frame, made, tap).is_some());
        let _ = self.asked.1.decode_and_redact(&mut self.asked.0, frame);
        let (mut walked, mut alone) = (Vec::new(), Vec::new());
        let shown = self.redactor.decode_and_redact(&mut self.decoder, frame);
        let event = self.plain.0.decode(frame);
        let plain = self.plain.1.redact(&event);
        let fields = |shown: &RedactedEvent<'_>| {
            let field = |field: RedactedField<'_>| {
                (field.key.to_owned(), field.json.to_owned(), field.hidden)
            };
            shown.fields().map(field).collect::<Vec<_>>()
        };
        assert_eq!(fields(&shown), fields(&plain), "{text}");
        assert_eq!(shown.tap(), plain.tap(), "{text}");
        for (key, json, _) in fields(&plain) {
            assert_eq!(
                shown.field(&key).map(|field| field.json == json),
                plain.field(&key).map(|field| field.json == json)
            );
        }
        ndjson::object(&shown, &mut walked);
        ndjson::object(&plain, &mut alone);
        let [walked, alone] = [walked, alone].map(|line| String::from_utf8(line).expect("text"));
        assert_eq!(walked, alone, "{text}");
        (walked, is_short)
    }

    fn is_short(&mut self, text: &str) -> bool {
        self.line(text).1
    }
}

/// A line of these members, in this order.
fn object(event_type: &str, fields: &[(&str, String)]) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, json)| format!(",\"{name}\":{json}")).collect();
    format!("{{\"event_type\":\"{event_type}\"{}}}", fields.concat())
}

/// Every field of an event, as JSON.
fn fields(kind: Kind) -> Vec<(&'static str, String)> {
    let sample = sample(kind.spec(), &mut StdRng::seed_from_u64(3));
    kind.spec().fields.iter().map(|field| (field.name, sample[field.name].to_string())).collect()
}

/// Values of every type of JSON, those that a declaration may not expect among them.
fn values() -> impl Iterator<Item = String> {
    let odd = [
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
    odd.into_iter()
        .chain(inside)
        .map(|value| value.to_string())
        .chain(["\"call (202) 555-0123\"".to_owned()])
}

#[test]
fn what_comes_as_before_takes_the_short_way_unless_there_is_something_to_say_about_it() {
    for kind in Kind::ALL {
        let mut walk = Walk::by(Policy::default());
        let (name, fields) = (kind.spec().event_type, fields(*kind));
        assert!(!walk.is_short(&object(name, &fields)), "nothing has come before");
        let is_short = |walk: &mut Walk, fields: &[(&str, String)]| {
            let (line, is_short) = walk.line(&object(name, fields));
            let is_unstated = |(at, (_, json)): (usize, &(&str, String))| {
                kind.spec().fields[at].ty == Type::Unstated && json.starts_with(['[', '{'])
            };
            let is_inside = fields.len() == kind.spec().fields.len()
                && fields.iter().enumerate().any(is_unstated);
            assert_eq!(
                is_short,
                !line.contains("\"drift\"") && !line.contains("\"scrubbed\"") && !is_inside,
                "{line}"
            );
            is_short
        };
        let is_prose = kind.spec().fields.iter().any(|field| field.class == Class::Free);
        assert!(is_prose || is_short(&mut walk, &fields), "{name}");
        for at in 0..fields.len() {
            let mut less = fields.clone();
            less.remove(at);
            assert!(
                is_prose || is_short(&mut walk, &less) != kind.spec().fields[at].required,
                "{name} without {}",
                fields[at].0
            );
            for value in values() {
                let mut other = fields.clone();
                other[at].1 = value;
                if !is_prose || !matches!(kind.spec().fields[at].class, Class::Free) {
                    walk.line(&object(name, &other));
                }
                if !is_prose {
                    is_short(&mut walk, &other);
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
fn what_can_not_be_shown_as_it_stands_takes_the_long_way() {
    let mut walk = Walk::by(Policy::default());
    walk.line(&started(",\"caller_id\":\"+1\""));
    assert!(walk.is_short(&started(",\"caller_id\":\"+2\"")));
    for (from, to, is_short) in [
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
        assert_eq!(walk.is_short(&line), is_short, "{line}");
    }
    let ended = |steps: &str| {
        let begin = "{\"event_type\":\"call.ended\",\"call_sid\":\"CA1\",\"completion_reason\":\"completed\"";
        format!("{begin},\"direction\":\"inbound\",\"duration_seconds\":{steps}}}")
    };
    walk.line(&ended("1.5"));
    for (steps, is_short) in
        [("1.10", true), ("2", true), ("1.", false), ("01", false), ("\"1\"", false)]
    {
        assert_eq!(walk.is_short(&ended(steps)), is_short, "{steps}");
    }
    // Prose that holds nothing may go, prose that may hold something not, and what is hidden may hold what it likes.
    let escalated = |reason: &str| {
        let begin =
            "{\"event_type\":\"call.escalated\",\"call_sid\":\"CA1\",\"escalation_id\":\"e\"";
        format!("{begin},\"reason\":\"{reason}\",\"trigger\":\"caller\"}}")
    };
    walk.line(&escalated("asked for a person"));
    let said = [
        ("asked for somebody", true),
        ("call (202) 555-0123", false),
        ("call \\u0028202) 555-0123", false),
    ];
    for (reason, is_short) in said {
        assert_eq!(walk.is_short(&escalated(reason)), is_short, "{reason}");
    }
    assert!(walk.is_short(&started(",\"caller_id\":\"(202) 555-0123\"")));
    // Where all strings are searched, numbers are figures all the same.
    let mut walk = Walk::by(Policy { scrub: ScrubMode::All, ..Policy::default() });
    walk.line(&ended("1.5"));
    assert!(walk.is_short(&ended("2025550123")));
}

#[test]
fn frames_of_a_stream_take_the_short_way_too() {
    let mut walk = Walk::by(Policy::default());
    let started = |rest: &str| {
        format!("{{\"call_sid\":\"CA1\",\"direction\":\"inbound\",\"service_id\":\"s\"{rest}}}")
    };
    assert!(
        !walk.event("call.started", &started(",\"caller_id\":\"+1\"")).1,
        "nothing has come before"
    );
    for (event_type, data, is_short) in [
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
        assert_eq!(walk.event(event_type, &data).1, is_short, "{event_type} {data}");
    }
    let (name, json) = &fields(Kind::SessionEnd)[0];
    walk.event("session_end", &format!("{{\"{name}\":{json}}}"));
    let (line, is_short) = walk.event("session_end", "{}");
    assert!(
        is_short && line.starts_with("{\"event_type\":\"session_end\",\"_tap\":{\"id\":"),
        "{line}"
    );
    walk.id = "soon";
    let (line, is_short) = walk.event("call.started", &started(""));
    assert!(!is_short && line.contains("drift"), "{line}");
}

/// White space inside of a value that is shown is not passed on; in one that is hidden it goes with it.
#[test]
fn space_inside_of_a_value_counts_where_it_is_shown() {
    let mut walk = Walk::by(Policy::default());
    let line = |names: &str| {
        format!(
            "{{\"event_type\":\"surface.submitted\",\"entity_id\":\"e\",\"fields_submitted\":{names},\"surface_id\":\"s\"}}"
        )
    };
    walk.line(&line("[\"a\"]"));
    assert_eq!(
        [walk.is_short(&line("[\"a\",\"b\"]")), walk.is_short(&line("[\"a\", \"b\"]"))],
        [true, false]
    );
    let mut hiding = Policy::default();
    hiding.redact.add("fields_submitted");
    let mut walk = Walk::by(hiding);
    walk.line(&line("[\"a\"]"));
    assert!(walk.is_short(&line("[\"a\", \"b\"]")));
}

#[test]
fn orders_that_do_not_contradict_each_other_are_one() {
    let all = fields(Kind::SessionEnd);
    assert!(
        all.len() > 2 * ORDERS
            && Kind::SessionEnd.spec().fields.iter().all(|field| !field.required)
    );
    let of = |which: &[usize]| {
        object("session_end", &which.iter().map(|at| all[*at].clone()).collect::<Vec<_>>())
    };
    // More of them than are kept, if they were not put together; then all at once, which has not come yet.
    let mut walk = Walk::by(Policy::default());
    for which in [&[2][..], &[1, 2], &[2, 4], &[2, 5], &[0, 1], &[5, 6, 7]] {
        assert!(!walk.is_short(&of(which)), "{which:?}");
        assert!(walk.is_short(&of(which)), "{which:?}");
    }
    // What is new stands right behind what came before it.
    assert!(
        walk.is_short(&of(&[0, 1, 2, 5, 4]))
            && walk.is_short(&of(&[0, 4]))
            && walk.is_short(&of(&[]))
    );
    // An order that contradicts is another, and only so many are kept.
    let orders = [[1, 0, 2], [2, 1, 0], [2, 0, 1], [0, 2, 1]];
    let mut kept = 1;
    for which in orders {
        let is_known = walk.is_short(&of(&which));
        kept += usize::from(!is_known && walk.is_short(&of(&which)));
    }
    assert_eq!(kept, ORDERS);
    assert!(
        walk.is_short(&of(&orders[0])) && walk.is_short(&of(&[0, 1, 2, 5, 4])),
        "none is forgotten for another"
    );
}

#[test]
fn nobody_makes_it_learn_without_end() {
    let mut walk = Walk::by(Policy::default());
    let odd = started(",\"caller_id\":\"+1\",\"call_sid\":\"twice\"");
    for _ in 0..usize::from(super::LESSONS) - 1 {
        assert!(!walk.is_short(&odd), "{odd}");
    }
    walk.line(&started(""));
    assert!(walk.is_short(&started("")), "the last lesson counts");
    let reversed = "{\"event_type\":\"call.started\",\"service_id\":\"s\",\"direction\":\"inbound\",\"call_sid\":\"CA1\"}";
    for _ in 0..3 {
        assert!(!walk.is_short(reversed), "there was one too many");
    }
    let other = "{\"event_type\":\"text.started\",\"channel_kind\":\"sms\",\"service_id\":\"s\",\"session_id\":\"x\"}";
    walk.line(other);
    assert!(walk.is_short(other), "of another type");
}

#[test]
fn what_is_said_of_an_event_is_of_what_is_hidden_in_it() {
    let mut all = Policy::default();
    for field in Kind::SessionEnd.spec().fields {
        all.redact.add(&format!("session_end.{}", field.name));
    }
    for (policy, kind, most) in
        [(Policy::default(), Kind::SessionInfo, 2), (all, Kind::SessionEnd, 64)]
    {
        let mut walk = Walk::by(policy);
        let (name, optional) = (kind.spec().event_type, fields(kind));
        walk.line(&object(name, &optional));
        // So many that not all are remembered.
        for which in 0..200_usize {
            let is_in = |(at, _): &(usize, &(&str, String))| {
                kind.spec().fields[*at].required || which & 1 << (at % 8) != 0
            };
            let some: Vec<_> =
                optional.iter().enumerate().filter(is_in).map(|(_, field)| field.clone()).collect();
            assert!(walk.is_short(&object(name, &some)), "{some:?}");
            let shapes = walk.redactor.shapes.as_ref().expect("the policy is plain");
            let taps = &shapes.of_kind[kind as usize].shapes[0].taps;
            assert!(
                taps.len() <= most && (which < 2 || taps.len() > 1 || most == 64),
                "{}",
                taps.len()
            );
        }
    }
}

#[test]
fn a_recorded_line_takes_the_short_way_where_it_says_of_itself_what_would_be_said_now() {
    let mut walk = Walk::by(Policy::default());
    let line =
        |caller: &str, tap: &str| started(&format!(",\"caller_id\":{caller},\"_tap\":{tap}"));
    walk.line(&started(",\"caller_id\":\"+1\""));
    let pseudonym = format!("\"phi:phone:00000000:{}\"", "0".repeat(32));
    let hidden = r#"{"id":"1700000000001","stream":"workspace","redacted":["caller_id"]}"#;
    for (caller, tap, is_short) in [
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
        assert_eq!(walk.is_short(&line(caller, tap)), is_short, "{caller} {tap}");
    }
    let whole = line("\"[redacted]\"", hidden);
    assert!(
        !walk.is_short(&whole.replacen("}}", "},\"call_sid\":\"CA2\"}", 1)),
        "`_tap` comes last"
    );
}

#[test]
fn the_short_way_is_for_masks_alone_and_not_where_a_part_of_tap_is_hidden() {
    let redacts = |name: &str| {
        let mut policy = Policy::default();
        policy.redact.add(name);
        policy
    };
    let key = PseudonymKey::new(&[7; 32]).expect("long enough");
    let mode = |mode| Policy { mode, ..Policy::default() };
    for (policy, is_plain) in [
        (Policy::default(), true),
        (redacts("direction"), true),
        (redacts("workspace_id"), false),
        (redacts("call_sid"), false),
        (redacts("all"), false),
        (mode(Mode::Partial), false),
        (mode(Mode::Hash(key)), false),
        (mode(Mode::Drop), false),
    ] {
        let mut walk = Walk::by(policy.clone());
        let tap = r#"{"workspace_id":"1b4e28ba-2fa1-11d2-883f-0016d3cca427","call_sid":"CA00000000000000000000000000000001"}"#;
        walk.line(&started(""));
        assert_eq!(walk.is_short(&started("")), is_plain, "{policy:?}");
        walk.line(&started(&format!(",\"_tap\":{tap}")));
    }
}

#[test]
fn an_event_of_nothing_but_its_type_is_one() {
    let mut walk = Walk::by(Policy::default());
    for line in [
        "{\"event_type\":\"call.started\"}",
        "{\"event_type\":\"call.started\",}",
        "{\"event_type\":\"\"}",
        "{}",
    ] {
        for _ in 0..2 {
            assert!(!walk.is_short(line), "{line}");
        }
    }
    let value: Value =
        serde_json::from_str(&walk.line("{\"event_type\":\"call.started\"}").0).expect("JSON");
    assert_eq!(value["event_type"], "call.started");
}
