//! evtap beside the tools that people have for such work: `jq`, `jaq`, `gojq` and `curl`, as far as they are installed.
//!
//! It makes a recording from a seed, sees to it that all give the same answer, then runs them in turn, so that a noisy machine
//! is noisy for all, and prints the median of several rounds: seconds of wall time, bytes of input a second, and how many times
//! as fast evtap is.
//!
//! `cargo bench --bench compare -- [MEGABYTES [ROUNDS]]`

#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures for people")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use evtap::emulator::DEMO_WORKSPACE;
use evtap::emulator::samples::sample;
use evtap::event::Kind;
use evtap::redact::Policy;
use evtap::scrub;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value};

const EVTAP: &str = env!("CARGO_BIN_EXE_evtap");

/// The types in the recording, as often as they are named.
const KINDS: &[Kind] = &[
    Kind::CallStarted,
    Kind::CallEnded,
    Kind::CallEnded,
    Kind::TextStarted,
    Kind::TextCompleted,
    Kind::SurfaceCreated,
    Kind::SurfaceSubmitted,
    Kind::ChannelEmailDelivered,
    Kind::OperatorJoinedCall,
    Kind::TriggerFired,
    Kind::UserTranscript,
    Kind::UserTranscript,
    Kind::AgentTranscript,
    Kind::AgentTranscript,
    Kind::StateTransition,
    Kind::Latency,
    Kind::ToolCallStarted,
    Kind::ToolCallCompleted,
];

const CONDITION: &str = r#".event_type == "call.ended" and .duration_seconds > 60"#;
const ARITHMETIC: &str = r#"(.duration_seconds // 0) * 2 > 120 and ((.call_sid // "") | length) == 34"#;
const SEARCH: &str = r#"(.transcript // "") | ascii_downcase | test("friday")"#;
const OBJECTS: &str = r#"{event_type, state, words: (.transcript | split(" ") | length)}"#;

/// How a tool is called for a job; the recording comes last.
struct Call {
    tool: &'static str,
    args: Vec<String>,
}

/// Does something once, and says how long that took.
type Timed<'a> = Box<dyn Fn() -> Duration + 'a>;

/// The same with a name.
type Run<'a> = (&'a str, Timed<'a>);

struct Job {
    name: &'static str,
    calls: Vec<Call>,
}

fn main() {
    // `cargo bench` adds an option of its own.
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let megabytes = numbers.first().copied().unwrap_or(100);
    let rounds = numbers.get(1).copied().unwrap_or(5);
    let base = [Path::new("/dev/shm"), &std::env::temp_dir()].into_iter().find(|path| path.is_dir()).expect("a place").to_owned();
    let dir = base.join(format!("evtap-compare-{}", std::process::id()));
    fs::create_dir(&dir).expect("a directory");
    let (ndjson, sse, out) = (dir.join("events.ndjson"), dir.join("events.sse"), dir.join("out"));
    record(&ndjson, &sse, megabytes * 1_000_000);

    let jobs = jobs();
    for job in &jobs {
        check(job, &ndjson, &out);
    }
    let mut table = format!("{:22}{:>8}{:>10}{:>9}\n", "job", "s", "MB/s", "evtap");
    let size = fs::metadata(&ndjson).expect("it is there").len();
    for job in &jobs {
        let (ndjson, out) = (&ndjson, &out);
        let timed = |call| Box::new(move || run(call, ndjson, out)) as Timed<'_>;
        let runs: Vec<Run<'_>> = job.calls.iter().map(|call| (call.tool, timed(call))).collect();
        measure(job.name, size, rounds, &mut table, &runs);
    }
    let own = |args: &str| Call { tool: "evtap", args: args.split_whitespace().map(str::to_owned).collect() };
    let (all, stats) = (own("replay -o ndjson"), own("stats"));
    let runs: [Run<'_>; 4] = [
        ("replay", Box::new(|| run(&all, &ndjson, &out))),
        ("a copy", Box::new(|| copy(&ndjson, &out))),
        ("stats", Box::new(|| run(&stats, &ndjson, &out))),
        ("SSE", Box::new(|| run(&all, &sse, &out))),
    ];
    measure("copy, stats, SSE", size, rounds, &mut table, &runs);
    live(&dir, rounds, &mut table);
    let resident = resident(&all, &ndjson, &out);
    let _ = writeln!(table, "resident at most, replaying: {:.1} MiB", resident as f64 / 1024.0);
    let mut first: Vec<_> = (0..rounds).map(|_| first_line()).collect();
    let _ = writeln!(table, "start to the first line of the demo: {:.1} ms", median(&mut first).as_secs_f64() * 1e3);
    let _ = writeln!(table, "size of the binary: {:.1} MB", fs::metadata(EVTAP).expect("it is there").len() as f64 / 1e6);
    fs::remove_dir_all(&dir).expect("it is ours");
    std::io::stdout().write_all(table.as_bytes()).expect("somebody reads");
}

