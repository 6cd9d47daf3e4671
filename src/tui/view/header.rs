//! The header and the line of the tabs.
//!
//! The header shows the source, the connection, the counts and whether values are revealed. The
//! line below shows the tabs and the status of the panel.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::model::{Kind, is_uuid};
use crate::text::terminal;
use crate::tui::layout::ScreenLayout;
use crate::tui::panels::panel;
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::state::connections::ConnectionStatus;
use crate::tui::text::{cell, count, counted, cut, length, sides, width};
use crate::tui::workspace_names::shorten;

/// Draws the header and the line of the tabs.
pub fn render(state: &State, header: Rect, tabs: Rect, buffer: &mut Buffer) {
    let (privacy, columns) = (privacy(state), usize::from(header.width));
    let room = columns.saturating_sub(width(&privacy) + 1);
    sides(summary(state, header.width, room), privacy, columns).render(header, buffer);
    if tabs.height > 0 {
        let (spans, columns) = (tab_spans(state), usize::from(tabs.width));
        // The tabs are never cut for the sake of the status.
        let status = cut(status(state), columns.saturating_sub(width(&spans) + 1));
        sides(spans, status.spans, columns).render(tabs, buffer);
    }
}

/// A part of the header.
struct HeaderPart {
    spans: Vec<Span<'static>>,
    /// Parts with a lower rank are shown first if there is not enough room.
    rank: usize,
}

/// Returns the source, its connection, the rate and the counts. Losses and other problems take
/// precedence, and the name of the source is shortened for the other parts.
fn summary(state: &State, columns: u16, room: usize) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let (totals, filtered_out) = (&state.present.stats.totals, &state.present.stats.filtered_out);
    let mut parts = vec![HeaderPart { spans: connection(state, columns), rank: CONNECTION }];
    let badge = badge(state, columns >= WORDS_MIN_WIDTH);
    if !badge.is_empty() {
        parts
            .insert(0, HeaderPart { spans: vec![Span::styled(badge, theme.error())], rank: BADGE });
    }
    parts.extend(moment(state, room));
    let mut part = |rank: usize, text: String, style| {
        parts.push(HeaderPart { spans: vec![Span::styled(text, style)], rank });
    };
    part(5, format!("{}/s", count(state.present.stats.rate())), theme.heading());
    part(6, counted(totals.events + filtered_out.events, "event"), theme.quiet());
    let gaps = totals.count_of(Kind::TapGap) + filtered_out.gaps;
    let malformed = totals.count_of(Kind::TapMalformed) + filtered_out.malformed;
    let drifted = totals.drifted + filtered_out.drifted;
    for (rank, name, number, style) in [
        (0, "gaps", gaps, theme.error()),
        (2, "malformed", malformed, theme.error()),
        (4, "drift", drifted, theme.warning()),
        (7, "filtered out", filtered_out.events, theme.quiet()),
    ] {
        // A zero is shown last, if there is room for the whole name of the source before it.
        let (rank, style) = if number > 0 { (rank, style) } else { (rank + 10, theme.quiet()) };
        part(rank, format!("{name} {}", count(number)), style);
    }
    let title = title(state, usize::MAX);
    let mut is_shown = vec![false; parts.len()];
    let mut left = room;
    for is_zero in [false, true] {
        let mut order: Vec<_> =
            (0..parts.len()).filter(|at| (parts[*at].rank >= 10) == is_zero).collect();
        order.sort_by_key(|at| parts[*at].rank);
        let reserved = if is_zero { title.width() } else { title.width().min(MIN_TITLE) };
        for at in order {
            let needed = width(&parts[at].spans) + SEPARATOR.len();
            // A loss is worth more than the name of the source.
            let reserved = if parts[at].rank <= BADGE { 0 } else { reserved };
            if needed + reserved > left && parts[at].rank == CONNECTION {
                // Part of it is better than nothing.
                let room = left.saturating_sub(reserved + SEPARATOR.len());
                parts[at].spans = cut(std::mem::take(&mut parts[at].spans), room).spans;
            }
            let needed = width(&parts[at].spans) + SEPARATOR.len();
            is_shown[at] = needed + reserved <= left;
            left -= if is_shown[at] { needed } else { 0 };
        }
    }
    let mut spans = vec![Span::styled(self::title(state, left), theme.heading())];
    let shown = parts.into_iter().zip(is_shown).filter(|(_, is_shown)| *is_shown);
    for (at, (part, _)) in shown.enumerate() {
        spans.push(Span::raw(if at == 0 { " " } else { SEPARATOR }));
        spans.extend(part.spans);
    }
    spans
}

