//! Tests of workers that panic and of readers that close the pipe.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::{Pipeline, RunOutcome, Stages};
use crate::error::{Error, Exit};
use crate::output::ndjson::Ndjson;
use crate::output::status::StatusFormat;
use crate::output::{Encoder, Out, Writer};
use crate::pipeline::stop::conditions::Conditions;
use crate::query::{EventContext, EventFilter};
use crate::redact::Policy;
use crate::transport::{Chunk, FRAME_LIMIT, Item, LineChunk, Receiver, channel};

/// An encoder whose forks panic after encoding `left` events in total.
struct FragileEncoder {
    encoder: Box<dyn Encoder>,
    left: Arc<AtomicUsize>,
    is_fork: bool,
}

impl Encoder for FragileEncoder {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        assert!(!self.is_fork || self.left.fetch_sub(1, Ordering::Relaxed) != 0, "no more");
        self.encoder.event(context, out)
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        let (encoder, left) = (self.encoder.fork()?, Arc::clone(&self.left));
        Some(Box::new(Self { encoder, left, is_fork: true }))
    }
}

/// An output whose bytes the test can read.
#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("it is whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe whose reader was closed.
struct ClosedPipe;

impl io::Write for ClosedPipe {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns `count` chunks of 1000 events, which are numbered through all chunks.
fn chunks(count: usize) -> impl Iterator<Item = Item> {
    (0..count).map(|chunk| {
        let line = |number| {
            format!(
                "{{\"event_type\":\"call.ended\",\"duration_seconds\":{}}}\n",
                chunk * 1000 + number
            )
        };
        let bytes = Bytes::from((0..1000).map(line).collect::<String>());
        Item::Chunk(Chunk::Lines(LineChunk { bytes, offset: 0, limit: FRAME_LIMIT }))
    })
}

/// Runs a pipeline on two threads whose workers panic after `left` events.
fn run_pipeline(out: Out, left: usize, items: Receiver) -> RunOutcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let stages = Stages {
        policy: Policy::default(),
        filter: EventFilter::default(),
        writer: Some(Writer::new(
            out,
            Box::new(FragileEncoder {
                encoder: Box::new(Ndjson::new(None)),
                left: Arc::new(AtomicUsize::new(left)),
                is_fork: false,
            }),
        )),
        observers: Vec::new(),
        alerts: None,
        limit: None,
        stop: Box::new(Conditions::default()),
        status: StatusFormat::None,
    };
    Pipeline::new(stages).with_threads(2).run(items, runtime.handle())
}

#[test]
fn chunks_of_a_worker_that_panics_are_processed_again() {
    for left in [0, 1, 999, 1000, 2500, 100_000] {
        let (written, (tx, rx)) = (SharedBuffer::default(), channel(100));
        let sending = std::thread::spawn(move || {
            chunks(7).try_for_each(|chunk| tx.blocking().blocking_send(chunk))
        });
        let outcome = run_pipeline(Box::new(written.clone()), left, rx);
        assert_eq!(sending.join().expect("no panic"), Ok(()));
        assert_eq!(outcome.counts.shown, 7000, "{left}");
        let text = String::from_utf8(written.0.lock().expect("it is whole").clone()).expect("text");
        for (number, line) in text.lines().enumerate() {
            assert!(
                line.contains(&format!("\"duration_seconds\":{number}")),
                "{left}: {line} is in the place of {number}"
            );
        }
    }
}

#[test]
fn the_run_ends_when_the_pipe_is_closed_even_if_more_items_could_come() {
    let (tx, rx) = channel(100);
    let sender = tx.blocking();
    for chunk in chunks(2) {
        sender.blocking_send(chunk).expect("there is room");
    }
    // The sender is still alive, so the channel is not closed.
    let outcome = run_pipeline(Box::new(ClosedPipe), 100_000, rx);
    assert_eq!(outcome.exit, Exit::Done);
    drop(tx);
}
