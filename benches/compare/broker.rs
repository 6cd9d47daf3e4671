//! Publishing to a NATS server and reading from it, compared with a client that only does that.

mod read;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, stream};
use evtap::emulator::demo_workspace;
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::Value;

use super::{live, table, workspaces};

/// Number of events that are published as fast as possible.
const EVENTS: usize = 100_000;

/// Numbers of workspaces among which these are divided.
const WORKSPACES: [u32; 4] = [1, 4, 16, 64];

/// The id of the first event; each of the others is a millisecond later.
const FIRST_ID: usize = 1_700_000_000_000;

/// A server, which ends when this is dropped, and its data with it.
struct NatsServer {
    process: Child,
    home: PathBuf,
    url: String,
}

impl NatsServer {
    /// Starts a server on a free port; `None` if it is not installed.
    fn start(dir: &Path) -> Option<Self> {
        let home = dir.join("nats");
        let _ = fs::remove_dir_all(&home);
        fs::create_dir(&home).expect("a directory");
        let mut command = Command::new("nats-server");
        command.args(["-js", "-a", "127.0.0.1", "-p", "-1", "-sd"]).arg(&home);
        command.arg("--ports_file_dir").arg(&home).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().ok()?;
        let mut server = Self { process, home, url: String::new() };
        while server.url.is_empty() {
            // The server may be a script that starts another process, so its id is not known.
            let entries = fs::read_dir(&server.home).expect("a directory").flatten();
            let ports = entries
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|extension| extension == "ports"));
            let text = ports.and_then(|path| fs::read(path).ok()).unwrap_or_default();
            let ports: Value = serde_json::from_slice(&text).unwrap_or_default();
            ports["nats"][0].as_str().unwrap_or_default().clone_into(&mut server.url);
            if server.process.try_wait().expect("a child").is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    fn stream(&self) -> String {
        format!("{}/evtap", self.url)
    }

