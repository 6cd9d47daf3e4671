//! The findings in one chunk of a recording, which a worker thread collects.

use std::num::NonZeroU64;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::model::Name;
use crate::redact::Reason;

/// The number of places of a finding that are reported.
pub(super) const MAX_PLACES: usize = 5;

/// The reason, the event type and the field of a finding.
pub(super) type FindingKey = (Reason, Name, Name);

/// Findings, whose places are of type `P`, in the order in which they first occur.
pub(super) type Findings<P> = IndexMap<FindingKey, FindingPlaces<P>, RandomState>;

/// The place of an event in a file or in a chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EventPlace {
    /// The number of the event, from 1.
    pub event: u64,
    /// The number of the line, from 1. A capture of a stream has no lines.
    pub line: Option<NonZeroU64>,
}

impl EventPlace {
    /// Returns the place after so many events and lines.
    pub const fn end(events: u64, lines: u64) -> Self {
        Self { event: events, line: NonZeroU64::new(lines) }
    }

    /// Returns the number of lines up to this place.
    pub fn lines(self) -> u64 {
        self.line.map_or(0, NonZeroU64::get)
    }

    /// Returns the place in the file of a place in a chunk, given how many events and lines are
    /// before the chunk.
    pub fn after(self, start: Self) -> Self {
        let line = self.line.map(|line| line.saturating_add(start.lines()));
        Self { event: start.event + self.event, line }
    }
}

/// How often something is found, and where.
#[derive(Debug)]
pub(super) struct FindingPlaces<P> {
    pub count: u64,
    /// The first places.
    pub first: Vec<P>,
}

impl<P> Default for FindingPlaces<P> {
    fn default() -> Self {
        Self { count: 0, first: Vec::new() }
    }
}

impl<P: PartialEq> FindingPlaces<P> {
    pub const fn is_full(&self) -> bool {
        self.first.len() >= MAX_PLACES
    }

    /// Adds the next place, unless it is the last one already.
    pub fn add_place(&mut self, place: P) {
        if !self.is_full() && self.first.last() != Some(&place) {
            // Most findings occur once.
            let more = if self.first.is_empty() { 1 } else { MAX_PLACES - self.first.len() };
            self.first.reserve_exact(more);
            self.first.push(place);
        }
    }
}

/// The findings in a chunk.
#[derive(Debug, Default)]
pub(super) struct ChunkFindings {
    pub events: u64,
    /// The number of events outside the range of time that is audited.
    pub outside: u64,
    pub lines: u64,
    pub findings: Findings<EventPlace>,
    /// The memory of the findings, in bytes.
    bytes: usize,
}

impl ChunkFindings {
    pub fn clear(&mut self) {
        self.events = 0;
        self.outside = 0;
        self.lines = 0;
        self.findings.clear();
        self.bytes = 0;
    }

    pub fn add(&mut self, key: FindingKey, place: EventPlace) {
        let bytes = &mut self.bytes;
        let places = self.findings.entry(key).or_insert_with_key(|key| {
            *bytes += size_of::<(FindingKey, FindingPlaces<EventPlace>)>()
                + MAX_PLACES * size_of::<EventPlace>()
                + key.1.len()
                + key.2.len();
            FindingPlaces::default()
        });
        places.count += 1;
        places.add_place(place);
    }

    /// Returns the memory that the findings take, in bytes.
    pub fn size(&self) -> usize {
        self.bytes
    }
}
