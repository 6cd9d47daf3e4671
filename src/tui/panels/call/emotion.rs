//! The emotion of the caller: a chart of valence and arousal over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget};

use crate::analysis::call::transcript::Transcript;
use crate::tui::state::State;
use crate::tui::text::{cut, length};

/// Draws the chart.
pub fn render(state: &State, transcript: &Transcript, area: Rect, buffer: &mut Buffer) {
    let theme = state.config.theme;
    let (Some((first, ..)), Some((last, ..))) =
        (transcript.emotions.front(), transcript.emotions.back())
    else {
        let hint = Line::styled(" emotion: no data yet", theme.quiet());
        return hint.render(area, buffer);
    };
    let at = |time: &jiff::Timestamp| time.duration_since(*first).as_secs_f64();
    let valence: Vec<_> =
        transcript.emotions.iter().map(|(time, valence, _)| (at(time), *valence)).collect();
    let arousal: Vec<_> =
        transcript.emotions.iter().map(|(time, _, arousal)| (at(time), *arousal)).collect();
    let low =
        if valence.iter().chain(&arousal).any(|(_, value)| *value < 0.0) { -1.0 } else { 0.0 };
    // The lines use different markers, so that they can be distinguished without colours.
    let line = |marker, style, data| {
        Dataset::default().marker(marker).graph_type(GraphType::Line).style(style).data(data)
    };
    let legend = Line::from(vec![
        Span::styled(" emotion  ", theme.heading()),
        Span::styled(
            format!("⠒ valence {:+.2}  ", valence.last().map_or(0.0, |(_, value)| *value)),
            theme.good(),
        ),
        Span::styled(
            format!("• arousal {:.2}", arousal.last().map_or(0.0, |(_, value)| *value)),
            theme.warning(),
        ),
    ]);
    let span = at(last).max(1.0);
    let length = length(last.as_second() - first.as_second());
    let times = if area.height >= 8 { vec!["0s".to_owned(), length] } else { Vec::new() };
    let mut below = area;
    below.y += 1;
    below.height = below.height.saturating_sub(1);
    cut(legend.spans, usize::from(area.width)).render(area, buffer);
    let chart = Chart::new(vec![
        line(Marker::Dot, theme.warning(), arousal.as_slice()),
        line(Marker::Braille, theme.good(), valence.as_slice()),
    ])
    .x_axis(Axis::default().bounds([0.0, span]).labels(times).style(theme.quiet()))
    .y_axis(
        Axis::default()
            .bounds([low, 1.0])
            .labels([format!("{low:.0}"), "1".to_owned()])
            .style(theme.quiet()),
    )
    .legend_position(None);
    chart.render(below, buffer);
}
