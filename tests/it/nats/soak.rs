//! Two taps publish the same workspaces while connections break and `kill -9` hits the taps and the
//! broker. What is stored, and what `evtap verify` says of it, is then compared with what the
//! emulator published. docs/scale.md has the figures.

mod outcome;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use evtap::emulator::{self, Fault, Ledger, ServedWorkspaces, demo_workspace};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::server::{NatsServer, is_installed};
use crate::support::{events, kill};
use outcome::{compare, unsorted};

/// Number of workspaces, each of which both taps watch.
const WORKSPACES: u32 = 8;

const TAPS: [&str; 2] = ["one", "two"];

/// Events per second of each workspace.
const RATE: f64 = 120.0;

/// The size of a run: `EVTAP_SOAK_EVENTS`, `EVTAP_SOAK_FAULTS` and `EVTAP_SOAK_SEED`.
struct Length {
    events: usize,
    faults: usize,
    seed: u64,
    /// Whether the platform forgets what it keeps for replays at times; not with
    /// `EVTAP_SOAK_FORGET=0`.
    forgets: bool,
}

impl Length {
    fn from_environment() -> Self {
        let value = |name: &str, default: usize| {
            let text = std::env::var(name).ok();
            text.map_or(default, |text| text.parse().expect("a number"))
        };
        Self {
            events: value("EVTAP_SOAK_EVENTS", 200_000),
            faults: value("EVTAP_SOAK_FAULTS", 1000),
            seed: value("EVTAP_SOAK_SEED", 1) as u64,
            forgets: value("EVTAP_SOAK_FORGET", 1) != 0,
        }
    }
}

/// Draws a fault that hits one connection and changes no event: the taps must see the same events.
fn fault(rng: &mut StdRng, forgets: bool) -> Fault {
    let bytes = rng.random_range(0..60_000);
    let text = match rng.random_range(0..12) {
        0 => format!("cut={bytes}"),
        1 => format!("cut-in=character:{bytes}"),
        2 => format!("cut-in=line:{bytes}"),
        3 => format!("cut-in=fields:{bytes}"),
        4 => format!("cut-in=line-end:{bytes}"),
        5 => format!("reset={bytes}"),
        6 => format!("end={bytes}"),
        7 => format!("stall={bytes}"),
        8 => format!("overlap+cut={bytes}"),
        9 => format!("repeat={}+cut={bytes}", rng.random_range(1..9)),
        10 if forgets => format!("forget+cut={bytes}"),
        _ => {
            (*["status=500", "status=503", "error=stream_error"].choose(rng).expect("some")).into()
        }
    };
    text.parse().expect("a fault")
}

/// A tap, which can be killed and started again with its cursor.
struct Tap {
    name: &'static str,
    home: PathBuf,
    arguments: Vec<String>,
    base: String,
    process: Option<Child>,
}

impl Tap {
    fn new(name: &'static str, home: &Path, base: &str, url: &str) -> Self {
        let home = home.join(name);
        fs::create_dir(&home).expect("a directory");
        let mut arguments: Vec<_> = [
            "watch",
            "-o",
            "ndjson",
            "--status",
            "json",
            "--read-timeout",
            "2s",
            "--cursor",
            "cursor",
            "--heartbeat",
            "1s",
            "--publish-revealed",
            "--reveal",
            Ledger::FIELD,
            "--create-stream",
            "--publish",
            url,
            "--tap-name",
            name,
        ]
        .map(str::to_owned)
        .into();
        for number in 1..=WORKSPACES {
            arguments.extend(["-w".to_owned(), demo_workspace(number)]);
        }
        Self { name, home, arguments, base: base.to_owned(), process: None }
    }

