//! The API key is sent only to the origin that the user named, and is never printed, whatever a
//! server does or says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::support::{Evtap, HANG, KEY, STREAM, evtap, observe, read_head, scripted, watch};
use crate::traces::Traces;

/// Runs it and asserts that its output has no trace of the key. Returns its exit status.
async fn run_without_trace(run: Evtap, how: &str) -> i32 {
    let ran = run.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").run().await;
    let traces = Traces::new(&[KEY]);
    assert_eq!(traces.find(&ran.all()), None, "{how}");
    ran.status()
}

/// Starts a server that counts connections and sends nothing. Returns its port and the count.
async fn counting_server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let (port, count) =
        (listener.local_addr().expect("an address").port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            open.push(socket);
        }
    });
    (port, count)
}

#[tokio::test]
async fn redirects_never_send_the_key_to_another_origin() {
    let (port, connections) = counting_server().await;
    for status in 301..=308 {
        for to in [
            format!("http://127.0.0.1:{port}/x"),
            format!("http://localhost:{port}/x"),
            format!("https://127.0.0.1:{port}/x"),
            format!("//127.0.0.1:{port}/x"),
            format!("http://127.0.0.1:{port}@127.0.0.1:{port}/x"),
            format!("http://[::ffff:127.0.0.1]:{port}/x"),
            "https://SAME/x".to_owned(),
            "ws://SAME/x".to_owned(),
            "http://user:word@SAME/x".to_owned(),
        ] {
            for run in [watch, observe] {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                let address = listener.local_addr().expect("an address").to_string();
                let to = to.replace("SAME", &address);
                let answer = format!(
                    "HTTP/1.1 {status} Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
                let server = tokio::spawn(async move {
                    let mut heads = Vec::new();
                    while let Ok((socket, _)) = listener.accept().await {
                        let mut socket = BufReader::new(socket);
                        let mut line = String::new();
                        let _ = socket.read_line(&mut line).await;
                        heads.push(line);
                        let _ = socket.write_all(answer.as_bytes()).await;
                        if heads.len() > 7 {
                            break;
                        }
                    }
                });
                let code = run_without_trace(run(&format!("http://{address}"), ""), &to).await;
                assert_eq!(code, 1, "{status} {to}");
                server.abort();
            }
        }
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0, "somebody else was called");
}

#[tokio::test]
async fn a_proxy_never_receives_the_key() {
    for answer in [
        "HTTP/1.1 407 Canary\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nno TLS",
        "HTTP/1.1 502 x\r\n\r\n",
        "junk\r\n\r\n",
    ] {
        for run in [watch, observe] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let proxy = format!("http://user:pass@{}", listener.local_addr().expect("an address"));
            let received = tokio::spawn(async move {
                let (socket, _) = listener.accept().await.expect("a connection");
                let mut socket = BufReader::new(socket);
                let head = read_head(&mut socket).await;
                let _ = socket.write_all(answer.as_bytes()).await;
                let mut rest = Vec::new();
                let _ =
                    tokio::io::AsyncReadExt::read_to_end(&mut socket.into_inner(), &mut rest).await;
                (head, rest)
            });
            let run = run("https://platform.invalid", "--max-reconnects 1")
                .env("HTTPS_PROXY", &proxy)
                .env("https_proxy", &proxy);
            run_without_trace(run, answer).await;
            let received = tokio::time::timeout(HANG, received).await.expect("nobody asked");
            let (asked, rest) = received.expect("it was asked");
            assert!(asked.starts_with("CONNECT platform.invalid:443 "), "{asked}");
            let all = [asked.as_bytes(), &rest].concat();
            assert_eq!(Traces::new(&[KEY]).find(&String::from_utf8_lossy(&all)), None);
        }
    }
}

