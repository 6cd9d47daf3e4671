//! Reads a stream with faults and compares what was delivered with what the emulator published.
//!
//! Shared by the tests of faults, crashes and forwarding, and by the soak tests.

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

/// Counts of what happened on a stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events that the emulator published up to the last one that was delivered.
    pub published: usize,
    /// Events delivered.
    pub delivered: usize,
    /// Connections that ended.
    pub faults: usize,
    /// `tap.gap` events.
    pub gaps: usize,
    /// Missing events that a gap covers.
    pub covered: usize,
    /// Missing events that no gap covers.
    pub lost: usize,
    /// Events delivered more than once.
    pub repeated: usize,
    /// Events delivered after one that was published later.
    pub reordered: usize,
    /// The exit status that the stream ended with, if it ended.
    pub exit: Option<Exit>,
}

/// Parameters of a run.
#[derive(Debug, Clone)]
pub struct TapOptions {
    /// The seed of the emulator.
    pub seed: u64,
    /// Events per second.
    pub rate: f64,
    /// One fault per connection.
    pub faults: Vec<Fault>,
    /// Minimum number of events to wait for.
    pub events: usize,
}

/// The largest frame that is accepted. It is small, so that frames over the limit can be small too.
pub const FRAME: usize = 64 * 1024;

/// Reads until every fault has occurred and enough events were delivered, or until the stream ends.
pub async fn tap(params: TapOptions) -> Report {
    let ledger = Ledger::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let options = emulator::Options {
        seed: params.seed,
        rate: params.rate,
        faults: params.faults.clone(),
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

    let mut seen = DeliveryLog::default();
    let mut lines = Lines::default();
    while seen.faults < params.faults.len() || seen.numbers.len() < params.events {
        let Some(item) = items.recv().await else { break };
        match item {
            Item::Frame(frame) => seen.line(&lines.convert(&frame)),
            Item::Connection(event) => {
                seen.faults +=
                    usize::from(matches!(event.state, ConnectionState::Reconnecting { .. }));
            }
            Item::Chunk(_)
            | Item::Coverage(_)
            | Item::Recording(_)
            | Item::Skipped(_)
            | Item::Receipt(_) => {
                unreachable!("a stream has frames")
            }
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

/// Decodes and redacts frames into lines, as the pipeline does.
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
    fn convert(&mut self, frame: &RawFrame) -> Value {
        let event = self.decoder.decode(frame.as_frame());
        let mut line = Vec::new();
        ndjson::object(&self.redactor.redact(&event), &mut line);
        serde_json::from_slice(&line).expect("a line is JSON")
    }
}

/// Collects the numbers and gaps in delivered lines.
#[derive(Debug, Default)]
pub struct DeliveryLog {
    numbers: Vec<usize>,
    gaps: Vec<(i64, i64)>,
    faults: usize,
}

impl DeliveryLog {
    /// Records one line.
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

    /// Compares the delivered events with the ids of the published ones.
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
                report.repeated += 1;
                continue;
            }
            report.delivered += 1;
            if last.is_some_and(|last| number < last) {
                report.reordered += usize::from(!is_low[number]);
            } else {
                last = Some(number);
            }
        }
        for number in (0..end).filter(|number| times[*number] == 0) {
            let id = i64::try_from(ids[number]).expect("a time");
            if self.gaps.iter().any(|(from, to)| (*from..=*to).contains(&id)) {
                report.covered += 1;
            } else {
                report.lost += 1;
            }
        }
        report
    }
}

impl Report {
    /// Adds the counts of another report.
    pub const fn add(&mut self, other: &Self) {
        self.published += other.published;
        self.delivered += other.delivered;
        self.faults += other.faults;
        self.gaps += other.gaps;
        self.covered += other.covered;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.reordered += other.reordered;
    }

    /// Returns whether nothing was lost without a gap, delivered twice or out of order.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.lost == 0 && self.repeated == 0 && self.reordered == 0
    }
}
