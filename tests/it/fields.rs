//! The names that `--fields`, templates and lists in options take.

use crate::support::evtap;

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
    let run = options.iter().fold(evtap("replay -"), |run, option| run.arg(option));
    run.stdin(DAY).run().await.ended(0)
}

#[tokio::test]
async fn fields_and_template_variables_are_checked_before_the_run() {
    for (options, why, advice) in [
        (&["--fields", "call_sidd"][..], "no event has `call_sidd`", "did you mean `call_sid` ("),
        (&["--fields", "event_type,.call_sid"], "a field has no dot", "did you mean call_sid?"),
        (&["--fields", "_tap.tme"], "`_tap` has no `tme`", "did you mean `_tap.time`?"),
        (&["--fields", "call_sid.x"], "`call_sid` is a string and has no `x`", "evtap schema"),
        (&["--fields", "*"], "it is not the name of a field", "--jq"),
        (&["--fields", "call_sid,"], "a name is empty", "call_sid,direction"),
        (&["--fields", ""], "a name is empty", "call_sid,direction"),
        (
            &["-o", "csv", "--fields", "call_sid,directoin"],
            "`directoin`",
            "did you mean `direction`",
        ),
        (
            &["-o", "template={{ call_sidd }}"],
            "no event has `call_sidd`",
            "did you mean `call_sid` (",
        ),
        (&["-o", "template={{ _tap.tme }}"], "`_tap` has no `tme`", "`_tap.time`"),
        (
            &["-o", "template={% if x %}{{ call_sid }}{% endif %}"],
            "no event has `x`",
            "evtap schema",
        ),
    ] {
        let run = options.iter().fold(evtap("replay -"), |run, option| run.arg(option));
        let ran = run.stdin(DAY).run().await;
        assert_eq!(ran.ended(2), "", "{options:?}");
        let message = ran.stderr();
        assert!(message.contains(why) && message.contains(advice), "{options:?}: {message}");
        let starts = ["evtap: cannot use --", "evtap: cannot use the template variable "];
        assert!(starts.iter().any(|start| message.starts_with(start)), "{message}");
    }
    for (options, expected) in [
        (
            &["--fields", "call_sid, direction"][..],
            "{\"call_sid\":\"CA1\",\"direction\":\"inbound\"}\n",
        ),
        (
            &["--fields", " call_sid ,_tap.time"],
            "{\"call_sid\":\"CA1\",\"_tap.time\":\"2026-05-05T10:00:00Z\"}\n",
        ),
        (&["--fields", "call_sidd,direction", "--no-check"], "{\"direction\":\"inbound\"}\n"),
        (
            &[
                "-o",
                "template={% set x = call_sid %}{% for i in range(2) %}{{ x }}{{ loop.index }} {% endfor %}",
            ],
            "CA11 CA12 \n",
        ),
        (&["-o", "template={{ call_sidd }}", "--no-check"], "\n"),
    ] {
        let first = [options, &["-n", "1"]].concat();
        assert_eq!(replay_day(&first).await, expected, "{options:?}");
    }
    // A field that only other events have is a likely mistake, but not an error.
    let ran = evtap("replay - --fields surface_id -e call.*").stdin(DAY).run().await;
    ran.ended(0);
    assert!(ran.stderr().contains("--fields surface_id may surprise"), "{}", ran.stderr());
}

#[tokio::test]
async fn fields_of_the_configuration_are_checked_too() {
    let wrong = "[profiles.a]\nfields = [\"call_sid\", \"directoin\"]\n";
    let ran = evtap("replay - --profile a").config(wrong).stdin(DAY).run().await;
    assert_eq!(ran.ended(2), "");
    let message = ran.stderr();
    assert!(
        message.contains("`directoin`")
            && message.contains("`direction`")
            && message.contains("line 2"),
        "{message}"
    );
    let ran = evtap("replay - -n 1").env("EVTAP_FIELDS", "call_sid,.direction").stdin(DAY).run();
    assert_eq!(ran.await.status(), 2);
    for fields in ["[\"call_sid\", \" direction\"]", "\"call_sid, direction\""] {
        let ran = evtap("replay - -n 1 -e call.started -E surface.*")
            .config(&format!("fields = {fields}\n"))
            .stdin(DAY)
            .run()
            .await;
        assert_eq!(ran.ended(0), "{\"call_sid\":\"CA1\",\"direction\":\"inbound\"}\n", "{fields}");
        assert_eq!(ran.stderr(), "");
    }
    // Settings are not meant for the events that one command selects.
    let ran =
        evtap("replay - -e surface.*").config("fields = [\"call_sid\"]\n").stdin(DAY).run().await;
    assert_eq!((ran.ended(0), ran.stderr()), ("{}\n".to_owned(), String::new()));
    let hidden = evtap("replay - -n 1 --fields call_sid --redact").arg("direction, call_sid");
    assert_eq!(hidden.stdin(DAY).run().await.ended(0), "{\"call_sid\":\"[redacted]\"}\n");
    let ran = evtap("replay - -n 1 --fields call_sid")
        .config("redact = \"direction, call_sid\"\n")
        .stdin(DAY)
        .run()
        .await;
    assert_eq!(ran.ended(0), "{\"call_sid\":\"[redacted]\"}\n");
}
