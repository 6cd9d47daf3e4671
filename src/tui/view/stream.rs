//! The list of events: a line each, the newest at the bottom.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{cut, length, width, wrap};
use super::{areas, text};
use crate::model::family;
use crate::output::columns::{self, Columns};
use crate::output::pretty::{FieldRank, FieldText, ordered, short};
use crate::output::stored_event::{StoredEvent, StoredEventReader};
use crate::redact::RedactedEvent;
use crate::text::{MASK, terminal};
use crate::tui::state::{State, TimeMode};

/// Where types are padded to.
const TYPE_WIDTH: usize = 26;

/// The widest that a chosen column gets where others want room too.
const WIDEST: usize = 40;

/// Draws the list, below the names of its columns if any were chosen.
pub fn draw(state: &State, frame: &mut Frame<'_>, heading: Rect, area: Rect) {
    let rows = state.rows();
    let theme = state.setup.theme;
    if rows.is_empty() {
        let filtered = state.filter.is_some() && state.filtering && state.buffer.end() > 0;
        let hint = if filtered {
            "no event matches the filter: F turns it off, f edits it"
        } else {
            "no event yet"
        };
        return frame
            .render_widget(Paragraph::new(Line::styled(hint, theme.quiet()).centered()), area);
    }
    let (mut lines, room) = (Vec::new(), usize::from(area.height));
    let mut reader = StoredEventReader::default();
    let widths = widths(state, &mut reader, area);
    if heading.height > 0 {
        let names = state.columns.iter().flat_map(Columns::names).zip(&widths);
        let names = names.map(|(name, width)| {
            Span::styled(format!(" {}", text::cell(name, *width)), theme.key())
        });
        let before = " ".repeat(before(state, usize::from(area.width)));
        frame.render_widget(
            cut(std::iter::once(Span::raw(before)).chain(names).collect(), usize::from(area.width)),
            heading,
        );
    }
    let focused = state.detail.as_ref().is_none_or(|detail| !detail.focused);
    for place in rows.place(state.top)..rows.len() {
        let Some(number) = rows.get(place).filter(|_| lines.len() < room) else { break };
        let Some(stored) = state.buffer.get(number) else { break };
        let mut row =
            row(state, &mut reader, number, stored, (place, usize::from(area.width)), &widths);
        if number == state.selected {
            for line in &mut row {
                // One colour on the selected line: many, reversed, would be a chequered flag.
                let plain: String = line.spans.iter().map(|span| &*span.content).collect();
                let filled = text::cell(&plain, usize::from(area.width));
                let style = if focused { theme.selected() } else { theme.heading() };
                *line = Line::styled(filled, style);
            }
        }
        lines.extend(row);
    }
    lines.truncate(room);
    frame.render_widget(Paragraph::new(lines), area);
}

/// How many lines the event of that number takes.
#[must_use]
pub fn height(state: &State, number: u64) -> usize {
    if !state.wrap || state.columns.is_some() {
        return 1;
    }
    let Some(stored) = state.buffer.get(number) else { return 1 };
    let place = state.rows().place(number);
    row(
        state,
        &mut StoredEventReader::default(),
        number,
        stored,
        (place, usize::from(areas(state).list.width)),
        &[],
    )
    .len()
}

/// The number of the event on that line of the list.
#[must_use]
pub fn at(state: &State, line: u16) -> Option<u64> {
    let rows = state.rows();
    let mut left = usize::from(line);
    for place in rows.place(state.top)..rows.len() {
        let number = rows.get(place)?;
        let height = height(state, number);
        if left < height {
            return Some(number);
        }
        left -= height;
    }
    None
}

/// How wide each chosen column is: as its name and what is seen in it demand, and the last one as there is room.
fn widths(state: &State, reader: &mut StoredEventReader, area: Rect) -> Vec<usize> {
    let Some(columns) = &state.columns else { return Vec::new() };
    let rows = state.rows();
    let mut widths: Vec<_> =
        columns.names().iter().map(|name| chars(&terminal::visible(name))).collect();
    for number in (rows.place(state.top)..rows.len())
        .take(area.height.into())
        .filter_map(|place| rows.get(place))
    {
        let Some(stored) = state.buffer.get(number) else { continue };
        let cells = reader.read(stored, |shown| values(shown, columns));
        for (width, (value, _)) in widths.iter_mut().zip(cells) {
            *width = (*width).max(chars(&value));
        }
    }
    let number = widths.len();
    widths
        .iter_mut()
        .take(number.saturating_sub(1))
        .for_each(|width| *width = (*width).min(WIDEST));
    widths
}

