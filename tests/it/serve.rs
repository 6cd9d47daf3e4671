//! `evtap serve` as clients see it: the protocol, faults, limits and its end.

use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE, demo_workspace};
use evtap::model::Kind;
use serde_json::Value;

use crate::support::{Running, closed_port, curl, events, evtap, fast, observe, watch};

/// Starts `evtap serve` and returns its base URL.
async fn start_server(options: &str) -> (Running, String) {
    let mut server = evtap(&format!("serve --listen 127.0.0.1:0 --rate 2000 {options}")).start();
    let announcement = server.status_line().await;
    let base = announcement
        .split_whitespace()
        .find_map(|word| word.strip_prefix("http://"))
        .expect("an address")
        .trim_end_matches(';');
    let base = format!("http://{base}");
    (server, base)
}

fn path(workspace: &str) -> String {
    format!("/v1/{workspace}/events/stream")
}

const BEARER: &str = "Authorization: Bearer x\r\n";

#[tokio::test]
async fn the_stream_follows_the_protocol() {
    let (_server, base) = start_server("").await;
    let enough = |body: &str| body.matches("\ndata: ").count() >= 300;
    let (head, body) = curl(&base, &path(DEMO_WORKSPACE), BEARER, enough).await;
    let head = head.to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 200 ok\r\n")
            && head.contains("content-type: text/event-stream\r\n"),
        "{head}"
    );
    let rest = body.strip_prefix("retry: 3000\n\n").expect("the back-off first, alone");
    let mut last = 0;
    let mut shared = false;
    for frame in rest.split_terminator("\n\n") {
        if frame.starts_with(':') {
            continue;
        }
        let lines: Vec<_> = frame.split('\n').collect();
        let [id, event, data] = lines[..] else { panic!("no event: {frame}") };
        let id: u64 = id.strip_prefix("id: ").expect("an id").parse().expect("a number");
        // IDs are milliseconds since 1970; these bounds are in this century.
        assert!((1_700_000_000_000..4_000_000_000_000).contains(&id) && id >= last);
        shared |= id == last;
        last = id;
        assert!(
            Kind::from_name(event.strip_prefix("event: ").expect("a type")).is_some(),
            "{event}"
        );
        let data: Value =
            serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        assert!(
            data.is_object() && data.get("event_type").is_none(),
            "the type is on the line above: {data}"
        );
    }
    assert!(shared, "several events share a millisecond");

    let resume = format!("{BEARER}Last-Event-ID: {last}\r\n");
    let (_, body) =
        curl(&base, &path(DEMO_WORKSPACE), &resume, |body| body.contains("\ndata: ")).await;
    let first = body.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id");
    assert!(first.parse::<u64>().expect("a number") > last);
}

#[tokio::test]
async fn refused_requests_have_their_status() {
    let options = format!(
        "--api-key-file key --workspace {DEMO_WORKSPACE} --fault status=403 --fault status=429:retry-after=7"
    );
    let line = format!("serve --listen 127.0.0.1:0 {options}");
    let mut server = evtap(&line).file("key", "right\n").start();
    let announcement = server.status_line().await;
    let base = announcement
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .expect("an address")
        .trim_end_matches(';')
        .to_owned();
    let right = "Authorization: Bearer right\r\n";
    let missing = path("00000000-0000-4000-8000-00000000000a");
    let existing = path(DEMO_WORKSPACE);
    for (path, headers, expected) in [
        (&existing, "", "401"),
        (&existing, BEARER, "401"),
        (&missing, right, "404"),
        (&existing, right, "403"),
        (&existing, right, "429"),
    ] {
        let (head, body) = curl(&base, path, headers, |_| false).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {expected} ")), "{head}");
        assert_eq!(head.to_ascii_lowercase().contains("\r\nretry-after: 7\r\n"), expected == "429");
        assert!(serde_json::from_str::<Value>(&body).is_ok_and(|body| body["detail"].is_string()));
    }
}

