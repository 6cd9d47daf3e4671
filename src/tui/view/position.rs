//! The position in a replay: the time of the last event, a bar if the size of the recordings is
//! known, and the pace. A click on the bar seeks.
//!
//! The bar is a histogram of the events that have been replayed: the height of a cell is their rate
//! by their own times. `!` marks errors, `╳` a gap, and `◆` the selected event if it is not the last
//! one. If there is room, marks and progress have a line of their own below.
//!
//! ```text
//!  2026-05-05 16:53:59 ▂▂▃▇▇▅▂▁▁▂▂▂▂▂▂                   peak 120/s
//!                      ━━━━!━━━◆━━╳━━━────────────────   41%  ▶ 10×
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::tui::charts::scale::ChartScale;
use crate::tui::charts::sparkline::level;
use crate::tui::history_graph::per_second;
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
        .present
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
    Some((before, Some(Rect { x, width, ..area }).filter(|bar| bar.width > 0), after))
}

/// Returns the cell in which a share of the bar ends.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bar has few cells")]
fn cell(share: f64, bar: Rect) -> usize {
    ((share * f64::from(bar.width)) as usize).min(bar.width.into())
}

/// The cells of the bar, each a character with its style.
struct PositionBar {
    /// The rates.
    rates: Vec<(char, Style)>,
    /// The progress, without marks.
    progress: Vec<(char, Style)>,
    /// The marks, by cell.
    marks: Vec<Option<(char, Style)>>,
    /// The highest rate.
    peak: f64,
}

impl PositionBar {
    fn new(state: &State, bar: Rect) -> Option<Self> {
        let (theme, width) = (state.config.theme, usize::from(bar.width));
        let pace = state.config.pace.as_ref()?;
        let share = if state.connections.is_ended() { Some(1.0) } else { pace.share() };
        let filled = cell(share.unwrap_or_default(), bar);
        let mut cells = state.profile.cells(width);
        cells.truncate(filled);
        let selected = state.selected_event().filter(|_| !state.follow);
        let selected = selected.and_then(|stored| pace.share_of(stored.place));
        let selected = selected.map(|share| cell(share, bar)).filter(|at| *at < filled);
        let scale = ChartScale::for_values(cells.iter().map(|cell| cell.rate));
        let peak = cells.iter().map(|cell| cell.rate).fold(0.0, f64::max);
        let rate = |at: usize| {
            let rate = cells.get(at)?.rate;
            Some((level(scale.share(rate, peak)), theme.good()))
        };
        let progress =
            |at| if at < filled { ('━', theme.good()) } else { ('─', theme.quiet()) };
        let mark = |at: usize| match cells.get(at) {
            _ if selected == Some(at) => Some(('◆', theme.key())),
            Some(cell) if cell.has_gaps => Some(('╳', theme.error())),
            Some(cell) if cell.has_errors => Some(('!', theme.error())),
            _ => None,
        };
        Some(Self {
            rates: (0..width).map_while(rate).collect(),
            progress: (0..width).map(progress).collect(),
            marks: (0..width).map(mark).collect(),
            peak,
        })
    }

    /// Returns the progress with the marks on it.
    fn axis(&self) -> Vec<Span<'static>> {
        let cells = self.progress.iter().zip(&self.marks);
        spans(cells.map(|(progress, mark)| mark.unwrap_or(*progress)))
    }

    /// Returns everything in one line: the rates up to where the replay is, and the marks.
    fn combined(&self) -> Vec<Span<'static>> {
        let rates = self.rates.iter().copied().map(Some).chain(std::iter::repeat(None));
        let cells = self.progress.iter().zip(&self.marks).zip(rates);
        spans(cells.map(|((progress, mark), rate)| {
            let rate = rate.filter(|(symbol, _)| *symbol != ' ');
            mark.or(rate).unwrap_or(*progress)
        }))
    }
}

/// Returns characters as spans, one for each run of the same style.
fn spans(cells: impl Iterator<Item = (char, Style)>) -> Vec<Span<'static>> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (symbol, style) in cells {
        match spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push(symbol),
            _ => spans.push(Span::styled(symbol.to_string(), style)),
        }
    }
    spans
}

/// Draws the position.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    let Some((before, bar, after)) = parts(state, area) else { return };
    let theme = state.config.theme;
    let indent = before.width();
    let mut line = vec![Span::styled(before, theme.heading())];
    let after = vec![Span::styled(after, theme.good())];
    let width = usize::from(area.width);
    let Some((bar, drawn)) = bar.and_then(|bar| Some((bar, PositionBar::new(state, bar)?))) else {
        return sides(line, after, width).render(area, buffer);
    };
    if area.height < 2 {
        line.extend(drawn.combined());
        return sides(line, after, width).render(area, buffer);
    }
    let below = Rect { y: area.y + 1, height: 1, ..area };
    let mut axis = vec![Span::raw(" ".repeat(indent))];
    axis.extend(drawn.axis());
    sides(axis, after, width).render(below, buffer);
    line.extend(spans(drawn.rates.iter().copied()));
    Line::from(line).render(area, buffer);
    let peak = format!(" peak {}", per_second(drawn.peak));
    let right = Rect { x: bar.right(), width: area.right() - bar.right(), height: 1, ..area };
    if drawn.peak > 0.0 && peak.width() <= usize::from(right.width) {
        Line::styled(peak, theme.quiet()).render(right, buffer);
    }
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
