//! Errors: each has its exit status, and a message that says what failed, why, and what to do.

use crate::support::{
    Evtap, KEY, STREAM, closed_port, evtap, observe, scripted, watch, websocket_server,
};

const UUID: &str = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";
const SID: &str = "CA00000000000000000000000000000001";

/// Runs it and asserts its exit status, an empty stdout, and how the message begins.
async fn assert_fails(run: Evtap, status: i32, message: &str) {
    let ran = run.run().await;
    assert_eq!(ran.ended(status), "");
    let stderr = ran.stderr();
    assert!(stderr.starts_with(&format!("evtap: {message}")), "{stderr} is not {message}");
    let parts = stderr.strip_prefix("evtap: ").and_then(|message| message.split_once(": "));
    assert!(
        parts.is_some_and(|(_, why)| why.contains("; ")),
        "what failed: why; what to do: {stderr}"
    );
}

#[tokio::test]
async fn invalid_ids_are_refused() {
    let keyed = |line: &str| evtap(line).env("AMIGO_API_KEY", KEY);
    for id in ["x", "1b4e28ba2fa111d2883f0016d3cca427", "CANARY", "../../etc"] {
        assert_fails(
            keyed(&format!("watch --workspace {id}")),
            2,
            "cannot use that workspace: its id is not a UUID; copy it",
        )
        .await;
    }
    assert_fails(evtap("watch").env("AMIGO_WORKSPACE_ID", "x"), 2, "cannot use that workspace: ")
        .await;
    assert_fails(
        evtap("watch"),
        2,
        "cannot watch: no workspace is named; give --workspace or set AMIGO_WORKSPACE_ID",
    )
    .await;
    for sid in
        ["x", "CA1", "CB00000000000000000000000000000001", "CA0000000000000000000000000000000/"]
    {
        let line = format!("observe --workspace {UUID} --call {sid}");
        assert_fails(
            keyed(&line),
            2,
            "cannot use that call: its SID is not CA and 32 letters or digits; copy",
        )
        .await;
    }
    assert_fails(
        keyed(&format!("observe --call {SID}")),
        2,
        "cannot observe: the workspace of the call is not named; give --workspace",
    )
    .await;
    assert_fails(
        keyed(&format!("watch --workspace demo --workspace {UUID}")),
        2,
        "cannot watch: the demo can't be merged",
    )
    .await;
}

#[tokio::test]
async fn invalid_keys_are_refused_and_not_printed() {
    let line = format!("watch --workspace {UUID}");
    assert_fails(
        evtap(&line),
        3,
        "cannot connect: no API key; set AMIGO_API_KEY or give --api-key-file",
    )
    .await;
    for key in [
        "",
        " ",
        "canary-key-7f3a9c,x",
        "canary-key-7f3a9c x",
        "canary-key-7f3a9cé",
        "canary-key-7f3a9c\"",
        &"k".repeat(4097),
    ] {
        // An empty variable is not set, but an empty file is a mistake.
        let message = match key {
            "" => "cannot connect: no API key; set AMIGO_API_KEY",
            _ => "the API key from AMIGO_API_KEY can't be used: ",
        };
        assert_fails(evtap(&line).env("AMIGO_API_KEY", key), 3, message).await;
        let message = "the API key from key can't be used: ";
        assert_fails(evtap(&format!("{line} --api-key-file key")).file("key", key), 3, message)
            .await;
    }
    assert_fails(
        evtap(&format!("{line} --api-key-file none")),
        3,
        "cannot read the API key from none: ",
    )
    .await;
    let call = format!("observe --workspace {UUID} --call {SID}");
    assert_fails(
        evtap(&call).env("AMIGO_API_KEY", "canary-key-7f3a9c x"),
        3,
        "the API key from AMIGO_API_KEY can't be used: ",
    )
    .await;
}

#[tokio::test]
async fn unreachable_hosts_are_reported() {
    let (_held, url) = closed_port();
    for run in [watch, observe] {
        let ran = run(&url, "").run().await;
        assert_eq!(ran.ended(1), "");
        assert!(
            ran.stderr().contains(": connection refused; check the URL, the network and the proxy"),
            "{}",
            ran.stderr()
        );
    }
}

#[tokio::test]
async fn plain_text_is_refused_except_to_this_machine() {
    let plain = "the base URL can't be used: it is plain text, which would send the API key in the clear; use https";
    for (base, message) in [
        ("http://a.example", plain),
        ("ftp://a.example", "the base URL "),
        ("a.example", "the base URL "),
    ] {
        assert_fails(watch(base, ""), 2, message).await;
    }
    let ran = observe("https://a.example", "--agent-base-url ws://a.example").run().await;
    assert_eq!(ran.ended(2), "");
    let ran = evtap("frames http://a.example/x --reveal all").run().await;
    assert_eq!(ran.ended(2), "");
}

/// Builds an answer with a status and no body.
fn answer(status: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Canary\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n")
        .into_bytes()
}

