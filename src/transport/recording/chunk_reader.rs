//! Reads a recording in large pieces whose memory is used again.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};

use bytes::{Bytes, BytesMut};

use crate::transport::queue::BlockingSender;
use crate::transport::{Chunk, Item};

/// How much is read at once, in bytes: more is no faster, and as several pieces are under way at a time, it costs memory.
const PIECE: usize = 1 << 18;

/// How much of a recording tells what it is, in bytes, if its first line doesn't.
pub(super) const BEGINNING: usize = 8192;

/// Reads a recording in large pieces.
pub(super) struct ChunkReader<'a> {
    reader: &'a mut dyn Read,
    at_end: bool,
    /// What was handed over; once nobody else holds it, its memory is used again.
    pub lent: VecDeque<Bytes>,
    /// How many bytes of text there were.
    pub read: u64,
}

impl<'a> ChunkReader<'a> {
    pub fn new(reader: &'a mut dyn Read) -> Self {
        Self { reader, at_end: false, lent: VecDeque::new(), read: 0 }
    }

    /// Enough to tell what it is: a pipe may hand over the first line in parts.
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

    /// The bytes in `open`, and the next after them, as many as there are at hand; `None` at the end.
    pub fn next(&mut self, open: &[u8]) -> std::io::Result<Option<BytesMut>> {
        if self.at_end {
            return Ok(None);
        }
        let mut piece = self.memory(open.len() + PIECE);
        piece[..open.len()].copy_from_slice(open);
        loop {
            match self.reader.read(&mut piece[open.len()..]) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(None);
                }
                Ok(read) => {
                    piece.truncate(open.len() + read);
                    self.read += read as u64;
                    return Ok(Some(piece));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub fn memory(&mut self, length: usize) -> BytesMut {
        let back = if self.lent.front().is_some_and(Bytes::is_unique) {
            self.lent.pop_front()
        } else {
            None
        };
        let mut memory = back.and_then(|bytes| bytes.try_into_mut().ok()).unwrap_or_default();
        memory.resize(length, 0);
        memory
    }

    /// Hands items over. False if nobody takes them.
    pub fn send(&mut self, items: Vec<Item>, tx: &BlockingSender) -> bool {
        for item in items {
            match &item {
                Item::Chunk(Chunk::Lines(lines)) => self.lent.push_back(lines.bytes.clone()),
                Item::Chunk(Chunk::Capture(capture)) => self.lent.push_back(capture.bytes.clone()),
                _ => {}
            }
            if tx.blocking_send(item).is_err() {
                return false;
            }
        }
        true
    }
}
