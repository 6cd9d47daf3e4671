//! The status of the stream beside the tabs: the pause, the search and the filter.

use ratatui::text::Span;

use crate::text::terminal;
use crate::tui::state::State;
use crate::tui::text::{cell, count};

/// Returns the status of the stream.
pub fn spans(state: &State) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let mut spans = Vec::new();
    if let Some((arrived, dropped)) = state.buffer.arrived() {
        let word = if state.size.0 < 60 { "‖" } else { "PAUSED," };
        let lost =
            if dropped > 0 { format!(", {} not kept", count(dropped)) } else { String::new() };
        let text = format!(" {word} {} new{lost} ", count(arrived));
        spans.push(Span::styled(text, theme.warning()));
    } else if !state.follow {
        let rows = state.rows();
        let below = rows.len().saturating_sub(rows.place(state.selected) + 1) as u64;
        spans.push(Span::styled(format!(" {} below ", count(below)), theme.quiet()));
    }
    if let Some(search) = &state.search {
        let is_finished = search.is_finished(state.listed().tested);
        let pending = if is_finished { "" } else { "…" };
        let (place, all) = search.position(state.selected);
        let place = place.map_or_else(|| "–".to_owned(), |place| count(place as u64));
        let pattern = terminal::visible(&search.pattern).into_owned();
        let pattern = cell(&pattern, pattern.chars().count().min(24));
        let text = format!(" /{pattern} {place}/{}{pending} ", count(all as u64));
        spans.push(Span::styled(text, theme.key()));
    }
    if let Some(filter) = &state.filter {
        let source = terminal::visible(&filter.source).into_owned();
        if state.filter_enabled {
            let listed = count(state.events().len() as u64);
            let all = count(state.buffer.end() - state.buffer.first());
            let pending = if filter.is_finished(&state.buffer) { "" } else { "…" };
            spans.push(Span::styled(format!(" {listed}{pending} of {all} "), theme.heading()));
            if state.size.0 >= 100 {
                let source = cell(&source, source.chars().count().min(48));
                spans.push(Span::styled(format!(" {source} "), theme.key()));
            }
        } else {
            spans.push(Span::styled(" filter off ", theme.quiet()));
        }
    }
    spans
}
