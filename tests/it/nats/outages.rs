//! The broker is away for long, or evtap is killed while an acknowledgement is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::server::{NatsServer, Stored, is_installed};
use crate::support::{STREAM, read_head, watch};

/// The event stream of a platform whose every step the test decides.
struct Platform(TcpListener);

impl Platform {
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        (Self(listener), base)
    }

    /// Accepts the next connection. Returns the head of the request.
    async fn accept(&self) -> (String, BufReader<TcpStream>) {
        let (socket, _) = self.0.accept().await.expect("a connection");
        let mut socket = BufReader::new(socket);
        let head = read_head(&mut socket).await;
        let answer = format!("{STREAM}retry: 1\n\n");
        socket.write_all(answer.as_bytes()).await.expect("the client reads");
        (head, socket)
    }
}

async fn send(socket: &mut BufReader<TcpStream>, id: i64) {
    let event = format!("id: {id}\nevent: text.completed\ndata: {{\"session_id\":\"s{id}\"}}\n\n");
    socket.write_all(event.as_bytes()).await.expect("the client reads");
}

/// Returns the types, or the sessions of events that have one.
fn summary(stored: &[Stored]) -> Vec<String> {
    let name = |message: &Stored| {
        let data = &message.body["data"];
        let name = data["session_id"].as_str().or(data["event_type"].as_str());
        name.expect("a text").to_owned()
    };
    stored.iter().map(name).collect()
}

#[tokio::test]
async fn an_outage_that_outlasts_the_memory_of_the_platform_is_a_gap_on_the_broker() {
    if !is_installed() {
        return;
    }
    let mut server = NatsServer::start(&[]).await;
    let (platform, base) = Platform::start().await;
    let publish = format!("--create-stream --publish {}", server.url("evtap"));
    let running = watch(&base, &format!("-n 3 --status json -e text.* --tap-name east {publish}"));
    let mut running = running.start();
    let now = Timestamp::now().as_millisecond();
    let before = now - 10 * 60 * 1000;

    let (_, mut socket) = platform.accept().await;
    send(&mut socket, before).await;
    // The tap has announced its connection too.
    server.wait_for("evtap", 2).await;
    server.kill();
    send(&mut socket, before + 1000).await;
    while !running.status_line().await.contains("\"again\"") {}
    // The platform ends the connection of a client that does not keep up, and has forgotten what
    // came since then when the client returns.
    drop(socket);
    let (_, mut socket) = platform.accept().await;
    send(&mut socket, now).await;
    server.restart().await;
    let ran = running.end().await;
    ran.ended(0);
    let stored = server.stored("evtap").await;
    let expected =
        [format!("s{before}"), format!("s{}", before + 1000), "tap.gap".into(), format!("s{now}")];
    assert_eq!(summary(&stored), expected);
    // Others must know of the gap, although a filter leaves it out here.
    assert!(ran.stderr().contains(r#""published":3,"#), "{}", ran.stderr());
    let gap = &stored[2];
    assert!(gap.subject.ends_with(".tap.gap.east"), "{}", gap.subject);
    assert_eq!(gap.body["data"]["tap"], "east");
}

/// Passes connections on to a server. Returns its port, and a switch that makes it swallow what the
/// server answers.
async fn proxy(to: u16) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let is_silent = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_silent);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", to)).await.expect("it is up");
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            let is_silent = Arc::clone(&is_silent);
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                while let Ok(length @ 1..) = from_server.read(&mut bytes).await {
                    if !is_silent.load(Ordering::SeqCst) {
                        let _ = to_client.write_all(&bytes[..length]).await;
                    }
                }
            });
        }
    });
    (port, switch)
}

#[tokio::test]
async fn a_kill_between_the_publish_and_the_acknowledgement_loses_and_repeats_nothing() {
    if !is_installed() {
        return;
    }
    let server = NatsServer::start(&[]).await;
    let (platform, base) = Platform::start().await;
    let home = tempfile::tempdir().expect("a directory");
    let cursor = format!("--cursor {}", home.path().join("cursor").display());
    let (port, is_silent) = proxy(server.port()).await;
    let url = format!("nats://127.0.0.1:{port}/evtap");
    let mut running = watch(&base, &format!("{cursor} --create-stream --publish {url}")).start();
    let first = Timestamp::now().as_millisecond();

    let (_, mut socket) = platform.accept().await;
    send(&mut socket, first).await;
    server.wait_for("evtap", 2).await;
    let text = |path| std::fs::read_to_string(path).unwrap_or_default();
    while !text(home.path().join("cursor")).contains(&first.to_string()) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    is_silent.store(true, Ordering::SeqCst);
    send(&mut socket, first + 1).await;
    server.wait_for("evtap", 3).await;
    running.child.kill().await.expect("killed");
    assert!(
        !text(home.path().join("cursor")).contains(&(first + 1).to_string()),
        "the cursor does not pass an event that was not acknowledged"
    );

    let publish = format!("-n 2 {cursor} --publish {}", server.url("evtap"));
    let running = watch(&base, &publish).start();
    let (head, mut socket) = platform.accept().await;
    assert!(!head.contains(&(first + 1).to_string()), "{head}");
    for id in first..=first + 2 {
        send(&mut socket, id).await;
    }
    running.end().await.ended(0);
    let expected: Vec<_> = (first..=first + 2).map(|id| format!("s{id}")).collect();
    assert_eq!(summary(&server.stored("evtap").await), expected);
}
