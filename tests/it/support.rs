//! Runs the real binary in isolation: in a home directory of its own, with no environment but what
//! a test sets, and against servers on loopback ports.
//!
//! The servers are the emulator, scripted answers over HTTP, a WebSocket server and an endpoint for
//! `--forward`.

mod servers;
pub mod tools;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use evtap::emulator::{self, DEMO_WORKSPACE, Options};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

pub use self::servers::{
    Post, Posts, STREAM, bodies, closed_port, curl, emulator, endpoint, read_head, scripted,
    status, websocket_server,
};

/// The API key that tests connect with. It must not occur in any output.
pub const KEY: &str = "canary-key-7f3a9c";
/// Time after which the binary is considered hung. No test waits this long when all is well.
pub const HANG: Duration = Duration::from_secs(90);

/// An invocation of the binary that has not started yet.
pub struct Evtap {
    command: Command,
    stdin: Vec<u8>,
    stdin_stays_open: bool,
    home: TempDir,
}

/// Prepares `evtap` with arguments that are separated by white space.
pub fn evtap(line: &str) -> Evtap {
    let home = tempfile::tempdir().expect("a home");
    let mut command = Command::new(env!("CARGO_BIN_EXE_evtap"));
    command.args(line.split_whitespace()).env_clear().current_dir(home.path()).kill_on_drop(true);
    command
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path().join("config"))
        .env("TZ", "UTC");
    Evtap { command, stdin: Vec::new(), stdin_stays_open: false, home }
}

/// Prepares a line of shell script in a directory, where `evtap` is the binary under test.
/// [`tools::available_for`] checks whether the other programs of the line are installed.
pub fn bash(dir: &Path, line: &str) -> std::process::Command {
    let program = Path::new(env!("CARGO_BIN_EXE_evtap")).parent().expect("a directory");
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(program.to_owned()).chain(std::env::split_paths(&inherited));
    let mut command = std::process::Command::new("bash");
    command.args(["-o", "pipefail", "-c", line]).current_dir(dir).env_clear().env("HOME", dir);
    command.env("PATH", std::env::join_paths(paths).expect("paths"));
    command
}

/// Opens a pseudo-terminal with 50 rows. Returns the master, which reads the screen and types, and
/// the slave, which a program gets.
pub fn pseudo_terminal(columns: u16) -> (File, File) {
    // Processes that other tests start must not inherit an end of it.
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    #[cfg(target_os = "linux")]
    let flags = flags | OpenptFlags::CLOEXEC;
    let master = openpt(flags).expect("a pseudo-terminal");
    #[cfg(not(target_os = "linux"))]
    rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC).expect("it is ours");
    grantpt(&master).expect("it is ours");
    unlockpt(&master).expect("it is ours");
    let name = ptsname(&master, Vec::new()).expect("it has a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = File::from(rustix::fs::open(name, flags, Mode::empty()).expect("its other end"));
    tcsetwinsize(&master, Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })
        .expect("a size");
    (File::from(master), slave)
}

/// Returns what a terminal receives until every process has closed it.
///
/// Linux may report the end to a read that was waiting while the last bytes arrived. Those bytes are
/// there for the next read, so only a second failure is the end.
pub fn read_terminal(master: &mut File) -> Vec<u8> {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = master.read(&mut chunk) {
            seen.extend_from_slice(&chunk[..read]);
        }
    }
    seen
}

impl Evtap {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the base URL, and [`KEY`] as the API key.
    pub fn at(self, base: &str) -> Self {
        self.env("AMIGO_API_KEY", KEY).env("AMIGO_BASE_URL", base)
    }

    /// Adds an argument that may contain white space.
    pub fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Keeps stdin open after the input has been written.
    pub fn stdin_stays_open(mut self) -> Self {
        self.stdin_stays_open = true;
        self
    }

    /// Creates a directory in its home.
    pub fn directory(self, name: &str) -> Self {
        std::fs::create_dir_all(self.path(name)).expect("a directory is made");
        self
    }

    /// Writes a file into its home, which is also its working directory.
    pub fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.path(name), bytes).expect("a file is written");
        self
    }

    /// Writes its configuration file, with mode 0600.
    pub fn config(self, toml: &str) -> Self {
        self.directory("config/evtap")
            .file("config/evtap/config.toml", toml)
            .mode("config/evtap/config.toml", 0o600)
    }

    /// Sets the permissions of a file in its home.
    pub fn mode(self, name: &str, mode: u32) -> Self {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode))
            .expect("its owner may");
        self
    }

    /// Returns the path of a file in its home.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// Runs it and waits for its end.
    pub async fn run(self) -> RunOutput {
        self.start().end().await
    }

    /// Starts it without waiting.
    pub fn start(mut self) -> Running {
        let (bytes, stays_open) = (std::mem::take(&mut self.stdin), self.stdin_stays_open);
        let (running, mut stdin) = self.start_with_stdin();
        tokio::spawn(async move {
            // A program that reads no input closes the pipe.
            let _ = stdin.write_all(&bytes).await;
            if stays_open {
                std::future::pending::<()>().await;
            }
        });
        running
    }

    /// Starts it without waiting, and returns its stdin too.
    pub fn start_with_stdin(mut self) -> (Running, ChildStdin) {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("evtap starts");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        (Running { child, stdout, stderr, _home: self.home }, stdin)
    }
}

/// A running process of the binary.
pub struct Running {
    pub child: Child,
    pub stdout: BufReader<ChildStdout>,
    pub stderr: BufReader<ChildStderr>,
    _home: TempDir,
}

