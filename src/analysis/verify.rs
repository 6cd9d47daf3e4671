//! Which periods of a stream recordings cover, and how many events they have.
//!
//! A tap that publishes says with events of its own from when to when its stream is complete. A
//! recording without these events covers the time from its first event to its last one, without
//! the gaps. What no tap covers is a gap that remains.

mod coverage;
mod digest;
mod periods;
mod report;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coverage::TapCoverage;
use digest::HourCount;
pub use report::VerifyReport;

use super::byte_budget::{ByteBudget, MAX_NAME_BYTES, truncated};
use super::stats::event_millis;
use crate::model::catalog::value::GapReason;
use crate::model::catalog::{TapConnected, TapGap as TapGapEvent};
use crate::model::{Field, Kind, Stream, Time, parse_millis};
use crate::output::{Observer, OutputError};
use crate::query::EventContext;
use crate::redact::RedactedEvent;

/// The memory for everything that is reported, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// The memory of an entry besides its names, in bytes.
const ENTRY_BYTES: usize = 256;

/// The length of an hour, in milliseconds.
const HOUR: i64 = 3_600_000;

/// The coverage of all workspaces.
#[derive(Debug)]
pub struct VerifiedStreams {
    workspaces: BTreeMap<Box<str>, Workspace>,
    budget: ByteBudget,
}

/// The coverage of the stream of one workspace, and of its calls.
#[derive(Debug, Default)]
struct Workspace {
    /// What each tap covers, by its name.
    taps: BTreeMap<Box<str>, TapCoverage>,
    /// What each recording covers, by its number.
    recordings: BTreeMap<usize, RecordingCoverage>,
    /// The gaps in the observers of calls, by SID.
    calls: BTreeMap<Box<str>, TapCoverage>,
    /// The events of each hour of each recording, by the hour's beginning.
    hours: BTreeMap<(i64, usize), HourCount>,
    /// The number of events without a time, which belong to no hour.
    undated: u64,
    /// The number of frames and lines that are no events.
    malformed: u64,
}

/// What a recording covers.
#[derive(Debug, Default)]
struct RecordingCoverage {
    coverage: TapCoverage,
    /// Whether taps say in it what they cover.
    has_taps: bool,
}

/// An observer that follows what is covered.
pub struct VerifyCollector(Arc<Mutex<VerifiedStreams>>);

impl VerifyCollector {
    /// Creates a collector, and what it collects into.
    #[must_use]
    pub fn new() -> (Self, Arc<Mutex<VerifiedStreams>>) {
        let streams =
            VerifiedStreams { workspaces: BTreeMap::new(), budget: ByteBudget::new(MAX_BYTES) };
        let streams = Arc::new(Mutex::new(streams));
        (Self(Arc::clone(&streams)), streams)
    }
}

/// Locks what was collected.
pub fn lock(streams: &Mutex<VerifiedStreams>) -> MutexGuard<'_, VerifiedStreams> {
    streams.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for VerifyCollector {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        lock(&self.0).observe(context.event, context.recording);
        Ok(())
    }
}

impl VerifiedStreams {
    fn observe(&mut self, event: &RedactedEvent<'_>, recording: usize) {
        let tap = event.tap();
        let id = truncated(tap.workspace_id.as_deref().unwrap_or_default(), MAX_NAME_BYTES);
        if id.is_empty() && event.kind() == Some(Kind::TapGap) && self.interrupt(event, recording) {
            return;
        }
        let budget = &mut self.budget;
        let Some(workspace) = entry(&mut self.workspaces, id, budget) else { return };
        let time = event_millis(event);
        if event.stream() != Some(Stream::Own) {
            match time {
                Some(time) => workspace.count(event, time, recording, budget),
                None => workspace.undated += 1,
            }
        } else if event.kind() == Some(Kind::TapMalformed) {
            workspace.malformed += 1;
        } else if tap.stream.as_deref() == Some(Stream::Observer.name()) {
            if let Some(gap) = ReportedGap::read(event) {
                let sid = truncated(tap.call_sid.as_deref().unwrap_or_default(), MAX_NAME_BYTES);
                if let Some(call) = entry(&mut workspace.calls, sid, budget) {
                    gap.add_to(call, budget);
                }
            }
        } else {
            workspace.follow(event, time, recording, budget);
        }
    }

    /// Applies a gap of a whole recording to the workspaces that it has had so far. Returns whether
    /// that is all: it is the gap of a stream if there are events without a workspace.
    fn interrupt(&mut self, event: &RedactedEvent<'_>, recording: usize) -> bool {
        let Some(gap) = ReportedGap::read(event).filter(|_| event.field("tap").is_none()) else {
            return false;
        };
        let (mut is_applied, mut is_of_stream) = (false, false);
        for (id, workspace) in &mut self.workspaces {
            let Some(own) = workspace.recordings.get_mut(&recording) else { continue };
            if id.is_empty() {
                is_of_stream = true;
            } else {
                gap.interrupt(&mut own.coverage, &mut self.budget);
                is_applied = true;
            }
        }
        is_applied && !is_of_stream
    }

