//! Reads recordings and audits them on several threads.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::chunk::{ChunkFindings, EventPlace, FindingKey};
use super::report::{AuditLocation, AuditReport};
use crate::error::{Error, Exit, Result};
use crate::model::TimeRange;
use crate::model::decode::Decoder;
use crate::model::{Frame, Kind, Name, Origin};
use crate::redact::{AuditedEvent, FieldNames, Finding, Policy, Reason, Redactor, ScrubMode};
use crate::text::scrub::{self, Scrubbed};
use crate::transport::pool::{self, ChunkWorker, InOrder};
use crate::transport::progress::Progress;
use crate::transport::recording::{self, TimeIndexes};
use crate::transport::{self, Chunk, Item};

/// The memory of the findings in a chunk, in bytes. A chunk with more is audited in its turn.
const MAX_CHUNK_BYTES: usize = 1 << 18;

/// Reads and audits files, where `-` is stdin. Blocks until their end.
///
/// What detectors find in an `allowed` field is no finding. Events outside `range` are not audited.
pub fn audit_files(
    paths: &[PathBuf],
    allowed: &FieldNames,
    range: TimeRange,
    indexes: Option<&TimeIndexes>,
    threads: usize,
    progress: &Arc<Progress>,
    runtime: &Handle,
) -> Result<AuditReport> {
    let (tx, mut items) = transport::channel(transport::QUEUE_CAPACITY);
    let mut merger = AuditMerger {
        auditor: EventAuditor::new(allowed.clone(), range),
        report: AuditReport::new(paths),
        end: AuditLocation::default(),
        progress,
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let tx = tx;
            paths.iter().enumerate().try_for_each(|(number, path)| {
                let sender = tx.blocking();
                let _ = sender.blocking_send(Item::Recording(number));
                recording::run(path, transport::FRAME_LIMIT, indexes, progress, &sender)
            })
        });
        while let Some(item) = items.blocking_recv() {
            if threads > 1 && matches!(&item, Item::Chunk(chunk) if chunk.is_large()) {
                let workers =
                    (0..threads).map(|_| EventAuditor::new(allowed.clone(), range)).collect();
                let _ = pool::run(&mut merger, Some(item), &mut items, workers, runtime);
                break;
            }
            let _ = merger.item(&item);
            merger.report_progress();
        }
        reader.join().unwrap_or_else(|_| {
            Err(Error::new(
                Exit::Failure,
                "cannot read on",
                "the reader thread panicked",
                "report this as a bug",
            ))
        })
    })?;
    merger.report.sort();
    Ok(merger.report)
}

/// Audits events, independently of one another.
struct EventAuditor {
    allowed: FieldNames,
    decoder: Decoder,
    redactor: Redactor,
    findings: Vec<Finding>,
    range: TimeRange,
    /// The number of events outside the range since this was last taken.
    outside: u64,
}

impl EventAuditor {
    fn new(allowed: FieldNames, range: TimeRange) -> Self {
        Self {
            allowed,
            range,
            outside: 0,
            decoder: Decoder::default(),
            redactor: Redactor::new(Policy { scrub: ScrubMode::All, ..Policy::default() }),
            findings: Vec::new(),
        }
    }

    /// Audits the events of a chunk, and passes each finding and its place in the chunk to `add`.
    /// Returns the place of the end.
    fn chunk(&mut self, chunk: &Chunk, mut add: impl FnMut(FindingKey, EventPlace)) -> EventPlace {
        let origin = Origin::default();
        let (mut place, mut counted) = (EventPlace::default(), 0);
        let mut lines = 0;
        for frame in chunk.frames(&origin) {
            place.event += 1;
            if let Chunk::Lines(chunk) = chunk {
                let start = usize::try_from(frame.offset - chunk.offset).unwrap_or(usize::MAX);
                if let Some(passed) = chunk.bytes.get(counted..start) {
                    lines += count_newlines(passed);
                    counted = start;
                }
                place.line = NonZeroU64::MIN.checked_add(lines);
            }
            self.frame(frame, |key| add(key, place));
        }
        if let Chunk::Lines(chunk) = chunk {
            lines += count_newlines(chunk.bytes.get(counted..).unwrap_or_default());
        }
        EventPlace::end(place.event, lines)
    }

