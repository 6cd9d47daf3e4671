//! The fast path and additional threads change no byte of the output.

mod envelopes;
mod json_cases;

use std::sync::Arc;

use bytes::Bytes;
use evtap::emulator::samples::sample;
use evtap::internals::output::{FORMATS, ndjson};
use evtap::model::Kind;
use evtap::model::decode::Decoder;
use evtap::model::{Frame, FrameFlags, FrameFormat, Origin};
use evtap::query::EventContext;
use evtap::query::program::{Program, parse};
use evtap::redact::{Mode, Policy, PseudonymKey, Redactor, ScrubMode};
use evtap::transport::{FRAME_LIMIT, LineChunk, RawFrame};
use jiff::Timestamp;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value};

use crate::predicates::on_stack;
use crate::support::evtap;

/// Returns a recording as the pipeline receives it.
fn lines(bytes: &[u8]) -> LineChunk {
    LineChunk { bytes: Bytes::copy_from_slice(bytes), offset: 0, limit: FRAME_LIMIT }
}

/// Returns each line as the pipeline produces it, on the fast path where possible.
fn by_pipeline(bytes: &[u8], policy: &Policy) -> Vec<String> {
    let (origin, lines) = (Origin::default(), lines(bytes));
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
    let line = |frame: Frame<'_>| {
        let mut out = Vec::new();
        ndjson::object(&redactor.decode_and_redact(&mut decoder, frame), &mut out);
        String::from_utf8(out).expect("NDJSON is UTF-8")
    };
    lines.frames(&origin).map(line).collect()
}

/// Returns each line as full decoding produces it.
fn by_full_decoding(bytes: &[u8], policy: &Policy) -> Vec<String> {
    let (origin, lines) = (Origin::default(), lines(bytes));
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
    let line = |frame: Frame<'_>| {
        let mut out = Vec::new();
        ndjson::object(&redactor.redact(&decoder.decode(frame)), &mut out);
        String::from_utf8(out).expect("NDJSON is UTF-8")
    };
    lines.frames(&origin).map(line).collect()
}

/// Sends the same lines as frames of a stream, whose payload does not name the type. Returns the
/// lines by the pipeline and by full decoding.
fn stream_lines(bytes: &[u8], policy: &Policy) -> [Vec<String>; 2] {
    let lines = lines(bytes);
    let frame = |frame: Frame<'_>| {
        let text = String::from_utf8_lossy(frame.data);
        let named = text.strip_prefix("{\"event_type\":\"").and_then(|rest| rest.split_once("\","));
        RawFrame {
            origin: Arc::new(Origin { workspace_id: Some("w".to_owned()), ..Origin::default() }),
            format: FrameFormat::Sse,
            event: named.map(|(name, _)| name.to_owned()),
            id: Some("1700000000001".into()),
            data: Bytes::from(
                named.map_or_else(|| text.to_string(), |(_, rest)| format!("{{{rest}")),
            ),
            received_at: Some(Timestamp::UNIX_EPOCH),
            fault: None,
            offset: 0,
            flags: FrameFlags::default(),
        }
    };
    let frames: Vec<_> = lines.frames(&Origin::default()).map(frame).collect();
    [false, true].map(|is_full| {
        let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(policy.clone()));
        let line = |raw: &RawFrame| {
            let mut out = Vec::new();
            if is_full {
                ndjson::object(&redactor.redact(&decoder.decode(raw.as_frame())), &mut out);
            } else {
                ndjson::object(&redactor.decode_and_redact(&mut decoder, raw.as_frame()), &mut out);
            }
            String::from_utf8(out).expect("NDJSON is UTF-8")
        };
        frames.iter().map(line).collect()
    })
}

fn policies() -> Vec<Policy> {
    let mut revealing = Policy::default();
    revealing.reveal.add("transcript");
    revealing.reveal.add("call.started.caller_id");
    let mut hiding = Policy { scrub: ScrubMode::All, ..Policy::default() };
    hiding.redact.add("direction");
    hiding.redact.add("workspace_id");
    let open = Policy { scrub: ScrubMode::None, ..Policy::default() };
    let key = PseudonymKey::new(&[7; 32]).expect("long enough");
    let modes = [Mode::Partial, Mode::Hash(key), Mode::Drop];
    [Policy::default(), revealing, hiding, open]
        .into_iter()
        .chain(modes.map(|mode| Policy { mode, ..Policy::default() }))
        .collect()
}

