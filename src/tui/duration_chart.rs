//! A histogram of durations.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::charts::histogram::Histogram;
use super::charts::scale::bin_width;
use super::history_graph::title;
use super::state::State;
use crate::analysis::latency::{COMPONENTS, FIRST_AUDIO};
use crate::analysis::stats::histogram::DurationHistogram;
use crate::analysis::stats::text::span;

/// The number of bins that a histogram has at most, besides the last one.
const MAX_BINS: u32 = 16;

/// The longest duration whose limits are in milliseconds.
const MAX_MILLIS: f64 = 10_000.0;

/// Returns bins of the same width up to the 99th percentile, the last of which has all longer
/// durations, and the unit of their limits.
#[must_use]
pub fn bins(durations: &DurationHistogram) -> Option<(Vec<(String, u64)>, &'static str)> {
    let ((min, _), [_, _, p99]) = durations.bounds().zip(durations.percentiles())?;
    let width = bin_width((p99 - min) / f64::from(MAX_BINS));
    let first = (min / width).floor() * width;
    let limits: Vec<_> = (0..=MAX_BINS)
        .map(|bin| first + f64::from(bin) * width)
        .take_while(|limit| *limit <= p99)
        .collect();
    let is_short = p99 < MAX_MILLIS;
    let label = |limit: f64| match () {
        () if is_short => format!("{limit:.0}"),
        () if width < 1000.0 => format!("{:.1}", limit / 1000.0),
        () => format!("{:.0}", limit / 1000.0),
    };
    let labels = limits.iter().map(|limit| label(*limit));
    Some((labels.zip(durations.counts(&limits)).collect(), if is_short { "ms" } else { "s" }))
}

/// Draws the histogram of the times to the first audio.
pub fn first_audio(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let place = COMPONENTS.iter().position(|component| component.field == FIRST_AUDIO.field);
    let Some(durations) = place.map(|place| &state.shown().stats.totals.latency[place]) else {
        return;
    };
    let mut heading = vec![Span::styled(" First audio", theme.heading())];
    let Some((bins, unit)) = bins(durations) else {
        let area = title(heading, area, buffer);
        return Line::styled("   no turns measured yet", theme.quiet()).render(area, buffer);
    };
    if let Some([p50, p95, _]) = durations.percentiles() {
        let text = format!("  turns by {unit}, p50 {}, p95 {}", span(p50), span(p95));
        heading.push(Span::styled(text, theme.quiet()));
    }
    let area = title(heading, area, buffer);
    Histogram::new(&bins, theme.family("observer"), theme.quiet()).render(area, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_have_round_limits_and_the_last_one_has_all_longer_durations() {
        let mut durations = DurationHistogram::default();
        assert_eq!(bins(&durations), None);
        (0..100).for_each(|number| durations.add(503.0 + f64::from(number) * 4.0));
        durations.add(90_000.0);
        let (bins_of, unit) = bins(&durations).expect("there are durations");
        assert_eq!(unit, "ms");
        assert_eq!(bins_of[0], ("500".to_owned(), 12));
        assert_eq!(bins_of[1].0, "550");
        assert_eq!(bins_of.iter().map(|(_, count)| count).sum::<u64>(), 101);
        assert!(bins_of.len() <= 17, "{bins_of:?}");
        let mut same = DurationHistogram::default();
        (0..3).for_each(|_| same.add(60_000.0));
        assert_eq!(bins(&same), Some((vec![("60.0".to_owned(), 3)], "s")));
    }
}
