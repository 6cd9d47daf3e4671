//! Several recordings as one, by the times of their events.
//!
//! Each recording is read on a thread of its own, a little ahead of what is needed. The order within
//! a recording stays the same, so the result is in order of time if each recording is.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use jiff::Timestamp;

use crate::error::{Error, Exit, Result};
use crate::model::decode::Decoder;
use crate::model::{Frame, Origin};
use crate::transport::progress::Progress;
use crate::transport::{BlockingSender, Chunk, Item, RawFrame, Receiver, channel, recording};

/// The maximum number of recordings, each of which takes a thread and a few chunks of memory.
const MAX_RECORDINGS: usize = 256;

/// The number of items that are read ahead of each recording.
const READ_AHEAD: usize = 2;

/// Reads all recordings to their ends, and sends their events in the order of their times.
///
/// # Errors
///
/// Fails if there are too many recordings, or if some cannot be read, after the events of all others
/// have been sent.
pub fn run_merged(
    paths: &[PathBuf],
    limit: usize,
    progress: &Arc<Progress>,
    tx: &BlockingSender,
) -> Result<()> {
    if paths.len() > MAX_RECORDINGS {
        let why = format!("there are more than {MAX_RECORDINGS}");
        let what = "cannot merge the recordings";
        return Err(Error::new(Exit::Failure, what, why, "merge a part of them first"));
    }
    thread::scope(|scope| {
        let (mut sources, mut threads) = (Vec::new(), Vec::new());
        for path in paths {
            let (sender, items) = channel(READ_AHEAD);
            sources.push(RecordingSource::new(items));
            threads.push(scope.spawn(move || {
                // The blocking sender works as long as this one is there.
                recording::run(path, limit, None, progress, &sender.blocking())
            }));
        }
        merge(sources, tx);
        // A source that is still being read notices that nobody needs it.
        let mut failures = Vec::new();
        for thread in threads {
            failures.extend(thread.join().unwrap_or_else(|_| Err(panicked())).err());
        }
        all(failures)
    })
}

/// Returns the first failure, with the others as its detail.
fn all(failures: Vec<Error>) -> Result<()> {
    let mut failures = failures.into_iter();
    let Some(first) = failures.next() else { return Ok(()) };
    let others: Vec<_> = failures.map(|error| error.to_string()).collect();
    Err(if others.is_empty() { first } else { first.with_detail(others.join("\n")) })
}

fn panicked() -> Error {
    let why = "the reader panicked";
    Error::new(Exit::Failure, "cannot continue reading", why, "report this as a bug")
}

/// Sends the earliest of the next events until there are no more or the receiver is gone.
fn merge(mut sources: Vec<RecordingSource>, tx: &BlockingSender) {
    let mut earliest = BinaryHeap::new();
    for (number, source) in sources.iter_mut().enumerate() {
        earliest.extend(source.next_time().map(|time| Reverse((time, number))));
    }
    while let Some(Reverse((_, number))) = earliest.pop() {
        let source = &mut sources[number];
        let Some(frame) = source.frames.pop_front() else { continue };
        if tx.blocking_send(Item::Frame(frame)).is_err() {
            return;
        }
        earliest.extend(source.next_time().map(|time| Reverse((time, number))));
    }
}

/// A recording that is read, and its next events.
struct RecordingSource {
    items: Receiver,
    frames: VecDeque<RawFrame>,
    decoder: Decoder,
    /// The time of the last event that has one. An event without a time has that of the one before.
    time: Option<Timestamp>,
}

impl RecordingSource {
    fn new(items: Receiver) -> Self {
        Self { items, frames: VecDeque::new(), decoder: Decoder::default(), time: None }
    }

    /// Returns the time of the next event, or the earliest time if it is not known; `None` at the
    /// end.
    fn next_time(&mut self) -> Option<Timestamp> {
        while self.frames.is_empty() {
            match self.items.blocking_recv()? {
                Item::Frame(frame) => self.frames.push_back(frame),
                Item::Chunk(chunk) => self.extend(&chunk),
                Item::Connection(_)
                | Item::Coverage(_)
                | Item::Recording(_)
                | Item::Skipped(_)
                | Item::Receipt(_) => {}
            }
        }
        let frame = self.frames.front()?;
        self.time = self.decoder.decode(frame.as_frame()).tap.moment().or(self.time);
        Some(self.time.unwrap_or(Timestamp::MIN))
    }

    fn extend(&mut self, chunk: &Chunk) {
        let origin = Arc::new(Origin::default());
        self.frames.extend(chunk.frames(&origin).map(|frame| owned(&frame)));
    }
}

/// Copies a frame, so that it outlives its chunk.
fn owned(frame: &Frame<'_>) -> RawFrame {
    RawFrame {
        origin: Arc::new(frame.origin.clone()),
        format: frame.format,
        event: frame.event.map(str::to_owned),
        id: frame.id.map(Arc::from),
        data: Bytes::copy_from_slice(frame.data),
        received_at: frame.received_at,
        fault: frame.fault,
        offset: frame.offset,
        flags: frame.flags,
    }
}
