//! Draws the lanes of a call: the axis, the states, who speaks, the tools, and the cursor through all
//! of them. [`measures`] draws the lanes of what was measured.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

use super::measures;
use super::picture::{CallLane, LaneKind, LanePicture, picture_area, put};
use crate::analysis::call::transcript::{Speaker, TranscriptItem};
use crate::text::terminal;
use crate::tui::style::Theme;
use crate::tui::text::{cell, cut};

/// The highest tools lane: so many levels of nesting are apart.
const MAX_TOOL_LINES: u16 = 3;

impl LanePicture<'_> {
    /// Draws the lanes.
    pub fn render(&self, shown: &[CallLane], area: Rect, buffer: &mut Buffer) {
        let picture = picture_area(area);
        if picture.width == 0 {
            return;
        }
        // Without a lane of their own, operators are in that of the agent, in whose stead they speak.
        let operators = LaneKind::Speech(Speaker::Operator);
        let is_shared = shown.iter().all(|lane| lane.kind != operators);
        let mut y = area.y;
        for lane in shown {
            let height = lane.height.min(area.bottom().saturating_sub(y));
            let row = Rect { y, height, ..picture };
            let names = Rect { y, height, width: picture.x - area.x, ..area };
            self.render_lane(lane.kind, names, row, buffer);
            if is_shared && lane.kind == LaneKind::Speech(Speaker::Agent) {
                self.render_speech(Speaker::Operator, row, buffer);
            }
            y += height;
        }
        self.render_cursor(shown, Rect { height: y - area.y, ..picture }, buffer);
    }

    fn render_lane(&self, kind: LaneKind, names: Rect, area: Rect, buffer: &mut Buffer) {
        if area.height == 0 {
            return;
        }
        let name = match kind {
            LaneKind::Axis => "",
            LaneKind::State => "state",
            LaneKind::Speech(speaker) => speaker.name(),
            LaneKind::Tools => "tools",
            LaneKind::Valence => "valence",
            LaneKind::Arousal => "arousal",
            LaneKind::Latency => "latency",
        };
        let width = usize::from(names.width).saturating_sub(2);
        put(names.x, names.y, &format!(" {}", cell(name, width)), self.theme.quiet(), buffer);
        match kind {
            LaneKind::Axis => self.render_axis(area, buffer),
            LaneKind::State => self.render_states(area, buffer),
            LaneKind::Speech(speaker) => self.render_speech(speaker, area, buffer),
            LaneKind::Tools => self.render_tools(area, buffer),
            LaneKind::Valence => measures::render_valence(self, names, area, buffer),
            LaneKind::Arousal => measures::render_arousal(self, area, buffer),
            LaneKind::Latency => measures::render_latency(self, names, area, buffer),
        }
    }

    fn render_axis(&self, area: Rect, buffer: &mut Buffer) {
        let marked = self.cursor_label(area.width).map(|(start, text)| (start, text.len()));
        let mut free = 0;
        for (at, text) in self.axis.ticks() {
            let width = u16::try_from(text.len() + 1).unwrap_or(u16::MAX);
            // The label is at the right of its time, or at the left if there is no room.
            let fits = at.saturating_add(width) <= area.width + 1;
            let start = if fits { at } else { (at + 1).saturating_sub(width) };
            let is_marked = marked.is_some_and(|(from, length)| {
                start < from + u16::try_from(length).unwrap_or(0) && start + width > from
            });
            if start < free || is_marked {
                continue;
            }
            let text = if fits { format!("╷{text}") } else { format!("{text}╷") };
            put(area.x + start, area.y, &text, self.theme.quiet(), buffer);
            free = start + width + 1;
        }
    }

    /// Returns the label of the cursor on the axis, and its first cell.
    fn cursor_label(&self, cells: u16) -> Option<(u16, String)> {
        let (time, _) = self.cursor?;
        let at = self.axis.cell(time)?;
        let text = format!(" {} ", self.axis.label(time));
        let width = u16::try_from(text.len()).unwrap_or(0);
        Some((at.saturating_sub(width / 2).min((cells + 1).saturating_sub(width)), text))
    }

    fn render_states(&self, area: Rect, buffer: &mut Buffer) {
        let states = &self.call.transcript.states;
        let end = self.call.ended.as_ref().map_or(self.now, |(end, _)| *end);
        for (place, (from, name)) in states.iter().enumerate() {
            let to = states.get(place + 1).map_or(end, |(next, _)| *next);
            let Some((first, last)) = self.axis.period(*from, to) else { continue };
            let width = usize::from(last - first) + usize::from(place + 1 == states.len());
            let x = area.x + first;
            put(x, area.y, "▏", self.theme.quiet(), buffer);
            if width > 1 {
                let style = self.theme.family("surface");
                let name = terminal::visible(name);
                let name = cut(vec![Span::raw(name.into_owned())], width - 1).to_string();
                put(x + 1, area.y, &name, style, buffer);
            }
        }
    }

    fn render_speech(&self, wanted: Speaker, area: Rect, buffer: &mut Buffer) {
        let style = match wanted {
            Speaker::User => self.theme.family("call"),
            Speaker::Agent => self.theme.family("observer"),
            Speaker::Operator => self.theme.family("operator"),
        };
        let mut interruptions = Vec::new();
        for (time, item) in &self.call.transcript.items {
            let TranscriptItem::Utterance { speaker, marks, end, .. } = item else { continue };
            let Some((first, last)) = self.axis.period(*time, end.unwrap_or(*time)) else {
                continue;
            };
            if *speaker != wanted {
                continue;
            }
            let symbol = match wanted {
                _ if marks.contains(&"filler") => "▂",
                Speaker::Operator => "▚",
                Speaker::User | Speaker::Agent => "▆",
            };
            for at in first..=last {
                put(area.x + at, area.y, symbol, style, buffer);
            }
            if marks.contains(&"interrupted") {
                interruptions.push(last);
            }
        }
        for at in interruptions {
            put(area.x + at, area.y, "✂", self.theme.warning(), buffer);
        }
    }

    fn render_tools(&self, area: Rect, buffer: &mut Buffer) {
        let lines = area.height.min(MAX_TOOL_LINES);
        let mut bars: Vec<Vec<ToolBar<'_>>> = vec![Vec::new(); lines.into()];
        for (time, item) in &self.call.transcript.items {
            let TranscriptItem::Tool { depth, name, duration, succeeded, finished, .. } = item
            else {
                continue;
            };
            let (from, to) = tool_period(*time, *finished, *duration, self.now);
            let Some((first, last)) = self.axis.period(from, to) else { continue };
            // In a single line, nested tools would cover those that contain them.
            if lines == 1 && *depth > 0 {
                continue;
            }
            let line = (*depth).min(usize::from(lines) - 1);
            bars[line].push(ToolBar { first, last, name, succeeded: *succeeded });
        }
        for (y, bars) in (area.y..).zip(bars) {
            for (place, bar) in bars.iter().enumerate() {
                let next = bars[place + 1..].iter().map(|next| next.first).min();
                let room = next.unwrap_or(area.width).saturating_sub(bar.first);
                self.render_tool(bar, room, Rect { y, height: 1, ..area }, buffer);
            }
        }
    }

    /// Draws the bar of a tool, and its name in the bar or, if there is room, after it.
    fn render_tool(&self, bar: &ToolBar<'_>, room: u16, area: Rect, buffer: &mut Buffer) {
        let (sign, style) = outcome(self.theme, bar.succeeded);
        let (width, room) = (usize::from(bar.last - bar.first) + 1, usize::from(room));
        let name = terminal::visible(bar.name);
        let inner = width.saturating_sub(3);
        let text = if name.width() <= inner {
            format!("├{sign}{name}{}┤", "─".repeat(inner - name.width()))
        } else {
            let bar = match width {
                1 => sign.to_owned(),
                2 => format!("{sign}┤"),
                _ => format!("├{sign}{}┤", "─".repeat(inner)),
            };
            let after = room.saturating_sub(width + 2);
            let name = if after >= 3 {
                cut(vec![Span::raw(name.into_owned())], after).to_string()
            } else {
                String::new()
            };
            format!("{bar}{}{name}", if name.is_empty() || width == 1 { "" } else { " " })
        };
        put(area.x + bar.first, area.y, &text, style, buffer);
    }

    /// Draws the cursor through all lanes, with its time on the axis.
    fn render_cursor(&self, shown: &[CallLane], area: Rect, buffer: &mut Buffer) {
        let Some((time, is_chosen)) = self.cursor else { return };
        let Some(at) = self.axis.cell(time) else { return };
        let has_axis = shown.first().is_some_and(|lane| lane.kind == LaneKind::Axis);
        let x = area.x + at;
        for y in area.y + u16::from(has_axis)..area.bottom() {
            let Some(cell) = buffer.cell_mut((x, y)) else { continue };
            if cell.symbol() == " " {
                cell.set_symbol("│").set_style(self.theme.key());
            } else {
                cell.modifier.insert(Modifier::REVERSED);
            }
        }
        if let Some((start, text)) = self.cursor_label(area.width).filter(|_| has_axis) {
            let style = if is_chosen { self.theme.selected() } else { self.theme.heading() };
            put(area.x + start, area.y, &text, style, buffer);
        }
    }
}

/// The bar of a tool call.
#[derive(Clone)]
struct ToolBar<'a> {
    first: u16,
    last: u16,
    name: &'a str,
    succeeded: Option<bool>,
}

/// Returns the sign of a tool's outcome, and its style.
#[must_use]
pub fn outcome(theme: Theme, succeeded: Option<bool>) -> (&'static str, Style) {
    match succeeded {
        None => ("…", theme.quiet()),
        Some(true) => ("✓", theme.good()),
        Some(false) => ("✗", theme.error()),
    }
}

/// Returns when a tool call began and ended. `time` is that of its first event, which may be the
/// answer.
#[must_use]
pub fn tool_period(
    time: Timestamp,
    finished: Option<Timestamp>,
    duration: Option<f64>,
    now: Timestamp,
) -> (Timestamp, Timestamp) {
    let took = duration.filter(|millis| (0.0..86_400_000.0).contains(millis)).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, reason = "it is less than a day")]
    let took = jiff::SignedDuration::from_millis(took as i64);
    match finished {
        Some(end) if end > time => (time, end),
        Some(end) => (end.checked_sub(took).unwrap_or(end), end),
        None => (time, now.max(time)),
    }
}
