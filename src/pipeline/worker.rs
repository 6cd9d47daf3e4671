//! The part of the walk that needs nothing but the event itself, so that several threads can do it at once.

use super::RunCounts;
use crate::analysis::stats::grouped::GroupedStats;
use crate::error::Result;
use crate::model::Kind;
use crate::model::decode::Decoder;
use crate::model::{Frame, Origin};
use crate::output::Encoder;
use crate::query::{EventContext, EventFilter, Failures};
use crate::redact::Redactor;
use crate::transport::Chunk;

/// The stages of one thread: from the frame to its lines.
pub(super) struct Worker {
    pub decoder: Decoder,
    pub redactor: Redactor,
    pub select: EventFilter,
    pub render: Box<dyn Encoder>,
}

/// What a lane makes of a piece of a recording.
#[derive(Default)]
pub(super) struct WorkerOutput {
    /// What was counted.
    pub counted: Option<Box<GroupedStats>>,
    pub counts: RunCounts,
    /// How often each of its expressions has failed.
    pub failures: Vec<u64>,
    /// There is something in it that must be told of in its turn; the rest is worth nothing.
    pub is_news: bool,
}

impl Worker {
    /// Walks all of a piece. What is to be written is appended to `out`.
    pub fn walk(&mut self, piece: &Chunk, out: &mut Vec<u8>) -> WorkerOutput {
        let mut walked = WorkerOutput::default();
        let origin = Origin::default();
        let done = piece.frames(&origin).try_for_each(|frame| self.frame(frame, &mut walked, out));
        // Whoever walks it again will meet the same.
        walked.is_news |= done.is_err();
        let failures = self.select.failures_each().chain(self.render.failures());
        walked.failures = failures.map(Failures::take).collect();
        walked.counted = self.render.counted();
        walked
    }

    fn frame(
        &mut self,
        frame: Frame<'_>,
        walked: &mut WorkerOutput,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let shown = self.redactor.decode_and_redact(&mut self.decoder, frame);
        let context = EventContext::new(&shown);
        let counts = &mut walked.counts;
        counts.observe(&shown);
        walked.is_news |= shown.kind() == Some(Kind::TapGap);
        if self.select.matches(&context)? {
            self.render.event(&context, out)?;
            counts.shown += 1;
        } else {
            counts.filtered += 1;
        }
        Ok(())
    }
}
