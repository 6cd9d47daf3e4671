//! Builds the spans of a call from what is known of it.

use jiff::Timestamp;

use super::ids::{SpanId, TraceId};
use super::span::{
    AttributeValue, CallSpans, SpanAttributes, SpanEvent, TraceSpan, TraceTime, nanos, rfc3339,
};
use super::tools::{self, TracedTool};
use super::traced_call::TracedCall;
use super::turns::{AnswerState, TracedTurn};
use crate::analysis::latency::TurnLatency;
use crate::analysis::timeline::collect::StreamGap;
use crate::model::catalog::CallEnded;
use crate::model::catalog::value::GapReason;
use crate::model::{Declared, Model, Type};

/// The name of the platform in attributes.
const PROVIDER: &str = "amigo";

/// The value of `error.type` where the kind of error is not known (OpenTelemetry, Recording errors).
const OTHER_ERROR: &str = "_OTHER";

/// The maximum number of gaps that become events of a call.
const MAX_GAPS: usize = 100;

/// The attribute of a span whose end is unknown.
const UNFINISHED: &str = "evtap.unfinished";

/// Builds spans of one call.
struct SpanBuilder<'c> {
    call: &'c TracedCall,
    trace: TraceId,
    shift: i64,
    spans: Vec<TraceSpan>,
}

impl TracedCall {
    /// Returns the spans of the call. `gaps` are gaps in any stream. Returns `None` if no event of
    /// the call has a time.
    pub fn spans<'g>(&self, gaps: impl Iterator<Item = &'g StreamGap>) -> Option<CallSpans> {
        let derive = || TraceId::derive(self.workspace.as_deref().unwrap_or_default(), &self.sid);
        let trace = self.trace.unwrap_or_else(derive);
        let shift = self.shift.unwrap_or(0);
        let mut builder = SpanBuilder { call: self, trace, shift, spans: Vec::new() };
        builder.add_call(gaps)?;
        builder.add_turns();
        let spans = builder.spans;
        Some(CallSpans { trace, spans })
    }

    /// Returns the start and the end of the call.
    fn period(&self) -> Option<(TraceTime, TraceTime)> {
        let start = self.started.or(self.session_began).or(self.first)?;
        Some((start, self.workspace_end.or(self.observer_end).or(self.last)?))
    }

    /// Returns whether events of the call may be missing in a gap.
    fn is_affected(&self, gap: &StreamGap, shift: i64) -> bool {
        if let Some(sid) = &gap.call_sid {
            return **sid == *self.sid;
        }
        let is_other = |own: &String| gap.workspace.as_deref().is_some_and(|other| other != own);
        if self.workspace.as_ref().is_some_and(is_other) {
            return false;
        }
        let Some((start, end)) = self.period() else { return false };
        gap.to.as_millisecond() > start.millis(shift)
            && gap.from.is_none_or(|from| from.as_millisecond() < end.millis(shift))
    }

    fn is_unfinished(&self) -> bool {
        self.workspace_end.is_none() && self.observer_end.is_none()
    }

    /// Returns the reasons why something may be missing.
    fn missing(&self, gaps: usize) -> Vec<&'static str> {
        let reasons = [
            ("observer", !self.has_observer),
            ("beginning", self.has_observer && !self.has_beginning),
            ("gap", gaps > 0),
            ("memory", self.dropped() > 0),
            ("end", self.is_unfinished() || (self.has_observer && self.observer_end.is_none())),
        ];
        reasons.into_iter().filter_map(|(reason, applies)| applies.then_some(reason)).collect()
    }
}

