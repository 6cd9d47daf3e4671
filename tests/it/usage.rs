//! Mistakes on the command line: what evtap says about them, and what it accepts anyway.

use crate::support::{emulator, evtap, fast, types, watch};

/// A recording of the events of one call, and of another.
const TWO_CALLS: &str = concat!(
    r#"{"event_type":"call.started","call_sid":"CA11111111111111111111111111111111"}"#,
    "\n",
    r#"{"event_type":"call.started","call_sid":"CA22222222222222222222222222222222"}"#,
    "\n",
);

#[tokio::test]
async fn mistakes_in_an_expression_have_a_hint() {
    for (expression, hint) in [
        (r#"event_type == "call.started""#, "did you mean .event_type? a field starts with a dot"),
        ("call_sid", "did you mean .call_sid? a field starts with a dot"),
        (".event_type == call.started", "did you mean \"call.started\"? a text needs quotes"),
        (".direction == inbound", "did you mean \"inbound\"? a text needs quotes"),
    ] {
        let ran = evtap("replay -").arg("-f").arg(expression).run().await;
        ran.ended(2);
        assert!(ran.stderr().contains(hint), "{expression}: {}", ran.stderr());
    }
}

#[tokio::test]
async fn mistaken_names_have_a_hint() {
    for (line, hint) in [
        ("watch demo", "did you mean --workspace demo?"),
        ("watch -w demo -e call.started,call.ended", "or write {call.started,call.ended}"),
        ("schema caller_id", "it is a field of call.started"),
        ("schema call", "`evtap schema 'call.*'` lists a family of events"),
        ("schema call.endet", "did you mean call.ended?"),
        ("watch -w demo --tail 5", "see `evtap help watch`"),
        ("stat", "did you mean stats?"),
    ] {
        let ran = evtap(line).run().await;
        ran.ended(2);
        assert!(ran.stderr().contains(hint), "{line}: {}", ran.stderr());
        assert!(ran.stderr().starts_with("evtap: cannot "), "{line}: {}", ran.stderr());
    }
}

#[tokio::test]
async fn a_glob_selects_a_family_in_the_schema() {
    let listed = evtap("schema call.*").run().await.ended(0);
    assert!(listed.contains("call.started") && listed.contains("call.ended"), "{listed}");
    assert!(!listed.contains("surface."), "{listed}");
}

#[tokio::test]
async fn a_call_may_come_after_the_recordings() {
    let call = "CA22222222222222222222222222222222";
    let timeline =
        |args: &str| evtap(&format!("timeline {args} -o json")).file("x.ndjson", TWO_CALLS).run();
    let (before, after) =
        (timeline(&format!("{call} x.ndjson")).await, timeline(&format!("x.ndjson {call}")).await);
    assert!(before.ended(0).contains(call));
    assert_eq!(before.ended(0), after.ended(0));
}

#[tokio::test]
async fn a_repeated_option_overrides_itself_and_a_list_grows() {
    let base = emulator(fast()).await;
    let lines = watch(&base, "-n 9 -o csv -n 2 -o ndjson").run().await.ended(0);
    assert_eq!(types(&lines).len(), 2);
    let lines = watch(&base, "-n 30 -e call.* -e surface.*").run().await.ended(0);
    let families: std::collections::BTreeSet<_> = types(&lines)
        .into_iter()
        .map(|name| name.split_once('.').expect("a family").0.to_owned())
        .collect();
    assert_eq!(families.into_iter().collect::<Vec<_>>(), ["call", "surface"]);
}

#[tokio::test]
async fn an_empty_variable_means_that_it_is_not_set() {
    let base = emulator(fast()).await;
    for name in ["EVTAP_OUTPUT", "EVTAP_CONFIG", "EVTAP_PROFILE", "EVTAP_COLOR", "EVTAP_WRAP"] {
        let lines = watch(&base, "-n 1").env(name, "").run().await.ended(0);
        assert_eq!(types(&lines).len(), 1, "{name}");
    }
    let ran = evtap("watch").env("AMIGO_WORKSPACE_ID", "").run().await;
    ran.ended(2);
    assert!(ran.stderr().contains("no workspace is named"), "{}", ran.stderr());
    let ran = evtap("watch -w 1b4e28ba-2fa1-11d2-883f-0016d3cca427").env("AMIGO_API_KEY", "");
    let ran = ran.run().await;
    ran.ended(3);
    assert!(ran.stderr().contains("no API key"), "{}", ran.stderr());
}

#[tokio::test]
async fn errors_are_json_if_the_status_is() {
    for line in ["watch --status json -n x", "watch --status=json --nothing"] {
        let ran = evtap(line).run().await;
        ran.ended(2);
        let status: serde_json::Value = serde_json::from_str(&ran.stderr()).expect("JSON");
        assert_eq!((&status["status"], &status["exit"]), (&"failed".into(), &2.into()));
    }
}