    /// Audits an event, and passes each finding to `add`.
    fn frame(&mut self, frame: Frame<'_>, mut add: impl FnMut(FindingKey)) {
        let Self { allowed, decoder, redactor, findings, range, outside } = self;
        if !range.is_unbounded() {
            let moment = redactor.decode_and_redact(decoder, frame).tap().moment();
            if !range.contains(moment) {
                *outside += 1;
                return;
            }
        }
        let AuditedEvent { event_type, kind, is_recorded } =
            redactor.decode_and_audit(decoder, frame, findings);
        let is_no_event = kind == Some(Kind::TapMalformed) && !is_recorded;
        if findings.is_empty() && !is_no_event {
            return;
        }
        let event_type = match kind {
            Some(kind) => Name::Borrowed(kind.spec().event_type),
            None => Name::Owned(event_type.into_owned()),
        };
        if is_no_event {
            findings.push(Finding { field: Name::Borrowed(""), reason: Reason::NoEvent });
            let found = scrub::scrub(&String::from_utf8_lossy(frame.data));
            for detector in found.iter().flat_map(|Scrubbed { detectors, .. }| detectors) {
                let reason = Reason::Text(*detector);
                findings.push(Finding { field: Name::Borrowed(""), reason });
            }
        }
        for Finding { field, reason } in findings.drain(..) {
            let top = field.split_once('.').map_or(&*field, |(top, _)| top);
            if !(matches!(reason, Reason::Text(_)) && allowed.contains(&event_type, top)) {
                add((reason, event_type.clone(), field));
            }
        }
    }
}

impl ChunkWorker for EventAuditor {
    type Output = ChunkFindings;

    fn process(&mut self, chunk: &Chunk, output: &mut ChunkFindings) {
        output.clear();
        let end = self.chunk(chunk, |key, place| {
            if output.size() <= MAX_CHUNK_BYTES {
                output.add(key, place);
            }
        });
        output.events = end.event;
        output.outside = std::mem::take(&mut self.outside);
        output.lines = end.lines();
    }
}

/// Adds the findings of all chunks to the report, in order.
struct AuditMerger<'a> {
    auditor: EventAuditor,
    report: AuditReport,
    /// The end of what has been audited: the number of events and lines of the current file.
    end: AuditLocation,
    progress: &'a Progress,
}

impl AuditMerger<'_> {
    /// Moves the end by so many events and lines.
    fn advance(&mut self, events: u64, lines: u64) {
        let place = &mut self.end.place;
        *place = EventPlace::end(place.event + events, place.lines() + lines);
    }

    fn chunk(&mut self, chunk: &Chunk) {
        let Self { auditor, report, end, .. } = self;
        let passed = auditor.chunk(chunk, |key, place| {
            report.add(key, AuditLocation { place: place.after(end.place), ..*end });
        });
        report.events += passed.event - std::mem::take(&mut auditor.outside);
        self.advance(passed.event, passed.lines());
    }
}

impl InOrder for AuditMerger<'_> {
    type Output = ChunkFindings;
    type End = ();

    fn item(&mut self, item: &Item) -> Option<()> {
        match item {
            Item::Chunk(chunk) => self.chunk(chunk),
            Item::Frame(frame) => {
                let Self { auditor, report, end, .. } = self;
                let location =
                    AuditLocation { place: EventPlace::end(1, 1).after(end.place), ..*end };
                auditor.frame(frame.as_frame(), |key| report.add(key, location));
                report.events += 1 - std::mem::take(&mut auditor.outside);
                self.advance(1, 1);
            }
            Item::Recording(number) => {
                let file = u32::try_from(*number).unwrap_or(u32::MAX);
                self.end = AuditLocation { file, place: EventPlace::default() };
            }
            Item::Skipped(skipped) => self.advance(skipped.events, skipped.lines),
            Item::Connection(_) | Item::Coverage(_) | Item::Receipt(_) => {}
        }
        None
    }

    fn merge(&mut self, chunk: &Chunk, output: &mut ChunkFindings) -> Option<()> {
        if output.size() <= MAX_CHUNK_BYTES {
            self.report.merge(output, self.end);
            self.advance(output.events, output.lines);
        } else {
            self.chunk(chunk);
        }
        None
    }

    fn report_progress(&self) {
        self.progress.set_events(self.report.events);
    }
}

fn count_newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