/// Draws an event of that type. Some of its fields are missing, null, of another type or in another
/// place.
pub fn event(kind: Kind, rng: &mut StdRng) -> String {
    let mut fields: Vec<(String, Value)> = sample(kind.spec(), rng).into_iter().collect();
    if rng.random_bool(0.3) {
        fields.retain(|_| rng.random_bool(0.8));
    }
    for (_, value) in &mut fields {
        match rng.random_range(0..40) {
            0 => *value = Value::Null,
            1 => *value = "José \u{202e}\u{7f} \"said\"\n".into(),
            2 => *value = serde_json::json!({"key": [1, "x"]}),
            3 => *value = "[redacted]".into(),
            _ => {}
        }
    }
    if rng.random_bool(0.1) && fields.len() > 1 {
        let (from, to) = (rng.random_range(0..fields.len()), rng.random_range(0..fields.len()));
        fields.swap(from, to);
    }
    let mut event = Map::from_iter([("event_type".to_owned(), kind.spec().event_type.into())]);
    event.extend(fields);
    Value::from(event).to_string()
}

/// Returns the line with one byte or a piece of it changed, removed or repeated.
fn mutated(line: &str, rng: &mut StdRng) -> Vec<u8> {
    const BYTES: &[u8] = b"\"\\{}[]:,0-.eE+ntf \t\r\x01\x1f\x7f\x80\xc3\xff";
    let mut bytes = line.as_bytes().to_vec();
    let at = rng.random_range(0..bytes.len());
    let end = rng.random_range(at..bytes.len().min(at + 30));
    match rng.random_range(0..6) {
        0 => bytes[at] = BYTES[rng.random_range(0..BYTES.len())],
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, BYTES[rng.random_range(0..BYTES.len())]),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..end)),
        _ => {
            let chunk = bytes[at..end].to_vec();
            bytes.splice(at..at, chunk);
        }
    }
    bytes.retain(|byte| *byte != b'\n');
    bytes
}

/// Draws a recording: events as they arrive, some of them broken, some with `_tap` as evtap writes
/// them.
///
/// No byte is zero: a file with one near its beginning is not taken for text.
fn recording(seed: u64, events: usize) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut bytes = Vec::new();
    for _ in 0..events {
        // Most events are of few types, as in a real recording.
        let kind = Kind::ALL[rng.random_range(0..Kind::ALL.len())];
        let kind = if rng.random_bool(0.7) { Kind::ALL[kind as usize % 6] } else { kind };
        let mut line = event(kind, &mut rng);
        if rng.random_bool(0.4) {
            line = by_full_decoding(line.as_bytes(), &Policy::default()).concat();
            line = line.replacen(
                "\"_tap\":{",
                "\"_tap\":{\"id\":\"1700000000001\",\"time\":\"2023-11-14T22:13:20.001Z\",",
                1,
            );
        }
        if rng.random_bool(0.3) {
            bytes.extend(mutated(&line, &mut rng));
        } else {
            bytes.extend(line.as_bytes());
        }
        bytes.push(b'\n');
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_fast_path_gives_the_same_lines(seed in any::<u64>()) {
        // Invalid UTF-8 disables the fast path for all lines of a chunk, so the second input has
        // none.
        let bytes = recording(seed, 150);
        let text = String::from_utf8_lossy(&bytes).replace(['\u{fffd}', '\u{7f}'], "?");
        for policy in policies() {
            for bytes in [&bytes, text.as_bytes()] {
                prop_assert_eq!(by_pipeline(bytes, &policy), by_full_decoding(bytes, &policy));
                let [by_pipeline, by_full_decoding] = stream_lines(bytes, &policy);
                prop_assert_eq!(by_pipeline, by_full_decoding);
            }
        }
    }

    #[test]
    fn accepts_exactly_the_objects_that_serde_json_accepts(seed in any::<u64>()) {
        let bytes = recording(seed, 150);
        let blank = |line: &&[u8]| !line.trim_ascii().is_empty();
        for (line, shown) in bytes.split(|byte| *byte == b'\n').filter(blank).zip(by_pipeline(&bytes, &Policy::default())) {
            let read = serde_json::from_slice::<Value>(line);
            let category = serde_json::from_str::<Value>(&shown).expect("a line is JSON")["category"].clone();
            let is_event = category.is_null() || category == "no_event_type" || !shown.contains("tap.malformed");
            let out_of_range = read.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
            prop_assert!(is_event == read.is_ok_and(|value| value.is_object()) || out_of_range, "{}", shown);
        }
    }
}

