//! No hidden value gets out: every event has a canary of each JSON type in its hidden fields, and
//! no trace of one may be in any output unless somebody revealed it by name.
//!
//! The tests send the canaries through every input (recordings, captures, both live streams) to
//! every output.

#[cfg(feature = "mcp")]
mod agent;
mod inputs;

use std::fmt::Write;
use std::sync::LazyLock;

use evtap::internals::output::FORMATS;
use evtap::model::{Class, Kind, Stream};
use serde_json::{Value, json};

use self::inputs::{frames, messages, ndjson, sse};
use crate::canaries::{SECRETS, canaries, events_with_canaries};
use crate::support::{
    Post, RunOutput, STREAM, bodies, endpoint, evtap, observe, scripted, status, watch,
    websocket_server,
};
use crate::traces::Traces;

/// Text that recognises a canary, also in part: as text, as an integer and as a decimal number.
const CANARIES: &[&str] = &["Canary", "4081516234", "40815.16234"];

/// Options that change what a format prints. Nothing may get out with any of them.
const VARIANTS: &[&str] = &[
    "-o ndjson --phi drop",
    "-o pretty --color never",
    "-o pretty --color always --wrap",
    "-o pretty --phi drop --status json",
    "-o ndjson --status json",
    "-o ndjson --redact transcript,all",
    "-o ndjson --phi partial --scrub all",
    "-o json --color always --fields event_type,caller_id,payload,_tap --no-check",
    "-o cloudevents --phi drop --scrub all",
    "-o pretty --timestamps delta --color never",
    "-o tsv --phi partial",
    "-o csv --fields event_type,caller_id,input,undeclared,_tap,payload --no-check",
    "-o ndjson --fields caller_id,input.name,inner.deep,_tap.redacted,transcript --no-check",
    "-o pretty --color never --fields transcript,delta,discarded_texts --wrap --no-check",
];

/// Options that drop events. They are used on recordings only: a live stream would not reach its
/// limit.
const SELECTING: &[&str] =
    &["-o ndjson --status json --grep e", "-o pretty --color never -E tap.*"];

/// jq programs that take events apart. Their own errors are reported on stderr.
const PROGRAMS: &[&str] = &[
    ".",
    "tojson",
    "to_entries[]",
    "[.. | scalars]",
    "[.. | strings | @base64, @uri, @html, ascii_downcase, explode, (explode | reverse | implode)]",
    "map_values(tostring | .[2:8])",
    "paths | tojson",
    "(.transcript // .caller_id // .undeclared) | error",
    ".caller_id.a.b, (.input | keys), error(tojson)",
    "ltrimstr(\"x\") + 1",
];

/// Returns every output format, with colours where it supports them, and the variants: options, and
/// a last argument that may contain white space.
fn outputs() -> impl Iterator<Item = (String, Option<String>)> {
    let formats = FORMATS.iter().flat_map(|format| {
        let colours = if format.is_coloured { &["never", "always"][..] } else { &["never"] };
        colours.iter().map(|colour| (format!("--color {colour} -o"), Some(format.example())))
    });
    formats.chain(VARIANTS.iter().map(|options| ((*options).to_owned(), None)))
}

/// Returns the outputs, and jq programs and templates.
fn all_outputs() -> impl Iterator<Item = (String, Option<String>)> {
    let plain = outputs().chain(SELECTING.iter().map(|output| ((*output).to_owned(), None)));
    let programs =
        PROGRAMS.iter().map(|program| ("--no-check --jq".to_owned(), Some((*program).to_owned())));
    let template = "template={{ event_type }} {{ caller_id }} {{ transcript | upper }} {{ undeclared }} {{ input }} {{ _tap }}";
    plain.chain(programs).chain([("--no-check -o".to_owned(), Some(template.to_owned()))])
}

#[track_caller]
fn assert_hidden(ran: &RunOutput, how: &str) {
    let all = ran.ended(0);
    assert!(all.lines().count() > 100, "{how}: too little came out to say anything");
    assert_no_trace(ran, how);
}

#[track_caller]
fn assert_no_trace(ran: &RunOutput, how: &str) {
    assert_no_trace_in(&ran.all(), how);
}

#[track_caller]
fn assert_no_trace_in(text: &str, how: &str) {
    static TRACES: LazyLock<Traces> = LazyLock::new(|| Traces::new(SECRETS));
    let found = TRACES.find(text).map(|(trace, line)| format!("{trace} in {line}"));
    assert_eq!(found, None, "{how}");
    for line in text.lines() {
        for canary in CANARIES {
            assert!(!line.contains(canary), "{how}: {canary} in {line}");
        }
        let terminal =
            if how.contains("tsv") { line.replace('\t', "") } else { line.replace("\u{1b}[", "") };
        assert!(
            how.contains("always") || !evtap::text::terminal::has_hostile(&terminal),
            "{how}: {line:?}"
        );
    }
}