    async fn context(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(&self.url).await.expect("the server is up"))
    }

    /// Creates the stream anew, as `--create-stream` does.
    async fn reset(&self) {
        let context = self.context().await;
        let _ = context.delete_stream("evtap").await;
        let config = stream::Config {
            name: "evtap".to_owned(),
            subjects: vec!["evtap.>".to_owned()],
            duplicate_window: Duration::from_secs(15 * 60),
            allow_direct: true,
            ..stream::Config::default()
        };
        context.create_stream(config).await.expect("a stream");
    }

    async fn stored(&self) -> u64 {
        let stream = self.context().await.get_stream("evtap").await.expect("a stream");
        stream.cached_info().state.messages
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Measures publishing. Returns tables, and what went wrong.
pub fn measured(evtap: &Path, dir: &Path, rounds: usize) -> (String, Vec<String>) {
    let Some(server) = NatsServer::start(dir) else {
        return ("nats-server is not installed, so nothing was measured.\n".to_owned(), Vec::new());
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut failures = Vec::new();
    let mut text = String::from(
        "| workspaces | `evtap replay --publish` | processor | async-nats | processor | ratio |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for workspaces in WORKSPACES {
        let recording = dir.join("broker.ndjson");
        fs::write(&recording, lines(workspaces)).expect("a file");
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            runtime.block_on(server.reset());
            let mut command = Command::new(evtap);
            command.arg("replay").arg(&recording).args(["-o", "ndjson", "--publish"]);
            ours.push(speed(command.arg(server.stream())));
            let stored = runtime.block_on(server.stored());
            if stored != EVENTS as u64 {
                failures.push(format!("{workspaces} workspaces: {stored} events are stored"));
            }
            let messages = runtime.block_on(messages(&server));
            runtime.block_on(server.reset());
            theirs.push(publish(&server, &runtime, messages));
        }
        row(&mut text, &workspaces.to_string(), &ours, &theirs);
    }
    live_rows(&mut text, evtap, &server, &runtime, rounds);
    let mut add = |(table, failed): (String, Vec<String>)| {
        let _ = write!(text, "\n{table}");
        failures.extend(failed);
    };
    runtime.block_on(server.reset());
    let pause = Duration::from_millis(200);
    add(workspaces::measured(evtap, pause, &[]));
    add(workspaces::measured(evtap, pause, &["--publish", &server.stream()]));
    let stored = runtime.block_on(server.stored());
    let _ = writeln!(text, "| Stored | {stored} messages, with those about the tap |");
    (text, failures)
}

/// Measures reading. Returns a table, and what went wrong.
pub fn read(evtap: &Path, dir: &Path, rounds: usize) -> (String, Vec<String>) {
    let Some(server) = NatsServer::start(dir) else {
        let failure = "nats-server is not installed, so nothing was measured";
        return (String::new(), vec![failure.to_owned()]);
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    read::measured(evtap, dir, &server, &runtime, rounds)
}

/// How fast a run was.
#[derive(Clone, Copy)]
struct Speed {
    /// Events per second.
    rate: f64,
    /// Processor time in microseconds per event.
    processor: f64,
}

impl Speed {
    /// Measures the events per second of a function, and the processor time that this process or,
    /// if it `has_ended`, another one takes meanwhile.
    fn of(has_ended: bool, run: impl FnOnce() -> usize) -> Self {
        let ticks = || {
            let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
            let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
            // Of this process: user and system. Then of those that it has waited for.
            let times = fields.skip(if has_ended { 13 } else { 11 }).take(2);
            times.filter_map(|time| time.parse::<f64>().ok()).sum::<f64>()
        };
        let (began, before) = (Instant::now(), ticks());
        let events = run() as f64;
        let rate = events / began.elapsed().as_secs_f64();
        Self { rate, processor: (ticks() - before) / workspaces::TICKS * 1e6 / events }
    }
}

/// Adds a row. The ratio is the median of those of the rounds, because other work on the machine
/// affects both runs of a round.
fn row(text: &mut String, name: &str, ours: &[Speed], theirs: &[Speed]) {
    let rates = |speeds: &[Speed]| speeds.iter().map(|speed| speed.rate).collect::<Vec<_>>();
    let ratio = table::median(&table::paired(&rates(ours), &rates(theirs)));
    let cells = |speeds: &[Speed]| {
        let processor: Vec<_> = speeds.iter().map(|speed| speed.processor).collect();
        let rate = table::rate(table::median(&rates(speeds)));
        format!("{rate}/s | {:.1} µs", table::median(&processor))
    };
    let _ =
        writeln!(text, "| {name} | {} | {} | {:.0} % |", cells(ours), cells(theirs), ratio * 100.0);
}

/// Adds rows for one live stream: the rate, and the time until an event is stored.
fn live_rows(
    text: &mut String,
    evtap: &Path,
    server: &NatsServer,
    runtime: &tokio::runtime::Runtime,
    rounds: usize,
) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        runtime.block_on(server.reset());
        let address = live::serve(EVENTS, Duration::ZERO, Instant::now());
        let mut command = live::watch(evtap, &address, EVENTS as u32);
        ours.push(speed(command.args(["--publish", &server.stream()])));
        let messages = runtime.block_on(messages(server));
        runtime.block_on(server.reset());
        theirs.push(publish(server, runtime, messages));
    }
    row(text, "1, live (`evtap watch`)", &ours, &theirs);
    runtime.block_on(server.reset());
    let head_start = Duration::from_millis(500);
    let (began, now) = (Instant::now() + head_start, SystemTime::now() + head_start);
    let address = live::serve(live::PACED as usize, Duration::from_millis(1), began);
    let mut command = live::watch(evtap, &address, live::PACED);
    speed(command.args(["--publish", &server.stream()]));
    let began = now.duration_since(UNIX_EPOCH).expect("a time").as_nanos();
    // The stream also has events about the tap, which have no such time.
    let delay = |message: Message| {
        let body: Value = serde_json::from_slice(&message.body).expect("JSON");
        let sent = began + u128::from(body["data"]["duration_seconds"].as_u64()?);
        Some(message.stored.saturating_sub(sent) as f64 / 1e6)
    };
    let messages = runtime.block_on(messages(server));
    let mut delays: Vec<f64> = messages.into_iter().filter_map(delay).collect();
    delays.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| delays.get((delays.len() as f64 * part) as usize).copied();
    let [median, p99] = [0.5, 0.99].map(|part| at(part).unwrap_or(f64::NAN));
    let _ = writeln!(
        text,
        "\nAt 1,000 events per second of one workspace, an event is stored {median:.2} ms (median) or \
         {p99:.2} ms (p99) after it was sent.",
    );
    let printed = |arguments: &[&str]| {
        let delays = live::delays(|address| {
            let mut command = live::watch(evtap, address, live::PACED);
            command.args(arguments);
            command
        });
        let at = |part: f64| delays[(delays.len() as f64 * part) as usize];
        format!("{:.2} ms ({:.2} ms)", at(0.5), at(0.99))
    };
    runtime.block_on(server.reset());
    let _ = writeln!(
        text,
        "It is printed after {} with --publish, and after {} without.",
        printed(&["--publish", &server.stream()]),
        printed(&[]),
    );
}

