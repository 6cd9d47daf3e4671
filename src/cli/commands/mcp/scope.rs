//! Passes the events of a request on, and notes what may be missing around them.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::cursor::{PagePosition, PageSkip};
use super::evidence::Evidence;
use crate::analysis::stats::call_sid;
use crate::analysis::timeline::collect::StreamGap;
use crate::model::{Kind, Stream, TimeRange};
use crate::output::{Observer, OutputError};
use crate::query::EventContext;
use crate::redact::RedactedEvent;
use crate::transport::shutdown::ShutdownFlag;

/// Takes the events of a request.
pub trait TakeEvents: Send {
    /// Takes an event. Returns false if there is no room for it, which ends the run.
    fn take(&mut self, context: &EventContext<'_>) -> Result<bool, OutputError>;

    /// Returns whether the run ends before the next event.
    fn is_done(&self) -> bool {
        false
    }

    /// Called once at the end of the run.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Which events a request is about, besides what its filter says.
#[derive(Debug, Clone, Default)]
pub struct EventScope {
    /// The time from which on events are included.
    pub since: Option<Timestamp>,
    /// The time before which events are included.
    pub until: Option<Timestamp>,
    /// The SID of the call.
    pub call: Option<String>,
    /// Where to begin.
    pub start: PagePosition,
    /// Whether the source is a live stream, whose positions are ids.
    pub is_live: bool,
}

/// What a run found out.
#[derive(Default)]
pub struct ScopeReport {
    /// What the result is based on.
    pub evidence: Evidence,
    /// The position after the last event that was read.
    pub position: PagePosition,
    /// Whether the run ended before an event for which there was no room.
    pub is_cut: bool,
}

/// Locks a shared value.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An observer of the events of a request.
pub struct ScopeObserver {
    scope: EventScope,
    range: TimeRange,
    taker: Box<dyn TakeEvents>,
    report: Arc<Mutex<ScopeReport>>,
    done: Arc<ShutdownFlag>,
    /// The call that observer events without a SID belong to.
    session: Option<Box<str>>,
    skip: PageSkip,
}

impl ScopeObserver {
    /// Creates an observer that sets `done` as soon as no further event is needed.
    pub fn new(
        scope: EventScope,
        taker: Box<dyn TakeEvents>,
        report: Arc<Mutex<ScopeReport>>,
        done: Arc<ShutdownFlag>,
    ) -> Self {
        lock(&report).position = scope.start.begin();
        let range = TimeRange::new(scope.since, scope.until);
        let skip = PageSkip::new(scope.start);
        Self { scope, range, taker, report, done, session: None, skip }
    }

    /// Observes an event that passed the filter or not.
    fn observe(&mut self, context: &EventContext<'_>, passed: bool) -> Result<(), OutputError> {
        let event = context.event;
        let is_of_call = self.is_of_call(event);
        let report = Arc::clone(&self.report);
        let mut report = lock(&report);
        if report.is_cut {
            return Ok(());
        }
        let moment = event.tap().moment();
        if let Some(at) = moment {
            report.evidence.add_time(at);
        }
        let before = report.position;
        let place = self.place(context);
        report.position = before.after(place);
        if self.skip.skips(place) {
            return Ok(());
        }
        let is_gap = event.kind() == Some(Kind::TapGap);
        if is_gap && let Some(gap) = StreamGap::new(event).filter(|gap| self.concerns(gap)) {
            report.evidence.add_gap(gap);
        }
        if event.kind() == Some(Kind::TapMalformed) {
            report.evidence.unreadable += 1;
        }
        if !passed || !(is_of_call || is_gap) {
            return Ok(());
        }
        if !self.range.contains(moment) {
            report.evidence.undated += u64::from(moment.is_none());
            return Ok(());
        }
        if !self.taker.take(context)? {
            report.position = before;
            report.is_cut = true;
            self.done.set();
        } else if self.taker.is_done() {
            self.done.set();
        }
        Ok(())
    }

    /// Returns the place of an event: its id in a stream, or the number of its recording.
    fn place(&self, context: &EventContext<'_>) -> Option<u64> {
        if self.scope.is_live {
            return context.event.tap().id.as_deref().and_then(|id| id.parse().ok());
        }
        // The recordings before the first one are not read.
        Some(self.scope.start.place + context.recording as u64)
    }

    fn is_of_call(&mut self, event: &RedactedEvent<'_>) -> bool {
        let Some(wanted) = &self.scope.call else { return true };
        let own = call_sid(event);
        if event.stream() != Some(Stream::Observer) {
            return own.is_some_and(|sid| sid == wanted.as_str());
        }
        if let Some(own) = own {
            self.session = Some((*own).into());
        }
        let is_wanted = self.session.as_deref() == Some(wanted);
        if event.kind() == Some(Kind::SessionEnd) {
            self.session = None;
        }
        is_wanted
    }

    /// Returns whether events of the request may be missing in a gap.
    fn concerns(&self, gap: &StreamGap) -> bool {
        let is_of_call = match (&self.scope.call, &gap.call_sid) {
            (Some(wanted), Some(sid)) => **sid == **wanted,
            _ => true,
        };
        let from = gap.from.unwrap_or(Timestamp::MIN);
        is_of_call && self.range.overlaps(from, gap.to)
    }
}

impl Observer for ScopeObserver {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.observe(context, true)
    }

    fn filtered_out(&mut self, context: &EventContext<'_>) -> io::Result<()> {
        match self.observe(context, false) {
            Err(OutputError::Io(error)) => Err(error),
            // An event that did not pass is not taken.
            Ok(()) | Err(OutputError::Failed(_)) => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.taker.finish()
    }
}
