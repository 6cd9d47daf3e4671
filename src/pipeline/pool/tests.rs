//! Workers that panic, and readers that go away.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;

use super::*;
use crate::error::Error;
use crate::output::ndjson::Ndjson;
use crate::output::status::StatusFormat;
use crate::output::{Encoder, Out, Writer};
use crate::pipeline::Pipeline;
use crate::pipeline::stop::conditions::Conditions;
use crate::pipeline::{RunOutcome, Stages};
use crate::query::{EventContext, EventFilter};
use crate::redact::Policy;
use crate::transport::{Chunk, FRAME_LIMIT, LineChunk, channel};

/// An encoder whose forks panic once they have seen `left` events together.
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

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("it is whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe that nobody reads.
struct Unread;

impl io::Write for Unread {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// So many pieces of 1000 events, each of which has its number.
fn pieces(count: usize) -> impl Iterator<Item = Item> {
    (0..count).map(|piece| {
        let line = |number| {
            format!(
                "{{\"event_type\":\"call.ended\",\"duration_seconds\":{}}}\n",
                piece * 1000 + number
            )
        };
        let bytes = Bytes::from((0..1000).map(line).collect::<String>());
        Item::Chunk(Chunk::Lines(LineChunk { bytes, offset: 0, limit: FRAME_LIMIT }))
    })
}

/// Runs a pipeline on two threads whose workers may see `left` events before they panic.
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
        limit: None,
        stop: Box::new(Conditions::default()),
        status: StatusFormat::None,
    };
    Pipeline::new(stages).with_threads(2).run(items, runtime.handle()).expect("it ends well")
}

#[test]
fn chunks_of_a_worker_that_panics_are_processed_all_the_same() {
    for left in [0, 1, 999, 1000, 2500, 100_000] {
        let (written, (tx, rx)) = (Written::default(), channel(100));
        let sending = std::thread::spawn(move || {
            pieces(7).try_for_each(|piece| tx.blocking().blocking_send(piece))
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
fn nobody_waits_for_what_nobody_takes() {
    let (tx, rx) = channel(100);
    let sender = tx.blocking();
    for piece in pieces(2) {
        sender.blocking_send(piece).expect("there is room");
    }
    // Something could still come.
    let outcome = run_pipeline(Box::new(Unread), 100_000, rx);
    assert_eq!(outcome.exit, Exit::Done);
    drop(tx);
}
