//! Compares evtap with tools for similar work: `jq`, `jaq`, `gojq`, `rg` and `curl`, as far as they
//! are installed.
//!
//! It makes a recording from a seed, checks that all tools give the same answer, and runs them in
//! turn, so that noise affects all of them. It prints the median of several rounds: seconds of wall
//! time, bytes of input per second, and how many times as fast evtap is.
//!
//! `cargo bench --bench compare -- [MEGABYTES [ROUNDS]]`
//!
//! With `growth` before the numbers, it measures how time and memory grow with recordings up to
//! that size instead.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod growth;
mod live;
mod recording;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use evtap::redact::Policy;
use serde_json::Value;

use recording::KINDS;

const EVTAP: &str = env!("CARGO_BIN_EXE_evtap");

/// Largest recording that is kept in memory, in megabytes. Larger ones go to the disk.
const IN_MEMORY: usize = 2000;

/// Tools that do the same jobs.
const PEERS: [&str; 3] = ["jq", "jaq", "gojq"];

const CONDITION: &str = r#".event_type == "call.ended" and .duration_seconds > 60"#;
const ARITHMETIC: &str =
    r#"(.duration_seconds // 0) * 2 > 120 and ((.call_sid // "") | length) == 34"#;
const SEARCH: &str = r#"(.transcript // "") | ascii_downcase | test("friday")"#;
const OBJECTS: &str = r#"{event_type, state, words: (.transcript | split(" ") | length)}"#;

/// The command line of a tool for a job, without the recording, which comes last.
struct Call {
    tool: &'static str,
    args: Vec<String>,
}

/// Does something once and returns how long it took.
type Timed<'a> = Box<dyn Fn() -> Duration + 'a>;

/// A name, the size of the input in bytes, and what to time.
type Run<'a> = (&'a str, u64, Timed<'a>);

struct Job {
    name: &'static str,
    calls: Vec<Call>,
}

fn main() {
    // `cargo bench` adds an option of its own.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_growth = args.iter().any(|arg| arg == "growth");
    let numbers: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let megabytes = numbers.first().copied().unwrap_or(if is_growth { 1000 } else { 100 });
    let rounds = numbers.get(1).copied().unwrap_or(5);
    let memory = Some(Path::new("/dev/shm")).filter(|path| path.is_dir() && megabytes <= IN_MEMORY);
    let base = memory.map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = base.join(format!("evtap-compare-{}", std::process::id()));
    fs::create_dir(&dir).expect("a directory");
    let table = if is_growth {
        growth::table(&dir, megabytes, rounds)
    } else {
        compare(&dir, megabytes, rounds)
    };
    fs::remove_dir_all(&dir).expect("it is ours");
    std::io::stdout().write_all((machine() + &table).as_bytes()).expect("somebody reads");
}

