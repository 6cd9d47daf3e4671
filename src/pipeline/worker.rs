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

/// The stages that one worker thread runs.
pub(super) struct Worker {
    pub decoder: Decoder,
    pub redactor: Redactor,
    pub filter: EventFilter,
    pub encoder: Option<Box<dyn Encoder>>,
    /// The tally of each observer.
    pub tallies: Vec<Box<dyn ObserverTally>>,
}

/// The output of a worker for a chunk, besides the bytes to write.
#[derive(Default)]
pub(super) struct WorkerOutput {
    /// The counts for each observer; `None` if there was nothing to count.
    pub tallies: Vec<Option<Box<dyn Any + Send>>>,
    pub counts: RunCounts,
    /// How often each expression failed.
    pub failures: Vec<(FailureId, u64)>,
    /// Whether something in the chunk must be reported in order. The chunk is then processed again,
    /// and the rest of this output is ignored.
    pub needs_replay: bool,
}

impl Worker {
    /// Processes a chunk. Appends the bytes to write to `out`.
    pub fn process(&mut self, chunk: &Chunk, out: &mut Vec<u8>) -> WorkerOutput {
        let mut output = WorkerOutput::default();
        let origin = Origin::default();
        let done = chunk.frames(&origin).try_for_each(|frame| self.frame(frame, &mut output, out));
        // The error is not reported here: processing the chunk again produces it again.
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
        if self.filter.matches(&context) {
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
