//! Graphs of events over time, with their errors and gaps marked on the time axis.

use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::charts::graph::{Graph, GraphMark};
use super::charts::scale::value;
use super::live_stats::{History, SECONDS};
use super::state::State;
use super::text::{count, cut};
use crate::analysis::activity::ActivityBucket;

/// Returns how many lines the charts above lists of that many rows take. They take no room from rows
/// of a low or narrow area, and more if there are few rows.
#[must_use]
pub fn height(area: Rect, rows: usize) -> u16 {
    let most = match (area.width, area.height) {
        (0..110, _) | (_, 0..30) => return 0,
        (_, 30..48) => return 7,
        _ => 25,
    };
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    let free = area.height.saturating_sub(rows.saturating_add(4)).clamp(11, most);
    // The lists move only when several rows were added.
    free - (free - 11) % 7
}

/// Draws the title of a chart. Returns the area below it.
pub fn title(spans: Vec<Span<'static>>, area: Rect, buffer: &mut Buffer) -> Rect {
    let height = area.height.min(1);
    cut(spans, area.width.into()).render(Rect { height, ..area }, buffer);
    Rect { y: area.y + height, height: area.height - height, ..area }
}

/// Formats the end of an axis of rates.
#[must_use]
pub fn per_second(rate: f64) -> String {
    let digits = format!("{rate:.0}");
    match digits.parse() {
        Ok(whole @ 1..) if rate >= 1.0 => format!("{}/s", count(whole)),
        _ if rate >= 0.1 => format!("{rate:.1}/s"),
        _ if rate >= 0.01 => format!("{rate:.2}/s"),
        _ => format!("{:.1}/min", rate * 60.0),
    }
}

/// Formats a count at the end of an axis.
#[must_use]
pub fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    digits.parse().map_or(digits, count)
}

/// Returns the labels of a time axis: times of day, or dates if they are more than a day apart.
#[must_use]
pub fn times(state: &State, (from, to): (Timestamp, Timestamp)) -> [String; 2] {
    let is_long = to.duration_since(from).as_hours() >= 24;
    let format = if is_long { "%m-%d %H:%M:%S" } else { "%H:%M:%S" };
    let zone = &state.config.zone;
    [from, to].map(|time| time.to_zoned(zone.clone()).strftime(format).to_string())
}

/// Draws the events per second of histories, summed, over the whole session.
pub fn render(
    state: &State,
    histories: &[&History],
    style: Style,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = state.config.theme;
    let Some(span) = state.shown().stats.history.span().filter(|_| !histories.is_empty()) else {
        return Line::styled("   no events yet", theme.quiet()).render(area, buffer);
    };
    let all = &state.shown().stats.history;
    let parts = all.buckets().len();
    #[expect(clippy::cast_precision_loss, reason = "a session has seconds")]
    let width = all.width() as f64;
    let (mut values, mut marks) = (vec![0.0; parts], Vec::new());
    for history in histories {
        let rates = history.within(span, parts).into_iter().map(|events| events / width);
        values.iter_mut().zip(rates).for_each(|(sum, rate)| *sum += rate);
        let sum = history.sum();
        let Some((start, _)) = history.span() else { continue };
        for (at, bucket) in (0..).zip(history.buckets()) {
            let second = start.as_second() + at * history.width() - span.0.as_second();
            let at = usize::try_from(second / all.width()).unwrap_or(0).min(parts - 1);
            marks.extend(mark(*bucket, sum, at, theme.error()));
        }
    }
    // A gap matters more than an error in the same place.
    marks.sort_by_key(|mark| mark.symbol == GAP);
    let [from, to] = times(state, span);
    let graph = Graph::new(&values, per_second).styles(style, theme.quiet());
    graph.times(from, to).marks(&marks).render(area, buffer);
}

/// The mark of a gap.
pub const GAP: char = '╳';

/// The mark of errors.
pub const ERROR: char = '!';

fn mark(bucket: ActivityBucket, all: ActivityBucket, at: usize, style: Style) -> Option<GraphMark> {
    let symbol = match bucket {
        _ if bucket.gaps > 0 => GAP,
        _ if bucket.has_unusual_errors(all) => ERROR,
        _ => return None,
    };
    Some(GraphMark { at, symbol, style })
}

/// Draws the events of each of the last seconds.
pub fn render_recent(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let rates = &state.shown().stats.rates;
    let sum = |back: usize| {
        let second = |seconds: &std::collections::VecDeque<u64>| {
            seconds.get(seconds.len().checked_sub(back)?).copied()
        };
        let known: Vec<_> = rates.values().filter_map(second).collect();
        if known.is_empty() { f64::NAN } else { value(known.iter().sum()) }
    };
    let values: Vec<_> = (1..=SECONDS).rev().map(sum).collect();
    let to = state.shown().stats.rates_until();
    let length = SignedDuration::from_secs(i64::try_from(SECONDS).unwrap_or(0));
    let from = to.checked_sub(length).unwrap_or(to);
    let [from, to] = times(state, (from, to));
    let graph = Graph::new(&values, per_second).styles(theme.family("observer"), theme.quiet());
    graph.times(from, to).render(area, buffer);
}
