//! Where the time of the agent's turns went: the turn under the cursor, and all turns with their
//! percentiles.
//!
//! A turn has four parts, each with a hue and a texture of its own. They add up to the time to the
//! first audio, together with the time that no part accounts for or that parts have in common.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::analysis::call::transcript::Transcript;
use crate::analysis::latency::{
    FIRST_AUDIO, LatencyComponent, NAVIGATION, RENDER, SPEECH, TurnLatency,
};
use crate::tui::charts::bar::{BarPart, stacked_bar};
use crate::tui::charts::scale::steps;
use crate::tui::scrolling::render_lines;
use crate::tui::style::Theme;
use crate::tui::text::{cell, cut, width};

/// The lines above the turns: the names of the columns, the whole, and four parts.
const SUMMARY_LINES: usize = 6;

/// The fewest lines with which the percentiles of each part are shown.
const FULL_LINES: u16 = 14;

/// The engine's time besides navigation and rendering, which is mostly that of the model.
const MODEL: LatencyComponent = LatencyComponent {
    field: "engine_ms",
    label: "model",
    short_label: "model",
    value: |turn| (turn.engine - turn.navigation - turn.render).max(0.0),
};

/// A part of a turn, and how it is drawn.
struct WaterfallPart {
    component: &'static LatencyComponent,
    /// The name in a line that has little room.
    name: &'static str,
    symbol: char,
    style: fn(Theme) -> Style,
}

/// The parts of a turn, in the order in which they follow each other.
const PARTS: [WaterfallPart; 4] = [
    WaterfallPart {
        component: &NAVIGATION,
        name: "nav",
        symbol: '█',
        style: |theme| theme.family("surface"),
    },
    WaterfallPart {
        component: &RENDER,
        name: "render",
        symbol: '▓',
        style: |theme| theme.family("operator"),
    },
    WaterfallPart {
        component: &MODEL,
        name: "model",
        symbol: '▒',
        style: |theme| theme.family("observer"),
    },
    WaterfallPart {
        component: &SPEECH,
        name: "speech",
        symbol: '░',
        style: |theme| theme.family("call"),
    },
];

/// The symbol of the time that no part accounts for.
const UNKNOWN: char = '·';

/// Returns the four parts of a turn as they were measured, in milliseconds.
fn parts(turn: &TurnLatency) -> [f64; 4] {
    PARTS.each_ref().map(|part| (part.component.value)(turn))
}

/// Returns how long a turn took, in milliseconds: the time to its first audio, or else that of its
/// parts.
fn length(turn: &TurnLatency) -> f64 {
    if turn.first_audio > 0.0 { turn.first_audio } else { parts(turn).iter().sum() }
}

/// Returns the parts as they are drawn, which together are as long as the turn, and the rest of the
/// turn. Parts that overlap are shortened.
fn drawn_parts(turn: &TurnLatency) -> [f64; 5] {
    let [mut navigation, mut render, model, mut speech] = parts(turn);
    let engine = navigation + render;
    if engine > turn.engine && turn.engine > 0.0 {
        (navigation, render) = (navigation / engine * turn.engine, render / engine * turn.engine);
    }
    let (sum, whole) = (navigation + render + model + speech, length(turn));
    let share = if sum > whole { whole / sum } else { 1.0 };
    speech *= share;
    // Less than a millisecond is a difference of rounding.
    let rest = if whole - sum < 1.0 { 0.0 } else { whole - sum };
    [navigation * share, render * share, model * share, speech, rest]
}

/// The parts of a turn in whole milliseconds. The parts and the difference add up to the total.
#[derive(Debug, PartialEq, Eq)]
struct WholeParts {
    parts: [i64; 4],
    /// The time that no part accounts for; negative if parts overlap.
    difference: i64,
    total: i64,
}

impl WholeParts {
    fn new(turn: &TurnLatency) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "it is a number of milliseconds")]
        let whole = |number: f64| number.min(1e15) as i64;
        let numbers = parts(turn);
        let (sum, length) = (numbers.iter().sum::<f64>(), length(turn));
        let total = whole(length.round());
        // A difference of less than a millisecond is one of rounding.
        let target = if (sum - length).abs() < 1.0 { total } else { whole(sum.round()) };
        let mut parts = numbers.map(whole);
        let mut order = [0, 1, 2, 3];
        order.sort_by(|one: &usize, other| {
            numbers[*other].fract().total_cmp(&numbers[*one].fract())
        });
        let left = target - parts.iter().sum::<i64>();
        for at in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
            parts[at] += 1;
        }
        Self { parts, difference: total - parts.iter().sum::<i64>(), total }
    }
}

