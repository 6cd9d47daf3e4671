//! A stdout that is full or that nobody reads, in every command.

use std::fs::File;
use std::process::Stdio;

use evtap::emulator::DEMO_WORKSPACE;

use crate::support::{KEY, emulator, fast};

const DAY: &str = concat!(
    "{\"event_type\":\"call.started\",\"call_sid\":\"CA1\",\"direction\":\"inbound\",\"_tap\":{\"time\":\"2026-05-05T10:00:00Z\"}}\n",
    "{\"event_type\":\"call.ended\",\"call_sid\":\"CA1\",\"duration_seconds\":90,\"_tap\":{\"time\":\"2026-05-05T10:01:30Z\"}}\n",
);

/// Every command that writes to stdout, and each of its formats.
const COMMANDS: &[&str] = &[
    "--help",
    "--version",
    "help",
    "help status",
    "watch -h",
    "watch -w demo -n 3 --status none",
    "watch -w demo -n 0 -o json --status none",
    "observe --call demo -n 3 --status none",
    "replay day",
    "replay day -o pretty",
    "replay day -o json",
    "replay day -o cloudevents",
    "replay day -o csv",
    "replay day -o template={{event_type}}",
    "replay day -q .event_type",
    "replay day --threads 1",
    "expect --replay day --no-check --then true",
    "expect --replay day --no-check --then false --status none",
    "stats day",
    "stats day -o json",
    "stats day -o html",
    "stats day --every 1m",
    "stats day --every 1m -o csv",
    "timeline day",
    "timeline CA1 day",
    "timeline CA1 day -o json",
    "timeline CA1 day -o html",
    "schema",
    "schema call.ended",
    "schema --json",
    "schema --json-schema",
    "schema --phi",
    "schema --status",
    "audit day",
    "audit raw -o json",
    "config",
    "config -o json",
    "config path",
    "doctor -w demo",
    "doctor -w demo -o json",
    "generate man",
    "generate man watch",
    "generate completions zsh",
];

/// Runs a command with this stdout. Returns its exit status and stderr.
async fn run(line: &str, stdout: Stdio) -> (i32, String) {
    let home = tempfile::tempdir().expect("a home");
    std::fs::write(home.path().join("day"), DAY).expect("written");
    std::fs::write(home.path().join("raw"), DAY.replace("inbound", "303-555-0161"))
        .expect("written");
    let ran = tokio::process::Command::new(env!("CARGO_BIN_EXE_evtap"))
        .args(line.split_whitespace())
        .env_clear()
        .env("HOME", home.path())
        .env("AMIGO_API_KEY", KEY)
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .expect("evtap starts")
        .wait_with_output()
        .await
        .expect("it ends");
    (ran.status.code().expect("no signal"), String::from_utf8(ran.stderr).expect("text"))
}

async fn commands() -> Vec<String> {
    let base = emulator(fast()).await;
    let frames =
        format!("frames {base}/v1/{DEMO_WORKSPACE}/events/stream --reveal all --auth -n 3");
    COMMANDS.iter().map(|line| (*line).to_owned()).chain([frames]).collect()
}

#[tokio::test]
async fn a_full_stdout_is_a_failure_in_every_command() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    for line in commands().await {
        let (status, stderr) = run(&line, full.try_clone().expect("a file").into()).await;
        assert_eq!(status, 1, "{line}: {stderr}");
        let message = stderr.lines().last().unwrap_or_default();
        assert!(
            message.starts_with("evtap: cannot write ") && message.contains(": no storage space; "),
            "{line}: {stderr}"
        );
    }
}

#[tokio::test]
async fn a_closed_stdout_changes_neither_the_status_nor_stderr_of_any_command() {
    for line in commands().await {
        let expected = run(&line, Stdio::null()).await;
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        assert_eq!(run(&line, writer.into()).await, expected, "{line}");
    }
}
