//! A part of a captured SSE stream. The first worker that needs its frames parses it, so that
//! several parts can be parsed at the same time.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::framer::{self, Parser, SseBody};
use super::raw_frame::RawFrame;
use crate::model::{FrameError, FrameFlags, FrameFormat, Origin};

/// Complete frames of a captured stream, and the parser state where they begin.
///
/// Its `Debug` shows the size, never the content.
pub struct Capture {
    pub(super) bytes: Bytes,
    /// The last event id in force before the first frame.
    pub(super) last_event_id: Arc<str>,
    /// The maximum size of a frame, in bytes.
    pub(super) limit: usize,
    pub(super) frames: OnceLock<Vec<RawFrame>>,
}

impl Capture {
    /// Returns the size in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the frames, parsed on the first call.
    #[must_use]
    pub fn frames(&self) -> &[RawFrame] {
        self.frames.get_or_init(|| {
            let origin = Arc::default();
            let frames = Parser::between_frames(Arc::clone(&self.last_event_id), self.limit)
                .push(&self.bytes);
            frames.into_iter().filter_map(|frame| raw_frame(&origin, frame)).collect()
        })
    }
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capture").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// Converts a parsed frame; `None` if it carries no data.
pub(super) fn raw_frame(origin: &Arc<Origin>, frame: framer::SseFrame) -> Option<RawFrame> {
    let raw = match frame.body {
        SseBody::Empty => return None,
        SseBody::Data(data) => RawFrame {
            data: Bytes::from(data),
            fault: None,
            ..failed_frame(origin, (FrameError::CutOff, 0))
        },
        SseBody::TooLarge(length) => failed_frame(origin, (FrameError::TooLarge, length)),
    };
    let id = (!frame.last_event_id.is_empty()).then_some(frame.last_event_id);
    Some(RawFrame { event: frame.event, id, ..raw })
}

/// Creates a frame whose payload could not be delivered, with the size of the payload in bytes.
pub(super) fn failed_frame(origin: &Arc<Origin>, fault: (FrameError, u64)) -> RawFrame {
    RawFrame {
        origin: Arc::clone(origin),
        format: FrameFormat::Sse,
        event: None,
        id: None,
        data: Bytes::new(),
        received_at: None,
        fault: Some(fault),
        offset: 0,
        flags: FrameFlags::default(),
    }
}
