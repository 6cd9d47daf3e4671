//! The pipeline on several threads: which stages allow it, and how the output of the workers is
//! merged in order.

use std::sync::Arc;
use std::time::Instant;

use super::Pipeline;
use super::worker::{Worker, WorkerOutput};
use crate::error::Exit;
use crate::model::decode::Decoder;
use crate::output::{OutputError, Writer, status};
use crate::transport::pool::InOrder;
use crate::transport::{Chunk, Item};

impl Pipeline {
    /// Returns a worker for each thread, or `None` if a stage depends on the order of events.
    pub(super) fn workers(&mut self) -> Option<Vec<Worker>> {
        // The answer is the same for every later chunk, so it is determined once.
        let threads = std::mem::replace(&mut self.threads, 1);
        // Alerts among other events, or by which the run may end, are handled in order.
        let allows_alerts = self
            .alerts
            .as_ref()
            .is_none_or(|alerts| alerts.is_only() && self.limit.is_none() && self.stop.is_noop());
        let is_parallel = threads > 1 && allows_alerts && self.delivery.takes_lines();
        is_parallel.then(|| (0..threads).map(|_| self.worker()).collect())?
    }

    fn worker(&self) -> Option<Worker> {
        let encoder = match &self.writer {
            Some(writer) => Some(writer.fork()?),
            None => None,
        };
        Some(Worker {
            decoder: Decoder::default(),
            redactor: self.redactor.fork(),
            stop: self.stop.fork()?,
            filter: self.filter.fork(),
            range: self.range,
            encoder,
            alerts: self.alerts.as_ref().map(|alerts| (alerts.fork(), alerts.is_only())),
            id: self.ids.is_some().then(String::new),
            tallies: self
                .observers
                .iter()
                .map(|observer| observer.tally())
                .collect::<Option<_>>()?,
            writes_lines: !self.delivery.is_empty() && !self.writes_ndjson(),
        })
    }

    /// Returns whether what is written to stdout are the lines that destinations take.
    fn writes_ndjson(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_ndjson)
    }

    /// Returns whether merging the output of a worker has the same effects as processing its chunk
    /// in order.
    fn can_merge(&mut self, output: &WorkerOutput) -> bool {
        let reaches_limit = self.limit.is_some_and(|limit| self.counted + output.counted >= limit);
        let mut tallies = self.observers.iter().zip(&output.tallies);
        !output.needs_replay
            && !reaches_limit
            && self.stop.can_skip(output.checked.as_deref())
            && tallies.all(|(observer, counts)| {
                counts.as_ref().is_none_or(|counts| observer.can_merge(&**counts))
            })
            && !self.is_first_failure(output)
    }

    /// Returns whether an expression failed for the first time, which must be reported.
    fn is_first_failure(&mut self, output: &WorkerOutput) -> bool {
        output.failures.iter().filter(|(_, count)| *count > 0).any(|(id, _)| {
            self.expressions().any(|failures| failures.id() == *id && failures.count() == 0)
        })
    }

    /// Writes and delivers the output of a worker for a chunk, or processes the chunk again if it
    /// contains something that must be reported or decided in order.
    fn merge_chunk(
        &mut self,
        chunk: &Chunk,
        output: &mut WorkerOutput,
    ) -> Result<Option<Exit>, OutputError> {
        if !self.can_merge(output) {
            return self.chunk(chunk);
        }
        if let Some(ids) = &mut self.ids {
            ids.complete(&output.ids, &mut output.bytes);
        }
        for (origin, gap) in &output.gaps {
            status::gap(self.status, origin, gap);
        }
        if let Some(writer) = &mut self.writer {
            writer.merge(output.pending.take(), &mut output.bytes)?;
        }
        if !self.delivery.is_empty() {
            self.writer.as_mut().map_or(Ok(()), Writer::flush)?;
            let lines = if self.writes_ndjson() { &output.bytes } else { &output.lines };
            self.delivery.lines(lines)?;
        }
        for (observer, counts) in self.observers.iter_mut().zip(&output.tallies) {
            if let Some(counts) = counts {
                observer.merge(&**counts)?;
            }
        }
        for (id, count) in &output.failures {
            if let Some(failures) = self.expressions().find(|failures| failures.id() == *id) {
                failures.add(*count);
            }
        }
        self.counts.add(&output.counts);
        if let Some(indexing) = &mut self.indexing {
            indexing.add(chunk, &output.times);
        }
        self.counted += output.counted;
        if output.counted > 0 {
            self.stop.passed();
        }
        if let Some(alerts) = &mut self.alerts {
            alerts.merge(&mut output.observations);
            if let Some(exit) = self.alerts()? {
                return Ok(Some(exit));
            }
        }
        Ok(self.shutdown.is_set().then(|| self.stop.end()))
    }

    /// Notes the current recording if it has been read to its end and nothing in it is an event.
    pub(super) fn end_recording(&mut self) {
        let status::RunCounts { shown, filtered, without_event, .. } = &self.counts;
        let before = &self.counts_before;
        if let Some(indexing) = &mut self.indexing {
            indexing.end_recording(self.recording);
        }
        let frames = shown + filtered - before.shown - before.filtered;
        if frames > 0 && without_event - before.without_event == frames {
            self.without_events.push(self.recording);
        }
    }
}

impl InOrder for Pipeline {
    type Output = WorkerOutput;
    type End = Result<Exit, OutputError>;

    fn item(&mut self, item: &Item) -> Option<Self::End> {
        let ended = match item {
            Item::Frame(frame) => self.frame(frame.as_frame()),
            Item::Chunk(chunk) => self.chunk(chunk),
            Item::Recording(number) => {
                if *number > 0 {
                    self.end_recording();
                }
                self.recording = *number;
                self.counts_before = self.counts.clone();
                Ok(None)
            }
            Item::Connection(event) => self.connection(event),
            Item::Coverage(coverage) => self.coverage(coverage),
            Item::Skipped(skipped) => {
                self.counts.filtered += skipped.events;
                Ok(None)
            }
            Item::Receipt(receipt) => {
                self.delivery.add_receipt(Arc::clone(receipt));
                Ok(None)
            }
        };
        ended.transpose()
    }

    fn merge(&mut self, chunk: &Chunk, output: &mut WorkerOutput) -> Option<Self::End> {
        self.merge_chunk(chunk, output).transpose()
    }

    fn report_progress(&self) {
        if let Some(progress) = &self.progress {
            progress.set_events(self.counts.shown + self.counts.filtered);
        }
    }

    fn flush(&mut self) -> Option<Self::End> {
        self.flush_all().err().map(Err)
    }

    fn deadline(&self) -> Option<Instant> {
        self.stop.deadline()
    }

    fn end_at_deadline(&mut self) -> Option<Self::End> {
        Some(Ok(self.stop.end()))
    }
}
