//! The board of the workspace: operators, the funnel of surfaces from created to submitted,
//! triggers, pipelines, and reviews, and charts of their events if there is room.

mod charts;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::analysis::surface_funnel::FUNNEL;
use crate::model::{Kind, id_prefix};
use crate::text::terminal;
use crate::tui::charts::bar::bar;
use crate::tui::charts::scale::{ChartScale, value};
use crate::tui::charts::sparkline::sparkline;
use crate::tui::filtering::equals;
use crate::tui::layout::columns;
use crate::tui::list::{OpenTarget, PIPELINES};
use crate::tui::list_panel::ListPanel;
use crate::tui::list_section::{ListCell, ListColumn, ListSection, SortKey};
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::text::{count, counted, length};
use crate::tui::workspace_state::{DataPipeline, EntryActivity, OperatorState};

/// The widths of the columns of operators, triggers and pipelines besides the activity. The name of a
/// trigger takes more.
const OPERATOR_CELLS: usize = 41;
const TRIGGER_CELLS: usize = 39;
const PIPELINE_CELLS: usize = 47;

/// The smallest and the largest width in which activity is shown.
const MIN_ACTIVITY: usize = 5;
const MAX_ACTIVITY: usize = 40;

/// The note below a section whose further entries are not kept.
const MORE: &str = "and more, which are not kept";

/// The board of the workspace: up to three groups of sections, and charts above them.
pub struct BoardPanel;

impl ListPanel for BoardPanel {
    fn screen(&self) -> Screen {
        Screen::Board
    }

    fn groups<'a>(&self, state: &'a State, area: Rect) -> Vec<Vec<ListSection<'a>>> {
        let number = charts::groups(area.width);
        let areas = columns(area, number);
        let width = areas.first().map_or(0, |area| usize::from(area.width));
        let mut first = vec![operators(state, width)];
        let mut second = vec![funnel(state, width)];
        let mut third = vec![triggers(state, width), pipelines(state, width)];
        if number == 3 {
            second.push(reviews(state));
            return vec![first, second, third];
        }
        first.extend(second);
        third.push(reviews(state));
        if number == 2 {
            return vec![first, third];
        }
        first.extend(third);
        vec![first]
    }

    fn chart_height(&self, state: &State, area: Rect) -> u16 {
        charts::height(state, area)
    }

    fn render_charts(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        charts::render(state, area, buffer);
    }

    fn summary(&self, state: &State) -> Vec<Span<'static>> {
        charts::availability(state)
    }
}

fn heading(text: &str, number: u64) -> String {
    format!("{text}  {}", count(number))
}

/// Returns the age of a time. The most recent one is sorted first.
fn age(state: &State, time: Option<Timestamp>) -> ListCell {
    let text = time.map_or_else(String::new, |time| {
        format!("{} ago", length(state.reference_time().as_second() - time.as_second()))
    });
    #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
    let key = time.map_or(f64::MIN, |time| time.as_millisecond() as f64);
    ListCell::number(text, key, state.config.theme.quiet())
}

/// Returns the events of a row over the whole session. All rows have the same time axis.
fn activity(state: &State, series: &EntryActivity, cells: usize) -> ListCell {
    let span = state.shown().stats.history.span();
    let values = span.map(|span| series.within(span, cells)).unwrap_or_default();
    let line = sparkline(&values, cells, values.iter().copied().fold(0.0, f64::max));
    ListCell::number(line, value(series.sum().events.into()), state.config.theme.family("trigger"))
}

/// Returns the call of an operator, or else the events about the operator.
fn call_cell(state: &State, operator: &OperatorState, room: usize) -> ListCell {
    match &operator.call {
        Some((sid, mode)) => {
            let text = format!("{} in {}…", visible(mode), visible(id_prefix(sid)));
            ListCell::text(text, state.config.theme.family("operator"))
        }
        None if room < MIN_ACTIVITY => ListCell::text("", Style::new()),
        None => ListCell {
            // Those in a call come first.
            key: SortKey::Text(char::MAX.to_string()),
            ..activity(state, &operator.activity, room)
        },
    }
}

