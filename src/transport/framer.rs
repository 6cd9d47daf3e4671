//! The parser of server-sent events, for live streams and for captured ones (HTML, section 9.2).
//!
//! It prepares any bytes for the crate `eventsource_stream`, which expects complete lines of valid
//! UTF-8. The `LineFramer` strips the byte order mark, splits lines at CR, LF or CRLF wherever the
//! chunks end, and keeps no more of a line than the limit. The `FrameAssembler` handles comments,
//! unknown fields, `id:` and `retry:` itself, because the crate reports the latter two only
//! together with data. The crate gets the `event:` and `data:` lines, in small chunks of complete
//! lines. Time is linear in the input, and memory is bounded. Captured frames of the usual form need
//! no parser: [`plain_frame`] finds their fields in place.
//!
//! The size of a frame is that of all values of its `event:`, `id:` and `data:` lines, each with
//! its line end, even if a later line replaces the value. Other lines are not kept. A frame over
//! the limit is reported with its size and skipped up to its blank line. A frame that is cut off by
//! the end of the stream is discarded (HTML, section 9.2.6); [`Parser::unfinished`] returns its
//! size. The meaning of events is left to the caller.

mod in_place;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use eventsource_stream::{Event, EventStream};
use futures_util::{Stream, StreamExt};
use memchr::memchr2;

pub use in_place::{PlainFrame, complete_frames_len, first_frames_len, last_id, plain_frame};
use in_place::{is_valid_id, split_field};

/// The fields that a blank line ended. A blank line after comments alone does not end a frame.
pub struct SseFrame {
    /// The event type, if there was an `event:` line. Otherwise the default `message` applies.
    pub event: Option<String>,
    /// The last event id in force, or "". It is shared, because many frames can have the same id.
    pub last_event_id: Arc<str>,
    /// Whether an `id:` line of this frame set the last event id.
    pub sets_id: bool,
    /// The `retry:` of this frame, in milliseconds.
    pub retry: Option<u64>,
    /// The data of the frame.
    pub body: SseBody,
}

/// The data of a frame.
pub enum SseBody {
    /// No data, only an id, a type or a `retry:`. By the standard, this is not an event.
    Empty,
    /// The `data:` lines, joined by LF.
    Data(String),
    /// The frame was over the limit and was skipped. This is its size in bytes.
    TooLarge(u64),
}

/// An incremental parser that converts bytes to frames. Each connection needs its own.
pub struct Parser {
    framer: LineFramer,
    assembler: FrameAssembler,
}

impl Parser {
    /// Creates a parser for the beginning of a stream. `limit` is the maximum size of a frame, in
    /// bytes.
    ///
    /// No id is in force until the stream sets one. This differs from the standard, by which the id
    /// that the request asked to resume after applies to events without an id of their own: evtap
    /// asks for earlier events than it needs, so that id belongs to none of them.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        // The name of the field does not count.
        Self {
            framer: LineFramer::new(limit + "event: ".len()),
            assembler: FrameAssembler::new(limit),
        }
    }

    /// Creates a parser for a position between two frames, where no byte order mark can occur.
    /// `last_event_id` is the id in force there, or "".
    #[must_use]
    pub fn between_frames(last_event_id: Arc<str>, limit: usize) -> Self {
        let mut parser = Self::new(limit);
        parser.framer.at_start = false;
        parser.assembler.last_event_id = last_event_id;
        parser
    }

    /// Returns the last event id in force.
    #[must_use]
    pub fn last_event_id(&self) -> Arc<str> {
        Arc::clone(&self.assembler.last_event_id)
    }

    /// Parses the next bytes, which may end anywhere, and returns the frames that they complete.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<SseFrame> {
        let mut frames = Vec::new();
        self.framer
            .push(chunk, |line, missing| frames.extend(self.assembler.push_line(line, missing)));
        frames
    }

    /// Returns the latest `retry:` of the server. It applies from its line on, even if its frame
    /// never ends.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.assembler.retry.map(Duration::from_millis)
    }

    /// Returns the size of the current incomplete frame, in bytes. It is lost if the stream ends.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        let line = &self.framer.line;
        let pending =
            if line.starts_with(b":") { 0 } else { line.len() as u64 + self.framer.missing };
        self.assembler.frame.bytes + pending
    }
}

