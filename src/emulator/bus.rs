//! The event bus: gives events their ids, keeps them for replay, and sends them to all streams.
//!
//! A stream gets its replay and its subscription under one lock, so that no event is missing
//! between the two. The receiver of a stream that falls too far behind returns an error, so a
//! stream never has a gap.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{Notify, broadcast};
use tokio::time::{Instant, sleep_until};

use super::buffer::{Batch, ReplayBuffer, ReplayMemory};
use super::day::{Clock, Day, TICK};
use super::demo::DEMO_CALL;
use super::ledger::Ledger;
use super::observed_call::{LiveCall, ObservedCall};
use super::scenario::{CheckedEvent, Play, PlayState, ScenarioEvent};
use super::stories::StoryStep;
use super::story_faults::StoryFaults;
use crate::model::{Kind, Stream};

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

/// The bus that connects the day of a clinic, or a scenario, with the streams.
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
    /// The performances of a scenario, if one is played in place of a day.
    plays: Option<PlayState>,
}

impl Bus {
    /// Creates a bus whose day has not started, for an average number of events per second. It keeps
    /// events for replays in its part of `memory`.
    pub fn new(
        rate: f64,
        memory: ReplayMemory,
        ledger: Option<Ledger>,
        absent: StoryFaults,
    ) -> Self {
        let sender = Some(broadcast::Sender::new(backlog(rate)));
        let state = BusState {
            buffer: ReplayBuffer::new(memory),
            sender,
            calls: HashMap::new(),
            ledger,
            back: (0, 0),
            absent,
            plays: None,
        };
        Self { clock: OnceLock::new(), begun: Notify::new(), state: Mutex::new(state) }
    }

    /// Creates a bus for the performances of a scenario.
    pub fn with_plays(self, plays: PlayState) -> Self {
        self.state().plays = Some(plays);
        self
    }

