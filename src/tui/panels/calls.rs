//! The list of calls, and charts of them if there is room. Calls that have ended move down and are
//! dimmed.

mod charts;

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::analysis::call::Call;
use crate::analysis::stats::text::span;
use crate::model::catalog::field_named;
use crate::model::id_prefix;
use crate::text::{MASK, terminal};
use crate::tui::charts::scale::{fit, value};
use crate::tui::charts::sparkline::sparkline;
use crate::tui::filtering;
use crate::tui::history_graph;
use crate::tui::keys::{KeyAction, KeyHint};
use crate::tui::list::{
    CALLS, ListCell, ListColumn, ListRow, ListSection, OpenTarget, RowId, SortKey,
};
use crate::tui::list_panel::ListPanel;
use crate::tui::navigation;
use crate::tui::screen::Screen;
use crate::tui::state::{Effect, State};
use crate::tui::text::{count, length};

/// The valence below which an emotion is unpleasant.
const UNPLEASANT: f64 = -0.3;

/// The list of calls.
pub struct CallsPanel;

impl ListPanel for CallsPanel {
    fn screen(&self) -> Screen {
        Screen::Calls
    }

    fn groups(&self, state: &State, area: Rect) -> Vec<Vec<ListSection>> {
        let width = usize::from(area.width);
        let mut calls = state.shown().calls.sorted();
        let needed = state.shown().attention.calls();
        calls.sort_by_key(|(sid, _)| !needed.contains(sid));
        let rows = calls.into_iter().map(|(sid, call)| row(state, sid, call, width, &needed));
        vec![vec![ListSection {
            name: CALLS,
            columns: columns(state, width),
            rows: rows.collect(),
            note: None,
            empty: "no calls yet",
        }]]
    }

    fn chart_height(&self, state: &State, area: Rect) -> u16 {
        history_graph::height(area, state.shown().calls.count())
    }

    fn render_charts(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        charts::render(state, area, buffer);
    }

    fn summary(&self, state: &State) -> Vec<Span<'static>> {
        let sorted = state.shown().calls.sorted();
        let ended = sorted.iter().filter(|(_, call)| call.ended.is_some()).count() as u64;
        let active = sorted.len() as u64 - ended;
        let text = format!(" {} active, {} ended ", count(active), count(ended));
        let mut spans = vec![Span::styled(text, state.config.theme.heading())];
        let missing = state.shown().calls.missing();
        if missing > 0 {
            let text = format!("{} earlier not kept ", count(missing));
            spans.push(Span::styled(text, state.config.theme.warning()));
        }
        spans
    }

    fn handle_own_key(&self, state: &mut State, action: KeyAction) -> bool {
        match action {
            KeyAction::OnlyCall => show_events(state),
            KeyAction::Copy => copy_sid(state),
            KeyAction::Compare => compare_selected(state),
            _ => return false,
        }
        true
    }

    fn own_hints(&self) -> Vec<KeyHint> {
        vec![(KeyAction::OnlyCall, "its events"), (KeyAction::Compare, "compare")]
    }

    fn selected(&self, state: &mut State, row: &RowId) {
        state.show_call(Some(row.id.clone()));
    }
}

/// Shows the events of the selected call in the stream.
pub fn show_events(state: &mut State) {
    let Some(sid) = state.current_call().map(|(sid, _)| sid.to_owned()) else { return };
    state.show_call(Some(sid.clone()));
    navigation::open(state, &OpenTarget::Events(filtering::call_filter(&sid)));
}

/// Shows the selected call beside the one that was shown last.
fn compare_selected(state: &mut State) {
    let Some(sid) = state.current_call().map(|(sid, _)| sid.to_owned()) else { return };
    let first =
        state.call_view.viewed_before(&sid).filter(|sid| state.present.calls.get(sid).is_some());
    match first.map(str::to_owned) {
        Some(first) => {
            navigation::open(state, &OpenTarget::Call(first));
            state.call_view.other = Some(sid);
        }
        None => state.notify("open one call first; v then compares another one with it"),
    }
}

/// Copies the SID of the selected call.
pub fn copy_sid(state: &mut State) {
    let sid = state.current_call().map(|(sid, _)| sid.to_owned());
    state.effects.extend(sid.map(Effect::Copy));
}

/// The cells of the column that shows the events of a call over time.
fn activity_cells(width: usize) -> usize {
    match width {
        0..150 => 0,
        150..190 => 12,
        _ => 24,
    }
}

fn columns(state: &State, width: usize) -> Vec<ListColumn> {
    let is_wide = width >= 110;
    let [direction, service, outcome] = match width {
        0..60 => [3, 0, 9],
        60..110 => [3, 8, 13],
        _ => [9, 8, 18],
    };
    let workspaces = &state.workspaces;
    let workspace = if workspaces.are_several() && width >= 60 { workspaces.width() } else { 0 };
    vec![
        ListColumn::text("  call", if is_wide { 13 } else { 11 }),
        ListColumn::text(if workspace < 9 { "wrkspace" } else { "workspace" }, workspace),
        ListColumn::text(if direction < 9 { "dir" } else { "direction" }, direction),
        ListColumn::text("service", service),
        ListColumn::text("state/outcome", outcome),
        ListColumn::number("time", 6),
        ListColumn::number("turns", 5),
        ListColumn::number(
            if is_wide { "tools failed" } else { "fail" },
            if is_wide { 12 } else { 4 },
        ),
        ListColumn::number("p95 audio", if width >= 130 { 9 } else { 0 }),
        ListColumn::text("emotion", if width >= 170 { 16 } else { 0 }),
        ListColumn::text("activity", activity_cells(width)),
        ListColumn::text("operators, last line", 0),
    ]
}

