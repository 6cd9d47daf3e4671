//! The latency of a call's turns: percentiles, and a bar with the components of each turn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::analysis::call::transcript::Transcript;
use crate::analysis::latency::{
    FIRST_AUDIO, LatencyComponent, NAVIGATION, RENDER, SPEECH, TurnLatency,
};
use crate::tui::scrolling::render_lines;
use crate::tui::state::State;
use crate::tui::state::modes::{CallLine, CallPart};
use crate::tui::text::cell;

/// Engine time besides navigation and rendering, so that the parts of a turn add up.
const OTHER_ENGINE: LatencyComponent = LatencyComponent {
    field: "engine_ms",
    label: "other engine",
    short_label: "other engine",
    value: |turn| (turn.engine - turn.navigation - turn.render).max(0.0),
};

/// The whole of a turn, and then the parts that it consists of.
const PARTS: [&LatencyComponent; 5] = [&FIRST_AUDIO, &NAVIGATION, &RENDER, &OTHER_ENGINE, &SPEECH];

/// Returns how many lines come before the turns.
pub fn summary_height(state: &State, transcript: &Transcript, height: u16) -> u16 {
    u16::try_from(summary(state, transcript, Rect { height, ..Rect::default() }).len())
        .unwrap_or(u16::MAX)
}

/// Returns the percentiles of all turns: of each component if there is room, else of the total.
fn summary(state: &State, transcript: &Transcript, area: Rect) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let parts = if area.height >= 11 { PARTS.as_slice() } else { &PARTS[..1] };
    let name_width = usize::from(area.width).saturating_sub(29).clamp(8, 14);
    let heading = vec![
        Span::styled(format!(" {}", cell("latency by turn, ms", name_width + 6)), theme.heading()),
        Span::styled(format!("{:>7}{:>7}{:>7}", "p50", "p95", "p99"), theme.quiet()),
    ];
    let mut lines = vec![Line::from(heading)];
    for component in parts {
        let Some([p50, p95, p99]) = transcript.percentiles(component) else { break };
        let name = component.short_label;
        let symbol =
            SYMBOLS.iter().find(|(part, _)| *part == name).map_or("", |(_, symbol)| symbol);
        let name = Span::styled(
            format!("   {} {} ", cell(symbol, 1), cell(name, name_width)),
            theme.quiet(),
        );
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

/// Draws the summary and a bar for each turn that fits.
pub fn render(state: &State, transcript: &Transcript, area: Rect, buffer: &mut Buffer) {
    let mut lines = summary(state, transcript, area);
    let room = usize::from(area.height).saturating_sub(lines.len());
    let turns = turns(state, transcript, area);
    let last = turns.len().saturating_sub(room);
    let top = state.call_top.filter(|_| state.call_part == CallPart::Latency);
    let first = top.and_then(|top| usize::try_from(top.item).ok()).map_or(last, |at| at.min(last));
    lines.extend(turns.into_iter().skip(first).take(room).map(|(_, line)| line));
    render_lines(lines, 0, area, buffer);
}

/// Returns a bar for each turn, with the number of the turn.
pub fn turns(state: &State, transcript: &Transcript, area: Rect) -> Vec<(CallLine, Line<'static>)> {
    let theme = state.config.theme;
    let longest = transcript
        .turns
        .iter()
        .map(|turn| turn.first_audio.max(turn.engine + turn.speech))
        .fold(1.0, f64::max);
    let cells = usize::from(area.width).saturating_sub(13);
    let line = |(item, turn): (u64, &TurnLatency)| {
        let label = format!(" {:>3} {:>6.0} ", item + 1, turn.first_audio);
        let spans = vec![
            Span::styled(label, theme.quiet()),
            Span::styled(bar(turn, longest, cells), theme.family("observer")),
        ];
        (CallLine { item, line: 0 }, Line::from(spans))
    };
    (0..).zip(&transcript.turns).map(line).collect()
}

/// The symbols that the components of a bar are drawn with, in chronological order.
const SYMBOLS: [(&str, &str); 4] = [
    (NAVIGATION.short_label, "█"),
    (RENDER.short_label, "▓"),
    (OTHER_ENGINE.short_label, "▒"),
    (SPEECH.short_label, "░"),
];

fn bar(turn: &TurnLatency, longest: f64, cells: usize) -> String {
    let mut bar = String::new();
    let (mut sum, mut filled) = (0.0, 0);
    for ((_, symbol), part) in SYMBOLS.into_iter().zip([
        turn.navigation,
        turn.render,
        (OTHER_ENGINE.value)(turn),
        turn.speech,
    ]) {
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
