//! Filters, jq programs, output formats, stop conditions and expectations, as people type them.

use evtap::internals::output::list_formats;

use crate::support::{emulator, evtap, fast, types, watch};

const DAY: &str = concat!(
    r#"{"event_type":"call.started","call_sid":"CA1","caller_id":"+13035550161","direction":"inbound","service_id":"s","_tap":{"time":"2026-05-05T10:00:00Z"}}"#,
    "\n",
    r#"{"event_type":"surface.created","surface_id":"u","entity_id":"e","channel":"sms","_tap":{"time":"2026-05-05T10:00:10Z"}}"#,
    "\n",
    r#"{"event_type":"call.escalated","call_sid":"CA1","escalation_id":"x","reason":"wants a Refill, now","trigger":"caller","_tap":{"time":"2026-05-05T10:01:00Z"}}"#,
    "\n",
    r#"{"event_type":"call.ended","call_sid":"CA1","completion_reason":"completed","direction":"inbound","duration_seconds":90.50,"_tap":{"time":"2026-05-05T10:01:30Z"}}"#,
    "\n",
    r#"{"event_type":"call.ended","call_sid":"CA2","completion_reason":"error","direction":"outbound","duration_seconds":3,"_tap":{"time":"2026-05-05T10:02:00Z"}}"#,
    "\n",
);

/// Replays [`DAY`] with options that may contain white space. Returns stdout.
async fn replay_day(options: &[&str]) -> String {
    options
        .iter()
        .fold(evtap("replay -"), |run, option| run.arg(option))
        .stdin(DAY)
        .run()
        .await
        .ended(0)
}

async fn event_types(options: &[&str]) -> Vec<String> {
    types(&replay_day(options).await)
}

#[tokio::test]
async fn every_filter_must_match() {
    assert_eq!(event_types(&["-f", ".duration_seconds > 60"]).await, ["call.ended"]);
    assert_eq!(
        event_types(&[
            "-f",
            ".direction == \"inbound\"",
            "--filter",
            ".event_type == \"call.ended\""
        ])
        .await,
        ["call.ended"]
    );
    assert_eq!(
        event_types(&[
            "-f",
            ".call_sid == $sid and .event_type == \"call.ended\"",
            "--arg",
            "sid",
            "CA2"
        ])
        .await,
        ["call.ended"]
    );
    assert_eq!(
        event_types(&["-f", ".duration_seconds == $d", "--argjson", "d", "3.0"]).await,
        ["call.ended"]
    );
    assert_eq!(
        event_types(&["-f", "[.[]] | length > 5 and (.[0] | test(\"^call\"))"]).await.len(),
        4,
        "on jaq"
    );
    let from_file = evtap("replay - --filter-file f.jq")
        .file("f.jq", "# long calls\n.duration_seconds > 60\n")
        .stdin(DAY)
        .run()
        .await;
    assert_eq!(types(&from_file.ended(0)), ["call.ended"]);
}

#[tokio::test]
async fn globs_select_types_and_grep_searches_text() {
    assert_eq!(event_types(&["-e", "call.*"]).await.len(), 4);
    assert_eq!(
        event_types(&["-e", "{surface.created,call.escalated}"]).await,
        ["surface.created", "call.escalated"]
    );
    assert_eq!(
        event_types(&["-e", "call.*", "-E", "*.ended"]).await,
        ["call.started", "call.escalated"]
    );
    assert_eq!(event_types(&["--grep", "refill"]).await, ["call.escalated"]);
    assert_eq!(
        event_types(&["--grep", "REFILL"]).await,
        Vec::<String>::new(),
        "capitals matter where there are any"
    );
    assert_eq!(
        event_types(&["--grep", "redacted|3035550161"]).await,
        Vec::<String>::new(),
        "neither what is hidden nor the mask is text"
    );
    let marked = replay_day(&["--grep", "refill", "-o", "pretty", "--color", "always"]).await;
    assert!(marked.contains("wants a \u{1b}[43;30mRefill\u{1b}[0m"), "{marked:?}");
}

#[tokio::test]
async fn filtering_a_recording_equals_filtering_the_stream() {
    let whole = replay_day(&[]).await;
    let filter = ".event_type == \"call.ended\"";
    let then = evtap("replay -").arg("-f").arg(filter).stdin(whole).run().await.ended(0);
    assert_eq!(then, replay_day(&["-f", filter]).await);
}

