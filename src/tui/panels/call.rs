//! One call: a picture with one axis of time, the latency of each turn, the conversation, and the
//! input and output of the tools. A cursor goes through all of them.

mod areas;
mod axis;
mod comparison;
mod conversation;
mod lanes;
mod measures;
mod picture;
mod tool_pane;
mod waterfall;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

use super::calls::{copy_sid, show_events};
use crate::analysis::call::Call;
use crate::analysis::call::transcript::{Speaker, Transcript, TranscriptItem};
use crate::model::Kind;
use crate::output::stored_event::StoredEvent;
use crate::text::terminal;
use crate::tui::call_cursor::{self, at_time, failures, jump, next_match, on_item, position};
use crate::tui::call_view::{CallCursor, CallLine};
use crate::tui::keys::{KeyAction, KeyHint};
use crate::tui::layout::ScreenLayout;
use crate::tui::navigation;
use crate::tui::panel::Panel;
use crate::tui::prompt;
use crate::tui::screen::Screen;
use crate::tui::scrolling::{render_lines, scroll_target};
use crate::tui::state::State;
use crate::tui::state::modes::DragTarget;
use crate::tui::state::prompt::Purpose;
use crate::tui::text::{length, sides};
use areas::CallAreas;
use axis::{TimeAxis, whole_call};
use comparison::ComparedCall;
use conversation::{ConversationView, first_line};
use picture::{LanePicture, longest_latency, picture_area};

/// The selected call. Its newest item is followed until the cursor is moved; then everything that is
/// read stays in place while more arrives.
pub struct CallPanel;

impl Panel for CallPanel {
    fn render(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        let Some((sid, call)) = state.current_call() else {
            let text = match &state.selected_call {
                Some(_) => "this call is not kept any more; press {screen_calls} to choose another",
                None => "no calls yet",
            };
            let text = state.config.keys.expand(text);
            let hint = Line::styled(text, state.config.theme.quiet()).centered();
            return Paragraph::new(hint).render(area, buffer);
        };
        if let Some(other) = compared(state) {
            let one = ComparedCall { sid, call };
            return comparison::render(state, one, other, area, buffer);
        }
        CallScreen::new(state, call, area).render(sid, buffer);
    }

    fn hints(&self, state: &State) -> Vec<KeyHint> {
        if state.current_call().is_none() {
            return vec![(KeyAction::Back, "calls")];
        }
        let is_compared = compared(state).is_some();
        let mut hints = vec![(KeyAction::Open, "event"), (KeyAction::Into, "next turn")];
        if state.call_view.cursor.is_some() {
            hints.push((KeyAction::Bottom, "newest"));
        }
        hints.extend([(KeyAction::Faster, "next failure"), (KeyAction::Search, "search")]);
        if state.call_view.search.is_some() {
            hints.push((KeyAction::Next, "next match"));
        }
        hints.extend([
            (KeyAction::AddToFilter, "zoom"),
            (KeyAction::Compare, if is_compared { "one call" } else { "compare" }),
            (KeyAction::Back, "back"),
            (KeyAction::Out, "previous turn"),
            (KeyAction::Slower, "previous failure"),
            (KeyAction::OnlyCall, "its events"),
            (KeyAction::Copy, "copy SID"),
        ]);
        hints
    }

