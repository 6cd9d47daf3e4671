//! Output formats as other programs read them: a JSON array, CloudEvents, CSV and TSV; and the
//! times in lines for people.

use std::collections::HashSet;

use evtap::internals::output::FORMATS;
use serde_json::{Value, json};

use crate::support::{emulator, events, evtap, fast, observe, tools, types, watch};

/// Returns a recording of every event of the emulator, unusual events and an invalid line.
async fn recording(options: &str) -> String {
    let base = emulator(fast()).await;
    watch(&base, &format!("-n 400 {options}")).run().await.ended(0)
        + &observe(&base, options).run().await.ended(0)
        + &evtap(&format!("replay - {options}")).stdin(BARE).run().await.ended(0)
}

const BARE: &str = concat!(
    "{\"event_type\":\"call.ended\",\"call_sid\":\"CA1\",\"big\":12345678901234567890123,\"duration_seconds\":1.10,\"a\\u0000b\":[{}, []]}\n",
    "{\"event_type\":\"Jane\\u0007 \\ufffe\\u202eRoe\",\"call_sid\":\"C\\u001b\"}\n",
    "{\"event_type\":\n",
);

async fn replayed(options: &str, input: &str) -> String {
    evtap(&format!("replay - {options}")).stdin(input).run().await.ended(0)
}

#[test]
fn every_format_is_documented() {
    let page = include_str!("../../docs/output.md");
    let table = page.split("\n\n").find(|block| block.starts_with("| format")).expect("a table");
    for format in FORMATS {
        assert!(
            table.contains(&format!("`{}`", format.usage())),
            "docs/output.md: {}",
            format.name
        );
    }
}

#[tokio::test]
async fn json_output_is_an_array_indented_as_by_jq() {
    let lines = recording("").await;
    let array = replayed("-o json", &lines).await;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&array).expect("one array"), events(&lines));
    // `serde_json` writes some numbers and escapes differently, so those lines are left out.
    let is_plain = |line: &&str| {
        serde_json::from_str(line)
            .map(|value: Value| value.to_string())
            .is_ok_and(|text| text == **line)
    };
    let plain: Vec<_> = lines.lines().filter(is_plain).map(|line| [line, "\n"].concat()).collect();
    let plain = plain.concat();
    assert!(plain.lines().count() > 400);
    assert_eq!(replayed("-o json", &plain).await, indented(&plain), "it is as jq would have it");
    let chosen = replayed("-o json -n 1 --fields event_type,_tap.drift,caller_id", &lines).await;
    assert_eq!(
        chosen,
        "[\n  {\n    \"event_type\": \"call.started\",\n    \"caller_id\": \"[redacted]\"\n  }\n]\n"
    );
    assert!(
        replayed("-o json --reveal all", BARE)
            .await
            .contains("\"big\": 12345678901234567890123,\n    \"duration_seconds\": 1.10,")
    );
    assert_eq!(replayed("-o json", "").await, "[]\n");
    assert_eq!(replayed("-o json -n 0", BARE).await, "[]\n");
    let coloured =
        replayed("-o json --color always", "{\"event_type\":\"call.started\",\"caller_id\":\"x\"}")
            .await;
    assert!(coloured.contains("\u{1b}[35m\"[redacted]\"\u{1b}[0m"), "{coloured}");
}

/// Formats lines as an indented JSON array by `serde_json`, for comparison.
fn indented(lines: &str) -> String {
    let pretty =
        |value: &Value| serde_json::to_string_pretty(value).expect("JSON").replace('\n', "\n  ");
    let texts: Vec<_> = events(lines).iter().map(pretty).collect();
    format!("[\n  {}\n]\n", texts.join(",\n  "))
}

