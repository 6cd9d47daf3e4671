//! Observes a call whose socket breaks in every way, and compares what was delivered with what was
//! sent.
//!
//! The server keeps nothing of a call, so messages are lost while no client is connected. Each such
//! period needs a `tap.gap`, and every message that was sent must arrive once and in order.

use std::time::Duration;

use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE};
use evtap::error::Exit;
use evtap::model::FrameFormat;
use evtap::transport::client::{Client, Endpoints, Network};
use evtap::transport::credential::Credential;
use evtap::transport::key_ring::KeyRing;
use evtap::transport::{Item, SourceConfig, channel, observer};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::support::read_head;

/// The largest message that is accepted. It is small, so that messages over the limit can be small
/// too.
const FRAME: usize = 4096;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// By a close frame with that code, or without one.
    Close(Option<u16>),
    /// Without a close frame.
    Cut,
    /// By a reset, after everything has arrived.
    Reset,
    /// In the middle of a frame.
    CutWithin,
    /// In the middle of a fragmented message.
    CutBetween,
    /// Never: it stays open and silent.
    Stall,
    /// By a message over the limit.
    Huge,
    /// By text that is not UTF-8.
    NotUtf8,
    /// By bytes that are not a frame.
    Garbage,
    /// In the handshake, by an answer with that status.
    Status(u16),
    /// In the handshake, by an answer that is not HTTP.
    NoHttp,
}

/// A connection: how many messages are missed before it, how many it delivers, and how it ends.
#[derive(Debug, Clone, Copy)]
struct Connection {
    missed: usize,
    messages: usize,
    ending: Ending,
}

/// Endings after which reconnecting is useless, and their exit status.
const FINAL: &[(Ending, Exit)] = &[
    (Ending::Close(Some(1008)), Exit::Credential),
    (Ending::Close(Some(4001)), Exit::Credential),
    (Ending::Close(Some(4003)), Exit::Credential),
    (Ending::Close(Some(4100)), Exit::Credential),
    (Ending::Close(Some(4403)), Exit::Credential),
    (Ending::Status(401), Exit::Credential),
    (Ending::Status(403), Exit::Credential),
    (Ending::Status(404), Exit::NotFound),
    (Ending::Status(410), Exit::NotFound),
];

/// What happened in a call.
#[derive(Debug, Default)]
pub struct CallReport {
    pub faults: usize,
    pub sent: usize,
    pub delivered: usize,
    pub gaps: usize,
    pub missed: usize,
    pub uncovered: usize,
    pub repeated_or_reordered: usize,
}

/// Draws a close code that is not final, except those that ask for a delay of five seconds.
fn transient_close_code(rng: &mut StdRng) -> u16 {
    loop {
        let code = if rng.random_bool(0.3) {
            pick(rng, &[4004, 1000, 1001, 1002, 1003, 1007, 1009, 1010, 1011, 1012, 1014])
        } else {
            rng.random_range(3000..5000)
        };
        let is_final = FINAL.iter().any(|(ending, _)| *ending == Ending::Close(Some(code)));
        if !is_final && !matches!(code, 1013 | 4029) {
            return code;
        }
    }
}

fn pick<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    *of.choose(rng).expect("some")
}

fn connection(rng: &mut StdRng) -> Connection {
    let ending = match rng.random_range(0..13) {
        0..4 => Ending::Close(Some(transient_close_code(rng))),
        4 => Ending::Close(None),
        5 => Ending::Status(pick(rng, &[429, 500, 502, 503])),
        other => [
            Ending::Cut,
            Ending::Reset,
            Ending::CutWithin,
            Ending::CutBetween,
            Ending::Huge,
            Ending::NotUtf8,
            pick(rng, &[Ending::Garbage, Ending::NoHttp, Ending::Stall]),
        ][other - 6],
    };
    Connection { missed: pick(rng, &[0, 1, 3]), messages: rng.random_range(0..5), ending }
}

