//! A part of a captured SSE stream. The first worker that needs its frames parses it, so that
//! several parts can be parsed at the same time.
//!
//! Frames of the usual form are spans of the part and are not copied. All other frames are parsed
//! by the [`Parser`], like those of a live stream.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use memchr::memchr;

use super::framer::{self, Parser, PlainFrame, SseBody};
use super::raw_frame::{RawFrame, without_del};
use crate::model::{Frame, FrameError, FrameFlags, FrameFormat, Origin};

/// Complete frames of a captured stream, and the parser state where they begin.
///
/// Its `Debug` shows the size, never the content.
pub struct Capture {
    bytes: Bytes,
    /// The last event id in force before the first frame.
    last_event_id: Arc<str>,
    frames: OnceLock<Vec<CapturedFrame>>,
}

/// A frame with data.
enum CapturedFrame {
    /// A frame of the usual form.
    Plain {
        event: Option<Range<usize>>,
        /// The id in force, if one of these frames has set it.
        id: Option<Range<usize>>,
        data: Range<usize>,
    },
    /// A frame that the parser has copied.
    Parsed(Box<RawFrame>),
}

impl Capture {
    /// Creates a part of a stream from complete frames, which must be within the limit of a frame
    /// together. `last_event_id` is the id in force before the first, or "".
    #[must_use]
    pub const fn new(bytes: Bytes, last_event_id: Arc<str>) -> Self {
        Self { bytes, last_event_id, frames: OnceLock::new() }
    }

    /// Returns the size in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the buffer that the frames are in.
    pub(super) const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Iterates over the frames, which are parsed on the first call. `origin` is the stream that
    /// they are attributed to.
    pub fn frames<'a>(&'a self, origin: &'a Origin) -> impl Iterator<Item = Frame<'a>> {
        // Checking all frames at once is much faster than checking each frame.
        let text = std::str::from_utf8(&self.bytes).ok();
        let plain = text.and_then(without_del);
        let text = text.unwrap_or_default();
        let frames = self.frames.get_or_init(|| self.parse(text));
        frames.iter().map(move |frame| match frame {
            CapturedFrame::Plain { event, id, data } => Frame {
                event: event.clone().map(|event| &text[event]),
                id: Some(id.clone().map_or(&*self.last_event_id, |id| &text[id]))
                    .filter(|id| !id.is_empty()),
                text: plain.map(|text| &text[data.start..]),
                ..Frame::new(FrameFormat::Sse, text[data.clone()].as_bytes(), origin)
            },
            CapturedFrame::Parsed(frame) => Frame { origin, ..frame.as_frame() },
        })
    }

    /// Parses the frames. `text` is empty if they are not valid UTF-8.
    fn parse(&self, text: &str) -> Vec<CapturedFrame> {
        if text.is_empty() {
            let last_id = Arc::clone(&self.last_event_id);
            return parse_copies(&self.bytes, last_id).collect();
        }
        let bytes = &*self.bytes;
        let (mut frames, mut id) = (Vec::new(), None);
        let (mut at, mut carriage_return) = (0, next_carriage_return(bytes, 0));
        while at < bytes.len() {
            if carriage_return < at {
                carriage_return = next_carriage_return(bytes, at);
            }
            let plain = framer::plain_frame(bytes, at).filter(|frame| frame.end <= carriage_return);
            if let Some(PlainFrame { event, id: new_id, data, end }) = plain {
                id = new_id.or(id);
                let frame = data.map(|data| CapturedFrame::Plain { event, id: id.clone(), data });
                frames.extend(frame);
                at = end;
            } else {
                let others = &bytes[at..at + framer::first_frames_len(&bytes[at..])];
                let last_id = id
                    .clone()
                    .map_or_else(|| Arc::clone(&self.last_event_id), |id| text[id].into());
                frames.extend(parse_copies(others, last_id));
                id = framer::last_id(others).map(|id| at + id.start..at + id.end).or(id);
                at += others.len();
            }
        }
        frames
    }
}

/// Parses frames of any form. `last_id` is the id in force before the first.
fn parse_copies(frames: &[u8], last_id: Arc<str>) -> impl Iterator<Item = CapturedFrame> {
    let origin = Arc::default();
    let frames = Parser::between_frames(last_id, frames.len()).push(frames);
    let frames = frames.into_iter().filter_map(move |frame| raw_frame(&origin, frame));
    frames.map(|frame| CapturedFrame::Parsed(Box::new(frame)))
}

/// Returns the offset of the first CR at or after `at`, or the length of the bytes.
fn next_carriage_return(bytes: &[u8], at: usize) -> usize {
    memchr(b'\r', &bytes[at..]).map_or(bytes.len(), |found| at + found)
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

#[cfg(test)]
mod tests;