#[tokio::test]
async fn replay_hides_canaries_in_every_output() {
    for input in [ndjson(), sse().into_bytes()] {
        for (options, argument) in all_outputs() {
            let run = evtap(&format!("replay - {options}"))
                .env("RUST_LOG", "trace")
                .env("RUST_BACKTRACE", "full");
            let run =
                argument.iter().fold(run, |run, argument| run.arg(argument)).stdin(input.clone());
            let how = format!("{options} {}", argument.as_deref().unwrap_or_default());
            let ran = run.run().await;
            if how.contains("error") || how.contains("ltrimstr") {
                assert_no_trace(&ran, &how);
                assert!(ran.stderr().contains("--jq fails on"), "{how}: {}", ran.stderr());
            } else {
                assert_hidden(&ran, &how);
            }
        }
    }
}

#[tokio::test]
async fn forwarded_events_hide_canaries() {
    for options in ["", "--forward-format cloudevents --phi partial", "--status json"] {
        // The endpoint refuses some events, so that evtap reports them.
        let answer = |number: usize| status(if number.is_multiple_of(9) { 422 } else { 200 }, "");
        let (url, posts) = endpoint(answer).await;
        let ran = evtap(&format!("replay - --forward {url} {options}"))
            .env("RUST_LOG", "trace")
            .stdin(ndjson())
            .run()
            .await;
        assert_hidden(&ran, options);
        let bodies = bodies(&posts);
        assert!(bodies.lines().count() > 100);
        assert_no_trace_in(&bodies, options);
        for Post { head, .. } in posts.lock().expect("no panic").iter() {
            assert_no_trace_in(head, options);
        }
    }
}

/// Uses a fixed key: random pseudonyms consist of hexadecimal digits and could contain a piece of a
/// number by chance.
#[tokio::test]
async fn pseudonyms_hide_canaries() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    let key = dir.path().join("key");
    std::fs::write(&key, [5; 32]).expect("a file");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("its owner may");
    for output in ["ndjson", "csv"] {
        let line = format!("replay - -o {output} --phi hash --phi-key-file {}", key.display());
        assert_hidden(&evtap(&line).stdin(ndjson()).run().await, output);
    }
}

#[tokio::test]
async fn filters_and_conditions_see_only_masks() {
    let canary = r#"[.. | strings] | any(test("Canary|4081516234"))"#;
    for (option, status) in [("--filter", 0), ("--until", 7), ("--fail-if", 0)] {
        let ran = evtap("replay - --no-check -o ndjson -E *")
            .arg(option)
            .arg(canary)
            .stdin(ndjson())
            .run()
            .await;
        assert_eq!(ran.ended(status), "");
    }
    let ran = evtap("replay - -o ndjson --grep Canary|4081516234").stdin(ndjson()).run().await;
    assert_eq!(ran.ended(0), "", "it finds nothing");
    let ran = evtap("expect --replay - --no-check --then").arg(canary).stdin(ndjson()).run().await;
    ran.ended(7);
    assert_no_trace(&RunOutput::without_argument(&ran, canary), "expect");
}

/// Cuts a frame at every byte.
#[tokio::test]
async fn truncated_frames_hide_canaries() {
    let event = r#"{"event_type":"call.started","caller_id":"Jane CanaryQzvxkwjh","\u004aane":{"CanaryQzvxkwjh":4081516234}}"#;
    let lines =
        (1..event.len()).map(|end| format!("{}\n", &event[..end])).collect::<Vec<_>>().concat();
    let frame = |end| format!("id: {end}\ndata: {}\n\n", &event[..end]);
    let frames = (1..event.len()).map(frame).collect::<Vec<_>>().concat();
    let last = r#"{"event_type":"text.started"}"#;
    for input in [format!("{lines}{last}\n"), format!("{frames}data: {last}\n\n")] {
        for options in ["-o ndjson --status json", "-o pretty --color never", "-o csv"] {
            assert_hidden(
                &evtap(&format!("replay - {options}")).stdin(input.clone()).run().await,
                options,
            );
        }
        let ran = evtap("audit -").stdin(input).run().await;
        ran.ended(7);
        assert_no_trace(&ran, "audit");
    }
}

#[tokio::test]
async fn audit_reports_hide_canaries() {
    for options in ["", "-o json"] {
        let ran = evtap(&format!("audit - {options}")).stdin(ndjson()).run().await;
        ran.ended(7);
        assert_no_trace(&ran, options);
    }
}

