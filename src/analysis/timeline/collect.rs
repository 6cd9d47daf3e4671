//! Collects the events of one call, and a summary of every call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::error::{Error, Exit, Result};
use crate::model::catalog::{CallEnded, SessionEnd};
use crate::model::{Kind, Stream, is_call_sid};
use crate::output::stored_event::StoredEvent;
use crate::output::{Observer, OutputError};
use crate::query::{EventContext, suggest};
use crate::redact::RedactedEvent;

/// The number of events of a call that are kept, and the number of their bytes.
const MAX_EVENTS: usize = 50_000;
const MAX_BYTES: usize = 64 << 20;

/// The number of calls that have a summary, and the number of gaps that are kept.
const MAX_CALLS: usize = 10_000;
const MAX_GAPS: usize = 1000;

/// An event of a call.
pub struct CallEvent {
    /// The event.
    pub stored: StoredEvent,
    /// The stream of the event.
    pub stream: Option<Stream>,
    /// The time of the event, by the platform's clock.
    pub time: Option<Timestamp>,
    /// The time of its arrival, by this machine's clock.
    pub received: Option<Timestamp>,
}

/// The summary of a call.
#[derive(Debug, Clone, Default)]
pub struct CallSummary {
    /// The number of events.
    pub events: u64,
    /// The first and last time of the events, by the platform's clock.
    times: Option<(Timestamp, Timestamp)>,
    /// The first and last arrival of the events without a time, by this machine's clock.
    arrivals: Option<(Timestamp, Timestamp)>,
    /// The reason of the end.
    pub outcome: Option<String>,
}

impl CallSummary {
    /// Returns the first and last time of the call's events, by the platform's clock.
    #[must_use]
    pub fn span(&self, shift: Option<i64>) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = self.arrivals.unzip();
        union(self.times, to_platform_clock(first, shift).zip(to_platform_clock(last, shift)))
    }
}

/// Converts a time of this machine's clock to the platform's clock.
#[must_use]
pub fn to_platform_clock(arrived: Option<Timestamp>, shift: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_millisecond(arrived?.as_millisecond().saturating_sub(shift.unwrap_or(0))).ok()
}

fn union(
    one: Option<(Timestamp, Timestamp)>,
    other: Option<(Timestamp, Timestamp)>,
) -> Option<(Timestamp, Timestamp)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

/// The events, gaps and summaries that were collected.
#[derive(Default)]
pub struct CollectedEvents {
    /// The SID of the wanted call, or its prefix. `None` collects only summaries.
    wanted: Option<String>,
    /// The summaries of all calls, by SID.
    pub calls: BTreeMap<String, CallSummary>,
    /// The events of the wanted call, in the order of their arrival.
    pub events: Vec<CallEvent>,
    /// The gaps in the streams.
    pub gaps: Vec<CallEvent>,
    /// The number of events beyond the limits, which are not kept.
    pub dropped: u64,
    /// The smallest difference between the arrival and the time of an event, in milliseconds. Two
    /// clocks are involved, so it may be negative.
    pub shift: Option<i64>,
    bytes: usize,
    /// The call that observer events without a SID belong to.
    session: Option<String>,
}

/// An observer that collects the events of a call.
pub struct TimelineCollector(Arc<Mutex<CollectedEvents>>);

