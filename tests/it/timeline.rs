//! `evtap timeline`: one call from its beginning to its end, from both streams.

mod page;
mod threads;

use std::collections::BTreeSet;

use evtap::internals::analysis::stats::json::time;
use evtap::internals::analysis::timeline::build::build;
use evtap::internals::analysis::timeline::collect::{self, TimelineCollector};
use evtap::internals::analysis::timeline::{EntryKind, Timeline, text};
use evtap::internals::output::Observer;
use evtap::model::FrameFormat;
use evtap::model::decode::Decoder;
use evtap::query::EventContext;
use evtap::redact::{Policy, Redactor};
use serde_json::{Value, json};

use crate::decode_redact::frame;
use crate::snapshots::COLOURS;
use crate::support::{emulator, evtap, fast};

pub const SID: &str = "CA5f0c8d1f1d2e4b7a9c3d5e7f90123456";
const OTHER: &str = "CA5f0c8d1f1d2e4b7a9c3d5e7f90123457";
pub const BEGAN: i64 = 1_777_000_000_000;
/// How far this machine's clock is ahead of the platform's, in milliseconds.
const AHEAD: i64 = 90_000;

/// Returns a line of the workspace stream, `at` milliseconds after the beginning.
pub fn workspace(at: i64, mut event: Value) -> String {
    let id = BEGAN + at;
    event["_tap"] = json!({"id": id.to_string(), "time": time(id), "received_at": time(id + AHEAD + 40), "stream": "workspace"});
    event.to_string() + "\n"
}

/// Returns a line of a call's observer.
pub fn observer(at: i64, sid: &str, mut event: Value) -> String {
    event["_tap"] = json!({"received_at": time(BEGAN + at + AHEAD + 40), "stream": "observer", "call_sid": sid});
    event.to_string() + "\n"
}

fn started(sid: &str) -> Value {
    json!({"event_type": "call.started", "call_sid": sid, "caller_id": "+12025550123", "direction": "inbound", "service_id": "0b0d0e0f-1111-4222-8333-444455556666"})
}

fn ended(sid: &str) -> Value {
    json!({"event_type": "call.ended", "call_sid": sid, "completion_reason": "completed", "direction": "inbound", "duration_seconds": 61.5, "escalated": true})
}

fn tool(at: i64, id: &str, parent: Option<&str>, name: &str) -> String {
    observer(
        at,
        SID,
        json!({"event_type": "tool_call_started", "call_id": id, "parent_call_id": parent, "tool_name": name, "input": {"a": 1}}),
    )
}

fn answered(at: i64, id: &str, name: &str, succeeded: bool) -> String {
    let error = (!succeeded).then_some("The other side did not answer.");
    observer(
        at,
        SID,
        json!({"event_type": "tool_call_completed", "call_id": id, "tool_name": name, "succeeded": succeeded, "duration_ms": 1234.5, "error_message": error}),
    )
}

fn gap(from: i64, to: i64, sid: Option<&str>) -> String {
    let mut line = json!({"event_type": "tap.gap", "from": time(BEGAN + from), "to": time(BEGAN + to), "certain": sid.is_some(), "reason": if sid.is_some() { "observer_down" } else { "away_too_long" }});
    line["_tap"] =
        json!({"stream": if sid.is_some() { "observer" } else { "workspace" }, "call_sid": sid});
    line.to_string() + "\n"
}

/// Returns the recordings of the workspace stream and of the observers.
pub fn both() -> [String; 2] {
    let says = |at, event_type: &str, words: &str| {
        observer(at, SID, json!({"event_type": event_type, "transcript": words}))
    };
    let delta = |at, words: &str| {
        observer(at, SID, json!({"event_type": "agent_transcript_delta", "delta": words}))
    };
    let one = [
        workspace(0, started(SID)),
        workspace(5, started(OTHER)),
        workspace(
            20_000,
            json!({"event_type": "call.escalated", "call_sid": SID, "escalation_id": "e", "trigger": "ai", "reason": "Chest pain mentioned."}),
        ),
        workspace(40_000, ended(OTHER)),
        gap(30_000, 31_000, None),
        gap(900_000, 950_000, None),
        workspace(61_500, ended(SID)),
    ];
    let two = [
        observer(
            300,
            SID,
            json!({"event_type": "session_info", "call_sid": SID, "caller_id": "+12025550123", "start_time": 1_777_000_000.0, "current_state": "greeting"}),
        ),
        says(1_000, "agent_transcript", "Larkmere clinic, how can I help?"),
        says(3_000, "user_transcript", "I am Jane Roe & I <b>hurt</b>."),
        observer(
            3_100,
            SID,
            json!({"event_type": "state_transition", "previous_state": "greeting", "next_state": "triage"}),
        ),
        tool(4_000, "t1", None, "find_patient"),
        delta(4_100, "One "),
        tool(4_200, "t2", Some("t1"), "records_search"),
        answered(4_500, "t2", "records_search", false),
        delta(4_600, "moment, "),
        delta(4_700, "Jane."),
        answered(5_000, "t1", "find_patient", true),
        says(5_100, "agent_transcript", "One moment, Jane."),
        observer(
            5_200,
            OTHER,
            json!({"event_type": "user_transcript", "transcript": "of another call"}),
        ),
        observer(
            5_300,
            SID,
            json!({"event_type": "latency", "e2e_ttfb_ms": 781.43, "engine_ms": 524.1, "nav_ms": 80.62, "render_ms": 173.59, "audio_ttfb_ms": 257.33, "continuation": false, "is_greeting": false}),
        ),
        gap(6_000, 9_000, Some(SID)),
        gap(6_000, 9_000, Some(OTHER)),
        delta(50_000, "Good"),
        observer(
            61_000,
            SID,
            json!({"event_type": "session_end", "call_sid": SID, "completion_reason": "completed", "duration_s": 61.0, "final_state": "done", "turns": 3}),
        ),
    ];
    [one.concat(), two.concat()]
}

