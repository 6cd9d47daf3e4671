//! The position in a replay: the time of the last event, a bar if the size of the recordings is
//! known, and the pace. The bar marks the selected event if it is not the last one. A click on the
//! bar seeks.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::tui::layout::ScreenLayout;
use crate::tui::state::State;
use crate::tui::text::sides;

/// Returns the text before the bar, the area of the bar, and the text after it. Returns `None` if
/// there is no replay or no room.
fn parts(state: &State, area: Rect) -> Option<(String, Option<Rect>, String)> {
    let pace = state.config.pace.as_ref().filter(|_| area.height > 0)?;
    let is_complete = state.connections.is_ended();
    let format = if area.width < 60 { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    let time = state
        .last_event_time
        .map(|time| time.to_zoned(state.config.zone.clone()).strftime(format).to_string());
    let before = format!(" {} ", time.unwrap_or_default());
    let pace_text = if is_complete { "complete".to_owned() } else { pace.label() };
    let Some(share) = pace.share().map(|share| if is_complete { 1.0 } else { share }) else {
        return Some((before, None, format!("{pace_text} ")));
    };
    let after = format!(" {:>3.0}%  {pace_text} ", (share * 100.0).floor());
    let taken = u16::try_from(before.width() + after.width() + 1).unwrap_or(u16::MAX);
    let x = area.x + u16::try_from(before.width()).unwrap_or(0);
    let width = area.width.saturating_sub(taken);
    Some((before, Some(Rect::new(x, area.y, width, 1)).filter(|bar| bar.width > 0), after))
}

/// Returns the cell in which a share of the bar ends.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bar has few cells")]
fn cell(share: f64, bar: Rect) -> usize {
    ((share * f64::from(bar.width)) as usize).min(bar.width.into())
}

/// Draws the position line.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    let (Some((before, bar, after)), Some(pace)) = (parts(state, area), &state.config.pace) else {
        return;
    };
    let theme = state.config.theme;
    let mut spans = vec![Span::styled(before, theme.heading())];
    if let Some(bar) = bar {
        let share = if state.connections.is_ended() { Some(1.0) } else { pace.share() };
        let filled = cell(share.unwrap_or_default(), bar);
        let (done, left) = ("━".repeat(filled), "─".repeat(usize::from(bar.width) - filled));
        let selected = state.selected_event().filter(|_| !state.follow);
        let selected = selected.and_then(|stored| pace.share_of(stored.place));
        match selected.map(|share| cell(share, bar)).filter(|at| *at < filled) {
            Some(at) => {
                spans.push(Span::styled("━".repeat(at), theme.good()));
                spans.push(Span::styled("◆", theme.key()));
                spans.push(Span::styled("━".repeat(filled - at - 1), theme.good()));
            }
            None => spans.push(Span::styled(done, theme.good())),
        }
        spans.push(Span::styled(left, theme.quiet()));
    }
    let after = vec![Span::styled(after, theme.good())];
    sides(spans, after, area.width.into()).render(area, buffer);
}

/// Returns the byte offset into all recordings that a cell of the bar stands for. Returns `None`
/// for a cell outside the bar, unless `is_dragged` is set.
#[must_use]
pub fn offset_at(state: &State, at: Position, is_dragged: bool) -> Option<u64> {
    let (_, bar, _) = parts(state, ScreenLayout::new(state).position)?;
    let bar = bar.filter(|bar| is_dragged || bar.contains(at))?;
    let cells = u64::from(at.x.saturating_sub(bar.x).min(bar.width));
    Some(state.config.pace.as_ref()?.size() * cells / u64::from(bar.width))
}
