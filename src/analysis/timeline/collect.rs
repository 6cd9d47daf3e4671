//! Collects the events of one call, or a summary of every call.

use std::any::Any;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::call_event::{CallEvent, EventTimes, delay, outcome, own_sid, smaller};
use super::calls::{CallList, CallMatch, WantedCall};
use super::tally::{TimelinePart, TimelineTally};
use crate::analysis::byte_budget::{ByteBudget, MAX_NAME_BYTES, truncate};
use crate::error::{Error, Exit, Result};
use crate::model::catalog::TapGap;
use crate::model::{Field, Kind, Stream, Time, parse_time};
use crate::output::{Observer, ObserverTally, OutputError};
use crate::query::EventContext;
use crate::redact::RedactedEvent;

/// The memory for the events of a call, in bytes.
const MAX_EVENT_BYTES: usize = 64 << 20;

/// The memory that an event takes besides its text while the timeline is built, in bytes.
const EVENT_BYTES: usize = 1024;

/// The memory for the gaps, in bytes.
const MAX_GAP_BYTES: usize = 4 << 20;

/// The memory that a gap takes besides its texts while the timeline is built, in bytes.
const GAP_BYTES: usize = 512;

/// A gap in a stream.
pub struct StreamGap {
    /// The stream with the gap.
    pub stream: Option<Stream>,
    /// The SID of the call that the stream belongs to.
    pub call_sid: Option<Box<str>>,
    /// The workspace that the stream belongs to.
    pub workspace: Option<Box<str>>,
    /// The time up to which the stream is complete.
    pub from: Option<Timestamp>,
    /// The time from which the stream is complete again.
    pub to: Timestamp,
    /// Whether events are missing for certain.
    pub is_certain: bool,
    /// The reason of the gap.
    pub reason: String,
    /// The number of kept events of the call that arrived before it.
    pub after: usize,
}

impl StreamGap {
    /// Reads a gap. Returns `None` if it does not say when it ended.
    #[must_use]
    pub fn new(shown: &RedactedEvent<'_>) -> Option<Self> {
        let parse = |field: &Field<Time>| parse_time(&field.value()?.0);
        let gap = shown.read::<TapGap>()?;
        let mut reason = gap
            .reason
            .value()
            .map_or_else(|| "unknown".to_owned(), |reason| reason.expose().to_owned());
        truncate(&mut reason, MAX_NAME_BYTES);
        Some(Self {
            stream: shown.stream(),
            call_sid: own_sid(shown).map(|sid| (*sid).into()),
            workspace: shown.tap().workspace_id.as_deref().map(Into::into),
            from: parse(&gap.from),
            to: parse(&gap.to)?,
            is_certain: gap.certain.value() == Some(&true),
            reason,
            after: 0,
        })
    }

    /// Returns the approximate memory use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let length = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        GAP_BYTES + self.reason.len() + length(&self.call_sid) + length(&self.workspace)
    }
}

/// The events and gaps of one call, or the list of all calls.
pub struct CollectedEvents {
    /// The call that is asked for. `None` collects only summaries.
    wanted: Option<WantedCall>,
    /// The summaries of all calls, if none is asked for.
    pub calls: CallList,
    /// The events of the wanted call, in the order of their arrival.
    pub events: Vec<CallEvent>,
    /// The gaps in the streams that may concern the wanted call.
    pub gaps: Vec<StreamGap>,
    /// The smallest difference between the arrival and the time of an event, in milliseconds. Two
    /// clocks are involved, so it may be negative.
    pub shift: Option<i64>,
    event_budget: ByteBudget,
    gap_budget: ByteBudget,
    /// The call that observer events without a SID belong to.
    session: Option<Box<str>>,
}

/// An observer that collects the events of a call.
pub struct TimelineCollector(Arc<Mutex<CollectedEvents>>);

impl TimelineCollector {
    /// Creates a collector of the call whose SID starts with `wanted`, or of summaries alone.
    #[must_use]
    pub fn new(wanted: Option<String>) -> (Self, Arc<Mutex<CollectedEvents>>) {
        let collected = Arc::new(Mutex::new(CollectedEvents::new(wanted)));
        (Self(Arc::clone(&collected)), collected)
    }
}

/// Locks the collected events.
pub fn lock(collected: &Mutex<CollectedEvents>) -> MutexGuard<'_, CollectedEvents> {
    collected.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for TimelineCollector {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        lock(&self.0).observe(context.event);
        Ok(())
    }

    fn tally(&self) -> Option<Box<dyn ObserverTally>> {
        let wanted = lock(&self.0).wanted.as_ref().map(|wanted| wanted.start.clone());
        Some(Box::new(TimelineTally::new(wanted)))
    }

    fn can_merge(&self, counts: &(dyn Any + Send)) -> bool {
        let Some(part) = counts.downcast_ref::<TimelinePart>() else { return false };
        let collected = lock(&self.0);
        collected.wanted.is_some()
            || collected.calls.has_room(&part.calls, part.texts(collected.session.as_deref()))
    }

    fn merge(&mut self, counts: &(dyn Any + Send)) -> io::Result<()> {
        if let Some(part) = counts.downcast_ref() {
            lock(&self.0).merge(part);
        }
        Ok(())
    }
}

