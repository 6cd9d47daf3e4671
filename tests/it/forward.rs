//! `--forward`: an endpoint gets every printed event in order, whatever it answers, and no hidden
//! value.

use std::os::unix::fs::PermissionsExt;

use evtap::emulator::{self, Ledger};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    KEY, Post, bodies, closed_port, emulator, endpoint, events, evtap, fast, status, tools, watch,
};
use crate::tapped::DeliveryLog;
use crate::traces::Traces;

fn lines(count: usize) -> String {
    let line = |n| {
        format!("{{\"event_type\":\"call.ended\",\"call_sid\":\"CA{n}\",\"caller_id\":\"x\"}}\n")
    };
    (0..count).map(line).collect::<Vec<_>>().concat()
}

fn accept(_: usize) -> String {
    status(200, "")
}

#[tokio::test]
async fn every_printed_event_is_posted_in_order() {
    let (url, posts) = endpoint(accept).await;
    let ran = evtap(&format!("replay - -f .call_sid!=\"CA7\" --status json --forward {url}"))
        .stdin(lines(600))
        .run()
        .await;
    let shown = ran.ended(0);
    assert_eq!(shown.lines().count(), 599);
    assert_eq!(bodies(&posts), shown);
    let head = posts.lock().expect("no panic")[0].head.to_ascii_lowercase();
    assert!(
        head.starts_with("post /in?x=y http/1.1\r\n")
            && head.contains("content-type: application/json\r\n"),
        "{head}"
    );
    let done = events(&ran.stderr()).pop().expect("a last line");
    assert_eq!(
        (&done["status"], &done["forwarded"], &done["refused"]),
        (&json!("done"), &json!(599), &json!(0))
    );

    let (url, posts) = endpoint(accept).await;
    let ran = evtap(&format!("replay - -o pretty --forward {url} --forward-format cloudevents"))
        .stdin(lines(9))
        .run()
        .await;
    assert!(
        ran.ended(0).contains("CA8")
            && ran.stderr().contains("9 events, ")
            && ran.stderr().contains(", 9 forwarded")
    );
    assert_eq!(
        bodies(&posts),
        evtap("replay - -o cloudevents").stdin(lines(9)).run().await.ended(0)
    );
    assert!(
        posts.lock().expect("no panic")[8]
            .head
            .to_ascii_lowercase()
            .contains("content-type: application/cloudevents+json\r\n")
    );
}

#[tokio::test]
async fn temporary_failures_are_retried_before_the_next_event() {
    // The third event fails in every way that can be temporary.
    let answer = |number| match number {
        2 => status(503, ""),
        3 => status(429, "Retry-After: 0\r\n"),
        4 => String::new(),
        5 => "no HTTP at all\r\n\r\n".to_owned(),
        _ => status(204, ""),
    };
    let (url, posts) = endpoint(answer).await;
    let ran = evtap(&format!("replay - --forward {url}")).stdin(lines(5)).run().await;
    let shown = ran.ended(0);
    let mut got: Vec<_> = bodies(&posts).lines().map(str::to_owned).collect();
    assert_eq!(got.len(), 9);
    got.dedup();
    assert_eq!(got, shown.lines().collect::<Vec<_>>());
    let stderr = ran.stderr();
    for why in [
        "the endpoint answered 503",
        "the endpoint answered 429",
        "connection closed",
        "the answer is not HTTP",
    ] {
        assert!(
            stderr.contains(&format!("cannot forward now: {why}; trying again in ")),
            "{stderr}"
        );
    }
    assert!(stderr.contains("5 forwarded\n") && !stderr.contains("Canary"), "{stderr}");
}

#[tokio::test]
async fn refused_events_are_reported_and_counted_and_the_rest_are_posted() {
    let refuse_every_other =
        |number: usize| status(if number.is_multiple_of(2) { 422 } else { 200 }, "");
    let (url, posts) = endpoint(refuse_every_other).await;
    let ran = evtap(&format!("replay - --forward {url}")).stdin(lines(6)).run().await;
    assert_eq!(bodies(&posts), ran.ended(0));
    assert_eq!(
        ran.stderr().matches("the endpoint refused an event of type call.ended (422)").count(),
        1,
        "{}",
        ran.stderr()
    );
    assert!(ran.stderr().contains("3 forwarded, 3 refused by the endpoint"), "{}", ran.stderr());
    let (url, _) = endpoint(refuse_every_other).await;
    let ran = evtap(&format!("replay - --status json --fail-on-gap --forward {url}"))
        .stdin(lines(6))
        .run()
        .await;
    ran.ended(8);
    let refused: Vec<_> =
        events(&ran.stderr()).into_iter().filter(|news| news["result"] == "refused").collect();
    assert_eq!(refused.len(), 3);
    assert_eq!(
        refused[0],
        json!({"status": "forward", "result": "refused", "code": 422, "event_type": "call.ended", "id": null})
    );
}

