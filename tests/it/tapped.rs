//! A stream with faults, tapped, and what came of it held against what the emulator knows that it published.
//!
//! Shared by the tests of faults and by the soak.

use std::sync::Arc;
use std::time::Duration;

use evtap::emulator::{self, DEMO_WORKSPACE, Fault, Ledger};
use evtap::error::Exit;
use evtap::internals::output::ndjson;
use evtap::model::decode::Decoder;
use evtap::redact::{Policy, Redactor};
use evtap::transport::client::{Client, Endpoints, Network};
use evtap::transport::credential::Credential;
use evtap::transport::key_ring::KeyRing;
use evtap::transport::sse::{self, Start};
use evtap::transport::{ConnectionState, Item, RawFrame, SourceConfig, channel};
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;

/// What came of a stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events that the emulator published up to the last one that was delivered.
    pub published: usize,
    /// Events delivered.
    pub delivered: usize,
    /// Connections that ended.
    pub faults: usize,
    /// Gaps named.
    pub gaps: usize,
    /// Events that lie in a named gap.
    pub named: usize,
    /// Events that are missing, and no gap says so.
    pub lost: usize,
    /// Events delivered twice.
    pub twice: usize,
    /// Events delivered after one that was published later.
    pub disordered: usize,
    /// How the stream has ended, if it has.
    pub exit: Option<Exit>,
}

/// How to tap.
#[derive(Debug, Clone)]
pub struct Tapping {
    /// What the emulator's day is drawn from.
    pub seed: u64,
    /// Events a second.
    pub rate: f64,
    /// What goes wrong, connection by connection.
    pub faults: Vec<Fault>,
    /// How many events are to be delivered at least.
    pub events: usize,
}

/// The largest frame. A small one, so that huge frames needn't be.
pub const FRAME: usize = 64 * 1024;

/// Taps until every fault has happened and enough has been delivered, or until the stream ends.
pub async fn tap(tapping: Tapping) -> Report {
    let ledger = Ledger::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let options = emulator::Options {
        seed: tapping.seed,
        rate: tapping.rate,
        faults: tapping.faults.clone(),
        ledger: Some(ledger.clone()),
        ..emulator::Options::default()
    };
    let serving = tokio::spawn(emulator::run(listener, options, std::future::pending()));
    let endpoints =
        Endpoints::resolve(&format!("http://{address}"), None, false).expect("a loopback URL");
    let client = Client::new(endpoints, &Network::default()).expect("a client");
    let keys = KeyRing::new(Credential::new("test", "a test").expect("legal"), None);
    let limits = SourceConfig {
        max_frame: FRAME,
        read_timeout: Some(Duration::from_millis(100)),
        random: || 0.0,
        ..SourceConfig::default()
    };
    let (tx, mut items) = channel(evtap::transport::QUEUE_CAPACITY);
    let reading = tokio::spawn(async move {
        sse::run(&client, DEMO_WORKSPACE, &keys, Start::Now, &limits, &tx).await
    });

    let mut seen = Seen::default();
    let mut lines = Lines::default();
    while seen.faults < tapping.faults.len() || seen.numbers.len() < tapping.events {
        let Some(item) = items.recv().await else { break };
        match item {
            Item::Frame(frame) => seen.line(&lines.of(&frame)),
            Item::Connection(news) => {
                seen.faults +=
                    usize::from(matches!(news.state, ConnectionState::Reconnecting { .. }));
            }
            Item::Chunk(_) | Item::Recording(_) => unreachable!("a stream has frames"),
        }
    }
    serving.abort();
    let exit = if items.recv().await.is_none() {
        reading.await.ok().and_then(Result::err).map(|error| error.exit)
    } else {
        None
    };
    Report { exit, ..seen.report(&ledger.ids()) }
}

/// Frames as lines, by the way that all events take.
struct Lines {
    decoder: Decoder,
    redactor: Redactor,
}

impl Default for Lines {
    fn default() -> Self {
        let mut policy = Policy::default();
        policy.reveal.add(Ledger::FIELD);
        Self { decoder: Decoder::default(), redactor: Redactor::new(policy) }
    }
}

impl Lines {
    fn of(&mut self, frame: &RawFrame) -> Value {
        let event = self.decoder.decode(frame.as_frame());
        let mut line = Vec::new();
        ndjson::object(&self.redactor.redact(&event), &mut line);
        serde_json::from_slice(&line).expect("a line is JSON")
    }
}

/// What was delivered.
#[derive(Debug, Default)]
pub struct Seen {
    numbers: Vec<usize>,
    gaps: Vec<(i64, i64)>,
    faults: usize,
}

impl Seen {
    /// Takes one line.
    pub fn line(&mut self, line: &Value) {
        if let Some(number) = line[Ledger::FIELD].as_str().and_then(Ledger::number) {
            self.numbers.push(number);
        } else if line["event_type"] == "tap.gap" {
            let time =
                |name: &str| line[name].as_str().and_then(|time| time.parse::<Timestamp>().ok());
            let from = time("from").map_or(i64::MIN, Timestamp::as_millisecond);
            self.gaps.push((from, time("to").expect("an end").as_millisecond()));
        }
    }

    /// Holds it against the ids of what was published.
    #[must_use]
    pub fn report(&self, ids: &[u64]) -> Report {
        let end = self.numbers.iter().max().map_or(0, |last| last + 1);
        let mut highest = 0;
        let is_low: Arc<[bool]> = ids[..end]
            .iter()
            .map(|id| {
                let is_low = *id < highest;
                highest = highest.max(*id);
                is_low
            })
            .collect();
        let mut report = Report {
            published: end,
            faults: self.faults,
            gaps: self.gaps.len(),
            ..Report::default()
        };
        let mut times = vec![0_u32; end];
        let mut last = None;
        for &number in &self.numbers {
            times[number] += 1;
            if times[number] > 1 {
                report.twice += 1;
                continue;
            }
            report.delivered += 1;
            if last.is_some_and(|last| number < last) {
                report.disordered += usize::from(!is_low[number]);
            } else {
                last = Some(number);
            }
        }
        for number in (0..end).filter(|number| times[*number] == 0) {
            let id = i64::try_from(ids[number]).expect("a time");
            if self.gaps.iter().any(|(from, to)| (*from..=*to).contains(&id)) {
                report.named += 1;
            } else {
                report.lost += 1;
            }
        }
        report
    }
}

impl Report {
    /// Adds another one.
    pub const fn add(&mut self, other: &Self) {
        self.published += other.published;
        self.delivered += other.delivered;
        self.faults += other.faults;
        self.gaps += other.gaps;
        self.named += other.named;
        self.lost += other.lost;
        self.twice += other.twice;
        self.disordered += other.disordered;
    }

    /// Nothing lost in silence, nothing twice, nothing out of order.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.lost == 0 && self.twice == 0 && self.disordered == 0
    }
}
