//! Collects the events of one call, or a summary of every call, on a worker thread.
//!
//! An event of an observer may lack the SID of its call. Which session was announced last is not
//! known at the beginning of a chunk, so such events are kept until the chunk is merged.

use std::any::Any;

use super::call_event::{CallEvent, EventTimes, delay, outcome, own_sid, smaller};
use super::calls::{CallList, WantedCall};
use crate::model::{Kind, Stream};
use crate::output::ObserverTally;
use crate::query::EventContext;

/// Collects events on a worker thread.
pub(super) struct TimelineTally {
    /// The search for the call, among all events of this worker.
    wanted: Option<WantedCall>,
    part: Option<Box<TimelinePart>>,
}

/// The events of a chunk that belong to a timeline.
pub(super) struct TimelinePart {
    /// The answer to which call is meant.
    pub wanted: Option<WantedCall>,
    /// The events of the wanted call, and those without a SID of an observer whose session was
    /// announced before the chunk, in order.
    pub events: Vec<CallEvent>,
    /// The summaries of all calls, if none is wanted.
    pub calls: CallList,
    /// The times of the events that belong to the session that was announced before the chunk, if
    /// no call is wanted.
    pub bare: Vec<EventTimes>,
    /// The SIDs of calls and why they ended, in order, if no call is wanted. `None` is the session
    /// that was announced before the chunk.
    pub outcomes: Vec<(Option<Box<str>>, String)>,
    /// The smallest difference between the arrival and the time of an event, in milliseconds.
    pub shift: Option<i64>,
    /// The session that observer events without a SID belong to, unless it is the one from before
    /// the chunk.
    #[expect(clippy::option_option, reason = "no session and an unknown one are different")]
    pub session: Option<Option<String>>,
}

impl TimelineTally {
    /// Creates a tally for the call whose SID starts with `wanted`, or for summaries alone.
    pub fn new(wanted: Option<String>) -> Self {
        Self { wanted: wanted.map(WantedCall::new), part: None }
    }
}

impl ObserverTally for TimelineTally {
    fn event(&mut self, context: &EventContext<'_>) {
        let part = self.part.get_or_insert_with(Box::default);
        let shown = context.event;
        part.shift = smaller(part.shift, delay(shown.tap()));
        let own = own_sid(shown);
        let is_observer = shown.stream() == Some(Stream::Observer);
        let sid = match (&own, &part.session) {
            (Some(sid), _) => Some(Some(&**sid)),
            (None, Some(session)) if is_observer => Some(session.as_deref()),
            (None, None) if is_observer => None,
            (None, _) => Some(None),
        };
        match (sid, &mut self.wanted) {
            (Some(None), _) => {}
            (Some(Some(sid)), Some(wanted)) => {
                if wanted.observe(sid) {
                    part.events.push(CallEvent::new(shown, Some(sid.into())));
                }
            }
            (None, Some(_)) => part.events.push(CallEvent::new(shown, None)),
            (Some(Some(sid)), None) => {
                part.calls.add(sid, EventTimes::new(shown.tap()));
                let outcome = outcome(shown);
                part.outcomes.extend(outcome.map(|outcome| (Some(sid.into()), outcome)));
            }
            (None, None) => {
                part.bare.push(EventTimes::new(shown.tap()));
                part.outcomes.extend(outcome(shown).map(|outcome| (None, outcome)));
            }
        }
        if is_observer && shown.kind() == Some(Kind::SessionEnd) {
            part.session = Some(None);
        } else if is_observer && let Some(sid) = own {
            // The memory is reused, because with several observers the session often changes.
            let session = part.session.get_or_insert_default().get_or_insert_default();
            session.clear();
            session.push_str(&sid);
        }
    }

    fn take(&mut self) -> Option<Box<dyn Any + Send>> {
        let mut part = self.part.take()?;
        part.wanted = self.wanted.as_ref().map(WantedCall::summary);
        Some(part as Box<dyn Any + Send>)
    }
}

impl Default for TimelinePart {
    fn default() -> Self {
        Self {
            wanted: None,
            events: Vec::new(),
            calls: CallList::with_limit(usize::MAX),
            bare: Vec::new(),
            outcomes: Vec::new(),
            shift: None,
            session: None,
        }
    }
}

impl TimelinePart {
    /// Iterates over the texts that the list of calls may have to keep besides the SIDs in `calls`.
    pub fn texts<'a>(&'a self, session: Option<&'a str>) -> impl Iterator<Item = &'a str> {
        let outcomes = self.outcomes.iter().map(|(_, outcome)| &**outcome);
        session.into_iter().chain(outcomes)
    }
}