#[tokio::test]
async fn a_json_array_is_closed_whatever_ends_the_run() {
    let base = emulator(fast()).await;
    for (options, status) in
        [("-n 3", 0), ("--until true --no-check", 0), ("--fail-if true --no-check", 7)]
    {
        let array = watch(&base, &format!("-o json {options}")).run().await.ended(status);
        assert!(!serde_json::from_str::<Vec<Value>>(&array).expect("one array").is_empty());
    }
    for (signal, status) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let mut run = watch(&base, "-o json").start();
        let first = run.line().await;
        assert_eq!(first, "[\n");
        run.signal(signal);
        let rest = run.end().await.ended(status);
        assert!(
            !serde_json::from_str::<Vec<Value>>(&(first + &rest)).expect("one array").is_empty()
        );
    }
}

/// Returns a schema of CloudEvents 1.0.2 in the JSON format: required attributes, names of
/// lower-case letters and digits, scalar values, strings without control characters.
fn cloudevents() -> jsonschema::Validator {
    let text = json!({"type": "string", "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\ufdd0-\\ufdef\\ufffe\\uffff]+$"});
    let schema = json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text, "source": text, "type": text, "subject": text, "datacontenttype": {"const": "application/json"},
            "time": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$"},
            "data": {"type": "object", "required": ["event_type", "_tap"]},
        },
        "patternProperties": {"^[a-z0-9]+$": {}},
        "additionalProperties": false,
        "not": {"required": ["data", "data_base64"]},
    });
    jsonschema::draft202012::new(&schema).expect("a schema")
}

#[tokio::test]
async fn cloudevents_are_valid_and_replay_to_the_same_bytes() {
    let schema = cloudevents();
    for options in ["", "--reveal all", "--phi hash --redact call_sid"] {
        let lines = recording(options).await;
        let lines = if options == "--reveal all" { replayed(options, &lines).await } else { lines };
        let keep = if options == "--reveal all" { options } else { "" };
        let wrapped = replayed(&format!("-o cloudevents {keep}"), &lines).await;
        let mut ids = HashSet::new();
        for (event, line) in events(&wrapped).iter().zip(lines.lines()) {
            assert!(schema.is_valid(event), "{event}");
            reqwest::Url::parse("http://x")
                .expect("a URL")
                .join(event["source"].as_str().expect("text"))
                .expect("a reference");
            assert!(
                ids.insert(event["id"].to_string() + &event["source"].to_string()),
                "an id twice: {event}"
            );
            let data: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(event["data"], data);
            let sid = data["call_sid"]
                .as_str()
                .filter(|_| !line.contains("[\"call_sid\""))
                .or(data["_tap"]["call_sid"].as_str());
            assert!(
                sid.is_none_or(|sid| sid.contains('\u{1b}') || event["subject"] == sid),
                "{event}"
            );
        }
        assert_eq!(events(&wrapped).len(), lines.lines().count());
        assert_eq!(replayed(keep, &wrapped).await, lines, "{options}");
        assert_eq!(
            replayed(&format!("-o cloudevents {keep}"), &wrapped).await,
            wrapped,
            "{options}"
        );
    }
}

#[tokio::test]
async fn cloudevent_ids_are_unique_and_stable() {
    let event = |call: &str, caller: &str| {
        format!(
            "id: 1700000000001\nevent: call.started\ndata: {{\"call_sid\":\"{call}\",\"caller_id\":\"{caller}\"}}\n\n"
        )
    };
    let stream = event("CA1", "+13035550161")
        + &event("CA2", "+13035550161")
        + &event("CA1", "+13035550162")
        + &event("CA1", "x");
    let ids = |text: &str| {
        events(text)
            .iter()
            .map(|event| event["id"].as_str().expect("an id").to_owned())
            .collect::<Vec<_>>()
    };
    let first = ids(&replayed("-o cloudevents", &stream).await);
    assert_eq!(first.iter().collect::<HashSet<_>>().len(), 4);
    assert_eq!(
        (first[2].clone(), first[3].clone()),
        (first[0].clone() + "-2", first[0].clone() + "-3")
    );
    assert_eq!(
        ids(&replayed("-o cloudevents --reveal all", &stream).await),
        first,
        "whatever is shown"
    );
}

