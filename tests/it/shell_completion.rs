//! Shell completion in the shells themselves: types a line on a terminal, presses Tab, and checks
//! the line that the shell runs.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{pseudo_terminal, tools};

/// Time after which a shell is considered hung. No test waits this long when all is well.
const HANG: Duration = Duration::from_secs(90);

/// The prompt, which shows that a shell is ready.
const PROMPT: &str = "ready> ";

/// A shell on a terminal. Its `evtap` is a script that answers completion requests and otherwise
/// prints its arguments.
struct Shell {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    _home: TempDir,
}

impl Shell {
    /// Starts a shell with a configuration at a place in its home. `$COMPLETIONS` in it is
    /// `completions/`.
    fn start(line: &[&str], config: &str, at: &str) -> Self {
        let home = TempDir::new().expect("a home");
        let file = home.path().join(at);
        std::fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
        std::fs::write(file, config).expect("a configuration");
        std::fs::write(home.path().join("a recording.ndjson"), "").expect("a file");
        let program = format!(
            "#!/bin/sh\n[ \"$1\" = __complete ] && exec {} \"$@\"\nprintf 'called'; printf '<%s>' \"$@\"; echo .\n",
            env!("CARGO_BIN_EXE_evtap")
        );
        std::fs::create_dir(home.path().join("bin")).expect("a directory");
        let evtap = home.path().join("bin/evtap");
        std::fs::write(&evtap, program).expect("a program");
        std::fs::set_permissions(evtap, std::fs::Permissions::from_mode(0o755))
            .expect("it is ours");

        let (mut output, slave) = pseudo_terminal(120);
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let paths =
            std::iter::once(home.path().join("bin")).chain(std::env::split_paths(&inherited));
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", "--wait"])
            .args(line)
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path());
        command.env("PATH", std::env::join_paths(paths).expect("paths")).env("LC_ALL", "C.UTF-8");
        command
            .env("COMPLETIONS", Path::new(env!("CARGO_MANIFEST_DIR")).join("completions"))
            .env("TERM", "xterm");
        command
            .stdin(slave.try_clone().expect("a copy"))
            .stdout(slave.try_clone().expect("a copy"))
            .stderr(slave);
        let child = command.spawn().expect("setsid runs");
        drop(command);
        let (tx, screen) = channel();
        let keys = output.try_clone().expect("a copy");
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut chunk) {
                if tx.send(chunk[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut shell = Self { child, keys, screen, seen: String::new(), _home: home };
        shell.wait_for(PROMPT);
        shell
    }

    /// Reads until the text is on the screen. Returns what came before it.
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            if let Some((before, after)) = self.seen.split_once(text) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.seen = after;
                return before;
            }
            let chunk = self.screen.recv_timeout(HANG);
            let chunk = chunk.unwrap_or_else(|_| panic!("no {text:?} but {:?}", self.seen));
            self.seen += &String::from_utf8_lossy(&chunk);
        }
    }

    /// Types a line with Tab characters in it. Returns the arguments that `evtap` was run with.
    fn run(&mut self, line: &str) -> String {
        self.keys.write_all(format!("{line}\r").as_bytes()).expect("it reads");
        self.wait_for("called<");
        let arguments = self.wait_for(">.");
        self.wait_for(PROMPT);
        arguments
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Closing the terminal ends a shell, but this does so for certain.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asserts the completions that every shell must offer.
#[track_caller]
fn assert_completes(shell: &mut Shell) {
    for (typed, called) in [
        ("evtap wat\t--no-ch\t", "watch><--no-check"),
        ("evtap watch --event call.st\t", "watch><--event><call.started"),
        ("evtap watch --event=call.st\t", "watch><--event=call.started"),
        ("evtap watch -e call.e\ts\t", "watch><-e><call.escalated"),
        ("evtap watch -e tap.\\*\t", "watch><-e><tap.*"),
        ("evtap watch --reveal caller\t", "watch><--reveal><caller_id"),
        ("evtap watch --redact call.started.dir\t", "watch><--redact><call.started.direction"),
        ("evtap watch --fields event_type,_tap.ti\t", "watch><--fields><event_type,_tap.time"),
        ("evtap watch --phi h\t-n 3", "watch><--phi><hash><-n><3"),
        ("evtap watch --since 10:0\t", "watch><--since><10:0"),
        ("evtap schema call.st\t--js\t", "schema><call.started><--json"),
        ("evtap generate completions f\t", "generate><completions><fish"),
        ("evtap replay a\\ rec\t", "replay><a recording.ndjson"),
        ("evtap watch --record=a\\ rec\t", "watch><--record=a recording.ndjson"),
    ] {
        assert_eq!(shell.run(typed), called, "{typed:?}");
    }
}

#[test]
fn bash_completes() {
    if !tools::available(&["bash", "setsid"]) {
        return;
    }
    let config = format!(
        "PS1='{PROMPT}'; bind 'set enable-bracketed-paste off'; . \"$COMPLETIONS/evtap.bash\"\n"
    );
    assert_completes(&mut Shell::start(
        &["bash", "--noprofile", "--rcfile", "rc", "-i"],
        &config,
        "rc",
    ));
}

#[test]
fn zsh_completes() {
    if !tools::available(&["zsh", "setsid"]) {
        return;
    }
    let config = format!(
        "PS1='{PROMPT}'; fpath=($COMPLETIONS $fpath); autoload -Uz compinit; compinit -u -D\n"
    );
    assert_completes(&mut Shell::start(&["zsh", "-d", "-i"], &config, ".zshrc"));
}

#[test]
fn fish_completes() {
    if !tools::available(&["fish", "setsid"]) {
        return;
    }
    let config =
        format!("function fish_prompt; printf '{PROMPT}'; end\nsource $COMPLETIONS/evtap.fish\n");
    let mut shell = Shell::start(&["fish", "-i"], &config, ".config/fish/config.fish");
    assert_completes(&mut shell);
}
