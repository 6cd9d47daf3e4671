//! Recordings: NDJSON as evtap writes it, bare events a line each, or what `curl -N` captured of an SSE stream; plain, or
//! packed by gzip or zstd.
//!
//! A recording is read in large pieces of whole lines. A line over the limit is not held: it is skipped and reported.

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
use super::raw_frame::plain;
use crate::error::{Error, Exit, Result};
use crate::model::Origin;
use crate::model::{Frame, FrameError, FrameFlags, FrameFormat};
use crate::transport::archive::{self, Packing};
use crate::transport::progress::Progress;
use chunk_reader::{BEGINNING, ChunkReader};

/// What a recording is, by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordingKind {
    Ndjson,
    Sse,
    Binary,
}

/// Reads the recording at `path`, `-` being stdin, to its end. `limit` is the largest frame in bytes. Blocks.
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
    let (mut reader, packing) = archive::open(file).map_err(|error| failed(&error))?;
    let mut pieces = ChunkReader::new(&mut reader);
    let failed = |error: &std::io::Error, read: u64| match archive::fault(error)
        .filter(|_| packing != Packing::Plain)
    {
        None => failed(error),
        Some(why) => {
            let why =
                format!("{why}, after {read} bytes of its text; what stood there has been read");
            Error::new(
                Exit::Failure,
                format!("cannot read all of {name}"),
                why,
                "get the file again, or its source",
            )
        }
    };
    let Some(first) = pieces.beginning().map_err(|error| failed(&error, 0))? else { return Ok(()) };
    let result = match kind(&first) {
        RecordingKind::Ndjson => ndjson(first, &mut pieces, limit, tx),
        RecordingKind::Sse => frame_splitter::frames(first, &mut pieces, limit, tx),
        RecordingKind::Binary => {
            let advice = "give NDJSON, as `evtap -o ndjson` writes it, or a capture of an SSE stream, plain or packed by gzip or zstd";
            return Err(Error::new(
                Exit::Failure,
                format!("cannot replay {name}"),
                "it is no text",
                advice,
            ));
        }
    };
    result.map_err(|error| failed(&error, pieces.read))
}

/// How much text there is in each of these recordings, in bytes; empty where one of them is no plain file, is packed, or has no
/// lines of which it is known where they begin.
#[must_use]
pub fn sizes(paths: &[PathBuf]) -> Vec<u64> {
    let size = |path: &PathBuf| {
        let meta = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        let mut first = Vec::new();
        std::fs::File::open(path).ok()?.take(BEGINNING as u64).read_to_end(&mut first).ok()?;
        (!archive::is_packed(&first) && kind(&first) == RecordingKind::Ndjson).then_some(meta.len())
    };
    paths.iter().map(size).collect::<Option<_>>().unwrap_or_default()
}

/// Why a file can't be read, without the number of the error.
#[must_use]
pub fn cause(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        kind => kind.to_string(),
    }
}

fn kind(beginning: &[u8]) -> RecordingKind {
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
    // A comment has no name at all.
    let is_field =
        line.contains(&b':') && matches!(name, b"" | b"id" | b"event" | b"data" | b"retry");
    if is_field { RecordingKind::Sse } else { RecordingKind::Ndjson }
}

/// A file of which it is told how much has been read.
struct MeteredReader {
    file: Box<dyn Read>,
    progress: Arc<Progress>,
}

impl Read for MeteredReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.read(read);
        Ok(read)
    }
}

/// Cuts pieces at their last line end and hands whole lines over.
fn ndjson(
    first: BytesMut,
    pieces: &mut ChunkReader<'_>,
    limit: usize,
    tx: &BlockingSender,
) -> std::io::Result<()> {
    let mut cutter = LineSplitter::new(limit);
    let mut next = Some(first);
    while let Some(piece) = next {
        if !pieces.send(cutter.push(piece), tx) {
            return Ok(());
        }
        next = match pieces.next(&cutter.open) {
            Ok(next) => next,
            Err(error) => {
                for item in cutter.cut_off() {
                    let _ = tx.blocking_send(item);
                }
                return Err(error);
            }
        };
    }
    pieces.send(cutter.finish(), tx);
    Ok(())
}

/// Whole lines out of pieces cut anywhere.
struct LineSplitter {
    /// The largest line, in bytes.
    limit: usize,
    /// The beginning of a line whose end has not come.
    open: BytesMut,
    /// Where in the file `open` begins.
    offset: u64,
    /// How much of a line over the limit has been skipped; its rest is to be skipped too.
    skipped: Option<u64>,
}

impl LineSplitter {
    fn new(limit: usize) -> Self {
        Self { limit, open: BytesMut::new(), offset: 0, skipped: None }
    }

    /// Takes a piece that begins with what is `open`.
    fn push(&mut self, mut piece: BytesMut) -> Vec<Item> {
        let mut items = Vec::new();
        if let Some(skipped) = self.skipped {
            let Some(end) = memchr::memchr(b'\n', &piece) else {
                self.skipped = Some(skipped + piece.len() as u64);
                return items;
            };
            items.push(self.too_large(skipped + end as u64));
            piece.advance(end + 1);
        }
        let whole = memchr::memrchr(b'\n', &piece).map_or(0, |end| end + 1);
        if whole > 0 {
            items.push(self.lines(piece.split_to(whole)));
        }
        if piece.len() > self.limit {
            self.skipped = Some(piece.len() as u64);
            piece.clear();
        }
        self.open = piece;
        items
    }

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

