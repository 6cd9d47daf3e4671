//! A timeline is byte for byte the same with any number of threads.

use std::fmt::Write;

use serde_json::json;

use super::{OTHER, SID, ended, gap, observer, started, tool, workspace};
use crate::support::evtap;

fn session_info(sid: &str) -> String {
    format!("{{\"type\":\"session_info\",\"call_sid\":\"{sid}\"}}\n")
}

/// Returns `sid` with its third character as an escape.
fn escaped(sid: &str) -> String {
    format!("{}\\u{:04x}{}", &sid[..2], sid.as_bytes()[2], &sid[3..])
}

/// Returns a recording of several chunks. The events of the wanted call are everywhere in it: with
/// its SID in other spellings and fields, at the borders of chunks, and without any SID.
fn recording() -> String {
    let mut lines = workspace(0, started(SID));
    let bare = |text: &str| format!("{{\"type\":\"user_transcript\",\"transcript\":\"{text}\"}}\n");
    for number in 0..3000i64 {
        let at = number * 20;
        let other = format!("CA{:032x}", number % 700);
        lines += &workspace(at, started(&other));
        let says = |sid: &str| {
            observer(
                at + 3,
                sid,
                json!({"event_type": "agent_transcript", "transcript": format!("{number} é 😀")}),
            )
        };
        match number % 100 {
            7 => lines += &says(SID),
            17 => lines += &says(SID).replace(SID, &escaped(SID)).replace('\n', "\r\n"),
            27 => {
                lines += &workspace(
                    at - 500,
                    json!({"event_type": "surface.opened", "surface_id": SID, "note": SID}),
                );
            }
            37 => lines += &session_info(SID),
            38..58 => lines += &bare(&format!("bare {number}")),
            58 if number > 1500 => {
                lines += "{\"type\":\"session_end\",\"completion_reason\":\"bare end\"}\n";
            }
            59 => lines += &session_info(&other),
            60..63 => lines += &bare("of another call"),
            67 => lines += &says(OTHER),
            77 => lines += &tool(at, &format!("t{number}"), None, "find_patient"),
            87 if number < 1000 => lines += &gap(at, at + 900, (number < 500).then_some(SID)),
            88 => lines += "no JSON\n\n",
            97 => lines += &workspace(at, ended(&other)),
            _ => {}
        }
        // The border of a chunk moves through the lines of the call.
        if lines.len() % (1 << 18) > (1 << 18) - 700 {
            lines += &says(SID);
        }
    }
    let _ = write!(lines, "{}{}", workspace(70_000, ended(SID)), workspace(80_000, ended(OTHER)));
    lines
}

#[tokio::test]
async fn a_timeline_does_not_depend_on_the_number_of_threads() {
    let recording = recording();
    assert!(recording.len() > 3 << 18, "several chunks: {}", recording.len());
    let prefix = &SID[..20];
    let listed = "CA0000000000000000000000000000007b";
    for options in [
        format!("{SID} day.ndjson"),
        format!("{SID} day.ndjson -o json"),
        format!("{SID} day.ndjson -o html --reveal all"),
        format!("{SID} day.ndjson -o json -e agent_transcript --status json"),
        format!("{listed} day.ndjson -o json --redact transcript"),
        format!("{SID} day.ndjson --redact call_sid -o json"),
        // Several calls match, or none does.
        format!("{prefix} day.ndjson"),
        "CA00000000000000000000000000000 day.ndjson".to_owned(),
        "CA5f0c8d1f1d2e4b7a9c3d5e7f90123499 day.ndjson".to_owned(),
        "CAzzz day.ndjson".to_owned(),
        "day.ndjson".to_owned(),
        "day.ndjson -o json".to_owned(),
        "day.ndjson -o json -e session_info,session_end".to_owned(),
    ] {
        let run = |threads: usize| {
            let command = format!("timeline {options} --threads {threads}");
            evtap(&command).file("day.ndjson", &recording).run()
        };
        let (one, two, eight) = tokio::join!(run(1), run(2), run(8));
        for (threads, other) in [(2, two), (8, eight)] {
            assert_eq!(one.all(), other.all(), "{options} with {threads} threads");
            assert_eq!(one.status(), other.status(), "{options}");
        }
        let is_revealed = options.contains("--reveal all");
        assert!(!is_revealed || one.stdout().contains("bare 2838"), "{}", one.all());
    }
}

#[tokio::test]
async fn a_live_call_takes_no_number_of_threads() {
    let ran = evtap("timeline demo --threads 2").run().await;
    ran.ended(2);
    assert!(ran.stderr().contains("cannot use --threads"), "{}", ran.stderr());
}
