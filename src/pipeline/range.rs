//! Leaves out events outside the range of time that is read.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::TimeRange;
use crate::output::status::RunCounts;
use crate::redact::RedactedEvent;
use crate::transport::Chunk;
use crate::transport::recording::{IndexBuilder, PartTimes, TimeIndexes};

/// Returns whether an event is in the range of time that is read, and counts it if not. Adds its
/// time to `times` unless there is no range.
pub(super) fn is_in_range(
    range: TimeRange,
    event: &RedactedEvent<'_>,
    counts: &mut RunCounts,
    times: &mut PartTimes,
) -> bool {
    if range.is_unbounded() {
        return true;
    }
    let moment = event.tap().moment();
    times.add(moment);
    let is_inside = range.contains(moment);
    if !is_inside {
        counts.filtered += 1;
        // Without a time, it might belong to the range, so what is wrong with it is reported.
        if moment.is_none() {
            counts.observe(event);
        }
    }
    is_inside
}

/// Builds the indexes of the recordings that are read for a range of time.
pub(super) struct Indexing {
    indexes: Arc<TimeIndexes>,
    recordings: Vec<PathBuf>,
    builder: IndexBuilder,
}

impl Indexing {
    pub fn new(indexes: Arc<TimeIndexes>, recordings: Vec<PathBuf>) -> Self {
        Self { indexes, recordings, builder: IndexBuilder::default() }
    }

    /// Adds a chunk, whose events have these times.
    pub fn add(&mut self, chunk: &Chunk, times: &PartTimes) {
        if let Chunk::Lines(lines) = chunk {
            self.builder.add(lines, times);
        }
    }

    /// Saves the index of the recording with this number, which has been read to its end.
    pub fn end_recording(&mut self, number: usize) {
        let builder = std::mem::take(&mut self.builder);
        if let Some(path) = self.recordings.get(number) {
            self.indexes.save(path, builder);
        }
    }
}