impl TimelineCollector {
    /// Creates a collector of the call whose SID starts with `wanted`, or of summaries alone.
    #[must_use]
    pub fn new(wanted: Option<String>) -> (Self, Arc<Mutex<CollectedEvents>>) {
        let collected =
            Arc::new(Mutex::new(CollectedEvents { wanted, ..CollectedEvents::default() }));
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
}

impl CollectedEvents {
    fn observe(&mut self, shown: &RedactedEvent<'_>) {
        let tap = shown.tap();
        let parse =
            |time: &Option<String>| time.as_ref().and_then(|time| time.parse::<Timestamp>().ok());
        let (time, received) = (parse(&tap.time), parse(&tap.received_at));
        if let (Some(time), Some(received)) = (time, received) {
            let delay = received.as_millisecond() - time.as_millisecond();
            self.shift = Some(self.shift.map_or(delay, |smallest| smallest.min(delay)));
        }
        let stored = StoredEvent::new(shown);
        let stream = shown.stream();
        if stored.kind == Some(Kind::TapGap) {
            if self.gaps.len() < MAX_GAPS {
                self.gaps.push(CallEvent { stored, stream, time, received });
            }
            return;
        }
        let Some(sid) = self.sid(&stored, shown) else { return };
        if self.calls.len() < MAX_CALLS || self.calls.contains_key(&sid) {
            let call = self.calls.entry(sid.clone()).or_default();
            call.events += 1;
            let (span, at) = if time.is_some() {
                (&mut call.times, time)
            } else {
                (&mut call.arrivals, received)
            };
            *span = union(*span, at.map(|at| (at, at)));
            call.outcome = outcome(shown).or_else(|| call.outcome.take());
        }
        if !self.wanted.as_ref().is_some_and(|wanted| sid.starts_with(wanted)) {
            return;
        }
        self.bytes += stored.bytes();
        if self.events.len() < MAX_EVENTS && self.bytes <= MAX_BYTES {
            self.events.push(CallEvent {
                stored: StoredEvent { call_sid: Some(sid.into()), ..stored },
                stream,
                time,
                received,
            });
        } else {
            self.dropped += 1;
        }
    }

    /// Returns the SID of an event's call. Events of an observer may lack it; they belong to the
    /// session that was announced last.
    fn sid(&mut self, stored: &StoredEvent, shown: &RedactedEvent<'_>) -> Option<String> {
        let own = stored.call_sid.as_deref().map(str::to_owned);
        if shown.stream() != Some(Stream::Observer) {
            return own;
        }
        let sid = own.or_else(|| self.session.clone());
        self.session = if stored.kind == Some(Kind::SessionEnd) { None } else { sid.clone() };
        sid
    }

    /// Returns the SID of the wanted call, or an error if none or several match.
    pub fn wanted_sid(&self) -> Result<String> {
        let wanted = self.wanted.as_deref().unwrap_or_default();
        if self.calls.contains_key(wanted) {
            return Ok(wanted.to_owned());
        }
        let mut sids = self.sids().filter(|sid| sid.starts_with(wanted));
        match (sids.next(), sids.next()) {
            (Some(sid), None) => Ok(sid.to_owned()),
            (Some(one), Some(other)) => Err(Error::usage(
                format!("cannot identify the call {wanted}"),
                "several calls have a SID that starts with it",
                format!("give more of the SID, such as {one} or {other}"),
            )),
            (None, _) => Err(self.not_found(wanted)),
        }
    }

    /// Iterates over the valid SIDs. An invalid one may be any text, which an error must not
    /// repeat.
    fn sids(&self) -> impl Iterator<Item = &str> {
        self.calls.keys().map(String::as_str).filter(|sid| is_call_sid(sid))
    }

    fn not_found(&self, wanted: &str) -> Error {
        let advice = match suggest::nearest(wanted, self.sids()) {
            Some(meant) => format!("did you mean {meant}?"),
            None if self.calls.is_empty() => "the input contains no event of any call".to_owned(),
            None => "use `evtap timeline FILE` without a call to list the calls".to_owned(),
        };
        Error::new(
            Exit::NotFound,
            format!("cannot show the timeline of {wanted}"),
            "no event of that call",
            advice,
        )
    }
}

fn outcome(shown: &RedactedEvent<'_>) -> Option<String> {
    use crate::analysis::call::text;
    let ended = shown.read::<CallEnded>().and_then(|it| text(&it.completion_reason));
    ended.or_else(|| shown.read::<SessionEnd>().and_then(|it| text(&it.completion_reason)))
}
