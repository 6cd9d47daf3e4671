//! `evtap doctor`: each check, its advice and the exit status. The report contains no secret and
//! nothing from the wire.

use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE, Options, ServedWorkspaces};
use evtap::transport::credential::Credential;
use jiff::Zoned;
use jiff::civil::date;
use serde_json::Value;

use crate::proxies::{Authority, ConnectProxy, HOST, LATE, PASSWORD};
use crate::support::{Evtap, KEY, STREAM, closed_port, emulator, evtap, fast, scripted};
use crate::traces::Traces;

/// Prepares `evtap doctor` for the demo's workspace and call at `base`.
fn doctor(base: &str, rest: &str) -> Evtap {
    evtap(&format!("doctor --workspace {DEMO_WORKSPACE} --call {DEMO_CALL} -o json {rest}"))
        .at(base)
}

/// The report: the result of each check and what was found.
struct Findings(Value);

impl Findings {
    async fn run(run: Evtap, status: i32) -> Self {
        let ran = run.run().await;
        let found: Value = serde_json::from_str(&ran.ended(status)).expect("one object");
        assert_eq!(found["exit"], status);
        assert_eq!(Traces::new(&[KEY, PASSWORD]).find(&ran.all()), None);
        Self(found)
    }

    fn check(&self, name: &str) -> &Value {
        let checks = self.0["checks"].as_array().expect("an array");
        checks
            .iter()
            .find(|check| check["check"] == name)
            .unwrap_or_else(|| panic!("no {name} in {checks:?}"))
    }

    /// Asserts the result of a check, and that what was found contains `found`.
    #[track_caller]
    fn assert_check(&self, name: &str, result: &str, found: &str) {
        let check = self.check(name);
        assert_eq!(check["result"], result, "{check}");
        assert!(check["found"].as_str().expect("text").contains(found), "{check}");
        assert_eq!(matches!(result, "warning" | "failed"), check["advice"].is_string(), "{check}");
    }
}

#[tokio::test]
async fn every_check_passes_on_the_demo_and_on_a_server() {
    let ran = evtap("doctor --workspace demo --call demo").run().await.ended(0);
    assert!(ran.ends_with("\nno problems found\n"), "{ran}");
    for check in [
        "configuration",
        "key",
        "proxy",
        "DNS",
        "TCP",
        "TLS",
        "clock",
        "stream",
        "observer",
        "terminal",
    ] {
        assert!(
            ran.lines().any(|line| line
                .get(9..)
                .is_some_and(|line| line.starts_with(&format!("{check} ")))),
            "{check}: {ran}"
        );
    }
    let found = Findings::run(doctor(&emulator(fast()).await, ""), 0).await;
    for (check, expected) in [
        ("configuration", "no file"),
        ("key", "legal, from AMIGO_API_KEY"),
        ("proxy", "not used: the host is this machine"),
        ("TCP", "connected to port "),
        ("clock", "within 2 s of the server's"),
        ("stream", "open; first frame after "),
        ("observer", "open; first frame after "),
    ] {
        found.assert_check(check, "ok", expected);
    }
    for check in ["TCP", "stream", "observer"] {
        assert!(found.check(check)["ms"].as_f64().expect("a time") < 90_000.0);
    }
    found.assert_check("TLS", "skipped", "plain http");
}

