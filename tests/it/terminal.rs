//! Hostile text on a real terminal: control sequences, control characters, bidirectional and
//! invisible characters arrive only as visible escapes.

mod corpus;

use std::ffi::OsStr;
use std::fmt::Write;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use evtap::internals::output::FORMATS;
use evtap::model::Kind;
use regex::bytes::Regex;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::support::{KEY, STREAM, pseudo_terminal, read_terminal, scripted, websocket_server};

/// Control sequences that set a title, a link or the clipboard, begin a device control string, move
/// the cursor, clear, or go back.
const SEQUENCES: &[&str] = &[
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://x.example\u{1b}\\link\u{1b}]8;;\u{1b}\\",
    "\u{1b}]52;c;aGk=\u{7}",
    "\u{1b}P+q544e\u{1b}\\",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}[?1049h",
    "\u{1b}c",
    "\u{9b}31m",
    "\u{9d}0;title\u{9c}",
    "\u{90}x\u{9c}",
    "over\rwritten",
    "back\u{8}\u{8}\u{8}\u{8}",
    "two\nlines",
    "tab\tform\u{c}feed\u{b}",
    "\u{7f}",
];

/// Returns the sequences, each control character, bidirectional characters and characters without
/// width.
pub fn hostile() -> Vec<String> {
    let single = ('\u{1}'..='\u{1f}')
        .chain('\u{7f}'..='\u{9f}')
        .chain([
            '\u{61c}',
            '\u{ad}',
            '\u{34f}',
            '\u{180e}',
            '\u{3164}',
            '\u{feff}',
            '\u{2028}',
            '\u{2029}',
            '\u{fff9}',
            '\u{200c}',
            '\u{200d}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{180b}',
            '\u{1bca0}',
            '\u{1d173}',
            '\u{e0100}',
        ])
        .chain(['\u{e0041}'])
        .chain('\u{200b}'..='\u{200f}')
        .chain('\u{202a}'..='\u{202e}')
        .chain('\u{2060}'..='\u{2069}');
    SEQUENCES
        .iter()
        .map(|text| (*text).to_owned())
        .chain(single.map(|character| format!("a{character}b")))
        .collect()
}

/// Runs evtap in a directory with these files. Returns what its terminal receives.
fn terminal<F: AsRef<Path>>(
    args: &[impl AsRef<OsStr>],
    files: &[(F, &[u8])],
    env: &[(&str, &str)],
) -> Vec<u8> {
    let home = TempDir::new().expect("a home");
    for (name, bytes) in files {
        std::fs::write(home.path().join(name), bytes).expect("a file");
    }
    let (mut master, slave) = pseudo_terminal(180);
    let mut command = Command::new(env!("CARGO_BIN_EXE_evtap"));
    command
        .args(args)
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("TERM", "xterm-256color");
    command.envs(env.iter().copied()).stdin(Stdio::null());
    command.stdout(slave.try_clone().expect("a copy")).stderr(slave);
    let mut child = command.spawn().expect("it starts");
    // The copies in `command` would keep the terminal open.
    drop(command);
    let seen = read_terminal(&mut master);
    child.wait().expect("it ends");
    seen
}

/// Asserts that nothing but text is left after removing evtap's own colours, line ends and progress
/// lines.
#[track_caller]
fn assert_harmless(seen: &[u8], how: &str) {
    let ours = Regex::new("\x1b\\[(?:[0-9]{1,3}(?:;[0-9]{1,3})*)?m|\r?\r\n|\r\x1b\\[K")
        .expect("a regular expression");
    let rest = ours.replace_all(seen, &b""[..]);
    let rest =
        std::str::from_utf8(&rest).unwrap_or_else(|_| panic!("{how}: bytes that are no UTF-8"));
    let found = evtap::text::terminal::first_hostile(rest);
    assert_eq!(found.map(u32::from), None, "{how}: {}", rest.escape_debug());
}