/// Draws the turn with that index: its parts in numbers, and as a bar.
pub fn render_turn(
    theme: Theme,
    transcript: &Transcript,
    index: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height == 0 {
        return;
    }
    let turn = index.and_then(|index| Some((index, &transcript.turns.get(index)?.latency)));
    let Some((index, turn)) = turn else {
        let hint = Line::styled(" latency: no turns measured yet", theme.quiet());
        return hint.render(area, buffer);
    };
    let WholeParts { parts, difference, total } = WholeParts::new(turn);
    let slowest = transcript.turns.iter().map(|turn| turn.latency.first_audio).fold(0.0, f64::max);
    let mut spans = vec![Span::styled(format!(" turn {} {total} ms ", index + 1), theme.heading())];
    for (part, number) in PARTS.iter().zip(parts) {
        let text = format!(" {}{} {number}", part.symbol, part.name);
        spans.push(Span::styled(text, (part.style)(theme)));
    }
    match difference {
        0 => {}
        1.. => spans.push(Span::styled(format!(" {UNKNOWN}other {difference}"), theme.quiet())),
        _ => spans.push(Span::styled(format!(" overlap {difference}"), theme.quiet())),
    }
    if turn.first_audio >= slowest && transcript.turns.len() > 1 {
        spans.push(Span::styled("  slowest", theme.warning()));
    }
    let (columns, taken) = (usize::from(area.width), width(&spans));
    if area.height == 1 && columns > taken + 12 {
        spans.push(Span::raw("  "));
        spans.extend(bar(theme, turn, length(turn), columns - taken - 3));
    }
    cut(spans, columns).render(Rect { height: area.height.min(1), ..area }, buffer);
    if area.height > 1 {
        let mut bar = bar(theme, turn, length(turn), columns.saturating_sub(2));
        bar.insert(0, Span::raw(" "));
        Line::from(bar).render(Rect { y: area.y + 1, height: 1, ..area }, buffer);
    }
}

/// Draws the percentiles and a bar for each turn. The turn with the index `current` is visible.
pub fn render(
    theme: Theme,
    transcript: &Transcript,
    current: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let mut lines = summary(theme, transcript, area);
    let room = usize::from(area.height).saturating_sub(lines.len());
    let first = first_turn(transcript.turns.len(), current, room);
    let is_spaced = turn_lines(transcript.turns.len(), room) > 1;
    let longest = transcript.turns.iter().map(|turn| length(&turn.latency)).fold(1.0, f64::max);
    let cells = usize::from(area.width).saturating_sub(14);
    for (at, turn) in transcript.turns.iter().enumerate().skip(first).take(room) {
        let is_current = current == Some(at);
        let label = format!(
            "{}{:>3} {:>7.0} ",
            if is_current { "▶" } else { " " },
            at + 1,
            turn.latency.first_audio
        );
        let style = if is_current { theme.selected() } else { theme.quiet() };
        let mut spans = vec![Span::styled(label, style), Span::raw(" ")];
        spans.extend(bar(theme, &turn.latency, longest, cells));
        lines.push(Line::from(spans));
        if is_spaced {
            lines.push(Line::default());
        }
    }
    render_lines(lines, 0, area, buffer);
}

/// Returns the index of the turn on a line of the area, if there is one.
#[must_use]
pub fn turn_at(
    transcript: &Transcript,
    current: Option<usize>,
    area: Rect,
    y: u16,
) -> Option<usize> {
    let above = summary_lines(area);
    let line = usize::from(y - area.y).checked_sub(above)?;
    let room = usize::from(area.height).saturating_sub(above);
    let turns = transcript.turns.len();
    let turn = first_turn(turns, current, room) + line / turn_lines(turns, room);
    (turn < turns).then_some(turn)
}

/// Returns how many lines each turn takes: with an empty one below it if there is room, so that bars
/// do not touch.
const fn turn_lines(turns: usize, room: usize) -> usize {
    if turns * 2 <= room + 1 { 2 } else { 1 }
}

/// Returns the index of the first visible turn.
fn first_turn(turns: usize, current: Option<usize>, room: usize) -> usize {
    let last = turns.saturating_sub(room);
    current.map_or(last, |current| current.saturating_sub(room / 2).min(last))
}

/// Returns how many lines come before the turns.
fn summary_lines(area: Rect) -> usize {
    if area.height >= FULL_LINES { SUMMARY_LINES } else { 2 }
}

