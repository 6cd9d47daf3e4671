//! CSV by RFC 4180, lines ending in CRLF as it wants, and TSV: a line of names, then a line an event.

use std::io;

use csv::{QuoteStyle, WriterBuilder};

use super::columns::{Columns, text};
use super::{EventSink, LineBuffer, Out, OutputError};
use crate::query::EventContext;
use crate::text::terminal;

/// Writes a table.
pub struct Table {
    lines: LineBuffer,
    columns: Columns,
    tabs: bool,
    begun: bool,
}

impl Table {
    /// Writes these columns to `out`, between commas or tabs.
    #[must_use]
    pub const fn new(out: Out, columns: Columns, tabs: bool) -> Self {
        Self { lines: LineBuffer::new(out), columns, tabs, begun: false }
    }

    /// The line of names, before anything else, be there events or not.
    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            let names = row(self.columns.names().iter().cloned(), self.tabs);
            self.lines.line(|out| out.extend_from_slice(&names))?;
        }
        Ok(())
    }
}

impl EventSink for Table {
    fn event(&mut self, context: &EventContext<'_>) -> Result<(), OutputError> {
        self.begin()?;
        let cells = self
            .columns
            .parts(context.event)
            .map(|(_, json)| json.map_or_else(String::new, |json| text(&json)));
        let row = row(cells, self.tabs);
        Ok(self.lines.line(|out| out.extend_from_slice(&row))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.begin()?;
        self.lines.flush()
    }
}

/// One row; LF comes after it. Control characters are escapes, so that an event is one line.
fn row(cells: impl Iterator<Item = String>, tabs: bool) -> Vec<u8> {
    let mut writer = WriterBuilder::new()
        .delimiter(if tabs { b'\t' } else { b',' })
        .quote_style(if tabs { QuoteStyle::Never } else { QuoteStyle::Necessary })
        .from_writer(Vec::new());
    // A vector takes all that is written to it.
    let _ = writer.write_record(cells.map(|cell| terminal::visible(&cell).into_owned()));
    let mut row = writer.into_inner().unwrap_or_default();
    row.pop();
    if !tabs {
        row.push(b'\r');
    }
    row
}
