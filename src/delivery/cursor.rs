//! The cursor file: how far each workspace has been delivered, for the next run.
//!
//! It is replaced whole: a file beside it (mode 0600) is written and renamed over it, so at every moment there is an old or
//! a new one, never half of one; a symbolic link in its place is replaced, not followed. It is handed to the operating
//! system each time, which is enough to survive the death of the process, and forced to disk once a second and at the end:
//! after a loss of power it may be a second old, and the events of that second come twice.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::key::{DeliveryKey, key};
use crate::error::{Error, Exit, Result};
use crate::model::Frame;
use crate::redact::RedactedEvent;
use crate::transport::private_file;
use crate::transport::sse::Start;

/// How often it is forced to disk.
const SYNC: Duration = Duration::from_secs(1);

/// How many events of the last millisecond are kept. Of more, some come twice.
const KEPT: usize = 4096;

/// How often each event was delivered.
pub(super) type DeliveryCounts = BTreeMap<DeliveryKey, u32>;

/// The file as it is written.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CursorFile {
    version: u32,
    streams: BTreeMap<String, Position>,
}

/// How far a workspace has been delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Position {
    /// The id of the last event, or of the moment at which the first run began.
    id: u64,
    /// The events that bear it, or a later one: id, identity, how often.
    events: Vec<(u64, u64, u32)>,
}

/// How far each workspace has been delivered, and the file that holds it.
pub struct Cursor {
    path: PathBuf,
    streams: HashMap<String, CursorStream>,
    changed: bool,
    synced: Option<Instant>,
}

#[derive(Default)]
struct CursorStream {
    id: u64,
    delivered: DeliveryCounts,
    /// What an earlier run has delivered, and this one will be sent again.
    known: DeliveryCounts,
}

impl Cursor {
    /// Reads a cursor, or begins one where there is no file yet.
    pub fn open(path: &Path) -> Result<Self> {
        let what = || format!("cannot use the cursor {}", path.display());
        let failed = |error: &io::Error| {
            Error::new(
                Exit::Failure,
                what(),
                crate::transport::recording::cause(error),
                "check the path of --cursor",
            )
        };
        let mut streams = HashMap::new();
        match fs::symlink_metadata(path) {
            Ok(meta) if !meta.is_file() => {
                return Err(Error::usage(what(), "it is no regular file", "name another file"));
            }
            Ok(_) => {
                let bytes = fs::read(path).map_err(|error| failed(&error))?;
                let written = match serde_json::from_slice::<CursorFile>(&bytes) {
                    Ok(written) if written.version == 1 => written,
                    // All that a loss of power may leave.
                    _ if bytes.is_empty() => CursorFile::default(),
                    _ => {
                        return Err(Error::usage(
                            what(),
                            "it is no cursor of evtap's",
                            "name another file, or remove it",
                        ));
                    }
                };
                for (workspace, Position { id, events }) in written.streams {
                    let delivered: DeliveryCounts = events
                        .into_iter()
                        .map(|(id, identity, count)| ((id, identity), count))
                        .collect();
                    streams.insert(
                        workspace,
                        CursorStream { id, known: delivered.clone(), delivered },
                    );
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&error)),
        }
        Ok(Self { path: path.to_owned(), streams, changed: false, synced: None })
    }

    /// Where a workspace's stream is to begin. One that is new begins now; that is written down at once, so that a run that
    /// dies before its first event leaves no hole.
    pub fn start(&mut self, workspace_id: &str, now: u64) -> Result<Option<Start>> {
        if let Some(stream) = self.streams.get(workspace_id) {
            let borne = stream.delivered.keys().any(|(id, _)| *id == stream.id);
            return Ok(Some(if borne { Start::After(stream.id) } else { Start::Since(stream.id) }));
        }
        self.streams
            .insert(workspace_id.to_owned(), CursorStream { id: now, ..CursorStream::default() });
        self.changed = true;
        self.commit().map(|()| None).map_err(|error| {
            let what = format!("cannot write the cursor {}", self.path.display());
            Error::new(
                Exit::Failure,
                what,
                crate::transport::recording::cause(&error),
                "check the path of --cursor",
            )
        })
    }

    /// Everything that earlier runs have delivered and this one may be sent again.
    pub(super) fn delivered(&self) -> impl Iterator<Item = (DeliveryKey, u32)> {
        self.streams
            .values()
            .flat_map(|stream| stream.known.iter().map(|(key, count)| (*key, *count)))
    }

    pub(super) fn is_known(&mut self, frame: &Frame<'_>, shown: &RedactedEvent<'_>) -> bool {
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

    pub(super) fn advance(&mut self, frame: &Frame<'_>, shown: &RedactedEvent<'_>) {
        let stream = frame.origin.workspace_id.as_ref().and_then(|id| self.streams.get_mut(id));
        let (Some(stream), Some(key)) = (stream, key(frame, shown)) else { return };
        if key.0 != stream.id {
            stream.delivered = stream.delivered.split_off(&(key.0, 0));
            stream.id = key.0;
        }
        if stream.delivered.len() < KEPT {
            *stream.delivered.entry(key).or_default() += 1;
        }
        self.changed = true;
    }

    /// Writes it down, if it has moved.
    pub(super) fn commit(&mut self) -> io::Result<()> {
        let sync = self.synced.is_none_or(|synced| synced.elapsed() >= SYNC);
        self.write(sync)
    }

    /// Writes it down, and forces it to disk.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.changed |= self.synced.is_some();
        self.write(true)
    }

    fn write(&mut self, sync: bool) -> io::Result<()> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        let position = |stream: &CursorStream| Position {
            id: stream.id,
            events: stream
                .delivered
                .iter()
                .map(|((id, identity), count)| (*id, *identity, *count))
                .collect(),
        };
        let streams = self
            .streams
            .iter()
            .map(|(workspace, stream)| (workspace.clone(), position(stream)))
            .collect();
        let text = serde_json::to_string(&CursorFile { version: 1, streams })?;
        let beside = beside(&self.path);
        // What a killed run has left.
        let _ = fs::remove_file(&beside);
        let mut file = private_file::create_new(&beside)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        if sync {
            file.sync_all()?;
            self.synced = Some(Instant::now());
        }
        fs::rename(&beside, &self.path)
    }
}

/// Takes one of what is there. False if there was none.
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

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}