#[tokio::test]
async fn permanent_failures_end_the_run() {
    let (other_endpoint, redirected) = endpoint(accept).await;
    for (code, why) in [
        (302, "the endpoint answered with a redirect (302), which evtap does not follow"),
        (307, "the endpoint answered with a redirect (307), which evtap does not follow"),
        (401, "the endpoint requires authentication (401)"),
        (404, "the URL does not accept events (404)"),
    ] {
        let to = format!("Location: {other_endpoint}\r\n");
        let (url, posts) =
            endpoint(move |number| status(if number < 2 { 200 } else { code }, &to)).await;
        let ran = evtap(&format!("replay - --forward {url}")).stdin(lines(5)).run().await;
        assert_eq!(ran.ended(1).lines().count(), 5, "stdout has them all");
        let stderr = ran.stderr();
        assert!(
            stderr.contains(&format!(
                "cannot forward the events: {why}; 2 forwarded, 3 events that were shown are not; "
            )),
            "{stderr}"
        );
        assert_eq!(bodies(&posts).lines().count(), 3);
    }
    assert!(redirected.lock().expect("no panic").is_empty());
    let (url, posts) = endpoint(|_| status(500, "")).await;
    let ran =
        evtap(&format!("replay - --forward-retries 2 --forward {url}")).stdin(lines(1)).run().await;
    ran.ended(1);
    assert!(ran.stderr().contains(
        "the endpoint answered 500, 3 times in a row; 0 forwarded, 1 event that was shown is"
    ));
    assert_eq!(bodies(&posts).lines().count(), 3);
    let (_held, url) = closed_port();
    let ran =
        evtap(&format!("replay - --forward-retries 0 --forward {url}")).stdin(lines(1)).run().await;
    ran.ended(1);
    assert!(
        ran.stderr().contains("cannot forward the events: connection refused; "),
        "{}",
        ran.stderr()
    );
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_cannot_block_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent = format!("http://{}", listener.local_addr().expect("an address"));
    let line = format!("replay - --forward-timeout 50ms --forward-retries 1 --forward {silent}");
    let ran = evtap(&line).stdin(lines(3)).run().await;
    ran.ended(1);
    assert!(
        ran.stderr().contains("the endpoint did not answer in time, 2 times in a row"),
        "{}",
        ran.stderr()
    );

    let base = emulator(fast()).await;
    let (url, _) = endpoint(|_| status(503, "Retry-After: 3600\r\n")).await;
    let mut run = watch(&base, &format!("--forward {url} -n 1")).start();
    assert!(run.status_line().await.contains("connected to"));
    assert!(run.status_line().await.contains("trying again in 3600.0 s"));
    run.signal("INT");
    let ran = run.end().await;
    assert_eq!(ran.ended(130).lines().count(), 1);
    assert!(ran.stderr().contains("1 event that was shown is not"), "{}", ran.stderr());
}

