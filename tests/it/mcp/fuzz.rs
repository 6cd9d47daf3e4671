//! Arguments that nobody would write. Each call gets an answer, and the server goes on.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::calls;
use super::session::Session;
use crate::support::evtap;

/// Texts that mean something to a tool, or that look as if they did.
const TEXTS: &[&str] = &[
    "recordings",
    "calls.ndjson",
    "call.*",
    "call.ended",
    "{a,{b,{c",
    "[",
    "**",
    ".duration_seconds > 5",
    "..",
    "def f: f; f",
    "[range(1e9)] | length",
    "\"a\" * 1e9",
    "env",
    "input",
    "$ENV.HOME",
    "@base64d",
    "error",
    "limit(3; repeat(.))",
    ". as [$a] ?// $a | $a",
    "2026-05-05",
    "1777975200000",
    "-1h",
    "2h ago",
    "99999999999999999999",
    "CA00000000000000000000000000000001",
    "CA",
    "0.0.0.0",
    "\u{202e}\u{1b}[31m",
    "\0",
    "",
];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(TEXTS).prop_map(str::to_owned),
        2 => prop::collection::vec(prop::sample::select(TEXTS), 2..5).prop_map(|all| all.concat()),
        1 => any::<String>(),
        1 => (1..2000usize).prop_map(|depth| "(".repeat(depth) + &")".repeat(depth)),
        1 => (1..2000usize).prop_map(|depth| "[".repeat(depth)),
        1 => (1..900usize).prop_map(|depth| "not|".repeat(depth) + "."),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => texts().prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        2 => (0..70i64).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((texts(), inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn tool_calls() -> impl Strategy<Value = (&'static str, Map<String, Value>)> {
    let tools = prop::sample::select(&["schema", "find", "stats", "timeline", "tail"][..]);
    let names = prop_oneof![
        12 => prop::sample::select(
            &["query", "types", "call", "since", "until", "limit", "cursor", "seconds", "type"][..]
        )
        .prop_map(str::to_owned),
        1 => texts(),
    ];
    let arguments = prop::collection::vec((names, values()), 0..4);
    (tools, arguments).prop_map(|(tool, arguments)| {
        let mut arguments: Map<_, _> = arguments.into_iter().collect();
        // The demo would be listened to for a while.
        arguments.insert("source".to_owned(), json!("recordings"));
        (tool, arguments)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_call_gets_an_answer(all in prop::collection::vec(tool_calls(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let evtap = evtap("mcp calls.ndjson").file("calls.ndjson", calls(3));
            let mut session = Session::start(evtap).await;
            for (tool, arguments) in all {
                session.call(tool, Value::Object(arguments)).await;
            }
            let found = session.call("find", json!({})).await;
            assert_eq!(found["structuredContent"]["events"].as_array().map(Vec::len), Some(6));
            session.ends_well().await;
        });
    }
}