/// A jq program runs on only those fields that it can read.
#[test]
fn a_program_gives_the_same_on_only_the_fields_that_it_reads() {
    let sources = [
        ".call_sid",
        "{event_type, d: (.duration_seconds // 0), \"\\(.state)\": ._tap.redacted}",
        "select(.event_type | startswith(\"call\")) | .direction",
        "if .escalated then .call_sid else .reason end",
        "[.transcript, .reason] | map(select(. != null) | ascii_downcase | [scan(\"[a-z]+\")] | length)",
        "(.reason // \"\") | sub(\"(?<first>[A-Z])\"; \"<\\(.first)>\") | [splits(\" \")] | .[0:3]",
        ".duration_seconds as $d | has(\"call_sid\"), $d",
        "try (.direction | .x) catch .",
        "any(.names[]?; . == \"x\"), (.direction | test(\"IN\"; \"i\"))",
        "select(.direction == \"inbound\")",
        "to_entries | length",
        "del(.call_sid) | keys",
        ".. | strings",
    ];
    on_stack(|| {
        let mut rng = StdRng::seed_from_u64(4);
        let lines: Vec<_> = Kind::ALL.iter().map(|kind| event(*kind, &mut rng)).collect();
        let (origin, lines) = (Origin::default(), self::lines(lines.join("\n").as_bytes()));
        for source in sources {
            let program =
                Program::compile(&parse("--jq", source).expect("parses"), &[]).expect("compiles");
            let outputs = |value| {
                let mut outputs = Vec::new();
                let stop = program.run(value, |value| {
                    outputs.push(value.to_json().expect("a short value"));
                    true
                });
                (outputs, stop)
            };
            let (mut decoder, mut redactor) =
                (Decoder::default(), Redactor::new(Policy::default()));
            for frame in lines.frames(&origin) {
                let shown = redactor.decode_and_redact(&mut decoder, frame);
                let context = EventContext::new(&shown);
                assert_eq!(
                    outputs(program.output_input(&context)),
                    outputs(context.value()),
                    "{source} on {}",
                    shown.event_type()
                );
                let is_true = |value| {
                    outputs(value)
                        .0
                        .iter()
                        .map(|output| output != "null" && output != "false")
                        .collect::<Vec<_>>()
                };
                assert_eq!(
                    is_true(program.condition_input(&context)),
                    is_true(context.value()),
                    "{source} as a predicate"
                );
            }
        }
    });
}

/// Returns a recording of several chunks with gaps and a truncated end, which are reported.
fn recording_with_gaps() -> Vec<u8> {
    let mut bytes = recording(3, 1500);
    let gap = r#"{"event_type":"tap.gap","from":"2023-11-14T22:13:20.001Z","to":"2023-11-14T22:14:20.001Z","certain":true,"reason":"away_too_long","_tap":{}}"#;
    for at in [bytes.len() / 3, bytes.len() / 2] {
        let line = at + bytes[at..].iter().position(|byte| *byte == b'\n').expect("a line end") + 1;
        bytes.splice(line..line, format!("{gap}\n").into_bytes());
    }
    bytes.extend(b"{\"event_type\":\"call.started\",");
    bytes
}

/// Returns the same lines as a capture of a stream, with a control frame in the middle.
fn capture_of(lines: &[u8]) -> Vec<u8> {
    let mut capture = b"retry: 3000\n\n".to_vec();
    for (at, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        match at % 3 {
            0 => capture.extend(format!("id: {}\n", 1_700_000_000_000 + at).bytes()),
            1 => capture.extend(b"event: call.ended\n"),
            _ => {}
        }
        capture.extend([b"data: ", line, b"\n\n"].concat());
        if at == 700 {
            capture.extend(b"event: error\ndata: {\"code\":\"stream_error\"}\n\n");
        }
    }
    capture
}