#[tokio::test]
async fn messages_never_repeat_the_key_from_an_answer() {
    let answer_with_key = |head: &str| {
        format!(
            "HTTP/1.1 {head}\r\nX-Key: {KEY}\r\nContent-Length: 18\r\nConnection: close\r\n\r\n{KEY}"
        )
    };
    let upgrade_with_key = |headers: &str| {
        format!("HTTP/1.1 101 {KEY}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{headers}\r\n")
    };
    let mut answers: Vec<String> = [400, 401, 403, 404, 418]
        .iter()
        .map(|status| answer_with_key(&format!("{status} {KEY}")))
        .collect();
    answers.extend([
        answer_with_key(&format!("200 OK\r\nContent-Type: text/{KEY}")),
        answer_with_key(&format!("302 x\r\nLocation: https://{KEY}.example/{KEY}")),
        answer_with_key(&format!("429 x\r\nRetry-After: {KEY}")),
        upgrade_with_key(""),
        upgrade_with_key(&format!("Sec-WebSocket-Accept: {KEY}\r\n")),
        upgrade_with_key(&format!("Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: {KEY}\r\n")),
        upgrade_with_key(&format!("Sec-WebSocket-Protocol: auth, {KEY}\r\n")),
        format!("HTTP/1.1 101 x\r\nUpgrade: {KEY}\r\nConnection: {KEY}\r\n\r\n"),
        format!("{KEY}\r\n\r\n"),
        format!("HTTP/1.1 {KEY}\r\n\r\n"),
        format!("{STREAM}event: error\ndata: {{\"code\":\"too_many_streams\",\"message\":\"{KEY}\"}}\n\n"),
        format!("{STREAM}event: error\ndata: {{\"code\":\"{KEY}\"}}\n\nid: {KEY}\nevent: {KEY}\ndata: {KEY}\n\n"),
        format!("{STREAM}retry: {KEY}\n: {KEY}\nid: 1\nevent: call.started\ndata: {{\"{KEY} \":\"{KEY}\",\"caller_id\":\"{KEY}\"}}\n\n"),
    ]);
    for answer in answers {
        for run in [watch, observe] {
            for status in ["text", "json"] {
                let base = scripted([answer.clone().into_bytes()]).await;
                run_without_trace(run(&base, &format!("--duration 1s --status {status}")), &answer)
                    .await;
            }
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_command_that_prints_the_key_gets_no_secret_from_the_environment() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let head = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a connection");
        let mut socket = BufReader::new(socket);
        let head = read_head(&mut socket).await;
        let answer = "HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n";
        socket.write_all(answer.as_bytes()).await.expect("it reads");
        head
    });
    let seen = "${AMIGO_API_KEY-none}-${EVTAP_PROXY-none}-${EVTAP_API_KEY_COMMAND-none}-$HOME_OF";
    let command = format!("echo \"{seen}\"");
    let ran = watch(&base, "")
        .env("EVTAP_PROXY", "http://me:canary@proxy.example.com:3128")
        .env("EVTAP_API_KEY_COMMAND", "echo canary")
        .env("HOME_OF", "kept")
        .arg("--api-key-command")
        .arg(&command)
        .run()
        .await;
    ran.ended(3);
    let head = head.await.expect("it was asked");
    assert!(head.contains("Bearer none-none-none-kept\r\n"), "{head}");
}

#[tokio::test]
async fn frames_send_the_key_only_with_auth() {
    for scheme in ["http", "ws"] {
        for auth in ["", "--auth"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let address = listener.local_addr().expect("an address");
            let head = tokio::spawn(async move {
                let (socket, _) = listener.accept().await.expect("a connection");
                let mut socket = BufReader::new(socket);
                let head = read_head(&mut socket).await;
                let answer = "HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n";
                socket.write_all(answer.as_bytes()).await.expect("it reads");
                head
            });
            let run = evtap(&format!("frames {scheme}://{address}/ --reveal all {auth}"))
                .env("AMIGO_API_KEY", KEY)
                .file("other.key", "another-key")
                .env("EVTAP_API_KEY_FILE", "other.key");
            let ran = run.run().await;
            ran.ended(3);
            let head = head.await.expect("it was asked");
            assert_eq!(head.contains(KEY), !auth.is_empty(), "{head}");
            assert!(!head.contains("another-key"), "{head}");
            let is_reported = ran.stderr().contains("the API key is not sent; give --auth");
            assert_eq!(is_reported, auth.is_empty(), "{}", ran.stderr());
        }
    }
}

#[tokio::test]
async fn frames_with_a_key_file_never_print_the_key() {
    for url in ["http", "ws"] {
        let base =
            scripted([format!("HTTP/1.1 403 {KEY}\r\nContent-Length: 0\r\n\r\n").into_bytes()])
                .await;
        let line = format!(
            "frames {}/x --reveal all --auth --api-key-file key",
            base.replacen("http", url, 1)
        );
        assert_eq!(run_without_trace(evtap(&line).file("key", KEY), url).await, 3);
    }
}
