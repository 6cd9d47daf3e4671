//! `evtap schema`: its text and JSON output, and that every line satisfies the JSON Schema.

use evtap::emulator::{Fault, Options};
use evtap::model::{Class, Kind, Stream};
use serde_json::{Value, json};

use crate::canaries::events_with_canaries;
use crate::support::{emulator, events, evtap, fast, observe, watch};

#[tokio::test]
async fn json_has_every_event_and_field() {
    let model: Value =
        serde_json::from_str(&evtap("schema --json").run().await.ended(0)).expect("JSON");
    let events = model["events"].as_array().expect("events");
    assert_eq!(events.len(), Kind::ALL.len() + Kind::OWN.len());
    let keys =
        |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    for event in events {
        assert_eq!(
            keys(event),
            ["event_type", "stream", "doc", "first_seen", "documented", "fields"]
        );
        for field in event["fields"].as_array().expect("fields") {
            let expected = [
                "name",
                "class",
                "type",
                "nullable",
                "required",
                "enum",
                "max_length",
                "first_seen",
                "last_seen",
            ];
            assert_eq!(keys(field), [&expected[..], &["documented", "doc"]].concat());
        }
    }
    let platform = || events.iter().filter(|event| event["stream"] != "evtap");
    let fields = || platform().flat_map(|event| event["fields"].as_array().expect("fields"));
    let declared = || Kind::ALL.iter().flat_map(|kind| kind.spec().fields);
    assert_eq!((platform().count(), fields().count()), (Kind::ALL.len(), declared().count()));
    assert_eq!(
        fields().filter(|field| field["class"] == "phi").count(),
        declared().filter(|field| field.class == Class::Phi).count()
    );

    let one: Value = serde_json::from_str(&evtap("schema call.ended --json").run().await.ended(0))
        .expect("JSON");
    let ended = platform().find(|event| event["event_type"] == "call.ended").expect("it is there");
    assert_eq!(one, json!({"events": [ended]}));
    let reason = &one["events"][0]["fields"][1];
    assert_eq!(
        (&reason["name"], &reason["type"], &reason["class"]),
        (&"completion_reason".into(), &"enum".into(), &"open".into())
    );
    assert_eq!(reason["enum"][0], "completed");
}

/// Options that decide what is written in place of hidden values, and which values are hidden.
const POLICIES: &[&str] = &[
    "",
    "--reveal all",
    "--redact all",
    "--phi partial",
    "--phi hash",
    "--phi drop",
    "--redact all --phi partial",
    "--redact all --phi hash",
    "--redact all --phi drop",
    "--redact duration_seconds,direction --phi drop",
    "--scrub all",
];

async fn json_schema() -> Value {
    let schema = evtap("schema --json-schema").run().await.ended(0);
    serde_json::from_str(&schema).expect("JSON")
}

/// Replays the lines with each policy, and checks that the schema accepts the results.
async fn assert_accepted(lines: &str, schema: &Value) {
    let validator = jsonschema::draft202012::new(schema).expect("a schema");
    for options in POLICIES {
        let written = evtap(&format!("replay - -o ndjson {options}")).stdin(lines).run().await;
        let written = written.ended(0);
        assert!(!written.is_empty());
        for line in events(&written) {
            let errors: Vec<_> =
                validator.iter_errors(&line).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{options}: {line}: {errors:?}");
        }
    }
}

