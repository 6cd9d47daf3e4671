//! Recordings of an SSE stream, as `curl -N` captures it.
//!
//! A chunk of complete frames is passed on unparsed as a [`Capture`], so that several workers can
//! parse at the same time. Chunks that cannot be split easily, such as those with a frame that is
//! longer than a chunk, and chunks with a control frame are parsed here.

use std::io::Result;
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use memchr::memmem;

use super::chunk_reader::ChunkReader;
use crate::model::catalog::value::EndReason;
use crate::model::{FrameError, Origin};
use crate::transport::capture::{Capture, failed_frame, raw_frame};
use crate::transport::framer::{self, Parser, SseBody};
use crate::transport::sse::{CONTROL, control_error};
use crate::transport::{BlockingSender, Chunk, ConnectionEvent, ConnectionState, Item, RawFrame};

/// The byte order mark, which may precede the first frame.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads the frames of a captured stream and sends them in one item per read.
///
/// A frame that is cut off by the end of the file is reported. On a live stream, it would be
/// requested again.
pub(super) fn read_frames(
    mut chunk: BytesMut,
    chunks: &mut ChunkReader<'_>,
    limit: usize,
    tx: &BlockingSender,
) -> Result<()> {
    let mut splitter = FrameSplitter {
        parser: Parser::new(limit),
        limit,
        is_between_frames: framer::complete_frames_len(&chunk) > 0,
        origin: Arc::default(),
    };
    if splitter.is_between_frames {
        // The workers know of no byte order mark.
        if chunk.starts_with(BYTE_ORDER_MARK) {
            chunk.advance(BYTE_ORDER_MARK.len());
        }
        splitter.parser = Parser::between_frames(Arc::default(), limit);
    }
    let ended = loop {
        let Some(rest) = splitter.send_chunk(chunk, chunks, tx) else { return Ok(()) };
        chunk = rest;
        match chunks.extend(&mut chunk) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let frames = splitter.parser.push(&chunk);
    if !splitter.send_frames(frames, tx) {
        return Ok(());
    }
    let unfinished = splitter.parser.unfinished();
    if unfinished > 0 {
        let cut_off = failed_frame(&splitter.origin, (FrameError::CutOff, unfinished));
        let _ = tx.blocking_send(Item::Chunk(Chunk::Frames(Arc::new([cut_off]))));
    }
    ended
}

/// Splits chunks of a captured stream into complete frames.
struct FrameSplitter {
    /// The parser, whose state is that after the last chunk that was sent.
    parser: Parser,
    /// The maximum size of a frame, in bytes.
    limit: usize,
    /// The next chunk begins between two frames.
    is_between_frames: bool,
    origin: Arc<Origin>,
}

impl FrameSplitter {
    /// Sends the complete frames of a chunk. Returns the rest, with which the next chunk must
    /// begin; `None` if the receiver is gone.
    fn send_chunk(
        &mut self,
        mut chunk: BytesMut,
        chunks: &mut ChunkReader<'_>,
        tx: &BlockingSender,
    ) -> Option<BytesMut> {
        let complete = framer::complete_frames_len(&chunk);
        let rest = chunk.split_off(if complete == 0 { chunk.len() } else { complete });
        let begins_frame = self.is_between_frames;
        self.is_between_frames = complete > 0;
        let can_defer = begins_frame
            && self.is_between_frames
            && complete <= self.limit
            && !may_have_control_frame(&chunk);
        let bytes = chunk.freeze();
        if !can_defer {
            let frames = self.parser.push(&bytes);
            chunks.sent.push_back(bytes);
            return self.send_frames(frames, tx).then_some(rest);
        }
        let last_event_id = self.parser.last_event_id();
        if let Some(id) = framer::last_id(&bytes) {
            let id = String::from_utf8_lossy(&bytes[id]);
            self.parser = Parser::between_frames(id.into(), self.limit);
        }
        let capture = Capture::new(bytes, last_event_id);
        chunks.send(vec![Item::Chunk(Chunk::Capture(Arc::new(capture)))], tx).then_some(rest)
    }

    /// Sends frames, and a connection event for each control frame. Returns false if the receiver
    /// is gone.
    fn send_frames(&self, frames: Vec<framer::SseFrame>, tx: &BlockingSender) -> bool {
        let mut ready = Vec::with_capacity(frames.len());
        let send = |ready: &mut Vec<RawFrame>| {
            ready.is_empty()
                || tx.blocking_send(Item::Chunk(Chunk::Frames(ready.drain(..).collect()))).is_ok()
        };
        for frame in frames {
            match frame.body {
                // A control frame is not an event. The captured connection ended there.
                SseBody::Data(data) if frame.event.as_deref() == Some(CONTROL) => {
                    let why = control_error(&data).why().to_owned();
                    let event = Item::Connection(ConnectionEvent {
                        origin: Arc::clone(&self.origin),
                        state: ConnectionState::Ended { reason: EndReason::ServerEnded, why },
                    });
                    if !send(&mut ready) || tx.blocking_send(event).is_err() {
                        return false;
                    }
                }
                _ => ready.extend(raw_frame(&self.origin, frame)),
            }
        }
        send(&mut ready)
    }
}

/// Returns whether there may be a control frame of the server in these bytes.
fn may_have_control_frame(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, CONTROL).any(|at| {
        let before = &bytes[..at];
        before.ends_with(b"event:") || before.ends_with(b"event: ")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transport::{FRAME_LIMIT, Receiver, channel};

    /// Returns the data lengths of the frames in each item; `None` for a connection event.
    fn items(capture: &str) -> Vec<Option<Vec<usize>>> {
        let (tx, mut rx) = channel(100);
        let mut reader = capture.as_bytes();
        let mut chunks = ChunkReader::new(&mut reader);
        let first = chunks.beginning().expect("no failure").expect("something");
        read_frames(first, &mut chunks, FRAME_LIMIT, &tx.blocking()).expect("no failure");
        drop(tx);
        let length = |item| match item {
            Item::Chunk(chunk) => {
                Some(chunk.frames(&Origin::default()).map(|frame| frame.data.len()).collect())
            }
            Item::Frame(_) => panic!("single frames are slow"),
            Item::Connection(_)
            | Item::Coverage(_)
            | Item::Recording(_)
            | Item::Skipped(_)
            | Item::Receipt(_) => None,
        };
        std::iter::from_fn(|| rx.blocking_recv()).map(length).collect()
    }

    #[test]
    fn frames_of_one_read_are_one_item_and_connection_events_keep_their_place() {
        let event = "retry: 3\n\ndata: {}\n\n";
        assert_eq!(items(&event.repeat(1000)), [Some(vec![2; 1000])]);
        let ended = "event: error\ndata: {}\n\n";
        let capture = [&event.repeat(3), ended, ended, event, "data: {"].concat();
        assert_eq!(items(&capture), [Some(vec![2; 3]), None, None, Some(vec![2]), Some(vec![0])]);
    }

    /// A reader that returns at most the given number of bytes at a time.
    struct LimitedReader<'a>(&'a [u8], usize);

    impl std::io::Read for LimitedReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let (chunk, rest) = self.0.split_at(self.0.len().min(self.1));
            self.0 = rest;
            buffer[..chunk.len()].copy_from_slice(chunk);
            Ok(chunk.len())
        }
    }

    /// Reads a capture with reads of the given size. Returns its frames and connection events as
    /// text, and the number of bytes that were left to the workers to parse.
    fn read(capture: &[u8], read_size: usize, limit: usize) -> (Vec<String>, usize) {
        let (tx, mut rx) = channel(10_000);
        let mut reader = LimitedReader(capture, read_size);
        let mut chunks = ChunkReader::new(&mut reader);
        let Some(first) = chunks.beginning().expect("no failure") else { return (Vec::new(), 0) };
        read_frames(first, &mut chunks, limit, &tx.blocking()).expect("no failure");
        drop(tx);
        describe(&mut rx)
    }

    /// Describes frames and connection events. Also returns the number of bytes that were left to
    /// the workers to parse.
    fn describe(rx: &mut Receiver) -> (Vec<String>, usize) {
        let (mut lines, mut deferred) = (Vec::new(), 0);
        while let Some(item) = rx.blocking_recv() {
            match item {
                Item::Chunk(chunk) => {
                    if let Chunk::Capture(capture) = &chunk {
                        deferred += capture.size();
                    }
                    lines.extend(chunk.frames(&Origin::default()).map(|frame| {
                        let data = String::from_utf8_lossy(frame.data);
                        format!("{:?} {:?} {data} {:?}", frame.event, frame.id, frame.fault)
                    }));
                }
                Item::Connection(event) => lines.push(format!("{:?}", event.state)),
                Item::Frame(_)
                | Item::Coverage(_)
                | Item::Recording(_)
                | Item::Skipped(_)
                | Item::Receipt(_) => {
                    panic!("not from a capture")
                }
            }
        }
        (lines, deferred)
    }

    /// Parses a capture at once, by the parser alone. Returns what [`read`] returns.
    fn parse(capture: &[u8], limit: usize) -> Vec<String> {
        let mut parser = Parser::new(limit);
        let (tx, mut rx) = channel(10_000);
        let splitter = FrameSplitter {
            parser: Parser::new(limit),
            limit,
            is_between_frames: false,
            origin: Arc::default(),
        };
        splitter.send_frames(parser.push(capture), &tx.blocking());
        if parser.unfinished() > 0 {
            let cut_off = failed_frame(&splitter.origin, (FrameError::CutOff, parser.unfinished()));
            let cut_off = Item::Chunk(Chunk::Frames(Arc::new([cut_off])));
            tx.blocking().blocking_send(cut_off).expect("there is room");
        }
        drop(tx);
        describe(&mut rx).0
    }

    /// Lines that are likely to matter in a captured stream.
    const LINES: &[&str] = &[
        "",
        "",
        "",
        "data: {}",
        "data: {}",
        "data:x",
        "data",
        "id: 7",
        "id:8",
        "id",
        "id: \u{0}",
        "idx: 9",
        "event: call.ended",
        "event:error",
        "event: error",
        "event",
        ": hello",
        "retry: 3",
        "\u{feff}id: 5",
        "\u{feff}",
        "é",
        "data: a long line that is beyond the limit of a frame",
    ];

    const LINE_ENDS: &[&str] =
        &["\n", "\n", "\n", "\n\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\r\r"];

    proptest! {
        #[test]
        fn the_frames_are_those_of_the_parser_whatever_the_size_of_reads(
            parts in prop::collection::vec(
                (prop::sample::select(LINES), prop::sample::select(LINE_ENDS)),
                0..40,
            ),
            read_size in 1..400usize,
            limit in prop::sample::select(vec![24, 60, FRAME_LIMIT]),
        ) {
            let capture: String = parts.iter().flat_map(|(line, end)| [*line, *end]).collect();
            let expected = parse(capture.as_bytes(), limit);
            prop_assert_eq!(&read(capture.as_bytes(), read_size, limit).0, &expected);
            prop_assert_eq!(&read(capture.as_bytes(), usize::MAX, limit).0, &expected);
        }
    }

    #[test]
    fn most_of_a_capture_is_parsed_by_the_workers() {
        let event = "id: 7\nevent: text.started\ndata: {\"error\":\"x\"}\n\n";
        let events = event.repeat(1000);
        let (frames, deferred) = read(events.as_bytes(), 1000, FRAME_LIMIT);
        let total = events.len();
        assert!(frames.len() == 1000 && deferred == total, "{deferred} of {total}");
        assert_eq!(frames[999], "Some(\"text.started\") Some(\"7\") {\"error\":\"x\"} None");
    }

    #[test]
    fn debug_output_of_items_contains_no_payload() {
        let event = "id: 4321\nevent: call.started\ndata: {\"caller_id\":\"Canary\"}\n\n".repeat(9);
        let (tx, mut rx) = channel(100);
        let mut reader = LimitedReader(event.as_bytes(), event.len() / 3);
        let mut chunks = ChunkReader::new(&mut reader);
        let first = chunks.beginning().expect("no failure").expect("something");
        read_frames(first, &mut chunks, FRAME_LIMIT, &tx.blocking()).expect("no failure");
        drop(tx);
        let items: Vec<_> = std::iter::from_fn(|| rx.blocking_recv()).collect();
        assert!(items.iter().any(|item| matches!(item, Item::Chunk(Chunk::Capture(_)))));
        let debug = format!("{items:?}");
        assert!(
            !debug.contains("Canary")
                && !debug.contains("4321")
                && debug.contains("Capture { bytes: "),
            "{debug}"
        );
    }
}
