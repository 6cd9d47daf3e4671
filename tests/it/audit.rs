//! `evtap audit` and `evtap schema --phi`: both list what is hidden, and neither prints a value.

use evtap::model::{Class, Kind};
use serde_json::{Value, json};

use crate::support::{Evtap, emulator, evtap, fast, observe, watch};

fn audit(options: &str, text: &str) -> Evtap {
    evtap(&format!("audit {options}")).file("x.ndjson", text)
}

#[tokio::test]
async fn output_of_evtap_is_clean_unless_something_was_revealed() {
    let base = emulator(fast()).await;
    // Bounced e-mail names the clinic's own address, which only `--scrub all` hides.
    for options in ["--scrub all", "--scrub all --phi hash", "--scrub all --phi drop"] {
        let lines = watch(&base, &format!("-n 400 {options}")).run().await.ended(0)
            + &observe(&base, options).run().await.ended(0)
            + &evtap("replay -").stdin("{\"event_type\":\"call.ended\"\n").run().await.ended(1);
        let ran = audit("x.ndjson", &lines).run().await;
        assert!(ran.ended(0).starts_with("nothing found in "), "{options}");
    }
    for (options, what) in [
        ("--reveal all", "phi, in the clear"),
        ("--phi partial", "two characters are shown"),
        ("--scrub none", "looks like: "),
    ] {
        let lines = watch(&base, &format!("-n 600 {options}")).run().await.ended(0);
        assert!(audit("x.ndjson", &lines).run().await.ended(7).contains(what), "{options}");
    }
}

#[tokio::test]
async fn reports_every_hidden_field_with_its_line_and_without_its_value() {
    let fields: Vec<_> = Kind::ALL
        .iter()
        .flat_map(|kind| kind.spec().fields.iter().map(|field| (kind.spec().event_type, field)))
        .filter(|(_, field)| field.class.is_hidden())
        .collect();
    let lines: String = fields
        .iter()
        .map(|(event, field)| {
            json!({"event_type": event, field.name: "Jane Canary"}).to_string() + "\n\n"
        })
        .collect();
    for options in ["x.ndjson", "x.ndjson -o json"] {
        assert!(!audit(options, &lines).run().await.ended(7).contains("Canary"));
    }
    let report: Value =
        serde_json::from_str(&audit("x.ndjson -o json", &lines).run().await.ended(7))
            .expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(
        (report["events"].as_u64(), findings.len()),
        (Some(fields.len() as u64), fields.len())
    );
    for (index, (event, field)) in fields.iter().enumerate() {
        let expected = json!({"reason": field.class.name(), "event_type": event, "field": field.name, "count": 1,
            "places": [{"file": "x.ndjson", "event": index + 1, "line": 2 * index + 1}]});
        assert!(findings.contains(&expected), "{expected}");
    }
}

#[tokio::test]
async fn reports_unknown_fields_identifiers_and_invalid_lines() {
    let lines = concat!(
        "{\"event_type\":\"call.escalated\",\"reason\":\"call 202-555-0123, or 202-555-0199\"}\n",
        "{\"type\":\"emotion\",\"scores\":[{\"name\":\"joy\",\"score\":1,\"who\":\"Jane\"}],\"mood\":\"Jane\"}\n",
        "{\"event_type\":\"call.ended\",\"_tap\":{\"note\":\"Jane\"}}\n",
        "{\"text\":\"jane@example.org\"}\n",
        "no JSON, born on May 3, 1980\n",
        "{\"event_type\":\"Jane Roe\"}\n",
        "{\"event_type\":\"call.started\",\"caller_id\":\"[redacted]\"}\n",
        "{\"event_type\":\"call.ended\",\"call_sid\":\"CA5f0c8d1f1d2e4b7a9c3d5e7f90123456\",\"duration_seconds\":2025550123}\n",
    );
    let report = audit("x.ndjson -o json", lines).run().await.ended(7);
    assert!(
        !report.contains("Jane") && !report.contains("555") && !report.contains("1980"),
        "{report}"
    );
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let found: Vec<_> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().expect("text");
            format!(
                "{} {} {} {} at {}",
                finding["count"],
                text("reason"),
                text("event_type"),
                text("field"),
                finding["places"][0]["line"]
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "1 unknown [redacted] event_type at 6",
            "1 unknown call.ended _tap at 3",
            "1 unknown emotion mood at 2",
            "1 unknown emotion scores.who at 2",
            "1 email tap.malformed  at 4",
            "2 phone call.escalated reason at 1",
            "1 date tap.malformed  at 5",
            "2 no_event tap.malformed  at 4",
        ]
    );
    let text = audit("x.ndjson", lines).run().await.ended(7);
    assert!(
        text.starts_with("10 findings in 8 events\n")
            && text.contains("call.escalated.reason  looks like: phone"),
        "{text}"
    );
}