async fn run_timeline(options: &str) -> String {
    let [one, two] = both();
    let run = evtap(&format!("timeline {options}")).file("one.ndjson", one).file("two.ndjson", two);
    run.run().await.ended(0)
}

fn entries(timeline: &str) -> Vec<Value> {
    let timeline: Value = serde_json::from_str(timeline).expect("one object");
    timeline["entries"].as_array().expect("entries").clone()
}

#[tokio::test]
async fn text_output_matches_the_snapshots() {
    let narrow = run_timeline(&format!("{SID} one.ndjson two.ndjson --color never")).await;
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    insta::assert_snapshot!("timeline_80", narrow);
    insta::assert_snapshot!(
        "timeline_revealed",
        run_timeline(&format!(
            "{SID} one.ndjson two.ndjson --color never --reveal all --status none"
        ))
        .await
    );
    let page = run_timeline(&format!("{SID} one.ndjson two.ndjson -o html")).await;
    let (_, content) = page.split_once("<header>").expect("a header");
    insta::assert_snapshot!("timeline_page", content);
    insta::assert_snapshot!("timeline_list", run_timeline("one.ndjson two.ndjson").await);
    let coloured = run_timeline(&format!("{SID} one.ndjson two.ndjson --color always")).await;
    let colours = regex::Regex::new("\u{1b}\\[[0-9;]*m").expect("a regex");
    assert_eq!(colours.replace_all(&coloured, ""), narrow);
    assert!(coloured.contains('\u{1b}'));
}

/// Builds the timeline of the call in these lines with the library.
fn build_timeline(lines: &str, policy: Policy) -> Timeline {
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy));
    let (mut sink, gathered) = TimelineCollector::new(Some(SID.to_owned()));
    for line in lines.lines() {
        let frame = frame(FrameFormat::Record, None, line.as_bytes());
        let event = decoder.decode(frame.as_frame());
        sink.event(&EventContext::new(&redactor.redact(&event)))
            .unwrap_or_else(|_| panic!("it gathers"));
    }
    let mut gathered = collect::lock(&gathered);
    build(&mut gathered, SID, 10_000, Vec::new())
}

