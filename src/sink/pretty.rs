//! One line an event, for people: time, type in the colour of its family, the fields that matter most, then the rest dimmed.
//!
//! Lines are cut at the terminal's edge unless wrapping is asked for. What is hidden is marked; what the model did not expect
//! has a `~` before its type.

use std::io;

use colored::{Color, ColoredString, Colorize};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthChar;

use super::{Broken, Lines, Out, Sink};
use crate::event::family;
use crate::redact::{Shown, ShownField};
use crate::sanitize;
use crate::scan;
use crate::select::Subject;

/// The fields that people look for first, whatever the event.
const LEADING: &[&str] = &[
    "transcript",
    "delta",
    "direction",
    "caller_id",
    "completion_reason",
    "escalated",
    "duration_seconds",
    "duration_s",
    "trigger",
    "trigger_name",
    "reason",
    "tool_name",
    "input",
    "tool_input",
    "output",
    "succeeded",
    "error",
    "error_message",
    "duration_ms",
    "status",
    "mode",
    "previous_state",
    "next_state",
    "current_state",
    "initial_state",
    "final_state",
    "transition_type",
    "speaker_role",
    "participant_role",
    "participant_name",
    "display_name",
    "phone_number",
    "target_number",
    "dominant",
    "valence",
    "arousal",
    "trend",
    "tier_name",
    "filler_type",
    "interrupted_text",
    "discarded_texts",
    "e2e_ttfb_ms",
    "engine_ms",
    "total_ms",
    "channel",
    "channel_kind",
    "channel_address",
    "delivery_status",
    "field_key",
    "field_id",
    "subject",
    "from_address",
    "to_address",
    "recipient_phone_number",
    "bounce_type",
    "role",
    "previous_role",
    "action",
    "confidence",
    "event_count",
    "turn_count",
    "turns",
    "wrap_up_reason",
    "name",
    "changes",
    "category",
    "offset",
    "length",
];

/// The column in which the fields begin, where the type leaves room.
const TYPE_WIDTH: usize = 26;

/// How lines are laid out.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Cut lines at the terminal's edge, wherever that is by then.
    pub cut: bool,
    /// The zone of the times shown.
    pub zone: TimeZone,
    /// Say which workspace an event is from.
    pub workspaces: bool,
}

/// Writes lines for people.
pub struct Pretty {
    lines: Lines,
    layout: Layout,
    width: Option<usize>,
}

impl Pretty {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Out, layout: Layout) -> Self {
        let width = terminal_width(&layout);
        Self { lines: Lines::new(out), layout, width }
    }
}

impl Sink for Pretty {
    fn event(&mut self, subject: &Subject<'_>) -> Result<(), Broken> {
        Ok(self.lines.line(|out| out.extend_from_slice(line(subject.shown, &self.layout, self.width).as_bytes()))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.width = terminal_width(&self.layout);
        self.lines.flush()
    }
}

/// The columns to cut lines at.
fn terminal_width(layout: &Layout) -> Option<usize> {
    if !layout.cut {
        return None;
    }
    crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// One event as one line of at most `width` columns, coloured if colours are on.
#[must_use]
pub fn line(shown: &Shown<'_>, layout: &Layout, width: Option<usize>) -> String {
    let mut row = Row { text: String::new(), room: width };
    let tap = shown.tap();
    let time = tap.time.as_ref().or(tap.received_at.as_ref()).and_then(|time| time.parse().ok());
    row.push(time.map_or_else(|| " ".repeat(12), |time| clock(time, &layout.zone)).dimmed());
    if layout.workspaces {
        let id = tap.workspace_id.as_deref().unwrap_or_default();
        row.push(format!(" {:8}", id.get(..8).unwrap_or(id)).dimmed());
    }
    row.push(if tap.drift.is_empty() { " ".normal() } else { "~".yellow().bold() });
    let event_type = sanitize::visible(shown.event_type());
    let family = family(&event_type);
    row.push(format!("{event_type:TYPE_WIDTH$}").color(colour(family, &event_type)));
    let fields: Vec<_> = shown.fields().collect();
    let rank = |field: &ShownField<'_>| LEADING.iter().position(|name| *name == field.key);
    let mut leading: Vec<_> = fields.iter().filter_map(|field| Some((rank(field)?, field))).collect();
    leading.sort_by_key(|(rank, _)| *rank);
    for (_, field) in leading {
        push_field(&mut row, field, false);
    }
    for field in fields.iter().filter(|field| rank(field).is_none()) {
        push_field(&mut row, field, true);
    }
    row.text
}

fn push_field(row: &mut Row, field: &ShownField<'_>, dim: bool) {
    row.push(format!(" {}=", sanitize::visible(&field.name())).dimmed());
    let value = plain(field.json);
    row.push(if field.hidden {
        value.magenta()
    } else if dim {
        value.dimmed()
    } else {
        value.normal()
    });
}

/// A value as people read it: a string bare where it is one word, in quotes where it isn't.
fn plain(json: &str) -> String {
    let Some(inside) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return json.to_owned() };
    let text = scan::unescape(inside);
    let text = sanitize::visible(&text);
    if text.is_empty() || text.contains(' ') { format!("\"{text}\"") } else { text.into_owned() }
}

fn clock(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string()
}

fn colour(family: &str, event_type: &str) -> Color {
    match family {
        "tap" => Color::Red,
        _ if ["error", "failed", "bounced"].iter().any(|end| event_type.ends_with(end)) => Color::Red,
        "call" => Color::Green,
        "observer" => Color::Cyan,
        "operator" => Color::Yellow,
        "surface" | "review" => Color::Blue,
        "text" | "channel" => Color::BrightGreen,
        "pipeline" | "trigger" => Color::BrightBlue,
        _ => Color::White,
    }
}

/// A line that is filled from the left until there is no room.
struct Row {
    text: String,
    room: Option<usize>,
}

impl Row {
    fn push(&mut self, piece: ColoredString) {
        let Some(room) = self.room else {
            self.text.push_str(&piece.to_string());
            return;
        };
        if room == 0 {
            return;
        }
        let width: usize = piece.input.chars().map(columns).sum();
        if width <= room {
            self.room = Some(room - width);
            self.text.push_str(&piece.to_string());
            return;
        }
        let mut cut = String::new();
        let mut used = 0;
        for character in piece.input.chars() {
            if used + columns(character) > room - 1 {
                break;
            }
            used += columns(character);
            cut.push(character);
        }
        cut.push('…');
        self.room = Some(0);
        let mut piece = piece;
        piece.input = cut;
        self.text.push_str(&piece.to_string());
    }
}

fn columns(character: char) -> usize {
    character.width().unwrap_or(0)
}