/// Statistics count names and values of redacted events only.
#[tokio::test]
async fn statistics_hide_canaries() {
    for options in [
        "",
        "-o json",
        "-o json --every 1m",
        "-o html",
        "-o html --group-by [.caller_id,.transcript,.undeclared]",
        "--every 1m -o csv --group-by [.caller_id,.transcript,.undeclared]",
    ] {
        for input in [ndjson(), sse().into_bytes()] {
            let ran = evtap(&format!("stats - --no-check {options}")).stdin(input).run().await;
            assert!(!ran.ended(0).is_empty());
            assert_no_trace(&ran, options);
        }
    }
    for status in ["text", "json"] {
        let ran = evtap(&format!("replay - -o ndjson --stats --status {status}"))
            .stdin(ndjson())
            .run()
            .await;
        assert_hidden(&ran, status);
    }
    let everything = "[.. | scalars], (.. | tojson), .call_sid, .event_type, error(tojson)";
    let ran =
        evtap("stats - --no-check -o json --group-by").arg(everything).stdin(ndjson()).run().await;
    assert!(ran.ended(0).contains("[redacted]"));
    assert_no_trace(&ran, "groups");
}

#[tokio::test]
async fn comparisons_and_reports_hide_canaries() {
    let fewer = b"{\"event_type\":\"call.started\",\"call_sid\":\"CA1\"}\n";
    for output in ["text", "json", "html"] {
        for files in ["all.ndjson few.ndjson", "few.ndjson all.ndjson"] {
            let how = format!("diff {files} -o {output}");
            let diff = evtap(&how).file("all.ndjson", ndjson()).file("few.ndjson", fewer);
            let ran = diff.run().await;
            assert!(ran.ended(0).contains("session_start"), "{how}");
            assert_no_trace(&ran, &how);
        }
    }
    let ran = evtap("stats - -o html").stdin(ndjson()).run().await;
    assert!(ran.ended(0).len() > 5_000);
    assert_no_trace(&ran, "stats -o html");
}

#[tokio::test]
async fn timelines_hide_canaries() {
    let sid = "CA5f0c8d1f1d2e4b7a9c3d5e7f90123456";
    let mut lines = String::new();
    for (event_type, mut payload) in
        [events_with_canaries(Stream::Workspace), events_with_canaries(Stream::Observer)].concat()
    {
        payload.insert("call_sid".to_owned(), sid.into());
        payload.insert("event_type".to_owned(), event_type.into());
        let _ = writeln!(lines, "{}", Value::from(payload));
    }
    for output in ["text", "json", "html"] {
        for options in ["", "--phi drop", "--phi partial", "--scrub all"] {
            let how = format!("timeline {sid} - -o {output} {options}");
            let ran = evtap(&how).stdin(lines.clone()).run().await;
            let length = ran.ended(0).len();
            assert!(length > 5_000, "{how}: {length} bytes are too little to say anything");
            // HTML escapes do not alter the canaries, so the same search finds them.
            assert_no_trace(&ran, &how);
        }
    }
    for input in [ndjson(), sse().into_bytes()] {
        for how in ["timeline -", "timeline - -o json"] {
            assert_no_trace(&evtap(how).stdin(input.clone()).run().await, how);
        }
    }
    let ran = evtap("timeline CA5f0c -")
        .stdin(
            b"{\"event_type\":\"call.started\",\"call_sid\":\"CA5f0c Jane CanaryQzvxkwjh\"}"
                .to_vec(),
        )
        .run()
        .await;
    ran.ended(4);
    assert_no_trace(&ran, "an error quotes no SID that is none");
}

#[tokio::test]
async fn watch_hides_canaries_in_every_output() {
    for (options, argument) in outputs() {
        let sse = sse();
        let base = scripted([format!("{STREAM}{sse}").into_bytes()]).await;
        let run = watch(&base, &format!("-n {} {options}", frames(&sse)));
        let run = argument.iter().fold(run, |run, argument| run.arg(argument));
        assert_hidden(&run.run().await, &format!("{options} {argument:?}"));
    }
}

