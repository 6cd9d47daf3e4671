//! Each hostile character and sequence at each place where text can occur.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use evtap::internals::output::FORMATS;
use evtap::text::terminal::characters;
use serde_json::{Value, json};

use super::{assert_harmless, hostile, on_a_terminal, terminal};
use crate::support::{KEY, STREAM, scripted};

/// Returns a line or a frame with the text at some place.
type Put = fn(&str) -> String;

/// Places where text can occur in a file, and whether an event shows it with `--reveal all`.
const PLACES: &[(&str, Put, bool)] = &[
    ("a value", |text| json!({"event_type": "call.escalated", "reason": text}).to_string(), true),
    ("a key", |text| json!({"event_type": "call.escalated", text: 1}).to_string(), true),
    ("a key inside", |text| json!({"event_type": "brand.new", "x": [{text: 1}]}).to_string(), true),
    ("an event's name", |text| json!({"event_type": format!("call.{text}")}).to_string(), true),
    (
        "what evtap says of it",
        |text| json!({"event_type": "call.ended", "_tap": {"id": text, text: text}}).to_string(),
        false,
    ),
    (
        "an envelope",
        |text| {
            json!({"specversion": "1.0", "type": text, "id": text, text: text, "data": {}})
                .to_string()
        },
        false,
    ),
    ("a line", str::to_owned, false),
    ("an id", |text| format!("id: {text}\nevent: call.ended\ndata: {{}}\n"), false),
    ("an event's line", |text| format!("event: {text}\ndata: {{\"a\":1}}\n"), false),
    ("a frame's data", |text| format!("event: call.ended\ndata: {text}\n"), false),
    (
        "a field of a frame",
        |text| format!(": {text}\n{text}: {text}\nretry: {text}\ndata: {{\"type\":\"x\"}}\n"),
        false,
    ),
];

/// Returns the JSON escape of a character.
fn in_json(character: char) -> String {
    match character {
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        _ => character
            .encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect::<Vec<_>>()
            .concat(),
    }
}

/// Returns the escape that text output shows for a character.
fn in_text(character: char) -> String {
    match character {
        '\n' | '\r' | '\t' => in_json(character),
        _ => format!("\\u{{{:x}}}", u32::from(character)),
    }
}

/// Replays on a terminal, with everything revealed, and asserts that it is harmless.
fn replay_revealed(text: &[u8], output: &str) -> String {
    let args =
        ["replay", "x", "--reveal", "all", "--scrub", "none", "--color", "never", "-o", output];
    let seen = terminal(&args, &[("x", text)], &[]);
    assert_harmless(&seen, &format!("{output} {}", text.escape_ascii()));
    String::from_utf8(seen).expect("text")
}

#[test]
fn hostile_text_is_escaped_at_every_place_in_a_file() {
    for (place, put, is_shown) in PLACES {
        // A file that begins with a zero byte is not taken for text, so the zero byte is used as a
        // JSON escape only.
        let zero = is_shown.then(|| "a\0b".to_owned());
        let corpus: Vec<_> = hostile().into_iter().chain(zero).collect();
        let lines: Vec<_> = corpus.iter().map(|text| put(text)).collect();
        for output in ["ndjson", "pretty"] {
            let seen = replay_revealed((lines.join("\n") + "\n").as_bytes(), output);
            if !is_shown {
                assert!(
                    seen.contains("tap.malformed")
                        || seen.contains("call.ended")
                        || seen.contains("event"),
                    "{place}: {seen}"
                );
                continue;
            }
            let shown: Vec<_> = seen
                .lines()
                .filter(|line| line.contains("call.") || line.contains("brand.new"))
                .collect();
            assert_eq!(shown.len(), corpus.len(), "{place}: one line for each");
            for (text, line) in corpus.iter().zip(shown) {
                for (character, _) in characters(text).filter(|(_, is_hostile)| *is_hostile) {
                    // Objects and arrays are shown as JSON in text output too.
                    let is_escape = line.contains(&in_json(character))
                        || (output == "pretty" && line.contains(&in_text(character)));
                    assert!(is_escape, "{place}, {output}: {line} shows {}", text.escape_debug());
                }
                if output == "ndjson" {
                    let line: Value = serde_json::from_str(line).expect("a line is JSON");
                    let texts = [&line["reason"], &line["event_type"]]
                        .map(|value| value.as_str().unwrap_or_default());
                    let is_there = texts.iter().any(|texts| texts.ends_with(text.as_str()));
                    let is_key = line.get(text).is_some() || line["x"][0].get(text).is_some();
                    assert!(is_there || is_key, "{place}: {line} means {}", text.escape_debug());
                }
            }
        }
    }
}