impl CollectedEvents {
    fn new(wanted: Option<String>) -> Self {
        Self {
            wanted: wanted.map(WantedCall::new),
            calls: CallList::default(),
            events: Vec::new(),
            gaps: Vec::new(),
            shift: None,
            event_budget: ByteBudget::new(MAX_EVENT_BYTES),
            gap_budget: ByteBudget::new(MAX_GAP_BYTES),
            session: None,
        }
    }

    fn observe(&mut self, shown: &RedactedEvent<'_>) {
        self.shift = smaller(self.shift, delay(shown.tap()));
        if shown.kind() == Some(Kind::TapGap) {
            return self.add_gap(shown);
        }
        let Some(sid) = self.sid(shown) else { return };
        let Some(wanted) = &mut self.wanted else {
            self.calls.add(&sid, EventTimes::new(shown.tap()));
            if let Some(outcome) = outcome(shown) {
                self.calls.end(&sid, outcome);
            }
            return;
        };
        if wanted.observe(&sid) {
            self.add(CallEvent::new(shown, Some(sid)));
        }
    }

    /// Keeps an event of the wanted call.
    fn add(&mut self, event: CallEvent) {
        if self.event_budget.take(EVENT_BYTES + event.stored.bytes()) {
            self.events.push(event);
        }
    }

    /// Adds what a worker has collected.
    fn merge(&mut self, part: &TimelinePart) {
        self.shift = smaller(self.shift, part.shift);
        if let (Some(wanted), Some(part)) = (&mut self.wanted, &part.wanted) {
            wanted.merge(part);
        }
        for event in &part.events {
            let mut event = event.clone();
            if event.stored.call_sid.is_none() {
                let (Some(wanted), Some(sid)) = (&mut self.wanted, &self.session) else { continue };
                if !wanted.observe(sid) {
                    continue;
                }
                event.stored.call_sid = Some(sid.clone());
            }
            self.add(event);
        }
        self.calls.merge(&part.calls);
        if let Some(sid) = &self.session {
            part.bare.iter().for_each(|times| self.calls.add(sid, *times));
        }
        for (sid, outcome) in &part.outcomes {
            if let Some(sid) = sid.as_ref().or(self.session.as_ref()) {
                self.calls.end(sid, outcome.clone());
            }
        }
        if let Some(session) = &part.session {
            self.session = session.as_deref().map(Into::into);
        }
    }

    fn add_gap(&mut self, shown: &RedactedEvent<'_>) {
        let Some(wanted) = &self.wanted else { return };
        let Some(mut gap) = StreamGap::new(shown) else { return };
        gap.after = self.events.len();
        let is_of_call = gap.call_sid.as_ref().is_none_or(|sid| sid.starts_with(&wanted.start));
        if is_of_call && self.gap_budget.take(gap.bytes()) {
            self.gaps.push(gap);
        }
    }

    /// Returns the SID of an event's call. Events of an observer may lack it; they belong to the
    /// session that was announced last.
    fn sid(&mut self, shown: &RedactedEvent<'_>) -> Option<Box<str>> {
        let own = own_sid(shown).map(|sid| (*sid).into());
        if shown.stream() != Some(Stream::Observer) {
            return own;
        }
        let sid = own.or_else(|| self.session.take());
        self.session = if shown.kind() == Some(Kind::SessionEnd) { None } else { sid.clone() };
        sid
    }

    /// Returns the number of events of the call that do not fit into memory.
    #[must_use]
    pub const fn dropped_events(&self) -> u64 {
        self.event_budget.missing()
    }

    /// Returns the number of gaps that do not fit into memory.
    #[must_use]
    pub const fn dropped_gaps(&self) -> u64 {
        self.gap_budget.missing()
    }

    /// Returns whether there is no event of any call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wanted.as_ref().map_or_else(|| self.calls.is_empty(), |wanted| !wanted.has_calls())
    }

    /// Returns the SID of the wanted call, or an error if none or several match. `purpose` says what
    /// it is wanted for, such as `show the timeline of`.
    pub fn wanted_sid(&self, purpose: &str) -> Result<String> {
        let Some(wanted) = &self.wanted else { return Err(self.not_found(purpose, "", None)) };
        let start = &wanted.start;
        match wanted.answer() {
            CallMatch::One(sid) => Ok(sid.to_owned()),
            CallMatch::Several(one, other) => Err(Error::usage(
                format!("cannot identify the call {start}"),
                "several calls have a SID that starts with it",
                format!("give more of the SID, such as {one} or {other}"),
            )),
            CallMatch::None(nearest) => Err(self.not_found(purpose, start, nearest)),
        }
    }

    fn not_found(&self, purpose: &str, start: &str, nearest: Option<&str>) -> Error {
        let advice = match nearest {
            Some(meant) => format!("did you mean {meant}?"),
            None if self.is_empty() => "the input contains no event of any call".to_owned(),
            None => "use `evtap timeline FILE` without a call to list the calls".to_owned(),
        };
        Error::new(
            Exit::NotFound,
            format!("cannot {purpose} {start}"),
            "no event of that call",
            advice,
        )
    }
}
