//! Which times occur in which part of a recording, so that a range of time can be read without the
//! rest of the file.
//!
//! Nothing guarantees that the events of a recording are in order, so a binary search could miss
//! some. Instead, the first run with a range notes the times in each part of the file, and later
//! runs leave out the parts that have none in their range. The index is kept in the cache directory
//! of the user. It is used only for exactly the same file: the same device, inode, length and time of
//! modification. It contains positions, counts and times, and nothing else of the events.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::TimeRange;
use crate::transport::item::{LineChunk, SkippedPart};
use crate::transport::private_file;

/// The smallest recording that is worth an index, in bytes.
const MIN_LENGTH: u64 = 8 << 20;

/// The smallest part of a recording with an entry of its own, in bytes.
const PART_LENGTH: u64 = 1 << 20;

/// The maximum number of parts, with which an index has about 1 MiB. Those of a larger recording
/// are longer.
const MAX_PARTS: usize = 16_384;

/// The maximum size of all indexes, in bytes. The oldest make room for new ones.
const MAX_CACHE: u64 = 64 << 20;

/// How long a file must have been left alone. Within the resolution of a file system's clock, a
/// second modification would not show.
const MIN_AGE: Duration = Duration::from_secs(2);

/// The version that wrote an index: another one may read times otherwise.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The times of consecutive events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartTimes {
    events: u64,
    /// The earliest and the latest time in milliseconds of Unix time, each rounded outwards.
    times: Option<(i64, i64)>,
    /// Whether the time of an event is not known.
    has_unknown: bool,
}

impl PartTimes {
    /// Adds an event.
    pub fn add(&mut self, moment: Option<Timestamp>) {
        let millis = moment.map(Timestamp::as_millisecond);
        let times = millis.map(|millis| (millis.saturating_sub(1), millis.saturating_add(1)));
        self.merge(&Self { events: 1, times, has_unknown: moment.is_none() });
    }

    /// Adds the events of another part.
    pub fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.has_unknown |= other.has_unknown;
        self.times = match (self.times, other.times) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (times, None) | (None, times) => times,
        };
    }

    /// Returns whether an event may be in the range, or may have to be reported.
    fn may_concern(&self, range: TimeRange) -> bool {
        let time = |millis| Timestamp::from_millisecond(millis).ok();
        let overlaps = |(earliest, latest)| match (time(earliest), time(latest)) {
            (Some(earliest), Some(latest)) => range.overlaps(earliest, latest),
            _ => true,
        };
        self.has_unknown || self.times.is_some_and(overlaps)
    }
}

/// A part of a recording, which consists of whole lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RecordingPart {
    length: u64,
    lines: u64,
    events: PartTimes,
}

/// What to do with consecutive parts of a recording.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReadingStep {
    /// The length in bytes.
    pub length: u64,
    /// The part that is left out; `None` if the parts are read.
    pub skipped: Option<SkippedPart>,
}

/// What identifies the content of a file, as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct FileIdentity {
    device: u64,
    inode: u64,
    length: u64,
    modified: SystemTime,
    /// The maximum size of a line in bytes. A longer line is reported whatever the range.
    limit: usize,
}

impl FileIdentity {
    #[cfg(unix)]
    fn new(meta: &Metadata, limit: usize) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let modified = meta.modified().ok()?;
        let (device, inode, length) = (meta.dev(), meta.ino(), meta.len());
        (meta.is_file() && length >= MIN_LENGTH).then_some(Self {
            device,
            inode,
            length,
            modified,
            limit,
        })
    }

    /// Without inodes, a file that was replaced by another one could not be recognised.
    #[cfg(not(unix))]
    fn new(_: &Metadata, _: usize) -> Option<Self> {
        None
    }

    fn file_name(&self) -> String {
        format!("{:x}-{:x}-{}.json", self.device, self.inode, self.limit)
    }
}

/// The content of the file of an index.
#[derive(Serialize, Deserialize)]
struct StoredIndex {
    version: String,
    file: FileIdentity,
    parts: Vec<RecordingPart>,
}

/// The indexes of the recordings of a run with a range of time.
#[derive(Debug)]
pub struct TimeIndexes {
    dir: PathBuf,
    range: TimeRange,
    /// What the files were when reading them began.
    opened: Mutex<HashMap<PathBuf, FileIdentity>>,
}

impl TimeIndexes {
    /// Creates the indexes in a cache directory; `None` without a directory, or without a range,
    /// which needs no index.
    #[must_use]
    pub fn in_cache(dir: Option<PathBuf>, range: TimeRange) -> Option<Self> {
        let dir = dir.filter(|_| !range.is_unbounded())?.join("times");
        Some(Self { dir, range, opened: Mutex::default() })
    }

