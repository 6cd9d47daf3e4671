//! Counts the instructions of each job with callgrind and compares them with a baseline.
//!
//! Unlike times, counts hardly depend on the machine and not on its load, so that a check can fail
//! on a small change for the worse. They do depend on the compiler, hence a baseline for each
//! version.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use super::data::{Data, DataKind, Input};
use super::process::Job;
use super::rows::{Row, Tool, rows};

/// The size of the recordings in bytes. The job is counted for one copy and for two, so that the
/// difference is what a byte costs after start and learning.
const SIZE: usize = 500_000;

/// The largest increase that is accepted, as a factor.
const TOLERANCE: f64 = 1.05;

/// How often a job is counted before it fails. A thread that is late makes the reader allocate and
/// clear another buffer, which changes a count by a few per cent.
const ATTEMPTS: usize = 4;

/// Instructions per byte, by the name of the job. Those of a recording of one size are in total.
pub type Counts = BTreeMap<String, f64>;

/// Counts the instructions, and compares them with the baseline or saves them as the baseline.
/// Returns a report, and what went wrong.
pub fn report(bin: Option<&Path>, dir: &Path, saves: bool) -> (String, Vec<String>) {
    let release = bin.map_or_else(build, Path::to_owned);
    let jobs = jobs(&release, dir);
    let mut counts = count(&jobs, &release);
    let version = compiler();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("benches/instructions")
        .join(format!("{}.txt", version.replace(' ', "-")));
    if saves {
        fs::create_dir_all(path.parent().expect("a directory")).expect("it is ours");
        fs::write(&path, format(&counts)).expect("it is ours");
        return (format!("wrote {}\n", path.display()), Vec::new());
    }
    let Ok(baseline) = fs::read_to_string(&path) else {
        return (format!("no baseline for {version}\n\n{}", format(&counts)), Vec::new());
    };
    let baseline = parse(&baseline);
    for _ in 1..ATTEMPTS {
        let again: Vec<Counted> =
            jobs.iter().filter(|job| exceeds(&counts, &baseline, &job.name)).cloned().collect();
        for (name, count) in count(&again, &release) {
            let least = counts.entry(name).or_insert(count);
            *least = least.min(count);
        }
    }
    compare(&counts, &baseline)
}

/// Returns whether a job executes more instructions than is accepted.
fn exceeds(counts: &Counts, baseline: &Counts, name: &str) -> bool {
    let [count, before] = [counts, baseline].map(|counts| counts.get(name));
    count.zip(before).is_some_and(|(count, before)| *count > before * TOLERANCE)
}

/// Builds the command as users get it and returns its path.
fn build() -> PathBuf {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--locked", "--bin", "evtap", "--message-format", "json"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "the command does not build");
    let messages = String::from_utf8(output.stdout).expect("text");
    let executable = messages.lines().find_map(|message| {
        let message: serde_json::Value = serde_json::from_str(message).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    executable.expect("an executable")
}

/// Returns the version and the processor that the compiler builds for, such as `1.95.0 x86_64`.
fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_whitespace().nth(1).unwrap_or("unknown");
    format!("{version} {}", std::env::consts::ARCH)
}

/// A recording, and one that begins with it and is about twice as long.
struct Recordings {
    once: Data,
    twice: Data,
}

impl Recordings {
    fn generate(kind: DataKind, evtap: &Path, dir: &Path) -> Self {
        let [once, twice] = [1, 2].map(|times| {
            let dir = dir.join(format!("{}-{times}", kind.name()));
            fs::create_dir(&dir).expect("a directory");
            Data::generate(kind, times * SIZE, evtap, &dir)
        });
        Self { once, twice }
    }
}

/// A job and what it reads.
#[derive(Clone)]
struct Counted {
    name: String,
    row: Row,
    input: Input,
    data: Arc<Recordings>,
    /// Whether the count is in total and not per byte.
    in_total: bool,
}

/// Returns the jobs: each with a varied recording, and some with others.
fn jobs(evtap: &Path, dir: &Path) -> Vec<Counted> {
    let [varied, wild] = [DataKind::Varied, DataKind::Wild]
        .map(|kind| Arc::new(Recordings::generate(kind, evtap, dir)));
    let mut jobs = Vec::new();
    for row in rows().into_iter().filter(|row| row.tool == Tool::Evtap && row.is_stage()) {
        let job = |name: String, data: &Arc<Recordings>| Counted {
            name,
            row: row.clone(),
            input: row.input,
            data: data.clone(),
            in_total: false,
        };
        if ["ndjson", "json"].contains(&row.name) {
            jobs.push(job(format!("{}, wild", row.name), &wild));
        }
        if row.name == "ndjson" {
            let half = job("ndjson, half a megabyte".to_owned(), &varied);
            let line = job("ndjson, one line".to_owned(), &varied);
            jobs.push(Counted { in_total: true, ..half });
            jobs.push(Counted { in_total: true, input: Input::First, ..line });
        }
        jobs.push(job(row.name.to_owned(), &varied));
    }
    // Without gzip or zstd there is no such recording.
    jobs.retain(|job| job.data.once.size_on_disk(job.row.input) > 0);
    jobs
}

fn count(jobs: &[Counted], evtap: &Path) -> Counts {
    let counts = Mutex::new(Counts::new());
    let next = Mutex::new(jobs.iter());
    std::thread::scope(|scope| {
        for worker in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let (next, counts) = (&next, &counts);
            scope.spawn(move || {
                loop {
                    let job = next.lock().expect("a lock").next();
                    let Some(job) = job else { break };
                    let count = job.count(evtap, worker);
                    counts.lock().expect("a lock").insert(job.name.clone(), count);
                }
            });
        }
    });
    counts.into_inner().expect("a lock")
}

