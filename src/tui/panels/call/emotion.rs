//! The emotion of the caller: a chart of valence and arousal over time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Widget};

use crate::analysis::call::Call;
use crate::tui::state::State;
use crate::tui::text::{cut, length};

/// Draws the chart.
pub fn render(state: &State, call: &Call, area: Rect, buffer: &mut Buffer) {
    let transcript = &call.transcript;
    let theme = state.config.theme;
    let (Some((first, ..)), Some((last, ..))) =
        (transcript.emotions.front(), transcript.emotions.back())
    else {
        let hint = Line::styled(" emotion: no data yet", theme.quiet());
        return hint.render(area, buffer);
    };
    // The axis covers the whole call, so that it can be compared with the conversation.
    let began = call.began.map_or(*first, |began| began.min(*first));
    let at = |time: &jiff::Timestamp| time.duration_since(began).as_secs_f64();
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
    let seconds = call.length(state.reference_time()).max(last.as_second() - began.as_second());
    #[expect(clippy::cast_precision_loss, reason = "a call is not that long")]
    let span = (seconds as f64).max(1.0);
    let times = if area.height >= 8 { vec!["0s".to_owned(), length(seconds)] } else { Vec::new() };
    let zero = [(0.0, 0.0), (span, 0.0)];
    let zero = if low < 0.0 { zero.as_slice() } else { &[] };
    let mut below = area;
    below.y += 1;
    below.height = below.height.saturating_sub(1);
    cut(legend.spans, usize::from(area.width)).render(area, buffer);
    let values = if low < 0.0 { vec!["-1", "0", "1"] } else { vec!["0", "1"] };
    let chart = Chart::new(vec![
        line(Marker::Dot, theme.quiet(), zero),
        line(Marker::Dot, theme.warning(), arousal.as_slice()),
        line(Marker::Braille, theme.good(), valence.as_slice()),
    ])
    .x_axis(Axis::default().bounds([0.0, span]).labels(times).style(theme.quiet()))
    .y_axis(Axis::default().bounds([low, 1.0]).labels(values).style(theme.quiet()))
    .legend_position(None);
    chart.render(below, buffer);
}
