//! The official Python client, which checks results against the schemas of the tools.

use std::process::Command;

use super::calls;
use crate::support::tools;

#[test]
fn the_official_client_uses_every_tool() {
    if !tools::available(&["python3"]) || !tools::has_python_module("mcp") {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("calls.ndjson"), calls(60)).expect("a file");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/mcp/client.py");
    let ran = Command::new("python3")
        .args([script, env!("CARGO_BIN_EXE_evtap"), "calls.ndjson"])
        .current_dir(dir.path())
        .output()
        .expect("it starts");
    let (stdout, stderr) =
        (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{stdout}{stderr}");
    assert_eq!(stdout, "auto: all well\nlegacy: all well\n", "{stderr}");
}