/// Returns a recording of events that are shared evenly by workspaces.
fn lines(workspaces: u32) -> String {
    lines_of(EVENTS, workspaces)
}

fn lines_of(events: usize, workspaces: u32) -> String {
    let mut lines = String::new();
    for event in 0..events {
        let _ = writeln!(
            lines,
            "{{\"event_type\":\"call.ended\",\"call_sid\":\"CA{event:032}\",\"completion_reason\":\"completed\",\"direction\":\"inbound\",\"duration_seconds\":61.5,\"turn_count\":12,\"final_state\":\"closing\",\"service_id\":\"bcfbe07f-ae17-3890-34ec-2c2920d33fd4\",\"_tap\":{{\"id\":\"{}\",\"stream\":\"workspace\",\"workspace_id\":\"{}\"}}}}",
            FIRST_ID + event,
            demo_workspace(1 + event as u32 % workspaces),
        );
    }
    lines
}

/// Runs a command that processes all events.
fn speed(command: &mut Command) -> Speed {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Speed::of(true, || {
        assert!(command.status().expect("it runs").success(), "it fails");
        EVENTS
    })
}

/// A message of the stream.
struct Message {
    subject: String,
    headers: HeaderMap,
    body: bytes::Bytes,
    /// When it was stored, in nanoseconds of Unix time.
    stored: u128,
}

/// Reads the whole stream.
async fn messages(server: &NatsServer) -> Vec<Message> {
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    let count = usize::try_from(stream.cached_info().state.messages).expect("they fit");
    let consumer =
        stream.create_consumer(pull::OrderedConfig::default()).await.expect("a consumer");
    let messages = consumer.messages().await.expect("messages").take(count);
    let message = |message: Result<jetstream::Message, _>| {
        let message = message.expect("a message");
        let stored = message.info().expect("of a stream").published.unix_timestamp_nanos();
        let message = message.message;
        Message {
            subject: message.subject.to_string(),
            headers: message.headers.unwrap_or_default(),
            body: message.payload,
            stored: stored.try_into().expect("a time"),
        }
    };
    messages.map(message).collect().await
}

/// Publishes the same messages, with one in flight for each workspace.
fn publish(
    server: &NatsServer,
    runtime: &tokio::runtime::Runtime,
    messages: Vec<Message>,
) -> Speed {
    let context = runtime.block_on(server.context());
    let count = messages.len();
    let mut queues: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for message in messages {
        let workspace = message.subject.split('.').nth(1).expect("a workspace").to_owned();
        queues.entry(workspace).or_default().push(message);
    }
    let publish = |queue: Vec<Message>| {
        let context = context.clone();
        async move {
            for Message { subject, headers, body, .. } in queue {
                let sent = context.publish_with_headers(subject, headers, body).await;
                sent.expect("sent").await.expect("stored");
            }
        }
    };
    Speed::of(false, || {
        runtime.block_on(async {
            let publishing = queues.into_values().map(|queue| tokio::spawn(publish(queue)));
            for published in join_all(publishing).await {
                published.expect("no panic");
            }
        });
        count
    })
}