fn text_of(timeline: &Timeline, width: usize) -> String {
    let mut out = Vec::new();
    text::text(timeline, width, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn lines_fit_the_width() {
    let timeline = build_timeline(&both().concat(), Policy::default());
    let _guard = COLOURS.lock().expect("no test has failed with it");
    colored::control::set_override(false);
    insta::assert_snapshot!("timeline_200", text_of(&timeline, 200));
    for width in 45..200 {
        let text = text_of(&timeline, width);
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
    }
}

#[tokio::test]
async fn both_streams_merge_by_the_clock_of_the_platform() {
    let one = run_timeline(&format!("{SID} one.ndjson two.ndjson -o json")).await;
    assert_eq!(one, run_timeline(&format!("{SID} two.ndjson one.ndjson -o json")).await);
    let timeline: Value = serde_json::from_str(&one).expect("an object");
    assert_eq!(
        timeline["events"],
        json!({"workspace": 3, "observer": 15, "not_kept": 0, "gaps_not_kept": 0})
    );
    assert_eq!(timeline["moved_ms"], -(AHEAD + 40));
    let offsets: Vec<_> =
        entries(&one).iter().map(|entry| entry["offset_ms"].as_i64().expect("an offset")).collect();
    assert_eq!(
        offsets[..4],
        [0, 300, 1000, 3000],
        "the call began when the workspace says, and the observer's times are moved"
    );
    let kinds: BTreeSet<_> = entries(&one)
        .iter()
        .map(|entry| entry["kind"].as_str().expect("a kind").to_owned())
        .collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["event", "gap", "note", "quiet", "said", "tool"]
    );
}

#[tokio::test]
async fn utterances_tools_silence_and_gaps_have_entries() {
    let all = entries(
        &run_timeline(&format!("{SID} one.ndjson two.ndjson -o json --reveal all --status none"))
            .await,
    );
    let said: Vec<_> = all.iter().filter(|entry| entry["kind"] == "said").collect();
    let words: Vec<_> = said
        .iter()
        .map(|entry| (entry["speaker"].as_str(), entry["text"].as_str(), entry["whole"].as_bool()))
        .collect();
    assert_eq!(
        words,
        [
            (Some("agent"), Some("Larkmere clinic, how can I help?"), Some(true)),
            (Some("caller"), Some("I am Jane Roe & I <b>hurt</b>."), Some(true)),
            (Some("agent"), Some("One moment, Jane."), Some(true)),
            (Some("agent"), Some("Good"), Some(false)),
        ]
    );
    let at = |id: &str| all.iter().position(|entry| entry["call_id"] == id).expect("a tool");
    assert_eq!(at("t2"), at("t1") + 1, "though the agent spoke between them");
    assert_eq!(
        (&all[at("t2")]["depth"], &all[at("t2")]["succeeded"], &all[at("t1")]["duration_ms"]),
        (&json!(1), &json!(false), &json!(1234.5))
    );
    let gaps: Vec<_> = all
        .iter()
        .filter(|entry| entry["kind"] == "gap")
        .map(|gap| gap["reason"].as_str())
        .collect();
    assert_eq!(
        gaps,
        [Some("observer_down"), Some("away_too_long")],
        "those of other calls and other times are not among them"
    );
    let quiet: Vec<_> = all
        .iter()
        .filter(|entry| entry["kind"] == "quiet")
        .map(|quiet| quiet["ms"].as_i64())
        .collect();
    assert_eq!(quiet, [Some(11_000), Some(11_000), Some(19_000), Some(11_000)]);
    assert!(!all.iter().any(|entry| entry.to_string().contains("of another call")));
    let none = run_timeline(&format!("{SID} one.ndjson two.ndjson -o json --quiet 1m")).await;
    assert!(entries(&none).iter().all(|entry| entry["kind"] != "quiet"));
}

#[tokio::test]
async fn an_unknown_call_suggests_another_and_an_ambiguous_prefix_is_refused() {
    let day = both().concat();
    let run = |args: String| evtap(&format!("timeline {args}")).stdin(day.clone()).run();
    assert!(run(format!("{SID} -")).await.ended(0).contains(SID));
    let ran = run("CA5f0c8d1f1d2e4b7a9c3d5e7f90123458 -".to_owned()).await;
    assert_eq!(ran.ended(4), "");
    assert!(
        ran.stderr().contains(&format!("did you mean {SID}"))
            || ran.stderr().contains(&format!("did you mean {OTHER}")),
        "{}",
        ran.stderr()
    );
    let ran = run("CA5f0c -".to_owned()).await;
    ran.ended(2);
    assert!(ran.stderr().contains("several calls have a SID"), "{}", ran.stderr());
    let ran = evtap("timeline CA1 -").stdin("").run().await;
    ran.ended(4);
    assert!(ran.stderr().contains("no event of any call"), "{}", ran.stderr());
    let list: Value =
        serde_json::from_str(&run("- -o json".to_owned()).await.ended(0)).expect("an object");
    assert_eq!(list["calls"].as_array().expect("calls").len(), 2);
    assert_eq!(
        (&list["calls"][0]["call_sid"], &list["calls"][0]["completion_reason"]),
        (&json!(SID), &json!("completed"))
    );
}

#[tokio::test]
async fn a_call_is_found_however_many_calls_there_are() {
    let mut day: String =
        (0..12_000).map(|number| workspace(number, started(&format!("CA{number:032}")))).collect();
    day += &workspace(13_000, started(SID));
    let run = |args: String| evtap(&format!("timeline {args}")).stdin(day.clone()).run();
    for start in [SID, &SID[..8]] {
        assert!(run(format!("{start} -")).await.ended(0).contains(SID), "{start}");
    }
    let misspelt = SID.replace("456", "465");
    let ran = run(format!("{misspelt} -")).await;
    ran.ended(4);
    assert!(ran.stderr().contains(&format!("did you mean {SID}?")), "{}", ran.stderr());
    let list = run("-".to_owned()).await.ended(0);
    assert!(list.lines().count() == 12_002 && list.contains(SID), "all calls are listed");
    let list = run("- -o json".to_owned()).await.ended(0);
    let list: Value = serde_json::from_str(&list).expect("an object");
    assert_eq!(list["calls"].as_array().map(Vec::len), Some(12_001));
    assert_eq!(list["events_not_listed"], 0);
}

#[test]
fn gaps_beyond_the_limit_are_counted() {
    let many = 30_000;
    let gaps = gap(1000, 2000, None).repeat(many);
    let timeline = build_timeline(
        &(workspace(0, started(SID)) + &workspace(5000, ended(SID)) + &gaps),
        Policy::default(),
    );
    let kept = timeline.entries.iter().filter(|entry| matches!(entry.kind, EntryKind::Gap(_)));
    let kept = kept.count();
    assert!(kept > 1000 && kept < many, "{kept}");
    assert_eq!(timeline.dropped_gaps, (many - kept) as u64);
    let _guard = COLOURS.lock().expect("no test has failed with it");
    colored::control::set_override(false);
    let text = text_of(&timeline, 80);
    let number = (many - kept) as u64;
    let expected =
        format!("gaps      {} more do not fit into memory", evtap::text::units::count(number));
    assert!(text.contains(&expected), "{}", &text[..600]);
}

#[tokio::test]
async fn invalid_options_explain_what_to_do() {
    for (args, status, expected) in [
        ("", 2, "evtap timeline demo"),
        ("- -o html", 2, "list the calls"),
        ("absent.ndjson", 1, "no such file"),
        ("CA5f0c", 2, "SID"),
        ("CA5f0c8d1f1d2e4b7a9c3d5e7f90123456", 2, "--workspace"),
        ("demo - --quiet x", 2, "invalid duration"),
    ] {
        let ran = evtap(&format!("timeline {args}")).stdin("").run().await;
        assert_eq!(ran.ended(status), "", "{args}");
        assert!(ran.stderr().contains(expected), "{args}: {}", ran.stderr());
    }
}

#[tokio::test]
async fn bare_observer_events_belong_to_the_announced_session() {
    let lines = format!(
        "{{\"type\":\"session_info\",\"call_sid\":\"{SID}\"}}\n{{\"type\":\"user_transcript\",\"data\":{{\"transcript\":\"x\"}}}}\n{{\"type\":\"session_end\"}}\n{{\"type\":\"user_transcript\",\"transcript\":\"y\"}}\n"
    );
    let out = evtap(&format!("timeline {SID} - -o json")).stdin(lines).run().await.ended(0);
    let entries = entries(&out);
    assert_eq!(entries.len(), 3, "{out}");
    assert!(
        entries.iter().all(|entry| entry["offset_ms"].is_null() && entry["at"].is_null()),
        "nobody knows when: {out}"
    );
}

#[tokio::test]
async fn a_live_call_is_printed_after_its_end() {
    let ran = evtap("timeline demo --demo-rate 500 -o json --reveal transcript").run().await;
    let all = entries(&ran.ended(0));
    assert!(all.iter().any(|entry| entry["kind"] == "tool" && entry["depth"] == 1));
    assert!(all.iter().any(|entry| entry["kind"] == "said" && entry["speaker"] == "operator"));
    assert!(all.last().is_some_and(|entry| entry["text"] == "call ended: escalated"), "{all:?}");
}

#[tokio::test]
async fn an_interrupted_live_call_prints_what_was_collected() {
    let base = emulator(fast()).await;
    let options = format!("--workspace {}", evtap::emulator::DEMO_WORKSPACE);
    let base_slow = emulator(evtap::emulator::Options { rate: 5.0, ..fast() }).await;
    let mut run =
        evtap(&format!("timeline {} {options}", evtap::emulator::DEMO_CALL)).at(&base_slow).start();
    while !run.status_line().await.contains("connected to call") {}
    // The first event arrives right after the connection.
    evtap(&format!("observe -c {} {options} -n 3", evtap::emulator::DEMO_CALL))
        .at(&base_slow)
        .run()
        .await
        .ended(0);
    run.signal("INT");
    assert!(run.end().await.ended(130).contains("session_info"));
    drop(base);
}

#[test]
fn cyclic_and_deep_tool_calls_terminate() {
    let mut lines = workspace(0, started(SID));
    lines += &(tool(1, "a", Some("b"), "x")
        + &tool(2, "b", Some("a"), "y")
        + &tool(3, "c", Some("c"), "z"));
    for number in 0..3000 {
        lines +=
            &tool(10 + number, &format!("n{number}"), Some(&format!("n{}", number - 1)), "deep");
    }
    assert_eq!(build_timeline(&lines, Policy::default()).entries.len(), 3004);
}
