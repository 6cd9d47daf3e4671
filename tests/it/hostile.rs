//! Hostile servers and files: evtap carries on or ends with an error, and its memory stays below a
//! limit of 192 MiB in use and 768 MiB of address space.

#![cfg(target_os = "linux")] // It reads memory from /proc, and only there the shell can limit it.

pub mod commands;

use std::io::Write;
use std::process::{Command, Stdio};

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::support::{KEY, STREAM, endpoint, read_head, status};

/// The largest amount of memory that may be in use at any time, in KiB.
pub const IN_USE: u64 = 192 << 10;

/// The largest address space, in KiB. It includes stacks and memory that the allocator reserves but
/// does not use.
const ADDRESSES: u64 = 768 << 10;

/// The result of a run under the limit.
struct LimitedRun {
    status: i32,
    stdout: String,
    stderr: String,
    /// The largest amount of memory that was in use, in KiB.
    most: u64,
}

/// Runs it under the limit and asserts that its memory stays below [`IN_USE`]. The value that
/// `input` returns is dropped once the memory has been read for the first time.
fn run_limited<T>(
    line: &str,
    base: &str,
    input: impl FnOnce(&mut dyn Write) -> T + Send,
) -> LimitedRun {
    let dir = tempfile::tempdir().expect("a directory");
    let [out, err] =
        ["out", "err"].map(|name| std::fs::File::create(dir.path().join(name)).expect("a file"));
    // The limit of the shell applies to evtap, which replaces it.
    let script = format!("ulimit -v {ADDRESSES}; exec {} {line}", env!("CARGO_BIN_EXE_evtap"));
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .envs([("AMIGO_API_KEY", KEY), ("AMIGO_BASE_URL", base), ("HOME", "/nonexistent")])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(err)
        .spawn()
        .expect("sh starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let status_file = format!("/proc/{}/status", child.id());
    let in_use = || memory_in_use(&status_file);
    let input = input(&mut stdin);
    let begun = std::time::Instant::now();
    // No test waits this long when all is well.
    let is_late = || begun.elapsed() > std::time::Duration::from_secs(90);
    // It cannot end before its input ends or the server begins.
    let mut most = in_use();
    while most < 1000 {
        assert!(!is_late(), "{line}: it is not there to be looked at");
        std::thread::yield_now();
        most = in_use();
    }
    drop((input, stdin));
    let status = loop {
        if is_late() {
            let _ = child.kill();
        }
        // `VmHWM` is a high-water mark, so the last value before the end is the maximum.
        most = most.max(in_use());
        if let Some(status) = child.try_wait().expect("it runs") {
            break status;
        }
        std::thread::yield_now();
    };
    let read = |name: &str| {
        String::from_utf8_lossy(&std::fs::read(dir.path().join(name)).expect("a file")).into_owned()
    };
    let (stdout, stderr) = (read("out"), read("err"));
    assert!(
        !stderr.contains("panicked")
            && !stderr.contains("panicked")
            && !stderr.contains("allocation"),
        "{stderr}"
    );
    assert!(most < IN_USE, "{line}: {most} KiB");
    LimitedRun { status: status.code().expect("no signal has ended it"), stdout, stderr, most }
}

/// Returns the largest amount of memory that a process has used, in KiB, from its status file.
pub fn memory_in_use(status_file: &str) -> u64 {
    let status = std::fs::read_to_string(status_file).unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.and_then(|most| most.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or_default()
}

const MIB: usize = 1 << 20;

/// An event that must arrive after everything else.
const LAST: &str = r#"{"event_type":"text.started","channel_kind":"sms","service_id":"s","session_id":"the last"}"#;

/// Writes a hostile file.
type Input = fn(&mut dyn Write);

/// Frames and lines without end.
const ENDLESS: &[(&str, Input)] = &[
    ("an endless line", |out| (0..70).for_each(|_| write_all(out, &vec![b'x'; MIB]))),
    ("endless data lines", |out| {
        write_all(out, b"id: 1\nevent: call.started\n");
        (0..70).for_each(|_| write_all(out, "data: abc\n".repeat(MIB / 10).as_bytes()));
        write_all(out, b"\n");
    }),
    ("endless type lines", |out| {
        (0..250).for_each(|_| write_all(out, long_line("event: ").as_bytes()));
        write_all(out, b"data: {}\n\n");
    }),
    ("one long id for many frames", |out| {
        write_all(out, ["id: ", &"x".repeat(MIB - 100), "\n"].concat().as_bytes());
        write_all(out, "data\n\n".repeat(MIB / 6).as_bytes());
    }),
    ("a long event of an array", |out| {
        write_all(out, b"[\n  {\n    \"a\": \"");
        (0..70).for_each(|_| write_all(out, &vec![b'x'; MIB]));
        write_all(out, b"\"\n  },");
    }),
    ("a deep event of an array", |out| {
        write_all(out, b"[\n  {\n    \"a\": ");
        (0..4).for_each(|_| write_all(out, &vec![b'['; MIB]));
    }),
    ("white space in an array", |out| {
        write_all(out, b"[\n  {\n    \"a\": ");
        (0..4).for_each(|_| write_all(out, &vec![b' '; MIB]));
        write_all(out, b"1\n  },");
    }),
    ("an array of numbers", |out| {
        write_all(out, b"[\n");
        write_all(out, "1,".repeat(MIB / 8).as_bytes());
    }),
];

/// Deep, large and repetitive events.
const LARGE: &[(&str, Input)] = &[
    ("zeros", |out| (0..60).for_each(|_| write_all(out, &vec![0; MIB]))),
    ("brackets", |out| {
        (0..10).for_each(|_| {
            write_all(out, ["[".repeat(100_000).as_bytes(), b"\n"].concat().as_slice());
        });
    }),
    ("braces", |out| {
        (0..10).for_each(|_| {
            write_all(out, ["{\"a\":".repeat(100_000).as_bytes(), b"\n"].concat().as_slice());
        });
    }),
    ("a million keys", |out| {
        let keys: Vec<_> = (0..1_000_000).map(|key| format!("\"k{key}\":{key}")).collect();
        write_all(
            out,
            format!("{{\"event_type\":\"call.started\",{}}}\n", keys.join(",")).as_bytes(),
        );
    }),
    ("as many keys as fit", |out| {
        let keys: Vec<_> = (0..80_000).map(|key| format!("\"k{key}\":{}", key % 9)).collect();
        for _ in 0..2 {
            write_all(
                out,
                format!("{{\"event_type\":\"call.started\",{}}}\n", keys.join(",")).as_bytes(),
            );
        }
    }),
    ("one key again and again", |out| {
        write_all(
            out,
            format!("{{\"event_type\":\"call.started\"{}}}\n", ",\"caller_id\":1".repeat(60_000))
                .as_bytes(),
        );
    }),
    ("large events", |out| {
        let event = format!(
            "{{\"event_type\":\"call.ended\",\"call_sid\":\"{}\"}}\n",
            "x".repeat(1_000_000)
        );
        (0..80).for_each(|_| write_all(out, event.as_bytes()));
    }),
    ("digits", |out| {
        let event = format!(
            "{{\"event_type\":\"call.escalated\",\"reason\":\"{}\"}}\n",
            "call 202 555 0123 2-".repeat(20_000)
        );
        (0..2).for_each(|_| write_all(out, event.as_bytes()));
    }),
    ("escapes", |out| {
        let event = format!(
            "{{\"event_type\":\"call.escalated\",\"reason\":\"{}\"}}\n",
            "\\u0035".repeat(150_000)
        );
        (0..2).for_each(|_| write_all(out, event.as_bytes()));
    }),
];

#[test]
fn hostile_files_stay_below_the_memory_limit() {
    for (name, input) in ENDLESS.iter().chain(LARGE) {
        let is_stream = name.contains(" lines") || name.contains(" id ");
        for options in ["-o ndjson", "-o pretty --wrap --color always"] {
            let result = run_limited(&format!("replay - {options}"), "", |out| {
                input(out);
                let last =
                    if is_stream { format!("data: {LAST}\n\n") } else { format!("\n{LAST}\n") };
                write_all(out, last.as_bytes());
            });
            assert_eq!(result.status, 0, "{name}: {}", result.stderr);
            assert!(
                result
                    .stdout
                    .trim_end()
                    .lines()
                    .last()
                    .is_some_and(|line| line.contains("text.started")),
                "{name} {options}"
            );
        }
    }
}

/// Small files that decompress to much: one line of 128 MiB, and 4 MiB of events.
#[test]
fn compression_bombs_stay_below_the_memory_limit() {
    type Pack = fn(&[u8]) -> Vec<u8>;
    let packers: [Pack; 2] = [
        |text| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            packer.write_all(text).expect("written");
            packer.finish().expect("written")
        },
        |text| {
            let mut archive = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
            zstd_safe::compress(&mut archive, text, 1).expect("there is room");
            archive
        },
    ];
    for pack in packers {
        let events = format!("{LAST}\n").repeat(MIB / (LAST.len() + 1)).into_bytes();
        for (text, times) in [(vec![b'x'; MIB], 128), (events, 4)] {
            let (piece, end) = (pack(&text), pack(format!("\n{LAST}\n").as_bytes()));
            assert!(piece.len() < MIB / 20);
            let result = run_limited("replay -", "", |out| {
                (0..times).for_each(|_| write_all(out, &piece));
                write_all(out, &end);
            });
            assert_eq!(result.status, 0, "{}", result.stderr);
            assert!(result.stdout.lines().last().is_some_and(|line| line.contains("the last")));
        }
    }
}

/// Returns a line of 1 MiB.
fn long_line(field: &str) -> String {
    format!("{field}{}\n", "x".repeat(MIB - field.len() - 1))
}

fn write_all(out: &mut dyn Write, bytes: &[u8]) {
    out.write_all(bytes).expect("it reads to the end");
}

/// Starts a server that writes `first` to its first client, `more` that many times, and `last`. It
/// begins once the client's memory has been read.
async fn endless(first: Vec<u8>, more: Vec<u8>, times: usize, last: Vec<u8>) -> Endless {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let (connects, connected) = oneshot::channel();
    let (measured, is_measured) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a connection");
        let mut socket = BufReader::new(socket);
        let head = read_head(&mut socket).await;
        connects.send(()).expect("somebody waits for it");
        // The sender is dropped and never sends.
        let _ = is_measured.await;
        let key = head.lines().find_map(|line| {
            line.to_ascii_lowercase().starts_with("sec-websocket-key:").then(|| line[18..].trim())
        });
        let accept = key.map(|key| {
            tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes())
        });
        let first = String::from_utf8_lossy(&first).replace("ACCEPT", &accept.unwrap_or_default());
        let _ = socket.write_all(first.as_bytes()).await;
        for _ in 0..times {
            // A client that has had enough closes the connection.
            if socket.write_all(&more).await.is_err() {
                return;
            }
        }
        let _ = socket.write_all(&last).await;
        std::future::pending::<()>().await;
    });
    Endless { base, connected, measured }
}

