//! Recordings as a source of frames: NDJSON as evtap writes it, one bare event per line, or an SSE
//! stream as `curl -N` captures it. Each may be compressed by gzip or zstd.
//!
//! A recording is read in large chunks of complete lines. A line over the limit is not kept in
//! memory: it is skipped and reported.

mod chunk_reader;
mod frame_splitter;

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use super::BlockingSender;
use super::Chunk;
use super::Item;
use super::LineChunk;
use super::RawFrame;
pub use super::progress::STDIN;
use super::raw_frame::as_plain_text;
use crate::error::{Error, Exit, Result};
use crate::model::Origin;
use crate::model::{Frame, FrameError, FrameFlags, FrameFormat};
use crate::transport::archive::{self, Compression};
use crate::transport::progress::Progress;
use chunk_reader::{BEGINNING, ChunkReader};

/// The format of a recording, detected by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordingKind {
    Ndjson,
    Sse,
    Binary,
}

/// Reads the recording at `path` to its end, and blocks the thread. `-` is stdin.
///
/// `limit` is the maximum size of a frame, in bytes.
///
/// # Errors
///
/// Fails if the file cannot be read, is damaged, or is not text. Frames before a failed read are
/// sent.
pub fn run(path: &Path, limit: usize, progress: &Arc<Progress>, tx: &BlockingSender) -> Result<()> {
    let name = path.display().to_string();
    let failed = |error: &std::io::Error| {
        Error::new(
            Exit::Failure,
            format!("cannot read {name}"),
            cause(error),
            "check the path and its permissions",
        )
    };
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
    let Some(first) = chunks.beginning().map_err(|error| failed(&error, 0))? else { return Ok(()) };
    let result = match detect_kind(&first) {
        RecordingKind::Ndjson => read_lines(first, &mut chunks, limit, tx),
        RecordingKind::Sse => frame_splitter::read_frames(first, &mut chunks, limit, tx),
        RecordingKind::Binary => {
            return Err(Error::new(
                Exit::Failure,
                format!("cannot replay {name}"),
                "it is not text",
                "give NDJSON, as `evtap -o ndjson` writes it, or a capture of an SSE stream, plain \
                 or compressed by gzip or zstd",
            ));
        }
    };
    result.map_err(|error| failed(&error, chunks.read))
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
        let is_seekable =
            !archive::is_compressed(&first) && detect_kind(&first) == RecordingKind::Ndjson;
        is_seekable.then_some(meta.len())
    };
    paths.iter().map(size).collect::<Option<_>>().unwrap_or_default()
}

/// Describes why a file cannot be read, without the error number of the system.
#[must_use]
pub fn cause(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    }
}

fn detect_kind(beginning: &[u8]) -> RecordingKind {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    if text[..text.len().min(BEGINNING)].contains(&0) {
        return RecordingKind::Binary;
    }
    let line = text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    // A comment has an empty name.
    let is_field =
        line.contains(&b':') && matches!(name, b"" | b"id" | b"event" | b"data" | b"retry");
    if is_field { RecordingKind::Sse } else { RecordingKind::Ndjson }
}

/// A file whose reads are counted in the progress.
struct MeteredReader {
    file: Box<dyn Read>,
    progress: Arc<Progress>,
}

impl Read for MeteredReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.add_read(read);
        Ok(read)
    }
}

/// Reads NDJSON and sends chunks of complete lines.
fn read_lines(
    first: BytesMut,
    chunks: &mut ChunkReader<'_>,
    limit: usize,
    tx: &BlockingSender,
) -> std::io::Result<()> {
    let mut splitter = LineSplitter::new(limit);
    let mut next = Some(first);
    while let Some(chunk) = next {
        if !chunks.send(splitter.push(chunk), tx) {
            return Ok(());
        }
        next = match chunks.next(&splitter.open) {
            Ok(next) => next,
            Err(error) => {
                for item in splitter.cut_off() {
                    let _ = tx.blocking_send(item);
                }
                return Err(error);
            }
        };
    }
    chunks.send(splitter.finish(), tx);
    Ok(())
}

