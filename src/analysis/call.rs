//! Tracks calls from the events of the workspace and of their observers: participants, state,
//! length, outcome and transcript.

mod field_text;
pub mod transcript;

pub use field_text::text;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::catalog::{
    CallEnded, CallEscalated, CallStarted, OperatorJoinedCall, OperatorLeftCall,
    OperatorModeChanged, SessionEnd, SessionInfo, SessionStart, StateTransition,
};
use crate::model::{Declared, Kind, id_prefix};
use crate::output::stored_event::StoredEvent;
use crate::redact::RedactedEvent;
use transcript::{NoteLevel, Speaker, Transcript};

/// The number of calls that are kept. After that, the call that ended first is removed.
const MAX_CALLS: usize = 2000;

/// One call.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Inbound or outbound.
    pub direction: Option<String>,
    /// The id of the service that answers.
    pub service: Option<String>,
    /// The state of the agent.
    pub state: Option<String>,
    /// The time of the start, or else of the first event.
    pub began: Option<Timestamp>,
    /// The time of the end, and the reason.
    pub ended: Option<(Timestamp, String)>,
    /// The duration in seconds that the platform reports.
    pub seconds: Option<f64>,
    /// Whether the call was escalated to a person.
    pub escalated: bool,
    /// The mode of each operator who takes part, by id.
    pub operators: BTreeMap<String, String>,
    /// The transcript: speech, tools and notes.
    pub transcript: Transcript,
}

impl Call {
    /// Returns the duration up to `now`, in seconds.
    #[must_use]
    pub fn length(&self, now: Timestamp) -> i64 {
        let end = self.ended.as_ref().map_or(now, |(end, _)| *end);
        #[expect(clippy::cast_possible_truncation, reason = "whole seconds are what is event")]
        self.seconds.map_or_else(
            || self.began.map_or(0, |began| end.as_second() - began.as_second()),
            |seconds| seconds as i64,
        )
    }
}

/// All calls, by SID.
#[derive(Debug, Clone, Default)]
pub struct CallTracker {
    calls: BTreeMap<String, Call>,
}

impl CallTracker {
    /// Updates the call that an event belongs to. `now` is the time of an event without one.
    pub fn observe(&mut self, stored: &StoredEvent, event: &RedactedEvent<'_>, now: Timestamp) {
        let (Some(sid), Some(kind)) = (&stored.call_sid, stored.kind) else { return };
        let time = stored.time.unwrap_or(now);
        let call = self.calls.entry(sid.to_string()).or_default();
        call.observe(kind, event, time);
        if self.calls.len() > MAX_CALLS {
            let first = self.calls.iter().min_by_key(|(_, call)| {
                call.ended.as_ref().map_or(Timestamp::MAX, |(end, _)| *end)
            });
            if let Some(sid) = first.map(|(sid, _)| sid.clone()) {
                self.calls.remove(&sid);
            }
        }
    }

    /// Returns the call with a SID.
    #[must_use]
    pub fn get(&self, sid: &str) -> Option<&Call> {
        self.calls.get(sid)
    }

    /// Returns the ongoing calls, the longest first, and then the others, the last to end first.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, &Call)> {
        let mut calls: Vec<_> = self.calls.iter().map(|(sid, call)| (sid.as_str(), call)).collect();
        calls.sort_by_key(|(_, call)| match &call.ended {
            None => (false, call.began.map_or(0, Timestamp::as_millisecond)),
            Some((end, _)) => (true, -end.as_millisecond()),
        });
        calls
    }
}

impl Call {
    /// Updates the call and its transcript with an event of the call.
    pub fn observe(&mut self, kind: Kind, event: &RedactedEvent<'_>, time: Timestamp) {
        self.began.get_or_insert(time);
        self.update(kind, event, time);
        self.transcript.observe(kind, event, time);
    }

