//! Envelopes that evtap wrote take the fast path, and any others the full path.

use super::{PathComparison, fields, object, started};
use crate::model::decode::Decoder;
use crate::model::{Frame, FrameFormat, Kind, Origin};
use crate::output::cloudevents::cloud_event;
use crate::query::EventContext;
use crate::redact::{Mode, Policy, PseudonymKey, Redactor};

const TAP: &str = r#""_tap":{"id":"1700000000001","time":"2023-11-14T22:13:20.001Z","stream":"workspace","workspace_id":"1b4e28ba-2fa1-11d2-883f-0016d3cca427""#;

/// Returns the envelope that evtap writes around a recorded line.
fn envelope(line: &str, policy: &Policy) -> String {
    let origin = Origin::default();
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
    let frame = Frame::new(FrameFormat::Record, line.as_bytes(), &origin);
    let shown = redactor.redact(&decoder.decode(frame));
    let context = EventContext::new(&shown).with_id(Some("1700000000001-0123456789abcdef-2"));
    let mut out = Vec::new();
    cloud_event(&context, &mut out);
    String::from_utf8(out).expect("text")
}

/// Returns a recorded line of an event with all of its fields.
fn line(kind: Kind) -> String {
    let line = object(kind.spec().event_type, &fields(kind));
    format!("{},{TAP}}}}}", &line[..line.len() - 1])
}

#[test]
fn what_evtap_wrote_takes_the_fast_path_if_its_data_does() {
    let key = PseudonymKey::new(&[7; 32]).expect("long enough");
    let modes = [Mode::Mask, Mode::Partial, Mode::Hash(key), Mode::Drop];
    for mode in modes {
        let policy = Policy { mode, ..Policy::default() };
        let mut paths = PathComparison::new(policy.clone());
        let mut fast = 0;
        for kind in Kind::ALL {
            let written = envelope(&line(*kind), &policy);
            let data = written.split_once(",\"data\":").expect("data").1;
            let (from_data, is_fast) = paths.line(&data[..data.len() - 1]);
            assert_eq!(paths.line(&written), (from_data, is_fast), "{written}");
            assert_eq!(paths.line(&format!("{written} \r")).1, is_fast);
            fast += usize::from(is_fast);
        }
        assert!(fast > Kind::ALL.len() / 2, "{fast} events in {:?}", policy.mode);
    }
}

#[test]
fn values_in_the_clear_are_masked_in_an_envelope_too() {
    let mut paths = PathComparison::new(Policy::default());
    let clear = started(&format!(",\"caller_id\":\"+12025550123\",{TAP}}}"));
    let mut reveals = Policy::default();
    reveals.reveal.add("caller_id");
    let written = envelope(&clear, &reveals);
    assert!(written.contains("+12025550123"));
    let (shown, is_fast) = paths.line(&written);
    assert!(is_fast && shown.contains("\"caller_id\":\"[redacted]\""), "{shown}");
}

#[test]
fn any_other_envelope_takes_the_full_path() {
    let mut paths = PathComparison::new(Policy::default());
    let written = envelope(&started(&format!(",{TAP}}}")), &Policy::default());
    assert!(paths.is_fast(&written), "{written}");
    for (from, to) in [
        ("{\"spec", "{ \"spec"),
        ("\"1.0\"", "\"1.1\""),
        (",\"source\"", ", \"source\""),
        (",\"source\":\"", ",\"extension\":\"x\",\"source\":\""),
        ("1700000000001-", "1700000000001x"),
        ("-2\",\"source", "-2\\u0030\",\"source"),
        ("/events/stream", "/events/strea\\u006d"),
        ("/v1/1b4e28ba", "/v1/Jane Roe"),
        ("\"type\":\"call.started\"", "\"type\":\"call.ended\""),
        ("\"type\":\"call.started\"", "\"type\":\"call.started\",\"type\":\"call.started\""),
        ("\"subject\":\"CA1\"", "\"subject\":\"Jane Roe\""),
        ("\"subject\":\"CA1\"", "\"subject\":\"inbound\""),
        ("\"subject\":\"CA1\"", "\"subject\":\"CA1\\\\\""),
        ("\"subject\":\"CA1\"", "\"subject\":\"C\\u00411\""),
        ("\"subject\":\"CA1\"", "\"subject\":1"),
        ("\"time\":\"2023-11", "\"time\":\"2023-99"),
        (",\"time\":\"2023", ",\"time\":\"\",\"time\":\"2023"),
        ("application/json", "application/cloudevents+json"),
        ("\"data\":{", "\"data\": {"),
        ("\"data\":{\"event_type\":\"call.started\",", "\"data\":{"),
        ("}}}", "}},\"data\":{}}"),
        ("}}}", "}},\"time\":\"2023-11-14T22:13:20.001Z\"}"),
        ("}}}", "}} }"),
        ("}}}", "}}"),
        ("}}}", "}}}}"),
        ("}}}", "}},}"),
    ] {
        let other = written.replacen(from, to, 1);
        assert_ne!(other, written, "{from}");
        assert!(!paths.is_fast(&other), "{other}");
    }
    // Neither of these two is necessary.
    let less = started("");
    let written = envelope(&less.replacen("CA1", "", 1), &Policy::default());
    assert!(!written.contains("\"subject\"") && !written.contains("\"time\""), "{written}");
    assert!(paths.is_fast(&written));
}

#[test]
fn the_envelope_counts_towards_the_limit_of_nesting() {
    let mut paths = PathComparison::new(Policy::default());
    let written = envelope(&started(&format!(",{TAP}}}")), &Policy::default());
    for depth in 120..130 {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let nested =
            written.replacen(",\"_tap\"", &format!(",\"caller_id\":{open}{close},\"_tap\""), 1);
        assert_eq!(paths.is_fast(&nested), depth <= 125, "{depth}");
    }
}
