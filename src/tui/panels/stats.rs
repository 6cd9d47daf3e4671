//! Statistics: the rate over time, percentiles of durations, outcomes of calls, tools, problems,
//! and events by type.

mod charts;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::analysis::stats::ToolStats;
use crate::analysis::stats::text::span;
use crate::model::{Kind, family};
use crate::text::terminal;
use crate::tui::charts::bar::bar;
use crate::tui::charts::gauge::gauge;
use crate::tui::charts::scale::{ChartScale, value};
use crate::tui::charts::sparkline::sparkline;
use crate::tui::filtering::equals;
use crate::tui::layout::columns;
use crate::tui::list::OpenTarget;
use crate::tui::list_panel::ListPanel;
use crate::tui::list_section::{ListCell, ListColumn, ListSection, SortKey};
use crate::tui::live_stats::SECONDS;
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::text::count;

/// The width of the columns of numbers in the table of percentiles, with the spaces between them.
const PERCENTILE_COLUMNS: usize = 3 * 9 + 8 + 2;

/// The statistics: charts, and below them up to three groups of sections.
pub struct StatsPanel;

impl ListPanel for StatsPanel {
    fn screen(&self) -> Screen {
        Screen::Stats
    }

    fn groups<'a>(&self, state: &'a State, area: Rect) -> Vec<Vec<ListSection<'a>>> {
        let number = match area.width {
            0..110 => 1,
            110..180 => 2,
            _ => 3,
        };
        let areas = columns(area, number);
        let width = areas.first().map_or(0, |area| usize::from(area.width));
        let mut first = vec![rates(state, width)];
        let mut second = vec![percentiles(state, width), tools(state, width)];
        let ends = [outcomes(state, width), problems(state, width)];
        let third = vec![types(state, width)];
        if number == 3 {
            first.extend(ends);
            return vec![first, second, third];
        }
        second.extend(ends);
        first.extend(second);
        if number == 2 {
            return vec![first, third];
        }
        first.extend(third);
        vec![first]
    }

    fn chart_height(&self, _state: &State, area: Rect) -> u16 {
        charts::height(area)
    }

    fn render_charts(&self, state: &State, area: Rect, buffer: &mut Buffer) {
        charts::render(state, area, buffer);
    }
}

fn rates(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let cells = width.saturating_sub(24).min(SECONDS);
    let rates = state.shown().stats.rates.iter();
    let rows = rates.map(|(family, seconds)| {
        let max = seconds.iter().copied().max().unwrap_or(0);
        (family, (seconds, max))
    });
    ListSection::builder("rates", rows)
        .column(ListColumn::text("Events", 14), move |family, _| {
            ListCell::text(format!("  {family}"), theme.family(family))
        })
        .column(ListColumn::number("per s", 7), move |_, (_, max)| {
            ListCell::number(format!("≤{}", count(*max)), value(*max), theme.quiet())
        })
        .column(ListColumn::graph("last 4 minutes", 0), move |family, (seconds, max)| {
            // All seconds are shown, so that the numbers do not depend on the width.
            let mut values = vec![0.0; SECONDS - seconds.len().min(SECONDS)];
            values.extend(seconds.iter().copied().map(value));
            let line = sparkline(&values, cells, value(*max));
            ListCell::number(line, value(*max), theme.family(family))
        })
        .target(|family, _| family_filter(family).map(OpenTarget::Events))
        .build("none yet")
}

/// Returns the filter that keeps the events of a family.
fn family_filter(family: &str) -> Option<String> {
    match family {
        "(others)" => None,
        "observer" => Some(r#".event_type | contains(".") | not"#.to_owned()),
        family => type_filter(&format!("{family}.*")),
    }
}

/// Returns the type of the events that report a duration, if there is one.
fn measured_by(name: &str) -> Option<Kind> {
    Some(match name {
        "calls" => Kind::CallEnded,
        "observed calls" => Kind::SessionEnd,
        "model" => return None,
        "tool calls" => Kind::ToolCallCompleted,
        "pipeline syncs" => Kind::PipelineSyncCompleted,
        _ => Kind::Latency,
    })
}

fn percentiles(state: &State, width: usize) -> ListSection<'_> {
    let durations = state.shown().stats.totals.durations().into_iter();
    let rows = durations
        .filter_map(|(name, measured)| Some((name, (measured.percentiles()?, measured.count()))));
    let room = width.saturating_sub(PERCENTILE_COLUMNS + 4);
    let mut section = ListSection::builder("percentiles", rows)
        .column(ListColumn::text("Percentiles", room.clamp(12, 26)), |name, _| {
            ListCell::text(format!("  {name}"), Style::new())
        });
    for (at, title) in ["p50", "p95", "p99"].into_iter().enumerate() {
        section = section.column(ListColumn::number(title, 8), move |_, (percentiles, _)| {
            ListCell::number(span(percentiles[at]), percentiles[at], Style::new())
        });
    }
    section
        .column(ListColumn::number("count", 9), |_, (_, count)| {
            ListCell::count(*count, Style::new())
        })
        .target(|name, _| {
            let event_type = measured_by(name)?.spec().event_type;
            Some(OpenTarget::Events(equals("event_type", event_type)))
        })
        .build("nothing measured yet")
}

