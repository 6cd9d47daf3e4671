//! The header and the line of the tabs.
//!
//! The header shows the source, the connection, the counts and whether values are revealed. The
//! line below shows the tabs and the status: the pause, the search and the filter.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;
use ratatui::widgets::Widget;

use crate::model::Kind;
use crate::text::terminal;
use crate::tui::layout::ScreenLayout;
use crate::tui::panels::panel;
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::state::connections::ConnectionStatus;
use crate::tui::text::{cell, count, counted, length, sides, width};

/// Draws the header and the line of the tabs.
pub fn render(state: &State, header: Rect, tabs: Rect, buffer: &mut Buffer) {
    let (privacy, columns) = (privacy(state), usize::from(header.width));
    let room = columns.saturating_sub(width(&privacy));
    sides(summary(state, header.width, room), privacy, columns).render(header, buffer);
    if tabs.height > 0 {
        let columns = usize::from(tabs.width);
        sides(tab_spans(state), status(state), columns).render(tabs, buffer);
    }
}

/// Returns the source, its connection, the rate and the counts.
fn summary(state: &State, columns: u16, room: usize) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let (totals, filtered_out) = (&state.stats.totals, &state.stats.filtered_out);
    let title = format!(" {} ", terminal::visible(&state.config.title));
    let mut spans = vec![Span::styled(title, theme.heading())];
    spans.extend(connection(state, columns));
    let mut part = |text: String, style| {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(text, style));
    };
    part(format!("{}/s", count(state.stats.rate())), theme.heading());
    part(counted(totals.events + filtered_out.events, "event"), theme.quiet());
    let gaps = totals.count_of(Kind::TapGap) + filtered_out.gaps;
    let malformed = totals.count_of(Kind::TapMalformed) + filtered_out.malformed;
    let drifted = totals.drifted + filtered_out.drifted;
    let counts = [
        ("gaps", gaps, theme.error()),
        ("malformed", malformed, theme.error()),
        ("drift", drifted, theme.warning()),
        ("filtered out", filtered_out.events, theme.quiet()),
    ]
    .map(|(name, number, style)| (format!("  {name} {}", count(number)), number > 0, style));
    // Counts above zero are always shown; zeros are shown only if there is room.
    let needed: usize =
        counts.iter().filter(|(_, is_nonzero, _)| *is_nonzero).map(|(text, ..)| text.len()).sum();
    let mut room = room.saturating_sub(width(&spans) + needed + 1);
    for (text, is_nonzero, style) in counts {
        if is_nonzero {
            spans.push(Span::styled(text, style));
        } else if text.len() <= room {
            room -= text.len();
            spans.push(Span::styled(text, theme.quiet()));
        }
    }
    spans
}

/// Returns the state of the connections, or the pace of a replay.
fn connection(state: &State, columns: u16) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let connections = &state.connections;
    if let Some(pace) = state.config.pace.as_ref().filter(|_| !connections.is_ended()) {
        return vec![Span::styled(pace.label(), theme.good())];
    }
    let age = state.stats.last.map(|last| state.now.as_second() - last.as_second());
    let age = age.map_or_else(String::new, |age| format!(" {}", length(age)));
    let open = connections.open.len();
    match &connections.status {
        ConnectionStatus::Waiting => vec![Span::styled("○ waiting", theme.quiet())],
        ConnectionStatus::Live => {
            let streams = if open > 1 { format!(" {open} streams") } else { String::new() };
            vec![Span::styled("● live", theme.good()), Span::styled(streams + &age, theme.quiet())]
        }
        ConnectionStatus::Reconnecting(why) => {
            let is_lost = |status: &ConnectionStatus| *status != ConnectionStatus::Live;
            let lost = connections.open.iter().filter(|(_, status)| is_lost(status)).count();
            let of = if open > 1 { format!(" {lost} of {open}") } else { String::new() };
            let rest = if columns >= 160 { format!(": {}", terminal::visible(why)) } else { age };
            vec![
                Span::styled(format!("◌ reconnecting{of}"), theme.warning()),
                Span::styled(rest, theme.warning()),
            ]
        }
        ConnectionStatus::Ended => vec![Span::styled("■ ended", theme.heading())],
    }
}

/// Returns the notice that values are redacted, or which ones are revealed.
fn privacy(state: &State) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    if state.config.revealed.is_empty() {
        return vec![Span::styled("REDACTED ", theme.good().patch(theme.heading()))];
    }
    vec![Span::styled(
        format!(" REVEALED: {} ", terminal::visible(&state.config.revealed.join(", "))),
        theme.alarm(),
    )]
}

fn tab_spans(state: &State) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let style = |screen| if screen == state.screen { theme.selected() } else { theme.quiet() };
    Screen::ALL.iter().map(|screen| Span::styled(tab(*screen), style(*screen))).collect()
}

fn tab(screen: Screen) -> String {
    format!(" {} {} ", screen.index() + 1, screen.title())
}

/// Returns the screen whose tab is at that cell.
#[must_use]
pub fn tab_at(state: &State, at: Position) -> Option<Screen> {
    let area = ScreenLayout::new(state).tabs;
    if !area.contains(at) {
        return None;
    }
    let mut column = usize::from(at.x - area.x);
    Screen::ALL.iter().copied().find(|screen| {
        let width = tab(*screen).len();
        let is_hit = column < width;
        column = column.saturating_sub(width);
        is_hit
    })
}

/// Returns the status beside the tabs: that of the panel, or else the pause, the search and the
/// filter.
#[must_use]
pub fn status(state: &State) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    if let Some(spans) = panel(state.screen).status(state) {
        return spans;
    }
    let mut spans = Vec::new();
    if let Some(end) = state.paused {
        let word = if state.size.0 < 60 { "‖" } else { "PAUSED," };
        let text = format!(" {word} {} new ", count(state.buffer.end().saturating_sub(end)));
        spans.push(Span::styled(text, theme.warning()));
    } else if !state.follow && state.screen == Screen::Stream {
        let rows = state.rows();
        let below = rows.len().saturating_sub(rows.place(state.selected) + 1) as u64;
        spans.push(Span::styled(format!(" {} below ", count(below)), theme.quiet()));
    }
    if let Some(search) = &state.search {
        let pending = if search.task.is_some() { "…" } else { "" };
        let text = format!(" /{}{pending} ", terminal::visible(&search.pattern));
        spans.push(Span::styled(text, theme.quiet()));
    }
    if let Some(filter) = &state.filter {
        let source = terminal::visible(&filter.source).into_owned();
        if state.filter_enabled {
            let listed = count(state.rows().len() as u64);
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
