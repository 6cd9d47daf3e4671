//! Reading a recording in large chunks whose memory is reused.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};

use bytes::{Bytes, BytesMut};

use crate::transport::queue::BlockingSender;
use crate::transport::{Chunk, Item};

/// The size of a read, in bytes. Larger reads are not faster, and several chunks are in memory at a
/// time.
const CHUNK_SIZE: usize = 1 << 18;

/// How much of a recording is examined to detect its kind, in bytes, if its first line is longer.
pub(super) const BEGINNING: usize = 8192;

/// Reads a recording in large chunks.
pub(super) struct ChunkReader<'a> {
    reader: &'a mut dyn Read,
    at_end: bool,
    /// The buffers that were sent. Their memory is reused once all other owners have dropped them.
    pub sent: VecDeque<Bytes>,
    /// The number of bytes that have been read.
    pub read: u64,
}

impl<'a> ChunkReader<'a> {
    pub fn new(reader: &'a mut dyn Read) -> Self {
        Self { reader, at_end: false, sent: VecDeque::new(), read: 0 }
    }

    /// Reads enough to detect the kind of the recording: its first line, or [`BEGINNING`] bytes. A
    /// pipe may deliver the first line in parts.
    pub fn beginning(&mut self) -> std::io::Result<Option<BytesMut>> {
        let Some(mut beginning) = self.next(&[])? else { return Ok(None) };
        while beginning.len() < BEGINNING
            && !beginning.trim_ascii_start().iter().any(|byte| matches!(byte, b'\n' | b'\r'))
        {
            let Some(longer) = self.next(&beginning)? else { break };
            beginning = longer;
        }
        Ok(Some(beginning))
    }

    /// Returns the bytes in `open` followed by the result of one read; `None` at the end.
    pub fn next(&mut self, open: &[u8]) -> std::io::Result<Option<BytesMut>> {
        if self.at_end {
            return Ok(None);
        }
        let mut chunk = self.buffer(open.len() + CHUNK_SIZE);
        chunk[..open.len()].copy_from_slice(open);
        loop {
            match self.reader.read(&mut chunk[open.len()..]) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(None);
                }
                Ok(read) => {
                    chunk.truncate(open.len() + read);
                    self.read += read as u64;
                    return Ok(Some(chunk));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns a buffer of `length` bytes, which reuses the memory of the oldest sent buffer if
    /// possible.
    fn buffer(&mut self, length: usize) -> BytesMut {
        let free = if self.sent.front().is_some_and(Bytes::is_unique) {
            self.sent.pop_front()
        } else {
            None
        };
        let mut buffer = free.and_then(|bytes| bytes.try_into_mut().ok()).unwrap_or_default();
        buffer.resize(length, 0);
        buffer
    }

    /// Sends items. Returns false if the receiver is gone.
    pub fn send(&mut self, items: Vec<Item>, tx: &BlockingSender) -> bool {
        for item in items {
            match &item {
                Item::Chunk(Chunk::Lines(lines)) => self.sent.push_back(lines.bytes.clone()),
                Item::Chunk(Chunk::Capture(capture)) => self.sent.push_back(capture.bytes.clone()),
                _ => {}
            }
            if tx.blocking_send(item).is_err() {
                return false;
            }
        }
        true
    }
}
