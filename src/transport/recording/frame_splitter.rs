//! What `curl -N` captured of an SSE stream. It takes the path of a live stream, but in pieces.
//!
//! A piece of whole frames is taken apart by whoever walks it, so that several can be at once. What is not plain to cut, such
//! as a frame that is longer than a piece, and what has news in it, is taken apart here.

use std::io::Result;
use std::sync::{Arc, OnceLock};

use bytes::BytesMut;
use memchr::memmem;

use super::chunk_reader::ChunkReader;
use crate::model::{FrameError, Origin};
use crate::transport::capture::{Capture, nothing, raw};
use crate::transport::framer::{self, Parser, SseBody};
use crate::transport::sse::{CONTROL, control};
use crate::transport::{BlockingSender, Chunk, ConnectionEvent, ConnectionState, Item, RawFrame};

/// Hands over the frames of a capture, all that one read has ended at once. What its end cuts off is reported, since nothing
/// will bring it again.
pub(super) fn frames(
    first: BytesMut,
    pieces: &mut ChunkReader<'_>,
    limit: usize,
    tx: &BlockingSender,
) -> Result<()> {
    let mut cutter = FrameSplitter {
        parser: Parser::new("", limit),
        limit,
        is_between: false,
        origin: Arc::default(),
    };
    let mut open = BytesMut::new();
    let mut next = Ok(Some(first));
    while let Ok(Some(piece)) = next {
        let Some(rest) = cutter.hand_over(piece, pieces, tx) else { return Ok(()) };
        open = rest;
        next = pieces.next(&open);
    }
    let frames = cutter.parser.push(&open);
    if !cutter.each(frames, tx) {
        return Ok(());
    }
    if cutter.parser.unfinished() > 0 {
        let cut_off = nothing(&cutter.origin, (FrameError::CutOff, cutter.parser.unfinished()));
        let _ = tx.blocking_send(Item::Chunk(Chunk::Frames(Arc::new([cut_off]))));
    }
    next.map(|_| ())
}

struct FrameSplitter {
    /// At the end of what has been handed over.
    parser: Parser,
    /// The largest frame, in bytes.
    limit: usize,
    /// No frame is open there.
    is_between: bool,
    origin: Arc<Origin>,
}

impl FrameSplitter {
    /// Hands over what there is, and gives back what is to come again before the next bytes; `None` if nobody takes it.
    fn hand_over(
        &mut self,
        mut piece: BytesMut,
        pieces: &mut ChunkReader<'_>,
        tx: &BlockingSender,
    ) -> Option<BytesMut> {
        let whole = framer::whole(&piece);
        let rest = piece.split_off(if whole == 0 { piece.len() } else { whole });
        let is_plain = self.is_between && whole <= self.limit && !has_news(&piece);
        self.is_between = whole > 0;
        let bytes = piece.freeze();
        if !(is_plain && self.is_between) {
            let frames = self.parser.push(&bytes);
            pieces.lent.push_back(bytes);
            return self.each(frames, tx).then_some(rest);
        }
        let last_event_id = self.parser.last_event_id().to_owned();
        if let Some(id) = framer::last_id(&bytes) {
            self.parser = Parser::between(&id, self.limit);
        }
        let capture = Capture { bytes, last_event_id, limit: self.limit, frames: OnceLock::new() };
        pieces.send(vec![Item::Chunk(Chunk::Capture(Arc::new(capture)))], tx).then_some(rest)
    }

    /// Hands frames over, and news in their place. False if nobody takes them.
    fn each(&self, frames: Vec<framer::SseFrame>, tx: &BlockingSender) -> bool {
        let mut ready = Vec::with_capacity(frames.len());
        let send = |ready: &mut Vec<RawFrame>| {
            ready.is_empty()
                || tx.blocking_send(Item::Chunk(Chunk::Frames(ready.drain(..).collect()))).is_ok()
        };
        for frame in frames {
            match frame.body {
                // The server's word to its client is no event: the captured connection ended there.
                SseBody::Data(data) if frame.event.as_deref() == Some(CONTROL) => {
                    let state = ConnectionState::Ended { why: control(&data).why().to_owned() };
                    let news = Item::Connection(ConnectionEvent {
                        origin: Arc::clone(&self.origin),
                        state,
                    });
                    if !send(&mut ready) || tx.blocking_send(news).is_err() {
                        return false;
                    }
                }
                _ => ready.extend(raw(&self.origin, frame)),
            }
        }
        send(&mut ready)
    }
}

