//! How far a replay has come: the time of the last event, and a bar where it is known how much there is.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::text::sides;
use crate::tui::state::{Link, State};

/// Draws the bar.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(pace) = state.setup.pace.as_ref().filter(|_| area.height > 0) else { return };
    let theme = state.setup.theme;
    let is_over = state.link == Link::Ended;
    let time = state.latest.map(|time| time.to_zoned(state.setup.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string());
    let mut spans = vec![Span::styled(format!(" {} ", time.unwrap_or_default()), theme.heading())];
    let told = if is_over { "all of it".to_owned() } else { pace.told() };
    let Some(share) = pace.share().map(|share| if is_over { 1.0 } else { share }) else {
        return frame.render_widget(sides(spans, vec![Span::styled(format!("{told} "), theme.good())], area.width.into()), area);
    };
    let right = Span::styled(format!(" {:>3.0}%  {told} ", (share * 100.0).floor()), theme.good());
    let cells = usize::from(area.width).saturating_sub(spans[0].width() + right.width() + 1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "cells are few")]
    let filled = ((share * cells as f64) as usize).min(cells);
    spans.push(Span::styled("━".repeat(filled), theme.good()));
    spans.push(Span::styled("─".repeat(cells - filled), theme.quiet()));
    frame.render_widget(sides(spans, vec![right], area.width.into()), area);
}
