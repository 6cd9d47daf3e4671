//! Recordings: NDJSON as evtap writes it, bare events a line each, or what `curl -N` captured of an SSE stream; plain, or
//! packed by gzip or zstd.
//!
//! A recording is read in large pieces of whole lines. A line over the limit is not held: it is skipped and reported.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{Fault, Form, Frame, Item, Lines, Notes, Origin, RawFrame, Sender};
use crate::error::{Error, Exit, Result};
use crate::progress::Progress;
use crate::source::archive::{self, Packing};
use crate::source::framer::{Body, Parser};

/// The name of stdin.
pub const STDIN: &str = "-";

/// How much is read at once, in bytes.
const PIECE: usize = 1 << 20;

/// How much of a recording tells what it is, in bytes, if its first line doesn't.
const BEGINNING: usize = 8192;

/// What a recording is, by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ndjson,
    Sse,
    Binary,
}

/// Reads the recording at `path`, `-` being stdin, to its end. `limit` is the largest frame in bytes. Blocks.
pub fn run(path: &Path, limit: usize, progress: &Arc<Progress>, tx: &Sender) -> Result<()> {
    let name = path.display().to_string();
    let failed = |error: &std::io::Error| {
        Error::new(Exit::Failure, format!("cannot read {name}"), cause(error), "check the path and its permissions")
    };
    let file: Box<dyn Read> = if path.as_os_str() == STDIN {
        Box::new(std::io::stdin())
    } else {
        let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
        if file.metadata().is_ok_and(|meta| meta.is_dir()) {
            return Err(Error::new(Exit::Failure, format!("cannot read {name}"), "it is a directory", "name the files in it"));
        }
        Box::new(file)
    };
    let file = Metered { file, progress: Arc::clone(progress) };
    let (mut reader, packing) = archive::open(file).map_err(|error| failed(&error))?;
    let mut pieces = Pieces { reader: &mut reader, at_end: false, read: 0 };
    let failed = |error: &std::io::Error, read: u64| match archive::fault(error).filter(|_| packing != Packing::Plain) {
        None => failed(error),
        Some(why) => {
            let why = format!("{why}, after {read} bytes of its text; what stood there has been read");
            Error::new(Exit::Failure, format!("cannot read all of {name}"), why, "get the file again, or its source")
        }
    };
    let Some(first) = pieces.beginning().map_err(|error| failed(&error, 0))? else { return Ok(()) };
    let result = match kind(&first) {
        Kind::Ndjson => ndjson(first, &mut pieces, limit, tx),
        Kind::Sse => sse(first, &mut pieces, limit, tx),
        Kind::Binary => {
            let advice =
                "give NDJSON, as `evtap -o ndjson` writes it, or a capture of an SSE stream, plain or packed by gzip or zstd";
            return Err(Error::new(Exit::Failure, format!("cannot replay {name}"), "it is no text", advice));
        }
    };
    result.map_err(|error| failed(&error, pieces.read))
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

fn kind(beginning: &[u8]) -> Kind {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning);
    if text[..text.len().min(BEGINNING)].contains(&0) {
        return Kind::Binary;
    }
    let line = text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    // A comment has no name at all.
    let is_field = line.contains(&b':') && matches!(name, b"" | b"id" | b"event" | b"data" | b"retry");
    if is_field { Kind::Sse } else { Kind::Ndjson }
}

/// A file of which it is told how much has been read.
struct Metered {
    file: Box<dyn Read>,
    progress: Arc<Progress>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.read(read);
        Ok(read)
    }
}

struct Pieces<'a> {
    reader: &'a mut dyn Read,
    at_end: bool,
    /// How many bytes of text there were.
    read: u64,
}

