//! Recordings of every make, from files and from stdin.

use crate::support::{events, evtap, types};

const LINES: &str = concat!(
    r#"{"event_type":"call.started","call_sid":"CA1","caller_id":"+12025550123","direction":"inbound","service_id":"s"}"#,
    "\n",
    r#"{"type":"user_transcript","data":{"transcript":"I am Jane","state":"intake"}}"#,
    "\n",
    r#"{"event_type":"call.ended","duration_seconds":1.10,"big":12345678901234567890123}"#,
    "\n",
);

#[tokio::test]
async fn files_and_stdin_in_their_order() {
    let ran = evtap("replay a.ndjson - b.ndjson")
        .file("a.ndjson", LINES)
        .file("b.ndjson", "\u{feff}{\"type\":\"session_end\"}")
        .stdin("{\"event_type\":\"text.started\"}\r\n")
        .run()
        .await;
    assert_eq!(types(&ran.ended(0)), ["call.started", "user_transcript", "call.ended", "text.started", "session_end"]);
}

#[tokio::test]
async fn bytes_stay_bytes() {
    let lines = evtap("replay - --reveal big").stdin(LINES).run().await.ended(0);
    assert!(lines.contains(r#""duration_seconds":1.10,"big":12345678901234567890123,"#), "{lines}");
}

#[tokio::test]
async fn a_replay_of_a_replay_is_the_same_whatever_was_hidden() {
    for options in ["", "--phi drop", "--reveal caller_id", "--redact direction", "--reveal all"] {
        let line = format!("replay - {options}");
        let once = evtap(&line).stdin(LINES).run().await.ended(0);
        assert_eq!(evtap(&line).stdin(once.clone()).run().await.ended(0), once, "{options}");
    }
}

#[tokio::test]
async fn what_was_masked_stays_masked() {
    let masked = evtap("replay -").stdin(LINES).run().await.ended(0);
    assert_eq!(evtap("replay - --reveal all").stdin(masked.clone()).run().await.ended(0), masked);
}

#[tokio::test]
async fn drop_leaves_fields_out_and_names_them() {
    let ran = evtap("replay - --phi drop").stdin(LINES).run().await.ended(0);
    let first = &events(&ran)[0];
    assert_eq!(first.get("caller_id"), None);
    assert_eq!(first["_tap"]["redacted"], serde_json::json!(["caller_id"]));
}

#[tokio::test]
async fn redact_goes_before_reveal() {
    let ran = evtap("replay - --redact direction --reveal direction,call.started.caller_id").stdin(LINES).run().await;
    let first = &events(&ran.ended(0))[0];
    assert_eq!((&first["direction"], &first["caller_id"]), (&"[redacted]".into(), &"+12025550123".into()));
    assert_eq!(ran.stderr(), "evtap: revealed by name: direction, call.started.caller_id\n");
}

#[tokio::test]
async fn unknown_names_are_told() {
    let redact = evtap("replay - --redact caller_ids").stdin(LINES).run().await;
    assert_eq!(redact.ended(2), "");
    assert!(redact.stderr().contains("did you mean"), "{}", redact.stderr());
    let reveal = evtap("replay - --reveal caller_ids").stdin(LINES).run().await;
    assert!(events(&reveal.ended(0)).len() == 3 && reveal.stderr().contains("no event in the model has such a field"));
}

#[tokio::test]
async fn the_end_of_a_capture_is_reported_where_it_cuts_a_frame() {
    let capture = "retry: 3000\n\nid: 7\nevent: text.started\ndata: {}\n\nid: 8\nevent: text.star";
    let lines = evtap("replay -").stdin(capture).run().await.ended(0);
    assert_eq!(types(&lines), ["text.started", "tap.malformed"]);
    assert_eq!(events(&lines)[1]["category"], "truncated");
}

#[tokio::test]
async fn nothing_recorded_is_nothing_shown() {
    let ran = evtap("replay -").run().await;
    assert_eq!((ran.ended(0), ran.stderr()), (String::new(), String::new()));
}

#[tokio::test]
async fn a_control_frame_in_a_capture_is_no_event_and_is_told_of() {
    let event = "id: 1\nevent: text.started\ndata: {}\n\n";
    let capture = format!("{event}event: error\ndata: {{\"code\":\"stream_error\",\"message\":\"Jane\"}}\n\n{event}");
    let run = evtap("replay - -o ndjson").stdin(capture.clone()).run().await;
    assert_eq!(types(&run.ended(0)), ["text.started", "text.started"]);
    assert!(run.stderr().contains("the stream ended: the platform reports an error of the stream"), "{}", run.stderr());
    let json = evtap("replay - -o ndjson --status json").stdin(capture).run().await.stderr();
    assert!(json.contains(r#""status":"ended""#) && !json.contains("Jane"), "{json}");
}