/// Returns every event, with hostile text in every string, as a key, as an event type and as an id.
fn events() -> String {
    let mut text = String::new();
    let hostile = hostile();
    for (index, kind) in Kind::ALL.iter().cycle().take(hostile.len() * 2).enumerate() {
        let hostile = &hostile[index % hostile.len()];
        let mut event = Map::new();
        let name = if index % 5 == 0 {
            format!("call.{hostile}")
        } else {
            kind.spec().event_type.to_owned()
        };
        event.insert("event_type".to_owned(), name.into());
        for field in kind.spec().fields {
            event.insert(field.name.to_owned(), json!(hostile));
        }
        event.insert(hostile.clone(), json!({hostile: [hostile]}));
        // Once with escapes, and once raw where JSON allows it.
        let _ = writeln!(text, "{}", Value::from(event));
        let _ = writeln!(
            text,
            "{{\"event_type\":\"call.escalated\",\"reason\":\"{}\"}}",
            hostile.replace(['\n', '"', '\\'], "")
        );
    }
    text
}

#[test]
fn replays_are_harmless_in_every_output() {
    let text =
        [events().as_bytes(), b"{\"event_type\":\"call.escalated\",\"reason\":\"\x9b31m\x9d0;x\x9c\"}\n\x1b[31m\n\xff\xfe\n"]
            .concat();
    let hidden: &[&[&str]] = &[&[], &["--status", "json"]];
    let shown: &[&[&str]] = &[
        &["--reveal", "all"],
        &["--reveal", "all", "--wrap", "--color", "always"],
        &[
            "--reveal",
            "all",
            "-o",
            "template={{ event_type }} {{ reason }} {{ caller_id }} {{ _tap }}",
        ],
        &["--reveal", "all", "-r", "--jq", ".[]?"],
        &["--reveal", "all", "--no-check", "--jq", ".reason | error"],
        &["--reveal", "all", "--no-check", "-r", "--jq", "tojson, keys[]"],
        &["--reveal", "all", "--fields", "reason,caller_id,\u{1b}[31m,_tap.id", "--no-check"],
        &["--reveal", "all", "--grep", "."],
        &["--reveal", "all", "--stats"],
    ];
    let examples: Vec<_> = FORMATS.iter().map(|format| format.example()).collect();
    let formats = examples.iter().map(|example| vec!["--reveal", "all", "-o", example]);
    for (options, revealed) in hidden
        .iter()
        .map(|options| (options.to_vec(), false))
        .chain(shown.iter().map(|options| (options.to_vec(), true)))
        .chain(formats.map(|options| (options, true)))
    {
        let args = [&["replay", "x.ndjson"], &options[..]].concat();
        let seen = terminal(&args, &[("x.ndjson", &text)], &[]);
        let how = options.join(" ");
        // TSV has tabs between its cells.
        let seen: Vec<_> =
            seen.into_iter().filter(|byte| *byte != b'\t' || !how.contains("tsv")).collect();
        assert_harmless(&seen, &how);
        assert!(
            how.contains("error") || seen.len() > 10_000,
            "{how}: {}",
            String::from_utf8_lossy(&seen)
        );
        let has_escapes = ["\\u001b", "\\u{1b}"]
            .iter()
            .any(|escape| String::from_utf8_lossy(&seen).contains(escape));
        assert!(has_escapes || !revealed, "{how}: it is shown, as an escape");
    }
}

#[test]
fn statistics_are_harmless() {
    let text = events();
    for options in [
        &[][..],
        &["-o", "json"],
        &["-o", "html"],
        &["--group-by", ".."],
        &["--every", "1m", "--group-by", ".."],
        &["--every", "1m", "-o", "json", "--group-by", ".."],
    ] {
        let args = [&["stats", "x.ndjson", "--reveal", "all", "--no-check"], options].concat();
        let seen = terminal(&args, &[("x.ndjson", text.as_bytes())], &[]);
        let how = options.join(" ");
        assert_harmless(&seen, &how);
        let seen = String::from_utf8_lossy(&seen);
        assert!(
            ["\\u001b", "\\u{1b}"].iter().any(|escape| seen.contains(escape)),
            "{how}: it is shown, as an escape"
        );
    }
}