#[tokio::test]
async fn cloudevents_of_other_programs_are_decoded() {
    let event = json!({"id": "a", "source": "https://clinic.example", "specversion": "1.0", "type": "call.started",
        "time": "2026-05-05T12:00:00+02:00", "data": {"call_sid": "CA1", "caller_id": "+1 303 555 0161", "direction": "inbound", "service_id": "s"}});
    let expected = r#"{"event_type":"call.started","call_sid":"CA1","caller_id":"[redacted]","direction":"inbound","service_id":"s","_tap":{"time":"2026-05-05T10:00:00.000Z","stream":"workspace","redacted":["caller_id"]}}"#;
    assert_eq!(replayed("", &format!("{event}\n")).await, format!("{expected}\n"));
    let mut extended = event.clone();
    extended["patient"] = json!("Jane Canary");
    let line = replayed("--reveal all", &format!("{extended}\n")).await;
    assert!(!line.contains("Canary"), "{line}");
    assert_eq!(
        events(&line)[0]["_tap"]["drift"],
        json!([{"kind": "unknown_field", "field": "cloudevent.patient"}])
    );
    // Without an object in `data` it is not an envelope: every member is there, and hidden.
    for data in [json!("Jane Canary"), json!(null)] {
        let mut odd = event.clone();
        odd["data"] = data;
        let line = replayed("", &format!("{odd}\n")).await;
        assert_eq!(types(&line), ["call.started"]);
        assert!(
            events(&line)[0]["_tap"]["redacted"].as_array().expect("names").len() > 2
                && !line.contains("Canary"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn audit_checks_the_attributes_of_cloudevents() {
    let lines = recording("--scrub all").await;
    let own = replayed("-o cloudevents", &lines).await;
    let ran = evtap("audit -").stdin(own.clone()).run().await;
    let report = ran.stdout();
    assert!(!report.contains("cloudevent"), "{report}");
    let first = own.lines().next().expect("a line");
    for (from, to, what) in [
        ("\"id\":\"", "\"id\":\"Jane Canary ", "cloudevent.id"),
        ("\"source\":\"", "\"source\":\"/Jane/Canary", "cloudevent.source"),
        ("\"subject\":\"", "\"subject\":\"Jane Canary ", "cloudevent.subject"),
        ("\"type\":\"", "\"type\":\"Jane Canary ", "cloudevent.type"),
        ("\"time\":\"", "\"time\":\"Jane Canary ", "cloudevent.time"),
        (
            "\"datacontenttype\":",
            "\"patient\":\"Jane Canary\",\"datacontenttype\":",
            "cloudevent.patient",
        ),
        ("\"datacontenttype\":", "\"Jane Canary\":1,\"datacontenttype\":", "cloudevent.[redacted]"),
    ] {
        let forged = first.replacen(from, to, 1);
        assert_ne!(forged, first);
        let found = evtap("audit -").stdin(forged.clone()).run().await.ended(7);
        assert!(found.contains(what) && !found.contains("Canary"), "{found}");
        assert!(!replayed("--reveal all", &forged).await.contains("Canary"));
    }
}

/// RFC 4180, section 2: lines end in CRLF, all rows have the same number of cells, and cells that
/// need it are quoted, with quotes doubled.
#[tokio::test]
async fn csv_follows_rfc_4180() {
    let table = replayed("-o csv --reveal all", &recording("--reveal all").await).await;
    assert_eq!(table.matches('\n').count(), table.matches("\r\n").count());
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(table.as_bytes());
    let rows: Vec<_> = reader.records().map(|row| row.expect("as many cells as names")).collect();
    assert!(
        rows.len() > 400 && rows.iter().all(|row| serde_json::from_str::<Value>(&row[6]).is_ok())
    );
    let quoted = replayed(
        "-o csv --fields reason",
        "{\"event_type\":\"call.escalated\",\"reason\":\"a \\\"b\\\", c\"}",
    )
    .await;
    assert_eq!(quoted, "reason\r\n\"a \"\"b\"\", c\"\r\n");
}

const TIMES: &str = concat!(
    "{\"event_type\":\"call.ended\",\"_tap\":{\"time\":\"2026-05-05T22:00:00.000Z\"}}\n",
    "{\"event_type\":\"call.ended\",\"_tap\":{\"time\":\"2026-05-05T22:00:01.250Z\"}}\n",
    "{\"event_type\":\"call.ended\"}\n",
    "{\"event_type\":\"call.ended\",\"_tap\":{\"received_at\":\"2026-05-05T23:30:01.000Z\"}}\n",
    "{\"event_type\":\"call.ended\",\"_tap\":{\"time\":\"2026-05-05T23:30:00.500Z\"}}\n",
);

#[tokio::test]
async fn timestamps_follow_the_options() {
    if !tools::time_zones() {
        return;
    }
    let no_time = "            ";
    for (options, expected) in [
        ("", ["22:00:00.000", "22:00:01.250", no_time, "23:30:01.000", "23:30:00.500"]),
        (
            "--timestamps utc",
            ["22:00:00.000", "22:00:01.250", no_time, "23:30:01.000", "23:30:00.500"],
        ),
        (
            "--tz Asia/Kolkata",
            ["03:30:00.000", "03:30:01.250", no_time, "05:00:01.000", "05:00:00.500"],
        ),
        (
            "--timestamps relative",
            ["+0:00:00.000", "+0:00:01.250", no_time, "+1:30:01.000", "+1:30:00.500"],
        ),
        (
            "--timestamps delta",
            ["      +0.000", "      +1.250", no_time, "   +5399.750", "      -0.500"],
        ),
        ("--timestamps none", [""; 5]),
    ] {
        let text = replayed(&format!("-o pretty --color never {options}"), TIMES).await;
        let shown: Vec<_> =
            text.lines().map(|line| line.split("call.ended").next().expect("a time")).collect();
        let marked = |time: &str| format!("{time} ");
        let is_marked =
            |shown: &str, time: &str| shown == marked(time) || shown == format!("{time}~");
        assert!(
            shown.iter().zip(expected).all(|(shown, time)| is_marked(shown, time)),
            "{options}: {shown:?}"
        );
    }
    let ran = evtap("replay - --timestamps delta").stdin(TIMES).run().await;
    assert!(
        ran.ended(0).lines().count() == 5 && ran.stderr().contains("--timestamps has no effect"),
        "{}",
        ran.stderr()
    );
    for (options, what) in [
        ("--tz Europe/Berln", "did you mean Europe/Berlin?"),
        ("--tz UTC --timestamps delta", "shows no time of day"),
    ] {
        let ran = evtap(&format!("replay - -o pretty {options}")).run().await;
        assert!(ran.status() == 2 && ran.stderr().contains(what), "{}", ran.stderr());
    }
}

#[tokio::test]
async fn an_event_on_which_a_template_fails_does_not_end_the_run() {
    let events = format!(
        "{{\"event_type\":\"call.escalated\",\"reason\":\"{}\"}}\n{{\"event_type\":\"call.escalated\",\"reason\":\"ok\"}}\n",
        "x".repeat(200_000)
    );
    let ran = evtap("replay - -o")
        .arg("template={% for letter in reason %}{{ letter }}{% endfor %}")
        .stdin(events)
        .run()
        .await;
    assert_eq!(ran.ended(0), "ok\n");
    assert!(ran.stderr().contains("the template fails on call.escalated"), "{}", ran.stderr());
    let ran = evtap("replay - -o").arg("template={call_sid}").run().await;
    ran.ended(2);
    assert!(ran.stderr().contains("it has no variable"), "{}", ran.stderr());
}