/// Writes events to a file of lines, and as many as fit into a tenth of it as a capture of a stream.
fn record(ndjson: &Path, sse: &Path, size: usize) {
    let mut rng = StdRng::seed_from_u64(1);
    let (mut lines, mut frames) = (Vec::with_capacity(size + 4096), Vec::new());
    let mut id = 1_700_000_000_000u64;
    while lines.len() < size {
        let kind = KINDS[rng.random_range(0..KINDS.len())];
        let mut event = Map::from_iter([("event_type".to_owned(), kind.spec().event_type.into())]);
        event.extend(sample(kind.spec(), &mut rng));
        // The others search no free text for telephone numbers.
        for value in event.values_mut().filter(|value| value.as_str().is_some_and(|text| scrub::scrub(text).is_some())) {
            let field_is_searched = value.as_str().is_some_and(|text| text.contains(' '));
            if field_is_searched {
                *value = "Nothing to add.".into();
            }
        }
        id += rng.random_range(1..40);
        let event = Value::from(event).to_string();
        frames.extend(format!("id: {id}\nevent: {}\ndata: {event}\n\n", kind.spec().event_type).bytes());
        lines.extend(event.bytes());
        lines.push(b'\n');
    }
    fs::write(ndjson, lines).expect("there is space");
    fs::write(sse, frames).expect("there is space");
}

/// What masks the hidden fields in jq.
fn mask() -> String {
    let policy = Policy::default();
    let fields = || KINDS.iter().flat_map(|kind| kind.spec().fields.iter().map(|field| (kind.spec(), field)));
    let mut names: Vec<_> = fields().filter(|(spec, field)| policy.hides(spec, field)).map(|(_, field)| field.name).collect();
    names.sort_unstable();
    names.dedup();
    for (spec, field) in fields().filter(|(_, field)| names.contains(&field.name)) {
        assert!(policy.hides(spec, field), "{} is hidden in one event and not in another", field.name);
    }
    let paths: Vec<_> = names.iter().map(|name| format!(".{name}")).collect();
    format!("({} | values) = \"[redacted]\"", paths.join(", "))
}

fn jobs() -> Vec<Job> {
    let mask = mask();
    let job = |name, ours: &[&str], theirs: String| {
        let strings = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect();
        let ours = Call { tool: "evtap", args: strings(&[&["replay"], ours].concat()) };
        let others = ["jq", "jaq", "gojq"].into_iter().filter(|tool| is_there(tool));
        let others = others.map(|tool| Call { tool, args: strings(&["-c", &theirs]) });
        Job { name, calls: std::iter::once(ours).chain(others).collect() }
    };
    vec![
        job("A everything, masked", &["-o", "ndjson"], mask.clone()),
        job("B a comparison", &["-o", "ndjson", "-f", CONDITION], format!("select({CONDITION}) | {mask}")),
        job("C1 arithmetic", &["-o", "ndjson", "-f", ARITHMETIC], format!("select({ARITHMETIC}) | {mask}")),
        job(
            "C2 regex and objects",
            &["--reveal", "transcript", "--status", "none", "-f", SEARCH, "-q", OBJECTS],
            format!("select({SEARCH}) | {OBJECTS}"),
        ),
    ]
}

fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn command(call: &Call, input: &Path, out: &Path) -> Command {
    let mut command = Command::new(if call.tool == "evtap" { EVTAP } else { call.tool });
    command.args(&call.args).arg(input).stdout(File::create(out).expect("a file")).stderr(Stdio::null());
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

/// All say the same of the first lines, but for `_tap`, which only evtap writes.
fn check(job: &Job, input: &Path, out: &Path) {
    let begin = input.with_extension("begin");
    let lines: Vec<_> =
        BufReader::new(File::open(input).expect("it is there")).lines().take(20_000).map_while(Result::ok).collect();
    fs::write(&begin, lines.join("\n") + "\n").expect("there is space");
    let answers: Vec<Vec<Value>> = job
        .calls
        .iter()
        .map(|call| {
            run(call, &begin, out);
            let text = fs::read_to_string(out).expect("text");
            text.lines().map(|line| plain(serde_json::from_str(line).expect("JSON"))).collect()
        })
        .collect();
    assert!(!answers[0].is_empty(), "{}: nothing is found", job.name);
    for (answer, call) in answers.iter().zip(&job.calls) {
        assert!(*answer == answers[0], "{}: {} says something else", job.name, call.tool);
    }
}

/// Without `_tap`; numbers by their value, members in any order.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> =
                object.into_iter().filter(|(key, _)| key != "_tap").map(|(key, value)| (key, plain(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.into_iter().collect()
        }
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Number(number) => number.as_f64().map_or(Value::Null, Value::from),
        other => other,
    }
}

/// Runs them in turn, and adds a row for each.
fn measure(job: &str, size: u64, rounds: usize, table: &mut String, runs: &[Run<'_>]) {
    let mut times = vec![Vec::new(); runs.len()];
    for _ in 0..rounds {
        for (times, (_, run)) in times.iter_mut().zip(runs) {
            times.push(run());
        }
    }
    let medians: Vec<_> = times.iter_mut().map(|times| median(times).as_secs_f64()).collect();
    let _ = writeln!(table, "{job}");
    for (seconds, (name, _)) in medians.iter().zip(runs) {
        let (rate, ratio) = (size as f64 / seconds / 1e6, seconds / medians[0]);
        let _ = writeln!(table, "  {name:20}{seconds:8.3}{rate:10.0}{ratio:8.1}x");
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Reads and writes as evtap does, without looking.
fn copy(input: &Path, out: &Path) -> Duration {
    let (mut input, mut out) = (File::open(input).expect("it is there"), File::create(out).expect("a file"));
    let mut piece = vec![0; 1 << 18];
    let began = Instant::now();
    loop {
        let read = input.read(&mut piece).expect("it is read");
        if read == 0 {
            return began.elapsed();
        }
        out.write_all(&piece[..read]).expect("there is space");
    }
}

/// The most memory that a run has had, in KiB, as far as looking often enough tells.
fn resident(call: &Call, input: &Path, out: &Path) -> u64 {
    let mut child = command(call, input, out).spawn().expect("it runs");
    let mut most = 0;
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(most);
        std::thread::sleep(Duration::from_millis(2));
    }
    most
}

fn first_line() -> Duration {
    let mut command = Command::new(EVTAP);
    command.args(["watch", "--workspace", "demo", "-o", "ndjson"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let took = began.elapsed();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    took
}

/// A stream of events of 300 bytes, each with the time at which it is sent.
fn serve(events: usize, pause: Duration, began: Instant) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a connection");
        request(&mut socket);
        socket.set_nodelay(true).expect("a socket");
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        socket.write_all(head.as_bytes()).expect("somebody reads");
        let mut batch = String::new();
        for event in 0..events {
            if !pause.is_zero() {
                let due = began + pause * u32::try_from(event).expect("few");
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let sent = began.elapsed().as_nanos();
            let text = format!(
                "id: {}\nevent: call.ended\ndata: {{\"call_sid\":\"CA{:032}\",\"completion_reason\":\"completed\",\"direction\":\"inbound\",\"duration_seconds\":{sent},\"turn_count\":12,\"final_state\":\"closing\",\"service_id\":\"bcfbe07f-ae17-3890-34ec-2c2920d33fd4\"}}\n\n",
                1_700_000_000_000 + event,
                event
            );
            batch.push_str(&text);
            if !pause.is_zero() || batch.len() > 60_000 || event + 1 == events {
                // Whoever has enough goes away.
                if socket.write_all(batch.as_bytes()).is_err() {
                    return;
                }
                batch.clear();
            }
        }
    });
    address
}

fn request(socket: &mut TcpStream) {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    while reader.read_line(&mut line).expect("a request") > 2 {
        line.clear();
    }
}

fn watch(address: &str, events: usize) -> Command {
    let mut command = Command::new(EVTAP);
    command.args(["watch", "--workspace", DEMO_WORKSPACE, "-o", "ndjson", "-n", &events.to_string()]);
    command.env("AMIGO_API_KEY", "bench").env("AMIGO_BASE_URL", address);
    command
}

/// Live streams: how many events a second, and how late a line comes after the server has written its event.
fn live(dir: &Path, rounds: usize, table: &mut String) {
    const EVENTS: usize = 200_000;
    let out: PathBuf = dir.join("out");
    let timed = |mut command: Command| {
        command.stdout(File::create(&out).expect("a file")).stderr(Stdio::null());
        let began = Instant::now();
        assert!(command.status().expect("it runs").success(), "it fails");
        began.elapsed()
    };
    let ours = || timed(watch(&serve(EVENTS, Duration::ZERO, Instant::now()), EVENTS));
    let theirs = || {
        let address = serve(EVENTS, Duration::ZERO, Instant::now());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("curl -sN {address} | sed -un 's/^data: //p' | jq -c .")]);
        timed(shell)
    };
    let runs: [Run<'_>; 2] = [("evtap watch", Box::new(ours)), ("curl -N | jq", Box::new(theirs))];
    measure("F 200,000 live events", EVENTS as u64 * 300, rounds, table, &runs);
    for (name, is_ours) in [("evtap", true), ("curl -N", false)] {
        let began = Instant::now();
        let events = 3000;
        let address = serve(events, Duration::from_millis(1), began + Duration::from_millis(300));
        let mut command = if is_ours {
            watch(&address, events)
        } else {
            let mut curl = Command::new("curl");
            curl.args(["-sN", &address]);
            curl
        };
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut late: Vec<Duration> = lines
            .filter_map(|line| {
                let arrived = began.elapsed();
                let (_, rest) = line.split_once("\"duration_seconds\":")?;
                let sent: u64 = rest.split(',').next()?.parse().ok()?;
                Some(arrived.saturating_sub(Duration::from_millis(300)).saturating_sub(Duration::from_nanos(sent)))
            })
            .collect();
        child.wait().expect("it ends");
        late.sort_unstable();
        let at = |part: f64| late[(late.len() as f64 * part) as usize].as_secs_f64() * 1e3;
        let _ = writeln!(table, "  {name:20} later than sent: p50 {:.2} ms, p99 {:.2} ms", at(0.5), at(0.99));
    }
}