/// Measures all jobs with all tools, and what only evtap does.
fn compare(dir: &Path, megabytes: usize, rounds: usize) -> String {
    let (ndjson, sse, out) = (dir.join("events.ndjson"), dir.join("events.sse"), dir.join("out"));
    recording::both(&ndjson, &sse, megabytes * 1_000_000);
    let jobs = jobs();
    for job in &jobs {
        check(job, &ndjson, &out);
    }
    let mut table = format!("{:22}{:>8}{:>10}{:>9}\n", "job", "s", "MB/s", "evtap");
    let size = |file: &Path| fs::metadata(file).expect("it is there").len();
    for job in &jobs {
        let (ndjson, out) = (&ndjson, &out);
        let timed = |call| Box::new(move || run(call, ndjson, out)) as Timed<'_>;
        let runs: Vec<Run<'_>> =
            job.calls.iter().map(|call| (call.tool, size(ndjson), timed(call))).collect();
        measure(job.name, rounds, &mut table, &runs);
    }
    let (all, stats) = (evtap_call("replay -o ndjson"), evtap_call("stats"));
    let search = Call { tool: "rg", args: strings(&["-F", r#""event_type":"call.ended""#]) };
    let mut runs: Vec<Run<'_>> = vec![
        ("replay", size(&ndjson), Box::new(|| run(&all, &ndjson, &out))),
        ("a copy", size(&ndjson), Box::new(|| copy(&ndjson, &out))),
        ("D stats", size(&ndjson), Box::new(|| run(&stats, &ndjson, &out))),
        ("E a capture of SSE", size(&sse), Box::new(|| run(&all, &sse, &out))),
    ];
    if version(search.tool).is_some() {
        runs.push(("rg, for a type", size(&ndjson), Box::new(|| run(&search, &ndjson, &out))));
    }
    measure("alone", rounds, &mut table, &runs);
    live::measured(dir, rounds, &mut table);
    let peak_memory = peak_memory(&all, &ndjson, &out);
    let _ = writeln!(table, "resident at most, replaying: {:.1} MiB", peak_memory as f64 / 1024.0);
    let mut first: Vec<_> = (0..rounds).map(|_| first_line()).collect();
    let _ = writeln!(
        table,
        "start to the first line of the demo: {:.1} ms",
        median(&mut first).as_secs_f64() * 1e3
    );
    let _ = writeln!(
        table,
        "size of the binary: {:.1} MB",
        fs::metadata(EVTAP).expect("it is there").len() as f64 / 1e6
    );
    table
}

/// Describes the machine and the versions of the tools.
fn machine() -> String {
    let read_value = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        line.trim_start_matches([' ', '\t', ':']).trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (processor, kernel) =
        (read_value("/proc/cpuinfo", "model name"), read_value("/proc/sys/kernel/osrelease", ""));
    let memory = read_value("/proc/meminfo", "MemTotal");
    let mut text = format!(
        "{processor}, {cores} cores, {memory} of memory, {} {kernel}\n",
        std::env::consts::OS
    );
    for tool in PEERS.iter().chain(&["rg", "curl"]) {
        text +=
            &version(tool).map_or_else(|| format!("no {tool}\n"), |version| format!("{version}\n"));
    }
    text
}

/// Returns the version that a tool reports; `None` if it is not installed.
fn version(tool: &str) -> Option<String> {
    let read_value = Command::new(tool)
        .arg("--version")
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|read_value| read_value.status.success())?;
    Some(String::from_utf8_lossy(&read_value.stdout).lines().next().unwrap_or(tool).to_owned())
}

fn strings(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

/// Returns a call of evtap with these arguments.
fn evtap_call(args: &str) -> Call {
    Call { tool: "evtap", args: args.split_whitespace().map(str::to_owned).collect() }
}

/// Returns a jq program that masks the hidden fields: the fastest of several ways in each tool, and
/// one in which jaq adds no missing fields.
fn mask() -> String {
    let policy = Policy::default();
    let fields = || {
        KINDS.iter().flat_map(|kind| kind.spec().fields.iter().map(|field| (kind.spec(), field)))
    };
    let mut names: Vec<_> = fields()
        .filter(|(spec, field)| policy.hides(spec, field))
        .map(|(_, field)| field.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    for (spec, field) in fields().filter(|(_, field)| names.contains(&field.name)) {
        assert!(
            policy.hides(spec, field),
            "{} is hidden in one event and not in another",
            field.name
        );
    }
    let steps: Vec<_> = names
        .iter()
        .map(|name| format!("if .{name} != null then .{name} = \"[redacted]\" else . end"))
        .collect();
    steps.join(" | ")
}

fn jobs() -> Vec<Job> {
    let mask = mask();
    let job = |name, ours: &[&str], theirs: String| {
        let ours = Call { tool: "evtap", args: strings(&[&["replay"], ours].concat()) };
        let others = PEERS.into_iter().filter(|tool| version(tool).is_some());
        let others = others.map(|tool| Call { tool, args: strings(&["-c", &theirs]) });
        Job { name, calls: std::iter::once(ours).chain(others).collect() }
    };
    vec![
        job("A everything, masked", &["-o", "ndjson"], mask.clone()),
        job(
            "B a comparison",
            &["-o", "ndjson", "-f", CONDITION],
            format!("select({CONDITION}) | {mask}"),
        ),
        job(
            "C1 arithmetic",
            &["-o", "ndjson", "-f", ARITHMETIC],
            format!("select({ARITHMETIC}) | {mask}"),
        ),
        job(
            "C2 regex and objects",
            &["--reveal", "transcript", "--status", "none", "-f", SEARCH, "-q", OBJECTS],
            format!("select({SEARCH}) | {OBJECTS}"),
        ),
    ]
}

fn command(call: &Call, input: &Path, out: &Path) -> Command {
    let mut command = Command::new(if call.tool == "evtap" { EVTAP } else { call.tool });
    command
        .args(&call.args)
        .arg(input)
        .stdout(File::create(out).expect("a file"))
        .stderr(Stdio::null());
    command
}

fn run(call: &Call, input: &Path, out: &Path) -> Duration {
    let mut command = command(call, input, out);
    let began = Instant::now();
    let status = command.status().expect("it runs");
    let took = began.elapsed();
    assert!(status.success(), "{} fails", call.tool);
    took
}

/// Asserts that all tools give the same answer on the first lines.
fn check(job: &Job, input: &Path, out: &Path) {
    let begin = input.with_extension("begin");
    let lines: Vec<_> = BufReader::new(File::open(input).expect("it is there"))
        .lines()
        .take(20_000)
        .map_while(Result::ok)
        .collect();
    fs::write(&begin, lines.join("\n") + "\n").expect("there is space");
    let answers: Vec<Vec<Value>> = job
        .calls
        .iter()
        .map(|call| {
            run(call, &begin, out);
            let text = fs::read_to_string(out).expect("text");
            text.lines().map(|line| normalise(serde_json::from_str(line).expect("JSON"))).collect()
        })
        .collect();
    assert!(!answers[0].is_empty(), "{}: nothing is found", job.name);
    for (answer, call) in answers.iter().zip(&job.calls) {
        assert!(*answer == answers[0], "{}: {} says something else", job.name, call.tool);
    }
}

/// Normalises an answer: removes `_tap`, which only evtap writes; sorts members, since jq 1.6 and
/// gojq sort those of the objects that they build; and compares numbers by value, since jq 1.6 and
/// gojq write `1.0` as `1`.
fn normalise(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object
                .into_iter()
                .filter(|(key, _)| key != "_tap")
                .map(|(key, value)| (key, normalise(value)))
                .collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.into_iter().collect()
        }
        Value::Array(items) => items.into_iter().map(normalise).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        other => other,
    }
}

/// Runs them in turn and adds a row for each.
fn measure(job: &str, rounds: usize, table: &mut String, runs: &[Run<'_>]) {
    let mut times = vec![Vec::new(); runs.len()];
    for _ in 0..rounds {
        for (times, (.., run)) in times.iter_mut().zip(runs) {
            times.push(run());
        }
    }
    let medians: Vec<_> = times.iter_mut().map(|times| median(times).as_secs_f64()).collect();
    let _ = writeln!(table, "{job}");
    for (seconds, (name, size, _)) in medians.iter().zip(runs) {
        let (rate, ratio) = (*size as f64 / seconds / 1e6, seconds / medians[0]);
        let _ = writeln!(table, "  {name:20}{seconds:8.3}{rate:10.0}{ratio:8.1}x");
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Copies the file in chunks of the same size as evtap reads.
fn copy(input: &Path, out: &Path) -> Duration {
    let (mut input, mut out) =
        (File::open(input).expect("it is there"), File::create(out).expect("a file"));
    let mut chunk = vec![0; 1 << 18];
    let began = Instant::now();
    loop {
        let read = input.read(&mut chunk).expect("it is read");
        if read == 0 {
            return began.elapsed();
        }
        out.write_all(&chunk[..read]).expect("there is space");
    }
}

/// Returns the peak memory of a run in KiB, as far as polling can tell.
fn peak_memory(call: &Call, input: &Path, out: &Path) -> u64 {
    let mut child = command(call, input, out).spawn().expect("it runs");
    let mut most = 0;
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most =
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(most);
        std::thread::sleep(Duration::from_millis(2));
    }
    most
}

fn first_line() -> Duration {
    let mut command = Command::new(EVTAP);
    command
        .args(["watch", "--workspace", "demo", "-o", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let took = began.elapsed();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    took
}
