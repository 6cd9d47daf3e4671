//! The part of the pipeline that needs only the event itself, so that several threads can run it.

use std::any::Any;

use super::range::is_in_range;
use super::stop::StopCheck;
use crate::analysis::alerts::{Observations, RuleMatcher};
use crate::error::Result;
use crate::model::catalog::TapGap;
use crate::model::decode::Decoder;
use crate::model::{Frame, Kind, Origin, TimeRange};
use crate::output::event_ids::{PendingId, UncountedId};
use crate::output::status::RunCounts;
use crate::output::{Encoder, ObserverTally, ndjson};
use crate::query::{EventContext, EventFilter, FailureId, Failures};
use crate::redact::Redactor;
use crate::transport::Chunk;
use crate::transport::pool::ChunkWorker;
use crate::transport::recording::PartTimes;

/// The stages that one worker thread runs.
pub struct Worker {
    pub decoder: Decoder,
    pub redactor: Redactor,
    pub stop: Box<dyn StopCheck>,
    pub filter: EventFilter,
    pub range: TimeRange,
    pub encoder: Option<Box<dyn Encoder>>,
    /// Finds the rules that events concern, and whether no other events than alerts are shown.
    pub alerts: Option<(RuleMatcher, bool)>,
    /// The id of the current event, if the encoder needs it.
    pub id: Option<String>,
    /// The tally of each observer.
    pub tallies: Vec<Box<dyn ObserverTally>>,
    /// Whether destinations take lines that the encoder does not write.
    pub writes_lines: bool,
}

/// The output of a worker for a chunk.
#[derive(Default)]
pub struct WorkerOutput {
    /// The encoded events.
    pub bytes: Vec<u8>,
    /// What the encoder returned for the original to complete the bytes; see
    /// [`Encoder::take_pending`].
    pub pending: Option<Box<dyn Any + Send>>,
    /// The ids of all events, which lack their numbers, if the encoder needs ids.
    pub ids: Vec<PendingId>,
    /// The lines for destinations.
    pub lines: Vec<u8>,
    /// The counts for each observer; `None` if there was nothing to count.
    pub tallies: Vec<Option<Box<dyn Any + Send>>>,
    pub counts: RunCounts,
    /// The times of all events, if there is a range.
    pub times: PartTimes,
    /// The shown events that count towards a limit.
    pub counted: u64,
    /// The gaps in the streams.
    pub gaps: Vec<(Origin, TapGap)>,
    /// What the rules need to know of the events.
    pub observations: Observations,
    /// The worker's part of the stop condition.
    pub checked: Option<Box<dyn Any + Send>>,
    /// How often each expression failed.
    pub failures: Vec<(FailureId, u64)>,
    /// Whether something in the chunk must be reported or decided in order. The chunk is then
    /// processed again, and the rest of this output is ignored.
    pub needs_replay: bool,
}

impl ChunkWorker for Worker {
    type Output = WorkerOutput;

    fn process(&mut self, chunk: &Chunk, output: &mut WorkerOutput) {
        let mut bytes = std::mem::take(&mut output.bytes);
        bytes.clear();
        let mut ids = std::mem::take(&mut output.ids);
        ids.clear();
        let mut lines = std::mem::take(&mut output.lines);
        lines.clear();
        let mut observations = std::mem::take(&mut output.observations);
        observations.clear();
        *output = WorkerOutput { bytes, ids, lines, observations, ..WorkerOutput::default() };
        let origin = Origin::default();
        for frame in chunk.frames(&origin) {
            // The error is not reported here: processing the chunk again produces it again.
            if output.needs_replay || self.frame(frame, output).is_err() {
                output.needs_replay = true;
                break;
            }
        }
        self.take_results(output);
    }
}

impl Worker {
    /// Takes what was counted since the last call, also if it will be ignored.
    fn take_results(&mut self, output: &mut WorkerOutput) {
        output.pending = self.encoder.as_mut().and_then(|encoder| encoder.take_pending());
        output.tallies.extend(self.tallies.iter_mut().map(|tally| tally.take()));
        output.checked = self.stop.take();
        let encoder = self.encoder.as_mut().and_then(|encoder| encoder.failures());
        let expressions = self.filter.failures_each().chain(encoder);
        let rules = self.alerts.as_mut().map(|(matcher, _)| matcher.failures_each());
        output.failures.extend(
            expressions
                .chain(self.stop.failures_each())
                .chain(rules.into_iter().flatten())
                .map(|failures| (failures.id(), Failures::take(failures))),
        );
    }

    fn frame(&mut self, frame: Frame<'_>, output: &mut WorkerOutput) -> Result<()> {
        let origin = frame.origin;
        let shown = self.redactor.decode_and_redact(&mut self.decoder, frame);
        if !is_in_range(self.range, &shown, &mut output.counts, &mut output.times) {
            return Ok(());
        }
        let connection = frame.flags.connection;
        let id = self.id.as_mut().map(|id| (UncountedId::new(&shown, connection, id), &*id));
        let context = EventContext::new(&shown).with_id(id.map(|(_, id)| &**id));
        let mut start = None;
        let counts = &mut output.counts;
        counts.observe(&shown);
        if shown.kind() == Some(Kind::TapGap)
            && let Some(gap) = shown.read::<TapGap>()
        {
            counts.gaps += 1;
            output.gaps.push((origin.clone(), gap));
        }
        // A tally does not know gaps; its observer does.
        output.needs_replay |= shown.kind() == Some(Kind::TapGap) && !self.tallies.is_empty();
        if !self.stop.check(&context) {
            output.needs_replay = true;
            return Ok(());
        }
        let mut is_shown = true;
        if let Some((matcher, is_only)) = &mut self.alerts {
            matcher.observe(&context, &mut output.observations);
            is_shown = !*is_only;
        }
        if is_shown && self.filter.matches(&context) {
            for tally in &mut self.tallies {
                tally.event(&context);
            }
            if let Some(encoder) = &mut self.encoder {
                start = encoder.id_offset().map(|offset| output.bytes.len() + offset);
                encoder.event(&context, &mut output.bytes)?;
            }
            if self.writes_lines {
                ndjson::line(&shown, &mut output.lines);
            }
            counts.shown += 1;
            output.counted += u64::from(!shown.kind().is_some_and(Kind::is_notice));
        } else {
            counts.filtered += 1;
        }
        if let Some((uncounted, id)) = id {
            output.ids.push(PendingId::new(uncounted, start));
            // A number fits in only if the id is written as it is.
            output.needs_replay |=
                start.is_some_and(|start| !output.bytes[start..].starts_with(id.as_bytes()));
        }
        Ok(())
    }
}
