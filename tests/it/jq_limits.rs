//! What jq programs may do on one event, whatever the event contains, and what they print.

use crate::support::{evtap, types};

const GOOD: &str = r#"{"event_type":"call.ended","call_sid":"CA1","completion_reason":"completed","direction":"inbound","duration_seconds":3.5,"_tap":{"time":"2026-05-05T10:00:00Z"}}"#;

/// Returns a recording of an event whose `reason` is `text`, between two events without one.
fn with_reason(text: &str) -> String {
    let hostile = format!(
        r#"{{"event_type":"call.escalated","call_sid":"CA1","escalation_id":"x","reason":"{text}","trigger":"caller","_tap":{{"time":"2026-05-05T10:00:01Z"}}}}"#
    );
    format!("{GOOD}\n{hostile}\n{GOOD}\n")
}

/// Programs that would overflow the stack, allocate without limit or not end, each with the text
/// that makes them do so.
fn hostile() -> [(&'static str, String); 5] {
    [
        ("fromjson", "[".repeat(900_000)),
        ("fromjson | [paths]", "[".repeat(9_000) + &"]".repeat(9_000)),
        ("\"#\" * tonumber", "1999999999".to_owned()),
        ("[range(tonumber)]", "99999999999".to_owned()),
        ("[., .] | until(false; . + .)", "x".repeat(100_000)),
    ]
}

#[tokio::test]
async fn a_hostile_event_is_a_failure_of_the_expression_and_the_run_goes_on() {
    for (program, text) in hostile() {
        let recording = with_reason(&text);
        let source = format!("if .reason then .reason | {program} | true else true end");
        for (command, option) in [
            ("replay - --no-check --threads 1", "--filter"),
            ("replay - --no-check -o ndjson", "--fail-if"),
            ("replay - --no-check", "--jq"),
            ("stats - --no-check", "--group-by"),
        ] {
            let source = match option {
                "--fail-if" => format!("{source} | not"),
                _ => source.clone(),
            };
            let run = evtap(command).arg(option).arg(&source).stdin(recording.clone()).run().await;
            let stderr = run.stderr();
            assert_eq!(run.status(), 0, "{command} {option} {source}: {stderr}");
            assert!(stderr.contains("fails on call.escalated: "), "{option} {source}: {stderr}");
            let stdout = run.stdout();
            match option {
                "--filter" => assert_eq!(types(&stdout), ["call.ended", "call.ended"], "{source}"),
                "--fail-if" => assert_eq!(types(&stdout).len(), 3, "{source}"),
                "--jq" => assert_eq!(stdout, "true\ntrue\n", "{source}"),
                _ => assert!(stdout.contains("true"), "{source}: {stdout}"),
            }
        }
    }
}

#[tokio::test]
async fn an_expression_that_never_ends_is_rejected() {
    for options in [["-f", "[repeat(1)] | true"], ["-q", "def f: f; f"]] {
        let run = evtap("replay -").arg(options[0]).arg(options[1]).stdin(GOOD).run().await;
        assert_eq!(run.status(), 2);
        assert!(run.stderr().contains("look for an endless loop in it"), "{}", run.stderr());
    }
}

#[tokio::test]
async fn jq_programs_print_only_json() {
    for (program, printed) in [
        ("{(.duration_seconds): 1}", ""),
        ("{(null, true, [], {}): 1}", ""),
        ("\"+5.43\" | tonumber", "5.43\n"),
        ("\".5\" | tonumber", "0.5\n"),
        ("\"nan\" | tonumber", "null\n"),
        ("[nan, infinite, -infinite]", "[null,1.7976931348623157e+308,-1.7976931348623157e+308]\n"),
        (
            "1e1000, 1.50, 100000000000000000000000001",
            "1E+1000\n1.50\n100000000000000000000000001\n",
        ),
        ("\"/w==\" | @base64d", "\"\u{fffd}\"\n"),
        ("[128] | implode | explode", "[128]\n"),
        (".duration_seconds / 0", ""),
    ] {
        let run = evtap("replay - --no-check").arg("-q").arg(program).stdin(GOOD).run().await;
        assert_eq!(run.stdout(), printed, "{program}: {}", run.stderr());
        assert_eq!(run.stderr().contains("--jq fails on"), printed.is_empty(), "{program}");
        for line in run.stdout().lines() {
            assert!(serde_json::from_str::<&serde_json::value::RawValue>(line).is_ok(), "{line}");
        }
    }
    let unknown = evtap("replay -").arg("-q").arg("\"a\" | tobytes").stdin(GOOD).run().await;
    assert_eq!(unknown.status(), 2);
}