#[tokio::test]
async fn final_answers_end_the_run() {
    for (status, exit, why) in [
        (401, 3, "the server refused the API key (401); check"),
        (403, 3, "the API key may not read this workspace (403); use"),
        (404, 4, "no such workspace (404); check"),
        (302, 1, "the server answered 302"),
        (418, 1, "the server answered 418"),
    ] {
        let base = scripted([answer(status, "")]).await;
        assert_fails(watch(&base, ""), exit, &format!("cannot read the workspace's stream: {why}"))
            .await;
    }
    for (status, exit, why) in [
        (401, 3, "the server refused the API key (401)"),
        (404, 4, "no such call (404)"),
        (200, 1, ""),
    ] {
        let base = scripted([answer(status, "")]).await;
        assert_fails(observe(&base, ""), exit, &format!("cannot observe the call: {why}")).await;
    }
    let elsewhere = answer(302, "Location: https://a.example/canary\r\n");
    let message = "cannot read the workspace's stream: the server redirects to another origin, where the API key must not go; ";
    assert_fails(watch(&scripted([elsewhere]).await, ""), 1, message).await;
}

#[tokio::test]
async fn a_rate_limit_is_waited_for() {
    let stream = format!("{STREAM}id: 1\nevent: text.started\ndata: {{}}\n\n").into_bytes();
    let base = scripted([answer(429, "Retry-After: 0\r\n"), stream]).await;
    let ran = watch(&base, "-n 1").run().await;
    assert_eq!(ran.ended(0).lines().count(), 1);
    assert!(
        ran.stderr().contains("the server limits the request rate (429); trying again in "),
        "{}",
        ran.stderr()
    );
}

#[tokio::test]
async fn answers_that_are_not_an_event_stream_are_refused() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\ncanary";
    let message = "cannot read the workspace's stream: not an event stream: the server sent text/html; check the base URL";
    assert_fails(watch(&scripted([page.into()]).await, ""), 1, message).await;
    let message = "cannot read the workspace's stream: ";
    assert_fails(
        watch(&scripted([b"canary, no HTTP at all\r\n\r\n".to_vec()]).await, ""),
        1,
        message,
    )
    .await;
}

#[tokio::test]
async fn files_that_are_not_recordings_are_refused() {
    assert_fails(
        evtap("replay none.ndjson"),
        1,
        "cannot read none.ndjson: no such file; check the path",
    )
    .await;
    assert_fails(evtap("replay ."), 1, "cannot read .: no file in it ends with .ndjson, .ndjson.zst, .ndjson.gz; name the recordings")
        .await;
    let binary = evtap("replay x.bin").file("x.bin", b"\x7fELF\0\0\0canary");
    assert_fails(binary, 1, "cannot read x.bin as a recording: it is not text; give events").await;
    // The files before it are printed all the same.
    let ran = evtap("replay a none").file("a", "{\"event_type\":\"text.started\"}\n").run().await;
    assert_eq!(ran.ended(1).lines().count(), 1);
}

#[tokio::test]
async fn frames_require_reveal_all() {
    for reveal in ["", "--reveal transcript"] {
        let message = "cannot print raw frames: they may contain protected health information and cannot be redacted; give";
        assert_fails(evtap(&format!("frames http://127.0.0.1:1/ {reveal}")), 2, message).await;
    }
}

#[tokio::test]
async fn usage_errors_exit_with_2() {
    for line in [
        "wath",
        "watch --limit",
        "watch --limit x",
        "watch --output xml",
        "observe",
        "replay",
        "frames",
        "schema --json --json-schema",
        "complete",
    ] {
        let ran = evtap(line).run().await;
        assert_eq!(ran.ended(2), "", "{line}");
        assert!(
            ran.stderr().contains("Usage: evtap") || ran.stderr().starts_with("evtap: cannot "),
            "{line}: {}",
            ran.stderr()
        );
        assert!(!ran.stderr().contains("__"), "what is hidden isn't suggested: {}", ran.stderr());
    }
    for line in ["--help", "-h", "--version", "watch --help", "help replay"] {
        assert!(!evtap(line).run().await.ended(0).is_empty(), "{line}");
    }
    assert_fails(
        evtap("schema call.end"),
        2,
        "cannot describe call.end: no such event; did you mean call.ended?",
    )
    .await;
    let packed = "watch --workspace demo --record day.ndjson.gz";
    assert_fails(
        evtap(packed),
        2,
        "cannot record to day.ndjson.gz: a record is plain NDJSON, not gz; leave out the suffix",
    )
    .await;
    assert_fails(evtap("serve --rate 0"), 2, "cannot use --rate 0: invalid rate; give").await;
    assert_fails(
        evtap("watch --workspace demo --demo-rate=-1"),
        2,
        "cannot use --demo-rate -1: invalid rate; ",
    )
    .await;
}

#[tokio::test]
async fn final_close_codes_end_the_run() {
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    for (code, exit) in [(1008, 3), (4001, 3), (4003, 3), (4100, 3), (4403, 3)] {
        let frame = CloseFrame { code: code.into(), reason: "canary".into() };
        let base = websocket_server(vec![Message::Close(Some(frame))]).await;
        let ran = observe(&base, "").run().await;
        assert_eq!(ran.ended(exit), "");
        assert!(
            ran.stderr().contains(&format!("({code}); ")) && !ran.stderr().contains("canary"),
            "{}",
            ran.stderr()
        );
    }
}