    fn status(&self, state: &State) -> Vec<Span<'static>> {
        let Some(search) = &state.call_view.search else { return Vec::new() };
        let item = selected_item(state).unwrap_or(0);
        let (place, count) = search.position(item);
        let place = place.map_or_else(|| "–".to_owned(), |place| place.to_string());
        let pattern = terminal::visible(&search.pattern);
        vec![
            Span::styled(format!(" /{pattern} "), state.config.theme.key()),
            Span::styled(format!("{place}/{count} "), state.config.theme.heading()),
        ]
    }

    fn settle(&self, state: &mut State) {
        if state.selected_call.is_none() {
            // Another call would take its place when the order of the calls changes.
            let sid = state.current_call().map(|(sid, _)| sid.to_owned());
            state.show_call(sid);
        }
        if let Some(sid) = &state.selected_call {
            state.call_view.set_viewed(sid);
        }
        call_cursor::update_search(state);
    }

    fn handle_key(&self, state: &mut State, action: KeyAction) -> bool {
        match action {
            KeyAction::Open => open_event(state),
            KeyAction::Into => jump(state, call_cursor::turns, true, "turn"),
            KeyAction::Out => jump(state, call_cursor::turns, false, "turn"),
            KeyAction::Faster | KeyAction::NextError => jump(state, failures, true, "failed tool"),
            KeyAction::Slower | KeyAction::PreviousError => {
                jump(state, failures, false, "failed tool");
            }
            KeyAction::Search => prompt::open(state, Purpose::Search, ""),
            KeyAction::Next => next_match(state, true),
            KeyAction::Previous => next_match(state, false),
            KeyAction::AddToFilter => state.call_view.change_zoom(true),
            KeyAction::ZoomOut => state.call_view.change_zoom(false),
            KeyAction::Compare => compare(state),
            KeyAction::OnlyCall => show_events(state),
            KeyAction::Copy => copy_sid(state),
            KeyAction::Back => close_one(state),
            _ => return move_cursor(state, action),
        }
        keep_in_view(state);
        true
    }

    fn handle_click(&self, state: &mut State, at: Position) {
        if compared(state).is_some() {
            return;
        }
        state.dragging = None;
        let Some((_, call)) = state.current_call() else { return };
        let screen = CallScreen::new(state, call, ScreenLayout::new(state).body);
        let (areas, transcript) = (&screen.areas, &call.transcript);
        let chosen = if areas.conversation.contains(at) {
            screen.item_at(at)
        } else if areas.waterfall.contains(at) {
            let current = screen.current_turn();
            let turn = waterfall::turn_at(transcript, current, areas.waterfall, at.y);
            let turn = turn.and_then(|turn| transcript.turns.get(turn));
            turn.and_then(|turn| call_cursor::turn_cursor(transcript, turn))
        } else if areas.lanes.contains(at) {
            screen.time_at(at)
        } else {
            None
        };
        let is_in_lanes = areas.lanes.contains(at);
        let Some(cursor) = chosen else { return };
        let is_again = state.call_view.cursor == Some(cursor) && !is_in_lanes;
        if is_in_lanes {
            state.dragging = Some(DragTarget::Panel(Screen::Call));
        }
        if is_again {
            state.notice = None;
            return open_event(state);
        }
        state.call_view.cursor = Some(cursor);
        keep_in_view(state);
    }

    /// Moves the cursor along the axis of time.
    fn handle_drag(&self, state: &mut State, at: Position) {
        let Some((_, call)) = state.current_call() else { return };
        let screen = CallScreen::new(state, call, ScreenLayout::new(state).body);
        if let Some(cursor) = screen.time_at(at) {
            state.call_view.cursor = Some(cursor);
            keep_in_view(state);
        }
    }
}

/// Returns the call that is shown beside the selected one.
fn compared(state: &State) -> Option<ComparedCall<'_>> {
    let sid = state.call_view.other.as_deref()?;
    Some(ComparedCall { sid, call: state.present.calls.get(sid)? })
}

/// Shows the call that was shown before beside the selected one, or the selected one alone again.
fn compare(state: &mut State) {
    if state.call_view.other.take().is_some() {
        return;
    }
    let Some((sid, _)) = state.current_call() else { return };
    let other =
        state.call_view.viewed_before(sid).filter(|sid| state.present.calls.get(sid).is_some());
    if let Some(other) = other.map(str::to_owned) {
        state.call_view.other = Some(other);
    } else {
        state.screen = Screen::Calls;
        state.notify("select the call to compare with, and press v");
    }
}

/// Closes the first of these that is open: the search, the comparison, the enlargement. If none is,
/// returns to where the call was opened from.
fn close_one(state: &mut State) {
    let view = &mut state.call_view;
    let is_closed = view.search.take().is_some()
        || view.other.take().is_some()
        || std::mem::take(&mut view.zoom) > 0;
    if !is_closed && !navigation::back(state) {
        state.screen = Screen::Calls;
    }
}

/// Returns the number of the item under the cursor.
fn selected_item(state: &State) -> Option<u64> {
    let (_, call) = state.current_call()?;
    let (place, _) = position(state.call_view.cursor, &call.transcript)?;
    Some(call.transcript.number(place))
}

