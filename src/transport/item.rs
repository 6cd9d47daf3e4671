//! What comes out of a source: single frames, chunks of a recording, and connection events.

use std::sync::Arc;

use bytes::Bytes;

use super::capture::Capture;
use super::connection_event::ConnectionEvent;
use super::raw_frame::RawFrame;
use crate::model::{Frame, Origin};

/// What comes out of a source, in order of arrival.
#[derive(Debug)]
pub enum Item {
    /// One event.
    Frame(RawFrame),
    /// Several events of a recording.
    Chunk(Chunk),
    /// News of the connection.
    Connection(ConnectionEvent),
    /// What follows is from the recording of that number, counted from 0.
    Recording(usize),
}

/// How long a piece of a recording is, at least, that is worth handing to a thread, in bytes.
const LARGE: usize = 16 * 1024;

/// A piece of a recording: as many events as were read at once. To hand them over one by one would take longer than to show
/// them.
#[derive(Debug, Clone)]
pub enum Chunk {
    /// Whole lines.
    Lines(LineChunk),
    /// What a capture of a stream had in it.
    Frames(Arc<[RawFrame]>),
    /// A part of such a capture, which is taken apart by whoever looks at it first.
    Capture(Arc<Capture>),
}

impl Chunk {
    /// How much memory it takes, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.bytes.len(),
            Self::Frames(frames) => {
                size_of_val(&**frames) + frames.iter().map(|frame| frame.data.len()).sum::<usize>()
            }
            Self::Capture(capture) => capture.size(),
        }
    }

    /// Whether it is worth handing to a thread.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.size() >= LARGE
    }

    /// The frames in it.
    pub fn frames<'a>(&'a self, origin: &'a Origin) -> impl Iterator<Item = Frame<'a>> {
        let (lines, frames) = match self {
            Self::Lines(lines) => (Some(lines.frames(origin)), &[][..]),
            Self::Frames(frames) => (None, &**frames),
            Self::Capture(capture) => (None, capture.frames()),
        };
        lines.into_iter().flatten().chain(frames.iter().map(RawFrame::as_frame))
    }
}

/// Whole lines of a recording, in one buffer.
#[derive(Clone)]
pub struct LineChunk {
    /// The lines, each ended by LF but perhaps the last.
    pub bytes: Bytes,
    /// Where in the file the first of them begins, in bytes.
    pub offset: u64,
    /// The largest line that is looked at, in bytes.
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
