//! Recordings as a source of frames: NDJSON as evtap writes it, one bare event per line, a JSON array
//! of events, or an SSE stream as `curl -N` captures it. Each may be compressed by gzip or zstd.
//!
//! A recording is read in large chunks. What is not an event is reported in its place, and reading
//! goes on after it.

mod chunk_reader;
mod frame_splitter;
mod kind;
mod line_splitter;
mod time_index;
mod value_splitter;

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, BytesMut};

pub use super::progress::STDIN;
use super::{BlockingSender, Item};
use crate::error::{Error, Exit, Result};
use crate::model::FrameError;
use crate::transport::archive::{self, Compression};
use crate::transport::input_file::cause;
use crate::transport::progress::Progress;
use chunk_reader::{BEGINNING, ChunkReader};
use kind::RecordingKind;
use time_index::ReadingStep;
pub use time_index::{IndexBuilder, PartTimes, TimeIndexes};

/// How much is searched for the first line of a recording that does not begin with text, in bytes.
const MAX_PREAMBLE: u64 = 64 << 20;

/// Reads the recording at `path` to its end, and blocks the thread. `-` is stdin.
///
/// `limit` is the maximum size of a frame, in bytes. Lines that are outside the range of `indexes`
/// are left out if the recording has an index.
///
/// # Errors
///
/// Fails if the file cannot be read, is damaged, or is not text. Frames before a failed read are
/// sent.
pub fn run(
    path: &Path,
    limit: usize,
    indexes: Option<&TimeIndexes>,
    progress: &Arc<Progress>,
    tx: &BlockingSender,
) -> Result<()> {
    let name = path.display().to_string();
    let failed = |error: &std::io::Error| {
        Error::new(
            Exit::Failure,
            format!("cannot read {name}"),
            cause(error),
            "check the path and its permissions",
        )
    };
    let mut steps = None;
    let file: Box<dyn Read> = if path.as_os_str() == STDIN {
        Box::new(std::io::stdin())
    } else {
        let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
        if file.metadata().is_ok_and(|meta| meta.is_dir()) {
            return Err(Error::new(
                Exit::Failure,
                format!("cannot read {name}"),
                "it is a directory",
                "name the files in it",
            ));
        }
        steps = indexes.and_then(|indexes| indexes.steps(path, &file, limit));
        Box::new(file)
    };
    let file = MeteredReader { file, progress: Arc::clone(progress) };
    let (mut reader, compression) = archive::open(file).map_err(|error| failed(&error))?;
    let mut chunks = ChunkReader::new(&mut reader);
    let failed = |error: &std::io::Error, read: u64| match archive::fault(error)
        .filter(|_| compression != Compression::None)
    {
        None => failed(error),
        Some(why) => {
            let why = format!("{why}, after {read} bytes of text, which have been read");
            Error::new(
                Exit::Failure,
                format!("cannot read all of {name}"),
                why,
                "get the file again from its source",
            )
        }
    };
    let read = |chunks: &ChunkReader<'_>, error: std::io::Error| failed(&error, chunks.read);
    let beginning = match chunks.beginning() {
        Ok(Some(beginning)) => beginning,
        Ok(None) => return Ok(()),
        Err(error) => return Err(failed(&error, 0)),
    };
    if let Some(format) = kind::unsupported(&beginning) {
        return Err(not_a_recording(path, format.why, format.advice));
    }
    let mut chunk = beginning;
    let mut offset = 0;
    let kind = match kind::detect(&chunk, true) {
        Some(kind) => kind,
        None if !kind::is_binary(&chunk) => RecordingKind::Ndjson,
        None => {
            let found = skip_to_line(&mut chunk, &mut chunks);
            let Some(found) = found.map_err(|error| read(&chunks, error))? else {
                return Err(not_a_recording(path, "it is not text", GIVE_A_RECORDING));
            };
            offset = found.1;
            let _ = tx.blocking_send(line_splitter::failed_line(FrameError::NotText, offset, 0));
            found.0
        }
    };
    if let Some(steps) = steps.filter(|_| {
        kind == RecordingKind::Ndjson && compression == Compression::None && offset == 0
    }) {
        return read_steps(path, steps, limit, progress, tx).map_err(|error| failed(&error, 0));
    }
    let result = match kind {
        RecordingKind::Ndjson => line_splitter::read_lines(chunk, offset, &mut chunks, limit, tx),
        RecordingKind::Json => value_splitter::read_values(chunk, offset, &mut chunks, limit, tx),
        RecordingKind::Sse => frame_splitter::read_frames(chunk, &mut chunks, limit, tx),
    };
    result.map_err(|error| read(&chunks, error))
}

/// Reads a recording by its index, and to its end if it has grown.
fn read_steps(
    path: &Path,
    steps: Vec<ReadingStep>,
    limit: usize,
    progress: &Arc<Progress>,
    tx: &BlockingSender,
) -> std::io::Result<()> {
    let mut file = std::fs::File::open(path)?;
    let mut offset = 0;
    let rest = ReadingStep { length: u64::MAX, skipped: None };
    for ReadingStep { length, skipped } in steps.into_iter().chain([rest]) {
        if let Some(skipped) = skipped {
            progress.add_read(length);
            if tx.blocking_send(Item::Skipped(skipped)).is_err() {
                return Ok(());
            }
        } else {
            file.seek(SeekFrom::Start(offset))?;
            let file = Box::new(file.try_clone()?.take(length));
            let mut reader = MeteredReader { file, progress: Arc::clone(progress) };
            let mut chunks = ChunkReader::new(&mut reader);
            line_splitter::read_lines(BytesMut::new(), offset, &mut chunks, limit, tx)?;
        }
        offset = offset.saturating_add(length);
    }
    Ok(())
}

