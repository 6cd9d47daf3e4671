//! The picture of a call: lanes with one axis of time and one cursor in common.
//!
//! Which lanes there are, and how high they are, depends on the room.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::axis::TimeAxis;
use crate::analysis::call::Call;
use crate::analysis::call::transcript::Speaker;
use crate::tui::style::Theme;

/// The width of the names of the lanes on a wide screen.
const NAME_WIDTH: u16 = 13;

/// The width of the names of the lanes on a narrow screen.
const NARROW_NAME_WIDTH: u16 = 11;

/// What a lane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneKind {
    /// The times since the start of the call.
    Axis,
    /// The states of the agent.
    State,
    /// When somebody speaks.
    Speech(Speaker),
    /// The tool calls.
    Tools,
    /// How pleased the caller sounds.
    Valence,
    /// How aroused the caller sounds.
    Arousal,
    /// The latency of the agent's turns.
    Latency,
}

/// A lane and its height in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLane {
    /// What the lane shows.
    pub kind: LaneKind,
    /// The number of lines.
    pub height: u16,
}

/// The lines of the lanes, the most important first.
const LINES: [LaneKind; 18] = [
    LaneKind::Axis,
    LaneKind::Speech(Speaker::Agent),
    LaneKind::Tools,
    LaneKind::Speech(Speaker::User),
    LaneKind::State,
    LaneKind::Latency,
    LaneKind::Valence,
    LaneKind::Tools,
    LaneKind::Valence,
    LaneKind::Valence,
    LaneKind::Speech(Speaker::Operator),
    LaneKind::Latency,
    LaneKind::Arousal,
    LaneKind::Tools,
    LaneKind::Valence,
    LaneKind::Valence,
    LaneKind::Latency,
    LaneKind::Arousal,
];

/// The lanes from top to bottom.
const ORDER: [LaneKind; 9] = [
    LaneKind::Axis,
    LaneKind::State,
    LaneKind::Speech(Speaker::User),
    LaneKind::Speech(Speaker::Agent),
    LaneKind::Speech(Speaker::Operator),
    LaneKind::Tools,
    LaneKind::Valence,
    LaneKind::Arousal,
    LaneKind::Latency,
];

/// Returns the lanes that fit into `room` lines, from top to bottom. They do not depend on the call,
/// because a lane that is added would move the conversation while it is read.
#[must_use]
pub fn lanes(room: u16) -> Vec<CallLane> {
    let lane = |kind| {
        let lines = LINES.iter().take(room.into()).filter(|line| **line == kind).count();
        let mut height = u16::try_from(lines).unwrap_or(0);
        if kind == LaneKind::Valence {
            // The line of zero is in the middle.
            height -= u16::from(height > 0 && height.is_multiple_of(2));
        }
        (height > 0).then_some(CallLane { kind, height })
    };
    ORDER.into_iter().filter_map(lane).collect()
}

/// Returns the part of the area of all lanes that is right of their names.
#[must_use]
pub fn picture_area(area: Rect) -> Rect {
    let names = if area.width >= 60 { NAME_WIDTH } else { NARROW_NAME_WIDTH };
    let x = area.x + names.min(area.width);
    // The last column stays free, so that the last label has room.
    Rect { x, width: area.right().saturating_sub(x + 1), ..area }
}

/// Returns the longest time to the first audio of a call, in milliseconds.
#[must_use]
pub fn longest_latency(call: &Call) -> f64 {
    call.transcript.turns.iter().map(|turn| turn.latency.first_audio).fold(0.0, f64::max)
}

/// A picture of a call that is drawn.
pub struct LanePicture<'a> {
    /// The colours.
    pub theme: Theme,
    /// The call.
    pub call: &'a Call,
    /// The axis.
    pub axis: TimeAxis,
    /// The time until which something that has not ended is drawn.
    pub now: Timestamp,
    /// The latency that fills a lane, in milliseconds.
    pub longest: f64,
    /// The time under the cursor, and whether it was chosen by the user.
    pub cursor: Option<(Timestamp, bool)>,
}

/// Writes text from a cell on.
pub fn put(x: u16, y: u16, text: &str, style: Style, buffer: &mut Buffer) {
    let room = buffer.area.right().saturating_sub(x);
    if buffer.area.contains((x, y).into()) {
        buffer.set_stringn(x, y, text, room.into(), style);
    }
}
