//! What redaction does with each value, tested through the public API: the line that it prints and
//! the findings of an audit.

mod identity;

use evtap::internals::output::ndjson;
use evtap::model::FrameFormat;
use evtap::model::decode::Decoder;
use evtap::model::{Class, Kind};
use evtap::redact::{Finding, Mode, Policy, PseudonymKey, Reason, Redactor, ScrubMode};
use evtap::text::scrub::Detector;
use evtap::text::terminal;
use serde_json::{Value, json};

use crate::decode_redact::frame;

/// Returns the line that a recorded event becomes, and the findings of an audit.
fn redact_and_audit(data: &str, policy: &Policy) -> (String, Vec<Finding>) {
    let raw = frame(FrameFormat::Record, None, data.as_bytes());
    let frame = raw.as_frame();
    let (mut decoder, mut redactor, mut out) =
        (Decoder::default(), Redactor::new(policy.clone()), Vec::new());
    ndjson::object(&redactor.redact(&decoder.decode(frame)), &mut out);
    let mut findings = Vec::new();
    let mut audited = Vec::new();
    ndjson::object(&redactor.audit(&decoder.decode(frame), &mut findings), &mut audited);
    assert_eq!(out, audited, "an audit shows the same");
    (String::from_utf8(out).expect("NDJSON is UTF-8"), findings)
}

fn redacted(data: &str, policy: &Policy) -> Value {
    serde_json::from_str(&redact_and_audit(data, policy).0).expect("a line is JSON")
}

fn findings(data: &str) -> Vec<(String, Reason)> {
    redact_and_audit(data, &Policy::default())
        .1
        .into_iter()
        .map(|finding| (finding.field.into_owned(), finding.reason))
        .collect()
}

fn mode(mode: Mode) -> Policy {
    Policy { mode, ..Policy::default() }
}

fn hash() -> Policy {
    mode(Mode::Hash(PseudonymKey::new(&[7; 32]).expect("long enough")))
}

fn modes() -> [Policy; 4] {
    [Policy::default(), mode(Mode::Partial), hash(), mode(Mode::Drop)]
}

/// Returns text in the form of a pseudonym of that domain.
fn pseudonym(domain: &str) -> String {
    format!("phi:{domain}:00000000:{}", "0".repeat(32))
}

