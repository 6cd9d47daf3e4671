//! `evtap replay`: recordings of every format, from files and from stdin, compressed or not.

use std::io::Write;

use crate::support::{bodies, emulator, endpoint, events, evtap, fast, status, types, watch};

const LINES: &str = concat!(
    r#"{"event_type":"call.started","call_sid":"CA1","caller_id":"+12025550123","direction":"inbound","service_id":"s"}"#,
    "\n",
    r#"{"type":"user_transcript","data":{"transcript":"I am Jane","state":"intake"}}"#,
    "\n",
    r#"{"event_type":"call.ended","duration_seconds":1.10,"big":12345678901234567890123}"#,
    "\n",
);

#[tokio::test]
async fn files_and_stdin_are_read_in_the_given_order() {
    let ran = evtap("replay a.ndjson - b.ndjson")
        .file("a.ndjson", LINES)
        .file("b.ndjson", "\u{feff}{\"type\":\"session_end\"}")
        .stdin("{\"event_type\":\"text.started\"}\r\n")
        .run()
        .await;
    assert_eq!(
        types(&ran.ended(0)),
        ["call.started", "user_transcript", "call.ended", "text.started", "session_end"]
    );
}

#[tokio::test]
async fn numbers_keep_their_digits() {
    let lines = evtap("replay - --reveal big").stdin(LINES).run().await.ended(0);
    assert!(lines.contains(r#""duration_seconds":1.10,"big":12345678901234567890123,"#), "{lines}");
}

#[tokio::test]
async fn replaying_a_replay_changes_nothing() {
    for options in ["", "--phi drop", "--reveal caller_id", "--redact direction", "--reveal all"] {
        let line = format!("replay - {options}");
        let once = evtap(&line).stdin(LINES).run().await.ended(0);
        assert_eq!(evtap(&line).stdin(once.clone()).run().await.ended(0), once, "{options}");
    }
}

#[tokio::test]
async fn masks_stay_masked_with_reveal_all() {
    let masked = evtap("replay -").stdin(LINES).run().await.ended(0);
    assert_eq!(evtap("replay - --reveal all").stdin(masked.clone()).run().await.ended(0), masked);
}

#[tokio::test]
async fn phi_drop_removes_fields_and_lists_them() {
    let ran = evtap("replay - --phi drop").stdin(LINES).run().await.ended(0);
    let first = &events(&ran)[0];
    assert_eq!(first.get("caller_id"), None);
    assert_eq!(first["_tap"]["redacted"], serde_json::json!(["caller_id"]));
}

#[tokio::test]
async fn redact_takes_precedence_over_reveal() {
    let ran = evtap("replay - --redact direction --reveal direction,call.started.caller_id")
        .stdin(LINES)
        .run()
        .await;
    let first = &events(&ran.ended(0))[0];
    assert_eq!(
        (&first["direction"], &first["caller_id"]),
        (&"[redacted]".into(), &"+12025550123".into())
    );
    assert_eq!(
        ran.stderr(),
        "evtap: hidden fields are shown (--reveal): direction, call.started.caller_id\n"
    );
}

#[tokio::test]
async fn unknown_field_names_are_reported() {
    let redact = evtap("replay - --redact caller_ids").stdin(LINES).run().await;
    assert_eq!(redact.ended(2), "");
    assert!(redact.stderr().contains("did you mean"), "{}", redact.stderr());
    let reveal = evtap("replay - --reveal caller_ids").stdin(LINES).run().await;
    assert!(
        events(&reveal.ended(0)).len() == 3
            && reveal.stderr().contains("no event in the model has such a field")
    );
}

#[tokio::test]
async fn a_capture_that_ends_inside_a_frame_is_reported() {
    let capture = "retry: 3000\n\nid: 7\nevent: text.started\ndata: {}\n\nid: 8\nevent: text.star";
    let lines = evtap("replay -").stdin(capture).run().await.ended(0);
    assert_eq!(types(&lines), ["text.started", "tap.malformed"]);
    assert_eq!(events(&lines)[1]["category"], "truncated");
}

#[tokio::test]
async fn an_empty_recording_prints_nothing() {
    let ran = evtap("replay -").run().await;
    assert_eq!((ran.ended(0), ran.stderr()), (String::new(), String::new()));
}

#[tokio::test]
async fn a_control_frame_in_a_capture_is_reported_and_not_printed() {
    let event = "id: 1\nevent: text.started\ndata: {}\n\n";
    let capture = format!(
        "{event}event: error\ndata: {{\"code\":\"stream_error\",\"message\":\"Jane\"}}\n\n{event}"
    );
    let run = evtap("replay - -o ndjson").stdin(capture.clone()).run().await;
    assert_eq!(types(&run.ended(0)), ["text.started", "text.started"]);
    assert!(
        run.stderr().contains("the stream ended: the platform reported an error of the stream"),
        "{}",
        run.stderr()
    );
    let json = evtap("replay - -o ndjson --status json").stdin(capture).run().await.stderr();
    assert!(json.contains(r#""status":"ended""#) && !json.contains("Jane"), "{json}");
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.finish().expect("written")
}

fn zstd(text: &str) -> Vec<u8> {
    let mut archive = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
    zstd_safe::compress(&mut archive, text.as_bytes(), 1).expect("there is room");
    archive
}

const COMPRESSORS: &[fn(&str) -> Vec<u8>] = &[gzip, zstd];

#[tokio::test]
async fn compressed_recordings_are_read() {
    let base = emulator(fast()).await;
    let lines = watch(&base, "-n 600").run().await.ended(0);
    let cloudevents = evtap("replay - -o cloudevents").stdin(lines.clone()).run().await.ended(0);
    let capture =
        "id: 7\nevent: text.started\ndata: {\"session_id\":\"s\",\"channel_kind\":\"sms\",\"service_id\":\"x\"}\n\n".repeat(9);
    for compress in COMPRESSORS {
        for text in [&lines, &cloudevents] {
            assert_eq!(evtap("replay -").stdin(compress(text)).run().await.ended(0), lines);
        }
        // The format is found by content, not by file name, and concatenated archives are one.
        let (first, second) = lines.split_at(lines.len() / 3);
        let concatenated = [compress(first), compress(second)].concat();
        assert_eq!(
            evtap("replay x.ndjson").file("x.ndjson", &concatenated).run().await.ended(0),
            lines
        );
        assert_eq!(
            types(&evtap("replay -").stdin(compress(&capture)).run().await.ended(0)),
            ["text.started"; 9]
        );
        let audit = evtap("audit x").file("x", compress(LINES)).run().await.ended(7);
        assert!(audit.contains("phi, in the clear") && audit.contains("x:1"), "{audit}");
        let expect = evtap("expect --replay x --then")
            .arg(".event_type == \"call.ended\"")
            .file("x", compress(LINES))
            .run()
            .await;
        assert!(expect.ended(0).starts_with("met"));
    }
}

#[tokio::test]
async fn a_truncated_archive_is_read_up_to_its_end() {
    let base = emulator(fast()).await;
    let lines = watch(&base, "-n 600").run().await.ended(0);
    for compress in COMPRESSORS {
        let compressed = compress(&lines);
        let ran =
            evtap("replay - --status json").stdin(&compressed[..compressed.len() - 5]).run().await;
        let shown = ran.ended(1);
        let whole: Vec<_> = shown.lines().filter(|line| !line.contains("tap.malformed")).collect();
        assert!(lines.starts_with(&(whole.join("\n") + "\n")) && whole.len() < 601);
        let messages = events(&ran.stderr());
        let failure = messages.iter().find(|line| line["status"] == "failed").expect("a failure");
        let reason = failure["reason"].as_str().expect("a reason");
        assert!(
            reason.starts_with("cannot read all of -: the archive is truncated, after ")
                && failure["exit"] == 1,
            "{reason}"
        );
        // The torn last line is reported too.
        if let Some(last) =
            events(&shown).pop().filter(|last| last["event_type"] == "tap.malformed")
        {
            assert_eq!(last["category"], "truncated");
        }
        let mut damaged = compressed.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 40].fill(0x55);
        let ran = evtap("audit -").stdin(damaged).run().await;
        ran.ended(1);
        assert!(
            ran.stderr().contains("cannot read all of -: the archive is damaged, after "),
            "{}",
            ran.stderr()
        );
    }
    let cut = gzip(&format!(
        "{}{}",
        LINES,
        "{\"event_type\":\"call.ended\",\"reason\":\"Jane Canary\"".repeat(20_000)
    ));
    let ran = evtap("replay -").stdin(&cut[..cut.len() - 9]).run().await;
    let shown = events(&ran.ended(1));
    assert_eq!((shown.len(), &shown[3]["category"]), (4, &"truncated".into()));
    assert!(!ran.all().contains("Canary"));
}

/// Two events one second apart, one without a time, and one many hours later.
const APART: &str = concat!(
    "{\"event_type\":\"text.started\",\"_tap\":{\"time\":\"2026-05-05T10:00:00.000Z\"}}\n",
    "{\"event_type\":\"text.completed\"}\n",
    "{\"event_type\":\"call.started\",\"_tap\":{\"time\":\"2026-05-05T10:00:01.000Z\"}}\n",
    "{\"event_type\":\"call.ended\",\"_tap\":{\"time\":\"2026-05-05T23:00:00.000Z\"}}\n",
);

#[tokio::test]
async fn speed_paces_events_by_their_times() {
    let (url, posts) = endpoint(|_| status(200, "")).await;
    let mut run = evtap(&format!("replay - --speed 100 --forward {url}")).stdin(APART).start();
    for event_type in ["text.started", "text.completed", "call.started"] {
        assert!(run.line().await.contains(event_type));
    }
    // The last event is due in some minutes. The earlier ones have been forwarded, and a signal
    // ends the wait.
    while bodies(&posts).lines().count() < 3 {
        tokio::task::yield_now().await;
    }
    run.signal("TERM");
    run.end().await.ended(143);
    let ran = evtap("replay - --speed 1000 --duration 20ms").stdin(APART).run().await;
    assert!(types(&ran.ended(0)).len() < 4, "a limit of time is one");
    for speed in ["0", "-1", "NaN", "inf"] {
        let ran = evtap(&format!("replay - --speed={speed}")).run().await;
        assert!(
            ran.ended(2).is_empty() && ran.stderr().contains("cannot use --speed"),
            "{}",
            ran.stderr()
        );
    }
}

#[tokio::test]
async fn a_json_array_replays_to_the_lines_that_it_was_made_from() {
    let base = emulator(fast()).await;
    let lines = watch(&base, "-n 600").run().await.ended(0);
    let array = evtap("replay - -o json").stdin(lines.clone()).run().await.ended(0);
    let coloured =
        evtap("replay - -o json --color always").stdin(lines.clone()).run().await.ended(0);
    assert!(array.starts_with("[\n  {\n") && coloured != array);
    let compact: Vec<_> = lines.lines().collect();
    let compact = format!("\u{feff}[{}]", compact.join(","));
    for text in [array.clone(), array.replace('\n', "\r\n"), compact, array.repeat(2)] {
        let expected = lines.repeat(if text.len() >= 2 * array.len() { 2 } else { 1 });
        for input in [text.clone().into_bytes(), gzip(&text)] {
            let shown = evtap("replay -").stdin(input).run().await.ended(0);
            let differs = shown.lines().zip(expected.lines()).find(|(a, b)| a != b);
            assert_eq!((differs, shown.len()), (None, expected.len()), "{:?}", &text[..9]);
        }
    }
    // An array that was cut off, and one that another run appended to a cut one.
    let cut = &array[..array.len() / 2];
    let shown = evtap("replay -").stdin(cut.to_owned()).run().await.ended(0);
    let (whole, last) = shown.trim_end().rsplit_once('\n').expect("lines");
    assert!(lines.starts_with(whole) && last.contains("\"truncated\""), "{last}");
    let appended = evtap("replay -").stdin([cut, &array].concat()).run().await.ended(0);
    assert!(appended.starts_with(whole) && appended.ends_with(&lines));
    assert_eq!(appended.lines().count(), shown.lines().count() + 600);
    // Other commands read it too.
    let stats = evtap("stats -").stdin(array.clone()).run().await.ended(0);
    assert!(stats.starts_with("600 events"), "{stats}");
    let audit = evtap("audit -").stdin(array).run().await;
    assert!(audit.all().contains("600 events"), "{}", audit.all());
    assert_eq!(evtap("replay -").stdin("[]\n").run().await.ended(0), "");
}

#[tokio::test]
async fn each_event_of_a_json_array_has_the_limit_of_a_line() {
    let long = "x".repeat(2000);
    let array = format!(
        "[\n{}  {{\"event_type\": \"text.started\"}},\n  {{\"event_type\": \"{long}\"}},\n  {{\"event_type\": \"text.completed\"}}\n]\n",
        " ".repeat(5000)
    );
    let lines = evtap("replay - --max-frame 1KiB").stdin(array).run().await.ended(0);
    assert_eq!(types(&lines), ["text.started", "tap.malformed", "text.completed"]);
    let malformed = &events(&lines)[1];
    assert_eq!(
        (&malformed["category"], &malformed["offset"], &malformed["length"]),
        (&"too_large".into(), &5038.into(), &2018.into())
    );
}

#[tokio::test]
async fn bytes_that_are_not_text_cost_only_the_lines_that_they_are_in() {
    let lines = evtap("replay -").stdin(LINES).run().await.ended(0);
    let sse = "id: 7\nevent: text.started\ndata: {}\n\n".repeat(3);
    let array = evtap("replay - -o json").stdin(LINES).run().await.ended(0);
    for garbage in [&b"\0"[..], b"\0\n", b"\x01\xff\0", &vec![0; 300_000], &[0xff; 9000]] {
        let mut garbage = garbage.to_vec();
        garbage.push(b'\n');
        let shown = evtap("replay -").stdin([&garbage, LINES.as_bytes()].concat()).run().await;
        let (first, rest) = shown
            .ended(0)
            .split_once('\n')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .expect("lines");
        assert!(first.contains("tap.malformed") && rest.ends_with(&lines), "{first}");
        let shown = evtap("replay -").stdin([&garbage, sse.as_bytes()].concat()).run().await;
        assert!(types(&shown.ended(0)).ends_with(&["text.started"; 3].map(String::from)));
        let shown = evtap("replay -").stdin([&garbage, array.as_bytes()].concat()).run().await;
        assert!(shown.ended(0).ends_with(&lines));
    }
    // Within a line, only that line is lost.
    for at in [0, 1, 2, 30, 100] {
        let mut damaged = LINES.as_bytes().to_vec();
        damaged.insert(at, 0);
        let shown = evtap("replay -").stdin(damaged).run().await.ended(0);
        assert_eq!(types(&shown), ["tap.malformed", "user_transcript", "call.ended"], "{at}");
    }
}

#[tokio::test]
async fn a_file_in_which_nothing_is_an_event_is_an_error() {
    let error =
        |name: &str| format!("cannot read {name} as a recording: nothing in it is an event; ");
    let mut binary = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    binary.extend((0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()));
    for text in [
        "a,b\n1,2\n",
        "Dear Jane Canary,\n",
        "{\n  \"name\": \"x\"\n}\n",
        "[1, 2]",
        "id: 1\ndata: x\n\n",
    ] {
        for command in ["replay x", "replay x -q .", "stats x", "timeline x", "expect --replay x"] {
            let mut run = evtap(command);
            if command.starts_with("expect") {
                run = run.arg("--then").arg(".event_type == \"call.ended\"");
            }
            let ran = run.file("x", text).run().await;
            ran.ended(1);
            assert!(
                ran.stderr().contains(&error("x")) && !ran.all().contains("Canary"),
                "{command} {text}: {}",
                ran.stderr()
            );
        }
        evtap("audit x").file("x", text).run().await.ended(7);
    }
    for (text, why) in [
        (&binary[..], "it is not text; "),
        (b"\xfd7zXZ\0\0\x04", "it is compressed by xz; decompress it first"),
        (b"\xff\xfe{\0\"\0", "it is UTF-16, not UTF-8; convert it first"),
    ] {
        for command in ["replay x", "audit x", "stats x"] {
            let ran = evtap(command).file("x", text).run().await;
            ran.ended(1);
            let error = format!("cannot read x as a recording: {why}");
            assert!(ran.stderr().contains(&error), "{command}: {}", ran.stderr());
        }
    }
    // Each file is judged for itself, and the others are printed.
    let ran = evtap("replay x a y --status json")
        .file("x", "x\n")
        .file("y", "y\n")
        .file("a", LINES)
        .run()
        .await;
    assert_eq!(types(&ran.ended(1)).len(), 5);
    assert!(ran.stderr().contains(&error("x")) && ran.stderr().contains(&error("y")));
    // What evtap reported as malformed before is an event of the recording.
    let reported = evtap("replay x").file("x", "x\n").run().await.ended(1);
    assert_eq!(evtap("replay -").stdin(reported.clone()).run().await.ended(0), reported);
    // Comments are no events, but nothing is wrong with them.
    evtap("replay -").stdin(": hello\n\n: hello\n\n").run().await.ended(0);
}