#[test]
fn timelines_are_harmless() {
    let sid = "CA5f0c8d1f1d2e4b7a9c3d5e7f90123456";
    // Lines with raw control characters are not JSON and belong to no call.
    let of_one_call = |line: &str| {
        let mut event: Value = serde_json::from_str(line).ok()?;
        event["call_sid"] = json!(sid);
        Some(event.to_string() + "\n")
    };
    let one: String = events().lines().filter_map(of_one_call).collect();
    for (args, text) in [
        (&[sid, "x.ndjson"][..], &one),
        (&[sid, "x.ndjson", "-o", "json"], &one),
        (&[sid, "x.ndjson", "-o", "html"], &one),
        (&["x.ndjson"], &events()),
        (&["x.ndjson", "-o", "json"], &events()),
    ] {
        let seen = terminal(
            &[&["timeline", "--reveal", "all"], args].concat(),
            &[("x.ndjson", text.as_bytes())],
            &[],
        );
        let how = args.join(" ");
        assert_harmless(&seen, &how);
        let seen = String::from_utf8_lossy(&seen);
        assert!(
            ["\\u001b", "\\u{1b}"].iter().any(|escape| seen.contains(escape)),
            "{how}: it is shown, as an escape"
        );
    }
}

#[test]
fn file_names_and_arguments_are_harmless() {
    for name in ["\u{1b}]0;x\u{7}", "a\u{9b}31m", "a\u{202e}b", "a\nb\r\u{8}"] {
        for args in [
            &["replay", name][..],
            &["replay", name, "--status", "json"],
            &["audit", name],
            &["stats", name],
            &["timeline", name],
            &["timeline", "demo", "-", "--quiet", name],
            &["stats", "-", "--group-by", name],
            &["schema", name],
            &["watch", "--workspace", name],
            &["watch", "--workspace", "demo", "--redact", name],
            &["replay", "-", "--reveal", name],
            &["replay", "-", "--filter", name],
            &["replay", "-", "--jq", name],
            &["replay", "-", "-o", name],
            &["replay", "-", "--tz", name],
            &["replay", "-", "--phi-key-file", name],
            &["frames", name, "--reveal", "all"],
            &["observe", "--call", name],
            &["replay", "-", &format!("--{name}")],
            &[name],
        ] {
            let seen = terminal::<&str>(args, &[], &[("AMIGO_API_KEY", KEY)]);
            assert!(!seen.is_empty(), "{args:?}");
            assert_harmless(&seen, &args.join(" ").escape_debug().to_string());
        }
        let seen = terminal(
            &["audit", name],
            &[(name, b"{\"event_type\":\"call.started\",\"caller_id\":\"x\"}\n")],
            &[],
        );
        assert!(String::from_utf8_lossy(&seen).contains("in the clear"));
        assert_harmless(&seen, "audit");
        let step = format!(".call_sid == \"{name}\"");
        let event: &[u8] = b"{\"event_type\":\"call.started\"}\n";
        let args = ["expect", "--replay", "x.ndjson", "--no-check", "--then", &step];
        let seen = terminal(&args, &[("x.ndjson", event)], &[]);
        assert!(String::from_utf8_lossy(&seen).contains("not met"));
        assert_harmless(&seen, "expect");
    }
}