#[tokio::test]
async fn jq_programs_print_their_outputs() {
    assert_eq!(replay_day(&["-q", ".event_type, 1", "-n", "1"]).await, "\"call.started\"\n1\n");
    assert_eq!(
        replay_day(&["-r", "-q", "\"\\(.call_sid // \"-\") \\(.caller_id // \"-\")\"", "-n", "1"])
            .await,
        "CA1 [redacted]\n"
    );
    assert_eq!(
        replay_day(&["-q", "select(.event_type == \"call.ended\") | .duration_seconds * 2"]).await,
        "181\n6\n"
    );
    assert_eq!(
        replay_day(&["-q", "{c: .call_sid, t: ._tap.time}", "-e", "surface.*"]).await,
        "{\"c\":null,\"t\":\"2026-05-05T10:00:10Z\"}\n"
    );
}

#[tokio::test]
async fn tables_templates_and_selected_fields() {
    assert_eq!(
        replay_day(&["--fields", "call_sid,_tap.time,gone", "--no-check", "-n", "1"]).await,
        "{\"call_sid\":\"CA1\",\"_tap.time\":\"2026-05-05T10:00:00Z\"}\n"
    );
    let csv =
        replay_day(&["-o", "csv", "--fields", "event_type,reason,duration_seconds,caller_id"])
            .await;
    assert_eq!(
        csv,
        "event_type,reason,duration_seconds,caller_id\r\ncall.started,,,[redacted]\r\nsurface.created,,,\r\ncall.escalated,\"wants a Refill, now\",,\r\ncall.ended,,90.50,\r\ncall.ended,,3,\r\n"
    );
    assert!(
        replay_day(&["-o", "tsv", "--fields", "event_type,reason"])
            .await
            .contains("call.escalated\twants a Refill, now\n")
    );
    assert_eq!(
        replay_day(&["-o", "csv", "--fields", "call_sid", "-f", "false", "--no-check"]).await,
        "call_sid\r\n",
        "names, be there events or not"
    );
    let usual = replay_day(&["-o", "csv", "-n", "1"]).await;
    assert!(usual.starts_with("event_type,_tap.time,_tap.id,_tap.stream,_tap.workspace_id,call_sid,payload\r\ncall.started,2026-05-05T10:00:00Z,,,,CA1,"), "{usual}");
    assert_eq!(
        replay_day(&[
            "-o",
            "template={{ event_type }} {{ caller_id }}{% if duration_seconds %} {{ duration_seconds }}{% endif %}",
            "-n",
            "1"
        ])
        .await,
        "call.started [redacted]\n"
    );
    let pretty = replay_day(&["-o", "pretty", "--fields", "call_sid,direction", "-n", "1"]).await;
    assert!(pretty.trim_end().ends_with("call_sid=CA1 direction=inbound"), "{pretty}");
}

#[tokio::test]
async fn stop_conditions_decide_the_exit_status() {
    let run = |options: &'static [&str]| {
        options.iter().fold(evtap("replay -"), |run, option| run.arg(option)).stdin(DAY).run()
    };
    let until = run(&["--until", ".event_type == \"call.ended\" and .call_sid == \"CA1\""]).await;
    assert_eq!(types(&until.ended(0)).len(), 4, "the event that ends it is shown");
    let never = run(&["--until", ".event_type == \"text.started\""]).await;
    assert_eq!(
        (never.status(), never.stderr().contains("no event matched --until")),
        (7, true),
        "{}",
        never.stderr()
    );
    let failed =
        run(&["--until", ".call_sid == \"CA2\"", "--fail-if", ".event_type == \"call.escalated\""])
            .await;
    assert_eq!((failed.status(), types(&failed.stdout()).len()), (7, 3));
    assert!(failed.stderr().contains("an event matched --fail-if"));
    let filtered = run(&["--until", ".call_sid == \"CA2\"", "-e", "surface.*"]).await;
    assert_eq!(
        types(&filtered.ended(0)),
        ["surface.created"],
        "a filter hides nothing from --until"
    );
}

