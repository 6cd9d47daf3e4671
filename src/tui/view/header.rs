//! The head of the screen: what is looked at, how the connection is doing, what was counted, what is hidden; below it the
//! tabs, and what keeps events from being listed.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use super::text::{count, length, sides};
use super::{SCREENS, areas};
use crate::event::Kind;
use crate::sanitize;
use crate::tui::state::{Link, State};

/// Draws the head.
pub fn draw(state: &State, frame: &mut Frame<'_>, header: Rect, tabs: Rect) {
    frame.render_widget(sides(told(state, header.width), hidden(state), usize::from(header.width)), header);
    if tabs.height > 0 {
        frame.render_widget(sides(screens(state), kept(state), usize::from(tabs.width)), tabs);
    }
}

fn told(state: &State, width: u16) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    let numbers = &state.numbers;
    let figures = &numbers.figures;
    let (gaps, malformed) = (figures.of(Kind::TapGap), figures.of(Kind::TapMalformed));
    let age = numbers.last.map(|last| state.now.as_second() - last.as_second());
    let age = age.map_or_else(String::new, |age| format!(" {}", length(age)));
    let mut spans = vec![Span::styled(format!(" {} ", sanitize::visible(&state.setup.title)), theme.heading())];
    let pace = state.setup.pace.as_ref().filter(|_| state.link != Link::Ended);
    spans.extend(match &state.link {
        _ if pace.is_some() => vec![Span::styled(pace.map(|pace| pace.told()).unwrap_or_default(), theme.good())],
        Link::Waiting => vec![Span::styled("○ waiting", theme.quiet())],
        Link::Live => vec![Span::styled("● live", theme.good()), Span::styled(age, theme.quiet())],
        Link::Reconnecting(why) => vec![
            Span::styled("◌ reconnecting", theme.warning()),
            Span::styled(if width >= 160 { format!(": {}", sanitize::visible(why)) } else { age }, theme.warning()),
        ],
        Link::Ended => vec![Span::styled("■ ended", theme.heading())],
    });
    let mut part = |text: String, style| {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(text, style));
    };
    part(format!("{}/s", count(numbers.rate())), theme.heading());
    part(format!("{} events", count(figures.events)), theme.quiet());
    let problem = |number, style| if number > 0 { style } else { theme.quiet() };
    if width >= 100 || gaps > 0 {
        part(format!("gaps {}", count(gaps)), problem(gaps, theme.error()));
    }
    if width >= 100 || malformed > 0 {
        part(format!("malformed {}", count(malformed)), problem(malformed, theme.error()));
    }
    if width >= 100 || figures.drifted > 0 {
        part(format!("drift {}", count(figures.drifted)), problem(figures.drifted, theme.warning()));
    }
    spans
}

fn hidden(state: &State) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    if state.setup.revealed.is_empty() {
        return vec![Span::styled("REDACTED ", theme.good().patch(theme.heading()))];
    }
    vec![Span::styled(format!(" REVEALED: {} ", sanitize::visible(&state.setup.revealed.join(", "))), theme.alarm())]
}

fn screens(state: &State) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    let style = |at| if at == state.screen { theme.selected() } else { theme.quiet() };
    SCREENS.iter().enumerate().map(|(at, name)| Span::styled(tab(at, name), style(at))).collect()
}

fn tab(at: usize, name: &str) -> String {
    format!(" {} {name} ", at + 1)
}

/// The screen whose tab is there.
#[must_use]
pub fn tab_at(state: &State, at: Position) -> Option<usize> {
    let area = areas(state).tabs;
    let mut column = usize::from(at.x.checked_sub(area.x)?);
    if !area.contains(at) {
        return None;
    }
    SCREENS.iter().enumerate().position(|(screen, name)| {
        let width = tab(screen, name).len();
        let hit = column < width;
        column = column.saturating_sub(width);
        hit
    })
}

fn kept(state: &State) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    let mut spans = Vec::new();
    if let Some(end) = state.paused {
        let text = format!(" PAUSED, {} new ", count(state.buffer.end().saturating_sub(end)));
        spans.push(Span::styled(text, theme.warning()));
    } else if !state.follow && state.screen == 0 {
        let rows = state.rows();
        let below = rows.len().saturating_sub(rows.place(state.selected) + 1) as u64;
        spans.push(Span::styled(format!(" {} below ", count(below)), theme.quiet()));
    }
    if let Some(search) = &state.search {
        let seeking = if search.hunt.is_some() { "…" } else { "" };
        spans.push(Span::styled(format!(" /{}{seeking} ", sanitize::visible(&search.pattern)), theme.quiet()));
    }
    if let Some(filter) = &state.filter {
        let source = sanitize::visible(&filter.source).into_owned();
        if state.filtering {
            let listed = count(state.rows().len() as u64);
            let all = count(state.buffer.end() - state.buffer.first());
            let seeking = if filter.is_through(&state.buffer) { "" } else { "…" };
            spans.push(Span::styled(format!(" {listed}{seeking} of {all} "), theme.heading()));
            if state.size.0 >= 100 {
                spans
                    .push(Span::styled(format!(" {} ", super::text::cell(&source, source.chars().count().min(48))), theme.key()));
            }
        } else {
            spans.push(Span::styled(" filter off ", theme.quiet()));
        }
    }
    spans
}