/// Moves the cursor through the conversation. Returns whether the key moves it.
fn move_cursor(state: &mut State, action: KeyAction) -> bool {
    if action == KeyAction::Bottom {
        state.call_view.follow_newest();
        return true;
    }
    let Some((_, call)) = state.current_call() else { return false };
    let transcript = &call.transcript;
    let screen = CallScreen::new(state, call, ScreenLayout::new(state).body);
    let Some((place, _)) = screen.position else { return false };
    let last = transcript.items.len().saturating_sub(1);
    let target = match action {
        KeyAction::Down | KeyAction::Up | KeyAction::Top => scroll_target(action, place, 1, last),
        // A page is measured in lines.
        _ => {
            let lines = screen.conversation().lines();
            let item = transcript.number(place);
            let line = lines.iter().position(|(line, _)| line.item == item).unwrap_or(0);
            let page = usize::from(screen.areas.conversation.height).max(1);
            let target = scroll_target(action, line, page, lines.len().saturating_sub(1));
            let item = target.and_then(|target| lines.get(target)).map(|(line, _)| line.item);
            item.and_then(|item| transcript.place(item))
        }
    };
    let Some(cursor) = target.and_then(|place| on_item(transcript, place)) else { return false };
    state.call_view.cursor = Some(cursor);
    keep_in_view(state);
    true
}

/// Remembers the first visible line of the conversation after the cursor was moved, so that it stays
/// while more lines arrive.
fn keep_in_view(state: &mut State) {
    if state.call_view.cursor.is_none() {
        return;
    }
    let Some((_, call)) = state.current_call() else { return };
    let screen = CallScreen::new(state, call, ScreenLayout::new(state).body);
    let lines = screen.conversation().lines();
    let first = screen.first_line(&lines);
    state.call_view.top = lines.get(first).map(|(line, _)| *line);
}

/// Opens the event of the item under the cursor in the stream.
fn open_event(state: &mut State) {
    let Some((sid, call)) = state.current_call() else { return };
    let Some((place, at)) = position(state.call_view.cursor, &call.transcript) else { return };
    let Some((time, item)) = call.transcript.items.get(place) else { return };
    let (kinds, time) = event_of(item, *time, at);
    let sid = sid.to_owned();
    // The position is kept, even if the newest item was followed.
    if state.call_view.cursor.is_none() {
        state.call_view.cursor = on_item(&call.transcript, place);
        keep_in_view(state);
    }
    navigation::open_event(state, &sid, move |stored: &StoredEvent| {
        stored.time == Some(time)
            && match kinds {
                Some(kinds) => stored.kind.is_some_and(|kind| kinds.contains(&kind)),
                None => stored.kind.is_some_and(|kind| !SPOKEN.contains(&kind)),
            }
    });
}

/// The kinds of events of which no note is made.
const SPOKEN: &[Kind] = &[
    Kind::UserTranscript,
    Kind::AgentTranscript,
    Kind::AgentTranscriptDelta,
    Kind::ToolCallStarted,
    Kind::ToolCallCompleted,
    Kind::Latency,
    Kind::Emotion,
];

/// Returns the kinds and the time of the event that an item shows. `at` is the time under the cursor.
fn event_of(
    item: &TranscriptItem,
    time: jiff::Timestamp,
    at: jiff::Timestamp,
) -> (Option<&'static [Kind]>, jiff::Timestamp) {
    match item {
        // The complete text says more than its first words.
        TranscriptItem::Utterance { end: Some(end), deltas: None, .. } => {
            (Some(&[Kind::AgentTranscript]), *end)
        }
        TranscriptItem::Utterance { deltas: Some(_), .. } => {
            (Some(&[Kind::AgentTranscriptDelta]), time)
        }
        TranscriptItem::Utterance { speaker: Speaker::User, .. } => {
            (Some(&[Kind::UserTranscript]), time)
        }
        TranscriptItem::Utterance { .. } => {
            (Some(&[Kind::AgentTranscript, Kind::UserTranscript]), time)
        }
        TranscriptItem::Tool { finished: Some(end), .. } if at >= *end => {
            (Some(&[Kind::ToolCallCompleted]), *end)
        }
        TranscriptItem::Tool { .. } => (Some(&[Kind::ToolCallStarted]), time),
        TranscriptItem::Note(..) => (None, time),
    }
}

/// A call as it is shown in an area.
struct CallScreen<'a> {
    state: &'a State,
    call: &'a Call,
    areas: CallAreas,
    axis: TimeAxis,
    /// The place of the item under the cursor, and the time.
    position: Option<(usize, jiff::Timestamp)>,
}

impl<'a> CallScreen<'a> {
    fn new(state: &'a State, call: &'a Call, area: Rect) -> Self {
        let areas = CallAreas::new(state, call, area);
        let position = position(state.call_view.cursor, &call.transcript);
        let cells = picture_area(areas.lanes).width;
        let time = position.map(|(_, time)| time);
        let axis = TimeAxis::new(whole_call(state, call), cells, state.call_view.zoom, time);
        Self { state, call, areas, axis, position }
    }

