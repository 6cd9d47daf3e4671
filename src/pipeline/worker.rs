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

/// The stages of one worker.
pub(super) struct Worker {
    pub decoder: Decoder,
    pub redactor: Redactor,
    pub filter: EventFilter,
    pub encoder: Option<Box<dyn Encoder>>,
    /// One for each observer.
    pub tallies: Vec<Box<dyn ObserverTally>>,
}

/// What a worker makes of a chunk, besides the bytes to write.
#[derive(Default)]
pub(super) struct WorkerOutput {
    /// What was counted for each observer.
    pub tallies: Vec<Option<Box<dyn Any + Send>>>,
    pub counts: RunCounts,
    /// How often each expression failed.
    pub failures: Vec<(FailureId, u64)>,
    /// Whether something in the chunk must be reported in its turn. The chunk is then processed
    /// again, and nothing else of this output counts.
    pub needs_replay: bool,
}

impl Worker {
    /// Processes a chunk. Appends the bytes to write to `out`.
    pub fn process(&mut self, chunk: &Chunk, out: &mut Vec<u8>) -> WorkerOutput {
        let mut output = WorkerOutput::default();
        let origin = Origin::default();
        let done = chunk.frames(&origin).try_for_each(|frame| self.frame(frame, &mut output, out));
        // Processing the chunk again meets the same error, which is then reported.
        output.needs_replay |= done.is_err();
        let encoder = self.encoder.as_mut().and_then(|encoder| encoder.failures());
        output.failures = self
            .filter
            .failures_each()
            .chain(encoder)
            .map(|failures| (failures.id(), Failures::take(failures)))
            .collect();
        output.tallies = self.tallies.iter_mut().map(|tally| tally.take()).collect();
        output
    }

    fn frame(
        &mut self,
        frame: Frame<'_>,
        output: &mut WorkerOutput,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let shown = self.redactor.decode_and_redact(&mut self.decoder, frame);
        let context = EventContext::new(&shown);
        let counts = &mut output.counts;
        counts.observe(&shown);
        output.needs_replay |= shown.kind() == Some(Kind::TapGap);
        if self.filter.matches(&context)? {
            for tally in &mut self.tallies {
                tally.event(&context);
            }
            if let Some(encoder) = &mut self.encoder {
                encoder.event(&context, out)?;
            }
            counts.shown += 1;
        } else {
            counts.filtered += 1;
        }
        Ok(())
    }
}
