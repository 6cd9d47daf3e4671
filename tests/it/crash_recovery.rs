//! `kill -9` at any moment, with `--cursor` and `--record`: stdout gets every event at least once,
//! the record exactly once.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use evtap::emulator::{self, DEMO_WORKSPACE, Ledger};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::tapped::{DeliveryLog, Report};

/// Starts evtap with its stdout appended to a file.
fn start(base: &str, home: &Path) -> Child {
    let out = File::options().create(true).append(true).open(home.join("stdout")).expect("a file");
    Command::new(env!("CARGO_BIN_EXE_evtap"))
        .args([
            "watch",
            "--workspace",
            DEMO_WORKSPACE,
            "--base-url",
            base,
            "--output",
            "ndjson",
            "--status",
            "none",
        ])
        .args(["--cursor", "cursor", "--record", "record", "--reveal", Ledger::FIELD])
        .env_clear()
        .env("AMIGO_API_KEY", "test")
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::null())
        .spawn()
        .expect("evtap starts")
}

/// Compares the events in a file with those published. Ignores a line that a kill has torn.
fn report(path: &Path, ids: &[u64]) -> Report {
    let mut seen = DeliveryLog::default();
    let bytes = fs::read(path).unwrap_or_default();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(line) = serde_json::from_slice::<Value>(line) {
            seen.line(&line);
        }
    }
    seen.report(ids)
}

/// Kills evtap `times` times, at moments drawn from a seed. Returns the reports on stdout and on
/// the record.
async fn kill_repeatedly(times: usize, seed: u64) -> (Report, Report) {
    let ledger = Ledger::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let options = emulator::Options {
        seed,
        rate: 500.0,
        ledger: Some(ledger.clone()),
        ..emulator::Options::default()
    };
    tokio::spawn(emulator::run(listener, options, std::future::pending()));
    let home = tempfile::tempdir().expect("a home");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut deaths = 0;
    while deaths < times {
        let mut child = start(&base, home.path());
        tokio::time::sleep(Duration::from_millis(rng.random_range(1..250))).await;
        assert_eq!(child.try_wait().expect("a child"), None, "it ran until it was killed");
        child.kill().expect("killed");
        child.wait().expect("ended");
        deaths += 1;
    }
    // One more run catches up with everything published so far.
    let mut child = start(&base, home.path());
    let target = ledger.len();
    while report(&home.path().join("record"), &ledger.ids()).published < target {
        assert_eq!(child.try_wait().expect("a child"), None, "it runs until it is killed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let ids = ledger.ids();
    (report(&home.path().join("stdout"), &ids), report(&home.path().join("record"), &ids))
}

fn assert_nothing_lost((stdout, record): (Report, Report)) -> String {
    let summary = format!("stdout: {stdout:?}\nrecord: {record:?}\n");
    assert!(
        record.is_whole() && record.gaps == 0 && record.delivered == record.published,
        "{summary}"
    );
    assert!(
        stdout.lost == 0 && stdout.gaps == 0 && stdout.delivered >= record.delivered,
        "{summary}"
    );
    summary
}

#[tokio::test]
async fn kills_lose_no_event_and_record_none_twice() {
    assert_nothing_lost(kill_repeatedly(5, 1).await);
}

#[tokio::test]
#[ignore = "takes a minute"]
async fn soak_two_hundred_kills() {
    use std::io::Write;
    let summary = assert_nothing_lost(kill_repeatedly(200, 2).await);
    std::io::stdout().write_all(summary.as_bytes()).expect("a terminal");
}