    /// Starts the day, unless it has started. Starts a performance of the scenario, unless one is
    /// running or the client `resumes` an earlier one.
    pub fn begin(&self, rate: f64, resumes: bool) {
        if let Some(plays) = &mut self.state().plays
            && !(resumes && plays.has_begun())
        {
            plays.begin();
        }
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

    /// Returns the call with a SID: an ongoing call of the day, or the one of the scenario.
    pub fn call(&self, sid: &str) -> Option<ObservedCall> {
        let state = self.state();
        match &state.plays {
            Some(plays) => plays.call(sid).map(ObservedCall::Scenario),
            None => state.calls.get(sid).cloned().map(ObservedCall::Live),
        }
    }

    /// Ends all streams after they have sent the published events.
    pub fn close(&self) {
        self.state().sender = None;
    }

    /// Waits for the start of the day, publishes its events on time, and returns at its end.
    pub async fn play(&self, mut day: Day) {
        let clock = loop {
            match self.clock.get() {
                Some(clock) => break *clock,
                None => self.begun.notified().await,
            }
        };
        while let Some(at) = day.next_at() {
            sleep_until(clock.when(at)).await;
            let now = clock.now();
            let due = std::iter::from_fn(|| {
                day.next_at().filter(|at| *at <= now).and_then(|_| day.next())
            });
            self.publish(due.take(MAX_BATCH), clock);
        }
    }

    /// Plays the scenario whenever a client starts a performance. Returns after the first one if it
    /// is to be played only `once`.
    pub async fn perform(&self, once: bool) {
        loop {
            let running = self.state().plays.as_ref().and_then(PlayState::running);
            let Some(play) = running else {
                self.begun.notified().await;
                continue;
            };
            let mut events = play.events(Stream::Workspace).peekable();
            while let Some(next) = events.peek() {
                sleep_until(play.due(next).max(Instant::now() + TICK)).await;
                let now = Instant::now();
                let due = std::iter::from_fn(|| events.next_if(|event| play.due(event) <= now));
                self.publish_play(&play, due.take(MAX_BATCH));
            }
            sleep_until(play.end()).await;
            if let Some(plays) = &mut self.state().plays {
                plays.end();
            }
            if once {
                return;
            }
        }
    }

    fn publish(&self, steps: impl Iterator<Item = StoryStep>, clock: Clock) {
        let mut state = self.state();
        let now = Timestamp::now();
        let id = state.next_id(now);
        let mut frames = String::new();
        for mut step in steps {
            for name in TIMES {
                if let Some(time) = step.payload.get_mut(name) {
                    *time = Value::String(format!("{now:.3}"));
                }
            }
            let event_type = step.kind.spec().event_type;
            let payload = step.payload.to_string();
            state.write(id, Some(step.kind), event_type, payload, &mut frames);
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
        state.send(id, frames);
    }

    /// Publishes events of a scenario. Those of one millisecond share their id.
    fn publish_play<'p>(&self, play: &Play, events: impl Iterator<Item = &'p ScenarioEvent>) {
        let mut state = self.state();
        let (mut last, mut id, mut frames) = (None, 0, String::new());
        for event in events {
            let time = play.time(event);
            if last != Some(time.as_millisecond()) {
                state.send(id, std::mem::take(&mut frames));
                last = Some(time.as_millisecond());
                id = state.next_id(time);
            }
            let payload = play.payload(event);
            state.write(id, event.kind, &event.event_type, payload, &mut frames);
        }
        state.send(id, frames);
    }

    /// Publishes an event now, and returns the number of streams that receive it. If it is about a
    /// call, it is about the one that began last.
    pub fn trigger(&self, workspace: &str, event: &CheckedEvent) -> usize {
        let mut state = self.state();
        let now = Timestamp::now();
        let payload = event.payload(workspace, &state.latest_call(), now);
        let (id, mut frames) = (state.next_id(now), String::new());
        let event_type = event.kind.spec().event_type;
        state.write(id, Some(event.kind), event_type, payload, &mut frames);
        state.send(id, frames);
        state.sender.as_ref().map_or(0, broadcast::Sender::receiver_count)
    }

    fn state(&self) -> MutexGuard<'_, BusState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BusState {
    /// Returns the SID of the call that began last.
    fn latest_call(&self) -> String {
        let current = self.plays.as_ref().and_then(PlayState::running);
        let latest = self.calls.values().max_by_key(|live| live.began);
        current
            .map(|play| play.call_sid().to_owned())
            .or_else(|| latest.map(|live| live.call.sid.clone()))
            .unwrap_or_else(|| DEMO_CALL.to_owned())
    }

    /// Returns the id of the next batch, for what is published at a time.
    fn next_id(&mut self, time: Timestamp) -> u64 {
        let id = self.buffer.next_id(time.as_millisecond().try_into().unwrap_or_default());
        let (milliseconds, batches) = self.back;
        if batches == 0 {
            return id;
        }
        self.back.1 -= 1;
        id.saturating_sub(milliseconds)
    }

    /// Appends the frame of an event, unless the event is absent.
    fn write(
        &mut self,
        id: u64,
        kind: Option<Kind>,
        event_type: &str,
        mut payload: String,
        frames: &mut String,
    ) {
        if kind.is_some_and(|kind| self.absent.take(kind)) {
            return;
        }
        if let Some(ledger) = &self.ledger {
            payload.truncate(payload.len().saturating_sub(1));
            let comma = if payload.len() > 1 { "," } else { "" };
            let (field, number) = (Ledger::FIELD, ledger.record(id));
            // Writing into a `String` does not fail.
            let _ = write!(payload, "{comma}\"{field}\":\"{number}\"}}");
        }
        let _ = write!(frames, "id: {id}\nevent: {event_type}\ndata: {payload}\n\n");
    }

    /// Sends a batch to all streams, and keeps it for replays.
    fn send(&mut self, id: u64, frames: String) {
        if frames.is_empty() {
            return;
        }
        let batch = Batch { id, frames: frames.into() };
        self.buffer.push(batch.clone());
        // An error means that no stream is open.
        let _ = self.sender.as_ref().map(|sender| sender.send(batch));
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
        Bus::new(RATE, ReplayMemory::default(), None, StoryFaults::default())
    }

    /// Publishes the first events of a day without pauses.
    fn published(bus: &Bus, events: usize) {
        let clock = Clock::start(5.0);
        for step in Day::new(1, false).take(events) {
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
        for step in Day::new(1, false) {
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
