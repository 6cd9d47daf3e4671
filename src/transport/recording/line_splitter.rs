//! Recordings with one event per line.
//!
//! Chunks of complete lines are passed on in one piece. A line over the limit is not kept in memory:
//! it is skipped and reported.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use super::chunk_reader::ChunkReader;
use crate::model::{Frame, FrameError, FrameFlags, FrameFormat, Origin};
use crate::transport::raw_frame::as_plain_text;
use crate::transport::{BlockingSender, Chunk, Item, LineChunk, RawFrame};

/// Reads NDJSON and sends chunks of complete lines. `chunk` begins at `offset` in the file.
pub(super) fn read_lines(
    mut chunk: BytesMut,
    offset: u64,
    chunks: &mut ChunkReader<'_>,
    limit: usize,
    tx: &BlockingSender,
) -> std::io::Result<()> {
    let mut splitter = LineSplitter { offset, ..LineSplitter::new(limit) };
    loop {
        if !chunks.send(splitter.push(&mut chunk), tx) {
            return Ok(());
        }
        match chunks.extend(&mut chunk) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                for item in splitter.cut_off(&chunk) {
                    let _ = tx.blocking_send(item);
                }
                return Err(error);
            }
        }
    }
    chunks.send(splitter.finish(chunk), tx);
    Ok(())
}

/// Splits chunks that may end anywhere into complete lines.
struct LineSplitter {
    /// The maximum size of a line, in bytes.
    limit: usize,
    /// The length of the line that the last chunk did not complete, with which the next chunk
    /// begins.
    open: usize,
    /// The position of that line in the file, in bytes.
    offset: u64,
    /// The number of bytes of a line over the limit that have been skipped, if its end has not
    /// been read yet.
    skipped: Option<u64>,
    /// The number of bytes that were searched for line ends, to test that each is searched once.
    #[cfg(test)]
    searched: usize,
}

impl LineSplitter {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            open: 0,
            offset: 0,
            skipped: None,
            #[cfg(test)]
            searched: 0,
        }
    }

    /// Takes the complete lines from a chunk, which must begin with what the last call left.
    fn push(&mut self, chunk: &mut BytesMut) -> Vec<Item> {
        #[cfg(test)]
        {
            self.searched += chunk.len() - self.open;
        }
        let mut items = Vec::new();
        if let Some(skipped) = self.skipped {
            let Some(end) = memchr::memchr(b'\n', chunk) else {
                self.skipped = Some(skipped + chunk.len() as u64);
                chunk.clear();
                return items;
            };
            items.push(self.too_large(skipped + end as u64));
            chunk.advance(end + 1);
        }
        let open = self.open.min(chunk.len());
        if let Some(end) = memchr::memrchr(b'\n', &chunk[open..]) {
            items.push(self.lines(chunk.split_to(open + end + 1)));
        }
        if chunk.len() > self.limit {
            self.skipped = Some(chunk.len() as u64);
            chunk.clear();
        }
        self.open = chunk.len();
        items
    }

    /// Returns the last line at the end of the file.
    fn finish(mut self, rest: BytesMut) -> Vec<Item> {
        match self.skipped {
            Some(skipped) => vec![self.too_large(skipped)],
            None if rest.is_empty() => Vec::new(),
            None => vec![self.lines(rest)],
        }
    }

    fn lines(&mut self, lines: BytesMut) -> Item {
        let offset = self.offset;
        self.offset += lines.len() as u64;
        Item::Chunk(Chunk::Lines(LineChunk { bytes: lines.freeze(), offset, limit: self.limit }))
    }

    /// Reports the incomplete line after a failed read.
    fn cut_off(mut self, rest: &[u8]) -> Vec<Item> {
        match self.skipped {
            Some(skipped) => vec![self.too_large(skipped)],
            None if rest.is_empty() => Vec::new(),
            None => vec![failed_line(FrameError::CutOff, rest.len() as u64, self.offset)],
        }
    }

    /// Reports a skipped line of `length` bytes.
    fn too_large(&mut self, length: u64) -> Item {
        let item = failed_line(FrameError::TooLarge, length, self.offset);
        self.offset += length + 1;
        self.skipped = None;
        item
    }
}

/// Reports `length` bytes at `offset` that are not passed on.
pub(super) fn failed_line(fault: FrameError, length: u64, offset: u64) -> Item {
    Item::Frame(RawFrame {
        fault: Some((fault, length)),
        ..RawFrame::record(&Arc::default(), Bytes::new(), offset)
    })
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
        let mut chunk = text[..at].into();
        let mut items = splitter.push(&mut chunk);
        chunk.extend_from_slice(&text[at..]);
        items.extend(splitter.push(&mut chunk));
        items.extend(splitter.finish(chunk));
        let origin = Origin::default();
        items
            .iter()
            .flat_map(|item| match item {
                Item::Chunk(chunk) => {
                    chunk.frames(&origin).map(|frame| (frame.offset, describe(frame))).collect()
                }
                Item::Frame(frame) => vec![(frame.offset, describe(frame.as_frame()))],
                Item::Connection(_)
                | Item::Coverage(_)
                | Item::Recording(_)
                | Item::Skipped(_)
                | Item::Receipt(_) => Vec::new(),
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

    #[test]
    fn each_byte_of_a_long_line_is_searched_once() {
        let line = "x".repeat(1_000_000) + "\n";
        let mut splitter = LineSplitter::new(FRAME_LIMIT);
        let mut chunk = BytesMut::new();
        for part in line.as_bytes().chunks(100) {
            chunk.extend_from_slice(part);
            splitter.push(&mut chunk);
        }
        assert_eq!((splitter.searched, chunk.len()), (line.len(), 0));
    }
}
