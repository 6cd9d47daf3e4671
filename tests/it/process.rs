//! The binary as a process: closed pipes, signals, status lines on stderr, and colours.

use evtap::model::Kind;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::support::{STREAM, bash, emulator, events, evtap, fast, scripted, watch};

/// Returns more lines than a pipe holds.
fn long() -> String {
    "{\"event_type\":\"call.ended\",\"call_sid\":\"CA1\",\"duration_seconds\":1.5}\n".repeat(50_000)
}

#[tokio::test]
async fn a_closed_pipe_ends_the_run_silently() {
    for line in [
        "replay - -o ndjson",
        "replay - -o pretty",
        "watch --workspace demo --demo-rate 5000",
        "schema --json",
    ] {
        let mut run = evtap(line).stdin(long()).start();
        let mut first = [0; 200];
        run.stdout.read_exact(&mut first).await.expect("a beginning");
        let (status, stderr) = run.close_stdout().await;
        assert_eq!(status, 0, "{line}");
        assert!(
            stderr.is_empty()
                || stderr.starts_with("evtap: connected to workspace ")
                    && stderr.lines().count() == 1,
            "{stderr}"
        );
    }
}

#[tokio::test]
async fn a_signal_leaves_only_whole_lines() {
    let base = emulator(fast()).await;
    for (signal, status) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        for output in ["ndjson", "pretty"] {
            let mut run = watch(&base, &format!("-o {output}")).start();
            let first = run.line().await;
            run.signal(signal);
            let rest = run.end().await.ended(status);
            assert!(rest.is_empty() || rest.ends_with('\n'), "a line is torn: {rest}");
            if output == "ndjson" {
                assert!(!events(&(first + &rest)).is_empty());
            }
        }
    }
}