/// Returns the moment that is looked at, and how to leave it.
fn moment(state: &State, room: usize) -> Option<HeaderPart> {
    let theme = state.config.theme;
    let time = state.past_time()?;
    let zoned = time.to_zoned(state.config.zone.clone());
    let now = state.present_time().to_zoned(state.config.zone.clone());
    let is_today = zoned.date() == now.date();
    let clock = zoned.strftime(if is_today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" });
    let age = length(now.timestamp().as_second() - time.as_second());
    let nearest = if state.is_exact() { "" } else { ", nearest kept" };
    let key = state.config.keys.expand("{present}");
    let texts = [
        format!(" ◀ {clock}, {age} ago{nearest} · {key} returns to the present "),
        format!(" ◀ {clock}, {age} ago{nearest} · {key} returns "),
        format!(" ◀ {clock}{nearest} "),
        format!(" ◀ {clock} "),
        format!("◀ {}", zoned.strftime("%H:%M")),
    ];
    let room = room.saturating_sub(SEPARATOR.len());
    let fits = |text: &&String, room: usize| text.width() <= room;
    // The name of the source and the connection are worth more than words.
    let text = texts.iter().find(|text| fits(text, room.saturating_sub(MIN_TITLE + 14)));
    let text = text.or_else(|| texts.iter().find(|text| fits(text, room)))?;
    let style = theme.key().patch(theme.selected());
    Some(HeaderPart { spans: vec![Span::styled(text.clone(), style)], rank: 0 })
}

/// The space between two parts of the header.
const SEPARATOR: &str = "  ";

/// The minimum width for the number of items on a tab, too.
const BADGE_MIN_WIDTH: u16 = 60;

/// The minimum width for more space between tabs.
const SPACE_MIN_WIDTH: u16 = 90;

/// The rank of the number of items that need attention.
const BADGE: usize = 1;

/// The minimum width for the number of items with words.
const WORDS_MIN_WIDTH: u16 = 110;

/// The rank of the connection.
const CONNECTION: usize = 3;

/// The maximum number of names of which the name of the source consists.
const MAX_TITLE_NAMES: usize = 4;

/// The width that the name of the source keeps while other parts are left out.
const MIN_TITLE: usize = 10;

/// Returns the name of the source in at most `room` cells. Several names are shortened, and so is an
/// id if there is not enough room.
fn title(state: &State, room: usize) -> String {
    let names: Vec<_> = state.config.title.split(", ").collect();
    let title = format!(" {}", terminal::visible(&state.config.title));
    if title.width() <= room && names.len() == 1 {
        return title;
    }
    let mut short = shorten(&names);
    if names.len() > MAX_TITLE_NAMES {
        short.truncate(MAX_TITLE_NAMES - 1);
        short.push(format!("+{}", names.len() - short.len()));
    }
    if let [name] = short.as_mut_slice() {
        *name = if is_uuid(names[0]) { format!("{name}…") } else { return cell(&title, room) };
    }
    let short = format!(" {}", short.join(", "));
    cell(&short, short.width().min(room))
}

/// Returns the state of the connections, or the pace of a replay.
fn connection(state: &State, columns: u16) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let connections = &state.connections;
    if let Some(pace) = state.config.pace.as_ref().filter(|_| !connections.is_ended()) {
        return vec![Span::styled(pace.label(), theme.good())];
    }
    let age = state.present.stats.last.map(|last| state.now.as_second() - last.as_second());
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
        ConnectionStatus::Ended if !state.failures.is_empty() => {
            vec![Span::styled("■ failed", theme.error())]
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
    let spans = |screen: Screen| {
        let (name, badge) = tab(state, screen);
        let style = style(screen);
        let badge_style = if screen == state.screen { style } else { theme.error() };
        [Span::styled(name, style), Span::styled(badge, badge_style)]
    };
    Screen::ALL.iter().copied().flat_map(spans).filter(|span| !span.content.is_empty()).collect()
}

/// Returns the number of items that need attention; empty if there are none.
fn badge(state: &State, has_words: bool) -> String {
    match state.shown().attention.open_count() as u64 {
        0 => String::new(),
        number if !has_words => format!("▲ {}", count(number)),
        1 => "▲ 1 needs attention".to_owned(),
        number => format!("▲ {} need attention", count(number)),
    }
}

/// Returns the name of a tab, and its badge.
fn tab(state: &State, screen: Screen) -> (String, String) {
    let columns = state.size.0;
    let has_badge = screen == Screen::Now && columns >= BADGE_MIN_WIDTH;
    let mut badge = if has_badge { badge(state, false) } else { String::new() };
    let mut name = format!(" {} {}", screen.index(), screen.title());
    if !badge.is_empty() {
        name.push(' ');
    }
    if columns >= SPACE_MIN_WIDTH {
        if badge.is_empty() { &mut name } else { &mut badge }.push(' ');
    }
    (name, badge)
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
        let (name, badge) = tab(state, *screen);
        let width = name.width() + badge.width();
        let is_hit = column < width;
        column = column.saturating_sub(width);
        is_hit
    })
}

/// Returns the status beside the tabs.
#[must_use]
pub fn status(state: &State) -> Vec<Span<'static>> {
    panel(state.screen).status(state)
}
