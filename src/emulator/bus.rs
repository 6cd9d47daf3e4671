//! From the scenario to whoever listens: events get their ids here, are kept for replay, and go out to all streams.
//!
//! A stream is subscribed and given its replay under one lock, so that nothing is missing between the two. One that falls
//! too far behind is told so by its receiver; it is never left with a hole.

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
use crate::model::Kind;

/// How many batches a stream may be behind: a second and more, however high the rate.
const BACKLOG: usize = 1024;
/// How many batches have low ids once the clock was set back.
const BACKWARDS: u32 = 3;
/// How many events are published together at most.
const BATCH: usize = 512;
/// The fields that hold the time at which the event is published.
const TIMES: &[&str] = &["timestamp", "submitted_at"];

/// A call that goes on.
#[derive(Debug, Clone)]
pub struct LiveCall {
    /// The call.
    pub call: Arc<CallStory>,
    /// When it began, by the clock.
    pub began: Duration,
    /// The clock.
    pub clock: Clock,
    /// Whether it is played from its beginning for each observer.
    pub whole: bool,
}

impl LiveCall {
    /// How much of it an observer who comes now has missed.
    pub fn missed(&self) -> Duration {
        if self.whole { Duration::ZERO } else { self.clock.now().saturating_sub(self.began) }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Bus {
    clock: OnceLock<Clock>,
    begun: Notify,
    state: Mutex<BusState>,
}

#[derive(Debug)]
struct BusState {
    buffer: ReplayBuffer,
    /// `None` when the day is over.
    sender: Option<broadcast::Sender<Batch>>,
    calls: HashMap<String, LiveCall>,
    ledger: Option<Ledger>,
    /// By how many milliseconds the ids of the next batches are lower, and how many batches.
    back: (u64, u32),
}

impl Bus {
    /// A bus on which nothing happens yet.
    pub fn new(ledger: Option<Ledger>) -> Self {
        let sender = Some(broadcast::Sender::new(BACKLOG));
        let state = BusState {
            buffer: ReplayBuffer::default(),
            sender,
            calls: HashMap::new(),
            ledger,
            back: (0, 0),
        };
        Self { clock: OnceLock::new(), begun: Notify::new(), state: Mutex::new(state) }
    }

    /// Lets the day begin, unless it has.
    pub fn begin(&self, rate: f64) {
        self.clock.get_or_init(|| Clock::start(rate));
        self.begun.notify_one();
    }

    /// What was published after that id, and what will be; the latter is `None` when the day is over.
    pub fn subscribe(
        &self,
        after: Option<u64>,
    ) -> (VecDeque<Batch>, Option<broadcast::Receiver<Batch>>) {
        let state = self.state();
        let replay = after.map(|id| state.buffer.after(id)).unwrap_or_default();
        (replay, state.sender.as_ref().map(broadcast::Sender::subscribe))
    }

    /// Forgets what was published, as a restart does.
    pub fn forget(&self) {
        self.state().buffer.clear();
    }

    /// Sets the clock of the ids back for a few batches.
    pub fn go_back(&self, milliseconds: u64) {
        self.state().back = (milliseconds, BACKWARDS);
    }

    /// The call of that SID, if it goes on right now.
    pub fn call(&self, sid: &str) -> Option<LiveCall> {
        self.state().calls.get(sid).cloned()
    }

    /// Ends all streams once they have sent what is published.
    pub fn close(&self) {
        self.state().sender = None;
    }

    /// Publishes a day as time goes by, as soon as it begins, and returns when it is over.
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
            self.publish(due.take(BATCH), clock);
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
            for name in TIMES {
                if let Some(time) = step.payload.get_mut(name) {
                    *time = Value::String(format!("{now:.3}"));
                }
            }
            if let Some(ledger) = &state.ledger {
                step.payload[Ledger::FIELD] = Value::String(ledger.enter(id));
            }
            // Writing into a string does not fail.
            let _ = write!(
                frames,
                "id: {id}\nevent: {}\ndata: {}\n\n",
                step.kind.spec().event_type,
                step.payload
            );
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
        // Nobody may be listening.
        let _ = state.sender.as_ref().map(|sender| sender.send(batch));
    }

    fn state(&self) -> MutexGuard<'_, BusState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::error::RecvError;

    use super::*;

    /// Plays so many events of a day without its pauses.
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
        let bus = Bus::new(None);
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
        let bus = Bus::new(None);
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
    fn a_call_can_be_found_while_it_goes_on() {
        let bus = Bus::new(None);
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
    fn a_stream_that_is_too_slow_is_told_so() {
        let bus = Bus::new(None);
        let mut live = bus.subscribe(None).1.expect("a day that goes on");
        published(&bus, BACKLOG + 1);
        assert!(matches!(live.try_recv(), Err(broadcast::error::TryRecvError::Lagged(1))));
    }

    #[tokio::test]
    async fn a_closed_bus_delivers_what_it_has() {
        let bus = Bus::new(None);
        let mut live = bus.subscribe(None).1.expect("a day that goes on");
        published(&bus, 2);
        bus.close();
        assert!(live.recv().await.is_ok() && live.recv().await.is_ok());
        assert!(matches!(live.recv().await, Err(RecvError::Closed)));
        let (replay, live) = bus.subscribe(Some(0));
        assert!(replay.len() == 2 && live.is_none());
    }
}
