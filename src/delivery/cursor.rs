//! The cursor file: up to which event each workspace has been delivered.
//!
//! The file is replaced atomically: a temporary file (mode 0600) next to it is written and renamed
//! over it, so a reader sees the old or the new content and never a part of it. A symbolic link in
//! its place is replaced, not followed.
//!
//! Each advance hands the file to the operating system, which is enough to survive the death of the
//! process. The file is forced to disk once a second and at the end of the run, so after a loss of
//! power it may be one second old, and the events of that second are delivered twice.
//!
//! A file with the positions of many workspaces is written less often, so that writing takes a small
//! part of the time. After a kill, the events since the last write are delivered twice.
//!
//! Events may be processed long before they are delivered. Where a stream is read and up to where it
//! has been delivered are therefore two positions, and only the latter is in the file.

mod file;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use file::{CursorFile, LastStoredByTap, Position, Positions};
use serde_json::value::RawValue;

use super::destination::LastStored;
use super::key::{DeliveryKey, key};
use crate::error::{Error, Exit, Result};
use crate::model::Frame;
use crate::redact::RedactedEvent;
use crate::transport::input_file::{self, InputFile};
use crate::transport::private_file;
use crate::transport::sse::Start;

/// The maximum size of the file in bytes. evtap writes far less.
const FILE_LIMIT: u64 = 256 << 20;

/// The minimum time between two syncs to disk.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// The size from which the file is not written at each advance, in bytes: that of some hundred
/// workspaces.
const LARGE: usize = 32 << 10;

/// How many times as long as writing a large file took the next write waits.
const PAUSE: u32 = 20;

/// The maximum number of events of the last millisecond that are remembered. Further events of the
/// same millisecond are delivered twice. Each takes 24 bytes in memory and at most 60 in the file.
const MAX_REMEMBERED: usize = 4096;

/// The number of deliveries of each event.
pub(super) type DeliveryCounts = BTreeMap<DeliveryKey, u32>;

/// Gives the state of the rules, if the run has rules. It is asked only where the file is written.
pub type RuleState<'a> = Option<&'a dyn Fn() -> Option<Box<RawValue>>>;

/// Remembers up to which event each workspace has been delivered, in a file.
///
/// A clone is the same cursor, so that streams can begin while the delivery advances it.
#[derive(Clone)]
pub struct Cursor(Arc<Mutex<CursorState>>);

/// Positions that streams have reached, but that are not in the file yet.
#[derive(Debug, Default)]
pub(super) struct CursorChanges {
    positions: Positions,
    /// The state of the rules at these positions.
    rules: Option<Box<RawValue>>,
}

impl CursorChanges {
    /// Adds what changed later.
    pub(super) fn append(&mut self, mut later: Self) {
        self.positions.append(&mut later.positions);
        self.rules = later.rules.or(self.rules.take());
    }
}

struct CursorState {
    path: PathBuf,
    /// The file at the path, which is locked while it is open.
    lock: File,
    streams: HashMap<String, CursorStream>,
    /// The tap of this run, if it has one that has not lost what it stored.
    tap: Option<u64>,
    /// The newest of what taps have stored.
    last_stored: LastStoredByTap,
    /// Whether the file had positions when it was opened.
    resumes: bool,
    /// The workspaces whose streams have moved since the changes were last taken.
    moved: Vec<String>,
    /// When the state of the rules was last taken, and how long that took.
    last_rules: Option<(Instant, Duration)>,
    /// The content of the file, or of the next one to be written.
    delivered: Positions,
    /// The state of the rules in the file, or that will be there.
    rules: Option<Box<RawValue>>,
    /// Whether that differs from the file.
    changed: bool,
    synced: Option<Instant>,
    last_write: Option<CursorWrite>,
}

/// How the file was written.
struct CursorWrite {
    ended: Instant,
    took: Duration,
    /// The size of the file in bytes.
    size: usize,
}

impl CursorWrite {
    /// Returns whether the next write may begin so long after this one.
    fn allows_another(&self, elapsed: Duration) -> bool {
        self.size < LARGE || elapsed >= self.took * PAUSE
    }
}

#[derive(Default)]
struct CursorStream {
    id: u64,
    delivered: DeliveryCounts,
    has_moved: bool,
    /// The tap that stored the last event.
    tap: Option<u64>,
    /// The events that an earlier run delivered and that the server may send again.
    known: DeliveryCounts,
}