impl Counted {
    fn count(&self, evtap: &Path, worker: usize) -> f64 {
        let run = |data| callgrind(&self.row, self.input, evtap, data, worker) as f64;
        let Recordings { once, twice } = &*self.data;
        if self.in_total {
            return run(once);
        }
        let bytes = twice.size(self.input) - once.size(self.input);
        (run(twice) - run(once)).max(0.0) / bytes as f64
    }
}

/// Returns how many instructions a job executes.
fn callgrind(row: &Row, input: Input, evtap: &Path, data: &Data, worker: usize) -> u64 {
    let log = data.path_of(&format!("callgrind-{worker}"));
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(format!("--log-file={}", log.display()));
    Job::on_one_thread(row, input, evtap, data, worker).run_by(command);
    let text = fs::read_to_string(&log).expect("valgrind's log");
    let count = text.lines().find_map(|line| line.split_once("Collected :"));
    count.and_then(|(_, count)| count.trim().parse().ok()).expect("a count")
}

/// Compares the counts with the baseline.
pub fn compare(counts: &Counts, baseline: &Counts) -> (String, Vec<String>) {
    let (mut report, mut failures) = (String::new(), Vec::new());
    for (name, count) in counts {
        let Some(before) = baseline.get(name) else {
            failures.push(format!("{name}: not in the baseline; {SAVE}"));
            continue;
        };
        let change = count / before;
        let _ = writeln!(
            report,
            "{name:24}{:>12}{:>12}{:+8.1} %",
            number(*before),
            number(*count),
            (change - 1.0) * 100.0
        );
        if exceeds(counts, baseline, name) {
            failures.push(format!(
                "{name}: {:.1} % more instructions; if that is intended, {SAVE}",
                (change - 1.0) * 100.0
            ));
        }
    }
    for name in baseline.keys().filter(|name| !counts.contains_key(*name)) {
        failures.push(format!("{name}: in the baseline, but not measured"));
    }
    if counts
        .iter()
        .any(|(name, count)| baseline.get(name).is_some_and(|before| count * TOLERANCE < *before))
    {
        let _ = writeln!(report, "Some jobs need fewer instructions than before: {SAVE}.");
    }
    (report, failures)
}

const SAVE: &str = "run `cargo bench --profile dev --bench compare -- instructions --save`";

/// Returns the text of a baseline.
pub fn format(counts: &Counts) -> String {
    let mut text = String::from(
        "# Instructions per byte, or in total for an input of one size. To write this file:\n\
         # cargo bench --profile dev --bench compare -- instructions --save\n",
    );
    for (name, count) in counts {
        let _ = writeln!(text, "{name:24}{:>12}", number(*count));
    }
    text
}

pub fn parse(baseline: &str) -> Counts {
    let lines = baseline.lines().filter(|line| !line.starts_with('#'));
    let parts = lines.filter_map(|line| line.rsplit_once(' '));
    let entries =
        parts.filter_map(|(name, count)| Some((name.trim().to_owned(), count.parse().ok()?)));
    entries.collect()
}

/// Formats with as many digits as a count has that do not vary.
fn number(count: f64) -> String {
    if count < 1000.0 { format!("{count:.2}") } else { format!("{count:.0}") }
}
