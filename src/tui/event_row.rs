//! Formats an event as a row of the list: one line, or several if long lines are wrapped.
//!
//! Widths are in terminal cells.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::highlight::mark_ranges;
use super::layout::StreamLayout;
use super::state::State;
use super::state::modes::TimeMode;
use super::text::{cell, cut, length, width, wrap};
use crate::model::family;
use crate::output::columns::{self, Columns};
use crate::output::pretty::{FieldRank, FieldText, ordered, short};
use crate::output::stored_event::{StoredEvent, StoredEventReader};
use crate::redact::RedactedEvent;
use crate::text::{MASK, terminal};

/// The width of the event type column.
const TYPE_WIDTH: usize = 26;

/// The position of a row and the widths that it may use.
#[derive(Debug, Clone, Copy)]
pub struct RowContext<'a> {
    /// The number of the event.
    pub number: u64,
    /// The index of the event in the list.
    pub place: usize,
    /// The width of the list.
    pub width: usize,
    /// The widths of the chosen columns.
    pub column_widths: &'a [usize],
}

/// Returns how many lines the event with that number takes in the list.
#[must_use]
pub fn height(state: &State, number: u64) -> usize {
    if !state.wrap || state.columns.is_some() {
        return 1;
    }
    let Some(stored) = state.buffer.get(number) else { return 1 };
    let context = RowContext {
        number,
        place: state.rows().place(number),
        width: usize::from(StreamLayout::new(state).list.width),
        column_widths: &[],
    };
    row(state, &mut StoredEventReader::default(), stored, context).len()
}

/// Returns the text of an event for each chosen column, and whether the field is hidden.
pub fn values(event: &RedactedEvent<'_>, columns: &Columns) -> Vec<(String, bool)> {
    let value = |(name, json): (&str, Option<Cow<'_, str>>)| {
        let hidden = event.field(name).is_some_and(|field| field.hidden);
        (
            json.map_or_else(String::new, |json| {
                short(terminal::visible(&columns::text(&json)).into_owned())
            }),
            hidden,
        )
    };
    columns.parts(event).map(value).collect()
}

/// Returns the cell in which the fields of an event begin.
#[must_use]
pub fn fields_column(state: &State, width: usize) -> usize {
    let clock = clock(state, state.present.last_event_time, 0, width).width();
    let workspaces = &state.workspaces;
    let workspace = if workspaces.are_several() { workspaces.width() + 1 } else { 0 };
    let clock = if clock > 0 { clock + 1 } else { 0 };
    2 + clock + workspace + if width >= 60 { TYPE_WIDTH } else { 0 }
}

/// Formats an event as one line, or as several if long lines are wrapped.
pub fn row(
    state: &State,
    reader: &mut StoredEventReader,
    stored: &StoredEvent,
    context: RowContext<'_>,
) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let RowContext { place, width: columns, .. } = context;
    let run = state.rows().run(context.number);
    let last = run.map_or(context.number, |run| run.last);
    let is_mark = state.marks.range(context.number..=last).next().is_some();
    let mut spans = vec![
        Span::styled(if is_mark { "◆" } else { " " }, theme.warning()),
        if stored.is_error {
            Span::styled("!", theme.error())
        } else if stored.drifted {
            Span::styled("~", theme.warning())
        } else {
            Span::raw(" ")
        },
    ];
    let clock = clock(state, stored.time, place, columns);
    if !clock.is_empty() {
        spans.push(Span::styled(format!("{clock} "), theme.quiet()));
    }
    if state.workspaces.are_several() {
        let id = reader.read(stored, |event| event.tap().workspace_id.clone()).unwrap_or_default();
        let name = cell(&state.workspaces.name(&id), state.workspaces.width());
        spans.push(Span::styled(format!("{name} "), theme.heading()));
    }
    let text_start = spans.len();
    let mut event_type = terminal::visible(&stored.event_type);
    let style = if stored.is_error { theme.error() } else { theme.family(family(&event_type)) };
    if let Some(run) = run {
        event_type = format!("{event_type} ×{}", run.count).into();
    }
    let padded = if state.columns.is_some() {
        cell(&event_type, if columns >= 60 { TYPE_WIDTH } else { 0 })
    } else if columns >= 60 {
        format!("{event_type:TYPE_WIDTH$}")
    } else {
        event_type.into_owned()
    };
    spans.push(Span::styled(padded, style));
    if let Some(chosen) = &state.columns {
        for ((value, hidden), width) in reader
            .read(stored, |event| values(event, chosen))
            .into_iter()
            .zip(context.column_widths)
        {
            spans.push(Span::raw(" "));
            let style = if hidden || value.contains(MASK) { theme.masked() } else { Style::new() };
            spans.push(Span::styled(cell(&value, *width), style));
        }
        return vec![cut(highlight(state, spans, text_start), columns)];
    }
    let fields = reader.read(stored, ordered);
    let needed = width(&spans)
        + fields.iter().map(|field| 2 + field.name.width() + field.value.width()).sum::<usize>();
    let is_short = needed > columns && !state.wrap;
    for FieldText { name, value, hidden, rank } in fields {
        spans.push(Span::styled(format!(" {name}="), theme.quiet()));
        let value = if is_short { short(value) } else { value };
        let style = match rank {
            _ if hidden || value.contains(MASK) => theme.masked(),
            FieldRank::Leading(_) => Style::new(),
            FieldRank::Other | FieldRank::Null => theme.quiet(),
        };
        spans.push(Span::styled(value, style));
    }
    let spans = highlight(state, spans, text_start);
    if state.wrap {
        wrap(spans, columns, fields_column(state, columns).min(columns / 3) + 1)
    } else {
        vec![cut(spans, columns)]
    }
}

/// Marks what the search found in the text of the event, which begins at span `from`.
fn highlight(state: &State, mut spans: Vec<Span<'static>>, from: usize) -> Vec<Span<'static>> {
    let Some(search) = &state.search else { return spans };
    let found = spans.split_off(from);
    let text: String = found.iter().map(|span| &*span.content).collect();
    let ranges = search.grep.match_ranges(&text);
    spans.extend(mark_ranges(found, &ranges, state.config.theme.found()));
    spans
}

fn clock(state: &State, time: Option<Timestamp>, place: usize, columns: usize) -> String {
    let (format, cells) = if columns < 100 { ("%H:%M:%S", 8) } else { ("%H:%M:%S%.3f", 12) };
    let absent = " ".repeat(cells);
    match state.time_mode {
        TimeMode::None => String::new(),
        TimeMode::Local => time.map_or(absent, |time| {
            time.to_zoned(state.config.zone.clone()).strftime(format).to_string()
        }),
        TimeMode::Utc => time
            .map_or(absent, |time| format!("{}Z", time.to_zoned(TimeZone::UTC).strftime(format))),
        TimeMode::Age => {
            let age = time.map_or_else(String::new, |time| {
                length(state.reference_time().as_second() - time.as_second())
            });
            format!("{age:>6}")
        }
        TimeMode::Delta => {
            let before = place
                .checked_sub(1)
                .and_then(|place| state.buffer.get(state.rows().get(place)?)?.time);
            match (before, time) {
                (Some(before), Some(time)) => {
                    format!("{:+9.3}", time.duration_since(before).as_secs_f64())
                }
                _ => " ".repeat(9),
            }
        }
    }
}
