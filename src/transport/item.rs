//! The output of a source: single frames, chunks of a recording, and connection events.

use std::sync::Arc;

use bytes::Bytes;

use super::capture::Capture;
use super::connection_event::ConnectionEvent;
use super::coverage::Coverage;
use super::raw_frame::RawFrame;
use super::receipt::Receipt;
use crate::model::{Frame, Origin};

/// One output of a source. Items arrive in the order in which the source read them.
#[derive(Debug, Clone)]
pub enum Item {
    /// One event.
    Frame(RawFrame),
    /// Several events of a recording.
    Chunk(Chunk),
    /// A connection was opened, lost or ended.
    Connection(ConnectionEvent),
    /// What the stream is known to have delivered.
    Coverage(Coverage),
    /// The items that follow come from the recording with this index, counted from 0.
    Recording(usize),
    /// Lines of a recording that are outside the range of time were left out.
    Skipped(SkippedPart),
    /// The source waits for the events that follow to be confirmed.
    Receipt(Arc<dyn Receipt>),
}

impl Item {
    /// Returns the memory that the item uses, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.size(),
            Self::Chunk(chunk) => size_of::<Self>() + chunk.size(),
            Self::Connection(_)
            | Self::Coverage(_)
            | Self::Recording(_)
            | Self::Skipped(_)
            | Self::Receipt(_) => size_of::<Self>(),
        }
    }
}

/// The lines and events of a recording that were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkippedPart {
    /// The number of lines.
    pub lines: u64,
    /// The number of events.
    pub events: u64,
}

/// The smallest chunk that is worth handing to a worker thread, in bytes.
const LARGE: usize = 16 * 1024;

/// A chunk of a recording: the events of one read.
///
/// Sending them through the channel one by one would take longer than processing them.
#[derive(Debug, Clone)]
pub enum Chunk {
    /// Whole lines.
    Lines(LineChunk),
    /// Frames that were parsed from a captured stream.
    Frames(Arc<[RawFrame]>),
    /// A part of a captured stream that is parsed by the first thread that needs its frames.
    Capture(Arc<Capture>),
}

impl Chunk {
    /// Returns the memory that the chunk uses, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.bytes.len(),
            Self::Frames(frames) => frames.iter().map(RawFrame::size).sum(),
            Self::Capture(capture) => capture.size(),
        }
    }

    /// Returns whether the chunk is worth handing to a worker thread.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.size() >= LARGE
    }

    /// Iterates over the frames. `origin` is the stream that lines are attributed to.
    pub fn frames<'a>(&'a self, origin: &'a Origin) -> impl Iterator<Item = Frame<'a>> {
        let (lines, frames, capture) = match self {
            Self::Lines(lines) => (Some(lines.frames(origin)), &[][..], None),
            Self::Frames(frames) => (None, &**frames, None),
            Self::Capture(capture) => (None, &[][..], Some(capture.frames(origin))),
        };
        let frames = frames.iter().map(RawFrame::as_frame);
        lines.into_iter().flatten().chain(frames).chain(capture.into_iter().flatten())
    }
}

/// Whole lines of a recording, in one buffer.
#[derive(Clone)]
pub struct LineChunk {
    /// The lines. Each ends in LF, except perhaps the last.
    pub bytes: Bytes,
    /// The position of the first line in the file, in bytes.
    pub offset: u64,
    /// The maximum size of a line, in bytes. A longer line is reported as too large.
    pub limit: usize,
}

impl std::fmt::Debug for LineChunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines")
            .field("bytes", &self.bytes.len())
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