#[tokio::test]
async fn reports_members_that_are_not_passed_on() {
    for (name, line) in [
        ("event_type", r#"{"type":"emotion","event_type":{"patient":"Jane Canary"}}"#),
        (
            "event_type",
            r#"{"type":"emotion","event_type":["Jane Canary"],"_tap":{"stream":"observer"}}"#,
        ),
        ("event_type", r#"{"type":"emotion","data":{"event_type":"Jane Canary"}}"#),
        ("type", r#"{"type":"emotion","data":{"type":"Jane Canary"}}"#),
        (
            "_tap",
            r#"{"event_type":"emotion","_tap":{"note":"Jane Canary"},"_tap":{"stream":"observer"}}"#,
        ),
    ] {
        let found = audit("x.ndjson", line).run().await.ended(7);
        assert!(found.contains(name) && !found.contains("Canary"), "{line}: {found}");
        let line = evtap("replay -").stdin(line).run().await.ended(0);
        let drift = format!(r#"{{"kind":"unknown_field","field":"{name}"}}"#);
        assert!(line.contains(&drift) && !line.contains("Canary"), "{line}: {line}");
        assert_eq!(
            evtap("replay -").stdin(line.clone()).run().await.ended(0),
            line,
            "a replay says the same"
        );
    }
}

#[tokio::test]
async fn reads_captures_stdin_and_empty_files_and_fails_on_missing_ones() {
    let capture = "retry: 1\n\nid: 1\nevent: call.started\ndata: {\"caller_id\":\"Jane\"}\n\n";
    assert!(audit("-", "").stdin(capture).run().await.ended(7).contains("- event 1\n"));
    assert_eq!(audit("none", "").run().await.ended(1), "");
    assert!(audit("x.ndjson", "").run().await.ended(0).starts_with("nothing found in 0 events"));
}

#[tokio::test]
async fn schema_lists_what_is_hidden_and_why() {
    let text = evtap("schema --phi").run().await.ended(0);
    let json: Value =
        serde_json::from_str(&evtap("schema --phi --json").run().await.ended(0)).expect("JSON");
    let listed = json["fields"].as_array().expect("fields");
    let mut count = 0;
    for spec in Kind::ALL.iter().chain(Kind::OWN).map(|kind| kind.spec()) {
        for field in spec.fields.iter().filter(|field| field.class != Class::Open) {
            count += 1;
            assert!(
                text.contains(&format!("  {}.{} ", spec.event_type, field.name)),
                "{}",
                field.name
            );
            let entry = listed.iter().find(|entry| {
                entry["event_type"] == spec.event_type && entry["field"] == field.name
            });
            assert_eq!(entry.expect("it is listed")["class"], field.class.name());
        }
    }
    assert_eq!(listed.len(), count);
    insta::assert_snapshot!(evtap("schema --phi").run().await.ended(0));
}

#[tokio::test]
async fn a_default_recording_passes_once_the_workspaces_own_address_is_allowed() {
    let base = emulator(fast()).await;
    let lines =
        watch(&base, "-n 900").run().await.ended(0) + &observe(&base, "").run().await.ended(0);
    let report = audit("x.ndjson", &lines).run().await;
    let text = report.ended(7);
    assert!(
        text.lines()
            .filter(|line| line.contains("looks like"))
            .all(|line| { line.contains(".from_address") && line.contains("looks like: email") })
    );
    assert!(text.contains("--allow FIELD"), "{text}");
    audit("--allow from_address x.ndjson", &lines).run().await.ended(0);
    audit("x.ndjson", &lines).config("allow = [\"from_address\"]\n").run().await.ended(0);
    let one = audit("--allow channel.email_delivered.from_address x.ndjson", &lines).run().await;
    let text = one.ended(7);
    assert!(!text.contains("channel.email_delivered.from_address"), "{text}");
    assert!(text.contains("channel.email_bounced.from_address"), "{text}");
}

#[tokio::test]
async fn only_text_in_an_open_field_can_be_allowed() {
    for (name, why) in [
        ("from_adress", "did you mean from_address?"),
        ("all", "a field must be named"),
        ("caller_id", "the field is hidden by its class"),
    ] {
        let ran = audit(&format!("--allow {name} x.ndjson"), "{}\n").run().await;
        assert!(ran.status() == 2 && ran.stderr().contains(why), "{name}");
    }
    // The recipient is hidden, so that the name allows only what is open.
    let event = json!({
        "event_type": "channel.email_delivered",
        "from_address": "desk@example.org",
        "to_address": "jane@example.org",
    });
    let text = audit("--allow from_address x.ndjson", &event.to_string()).run().await.ended(7);
    assert!(text.starts_with("1 finding in 1 event\n"), "{text}");
}

#[tokio::test]
async fn no_detector_searches_the_ids_of_systems() {
    let event = |id: &str| {
        json!({"event_type": "review.submitted", "entity_id": id, "session_id": id}).to_string()
            + "\n"
    };
    let ids = ["41111111-1111-4111-8111-111111111111", "CA30355501614111111111111111111111"];
    for id in ids {
        let ran = audit("x.ndjson", &event(id)).run().await;
        let report = ran.stdout();
        assert!(!report.contains("looks like"), "{report}");
    }
    let report = audit("x.ndjson", &event("call 303-555-0161")).run().await.ended(7);
    assert_eq!(report.matches("  not declared  ").count(), 2, "neither is a UUID: {report}");
    let text = json!({"event_type": "call.started", "call_sid": "call 303-555-0161"}).to_string();
    let report = audit("x.ndjson", &text).run().await.ended(7);
    assert!(report.contains("looks like: phone"), "{report}");
}

/// Returns a number in letters, because names with digits are hidden.
fn letters(number: usize) -> String {
    format!("{number:05}").bytes().map(|digit| char::from(digit + b'a' - b'0')).collect()
}

#[tokio::test]
async fn more_fields_than_fit_are_counted_together() {
    let lines = (0..60).map(|line| {
        let fields: Vec<_> =
            (0..500).map(|field| format!("\"{}\":1", letters(line * 500 + field))).collect();
        ["{\"event_type\":\"call.started\",", &fields.join(","), "}\n"].concat()
    });
    let lines: String = lines.collect();
    let out = evtap("audit - -o json").stdin(lines.clone()).run().await.ended(7);
    let report: Value = serde_json::from_str(&out).expect("an object");
    let findings = report["findings"].as_array().expect("findings");
    let count = |finding: &Value| finding["count"].as_u64().unwrap_or_default();
    assert_eq!(findings.iter().map(count).sum::<u64>(), 30_000, "none is forgotten");
    let (named, others): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| finding["field"].is_string());
    assert!(named.len() > 1000 && others.len() == 1 && others[0]["event_type"].is_null());
    let text = evtap("audit -").stdin(lines).run().await.ended(7);
    assert!(text.contains("(other fields)"));
}

#[tokio::test]
async fn the_report_is_the_same_for_any_number_of_threads() {
    let line = |number: usize| {
        match number % 9 {
        0 => "\r\n".to_owned(),
        1 => "not JSON, call 202-555-0123\n".to_owned(),
        2 => format!("{{\"event_type\":\"x.{}\",\"a\":1}}\n", number % 41),
        3 => "{\"event_type\":\"call.started\",\"caller_id\":\"+12025550123\"}\n".to_owned(),
        4 => "{\"event_type\":\"call.escalated\",\"reason\":\"on May 3, 1980\"}\r\n".to_owned(),
        5 => "{\"event_type\":\"tap.malformed\",\"offset\":1,\"length\":2,\"category\":\"not_json\"}\n"
            .to_owned(),
        _ => "{\"event_type\":\"call.ended\",\"call_sid\":\"CA1\",\"direction\":\"inbound\"}\n".to_owned(),
    }
    };
    let short: String = (0..60_000).map(line).collect();
    // More fields than the report has room for.
    let many = |number| format!("{{\"event_type\":\"call.started\",\"{}\":1}}\n", letters(number));
    let many: String = (0..40_000).map(many).collect();
    for format in ["text", "json"] {
        let mut reports = Vec::new();
        for threads in [1, 2, 8] {
            let command =
                format!("audit a.ndjson b.ndjson a.ndjson -o {format} --threads {threads}");
            let run = evtap(&command).file("a.ndjson", &short).file("b.ndjson", &many).run();
            reports.push(run.await.ended(7));
        }
        assert!(reports[0].contains(if format == "text" {
            "(other fields)"
        } else {
            "\"event_type\":null"
        }));
        assert!(reports.iter().all(|report| *report == reports[0]), "{format}");
    }
}
