//! Reading a recording in large chunks whose memory is reused.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};

use bytes::{Bytes, BytesMut};

use super::kind;
use crate::transport::queue::BlockingSender;
use crate::transport::{Chunk, Item};

/// The size of a read, in bytes. Larger reads are not faster, and several chunks are in memory at a
/// time.
const CHUNK_SIZE: usize = 1 << 17;

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

    /// Reads enough to detect the kind of the recording: up to a line that shows it, or
    /// [`BEGINNING`] bytes. A pipe may deliver the first line in parts.
    pub fn beginning(&mut self) -> std::io::Result<Option<BytesMut>> {
        let mut beginning = BytesMut::new();
        while beginning.len() < BEGINNING && kind::detect(&beginning, false).is_none() {
            if !self.extend(&mut beginning)? {
                break;
            }
        }
        Ok((!beginning.is_empty()).then_some(beginning))
    }

    /// Appends the result of one read. Returns false at the end.
    pub fn extend(&mut self, chunk: &mut BytesMut) -> std::io::Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        let length = chunk.len();
        if length < CHUNK_SIZE {
            // The rest of a chunk that was sent moves to memory of its own.
            let mut buffer = self.buffer(length + CHUNK_SIZE);
            buffer[..length].copy_from_slice(chunk);
            *chunk = buffer;
        } else {
            // The capacity at least doubles, so that a long line is not copied once per read.
            chunk.resize(length + CHUNK_SIZE, 0);
        }
        let read = loop {
            match self.reader.read(&mut chunk[length..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        chunk.truncate(length + *read.as_ref().unwrap_or(&0));
        let read = read?;
        self.at_end = read == 0;
        self.read += read as u64;
        Ok(read > 0)
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
                Item::Chunk(Chunk::Capture(capture)) => {
                    self.sent.push_back(capture.bytes().clone());
                }
                _ => {}
            }
            if tx.blocking_send(item).is_err() {
                return false;
            }
        }
        true
    }
}