impl Pieces<'_> {
    /// Enough to tell what it is: a pipe may hand over the first line in parts.
    fn beginning(&mut self) -> std::io::Result<Option<BytesMut>> {
        let Some(mut beginning) = self.next()? else { return Ok(None) };
        while beginning.len() < BEGINNING && !beginning.trim_ascii_start().iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            let Some(piece) = self.next()? else { break };
            beginning.extend_from_slice(&piece);
        }
        Ok(Some(beginning))
    }

    /// The next bytes, as many as there are at hand; `None` at the end.
    fn next(&mut self) -> std::io::Result<Option<BytesMut>> {
        if self.at_end {
            return Ok(None);
        }
        let mut piece = BytesMut::zeroed(PIECE);
        loop {
            match self.reader.read(&mut piece) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(None);
                }
                Ok(read) => {
                    piece.truncate(read);
                    self.read += read as u64;
                    return Ok(Some(piece));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Cuts pieces at their last line end and hands whole lines over.
fn ndjson(first: BytesMut, pieces: &mut Pieces<'_>, limit: usize, tx: &Sender) -> std::io::Result<()> {
    let mut cutter = Cutter::new(limit);
    let mut next = Some(first);
    while let Some(piece) = next {
        for item in cutter.push(&piece) {
            if tx.blocking_send(item).is_err() {
                return Ok(());
            }
        }
        next = match pieces.next() {
            Ok(next) => next,
            Err(error) => {
                for item in cutter.cut_off() {
                    let _ = tx.blocking_send(item);
                }
                return Err(error);
            }
        };
    }
    for item in cutter.finish() {
        let _ = tx.blocking_send(item);
    }
    Ok(())
}

/// Whole lines out of pieces cut anywhere.
struct Cutter {
    /// The largest line, in bytes.
    limit: usize,
    /// The beginning of a line whose end has not come.
    open: BytesMut,
    /// Where in the file `open` begins.
    offset: u64,
    /// How much of a line over the limit has been skipped; its rest is to be skipped too.
    skipped: Option<u64>,
}

impl Cutter {
    fn new(limit: usize) -> Self {
        Self { limit, open: BytesMut::new(), offset: 0, skipped: None }
    }

    fn push(&mut self, mut piece: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        if let Some(skipped) = self.skipped {
            let Some(end) = memchr::memchr(b'\n', piece) else {
                self.skipped = Some(skipped + piece.len() as u64);
                return items;
            };
            items.push(self.too_large(skipped + end as u64));
            piece = &piece[end + 1..];
        }
        let whole = memchr::memrchr(b'\n', piece).map_or(0, |end| end + 1);
        if whole > 0 {
            self.open.extend_from_slice(&piece[..whole]);
            items.push(self.lines());
        }
        self.open.extend_from_slice(&piece[whole..]);
        if self.open.len() > self.limit {
            self.skipped = Some(self.open.len() as u64);
            self.open.clear();
        }
        items
    }

    fn finish(mut self) -> Vec<Item> {
        match self.skipped {
            Some(skipped) => vec![self.too_large(skipped)],
            None if self.open.is_empty() => Vec::new(),
            None => vec![self.lines()],
        }
    }

    fn lines(&mut self) -> Item {
        let bytes = std::mem::take(&mut self.open).freeze();
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        Item::Lines(Lines { bytes, offset, limit: self.limit })
    }

    /// No more can be read: the line in hand is not whole.
    fn cut_off(mut self) -> Vec<Item> {
        match self.skipped {
            Some(skipped) => vec![self.too_large(skipped)],
            None if self.open.is_empty() => Vec::new(),
            None => vec![self.no_line(Fault::CutOff, self.open.len() as u64)],
        }
    }

    /// A line of that many bytes has been skipped.
    fn too_large(&mut self, length: u64) -> Item {
        let item = self.no_line(Fault::TooLarge, length);
        self.offset += length + 1;
        self.skipped = None;
        item
    }

    fn no_line(&self, fault: Fault, length: u64) -> Item {
        Item::Frame(RawFrame {
            origin: Arc::default(),
            form: Form::Record,
            event: None,
            id: None,
            data: Bytes::new(),
            received_at: None,
            fault: Some((fault, length)),
            offset: self.offset,
            notes: Notes::default(),
        })
    }
}

impl Lines {
    /// The lines that are not blank, as frames.
    pub fn frames<'a>(&'a self, origin: &'a Origin) -> impl Iterator<Item = Frame<'a>> {
        let mut start = 0;
        let mut rest: &[u8] = &self.bytes;
        if self.offset == 0
            && let Some(text) = rest.strip_prefix(b"\xef\xbb\xbf")
        {
            (start, rest) = (3, text);
        }
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let end = memchr::memchr(b'\n', rest);
            let line = &rest[..end.unwrap_or(rest.len())];
            let offset = self.offset + start as u64;
            let step = end.map_or(rest.len(), |end| end + 1);
            start += step;
            rest = &rest[step..];
            Some((line, offset))
        })
        .filter(|(line, _)| !line.trim_ascii().is_empty())
        .map(move |(line, offset)| {
            let fault = (line.len() > self.limit).then_some((Fault::TooLarge, line.len() as u64));
            let data = if fault.is_some() { &[] } else { line };
            Frame {
                origin,
                form: Form::Record,
                event: None,
                id: None,
                data,
                received_at: None,
                fault,
                offset,
                notes: Notes::default(),
            }
        })
    }
}