/// The joiners and selectors of emoji and of scripts arrive as they are, as an escape inside a word
/// would make it unreadable.
#[test]
fn joiners_inside_emoji_and_words_stay() {
    for text in [
        "👩🏽\u{200d}⚕\u{fe0f} 3\u{fe0f}\u{20e3}",
        "نمی\u{200c}خواهم",
        "क\u{94d}\u{200d}ष",
        "葛\u{e0100}飾",
    ] {
        let event = json!({"event_type": "call.escalated", "reason": text}).to_string() + "\n";
        for output in ["ndjson", "pretty"] {
            let seen = replay_revealed(event.as_bytes(), output);
            assert!(seen.contains(text), "{output}: {}", seen.escape_unicode());
        }
    }
}

/// Single bytes that old terminals take for C1 controls, and other invalid UTF-8.
#[test]
fn invalid_utf8_is_harmless_at_every_place_in_a_file() {
    const MARK: &str = "MARK";
    let raw = (0x80..=0x9f_u8).map(|byte| vec![b'a', byte, b'3', b'1', b'm']);
    let sequences = [
        &b"\x9d0;x\x9c"[..],
        b"\x90q\x9c",
        b"\x9d52;c;aGk=\x9c",
        b"\xc2",
        b"\xc0\x9b",
        b"\xe0\x80\x9b",
        b"\xff\xfe\x1b[2J",
    ];
    let corpus: Vec<_> = raw.chain(sequences.map(<[u8]>::to_vec)).collect();
    for (_, put, _) in PLACES {
        let around = put(MARK);
        let pieces: Vec<_> = around.split(MARK).collect();
        let lines: Vec<u8> = corpus
            .iter()
            .flat_map(|bytes| {
                let whole = pieces
                    .iter()
                    .map(|piece| piece.as_bytes())
                    .collect::<Vec<_>>()
                    .join(&bytes[..]);
                [whole, b"\n".to_vec()].concat()
            })
            .collect();
        for format in FORMATS.iter().filter(|format| format.name != "tsv") {
            replay_revealed(&lines, &format.example());
        }
    }
}

#[test]
fn hostile_file_names_are_escaped() {
    let is_name = |name: &String| !name.contains(['/', '\0']);
    let names = hostile().into_iter().filter(is_name).map(OsString::from);
    let raw = (0x80..=0x9f_u8).map(|byte| OsString::from_vec(vec![b'a', byte, b'3', b'1', b'm']));
    let event = &b"{\"event_type\":\"call.started\",\"caller_id\":\"x\"}\n"[..];
    for name in names.chain(raw) {
        let how = format!("{}", name.to_string_lossy().escape_debug());
        let seen = terminal(&[OsString::from("audit"), name.clone()], &[(&name, event)], &[]);
        assert_harmless(&seen, &how);
        let seen = String::from_utf8_lossy(&seen);
        let hostile = how.contains("\\u{") && !how.contains("\\u{fffd}");
        assert!(
            seen.contains("in the clear") && (!hostile || seen.contains("\\u{")),
            "{how}: {seen}"
        );
        for args in [&["replay"][..], &["replay", "--status", "json"], &["stats"]] {
            let args: Vec<_> = args.iter().map(OsString::from).chain([name.clone()]).collect();
            let seen = terminal::<&str>(&args, &[], &[("AMIGO_API_KEY", KEY)]);
            assert_harmless(&seen, &how);
            let seen = String::from_utf8_lossy(&seen);
            assert!(seen.contains("no such file"), "{how}, {args:?}: {seen}");
        }
    }
}

