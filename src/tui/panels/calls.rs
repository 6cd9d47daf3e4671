//! The list of calls, and charts of them if there is room. Calls that have ended move down and are
//! dimmed.

mod charts;

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
use crate::tui::list::{CALLS, OpenTarget, RowId};
use crate::tui::list_panel::ListPanel;
use crate::tui::list_section::{ListCell, ListColumn, ListSection, SortKey};
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

    fn groups<'a>(&self, state: &'a State, area: Rect) -> Vec<Vec<ListSection<'a>>> {
        vec![vec![section(state, usize::from(area.width))]]
    }

    fn chart_height(&self, state: &State, area: Rect) -> u16 {
        history_graph::height(area, state.shown().calls.count())
    }

    fn render_charts(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        charts::render(state, area, buffer);
    }

    fn summary(&self, state: &State) -> Vec<Span<'static>> {
        let calls = &state.shown().calls;
        let active = calls.ongoing() as u64;
        let ended = calls.count() as u64 - active;
        let text = format!(" {} active, {} ended ", count(active), count(ended));
        let mut spans = vec![Span::styled(text, state.config.theme.heading())];
        let missing = calls.missing();
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

/// A call, and whether it needs attention.
type ListedCall<'a> = (&'a Call, bool);

/// Returns the calls: first those that need attention, then the others that are on.
fn listed(state: &State) -> Vec<(&str, ListedCall<'_>)> {
    let needed = state.shown().attention.calls();
    let calls = state.shown().calls.sorted().into_iter();
    let calls = calls.map(|(sid, call)| (sid, (call, needed.contains(sid))));
    let (mut listed, others): (Vec<_>, Vec<_>) = calls.partition(|(_, (_, needed))| *needed);
    listed.extend(others);
    listed
}

fn section(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let plain = Style::new();
    let is_wide = width >= 110;
    let [direction, service, outcome] = match width {
        0..60 => [3, 0, 9],
        60..110 => [3, 8, 13],
        _ => [9, 8, 18],
    };
    let workspaces = &state.workspaces;
    let workspace = if workspaces.are_several() && width >= 60 { workspaces.width() } else { 0 };
    let workspace =
        ListColumn::text(if workspace < 9 { "wrkspace" } else { "workspace" }, workspace);
    let direction = ListColumn::text(if direction < 9 { "dir" } else { "direction" }, direction);
    let failures = if is_wide { ("tools failed", 12) } else { ("fail", 4) };
    let now = state.reference_time();
    let cells = activity_cells(width);
    ListSection::builder(CALLS, listed(state))
        .column(
            ListColumn::text("  call", if is_wide { 13 } else { 11 }),
            move |sid, row: &ListedCall<'_>| sid_cell(state, sid, row),
        )
        .column(workspace, move |_, (call, _)| workspace_cell(state, call))
        .column(direction, move |_, (call, _)| {
            let text = match call.direction.as_deref() {
                Some("inbound") if !is_wide => "in",
                Some("outbound") if !is_wide => "out",
                direction => direction.unwrap_or(""),
            };
            ListCell::text(visible(text), plain)
        })
        .column(ListColumn::text("service", service), move |_, (call, _)| {
            ListCell::text(visible(id_prefix(call.service.as_deref().unwrap_or(""))), plain)
        })
        .column(ListColumn::text("state/outcome", outcome), move |_, (call, _)| {
            outcome_cell(state, call)
        })
        .column(ListColumn::number("time", 6), move |_, (call, _)| {
            let seconds = call.length(now);
            #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
            let duration = seconds as f64;
            ListCell::number(length(seconds), duration, plain)
        })
        .column(ListColumn::number("turns", 5), move |_, (call, _)| {
            ListCell::count(call.transcript.turn_count, plain)
        })
        .column(ListColumn::number(failures.0, failures.1), move |_, (call, _)| {
            let failures = call.transcript.failures;
            ListCell::count(failures, if failures > 0 { theme.error() } else { theme.quiet() })
        })
        .column(
            ListColumn::number("p95 audio", if width >= 130 { 9 } else { 0 }),
            |_, (call, _)| first_audio_cell(call),
        )
        .column(
            ListColumn::text("emotion", if width >= 170 { 16 } else { 0 }),
            move |_, (call, _)| emotion_cell(state, call),
        )
        .column(ListColumn::graph("activity", cells), move |_, (call, _)| {
            activity_cell(state, call, cells)
        })
        .column(ListColumn::text("operators, last line", 0), move |_, (call, _)| {
            last_cell(state, call, width)
        })
        .target(|sid, _| Some(OpenTarget::Call(sid.to_owned())))
        .style(move |_, (call, _)| if call.ended.is_none() { plain } else { theme.quiet() })
        .build("no calls yet")
}

fn visible(text: &str) -> String {
    terminal::visible(text).into_owned()
}

fn sid_cell(state: &State, sid: &str, (call, is_needed): &ListedCall<'_>) -> ListCell {
    let theme = state.config.theme;
    let (mark, style) = match (is_needed, call.ended.is_none()) {
        (true, _) => ("▲ ", theme.error()),
        (false, true) => ("● ", theme.good()),
        (false, false) => ("○ ", theme.quiet()),
    };
    ListCell {
        spans: vec![Span::styled(mark, style), Span::styled(visible(sid), theme.heading())],
        key: SortKey::Text(sid.to_owned()),
    }
}

/// Returns the state of the agent, or the outcome of a call that has ended.
fn outcome_cell(state: &State, call: &Call) -> ListCell {
    let theme = state.config.theme;
    let Some((_, outcome)) = &call.ended else {
        let text = visible(call.state.as_deref().unwrap_or("active"));
        return ListCell::text(text, theme.family("observer"));
    };
    let is_failure = field_named("completion_reason")
        .is_some_and(|field| field.error_values.contains(&outcome.as_str()));
    ListCell::text(visible(outcome), if is_failure { theme.error() } else { theme.quiet() })
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