    /// Returns how to read an open file by its index. Without one, notes what the file is, so that
    /// one can be saved.
    pub(super) fn steps(&self, path: &Path, file: &File, limit: usize) -> Option<Vec<ReadingStep>> {
        let identity = FileIdentity::new(&file.metadata().ok()?, limit)?;
        let stored = fs::read(self.dir.join(identity.file_name())).ok();
        let stored: Option<StoredIndex> =
            stored.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let usable = stored.filter(|index| index.version == VERSION && index.file == identity);
        let Some(index) = usable else {
            self.lock().insert(path.to_owned(), identity);
            return None;
        };
        let mut steps: Vec<ReadingStep> = Vec::new();
        for RecordingPart { length, lines, events } in index.parts {
            let skipped = (!events.may_concern(self.range))
                .then_some(SkippedPart { lines, events: events.events });
            match (steps.last_mut(), skipped) {
                (Some(ReadingStep { length: before, skipped: Some(sum) }), Some(skipped)) => {
                    *before += length;
                    sum.lines += skipped.lines;
                    sum.events += skipped.events;
                }
                (Some(ReadingStep { length: before, skipped: None }), None) => *before += length,
                _ => steps.push(ReadingStep { length, skipped }),
            }
        }
        Some(steps)
    }

    /// Saves the index of a recording that has been read to its end, if it is still the same file.
    /// An index that cannot be saved is only missing the next time.
    pub fn save(&self, path: &Path, builder: IndexBuilder) {
        let Some(identity) = self.lock().remove(path) else { return };
        let is_same =
            fs::metadata(path).ok().and_then(|meta| FileIdentity::new(&meta, identity.limit))
                == Some(identity)
                && identity.modified.elapsed().is_ok_and(|age| age >= MIN_AGE);
        if let Some(parts) = builder.finish(identity.length).filter(|_| is_same) {
            let _ = self.write(&StoredIndex { version: VERSION.to_owned(), file: identity, parts });
        }
    }

    fn write(&self, index: &StoredIndex) -> std::io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let path = self.dir.join(index.file.file_name());
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let file = private_file::create_new(&temporary)?;
        let written = serde_json::to_writer(std::io::BufWriter::new(file), index)
            .map_err(std::io::Error::from)
            .and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        self.prune()?;
        written
    }

    /// Removes the oldest indexes beyond the limit.
    fn prune(&self) -> std::io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            files.push((meta.modified()?, meta.len(), entry.path()));
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in files {
            if total <= MAX_CACHE {
                break;
            }
            fs::remove_file(path)?;
            total -= length;
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, FileIdentity>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Builds the index of a recording from its chunks.
#[derive(Debug, Default)]
pub struct IndexBuilder {
    parts: Vec<RecordingPart>,
    /// The end of what has been added, in bytes.
    end: u64,
}

impl IndexBuilder {
    /// Adds a chunk, whose events have these times.
    pub fn add(&mut self, chunk: &LineChunk, events: &PartTimes) {
        self.skip_to(chunk.offset);
        let lines = memchr::memchr_iter(b'\n', &chunk.bytes).count() as u64;
        self.push(RecordingPart {
            length: chunk.bytes.len() as u64,
            lines,
            events: events.clone(),
        });
    }

    /// Adds what was not in a chunk and must always be read, because it is reported.
    fn skip_to(&mut self, offset: u64) {
        if let Some(length) = offset.checked_sub(self.end).filter(|length| *length > 0) {
            let events = PartTimes { has_unknown: true, ..PartTimes::default() };
            self.push(RecordingPart { length, lines: 0, events });
        }
    }

    fn push(&mut self, part: RecordingPart) {
        self.end += part.length;
        match self.parts.last_mut() {
            Some(last) if last.length < PART_LENGTH => last.merge(&part),
            _ => self.parts.push(part),
        }
        if self.parts.len() > MAX_PARTS {
            let pairs = self.parts.chunks(2).map(|pair| {
                let mut first = pair[0].clone();
                pair[1..].iter().for_each(|second| first.merge(second));
                first
            });
            self.parts = pairs.collect();
        }
    }

    /// Returns the parts of a file of this length, if that is what has been read.
    fn finish(mut self, length: u64) -> Option<Vec<RecordingPart>> {
        // Chunks that overlap, or go beyond the end, are not those of such a file.
        let is_plain = self.end > 0 && self.end <= length;
        self.skip_to(length);
        is_plain.then_some(self.parts)
    }
}

impl RecordingPart {
    fn merge(&mut self, other: &Self) {
        self.length += other.length;
        self.lines += other.lines;
        self.events.merge(&other.events);
    }
}