    /// Returns how many entries did not fit into memory.
    const fn missing(&self) -> u64 {
        self.budget.missing()
    }
}

impl Workspace {
    fn count(
        &mut self,
        event: &RedactedEvent<'_>,
        time: i64,
        recording: usize,
        budget: &mut ByteBudget,
    ) {
        let hour = (time.div_euclid(HOUR) * HOUR, recording);
        if !self.hours.contains_key(&hour) && !budget.take(ENTRY_BYTES) {
            return;
        }
        self.hours.entry(hour).or_default().add(event);
        if event.tap().stream.as_deref() != Some(Stream::Observer.name()) {
            self.recordings.entry(recording).or_default().coverage.reach(time);
        }
    }

    /// Follows what evtap reports about the workspace's stream.
    fn follow(
        &mut self,
        event: &RedactedEvent<'_>,
        time: Option<i64>,
        recording: usize,
        budget: &mut ByteBudget,
    ) {
        let name = event.field("tap").and_then(|tap| tap.text()).map(Cow::into_owned);
        let name = name.filter(|name| !name.is_empty());
        let own = self.recordings.entry(recording).or_default();
        own.has_taps |= name.is_some();
        let coverage = match &name {
            None => Some(&mut own.coverage),
            Some(name) => entry(&mut self.taps, truncated(name, MAX_NAME_BYTES), budget),
        };
        let Some(coverage) = coverage else { return };
        let moment = |field| {
            let text = event.field(field)?.text()?.into_owned();
            parse_millis(&text)
        };
        match event.kind() {
            Some(Kind::TapGap) => {
                if let Some(gap) = ReportedGap::read(event) {
                    gap.add_to(coverage, budget);
                }
            }
            Some(Kind::TapConnected) if name.is_some() && budget.take(ENTRY_BYTES) => {
                let connected = event.read::<TapConnected>();
                let continues = connected.is_some_and(|tap| tap.continues.value() == Some(&true));
                match moment("from").or(time) {
                    Some(from) if continues => coverage.resume(from),
                    Some(from) => coverage.begin(from),
                    None => {}
                }
            }
            Some(Kind::TapEnded) if name.is_some() => {
                if let Some(to) = moment("position") {
                    coverage.reach(to);
                }
                coverage.end();
            }
            _ if name.is_some() => {
                if let Some(to) = moment("position") {
                    coverage.reach(to);
                }
            }
            _ => {}
        }
    }
}

/// Returns the entry of a name, if there is memory for it.
fn entry<'m, V: Default>(
    map: &'m mut BTreeMap<Box<str>, V>,
    name: &str,
    budget: &mut ByteBudget,
) -> Option<&'m mut V> {
    if !map.contains_key(name) {
        if !budget.take(ENTRY_BYTES + name.len()) {
            return None;
        }
        map.insert(name.into(), V::default());
    }
    map.get_mut(name)
}

/// A `tap.gap` event.
struct ReportedGap {
    from: Option<i64>,
    to: i64,
    is_certain: bool,
    reason: Box<str>,
}

impl ReportedGap {
    /// Reads a gap. Returns `None` if it does not say when it ended.
    fn read(event: &RedactedEvent<'_>) -> Option<Self> {
        let parse = |field: &Field<Time>| parse_millis(&field.value()?.0);
        let gap = event.read::<TapGapEvent>()?;
        Some(Self {
            from: parse(&gap.from),
            to: parse(&gap.to)?,
            is_certain: gap.certain.value() == Some(&true),
            reason: gap.reason.value().map_or("unknown", |reason| reason.expose()).into(),
        })
    }

    /// Applies a gap that is not of one workspace. Between two runs, a workspace may not be read any
    /// more, so nothing is missing unless it has events later.
    fn interrupt(&self, coverage: &mut TapCoverage, budget: &mut ByteBudget) {
        let reason = truncated(&self.reason, MAX_NAME_BYTES);
        if !budget.take(ENTRY_BYTES + reason.len()) {
            return;
        }
        if reason == GapReason::NoPosition.as_str() {
            coverage.interrupt(self.from, self.to, reason);
        } else {
            coverage.miss_and_interrupt(self.from, self.to, self.is_certain, reason);
        }
    }

    fn add_to(&self, coverage: &mut TapCoverage, budget: &mut ByteBudget) {
        let reason = truncated(&self.reason, MAX_NAME_BYTES);
        if budget.take(ENTRY_BYTES + reason.len()) {
            coverage.miss(self.from, self.to, self.is_certain, reason);
        }
    }
}