#[tokio::test]
async fn the_json_schema_accepts_every_line() {
    let schema = json_schema().await;
    jsonschema::meta::validate(&schema).expect("a valid schema");
    let base = emulator(fast()).await;
    let mut lines = watch(&base, "-n 400 --reveal all --status inline").run().await.ended(0);
    lines += &observe(&base, "--reveal all --status inline").run().await.ended(0);
    lines += "{\n{\"event_type\":\"brand.new\",\"who\":1,\"_tap\":{\"redacted\":[\"who\"]}}\n";
    lines += "{\"type\":\"emotion\",\"scores\":[null],\"language_toxicity\":{\"insult\":null}}\n";
    // Canaries are in fields of every type, so these lines are full of drift.
    for (event_type, mut payload) in
        [events_with_canaries(Stream::Workspace), events_with_canaries(Stream::Observer)].concat()
    {
        payload.insert("event_type".to_owned(), event_type.into());
        lines += &(Value::from(payload).to_string() + "\n");
    }
    assert_accepted(&lines, &schema).await;
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    for wrong in [
        json!({"event_type": "call.end"}),
        json!({"event_type": "call.ended", "_tap": {}}),
        json!({"event_type": "call.ended", "_tap": {"redacted": ["caller_id"]}}),
        json!({"event_type": "tool_call_started", "_tap": {}, "input": 1}),
        json!({"event_type": "session_info", "call_sid": "CA1", "duration_seconds": "long", "_tap": {}}),
        json!({"event_type": "brand.new", "_tap": {"redacted": "who"}}),
        json!([]),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

/// An example of each fault of the emulator.
const FAULTS: &[&str] = &[
    "status=503",
    "error=stream_error",
    "cut=3001",
    "end=3000",
    "reset=3000",
    "stall=3000",
    "drip=500",
    "cut-in=character:2000",
    "cut-in=line:2000",
    "cut-in=fields:2000",
    "cut-in=line-end:2000",
    "repeat=3",
    "strip-id=3",
    "odd-id=3",
    "unknown",
    "huge=2000000",
    "overlap+cut=9000",
    "backwards=500",
    "forget+cut=3000",
    "absent=call.ended:2",
    "last=call.ended:2",
    "slow=find_slots:2",
    "timeout=find_slots",
    "close=1011",
    "none",
];

#[tokio::test]
async fn the_json_schema_accepts_what_every_fault_leads_to() {
    let all = "".parse::<Fault>().expect_err("no fault").to_string();
    let (_, all) = all.split_once("; use ").expect("the error lists the faults");
    let all: Vec<_> = all.split([',', ';', ' ']).filter(|name| name.len() > 2).collect();
    let is_covered = |name: &str| {
        let name = name.trim_end_matches('=');
        FAULTS
            .iter()
            .flat_map(|fault| fault.split('+'))
            .any(|fault| fault.split('=').next() == Some(name))
    };
    for name in all.iter().filter(|name| !["join", "several", "with"].contains(*name)) {
        assert!(is_covered(name), "no example of the fault {name}");
    }
    let runs = FAULTS.iter().map(|fault| async move {
        let faults = vec![fault.parse().expect("a fault")];
        let base = emulator(Options { faults, ..fast() }).await;
        let options = "--reveal all --status inline --duration 8s";
        if fault.starts_with("close") {
            observe(&base, options).run().await.stdout()
        } else {
            watch(&base, &format!("-n 150 {options}")).run().await.stdout()
        }
    });
    let outputs = futures_util::future::join_all(runs).await;
    for (fault, lines) in FAULTS.iter().zip(&outputs) {
        assert!(lines.lines().count() > 5, "{fault}: too little came out to say anything");
    }
    let lines = outputs.concat();
    for sign in ["unknown_event", "missing_id", "odd_id", "repeat_dropped", "too_large", "tap.gap"]
    {
        assert!(lines.contains(sign), "{sign} did not occur");
    }
    assert_accepted(&lines, &json_schema().await).await;
}

#[tokio::test]
async fn definitions_have_the_names_of_the_rust_types() {
    let schema = json_schema().await;
    let title = |name: &str| schema["$defs"][name]["title"].as_str();
    for kind in Kind::ALL.iter().chain(Kind::OWN) {
        assert_eq!(title(kind.spec().event_type), Some(&*format!("{kind:?}")));
    }
    assert_eq!((title("_tap"), title("_unknown")), (Some("Tap"), Some("UnknownEvent")));
    let mut titles: Vec<_> = schema["$defs"].as_object().expect("an object").values().collect();
    titles.sort_by_key(|def| def["title"].to_string());
    titles.dedup_by_key(|def| def["title"].to_string());
    assert_eq!(titles.len(), Kind::ALL.len() + Kind::OWN.len() + 4, "each has its own title");
    let one = evtap("schema call.ended --json-schema").run().await.ended(0);
    let one: Value = serde_json::from_str(&one).expect("JSON");
    assert_eq!(one["$defs"]["call.ended"]["title"], "CallEnded");
}

#[tokio::test]
async fn columns_are_aligned_with_and_without_colours() {
    let plain = evtap("schema").run().await.ended(0);
    let coloured = evtap("schema --color always").run().await.ended(0);
    let colours = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a regex");
    assert_eq!(colours.replace_all(&coloured, ""), plain);
    let column = |line: &str| {
        line.starts_with("  ").then(|| line.find(|first: char| first.is_uppercase())).flatten()
    };
    let columns: std::collections::BTreeSet<_> = plain.lines().filter_map(column).collect();
    assert_eq!(columns.len(), 1, "{columns:?}");
    for kind in Kind::ALL {
        let line = format!("schema {}", kind.spec().event_type);
        let plain = evtap(&line).run().await.ended(0);
        let coloured = evtap(&format!("{line} --color always")).run().await.ended(0);
        assert_eq!(colours.replace_all(&coloured, ""), plain);
    }
}
