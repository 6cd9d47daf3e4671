//! Process hardening: what a crash may print, where the key may be, and the permissions of files.

use std::process::Command;

use crate::support::{STREAM, evtap, scripted, watch};

/// Not a test by itself: [`a_panic_message_has_the_place_but_not_the_text`] runs it in a process of
/// its own.
#[test]
#[ignore = "it panics on purpose, for another test"]
fn child() {
    evtap::internals::cli::hardening::harden_process();
    #[cfg(target_os = "linux")]
    assert_eq!(
        rustix::process::dumpable_behavior(),
        Ok(rustix::process::DumpableBehavior::NotDumpable)
    );
    let value = "Jane Canary 4081516234";
    let _ = std::panic::catch_unwind(|| panic!("no use for {value}"));
    let _ = std::panic::catch_unwind(|| value[..200].len());
    let _ = std::panic::catch_unwind(|| value.parse::<u8>().expect(value));
    std::thread::spawn(move || panic!("{value}")).join().expect_err("it breaks down");
}

#[test]
fn a_panic_message_has_the_place_but_not_the_text() {
    for backtrace in ["0", "1", "full"] {
        let ran = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--ignored", "--exact", "hardening::child", "--nocapture", "--test-threads=1"])
            .env("RUST_BACKTRACE", backtrace)
            .output()
            .expect("it runs");
        let all = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
        assert_eq!(all.matches("evtap: panicked at ").count(), 4, "{all}");
        assert!(all.contains("hardening.rs:"), "{all}");
        assert!(!all.contains("Canary") && !all.contains("4081516234"), "{all}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn core_dumps_are_disabled_and_the_key_is_not_in_the_process_list() {
    let base = scripted([STREAM.as_bytes().to_vec()]).await;
    let mut running = watch(&base, "").start();
    assert!(running.status_line().await.contains("connected"));
    let read = |name: &str| {
        std::fs::read_to_string(format!("/proc/{}/{name}", running.child.id().expect("it runs")))
    };
    let limits = read("limits").expect("a process has limits");
    let core: Vec<_> = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .expect("it")
        .split_whitespace()
        .collect();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");
    assert!(!read("cmdline").expect("a command line").contains(crate::support::KEY));
    running.signal("INT");
    running.end().await.ended(130);
}

#[tokio::test]
async fn no_option_takes_the_api_key() {
    let help = evtap("watch --help").run().await.ended(0);
    assert!(help.contains("--api-key-file") && !help.contains("--api-key "), "{help}");
}

#[cfg(unix)]
#[tokio::test]
async fn written_files_are_private_and_links_are_not_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let home = tempfile::tempdir().expect("a directory");
    let run = |cursor: &str, record: &str| {
        let line = format!(
            "umask 000; exec {} watch -w demo -n 3 --cursor {cursor} --record {record}",
            env!("CARGO_BIN_EXE_evtap")
        );
        let mut command = Command::new("sh");
        let ran = command
            .args(["-c", &line])
            .current_dir(home.path())
            .env_clear()
            .output()
            .expect("sh runs");
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    std::fs::write(home.path().join("old"), "").expect("written");
    std::fs::set_permissions(home.path().join("old"), std::fs::Permissions::from_mode(0o666))
        .expect("set");
    for (cursor, record) in [("cursor", "record"), ("cursor", "old")] {
        assert_eq!(run(cursor, record).0, Some(0));
        for name in [cursor, record] {
            let mode =
                std::fs::metadata(home.path().join(name)).expect("there").permissions().mode();
            assert_eq!(mode & 0o7777, 0o600, "{name}");
        }
    }
    std::fs::write(home.path().join("target"), "").expect("written");
    for (link, target) in [("link", "target"), ("dangling", "none")] {
        symlink(home.path().join(target), home.path().join(link)).expect("linked");
        for (cursor, record) in [(link, "record"), ("cursor", link)] {
            let (status, stderr) = run(cursor, record);
            assert!(status == Some(2) && stderr.contains(link), "{status:?} {stderr}");
        }
    }
    assert!(!home.path().join("none").exists());
    assert_eq!(std::fs::read(home.path().join("target")).expect("there"), b"");
}

/// evtap has no option for verbosity, and no logger is installed that dependencies could write to.
#[tokio::test]
async fn verbosity_options_and_variables_print_nothing() {
    let stderr_of = |verbose: bool| async move {
        let base =
            scripted([format!("{STREAM}id: 1\nevent: text.started\ndata: {{}}\n\n").into_bytes()])
                .await;
        let run = watch(&base, "-n 1");
        let run =
            if verbose { run.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full") } else { run };
        run.run().await.stderr()
    };
    assert_eq!(stderr_of(true).await, stderr_of(false).await);
    for option in ["-v", "-vvv", "--verbose", "--debug"] {
        assert_eq!(evtap(&format!("watch -w demo {option}")).run().await.status(), 2, "{option}");
    }
}
