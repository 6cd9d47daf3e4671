//! The latency of a call's turns: percentiles, and a bar with the components of each turn.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::analysis::call::transcript::Transcript;
use crate::analysis::latency::{COMPONENTS, ENGINE, NAVIGATION, RENDER, SPEECH, TurnLatency};
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::state::modes::CallPart;
use crate::tui::text::cell;

/// Returns how many lines there are to scroll through.
pub fn line_count(state: &State, transcript: &Transcript, height: u16) -> usize {
    transcript.turns.len() + summary(state, transcript, height).len()
}

/// Returns the percentiles of all turns: of each component if there is room, else of the total.
fn summary(state: &State, transcript: &Transcript, height: u16) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let parts = if height >= 11 { COMPONENTS.as_slice() } else { &COMPONENTS[..1] };
    let heading = vec![
        Span::styled(format!(" {}", cell("latency by turn, ms", 20)), theme.heading()),
        Span::styled(format!("{:>7}{:>7}{:>7}", "p50", "p95", "p99"), theme.quiet()),
    ];
    let mut lines = vec![Line::from(heading)];
    for component in parts {
        let Some([p50, p95, p99]) = transcript.percentiles(component) else { break };
        let name = component.short_label;
        let symbol =
            SYMBOLS.iter().find(|(part, _)| *part == name).map_or("", |(_, symbol)| symbol);
        let name =
            Span::styled(format!("   {} {} ", cell(symbol, 1), cell(name, 14)), theme.quiet());
        lines.push(Line::from(vec![name, Span::raw(format!("{p50:>8.0}{p95:>7.0}{p99:>7.0}"))]));
    }
    if transcript.turns.is_empty() {
        lines.push(Line::styled(" no turns measured yet", theme.quiet()));
    } else if parts.len() == 1 {
        let symbols = SYMBOLS.map(|(name, symbol)| format!(" {symbol} {name}")).concat();
        lines.push(Line::styled(format!("  {symbols}"), theme.quiet()));
    }
    lines
}

/// Returns the summary and a bar for each of the last turns.
pub fn lines(state: &State, transcript: &Transcript, area: Rect) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let mut lines = summary(state, transcript, area.height);
    let room = usize::from(area.height).saturating_sub(lines.len());
    let longest = transcript
        .turns
        .iter()
        .map(|turn| turn.first_audio.max(turn.engine + turn.speech))
        .fold(1.0, f64::max);
    let cells = usize::from(area.width).saturating_sub(13);
    let scroll =
        if state.call_part == CallPart::Latency { state.scroll[Screen::Call.index()] } else { 0 };
    let first = transcript.turns.len().saturating_sub(room).saturating_sub(scroll);
    for (at, turn) in transcript.turns.iter().enumerate().skip(first).take(room) {
        let label = format!(" {:>3} {:>6.0} ", at + 1, turn.first_audio);
        lines.push(Line::from(vec![
            Span::styled(label, theme.quiet()),
            Span::styled(bar(turn, longest, cells), theme.family("observer")),
        ]));
    }
    lines
}

/// The symbols that the components of a bar are drawn with, in chronological order.
const SYMBOLS: [(&str, &str); 4] = [
    (NAVIGATION.short_label, "█"),
    (RENDER.short_label, "▓"),
    (ENGINE.short_label, "▒"),
    (SPEECH.short_label, "░"),
];

fn bar(turn: &TurnLatency, longest: f64, cells: usize) -> String {
    let rest = (turn.engine - turn.navigation - turn.render).max(0.0);
    let mut bar = String::new();
    let (mut sum, mut filled) = (0.0, 0);
    for ((_, symbol), part) in
        SYMBOLS.into_iter().zip([turn.navigation, turn.render, rest, turn.speech])
    {
        sum += part;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "cells are few"
        )]
        let end = ((sum / longest * cells as f64).round() as usize).min(cells);
        bar.push_str(&symbol.repeat(end.saturating_sub(filled)));
        filled = filled.max(end);
    }
    cell(&bar, cells)
}