/// A server that sends endless data.
struct Endless {
    base: String,
    /// Receives when the client has connected and its memory can be read.
    connected: oneshot::Receiver<()>,
    /// Dropping it lets the server begin.
    measured: oneshot::Sender<()>,
}

async fn run_against(line: String, server: Endless) -> LimitedRun {
    let Endless { base, connected, measured } = server;
    let run = move || {
        run_limited(&line, &base, |_| {
            connected.blocking_recv().expect("it asks");
            measured
        })
    };
    tokio::task::spawn_blocking(run).await.expect("it runs")
}

#[tokio::test]
async fn endless_streams_stay_below_the_memory_limit() {
    let watch = format!("watch --workspace {} -o ndjson -n 2", evtap::emulator::DEMO_WORKSPACE);
    let last = format!("\n\nid: 7\nevent: text.started\ndata: {LAST}\n\n").into_bytes();
    for (begin, more) in [
        ("id: 1\n", long_line("event: ").into_bytes()),
        ("", long_line("id: ").into_bytes()),
        ("data: ", vec![b'x'; MIB]),
        ("id: 1\n", "data: abc\n".repeat(MIB / 10).into_bytes()),
        ("event: ", vec![b'y'; MIB]),
    ] {
        let times = if more.ends_with(b"\n") { 250 } else { 64 };
        let server =
            endless(format!("{STREAM}{begin}").into_bytes(), more, times, last.clone()).await;
        let result = run_against(watch.clone(), server).await;
        assert_eq!(result.status, 0, "{}", result.stderr);
        assert!(
            result.stdout.contains("too_large") && result.stdout.contains("the last"),
            "{}",
            result.stdout
        );
    }
    // An endless head.
    let server = endless(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; MIB], 64, Vec::new()).await;
    assert_ne!(run_against(watch.clone(), server).await.status, 0);
    // A compressed stream, which evtap did not ask for, is not decompressed.
    for encoding in ["gzip", "br", "zstd", "deflate", "identity, gzip"] {
        let begin =
            STREAM.replace("\r\n\r\n", &format!("\r\nContent-Encoding: {encoding}\r\n\r\n"));
        let server = endless(begin.into_bytes(), vec![0x1f; MIB], 64, Vec::new()).await;
        let result = run_against(watch.clone(), server).await;
        assert!(
            result.status == 1
                && result.stderr.contains("the stream is compressed, which was not requested"),
            "{}",
            result.stderr
        );
    }
}