/// Removes everything before the first line that looks like an event. Returns the kind of that line
/// and the number of removed bytes; `None` if there is no such line.
fn skip_to_line(
    chunk: &mut BytesMut,
    chunks: &mut ChunkReader<'_>,
) -> std::io::Result<Option<(RecordingKind, u64)>> {
    let mut skipped = 0;
    loop {
        if let Some((at, kind)) = kind::find_line(chunk) {
            chunk.advance(at);
            return Ok(Some((kind, skipped + at as u64)));
        }
        // The end of the chunk may be the beginning of such a line.
        let searched = chunk.len().saturating_sub(kind::MAX_PREFIX);
        chunk.advance(searched);
        skipped += searched as u64;
        if skipped > MAX_PREAMBLE || !chunks.extend(chunk)? {
            return Ok(None);
        }
    }
}

/// The ends of the names of recordings in a directory.
const SUFFIXES: &[&str] = &[".ndjson", ".ndjson.zst", ".ndjson.gz"];

/// Replaces each directory by the recordings in it, in the order of their names.
///
/// A plain recording that is also there in compressed form is left out: evtap compresses a copy, and
/// then removes the plain one.
///
/// # Errors
///
/// Fails if a directory cannot be read or has no recording.
pub fn expand(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        let what = || format!("cannot read {}", path.display());
        let failed = |error: std::io::Error| {
            Error::new(Exit::Failure, what(), cause(&error), "check its permissions")
        };
        let mut names: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let is_recording = |name: &String| SUFFIXES.iter().any(|end| name.ends_with(end));
            names.extend(name.into_string().ok().filter(is_recording));
        }
        names.sort();
        let compressed: Vec<_> =
            names.iter().filter_map(|name| name.strip_suffix(".zst")).map(str::to_owned).collect();
        names.retain(|name| compressed.binary_search(name).is_err());
        if names.is_empty() {
            let why = format!("no file in it ends with {}", SUFFIXES.join(", "));
            return Err(Error::new(Exit::Failure, what(), why, "name the recordings"));
        }
        files.extend(names.iter().map(|name| path.join(name)));
    }
    Ok(files)
}

/// Creates the error for a file in which nothing is an event.
#[must_use]
pub fn no_events(path: &Path) -> Error {
    not_a_recording(path, "nothing in it is an event", GIVE_A_RECORDING)
}

const GIVE_A_RECORDING: &str = "give events as `evtap -o ndjson`, `json` or `cloudevents` writes \
    them, or a capture of an SSE stream, plain or compressed by gzip or zstd";

fn not_a_recording(path: &Path, why: &str, advice: &str) -> Error {
    let what = format!("cannot read {} as a recording", path.display());
    Error::new(Exit::Failure, what, why, advice)
}

/// Returns the size of each recording in bytes, for seeking.
///
/// The result is empty if the position of a line is not known for one of them: if it is not a
/// regular file, is compressed, or is not NDJSON.
#[must_use]
pub fn sizes(paths: &[PathBuf]) -> Vec<u64> {
    let size = |path: &PathBuf| {
        let meta = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        let mut first = Vec::new();
        std::fs::File::open(path).ok()?.take(BEGINNING as u64).read_to_end(&mut first).ok()?;
        let is_seekable = !archive::is_compressed(&first) && kind::is_ndjson(&first);
        is_seekable.then_some(meta.len())
    };
    paths.iter().map(size).collect::<Option<_>>().unwrap_or_default()
}

/// A file whose reads are counted in the progress.
struct MeteredReader {
    file: Box<dyn Read>,
    progress: Arc<Progress>,
}

impl Read for MeteredReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.add_read(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that returns one byte at a time.
    struct ByteReader<'a>(&'a [u8]);

    impl Read for ByteReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let (byte, rest) = self.0.split_at(self.0.len().min(1));
            self.0 = rest;
            buffer[..byte.len()].copy_from_slice(byte);
            Ok(byte.len())
        }
    }

    #[test]
    fn the_kind_is_detected_when_the_first_line_arrives_in_parts() {
        for (text, read, expected) in [
            (&b"\n data"[..], 6, None),
            (b"\n\ndata: {}\n\n", 11, Some(RecordingKind::Sse)),
            (b"retry: 1\r", 9, Some(RecordingKind::Sse)),
            (b"{}\n{}", 3, Some(RecordingKind::Ndjson)),
        ] {
            let mut reader = ByteReader(text);
            let mut chunks = ChunkReader::new(&mut reader);
            let beginning = chunks.beginning().expect("no failure").expect("something");
            let kind = kind::detect(&beginning, true);
            assert_eq!((beginning.len(), kind), (read, expected));
        }
    }
}
