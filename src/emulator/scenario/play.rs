//! One performance of a scenario in a workspace.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::events::{ScenarioEvent, ScenarioOptions};
use super::template::BuiltInValues;

use crate::emulator::cast::sid;
use crate::emulator::demo::DEMO_CALL;
use crate::model::Stream;

/// The pause between two performances of a scenario that repeats.
const PAUSE: Duration = Duration::from_secs(1);

/// A performance. Its clones are the same performance.
#[derive(Debug, Clone)]
pub(in crate::emulator) struct Play {
    options: ScenarioOptions,
    workspace: Arc<str>,
    call_sid: Arc<str>,
    origin: Instant,
    start: Timestamp,
}

impl Play {
    fn new(options: &ScenarioOptions, workspace: &str, call_sid: &str, origin: Instant) -> Self {
        let start = Timestamp::now() + origin.saturating_duration_since(Instant::now());
        Self {
            options: options.clone(),
            workspace: workspace.into(),
            call_sid: call_sid.into(),
            origin,
            start,
        }
    }

    /// Returns the SID of the call.
    pub fn call_sid(&self) -> &str {
        &self.call_sid
    }

    /// Returns the events of a stream, in order.
    pub fn events(&self, stream: Stream) -> impl Iterator<Item = &ScenarioEvent> {
        self.options.scenario.events.iter().filter(move |event| event.stream == stream)
    }

    /// Returns the real time of an event.
    pub fn due(&self, event: &ScenarioEvent) -> Instant {
        self.origin + self.scaled(event.at)
    }

    /// Returns the time of an event. It depends on nothing but the start and the scenario, so that
    /// the time between two events is the one of the scenario to the millisecond.
    pub fn time(&self, event: &ScenarioEvent) -> Timestamp {
        self.start + self.scaled(event.at)
    }

    /// Returns the payload of an event.
    pub fn payload(&self, event: &ScenarioEvent) -> String {
        event.payload.render(BuiltInValues {
            call_sid: &self.call_sid,
            workspace_id: &self.workspace,
            now: self.time(event),
            start: self.start,
        })
    }

    /// Returns when the last event is due.
    pub fn end(&self) -> Instant {
        self.options.scenario.events.last().map_or(self.origin, |event| self.due(event))
    }

    fn scaled(&self, at: Duration) -> Duration {
        at.div_f64(self.options.speed)
    }
}

/// The performances in a workspace, one after the other.
#[derive(Debug)]
pub(in crate::emulator) struct PlayState {
    options: ScenarioOptions,
    workspace: String,
    rng: StdRng,
    current: Option<Play>,
    is_running: bool,
}

impl PlayState {
    /// Creates the state before the first performance.
    pub fn new(options: ScenarioOptions, workspace: &str, seed: u64) -> Self {
        Self {
            options,
            workspace: workspace.to_owned(),
            rng: StdRng::seed_from_u64(seed),
            current: None,
            is_running: false,
        }
    }

    /// Returns whether a performance has begun.
    pub const fn has_begun(&self) -> bool {
        self.current.is_some()
    }

    /// Starts a performance of the demo call for a client, unless one is running.
    pub fn begin(&mut self) {
        if !self.is_running {
            let (options, origin) = (&self.options, Instant::now());
            self.current = Some(Play::new(options, &self.workspace, DEMO_CALL, origin));
            self.is_running = true;
        }
    }

    /// Ends the performance. Starts another one, of a new call, if the scenario repeats.
    pub fn end(&mut self) {
        if self.options.repeats {
            let call = sid("CA", &mut self.rng);
            let origin = Instant::now() + PAUSE.div_f64(self.options.speed);
            self.current = Some(Play::new(&self.options, &self.workspace, &call, origin));
        } else {
            self.is_running = false;
        }
    }

    /// Returns the performance that is running.
    pub fn running(&self) -> Option<Play> {
        self.current.clone().filter(|_| self.is_running)
    }

    /// Returns the last performance that has begun, if its call has this SID.
    pub fn call(&self, sid: &str) -> Option<Play> {
        self.current.clone().filter(|play| play.call_sid() == sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::read_scenario;

    /// Returns a state with events at 0, 40 and 100 milliseconds, of which the second is an
    /// observer's.
    fn state(speed: f64, repeats: bool) -> PlayState {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let text = "format = 1\n[[event]]\ntype = 'call.started'\n[[event]]\nafter = 40\n\
                    type = 'session_end'\n[[event]]\nafter = 60\ntype = 'call.ended'\n";
        std::fs::write(file.path(), text).expect("written");
        let scenario = Arc::new(read_scenario(file.path()).expect("a scenario"));
        PlayState::new(ScenarioOptions { scenario, speed, repeats }, "w", 1)
    }

    #[test]
    fn events_are_due_and_dated_as_the_scenario_says() {
        for (speed, expected) in [(1.0, [0, 40, 100]), (2.0, [0, 20, 50])] {
            let mut state = state(speed, false);
            state.begin();
            let play = state.running().expect("a performance");
            let events: Vec<_> = [Stream::Workspace, Stream::Observer]
                .into_iter()
                .flat_map(|stream| play.events(stream))
                .collect();
            let mut due: Vec<_> =
                events.iter().map(|event| (play.due(event) - play.origin).as_millis()).collect();
            due.sort_unstable();
            assert_eq!(due, expected);
            for event in events {
                let dated = play.time(event).duration_since(play.start);
                assert_eq!(
                    dated.as_millis(),
                    (play.due(event) - play.origin).as_millis().cast_signed()
                );
            }
            assert_eq!((play.end() - play.origin).as_millis(), expected[2]);
        }
    }

    #[test]
    fn a_performance_begins_once_and_its_call_stays_until_the_next() {
        let mut once = state(1.0, false);
        assert!(!once.has_begun() && once.call(DEMO_CALL).is_none());
        once.begin();
        let origin = once.running().expect("a performance").origin;
        once.begin();
        assert_eq!(once.running().map(|play| play.origin), Some(origin));
        once.end();
        assert!(once.running().is_none() && once.call(DEMO_CALL).is_some());

        let mut again = state(1.0, true);
        again.begin();
        again.end();
        let second = again.running().expect("another performance");
        assert!(second.call_sid() != DEMO_CALL && again.call(DEMO_CALL).is_none());
    }
}