const UPGRADE: &str = "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: auth\r\n\r\n";

#[tokio::test]
async fn endless_websocket_frames_stay_below_the_memory_limit() {
    let (workspace, call) = (evtap::emulator::DEMO_WORKSPACE, evtap::emulator::DEMO_CALL);
    let observe = format!("observe --workspace {workspace} --call {call} -o ndjson -n 1");
    // A frame with a length of 2^63, of 2^62 and of one byte over the limit; and a message in
    // endless fragments.
    let length = |bytes: u64| [&[0x81, 127][..], &bytes.to_be_bytes()].concat();
    let fragment = [&[0x00, 127][..], &65_536_u64.to_be_bytes(), &vec![b'x'; 65_536]].concat();
    for (begin, more) in [
        (length(1 << 63), vec![b'x'; MIB]),
        (length(1 << 62), vec![b'x'; MIB]),
        (length((1 << 20) + 1), vec![b'x'; MIB]),
        (vec![0x01, 0x01, b'{'], fragment),
    ] {
        let server = endless(
            UPGRADE.as_bytes().to_vec(),
            [begin, more.clone()].concat(),
            1,
            more.repeat(64),
        )
        .await;
        let result = run_against(observe.clone(), server).await;
        assert!(
            result.stdout.contains("too_large")
                || result.stderr.contains("violated the WebSocket protocol"),
            "{} {}",
            result.stdout,
            result.stderr
        );
    }
}

