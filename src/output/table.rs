//! The formats `csv` and `tsv`: a header line with the names of the columns, then one line per
//! event.
//!
//! CSV follows RFC 4180, with lines that end in CRLF.

use csv::{QuoteStyle, WriterBuilder};

use super::columns::{Columns, text};
use super::encoder::Encoder;
use super::format::{EncoderOptions, OutputFormat};
use crate::error::Error;
use crate::query::EventContext;
use crate::text::terminal;

/// The format `csv`.
pub const CSV: OutputFormat = OutputFormat {
    name: "csv",
    argument: None,
    help: "A table with commas.",
    refuses_fields: None,
    is_coloured: false,
    shows_local_times: false,
    encoder: |options| Ok(Box::new(Table::new(options, Separator::Comma))),
};

/// The format `tsv`.
pub const TSV: OutputFormat = OutputFormat {
    name: "tsv",
    help: "A table with tabs.",
    encoder: |options| Ok(Box::new(Table::new(options, Separator::Tab))),
    ..CSV
};

/// The separator between the cells of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// A comma; cells are quoted if they need to be.
    Comma,
    /// A tab; cells are never quoted.
    Tab,
}

/// Encodes events as the rows of a table.
#[derive(Clone)]
pub struct Table {
    columns: Columns,
    separator: Separator,
}

impl Table {
    /// Creates an encoder of the selected columns, or of the default columns.
    #[must_use]
    pub fn new(options: EncoderOptions, separator: Separator) -> Self {
        Self { columns: options.columns.unwrap_or_else(Columns::usual), separator }
    }
}

impl Encoder for Table {
    fn begin(&mut self, out: &mut Vec<u8>) {
        row(self.columns.names().iter().cloned(), self.separator, out);
    }

    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let cells = self
            .columns
            .parts(context.event)
            .map(|(_, json)| json.map_or_else(String::new, |json| text(&json)));
        row(cells, self.separator, out);
        Ok(())
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        Some(Box::new(self.clone()))
    }
}

/// Appends one row. Control characters are escaped, so that each event takes one line.
fn row(cells: impl Iterator<Item = String>, separator: Separator, out: &mut Vec<u8>) {
    let (delimiter, quotes, end): (_, _, &[u8]) = match separator {
        Separator::Comma => (b',', QuoteStyle::Necessary, b"\r\n"),
        Separator::Tab => (b'\t', QuoteStyle::Never, b"\n"),
    };
    let mut writer =
        WriterBuilder::new().delimiter(delimiter).quote_style(quotes).from_writer(Vec::new());
    // Writing to a vector cannot fail.
    let _ = writer.write_record(cells.map(|cell| terminal::visible(&cell).into_owned()));
    let row = writer.into_inner().unwrap_or_default();
    out.extend_from_slice(row.strip_suffix(b"\n").unwrap_or(&row));
    out.extend_from_slice(end);
}