/// Covers the files that evtap writes, and stderr.
#[tokio::test]
async fn the_record_and_the_cursor_hide_canaries() {
    let sse = sse();
    let home = tempfile::tempdir().expect("a directory");
    let [record, cursor] = ["record", "cursor"].map(|name| home.path().join(name));
    for phi in ["mask", "drop", "partial"] {
        let base = scripted([format!("{STREAM}{sse}").into_bytes()]).await;
        let files = format!("--record {} --cursor {}", record.display(), cursor.display());
        let line = format!("{files} --status json --stats --phi {phi} -n {}", frames(&sse));
        assert_no_trace(&watch(&base, &line).run().await, &line);
        for file in [&record, &cursor] {
            let text = std::fs::read_to_string(file).expect("it is there");
            assert!(text.len() > 100, "{}: too little to say anything", file.display());
            assert_no_trace_in(&text, &line);
            std::fs::remove_file(file).expect("it is there");
        }
        assert_eq!(
            std::fs::read_dir(home.path()).expect("a directory").count(),
            0,
            "nothing is left beside them"
        );
    }
}

/// Without `--reveal all`, evtap does not even connect.
#[tokio::test]
async fn raw_frames_are_not_fetched_without_reveal_all() {
    let base = scripted([format!("{STREAM}{}", sse()).into_bytes()]).await;
    for reveal in ["", "--reveal caller_id", "--reveal call.started.caller_id"] {
        let ran = evtap(&format!("frames {base}/x {reveal}")).at(&base).run().await;
        assert_eq!(ran.ended(2), "");
        assert_no_trace(&ran, reveal);
    }
}

#[tokio::test]
async fn observe_hides_canaries_in_every_output() {
    for (options, argument) in outputs() {
        let base = websocket_server(messages()).await;
        let run = observe(&base, &options);
        let run = argument.iter().fold(run, |run, argument| run.arg(argument));
        assert_hidden(&run.run().await, &format!("{options} {argument:?}"));
    }
}

#[tokio::test]
async fn control_frame_messages_and_answer_bodies_are_not_printed() {
    let control = "event: error\ndata: {\"code\":\"too_many_streams\",\"message\":\"Jane CanaryQzvxkwjh\",\"max_streams\":\"Canary\"}\n\n";
    let body = "HTTP/1.1 404 Canary\r\nX-Canary: Canary\r\nContent-Type: text/Canary\r\nContent-Length: 6\r\n\r\nCanary";
    let page =
        "HTTP/1.1 200 Canary\r\nContent-Type: text/html; Canary\r\nContent-Length: 6\r\n\r\nCanary";
    for (answer, status) in
        [(format!("{STREAM}{control}"), 6), (body.to_owned(), 4), (page.to_owned(), 1)]
    {
        for format in ["text", "json"] {
            let base = scripted([answer.clone().into_bytes()]).await;
            let ran = watch(&base, &format!("--status {format}")).run().await;
            assert_eq!(ran.ended(status), "");
            assert!(
                !ran.stderr().is_empty() && !ran.stderr().contains("Canary"),
                "{}",
                ran.stderr()
            );
        }
    }
}

#[tokio::test]
async fn every_hidden_field_is_masked_unless_revealed_by_name() {
    let mut annotated = 0;
    for spec in Kind::ALL.iter().map(|kind| kind.spec()) {
        for field in spec.fields.iter().filter(|field| field.class.is_hidden()) {
            annotated += usize::from(field.class == Class::Phi);
            let lines: Vec<_> = canaries()
                .into_iter()
                .chain([Value::Null])
                .map(|canary| {
                    let event = json!({"event_type": spec.event_type, field.name: canary});
                    (canary, event.to_string())
                })
                .collect();
            let text = lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n");
            let masked = evtap("replay -").stdin(text.clone()).run().await.ended(0);
            let revealed = evtap(&format!("replay - --reveal {}.{}", spec.event_type, field.name))
                .stdin(text)
                .run()
                .await
                .ended(0);
            for (((canary, _), masked), revealed) in
                lines.iter().zip(masked.lines()).zip(revealed.lines())
            {
                let [masked, revealed] = [masked, revealed]
                    .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
                let mask = if canary.is_null() { Value::Null } else { json!("[redacted]") };
                assert_eq!(masked[field.name], mask, "{}.{}", spec.event_type, field.name);
                assert_eq!(masked["_tap"]["redacted"].is_array(), !canary.is_null());
                assert_eq!(&revealed[field.name], canary, "{}.{}", spec.event_type, field.name);
            }
        }
    }
    assert_eq!(annotated, 28);
}

#[tokio::test]
async fn reveal_all_shows_every_canary() {
    for output in ["ndjson", "pretty --color never"] {
        let base = scripted([format!("{STREAM}{}", sse()).into_bytes()]).await;
        let shown = watch(&base, &format!("--reveal all -o {output} -n 200")).run().await;
        for canary in CANARIES {
            assert!(shown.ended(0).contains(canary), "{output}: {canary}");
        }
        assert!(shown.stderr().contains("hidden fields are shown (--reveal): all"));
    }
}