/// Whether there may be a word of the server's in it.
fn has_news(bytes: &[u8]) -> bool {
    ["event: ", "event:"]
        .iter()
        .any(|name| memmem::find(bytes, [name, CONTROL].concat().as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::transport::{FRAME_LIMIT, channel};

    /// The data of the frames in each item, by its length; no length for news.
    fn items(capture: &str) -> Vec<Option<Vec<usize>>> {
        let (tx, mut rx) = channel(100);
        let mut reader = capture.as_bytes();
        let mut pieces = ChunkReader::new(&mut reader);
        let first = pieces.beginning().expect("no failure").expect("something");
        frames(first, &mut pieces, FRAME_LIMIT, &tx.blocking()).expect("no failure");
        drop(tx);
        let length = |item| match item {
            Item::Chunk(piece) => {
                Some(piece.frames(&Origin::default()).map(|frame| frame.data.len()).collect())
            }
            Item::Frame(_) => panic!("one by one is slow"),
            Item::Connection(_) | Item::Recording(_) => None,
        };
        std::iter::from_fn(|| rx.blocking_recv()).map(length).collect()
    }

    #[test]
    fn what_is_read_at_once_is_handed_over_at_once_and_news_in_its_place() {
        let event = "retry: 3\n\ndata: {}\n\n";
        assert_eq!(items(&event.repeat(1000)), [Some(vec![2; 1000])]);
        let ended = "event: error\ndata: {}\n\n";
        let capture = [&event.repeat(3), ended, ended, event, "data: {"].concat();
        assert_eq!(items(&capture), [Some(vec![2; 3]), None, None, Some(vec![2]), Some(vec![0])]);
    }

    /// Hands over so many bytes at a time.
    struct Chunks<'a>(&'a [u8], usize);

    impl std::io::Read for Chunks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let (chunk, rest) = self.0.split_at(self.0.len().min(self.1));
            self.0 = rest;
            buffer[..chunk.len()].copy_from_slice(chunk);
            Ok(chunk.len())
        }
    }

    /// What is handed over of a capture that comes in chunks of that size, and how much of it another may take apart.
    fn told(capture: &[u8], chunk: usize, limit: usize) -> (Vec<String>, usize) {
        let (tx, mut rx) = channel(10_000);
        let mut reader = Chunks(capture, chunk);
        let mut pieces = ChunkReader::new(&mut reader);
        let Some(first) = pieces.beginning().expect("no failure") else { return (Vec::new(), 0) };
        frames(first, &mut pieces, limit, &tx.blocking()).expect("no failure");
        drop(tx);
        let (mut told, mut left) = (Vec::new(), 0);
        while let Some(item) = rx.blocking_recv() {
            match item {
                Item::Chunk(piece) => {
                    left += if let Chunk::Capture(capture) = &piece { capture.size() } else { 0 };
                    told.extend(piece.frames(&Origin::default()).map(|frame| {
                        let data = String::from_utf8_lossy(frame.data);
                        format!("{:?} {:?} {data} {:?}", frame.event, frame.id, frame.fault)
                    }));
                }
                Item::Connection(news) => told.push(format!("{:?}", news.state)),
                Item::Frame(_) | Item::Recording(_) => panic!("of lines"),
            }
        }
        (told, left)
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_frames_are_the_same(
            parts in prop::collection::vec(
                (
                    prop::sample::select(vec![
                        "", "", "", "data: {}", "data: {}", "data:x", "data", "id: 7", "id:8", "id", "id: \u{0}", "idx: 9", "event: call.ended",
                        "event:error", "event: error", "event", ": hello", "retry: 3", "\u{feff}id: 5", "\u{feff}", "é",
                        "data: a long line that is beyond the limit of a frame",
                    ]),
                    prop::sample::select(vec!["\n", "\n", "\n", "\n\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\r\r"]),
                ),
                0..40,
            ),
            chunk in 1..400usize,
            limit in prop::sample::select(vec![24, 60, FRAME_LIMIT]),
        ) {
            let capture: String = parts.iter().flat_map(|(line, end)| [*line, *end]).collect();
            // All at once, nothing is left to others.
            let (whole, left) = told(capture.as_bytes(), usize::MAX, limit);
            prop_assert_eq!(left, 0);
            prop_assert_eq!(told(capture.as_bytes(), chunk, limit).0, whole);
        }
    }

    #[test]
    fn most_of_a_capture_is_left_to_others() {
        let event = "id: 7\nevent: text.started\ndata: {\"error\":\"x\"}\n\n";
        let events = event.repeat(1000);
        let (frames, left) = told(events.as_bytes(), 1000, FRAME_LIMIT);
        assert!(frames.len() == 1000 && left > events.len() - 9000, "{left} of {}", events.len());
        assert_eq!(frames[999], "Some(\"text.started\") Some(\"7\") {\"error\":\"x\"} None");
    }

    #[test]
    fn what_is_shown_of_it_for_debugging_holds_none_of_it() {
        let event = "id: 4321\nevent: call.started\ndata: {\"caller_id\":\"Canary\"}\n\n".repeat(9);
        let (tx, mut rx) = channel(100);
        let mut reader = Chunks(event.as_bytes(), event.len() / 3);
        let mut pieces = ChunkReader::new(&mut reader);
        let first = pieces.beginning().expect("no failure").expect("something");
        frames(first, &mut pieces, FRAME_LIMIT, &tx.blocking()).expect("no failure");
        drop(tx);
        let items: Vec<_> = std::iter::from_fn(|| rx.blocking_recv()).collect();
        assert!(items.iter().any(|item| matches!(item, Item::Chunk(Chunk::Capture(_)))));
        let shown = format!("{items:?}");
        assert!(
            !shown.contains("Canary")
                && !shown.contains("4321")
                && shown.contains("Capture { bytes: "),
            "{shown}"
        );
    }
}