#[tokio::test]
async fn too_many_streams_end_the_client() {
    let (_server, base) = start_server("--max-streams 1").await;
    let mut first = watch(&base, "").start();
    first.line().await;
    let second = watch(&base, "").run().await;
    assert_eq!(second.ended(6), "");
    assert!(
        second.stderr().contains("the workspace already has 1 open stream, its maximum"),
        "{}",
        second.stderr()
    );
    let (_, body) =
        curl(&base, &path(DEMO_WORKSPACE), BEARER, |body| body.ends_with("}\n\n")).await;
    let data = body.strip_prefix("retry: 3000\n\nevent: error\ndata: ").expect("a control frame");
    let data: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!((&data["code"], &data["max_streams"]), (&"too_many_streams".into(), &1.into()));
}

#[tokio::test]
async fn numbered_workspaces_have_a_clinic_and_a_limit_each_and_no_other_exists() {
    let (_server, base) = start_server("--workspaces 10000 --max-streams 1").await;
    let mut open = Vec::new();
    for number in [1, 2, 10_000] {
        let mut stream = evtap(&format!("watch -w {}", demo_workspace(number))).at(&base).start();
        let event: Value = serde_json::from_str(&stream.line().await).expect("JSON");
        assert_eq!(event["_tap"]["workspace_id"], demo_workspace(number));
        open.push(stream);
    }
    let second = evtap(&format!("watch -w {}", demo_workspace(10_000))).at(&base).run().await;
    assert_eq!(second.ended(6), "");
    for missing in [0, 10_001] {
        let (head, _) = curl(&base, &path(&demo_workspace(missing)), BEARER, |_| false).await;
        assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    }
}

#[tokio::test]
async fn evtap_reads_its_own_server_and_a_signal_ends_it() {
    let (server, base) = start_server("").await;
    assert_eq!(events(&watch(&base, "-n 20").run().await.ended(0)).len(), 20);
    assert!(observe(&base, "").run().await.ended(0).lines().count() > 50);
    server.signal("INT");
    assert_eq!(server.end().await.ended(130), "");
}

#[tokio::test]
async fn once_ends_after_one_day() {
    let (server, base) = start_server("--once").await;
    let (_, body) = curl(&base, &path(DEMO_WORKSPACE), BEARER, |_| false).await;
    assert!(body.matches("\ndata: ").count() > 200);
    assert_eq!(server.end().await.ended(0), "");
}

#[tokio::test]
async fn other_machines_need_allow_remote() {
    let refused = evtap("serve --listen 0.0.0.0:0").run().await;
    assert_eq!(refused.ended(2), "");
    assert!(refused.stderr().contains("give --allow-remote"), "{}", refused.stderr());
}

#[tokio::test]
async fn several_demo_workspaces_are_different_clinics() {
    let seen = evtap("watch -w demo -w demo:2 -w demo -n 40 --demo-rate 500").run().await;
    assert_eq!(seen.status(), 0, "{}", seen.stderr());
    let events: Vec<Value> =
        seen.stdout().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |workspace: &str| {
        events.iter().filter(|event| event["_tap"]["workspace_id"] == workspace).count()
    };
    let (one, two) = (of(DEMO_WORKSPACE), of(&evtap::emulator::demo_workspace(2)));
    assert!(one > 0 && two > 0 && one + two == 40, "{one} and {two}");
    for wrong in ["demo:0", "demo:1000", "demo:x", "demo:"] {
        let seen = evtap(&format!("watch -w {wrong}")).run().await;
        assert_eq!(seen.status(), 2);
        assert!(seen.stderr().contains("the number of a demo clinic is from 1 to 999"));
    }
}

