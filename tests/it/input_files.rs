//! Files that are read whole: pipes work, devices and huge files are refused, and a key that other
//! users can read causes a warning.

#![cfg(unix)]

use evtap::emulator::{DEMO_WORKSPACE, Options};
use evtap::transport::credential::Credential;

use crate::support::{KEY, bash, emulator, evtap, fast, watch};

const EVENT: &str =
    r#"{"event_type":"text.started","channel_kind":"sms","service_id":"s","session_id":"x"}"#;

/// Starts the emulator, which accepts only [`KEY`]. Returns its base URL.
async fn clinic() -> String {
    let api_key = Credential::new(KEY, "a test").expect("legal");
    emulator(Options { api_key: Some(api_key), ..fast() }).await
}

#[tokio::test]
async fn devices_and_huge_files_are_refused() {
    for (line, status) in [
        ("watch --workspace ID --api-key-file FILE", 3),
        ("watch --workspace ID --ca-cert FILE --base-url https://127.0.0.1:1", 2),
        ("watch --workspace ID --cursor FILE", 1),
        ("watch --workspace demo --config FILE", 2),
        ("replay - --filter-file FILE", 2),
        ("replay - --phi hash --phi-key-file FILE", 2),
        ("replay - --forward http://127.0.0.1:1 --forward-header @FILE", 2),
        ("expect FILE --replay -", 2),
        ("serve --fault-script FILE", 2),
        ("frames ws://127.0.0.1:1 --reveal all --auth --api-key-file FILE", 3),
    ] {
        let line = line.replace("ID", DEMO_WORKSPACE);
        for (file, why) in
            [("/dev/zero", "it is neither a file nor a pipe; "), ("huge", "it is larger than ")]
        {
            // The cursor has refused everything but files all along.
            let is_cursor = line.contains("--cursor") && file == "/dev/zero";
            let run = evtap(&line.replace("FILE", file)).env("AMIGO_API_KEY", KEY).stdin(EVENT);
            let huge = std::fs::File::create(run.path("huge")).expect("a file");
            // It has holes and takes no space.
            huge.set_len(1 << 40).expect("a length");
            let ran = run.mode("huge", 0o600).run().await;
            assert_eq!(ran.ended(if is_cursor { 2 } else { status }), "", "{line} {file}");
            let why = if is_cursor { "it is not a regular file; " } else { why };
            assert!(ran.stderr().contains(why), "{line} {file}: {}", ran.stderr());
        }
    }
}

#[tokio::test]
async fn a_pipe_can_take_the_place_of_a_file() {
    let base = clinic().await;
    let watch = format!(
        "evtap watch --workspace {DEMO_WORKSPACE} --base-url {base} -n 1 --api-key-file <(echo {KEY})"
    );
    let replay = format!("echo '{EVENT}' | evtap replay -");
    for line in [
        watch,
        format!("{replay} --filter-file <(echo '.event_type == \"text.started\"')"),
        format!("{replay} --phi hash --phi-key-file <(head -c 32 /dev/zero)"),
        format!("{replay} --config <(echo 'color = \"never\"')"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let mut command = bash(dir.path(), &line);
        let ran = tokio::task::spawn_blocking(move || command.output().expect("bash runs"));
        let ran = ran.await.expect("no panic");
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && !ran.stdout.is_empty(), "{line}: {stderr}");
        assert!(!stderr.contains("not safe"), "{stderr}");
    }
}

#[tokio::test]
async fn a_key_file_that_others_can_read_causes_a_warning() {
    let base = clinic().await;
    for (mode, status, expected) in [
        (
            0o644,
            "text",
            "evtap: the API key in key is not safe: other users can read or write the file; run `chmod 600` on it",
        ),
        (0o640, "json", "{\"status\":\"warning\",\"reason\":\"the API key in key is not safe: "),
        (0o644, "none", ""),
        (0o600, "text", ""),
        (0o400, "text", ""),
    ] {
        let line = format!("-n 1 --status {status} --api-key-file key");
        let ran = watch(&base, &line).file("key", KEY).mode("key", mode).run().await;
        ran.ended(0);
        let stderr = ran.stderr();
        assert_eq!(stderr.contains("not safe"), !expected.is_empty(), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn a_record_with_several_names_is_refused() {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(home.path().join("victim"), "precious\n").expect("a file");
    std::fs::hard_link(home.path().join("victim"), home.path().join("record")).expect("a link");
    let ran = bash(home.path(), "evtap watch --workspace demo -n 1 --record record")
        .output()
        .expect("bash runs");
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{stderr}");
    let message = "cannot record to record: it has several names (hard links); ";
    assert!(stderr.contains(message), "{stderr}");
    let victim = std::fs::read_to_string(home.path().join("victim")).expect("a file");
    assert_eq!(victim, "precious\n");
}
