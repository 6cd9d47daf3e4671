//! Keeps what the spans of one call need, from its events in the order of their arrival.
//!
//! Events of the workspace count up to `call.ended`, and events of the observer up to `session_end`,
//! so that the spans do not depend on when they are built.

use super::ids::TraceId;
use super::open_fields::OpenFields;
use super::span::{MAX_MILLIS, SpanAttributes, SpanEvent, TraceTime};
use super::tools::{self, TracedTool};
use super::turns::{AnswerState, LATENCY_BYTES, TURN_BYTES, TracedTurn};
use crate::analysis::byte_budget::ByteBudget;
use crate::analysis::latency::TurnLatency;
use crate::analysis::timeline::{EventTimes, delay, smaller};
use crate::model::catalog::Latency;
use crate::model::{Kind, Stream};
use crate::redact::RedactedEvent;

/// The memory of a call, in bytes: room for some 3,000 turns.
const MAX_CALL_BYTES: usize = 8 << 20;

/// The memory of a call besides its turns, tools and events, in bytes.
const CALL_BYTES: usize = 4096;

/// The role of a speaker who is not described.
const CALLER: &str = "caller";

/// The state of a call that its spans are built from.
pub struct TracedCall {
    pub(super) sid: String,
    pub(super) workspace: Option<String>,
    pub(super) session: Option<String>,
    pub(super) trace: Option<TraceId>,
    pub(super) service: Option<String>,
    pub(super) direction: Option<String>,
    pub(super) state: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) seconds: Option<f64>,
    pub(super) is_escalated: bool,
    /// The smallest difference between the arrival and the time of an event of the workspace.
    pub(super) shift: Option<i64>,
    /// The time of `call.started`.
    pub(super) started: Option<TraceTime>,
    /// The start according to the first `session_info`.
    pub(super) session_began: Option<TraceTime>,
    /// Whether the observer saw the beginning.
    pub(super) has_beginning: bool,
    pub(super) first: Option<TraceTime>,
    pub(super) last: Option<TraceTime>,
    /// The time of `call.ended`.
    pub(super) workspace_end: Option<TraceTime>,
    /// The time of `session_end`.
    pub(super) observer_end: Option<TraceTime>,
    pub(super) turns: Vec<TracedTurn>,
    pub(super) tools: Vec<TracedTool>,
    /// The events outside of turns.
    pub(super) events: Vec<SpanEvent<TraceTime>>,
    pub(super) budget: ByteBudget,
    /// The number of events that were left out before they came here.
    left_out: u64,
    last_arrival: Option<TraceTime>,
    /// The turn that was interrupted, until its transcript arrives.
    interrupted: Option<usize>,
    pub(super) has_observer: bool,
}

impl TracedCall {
    /// Creates the state of a call of which nothing is known.
    #[must_use]
    pub fn new(sid: &str) -> Self {
        Self {
            sid: sid.to_owned(),
            workspace: None,
            session: None,
            trace: None,
            service: None,
            direction: None,
            state: None,
            reason: None,
            seconds: None,
            is_escalated: false,
            shift: None,
            started: None,
            session_began: None,
            has_beginning: false,
            first: None,
            last: None,
            workspace_end: None,
            observer_end: None,
            turns: Vec::new(),
            tools: Vec::new(),
            events: Vec::new(),
            budget: ByteBudget::new(MAX_CALL_BYTES),
            left_out: 0,
            last_arrival: None,
            interrupted: None,
            has_observer: false,
        }
    }

