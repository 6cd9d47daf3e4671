//! Counts and measures one run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::analysis::byte_budget::{ByteBudget, MAX_NAME_BYTES, truncated};
use crate::analysis::stats::event_millis;
use crate::analysis::stats::histogram::DurationHistogram;
use crate::analysis::stats::tally::Tally;
use crate::analysis::stats::{EventStats, call_sid};
use crate::model::catalog::{Latency, SessionInfo, SessionStart, StateTransition};
use crate::model::{Kind, Stream};
use crate::output::{Observer, OutputError};
use crate::query::EventContext;
use crate::redact::RedactedEvent;

/// The memory for the states and turns that are measured, in bytes. A histogram that is within the
/// limit may exceed it once, by 256 KiB at most.
const MEASUREMENT_BYTES: usize = 8 << 20;

/// The memory for the calls whose position is known, in bytes: some 30,000 calls.
const CALL_BYTES: usize = 8 << 20;

/// The memory for the steps of a single call, in bytes: some 8,000 steps.
const STEP_BYTES: usize = 512 << 10;

/// The memory of an entry of a map besides its content, in bytes: the entry in a table that may be
/// half empty.
const ENTRY_BYTES: usize = 2 * size_of::<(Box<str>, CallPosition)>();

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
    budgets: Budgets,
}

/// The memory that a profile may use, and how much of it is in use.
#[derive(Debug, Clone)]
struct Budgets {
    measurements: ByteBudget,
    calls: ByteBudget,
    steps: ByteBudget,
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

fn lock(profile: &Mutex<RunProfile>) -> MutexGuard<'_, RunProfile> {
    profile.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a profile that is complete, and leaves an empty one.
#[must_use]
pub fn take(profile: &Mutex<RunProfile>) -> RunProfile {
    std::mem::replace(&mut *lock(profile), RunProfile::new(None))
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
            states: Tally::new(usize::MAX),
            turns: Vec::new(),
            steps: Vec::new(),
            calls: 0,
            wanted,
            first_call: None,
            sessions: HashMap::new(),
            session: Box::default(),
            budgets: Budgets {
                measurements: ByteBudget::new(MEASUREMENT_BYTES),
                calls: ByteBudget::new(CALL_BYTES),
                steps: ByteBudget::new(STEP_BYTES),
            },
        }
    }

    /// Returns the number of states, turns and steps that are left out to limit memory.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        let Budgets { measurements, calls, steps } = &self.budgets;
        measurements.missing() + calls.missing() + steps.missing()
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
                if let Some((sid, position)) = self.sessions.remove_entry(&sid) {
                    self.budgets.calls.replace(call_bytes(&sid, &position.state), 0);
                }
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
                self.budgets.steps = ByteBudget::new(STEP_BYTES);
            }
            Some(_) => {}
        }
    }

    fn enter(&mut self, sid: Box<str>, state: &str) {
        let state = truncated(state, MAX_NAME_BYTES);
        if state.is_empty() {
            return;
        }
        let Some(position) = self.position(sid) else { return };
        if &*position.state == state {
            return;
        }
        let before = std::mem::replace(&mut position.state, state.into());
        self.budgets.calls.replace(before.len(), state.len());
        if self.has_room_for(state) {
            self.states.entry(state).entered += 1;
        }
        self.step(CallStep::State(state.into()));
    }

    /// Returns the position of a call; `None` if there is no room for another call.
    fn position(&mut self, sid: Box<str>) -> Option<&mut CallPosition> {
        if !self.sessions.contains_key(&sid) && !self.budgets.calls.take(call_bytes(&sid, "")) {
            return None;
        }
        Some(self.sessions.entry(sid).or_default())
    }

    /// Whether a state is measured or can be from now on.
    fn has_room_for(&mut self, state: &str) -> bool {
        let entry = 2 * size_of::<(Box<str>, StateProfile)>() + state.len();
        self.states.get(state).is_some() || self.budgets.measurements.take(entry)
    }

    fn turn(&mut self, sid: Box<str>, first_audio: f64) {
        let Some(position) = self.position(sid) else { return };
        let (number, state) = (position.turns, position.state.clone());
        position.turns += 1;
        if !state.is_empty() && self.has_room_for(&state) {
            let durations = &mut self.states.entry(&state).first_audio;
            measure(durations, first_audio, &mut self.budgets.measurements);
        }
        if number == self.turns.len()
            && self.budgets.measurements.take(2 * size_of::<DurationHistogram>())
        {
            self.turns.push(DurationHistogram::default());
        }
        if let Some(durations) = self.turns.get_mut(number) {
            measure(durations, first_audio, &mut self.budgets.measurements);
        }
    }

    fn step(&mut self, step: CallStep) {
        if self.calls < 2 && self.budgets.steps.take(step_bytes(&step)) {
            self.steps.push(step);
        }
    }
}

fn call_bytes(sid: &str, state: &str) -> usize {
    ENTRY_BYTES + sid.len() + state.len()
}

fn step_bytes(step: &CallStep) -> usize {
    let (CallStep::State(name) | CallStep::Tool(name, _)) = step;
    2 * size_of::<CallStep>() + name.len()
}

/// Adds a duration as long as there is room.
fn measure(durations: &mut DurationHistogram, millis: f64, budget: &mut ByteBudget) {
    // Without room for another byte the duration is counted as missing.
    if budget.used() >= budget.limit() {
        budget.evict(0);
        return;
    }
    let before = durations.bytes();
    durations.add(millis);
    budget.replace(before, durations.bytes());
}