    fn update(&mut self, kind: Kind, event: &RedactedEvent<'_>, time: Timestamp) {
        fn read<T: Declared>(event: &RedactedEvent<'_>, then: impl FnOnce(T)) {
            if let Some(typed) = event.read::<T>() {
                then(typed);
            }
        }
        match kind {
            Kind::CallStarted => read(event, |it: CallStarted| {
                self.began = Some(time);
                (self.direction, self.service) = (text(&it.direction), text(&it.service_id));
                self.transcript.note(
                    time,
                    NoteLevel::Plain,
                    format!("call started, {}", text(&it.direction).unwrap_or_default()),
                );
            }),
            Kind::CallEnded => read(event, |it: CallEnded| {
                self.set_ended(
                    time,
                    text(&it.completion_reason),
                    it.duration_seconds.value().copied(),
                );
                self.escalated |= it.escalated.value().copied().unwrap_or_default();
                self.direction = text(&it.direction).or_else(|| self.direction.take());
            }),
            Kind::CallEscalated => read(event, |it: CallEscalated| {
                self.escalated = true;
                let (by, why) =
                    (text(&it.trigger).unwrap_or_default(), text(&it.reason).unwrap_or_default());
                self.transcript.note(time, NoteLevel::Warning, format!("escalated by {by}: {why}"));
            }),
            Kind::OperatorJoinedCall => read(event, |it: OperatorJoinedCall| {
                self.set_operator(time, text(&it.operator_id), text(&it.mode), "joined");
            }),
            Kind::OperatorModeChanged => read(event, |it: OperatorModeChanged| {
                self.set_operator(time, text(&it.operator_id), text(&it.mode), "changed over");
            }),
            Kind::OperatorLeftCall => read(event, |it: OperatorLeftCall| {
                if let Some(id) = text(&it.operator_id) {
                    self.operators.remove(&id);
                    self.transcript.note(
                        time,
                        NoteLevel::Plain,
                        format!("operator {} left", id_prefix(&id)),
                    );
                }
            }),
            Kind::SessionInfo => read(event, |it: SessionInfo| {
                self.direction = text(&it.direction).or_else(|| self.direction.take());
                self.service = text(&it.service_id).or_else(|| self.service.take());
                self.state = text(&it.current_state).or_else(|| self.state.take());
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "milliseconds of Unix time are whole, and fit"
                )]
                if let Some(began) = it
                    .start_time
                    .value()
                    .and_then(|at| Timestamp::from_millisecond((at * 1000.0) as i64).ok())
                {
                    self.began = Some(began);
                }
            }),
            Kind::SessionStart => read(event, |it: SessionStart| {
                self.state = text(&it.initial_state).or_else(|| self.state.take());
                self.service = text(&it.service_id).or_else(|| self.service.take());
            }),
            Kind::StateTransition => read(event, |it: StateTransition| {
                let (from, to) = (
                    text(&it.previous_state).unwrap_or_default(),
                    text(&it.next_state).unwrap_or_default(),
                );
                let remark =
                    text(&it.annotation).map(|remark| format!(" ({remark})")).unwrap_or_default();
                self.transcript.note(time, NoteLevel::State, format!("{from} → {to}{remark}"));
                self.state = Some(to);
            }),
            Kind::SessionEnd => read(event, |it: SessionEnd| {
                self.set_ended(time, text(&it.completion_reason), it.duration_s.value().copied());
                self.state = text(&it.final_state).or_else(|| self.state.take());
            }),
            _ => {}
        }
    }

    fn set_ended(&mut self, time: Timestamp, reason: Option<String>, seconds: Option<f64>) {
        let reason = reason.unwrap_or_else(|| "unknown".to_owned());
        if self.ended.is_none() {
            self.transcript.note(time, NoteLevel::Plain, format!("call ended: {reason}"));
        }
        self.ended = Some((time, reason));
        self.seconds = seconds.or(self.seconds);
    }

    fn set_operator(
        &mut self,
        time: Timestamp,
        id: Option<String>,
        mode: Option<String>,
        did: &str,
    ) {
        let (Some(id), mode) = (id, mode.unwrap_or_default()) else { return };
        self.transcript.note(
            time,
            NoteLevel::Warning,
            format!("operator {} {did}: {mode}", id_prefix(&id)),
        );
        self.operators.insert(id, mode);
    }

    /// Returns the last utterance and its speaker.
    #[must_use]
    pub fn last_said(&self) -> Option<(Speaker, &str)> {
        self.transcript.last_said()
    }
}