/// Opens the events that have a text in a field.
fn events(field: &str, text: &str) -> OpenTarget {
    OpenTarget::Events(equals(field, text))
}

fn visible(text: &str) -> String {
    terminal::visible(text).into_owned()
}

fn operators(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let operators = &state.shown().workspace.operators;
    let room = width.saturating_sub(OPERATOR_CELLS).min(MAX_ACTIVITY);
    let mut sorted: Vec<_> = operators.named().collect();
    // Those in a call come first, and then those who could take one.
    let rank = |operator: &OperatorState| match (&operator.call, operator.status.as_deref()) {
        (Some(_), _) => 0,
        (None, Some("online")) => 1,
        (None, Some("busy")) => 2,
        (None, _) => 3,
    };
    sorted.sort_by_key(|(_, operator)| rank(operator));
    let heading = ListColumn::text(heading("Operators", operators.len() as u64), 18);
    let call = if room < MIN_ACTIVITY { "call" } else { "call, or activity" };
    ListSection::builder("operators", sorted)
        .column(heading, move |id, _| {
            ListCell::text(format!("  {}", visible(id_prefix(id))), theme.heading())
        })
        .column(ListColumn::text("status", 8), move |_, operator| {
            let status = operator.status.as_deref().unwrap_or("unknown");
            let style = match status {
                "online" => theme.good(),
                "busy" => theme.warning(),
                _ => theme.quiet(),
            };
            ListCell::text(visible(status), style)
        })
        .column(ListColumn::number("last event", 11), |_, operator| age(state, operator.last_seen))
        .column(ListColumn::text(call, 0), move |_, operator| call_cell(state, operator, room))
        .target(|id, _| Some(events("operator_id", id)))
        .note(operators.other().map(|_| MORE))
        .build("none yet")
}

fn funnel(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let workspace = &state.shown().workspace;
    let all = workspace.funnel[0];
    let cells = width.saturating_sub(39).min(60);
    let max = value(all);
    let steps = FUNNEL.iter().zip(workspace.funnel);
    let steps = steps.map(|(step, reached)| (step.label, (reached, step.reported_by)));
    let reviews: [(_, &[Kind]); 3] = [
        ("approved", &[Kind::SurfaceReviewApproved]),
        ("rejected", &[Kind::SurfaceReviewRejected]),
        ("archived", &[Kind::SurfaceArchived]),
    ];
    let reviews = reviews.into_iter().zip(workspace.reviewed);
    let reviews = reviews.map(|((label, kinds), number)| (label, (number, kinds)));
    ListSection::builder("surfaces", steps.chain(reviews).filter(|_| all > 0))
        .column(ListColumn::text(heading("Surfaces", all), 18), |label, _| {
            ListCell::text(format!("  {label}"), Style::new())
        })
        .column(ListColumn::number("reached", 9), |_, (number, _)| {
            ListCell::count(*number, Style::new())
        })
        .column(ListColumn::number("share", 6), move |_, (number, _)| {
            let share = format!("{}%", number * 100 / all.max(1));
            ListCell::number(share, value(*number), theme.quiet())
        })
        .column(ListColumn::graph("", 0), move |_, (number, _)| {
            let key = value(*number);
            let bar = bar(ChartScale::Linear.share(key, max), cells);
            ListCell::number(bar, key, theme.family("surface"))
        })
        .target(|_, (_, kinds)| {
            let names = kinds.iter().map(|kind| equals("event_type", kind.spec().event_type));
            Some(OpenTarget::Events(names.collect::<Vec<_>>().join(" or ")))
        })
        .note(Some(MORE).filter(|_| workspace.has_more_surfaces))
        .build("none yet")
}

