//! Keeps the events of one call, and knows which calls there are.

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

/// How many events of a call are kept, and how many bytes of them.
const MOST: usize = 50_000;
const MOST_BYTES: usize = 64 << 20;

/// How many calls are known, and how many gaps are kept.
const CALLS: usize = 10_000;
const GAPS: usize = 1000;

/// An event of the call.
pub struct CallEvent {
    /// The event.
    pub stored: StoredEvent,
    /// The stream that it came by.
    pub stream: Option<Stream>,
    /// When it took place, by the platform's clock.
    pub time: Option<Timestamp>,
    /// When it arrived, by this machine's.
    pub received: Option<Timestamp>,
}

/// What is known of a call among others.
#[derive(Debug, Clone, Default)]
pub struct CallSummary {
    /// How many events it has.
    pub events: u64,
    /// From when until when they took place, by the platform's clock.
    times: Option<(Timestamp, Timestamp)>,
    /// From when until when those arrived that have no such time, by this machine's.
    arrivals: Option<(Timestamp, Timestamp)>,
    /// How it ended.
    pub outcome: Option<String>,
}

impl CallSummary {
    /// From when until when there are events of it, by the platform's clock.
    #[must_use]
    pub fn span(&self, shift: Option<i64>) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = self.arrivals.unzip();
        around(self.times, moved(first, shift).zip(moved(last, shift)))
    }
}

/// A moment of this machine's clock by the platform's.
#[must_use]
pub fn moved(arrived: Option<Timestamp>, shift: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_millisecond(arrived?.as_millisecond().saturating_sub(shift.unwrap_or(0))).ok()
}

fn around(
    one: Option<(Timestamp, Timestamp)>,
    other: Option<(Timestamp, Timestamp)>,
) -> Option<(Timestamp, Timestamp)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

/// What was gathered.
#[derive(Default)]
pub struct CollectedEvents {
    /// The SID that is looked for, or its beginning; none if the calls are to be listed.
    wanted: Option<String>,
    /// The calls, by SID.
    pub calls: BTreeMap<String, CallSummary>,
    /// The events of the calls that are looked for, in the order in which they came.
    pub events: Vec<CallEvent>,
    /// The holes in the streams.
    pub gaps: Vec<CallEvent>,
    /// How many events there were no room for.
    pub dropped: u64,
    /// The least time that an event was under way, in milliseconds: by two clocks, so it may be less than none.
    pub shift: Option<i64>,
    bytes: usize,
    /// The call that an observer's events without a SID are of.
    session: Option<String>,
}

/// Gathers what is looked for.
pub struct TimelineCollector(Arc<Mutex<CollectedEvents>>);

impl TimelineCollector {
    /// Looks for the call whose SID begins so; for all calls, but without their events, if none is named.
    #[must_use]
    pub fn new(wanted: Option<String>) -> (Self, Arc<Mutex<CollectedEvents>>) {
        let gathered =
            Arc::new(Mutex::new(CollectedEvents { wanted, ..CollectedEvents::default() }));
        (Self(Arc::clone(&gathered)), gathered)
    }
}

/// What was gathered so far.
pub fn lock(gathered: &Mutex<CollectedEvents>) -> MutexGuard<'_, CollectedEvents> {
    gathered.lock().unwrap_or_else(PoisonError::into_inner)
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
            let way = received.as_millisecond() - time.as_millisecond();
            self.shift = Some(self.shift.map_or(way, |least| least.min(way)));
        }
        let stored = StoredEvent::new(shown);
        let kept = |stored| CallEvent { stored, stream: shown.stream(), time, received };
        if stored.kind == Some(Kind::TapGap) {
            if self.gaps.len() < GAPS {
                self.gaps.push(kept(stored));
            }
            return;
        }
        let Some(sid) = self.sid(&stored, shown) else { return };
        if self.calls.len() < CALLS || self.calls.contains_key(&sid) {
            let call = self.calls.entry(sid.clone()).or_default();
            call.events += 1;
            let (span, at) = if time.is_some() {
                (&mut call.times, time)
            } else {
                (&mut call.arrivals, received)
            };
            *span = around(*span, at.map(|at| (at, at)));
            call.outcome = outcome(shown).or_else(|| call.outcome.take());
        }
        if !self.wanted.as_ref().is_some_and(|wanted| sid.starts_with(wanted)) {
            return;
        }
        self.bytes += stored.bytes();
        if self.events.len() < MOST && self.bytes <= MOST_BYTES {
            self.events.push(CallEvent {
                stored: StoredEvent { call_sid: Some(sid.into()), ..stored },
                stream: shown.stream(),
                time,
                received,
            });
        } else {
            self.dropped += 1;
        }
    }

    /// The call that an event is of. An observer's events may not say; they are of the session that was announced last.
    fn sid(&mut self, stored: &StoredEvent, shown: &RedactedEvent<'_>) -> Option<String> {
        let own = stored.call_sid.as_deref().map(str::to_owned);
        if shown.stream() != Some(Stream::Observer) {
            return own;
        }
        let sid = own.or_else(|| self.session.clone());
        self.session = if stored.kind == Some(Kind::SessionEnd) { None } else { sid.clone() };
        sid
    }

    /// The SID of the one call that was looked for.
    pub fn found(&self) -> Result<String> {
        let wanted = self.wanted.as_deref().unwrap_or_default();
        if self.calls.contains_key(wanted) {
            return Ok(wanted.to_owned());
        }
        let mut sids = self.sids().filter(|sid| sid.starts_with(wanted));
        match (sids.next(), sids.next()) {
            (Some(sid), None) => Ok(sid.to_owned()),
            (Some(one), Some(other)) => Err(Error::usage(
                format!("cannot tell which call {wanted} is"),
                "several begin so",
                format!("give more of its SID, such as {one} or {other}"),
            )),
            (None, _) => Err(self.unknown(wanted)),
        }
    }

    /// The SIDs that are some: others are only what somebody wrote.
    fn sids(&self) -> impl Iterator<Item = &str> {
        self.calls.keys().map(String::as_str).filter(|sid| is_call_sid(sid))
    }

    fn unknown(&self, wanted: &str) -> Error {
        let advice = match suggest::nearest(wanted, self.sids()) {
            Some(meant) => format!("did you mean {meant}?"),
            None if self.calls.is_empty() => "there is no event of any call".to_owned(),
            None => "without a call, `evtap timeline FILE` lists those that there are".to_owned(),
        };
        Error::new(
            Exit::NotFound,
            format!("cannot tell the course of {wanted}"),
            "there is no event of such a call",
            advice,
        )
    }
}

fn outcome(shown: &RedactedEvent<'_>) -> Option<String> {
    use crate::analysis::call::text;
    let ended = shown.read::<CallEnded>().and_then(|it| text(&it.completion_reason));
    ended.or_else(|| shown.read::<SessionEnd>().and_then(|it| text(&it.completion_reason)))
}