#[tokio::test]
async fn output_does_not_depend_on_the_thread_count() {
    let bytes = recording_with_gaps();
    let capture = capture_of(&bytes);
    let examples: Vec<_> = FORMATS.iter().map(|format| format.example()).collect();
    let formats = examples.iter().map(|example| vec!["-o", example]);
    for options in [
        vec![],
        vec!["--fail-on-gap"],
        vec!["--status", "json"],
        vec!["--stats"],
        vec!["-f", ".event_type == \"call.ended\" and .duration_seconds > 60"],
        vec!["-f", ".duration_seconds | startswith(\"x\")", "--no-check"],
        vec![
            "-f",
            ".call_sid | test(\"a\")",
            "-f",
            "(.duration_seconds | tostring | length) > 3",
            "--no-check",
        ],
        vec!["-f", "[limit(3; repeat(1))] == [1]", "--no-check"],
        vec!["-f", "def f: f; f", "--no-check"],
        vec!["-e", "call.*", "-E", "call.started"],
        vec!["--grep", "refill"],
        vec!["-q", "{t: .event_type, d: (.duration_seconds // 0)}"],
        vec!["-q", ".call_sid | ascii_downcase", "--no-check"],
        vec!["-q", ".", "--reveal", "all"],
        vec!["--fields", "event_type,call_sid,_tap.time"],
        vec!["-n", "777"],
        vec!["--until", ".event_type == \"surface.created\" and false"],
        vec!["--fail-if", ".duration_seconds > 400"],
        vec!["--duration", "1h"],
        vec!["--phi", "partial"],
        vec!["--phi", "drop", "--scrub", "all"],
        vec!["--record", "record.ndjson"],
        vec!["--max-frame", "1KiB"],
    ]
    .into_iter()
    .chain(formats)
    {
        let run = |threads: &str| {
            let line = format!("replay a.ndjson a.sse - --threads {threads}");
            let call =
                evtap(&line).file("a.ndjson", &bytes).file("a.sse", &capture).stdin(bytes.clone());
            options.iter().fold(call, |call, option| call.arg(option)).run()
        };
        let one = run("1").await;
        let written = one.stdout().lines().count();
        assert!(
            options.len() > 1 || written > 4000,
            "{written} lines are written: {}",
            one.stderr()
        );
        let several = run("3").await;
        assert_eq!(
            (several.status(), several.stderr()),
            (one.status(), one.stderr()),
            "{options:?}"
        );
        assert!(several.stdout() == one.stdout(), "{options:?}: stdout differs");
    }
}

/// Returns events with more distinct tools and types than the statistics keep apart, repeated in
/// random order.
fn many_names() -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(5);
    let line = |at| {
        let name = rng.random_range(0..=at / 8);
        match at % 3 {
            0 => format!("{{\"event_type\":\"tool_call_started\",\"tool_name\":\"t{name}\"}}\n"),
            1 => format!("{{\"event_type\":\"new.{name}\",\"note\":\"{}\"}}\n", "x".repeat(400)),
            _ => format!(
                "{{\"event_type\":\"pipeline.sync_completed\",\"event_count\":{}}}\n",
                f64::from(name) / 10.0
            ),
        }
    };
    (0..6000).map(line).collect::<String>().into_bytes()
}

#[tokio::test]
async fn statistics_do_not_depend_on_the_thread_count() {
    let (bytes, names) = (recording_with_gaps(), many_names());
    let capture = capture_of(&bytes);
    for options in [
        "-o json",
        "",
        "-o json -e call.*",
        "-o json --every 1h",
        "-o json --group-by .event_type",
        "-f .duration_seconds>60",
    ] {
        let run = |threads: u8| {
            let line = format!("stats a.ndjson a.sse names.ndjson - --threads {threads} {options}");
            evtap(&line)
                .file("a.ndjson", &bytes)
                .file("a.sse", &capture)
                .file("names.ndjson", &names)
                .stdin(bytes.clone())
                .run()
        };
        let one = run(1).await;
        assert!(one.status() == 0 && one.stdout().len() > 500, "{}", one.stderr());
        let several = run(3).await;
        assert_eq!((several.stdout(), several.stderr()), (one.stdout(), one.stderr()), "{options}");
    }
}

#[tokio::test]
async fn a_closed_pipe_ends_all_threads() {
    let mut running = evtap("replay - --threads 2").stdin(recording_with_gaps().repeat(4)).start();
    assert!(running.line().await.starts_with('{'));
    let (status, stderr) = running.close_stdout().await;
    // Drift up to then may be reported in the summary.
    assert!(
        status == 0 && !stderr.contains("panicked") && !stderr.contains("cannot"),
        "{status}: {stderr}"
    );
}