#[tokio::test]
async fn the_exit_status_is_that_of_the_first_failure() {
    let path = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(path.path(), KEY).expect("a key");
    let key = Credential::read(path.path()).expect("legal");
    let base = emulator(Options {
        api_key: Some(key),
        workspaces: ServedWorkspaces::One(DEMO_WORKSPACE.to_owned()),
        ..fast()
    })
    .await;
    let found = Findings::run(doctor(&base, "").env("AMIGO_API_KEY", "another"), 3).await;
    found.assert_check("stream", "failed", "the server refused the API key (401)");
    let found = Findings::run(doctor(&base, "").env("AMIGO_API_KEY", "no key"), 3).await;
    found.assert_check(
        "key",
        "failed",
        "the API key from AMIGO_API_KEY can't be used: character 3 is not allowed in a token",
    );
    found.assert_check("clock", "ok", "within");
    let found = Findings::run(
        evtap(&format!("doctor --workspace {DEMO_WORKSPACE} -o json --base-url {base}")),
        3,
    )
    .await;
    found.assert_check("key", "failed", "no API key");
    let other = format!("doctor -w {} -o json --base-url {base}", DEMO_WORKSPACE.replace('d', "e"));
    let found = Findings::run(evtap(&other).at(&base), 4).await;
    found.assert_check("stream", "failed", "no such workspace (404)");
    found.assert_check("observer", "skipped", "no call is named");

    let found = Findings::run(doctor(&base, "").config("ouput = 1"), 2).await;
    found.assert_check("configuration", "failed", "config.toml, line 1 (ouput): no such setting");
    found.assert_check("stream", "ok", "open; first frame");
    let found = Findings::run(doctor("http://platform.example", ""), 2).await;
    found.assert_check("URLs", "failed", "it is plain text");
    let found = Findings::run(evtap("doctor -w x -o json").at(&base), 2).await;
    found.assert_check("workspace", "failed", "its id is not a UUID");

    let (_held, gone) = closed_port();
    let found = Findings::run(doctor(&gone, ""), 1).await;
    found.assert_check("TCP", "failed", "connection refused");
    let found = Findings::run(doctor(&format!("https://{HOST}"), ""), 1).await;
    found.assert_check("DNS", "failed", &format!("no such host: {HOST}"));
    let full = emulator(Options { max_streams: 0, ..fast() }).await;
    Findings::run(doctor(&full, ""), 6).await.assert_check("stream", "failed", "its maximum");
}

#[tokio::test]
async fn each_step_through_a_proxy_is_checked() {
    let authority = Authority::new();
    let behind = emulator(Options { rate: 200.0, ..fast() }).await;
    let at = |rest: &str| doctor(&format!("https://{HOST}"), rest).file("ca.pem", authority.pem());
    let proxy = ConnectProxy::to(authority.host(&behind, LATE).await).await;

    let found = Findings::run(at(&format!("--ca-cert ca.pem --proxy {}", proxy.url())), 0).await;
    found.assert_check(
        "proxy",
        "ok",
        &format!("http://127.0.0.1:{}, with a user name and password", proxy.port),
    );
    found.assert_check("DNS", "skipped", "not needed: the host is an IP address");
    found.assert_check("tunnel", "ok", "the proxy accepts the connection");
    found.assert_check("TLS", "ok", "TLS 1.3, 1 certificate, trusted, until 2120-01-01 (");
    found.assert_check("clock", "ok", "within 2 s");
    found.assert_check("stream", "ok", "open; first frame");
    found.assert_check("observer", "ok", "open; first frame");
    assert!(
        proxy.heads().iter().all(|head| Traces::new(&[KEY]).find(head).is_none()),
        "the proxy received the key"
    );

    let found = Findings::run(at("--ca-cert ca.pem").env("HTTPS_PROXY", &proxy.url()), 0).await;
    found.assert_check("tunnel", "ok", "the proxy accepts the connection");
    let found = Findings::run(
        at("--ca-cert ca.pem").env("HTTPS_PROXY", &proxy.url()).env("NO_PROXY", HOST),
        1,
    )
    .await;
    found.assert_check("proxy", "ok", "none");
    let found = Findings::run(at("--ca-cert ca.pem").env("HTTPS_PROXY", "ftp://x"), 1).await;
    found.assert_check("proxy", "warning", "not used: the value of HTTPS_PROXY is invalid");

    let wrong = format!("http://tap:{PASSWORD}x@127.0.0.1:{}", proxy.port);
    let found = Findings::run(at(&format!("--ca-cert ca.pem --proxy {wrong}")), 1).await;
    found.assert_check("tunnel", "failed", "the proxy requires authentication (407)");
    let found = Findings::run(at(&format!("--proxy {}", proxy.url())), 1).await;
    found.assert_check("TLS", "failed", "certificate not trusted");
    found.assert_check("stream", "failed", "certificate not trusted");
    assert!(found.check("TLS")["advice"].as_str().expect("advice").contains("--ca-cert"));

    let expired = ConnectProxy::to(authority.host(&behind, date(2021, 1, 1)).await).await;
    let found = Findings::run(at(&format!("--ca-cert ca.pem --proxy {}", expired.url())), 1).await;
    found.assert_check("TLS", "failed", "a certificate expired on 2021-01-01");
    let soon = Zoned::now().date().saturating_add(jiff::Span::new().days(5));
    let soon = ConnectProxy::to(authority.host(&behind, soon).await).await;
    let found = Findings::run(at(&format!("--ca-cert ca.pem --proxy {}", soon.url())), 0).await;
    found.assert_check("TLS", "warning", " days)");
}

