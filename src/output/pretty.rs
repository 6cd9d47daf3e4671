//! The format `pretty`: one line per event for people.
//!
//! A line shows the time, the type in the colour of its family, the most important fields, then
//! the other fields dimmed. Lines that are wider than the terminal are truncated unless wrapping is
//! enabled; their ids are shortened to a prefix first, and the SID of the call moves to where it is
//! seen. Hidden values are coloured, and an event with drift has a `~` before its type.

mod clock;
mod field;
mod line;
mod style;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;

use super::columns::Columns;
use super::encoder::Encoder;
use super::format::{OutputFormat, TimeDisplay};
use crate::error::Error;
use crate::query::{EventContext, GrepFilter};
use crate::redact::RedactedEvent;
use crate::text::terminal;
use clock::LineClock;
pub(crate) use field::{FieldRank, FieldText, ordered, plain, rank, short, width_of};
use field::{LineField, keep_call, push_chosen, push_ordered};
use line::LineWriter;
use style::Styles;

/// The width of the longest event type, so that the fields of all events begin in one column.
const TYPE_WIDTH: usize = 29;

/// The terminal width below which times are shown without milliseconds, in columns.
const NARROW: usize = 100;

/// The layout of a line.
#[derive(Debug, Clone)]
pub struct PrettyLayout {
    /// Whether lines are truncated to the current width of the terminal.
    pub cut: bool,
    /// How times are shown.
    pub times: TimeDisplay,
    /// Whether each line names the workspace of the event.
    pub workspaces: bool,
    /// The only parts of an event to show, in this order; `None` for all of them.
    pub columns: Option<Columns>,
    /// The filter whose matches are highlighted.
    pub grep: Option<GrepFilter>,
}

/// The format `pretty`.
pub const FORMAT: OutputFormat = OutputFormat {
    name: "pretty",
    argument: None,
    help: "Aligned lines for people.",
    refuses_fields: None,
    is_coloured: true,
    shows_local_times: true,
    encoder: |options| {
        Ok(Box::new(Pretty::new(PrettyLayout {
            cut: options.cut,
            times: options.times,
            workspaces: options.workspaces,
            columns: options.columns,
            grep: options.grep,
        })))
    },
};

/// Encodes events as lines for people.
pub struct Pretty {
    formatter: LineFormatter,
    /// The width to truncate lines to, in columns; 0 if they are not truncated.
    width: Arc<AtomicUsize>,
    /// The time that relative times are measured from.
    from: Option<Timestamp>,
}

impl Pretty {
    /// Creates an encoder of lines in this layout.
    #[must_use]
    pub fn new(layout: PrettyLayout) -> Self {
        let width = Arc::new(AtomicUsize::new(terminal_width(&layout)));
        Self { formatter: LineFormatter::new(layout), width, from: None }
    }
}

impl Encoder for Pretty {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let width = Some(self.width.load(Ordering::Relaxed)).filter(|width| *width > 0);
        self.formatter.push_line(context.event, self.from, width, out);
        out.push(b'\n');
        match self.formatter.layout.times {
            TimeDisplay::Relative if self.from.is_some() => {}
            TimeDisplay::Relative | TimeDisplay::Delta => {
                self.from = context.event.tap().moment().or(self.from);
            }
            TimeDisplay::Day(_) | TimeDisplay::Nothing => {}
        }
        Ok(())
    }

    /// Reads the width again, because the terminal may be resized during a pause.
    fn pause(&mut self) {
        self.width.store(terminal_width(&self.formatter.layout), Ordering::Relaxed);
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        let layout = &self.formatter.layout;
        if matches!(layout.times, TimeDisplay::Relative | TimeDisplay::Delta) {
            return None;
        }
        let (formatter, width) = (LineFormatter::new(layout.clone()), Arc::clone(&self.width));
        Some(Box::new(Self { formatter, width, from: None }))
    }
}

/// Returns the width to truncate lines to, in columns; 0 if they are not truncated.
fn terminal_width(layout: &PrettyLayout) -> usize {
    if !layout.cut {
        return 0;
    }
    crossterm::terminal::size().map_or(0, |(columns, _)| usize::from(columns))
}

