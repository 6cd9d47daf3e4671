//! The record: a file to which shown events are appended as NDJSON, redacted like the output.
//!
//! The file gets mode 0600, even if it had another one. A last line that a crash left incomplete is
//! removed when the file is opened. The end of the file is read once, so that events which are sent
//! again because the cursor had not advanced yet are not written twice. A run that does not continue
//! where the one before ended writes a `tap.gap` before its first event, so that the record itself
//! says that events may be missing.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::cursor::{DeliveryCounts, take};
use super::destination::Destination;
use super::key::DeliveryKey;
use crate::error::{Error, Exit};
use crate::model::catalog::value::GapReason;
use crate::model::decode::Decoder;
use crate::output::ndjson;
use crate::output::{LineBuffer, OutputError};
use crate::query::EventContext;
use crate::redact::{Policy, RedactedEvent, Redactor, identity};
use crate::transport::gap::Gap;
use crate::transport::{self, private_file};

/// The size of a batch, in bytes: once it is written, the cursor advances.
const BATCH: usize = 1 << 20;

/// The number of bytes that are read from the end of the file: far more than is written between two
/// advances of the cursor.
const TAIL: u64 = 16 << 20;

/// The first bytes of each line.
const LINE_PREFIX: &[u8] = b"{\"event_type\":";

/// Appends shown events to a file.
pub struct Recorder {
    path: PathBuf,
    lines: LineBuffer,
    file: File,
    /// The events at the end of the file, which may be sent again.
    pub(super) tail: DeliveryCounts,
    /// The number of bytes since the last flush.
    unflushed: usize,
    /// What an earlier run wrote; `None` if the file is empty.
    pub(super) earlier: Option<EarlierRun>,
    /// Whether the earlier run is not continued, and that has not been written.
    pub(super) is_interrupted: bool,
}

/// What an earlier run wrote.
#[derive(Debug, Clone, Copy)]
pub(super) struct EarlierRun {
    /// The latest time of the events at the end of the file.
    latest: Option<Timestamp>,
}

impl Recorder {
    /// Opens or creates a file and removes an incomplete last line.
    ///
    /// # Errors
    ///
    /// Fails if the path is not a regular file, cannot be opened, has the suffix of a compressed
    /// file, is in use by another run, or ends with a line that evtap did not write.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let what = || format!("cannot record to {}", path.display());
        let failed = |error: io::Error| {
            Error::new(
                Exit::Failure,
                what(),
                transport::input_file::cause(&error),
                "check the path of --record, and the space there",
            )
        };
        if let Some(suffix) = path
            .extension()
            .and_then(|name| name.to_str())
            .filter(|name| ["gz", "zst"].contains(name))
        {
            let why = format!("a record is plain NDJSON, not {suffix}");
            let advice = "leave out the suffix, and compress the file when it is complete: replay \
                          also reads compressed files";
            return Err(Error::usage(what(), why, advice));
        }
        match fs::symlink_metadata(path) {
            Ok(meta) if !meta.is_file() => {
                return Err(Error::usage(what(), "it is not a regular file", "name another file"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut file =
            private_file::open(fs::OpenOptions::new().read(true).append(true).create(true), path)
                .map_err(failed)?;
        // Another run may be in the middle of a line.
        private_file::lock(&file).map_err(|_| private_file::in_use(what()))?;
        let RecordTail { events, torn, earlier } = read_tail(&mut file).map_err(failed)?;
        if torn.is_some_and(|(_, is_ours)| !is_ours) {
            return Err(Error::usage(
                what(),
                "it does not end with a line that evtap wrote",
                "name another file",
            ));
        }
        if let Some((at, _)) = torn {
            file.set_len(at).map_err(failed)?;
        }
        let out = file.try_clone().map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            lines: LineBuffer::new(Box::new(out)),
            file,
            tail: events,
            unflushed: 0,
            earlier,
            is_interrupted: false,
        })
    }

    /// Writes that events may be missing between what an earlier run wrote and this event.
    fn write_interruption(&mut self, event: &RedactedEvent<'_>) -> io::Result<()> {
        let from = self.earlier.and_then(|earlier| earlier.latest);
        let now = event.tap().moment().or(from).unwrap_or_else(Timestamp::now);
        let to = from.map_or(now, |from| now.max(from));
        let gap = Gap { from, to, certain: false, reason: GapReason::NoPosition };
        let frame = gap.frame(&Arc::default(), None, now);
        let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
        let gap = decoder.decode(frame.as_frame());
        let gap = redactor.redact(&gap);
        self.lines.write(|out| ndjson::line(&gap, out))
    }

    /// Returns the size of the file, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.file.metadata().map_or(0, |meta| meta.len())
    }