/// Returns the percentiles of all turns: of each part if there is room, else of the whole.
fn summary(theme: Theme, transcript: &Transcript, area: Rect) -> Vec<Line<'static>> {
    let name_width = usize::from(area.width).saturating_sub(29).clamp(8, 14);
    let mut lines = vec![Line::from(vec![
        Span::styled(format!(" {}", cell("latency by turn, ms", name_width + 6)), theme.heading()),
        Span::styled(format!("{:>7}{:>7}{:>7}", "p50", "p95", "p99"), theme.quiet()),
    ])];
    let parts = PARTS.iter().map(|part| (part.component, part.symbol, (part.style)(theme)));
    let all = std::iter::once((&FIRST_AUDIO, ' ', theme.heading())).chain(parts);
    for (component, symbol, style) in all.take(summary_lines(area) - 1) {
        let Some([p50, p95, p99]) = transcript.percentiles(component) else {
            lines.push(Line::styled("   no turns measured yet", theme.quiet()));
            break;
        };
        let name = cell(component.short_label, name_width);
        lines.push(Line::from(vec![
            Span::styled(format!("   {symbol} {name} "), style),
            Span::raw(format!("{p50:>8.0}{p95:>7.0}{p99:>7.0}")),
        ]));
    }
    lines
}

/// Returns a bar of the parts of a turn. A turn of the length `longest` fills all cells.
fn bar(theme: Theme, turn: &TurnLatency, longest: f64, cells: usize) -> Vec<Span<'static>> {
    let symbols = PARTS.iter().map(|part| (part.symbol, (part.style)(theme)));
    let symbols = symbols.chain(std::iter::once((UNKNOWN, theme.quiet())));
    let parts = symbols.zip(drawn_parts(turn));
    let parts = parts.map(|((symbol, style), value)| BarPart { value, symbol, style });
    stacked_bar(&parts.collect::<Vec<_>>(), steps(length(turn) / longest.max(1.0), cells))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::style::{BackgroundTone, Depth};

    fn turn([engine, navigation, render, speech, first_audio]: [f64; 5]) -> TurnLatency {
        TurnLatency { engine, navigation, render, speech, first_audio }
    }

    proptest! {
        #[test]
        fn parts_add_up(numbers in proptest::array::uniform5(0.0..100_000.0_f64)) {
            let turn = turn(numbers);
            let WholeParts { parts: whole, difference, total } = WholeParts::new(&turn);
            prop_assert_eq!(whole.iter().sum::<i64>() + difference, total);
            for (part, number) in whole.iter().zip(parts(&turn)) {
                #[expect(clippy::cast_precision_loss, reason = "it is small")]
                let difference = (*part as f64 - number).abs();
                prop_assert!(difference < 1.0);
            }
            let drawn: f64 = drawn_parts(&turn).iter().sum();
            prop_assert!((drawn - length(&turn)).abs() <= 1.0, "{} {}", drawn, length(&turn));
        }
    }

    #[test]
    fn time_beside_the_parts_and_time_in_common_are_named() {
        let whole = |numbers| {
            let WholeParts { parts, difference, total } = WholeParts::new(&turn(numbers));
            (parts, difference, total)
        };
        let all = whole([300.0, 100.0, 50.0, 200.0, 620.0]);
        assert_eq!(all, ([100, 50, 150, 200], 120, 620));
        let all = whole([300.0, 250.0, 150.0, 200.0, 500.0]);
        assert_eq!(all, ([250, 150, 0, 200], -100, 500));
        let all = whole([492.5, 136.7, 83.2, 181.5, 674.0]);
        assert_eq!(all, ([137, 83, 273, 181], 0, 674), "rounding makes no difference");
        assert_eq!(whole([300.0, 100.0, 50.0, 200.0, 0.0]), ([100, 50, 150, 200], 0, 500));
    }

    #[test]
    fn turns_are_apart_if_there_is_room() {
        assert_eq!(
            [(3, 5), (3, 4), (1, 1), (9, 8)].map(|(turns, room)| turn_lines(turns, room)),
            [2, 1, 2, 1]
        );
    }

    #[test]
    fn parts_differ_in_hue_and_in_texture() {
        let distinct = |texts: Vec<String>| {
            texts.iter().enumerate().all(|(at, text)| !texts[..at].contains(text))
        };
        assert!(distinct(PARTS.iter().map(|part| part.symbol.to_string()).collect()));
        for background in [None, Some(BackgroundTone::Dark), Some(BackgroundTone::Light)] {
            let theme = Theme::new(Depth::TrueColour, background);
            let hues = PARTS.iter().map(|part| format!("{:?}", (part.style)(theme).fg));
            assert!(distinct(hues.collect()), "{background:?}");
        }
    }

    #[test]
    fn the_current_turn_is_visible() {
        for current in 0..50 {
            let first = first_turn(50, Some(current), 8);
            assert!((first..first + 8).contains(&current), "{current} {first}");
        }
        assert_eq!((first_turn(50, None, 8), first_turn(3, Some(2), 8)), (42, 0));
    }
}