#[test]
fn a_value_listed_as_hidden_that_is_not_a_mask_is_hidden() {
    for value in [
        "\"Jane Roe\"",
        "7",
        "[\"Jane\"]",
        "{\"a\":\"Jane\"}",
        "\"[redacted] Jane\"",
        "\"phi:phone:Jane\"",
    ] {
        for policy in modes() {
            let data = format!(
                r#"{{"event_type":"call.started","caller_id":{value},"_tap":{{"redacted":["caller_id"]}}}}"#
            );
            let line = redacted(&data, &policy);
            assert_ne!(line["caller_id"].to_string(), value, "{data}");
            assert!(!line.to_string().contains("Jane"), "{line}");
        }
    }
    // Text in the form of a pseudonym counts as one only if `_tap` lists the field.
    let data = format!(r#"{{"event_type":"call.started","caller_id":"{}"}}"#, pseudonym("phone"));
    assert_eq!(redacted(&data, &Policy::default())["caller_id"], "[redacted]");
}

#[test]
fn recorded_pseudonyms_stay_in_every_mode() {
    for count in [1, 31, 32, 33, 34, 70] {
        let names: Vec<_> = (0..count).map(|n| format!("field{n}")).collect();
        let fields: Vec<_> =
            names.iter().map(|name| format!("\"{name}\":\"{}\"", pseudonym("text"))).collect();
        let listed = json!(names);
        let data = format!(
            r#"{{"event_type":"brand.new",{},"_tap":{{"redacted":{listed}}}}}"#,
            fields.join(",")
        );
        for policy in [Policy::default(), mode(Mode::Partial), hash()] {
            let line = redacted(&data, &policy);
            for name in &names {
                assert_eq!(line[name], pseudonym("text"), "{count}: {name}");
            }
            assert_eq!(line["_tap"]["redacted"], listed, "{count}");
        }
        assert_eq!(findings(&data), [], "what is hidden is no finding");
    }
}

#[test]
fn each_hidden_field_is_listed_once() {
    for count in [1, 32, 33, 34, 35, 80] {
        let fields: Vec<_> = (0..count).map(|n| format!("\"field{n}\":{n}")).collect();
        let twice = [fields.clone(), fields.clone()].concat().join(",");
        let line =
            redacted(&format!(r#"{{"event_type":"brand.new",{twice}}}"#), &Policy::default());
        let expected: Vec<_> = (0..count).map(|n| format!("field{n}")).collect();
        assert_eq!(line["_tap"]["redacted"], json!(expected));
    }
}

#[test]
fn an_audit_reports_visible_values_and_the_reason() {
    let finding = |field: &str, reason| (field.to_owned(), reason);
    for (fields, expected) in [
        (r#""caller_id":"+12025550123""#, vec![finding("caller_id", Reason::Declared(Class::Phi))]),
        (r#""caller_id":"[redacted]""#, vec![]),
        (r#""caller_id":"[redacted ..23]""#, vec![finding("caller_id", Reason::Partial)]),
        (r#""caller_id":null"#, vec![]),
        (r#""undeclared":1"#, vec![finding("undeclared", Reason::Unknown)]),
        (r#""undeclared":{"a":1}"#, vec![finding("undeclared", Reason::Unknown)]),
        (r#""call_sid":"CA1""#, vec![]),
        (r#""call_sid":{"inner":"x"}"#, vec![finding("call_sid", Reason::Unknown)]),
    ] {
        let data = format!(r#"{{"event_type":"call.started",{fields}}}"#);
        assert_eq!(findings(&data), expected, "{fields}");
    }
    let prose =
        r#"{"event_type":"call.escalated","reason":"call (202) 555-0123 or jane@example.org"}"#;
    let expected = [Detector::Phone, Detector::Email]
        .map(|detector| finding("reason", Reason::Text(detector)));
    assert_eq!(findings(prose), expected);
    let sensitive = r#"{"event_type":"surface.delivered","short_url":"https://a.example/x"}"#;
    assert_eq!(findings(sensitive), [finding("short_url", Reason::Declared(Class::Sensitive))]);
}

#[test]
fn an_undeclared_event_type_that_could_be_a_value_is_hidden() {
    let data = r#"{"event_type":"Jane Roe"}"#;
    let hidden = redacted(data, &Policy::default());
    assert_eq!(
        (&hidden["event_type"], &hidden["_tap"]["redacted"]),
        (&json!("[redacted]"), &json!(["event_type"]))
    );
    let mut all = Policy::default();
    all.reveal.add("all");
    assert_eq!(redacted(data, &all)["event_type"], "Jane Roe");
    assert_eq!(
        redacted(r#"{"event_type":"brand.new"}"#, &Policy::default())["event_type"],
        "brand.new"
    );
}

#[test]
fn undeclared_names_that_could_be_values_are_hidden() {
    let data = r#"{"event_type":"call.started","Jane Roe":"x","J\u0061ne Roe":"y","\u006fdd":1}"#;
    let (line, _) = redact_and_audit(data, &Policy::default());
    assert!(!line.contains("ane"), "{line}");
    let mut revealed = Policy::default();
    revealed.reveal.add("Jane Roe");
    let line = redacted(data, &revealed);
    assert_eq!(line["Jane Roe"], "y", "the last of one name counts");
    // A declared field is recognised however its name is escaped.
    let line =
        redacted(r#"{"event_type":"call.started","c\u0061ller_id":"+1"}"#, &Policy::default());
    assert_eq!(
        (&line["caller_id"], &line["_tap"]["redacted"]),
        (&json!("[redacted]"), &json!(["caller_id"]))
    );
}

#[test]
fn hostile_characters_are_escaped_in_keys_and_values() {
    let mut all = Policy { scrub: ScrubMode::None, ..Policy::default() };
    all.reveal.add("all");
    let (line, _) = redact_and_audit(
        "{\"event_type\":\"call.started\",\"a\u{202e}b\":\"c\u{7f}d\u{9b}e\",\"call_sid\":\"\u{e9}\\u00e9\"}",
        &all,
    );
    assert!(line.contains(r#""a\u202eb":"c\u007fd\u009be","call_sid":"é\u00e9""#), "{line}");
    let (line, _) = redact_and_audit(
        "{\"event_type\":\"call.started\",\"call_sid\":\"a\u{7f}b\"}",
        &Policy::default(),
    );
    assert!(line.contains(r#""call_sid":"a\u007fb""#), "{line}");
    let (line, _) = redact_and_audit(
        r#"{"event_type":"call.started","call_sid":"plain" }"#,
        &Policy::default(),
    );
    assert!(line.contains(r#""call_sid":"plain""#), "{line}");
}

#[test]
fn white_space_in_values_is_removed_and_nothing_else() {
    let data = r#"{"event_type":"call.ended","durations_by_step":{"a": [ 1 , {"b" :null} ], "c":{} , "d": [ ]}}"#;
    let mut all = Policy::default();
    all.reveal.add("all");
    let (line, _) = redact_and_audit(data, &all);
    assert!(line.contains(r#""durations_by_step":{"a":[1,{"b":null}],"c":{},"d":[]}"#), "{line}");
}

#[test]
fn a_recorded_tap_is_rewritten_only_if_it_changes() {
    let unusual = r#"{ "redacted":["caller_id"], "id":"1" }"#;
    let data = |tap: &str| {
        format!(r#"{{"event_type":"call.started","caller_id":"[redacted]","_tap":{tap}}}"#)
    };
    let first = redact_and_audit(&data(unusual), &Policy::default()).0;
    assert_eq!(redact_and_audit(&first, &Policy::default()).0, first);
    let mut revealed = Policy::default();
    revealed.redact.add("call_sid");
    let line = redacted(
        r#"{"event_type":"call.started","call_sid":"CA1","_tap":{"call_sid":"CA00000000000000000000000000000001"}}"#,
        &revealed,
    );
    assert_eq!(
        (&line["call_sid"], &line["_tap"]["call_sid"]),
        (&json!("[redacted]"), &Value::Null)
    );
}

#[test]
fn redacting_an_id_hides_it_in_tap() {
    let sid = "CA00000000000000000000000000000001";
    let workspace = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
    let data = format!(
        r#"{{"event_type":"call.started","_tap":{{"workspace_id":"{workspace}","call_sid":"{sid}"}}}}"#
    );
    for (name, left) in [("call_sid", "workspace_id"), ("workspace_id", "call_sid")] {
        let mut policy = Policy::default();
        policy.redact.add(name);
        let tap = &redacted(&data, &policy)["_tap"];
        assert!(tap[name].is_null() && tap[left].is_string(), "{tap}");
    }
    assert!(redacted(&data, &Policy::default())["_tap"]["call_sid"].is_string());
}

#[test]
fn each_mode_applies_at_any_depth() {
    let data = r#"{"event_type":"call.started","caller_id":"+12025550123","undeclared":{"n":1},"call_sid":{"x":"Jane Roe","y":null}}"#;
    let masked = redacted(data, &Policy::default());
    assert_eq!(
        (&masked["caller_id"], &masked["undeclared"], &masked["call_sid"]),
        (&json!("[redacted]"), &json!("[redacted]"), &json!("[redacted]"))
    );
    let partial = redacted(data, &mode(Mode::Partial));
    assert_eq!(
        (&partial["caller_id"], &partial["undeclared"]),
        (&json!("[redacted ..23]"), &json!("[redacted]"))
    );
    let dropped = redacted(data, &mode(Mode::Drop));
    assert!(dropped.get("caller_id").is_none() && dropped.get("undeclared").is_none(), "{dropped}");
    assert_eq!(dropped["_tap"]["redacted"], json!(["caller_id", "undeclared", "call_sid"]));
    let hashed = redacted(data, &hash());
    assert!(
        hashed["caller_id"].as_str().is_some_and(|text| text.starts_with("phi:phone:")),
        "{hashed}"
    );
    assert!(
        hashed["undeclared"].as_str().is_some_and(|text| text.starts_with("phi:text:")),
        "{hashed}"
    );
}

#[test]
fn a_pseudonym_names_the_domain_of_its_value() {
    let of = |event: &str, field: &str, value: &str| {
        let data = format!(r#"{{"event_type":"{event}","{field}":{value}}}"#);
        redacted(&data, &hash())[field].as_str().expect("a pseudonym").to_owned()
    };
    let call = |value: &str| of("call.started", "caller_id", value);
    let mail = |value: &str| of("channel.email_bounced", "to_address", value);
    for (pseudonym, kind) in [
        (call("\"+12025550123\""), "phone"),
        (call("\"Anonymous\""), "phone"),
        (call("\"sip:jane@example.org\""), "address"),
        (mail("\"frontdesk\""), "address"),
        (mail("\"+1 202 555 0123\""), "phone"),
        (of("call.started", "undeclared", "\"x\""), "text"),
    ] {
        assert!(pseudonym.starts_with(&format!("phi:{kind}:")), "{pseudonym} {kind}");
    }
    assert_eq!(mail("\"FrontDesk \""), mail("\"frontdesk\""));
    assert_ne!(call("\"Anonymous\""), call("\"anonymous\""), "what is no number is taken as it is");
    // A telephone number has 7 to 15 digits after a plus, 10 digits, 11 that begin with 1, or up to
    // 15 after an international prefix.
    for (value, same) in [
        ("+1234567", true),
        ("+123456", false),
        ("+123456789012345", true),
        ("+1234567890123456", false),
        ("2025550123", true),
        ("0205550123", false),
        ("12025550123", true),
        ("22025550123", false),
        ("0012345678", true),
        ("001234567", false),
        ("00123456789012345", true),
        ("001234567890123456", false),
        ("01112345678", true),
    ] {
        // A number has the same pseudonym with and without separators.
        let spaced: String = value.chars().flat_map(|character| [character, ' ']).collect();
        assert_eq!(
            call(&format!("\"{value}\"")) == call(&format!("\"{}\"", spaced.trim())),
            same,
            "{value}"
        );
    }
    for (spelling, same) in [
        ("tel:+12025550123", true),
        ("sms:+12025550123", true),
        ("whatsapp:+12025550123", true),
        ("fax:+12025550123", false),
    ] {
        assert_eq!(
            call(&format!("\"{spelling}\"")) == call("\"+12025550123\""),
            same,
            "{spelling}"
        );
    }
    for between in ["(", ")", "-", ".", "/", "\u{a0}", "\u{2010}", "\u{2013}"] {
        assert_eq!(call(&format!("\"202{between}5550123\"")), call("\"2025550123\""), "{between}");
    }
}

/// In a record with declared members, only the undeclared one is hidden.
#[test]
fn undeclared_members_of_an_open_record_are_hidden() {
    let data = r#"{"event_type":"compound_emotion","compounds":[{"name":"joy","score":0.5,"odd":"Jane Roe","none":null}]}"#;
    let expected = |with: Value| json!([{"name": "joy", "score": 0.5, "odd": with, "none": null}]);
    let line = redacted(data, &Policy::default());
    assert_eq!(line["compounds"], expected(json!("[redacted]")));
    assert_eq!(line["_tap"]["redacted"], json!(["compounds.odd"]));
    assert_eq!(
        redacted(data, &mode(Mode::Partial))["compounds"],
        expected(json!("[redacted ..oe]"))
    );
    assert_eq!(
        redacted(data, &mode(Mode::Drop))["compounds"],
        json!([{"name": "joy", "score": 0.5, "none": null}])
    );
}

#[test]
fn free_text_is_scrubbed_by_default_and_all_strings_on_request() {
    let data = r#"{"event_type":"call.escalated","reason":"call (202) 555-0123","call_sid":"call (202) 555-0123"}"#;
    let with = |scrub| redacted(data, &Policy { scrub, ..Policy::default() });
    let (plain, masked) = (json!("call (202) 555-0123"), json!("call [phone]"));
    for (scrub, reason, call_sid) in [
        (ScrubMode::Free, &masked, &plain),
        (ScrubMode::All, &masked, &masked),
        (ScrubMode::None, &plain, &plain),
    ] {
        let line = with(scrub);
        assert_eq!((&line["reason"], &line["call_sid"]), (reason, call_sid), "{scrub:?}");
    }
    // Each field with a finding is listed once.
    let nested = r#"{"event_type":"call.escalated","reason":"202-555-0123, 202-555-0199","trigger":"ai","call_sid":"x@example.org"}"#;
    let scrubbed = |scrub| {
        redacted(nested, &Policy { scrub, ..Policy::default() })["_tap"]["scrubbed"].clone()
    };
    assert_eq!(scrubbed(ScrubMode::All), json!(["reason", "call_sid"]));
    assert_eq!(
        (scrubbed(ScrubMode::Free), scrubbed(ScrubMode::None)),
        (json!(["reason"]), Value::Null)
    );
    // A number that is not declared may identify somebody; elsewhere it is a measurement.
    let number = |field: &str, scrub| {
        let data = r#"{"event_type":"session_end","emotional_summary":{"n":2025550123},"duration_s":2025550123}"#;
        redacted(data, &Policy { scrub, ..Policy::default() }).pointer(field).cloned()
    };
    for scrub in [ScrubMode::Free, ScrubMode::None] {
        assert_eq!(number("/emotional_summary/n", scrub), Some(json!("[redacted]")));
    }
    assert_eq!(number("/duration_s", ScrubMode::All), Some(json!(2_025_550_123_u64)));
    // A value that is rewritten only to escape characters is not scrubbed.
    let hostile =
        "{\"event_type\":\"call.escalated\",\"call_sid\":\"\u{202e}call (202) 555-0123\"}";
    assert_eq!(redacted(hostile, &Policy::default())["call_sid"], "\u{202e}call (202) 555-0123");
    assert_eq!(
        redacted(hostile, &Policy { scrub: ScrubMode::All, ..Policy::default() })["call_sid"],
        "\u{202e}call [phone]"
    );
    let mut revealed = Policy { scrub: ScrubMode::All, ..Policy::default() };
    revealed.reveal.add("reason");
    let nested = r#"{"event_type":"call.escalated","reason":{"call (202) 555-0123":"x"}}"#;
    assert!(!redact_and_audit(nested, &Policy::default()).0.contains("555"));
    assert!(redact_and_audit(nested, &revealed).0.contains("555"), "it was asked for");
}

#[test]
fn fields_can_be_selected_in_one_event_in_all_or_all_together() {
    let data = r#"{"event_type":"call.started","caller_id":"+1","direction":"inbound"}"#;
    for (reveal, redact, caller, direction) in [
        ("", "", false, true),
        ("caller_id", "", true, true),
        ("call.started.caller_id", "", true, true),
        ("call.ended.caller_id", "", false, true),
        ("call.started.direction", "", false, true),
        ("all", "", true, true),
        ("all", "direction", true, false),
        ("all", "call.started.direction", true, false),
        ("all", "call.ended.direction", true, true),
        ("", "all", false, false),
    ] {
        let mut policy = Policy::default();
        for (names, name) in [(&mut policy.reveal, reveal), (&mut policy.redact, redact)] {
            if !name.is_empty() {
                names.add(name);
            }
        }
        let line = redacted(data, &policy);
        assert_eq!(
            (line["caller_id"] == "+1", line["direction"] == "inbound"),
            (caller, direction),
            "{reveal} {redact}"
        );
        let spec = Kind::CallStarted.spec();
        let hides = |name: &str| {
            policy
                .hides(spec, spec.fields.iter().find(|field| field.name == name).expect("declared"))
        };
        assert_eq!(
            (hides("caller_id"), hides("direction")),
            (!caller, !direction),
            "{reveal} {redact}"
        );
    }
}

#[test]
fn the_last_field_of_a_name_wins_and_escaped_names_are_decoded() {
    let data = br#"{"event_type":"call.started","c\u0061ll_sid":"a","call_sid":"b"}"#;
    let raw = frame(FrameFormat::Record, None, data);
    let frame = raw.as_frame();
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let event = decoder.decode(frame);
    let redacted = redactor.redact(&event);
    assert_eq!(redacted.field("call_sid").map(|field| field.json), Some("\"b\""));
    assert!(redacted.fields().all(|field| field.name() == "call_sid"));
    assert!(redacted.field("caller_id").is_none());
    assert_eq!(redacted.kind(), Some(Kind::CallStarted));
    let mut tap = Vec::new();
    redacted.write_tap(&mut tap);
    assert_eq!(redacted.tap_json().as_bytes(), tap);
}

#[test]
fn hostile_text_is_escaped_and_line_ends_are_readable() {
    assert_eq!(terminal::visible("a\nb\rc\td"), "a\\nb\\rc\\td");
    assert_eq!(terminal::visible("a\u{1b}b"), "a\\u{1b}b");
    assert!(matches!(terminal::visible("plain é"), std::borrow::Cow::Borrowed("plain é")));
    let mut json = String::new();
    terminal::push_json("a\u{e0041}\u{7f}é", &mut json);
    assert_eq!(json, "a\\udb40\\udc41\\u007fé");
    assert!(terminal::has_hostile("a\u{200b}") && !terminal::has_hostile("a b"));
}
