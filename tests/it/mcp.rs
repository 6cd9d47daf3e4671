//! `evtap mcp`: what an agent can read, what it is told about what is missing, and what it can never
//! get.

mod fuzz;
mod limits;
mod live;
mod python;
pub mod session;

use serde_json::{Value, json};

use self::session::{Session, is_error, lines, reasons, text};
use crate::support::evtap;

/// Returns a recording of numbered calls, each with its start and its end.
pub fn calls(count: u64) -> String {
    let at = |number: u64| 1_777_975_200_000 + number * 1000;
    let line = |number: u64| {
        let sid = format!("CA{number:032}");
        let (start, end) = (at(number), at(number) + 500);
        format!(
            "{{\"event_type\":\"call.started\",\"call_sid\":\"{sid}\",\"direction\":\"inbound\",\
             \"_tap\":{{\"id\":\"{start}\",\"time\":\"{}\",\"stream\":\"workspace\"}}}}\n\
             {{\"event_type\":\"call.ended\",\"call_sid\":\"{sid}\",\"duration_seconds\":{number}.50,\
             \"_tap\":{{\"id\":\"{end}\",\"time\":\"{}\",\"stream\":\"workspace\"}}}}\n",
            time(start),
            time(end)
        )
    };
    (0..count).map(line).collect()
}

/// Formats milliseconds of Unix time.
pub fn time(millis: u64) -> String {
    let millis = i64::try_from(millis).expect("a time");
    format!("{:.3}", jiff::Timestamp::from_millisecond(millis).expect("a time"))
}

/// Returns a line that reports a gap of ten seconds before this second of [`calls`].
fn gap(second: u64) -> String {
    let to = 1_777_975_200_000 + second * 1000;
    format!(
        "{{\"event_type\":\"tap.gap\",\"from\":\"{}\",\"to\":\"{}\",\"certain\":true,\
         \"reason\":\"disconnected\",\"_tap\":{{\"stream\":\"workspace\",\"time\":\"{}\"}}}}\n",
        time(to - 10_000),
        time(to),
        time(to)
    )
}

async fn session(recording: &str) -> Session {
    Session::start(evtap("mcp calls.ndjson").file("calls.ndjson", recording)).await
}