impl Running {
    /// Reads the next line of stdout.
    pub async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line);
        tokio::time::timeout(HANG, read).await.expect("evtap hangs").expect("a line is read");
        assert!(line.ends_with('\n'), "not a whole line: {line:?}");
        line
    }

    /// Reads the next line of stderr.
    pub async fn status_line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stderr.read_line(&mut line);
        tokio::time::timeout(HANG, read).await.expect("evtap hangs").expect("a line is read");
        line
    }

    /// Sends it a signal such as `INT`.
    pub fn signal(&self, name: &str) {
        kill(self.child.id().expect("it runs"), name);
    }

    /// Waits for its end and collects the rest of its output.
    pub async fn end(mut self) -> RunOutput {
        self.wait().await
    }

    /// Waits for its end like [`end`](Self::end). Also returns what it wrote to a file in its home,
    /// if the file exists.
    pub async fn end_and_read(mut self, path: &Path) -> (RunOutput, Option<Vec<u8>>) {
        (self.wait().await, std::fs::read(path).ok())
    }

    async fn wait(&mut self) -> RunOutput {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let ended = async {
            let (out, err) = tokio::join!(
                self.stdout.read_to_end(&mut stdout),
                self.stderr.read_to_end(&mut stderr)
            );
            out.and(err).expect("pipes are read");
            self.child.wait().await.expect("it ends")
        };
        let status = tokio::time::timeout(HANG, ended).await.expect("evtap hangs");
        RunOutput(Output { status, stdout, stderr })
    }
}

impl Running {
    /// Closes its stdout and waits for its end. Returns its exit status and the rest of stderr.
    pub async fn close_stdout(mut self) -> (i32, String) {
        drop(self.stdout);
        let mut stderr = String::new();
        let ended = async {
            self.stderr.read_to_string(&mut stderr).await.expect("a pipe is read");
            self.child.wait().await.expect("it ends")
        };
        let status = tokio::time::timeout(HANG, ended).await.expect("evtap hangs");
        (status.code().expect("it was not killed"), stderr)
    }

    /// Reads the rest of its stdout.
    pub async fn rest(mut self) -> String {
        let mut rest = Vec::new();
        let read = self.stdout.read_to_end(&mut rest);
        tokio::time::timeout(HANG, read).await.expect("evtap hangs").expect("a pipe is read");
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// Waits for its end without reading its stdout. Returns its exit status and what was left in
    /// the pipe.
    pub async fn wait_without_reading(mut self) -> (i32, Vec<u8>) {
        let status = tokio::time::timeout(HANG, self.child.wait())
            .await
            .expect("evtap hangs")
            .expect("it ends");
        let mut rest = Vec::new();
        self.stdout.read_to_end(&mut rest).await.expect("a pipe is read");
        (status.code().expect("it was not killed"), rest)
    }
}

/// Sends a process a signal such as `INT`. Not every machine has the `kill` program.
pub fn kill(pid: u32, signal: &str) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match signal {
        "CONT" => Signal::CONT,
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "KILL" => Signal::KILL,
        "STOP" => Signal::STOP,
        "TERM" => Signal::TERM,
        "TSTP" => Signal::TSTP,
        _ => unreachable!("no test sends {signal}"),
    };
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("the id of a process");
    kill_process(pid, signal).expect("it is ours");
}

/// The output and exit status of a finished run.
pub struct RunOutput(Output);

impl RunOutput {
    /// Removes every copy of an argument, which messages may quote.
    pub fn without_argument(ran: &Self, typed: &str) -> Self {
        let cut = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(typed, "").into_bytes();
        Self(Output {
            status: ran.0.status,
            stdout: cut(&ran.0.stdout),
            stderr: cut(&ran.0.stderr),
        })
    }

    pub fn status(&self) -> i32 {
        self.0.status.code().expect("it was not killed")
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).expect("stdout is UTF-8")
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).expect("stderr is UTF-8")
    }

    /// Returns stdout followed by stderr.
    pub fn all(&self) -> String {
        self.stdout() + &self.stderr()
    }

    /// Asserts the exit status, and that neither stream contains [`KEY`]. Returns stdout.
    #[track_caller]
    pub fn ended(&self, status: i32) -> String {
        assert_eq!(self.status(), status, "stderr: {}", self.stderr());
        assert!(!self.all().contains(KEY), "the key is shown: {}", self.all());
        self.stdout()
    }
}

/// Parses NDJSON.
#[track_caller]
pub fn events(ndjson: &str) -> Vec<Value> {
    assert!(ndjson.is_empty() || ndjson.ends_with('\n'), "the last line is not whole");
    ndjson
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

/// Returns the event types in NDJSON.
#[track_caller]
pub fn types(ndjson: &str) -> Vec<String> {
    events(ndjson)
        .iter()
        .map(|event| event["event_type"].as_str().expect("a type").to_owned())
        .collect()
}

/// Returns emulator options with many events per second.
pub fn fast() -> Options {
    Options { rate: 2000.0, seed: 1, ..Options::default() }
}

/// Prepares `evtap watch` of the demo workspace at `base`.
pub fn watch(base: &str, rest: &str) -> Evtap {
    evtap(&format!("watch --workspace {DEMO_WORKSPACE} {rest}")).at(base)
}

/// Prepares `evtap observe` of the demo call at `base`.
pub fn observe(base: &str, rest: &str) -> Evtap {
    evtap(&format!("observe --workspace {DEMO_WORKSPACE} --call {} {rest}", emulator::DEMO_CALL))
        .at(base)
}