fn row(state: &State, sid: &str, call: &Call, width: usize, needed: &BTreeSet<&str>) -> ListRow {
    let theme = state.config.theme;
    let plain = Style::new();
    let is_active = call.ended.is_none();
    let outcome = call.ended.as_ref().map_or("", |(_, reason)| reason);
    let word = if is_active { call.state.as_deref().unwrap_or("active") } else { outcome };
    let direction = match call.direction.as_deref() {
        Some("inbound") if width < 110 => "in",
        Some("outbound") if width < 110 => "out",
        direction => direction.unwrap_or(""),
    };
    let is_failure =
        field_named("completion_reason").is_some_and(|field| field.error_values.contains(&outcome));
    let failures = call.transcript.failures;
    let seconds = call.length(state.reference_time());
    #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
    let duration = seconds as f64;
    let visible = |text: &str| terminal::visible(text).into_owned();
    let (mark, mark_style) = match (needed.contains(sid), is_active) {
        (true, _) => ("▲ ", theme.error()),
        (false, true) => ("● ", theme.good()),
        (false, false) => ("○ ", theme.quiet()),
    };
    ListRow {
        id: sid.to_owned(),
        cells: vec![
            ListCell {
                spans: vec![
                    Span::styled(mark, mark_style),
                    Span::styled(visible(sid), theme.heading()),
                ],
                key: SortKey::Text(sid.to_owned()),
            },
            workspace_cell(state, call),
            ListCell::text(visible(direction), plain),
            ListCell::text(visible(id_prefix(call.service.as_deref().unwrap_or(""))), plain),
            ListCell::text(
                visible(word),
                match (is_active, is_failure) {
                    (_, true) => theme.error(),
                    (true, _) => theme.family("observer"),
                    (false, _) => theme.quiet(),
                },
            ),
            ListCell::number(length(seconds), duration, plain),
            ListCell::count(call.transcript.turn_count, plain),
            ListCell::count(failures, if failures > 0 { theme.error() } else { theme.quiet() }),
            first_audio_cell(call),
            emotion_cell(state, call),
            activity_cell(state, call, activity_cells(width)),
            last_cell(state, call, width),
        ],
        target: Some(OpenTarget::Call(sid.to_owned())),
        style: if is_active { plain } else { theme.quiet() },
    }
}

fn workspace_cell(state: &State, call: &Call) -> ListCell {
    let name = call.workspace.as_deref().map(|id| state.workspaces.name(id).into_owned());
    ListCell::text(name.unwrap_or_default(), state.config.theme.heading())
}

/// Returns the 95th percentile of the times to the first audio, by nearest rank.
fn first_audio_cell(call: &Call) -> ListCell {
    let mut times: Vec<_> =
        call.transcript.turns.iter().map(|turn| turn.latency.first_audio).collect();
    let Some(rank) = (times.len() * 95).div_ceil(100).checked_sub(1) else {
        return ListCell::number("", -1.0, Style::new());
    };
    let (_, p95, _) = times.select_nth_unstable_by(rank, f64::total_cmp);
    ListCell::number(span(*p95), *p95, Style::new())
}

/// Returns the dominant emotion and its valence. The least pleasant is sorted last.
fn emotion_cell(state: &State, call: &Call) -> ListCell {
    let theme = state.config.theme;
    let Some((_, valence, _)) = call.transcript.emotions.back() else {
        return ListCell::number("", f64::MIN, Style::new());
    };
    let name = call.transcript.dominant.as_deref().unwrap_or_default();
    let style = if *valence < UNPLEASANT { theme.warning() } else { Style::new() };
    let spans = vec![
        Span::styled(format!("{valence:+.2} "), style),
        Span::styled(terminal::visible(name).into_owned(), theme.quiet()),
    ];
    ListCell { spans, key: SortKey::Number(*valence) }
}

/// Returns the events over the length of the call. The busiest call is sorted first.
fn activity_cell(state: &State, call: &Call, cells: usize) -> ListCell {
    let values: Vec<_> = call.activity.events().collect();
    let max = values.iter().copied().fold(0.0, f64::max);
    // A short call has fewer time ranges than the column has cells.
    let line = sparkline(&fit(&values, cells), cells, max);
    ListCell::number(
        line,
        value(call.activity.sum().events.into()),
        state.config.theme.family("call"),
    )
}

/// Returns the escalation, the operators and the last line of a call.
fn last_cell(state: &State, call: &Call, width: usize) -> ListCell {
    let theme = state.config.theme;
    let mut spans = Vec::new();
    if call.escalated {
        spans.push(Span::styled(if width >= 110 { "ESCALATED " } else { "ESC " }, theme.warning()));
    }
    for (id, mode) in call.operators.named() {
        let text = format!("{} {} ", terminal::visible(id_prefix(id)), terminal::visible(mode));
        spans.push(Span::styled(text, theme.family("operator")));
    }
    if call.operators.other().is_some() {
        spans.push(Span::styled("and more operators ", theme.family("operator")));
    }
    if let Some((speaker, words)) = call.last_said() {
        spans.push(Span::styled(format!("{} ", speaker.name()), theme.quiet()));
        let style = if words == MASK { theme.masked() } else { Style::new() };
        spans.push(Span::styled(terminal::visible(words).into_owned(), style));
    }
    // Escalated calls, then those with operators, are the ones that are looked for.
    let rank =
        f64::from(u8::from(call.escalated)) * 2.0 + f64::from(u8::from(!call.operators.is_empty()));
    ListCell { spans, key: SortKey::Number(rank) }
}