/// The server never reads, so that the pongs cannot be sent.
#[tokio::test]
async fn endless_pings_do_not_pile_up_pongs() {
    let (workspace, call) = (evtap::emulator::DEMO_WORKSPACE, evtap::emulator::DEMO_CALL);
    let observe = format!("observe --workspace {workspace} --call {call} -o ndjson -n 1");
    let ping = [&[0x89, 125][..], &[b'x'; 125]].concat();
    let (pings, times) = (ping.repeat(MIB / ping.len()), 96);
    let last = r#"{"type":"session_end","data":{}}"#;
    let last = [&[0x81, u8::try_from(last.len()).expect("short")], last.as_bytes()].concat();
    let server = endless(UPGRADE.as_bytes().to_vec(), pings, times, last).await;
    let result = run_against(observe, server).await;
    assert_eq!(result.status, 0, "{}", result.stderr);
    assert!(result.stdout.contains("session_end"), "{}", result.stdout);
    assert!(result.most < 64 << 10, "{} KiB for {times} MiB of pings", result.most);
}

#[tokio::test]
async fn endless_answers_of_an_endpoint_stay_below_the_memory_limit() {
    for first in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: ",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let more = if first.contains("chunked") {
            ["100000\r\n".as_bytes(), &vec![b'x'; MIB], b"\r\n"].concat()
        } else {
            vec![b'x'; MIB]
        };
        let server = endless(first.into(), more, 64, Vec::new()).await;
        let Endless { base, connected, measured } = server;
        let line = format!("replay - --forward {base} --forward-retries 0");
        let run = move || {
            run_limited(&line, "", |out| {
                write_all(out, format!("{LAST}\n").as_bytes());
                out.flush().expect("it reads");
                connected.blocking_recv().expect("it asks");
                measured
            })
        };
        let result = tokio::task::spawn_blocking(run).await.expect("it runs");
        let delivered = result.stderr.contains("1 forwarded");
        assert_eq!(
            (result.status, delivered),
            if first.contains("X: ") { (1, false) } else { (0, true) },
            "{}",
            result.stderr
        );
        assert!(result.stdout.contains("the last"));
    }
    // Large events for a slow endpoint: evtap queues a limited batch of them.
    let (url, posts) = endpoint(|_| status(200, "")).await;
    let line = format!("replay - --forward {url}");
    let event =
        format!("{{\"event_type\":\"call.ended\",\"call_sid\":\"{}\"}}\n", "x".repeat(1_000_000));
    let result = tokio::task::spawn_blocking(move || {
        run_limited(&line, "", |out| (0..250).for_each(|_| write_all(out, event.as_bytes())))
    });
    assert_eq!(result.await.expect("it runs").status, 0);
    assert_eq!(posts.lock().expect("no panic").len(), 250);
}
