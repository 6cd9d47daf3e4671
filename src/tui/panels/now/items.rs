//! The attention list.

use ratatui::style::Style;
use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

use crate::analysis::alerts::AlertSubject;
use crate::model::{Kind, id_prefix};
use crate::text::{MASK, terminal};
use crate::tui::attention::{ListedAlert, Urgency, problem_name};
use crate::tui::filtering::{call_filter, equals};
use crate::tui::list::{ATTENTION, OpenTarget, PIPELINES, RowId};
use crate::tui::list_section::{ListCell, ListColumn, ListSection, SortKey};
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::text::{count, length, width};

/// The name of the section of the operators on the board.
const OPERATORS: &str = "operators";

/// Returns the title: how many items there are of what.
pub fn title(state: &State, room: usize) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let mut spans = vec![Span::styled("Attention", theme.heading())];
    let problems = state.shown().attention.problems();
    if problems.is_empty() {
        let text = match state.shown().attention.items().count() as u64 {
            0 => "  all quiet".to_owned(),
            number => format!("  {} acknowledged", count(number)),
        };
        spans.push(Span::styled(text, theme.good()));
    }
    for (name, urgency, number) in problems {
        let text = format!("  {} {} {name}", urgency.sign(), count(number));
        if width(&spans) + text.width() + 2 > room {
            spans.push(Span::styled(" …", theme.quiet()));
            break;
        }
        spans.push(Span::styled(text, style(state, urgency)));
    }
    spans
}

fn style(state: &State, urgency: Urgency) -> Style {
    let theme = state.config.theme;
    match urgency {
        Urgency::High => theme.error(),
        Urgency::Low => theme.warning(),
        Urgency::Unknown => theme.quiet(),
    }
}

/// Returns the attention list.
pub fn section(state: &State, columns: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let workspaces = &state.workspaces;
    let is_named = workspaces.are_several() && columns >= 60;
    let workspace = if is_named { workspaces.width().max(9) } else { 0 };
    let now = state.reference_time().as_millisecond();
    let rows = state.shown().attention.items().map(|listed| (listed.id(), listed));
    ListSection::builder(ATTENTION, rows)
        .column(ListColumn::text("", 1), |_, listed| sign_cell(state, listed))
        .column(ListColumn::number("since", 6), move |_, listed| {
            let seconds = now.saturating_sub(listed.item.since) / 1000;
            #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
            let age = seconds as f64;
            ListCell::number(length(seconds), age, plain(state, listed))
        })
        .column(ListColumn::text("workspace", workspace), move |_, listed| {
            let workspace = listed.item.workspace.as_deref().unwrap_or_default();
            ListCell::text(visible(&state.workspaces.name(workspace)), theme.quiet())
        })
        .column(ListColumn::text("about", if columns < 60 { 12 } else { 18 }), move |_, listed| {
            let style = if listed.is_acknowledged { theme.quiet() } else { theme.heading() };
            ListCell::text(about(listed), style)
        })
        .column(ListColumn::text("what happened", 0), |_, listed| what_cell(state, listed))
        .target(|_, listed| Some(target(state, listed)))
        .style(|_, listed| plain(state, listed))
        .note(
            Some("and more, which are not kept").filter(|_| state.shown().attention.missing() > 0),
        )
        .build(match state.moment() {
            Some(_) => "nothing needed attention then",
            None => "nothing needs attention",
        })
}

/// Returns the style of what is not urgent in a row.
fn plain(state: &State, listed: &ListedAlert) -> Style {
    if listed.is_acknowledged { state.config.theme.quiet() } else { Style::new() }
}

/// Returns the style of what is urgent in a row.
fn loud(state: &State, listed: &ListedAlert) -> Style {
    if listed.is_acknowledged { state.config.theme.quiet() } else { style(state, listed.urgency()) }
}

fn sign_cell(state: &State, listed: &ListedAlert) -> ListCell {
    let urgency = listed.urgency();
    let sign = if listed.is_acknowledged { "✓" } else { urgency.sign() };
    let rank = match urgency {
        Urgency::High => 2.0,
        Urgency::Low => 1.0,
        Urgency::Unknown => 0.0,
    };
    ListCell::number(sign, rank, loud(state, listed))
}

