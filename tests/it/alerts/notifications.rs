//! Notifications of alerts: commands, and the bell of the terminal.

use std::collections::BTreeSet;

use super::{JOINED, alert, alerts, call};
use crate::support::{HANG, bash, evtap, pseudo_terminal, read_terminal};

/// A recording with two alerts that are raised and one that is pending.
fn missed() -> String {
    [1, 2, 3].map(|number| call(100 * number as usize, "call.escalated", number)).concat()
}

#[tokio::test]
async fn a_command_gets_each_alert() {
    let run = alert(JOINED, "x.ndjson --exec-timeout 1h --exec")
        .arg(r#"sh -c 'cat > "$1-$$"; env > environment' x "an alert""#)
        .file("x.ndjson", missed())
        .env("AMIGO_API_KEY", "canary");
    let dir = run.path("");
    let started = run.start();
    let (output, environment) = started.end_and_read(&dir.join("environment")).await;
    assert_eq!(alerts(&output.ended(0)).len(), 3);
    let environment = String::from_utf8(environment.expect("a file")).expect("text");
    assert!(!environment.contains("canary") && environment.contains("HOME="));
    assert!(output.stderr().contains("3 notified"), "{}", output.stderr());
}

#[tokio::test]
async fn the_alerts_that_commands_get_are_those_that_are_shown() {
    let home = tempfile::tempdir().expect("a directory");
    let run = alert(JOINED, "x.ndjson --exec").file("x.ndjson", missed());
    let line = format!("sh -c 'cat > {}/$$'", home.path().display());
    let output = run.arg(&line).run().await.ended(0);
    let files = std::fs::read_dir(home.path()).expect("a directory");
    let got: BTreeSet<_> = files
        .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("text"))
        .map(|text| text.trim_end().to_owned())
        .collect();
    assert_eq!(got, alerts(&output));
}

#[tokio::test]
async fn a_command_that_fails_ends_nothing() {
    let failing = async |options: &str, command: &str, why: &str| {
        let run = alert(JOINED, &format!("x.ndjson {options} --exec")).arg(command);
        let run = run.file("x.ndjson", missed()).run().await;
        assert_eq!(alerts(&run.ended(0)).len(), 3);
        let failure = format!("the command of --exec failed: {why}; the alert is not passed on");
        assert!(run.stderr().contains(&failure), "{}", run.stderr());
        assert!(run.stderr().contains("3 refused by the command"), "{}", run.stderr());
    };
    failing("", "sh -c 'exit 3'", "it exited with 3").await;
    failing("", "no-such-program", "cannot run it (entity not found)").await;
    failing("--exec-timeout 50ms", "sleep 10000", "it ran longer than 50ms and was killed").await;
    // What a command does not take counts as what an endpoint refuses.
    let run = alert(JOINED, "x.ndjson --fail-on-gap --exec").arg("false");
    run.file("x.ndjson", missed()).run().await.ended(8);
    for (command, why) in [("'", "a quote in it is not closed"), (" ", "it is empty")] {
        let run = alert(JOINED, "x.ndjson --exec").arg(command).run().await;
        run.ended(2);
        assert!(run.stderr().contains(why), "{}", run.stderr());
    }
    let run = evtap("watch -w demo --exec true").run().await;
    run.ended(2);
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_what_it_started() {
    let home = tempfile::tempdir().expect("a directory");
    let started = home.path().join("started");
    // The background process holds the pipe open until it is killed.
    let line = format!("sh -c 'sleep 10000 & echo $! > {}; wait'", started.display());
    let run = alert(JOINED, "x.ndjson --exec-timeout 5s --exec").arg(&line);
    let recording = call(0, "call.escalated", 1) + &call(100, "call.started", 2);
    run.file("x.ndjson", recording).run().await.ended(0);
    let pid = std::fs::read_to_string(started).expect("it was started");
    let stat = || std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    // It would run for hours. A signal is delivered when the process is scheduled next.
    let ended = async {
        while !stat().is_empty() && !stat().contains(") Z ") {
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(HANG, ended).await;
    assert!(ended.is_ok(), "it still runs: {}", stat());
}

#[test]
fn the_bell_rings_on_a_terminal_when_an_alert_is_raised() {
    let home = tempfile::tempdir().expect("a directory");
    let path = |name: &str| home.path().join(name);
    std::fs::write(path("rules.toml"), JOINED).expect("written");
    std::fs::write(path("missed.ndjson"), missed()).expect("written");
    std::fs::write(path("calm.ndjson"), call(0, "call.escalated", 1)).expect("written");
    for (name, rings) in [("missed.ndjson", true), ("calm.ndjson", false)] {
        let (mut master, slave) = pseudo_terminal(80);
        let line = format!("evtap alert --rules rules.toml --bell {name}");
        let status = bash(home.path(), &line).stderr(slave).status().expect("it runs");
        assert!(status.success());
        assert_eq!(read_terminal(&mut master).contains(&0x07), rings, "{name}");
    }
}