/// Observes a call that breaks `breaks` times and then ends normally or by a final error.
/// Everything is drawn from the seed.
pub async fn observe_broken_call(seed: u64, breaks: usize) -> CallReport {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut script = vec![Connection { missed: 0, messages: 2, ending: Ending::Cut }];
    script.extend((0..breaks).map(|_| connection(&mut rng)));
    let is_over = rng.random_bool(0.5);
    let (ending, exit) = if is_over {
        (Ending::Close(Some(transient_close_code(&mut rng))), None)
    } else {
        draw_final(&mut rng)
    };
    script.push(Connection { missed: 1, messages: rng.random_range(0..3), ending });

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let (last, plan) = (script.len() - 1, script.clone());
    let serving = tokio::spawn(async move {
        let (mut number, mut open) = (0, Vec::new());
        for (index, connection) in plan.into_iter().enumerate() {
            let (socket, _) = listener.accept().await.expect("a connection");
            number += connection.missed;
            open.extend(play(socket, connection, &mut number, is_over && index == last).await);
        }
        std::future::pending::<()>().await;
    });
    let client = Client::new(
        Endpoints::resolve(&base, None, false).expect("a loopback URL"),
        &Network::default(),
    )
    .expect("a client");
    let keys = KeyRing::new(Credential::new("test", "a test").expect("legal"), None);
    let limits = SourceConfig {
        max_frame: FRAME,
        read_timeout: Some(Duration::from_millis(150)),
        random: || 0.0,
        ..SourceConfig::default()
    };
    let (tx, mut items) = channel(evtap::transport::QUEUE_CAPACITY);
    let reading = tokio::spawn(async move {
        observer::run(&client, DEMO_WORKSPACE, DEMO_CALL, &keys, &limits, &tx).await
    });
    let mut report = CallReport { faults: breaks + 1, ..CallReport::default() };
    let (mut next, mut is_in_gap) = (0, true);
    while let Some(item) = items.recv().await {
        let Item::Frame(frame) = item else { continue };
        if frame.format == FrameFormat::Own {
            report.gaps += 1;
            is_in_gap = true;
        }
        let message: serde_json::Value = serde_json::from_slice(&frame.data).unwrap_or_default();
        let Some(number) =
            message["number"].as_u64().and_then(|number| usize::try_from(number).ok())
        else {
            continue;
        };
        report.delivered += 1;
        report.repeated_or_reordered += usize::from(number < next);
        if number > next {
            report.missed += number - next;
            report.uncovered += if is_in_gap { 0 } else { number - next };
        }
        (next, is_in_gap) = (number + 1, false);
    }
    let ended = reading.await.expect("it does not break down");
    assert_eq!(ended.err().map(|error| error.exit), exit, "{script:?}");
    serving.abort();
    let delivers =
        |connection: &&Connection| !matches!(connection.ending, Ending::Status(_) | Ending::NoHttp);
    report.sent = script.iter().filter(delivers).map(|connection| connection.messages).sum();
    report
}

fn draw_final(rng: &mut StdRng) -> (Ending, Option<Exit>) {
    let (ending, exit) = pick(rng, FINAL);
    (ending, Some(exit))
}

