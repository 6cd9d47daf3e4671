//! One line an event, for people: time, type in the colour of its family, the fields that matter most, then the rest dimmed.
//!
//! Lines are cut at the terminal's edge unless wrapping is asked for; where one would be, its ids are cut first, down to
//! what tells them apart. What is hidden is marked; what the model did not expect has a `~` before its type.

use std::borrow::Cow;

use colored::{Color, ColoredString, Colorize};
use jiff::Timestamp;
use unicode_width::UnicodeWidthChar;

use super::columns::Columns;
use super::encoder::Encoder;
use super::family::{FamilyColour, hue};
use super::format::{OutputFormat, TimeDisplay};
use crate::error::Error;
use crate::json::string::unquote;
use crate::model::catalog::field_named;
use crate::model::{Severity, family, id_prefix, is_call_sid, is_uuid};
use crate::query::{EventContext, GrepFilter};
use crate::redact::{RedactedEvent, RedactedField};
use crate::text::terminal;

/// As wide as the longest type is, so that the fields of all events begin in one column.
const TYPE_WIDTH: usize = 29;

/// Below so many columns, seconds are as fine as times get.
const NARROW: usize = 100;

/// How lines are laid out.
#[derive(Debug, Clone)]
pub struct PrettyLayout {
    /// Cut lines at the terminal's edge, wherever that is by then.
    pub cut: bool,
    /// The times shown.
    pub times: TimeDisplay,
    /// Say which workspace an event is from.
    pub workspaces: bool,
    /// Show these parts of an event alone, in this order.
    pub columns: Option<Columns>,
    /// Mark where this matches.
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

/// Writes lines for people.
pub struct Pretty {
    layout: PrettyLayout,
    width: Option<usize>,
    /// The event that times are counted from.
    from: Option<Timestamp>,
}

impl Pretty {
    /// Creates an encoder of lines in this layout.
    #[must_use]
    pub fn new(layout: PrettyLayout) -> Self {
        let width = terminal_width(&layout);
        Self { layout, width, from: None }
    }
}

impl Encoder for Pretty {
    fn event(&mut self, context: &EventContext<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let text = line(context.event, &self.layout, self.from, self.width);
        if self.from.is_none() || matches!(self.layout.times, TimeDisplay::Delta) {
            self.from = context.event.tap().moment().or(self.from);
        }
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
        Ok(())
    }

    /// The terminal may be resized while nothing is written.
    fn pause(&mut self) {
        self.width = terminal_width(&self.layout);
    }
}

/// The columns to cut lines at.
fn terminal_width(layout: &PrettyLayout) -> Option<usize> {
    if !layout.cut {
        return None;
    }
    crossterm::terminal::size()
        .ok()
        .map(|(columns, _)| usize::from(columns))
        .filter(|columns| *columns > 0)
}

/// One event as one line of at most `width` columns, coloured if colours are on. Times that are counted count from `from`.
#[must_use]
pub fn line(
    shown: &RedactedEvent<'_>,
    layout: &PrettyLayout,
    from: Option<Timestamp>,
    width: Option<usize>,
) -> String {
    let tap = shown.tap();
    let is_narrow = width.is_some_and(|width| width < NARROW);
    let mut pieces = vec![clock(tap.moment(), from, &layout.times, is_narrow).dimmed()];
    if layout.workspaces {
        let id = tap.workspace_id.as_deref().unwrap_or_default();
        pieces.push(format!(" {:8}", id.get(..8).unwrap_or(id)).dimmed());
    }
    pieces.push(if tap.drift.is_empty() { " ".normal() } else { "~".yellow().bold() });
    let event_type = terminal::visible(shown.event_type());
    pieces.push(
        format!("{event_type:TYPE_WIDTH$}").color(colour(family(&event_type), shown.severity())),
    );
    let fields =
        layout.columns.as_ref().map_or_else(|| ordered(shown), |columns| chosen(shown, columns));
    let needed = columns(&pieces)
        + fields
            .iter()
            .map(|field| 2 + width_of(&field.name) + width_of(&field.value))
            .sum::<usize>();
    let is_short = width.is_some_and(|width| needed > width);
    for FieldText { name, value, hidden, rank } in fields {
        pieces.push(format!(" {name}=").dimmed());
        let value = if is_short { short(value) } else { value };
        let style = |text: &str| match (hidden, rank) {
            (true, _) => text.magenta(),
            (false, FieldRank::Leading(_)) => text.normal(),
            (false, FieldRank::Other | FieldRank::Null) => text.dimmed(),
        };
        let mut rest = 0;
        for found in layout
            .grep
            .as_ref()
            .filter(|_| !hidden)
            .map(|grep| grep.match_ranges(&value))
            .unwrap_or_default()
        {
            pieces.push(style(&value[rest..found.start]));
            pieces.push(value[found.clone()].black().on_yellow());
            rest = found.end;
        }
        pieces.push(style(&value[rest..]));
    }
    cut(pieces, width)
}

/// What a field is told for, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FieldRank {
    Leading(usize),
    Other,
    Null,
}

/// A field as text.
pub(crate) struct FieldText {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) hidden: bool,
    pub(crate) rank: FieldRank,
}