#[tokio::test]
async fn servers_are_harmless() {
    let evil: String = hostile().into_iter().filter(|text| !text.contains(['\n', '\r'])).collect();
    let headers = format!("X-Evil: {evil}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{evil}");
    let stream = format!(
        "{STREAM}id: {evil}\nevent: {evil}\ndata: {{\"a\":1}}\n\nid: 1\ndata: {evil}\n\nevent: error\ndata: {{\"code\":\"too_many_streams\",\"message\":\"{evil}\"}}\n\n"
    );
    let answers = [
        format!("HTTP/1.1 404 {evil}\r\n{headers}"),
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/{evil}\r\n{headers}"),
        format!("HTTP/1.1 302 x\r\nLocation: http://{evil}/\r\n{headers}"),
        format!("HTTP/1.1 {evil}\r\n\r\n"),
        stream,
    ];
    for answer in answers {
        for status in ["text", "json"] {
            let base = scripted([answer.clone().into_bytes()]).await;
            let seen = on_a_terminal(
                &[
                    "watch",
                    "--workspace",
                    evtap::emulator::DEMO_WORKSPACE,
                    "--status",
                    status,
                    "--duration",
                    "1s",
                    "--reveal",
                    "all",
                ],
                &base,
            )
            .await;
            assert_harmless(&seen, &answer.escape_debug().to_string());
        }
    }
    for code in [1000, 1008, 4001, 4999] {
        let close = CloseFrame {
            code: code.into(),
            reason: evil.chars().take(30).collect::<String>().into(),
        };
        let messages = vec![
            Message::text(format!("{{\"type\":\"{}\"}}", "x\\u001b[31m")),
            Message::text(evil.clone()),
            Message::Close(Some(close)),
        ];
        let base = websocket_server(messages).await;
        let call = [
            "observe",
            "--workspace",
            evtap::emulator::DEMO_WORKSPACE,
            "--call",
            evtap::emulator::DEMO_CALL,
        ];
        let seen =
            on_a_terminal(&[&call[..], &["--duration", "1s", "--reveal", "all"]].concat(), &base)
                .await;
        assert_harmless(&seen, &format!("close {code}"));
    }
    let base =
        scripted([format!("{STREAM}id: {evil}\nevent: {evil}\ndata: {evil}\n\n").into_bytes()])
            .await;
    let seen =
        on_a_terminal(&["frames", &format!("{base}/x"), "--reveal", "all", "-n", "1"], &base).await;
    assert!(
        String::from_utf8_lossy(&seen).contains("\\u001b"),
        "{}",
        String::from_utf8_lossy(&seen)
    );
    assert_harmless(&seen, "frames");
}

async fn on_a_terminal(args: &[&str], base: &str) -> Vec<u8> {
    let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let base = base.to_owned();
    let run = move || {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        terminal::<&str>(&args, &[], &[("AMIGO_API_KEY", KEY), ("AMIGO_BASE_URL", &base)])
    };
    tokio::task::spawn_blocking(run).await.expect("it runs")
}

/// Replays input that arrives in two parts, with stderr on a terminal. Returns what the terminal
/// receives until the first part is counted, and the rest.
fn replay_in_two_parts(options: &[&str]) -> (String, String) {
    let (mut master, slave) = pseudo_terminal(180);
    let mut command = Command::new(env!("CARGO_BIN_EXE_evtap"));
    command
        .args(["replay", "-", "--no-check"])
        .args(options)
        .env_clear()
        .env("TERM", "xterm-256color");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(slave)
        .spawn()
        .expect("it starts");
    drop(command);
    let mut stdin = child.stdin.take().expect("a pipe");
    let event = "{\"event_type\":\"call.ended\",\"reason\":\"\\u001b[31m\"}\n";
    stdin.write_all(event.repeat(3).as_bytes()).expect("it reads");
    let mut before = String::new();
    let mut chunk = [0; 4096];
    while !before.contains("3 events") {
        let read = master.read(&mut chunk).expect("it tells");
        before += &String::from_utf8_lossy(&chunk[..read]);
    }
    stdin.write_all(event.as_bytes()).expect("it reads");
    drop(stdin);
    let after = read_terminal(&mut master);
    assert!(child.wait().expect("it ends").success());
    (before, String::from_utf8(after).expect("text"))
}

#[test]
fn the_progress_line_is_harmless_and_erased() {
    let (before, after) = replay_in_two_parts(&[]);
    let line = Regex::new("\r\x1b\\[K[0-9.]+ [KMG]?i?B  3 events  [0-9,]+/s")
        .expect("a regular expression");
    assert!(line.is_match(before.as_bytes()), "{before:?}");
    let (_, last) = after.rsplit_once("\r\u{1b}[K").expect("it is taken away");
    assert_eq!(last, "evtap: 4 events, 4 with drift (see _tap.drift)\r\n");
    // Other messages are printed whole, above the progress line.
    let (before, after) = replay_in_two_parts(&["--filter", ".reason | error"]);
    let all = before + &after;
    assert!(
        all.contains("\r\u{1b}[Kevtap: --filter fails on ")
            || all.starts_with("evtap: --filter fails on "),
        "{all:?}"
    );
    assert_harmless(all.replace("\r\u{1b}[K", "").as_bytes(), "progress");
}
