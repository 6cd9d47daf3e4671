//! Server-sent events out of bytes: a framer, and `eventsource_stream` behind it. Live streams and raw captures both come
//! through here.
//!
//! The crate is made for whole lines of valid UTF-8. The `Framer` makes those of any bytes: it takes the byte order mark
//! off, ends lines at CR, LF or CRLF however they are cut into chunks, and keeps no more of a line than the limit. Then
//! what has no bearing on the event stays here: comments, unknown fields, `id:` and `retry:`, which the crate shows only
//! beside data. It gets `event:` and `data:` lines, whole lines and few bytes at once, and puts the event together. So the
//! time is linear in the bytes and the memory is bounded.
//!
//! A frame over the limit is reported with its size and skipped to its blank line. A frame that the end of the stream cuts
//! off is discarded, as the standard says (HTML, section 9.2.6); [`Parser::unfinished`] tells. What an event means is for
//! others.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use eventsource_stream::{Event, EventStream};
use futures_util::{Stream, StreamExt};
use memchr::{memchr, memchr2, memrchr_iter, memrchr2};

/// What one blank line ended. Blank lines after nothing but comments end no frame.
pub struct SseFrame {
    /// The event type, if an `event:` line named one; otherwise the standard's default, `message`, is meant.
    pub event: Option<String>,
    /// The last event id in force, "" if there is none.
    pub last_event_id: String,
    /// Whether an `id:` line of this frame set it.
    pub sets_id: bool,
    /// The `retry:` of this frame, in milliseconds.
    pub retry: Option<u64>,
    /// What it carried.
    pub body: SseBody,
}

/// What a frame carried.
pub enum SseBody {
    /// No data: only an id, a type or a retry. The standard makes no event of it.
    Empty,
    /// The `data:` lines, joined by LF.
    Data(String),
    /// More than the limit; so many bytes, skipped.
    TooLarge(u64),
}

/// Bytes in, frames out. One for each connection.
pub struct Parser {
    framer: Framer,
    fields: FrameAssembler,
}

impl Parser {
    /// At the beginning of a stream. `last_event_id` is what the request asked to resume after, or "": it stays in force
    /// until the stream sets another. `limit` is the largest frame, in bytes.
    #[must_use]
    pub fn new(last_event_id: &str, limit: usize) -> Self {
        // The field's name doesn't count: data of exactly the limit fits.
        Self {
            framer: Framer::new(limit + "data: ".len()),
            fields: FrameAssembler::new(last_event_id, limit),
        }
    }

    /// Between two frames of a stream.
    #[must_use]
    pub fn between(last_event_id: &str, limit: usize) -> Self {
        let mut parser = Self::new(last_event_id, limit);
        parser.framer.first = false;
        parser
    }

    /// The last event id in force.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.fields.last_event_id
    }

    /// Takes the next bytes, cut anywhere, and gives the frames that they end.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<SseFrame> {
        let mut frames = Vec::new();
        self.framer.push(chunk, |line, cut| frames.extend(self.fields.line(line, cut)));
        frames
    }

    /// The server's latest `retry:`. It holds from its line on, whether or not its frame ends.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.fields.retry.map(Duration::from_millis)
    }

    /// How many bytes wait for the end of their frame: lost, if this is the end of the stream.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        let line = &self.framer.line;
        let pending = if line.starts_with(b":") { 0 } else { line.len() as u64 + self.framer.cut };
        self.fields.frame.bytes + pending
    }
}

/// Bytes in, whole lines out, without their ends.
struct Framer {
    limit: usize,
    /// The beginning of a line that chunks before this one began; at most `limit` bytes.
    line: Vec<u8>,
    /// How many bytes of it are gone, as they were beyond the limit.
    cut: u64,
    /// The last chunk ended in CR: a LF now belongs to it.
    after_cr: bool,
    /// Nothing has come yet, so a byte order mark may.
    first: bool,
    /// How many bytes have been searched for line ends. Each should be once.
    #[cfg(test)]
    searched: usize,
}

impl Framer {
    const fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            cut: 0,
            after_cr: false,
            first: true,
            #[cfg(test)]
            searched: 0,
        }
    }

    /// Calls `each` with every line that the chunk ends, and with how many bytes were cut from the line's end.
    fn push(&mut self, mut chunk: &[u8], mut each: impl FnMut(&[u8], u64)) {
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
            let Some(end) = end else { return self.keep(text) };
            self.after_cr = chunk[end] == b'\r';
            chunk = &chunk[end + 1..];
            // Most lines lie in one chunk and need no copy.
            if self.line.is_empty() && text.len() <= self.limit {
                each(strip_mark(text, &mut self.first), 0);
            } else {
                self.keep(text);
                each(strip_mark(&self.line, &mut self.first), self.cut);
                self.line.clear();
                self.cut = 0;
            }
        }
    }

    fn keep(&mut self, text: &[u8]) {
        let room = text.len().min(self.limit - self.line.len());
        self.line.extend_from_slice(&text[..room]);
        self.cut += (text.len() - room) as u64;
    }
}

fn strip_mark<'a>(line: &'a [u8], first: &mut bool) -> &'a [u8] {
    if std::mem::take(first) {
        line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line)
    } else {
        line
    }
}

/// How many bytes the crate gets at once, but for longer lines. It copies what follows each line in them, so that they must
/// be few; and takes its time for each chunk, so that they should be all of most frames.
const CHUNK: usize = 4096;

