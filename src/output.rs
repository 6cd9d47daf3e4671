//! Where events go. A sink takes a [`Shown`](crate::redact::Shown) and nothing else, so it has nothing to leak.
//!
//! Sinks collect what they write in a buffer of their own. [`EventSink::flush`] is called whenever no further event is at hand,
//! so that on a live stream each event is out when it has been shown, and a long replay is written in large pieces.

pub mod cloudevents;
pub mod columns;
pub mod discard;
pub mod family;
pub mod jq;
pub mod json;
pub mod ndjson;
pub mod pretty;
pub mod raw;
pub mod status;
pub mod stored_event;
pub mod table;
pub mod template;

use std::io::{self, Write};

use crate::analysis::stats::grouped::GroupedStats;
use crate::error::Error;
use crate::query::{EventContext, Failures};
use crate::transport::ConnectionEvent;

/// How much a sink collects before it writes by itself, in bytes.
const BUFFER: usize = 64 * 1024;

/// Why a sink takes no more.
#[derive(Debug)]
pub enum OutputError {
    /// Writing failed; the reader of a pipe may have gone.
    Io(io::Error),
    /// The event can't be written as asked for.
    Failed(Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for OutputError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// One way of writing events.
pub trait EventSink: Send {
    /// Takes one event.
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError>;

    /// Hears of an event that was not selected: nothing to write, but a sink may count.
    fn filtered_out(&mut self, _subject: &EventContext<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Takes news of a connection, if it is a place for them. Gives whether it is.
    fn news(&mut self, _news: &ConnectionEvent) -> io::Result<bool> {
        Ok(false)
    }

    /// Writes out what has been collected.
    fn flush(&mut self) -> io::Result<()>;

    /// Nothing more comes: writes out what has been collected, and what belongs at the end. Called once, whatever has ended the
    /// run.
    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// How many events it could not make all of what was asked for.
    fn failures(&mut self) -> u64 {
        0
    }

    /// What another thread can do of its work, where that depends on nothing but the event.
    fn fork(&self) -> Option<Box<dyn Encoder>> {
        None
    }

    /// Takes what a twin has made of some events: lines, and what was counted. False if it must see them one by one after
    /// all; then it has taken nothing.
    fn take(&mut self, _lines: &[u8], _counted: Option<&GroupedStats>) -> io::Result<bool> {
        Ok(false)
    }

    /// The failures of the expression that its twins have too.
    fn expression(&mut self) -> Option<&mut Failures> {
        None
    }
}

/// What is made of an event, where that depends on nothing but the event: several threads can do it at once.
pub trait Encoder: Send {
    /// Appends its lines.
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error>;

    /// The same for another thread. It tells nothing.
    fn fork(&self) -> Box<dyn Encoder>;

    /// What it has counted since this was asked last, if it counts.
    fn counted(&mut self) -> Option<Box<GroupedStats>> {
        None
    }

    /// The failures of its expression, if it has one.
    fn failures(&mut self) -> Option<&mut Failures> {
        None
    }
}

/// The sink that writes what a [`Encoder`] makes of each event.
pub struct Writer {
    lines: LineBuffer,
    render: Box<dyn Encoder>,
}

impl Writer {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Out, render: impl Encoder + 'static) -> Self {
        Self { lines: LineBuffer::new(out), render: Box::new(render) }
    }
}

impl EventSink for Writer {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.render.event(context, &mut self.lines.buffer)?;
        Ok(self.lines.settle()?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }

    fn failures(&mut self) -> u64 {
        self.render.failures().map_or(0, |failures| failures.count())
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        Some(self.render.fork())
    }

    fn take(&mut self, lines: &[u8], _: Option<&GroupedStats>) -> io::Result<bool> {
        self.lines.spill()?;
        self.lines.out.write_all(lines)?;
        Ok(true)
    }

    fn expression(&mut self) -> Option<&mut Failures> {
        self.render.failures()
    }
}

/// Where a sink writes: stdout, a file, or a buffer in a test.
pub type Out = Box<dyn Write + Send>;

/// Lines collected for one [`Out`].
pub struct LineBuffer {
    out: Out,
    buffer: Vec<u8>,
}

impl LineBuffer {
    /// Nothing collected yet.
    #[must_use]
    pub const fn new(out: Out) -> Self {
        Self { out, buffer: Vec::new() }
    }

    /// Lets `write` append a line, and writes out once enough has been collected.
    pub fn line(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.text(|buffer| {
            write(buffer);
            buffer.push(b'\n');
        })
    }

    /// The same without a line end.
    pub fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        write(&mut self.buffer);
        self.settle()
    }

    /// Writes out once enough has been collected.
    fn settle(&mut self) -> io::Result<()> {
        if self.buffer.len() < BUFFER { Ok(()) } else { self.spill() }
    }

    fn spill(&mut self) -> io::Result<()> {
        let result = self.out.write_all(&self.buffer);
        self.buffer.clear();
        result
    }

    /// Writes out what has been collected.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.spill()?;
        self.out.flush()
    }
}