fn tools(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let calls = |tool: &ToolStats| tool.started.max(tool.completed);
    let rows = state.shown().stats.totals.tools.sorted(calls).into_iter();
    let rows = rows.map(|(name, tool)| (name.unwrap_or("(other)"), (name, tool)));
    let failures =
        move |tool: &ToolStats| if tool.failed > 0 { theme.error() } else { theme.quiet() };
    let name_width = width.saturating_sub(40).clamp(12, 26);
    ListSection::builder("tools", rows)
        .column(ListColumn::text("Tools", name_width), |label, _| {
            ListCell::text(format!("  {}", terminal::visible(label)), Style::new())
        })
        .column(ListColumn::number("p95", 8), |_, (_, tool)| {
            let p95 = tool.durations.percentiles().map(|[_, p95, _]| p95);
            let text = p95.map_or_else(String::new, span);
            ListCell::number(text, p95.unwrap_or(-1.0), Style::new())
        })
        .column(ListColumn::number("calls", 9), move |_, (_, tool)| {
            ListCell::count(calls(tool), Style::new())
        })
        .column(ListColumn::number("failed", 7), move |_, (_, tool)| {
            ListCell::count(tool.failed, failures(tool))
        })
        .column(ListColumn::graph("", 0), move |_, (_, tool)| {
            let share = ChartScale::Linear.share(value(tool.failed), value(calls(tool)));
            ListCell {
                spans: gauge(share, 8, failures(tool), theme.quiet()),
                key: SortKey::Number(share),
            }
        })
        .target(|_, (name, _)| name.map(|name| OpenTarget::Events(equals("tool_name", name))))
        .build("none called yet")
}

fn outcomes(state: &State, width: usize) -> ListSection<'_> {
    let totals = &state.shown().stats.totals;
    // Without a workspace stream, only the observer sessions report outcomes.
    let calls = if totals.calls.outcomes.is_empty() { &totals.sessions } else { &totals.calls };
    let outcomes = calls.outcomes.sorted(|number| *number);
    let outcomes: Vec<_> = outcomes.into_iter().map(|(name, number)| (name, *number)).collect();
    let style = |_: &str| state.config.theme.family("call");
    let filter = |name: &str| Some(equals("completion_reason", name));
    bars("outcomes", "How calls ended", outcomes, width, style, filter)
}

/// Returns the gaps, malformed frames and deviations from the model.
fn problems(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let totals = &state.shown().stats.totals;
    let gaps = totals.gaps.sorted(|(certain, possible)| certain + possible).into_iter();
    let gaps = gaps.map(|(reason, (certain, possible))| ("gap", reason, certain + possible));
    let malformed = totals.malformed.sorted(|number| *number).into_iter();
    let malformed = malformed.map(|(category, number)| ("malformed", category, *number));
    let drift = totals.drift.sorted(|number| *number).into_iter();
    let drift = drift.map(|(name, number)| ("drift", name, *number));
    let rows = gaps.chain(malformed).chain(drift).map(|(problem, name, number)| {
        (format!("{problem}: {}", name.unwrap_or("other")), (problem, number))
    });
    ListSection::builder("problems", rows)
        .column(ListColumn::text("Problems", width.saturating_sub(12).min(60)), |name, _| {
            ListCell::text(format!("  {}", terminal::visible(name)), Style::new())
        })
        .column(ListColumn::number("count", 9), move |_, (problem, number)| {
            let style = if *problem == "drift" { theme.warning() } else { theme.error() };
            ListCell::count(*number, style)
        })
        .target(|_, (problem, _)| {
            Some(OpenTarget::Events(match *problem {
                "gap" => equals("event_type", Kind::TapGap.spec().event_type),
                "malformed" => equals("event_type", Kind::TapMalformed.spec().event_type),
                _ => "(._tap.drift // []) | length > 0".to_owned(),
            }))
        })
        .build("no gaps, malformed frames or drift")
}

fn types(state: &State, width: usize) -> ListSection<'_> {
    let types = state.shown().stats.totals.types();
    let style = |name: &str| state.config.theme.family(family(name));
    bars("types", "Events by type", types, width, style, type_filter)
}

/// Returns the filter that keeps the events of a type or of the types that match a glob.
fn type_filter(name: &str) -> Option<String> {
    if Kind::ALL.iter().any(|kind| kind.spec().event_type == name) {
        return Some(equals("event_type", name));
    }
    // The model does not know the type, so that an expression would be rejected.
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "._-*".contains(character);
    (name.contains('.') && name.chars().all(is_plain)).then(|| name.to_owned())
}

/// Returns a section of counts with bars. A row without a name stands for all names that are not
/// counted separately.
fn bars<'a>(
    name: &'static str,
    title: &str,
    counts: Vec<(Option<&'a str>, u64)>,
    width: usize,
    style: impl Fn(&str) -> Style + 'a,
    filter: impl Fn(&str) -> Option<String> + 'a,
) -> ListSection<'a> {
    let values = || counts.iter().map(|(_, number)| value(*number));
    let scale = ChartScale::for_values(values());
    let max = values().fold(0.0, f64::max);
    let cells = width.saturating_sub(43).min(60);
    let is_logarithmic = scale == ChartScale::Logarithmic;
    let scale_name = if is_logarithmic && cells >= 9 { "log scale" } else { "" };
    let rows = counts.into_iter();
    let rows = rows.map(|(name, number)| (name.unwrap_or("(other)"), (name, number)));
    ListSection::builder(name, rows)
        .column(ListColumn::text(title, 30), |label, _| {
            ListCell::text(format!("  {}", terminal::visible(label)), Style::new())
        })
        .column(ListColumn::number("count", 9), |_, (_, number)| {
            ListCell::count(*number, Style::new())
        })
        .column(ListColumn::graph(scale_name, 0), move |_, (name, number)| {
            let key = value(*number);
            let bar = bar(scale.share(key, max), cells);
            ListCell::number(bar, key, style(name.unwrap_or_default()))
        })
        .target(move |_, (name, _)| name.and_then(&filter).map(OpenTarget::Events))
        .build("none yet")
}