#[tokio::test]
async fn hostile_text_is_harmless_in_a_live_stream() {
    let corpus: Vec<_> =
        hostile().into_iter().filter(|text| !text.contains(['\n', '\r'])).collect();
    let mut stream = STREAM.as_bytes().to_vec();
    for text in
        corpus.iter().map(String::as_bytes).chain([&b"a\x9b31m"[..], b"\x9d0;x\x9c", b"\x90q\x9c"])
    {
        for (before, after) in [
            ("id: ", "\nevent: call.ended\ndata: {}\n\n"),
            ("event: ", "\ndata: {\"a\":1}\n\n"),
            ("event: call.ended\ndata: ", "\n\n"),
            (": ", "\nevent: call.ended\ndata: {}\n\n"),
        ] {
            stream.extend_from_slice(&[before.as_bytes(), text, after.as_bytes()].concat());
        }
    }
    let frames = stream.windows(6).filter(|bytes| bytes == b"\ndata:").count();
    let base = scripted([stream]).await;
    let count = frames.to_string();
    let watch = [
        "watch",
        "--workspace",
        evtap::emulator::DEMO_WORKSPACE,
        "--reveal",
        "all",
        "-n",
        &count,
        "--status",
        "json",
    ];
    let seen = on_a_terminal(&watch, &base).await;
    assert_harmless(&seen, "a stream");
    let seen = String::from_utf8_lossy(&seen);
    assert!(
        seen.lines().filter(|line| line.contains("call.") || line.contains("tap.")).count()
            > frames / 2,
        "{seen}"
    );
}

/// Messages repeat no text of an HTTP answer, be it valid UTF-8 or not.
#[tokio::test]
async fn hostile_text_is_harmless_in_an_http_answer() {
    let evil = b"\x9b31m\x9d0;x\x9c\x90q\x9c\xc2\x9b31m\x1b[2J\x07\x08\x7f\xe2\x80\xae";
    let place = |head: &str, body: &str| [head.as_bytes(), evil, body.as_bytes()].concat();
    for answer in [
        place("HTTP/1.1 404 ", "\r\nContent-Length: 0\r\n\r\n"),
        place("HTTP/1.1 404 x\r\nX-Evil: ", "\r\nContent-Length: 0\r\n\r\n"),
        place("HTTP/1.1 404 x\r\n", ": x\r\nContent-Length: 0\r\n\r\n"),
        place("HTTP/1.1 404 x\r\nContent-Length: 27\r\n\r\n", ""),
        place("HTTP/1.1 200 x\r\nContent-Type: ", "\r\nContent-Length: 0\r\n\r\n"),
        place(
            "HTTP/1.1 200 x\r\nContent-Type: text/event-stream\r\nContent-Encoding: ",
            "\r\n\r\n",
        ),
        place("HTTP/1.1 302 x\r\nLocation: http://", "/\r\nContent-Length: 0\r\n\r\n"),
        place("HTTP/1.1 302 x\r\nLocation: /", "\r\nContent-Length: 0\r\n\r\n"),
        place("", "\r\n\r\n"),
    ] {
        let base = scripted([answer.clone()]).await;
        let call =
            ["--workspace", evtap::emulator::DEMO_WORKSPACE, "--call", evtap::emulator::DEMO_CALL];
        for args in [["watch", call[0], call[1]].to_vec(), [&["observe"][..], &call].concat()] {
            let base =
                if args[0] == "watch" { base.clone() } else { scripted([answer.clone()]).await };
            let seen = on_a_terminal(&[&args[..], &["--duration", "300ms"]].concat(), &base).await;
            assert!(!seen.is_empty());
            assert_harmless(&seen, &format!("{} {}", args[0], answer.escape_ascii()));
        }
    }
}