#[tokio::test]
async fn status_0_with_until_means_that_an_event_matched() {
    const NEVER: &str = ".call_sid == \"CA9\"";
    const SECOND: &str = ".event_type == \"call.escalated\"";
    for (options, shown, status, message) in [
        (&["--until", NEVER, "-n", "2"][..], 2, 7, "no event matched --until\n"),
        (&["--until", NEVER, "-n", "0"], 0, 7, "no event matched --until\n"),
        (&["--until", NEVER, "--fail-if", NEVER, "-n", "2"], 2, 7, "no event matched --until\n"),
        (&["--until", NEVER, "-f", "false", "--no-check"], 0, 7, "no event matched --until\n"),
        (&["--until", SECOND, "-n", "3"], 3, 0, ""),
        (&["--until", SECOND, "-n", "2"], 2, 7, "no event matched --until\n"),
        (&["--fail-if", SECOND, "-n", "2"], 2, 0, ""),
        (&["--fail-if", SECOND, "-n", "3"], 3, 7, "an event matched --fail-if\n"),
        (&["--fail-if", NEVER, "-n", "0"], 0, 0, ""),
        (&["--until", SECOND, "--fail-if", NEVER, "-n", "3"], 3, 0, ""),
        (
            &["--until", SECOND, "--fail-if", SECOND, "-n", "3"],
            3,
            7,
            "an event matched --fail-if\n",
        ),
    ] {
        let run = options.iter().fold(evtap("replay -"), |run, option| run.arg(option));
        let ran = run.stdin(DAY).run().await;
        assert_eq!(types(&ran.ended(status)).len(), shown, "{options:?}");
        assert_eq!(ran.stderr().trim_start_matches("evtap: "), message, "{options:?}");
    }
}

#[tokio::test]
async fn a_closed_pipe_does_not_change_what_a_condition_decided() {
    for (options, status) in [
        (&["--until", ".call_sid == \"CA9\""][..], 7),
        (&["--until", ".event_type == \"call.escalated\""], 0),
        (&["--fail-if", ".event_type == \"call.escalated\""], 7),
        (&["--fail-if", ".call_sid == \"CA9\""], 0),
    ] {
        let run = options.iter().fold(evtap("replay -"), |run, option| run.arg(option));
        let run = run.stdin(DAY).stdin_stays_open();
        // The events are on their way, or still to be read, when the pipe is closed.
        let (exit, _) = run.start().close_stdout().await;
        assert_eq!(exit, status, "{options:?}");
    }
}

#[tokio::test]
async fn notices_of_evtap_do_not_count_towards_the_limit() {
    let gap = "{\"event_type\":\"tap.gap\",\"certain\":true,\"reason\":\"away_too_long\"}\n";
    let malformed = "{\n";
    let stdin = format!("{gap}{malformed}{gap}{gap}{DAY}");
    let ran = evtap("replay - -n 2 --status none").stdin(stdin.clone()).run().await;
    assert_eq!(
        types(&ran.ended(0)),
        ["tap.gap", "tap.malformed", "tap.gap", "tap.gap", "call.started"]
    );
    let base = emulator(fast()).await;
    let ran = watch(&base, "-n 1 --status inline").run().await;
    let types = types(&ran.ended(0));
    assert_eq!((types.len(), &*types[0]), (2, "tap.connected"));
}

#[tokio::test]
async fn only_events_that_pass_the_filter_postpone_the_idle_timeout() {
    let base = emulator(fast()).await;
    // The clinic sends events all the time, none of which passes.
    let idle = watch(&base, "-e tap.malformed --idle-timeout 300ms").run().await;
    assert_eq!(idle.ended(0), "");
}

#[tokio::test]
async fn durations_and_idle_timeouts_end_the_run() {
    let base = emulator(fast()).await;
    let late = watch(&base, "-n 0 --status none").run().await;
    late.ended(0);
    let late = watch(&base, "--duration 100ms")
        .arg("--until")
        .arg("._tap.stream == \"observer\"")
        .arg("-f")
        .arg("false")
        .arg("--no-check")
        .run()
        .await;
    assert_eq!(late.status(), 7);
    watch(&base, "--duration 100ms").run().await.ended(0);
    // Leaves time for the five events to arrive on a busy machine. After them nothing comes.
    let idle = evtap("replay - --idle-timeout 1s").stdin(DAY).stdin_stays_open().run().await;
    assert_eq!(types(&idle.ended(0)).len(), 5);
}

