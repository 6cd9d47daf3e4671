//! The HTTP server: formats, methods, limits, and what a bad client or address does.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{LISTEN, scrape, start};
use crate::support::{curl, emulator, events, evtap, fast, watch};

/// Sends a request, and returns everything that comes back until the server closes the connection.
async fn request(base: &str, text: &[u8]) -> String {
    let address = base.strip_prefix("http://").expect("plain HTTP");
    let mut socket = TcpStream::connect(address).await.expect("a server");
    // The server may answer before it has read everything.
    let _ = socket.write_all(text).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn the_format_is_the_one_that_was_asked_for() {
    let base = emulator(fast()).await;
    let (_run, metrics) = start(watch(&base, LISTEN)).await;
    let (head, body) = curl(&metrics, "/metrics", "", |_| false).await;
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    assert!(body.contains("# TYPE evtap_events_total counter\n") && !body.contains("# EOF"));
    let accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n";
    let (head, body) = curl(&metrics, "/metrics", accept, |_| false).await;
    let open_metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(head.contains(&format!("content-type: {open_metrics}\r\n")), "{head}");
    assert!(body.contains("# TYPE evtap_events counter\n") && body.ends_with("\n# EOF\n"));
    assert!(body.contains("# UNIT evtap_behind_seconds seconds\n"));
}

#[tokio::test]
async fn other_requests_get_the_usual_answers() {
    let base = emulator(fast()).await;
    let (_run, metrics) = start(watch(&base, LISTEN)).await;
    for (head, expected) in [
        ("HEAD /metrics HTTP/1.1\r\nHost: a\r\n", "HTTP/1.1 200 OK\r\n"),
        ("GET /metrics?a=b HTTP/1.0\r\n", "HTTP/1.0 200 OK\r\n"),
        ("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n", "HTTP/1.1 405 "),
        ("GET / HTTP/1.1\r\nHost: a\r\n", "HTTP/1.1 404 "),
        ("GET /metrics/x HTTP/1.1\r\nHost: a\r\n", "HTTP/1.1 404 "),
        ("CANARY\r\n", "HTTP/1.1 400 "),
        (&format!("GET /metrics HTTP/1.1\r\nX: {}\r\n", "a".repeat(1 << 20)), "HTTP/1.1 431 "),
    ] {
        let answer = request(&metrics, format!("{head}\r\n").as_bytes()).await;
        assert!(answer.starts_with(expected), "{}: {answer}", &head[..20.min(head.len())]);
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(!answer.contains("CANARY"), "{answer}");
        if head.contains(" 405 ") {
            assert!(head.contains("allow: GET,HEAD\r\n"), "{head}");
        }
        if expected == "HTTP/1.1 200 OK\r\n" {
            assert!(body.is_empty() && !head.contains("content-length: 0"), "{head}");
        }
    }
}

/// Opens connections that send half a request, and connections that never read the answer.
#[tokio::test]
async fn clients_that_stop_delay_neither_events_nor_other_clients() {
    let base = emulator(fast()).await;
    let (mut run, metrics) = start(watch(&base, LISTEN)).await;
    let address = metrics.strip_prefix("http://").expect("plain HTTP");
    let mut open = Vec::new();
    for text in ["GET /metrics HTTP/1.1\r\nHost: a\r\n", "GET /metrics HTTP/1.1\r\n\r\n"] {
        for _ in 0..5 {
            let mut socket = TcpStream::connect(address).await.expect("a server");
            socket.write_all(text.as_bytes()).await.expect("the server reads");
            open.push(socket);
        }
    }
    for _ in 0..500 {
        run.line().await;
    }
    assert!(scrape(&metrics).await["evtap_events_total{event_type=\"call.started\"}"] > 0.0);
    // They have not been closed meanwhile.
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::ZERO, open[0].read(&mut byte)).await;
    assert!(read.is_err(), "{read:?}");
    // More than the server accepts at a time: it ends them, and goes on.
    for _ in 0..20 {
        open.push(TcpStream::connect(address).await.expect("the system accepts"));
    }
    scrape(&metrics).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_used_ends_the_run_before_it_connects() {
    let used = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = used.local_addr().expect("an address");
    let platform = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", platform.local_addr().expect("an address"));
    let ran = watch(&base, &format!("--metrics-listen {address}")).run().await;
    ran.ended(1);
    let expected = format!(
        "evtap: cannot serve metrics on {address}: address in use; choose another address with \
         --metrics-listen\n"
    );
    assert_eq!(ran.stderr(), expected);
    let connected = tokio::time::timeout(Duration::ZERO, platform.accept()).await;
    assert!(connected.is_err(), "it has connected");
    for listen in ["0.0.0.0:0", "[::]:0", "203.0.113.7:9464"] {
        let ran = watch(&base, &format!("--metrics-listen {listen}")).run().await;
        ran.ended(2);
        let why = "other machines can reach this address; listen on 127.0.0.1, or give \
                   --metrics-allow-remote";
        assert!(ran.stderr().contains(why), "{}", ran.stderr());
    }
    let ran = evtap("stats - --metrics-listen 127.0.0.1:0").run().await;
    ran.ended(2);
    let ran = watch(&base, "--metrics-allow-remote").run().await;
    ran.ended(2);
    assert!(ran.stderr().contains("--metrics-listen"), "{}", ran.stderr());
}

#[tokio::test]
async fn other_machines_are_served_if_that_is_allowed_and_the_address_is_a_status() {
    let base = emulator(fast()).await;
    let line = "--metrics-listen 0.0.0.0:0 --metrics-allow-remote --status json";
    let mut run = watch(&base, line).start();
    let status = events(&run.status_line().await).remove(0);
    assert_eq!(status["status"], "metrics");
    let url = status["url"].as_str().expect("a URL");
    let base = url.strip_suffix("/metrics").expect("a path").replace("0.0.0.0", "127.0.0.1");
    scrape(&base).await;
}