    fn transcript(&self) -> &'a Transcript {
        &self.call.transcript
    }

    fn current_turn(&self) -> Option<usize> {
        call_cursor::measured_turn(self.transcript(), self.position?.0)
    }

    fn conversation(&self) -> ConversationView<'a> {
        ConversationView {
            theme: self.state.config.theme,
            transcript: self.transcript(),
            origin: self.axis.origin,
            selected: self.position.map(|(place, _)| self.transcript().number(place)),
            search: self.state.call_view.search.as_ref().map(|search| &search.grep),
            width: usize::from(self.areas.conversation.width),
        }
    }

    /// Returns the index of the first visible line of the conversation.
    fn first_line(&self, lines: &[(CallLine, Line<'static>)]) -> usize {
        let view = &self.state.call_view;
        let selected = view.cursor.and(self.conversation().selected);
        first_line(lines, view.top, selected, self.areas.conversation.height.into())
    }

    /// Returns the cursor on the item of the conversation that is drawn there.
    fn item_at(&self, at: Position) -> Option<CallCursor> {
        let lines = self.conversation().lines();
        let line = self.first_line(&lines) + usize::from(at.y - self.areas.conversation.y);
        let (line, _) = lines.get(line)?;
        on_item(self.transcript(), self.transcript().place(line.item)?)
    }

    /// Returns the cursor at the time that a column of the lanes stands for.
    fn time_at(&self, at: Position) -> Option<CallCursor> {
        let picture = picture_area(self.areas.lanes);
        let cell = at.x.saturating_sub(picture.x).min(picture.width.saturating_sub(1));
        at_time(self.transcript(), self.axis.time(cell)?)
    }

    fn render(&self, sid: &str, buffer: &mut Buffer) {
        let theme = self.state.config.theme;
        let columns = usize::from(self.areas.title.width);
        sides(self.title(sid), self.cursor_text(), columns).render(self.areas.title, buffer);
        let picture = LanePicture {
            theme,
            call: self.call,
            axis: self.axis,
            now: self.state.reference_time(),
            longest: longest_latency(self.call),
            cursor: self.position.map(|(_, time)| (time, self.state.call_view.cursor.is_some())),
        };
        picture.render(&self.areas.shown, self.areas.lanes, buffer);
        let turn = self.current_turn();
        waterfall::render_turn(theme, self.transcript(), turn, self.areas.turn, buffer);
        let lines = self.conversation().lines();
        let first = self.first_line(&lines);
        let lines = lines.into_iter().map(|(_, line)| line).collect();
        render_lines(lines, first, self.areas.conversation, buffer);
        if self.areas.waterfall.height > 0 {
            waterfall::render(theme, self.transcript(), turn, self.areas.waterfall, buffer);
        }
        if self.areas.tool.height > 0 {
            let place = self.position.map_or(0, |(place, _)| place);
            let area = self.areas.tool;
            tool_pane::render(theme, self.transcript(), self.axis, place, area, buffer);
        }
    }

    fn title(&self, sid: &str) -> Vec<Span<'static>> {
        let (theme, call) = (self.state.config.theme, self.call);
        let sid = format!(" {} ", terminal::visible(sid));
        let mut spans = vec![Span::styled(sid, theme.heading())];
        let mut part = |text: &str, style| {
            spans.push(Span::styled(format!(" {} ", terminal::visible(text)), style));
        };
        part(&length(call.length(self.state.reference_time())), Style::new());
        match &call.ended {
            None => part(call.state.as_deref().unwrap_or("active"), theme.good()),
            Some((_, reason)) => part(&format!("ended: {reason}"), theme.quiet()),
        }
        if call.escalated {
            part("ESCALATED", theme.warning());
        }
        if let Some(dominant) = &call.transcript.dominant {
            part(dominant, theme.family("observer"));
        }
        part(call.direction.as_deref().unwrap_or(""), theme.quiet());
        spans
    }

    /// Returns the time under the cursor and the enlargement, if the user chose them.
    fn cursor_text(&self) -> Vec<Span<'static>> {
        let theme = self.state.config.theme;
        let mut spans = Vec::new();
        if self.areas.title.width < 60 {
            return spans;
        }
        if self.state.call_view.zoom > 0 {
            let text = format!("{}× ", 1_u64 << self.state.call_view.zoom);
            spans.push(Span::styled(text, theme.key()));
        }
        if let Some(time) = self.state.cursor_time() {
            let clock = time.to_zoned(self.state.config.zone.clone()).strftime("%H:%M:%S");
            let text = format!("cursor {} ({clock}) ", self.axis.label(time));
            spans.push(Span::styled(text, theme.key()));
        }
        spans
    }
}