impl SpanBuilder<'_> {
    fn id(&self, place: &str) -> SpanId {
        SpanId::derive(self.trace, &self.call.sid, place)
    }

    fn nanos(&self, at: TraceTime) -> u64 {
        at.nanos(self.shift)
    }

    fn events(&self, events: &[SpanEvent<TraceTime>]) -> Vec<SpanEvent<u64>> {
        let at_nanos = |event: &SpanEvent<TraceTime>| SpanEvent {
            at: self.nanos(event.at),
            name: event.name,
            attributes: event.attributes.clone(),
        };
        events.iter().map(at_nanos).collect()
    }

    /// Returns the attributes that connect the spans of a conversation.
    fn conversation(&self) -> SpanAttributes {
        let call = self.call;
        SpanAttributes::default()
            .with("session.id", call.session.as_ref().unwrap_or(&call.sid))
            .with("gen_ai.conversation.id", &call.sid)
    }

    fn add_call<'g>(&mut self, gaps: impl Iterator<Item = &'g StreamGap>) -> Option<()> {
        let call = self.call;
        let (start, end) = call.period()?;
        let gaps: Vec<_> = gaps.filter(|gap| call.is_affected(gap, self.shift)).collect();
        let missing = call.missing(gaps.len());
        let is_complete = missing.is_empty();
        let count = |count: u64| (count > 0).then(|| i64::try_from(count).unwrap_or(i64::MAX));
        let attributes = self
            .conversation()
            .with("gen_ai.provider.name", PROVIDER)
            .with_some("gen_ai.agent.id", call.service.as_ref())
            .with_some("evtap.workspace_id", call.workspace.as_ref())
            .with("evtap.call_sid", &call.sid)
            .with_some("evtap.call.direction", call.direction.as_ref())
            .with_some("evtap.call.completion_reason", call.reason.as_ref())
            .with_some("evtap.call.duration_seconds", call.seconds)
            .with("evtap.call.escalated", call.is_escalated)
            .with_some("evtap.call.state", call.state.as_ref())
            .with("evtap.trace.status", if is_complete { "complete" } else { "partial" })
            .with_some("evtap.trace.missing", (!is_complete).then_some(missing))
            .with_some("evtap.trace.gaps", count(gaps.len() as u64))
            .with_some("evtap.trace.dropped", count(call.dropped()))
            .with_flag(UNFINISHED, call.is_unfinished());
        let is_error = call.reason.as_deref().is_some_and(is_error_reason);
        let attributes =
            attributes.with_some("error.type", call.reason.as_ref().filter(|_| is_error));
        let gaps = gaps.iter().take(MAX_GAPS).map(|gap| self.gap_event(gap));
        let (id, start) = (self.id("call"), self.nanos(start));
        let span = TraceSpan {
            id,
            parent: None,
            name: "call".to_owned(),
            start,
            end: self.nanos(end).max(start),
            attributes,
            events: self.events(&call.events).into_iter().chain(gaps).collect(),
            is_error,
        };
        self.spans.push(span);
        Some(())
    }

    fn gap_event(&self, gap: &StreamGap) -> SpanEvent<u64> {
        let is_observer = gap.call_sid.is_some();
        let time = |at: Timestamp| {
            let millis = at.as_millisecond();
            if is_observer { TraceTime::Arrival(millis) } else { TraceTime::Platform(millis) }
        };
        let reasons = GapReason::TYPE;
        let is_declared =
            |reason: &&str| matches!(reasons, Type::Choice(all) if all.contains(reason));
        let reason = Some(&*gap.reason).filter(is_declared).unwrap_or("unknown");
        let attributes = SpanAttributes::default()
            .with("evtap.gap.stream", if is_observer { "observer" } else { "workspace" })
            .with_some("evtap.gap.from", gap.from.map(rfc3339))
            .with("evtap.gap.to", rfc3339(gap.to))
            .with("evtap.gap.certain", gap.is_certain)
            .with("evtap.gap.reason", reason);
        let at = self.nanos(time(gap.from.unwrap_or(gap.to)));
        SpanEvent { at, name: "tap.gap", attributes }
    }

    /// Adds the turns, each followed by its parts and its tools.
    fn add_turns(&mut self) {
        let call = self.call;
        let (parents, places) = (tools::parents(&call.tools), tools::places(&call.tools));
        let ids: Vec<_> = places.iter().map(|place| self.id(place)).collect();
        let mut tools_of = vec![Vec::new(); call.turns.len() + 1];
        for (at, tool) in call.tools.iter().enumerate() {
            tools_of[tool.turn.unwrap_or(call.turns.len())].push(at);
        }
        let call_id = self.id("call");
        for (index, turn) in call.turns.iter().enumerate() {
            let turn_id = self.id(&format!("turn/{index}"));
            let at = self.spans.len();
            for (number, (measured, latency)) in turn.latencies.iter().enumerate() {
                self.add_latency(
                    &format!("turn/{index}/latency/{number}"),
                    turn_id,
                    *measured,
                    latency,
                );
            }
            for tool in &tools_of[index] {
                let parent = parents[*tool].map_or(turn_id, |parent| ids[parent]);
                self.add_tool(&call.tools[*tool], ids[*tool], parent, turn.end);
            }
            let (mut start, mut end) = (self.nanos(turn.start), self.nanos(turn.end));
            for part in &self.spans[at..] {
                (start, end) = (start.min(part.start), end.max(part.end));
            }
            let is_last = index + 1 == call.turns.len();
            let span = TraceSpan {
                id: turn_id,
                parent: Some(call_id),
                name: "turn".to_owned(),
                start,
                end: end.max(start),
                attributes: self
                    .turn_attributes(index, turn)
                    .with_flag(UNFINISHED, is_last && !turn.is_finished() && call.is_unfinished()),
                events: self.events(&turn.events),
                is_error: false,
            };
            self.spans.insert(at, span);
        }
        let end = call.period().map_or(TraceTime::Platform(0), |(_, end)| end);
        for tool in &tools_of[call.turns.len()] {
            let parent = parents[*tool].map_or(call_id, |parent| ids[parent]);
            self.add_tool(&call.tools[*tool], ids[*tool], parent, end);
        }
    }

    fn turn_attributes(&self, index: usize, turn: &TracedTurn) -> SpanAttributes {
        let first_audio = turn.latencies.first().map(|(_, latency)| latency.first_audio);
        let attributes = self
            .conversation()
            .with("evtap.turn.index", i64::try_from(index).unwrap_or(i64::MAX))
            .with("evtap.turn.speaker", turn.speaker.as_deref().unwrap_or("agent"))
            .with_some("evtap.turn.first_audio_ms", first_audio.filter(|millis| *millis > 0.0))
            .with_flag("evtap.turn.greeting", turn.is_greeting)
            .with_flag("evtap.turn.interrupted", turn.is_interrupted);
        if turn.answer == AnswerState::Waiting && turn.model.is_none() {
            return attributes;
        }
        attributes
            .with("gen_ai.operation.name", "invoke_agent")
            .with("gen_ai.provider.name", PROVIDER)
            .with_some("gen_ai.agent.id", self.call.service.as_ref())
            .with_some("gen_ai.request.model", turn.model.as_ref())
            .with_some("gen_ai.usage.input_tokens", turn.input_tokens)
            .with_some("gen_ai.usage.output_tokens", turn.output_tokens)
    }

    /// Adds the parts of a latency. The first audio is heard when the event is sent; the engine
    /// begins when the caller's turn ends, navigation begins with the engine, and rendering follows
    /// it as far as the engine's time allows.
    fn add_latency(
        &mut self,
        place: &str,
        turn: SpanId,
        measured: TraceTime,
        latency: &TurnLatency,
    ) {
        let audible = self.nanos(measured);
        let [engine, navigation, render, speech, total] = [
            latency.engine,
            latency.navigation,
            latency.render,
            latency.speech,
            latency.first_audio,
        ]
        .map(nanos);
        let total = if total > 0 { total } else { engine.saturating_add(speech) };
        let began = audible.saturating_sub(total);
        let engine_id = self.id(&format!("{place}/engine"));
        let inner = if engine > 0 { engine_id } else { turn };
        let engine_end = began.saturating_add(engine);
        let rendering =
            began.saturating_add(navigation).min(engine_end.saturating_sub(render)).max(began);
        for (name, parent, start, length) in [
            ("engine", turn, began, engine),
            ("navigation", inner, began, navigation),
            ("render", inner, rendering, render),
            ("speech", turn, audible.saturating_sub(speech), speech),
        ] {
            if length > 0 {
                self.spans.push(TraceSpan {
                    id: self.id(&format!("{place}/{name}")),
                    parent: Some(parent),
                    name: name.to_owned(),
                    start,
                    end: start.saturating_add(length),
                    attributes: SpanAttributes::default(),
                    events: Vec::new(),
                    is_error: false,
                });
            }
        }
    }

    /// Adds a tool call. Without a completion it ends at `end`.
    fn add_tool(&mut self, tool: &TracedTool, id: SpanId, parent: SpanId, end: TraceTime) {
        let duration = tool.duration.map(nanos);
        let answered = tool.completed.map(|at| self.nanos(at));
        let start = match tool.started {
            Some(started) => self.nanos(started),
            None => answered.unwrap_or(0).saturating_sub(duration.unwrap_or(0)),
        };
        let end = duration
            .map(|duration| start.saturating_add(duration))
            .or(answered)
            .unwrap_or_else(|| self.nanos(end))
            .max(start);
        let name = tool.name.as_ref();
        let attributes = self
            .conversation()
            .with("gen_ai.operation.name", "execute_tool")
            .with_some("gen_ai.tool.name", name)
            .with_some("gen_ai.tool.call.id", tool.id.as_ref())
            .with_some("evtap.tool.protocol", tool.protocol.as_ref())
            .with_some("evtap.tool.integration", tool.integration.as_ref())
            .with_some("evtap.tool.endpoint", tool.endpoint.as_ref())
            .with_some("error.type", tool.has_failed.then_some(OTHER_ERROR))
            .with_flag(UNFINISHED, tool.completed.is_none());
        self.spans.push(TraceSpan {
            id,
            parent: Some(parent),
            name: name
                .map_or_else(|| "execute_tool".to_owned(), |name| format!("execute_tool {name}")),
            start,
            end,
            attributes,
            events: Vec::new(),
            is_error: tool.has_failed,
        });
    }
}

impl From<Vec<&'static str>> for AttributeValue {
    fn from(items: Vec<&'static str>) -> Self {
        Self::List(items)
    }
}

/// Returns whether a call that ended for this reason failed.
fn is_error_reason(reason: &str) -> bool {
    let field = CallEnded::SPEC.fields.iter().find(|field| field.name == "completion_reason");
    field.is_some_and(|field| field.error_values.contains(&reason))
}