/// Splits bytes into lines without their ends.
struct LineFramer {
    limit: usize,
    /// The beginning of the current line from earlier chunks; at most `limit` bytes.
    line: Vec<u8>,
    /// The number of bytes of the current line that were dropped, because they exceed the limit.
    missing: u64,
    /// The last byte was CR, so an LF that follows belongs to the same line end.
    after_cr: bool,
    /// No line has ended yet, so the line may begin with a byte order mark.
    at_start: bool,
    /// The number of bytes that were searched for line ends, to test that each is searched once.
    #[cfg(test)]
    searched: usize,
}

impl LineFramer {
    const fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            missing: 0,
            after_cr: false,
            at_start: true,
            #[cfg(test)]
            searched: 0,
        }
    }

    /// Calls `on_line` with each line that the chunk ends, and the number of bytes that are missing
    /// at the end of the line because of the limit.
    fn push(&mut self, mut chunk: &[u8], mut on_line: impl FnMut(&[u8], u64)) {
        while !chunk.is_empty() {
            if std::mem::take(&mut self.after_cr) && chunk[0] == b'\n' {
                chunk = &chunk[1..];
                continue;
            }
            let end = memchr2(b'\n', b'\r', chunk);
            let text = &chunk[..end.unwrap_or(chunk.len())];
            #[cfg(test)]
            {
                self.searched += text.len() + usize::from(end.is_some());
            }
            let Some(end) = end else { return self.buffer(text) };
            self.after_cr = chunk[end] == b'\r';
            chunk = &chunk[end + 1..];
            // Most lines lie in one chunk and need no copy.
            if self.line.is_empty() && text.len() <= self.limit {
                on_line(strip_byte_order_mark(text, &mut self.at_start), 0);
            } else {
                self.buffer(text);
                on_line(strip_byte_order_mark(&self.line, &mut self.at_start), self.missing);
                self.line.clear();
                self.missing = 0;
            }
        }
    }

    /// Appends to the current line, up to the limit.
    fn buffer(&mut self, text: &[u8]) {
        let room = text.len().min(self.limit - self.line.len());
        self.line.extend_from_slice(&text[..room]);
        self.missing += (text.len() - room) as u64;
    }
}

fn strip_byte_order_mark<'a>(line: &'a [u8], at_start: &mut bool) -> &'a [u8] {
    if std::mem::take(at_start) {
        line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line)
    } else {
        line
    }
}

/// The maximum size of the chunks for `eventsource_stream`, in bytes, unless a line is longer.
///
/// For each line, it copies the rest of the chunk, so chunks must be small. Each chunk also has a
/// fixed cost, so most frames should fit into one.
const CHUNK_SIZE: usize = 4096;

/// The size of a line that a frame may have whatever its limit, in bytes.
const SHORT_LINE: u64 = 64;

/// Assembles lines to frames.
struct FrameAssembler {
    limit: usize,
    lines: Sender<Vec<u8>>,
    /// The next chunk for `eventsource_stream`.
    chunk: Vec<u8>,
    events: EventStream<LineQueue>,
    /// The number of bytes in the queue, to test that they are limited.
    #[cfg(test)]
    queued: usize,
    last_event_id: Arc<str>,
    retry: Option<u64>,
    frame: PendingFrame,
}

/// The state of a frame before its blank line.
#[derive(Default)]
struct PendingFrame {
    has_event: bool,
    id: Option<String>,
    retry: Option<u64>,
    /// The size of the frame in bytes.
    bytes: u64,
    /// The size of the lines that are kept, with the names of their fields.
    kept: u64,
    too_large: bool,
}

impl FrameAssembler {
    fn new(limit: usize) -> Self {
        let (lines, queue) = channel();
        Self {
            limit,
            lines,
            chunk: Vec::new(),
            events: EventStream::new(LineQueue(queue)),
            #[cfg(test)]
            queued: 0,
            last_event_id: Arc::default(),
            retry: None,
            frame: PendingFrame::default(),
        }
    }

    /// Adds a line, of which `missing` bytes were dropped. A blank line returns the frame it ends.
    fn push_line(&mut self, line: &[u8], missing: u64) -> Option<SseFrame> {
        if line.is_empty() {
            return self.end_frame();
        }
        let (name, value) = split_field(line);
        if matches!(name, b"event" | b"id" | b"data") && !self.add_size(line, value, missing) {
            // Nothing but the id in force is needed of a frame that is skipped.
            if name == b"id" && missing == 0 {
                self.frame.id = parse_id(value).or(self.frame.id.take());
            }
            return None;
        }
        let frame = &mut self.frame;
        match name {
            b"event" => {
                frame.has_event = !value.is_empty();
                self.append(line);
            }
            b"id" => frame.id = parse_id(value).or(frame.id.take()),
            b"data" => self.append(line),
            b"retry" if missing == 0 => {
                if let Some(milliseconds) = parse_digits(value) {
                    frame.retry = Some(milliseconds);
                    self.retry = Some(milliseconds);
                }
            }
            _ => {}
        }
        None
    }