/// Plays the server's side of a connection. Returns the socket if it stays open.
async fn play(
    socket: TcpStream,
    connection: Connection,
    number: &mut usize,
    is_over: bool,
) -> Option<TcpStream> {
    let mut socket = BufReader::new(socket);
    let head = read_head(&mut socket).await;
    match connection.ending {
        Ending::Status(status) => {
            let answer =
                format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            socket.write_all(answer.as_bytes()).await.expect("it is read");
            return None;
        }
        Ending::NoHttp => {
            socket.write_all(b"no HTTP\r\n\r\n").await.expect("it is read");
            return None;
        }
        _ => {}
    }
    let key = head.lines().find_map(|line| {
        line.to_ascii_lowercase().starts_with("sec-websocket-key:").then(|| line[18..].trim())
    });
    let accept = derive_accept_key(key.expect("a key").as_bytes());
    let mut sent = format!(
        "HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: auth\r\n\r\n"
    )
    .into_bytes();
    for _ in 0..connection.messages {
        sent.extend(frame(
            0x81,
            format!(r#"{{"type":"user_transcript","number":{number}}}"#).as_bytes(),
        ));
        *number += 1;
    }
    if is_over {
        sent.extend(frame(0x81, br#"{"type":"session_end"}"#));
    }
    match connection.ending {
        Ending::Close(Some(code)) => sent.extend(frame(0x88, &code.to_be_bytes())),
        Ending::Close(None) => sent.extend(frame(0x88, b"")),
        Ending::CutWithin => sent.extend(&frame(0x81, b"{\"type\":\"user_transcript\"}")[..9]),
        Ending::CutBetween => sent.extend(frame(0x01, b"{\"type\":\"user_")),
        Ending::Huge => sent.extend(
            [&[0x81, 127][..], &(FRAME as u64 + 1).to_be_bytes(), &vec![b'x'; FRAME + 1]].concat(),
        ),
        Ending::NotUtf8 => sent.extend(frame(0x81, b"\"\xff\"")),
        Ending::Garbage => sent.extend([0xff; 40]),
        // The answer to a ping shows that everything before it has arrived.
        Ending::Reset => sent.extend(frame(0x89, b"")),
        Ending::Cut | Ending::Stall | Ending::Status(_) | Ending::NoHttp => {}
    }
    // A client that fails the connection may close it meanwhile.
    let _ = socket.write_all(&sent).await;
    if connection.ending == Ending::Reset {
        let _pong = socket.read(&mut [0; 512]).await.expect("an answer");
        socket.get_ref().set_zero_linger().expect("a TCP socket");
        return None;
    }
    let mut socket = socket.into_inner();
    if connection.ending == Ending::Stall {
        return Some(socket);
    }
    let _ = socket.shutdown().await;
    // Closing a socket with unread bytes resets the connection and loses what is still on the way.
    let _ = tokio::time::timeout(Duration::from_secs(5), async {
        while matches!(socket.read(&mut [0; 512]).await, Ok(1..)) {}
    })
    .await;
    None
}

/// Builds an unmasked, short frame, as a server sends it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, u8::try_from(payload.len()).expect("short")], payload].concat()
}

impl CallReport {
    /// Returns whether everything sent was delivered once and in order, and every loss is in a gap.
    pub fn is_whole(&self) -> bool {
        self.uncovered == 0 && self.repeated_or_reordered == 0 && self.delivered == self.sent
    }

    /// Adds the counts of another report.
    pub fn add(&mut self, other: &Self) {
        self.faults += other.faults;
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.gaps += other.gaps;
        self.missed += other.missed;
        self.uncovered += other.uncovered;
        self.repeated_or_reordered += other.repeated_or_reordered;
    }
}

#[tokio::test]
async fn every_broken_socket_is_covered_by_a_gap() {
    let mut sum = CallReport::default();
    for seed in 0..40 {
        let report = observe_broken_call(seed, 6).await;
        assert!(report.is_whole(), "{seed}: {report:?}");
        sum.add(&report);
    }
    assert!(sum.missed > 20 && sum.gaps > 20 && sum.delivered > 100, "{sum:?}");
}

/// The long run behind the figures in docs/gaps.md.
#[tokio::test]
#[ignore = "takes minutes"]
async fn soak_calls() {
    use std::io::Write;
    let mut sum = CallReport::default();
    for seed in 1000..2200 {
        let report = observe_broken_call(seed, 9).await;
        assert!(report.is_whole(), "{seed}: {report:?}");
        sum.add(&report);
    }
    std::io::stdout().write_all(format!("calls: {sum:?}\n").as_bytes()).expect("a terminal");
}
