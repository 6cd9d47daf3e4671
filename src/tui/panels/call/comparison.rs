//! Two calls side by side: the differences in numbers, and both pictures with the same scale.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::axis::{TimeAxis, whole_call};
use super::conversation::{ConversationView, first_line};
use super::picture::{LanePicture, lanes, longest_latency, picture_area};
use crate::analysis::call::Call;
use crate::analysis::call::transcript::TranscriptItem;
use crate::analysis::latency::FIRST_AUDIO;
use crate::text::terminal;
use crate::tui::call_cursor;
use crate::tui::layout::columns;
use crate::tui::scrolling::render_lines;
use crate::tui::state::State;
use crate::tui::text::{cell, cut, length};

/// The minimum width for showing the calls beside each other rather than one below the other.
const BESIDE_MIN_WIDTH: u16 = 110;

/// The scale that both calls have in common.
#[derive(Clone, Copy)]
struct CommonScale {
    /// The length of the axis, in milliseconds.
    span: i64,
    /// The latency that fills a lane, in milliseconds.
    latency: f64,
    /// The distance of the cursor from the start of a call, in milliseconds.
    cursor: Option<i64>,
}

/// A call that is compared.
#[derive(Clone, Copy)]
pub struct ComparedCall<'a> {
    /// The SID.
    pub sid: &'a str,
    /// The call.
    pub call: &'a Call,
}

/// Draws the comparison of two calls.
pub fn render(
    state: &State,
    one: ComparedCall<'_>,
    other: ComparedCall<'_>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let table = table(state, one.call, other.call, area);
    let height = u16::try_from(table.len()).unwrap_or(0).min(area.height);
    render_lines(table, 0, Rect { height, ..area }, buffer);
    let rest = Rect { y: area.y + height, height: area.height - height, ..area };
    let areas = if area.width >= BESIDE_MIN_WIDTH {
        columns(rest, 2)
    } else {
        let half = rest.height.div_ceil(2);
        let below = Rect { y: rest.y + half, height: rest.height - half, ..rest };
        vec![Rect { height: half, ..rest }, below]
    };
    let spans = [one.call, other.call].map(|call| whole_call(state, call));
    let cursor = call_cursor::position(state.call_view.cursor, &one.call.transcript);
    let scale = CommonScale {
        span: spans.iter().map(|(began, end)| end - began).max().unwrap_or(0),
        latency: longest_latency(one.call).max(longest_latency(other.call)),
        cursor: cursor.map(|(_, time)| time.as_millisecond() - spans[0].0),
    };
    for ((compared, (began, _)), area) in [one, other].into_iter().zip(spans).zip(areas) {
        render_call(state, compared, began, scale, area, buffer);
    }
}

/// Draws one of the calls, with the cursor at the same distance from its start as in the other.
fn render_call(
    state: &State,
    ComparedCall { sid, call }: ComparedCall<'_>,
    began: i64,
    scale: CommonScale,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = state.config.theme;
    let time = scale.cursor.and_then(|it| Timestamp::from_millisecond(began + it).ok());
    let title = format!(" {} ", terminal::visible(sid));
    let outcome = match &call.ended {
        None => call.state.as_deref().unwrap_or("active"),
        Some((_, reason)) => reason,
    };
    let title = vec![
        Span::styled(title, theme.heading()),
        Span::styled(terminal::visible(outcome).into_owned(), theme.quiet()),
    ];
    let columns = usize::from(area.width);
    cut(title, columns).render(Rect { height: area.height.min(1), ..area }, buffer);
    let below = area.height.saturating_sub(1);
    // A low area shows the lanes alone, because they can be compared.
    let room = if below >= 16 { below * 11 / 20 } else { below };
    let shown = lanes(room);
    let height: u16 = shown.iter().map(|lane| lane.height).sum();
    let top = Rect { y: area.y + 1, height, ..area };
    let (span, cells) = ((began, began + scale.span), picture_area(top).width);
    let axis = TimeAxis::new(span, cells, state.call_view.zoom, time);
    let is_chosen = state.call_view.cursor.is_some();
    let picture = LanePicture {
        theme,
        call,
        axis,
        now: state.reference_time(),
        longest: scale.latency,
        cursor: time.map(|time| (time, is_chosen)),
    };
    picture.render(&shown, top, buffer);
    let rest = Rect { y: area.y + 1 + height, height: below.saturating_sub(height), ..area };
    if rest.height == 0 {
        return;
    }
    let transcript = &call.transcript;
    let selected = time.and_then(|time| call_cursor::at_time(transcript, time));
    let selected = selected.map(|cursor| cursor.item);
    let view = ConversationView {
        theme,
        transcript,
        origin: axis.origin,
        selected,
        search: state.call_view.search.as_ref().map(|search| &search.grep),
        width: columns,
    };
    let lines = view.lines();
    let first = first_line(&lines, None, selected, rest.height.into());
    render_lines(lines.into_iter().map(|(_, line)| line).collect(), first, rest, buffer);
}