    /// Adds a value and its line end to the size of the frame. Returns whether the frame is still
    /// within the limit, and drops what is kept of it otherwise.
    fn add_size(&mut self, line: &[u8], value: &[u8], missing: u64) -> bool {
        let frame = &mut self.frame;
        let was_within = !frame.too_large;
        frame.bytes += value.len() as u64 + missing + 1;
        frame.kept += line.len() as u64 + 1;
        let limit = self.limit as u64;
        // The last line end does not count, so that data of exactly the limit fits. Many lines that
        // are almost empty need more memory for the names of their fields than for their values.
        frame.too_large |=
            missing > 0 || frame.bytes > limit + 1 || frame.kept > 2 * limit + SHORT_LINE;
        let is_within = !frame.too_large;
        if was_within && !is_within {
            self.discard();
        }
        is_within
    }

    /// Appends a line and its end to the chunk, decoded lossily as the standard requires.
    fn append(&mut self, line: &[u8]) {
        if !self.chunk.is_empty() && self.chunk.len() + line.len() > CHUNK_SIZE {
            self.queue_chunk();
        }
        self.chunk.extend_from_slice(String::from_utf8_lossy(line).as_bytes());
        self.chunk.push(b'\n');
    }

    /// Moves the chunk into the queue.
    fn queue_chunk(&mut self) {
        // The next frame may have the same size.
        let next = Vec::with_capacity(self.chunk.len());
        #[cfg(test)]
        {
            self.queued += self.chunk.len();
        }
        // The receiver lives as long as the sender: in the same struct.
        let _ = self.lines.send(std::mem::replace(&mut self.chunk, next));
    }

    /// Drops all lines of the current frame, which are only in the chunk and in the queue.
    fn discard(&mut self) {
        let (lines, queue) = channel();
        (self.lines, self.events) = (lines, EventStream::new(LineQueue(queue)));
        self.chunk = Vec::new();
        #[cfg(test)]
        {
            self.queued = 0;
        }
    }

    fn end_frame(&mut self) -> Option<SseFrame> {
        self.append(b"");
        self.queue_chunk();
        let event = self.poll_event();
        #[cfg(test)]
        {
            self.queued = 0;
        }
        let frame = std::mem::take(&mut self.frame);
        let sets_id = frame.id.is_some();
        if let Some(id) = frame.id
            && *id != *self.last_event_id
        {
            self.last_event_id = id.into();
        }
        let (event, body) = match event {
            _ if frame.too_large => (None, SseBody::TooLarge(frame.bytes)),
            Some(Event { event, data, .. }) => {
                (frame.has_event.then_some(event), SseBody::Data(data))
            }
            None if !sets_id && frame.retry.is_none() => return None,
            None => (None, SseBody::Empty),
        };
        Some(SseFrame {
            event,
            last_event_id: Arc::clone(&self.last_event_id),
            sets_id,
            retry: frame.retry,
            body,
        })
    }

    /// Returns the event that `eventsource_stream` made of the queued lines; `None` if the frame
    /// has no data. It cannot fail on complete lines of valid UTF-8.
    fn poll_event(&mut self) -> Option<Event> {
        match self.events.poll_next_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(event))) => Some(event),
            Poll::Ready(_) | Poll::Pending => None,
        }
    }
}

/// Returns the id of an `id:` line; `None` if the standard ignores it.
fn parse_id(value: &[u8]) -> Option<String> {
    is_valid_id(value).then(|| String::from_utf8_lossy(value).into_owned())
}

/// Parses a value that consists of ASCII digits only, as the standard requires of `retry:`. A
/// number that is too large is saturated.
fn parse_digits(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    digits.then(|| {
        value.iter().fold(0_u64, |sum, digit| {
            sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        })
    })
}

/// The chunks that wait for `eventsource_stream`. It is polled only when there is a chunk, so no
/// waker is needed.
struct LineQueue(Receiver<Vec<u8>>);

impl Stream for LineQueue {
    type Item = Result<Vec<u8>, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0.try_recv() {
            Ok(line) => Poll::Ready(Some(Ok(line))),
            Err(TryRecvError::Empty) => Poll::Pending,
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests;