#[tokio::test]
async fn the_tools_only_read_and_name_their_sources() {
    let mut session = session(&calls(1)).await;
    let listed = session.request("tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().expect("tools").clone();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["schema", "find", "stats", "timeline", "tail"]);
    for tool in &tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert_eq!(tool["annotations"]["destructiveHint"], false, "{tool}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
        assert!(tool["outputSchema"]["type"] == "object", "{tool}");
        if tool["name"] != "schema" {
            let sources = &tool["inputSchema"]["properties"]["source"]["enum"];
            assert_eq!(*sources, json!(["recordings", "calls.ndjson", "demo"]));
        }
    }
    session.ends_well().await;
}

/// Without an error and without a byte on stderr.
#[tokio::test]
async fn the_end_of_stdin_ends_the_server() {
    let ran = evtap("mcp").run().await;
    assert_eq!((ran.ended(0).as_str(), ran.stderr().as_str()), ("", ""));
    session(&calls(1)).await.ends_well().await;
}

#[tokio::test]
async fn find_returns_the_lines_that_ndjson_has() {
    let recording = calls(3);
    let replayed = evtap("replay calls.ndjson -o ndjson").file("calls.ndjson", &recording);
    let replayed = replayed.run().await.ended(0);
    let mut session = session(&recording).await;
    let found = session.call("find", json!({})).await;
    let expected = replayed.lines().collect::<Vec<_>>().join(",");
    // As text, so that no digit is lost: `1.50` stays `1.50`.
    assert!(text(&found).starts_with(&format!("{{\"events\":[{expected}],\"next\":null")));
    assert!(replayed.contains("1.50"));
    assert_eq!(lines(&found).len(), 6);
    let content = &found["structuredContent"];
    assert_eq!((&content["complete"], &content["gaps"]), (&json!(true), &json!([])));
    let covers = json!({"from": time(1_777_975_200_000), "to": time(1_777_975_202_500)});
    assert_eq!(content["covers"], covers);
    session.ends_well().await;
}

#[tokio::test]
async fn events_are_selected_by_type_query_call_and_time() {
    let mut session = session(&calls(20)).await;
    let sid = format!("CA{:032}", 7);
    for (arguments, count) in [
        (json!({"types": ["call.ended"]}), 20),
        (json!({"types": "call.{started,ended}", "source": "calls.ndjson"}), 40),
        (json!({"query": ".duration_seconds > 15", "types": null}), 5),
        (json!({"call": sid}), 2),
        (json!({"call": "CA00000000000000000000000000000099"}), 0),
        (json!({"since": time(1_777_975_210_000)}), 20),
        (json!({"since": time(1_777_975_210_000), "until": time(1_777_975_211_000)}), 2),
    ] {
        let found = session.call("find", arguments.clone()).await;
        assert_eq!(lines(&found).len(), count, "{arguments}: {found}");
        assert_eq!(found["structuredContent"]["complete"], true, "{arguments}: {found}");
    }
    session.ends_well().await;
}

#[tokio::test]
async fn pages_have_every_event_once() {
    let mut session = session(&calls(60)).await;
    let mut arguments = json!({"limit": 50});
    let mut all = Vec::new();
    for page in 0.. {
        let found = session.call("find", arguments.clone()).await;
        all.extend(lines(&found));
        let content = &found["structuredContent"];
        assert_eq!(content["complete"], json!(content["next"].is_null()), "{content}");
        if content["next"].is_null() {
            assert_eq!(page, 2);
            break;
        }
        arguments["cursor"] = content["next"].clone();
    }
    let ids: Vec<_> = all.iter().map(|event| event["_tap"]["id"].to_string()).collect();
    let mut sorted = ids.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((ids.len(), &ids), (120, &sorted));
    let other = json!({"limit": 50, "types": ["call.ended"], "cursor": arguments["cursor"]});
    let refused = session.call("find", other).await;
    assert!(is_error(&refused) && text(&refused).contains("other arguments"), "{refused}");
    session.ends_well().await;
}

/// "None" differs from "unknown", also where the filter would leave the gap out.
#[tokio::test]
async fn gaps_accompany_every_result() {
    let recording = calls(30) + &gap(25) + "{broken\n";
    let mut session = session(&recording).await;
    let sid = format!("CA{:032}", 20);
    for (tool, arguments) in [
        ("find", json!({"types": ["call.escalated"]})),
        ("find", json!({"query": ".duration_seconds > 1e6"})),
        ("find", json!({"call": sid})),
        ("stats", json!({"types": ["call.ended"]})),
        ("timeline", json!({})),
        ("timeline", json!({"call": sid})),
        ("tail", json!({"source": "recordings", "types": ["call.ended"]})),
    ] {
        let result = session.call(tool, arguments.clone()).await;
        let content = &result["structuredContent"];
        assert_eq!(content["complete"], false, "{tool} {arguments}: {result}");
        assert_eq!(content["gaps"].as_array().map(Vec::len), Some(1), "{tool}: {result}");
        let gap = &content["gaps"][0];
        assert_eq!(gap["from"], time(1_777_975_215_000), "{gap}");
        assert_eq!((&gap["certain"], &gap["reason"]), (&json!(true), &json!("disconnected")));
        assert!(reasons(&result).contains("1 gap"), "{result}");
        assert!(reasons(&result).contains("could not be read"), "{result}");
    }
    let before = json!({"since": time(1_777_975_201_000), "until": time(1_777_975_205_000)});
    let found = session.call("find", before).await;
    assert_eq!(found["structuredContent"]["gaps"], json!([]), "it is elsewhere: {found}");
    session.ends_well().await;
}

/// A gap at another time does not make a call incomplete.
#[tokio::test]
async fn a_timeline_has_the_gaps_of_its_call() {
    let mut session = session(&(calls(30) + &gap(25))).await;
    for (number, gaps) in [(3, 0), (14, 0), (15, 1), (20, 1), (25, 1), (26, 0)] {
        let call = format!("CA{number:032}");
        let timeline = session.call("timeline", json!({"call": call})).await;
        let content = &timeline["structuredContent"];
        assert_eq!(content["gaps"].as_array().map(Vec::len), Some(gaps), "{number}: {content}");
        assert_eq!(content["complete"], gaps == 0, "{number}: {content}");
    }
    session.ends_well().await;
}

#[tokio::test]
async fn a_later_page_knows_of_a_gap_on_an_earlier_one() {
    let mut session = session(&(gap(1) + &calls(60))).await;
    let first = session.call("find", json!({"limit": 100})).await;
    assert_eq!(first["structuredContent"]["gaps"].as_array().map(Vec::len), Some(1));
    let next = first["structuredContent"]["next"].clone();
    let last = session.call("find", json!({"limit": 100, "cursor": next})).await;
    assert_eq!(last["structuredContent"]["gaps"], json!([]), "it was reported");
    assert_eq!(last["structuredContent"]["complete"], false, "{last}");
    assert!(reasons(&last).contains("earlier page"), "{last}");
    session.ends_well().await;
}

#[tokio::test]
async fn a_range_beyond_the_recording_is_not_complete() {
    let mut session = session(&calls(10)).await;
    for (arguments, reason) in [
        (json!({"since": "2020-01-01"}), "begins after"),
        (json!({"until": "2100-01-01"}), "ends before"),
        (json!({"since": "2100-01-01", "until": "2100-01-02"}), "ends before"),
    ] {
        let found = session.call("find", arguments.clone()).await;
        assert_eq!(found["structuredContent"]["complete"], false, "{arguments}");
        assert!(reasons(&found).contains(reason), "{arguments}: {found}");
    }
    session.ends_well().await;
}

/// What is not found may exist all the same.
#[tokio::test]
async fn a_query_that_reads_a_mask_is_not_complete() {
    let mut session = session(&calls(3)).await;
    for (query, reason) in [
        (".caller_id == \"+1 202 555 0123\"", "only the mask of `.caller_id`"),
        ("(.reason // \"\") | test(\"refill\")", "only the mask of `.reason`"),
        ("tojson | contains(\"Jane\")", "may read hidden fields"),
    ] {
        let found = session.call("find", json!({"query": query})).await;
        assert_eq!(lines(&found).len(), 0, "{query}");
        assert!(reasons(&found).contains(reason), "{query}: {found}");
        let stats = session.call("stats", json!({"query": query})).await;
        assert_eq!(stats["structuredContent"]["complete"], false, "{query}");
    }
    session.ends_well().await;
}

#[tokio::test]
async fn a_misspelt_name_is_an_error_with_a_suggestion() {
    let mut session = session(&calls(1)).await;
    for (tool, arguments, suggestion) in [
        ("find", json!({"query": ".durations > 5"}), "`.duration_seconds` (call.ended"),
        ("find", json!({"query": ".event_type == \"call.end\""}), "call.ended"),
        ("find", json!({"types": ["call.end"]}), "did you mean call.ended"),
        ("find", json!({"typs": ["call.ended"]}), "did you mean types?"),
        ("find", json!({"source": "demos"}), "did you mean demo?"),
        ("stats", json!({"query": ".directoin == \"inbound\""}), "direction"),
        ("tail", json!({"source": "recordings", "query": ".tool_nam == \"x\""}), "tool_name"),
        ("schema", json!({"type": "call.startd"}), "did you mean call.started?"),
        ("schema", json!({"type": "call"}), "`schema 'call.*'`"),
    ] {
        let refused = session.call(tool, arguments.clone()).await;
        assert!(is_error(&refused), "{arguments}: {refused}");
        assert!(text(&refused).contains(suggestion), "{arguments}: {refused}");
    }
    let unknown = json!({"name": "finds", "arguments": {}});
    let refused = session.request("tools/call", unknown).await;
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert_eq!(message, "no such tool; did you mean find?");
    session.ends_well().await;
}

#[tokio::test]
async fn the_schema_says_what_is_shown() {
    let mut session = session(&calls(1)).await;
    let all = session.call("schema", json!({})).await;
    let types: Vec<_> = lines(&all).iter().map(|event| event["event_type"].clone()).collect();
    assert!(types.contains(&json!("call.started")) && types.contains(&json!("tap.gap")));
    let one = session.call("schema", json!({"type": "call.escalated"})).await;
    let fields = lines(&one)[0]["fields"].as_array().expect("fields").clone();
    let shown = |class: &str| -> Vec<Value> {
        let of_class = fields.iter().filter(|field| field["class"] == class);
        of_class.map(|field| field["shown"].clone()).collect()
    };
    assert!(shown("free").iter().all(|shown| *shown == false) && !shown("free").is_empty());
    assert!(shown("open").iter().all(|shown| *shown == true));
    session.ends_well().await;
}

#[tokio::test]
async fn statistics_and_timelines_are_those_of_the_commands() {
    let recording = calls(12);
    let command = |line: &str| evtap(line).file("calls.ndjson", &recording).run();
    let mut session = session(&recording).await;
    let counted: Value =
        serde_json::from_str(&command("stats calls.ndjson -o json").await.ended(0)).expect("JSON");
    let stats = session.call("stats", json!({})).await;
    for member in ["events", "types", "calls", "seconds", "tools"] {
        assert_eq!(stats["structuredContent"][member], counted[member], "{member}");
    }
    let sid = format!("CA{:032}", 3);
    let line = format!("timeline {sid} calls.ndjson -o json");
    let shown: Value = serde_json::from_str(&command(&line).await.ended(0)).expect("JSON");
    let timeline = session.call("timeline", json!({"call": sid})).await;
    for member in ["entries", "call_sid", "duration_seconds", "began"] {
        assert_eq!(timeline["structuredContent"][member], shown[member], "{member}");
    }
    let listed: Value =
        serde_json::from_str(&command("timeline calls.ndjson -o json").await.ended(0))
            .expect("JSON");
    let calls = session.call("timeline", json!({})).await;
    assert_eq!(calls["structuredContent"]["calls"], listed["calls"]);
    session.ends_well().await;
}

/// A call that cannot be identified is reported without SIDs from the recording.
#[tokio::test]
async fn a_call_that_is_not_identified_is_an_error() {
    let mut session = session(&calls(12)).await;
    for (call, reason) in [("CA0", "several calls"), ("CA9", "no event of that call")] {
        let refused = session.call("timeline", json!({"call": call})).await;
        assert!(is_error(&refused) && text(&refused).contains(reason), "{refused}");
        assert!(!text(&refused).contains("CA00"), "{refused}");
    }
    session.ends_well().await;
}

#[tokio::test]
async fn the_last_events_of_recordings_are_returned() {
    let mut session = session(&calls(30)).await;
    let last = session.call("tail", json!({"source": "calls.ndjson", "limit": 3})).await;
    let ids: Vec<_> = lines(&last).iter().map(|event| event["_tap"]["id"].clone()).collect();
    assert_eq!(ids, ["1777975228500", "1777975229000", "1777975229500"]);
    session.ends_well().await;
}

#[tokio::test]
async fn a_call_reads_no_file_that_was_not_given() {
    let evtap = evtap("mcp calls.ndjson").file("calls.ndjson", calls(1));
    let other = evtap.path("other.ndjson").display().to_string();
    let mut session = Session::start(evtap.file("other.ndjson", calls(2))).await;
    for source in ["other.ndjson", "./calls.ndjson", "../calls.ndjson", "/etc/passwd", &other] {
        for tool in ["find", "stats", "timeline", "tail"] {
            let refused = session.call(tool, json!({"source": source})).await;
            assert!(is_error(&refused) && text(&refused).contains("no such source"), "{refused}");
        }
    }
    session.ends_well().await;
}

#[tokio::test]
async fn a_directory_is_read_as_it_is_at_the_time_of_the_call() {
    let evtap = evtap("mcp .").file("a.ndjson", calls(1));
    let later = evtap.path("b.ndjson");
    let mut session = Session::start(evtap).await;
    assert_eq!(lines(&session.call("find", json!({})).await).len(), 2);
    std::fs::write(later, calls(2)).expect("a file");
    assert_eq!(lines(&session.call("find", json!({})).await).len(), 6);
    session.ends_well().await;
}

#[tokio::test]
async fn a_missing_recording_is_reported_before_anything_is_served() {
    let ran = evtap("mcp none.ndjson").run().await;
    assert_eq!(ran.ended(2), "");
    assert!(ran.stderr().contains("cannot read none.ndjson"), "{}", ran.stderr());
    for file in ["-", "/dev/null"] {
        let ran = evtap(&format!("mcp {file}")).run().await;
        assert_eq!(ran.ended(2), "", "{file}");
    }
}

#[tokio::test]
async fn every_source_has_a_name_of_its_own() {
    let evtap = evtap("mcp demo recordings a/x.ndjson b/x.ndjson a/x.ndjson -w demo:2,demo")
        .directory("a")
        .directory("b");
    let evtap = ["demo", "recordings", "a/x.ndjson", "b/x.ndjson"]
        .iter()
        .enumerate()
        .fold(evtap, |evtap, (number, name)| evtap.file(name, calls(number as u64 + 1)));
    let mut session = Session::start(evtap).await;
    let listed = session.request("tools/list", json!({})).await;
    let names = &listed["result"]["tools"][1]["inputSchema"]["properties"]["source"]["enum"];
    let expected = json!([
        "recordings",
        "demo (2)",
        "recordings (2)",
        "x.ndjson",
        "b/x.ndjson",
        "demo",
        "demo:2"
    ]);
    assert_eq!(*names, expected);
    for (source, count) in [
        ("recordings", 20),
        ("demo (2)", 2),
        ("recordings (2)", 4),
        ("x.ndjson", 6),
        ("b/x.ndjson", 8),
    ] {
        let found = session.call("find", json!({"source": source})).await;
        assert_eq!(lines(&found).len(), count, "{source}");
        assert_eq!(found["structuredContent"]["source"], source);
    }
    let heard = session.call("tail", json!({"source": "demo:2", "limit": 1, "seconds": 60})).await;
    assert_eq!(lines(&heard).len(), 1);
    session.ends_well().await;
}

/// The named filters of the configuration can be used, and `redact` hides more.
#[tokio::test]
async fn the_configuration_is_respected() {
    let config = "redact = [\"direction\"]\n[filters]\nlong = '.duration_seconds > 5'\n";
    let evtap = evtap("mcp calls.ndjson").file("calls.ndjson", calls(10)).config(config);
    let mut session = Session::start(evtap).await;
    let long = session.call("find", json!({"query": "@long"})).await;
    assert_eq!(lines(&long).len(), 5, "{long}");
    let started = session.call("find", json!({"types": ["call.started"], "limit": 1})).await;
    assert_eq!(lines(&started)[0]["direction"], "[redacted]", "{started}");
    session.ends_well().await;
}
