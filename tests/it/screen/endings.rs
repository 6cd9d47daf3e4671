//! How the live screen ends unexpectedly: by a signal, a closed terminal or a panic.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use evtap::error::Exit;
use evtap::internals::output::status;
use evtap::internals::pipeline::stop::conditions::Conditions;
use evtap::internals::pipeline::{Pipeline, Stages};
use evtap::internals::tui::config::ScreenConfig;
use evtap::internals::tui::{LiveScreen, view};
use evtap::query::EventFilter;
use evtap::redact::Policy;
use evtap::transport;

use super::{DEMO, HANG, Shell};
use crate::support::pseudo_terminal;

const BINARY: &str = env!("CARGO_BIN_EXE_evtap");

#[test]
fn sigterm_restores_the_terminal() {
    let Some(shell) = Shell::open(100, 30) else { return };
    shell.start(DEMO);
    shell.kill("TERM");
    shell.wait_for("status 143");
    shell.assert_restored();
}

#[track_caller]
fn wait(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < HANG, "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_hangup_ends_the_run_with_a_whole_record() {
    let Some(shell) = Shell::open(100, 30) else { return };
    let home = shell.home.path();
    // The outer shell survives the terminal and records the exit status.
    let inner = format!("echo $$ > pid; exec {BINARY} {DEMO} --record day.ndjson");
    std::fs::write(home.join("run"), format!("trap : HUP\nsh -c '{inner}'\necho $? > ended\n"))
        .expect("a script");
    shell.line("sh run");
    shell.wait("screen", |shell| shell.modes() == "0 1 1");
    wait("record", || std::fs::metadata(home.join("day.ndjson")).is_ok_and(|file| file.len() > 0));
    let pid = std::fs::read_to_string(home.join("pid")).expect("an id");
    shell.tmux(&["kill-server"]);
    wait("end", || {
        std::fs::read_to_string(home.join("ended")).is_ok_and(|status| status.ends_with('\n'))
    });
    assert_eq!(std::fs::read_to_string(home.join("ended")).expect("a status"), "129\n");
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "nothing is left");
    let record = std::fs::read_to_string(home.join("day.ndjson")).expect("a record");
    assert!(record.ends_with('\n'));
    assert!(
        record.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{record}"
    );
}

/// Only processes of the terminal's session get SIGHUP; others must notice that it is gone.
#[test]
fn ends_when_the_terminal_is_closed_without_a_signal() {
    let (mut master, slave) = pseudo_terminal(80);
    let mut command = Command::new(BINARY);
    command
        .args(DEMO.split(' '))
        .env("TERM", "xterm-256color")
        .stdin(Stdio::from(slave.try_clone().expect("a copy")));
    command.stdout(slave.try_clone().expect("a copy")).stderr(slave);
    let mut child = command.spawn().expect("it starts");
    drop(command);
    let (mut seen, mut chunk) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&seen).contains("REDACTED") {
        let read = master.read(&mut chunk).expect("it draws");
        seen.extend_from_slice(&chunk[..read]);
    }
    drop(master);
    let began = Instant::now();
    let ended = loop {
        match child.try_wait().expect("it can be waited for") {
            Some(ended) => break ended,
            None if began.elapsed() < HANG => std::thread::sleep(Duration::from_millis(20)),
            None => {
                child.kill().expect("it is ours");
                panic!("it goes on without a terminal");
            }
        }
    };
    assert_eq!(ended.code(), Some(129));
}

/// Not a test by itself: [`a_panic_restores_the_terminal_and_reports_its_place`] runs it in a
/// terminal. It runs the live screen with a pipeline and a view that panics once there is an event
/// to draw.
#[test]
#[ignore = "it panics on purpose, for another test"]
fn child() {
    evtap::internals::cli::hardening::harden_process();
    let setup = ScreenConfig { title: "breaking".to_owned(), ..ScreenConfig::default() };
    let mut stages = Stages {
        policy: Policy::default(),
        filter: EventFilter::default(),
        writer: None,
        observers: Vec::new(),
        alerts: None,
        limit: None,
        stop: Box::new(Conditions::default()),
        status: status::StatusFormat::None,
    };
    let panicking_view = |state: &evtap::internals::tui::state::State,
                          frame: &mut ratatui::Frame<'_>| {
        view::draw(state, frame);
        assert!(state.buffer.end() == 0, "Jane Canary");
    };
    let mut live = LiveScreen::open(setup, &mut stages, panicking_view).expect("a terminal");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (tx, rx) = transport::channel(1);
    let handle = runtime.handle().clone();
    let pipeline = std::thread::spawn(move || Pipeline::new(stages).run(rx, &handle));
    while !Path::new("seen").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::fs::write(
        "day.ndjson",
        "{\"event_type\":\"call.started\",\"caller_id\":\"Jane Canary\"}\n",
    )
    .expect("a file");
    transport::recording::run(
        Path::new("day.ndjson"),
        1 << 20,
        None,
        &std::sync::Arc::default(),
        &tx.blocking(),
    )
    .expect("it is read");
    let closed = runtime.block_on(live.closed()).expect_err("it breaks down");
    assert_eq!((closed.exit, closed.parts().1), (Exit::Failure, "the screen thread panicked"));
    drop(tx);
    assert_eq!(pipeline.join().expect("the pipeline does not panic").failure, None);
}

#[test]
fn a_panic_restores_the_terminal_and_reports_its_place() {
    let Some(shell) = Shell::open(140, 30) else { return };
    let this = std::env::current_exe().expect("this binary");
    shell.line(&format!(
        "{} --ignored --exact screen::endings::child --nocapture --test-threads=1",
        this.display()
    ));
    shell.wait("screen", |shell| shell.modes() == "0 1 1");
    shell.wait_for("REDACTED");
    std::fs::write(shell.home.path().join("seen"), "").expect("a file is written");
    shell.wait_for("panicked at tests/it/screen/endings.rs:");
    shell.wait_for("1 passed");
    assert!(!shell.contents().contains("Jane"), "{}", shell.contents());
    shell.assert_restored();
}