    /// No more can be read: the line in hand is not whole.
    fn cut_off(mut self) -> Vec<Item> {
        match self.skipped {
            Some(skipped) => vec![self.too_large(skipped)],
            None if self.open.is_empty() => Vec::new(),
            None => vec![self.no_line(FrameError::CutOff, self.open.len() as u64)],
        }
    }

    /// A line of that many bytes has been skipped.
    fn too_large(&mut self, length: u64) -> Item {
        let item = self.no_line(FrameError::TooLarge, length);
        self.offset += length + 1;
        self.skipped = None;
        item
    }

    fn no_line(&self, fault: FrameError, length: u64) -> Item {
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
    /// The lines that are not blank, as frames.
    pub fn frames<'a>(&'a self, origin: &'a Origin) -> impl Iterator<Item = Frame<'a>> {
        let mut start = 0;
        if self.offset == 0 && self.bytes.starts_with(b"\xef\xbb\xbf") {
            start = 3;
        }
        // All lines at once: one by one, it would take longer than to read them.
        let text = plain(&self.bytes);
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

/// Whether there is nothing but white space; the first byte mostly tells.
fn is_blank(line: &[u8]) -> bool {
    line.first().is_none_or(u8::is_ascii_whitespace) && line.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::FRAME_LIMIT;

    fn cut(text: &[u8], at: usize) -> Vec<(u64, String)> {
        let mut cutter = LineSplitter::new(FRAME_LIMIT);
        let mut items = cutter.push(text[..at].into());
        let next = [&cutter.open, &text[at..]].concat();
        items.extend(cutter.push(next.as_slice().into()));
        items.extend(cutter.finish());
        let origin = Origin::default();
        items
            .iter()
            .flat_map(|item| match item {
                Item::Chunk(piece) => {
                    piece.frames(&origin).map(|frame| (frame.offset, told(frame))).collect()
                }
                Item::Frame(frame) => vec![(frame.offset, told(frame.as_frame()))],
                Item::Connection(_) | Item::Recording(_) => Vec::new(),
            })
            .collect()
    }

    fn told(frame: Frame<'_>) -> String {
        frame.fault.map_or_else(
            || String::from_utf8_lossy(frame.data).into_owned(),
            |fault| format!("{fault:?}"),
        )
    }

    #[test]
    fn lines_are_whole_wherever_the_pieces_end() {
        let text = b"\xef\xbb\xbf{\"a\":1}\n\n \r\n{\"b\":2}\r\n{\"c\":3}";
        let whole = [
            (3, "{\"a\":1}".to_owned()),
            (15, "{\"b\":2}\r".to_owned()),
            (24, "{\"c\":3}".to_owned()),
        ];
        for at in 0..=text.len() {
            assert_eq!(cut(text, at), whole, "cut at {at}");
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
            let seen: Vec<_> = cut(text.as_bytes(), at);
            let offsets: Vec<_> = seen.iter().map(|(offset, _)| *offset).collect();
            assert_eq!(offsets, [0, 8, 9 + length, 9 + length + 8], "cut at {at}");
            assert_eq!(seen[1].1, report);
            assert_eq!(seen[2].1, "{\"b\":2}");
            assert_eq!(seen[3].1, report);
        }
    }

    /// Hands over a byte at a time.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let (byte, rest) = self.0.split_at(self.0.len().min(1));
            self.0 = rest;
            buffer[..byte.len()].copy_from_slice(byte);
            Ok(byte.len())
        }
    }

    #[test]
    fn a_first_line_in_parts_still_tells() {
        for (text, read, expected) in [
            (&b"\n data"[..], 6, RecordingKind::Ndjson),
            (b"\n\ndata: {}\n\n", 11, RecordingKind::Sse),
            (b"retry: 1\r", 9, RecordingKind::Sse),
            (b"{}\n{}", 3, RecordingKind::Ndjson),
        ] {
            let mut trickle = Trickle(text);
            let mut pieces = ChunkReader::new(&mut trickle);
            let beginning = pieces.beginning().expect("no failure").expect("something");
            assert_eq!((beginning.len(), kind(&beginning)), (read, expected));
        }
    }

    #[test]
    fn knows_a_recording_by_its_beginning() {
        for (beginning, expected) in [
            (&b"{\"event_type\":\"x\"}\n"[..], RecordingKind::Ndjson),
            (b"\xef\xbb\xbf\n\n{}", RecordingKind::Ndjson),
            (b"oops\n", RecordingKind::Ndjson),
            (b"retry: 3000\n\n", RecordingKind::Sse),
            (b": hello\n", RecordingKind::Sse),
            (b"\r\nid:1\r\n", RecordingKind::Sse),
            (b"\x7fELF\0\0", RecordingKind::Binary),
        ] {
            assert_eq!(kind(beginning), expected, "{}", String::from_utf8_lossy(beginning));
        }
    }
}