    /// Returns whether everything has been written to the file.
    pub(super) const fn is_flushed(&self) -> bool {
        self.unflushed == 0
    }
}

/// Creates the error for a failed write to a record.
fn failed(path: &Path, error: &io::Error) -> OutputError {
    OutputError::Failed(Error::new(
        Exit::Failure,
        format!("cannot record to {}", path.display()),
        transport::input_file::cause(error),
        "free some space there, or record elsewhere",
    ))
}

impl Destination for Recorder {
    fn skip_delivered(&mut self, delivered: &[(DeliveryKey, u32)]) {
        for (key, count) in delivered {
            for _ in 0..*count {
                take(&mut self.tail, *key);
            }
        }
    }

    fn clear_tail(&mut self) {
        self.tail.clear();
    }

    fn begin_anew(&mut self) {
        self.is_interrupted = self.earlier.is_some();
    }

    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        let event = context.event;
        if std::mem::take(&mut self.is_interrupted) {
            self.write_interruption(event).map_err(|error| failed(&self.path, &error))?;
        }
        if !self.tail.is_empty() && key(event).is_some_and(|key| take(&mut self.tail, key)) {
            return Ok(());
        }
        let Self { path, lines, unflushed, .. } = self;
        let written = lines.write(|out| {
            let begin = out.len();
            ndjson::line(event, out);
            *unflushed += out.len() - begin;
        });
        written.map_err(|error| failed(path, &error))
    }

    /// Once no event can come again, no line depends on what the record contains.
    fn takes_lines(&self) -> bool {
        self.tail.is_empty() && !self.is_interrupted
    }

    fn lines(&mut self, lines: &[u8]) -> Result<(), OutputError> {
        self.unflushed += lines.len();
        self.lines.append(lines).map_err(|error| failed(&self.path, &error))
    }

    fn is_full(&self) -> bool {
        self.unflushed >= BATCH
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        self.unflushed = 0;
        self.lines.flush().map_err(|error| failed(&self.path, &error))
    }

    /// Forces the file to disk.
    fn finish(&mut self) -> Result<(), OutputError> {
        self.file.sync_data().map_err(|error| failed(&self.path, &error))
    }
}

/// Returns the key of an event in the record. The stream is not part of it, because ids are almost
/// unique across streams.
fn key(shown: &RedactedEvent<'_>) -> Option<DeliveryKey> {
    Some((shown.tap().id.as_ref()?.parse().ok()?, identity(shown)))
}

/// The end of a record.
struct RecordTail {
    events: DeliveryCounts,
    /// If the last line is incomplete, its offset, and whether evtap wrote it.
    torn: Option<(u64, bool)>,
    /// What an earlier run wrote.
    earlier: Option<EarlierRun>,
}

fn read_tail(file: &mut File) -> io::Result<RecordTail> {
    let length = file.seek(SeekFrom::End(0))?;
    let begin = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let complete = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end + 1);
    let rest = &bytes[complete..];
    let torn = (!rest.is_empty()).then(|| {
        let common = rest.len().min(LINE_PREFIX.len());
        (begin + complete as u64, rest[..common] == LINE_PREFIX[..common])
    });
    // Unless the whole file was read, the first line may be incomplete.
    let first = if begin == 0 { 0 } else { memchr::memchr(b'\n', &bytes).map_or(0, |end| end + 1) };
    let lines = transport::LineChunk {
        bytes: bytes::Bytes::copy_from_slice(bytes.get(first..complete).unwrap_or_default()),
        offset: 0,
        limit: usize::MAX,
    };
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let mut events = DeliveryCounts::new();
    let mut latest = None;
    let origin = crate::model::Origin::default();
    for frame in lines.frames(&origin) {
        let event = decoder.decode(frame);
        let event = redactor.redact(&event);
        latest = latest.max(event.tap().moment());
        if let Some(key) = key(&event) {
            *events.entry(key).or_default() += 1;
        }
    }
    Ok(RecordTail { events, torn, earlier: (complete > 0).then_some(EarlierRun { latest }) })
}
