//! Where frames come from. A source gives the bytes of each event as they arrived, with what the transport says beside them.
//!
//! Sources push [`Item`]s into one bounded channel: when the reader of stdout is slow, the channel fills, and the socket
//! waits. A source interprets nothing but its transport; what an event means is for [`decode`](crate::redact::decode) to say.

pub mod archive;
pub mod auto_observe;
pub mod backoff;
pub mod client;
pub mod connect_error;
pub mod credential;
pub mod framer;
pub mod gap;
pub mod key_ring;
pub mod merge;
pub mod observer;
pub mod private_file;
pub mod probe;
pub mod progress;
mod queue;
pub mod raw_frames;
pub mod recording;
pub mod resume;
#[cfg(test)]
mod scripted;
pub mod shutdown;
mod socket;
pub mod source_config;
pub mod sse;
mod stream_context;

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Frame, FrameError, FrameFlags, FrameFormat, Origin};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

pub use queue::{BlockingSender, Closed, QUEUE, Receiver, Sender, channel};
pub use recording::Capture;
pub use source_config::{FRAME_LIMIT, SourceConfig};

/// What comes out of a source, in order of arrival.
#[derive(Debug)]
pub enum Item {
    /// One event.
    Frame(RawFrame),
    /// Several events of a recording.
    Piece(Chunk),
    /// News of the connection.
    News(ConnectionEvent),
    /// What follows is from the recording of that number, counted from 0.
    Recording(usize),
}

/// The bytes of one event, owned, as a transport delivers them.
///
/// Its `Debug` shows the size of the data, never the data.
#[derive(Clone)]
pub struct RawFrame {
    /// The stream that it came by.
    pub origin: Arc<Origin>,
    /// How it wraps the event.
    pub form: FrameFormat,
    /// SSE: the `event:` line.
    pub event: Option<String>,
    /// SSE: the `id:` in force.
    pub id: Option<String>,
    /// The payload. Empty where `fault` is set.
    pub data: Bytes,
    /// When it arrived; `None` in a recording.
    pub received_at: Option<Timestamp>,
    /// The transport could not deliver it; with how many bytes it had.
    pub fault: Option<(FrameError, u64)>,
    /// Where in the recording it begins, in bytes; 0 on a live stream.
    pub offset: u64,
    /// What the transport noticed about it.
    pub notes: FrameFlags,
}

impl RawFrame {
    /// A line of evtap's own.
    #[must_use]
    pub fn own(origin: &Arc<Origin>, line: &Value, received_at: Timestamp) -> Self {
        Self {
            origin: Arc::clone(origin),
            form: FrameFormat::Own,
            event: None,
            id: None,
            data: Bytes::from(line.to_string()),
            received_at: Some(received_at),
            fault: None,
            offset: 0,
            notes: FrameFlags::default(),
        }
    }

    /// The frame, borrowed.
    #[must_use]
    pub fn as_frame(&self) -> Frame<'_> {
        Frame {
            origin: &self.origin,
            form: self.form,
            event: self.event.as_deref(),
            id: self.id.as_deref(),
            data: &self.data,
            text: if self.form == FrameFormat::Sse { plain(&self.data) } else { None },
            received_at: self.received_at,
            fault: self.fault,
            offset: self.offset,
            notes: self.notes,
        }
    }
}

/// Bytes as text, if they are text without DEL.
fn plain(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|_| memchr::memchr(0x7f, bytes).is_none())
}

impl std::fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawFrame")
            .field("form", &self.form)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
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

/// News of a connection, for people and for `--status json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionEvent {
    /// The stream that it is about.
    pub origin: Arc<Origin>,
    /// What happened.
    pub change: ConnectionState,
}

impl ConnectionEvent {
    /// The line that tells of it in the stream, where there is one.
    #[must_use]
    pub fn frame(&self, received_at: Timestamp) -> Option<RawFrame> {
        let line = match &self.change {
            ConnectionState::Connected => json!({"event_type": "tap.connected"}),
            ConnectionState::Reconnecting { .. } => return None,
            ConnectionState::Ended { why } => json!({"event_type": "tap.ended", "reason": why}),
        };
        Some(RawFrame::own(&self.origin, &line, received_at))
    }
}

/// What happened to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionState {
    /// It stands, and frames may come.
    Connected,
    /// It is gone, and will be tried again.
    Reconnecting {
        /// After that long.
        delay: Duration,
        /// Which try it will be, from 1; back to 1 after a connection that delivered something.
        attempt: u32,
        /// Why it is gone, without text from the wire.
        why: String,
    },
    /// It is over for good, and well.
    Ended {
        /// Why, without text from the wire.
        why: String,
    },
}