    fn start(&mut self) {
        let status = self.home.join("status");
        let status = File::options().create(true).append(true).open(status).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_evtap"))
            .args(&self.arguments)
            .env_clear()
            .env("AMIGO_API_KEY", "test")
            .env("AMIGO_BASE_URL", &self.base)
            .env("HOME", &self.home)
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(status)
            .spawn();
        self.process = Some(child.expect("evtap starts"));
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("killed");
            process.wait().expect("ended");
        }
    }

    /// Ends it normally.
    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            kill(process.id(), "INT");
            process.wait().expect("ended");
        }
    }

    /// Whether it has ended by itself, which it may do if the broker is away when it starts.
    fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_some_and(|child| child.try_wait().expect("a child").is_some())
    }

    /// Returns the number of connections that broke.
    fn faults(&self) -> usize {
        let status = fs::read_to_string(self.home.join("status")).unwrap_or_default();
        status.lines().filter(|line| line.contains(r#""status":"reconnecting""#)).count()
    }

    /// Returns the position of each workspace in the cursor.
    fn positions(&self) -> HashMap<String, u64> {
        let text = fs::read(self.home.join("cursor")).unwrap_or_default();
        let cursor: Value = serde_json::from_slice(&text).unwrap_or_default();
        let streams = cursor["streams"].as_object().cloned().unwrap_or_default();
        let id = |stream: &Value| stream["id"].as_u64().unwrap_or_default();
        streams.iter().map(|(workspace, stream)| (workspace.clone(), id(stream))).collect()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve(listener: TcpListener, options: emulator::Options) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a socket");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
        emulator::run(listener, options, std::future::pending()).await.expect("it serves");
    });
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn soak_two_taps_and_a_broker() {
    if !is_installed() {
        return;
    }
    let length = Length::from_environment();
    let mut rng = StdRng::seed_from_u64(length.seed);
    let mut server = NatsServer::start(&[]).await;
    let ledger = Ledger::default();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let streams = TAPS.len() * WORKSPACES as usize;
    // Until each stream has a position, a broken connection is no gap of its own.
    let quiet = std::iter::repeat_n(Fault::None, streams);
    let options = emulator::Options {
        seed: length.seed,
        rate: RATE,
        workspaces: ServedWorkspaces::Demo(WORKSPACES),
        faults: quiet.chain((0..length.faults).map(|_| fault(&mut rng, length.forgets))).collect(),
        ledger: Some(ledger.clone()),
        ..emulator::Options::default()
    };
    // The test waits for processes, which must not hold up the streams.
    std::thread::spawn(|| serve(listener, options));

    let home = tempfile::tempdir().expect("a directory");
    let url = server.url("evtap");
    let mut taps = TAPS.map(|name| Tap::new(name, home.path(), &base, &url));
    for tap in &mut taps {
        tap.start();
        while tap.positions().len() < WORKSPACES as usize {
            sleep(Duration::from_millis(1)).await;
        }
    }
    server.wait_for("evtap", 100).await;

    let (mut tap_kills, mut broker_kills) = (0, 0);
    let faults = |taps: &[Tap; 2]| taps.iter().map(Tap::faults).sum::<usize>();
    let mut next_outage = Instant::now();
    while ledger.len() < length.events || faults(&taps) + tap_kills + broker_kills < length.faults {
        sleep(Duration::from_millis(rng.random_range(500..3000))).await;
        if Instant::now() >= next_outage {
            broker_kills += 1;
            server.kill();
            sleep(Duration::from_millis(rng.random_range(0..4000))).await;
            server.restart().await;
            next_outage = Instant::now() + Duration::from_millis(rng.random_range(8000..20_000));
        }
        // Now and then, both are away at once.
        for tap in &mut taps {
            if rng.random_bool(0.4) {
                tap_kills += usize::from(tap.process.is_some());
                tap.kill();
            }
            if tap.has_ended() || tap.process.is_none() && rng.random_bool(0.7) {
                tap.start();
            }
        }
    }
    // All faults are over, and both taps catch up.
    for tap in taps.iter_mut().filter(|tap| tap.process.is_none()) {
        tap.start();
    }
    let ledger = ledger.events();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &ledger {
        let end = ends.entry(&event.workspace).or_default();
        *end = event.id.max(*end);
    }
    for tap in &mut taps {
        loop {
            let positions = tap.positions();
            if ends.iter().all(|(id, end)| positions.get(*id).is_some_and(|at| at > end)) {
                break;
            }
            assert!(!tap.has_ended(), "{} has ended", tap.name);
            sleep(Duration::from_millis(50)).await;
        }
    }
    let broken = faults(&taps);
    taps.iter_mut().for_each(Tap::end);

    let stored = server.read("evtap").await;
    let (status, report) = run(&format!("verify -o json --from {url}"));
    let verified: Value = serde_json::from_str(&report).expect("JSON");
    let mut outcome = compare(&stored, &ledger, &verified);
    assert_eq!(status, Some(if outcome.gaps > 0 { 8 } else { 0 }));
    let shown = stored.iter().filter(|message| !message.subject.contains(".tap.")).count();
    let sorted = format!("watch --from {url} --since all -n {shown}");
    let (status, sorted) = run(&format!("{sorted} --order time --order-window 60s -o ndjson"));
    assert_eq!(status, Some(0));
    outcome.unsorted = unsorted(&events(&sorted));
    print(&outcome.table([broken, tap_kills, broker_kills]));
    let wrong = [outcome.lost, outcome.repeated, outcome.reordered, outcome.unsorted];
    assert_eq!(wrong, [0; 4], "{outcome:?}");
    let missing: usize = outcome.in_gaps.values().sum();
    assert_eq!(outcome.stored + missing, outcome.published);
    assert!(length.forgets || missing == 0, "the platform had all events: {outcome:?}");
}

/// Runs a command, however long it takes, and returns its status and its output.
fn run(arguments: &str) -> (Option<i32>, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_evtap"))
        .args(arguments.split(' '))
        .env_clear()
        .stderr(Stdio::null())
        .output()
        .expect("evtap starts");
    (ran.status.code(), String::from_utf8(ran.stdout).expect("text"))
}

/// Prints the rows of the table in docs/scale.md.
fn print(text: &str) {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes()).expect("a terminal");
}