/// `nohup` starts a program with SIGHUP ignored.
#[tokio::test]
async fn a_hangup_that_is_ignored_stays_ignored() {
    let base = emulator(fast()).await;
    let home = tempfile::tempdir().expect("a directory");
    let line = format!(
        "trap '' HUP; evtap watch -w {} --base-url {base} -n 2000 -o json > out & \
         while [ ! -s out ]; do sleep 0.01; done; kill -HUP $!; wait $!",
        evtap::emulator::DEMO_WORKSPACE
    );
    let mut command = bash(home.path(), &line);
    command.env("AMIGO_API_KEY", "key");
    let ran = tokio::process::Command::from(command).output().await.expect("bash runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let array = std::fs::read_to_string(home.path().join("out")).expect("text");
    assert_eq!(serde_json::from_str::<Vec<Value>>(&array).expect("one array").len(), 2000);
}

#[tokio::test]
async fn a_signal_ends_the_run_before_any_event() {
    let silent = scripted([format!("{STREAM}retry: 1\n\n").into_bytes()]).await;
    let mut run = watch(&silent, "").start();
    assert_eq!(
        run.status_line().await,
        format!("evtap: connected to workspace {}\n", evtap::emulator::DEMO_WORKSPACE)
    );
    run.signal("TERM");
    assert_eq!(run.end().await.ended(143), "");
    // A signal also ends the wait for a server that is gone.
    let mut run = watch(&scripted([STREAM.into()]).await, "").start();
    run.status_line().await;
    run.signal("INT");
    assert_eq!(run.end().await.ended(130), "");
}

#[tokio::test]
async fn a_signal_ends_the_run_while_stdout_is_blocked() {
    let mut run = evtap("replay -").stdin(long()).start();
    run.line().await;
    // Nothing reads stdout any more, so the pipe fills and stays full.
    while rustix::io::ioctl_fionread(run.stdout.get_ref()).expect("a pipe") < 32 << 10 {
        tokio::task::yield_now().await;
    }
    run.signal("INT");
    let (status, rest) = run.wait_without_reading().await;
    assert_eq!(status, 130);
    // The content of the pipe may end anywhere, since nothing takes the rest.
    assert!(rest.len() > 10_000, "the pipe was not full");
}

#[tokio::test]
async fn a_signal_ends_a_long_replay_with_a_whole_line() {
    for output in ["ndjson", "pretty"] {
        let mut run = evtap(&format!("replay - -o {output}")).stdin(long()).start();
        let first = run.line().await;
        run.signal("INT");
        let all = first + &run.end().await.ended(130);
        assert!(
            all.ends_with('\n') && all.lines().count() < 50_000,
            "{output}: {} lines",
            all.lines().count()
        );
    }
}

#[tokio::test]
async fn a_signal_ends_a_replay_whose_stdin_is_silent() {
    let mut run =
        evtap("replay -").stdin("{\"event_type\":\"text.started\"}\n").stdin_stays_open().start();
    run.line().await;
    run.signal("TERM");
    assert_eq!(run.end().await.ended(143), "");
}

#[tokio::test]
async fn an_event_is_printed_as_soon_as_it_arrives() {
    let frame = "id: 1\nevent: text.started\ndata: {}\n\n";
    let base = scripted([format!("{STREAM}retry: 1\n\n{frame}").into_bytes()]).await;
    let mut run = watch(&base, "").start();
    // The connection stays open and sends nothing more.
    assert!(run.line().await.starts_with("{\"event_type\":\"text.started\","));
}

#[tokio::test]
async fn status_lines_are_json_text_or_none() {
    let base = emulator(fast()).await;
    let json = watch(&base, "-n 3 --status json").run().await;
    let status_lines = events(&json.stderr());
    assert_eq!(
        status_lines[0],
        serde_json::json!({"status": "connected", "workspace_id": evtap::emulator::DEMO_WORKSPACE})
    );
    assert_eq!(
        status_lines[1],
        serde_json::json!({"status": "done", "shown": 3, "filtered": 0, "malformed": 0, "failed": 0, "drifted": 0, "gaps": 0, "exit": 0})
    );
    assert_eq!(watch(&base, "-n 3 --status none").run().await.stderr(), "");
    let text = watch(&base, "-n 3").run().await.stderr();
    assert_eq!(
        text,
        format!("evtap: connected to workspace {}\n", evtap::emulator::DEMO_WORKSPACE)
    );
    let failed = evtap("replay none --status json").run().await;
    assert_eq!(failed.ended(1), "");
    let ends: Vec<_> = events(&failed.stderr())
        .iter()
        .map(|line| (line["status"].clone(), line["exit"].clone()))
        .collect();
    assert_eq!(ends, [("failed".into(), 1.into()), ("done".into(), 1.into())]);
}

#[tokio::test]
async fn colours_follow_options_and_environment() {
    let line = "{\"event_type\":\"call.started\",\"caller_id\":\"x\"}\n";
    for (options, environment, coloured) in [
        ("", &[][..], false),
        ("--color always", &[], true),
        ("--color always", &[("NO_COLOR", "1")], true),
        ("--color never", &[("CLICOLOR_FORCE", "1")], false),
        ("", &[("CLICOLOR_FORCE", "1")], true),
        ("", &[("CLICOLOR_FORCE", "0")], false),
        ("", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ("", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")], true),
    ] {
        for command in ["replay - -o pretty", "schema", "schema call.started"] {
            let mut run = evtap(&format!("{command} {options}")).stdin(line);
            for (name, value) in environment {
                run = run.env(name, value);
            }
            let shown = run.run().await.ended(0);
            assert_eq!(shown.contains('\u{1b}'), coloured, "{command} {options} {environment:?}");
        }
        let ndjson =
            evtap(&format!("replay - -o ndjson {options}")).stdin(line).run().await.ended(0);
        assert!(!ndjson.contains('\u{1b}'));
    }
}

#[tokio::test]
async fn pretty_output_has_one_line_per_event() {
    let base = emulator(fast()).await;
    let shown = watch(&base, "-n 200 -o pretty").run().await.ended(0);
    assert_eq!(shown.lines().count(), 200);
    let known = |line: &str| {
        Kind::ALL.iter().any(|kind| line.split_whitespace().nth(1) == Some(kind.spec().event_type))
    };
    assert!(shown.lines().all(known), "{shown}");
}

#[tokio::test]
async fn frames_print_the_raw_data() {
    let body = "retry: 7\n\n: hi\nfoo: bar\n\nid: 1\nevent: x\ndata: no {json\ndata: at all\n\ndata: {\"a\":1}\n\nevent: y\n\n";
    let run = |rest: &str, base: &str| evtap(&format!("frames {base}/a?b=c --reveal all {rest}"));
    let answer = || [format!("{STREAM}{body}").into_bytes()];
    let lines = run("-n 5", &scripted(answer()).await).run().await.ended(0);
    let expected = concat!(
        "{\"event\":null,\"id\":null,\"retry\":7,\"data\":null}\n",
        "{\"event\":null,\"id\":null,\"retry\":null,\"data\":null,\"other\":[\": hi\",\"foo: bar\"]}\n",
        "{\"event\":\"x\",\"id\":\"1\",\"retry\":null,\"data\":\"no {json\\nat all\"}\n",
        "{\"event\":null,\"id\":null,\"retry\":null,\"data\":\"{\\\"a\\\":1}\"}\n",
        "{\"event\":\"y\",\"id\":null,\"retry\":null,\"data\":null}\n",
    );
    assert_eq!(lines, expected);
    let base = emulator(fast()).await;
    let path = format!("{base}/v1/{}/events/stream", evtap::emulator::DEMO_WORKSPACE);
    let raw = evtap(&format!("frames {path} --reveal all --auth -n 50"))
        .env("AMIGO_API_KEY", crate::support::KEY)
        .run()
        .await
        .ended(0);
    assert!(events(&raw).iter().skip(1).all(|frame| {
        frame["data"].as_str().is_some_and(|data| serde_json::from_str::<Value>(data).is_ok())
    }));

    let call = format!(
        "/v1/{}/observers/{}/ws",
        evtap::emulator::DEMO_WORKSPACE,
        evtap::emulator::DEMO_CALL
    );
    let url = base.replacen("http", "ws", 1) + &call;
    let raw = evtap(&format!("frames {url} --reveal all --auth"))
        .env("AMIGO_API_KEY", crate::support::KEY)
        .run()
        .await
        .ended(0);
    assert!(events(&raw).len() > 50 && raw.contains("session_end"));
}

#[tokio::test]
async fn frames_over_the_limit_are_only_measured() {
    let body = format!("data: {}\n\ndata: a\n\n", "x".repeat(1024));
    let base = scripted([format!("{STREAM}{body}").into_bytes()]).await;
    let run = evtap(&format!("frames {base} --reveal all -n 2 --max-frame 1KiB"));
    let expected = concat!(
        "{\"event\":null,\"id\":null,\"retry\":null,\"data\":null,\"too_large\":1031}\n",
        "{\"event\":null,\"id\":null,\"retry\":null,\"data\":\"a\"}\n",
    );
    assert_eq!(run.run().await.ended(0), expected);
}

#[tokio::test]
async fn frames_of_a_websocket_need_not_be_json() {
    use tokio_tungstenite::tungstenite::Message;
    let messages = vec![
        Message::text("no {json"),
        Message::binary(b"text".to_vec()),
        Message::binary(vec![0xff]),
    ];
    let url = crate::support::websocket_server(messages).await.replacen("http", "ws", 1);
    let ran = evtap(&format!("frames {url} --reveal all --auth"))
        .env("AMIGO_API_KEY", crate::support::KEY)
        .run()
        .await;
    let expected = concat!(
        "{\"event\":null,\"id\":null,\"retry\":null,\"data\":\"no {json\"}\n",
        "{\"event\":null,\"id\":null,\"retry\":null,\"data\":\"text\",\"binary\":true}\n",
        "{\"event\":null,\"id\":null,\"retry\":null,\"data\":null,\"base64\":\"/w==\"}\n",
    );
    assert_eq!(ran.ended(0), expected);
}
