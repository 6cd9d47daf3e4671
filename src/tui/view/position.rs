//! How far a replay has come: the time of the last event, and a bar where it is known how much there is. On the bar stands
//! the selected event, if that is not the last one; the mouse goes to any place on it.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

use super::text::sides;
use crate::tui::state::{ConnectionStatus, State};

/// What stands before the bar, the bar, and what stands behind it.
fn parts(state: &State, area: Rect) -> Option<(String, Option<Rect>, String)> {
    let pace = state.setup.pace.as_ref().filter(|_| area.height > 0)?;
    let is_over = state.link == ConnectionStatus::Ended;
    let format = if area.width < 60 { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    let time = state
        .latest
        .map(|time| time.to_zoned(state.setup.zone.clone()).strftime(format).to_string());
    let before = format!(" {} ", time.unwrap_or_default());
    let told = if is_over { "all of it".to_owned() } else { pace.told() };
    let Some(share) = pace.share().map(|share| if is_over { 1.0 } else { share }) else {
        return Some((before, None, format!("{told} ")));
    };
    let behind = format!(" {:>3.0}%  {told} ", (share * 100.0).floor());
    let taken = u16::try_from(before.width() + behind.width() + 1).unwrap_or(u16::MAX);
    let x = area.x + u16::try_from(before.width()).unwrap_or(0);
    let width = area.width.saturating_sub(taken);
    Some((before, Some(Rect::new(x, area.y, width, 1)).filter(|bar| bar.width > 0), behind))
}

/// The cell of a bar in which that share of it ends.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cells are few")]
fn cell(share: f64, bar: Rect) -> usize {
    ((share * f64::from(bar.width)) as usize).min(bar.width.into())
}

/// Draws it.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let (Some((before, bar, behind)), Some(pace)) = (parts(state, area), &state.setup.pace) else {
        return;
    };
    let theme = state.setup.theme;
    let mut spans = vec![Span::styled(before, theme.heading())];
    if let Some(bar) = bar {
        let share = if state.link == ConnectionStatus::Ended { Some(1.0) } else { pace.share() };
        let filled = cell(share.unwrap_or_default(), bar);
        let (done, left) = ("━".repeat(filled), "─".repeat(usize::from(bar.width) - filled));
        let selected =
            state.chosen().filter(|_| !state.follow).and_then(|stored| pace.share_of(stored.place));
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
    frame.render_widget(
        sides(spans, vec![Span::styled(behind, theme.good())], area.width.into()),
        area,
    );
}

/// How many bytes of the recordings come before that cell of the bar. Beside the bar there is `None`, unless it is held by the
/// mouse: then its ends reach as far as one likes.
#[must_use]
pub fn at(state: &State, at: Position, is_held: bool) -> Option<u64> {
    let (_, bar, _) = parts(state, super::areas(state).position)?;
    let bar = bar.filter(|bar| is_held || bar.contains(at))?;
    let cells = u64::from(at.x.saturating_sub(bar.x).min(bar.width));
    Some(state.setup.pace.as_ref()?.size() * cells / u64::from(bar.width))
}