#[tokio::test]
async fn the_ready_file_exists_while_the_server_accepts_connections() {
    let server =
        evtap("serve --listen 127.0.0.1:0 --ready-file ready.url").file("ready.url", "old");
    let path = server.path("ready.url");
    let server = server.start();
    let base = loop {
        let text = std::fs::read_to_string(&path).expect("the old file is replaced at once");
        if text != "old" {
            break text;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    let (head, body) = curl(base.trim_end(), "/healthz", "", |_| false).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && body == "ok\n", "{head}{body}");
    server.signal("TERM");
    let (ended, left) = server.end_and_read(&path).await;
    assert_eq!((ended.status(), left), (143, None));

    let failed = evtap("serve --listen 127.0.0.1:0 --ready-file none/ready.url").run().await;
    assert_eq!(failed.ended(1), "");
    assert!(failed.stderr().contains("cannot write --ready-file none/ready.url"));
}

#[tokio::test]
async fn the_request_log_names_routes_and_nothing_of_a_request() {
    let mut server = evtap("serve --listen 127.0.0.1:0 --log-requests --fault status=503").start();
    let announcement = server.status_line().await;
    let base = announcement.split_whitespace().find(|word| word.starts_with("http://"));
    let base = base.expect("an address").trim_end_matches(';');
    for _ in 0..3 {
        server.status_line().await;
    }
    let ends = |body: &str| !body.is_empty();
    for (path, headers, expected) in [
        ("/healthz", "", "GET /healthz: 200"),
        ("/canary?key=canary", BEARER, "GET another path: 404"),
        (&*path("canary"), BEARER, "GET /v1/{workspace_id}/events/stream: 404"),
        (&*path(DEMO_WORKSPACE), "", "GET /v1/{workspace_id}/events/stream: 401"),
        (&*path(DEMO_WORKSPACE), BEARER, "GET /v1/{workspace_id}/events/stream: 503"),
        (&*path(DEMO_WORKSPACE), BEARER, "GET /v1/{workspace_id}/events/stream: 200"),
    ] {
        curl(base, path, headers, ends).await;
        assert_eq!(server.status_line().await, format!("evtap: {expected}\n"));
    }
}

#[tokio::test]
async fn commands_wait_for_a_server_that_starts_later() {
    let any = ["--no-check", "--until", "true"];
    for (command, arguments) in [
        (format!("watch -w {DEMO_WORKSPACE} -n 1 --max-reconnects 0"), &any[..0]),
        (format!("observe -w {DEMO_WORKSPACE} -c {DEMO_CALL} -n 1 --max-reconnects 0"), &any[..0]),
        (format!("stats -w {DEMO_WORKSPACE}"), &any),
        (format!("timeline {DEMO_CALL} -w {DEMO_WORKSPACE}"), &any[..0]),
        (format!("expect -w {DEMO_WORKSPACE} --no-check --then true"), &any[..0]),
    ] {
        let (socket, base) = closed_port();
        let mut client = evtap(&format!("{command} --wait 1h"));
        for argument in arguments {
            client = client.arg(argument);
        }
        let mut client = client.at(&base).start();
        let refused = client.status_line().await;
        assert!(refused.contains("connection refused; trying again in"), "{command}: {refused}");
        let listener = socket.listen(16).expect("the port is still ours");
        tokio::spawn(evtap::emulator::run(listener, fast(), std::future::pending()));
        let ended = client.end().await;
        assert!(!ended.ended(0).is_empty(), "{command}");
    }
}

#[tokio::test]
async fn a_wait_ends_and_mistakes_are_not_waited_for() {
    let (_socket, base) = closed_port();
    let ended = watch(&base, "--wait 1ms").run().await;
    assert_eq!(ended.ended(1), "");
    let error = ended.stderr().lines().last().map(str::to_owned).expect("an error");
    assert!(error.contains("connection refused"), "{error}");

    let options = format!("--workspace {DEMO_WORKSPACE}");
    let (_server, base) = start_server(&options).await;
    let missing = evtap("watch --wait 1h -w 00000000-0000-4000-8000-00000000000a").at(&base);
    assert_eq!(missing.run().await.ended(4), "");
}