/// What an event has in each chosen column, and whether it is hidden.
fn values(shown: &RedactedEvent<'_>, columns: &Columns) -> Vec<(String, bool)> {
    let value = |(name, json): (&str, Option<Cow<'_, str>>)| {
        let hidden = shown.field(name).is_some_and(|field| field.hidden);
        (
            json.map_or_else(String::new, |json| {
                short(terminal::visible(&columns::text(&json)).into_owned())
            }),
            hidden,
        )
    };
    columns.parts(shown).map(value).collect()
}

/// Where the fields of an event begin.
fn before(state: &State, columns: usize) -> usize {
    let clock = chars(&clock(state, state.latest, 0, columns));
    2 + if clock > 0 { clock + 1 } else { 0 } + if columns >= 60 { TYPE_WIDTH } else { 0 }
}

fn row(
    state: &State,
    reader: &mut StoredEventReader,
    number: u64,
    stored: &StoredEvent,
    (place, columns): (usize, usize),
    widths: &[usize],
) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let is_mark = state.marks.contains(&number);
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
    let event_type = terminal::visible(&stored.event_type);
    let style = if stored.is_error { theme.error() } else { theme.family(family(&event_type)) };
    let padded = if state.columns.is_some() {
        text::cell(&event_type, if columns >= 60 { TYPE_WIDTH } else { 0 })
    } else if columns >= 60 {
        format!("{event_type:TYPE_WIDTH$}")
    } else {
        event_type.into_owned()
    };
    spans.push(Span::styled(padded, style));
    if let Some(chosen) = &state.columns {
        for ((value, hidden), width) in
            reader.read(stored, |shown| values(shown, chosen)).into_iter().zip(widths)
        {
            spans.push(Span::raw(" "));
            let style = if hidden || value.contains(MASK) { theme.masked() } else { Style::new() };
            found(state, &text::cell(&value, *width), style, hidden, &mut spans);
        }
        return vec![cut(spans, columns)];
    }
    let fields = reader.read(stored, ordered);
    let needed = width(&spans)
        + fields.iter().map(|field| 2 + chars(&field.name) + chars(&field.value)).sum::<usize>();
    let is_short = needed > columns && !state.wrap;
    for FieldText { name, value, hidden, rank } in fields {
        spans.push(Span::styled(format!(" {name}="), theme.quiet()));
        let value = if is_short { short(value) } else { value };
        let style = match rank {
            _ if hidden || value.contains(MASK) => theme.masked(),
            FieldRank::Leading(_) => Style::new(),
            FieldRank::Other | FieldRank::Null => theme.quiet(),
        };
        found(state, &value, style, hidden, &mut spans);
    }
    if state.wrap { wrap(spans, columns) } else { vec![cut(spans, columns)] }
}

/// A value with what is searched for marked in it.
fn found(state: &State, value: &str, style: Style, hidden: bool, spans: &mut Vec<Span<'static>>) {
    let mut rest = 0;
    let places = state
        .search
        .as_ref()
        .filter(|_| !hidden)
        .map(|search| search.grep.match_ranges(value))
        .unwrap_or_default();
    for place in places {
        spans.push(Span::styled(value[rest..place.start].to_owned(), style));
        spans.push(Span::styled(
            value[place.clone()].to_owned(),
            state.setup.theme.warning().patch(state.setup.theme.selected()),
        ));
        rest = place.end;
    }
    spans.push(Span::styled(value[rest..].to_owned(), style));
}

fn chars(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

fn clock(state: &State, time: Option<Timestamp>, place: usize, columns: usize) -> String {
    let (format, cells) = if columns < 100 { ("%H:%M:%S", 8) } else { ("%H:%M:%S%.3f", 12) };
    let absent = " ".repeat(cells);
    match state.time {
        TimeMode::None => String::new(),
        TimeMode::Local => time.map_or(absent, |time| {
            time.to_zoned(state.setup.zone.clone()).strftime(format).to_string()
        }),
        TimeMode::Utc => time
            .map_or(absent, |time| format!("{}Z", time.to_zoned(TimeZone::UTC).strftime(format))),
        TimeMode::Age => {
            let age = time
                .map_or_else(String::new, |time| length(state.now.as_second() - time.as_second()));
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
