//! A part of a captured SSE stream that is parsed by the first worker that looks at it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::framer::{self, Parser, SseBody};
use super::raw_frame::RawFrame;
use crate::model::{FrameError, FrameFlags, FrameFormat, Origin};

/// Whole frames of a capture, and what is in force where they begin.
///
/// Its `Debug` shows how much it is, never what.
pub struct Capture {
    pub(super) bytes: Bytes,
    pub(super) last_event_id: String,
    pub(super) limit: usize,
    pub(super) frames: OnceLock<Vec<RawFrame>>,
}

impl Capture {
    /// How many bytes it has.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Its frames.
    #[must_use]
    pub fn frames(&self) -> &[RawFrame] {
        self.frames.get_or_init(|| {
            let origin = Arc::default();
            let frames = Parser::between(&self.last_event_id, self.limit).push(&self.bytes);
            frames.into_iter().filter_map(|frame| raw(&origin, frame)).collect()
        })
    }
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capture").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// A frame that carries something.
pub(super) fn raw(origin: &Arc<Origin>, frame: framer::SseFrame) -> Option<RawFrame> {
    let raw = match frame.body {
        SseBody::Empty => return None,
        SseBody::Data(data) => RawFrame {
            data: Bytes::from(data),
            fault: None,
            ..nothing(origin, (FrameError::CutOff, 0))
        },
        SseBody::TooLarge(length) => nothing(origin, (FrameError::TooLarge, length)),
    };
    let id = (!frame.last_event_id.is_empty()).then_some(frame.last_event_id);
    Some(RawFrame { event: frame.event, id, ..raw })
}

/// What could not be delivered.
pub(super) fn nothing(origin: &Arc<Origin>, fault: (FrameError, u64)) -> RawFrame {
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
