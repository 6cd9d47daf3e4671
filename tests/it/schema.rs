//! `evtap schema`: its text and JSON output, and that every line satisfies the JSON Schema.

use evtap::model::{Class, Kind};
use serde_json::{Value, json};

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

#[tokio::test]
async fn the_json_schema_is_valid_and_accepts_every_line() {
    let schema: Value =
        serde_json::from_str(&evtap("schema --json-schema").run().await.ended(0)).expect("JSON");
    jsonschema::meta::validate(&schema).expect("a valid schema");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let base = emulator(fast()).await;
    let mut lines = String::new();
    for options in ["", "--reveal all", "--phi drop"] {
        lines += &watch(&base, &format!("-n 400 {options}")).run().await.ended(0);
        lines += &observe(&base, options).run().await.ended(0);
    }
    lines += &evtap("replay -").stdin("{\n").run().await.ended(0);
    let refused = |line: &Value| {
        validator.iter_errors(line).map(|error| error.to_string()).collect::<Vec<_>>()
    };
    for line in events(&lines) {
        assert!(validator.is_valid(&line), "{line}: {:?}", refused(&line));
    }
    for wrong in [
        json!({"event_type": "call.end", "_tap": {}}),
        json!({"event_type": "call.ended", "_tap": {}}),
        json!({"event_type": "tool_call_started", "_tap": {}, "input": 1}),
        json!([]),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
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
