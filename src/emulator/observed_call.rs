//! A call as an observer sees it: what is sent, and when.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::day::Clock;
use super::scenario::Play;
use super::slow_tools::SlowTools;
use super::stories::StoryStep;
use super::stories::call_story::CallStory;
use super::stories::script::script;
use super::stories::session_info::{INITIAL_STATE, session_info};
use super::story_faults::StoryFaults;
use crate::model::{Kind, Stream};

/// An ongoing call of the clinic.
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

/// A call that can be observed.
pub enum ObservedCall {
    /// A call of the clinic.
    Live(LiveCall),
    /// The call of a scenario.
    Scenario(Play),
}

/// An event that an observer receives.
pub struct ObserverStep {
    /// When it is sent.
    pub due: Instant,
    /// The time since the start of the call, by the emulator's clock.
    pub at: Duration,
    /// The type on the wire.
    pub event_type: Cow<'static, str>,
    /// The declared type, if it is declared.
    pub kind: Option<Kind>,
    /// The fields: a JSON object.
    pub payload: String,
    /// Whether the ledger records it.
    pub is_recorded: bool,
}

impl ObservedCall {
    /// Returns the SID of the call.
    pub fn sid(&self) -> &str {
        match self {
            Self::Live(live) => &live.call.sid,
            Self::Scenario(play) => play.call_sid(),
        }
    }

    /// Returns what an observer who connects now receives, in order.
    pub fn steps(
        &self,
        workspace: &str,
        absent: &StoryFaults,
        slow: &SlowTools,
    ) -> VecDeque<ObserverStep> {
        let mut taken = absent.clone();
        match self {
            Self::Live(live) => live.steps(workspace, &mut taken, slow),
            Self::Scenario(play) => play
                .events(Stream::Observer)
                .filter(|event| !event.kind.is_some_and(|kind| taken.take(kind)))
                .map(|event| ObserverStep {
                    due: play.due(event),
                    at: event.at,
                    event_type: event.event_type.clone(),
                    kind: event.kind,
                    payload: with_faults(event.kind, play.payload(event), absent, slow),
                    is_recorded: true,
                })
                .collect(),
        }
    }
}

/// Applies the faults of tools to an event of a scenario. Its text stays as it is otherwise.
fn with_faults(kind: Option<Kind>, json: String, faults: &StoryFaults, slow: &SlowTools) -> String {
    let Some(kind @ Kind::ToolCallCompleted) = kind else { return json };
    let Ok(payload) = serde_json::from_str::<Value>(&json) else { return json };
    let mut step = StoryStep { at: Duration::ZERO, kind, payload: payload.clone(), call: None };
    slow.slow_down(&mut step);
    faults.time_out(&mut step);
    if step.payload == payload { json } else { step.payload.to_string() }
}

impl LiveCall {
    /// Returns how much of the call an observer who connects now has missed.
    fn missed(&self) -> Duration {
        if self.whole { Duration::ZERO } else { self.clock.now().saturating_sub(self.began) }
    }

    fn steps(
        &self,
        workspace: &str,
        absent: &mut StoryFaults,
        slow: &SlowTools,
    ) -> VecDeque<ObserverStep> {
        let elapsed = self.missed();
        let mut script = script(&self.call, workspace);
        script.retain(|step| !absent.take(step.kind));
        for step in &mut script {
            slow.slow_down(step);
            absent.time_out(step);
        }
        // The last event is sent even to an observer who connects after it.
        let last = script.len().saturating_sub(1);
        let passed = script.partition_point(|step| step.at < elapsed).min(last);
        let coming = script.split_off(passed);
        let info = session_info(&self.call, workspace, state(&script), elapsed, self.start_time());
        let info = ObserverStep {
            due: Instant::now(),
            at: elapsed,
            event_type: Kind::SessionInfo.spec().event_type.into(),
            kind: Some(Kind::SessionInfo),
            payload: info.to_string(),
            is_recorded: false,
        };
        let coming = coming.into_iter().map(|step| ObserverStep {
            due: self.clock.instant(self.began + step.at),
            at: step.at,
            event_type: step.kind.spec().event_type.into(),
            kind: Some(step.kind),
            payload: step.payload.to_string(),
            is_recorded: true,
        });
        std::iter::once(info).chain(coming).collect()
    }

    /// Returns the start of the call in seconds of Unix time.
    fn start_time(&self) -> f64 {
        let past = self.clock.since(self.began).as_secs_f64();
        let now = Timestamp::now().as_duration().as_secs_f64();
        ((now - past) * 1e3).round() / 1e3
    }
}

/// Returns the state of the agent after these steps.
fn state(passed: &[StoryStep]) -> &str {
    let transition = passed.iter().rev().find(|step| step.kind == Kind::StateTransition);
    transition.and_then(|step| step.payload["next_state"].as_str()).unwrap_or(INITIAL_STATE)
}