    /// Returns whether events of this kind contribute to a trace.
    #[must_use]
    pub const fn uses(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::AgentTranscript
                | Kind::AgentTranscriptDelta
                | Kind::BargeIn
                | Kind::CallEnded
                | Kind::CallEscalated
                | Kind::CallStarted
                | Kind::ForwardCallResolved
                | Kind::Latency
                | Kind::NavTiming
                | Kind::OperatorJoinedCall
                | Kind::OperatorLeftCall
                | Kind::OperatorModeChanged
                | Kind::ParticipantJoined
                | Kind::ParticipantLeft
                | Kind::SessionEnd
                | Kind::SessionInfo
                | Kind::SessionStart
                | Kind::SpeakerMuted
                | Kind::StateTransition
                | Kind::ToolCallCompleted
                | Kind::ToolCallStarted
                | Kind::UserTranscript
        )
    }

    /// Returns whether both streams have ended.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.workspace_end.is_some() && self.observer_end.is_some()
    }

    /// Returns the approximate memory use, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        CALL_BYTES + self.budget.used()
    }

    /// Counts events of the call that could not be kept until now.
    pub const fn add_left_out(&mut self, events: u64) {
        self.left_out += events;
    }

    /// Returns the number of events that are missing because of limits in memory.
    pub(super) const fn dropped(&self) -> u64 {
        self.left_out + self.budget.missing()
    }

    /// Adds an event of the call.
    pub fn observe(&mut self, event: &RedactedEvent<'_>) {
        let Some(kind) = event.kind().filter(|kind| Self::uses(*kind)) else { return };
        let is_observer = event.stream() == Some(Stream::Observer);
        let end = if is_observer { self.observer_end } else { self.workspace_end };
        if end.is_some() {
            return;
        }
        let tap = event.tap();
        if is_observer {
            self.has_observer = true;
        } else {
            self.shift = smaller(self.shift, delay(tap));
        }
        if self.workspace.is_none() {
            self.workspace.clone_from(&tap.workspace_id);
        }
        // An event without a time gets that of the event before it.
        let Some(at) = TraceTime::new(EventTimes::new(tap)).or(self.last) else { return };
        let at = at.after(self.last_arrival);
        if let TraceTime::Arrival(_) = at {
            self.last_arrival = Some(at);
        }
        self.first.get_or_insert(at);
        self.last = Some(at);
        self.add(kind, event, at);
    }

    fn add(&mut self, kind: Kind, event: &RedactedEvent<'_>, at: TraceTime) {
        let fields = OpenFields(event);
        match kind {
            Kind::CallStarted | Kind::SessionInfo | Kind::SessionStart => {
                self.add_beginning(kind, &fields, at);
            }
            Kind::CallEnded | Kind::SessionEnd => self.add_end(kind, &fields, at),
            Kind::UserTranscript => self.add_words(&fields, at),
            Kind::AgentTranscript => self.add_answer(&fields, at),
            Kind::AgentTranscriptDelta => {
                if let Some(turn) = self.turn(at, |_| true) {
                    turn.begin_answer();
                }
            }
            Kind::Latency => {
                if let Some(latency) = event.read::<Latency>() {
                    self.add_latency(&latency, &fields, at);
                }
            }
            Kind::NavTiming => {
                if let Some(turn) = self.turn(at, |turn| !turn.is_finished()) {
                    turn.add_model_use(&fields);
                }
            }
            Kind::ToolCallStarted => {
                let started = Some(at);
                self.add_tool(TracedTool { started, ..TracedTool::new(&fields, self.newest()) });
            }
            Kind::ToolCallCompleted => {
                let answer = TracedTool {
                    completed: Some(at),
                    duration: fields.number("duration_ms").filter(|millis| *millis >= 0.0),
                    has_failed: fields.boolean("succeeded") == Some(false),
                    ..TracedTool::new(&fields, self.newest())
                };
                if let Some(tool) = tools::complete(&mut self.tools, answer) {
                    self.add_tool(tool);
                }
            }
            _ => self.add_event(kind, &fields, at),
        }
    }

    fn add_beginning(&mut self, kind: Kind, fields: &OpenFields<'_, '_>, at: TraceTime) {
        let or = |known: &mut Option<String>, name: &str| {
            *known = fields.text(name).or_else(|| known.take());
        };
        or(&mut self.service, "service_id");
        match kind {
            Kind::CallStarted => {
                self.started = Some(at);
                or(&mut self.direction, "direction");
            }
            Kind::SessionInfo => {
                or(&mut self.direction, "direction");
                or(&mut self.state, "current_state");
                or(&mut self.workspace, "workspace_id");
                let passed = fields.number("duration_seconds").map(|seconds| seconds * 1e3);
                if self.session_began.is_none()
                    && let Some(passed) =
                        passed.filter(|passed| (0.0..=MAX_MILLIS).contains(passed))
                {
                    #[expect(clippy::cast_possible_truncation, reason = "at most a day")]
                    let passed = passed.round() as i64;
                    self.session_began = Some(at.earlier(passed));
                }
            }
            _ => {
                self.has_beginning = true;
                or(&mut self.session, "session_id");
                or(&mut self.state, "initial_state");
                or(&mut self.workspace, "workspace_id");
                let trace = fields.whole_text("trace_id");
                self.trace = trace.and_then(|trace| TraceId::parse(&trace)).or(self.trace);
            }
        }
    }

    fn add_end(&mut self, kind: Kind, fields: &OpenFields<'_, '_>, at: TraceTime) {
        self.reason = fields.text("completion_reason").or_else(|| self.reason.take());
        if kind == Kind::CallEnded {
            self.workspace_end = Some(at);
            self.seconds = fields.number("duration_seconds").or(self.seconds);
            self.is_escalated |= fields.is_true("escalated");
            self.direction = fields.text("direction").or_else(|| self.direction.take());
        } else {
            self.observer_end = Some(at);
            self.seconds = self.seconds.or_else(|| fields.number("duration_s"));
            self.session = fields.text("session_id").or_else(|| self.session.take());
            self.state = fields.text("final_state").or_else(|| self.state.take());
        }
    }

    /// Returns the index of the last turn.
    fn newest(&self) -> Option<usize> {
        self.turns.len().checked_sub(1)
    }

    /// Returns the last turn if it `is_meant`, or else a new one that the agent begins, and extends
    /// it. Returns `None` if there is no room for a new one.
    fn turn(
        &mut self,
        at: TraceTime,
        is_meant: impl Fn(&TracedTurn) -> bool,
    ) -> Option<&mut TracedTurn> {
        if !self.turns.last().is_some_and(is_meant) {
            self.add_turn(TracedTurn::new(at, None))?;
        }
        let turn = self.turns.last_mut()?;
        turn.end = at;
        Some(turn)
    }

    fn add_turn(&mut self, turn: TracedTurn) -> Option<()> {
        let bytes = TURN_BYTES + turn.speaker.as_ref().map_or(0, String::len);
        self.budget.take(bytes).then(|| self.turns.push(turn))
    }

    /// Adds words of the caller or an operator.
    fn add_words(&mut self, fields: &OpenFields<'_, '_>, at: TraceTime) {
        let speaker = fields.text("speaker_role").unwrap_or_else(|| CALLER.to_owned());
        match self.turns.last_mut() {
            Some(turn) if turn.continues(&speaker) => turn.end = at,
            last => {
                let is_cut = last.is_some_and(|turn| turn.answer == AnswerState::Begun);
                let interrupted = self.newest().filter(|_| is_cut);
                if self.add_turn(TracedTurn::new(at, Some(speaker))).is_some() {
                    self.interrupted = interrupted;
                }
            }
        }
    }

    /// Adds the complete words of the agent.
    fn add_answer(&mut self, fields: &OpenFields<'_, '_>, at: TraceTime) {
        let is_filler = fields.text("filler_type").is_some()
            || fields.text("action").as_deref() == Some("filler");
        if is_filler {
            self.turn(at, |_| true);
            return;
        }
        let interrupted = self.interrupted.take().and_then(|at| self.turns.get_mut(at));
        let turn = match interrupted {
            Some(turn) => Some(turn),
            None => self.turn(at, |_| true),
        };
        let Some(turn) = turn else { return };
        (turn.end, turn.answer) = (at, AnswerState::Finished);
        turn.is_interrupted |= fields.is_true("interrupted");
    }

    fn add_latency(&mut self, latency: &Latency, fields: &OpenFields<'_, '_>, at: TraceTime) {
        let continues = fields.is_true("continuation");
        let has_room = self.budget.take(LATENCY_BYTES);
        // The agent may speak before its latency arrives, but each answer has only one.
        let is_meant =
            |turn: &TracedTurn| continues || !turn.is_finished() || turn.latencies.is_empty();
        let Some(turn) = self.turn(at, is_meant) else { return };
        turn.begin_answer();
        turn.is_greeting |= fields.is_true("is_greeting");
        if has_room {
            turn.latencies.push((at, TurnLatency::from(latency)));
        }
    }

    fn add_tool(&mut self, tool: TracedTool) {
        if self.budget.take(tool.bytes()) {
            self.tools.push(tool);
        }
    }

    /// Adds an event that becomes an event of a span: of the turn in which it happens if it is about
    /// the conversation, or else of the call.
    fn add_event(&mut self, kind: Kind, fields: &OpenFields<'_, '_>, at: TraceTime) {
        let attributes = event_attributes(kind, fields);
        let event = SpanEvent { at, name: kind.spec().event_type, attributes };
        match kind {
            Kind::StateTransition => {
                self.state = fields.text("next_state").or_else(|| self.state.take());
            }
            Kind::CallEscalated => self.is_escalated = true,
            _ => {}
        }
        if !self.budget.take(2 * (size_of_val(&event) + event.attributes.bytes())) {
            return;
        }
        match self.turns.last_mut() {
            Some(turn) if matches!(kind, Kind::BargeIn | Kind::StateTransition) => {
                turn.end = at;
                turn.is_interrupted |= kind == Kind::BargeIn;
                turn.events.push(event);
            }
            _ => self.events.push(event),
        }
    }
}

fn event_attributes(kind: Kind, fields: &OpenFields<'_, '_>) -> SpanAttributes {
    let attributes = SpanAttributes::default();
    match kind {
        Kind::StateTransition => attributes
            .with_some("evtap.state.previous", fields.text("previous_state").as_ref())
            .with_some("evtap.state.next", fields.text("next_state").as_ref())
            .with_some("evtap.state.transition_type", fields.text("transition_type").as_ref()),
        Kind::BargeIn => {
            attributes.with_some("evtap.barge_in.total", fields.integer("total_barge_ins"))
        }
        Kind::CallEscalated => {
            attributes.with_some("evtap.escalation.trigger", fields.text("trigger").as_ref())
        }
        Kind::OperatorJoinedCall | Kind::OperatorModeChanged => {
            attributes.with_some("evtap.operator.mode", fields.text("mode").as_ref())
        }
        Kind::ParticipantJoined | Kind::ParticipantLeft => {
            attributes.with_some("evtap.participant.role", fields.text("participant_role").as_ref())
        }
        Kind::SpeakerMuted => attributes.with_some("evtap.muted", fields.boolean("muted")),
        _ => attributes,
    }
}
