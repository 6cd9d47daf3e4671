//! The event bus: gives events their ids, keeps them for replay, and sends them to all streams.
//!
//! A stream gets its replay and its subscription under one lock, so that no event is missing
//! between the two. The receiver of a stream that falls too far behind returns an error, so a
//! stream never has a gap.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{Notify, broadcast};
use tokio::time::sleep_until;

use super::buffer::{Batch, ReplayBuffer};
use super::ledger::Ledger;
use super::scenario::{Clock, Scenario};
use super::stories::StoryStep;
use super::stories::call_story::CallStory;
use super::story_faults::StoryFaults;
use crate::model::Kind;

/// The maximum number of batches that a stream may be behind: at least a second at any rate.
const MAX_BACKLOG: u16 = 1024;
/// The minimum number. Each takes about 80 bytes in each workspace, used or not.
const MIN_BACKLOG: u16 = 64;
/// The time that a stream may be behind at the average rate, in seconds.
const BACKLOG_SECONDS: f64 = 10.0;
/// The number of batches that get lower ids after the clock was set back.
const BACKWARDS: u32 = 3;
/// The maximum number of events in a batch.
const MAX_BATCH: usize = 512;
/// The fields that hold the time of publication.
const TIMES: &[&str] = &["timestamp", "submitted_at"];

/// An ongoing call.
#[derive(Debug, Clone)]
pub struct LiveCall {
    /// The story of the call.
    pub call: Arc<CallStory>,
    /// The virtual time of its start.
    pub began: Duration,
    /// The clock of the virtual time.
    pub clock: Clock,
    /// Whether each observer sees the call from its start.
    pub whole: bool,
}

impl LiveCall {
    /// Returns how much of the call an observer who connects now has missed.
    pub fn missed(&self) -> Duration {
        if self.whole { Duration::ZERO } else { self.clock.now().saturating_sub(self.began) }
    }
}

/// The bus that connects the scenario with the streams.
#[derive(Debug)]
pub struct Bus {
    clock: OnceLock<Clock>,
    begun: Notify,
    state: Mutex<BusState>,
}

#[derive(Debug)]
struct BusState {
    buffer: ReplayBuffer,
    /// `None` after the end of the day.
    sender: Option<broadcast::Sender<Batch>>,
    calls: HashMap<String, LiveCall>,
    ledger: Option<Ledger>,
    /// The number of milliseconds to subtract from ids, and the number of batches to do so for.
    back: (u64, u32),
    absent: StoryFaults,
}

impl Bus {
    /// Creates a bus whose day has not started, for an average number of events per second. It keeps
    /// at most `replay` bytes of events.
    pub fn new(rate: f64, replay: usize, ledger: Option<Ledger>, absent: StoryFaults) -> Self {
        let sender = Some(broadcast::Sender::new(backlog(rate)));
        let state = BusState {
            buffer: ReplayBuffer::new(replay),
            sender,
            calls: HashMap::new(),
            ledger,
            back: (0, 0),
            absent,
        };
        Self { clock: OnceLock::new(), begun: Notify::new(), state: Mutex::new(state) }
    }

    /// Starts the day, unless it has started.
    pub fn begin(&self, rate: f64) {
        self.clock.get_or_init(|| Clock::start(rate));
        self.begun.notify_one();
    }

    /// Returns the events published after an id, and a receiver of the next ones. The receiver is
    /// `None` after the end of the day.
    pub fn subscribe(
        &self,
        after: Option<u64>,
    ) -> (VecDeque<Batch>, Option<broadcast::Receiver<Batch>>) {
        let state = self.state();
        let replay = after.map(|id| state.buffer.after(id)).unwrap_or_default();
        (replay, state.sender.as_ref().map(broadcast::Sender::subscribe))
    }

    /// Clears the replay buffer, as a restart of the server does.
    pub fn forget(&self) {
        self.state().buffer.clear();
    }

    /// Sets the clock of the ids back for a few batches.
    pub fn go_back(&self, milliseconds: u64) {
        self.state().back = (milliseconds, BACKWARDS);
    }

    /// Returns the ongoing call with a SID.
    pub fn call(&self, sid: &str) -> Option<LiveCall> {
        self.state().calls.get(sid).cloned()
    }

    /// Ends all streams after they have sent the published events.
    pub fn close(&self) {
        self.state().sender = None;
    }

    /// Waits for the start of the day, publishes its events on time, and returns at its end.
    pub async fn play(&self, mut scenario: Scenario) {
        let clock = loop {
            match self.clock.get() {
                Some(clock) => break *clock,
                None => self.begun.notified().await,
            }
        };
        while let Some(at) = scenario.next_at() {
            sleep_until(clock.when(at)).await;
            let now = clock.now();
            let due = std::iter::from_fn(|| {
                scenario.next_at().filter(|at| *at <= now).and_then(|_| scenario.next())
            });
            self.publish(due.take(MAX_BATCH), clock);
        }
    }