#[tokio::test]
async fn warns_of_files_that_other_users_can_read() {
    let base = emulator(fast()).await;
    let run = || {
        doctor(&base, "--api-key-file key --cursor day.cursor --record day.ndjson")
            .file("key", KEY)
            .file("day.ndjson", "")
    };
    let open = run()
        .config("")
        .mode("config/evtap/config.toml", 0o644)
        .mode("key", 0o640)
        .mode("day.ndjson", 0o604);
    let found = Findings::run(open, 0).await;
    found.assert_check("settings file", "warning", "has mode 0644");
    found.assert_check("key file", "warning", "key has mode 0640");
    found.assert_check("record", "warning", "day.ndjson has mode 0604");
    found.assert_check("cursor", "skipped", "day.cursor does not exist yet");
    assert_eq!(found.0["warnings"], 3);
    let found =
        Findings::run(run().config("").mode("key", 0o600).mode("day.ndjson", 0o600), 0).await;
    assert_eq!(found.0["warnings"], 0);
    for check in ["settings file", "key file", "record"] {
        found.assert_check(check, "ok", "has mode 0600");
    }
}

#[tokio::test]
async fn the_command_that_prints_the_key_is_not_shown() {
    let base = emulator(fast()).await;
    for format in ["text", "json"] {
        let ran = evtap(&format!("doctor --workspace {DEMO_WORKSPACE} -o {format}"))
            .env("AMIGO_BASE_URL", &base)
            .env("EVTAP_API_KEY_COMMAND", "CANARY_TOKEN=canary echo canary-key")
            .run()
            .await;
        let found = ran.ended(0);
        assert!(found.contains("legal, from --api-key-command"), "{found}");
        for word in ["CANARY", "canary", "echo"] {
            assert!(!ran.all().contains(word), "{word}: {}", ran.all());
        }
    }
}

#[tokio::test]
async fn the_report_repeats_nothing_from_a_server() {
    const CANARY: &str = "canary-body-4c2f81";
    let answer = |head: &str, body: &str| {
        format!(
            "HTTP/1.1 {head} {CANARY}\r\nX-Canary: {CANARY}\r\nDate: {CANARY}\r\nSet-Cookie: {KEY}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let say = |head: &str| answer(head, CANARY);
    let stream = |body: &str| format!("{STREAM}{body}");
    let pairs = [
        (say("401"), say("403")),
        (say("404"), say("418")),
        (say("429"), say("503")),
        (say("302"), format!("HTTP/1.1 302 x\r\nLocation: https://{CANARY}.example/{KEY}\r\n\r\n")),
        (
            format!("{CANARY}\r\n\r\n"),
            format!("HTTP/1.1 101 {CANARY}\r\nUpgrade: {CANARY}\r\nConnection: {CANARY}\r\n\r\n"),
        ),
        (
            stream(&format!(
                "event: error\ndata: {{\"code\":\"too_many_streams\",\"message\":\"{CANARY}\"}}\n\n"
            )),
            format!(
                "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {CANARY}\r\n\r\n"
            ),
        ),
        (stream(&format!("id: {CANARY}\nevent: {CANARY}\ndata: {CANARY} {KEY}\n\n")), say("410")),
        (format!("HTTP/1.1 200 OK\r\nContent-Type: text/{CANARY}\r\n\r\n{CANARY}"), say("200")),
    ];
    for (first, second) in pairs {
        for format in ["text", "json"] {
            let base =
                scripted([say("200"), first.clone(), second.clone()].map(String::into_bytes)).await;
            let line =
                format!("doctor --workspace {DEMO_WORKSPACE} --call {DEMO_CALL} -o {format}");
            let ran = evtap(&line)
                .at(&base)
                .env("RUST_LOG", "trace")
                .env("RUST_BACKTRACE", "full")
                .run()
                .await;
            assert_eq!(Traces::new(&[KEY, CANARY]).find(&ran.all()), None, "{first} {second}");
            assert!(
                ran.all().contains("stream") && ran.all().contains("observer"),
                "{}",
                ran.all()
            );
        }
    }
}
