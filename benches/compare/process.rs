//! Runs the tools.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::data::{Data, Input};
use super::rows::{Row, Tool};

/// Executes a statement once and prints how many seconds it took.
const DUCKDB: &str = "\
import duckdb, sys, time
connection = duckdb.connect()
began = time.perf_counter()
connection.execute(sys.argv[1]).fetchall()
print(time.perf_counter() - began)
";

/// Returns the version of a tool; `None` if it is not installed.
pub fn version(tool: Tool) -> Option<String> {
    let mut command = match tool {
        Tool::Evtap => return Some(String::new()),
        Tool::Program(program) => Command::new(program),
        Tool::DuckDb => Command::new("python3"),
    };
    match tool {
        Tool::DuckDb => command.args(["-c", "import duckdb; print('DuckDB', duckdb.__version__)"]),
        _ => command.arg("--version"),
    };
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().trim_matches(['*', ' ']);
    output.status.success().then(|| line.to_owned())
}

/// The command of a row, ready to run.
pub struct Job<'a> {
    row: &'a Row,
    program: PathBuf,
    args: Vec<String>,
    out: PathBuf,
    record: PathBuf,
}

impl<'a> Job<'a> {
    /// Prepares a row for the file that it reads.
    pub fn new(row: &'a Row, evtap: &Path, data: &Data) -> Self {
        Self::with_args(row, &row.args, row.input, evtap, data)
    }

    /// Prepares what a row prints about a part of the recording, for a comparison.
    pub fn for_answer(row: &'a Row, input: Input, evtap: &Path, data: &Data) -> Self {
        let args = row.answer_args.as_ref().unwrap_or(&row.args);
        Self::with_args(row, args, input, evtap, data)
    }

    /// Prepares a row for one thread, where the command has workers, with files for output of its
    /// own.
    pub fn on_one_thread(
        row: &'a Row,
        input: Input,
        evtap: &Path,
        data: &Data,
        worker: usize,
    ) -> Self {
        let mut job = Self::with_args(row, &row.args, input, evtap, data);
        job.out = data.path_of(&format!("out-{worker}"));
        let record = data.path_of(&format!("record-{worker}.ndjson"));
        let old = std::mem::replace(&mut job.record, record);
        for arg in job.args.iter_mut().filter(|arg| **arg == old.to_string_lossy()) {
            *arg = job.record.to_string_lossy().into_owned();
        }
        let help = Command::new(evtap).args(["help", row.args[0]]).output().expect("it runs");
        if String::from_utf8_lossy(&help.stdout).contains("--threads") {
            job.args.extend(["--threads", "1"].map(str::to_owned));
        }
        job
    }

    fn with_args(row: &'a Row, args: &[&str], input: Input, evtap: &Path, data: &Data) -> Self {
        let (out, record) = (data.out(), data.path_of("record.ndjson"));
        let names = [
            ("FILE", data.path(input)),
            ("KEY", data.path_of("key")),
            ("RECORD", record.clone()),
            ("OUT", out.clone()),
            ("CALL", data.call.clone().into()),
        ];
        let fill = |arg: &&str| {
            names.iter().fold((*arg).to_owned(), |arg, (name, value)| {
                arg.replace(name, &value.to_string_lossy())
            })
        };
        let program = match row.tool {
            Tool::Evtap => evtap.to_owned(),
            Tool::Program(program) => program.into(),
            Tool::DuckDb => "python3".into(),
        };
        let script = (row.tool == Tool::DuckDb).then(|| ["-c".to_owned(), DUCKDB.to_owned()]);
        let args = script.into_iter().flatten().chain(args.iter().map(fill)).collect();
        Self { row, program, args, out, record }
    }

    /// Runs it and returns how long it took. Its output is left in the file for output.
    pub fn run(&self) -> Duration {
        let mut command = self.command();
        let began = Instant::now();
        let output = command.output().expect("it runs");
        let took = began.elapsed();
        self.assert_success(output.status.code());
        if self.row.tool != Tool::DuckDb {
            return took;
        }
        let seconds = String::from_utf8_lossy(&output.stdout);
        Duration::from_secs_f64(seconds.trim().parse().expect("seconds"))
    }

    /// Runs it once by another program, in an environment that is always the same.
    pub fn run_by(&self, mut command: Command) {
        let _ = fs::remove_file(&self.record);
        command.arg(&self.program).args(&self.args).env_clear().env("TZ", "UTC");
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdout(File::create(&self.out).expect("a file")).stderr(Stdio::null());
        self.assert_success(command.status().expect("it runs").code());
    }

    /// Runs it until the runs took `at_least` together, and returns the mean.
    pub fn run_repeatedly(&self, at_least: Duration) -> Duration {
        let (mut total, mut runs) = (Duration::ZERO, 0);
        while runs == 0 || total < at_least {
            total += self.run();
            runs += 1;
        }
        total / runs
    }

    /// Returns the output.
    pub fn output(&self) -> Vec<u8> {
        self.run();
        fs::read(&self.out).expect("it is there")
    }

    /// Returns the peak memory of a run in KiB, as far as polling can tell.
    pub fn peak_memory(&self) -> u64 {
        let mut child = self.command().spawn().expect("it runs");
        let mut most = 0;
        let status = loop {
            most = most.max(memory(child.id()));
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        self.assert_success(status.code());
        most
    }

    fn assert_success(&self, status: Option<i32>) {
        let is_success = status.is_some_and(|status| self.row.status.contains(&status));
        assert!(is_success, "{} ended with {status:?}", self.row.command_line());
    }

    fn command(&self) -> Command {
        // A record is appended to.
        let _ = fs::remove_file(&self.record);
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null()).stderr(Stdio::null());
        match self.row.tool {
            Tool::DuckDb => command.stdout(Stdio::piped()),
            _ => command.stdout(File::create(&self.out).expect("a file")),
        };
        command
    }
}

/// Returns the peak memory of a running process in KiB.
pub fn memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
