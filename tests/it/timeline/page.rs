//! The HTML page of a timeline: its picture is true, its size is bounded, and whatever was said in
//! the call stays text.

use std::process::Command;

use evtap::internals::analysis::timeline::{Timeline, html};
use evtap::redact::Policy;
use serde_json::json;

use super::{SID, answered, both, build_timeline, ended, gap, observer, started, tool, workspace};
use crate::html_page::{HOSTILE, ParsedPage, assert_inert};
use crate::support::{evtap, tools};
use crate::terminal::hostile;

fn page_of(timeline: &Timeline) -> String {
    let mut out = Vec::new();
    html::html(timeline, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn a_page_treats_everything_said_as_text() {
    let mut lines = workspace(0, started(SID));
    let all: Vec<_> = HOSTILE.iter().map(|text| (*text).to_owned()).chain(hostile()).collect();
    for (index, text) in (0..).zip(&all) {
        let at = 100 + index * 10;
        let events = [
            json!({"event_type": "user_transcript", "transcript": text, "speaker_role": text}),
            json!({"event_type": "tool_call_started", "call_id": text, "tool_name": text, "parent_call_id": text}),
            json!({"event_type": "tool_call_completed", "call_id": text, "tool_name": text, "succeeded": false, "error_message": text}),
            json!({"event_type": text, text.clone(): text, "nested": {text.clone(): [text]}}),
            json!({"event_type": "state_transition", "previous_state": text, "next_state": text, "annotation": text}),
            json!({"event_type": "agent_transcript", "transcript": text, "interrupted": true}),
            json!({"event_type": "forward_call_resolved", "location_name": text}),
            json!({"event_type": "barge_in", "interrupting_speaker_id": text}),
            json!({"event_type": "emotion", "valence": 0.1, "arousal": 0.2, "dominant": text}),
            json!({"event_type": "session_info", "call_sid": SID, "direction": text, "service_id": text, "current_state": text}),
        ];
        for event in events {
            lines += &observer(at, SID, event);
        }
        lines += &workspace(
            at + 4,
            json!({"event_type": "call.escalated", "call_sid": SID, "trigger": text, "reason": text}),
        );
        lines += &gap(at, at + 5, Some(SID))
            .replace("observer_down", json!(text).to_string().trim_matches('"'));
    }
    lines += &workspace(
        90_000,
        json!({"event_type": "call.ended", "call_sid": SID, "completion_reason": HOSTILE[0], "duration_seconds": 1}),
    );
    let mut policy = Policy::default();
    policy.reveal.add("all");
    let mut timeline = build_timeline(&lines, policy);
    timeline.revealed = all.clone();
    let page = assert_inert(&page_of(&timeline));
    for hostile in HOSTILE {
        assert!(page.text.contains(hostile), "it is there, as text: {hostile}");
    }
    let labels: String = page.values("aria-label").collect();
    assert!(labels.contains(HOSTILE[0]), "the states have a label: {labels}");
}

/// Returns the classes of the rectangles, lines and circles of a page.
fn shapes(page: &ParsedPage, class: &str) -> usize {
    let shapes = page.tags.iter().filter(|(tag, attributes)| {
        ["rect", "line", "circle", "polyline"].contains(&tag.as_str())
            && attributes.iter().any(|(name, value)| name == "class" && value == class)
    });
    shapes.count()
}

#[test]
fn the_picture_shows_what_happened() {
    let page = assert_inert(&page_of(&build_timeline(&both().concat(), Policy::default())));
    let legend = |class| usize::from(shapes(&page, class) > 0);
    assert_eq!(shapes(&page, "toolok") - legend("toolok"), 1, "the tool that succeeded");
    assert_eq!(shapes(&page, "toolbad") - legend("toolbad"), 1, "the tool that failed");
    assert_eq!(shapes(&page, "caller") - legend("caller"), 1);
    assert!(shapes(&page, "nav") > 0 && shapes(&page, "tts") > 0, "the parts of the turn");
    assert!(shapes(&page, "gap") > 0 && shapes(&page, "gap possible") > 0, "both kinds of gaps");
    let labels: Vec<_> = page.values("aria-label").collect();
    for expected in [
        "2 tool calls, 1 failed",
        "States: greeting, triage",
        "Time to first audio of 1 turn, at most 781 ms",
        "navigation 81 ms, render 174 ms, model 270 ms, speech 257 ms",
    ] {
        assert!(labels.iter().any(|label| label.contains(expected)), "{expected}: {labels:?}");
    }
    let target = page.values("href").next().expect("a link").trim_start_matches('#').to_owned();
    assert!(page.values("id").any(|id| id == target), "a click leads to the entry");
    for text in ["p50", "p95", "Conversation", "18 events"] {
        assert!(page.text.contains(text), "{text}");
    }
    assert!(!page.text.contains("Jane Roe") && !page.text.contains("2025550123"));
}

#[test]
fn a_tool_takes_from_its_call_to_its_answer() {
    let lines = [
        workspace(0, started(SID)),
        tool(10_000, "t1", None, "find_patient"),
        answered(30_000, "t1", "find_patient", true),
        workspace(100_000, ended(SID)),
    ];
    let page = page_of(&build_timeline(&lines.concat(), Policy::default()));
    assert!(page.contains("<rect class=\"toolok\" x=\"10%\" y=\"4\" width=\"20%\""), "{page}");
}

#[test]
fn recordings_of_one_stream_have_a_page() {
    let [one, two] = both();
    let page = assert_inert(&page_of(&build_timeline(&one, Policy::default())));
    assert!(page.text.contains("escalated by ai") && !page.text.contains("Latency of each turn"));
    assert!(page.text.contains("Gaps1") || page.text.contains("▲ 1"), "the gap is counted");
    let page = assert_inert(&page_of(&build_timeline(&two, Policy::default())));
    assert!(page.text.contains("Latency of each turn"));
    let timeless = format!("{}\n", json!({"event_type": "call.started", "call_sid": SID}));
    let page = assert_inert(&page_of(&build_timeline(&timeless, Policy::default())));
    assert!(page.text.contains("The events have no times to draw."), "{}", page.text);
}

#[test]
fn a_page_of_a_huge_call_is_small_and_says_what_is_left_out() {
    let mut lines = workspace(0, started(SID));
    let long = "word ".repeat(2000);
    lines += &observer(0, SID, json!({"event_type": "user_transcript", "transcript": long}));
    for number in 0..20_000 {
        let at = number * 50;
        let id = format!("t{number}");
        lines += &observer(at, SID, json!({"event_type": "user_transcript", "transcript": "yes"}));
        lines += &tool(at + 10, &id, None, "find_patient");
        lines += &answered(at + 20, &id, "find_patient", number % 100 > 0);
        lines += &observer(
            at + 30,
            SID,
            json!({"event_type": "latency", "e2e_ttfb_ms": 700 + number % 90, "engine_ms": 500, "nav_ms": 80, "render_ms": 170, "audio_ttfb_ms": 250}),
        );
        lines += &observer(
            at + 40,
            SID,
            json!({"event_type": "emotion", "valence": 0.3, "arousal": 0.2, "dominant": "calm"}),
        );
    }
    let mut policy = Policy::default();
    policy.reveal.add("all");
    let page = page_of(&build_timeline(&lines, policy));
    assert!(page.len() < 2 << 20, "{} bytes", page.len());
    let page = assert_inert(&page);
    assert!(page.count("rect") < 3000, "{} rectangles", page.count("rect"));
    for left_out in [
        "neighbours are drawn as one",
        "faster turns are left out",
        "entries are left out here",
        "events are left out here",
        "more bytes)",
    ] {
        assert!(page.text.contains(left_out), "{left_out}");
    }
}

#[tokio::test]
async fn a_page_takes_recordings_and_directories() {
    let [one, two] = both();
    let run = |paths: &str| {
        let run = evtap(&format!("timeline {SID} {paths} -o html"));
        std::fs::create_dir_all(run.path("day")).expect("a directory");
        run.file("day/one.ndjson", one.clone()).file("day/two.ndjson", two.clone()).run()
    };
    let files = run("day/one.ndjson day/two.ndjson").await.ended(0);
    assert_eq!(run("day").await.ended(0), files);
    assert_inert(&files);
    assert!(files.contains("records_search"));
}

/// Leaves pictures in `evtap-page` in the directory for temporary files: `cargo test --test it
/// the_page_in_a_browser -- --ignored`.
#[test]
#[ignore = "needs chromium, and somebody who looks at the pictures"]
fn the_page_in_a_browser() {
    if !tools::available(&["chromium"]) {
        return;
    }
    let dir = std::env::temp_dir().join("evtap-page");
    std::fs::create_dir_all(&dir).expect("a directory");
    let (page, profile) = (dir.join("call.html"), tempfile::tempdir().expect("a directory"));
    std::fs::write(&page, page_of(&build_timeline(&both().concat(), Policy::default())))
        .expect("a file");
    let chromium = |options: &[&str]| {
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
        ];
        let more =
            ["--disable-background-networking", "--disable-component-update", "--hide-scrollbars"];
        let mut command = Command::new("chromium");
        command
            .args(flags)
            .args(more)
            .args(options)
            .arg(format!("--user-data-dir={}", profile.path().display()));
        let ran =
            command.arg(format!("file://{}", page.display())).output().expect("chromium runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    let document = chromium(&["--dump-dom"]);
    assert!(
        document.contains("find_patient") && document.matches("<tr").count() > 10,
        "{document}"
    );
    for (name, options) in [
        ("wide", &["--window-size=1440,1800"][..]),
        ("narrow", &["--window-size=500,3000"]),
        (
            "dark",
            &[
                "--window-size=1440,1800",
                "--force-dark-mode",
                "--blink-settings=preferredColorScheme=0",
            ],
        ),
    ] {
        let picture = dir.join(format!("{name}.png"));
        chromium(&[&[format!("--screenshot={}", picture.display()).as_str()], options].concat());
        assert!(std::fs::metadata(&picture).is_ok_and(|file| file.len() > 10_000));
    }
    let print = dir.join("call.pdf");
    chromium(&[&format!("--print-to-pdf={}", print.display())]);
    assert!(std::fs::metadata(&print).is_ok_and(|file| file.len() > 5_000));
}