/// A raw capture takes the path of a live stream. What its end cuts off is reported, since nothing will bring it again.
fn sse(first: BytesMut, pieces: &mut Pieces<'_>, limit: usize, tx: &Sender) -> std::io::Result<()> {
    let mut parser = Parser::new("", limit);
    let mut next = Ok(Some(first));
    while let Ok(Some(piece)) = next {
        for frame in parser.push(&piece) {
            let id = (!frame.last_event_id.is_empty()).then_some(frame.last_event_id);
            let (data, fault) = match frame.body {
                Body::Empty => continue,
                Body::Data(data) => (Bytes::from(data), None),
                Body::TooLarge(length) => (Bytes::new(), Some((Fault::TooLarge, length))),
            };
            // The server's word to its client, no event.
            if frame.event.as_deref() == Some("error") {
                continue;
            }
            let raw = RawFrame {
                origin: Arc::default(),
                form: Form::Sse,
                event: frame.event,
                id,
                data,
                received_at: None,
                fault,
                offset: 0,
                notes: Notes::default(),
            };
            if tx.blocking_send(Item::Frame(raw)).is_err() {
                return Ok(());
            }
        }
        next = pieces.next();
    }
    if parser.unfinished() > 0 {
        let fault = Some((Fault::CutOff, parser.unfinished()));
        let raw = RawFrame {
            origin: Arc::default(),
            form: Form::Sse,
            event: None,
            id: None,
            data: Bytes::new(),
            received_at: None,
            fault,
            offset: 0,
            notes: Notes::default(),
        };
        let _ = tx.blocking_send(Item::Frame(raw));
    }
    next.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FRAME_LIMIT;

    fn cut(text: &[u8], at: usize) -> Vec<(u64, String)> {
        let mut cutter = Cutter::new(FRAME_LIMIT);
        let mut items = cutter.push(&text[..at]);
        items.extend(cutter.push(&text[at..]));
        items.extend(cutter.finish());
        let origin = Origin::default();
        items
            .iter()
            .flat_map(|item| match item {
                Item::Lines(lines) => lines.frames(&origin).map(|frame| (frame.offset, told(frame))).collect(),
                Item::Frame(frame) => vec![(frame.offset, told(frame.as_frame()))],
                Item::News(_) => Vec::new(),
            })
            .collect()
    }

    fn told(frame: Frame<'_>) -> String {
        frame.fault.map_or_else(|| String::from_utf8_lossy(frame.data).into_owned(), |fault| format!("{fault:?}"))
    }

    #[test]
    fn lines_are_whole_wherever_the_pieces_end() {
        let text = b"\xef\xbb\xbf{\"a\":1}\n\n \r\n{\"b\":2}\r\n{\"c\":3}";
        let whole = [(3, "{\"a\":1}".to_owned()), (15, "{\"b\":2}\r".to_owned()), (24, "{\"c\":3}".to_owned())];
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
        for at in [0, 5, 8, 9, 100, FRAME_LIMIT + 9, FRAME_LIMIT + 19, FRAME_LIMIT + 20, FRAME_LIMIT + 28, text.len()] {
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
            (&b"\n data"[..], 6, Kind::Ndjson),
            (b"\n\ndata: {}\n\n", 11, Kind::Sse),
            (b"retry: 1\r", 9, Kind::Sse),
            (b"{}\n{}", 3, Kind::Ndjson),
        ] {
            let mut trickle = Trickle(text);
            let mut pieces = Pieces { reader: &mut trickle, at_end: false, read: 0 };
            let beginning = pieces.beginning().expect("no failure").expect("something");
            assert_eq!((beginning.len(), kind(&beginning)), (read, expected));
        }
    }

    #[test]
    fn knows_a_recording_by_its_beginning() {
        for (beginning, expected) in [
            (&b"{\"event_type\":\"x\"}\n"[..], Kind::Ndjson),
            (b"\xef\xbb\xbf\n\n{}", Kind::Ndjson),
            (b"oops\n", Kind::Ndjson),
            (b"retry: 3000\n\n", Kind::Sse),
            (b": hello\n", Kind::Sse),
            (b"\r\nid:1\r\n", Kind::Sse),
            (b"\x7fELF\0\0", Kind::Binary),
        ] {
            assert_eq!(kind(beginning), expected, "{}", String::from_utf8_lossy(beginning));
        }
    }
}