#[tokio::test]
async fn expectations_are_met_in_order_and_within_their_time() {
    let expect = |steps: &'static [&str]| {
        steps
            .iter()
            .fold(evtap("expect --replay -"), |run, step| run.arg("--then").arg(step))
            .stdin(DAY)
            .run()
    };
    let met = expect(&[
        ".event_type == \"call.started\"",
        "within 2m .event_type == \"call.ended\" and .completion_reason == \"completed\"",
    ])
    .await
    .ended(0);
    assert_eq!(
        met,
        concat!(
            "met             0.000 s                .event_type == \"call.started\"\n",
            "met            90.000 s within 120s    .event_type == \"call.ended\" and .completion_reason == \"completed\"\n"
        )
    );
    let late = expect(&[
        ".event_type == \"call.started\"",
        "within 30s .event_type == \"call.ended\"",
        ".call_sid == \"CA2\"",
    ])
    .await;
    assert_eq!(late.status(), 7);
    assert_eq!(
        late.stdout()
            .lines()
            .map(|line| line.split("  ").next().unwrap_or_default())
            .collect::<Vec<_>>(),
        ["met", "not met", "not reached"]
    );
    assert_eq!(
        expect(&[".call_sid == \"CA2\"", ".call_sid == \"CA1\""]).await.status(),
        7,
        "the order matters"
    );
    let masked = expect(&["(.caller_id // \"\") | startswith(\"+1303\")"]).await;
    assert_eq!(masked.status(), 7, "it sees the mask");
    let masked = evtap("expect --replay - --reveal caller_id")
        .arg("--then")
        .arg(".caller_id == \"+13035550161\"")
        .stdin(DAY)
        .run()
        .await;
    masked.ended(0);
    assert!(
        masked.stderr().contains("hidden fields are shown (--reveal): caller_id"),
        "{}",
        masked.stderr()
    );
    let steps = "# a call comes in and ends\n\n.event_type == \"call.started\"\nwithin 5m .event_type == \"call.ended\"\n";
    evtap("expect replay_day.expect --replay -")
        .file("replay_day.expect", steps)
        .stdin(DAY)
        .run()
        .await
        .ended(0);
    let base = emulator(fast()).await;
    let live = evtap("expect -w d3300000-0000-4000-8000-000000000001")
        .at(&base)
        .arg("--then")
        .arg("within 1h .event_type == \"call.ended\"")
        .run()
        .await;
    live.ended(0);
}

#[tokio::test]
async fn mistakes_in_options_exit_with_2_before_connecting() {
    for (options, expected) in [
        (&["-f", ".durations > 60"][..], "no event has `.durations`"),
        (&["-f", ".event_type == \"call.end\""], "did you mean call.ended"),
        (&["--until", ".direction == \"in\""], "it can be inbound, outbound"),
        (&["--fail-if", ".a ="], "cannot read --fail-if"),
        (&["-q", ".evnt_type"], "cannot use --jq: no event has `.evnt_type`"),
        (&["-e", "cal.*"], "did you mean call.*?"),
        (&["-e", "call.{"], "invalid glob pattern"),
        (&["--grep", "("], "invalid regular expression"),
        (&["--argjson", "x", "{"], "its value is not JSON"),
        (&["-f", ".call_sid == $sid"], "give it with --arg sid VALUE"),
        (&["--duration", "soon"], "invalid duration"),
        (&["-o", "xml"], &format!("give {}", list_formats(""))),
        (&["-o", "template={{"], "invalid Jinja syntax"),
        (&["--filter-file", "none.jq"], "no such file"),
        (&["-q", ".", "-o", "csv"], "they exclude each other"),
    ] {
        // Nothing listens on the port: a connection would fail with another message.
        let run = options
            .iter()
            .fold(watch("http://127.0.0.1:9", ""), |run, option| run.arg(option))
            .run()
            .await;
        assert_eq!(run.status(), 2, "{options:?}: {}", run.stderr());
        assert!(run.stderr().contains(expected), "{options:?}: {}", run.stderr());
        assert!(run.stdout().is_empty());
    }
    let unchecked =
        evtap("replay - --no-check").arg("-f").arg(".durations > 60").stdin(DAY).run().await;
    assert_eq!(unchecked.ended(0), "");
}

#[tokio::test]
async fn a_failing_filter_is_reported_once_and_does_not_end_the_run() {
    let run = evtap("replay -")
        .arg("-f")
        .arg("(.reason | test(\"now\")) and true")
        .stdin(DAY)
        .run()
        .await;
    assert_eq!(types(&run.ended(0)), ["call.escalated"]);
    assert_eq!(run.stderr().matches("--filter fails on").count(), 1, "{}", run.stderr());
    assert!(run.stderr().contains("expressions failed 4 times"), "{}", run.stderr());
}