#[tokio::test]
async fn the_cursor_never_passes_undelivered_events() {
    let ledger = Ledger::default();
    let options = emulator::Options {
        rate: 300.0,
        ledger: Some(ledger.clone()),
        ..emulator::Options::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(emulator::run(listener, options, std::future::pending()));
    let home = tempfile::tempdir().expect("a home");
    let cursor = home.path().join("cursor");
    let mut seen = DeliveryLog::default();
    for breaks_after in [30, 50, usize::MAX] {
        let (url, posts) =
            endpoint(move |number| status(if number < breaks_after { 200 } else { 500 }, "")).await;
        let line = format!(
            "--cursor {} --forward {url} --forward-retries 0 -n 200 --reveal {}",
            cursor.display(),
            Ledger::FIELD
        );
        let ran = watch(&base, &line).run().await;
        ran.ended(i32::from(breaks_after != usize::MAX));
        for Post { body, .. } in posts.lock().expect("no panic").iter().take(breaks_after) {
            seen.line(&serde_json::from_str::<Value>(body).expect("JSON"));
        }
    }
    let report = seen.report(&ledger.ids());
    assert!(report.lost == 0 && report.gaps == 0 && report.delivered >= 200, "{report:?}");
}

#[tokio::test]
async fn headers_are_sent_and_never_printed() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("headers");
    std::fs::write(&file, format!("Authorization: Bearer {KEY}\n\nX-Other: a b\n"))
        .expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("its owner may");
    let traces = Traces::new(&[KEY]);
    for code in [200, 503, 401, 422, 302] {
        let (url, posts) =
            endpoint(move |_| status(code, "Location: http://127.0.0.1:9/x\r\n")).await;
        let run = evtap(&format!(
            "replay - --forward-retries 1 --forward {url} --forward-header @{}",
            file.display()
        ))
        .arg("--forward-header")
        .arg(&format!("X-Team: {KEY}"))
        .env("RUST_LOG", "trace");
        let ran = run.env("RUST_BACKTRACE", "full").stdin(lines(1)).run().await;
        assert_eq!(traces.find(&ran.all()), None, "{code}");
        let head = posts.lock().expect("no panic")[0].head.to_ascii_lowercase();
        for header in [
            format!("authorization: bearer {KEY}"),
            "x-other: a b".to_owned(),
            format!("x-team: {KEY}"),
        ] {
            assert!(head.contains(&header), "{head}");
        }
    }
    for (options, what) in [
        (["--forward-header", KEY], "cannot use --forward-header number 1: no colon"),
        (["--forward-header", "Host: canary-key-7f3a9c"], "evtap sets this header itself"),
        (["--forward-header", "@none"], "no such file"),
        (["--forward-timeout", "0s"], "must be longer than zero"),
        (["--forward-format", "xml"], "it accepts no such value"),
    ] {
        let ran = evtap("replay - --forward http://127.0.0.1:9")
            .arg(options[0])
            .arg(options[1])
            .run()
            .await;
        assert!(ran.ended(2).is_empty() && ran.stderr().contains(what), "{}", ran.stderr());
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("its owner may");
    let ran = evtap(&format!(
        "replay - --forward http://127.0.0.1:9 --forward-header @{}",
        file.display()
    ))
    .run()
    .await;
    assert!(
        ran.ended(2).is_empty() && ran.stderr().contains("others may read"),
        "{}",
        ran.stderr()
    );
}

/// Verifies a post as the specification says, without evtap's code. Arguments: the secret, and the
/// id, the time and the signatures of the post, whose body is on stdin.
const VERIFY: &str = r#"
import base64, hashlib, hmac, sys
secret, ident, time, signatures = sys.argv[1:]
key = base64.b64decode(secret.removeprefix("whsec_"))
signed = f"{ident}.{time}.".encode() + sys.stdin.buffer.read()
expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
sys.exit(0 if f"v1,{expected}" in signatures.split(" ") else 1)
"#;

/// Returns the value of a header of a post.
fn header(post: &Post, name: &str) -> Option<String> {
    let mut headers = post.head.lines().filter_map(|line| line.split_once(": "));
    headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

#[tokio::test]
async fn posts_are_signed_by_standard_webhooks_in_both_formats() {
    const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD6SVXZrXBvtk=";
    let has_python = tools::available(&["python3"]);
    for format in ["ndjson", "cloudevents"] {
        let (url, posts) = endpoint(accept).await;
        let line =
            format!("replay - --forward {url} --forward-format {format} --forward-key-file keys");
        let run = evtap(&line).file("keys", format!("{OLD}\n{NEW}\n")).mode("keys", 0o600);
        let ran = run.stdin(lines(3)).run().await;
        ran.ended(0);
        assert!(!ran.all().contains("whsec_") && !ran.all().contains("MfKQ9r8GKYqr"));
        let posts = posts.lock().expect("no panic").clone();
        assert_eq!(posts.len(), 3);
        for post in &posts {
            let [id, time, signatures] = ["id", "timestamp", "signature"]
                .map(|name| header(post, &format!("webhook-{name}")).expect("a header"));
            for secret in [OLD, NEW].into_iter().filter(|_| has_python) {
                let mut python = std::process::Command::new("python3")
                    .args(["-c", VERIFY, secret, &id, &time, &signatures])
                    .stdin(std::process::Stdio::piped())
                    .spawn()
                    .expect("python starts");
                let mut stdin = python.stdin.take().expect("a pipe");
                std::io::Write::write_all(&mut stdin, post.body.as_bytes()).expect("it reads");
                drop(stdin);
                assert!(python.wait().expect("it ends").success(), "{signatures}");
            }
            let body: Value = serde_json::from_str(&post.body).expect("JSON");
            if format == "cloudevents" {
                let source = body["source"].as_str().expect("text");
                assert_eq!(id, format!("{source}#{}", body["id"].as_str().expect("text")));
            }
        }
    }
}

#[tokio::test]
async fn an_event_has_one_webhook_id_in_every_run_and_format() {
    let ids = async |options: &str, input: String| {
        let (url, posts) = endpoint(accept).await;
        evtap(&format!("replay - --forward {url} {options}")).stdin(input).run().await.ended(0);
        let posts = posts.lock().expect("no panic").clone();
        assert!(posts.iter().all(|post| header(post, "webhook-signature").is_none()));
        posts.iter().map(|post| header(post, "webhook-id").expect("an id")).collect::<Vec<_>>()
    };
    // Two events are equal, and two clinics have the same event.
    let line = |workspace: u32| {
        let tap = format!(
            "{{\"id\":\"1795932465000\",\"workspace_id\":\"1b4e28ba-2fa1-11d2-883f-00000000000{workspace}\"}}"
        );
        format!("{{\"event_type\":\"text.started\",\"_tap\":{tap}}}\n")
    };
    let input = [line(1), line(1), line(2)].concat();
    let first = ids("", input.clone()).await;
    let mut distinct = first.clone();
    distinct.dedup();
    assert_eq!(distinct.len(), 3, "{first:?}");
    for options in ["", "--forward-format cloudevents", "--phi drop --redact trigger"] {
        assert_eq!(ids(options, input.clone()).await, first, "{options}");
    }
}

#[tokio::test]
async fn a_key_file_that_cannot_be_used_is_reported_without_its_text() {
    let private = 0o600;
    for (text, mode, why) in [
        ("whsec_canaryCANARY==", private, "a secret is not base64"),
        ("whsec_Y2FuYXJ5", private, "a secret does not have 24 to 64 bytes"),
        ("canary", private, "a line does not begin with whsec_"),
        ("", private, "it is empty"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0o640, "others may read or write it"),
    ] {
        let line = "replay - --forward http://127.0.0.1:9 --forward-key-file keys";
        let ran = evtap(line).file("keys", text).mode("keys", mode).run().await;
        assert!(ran.ended(2).is_empty());
        let expected = format!("evtap: cannot use --forward-key-file keys: {why}; ");
        assert!(ran.stderr().starts_with(&expected), "{}", ran.stderr());
        assert!(!ran.stderr().to_ascii_lowercase().contains("canary"), "{}", ran.stderr());
    }
    let ran = evtap("replay - --forward http://127.0.0.1:9")
        .arg("--forward-header")
        .arg("Webhook-Id: 1")
        .run()
        .await;
    ran.ended(2);
    assert!(ran.stderr().contains("evtap sets this header itself"), "{}", ran.stderr());
}

#[tokio::test]
async fn plain_text_is_refused_except_to_this_machine() {
    for url in [
        "http://events.example/canary",
        "http://127.0.0.1.example/canary",
        "https://canary@a.example",
        "ws://127.0.0.1:9",
        "canary",
    ] {
        let ran = evtap(&format!("replay - --forward {url}")).stdin(lines(1)).run().await;
        assert!(
            ran.ended(2).is_empty()
                && ran.stderr().starts_with("evtap: the URL of --forward can't be used: "),
            "{}",
            ran.stderr()
        );
        assert!(!ran.stderr().contains("canary"), "{}", ran.stderr());
    }
    // RFC 2606 reserves `.invalid`: the name never resolves.
    let line = "replay - --forward http://events.invalid --insecure-http --forward-retries 0";
    evtap(line).stdin(lines(1)).run().await.ended(1);
    let ran = watch("http://127.0.0.1:9", "--forward http://events.example").run().await;
    assert!(
        ran.ended(2).is_empty()
            && ran.stderr().contains("which would send the events in the clear"),
        "{}",
        ran.stderr()
    );
}
