//! The writer of encoded events, which owns stdout during a run.
//!
//! Bytes are collected in a buffer. [`Writer::flush`] is called whenever no further event is
//! waiting, so that each event of a live stream appears at once while a long replay is written in
//! large blocks.

use std::any::Any;
use std::io::{self, Write};

use super::encoder::{Encoder, OutputError};
use crate::query::{EventContext, Failures};

/// The number of bytes that are collected before they are written.
const BUFFER: usize = 64 * 1024;

/// Where bytes are written: stdout, a file, or a buffer in a test.
pub type Out = Box<dyn Write + Send>;

/// Writes encoded events.
pub struct Writer {
    lines: LineBuffer,
    encoder: Box<dyn Encoder>,
    has_begun: bool,
}

impl Writer {
    /// Creates a writer that writes the bytes of `encoder` to `out`.
    #[must_use]
    pub fn new(out: Out, encoder: Box<dyn Encoder>) -> Self {
        Self { lines: LineBuffer::new(out), encoder, has_begun: false }
    }

    /// Creates a writer to stdout.
    #[must_use]
    pub fn stdout(encoder: Box<dyn Encoder>) -> Self {
        Self::new(Box::new(io::stdout()), encoder)
    }

    /// Writes one event.
    pub fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.begin();
        self.encoder.event(context, &mut self.lines.buffer)?;
        Ok(self.lines.spill_if_full()?)
    }

    /// Writes bytes that a [fork](Self::fork) of the encoder produced for one chunk, together with
    /// what it returned from [`Encoder::take_pending`].
    pub fn merge(
        &mut self,
        pending: Option<Box<dyn Any + Send>>,
        bytes: &mut Vec<u8>,
    ) -> io::Result<()> {
        self.begin();
        if let Some(pending) = pending {
            self.encoder.merge(pending, bytes);
        }
        self.lines.append(bytes)
    }

    /// Writes the collected bytes.
    pub fn flush(&mut self) -> io::Result<()> {
        self.begin();
        self.encoder.pause();
        self.lines.flush()
    }

    /// Writes the collected bytes and what follows the last event.
    pub fn finish(&mut self) -> io::Result<()> {
        self.begin();
        self.encoder.finish(&mut self.lines.buffer);
        self.lines.flush()
    }

    /// Returns an encoder for another worker; see [`Encoder::fork`].
    #[must_use]
    pub fn fork(&self) -> Option<Box<dyn Encoder>> {
        self.encoder.fork()
    }

    /// Returns whether the encoder writes NDJSON; see [`Encoder::is_ndjson`].
    #[must_use]
    pub fn is_ndjson(&self) -> bool {
        self.encoder.is_ndjson()
    }

    /// Returns whether the encoder needs ids; see [`Encoder::id_offset`].
    #[must_use]
    pub fn needs_ids(&self) -> bool {
        self.encoder.id_offset().is_some()
    }

    /// Returns the failure counter of the encoder's expression, if it has one.
    pub fn failures(&mut self) -> Option<&mut Failures> {
        self.encoder.failures()
    }

    fn begin(&mut self) {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.encoder.begin(&mut self.lines.buffer);
        }
    }
}

/// Collects lines for one [`Out`].
pub struct LineBuffer {
    out: Out,
    buffer: Vec<u8>,
}

impl LineBuffer {
    /// Creates an empty buffer.
    #[must_use]
    pub const fn new(out: Out) -> Self {
        Self { out, buffer: Vec::new() }
    }

    /// Appends the lines that `write` produces, and writes the buffer if it is full.
    pub fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        write(&mut self.buffer);
        self.spill_if_full()
    }

    /// Writes the collected bytes, then these whole lines, without collecting them.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.spill()?;
        self.out.write_all(lines)
    }

    /// Writes the collected bytes.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.spill()?;
        self.out.flush()
    }

    fn spill_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() < BUFFER { Ok(()) } else { self.spill() }
    }

    fn spill(&mut self) -> io::Result<()> {
        let result = self.out.write_all(&self.buffer);
        self.buffer.clear();
        result
    }
}
