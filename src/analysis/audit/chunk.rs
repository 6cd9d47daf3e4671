//! The findings in one chunk of a recording, which a worker thread collects.

use std::collections::HashMap;

use crate::model::Name;
use crate::redact::Reason;

/// The reason, the event type and the field of a finding.
pub(super) type FindingKey = (Reason, Name, Name);

/// The place of an event in a file or in a chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct EventPlace {
    /// The number of the event, from 1.
    pub event: u64,
    /// The number of the line, from 1. A capture of a stream has no lines.
    pub line: Option<u64>,
}

impl EventPlace {
    /// Returns the place in the file of a place in a chunk, given how many events and lines are
    /// before the chunk.
    pub fn after(self, start: Self) -> Self {
        let before = start.line.unwrap_or_default();
        Self { event: start.event + self.event, line: self.line.map(|line| before + line) }
    }
}

/// The findings in a chunk.
#[derive(Debug, Default)]
pub(super) struct ChunkFindings {
    pub events: u64,
    pub lines: u64,
    /// The findings in the order in which they first occur.
    pub findings: Vec<(FindingKey, FindingPlaces)>,
    index: HashMap<FindingKey, usize>,
    /// The memory of the findings in a report, in bytes.
    bytes: usize,
}

/// Where a chunk has a finding.
#[derive(Debug, Default)]
pub(super) struct FindingPlaces {
    pub count: u64,
    /// The first places.
    pub first: Vec<EventPlace>,
}

impl ChunkFindings {
    pub fn clear(&mut self) {
        self.events = 0;
        self.lines = 0;
        self.findings.clear();
        self.index.clear();
        self.bytes = 0;
    }

    /// Adds a finding, of which `max_places` places are kept.
    pub fn add(&mut self, key: FindingKey, place: EventPlace, max_places: usize) {
        let at = if let Some(at) = self.index.get(&key) {
            *at
        } else {
            self.bytes += size_of::<(FindingKey, FindingPlaces)>() + key.1.len() + key.2.len();
            self.index.insert(key.clone(), self.findings.len());
            self.findings.push((key, FindingPlaces::default()));
            self.findings.len() - 1
        };
        let places = &mut self.findings[at].1;
        places.count += 1;
        if places.first.len() < max_places && places.first.last() != Some(&place) {
            places.first.push(place);
        }
    }

    /// Returns the memory that the findings take, in bytes.
    pub fn size(&self) -> usize {
        self.bytes
    }
}
