//! A frame as a transport delivers it: owned bytes, with what the transport knows about them.

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
    /// The stream that it came by.
    pub origin: Arc<Origin>,
    /// How it wraps the event.
    pub format: FrameFormat,
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
    pub flags: FrameFlags,
}

impl RawFrame {
    /// A line of evtap's own.
    #[must_use]
    pub fn own(origin: &Arc<Origin>, line: &Value, received_at: Timestamp) -> Self {
        Self {
            origin: Arc::clone(origin),
            format: FrameFormat::Own,
            event: None,
            id: None,
            data: Bytes::from(line.to_string()),
            received_at: Some(received_at),
            fault: None,
            offset: 0,
            flags: FrameFlags::default(),
        }
    }

    /// The frame, borrowed.
    #[must_use]
    pub fn as_frame(&self) -> Frame<'_> {
        Frame {
            origin: &self.origin,
            format: self.format,
            event: self.event.as_deref(),
            id: self.id.as_deref(),
            data: &self.data,
            text: if self.format == FrameFormat::Sse { plain(&self.data) } else { None },
            received_at: self.received_at,
            fault: self.fault,
            offset: self.offset,
            flags: self.flags,
        }
    }
}

/// Bytes as text, if they are text without DEL.
pub(super) fn plain(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|_| memchr::memchr(0x7f, bytes).is_none())
}

impl std::fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawFrame")
            .field("format", &self.format)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}