    fn publish(&self, steps: impl Iterator<Item = StoryStep>, clock: Clock) {
        let mut state = self.state();
        let now = Timestamp::now();
        let mut id = state.buffer.next_id(now.as_millisecond().try_into().unwrap_or_default());
        if state.back.1 > 0 {
            state.back.1 -= 1;
            id = id.saturating_sub(state.back.0);
        }
        let mut frames = String::new();
        for mut step in steps {
            let is_absent = state.absent.take(step.kind);
            for name in TIMES {
                if let Some(time) = step.payload.get_mut(name) {
                    *time = Value::String(format!("{now:.3}"));
                }
            }
            if let Some(ledger) = state.ledger.as_ref().filter(|_| !is_absent) {
                step.payload[Ledger::FIELD] = Value::String(ledger.record(id));
            }
            // Writing into a `String` does not fail.
            if !is_absent {
                let event_type = step.kind.spec().event_type;
                let _ = write!(frames, "id: {id}\nevent: {event_type}\ndata: {}\n\n", step.payload);
            }
            match step.call {
                Some(call) if step.kind == Kind::CallStarted => {
                    state.calls.insert(
                        call.sid.clone(),
                        LiveCall { call, began: step.at, clock, whole: false },
                    );
                }
                Some(call) => drop(state.calls.remove(&call.sid)),
                None => {}
            }
        }
        if frames.is_empty() {
            return;
        }
        let batch = Batch { id, frames: frames.into() };
        state.buffer.push(batch.clone());
        // An error means that no stream is open.
        let _ = state.sender.as_ref().map(|sender| sender.send(batch));
    }

    fn state(&self) -> MutexGuard<'_, BusState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the number of batches that a stream may be behind.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is within bounds that fit; a number that is none gives the minimum"
)]
fn backlog(rate: f64) -> usize {
    let batches = (rate * BACKLOG_SECONDS).clamp(0.0, f64::from(MAX_BACKLOG)) as u16;
    batches.max(MIN_BACKLOG).into()
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::error::RecvError;

    use super::*;

    const RATE: f64 = 5.0;

    fn bus() -> Bus {
        Bus::new(RATE, usize::MAX, None, StoryFaults::default())
    }

    /// Publishes the first events of a day without pauses.
    fn published(bus: &Bus, events: usize) {
        let clock = Clock::start(5.0);
        for step in Scenario::new(1, false).take(events) {
            bus.publish(std::iter::once(step), clock);
        }
    }

    fn ids(batches: &VecDeque<Batch>) -> Vec<u64> {
        batches.iter().map(|batch| batch.id).collect()
    }

    #[test]
    fn ids_never_go_backwards_and_are_the_time() {
        let bus = bus();
        let before = Timestamp::now().as_millisecond();
        published(&bus, 500);
        let ids = ids(&bus.subscribe(Some(0)).0);
        assert_eq!(ids.len(), 500);
        assert!(ids.is_sorted());
        let first = i64::try_from(ids[0]).expect("a time");
        assert!((before..=Timestamp::now().as_millisecond()).contains(&first));
    }

    #[test]
    fn frames_have_id_event_and_data_without_the_type() {
        let bus = bus();
        published(&bus, 300);
        for batch in bus.subscribe(Some(0)).0 {
            let text = std::str::from_utf8(&batch.frames).expect("text");
            let lines: Vec<_> =
                text.strip_suffix("\n\n").expect("a blank line").split('\n').collect();
            assert_eq!(lines.len(), 3);
            assert_eq!(lines[0], format!("id: {}", batch.id));
            let kind = Kind::from_name(lines[1].strip_prefix("event: ").expect("a type"))
                .expect("a known type");
            let data: Value =
                serde_json::from_str(lines[2].strip_prefix("data: ").expect("data")).expect("JSON");
            assert_eq!(data.get("event_type"), None);
            crate::emulator::conformance::fits(kind.spec(), &data)
                .expect("a payload of the declared shape");
            for name in TIMES {
                assert!(data.get(name).is_none_or(|time| {
                    time.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok())
                }));
            }
        }
    }

    #[test]
    fn a_call_can_be_found_while_it_is_ongoing() {
        let bus = bus();
        let clock = Clock::start(5.0);
        let mut sid = None;
        for step in Scenario::new(1, false) {
            let call = step.call.clone();
            let ends = step.kind == Kind::CallEnded;
            bus.publish(std::iter::once(step), clock);
            let Some(call) = call else { continue };
            assert_eq!(bus.call(&call.sid).is_some(), !ends);
            if *sid.get_or_insert_with(|| call.sid.clone()) == call.sid && ends {
                break;
            }
        }
    }

    #[test]
    fn a_slow_stream_gets_an_error() {
        let bus = bus();
        let mut live = bus.subscribe(None).1.expect("a day that goes on");
        published(&bus, backlog(RATE) + 1);
        assert!(matches!(live.try_recv(), Err(broadcast::error::TryRecvError::Lagged(1))));
    }

    #[tokio::test]
    async fn a_closed_bus_delivers_what_it_has() {
        let bus = bus();
        let mut live = bus.subscribe(None).1.expect("a day that goes on");
        published(&bus, 2);
        bus.close();
        assert!(live.recv().await.is_ok() && live.recv().await.is_ok());
        assert!(matches!(live.recv().await, Err(RecvError::Closed)));
        let (replay, live) = bus.subscribe(Some(0));
        assert!(replay.len() == 2 && live.is_none());
    }

    #[test]
    fn the_backlog_grows_with_the_rate_within_bounds() {
        assert_eq!(backlog(0.1), 64);
        assert_eq!(backlog(50.0), 500);
        assert_eq!(backlog(1e9), 1024);
        assert_eq!(backlog(f64::NAN), 64);
    }
}
