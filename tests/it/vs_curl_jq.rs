//! docs/comparison.md is correct about evtap, curl and jq: all three read the same stream.

use std::path::Path;

use evtap::emulator::{self, DEMO_WORKSPACE, Options};

use crate::support::{bash, emulator, fast, tools, types, watch};

/// The programs that do the same without evtap.
const TOOLS: &[&str] = &["bash", "curl", "jq", "sed"];

/// Reads the emulator's stream with curl and jq, as people would type it. Returns stdout, stderr
/// and the exit status.
async fn curl_and_jq(base: &str, filter: &str) -> (String, String, i32) {
    let url = format!("{base}/v1/{DEMO_WORKSPACE}/events/stream");
    let line = format!(
        "curl -sN -H 'Authorization: Bearer key' {url} | sed -un 's/^data: //p' | jq --unbuffered -c '{filter}'"
    );
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = tokio::process::Command::from(bash(dir.path(), &line));
    let ran = command.output().await.expect("bash runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&ran.stdout), text(&ran.stderr), ran.status.code().expect("no signal has ended it"))
}

#[tokio::test]
async fn evtap_hides_what_curl_and_jq_print() {
    if !tools::available(TOOLS) {
        return;
    }
    let options = || Options { once: true, ..fast() };
    let (shown, ..) =
        curl_and_jq(&emulator(options()).await, "select(.caller_id) | .caller_id").await;
    assert!(shown.contains("\"+1"), "curl shows what there is: {shown}");
    let hidden = watch(&emulator(fast()).await, "-n 100 --status none").run().await.ended(0);
    assert!(
        hidden.contains("\"caller_id\":\"[redacted]\"") && !hidden.contains("\"+1"),
        "{hidden}"
    );
}

#[tokio::test]
async fn a_broken_stream_ends_curl_but_not_evtap() {
    if !tools::available(TOOLS) {
        return;
    }
    let broken = || Options {
        faults: vec!["cut=3000".parse::<emulator::Fault>().expect("a fault")],
        ..fast()
    };
    let (shown, stderr, status) = curl_and_jq(&emulator(broken()).await, ".").await;
    assert_ne!(status, 0);
    assert!(stderr.contains("parse error") && shown.lines().count() < 100, "{stderr}");
    let run = watch(&emulator(broken()).await, "-n 100").run().await;
    assert_eq!(types(&run.ended(0)).len(), 100);
    assert!(run.stderr().contains("trying again"), "{}", run.stderr());
}

#[tokio::test]
async fn a_misspelled_filter_is_an_error_in_evtap_only() {
    if !tools::available(TOOLS) {
        return;
    }
    let base = emulator(Options { once: true, ..fast() }).await;
    let (shown, stderr, _) = curl_and_jq(&base, "select(.durations > 60)").await;
    assert_eq!((shown.as_str(), stderr.as_str()), ("", ""));
    let run = watch(&base, "").arg("-f").arg(".durations > 60").run().await;
    assert!(run.stderr().contains("did you mean"), "{}", run.stderr());
    run.ended(2);
}

/// Each row of the table names the test that shows it.
#[test]
fn every_row_of_the_comparison_names_a_test_that_exists() {
    fn read_sources(dir: &Path, text: &mut String) {
        for entry in std::fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read_sources(&path, text);
            } else if path.extension().is_some_and(|end| end == "rs") {
                *text += &std::fs::read_to_string(path).expect("text");
            }
        }
    }
    let mut code = String::new();
    for dir in ["src", "tests"] {
        read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut code);
    }
    let rows: Vec<_> = include_str!("../../docs/comparison.md")
        .lines()
        .skip_while(|line| !line.starts_with("| ---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 7, "the table is not found");
    for row in rows {
        let name = row.trim_end_matches(" |").rsplit('`').nth(1).expect("a name");
        assert!(code.contains(&format!("fn {name}(")), "{name} does not exist");
    }
}
