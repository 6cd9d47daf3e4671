//! The head of the screen: what is looked at, how the connection is doing, what was counted, what is hidden; below it the
//! tabs, and what keeps events from being listed.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use super::text::{count, length, sides};
use super::{SCREENS, areas};
use crate::model::Kind;
use crate::text::terminal;
use crate::tui::state::{ConnectionStatus, State};

/// Draws the head.
pub fn draw(state: &State, frame: &mut Frame<'_>, header: Rect, tabs: Rect) {
    let (hidden, width) = (hidden(state), usize::from(header.width));
    let room = width.saturating_sub(super::text::width(&hidden));
    frame.render_widget(sides(told(state, header.width, room), hidden, width), header);
    if tabs.height > 0 {
        frame.render_widget(sides(screens(state), kept(state), usize::from(tabs.width)), tabs);
    }
}

fn told(state: &State, width: u16, room: usize) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    let numbers = &state.numbers;
    let figures = &numbers.figures;
    let passed = &numbers.passed;
    let (gaps, malformed) =
        (figures.of(Kind::TapGap) + passed.gaps, figures.of(Kind::TapMalformed) + passed.malformed);
    let drifted = figures.drifted + passed.drifted;
    let age = numbers.last.map(|last| state.now.as_second() - last.as_second());
    let age = age.map_or_else(String::new, |age| format!(" {}", length(age)));
    let mut spans =
        vec![Span::styled(format!(" {} ", terminal::visible(&state.setup.title)), theme.heading())];
    let several = state.links.len();
    let lost = state.links.iter().filter(|(_, link)| *link != ConnectionStatus::Live).count();
    let of = if several > 1 { format!(" {lost} of {several}") } else { String::new() };
    let pace = state.setup.pace.as_ref().filter(|_| state.link != ConnectionStatus::Ended);
    spans.extend(match &state.link {
        _ if pace.is_some() => {
            vec![Span::styled(pace.map(|pace| pace.told()).unwrap_or_default(), theme.good())]
        }
        ConnectionStatus::Waiting => vec![Span::styled("○ waiting", theme.quiet())],
        ConnectionStatus::Live => {
            let streams = if several > 1 { format!(" {several} streams") } else { String::new() };
            vec![Span::styled("● live", theme.good()), Span::styled(streams + &age, theme.quiet())]
        }
        ConnectionStatus::Reconnecting(why) => vec![
            Span::styled(format!("◌ reconnecting{of}"), theme.warning()),
            Span::styled(
                if width >= 160 { format!(": {}", terminal::visible(why)) } else { age },
                theme.warning(),
            ),
        ],
        ConnectionStatus::Ended => vec![Span::styled("■ ended", theme.heading())],
    });
    let mut part = |text: String, style| {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(text, style));
    };
    part(format!("{}/s", count(numbers.rate())), theme.heading());
    part(format!("{} events", count(figures.events + passed.events)), theme.quiet());
    let rest = [
        ("gaps", gaps, theme.error()),
        ("malformed", malformed, theme.error()),
        ("drift", drifted, theme.warning()),
        ("filtered out", passed.events, theme.quiet()),
    ];
    let told = rest
        .map(|(name, number, style)| (format!("  {name} {}", count(number)), number > 0, style));
    // What there is is told in any case; that there is none, where there is room beside that.
    let needed: usize =
        told.iter().filter(|(_, is_some, _)| *is_some).map(|(text, ..)| text.len()).sum();
    let mut room = room.saturating_sub(super::text::width(&spans) + needed + 1);
    for (text, is_some, style) in told {
        if is_some {
            spans.push(Span::styled(text, style));
        } else if text.len() <= room {
            room -= text.len();
            spans.push(Span::styled(text, theme.quiet()));
        }
    }
    spans
}

fn hidden(state: &State) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    if state.setup.revealed.is_empty() {
        return vec![Span::styled("REDACTED ", theme.good().patch(theme.heading()))];
    }
    vec![Span::styled(
        format!(" REVEALED: {} ", terminal::visible(&state.setup.revealed.join(", "))),
        theme.alarm(),
    )]
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

/// What keeps events from being listed, or the list from moving.
pub(super) fn kept(state: &State) -> Vec<Span<'static>> {
    let theme = state.setup.theme;
    let mut spans = Vec::new();
    if state.screen == 1 {
        let ended =
            state.calls.sorted().iter().filter(|(_, call)| call.ended.is_some()).count() as u64;
        let on = state.calls.sorted().len() as u64 - ended;
        return vec![Span::styled(
            format!(" {} on, {} ended ", count(on), count(ended)),
            theme.heading(),
        )];
    }
    if let Some(end) = state.paused {
        let word = if state.size.0 < 60 { "‖" } else { "PAUSED," };
        let text = format!(" {word} {} new ", count(state.buffer.end().saturating_sub(end)));
        spans.push(Span::styled(text, theme.warning()));
    } else if !state.follow && state.screen == 0 {
        let rows = state.rows();
        let below = rows.len().saturating_sub(rows.place(state.selected) + 1) as u64;
        spans.push(Span::styled(format!(" {} below ", count(below)), theme.quiet()));
    }
    if let Some(search) = &state.search {
        let seeking = if search.hunt.is_some() { "…" } else { "" };
        spans.push(Span::styled(
            format!(" /{}{seeking} ", terminal::visible(&search.pattern)),
            theme.quiet(),
        ));
    }
    if let Some(filter) = &state.filter {
        let source = terminal::visible(&filter.source).into_owned();
        if state.filtering {
            let listed = count(state.rows().len() as u64);
            let all = count(state.buffer.end() - state.buffer.first());
            let seeking = if filter.is_through(&state.buffer) { "" } else { "…" };
            spans.push(Span::styled(format!(" {listed}{seeking} of {all} "), theme.heading()));
            if state.size.0 >= 100 {
                spans.push(Span::styled(
                    format!(" {} ", super::text::cell(&source, source.chars().count().min(48))),
                    theme.key(),
                ));
            }
        } else {
            spans.push(Span::styled(" filter off ", theme.quiet()));
        }
    }
    spans
}