fn triggers(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let triggers = &state.shown().workspace.triggers;
    let name_width = width.saturating_sub(38).clamp(14, 22);
    let room = width.saturating_sub(TRIGGER_CELLS + name_width).min(MAX_ACTIVITY);
    let room = if room < MIN_ACTIVITY { 0 } else { room };
    let heading = ListColumn::text(heading("Triggers", triggers.len() as u64), name_width);
    let graph = ListColumn::graph(if room < 8 { "active" } else { "activity" }, room);
    ListSection::builder("triggers", triggers.named())
        .column(heading, |name, _| ListCell::text(format!("  {}", visible(name)), Style::new()))
        .column(ListColumn::number("fired", 7), |_, trigger| {
            ListCell::count(trigger.counts[0], Style::new())
        })
        .column(ListColumn::number("done", 7), |_, trigger| {
            ListCell::count(trigger.counts[1], Style::new())
        })
        .column(ListColumn::number("failed", 7), move |_, trigger| {
            let failed = trigger.counts[2];
            ListCell::count(failed, if failed > 0 { theme.error() } else { theme.quiet() })
        })
        .column(ListColumn::number("last event", 11), |_, trigger| age(state, trigger.last_seen))
        .column(graph, move |_, trigger| activity(state, &trigger.activity, room))
        .target(|name, _| Some(events("trigger_name", name)))
        .note(triggers.other().map(|_| MORE))
        .build("none yet")
}

/// Returns the last error of a pipeline, or else the number of earlier ones or the events about it.
fn error_cell(state: &State, pipeline: &DataPipeline, room: usize) -> ListCell {
    let theme = state.config.theme;
    let span = match &pipeline.error {
        Some((time, why)) => {
            let age = length(state.reference_time().as_second() - time.as_second());
            Span::styled(format!("failed {age} ago: {}", visible(why)), theme.error())
        }
        None if pipeline.errors > 0 => {
            Span::styled(counted(pipeline.errors, "earlier error"), theme.quiet())
        }
        None => activity(state, &pipeline.activity, room).spans.remove(0),
    };
    ListCell { spans: vec![span], key: SortKey::Number(value(pipeline.errors)) }
}

fn pipelines(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let pipelines = &state.shown().workspace.pipelines;
    let room = width.saturating_sub(PIPELINE_CELLS).min(MAX_ACTIVITY);
    let room = if room < MIN_ACTIVITY { 0 } else { room };
    let heading = ListColumn::text(heading("Pipelines", pipelines.len() as u64), 16);
    let errors = ListColumn::text(if room == 0 { "errors" } else { "errors, or activity" }, 0);
    ListSection::builder(PIPELINES, pipelines.named())
        .column(heading, move |id, _| {
            ListCell::text(format!("  {}", visible(id_prefix(id))), theme.heading())
        })
        .column(ListColumn::number("synced", 11), |_, pipeline| {
            age(state, pipeline.last.map(|(time, _)| time))
        })
        .column(ListColumn::number("events", 9), |_, pipeline| {
            let events = pipeline.last.and_then(|(_, events)| u64::try_from(events).ok());
            events.map_or_else(
                || ListCell::number("", -1.0, Style::new()),
                |events| ListCell::count(events, Style::new()),
            )
        })
        .column(ListColumn::number("syncs", 6), move |_, pipeline| {
            ListCell::count(pipeline.syncs, theme.quiet())
        })
        .column(errors, move |_, pipeline| error_cell(state, pipeline, room))
        .target(|id, _| Some(events("data_source_id", id)))
        .note(pipelines.other().map(|_| MORE))
        .build("none yet")
}

fn reviews(state: &State) -> ListSection<'_> {
    let reviews = state.shown().workspace.reviews.sorted(|_| 0);
    let all = reviews.iter().map(|(_, number)| **number).sum();
    let rows = reviews.into_iter();
    let rows = rows.map(|(action, number)| (action.unwrap_or("(other)"), (action, number)));
    ListSection::builder("reviews", rows)
        .column(ListColumn::text(heading("Reviews", all), 24), |name, _| {
            ListCell::text(format!("  {}", visible(name)), Style::new())
        })
        .column(ListColumn::number("count", 9), |_, (_, number)| {
            ListCell::count(**number, Style::new())
        })
        .target(|_, (action, _)| {
            let submitted = equals("event_type", Kind::ReviewSubmitted.spec().event_type);
            Some(OpenTarget::Events(match action {
                Some(action) => format!("{submitted} and {}", equals("action", action)),
                None => submitted,
            }))
        })
        .build("none yet")
}