/// Lines in, frames out.
struct FrameAssembler {
    limit: usize,
    lines: Sender<Vec<u8>>,
    /// The lines that the crate gets next.
    chunk: Vec<u8>,
    events: EventStream<LineQueue>,
    last_event_id: String,
    retry: Option<u64>,
    frame: PendingFrame,
}

/// What is known of a frame before its blank line.
#[derive(Default)]
struct PendingFrame {
    has_event: bool,
    id: Option<String>,
    retry: Option<u64>,
    /// The size of the data, each line with its LF.
    bytes: u64,
    too_large: bool,
}

impl FrameAssembler {
    fn new(last_event_id: &str, limit: usize) -> Self {
        let (lines, queue) = channel();
        let events = EventStream::new(LineQueue(queue));
        Self {
            limit,
            lines,
            chunk: Vec::new(),
            events,
            last_event_id: last_event_id.to_owned(),
            retry: None,
            frame: PendingFrame::default(),
        }
    }

    /// Takes one line, of which `cut` bytes are missing. Gives the frame that a blank line ends.
    fn line(&mut self, line: &[u8], cut: u64) -> Option<SseFrame> {
        if line.is_empty() {
            return self.end_frame();
        }
        let (name, value) = field(line);
        let frame = &mut self.frame;
        match name {
            b"data" => {
                frame.bytes += value.len() as u64 + cut + 1;
                // The LF after the last line is not part of the data.
                frame.too_large |= cut > 0 || frame.bytes > self.limit as u64 + 1;
                if !frame.too_large {
                    self.collect(line);
                }
            }
            // Only a field's value can make a line that long; then neither type nor position of the frame is known.
            b"event" | b"id" | b"retry" if cut > 0 => {
                frame.bytes += value.len() as u64 + cut;
                frame.too_large = true;
            }
            b"event" => {
                frame.has_event = !value.is_empty();
                self.collect(line);
            }
            b"id" => frame.id = id(name, value).map(Cow::into_owned).or(frame.id.take()),
            b"retry" => {
                if let Some(milliseconds) = digits(value) {
                    frame.retry = Some(milliseconds);
                    self.retry = Some(milliseconds);
                }
            }
            _ => {}
        }
        None
    }

    /// Takes a line for the crate, lossily decoded as the standard says, and with its end.
    fn collect(&mut self, line: &[u8]) {
        if !self.chunk.is_empty() && self.chunk.len() + line.len() > CHUNK {
            self.hand_over();
        }
        match std::str::from_utf8(line) {
            Ok(text) => self.chunk.extend_from_slice(text.as_bytes()),
            Err(_) => self.chunk.extend_from_slice(String::from_utf8_lossy(line).as_bytes()),
        }
        self.chunk.push(b'\n');
    }

    /// Puts what was collected into the queue.
    fn hand_over(&mut self) {
        // The next frame may be as long.
        let next = Vec::with_capacity(self.chunk.len());
        // The receiver lives as long as the sender: in the same struct.
        let _ = self.lines.send(std::mem::replace(&mut self.chunk, next));
    }

    fn end_frame(&mut self) -> Option<SseFrame> {
        self.collect(b"");
        self.hand_over();
        let event = self.assembled();
        let frame = std::mem::take(&mut self.frame);
        let sets_id = frame.id.is_some();
        if let Some(id) = frame.id {
            self.last_event_id = id;
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
            last_event_id: self.last_event_id.clone(),
            sets_id,
            retry: frame.retry,
            body,
        })
    }

    /// What the crate makes of the lines that it has been handed. It fails on no whole line of valid UTF-8, and pends
    /// where there was no data.
    fn assembled(&mut self) -> Option<Event> {
        match self.events.poll_next_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(event))) => Some(event),
            Poll::Ready(_) | Poll::Pending => None,
        }
    }
}

/// The field that a line sets, and to what.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = memchr(b':', line);
    let value = colon.map_or(&b""[..], |colon| &line[colon + 1..]);
    (&line[..colon.unwrap_or(line.len())], value.strip_prefix(b" ").unwrap_or(value))
}

/// The id that an `id:` line sets, if it is one that counts.
fn id<'v>(name: &[u8], value: &'v [u8]) -> Option<Cow<'v, str>> {
    (name == b"id" && !value.contains(&0)).then(|| String::from_utf8_lossy(value))
}

/// The last id that is set in whole frames.
#[must_use]
pub fn last_id(frames: &[u8]) -> Option<Cow<'_, str>> {
    let mut rest = frames;
    loop {
        let start = memrchr2(b'\n', b'\r', rest).map_or(0, |end| end + 1);
        let (name, value) = field(&rest[start..]);
        if let Some(id) = id(name, value) {
            return Some(id);
        }
        rest = &rest[..start.checked_sub(1)?];
    }
}

/// How many of these bytes are whole frames, as far as it is plain to see.
#[must_use]
pub fn whole(bytes: &[u8]) -> usize {
    memrchr_iter(b'\n', bytes)
        .find(|end| bytes[..*end].ends_with(b"\n") || bytes[..*end].ends_with(b"\n\r"))
        .map_or(0, |end| end + 1)
}

fn digits(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    digits.then(|| {
        value.iter().fold(0_u64, |sum, digit| {
            sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        })
    })
}

/// The lines that wait for the crate. It is polled only when there is something for it, so no one needs to be woken.
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