/// Formats events as lines.
pub struct LineFormatter {
    layout: PrettyLayout,
    styles: Styles,
    clock: LineClock,
    /// The memory for the fields of an event.
    fields: Vec<LineField<'static>>,
    /// Text that is not in the event as it is shown.
    scratch: String,
}

impl LineFormatter {
    /// Creates a formatter of lines in this layout, coloured if colours are enabled now.
    #[must_use]
    pub fn new(layout: PrettyLayout) -> Self {
        let (styles, clock) = (Styles::new(), LineClock::new(layout.times.clone()));
        Self { layout, styles, clock, fields: Vec::new(), scratch: String::new() }
    }

    /// Appends an event as one line of at most `width` columns, without a line end. Relative times
    /// are measured from `from`.
    pub fn push_line(
        &mut self,
        shown: &RedactedEvent<'_>,
        from: Option<Timestamp>,
        width: Option<usize>,
        out: &mut Vec<u8>,
    ) {
        let Self { layout, styles, clock, scratch, .. } = self;
        scratch.clear();
        let tap = shown.tap();
        clock.push(tap.moment(), from, width.is_some_and(|width| width < NARROW), scratch);
        let time = 0..scratch.len();
        if layout.workspaces {
            let id = tap.workspace_id.as_deref().unwrap_or_default();
            push_padded([" ", id.get(..8).unwrap_or(id)], 9, scratch);
        }
        let workspace = time.end..scratch.len();
        let event_type = terminal::visible(shown.event_type());
        push_padded(["", &event_type], TYPE_WIDTH, scratch);
        let padded_type = workspace.end..scratch.len();

        let mut fields = recycle(std::mem::take(&mut self.fields));
        match &layout.columns {
            None => push_ordered(shown, &mut fields, scratch),
            Some(columns) => push_chosen(shown, columns, &mut fields, scratch),
        }
        let mut room = None;
        if let Some(width) = width {
            let used = 1 + width_of(&scratch[..padded_type.end]);
            let columns = |fields: &[LineField<'_>], scratch: &str| {
                used + fields.iter().map(|field| field.columns(scratch)).sum::<usize>()
            };
            if columns(&fields, scratch) > width {
                for field in &mut fields {
                    field.shorten(scratch);
                }
                if layout.columns.is_none() {
                    keep_call(&mut fields, width.saturating_sub(used), scratch);
                }
                room = (columns(&fields, scratch) > width).then(|| width.saturating_sub(1));
            }
        }

        let mut line = LineWriter::new(out, room);
        line.push(&styles.dimmed, [&scratch[time]]);
        if layout.workspaces {
            line.push(&styles.dimmed, [&scratch[workspace]]);
        }
        if tap.drift.is_empty() {
            line.push(&styles.plain, [" "]);
        } else {
            line.push(&styles.drift, ["~"]);
        }
        line.push(styles.event_type(shown, &event_type), [&scratch[padded_type]]);
        for field in &fields {
            line.push(&styles.dimmed, [" ", field.name.resolve(scratch), "="]);
            let (value, style) = (field.value.resolve(scratch), styles.value(field));
            let mut rest = 0;
            if let Some(grep) = layout.grep.as_ref().filter(|_| !field.hidden) {
                for found in grep.match_ranges(value) {
                    line.push(style, [&value[rest..found.start]]);
                    line.push(&styles.found, [&value[found.clone()]]);
                    rest = found.end;
                }
            }
            line.push(style, [&value[rest..]]);
        }
        self.fields = recycle(fields);
    }
}

/// Appends a text and spaces up to `width` characters.
fn push_padded(parts: [&str; 2], width: usize, out: &mut String) {
    let start = out.len();
    out.extend(parts);
    let length = if terminal::is_plain(&out[start..]) {
        out.len() - start
    } else {
        out[start..].chars().count()
    };
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(length)));
}

/// Empties a vector and keeps its memory for elements of another lifetime.
fn recycle<'to>(mut fields: Vec<LineField<'_>>) -> Vec<LineField<'to>> {
    fields.clear();
    fields.into_iter().map_while(|_| None).collect()
}