/// A number of a call that is compared, and how it is written.
struct ComparedNumber {
    name: &'static str,
    numbers: [Option<f64>; 2],
    is_time: bool,
}

/// Returns the table of the differences.
fn table(state: &State, one: &Call, other: &Call, area: Rect) -> Vec<Line<'static>> {
    let theme = state.config.theme;
    let calls = [one, other];
    let percentile = |which: usize| {
        calls.map(|call| call.transcript.percentiles(&FIRST_AUDIO).map(|all| all[which]))
    };
    let row = |name, numbers, is_time| ComparedNumber { name, numbers, is_time };
    #[expect(clippy::cast_precision_loss, reason = "they are small")]
    let number =
        |value: fn(&State, &Call) -> u64| calls.map(|call| Some(value(state, call) as f64));
    let rows = [
        row("first audio p50, ms", percentile(0), false),
        row("first audio p95, ms", percentile(1), false),
        row("duration", number(duration), true),
        row("turns", number(|_, call| call.transcript.turn_count), false),
        row("tool calls", number(|_, call| tools(call)), false),
        row("failed tool calls", number(|_, call| call.transcript.failures), false),
    ];
    let width = usize::from(area.width);
    let name_width = width.saturating_sub(37).min(20);
    let heading =
        format!(" {} {:>10} {:>10} {:>12}", cell("", name_width), "first", "second", "difference");
    let mut lines = vec![Line::styled(heading, theme.quiet())];
    // The pictures need room, too.
    let shown = if area.height >= 20 { rows.len() } else { 3 };
    for ComparedNumber { name, numbers: [first, second], is_time } in rows.into_iter().take(shown) {
        let text = |number: Option<f64>| number.map_or("–".to_owned(), |it| written(it, is_time));
        let difference = first.zip(second).map(|(first, second)| second - first);
        let (change, style) = match difference {
            None => ("–".to_owned(), theme.quiet()),
            Some(it) if it.abs() < 0.5 => ("=".to_owned(), theme.quiet()),
            Some(it) if it < 0.0 => (format!("-{}", written(-it, is_time)), Style::new()),
            Some(it) => (format!("+{}", written(it, is_time)), theme.heading()),
        };
        lines.push(Line::from(vec![
            Span::styled(format!(" {} ", cell(name, name_width)), theme.quiet()),
            Span::raw(format!("{:>10} {:>10} ", text(first), text(second))),
            Span::styled(format!("{change:>12}"), style),
        ]));
    }
    lines
}

fn written(number: f64, is_time: bool) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "it is a number of seconds")]
    if is_time { length(number as i64) } else { format!("{number:.0}") }
}

fn duration(state: &State, call: &Call) -> u64 {
    call.length(state.reference_time()).unsigned_abs()
}

fn tools(call: &Call) -> u64 {
    let items = call.transcript.items.iter();
    items.filter(|(_, item)| matches!(item, TranscriptItem::Tool { .. })).count() as u64
}
