//! The straightforward way to write `pretty`: one coloured string for each part of a line.

use std::borrow::Cow;

use colored::{Color, ColoredString, Colorize};
use evtap::internals::output::TimeDisplay;
use evtap::internals::output::columns::Columns;
use evtap::internals::output::family::{FamilyColour, hue};
use evtap::internals::output::pretty::PrettyLayout;
use evtap::json::string::unquote;
use evtap::model::catalog::field_named;
use evtap::model::{Severity, family, id_prefix, is_call_sid, is_uuid};
use evtap::redact::{RedactedEvent, RedactedField};
use evtap::text::terminal;
use jiff::Timestamp;
use unicode_width::UnicodeWidthChar;

/// The width of the longest event type.
const TYPE_WIDTH: usize = 29;

/// The terminal width below which times are shown without milliseconds, in columns.
const NARROW: usize = 100;

/// Returns an event as one line of at most `width` columns, coloured if colours are enabled.
/// Relative times are measured from `from`.
pub fn line(
    shown: &RedactedEvent<'_>,
    layout: &PrettyLayout,
    from: Option<Timestamp>,
    width: Option<usize>,
) -> String {
    let tap = shown.tap();
    let is_narrow = width.is_some_and(|width| width < NARROW);
    let mut spans = vec![clock(tap.moment(), from, &layout.times, is_narrow).dimmed()];
    if layout.workspaces {
        let id = tap.workspace_id.as_deref().unwrap_or_default();
        spans.push(format!(" {:8}", id.get(..8).unwrap_or(id)).dimmed());
    }
    spans.push(if tap.drift.is_empty() { " ".normal() } else { "~".yellow().bold() });
    let event_type = terminal::visible(shown.event_type());
    spans.push(
        format!("{event_type:TYPE_WIDTH$}").color(colour(family(&event_type), shown.severity())),
    );
    let mut fields =
        layout.columns.as_ref().map_or_else(|| ordered(shown), |columns| chosen(shown, columns));
    let used = columns(&spans);
    if let Some(width) = width
        && used + fields.iter().map(FieldText::columns).sum::<usize>() > width
    {
        for field in &mut fields {
            field.value = short(std::mem::take(&mut field.value));
        }
        if layout.columns.is_none() {
            keep_call(&mut fields, width.saturating_sub(used));
        }
    }
    for FieldText { name, value, hidden, rank } in fields {
        spans.push(format!(" {name}=").dimmed());
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
            spans.push(style(&value[rest..found.start]));
            spans.push(value[found.clone()].black().on_yellow());
            rest = found.end;
        }
        spans.push(style(&value[rest..]));
    }
    truncate(spans, width)
}

/// The importance of a field, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FieldRank {
    Leading(usize),
    Other,
    Null,
}

/// A field formatted as text.
struct FieldText {
    name: String,
    value: String,
    hidden: bool,
    rank: FieldRank,
}

impl FieldText {
    /// Returns the number of columns of the field: a space, the name, an equals sign and the value.
    fn columns(&self) -> usize {
        2 + width_of(&self.name) + width_of(&self.value)
    }
}

/// Moves the SID of the call to the left until it fits into `room` columns, of which the last shows
/// that something was cut off.
fn keep_call(fields: &mut [FieldText], room: usize) {
    let Some(at) = fields.iter().position(|field| field.name == "call_sid") else { return };
    let mut left = room.saturating_sub(1 + fields[at].columns());
    let fits = |field: &&FieldText| {
        let rest = left.checked_sub(field.columns());
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    let to = fields[..at].iter().take_while(fits).count();
    fields[to..=at].rotate_right(1);
}

/// Returns the fields, the most important first, and otherwise in the order in which they arrived.
fn ordered(shown: &RedactedEvent<'_>) -> Vec<FieldText> {
    let mut fields: Vec<_> = shown.fields().map(|field| field_text(&field)).collect();
    fields.sort_by_key(|field| field.rank);
    fields
}

/// Returns the parts of the event that `columns` selects, in that order.
fn chosen(shown: &RedactedEvent<'_>, columns: &Columns) -> Vec<FieldText> {
    let column_text = |(at, (name, json)): (usize, (&str, Option<Cow<'_, str>>))| {
        let hidden = shown.field(name).is_some_and(|field| field.hidden);
        Some(FieldText {
            name: terminal::visible(name).into_owned(),
            value: plain(&json?),
            hidden,
            rank: FieldRank::Leading(at),
        })
    };
    columns.parts(shown).enumerate().filter_map(column_text).collect()
}

fn field_text(field: &RedactedField<'_>) -> FieldText {
    let rank = rank(field.key, field.json);
    FieldText {
        name: terminal::visible(&field.name()).into_owned(),
        value: plain(field.json),
        hidden: field.hidden,
        rank,
    }
}

/// Returns the rank of a field with this name and value.
fn rank(name: &str, json: &str) -> FieldRank {
    match field_named(name).and_then(|field| field.rank) {
        _ if json == "null" => FieldRank::Null,
        Some(rank) => FieldRank::Leading(usize::from(rank)),
        None => FieldRank::Other,
    }
}

/// Shortens an id to its prefix; returns any other value unchanged.
fn short(value: String) -> String {
    if is_uuid(&value) || is_call_sid(&value) { format!("{}…", id_prefix(&value)) } else { value }
}

/// Formats a JSON value for people: a string without quotes if it is one word, with quotes if not.
fn plain(json: &str) -> String {
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

/// Joins spans to one line, which is truncated if it is wider than `width` columns.
fn truncate(spans: Vec<ColoredString>, width: Option<usize>) -> String {
    let mut room = match width {
        Some(width) if columns(&spans) > width => width.saturating_sub(1),
        _ => usize::MAX,
    };
    let mut line = String::new();
    for mut span in spans {
        let width = width_of(&span.input);
        if width > room {
            let fits = |character: &char| {
                let taken = character.width().unwrap_or(0);
                let fits = taken <= room;
                room = if fits { room - taken } else { 0 };
                fits
            };
            let kept: String = span.input.chars().take_while(fits).collect();
            // The prefix of an id ends with the mark already.
            let is_marked =
                if kept.is_empty() { line.ends_with('…') } else { kept.ends_with('…') };
            span.input = kept + if is_marked { "" } else { "…" };
            return line + &span.to_string();
        }
        room -= width;
        line += &span.to_string();
    }
    line
}

fn columns(spans: &[ColoredString]) -> usize {
    spans.iter().map(|span| width_of(&span.input)).sum()
}

/// Returns the number of terminal columns that `text` takes.
fn width_of(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}