/// Splits chunks that may end anywhere into complete lines.
struct LineSplitter {
    /// The maximum size of a line, in bytes.
    limit: usize,
    /// The beginning of the line that the last chunk did not complete.
    open: BytesMut,
    /// The position of `open` in the file, in bytes.
    offset: u64,
    /// The number of bytes of a line over the limit that have been skipped, if its end has not
    /// been read yet.
    skipped: Option<u64>,
}

impl LineSplitter {
    fn new(limit: usize) -> Self {
        Self { limit, open: BytesMut::new(), offset: 0, skipped: None }
    }

    /// Splits a chunk, which must begin with the content of `open`.
    fn push(&mut self, mut chunk: BytesMut) -> Vec<Item> {
        let mut items = Vec::new();
        if let Some(skipped) = self.skipped {
            let Some(end) = memchr::memchr(b'\n', &chunk) else {
                self.skipped = Some(skipped + chunk.len() as u64);
                return items;
            };
            items.push(self.too_large(skipped + end as u64));
            chunk.advance(end + 1);
        }
        let complete = memchr::memrchr(b'\n', &chunk).map_or(0, |end| end + 1);
        if complete > 0 {
            items.push(self.lines(chunk.split_to(complete)));
        }
        if chunk.len() > self.limit {
            self.skipped = Some(chunk.len() as u64);
            chunk.clear();
        }
        self.open = chunk;
        items
    }

    /// Returns the last line at the end of the file.
    fn finish(mut self) -> Vec<Item> {
        match self.skipped {
            Some(skipped) => vec![self.too_large(skipped)],
            None if self.open.is_empty() => Vec::new(),
            None => {
                let rest = std::mem::take(&mut self.open);
                vec![self.lines(rest)]
            }
        }
    }

    fn lines(&mut self, lines: BytesMut) -> Item {
        let offset = self.offset;
        self.offset += lines.len() as u64;
        Item::Chunk(Chunk::Lines(LineChunk { bytes: lines.freeze(), offset, limit: self.limit }))
    }

    /// Reports the incomplete line after a failed read.
    fn cut_off(mut self) -> Vec<Item> {
        match self.skipped {
            Some(skipped) => vec![self.too_large(skipped)],
            None if self.open.is_empty() => Vec::new(),
            None => vec![self.failed_line(FrameError::CutOff, self.open.len() as u64)],
        }
    }

    /// Reports a skipped line of `length` bytes.
    fn too_large(&mut self, length: u64) -> Item {
        let item = self.failed_line(FrameError::TooLarge, length);
        self.offset += length + 1;
        self.skipped = None;
        item
    }

    fn failed_line(&self, fault: FrameError, length: u64) -> Item {
        Item::Frame(RawFrame {
            origin: Arc::default(),
            format: FrameFormat::Record,
            event: None,
            id: None,
            data: Bytes::new(),
            received_at: None,
            fault: Some((fault, length)),
            offset: self.offset,
            flags: FrameFlags::default(),
        })
    }
}

impl LineChunk {
    /// Iterates over the lines that are not blank, as frames.
    pub fn frames<'a>(&'a self, origin: &'a Origin) -> impl Iterator<Item = Frame<'a>> {
        let mut start = 0;
        if self.offset == 0 && self.bytes.starts_with(b"\xef\xbb\xbf") {
            start = 3;
        }
        // Checking all lines at once is much faster than checking each line.
        let text = as_plain_text(&self.bytes);
        std::iter::from_fn(move || {
            let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
            let end = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = start..end;
            start = end + 1;
            Some(line)
        })
        .map(move |line| {
            (
                &self.bytes[line.clone()],
                text.and_then(|text| text.get(line.start..)),
                self.offset + line.start as u64,
            )
        })
        .filter(|(data, ..)| !is_blank(data))
        .map(move |(data, text, offset)| {
            let fault =
                (data.len() > self.limit).then_some((FrameError::TooLarge, data.len() as u64));
            let (data, text) = if fault.is_some() { (&[][..], None) } else { (data, text) };
            Frame {
                origin,
                format: FrameFormat::Record,
                event: None,
                id: None,
                data,
                text,
                received_at: None,
                fault,
                offset,
                flags: FrameFlags::default(),
            }
        })
    }
}