impl Cursor {
    /// Reads and locks the cursor file, and creates it if there is none.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read or written, is not a regular file, is not a cursor, or is in
    /// use by another run.
    pub fn open(path: &Path) -> Result<Self> {
        let what = || format!("cannot use the cursor {}", path.display());
        let failed = |error: &io::Error| {
            Error::new(
                Exit::Failure,
                what(),
                input_file::cause(error),
                "check the path of --cursor",
            )
        };
        match fs::symlink_metadata(path) {
            Ok(meta) if !meta.is_file() => {
                return Err(Error::usage(what(), "it is not a regular file", "name another file"));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
            _ => {}
        }
        let file = loop {
            let mut options = fs::OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = private_file::open(&mut options, path).map_err(|error| failed(&error))?;
            private_file::lock(&file).map_err(|_| private_file::in_use(what()))?;
            // A run that ended meanwhile may have replaced the file.
            if private_file::is_same(&file, path).map_err(|error| failed(&error))? {
                break file;
            }
        };
        let InputFile { bytes, .. } =
            input_file::read(path, FILE_LIMIT).map_err(|error| failed(&error))?;
        let written = match serde_json::from_slice::<CursorFile<'_>>(&bytes) {
            Ok(written) if written.version == 1 => written,
            // A loss of power may leave an empty file.
            _ if bytes.is_empty() => CursorFile::default(),
            _ => {
                return Err(Error::usage(
                    what(),
                    "it is not an evtap cursor",
                    "name another file, or remove it",
                ));
            }
        };
        let mut streams = HashMap::new();
        for (workspace, Position { id, events, tap }) in written.streams.iter() {
            let delivered: DeliveryCounts =
                events.iter().map(|(id, identity, count)| ((*id, *identity), *count)).collect();
            let (id, known) = (*id, delivered.clone());
            let stream = CursorStream { id, known, delivered, has_moved: false, tap: *tap };
            streams.insert(workspace.clone(), stream);
        }
        let is_used =
            |tap: &u64| written.streams.values().any(|position| position.tap == Some(*tap));
        let mut last_stored = written.last_stored.into_owned();
        last_stored.retain(|tap, _| is_used(tap));
        let state = CursorState {
            path: path.to_owned(),
            lock: file,
            resumes: !streams.is_empty(),
            streams,
            tap: None,
            last_stored,
            moved: Vec::new(),
            last_rules: None,
            delivered: written.streams.into_owned(),
            rules: written.rules,
            changed: false,
            synced: None,
            last_write: None,
        };
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    /// Returns whether an earlier run has left positions.
    #[must_use]
    pub fn resumes(&self) -> bool {
        self.state().resumes
    }

    /// Returns the positions from which to request the streams of workspaces; `None` for a new
    /// workspace, which begins at `now` (in milliseconds of Unix time).
    ///
    /// The positions of new workspaces are written at once, so that a run that dies before its first
    /// event leaves no gap.
    pub fn starts(&self, workspaces: &[String], now: u64) -> Result<Vec<Option<Start>>> {
        let mut state = self.state();
        let starts = workspaces.iter().map(|workspace| state.start(workspace, now)).collect();
        state.write(true).map_err(|error| {
            let what = format!("cannot write the cursor {}", state.path.display());
            Error::new(Exit::Failure, what, input_file::cause(&error), "check the path of --cursor")
        })?;
        Ok(starts)
    }

    /// Returns the newest of what a tap had stored at these positions.
    pub(super) fn last_stored(&self, tap: u64) -> Option<LastStored> {
        self.state().last_stored.get(&tap).copied()
    }

    /// Sets the tap of this run, which goes on with what it stored before if that `is_intact`.
    pub(super) fn set_tap(&self, tap: u64, is_intact: bool) {
        let mut state = self.state();
        if !is_intact {
            state.forget(tap);
        }
        state.tap = Some(tap);
    }

    /// Notes that what the tap of this run had stored has been lost.
    pub(super) fn forget_tap(&self) {
        let mut state = self.state();
        if let Some(tap) = state.tap.take() {
            state.forget(tap);
        }
    }

    /// Returns whether the tap of this run has stored the last events of a workspace.
    pub(super) fn continues(&self, workspace_id: &str) -> bool {
        let state = self.state();
        let stream = state.streams.get(workspace_id);
        state.tap.is_some() && stream.is_some_and(|stream| stream.tap == state.tap)
    }

    /// Returns the events that earlier runs delivered and that the server may send again.
    pub(super) fn delivered(&self) -> Vec<(DeliveryKey, u32)> {
        let state = self.state();
        let known = state.streams.values().flat_map(|stream| &stream.known);
        known.map(|(key, count)| (*key, *count)).collect()
    }

    /// Returns whether an earlier run delivered the event, and forgets one of its deliveries.
    pub(super) fn is_known(&self, frame: &Frame<'_>, shown: &RedactedEvent<'_>) -> bool {
        self.state().is_known(frame, shown)
    }

    /// Moves the position past an event, in memory.
    pub(super) fn advance(&self, frame: &Frame<'_>, shown: &RedactedEvent<'_>) {
        self.state().advance(frame, shown);
    }

    /// Returns the positions that changed in memory since the last call, with the state of the rules.
    /// Both may be left to a later call, because taking the state of many keys takes time.
    pub(super) fn take_changes(&self, rules: RuleState<'_>, is_last: bool) -> CursorChanges {
        self.state().take_changes(rules, is_last)
    }

    /// Returns the state of the rules that an earlier run wrote.
    pub(super) fn rules(&self) -> Option<Box<RawValue>> {
        self.state().rules.clone()
    }

    /// Writes positions up to which everything has been delivered, and the newest of what the tap has
    /// stored.
    pub(super) fn commit(
        &self,
        changes: CursorChanges,
        last: Option<LastStored>,
    ) -> io::Result<()> {
        self.state().commit(changes, last)
    }

    /// Writes the file and forces it to disk.
    pub(super) fn finish(&self) -> io::Result<()> {
        self.state().finish()
    }

    fn state(&self) -> MutexGuard<'_, CursorState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CursorState {
    /// Forgets which workspaces a tap has stored.
    fn forget(&mut self, tap: u64) {
        let in_memory = self.streams.values_mut().map(|stream| &mut stream.tap);
        let in_file = self.delivered.values_mut().map(|position| &mut position.tap);
        for of in in_memory.chain(in_file).filter(|of| **of == Some(tap)) {
            *of = None;
        }
        self.changed |= self.last_stored.remove(&tap).is_some();
    }

    fn start(&mut self, workspace_id: &str, now: u64) -> Option<Start> {
        if let Some(stream) = self.streams.get_mut(workspace_id) {
            // A workspace may also have been removed and added again in this run.
            stream.known.clone_from(&stream.delivered);
            let is_event = stream.delivered.keys().any(|(id, _)| *id == stream.id);
            return Some(if is_event { Start::After(stream.id) } else { Start::Since(stream.id) });
        }
        self.streams
            .insert(workspace_id.to_owned(), CursorStream { id: now, ..CursorStream::default() });
        let position = Position { id: now, ..Position::default() };
        self.delivered.insert(workspace_id.to_owned(), position);
        self.changed = true;
        None
    }

    fn is_known(&mut self, frame: &Frame<'_>, shown: &RedactedEvent<'_>) -> bool {
        let stream = frame.origin.workspace_id.as_ref().and_then(|id| self.streams.get_mut(id));
        let (Some(stream), Some(key)) =
            (stream.filter(|stream| !stream.known.is_empty()), key(frame, shown))
        else {
            return false;
        };
        if stream.known.last_key_value().is_some_and(|((id, _), _)| key.0 > *id) {
            stream.known.clear();
        }
        take(&mut stream.known, key)
    }

    fn advance(&mut self, frame: &Frame<'_>, shown: &RedactedEvent<'_>) {
        let stream = frame.origin.workspace_id.as_ref().and_then(|id| self.streams.get_mut(id));
        let (Some(stream), Some(key)) = (stream, key(frame, shown)) else { return };
        if key.0 != stream.id {
            stream.delivered = stream.delivered.split_off(&(key.0, 0));
            stream.id = key.0;
        }
        if stream.delivered.len() < MAX_REMEMBERED {
            *stream.delivered.entry(key).or_default() += 1;
        }
        stream.tap = self.tap;
        if !std::mem::replace(&mut stream.has_moved, true) {
            self.moved.extend(frame.origin.workspace_id.clone());
        }
    }

    fn take_changes(&mut self, rules: RuleState<'_>, is_last: bool) -> CursorChanges {
        let mut changes = CursorChanges::default();
        if let Some(save) = rules {
            let is_busy = |(ended, took): &(Instant, Duration)| ended.elapsed() < *took * PAUSE;
            if !is_last && self.last_rules.as_ref().is_some_and(is_busy) {
                return changes;
            }
            let began = Instant::now();
            changes.rules = save();
            self.last_rules = Some((Instant::now(), began.elapsed()));
        }
        for workspace in self.moved.drain(..) {
            let Some(stream) = self.streams.get_mut(&workspace) else { continue };
            stream.has_moved = false;
            let delivered = stream.delivered.iter();
            let events = delivered.map(|((id, identity), count)| (*id, *identity, *count));
            let position = Position { id: stream.id, events: events.collect(), tap: stream.tap };
            changes.positions.insert(workspace, position);
        }
        changes
    }

    fn commit(&mut self, mut changes: CursorChanges, last: Option<LastStored>) -> io::Result<()> {
        self.changed |= !changes.positions.is_empty() || changes.rules.is_some();
        for position in changes.positions.values_mut() {
            position.tap = position.tap.filter(|tap| self.tap == Some(*tap));
        }
        self.last_stored.extend(self.tap.zip(last));
        self.delivered.append(&mut changes.positions);
        self.rules = changes.rules.or(self.rules.take());
        if self.last_write.as_ref().is_some_and(|last| !last.allows_another(last.ended.elapsed())) {
            return Ok(());
        }
        let sync = self.synced.is_none_or(|synced| synced.elapsed() >= SYNC_INTERVAL);
        self.write(sync)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.changed |= self.synced.is_some();
        self.write(true)
    }

    fn write(&mut self, sync: bool) -> io::Result<()> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        let began = Instant::now();
        let file = CursorFile {
            version: 1,
            streams: Cow::Borrowed(&self.delivered),
            last_stored: Cow::Borrowed(&self.last_stored),
            rules: self.rules.clone(),
        };
        let text = serde_json::to_string(&file)?;
        let temporary = temporary_path(&self.path);
        // A run that was killed may have left its temporary file.
        let _ = fs::remove_file(&temporary);
        let mut file = private_file::create_new(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        if sync {
            file.sync_all()?;
            self.synced = Some(Instant::now());
        }
        // The lock moves on to the new file before anybody else can open it.
        let _ = private_file::lock(&file);
        fs::rename(&temporary, &self.path)?;
        self.lock = file;
        let (ended, took) = (Instant::now(), began.elapsed());
        self.last_write = Some(CursorWrite { ended, took, size: text.len() });
        Ok(())
    }
}

/// Removes one delivery of an event. Returns false if there is none.
pub(super) fn take(delivered: &mut DeliveryCounts, key: DeliveryKey) -> bool {
    match delivered.get_mut(&key) {
        Some(1) => delivered.remove(&key).is_some(),
        Some(count) => {
            *count -= 1;
            true
        }
        None => false,
    }
}

fn temporary_path(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_files_are_written_less_often() {
        let took = Duration::from_millis(10);
        let write = |size| CursorWrite { ended: Instant::now(), took, size };
        assert!(write(1000).allows_another(Duration::ZERO));
        assert!(!write(1 << 20).allows_another(Duration::from_millis(199)));
        assert!(write(1 << 20).allows_another(Duration::from_millis(200)));
    }

    #[test]
    fn what_was_not_written_is_written_at_the_end() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("cursor");
        let workspaces: Vec<_> = (0..1000).map(|number| format!("{number:036}")).collect();
        let cursor = Cursor::open(&path).expect("a cursor");
        cursor.starts(&workspaces, 1).expect("written");
        // As if it had taken so long that no other write is due.
        if let Some(write) = &mut cursor.state().last_write {
            write.took = Duration::from_secs(3600);
        }
        let read = || std::fs::read_to_string(&path).expect("a file");
        let before = read();
        cursor.state().start("new", 2);
        cursor.commit(cursor.take_changes(None, false), None).expect("it can wait");
        assert_eq!(read(), before);
        cursor.finish().expect("written");
        assert!(read().contains("new"));
    }
}