fn what_cell(state: &State, listed: &ListedAlert) -> ListCell {
    let mut what = vec![Span::styled(happened(state, listed), loud(state, listed))];
    if let Some(detail) = detail(state, listed) {
        let is_masked = detail.contains(MASK);
        let style = if is_masked { state.config.theme.masked() } else { plain(state, listed) };
        what.push(Span::styled(format!(": {}", terminal::visible(&detail)), style));
    }
    ListCell { key: SortKey::Text(problem_name(&listed.item.rule).to_owned()), spans: what }
}

fn visible(text: &str) -> String {
    terminal::visible(text).into_owned()
}

/// Returns the name of what an item is about.
fn about(listed: &ListedAlert) -> String {
    let key = &*listed.item.key;
    match (listed.item.subject, &*listed.item.rule) {
        (_, "no-operator") => "operators".to_owned(),
        (_, "gap") => "stream".to_owned(),
        (AlertSubject::Workspace, _) => "workspace".to_owned(),
        (AlertSubject::Call | AlertSubject::Pipeline, _) => {
            format!("{}…", visible(id_prefix(key)))
        }
        (AlertSubject::Tool | AlertSubject::Other, _) => visible(key),
    }
}

/// Returns what a rule has found.
fn happened(state: &State, listed: &ListedAlert) -> String {
    let item = &listed.item;
    if !item.is_raised {
        return format!("{}? events are missing", problem_name(&item.rule));
    }
    match &*item.rule {
        "nobody-joined" => "escalated, nobody joined".to_owned(),
        "no-operator" if item.count == 1 => "the only operator is not available".to_owned(),
        "no-operator" => format!("none of {} operators is available", count(item.count)),
        "tool-keeps-failing" => match state.shown().stats.totals.tools.get(&item.key) {
            Some(tool) if tool.completed > 0 => {
                format!("failed {} of {} times", count(tool.failed), count(tool.completed))
            }
            _ => format!("failed {} times", count(item.count)),
        },
        "call-silent" => "silent".to_owned(),
        "pipeline-late" => "late".to_owned(),
        "gap" if item.count == 1 => "events are missing".to_owned(),
        "gap" => format!("events are missing in {} places", count(item.count)),
        rule => rule.to_owned(),
    }
}

/// Returns what else is known, as far as it is shown.
fn detail(state: &State, listed: &ListedAlert) -> Option<String> {
    let key = &*listed.item.key;
    match &*listed.item.rule {
        "nobody-joined" => state.shown().calls.get(key)?.escalation.clone(),
        "tool-keeps-failing" => state.shown().workspace.tool_errors.get(key).cloned(),
        "call-silent" => state.shown().calls.get(key)?.state.clone(),
        "pipeline-late" => {
            let pipeline = state.shown().workspace.pipelines.get(key)?;
            let rhythm =
                pipeline.rhythm().map(|seconds| format!("usually every {}", length(seconds)));
            let error = pipeline.error.as_ref().map(|(_, why)| why.clone());
            match (rhythm, error) {
                (Some(rhythm), Some(error)) => Some(format!("{rhythm}; {error}")),
                (rhythm, error) => rhythm.or(error),
            }
        }
        _ => None,
    }
}

/// Returns what Enter opens.
fn target(state: &State, listed: &ListedAlert) -> OpenTarget {
    let item = &listed.item;
    let key = &*item.key;
    let of_type = |kind: Kind| equals("event_type", kind.spec().event_type);
    match (item.subject, &*item.rule) {
        (AlertSubject::Call, _) if state.shown().calls.get(key).is_some() => {
            OpenTarget::Call(key.to_owned())
        }
        (AlertSubject::Call, _) => OpenTarget::Events(call_filter(key)),
        (AlertSubject::Tool, _) => OpenTarget::Events(equals("tool_name", key)),
        (AlertSubject::Pipeline, _) if state.shown().workspace.pipelines.get(key).is_some() => {
            OpenTarget::Row(Screen::Board, RowId { section: PIPELINES, id: key.to_owned() })
        }
        (_, "no-operator") => {
            OpenTarget::Row(Screen::Board, RowId { section: OPERATORS, id: String::new() })
        }
        (_, "gap") => OpenTarget::Events(of_type(Kind::TapGap)),
        (_, rule) => {
            let alerts = of_type(Kind::TapAlert);
            OpenTarget::Events(format!("{alerts} and {}", equals("rule", rule)))
        }
    }
}
