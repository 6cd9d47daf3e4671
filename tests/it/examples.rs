//! The programs in `examples/` do what their documentation says. `cargo test` builds them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::{evtap, tools};

const LINES: &str = concat!(
    r#"{"event_type":"call.started","call_sid":"CA1","caller_id":"+12025550123","direction":"inbound","service_id":"s"}"#,
    "\n",
    r#"{"event_type":"call.ended","call_sid":"CA1","completion_reason":"completed","direction":"inbound","duration_seconds":61.5}"#,
    "\n",
    r#"{"event_type":"brand.new","who":"Jane Roe"}"#,
    "\n",
    "no event of Jane Roe",
    "\n",
);

/// The path of an example, if it was built.
fn example(name: &str) -> Option<PathBuf> {
    let programs = Path::new(env!("CARGO_BIN_EXE_evtap")).parent().expect("a directory");
    let path = programs.join("examples").join(name);
    tools::is_built(&path).then_some(path)
}

fn run(path: &Path, arguments: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(path);
    command.args(arguments).current_dir(dir).env_clear().stdin(Stdio::null());
    command.output().expect("it runs")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn parse_events_prints_a_summary_without_phi() {
    let Some(path) = example("parse_events") else { return };
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("events.ndjson"), LINES).expect("written");
    let ran = run(&path, &["events.ndjson"], dir.path());
    assert!(ran.status.success());
    assert_eq!(
        text(ran.stdout),
        "inbound call CA1 from [redacted]\n\
         call CA1 ended after 61.5 s: completed\n\
         unknown event brand.new\n      1 brand.new\n      1 call.ended\n      1 call.started\n      \
         1 deviations from the model\n"
    );
    assert_eq!(text(ran.stderr), "line 4: not an event: the text is not JSON (at byte 0)\n");
}

#[tokio::test]
async fn redact_file_prints_what_replay_does() {
    let Some(path) = example("redact_file") else { return };
    let dir = tempfile::tempdir().expect("a directory");
    // Where a line is no event, replay names its place in the file, and the example that in the
    // line.
    let lines: String = LINES.split_inclusive('\n').take(3).collect();
    std::fs::write(dir.path().join("events.ndjson"), &lines).expect("written");
    let ran = run(&path, &["events.ndjson"], dir.path());
    assert!(ran.status.success());
    let replayed = evtap("replay - -o ndjson").stdin(lines).run().await.ended(0);
    assert_eq!(text(ran.stdout), replayed);

    std::fs::write(dir.path().join("events.ndjson"), LINES).expect("written");
    let shown = text(run(&path, &["events.ndjson"], dir.path()).stdout);
    assert!(shown.contains("tap.malformed") && !shown.contains("Jane"), "{shown}");
}

#[test]
fn watch_workspace_prints_events_of_the_emulator() {
    let Some(path) = example("watch_workspace") else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let ran = run(&path, &["5"], dir.path());
    assert!(ran.status.success(), "{}", text(ran.stderr));
    let shown = text(ran.stdout);
    assert_eq!(shown.lines().count(), 5, "{shown}");
    assert!(text(ran.stderr).contains("Connected"));
}
