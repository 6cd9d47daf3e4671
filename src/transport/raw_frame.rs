//! Frames as a transport delivers them: owned bytes and what the transport knows about them.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::model::{Frame, FrameError, FrameFlags, FrameFormat, Origin};

/// The bytes of one event, owned, as a transport delivers them.
///
/// Its `Debug` shows the size of the data, never the data.
#[derive(Clone)]
pub struct RawFrame {
    /// The stream that the frame came from.
    pub origin: Arc<Origin>,
    /// How the frame wraps the event.
    pub format: FrameFormat,
    /// SSE: the `event:` line.
    pub event: Option<String>,
    /// SSE: the last event id in force, which many frames can share.
    pub id: Option<Arc<str>>,
    /// The payload. Empty if `fault` is set.
    pub data: Bytes,
    /// When the frame arrived; `None` in a recording.
    pub received_at: Option<Timestamp>,
    /// Why the transport could not deliver the payload, and the size of the payload in bytes.
    pub fault: Option<(FrameError, u64)>,
    /// The position of the frame in the recording, in bytes; 0 on a live stream.
    pub offset: u64,
    /// Irregularities that the transport noticed.
    pub flags: FrameFlags,
}

impl RawFrame {
    /// Creates the frame of a `tap.*` line, which evtap itself adds to the stream.
    #[must_use]
    pub fn own(origin: &Arc<Origin>, line: &Value, received_at: Timestamp) -> Self {
        Self {
            format: FrameFormat::Own,
            received_at: Some(received_at),
            ..Self::record(origin, Bytes::from(line.to_string()), 0)
        }
    }

    /// Creates the frame of an event in a recording.
    #[must_use]
    pub fn record(origin: &Arc<Origin>, data: Bytes, offset: u64) -> Self {
        Self {
            origin: Arc::clone(origin),
            format: FrameFormat::Record,
            event: None,
            id: None,
            data,
            received_at: None,
            fault: None,
            offset,
            flags: FrameFlags::default(),
        }
    }

    /// Returns the memory that the frame uses, in bytes. An id that frames share counts for each.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts =
            self.event.as_ref().map_or(0, String::len) + self.id.as_ref().map_or(0, |id| id.len());
        size_of::<Self>() + texts + self.data.len()
    }

    /// Borrows the frame.
    #[must_use]
    pub fn as_frame(&self) -> Frame<'_> {
        Frame {
            origin: &self.origin,
            format: self.format,
            event: self.event.as_deref(),
            id: self.id.as_deref(),
            data: &self.data,
            text: match self.format {
                FrameFormat::Sse | FrameFormat::Record => as_plain_text(&self.data),
                FrameFormat::Observer | FrameFormat::Own => None,
            },
            received_at: self.received_at,
            fault: self.fault,
            offset: self.offset,
            flags: self.flags,
        }
    }
}

/// Returns the bytes as text if they are UTF-8 without DEL, which no output may contain.
pub(crate) fn as_plain_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().and_then(without_del)
}

/// Returns the text if it has no DEL.
pub(super) fn without_del(text: &str) -> Option<&str> {
    memchr::memchr(0x7f, text.as_bytes()).is_none().then_some(text)
}

impl std::fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawFrame")
            .field("format", &self.format)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}
