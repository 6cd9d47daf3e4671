//! The live screen of the real binary, in a terminal that tmux provides: what it shows, and how it
//! leaves the terminal.

mod attention;
mod broker;
mod endings;
#[cfg(target_os = "linux")] // It reads memory from /proc.
mod memory;
mod pictures;
mod remembering;
mod stability;
mod time_travel;

use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{self, evtap, tools};

/// Time after which the screen is considered hung.
const HANG: Duration = Duration::from_secs(60);

/// Number of times that the modes were listed. It makes each end marker unique, since an earlier
/// one may still be visible.
static TIMES: AtomicUsize = AtomicUsize::new(0);

/// A shell in a tmux terminal of its own.
struct Shell {
    home: TempDir,
}

impl Shell {
    /// Opens a shell. Returns `None` and reports it if tmux is not installed.
    fn open(columns: u16, rows: u16) -> Option<Self> {
        if !tools::available(&["tmux"]) {
            return None;
        }
        let shell = Self { home: tempfile::tempdir().expect("a home") };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let opened = shell.tmux(&[
            "new-session",
            "-d",
            "-x",
            &columns,
            "-y",
            &rows,
            // The screen remembers things in its home.
            &format!(
                "env -i HOME={} PATH=$PATH TERM=$TERM TZ=UTC PS1='$ ' sh -i",
                shell.home.path().display()
            ),
        ]);
        assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
        Some(shell)
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let socket = self.home.path().join("tmux");
        let mut command = Command::new("tmux");
        command
            .arg("-f")
            .arg("/dev/null")
            .arg("-S")
            .arg(socket)
            .args(arguments)
            .current_dir(self.home.path())
            .env_remove("TMUX");
        command.output().expect("tmux runs")
    }

    fn send(&self, keys: &[&str]) {
        assert!(self.tmux(&[&["send-keys"], keys].concat()).status.success());
    }

    /// Types a line and presses Enter.
    fn line(&self, text: &str) {
        self.send(&["-l", text]);
        self.send(&["Enter"]);
    }

    /// Writes a program into a directory that comes first in `PATH`.
    fn program(&self, name: &str, script: &str) {
        let directory = self.home.path().join("bin");
        std::fs::create_dir_all(&directory).expect("a directory is made");
        let path = directory.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a program is written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("it can be run");
        self.line("PATH=$PWD/bin:$PATH");
    }

    fn contents(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p"]).stdout).into_owned()
    }

    /// Returns the state of the terminal as `cursor alternate-screen mouse`, each 0 or 1.
    fn modes(&self) -> String {
        let format = "#{cursor_flag} #{alternate_on} #{mouse_any_flag}";
        String::from_utf8_lossy(&self.tmux(&["display-message", "-p", format]).stdout)
            .trim()
            .to_owned()
    }