/// The fields, the most telling first, and otherwise in the order in which they arrived.
pub(crate) fn ordered(shown: &RedactedEvent<'_>) -> Vec<FieldText> {
    let mut fields: Vec<_> = shown.fields().map(|field| told(&field)).collect();
    fields.sort_by_key(|field| field.rank);
    fields
}

/// The parts that were asked for, in that order.
pub(crate) fn chosen(shown: &RedactedEvent<'_>, columns: &Columns) -> Vec<FieldText> {
    let told = |(at, (name, json)): (usize, (&str, Option<Cow<'_, str>>))| {
        let hidden = shown.field(name).is_some_and(|field| field.hidden);
        Some(FieldText {
            name: terminal::visible(name).into_owned(),
            value: plain(&json?),
            hidden,
            rank: FieldRank::Leading(at),
        })
    };
    columns.parts(shown).enumerate().filter_map(told).collect()
}

fn told(field: &RedactedField<'_>) -> FieldText {
    let rank = rank(field.key, field.json);
    FieldText {
        name: terminal::visible(&field.name()).into_owned(),
        value: plain(field.json),
        hidden: field.hidden,
        rank,
    }
}

/// How telling a field is.
pub(crate) fn rank(name: &str, json: &str) -> FieldRank {
    match field_named(name).and_then(|field| field.rank) {
        _ if json == "null" => FieldRank::Null,
        Some(rank) => FieldRank::Leading(usize::from(rank)),
        None => FieldRank::Other,
    }
}

/// An id's beginning; any other value as it is.
pub(crate) fn short(value: String) -> String {
    if is_uuid(&value) || is_call_sid(&value) { format!("{}…", id_prefix(&value)) } else { value }
}

/// A value as people read it: a string bare where it is one word, in quotes where it isn't.
pub(crate) fn plain(json: &str) -> String {
    let Some(text) = unquote(json) else { return json.to_owned() };
    let text = terminal::visible(&text);
    if text.is_empty() || text.contains(' ') { format!("\"{text}\"") } else { text.into_owned() }
}

fn clock(
    time: Option<Timestamp>,
    from: Option<Timestamp>,
    times: &TimeDisplay,
    is_narrow: bool,
) -> String {
    let (format, width) = if is_narrow { ("%H:%M:%S", 8) } else { ("%H:%M:%S%.3f", 12) };
    let since = |time: Timestamp| time.as_millisecond() - from.unwrap_or(time).as_millisecond();
    let sign = |millis: i64| if millis < 0 { '-' } else { '+' };
    let text = match (times, time) {
        (TimeDisplay::Nothing, _) => return String::new(),
        (_, None) => String::new(),
        (TimeDisplay::Day(zone), Some(time)) => {
            time.to_zoned(zone.clone()).strftime(format).to_string()
        }
        (TimeDisplay::Relative, Some(time)) => {
            let millis = since(time);
            let all = millis.unsigned_abs();
            let (hours, minutes, seconds) = (all / 3_600_000, all / 60_000 % 60, all / 1000 % 60);
            let text =
                format!("{}{hours}:{minutes:02}:{seconds:02}.{:03}", sign(millis), all % 1000);
            text[..text.len() - if is_narrow { 4 } else { 0 }].to_owned()
        }
        (TimeDisplay::Delta, Some(time)) => {
            let millis = since(time);
            format!(
                "{}{}.{:03}",
                sign(millis),
                millis.unsigned_abs() / 1000,
                millis.unsigned_abs() % 1000
            )
        }
    };
    format!("{text:>width$}")
}

fn colour(family: &str, severity: Severity) -> Color {
    if severity == Severity::Error {
        return Color::Red;
    }
    match hue(family) {
        Some(FamilyColour::Red) => Color::Red,
        Some(FamilyColour::Green) => Color::Green,
        Some(FamilyColour::Cyan) => Color::Cyan,
        Some(FamilyColour::Amber) => Color::Yellow,
        Some(FamilyColour::Blue) => Color::Blue,
        Some(FamilyColour::Lime) => Color::BrightGreen,
        Some(FamilyColour::Sky) => Color::BrightBlue,
        None => Color::White,
    }
}

/// Pieces as one line, cut where it would be wider than that.
fn cut(pieces: Vec<ColoredString>, width: Option<usize>) -> String {
    let mut room = match width {
        Some(width) if columns(&pieces) > width => width.saturating_sub(1),
        _ => usize::MAX,
    };
    let mut line = String::new();
    for mut piece in pieces {
        let width = width_of(&piece.input);
        if width > room {
            let fits = |character: &char| {
                let taken = character.width().unwrap_or(0);
                let fits = taken <= room;
                room = if fits { room - taken } else { 0 };
                fits
            };
            piece.input = piece.input.chars().take_while(fits).collect::<String>() + "…";
            return line + &piece.to_string();
        }
        room -= width;
        line += &piece.to_string();
    }
    line
}

fn columns(pieces: &[ColoredString]) -> usize {
    pieces.iter().map(|piece| width_of(&piece.input)).sum()
}

pub(crate) fn width_of(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}
