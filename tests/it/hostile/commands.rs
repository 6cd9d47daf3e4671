//! Every command stays below the memory limit on one corpus of hostile events, whatever it keeps.

use std::io::Write;

use super::{Endless, LAST, MIB, endless, run_against, run_limited, write_all};
use crate::support::STREAM;

/// The call that most events belong to.
const SID: &str = "CA00000000000000000000000000000001";

/// Writes events that are as large, as many or as different as a stream can make them, one kind for
/// each thing that a command keeps.
pub fn corpus(out: &mut dyn Write) {
    let mut line = |text: &str| write_all(out, [text.as_bytes(), b"\n"].concat().as_slice());
    line(&"x".repeat(3 * MIB));
    line(&"[".repeat(100_000));
    line(&"{\"a\":".repeat(100_000));
    // Fields and names that no event has.
    let keys: Vec<_> = (0..20_000).map(|key| format!("\"{}\":1", letters(key))).collect();
    line(&format!("{{\"event_type\":\"call.started\",\"call_sid\":\"{SID}\",{}}}", keys.join(",")));
    for number in 0..1000 {
        let name = letters(number);
        line(&format!(
            r#"{{"event_type":"{name}.{name}","call_sid":"{SID}","{name}":{{"{name}":1}}}}"#
        ));
    }
    // Calls, with long reasons for their ends.
    long_outcomes(40, out);
    let mut line = |text: &str| write_all(out, [text.as_bytes(), b"\n"].concat().as_slice());
    // One endless utterance, utterances, tool calls, operators, triggers and gaps of one call.
    let long = "word ".repeat(10_000);
    let tap = format!(r#""_tap":{{"stream":"observer","call_sid":"{SID}"}}"#);
    for number in 0..60 {
        line(&format!(r#"{{"event_type":"agent_transcript_delta","delta":"{long}",{tap}}}"#));
        line(&format!(r#"{{"event_type":"user_transcript","transcript":"{long}",{tap}}}"#));
        line(&format!(
            r#"{{"event_type":"tool_call_completed","call_id":"{number}","tool_name":"{long}","error_message":"{long}","succeeded":false,{tap}}}"#
        ));
        line(&format!(
            r#"{{"event_type":"operator.joined_call","call_sid":"{SID}","operator_id":"{number:08}-0000-4000-8000-000000000000","mode":"{long}"}}"#
        ));
        line(&format!(r#"{{"event_type":"trigger.fired","trigger_name":"{number}{long}"}}"#));
        line(&format!(
            r#"{{"event_type":"tap.gap","from":"2026-05-05T09:00:00Z","to":"2026-05-05T10:00:00Z","certain":true,"reason":"{long}","_tap":{{"stream":"workspace"}}}}"#
        ));
    }
    line(LAST);
}

/// Writes calls that end for a reason of almost a megabyte each.
fn long_outcomes(calls: usize, out: &mut dyn Write) {
    let reason = "x".repeat(900_000);
    for number in 0..calls {
        let line = format!(
            r#"{{"event_type":"call.ended","call_sid":"CA{number:032}","completion_reason":"{reason}"}}"#
        );
        write_all(out, format!("{line}\n").as_bytes());
    }
}

/// Returns a number as letters, since a name with many digits is masked.
fn letters(number: usize) -> String {
    format!("{number:05}").bytes().map(|digit| char::from(digit + b'a' - b'0')).collect()
}

fn run(line: &str, status: i32) -> String {
    let result = run_limited(line, "", corpus);
    assert_eq!(result.status, status, "{line}: {}", result.stderr);
    result.stdout
}

#[test]
fn replays_of_the_corpus_stay_below_the_memory_limit() {
    assert!(run("replay - --reveal all -o json", 0).contains("the last"));
    assert!(run("replay - --reveal all -o pretty --wrap --stats", 0).contains("the last"));
    let met = run("expect --replay - --then '.session_id == \"the last\"'", 0);
    assert!(met.starts_with("met"), "{met}");
}

#[test]
fn statistics_of_the_corpus_stay_below_the_memory_limit() {
    assert!(run("stats - --reveal all", 0).contains("events"));
    let page = run("stats - --reveal all -o html --no-check --group-by '.[]'", 0);
    assert!(page.len() < MIB, "{} bytes", page.len());
    run("stats - --reveal all -o json --every 1s --group-by '.[]'", 0);
    let findings = run("audit - -o json", 7);
    assert!(findings.contains("\"events\":"), "{}", &findings[..200]);
}

#[test]
fn timelines_of_the_corpus_stay_below_the_memory_limit() {
    let list = run_limited("timeline -", "", |out| long_outcomes(110, out));
    assert_eq!((list.status, list.stdout.lines().count()), (0, 111), "{}", list.stderr);
    assert!(list.stdout.len() < MIB && list.most < 64 << 10, "{} KiB", list.most);
    run("timeline - --reveal all -o json", 0);
    for format in ["text", "json", "html"] {
        let page = run(&format!("timeline {SID} - --reveal all -o {format} --status none"), 0);
        assert!(page.contains("word word"), "{format}");
        assert!(format != "html" || page.len() < 16 * MIB, "{} bytes", page.len());
    }
}

/// States, turns, steps and calls without end, and what is left out is counted.
#[test]
fn a_comparison_of_many_states_calls_and_turns_stays_below_the_memory_limit() {
    let long = "s".repeat(150);
    let states = run_limited("diff - /dev/null -o json", "", |out| {
        for number in 0..100_000_usize {
            let state = letters(number);
            let line = format!(
                r#"{{"event_type":"state_transition","call_sid":"CA1","next_state":"{state}{long}"}}"#
            );
            write_all(out, format!("{line}\n").as_bytes());
        }
    });
    let calls = run_limited("diff /dev/null - -o html", "", |out| {
        for number in 0..200_000 {
            let sid = format!("CA{number:032}");
            let line = format!(
                r#"{{"event_type":"session_start","call_sid":"{sid}","initial_state":"{long}"}}"#
            );
            write_all(out, format!("{line}\n").as_bytes());
        }
    });
    // The first audio of each turn takes longer, in one call and in one state.
    let turns = run_limited("diff - /dev/null", "", |out| {
        for number in 0..300_000_u64 {
            let line =
                format!(r#"{{"event_type":"latency","call_sid":"CA1","e2e_ttfb_ms":{number}}}"#);
            write_all(out, format!("{line}\n").as_bytes());
        }
    });
    assert_eq!((states.status, calls.status, turns.status), (0, 0, 0), "{}", states.stderr);
    let json: serde_json::Value = serde_json::from_str(&states.stdout).expect("JSON");
    assert!(json["a"]["left_out"].as_u64().is_some_and(|left_out| left_out > 10_000));
    assert!(calls.stdout.contains("measurements left out to limit memory"));
    assert!(turns.stdout.contains("A lacks"), "{}", turns.stdout);
}

/// Durations of every magnitude in eight intervals at once, each for many tools and groups.
#[test]
fn a_series_of_many_groups_stays_below_the_memory_limit() {
    let result = run_limited("stats - -o json --every 1s --group-by .tool_name", "", |out| {
        for number in 0..180_000_u64 {
            // The durations of a tool in an interval are spread over ten days.
            let millis = 1_u64 << (number / 640 % 30);
            let line = format!(
                r#"{{"event_type":"tool_call_completed","tool_name":"{}","duration_ms":{millis},"_tap":{{"time":"2026-05-05T09:00:0{}Z"}}}}"#,
                letters(usize::try_from(number % 640 / 8).expect("small")),
                number % 8
            );
            write_all(out, format!("{line}\n").as_bytes());
        }
    });
    assert_eq!(result.status, 0, "{}", result.stderr);
}

#[tokio::test]
async fn live_commands_stay_below_the_memory_limit() {
    let workspace = evtap::emulator::DEMO_WORKSPACE;
    let until = "--until '.session_id == \"the last\"'";
    let reason = "x".repeat(900_000);
    let data = format!(r#"{{"event_type":"call.ended","completion_reason":"{reason}"}}"#);
    let frame = format!("event: call.ended\ndata: {data}\n\n").into_bytes();
    let last = format!("id: 7\nevent: text.started\ndata: {LAST}\n\n").into_bytes();
    for line in [
        format!("watch -w {workspace} --reveal all -o cloudevents {until}"),
        format!("stats -w {workspace} --reveal all {until}"),
        format!("expect -w {workspace} --then '.session_id == \"the last\"'"),
    ] {
        let server = endless(STREAM.into(), frame.clone(), 64, last.clone()).await;
        let result = run_against(line.clone(), server).await;
        assert_eq!(result.status, 0, "{line}: {}", result.stderr);
    }
    let server = endless(STREAM.into(), frame, 64, last).await;
    let Endless { base, .. } = &server;
    let line = format!("frames {base}/v1/events --reveal all -n 65");
    let result = run_against(line.clone(), server).await;
    assert_eq!(result.status, 0, "{line}: {}", result.stderr);
}