    #[track_caller]
    fn wait(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !condition(self) {
            assert!(
                began.elapsed() < HANG,
                "no {what}; seen:\n{}\nmodes: {}",
                self.contents(),
                self.modes()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    fn wait_for(&self, text: &str) {
        self.wait(text, |shell| shell.contents().contains(text));
    }

    /// Starts evtap, waits for its screen, and shows the stream, whatever comes first.
    fn start(&self, rest: &str) {
        self.open_screen(rest);
        self.send(&["1"]);
    }

    /// Starts evtap and waits for its screen.
    fn open_screen(&self, rest: &str) {
        let binary = env!("CARGO_BIN_EXE_evtap");
        self.line(&format!("sh -c 'echo $$ > pid; exec {binary} {rest}'; echo status $?"));
        self.wait_for("REDACTED");
        self.wait("screen", |shell| shell.modes() == "0 1 1");
    }

    fn kill(&self, signal: &str) {
        let pid =
            std::fs::read_to_string(self.home.path().join("pid")).expect("the process has an id");
        support::kill(pid.trim().parse().expect("a number"), signal);
    }

    /// Asserts that the terminal is as a shell needs it.
    #[track_caller]
    fn assert_restored(&self) {
        self.wait("cursor and first screen", |shell| shell.modes() == "1 0 0");
        let listed = format!("listed {}", TIMES.fetch_add(1, Ordering::Relaxed));
        self.line(&format!(
            "clear; stty -a | tr ' ;' '\\n\\n' | grep -xE -e '-?(echo|icanon|isig)'; echo {listed}"
        ));
        self.wait("modes of the line", |shell| shell.contents().lines().any(|line| line == listed));
        let seen = self.contents();
        let modes: Vec<_> = seen
            .lines()
            .filter(|line| ["echo", "icanon", "isig", "-echo", "-icanon", "-isig"].contains(line))
            .collect();
        assert!(modes.len() == 3 && modes.iter().all(|mode| !mode.starts_with('-')), "{seen}");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

const DEMO: &str = "watch --workspace demo --tui --demo-rate 100";

#[test]
fn starts_filters_resizes_and_quits() {
    let Some(shell) = Shell::open(80, 24) else { return };
    shell.start(DEMO);
    shell.wait_for("● live");
    shell.send(&["?"]);
    shell.wait_for("Esc closes)");
    shell.send(&["Escape"]);
    shell.wait("end of the help", |shell| !shell.contents().contains("Esc closes)"));
    shell.send(&["f"]);
    shell.send(&["-l", ".event_type == \"call.started\""]);
    shell.wait_for(" match");
    shell.send(&["Enter"]);
    shell.wait("filtered list", |shell| {
        let seen = shell.contents();
        let rows: Vec<_> = seen.lines().skip(2).take(3).collect();
        rows.iter().all(|row| row.contains("call.started"))
    });
    shell.tmux(&["resize-window", "-x", "40", "-y", "10"]);
    shell.wait("smaller screen", |shell| {
        shell.contents().lines().nth(9).is_some_and(|line| line.trim_end().ends_with("q quit"))
    });
    shell.send(&["q"]);
    shell.wait_for("status 0");
    assert!(
        shell.contents().contains("filtered out") || shell.contents().contains("events"),
        "{}",
        shell.contents()
    );
    shell.assert_restored();
}

#[test]
fn suspending_restores_the_terminal() {
    let Some(shell) = Shell::open(80, 24) else { return };
    shell.start(DEMO);
    for stop in [None, Some("TSTP")] {
        match stop {
            None => shell.send(&["C-z"]),
            Some(signal) => shell.kill(signal),
        }
        shell.assert_restored();
        shell.line("fg");
        shell.wait("screen", |shell| shell.modes() == "0 1 1");
        shell.wait_for("REDACTED");
    }
    shell.send(&["q"]);
    shell.wait("end", |shell| shell.modes() == "1 0 0");
}

#[test]
fn redraws_after_sigstop() {
    let Some(shell) = Shell::open(80, 24) else { return };
    shell.start(DEMO);
    shell.kill("STOP");
    // The shell writes where the cursor was left, so a line may end within the word.
    shell.wait("Stopped", |shell| shell.contents().replace('\n', "").contains("Stopped"));
    // A shell or another program may change the terminal meanwhile.
    shell.send(&["-l", "stty sane; clear; tput rmcup; echo mine"]);
    // The terminal is still in raw mode, so Enter does not send a line end.
    shell.send(&["C-j"]);
    shell.wait("the shell's screen", |shell| shell.modes().contains(" 0 "));
    shell.line("fg");
    shell.wait("screen", |shell| shell.modes() == "0 1 1");
    shell.wait_for("REDACTED");
    shell.send(&["?"]);
    shell.wait_for("Esc closes)");
    shell.send(&["q"]);
    shell.wait("end of the help", |shell| !shell.contents().contains("Esc closes)"));
    shell.send(&["q"]);
    shell.assert_restored();
}

#[test]
fn copies_redacted_text_to_both_clipboards() {
    let Some(shell) = Shell::open(100, 30) else { return };
    shell.tmux(&["set", "-s", "set-clipboard", "on"]);
    let line = r#"{"event_type":"call.started","call_sid":"CA00000000000000000000000000000001","caller_id":"+13035550161"}"#;
    std::fs::write(shell.home.path().join("day.ndjson"), format!("{line}\n"))
        .expect("a file is written");
    // One clipboard tool works, and the other has no display to talk to.
    shell.program("wl-copy", "cat > wrong");
    shell.program("xclip", "echo \"$*\" > arguments; cat > copied");
    shell.line("export DISPLAY=:0");
    shell.start("replay day.ndjson --tui");
    shell.wait_for("call.started");
    shell.send(&["y"]);
    shell.wait_for("copied with xclip and OSC 52");
    let read = |name: &str| std::fs::read_to_string(shell.home.path().join(name)).ok();
    let copied = read("copied").expect("the tool was run");
    assert!(
        copied.contains(r#""caller_id":"[redacted]""#) && !copied.contains("+13035550161"),
        "{copied}"
    );
    assert_eq!(
        (read("arguments").as_deref(), read("wrong")),
        (Some("-selection clipboard\n"), None)
    );
    assert_eq!(String::from_utf8_lossy(&shell.tmux(&["show-buffer"]).stdout), copied);
    shell.send(&["q"]);
    shell.wait_for("status 0");
}

#[test]
fn limits_end_the_stream_but_not_the_screen() {
    let Some(shell) = Shell::open(100, 30) else { return };
    shell.start(&format!("{DEMO} -n 20 --record day.ndjson"));
    shell.wait_for("■ ended");
    shell.wait_for("20 events");
    let recorded =
        std::fs::read_to_string(shell.home.path().join("day.ndjson")).expect("it was recorded");
    assert_eq!(recorded.lines().count(), 20);
    shell.send(&["q"]);
    shell.wait_for("status 0");
    shell.line("clear; rm day.ndjson");
    shell.start(&format!("{DEMO} --fail-if \".event_type == \\\"call.started\\\"\""));
    shell.wait_for("■ ended");
    shell.send(&["q"]);
    shell.wait_for("status 7");
    shell.line("clear");
    shell.start(&format!("{DEMO} --duration 1s --until \".event_type == \\\"call.ended\\\" and .duration_seconds < 0\""));
    shell.wait_for("■ ended");
    shell.send(&["q"]);
    shell.wait_for("status 7");
    shell.assert_restored();
}

#[test]
fn a_recording_stays_on_the_screen_after_its_end() {
    let Some(shell) = Shell::open(100, 30) else { return };
    let line = r#"{"event_type":"call.started","call_sid":"CA00000000000000000000000000000001","caller_id":"+13035550161"}"#;
    std::fs::write(shell.home.path().join("day.ndjson"), format!("{line}\n").repeat(300))
        .expect("a file is written");
    shell.start("replay day.ndjson --tui");
    shell.wait_for("■ ended");
    shell.wait_for("300 events");
    assert!(!shell.contents().contains("+13035550161"));
    shell.send(&["s", "C-u"]);
    shell.send(&["-l", "kept.ndjson"]);
    shell.send(&["Enter"]);
    shell.wait_for("saved 300 events");
    let saved = shell.home.path().join("kept.ndjson");
    let text = std::fs::read_to_string(&saved).expect("it was saved");
    assert!(
        text.lines().count() == 300
            && !text.contains("+13035550161")
            && text.contains("[redacted]")
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&saved).expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    shell.send(&["q"]);
    shell.wait_for("status 0");
}

#[test]
fn a_recording_in_a_pipe_leaves_the_keys_to_the_terminal() {
    let Some(shell) = Shell::open(100, 30) else { return };
    let line = r#"{"event_type":"call.started","call_sid":"CA00000000000000000000000000000001","caller_id":"+13035550161"}"#;
    std::fs::write(shell.home.path().join("day.ndjson"), format!("{line}\n").repeat(300))
        .expect("a file is written");
    let binary = env!("CARGO_BIN_EXE_evtap");
    shell.line(&format!(
        "gzip day.ndjson; zcat day.ndjson.gz | {binary} replay - --tui; echo status $?"
    ));
    shell.wait("screen", |shell| shell.modes() == "0 1 1");
    shell.wait_for("300 events");
    shell.wait_for("■ ended");
    shell.send(&["k", "k"]);
    shell.wait_for("2 below");
    shell.tmux(&["resize-window", "-x", "60", "-y", "20"]);
    shell.wait("smaller screen", |shell| {
        shell.contents().lines().nth(19).is_some_and(|line| line.trim_end().ends_with("q quit"))
    });
    shell.send(&["q"]);
    shell.wait_for("status 0");
    shell.assert_restored();
}

#[tokio::test]
async fn stdout_must_be_a_terminal() {
    let ran = evtap("watch --workspace demo --tui").run().await;
    ran.ended(2);
    assert!(
        ran.stderr().contains("cannot show the live screen: stdout is not a terminal; omit --tui"),
        "{}",
        ran.stderr()
    );
}

#[test]
fn a_dumb_terminal_is_refused() {
    let Some(shell) = Shell::open(100, 30) else { return };
    shell.line(&format!("TERM=dumb {} {DEMO}; echo status $?", env!("CARGO_BIN_EXE_evtap")));
    shell.wait_for("status 2");
    assert!(shell.contents().contains("cannot move its cursor"), "{}", shell.contents());
}
