//! The part of the pipeline that needs only the event itself, so that several threads can run it.

use std::any::Any;

use crate::error::Result;
use crate::model::decode::Decoder;
use crate::model::{Frame, Kind, Origin};
use crate::output::status::RunCounts;
use crate::output::{Encoder, ObserverTally};
use crate::query::{EventContext, EventFilter, FailureId, Failures};
use crate::redact::Redactor;
use crate::transport::Chunk;
use crate::transport::pool::ChunkWorker;

/// The stages that one worker thread runs.
pub struct Worker {
    pub decoder: Decoder,
    pub redactor: Redactor,
    pub filter: EventFilter,
    pub encoder: Option<Box<dyn Encoder>>,
    /// The tally of each observer.
    pub tallies: Vec<Box<dyn ObserverTally>>,
}

/// The output of a worker for a chunk.
#[derive(Default)]
pub struct WorkerOutput {
    /// The encoded events.
    pub bytes: Vec<u8>,
    /// What the encoder returned for the original to complete the bytes; see
    /// [`Encoder::take_pending`].
    pub pending: Option<Box<dyn Any + Send>>,
    /// The counts for each observer; `None` if there was nothing to count.
    pub tallies: Vec<Option<Box<dyn Any + Send>>>,
    pub counts: RunCounts,
    /// How often each expression failed.
    pub failures: Vec<(FailureId, u64)>,
    /// Whether something in the chunk must be reported in order. The chunk is then processed again,
    /// and the rest of this output is ignored.
    pub needs_replay: bool,
}

impl ChunkWorker for Worker {
    type Output = WorkerOutput;

    fn process(&mut self, chunk: &Chunk, output: &mut WorkerOutput) {
        let mut bytes = std::mem::take(&mut output.bytes);
        bytes.clear();
        *output = WorkerOutput { bytes, ..WorkerOutput::default() };
        let origin = Origin::default();
        let done = chunk.frames(&origin).try_for_each(|frame| self.frame(frame, output));
        // The error is not reported here: processing the chunk again produces it again.
        output.needs_replay |= done.is_err();
        output.pending = self.encoder.as_mut().and_then(|encoder| encoder.take_pending());
        let encoder = self.encoder.as_mut().and_then(|encoder| encoder.failures());
        output.failures.extend(
            self.filter
                .failures_each()
                .chain(encoder)
                .map(|failures| (failures.id(), Failures::take(failures))),
        );
        output.tallies.extend(self.tallies.iter_mut().map(|tally| tally.take()));
    }
}

impl Worker {
    fn frame(&mut self, frame: Frame<'_>, output: &mut WorkerOutput) -> Result<()> {
        let shown = self.redactor.decode_and_redact(&mut self.decoder, frame);
        let context = EventContext::new(&shown);
        let counts = &mut output.counts;
        counts.observe(&shown);
        output.needs_replay |= shown.kind() == Some(Kind::TapGap);
        if self.filter.matches(&context) {
            for tally in &mut self.tallies {
                tally.event(&context);
            }
            if let Some(encoder) = &mut self.encoder {
                encoder.event(&context, &mut output.bytes)?;
            }
            counts.shown += 1;
        } else {
            counts.filtered += 1;
        }
        Ok(())
    }
}
