//! Counts and measures one run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::analysis::byte_budget::{MAX_NAME_BYTES, truncated};
use crate::analysis::stats::event_millis;
use crate::analysis::stats::histogram::DurationHistogram;
use crate::analysis::stats::tally::Tally;
use crate::analysis::stats::{EventStats, call_sid};
use crate::model::catalog::{Latency, SessionInfo, SessionStart, StateTransition};
use crate::model::{Kind, Stream};
use crate::output::{Observer, OutputError};
use crate::query::EventContext;
use crate::redact::RedactedEvent;

/// The number of states that are measured separately.
const MAX_STATES: usize = 500;

/// The number of turns that are measured separately.
const MAX_TURNS: usize = 200;

/// The number of calls whose state is known at a time, of at most about 1 KiB each.
const MAX_CALLS: usize = 20_000;

/// The number of steps of a single call that are kept, of at most about 300 bytes each.
const MAX_STEPS: usize = 2_000;

/// The counts and durations of one run.
#[derive(Debug, Clone)]
pub struct RunProfile {
    /// What `evtap stats` counts.
    pub stats: EventStats,
    /// The states that calls were in, by name.
    pub states: Tally<StateProfile>,
    /// From the end of the caller's turn to the first audio, by the number of the turn.
    pub turns: Vec<DurationHistogram>,
    /// The steps of the call, as long as there is a single one.
    pub steps: Vec<CallStep>,
    /// The number of calls, as far as they are known by a SID: 0, 1, or 2 for several.
    pub calls: u8,
    wanted: Option<String>,
    first_call: Option<Box<str>>,
    sessions: HashMap<Box<str>, CallPosition>,
    /// The call that observer events without a SID belong to.
    session: Box<str>,
}

/// The measurements of one state.
#[derive(Debug, Clone, Default)]
pub struct StateProfile {
    /// How often calls entered it.
    pub entered: u64,
    /// From the end of the caller's turn to the first audio.
    pub first_audio: DurationHistogram,
}

/// One step of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallStep {
    /// The call entered this state.
    State(Box<str>),
    /// The agent called this tool, which failed or not.
    Tool(Box<str>, bool),
}

/// Where a call is.
#[derive(Debug, Clone, Default)]
struct CallPosition {
    state: Box<str>,
    turns: usize,
}

/// An observer that profiles a run.
pub struct DiffCollector(Arc<Mutex<RunProfile>>);

impl DiffCollector {
    /// Creates a collector of all events, or of those of the call with a SID.
    #[must_use]
    pub fn new(wanted: Option<String>) -> (Self, Arc<Mutex<RunProfile>>) {
        let profile = Arc::new(Mutex::new(RunProfile::new(wanted)));
        (Self(Arc::clone(&profile)), profile)
    }
}

/// Locks a profile.
pub fn lock(profile: &Mutex<RunProfile>) -> MutexGuard<'_, RunProfile> {
    profile.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for DiffCollector {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        lock(&self.0).observe(context.event);
        Ok(())
    }
}

impl RunProfile {
    fn new(wanted: Option<String>) -> Self {
        Self {
            stats: EventStats::default(),
            states: Tally::new(MAX_STATES),
            turns: Vec::new(),
            steps: Vec::new(),
            calls: 0,
            wanted,
            first_call: None,
            sessions: HashMap::new(),
            session: Box::default(),
        }
    }

    fn observe(&mut self, shown: &RedactedEvent<'_>) {
        let own = call_sid(shown);
        let is_observer = shown.stream() == Some(Stream::Observer);
        let sid: Box<str> = match own {
            Some(own) => truncated(&own, MAX_NAME_BYTES).into(),
            None if is_observer => self.session.clone(),
            None => Box::default(),
        };
        if is_observer {
            self.session.clone_from(&sid);
        }
        // What an event without a call is about, nobody knows; a gap concerns all.
        let is_wanted = self.wanted.as_deref().is_none_or(|wanted| wanted == &*sid);
        if !is_wanted && shown.kind() != Some(Kind::TapGap) {
            return;
        }
        self.stats.observe(shown, event_millis(shown));
        if !sid.is_empty() {
            self.count_call(&sid);
        }
        match shown.kind() {
            Some(Kind::SessionStart) => {
                let state = shown.read::<SessionStart>();
                let state = state.and_then(|it| it.initial_state.value().cloned());
                self.enter(sid, state.as_deref().unwrap_or_default());
            }
            Some(Kind::SessionInfo) => {
                let state = shown.read::<SessionInfo>();
                let state = state.and_then(|it| it.current_state.value().cloned());
                self.enter(sid, state.as_deref().unwrap_or_default());
            }
            Some(Kind::StateTransition) => {
                let state = shown.read::<StateTransition>();
                let state = state.and_then(|it| it.next_state.value().cloned());
                self.enter(sid, state.as_deref().unwrap_or_default());
            }
            Some(Kind::ToolCallCompleted) => {
                let text = |name| shown.field(name).and_then(|field| field.text());
                let has_failed = shown.field("succeeded").is_some_and(|it| it.json == "false");
                let name = text("tool_name").unwrap_or_default();
                self.step(CallStep::Tool(truncated(&name, MAX_NAME_BYTES).into(), has_failed));
            }
            Some(Kind::Latency) => {
                let latency = shown.read::<Latency>();
                let first_audio = latency.and_then(|it| it.e2e_ttfb_ms.value().copied());
                self.turn(sid, first_audio.unwrap_or(f64::NAN));
            }
            Some(Kind::SessionEnd) => {
                self.sessions.remove(&sid);
            }
            _ => {}
        }
    }

    fn count_call(&mut self, sid: &str) {
        match &self.first_call {
            None => {
                self.first_call = Some(sid.into());
                self.calls = 1;
            }
            Some(first) if **first != *sid => {
                self.calls = 2;
                self.steps = Vec::new();
            }
            Some(_) => {}
        }
    }

    fn enter(&mut self, sid: Box<str>, state: &str) {
        let state = truncated(state, MAX_NAME_BYTES);
        if state.is_empty() || (self.sessions.len() >= MAX_CALLS && !self.is_known(&sid)) {
            return;
        }
        let progress = self.sessions.entry(sid).or_default();
        if &*progress.state == state {
            return;
        }
        progress.state = state.into();
        self.states.entry(state).entered += 1;
        self.step(CallStep::State(state.into()));
    }

    fn is_known(&self, sid: &str) -> bool {
        self.sessions.contains_key(sid)
    }

    fn turn(&mut self, sid: Box<str>, first_audio: f64) {
        if self.sessions.len() >= MAX_CALLS && !self.is_known(&sid) {
            return;
        }
        let progress = self.sessions.entry(sid).or_default();
        let number = progress.turns;
        progress.turns += 1;
        if !progress.state.is_empty() {
            self.states.entry(&progress.state).first_audio.add(first_audio);
        }
        if number < MAX_TURNS {
            if self.turns.len() <= number {
                self.turns.resize_with(number + 1, DurationHistogram::default);
            }
            self.turns[number].add(first_audio);
        }
    }

    fn step(&mut self, step: CallStep) {
        if self.calls < 2 && self.steps.len() < MAX_STEPS {
            self.steps.push(step);
        }
    }
}