/// Returns whether a line is only white space. The first byte usually decides that.
fn is_blank(line: &[u8]) -> bool {
    line.first().is_none_or(u8::is_ascii_whitespace) && line.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::FRAME_LIMIT;

    /// Returns the offset and the content of each line, when the text is read in two chunks.
    fn split(text: &[u8], at: usize) -> Vec<(u64, String)> {
        let mut splitter = LineSplitter::new(FRAME_LIMIT);
        let mut items = splitter.push(text[..at].into());
        let next = [&splitter.open, &text[at..]].concat();
        items.extend(splitter.push(next.as_slice().into()));
        items.extend(splitter.finish());
        let origin = Origin::default();
        items
            .iter()
            .flat_map(|item| match item {
                Item::Chunk(chunk) => {
                    chunk.frames(&origin).map(|frame| (frame.offset, describe(frame))).collect()
                }
                Item::Frame(frame) => vec![(frame.offset, describe(frame.as_frame()))],
                Item::Connection(_) | Item::Recording(_) => Vec::new(),
            })
            .collect()
    }

    fn describe(frame: Frame<'_>) -> String {
        frame.fault.map_or_else(
            || String::from_utf8_lossy(frame.data).into_owned(),
            |fault| format!("{fault:?}"),
        )
    }

    #[test]
    fn lines_are_complete_wherever_the_chunks_end() {
        let text = b"\xef\xbb\xbf{\"a\":1}\n\n \r\n{\"b\":2}\r\n{\"c\":3}";
        let lines = [
            (3, "{\"a\":1}".to_owned()),
            (15, "{\"b\":2}\r".to_owned()),
            (24, "{\"c\":3}".to_owned()),
        ];
        for at in 0..=text.len() {
            assert_eq!(split(text, at), lines, "split at {at}");
        }
    }

    #[test]
    fn a_line_over_the_limit_is_skipped_and_reported() {
        let long = "x".repeat(FRAME_LIMIT + 10);
        let text = format!("{{\"a\":1}}\n{long}\n{{\"b\":2}}\n{long}");
        let length = FRAME_LIMIT as u64 + 10;
        let report = format!("(TooLarge, {length})");
        for at in [
            0,
            5,
            8,
            9,
            100,
            FRAME_LIMIT + 9,
            FRAME_LIMIT + 19,
            FRAME_LIMIT + 20,
            FRAME_LIMIT + 28,
            text.len(),
        ] {
            let lines = split(text.as_bytes(), at);
            let offsets: Vec<_> = lines.iter().map(|(offset, _)| *offset).collect();
            assert_eq!(offsets, [0, 8, 9 + length, 9 + length + 8], "split at {at}");
            assert_eq!(lines[1].1, report);
            assert_eq!(lines[2].1, "{\"b\":2}");
            assert_eq!(lines[3].1, report);
        }
    }

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
            (&b"\n data"[..], 6, RecordingKind::Ndjson),
            (b"\n\ndata: {}\n\n", 11, RecordingKind::Sse),
            (b"retry: 1\r", 9, RecordingKind::Sse),
            (b"{}\n{}", 3, RecordingKind::Ndjson),
        ] {
            let mut reader = ByteReader(text);
            let mut chunks = ChunkReader::new(&mut reader);
            let beginning = chunks.beginning().expect("no failure").expect("something");
            assert_eq!((beginning.len(), detect_kind(&beginning)), (read, expected));
        }
    }

    #[test]
    fn the_kind_is_detected_by_the_beginning() {
        for (beginning, expected) in [
            (&b"{\"event_type\":\"x\"}\n"[..], RecordingKind::Ndjson),
            (b"\xef\xbb\xbf\n\n{}", RecordingKind::Ndjson),
            (b"oops\n", RecordingKind::Ndjson),
            (b"retry: 3000\n\n", RecordingKind::Sse),
            (b": hello\n", RecordingKind::Sse),
            (b"\r\nid:1\r\n", RecordingKind::Sse),
            (b"\x7fELF\0\0", RecordingKind::Binary),
        ] {
            let text = String::from_utf8_lossy(beginning);
            assert_eq!(detect_kind(beginning), expected, "{text}");
        }
    }
}
