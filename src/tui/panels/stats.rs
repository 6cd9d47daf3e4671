//! Statistics: the rate over time, percentiles of durations, outcomes of calls, tools, problems,
//! and events by type.

mod charts;

use std::collections::VecDeque;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::analysis::stats::text::span;
use crate::model::{Kind, family};
use crate::text::terminal;
use crate::tui::charts::bar::bar;
use crate::tui::charts::gauge::gauge;
use crate::tui::charts::scale::{ChartScale, value};
use crate::tui::charts::sparkline::sparkline;
use crate::tui::filtering::equals;
use crate::tui::layout::columns;
use crate::tui::list::{ListCell, ListColumn, ListRow, ListSection, OpenTarget, SortKey};
use crate::tui::list_panel::ListPanel;
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

    fn groups(&self, state: &State, area: Rect) -> Vec<Vec<ListSection>> {
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

fn rates(state: &State, width: usize) -> ListSection {
    let theme = state.config.theme;
    let cells = width.saturating_sub(24).min(SECONDS);
    let rates = state.shown().stats.rates.iter();
    let rows = rates.map(|(family, seconds): (_, &VecDeque<u64>)| {
        let max = seconds.iter().copied().max().unwrap_or(0);
        // All seconds are shown, so that the numbers do not depend on the width.
        let mut values = vec![0.0; SECONDS - seconds.len().min(SECONDS)];
        values.extend(seconds.iter().copied().map(value));
        let line = sparkline(&values, cells, value(max));
        let key = value(max);
        ListRow {
            id: family.clone(),
            cells: vec![
                ListCell::text(format!("  {family}"), theme.family(family)),
                ListCell::number(format!("≤{}", count(max)), key, theme.quiet()),
                ListCell::number(line, key, theme.family(family)),
            ],
            target: family_filter(family).map(OpenTarget::Events),
            style: Style::new(),
        }
    });
    ListSection {
        name: "rates",
        columns: vec![
            ListColumn::text("Events", 14),
            ListColumn::number("per s", 7),
            ListColumn::text("last 4 minutes", 0),
        ],
        rows: rows.collect(),
        note: None,
        empty: "none yet",
    }
}

/// Returns the filter that keeps the events of a family.
fn family_filter(family: &str) -> Option<String> {
    match family {
        "(others)" => None,
        "observer" => Some(r#".event_type | contains(".") | not"#.to_owned()),
        family => type_filter(&format!("{family}.*")),
    }
}

fn percentiles(state: &State, width: usize) -> ListSection {
    let durations = state.shown().stats.totals.durations();
    let rows = durations.into_iter().filter_map(|(name, measured)| {
        let percentiles = measured.percentiles()?;
        let number = |millis: f64| ListCell::number(span(millis), millis, Style::new());
        let mut cells = vec![ListCell::text(format!("  {name}"), Style::new())];
        cells.extend(percentiles.map(number));
        cells.push(ListCell::count(measured.count(), Style::new()));
        let kind = match name {
            "calls" => Kind::CallEnded,
            "observed calls" => Kind::SessionEnd,
            "model" => return Some(plain(name, cells)),
            "tool calls" => Kind::ToolCallCompleted,
            "pipeline syncs" => Kind::PipelineSyncCompleted,
            _ => Kind::Latency,
        };
        let filter = equals("event_type", kind.spec().event_type);
        Some(ListRow { target: Some(OpenTarget::Events(filter)), ..plain(name, cells) })
    });
    let room = width.saturating_sub(PERCENTILE_COLUMNS + 4);
    ListSection {
        name: "percentiles",
        columns: vec![
            ListColumn::text("Percentiles", room.clamp(12, 26)),
            ListColumn::number("p50", 8),
            ListColumn::number("p95", 8),
            ListColumn::number("p99", 8),
            ListColumn::number("count", 9),
        ],
        rows: rows.collect(),
        note: None,
        empty: "nothing measured yet",
    }
}

fn tools(state: &State, width: usize) -> ListSection {
    let theme = state.config.theme;
    let tools = &state.shown().stats.totals.tools;
    let rows =
        tools.sorted(|tool| tool.started.max(tool.completed)).into_iter().map(|(name, tool)| {
            let calls = tool.started.max(tool.completed);
            let label = name.unwrap_or("(other)");
            let p95 = tool.durations.percentiles().map(|[_, p95, _]| p95);
            let share = ChartScale::Linear.share(value(tool.failed), value(calls));
            let failures = if tool.failed > 0 { theme.error() } else { theme.quiet() };
            let row = vec![
                ListCell::text(format!("  {}", terminal::visible(label)), Style::new()),
                ListCell::number(
                    p95.map_or_else(String::new, span),
                    p95.unwrap_or(-1.0),
                    Style::new(),
                ),
                ListCell::count(calls, Style::new()),
                ListCell::count(tool.failed, failures),
                ListCell {
                    spans: gauge(share, 8, failures, theme.quiet()),
                    key: SortKey::Number(share),
                },
            ];
            let target = name.map(|name| OpenTarget::Events(equals("tool_name", name)));
            ListRow { target, ..plain(label, row) }
        });
    ListSection {
        name: "tools",
        columns: vec![
            ListColumn::text("Tools", width.saturating_sub(40).clamp(12, 26)),
            ListColumn::number("p95", 8),
            ListColumn::number("calls", 9),
            ListColumn::number("failed", 7),
            ListColumn::text("", 0),
        ],
        rows: rows.collect(),
        note: None,
        empty: "none called yet",
    }
}

fn outcomes(state: &State, width: usize) -> ListSection {
    let totals = &state.shown().stats.totals;
    // Without a workspace stream, only the observer sessions report outcomes.
    let calls = if totals.calls.outcomes.is_empty() { &totals.sessions } else { &totals.calls };
    let outcomes = calls.outcomes.sorted(|number| *number);
    let outcomes: Vec<_> = outcomes.into_iter().map(|(name, number)| (name, *number)).collect();
    let style = |_: &str| state.config.theme.family("call");
    let filter = |name: &str| Some(equals("completion_reason", name));
    bars("outcomes", "How calls ended", &outcomes, width, style, filter)
}

/// Returns the gaps, malformed frames and deviations from the model.
fn problems(state: &State, width: usize) -> ListSection {
    let theme = state.config.theme;
    let totals = &state.shown().stats.totals;
    let gaps = totals.gaps.sorted(|(certain, possible)| certain + possible);
    let gaps = gaps
        .into_iter()
        .map(|(reason, (certain, possible))| (Kind::TapGap, "gap", reason, certain + possible));
    let malformed = totals.malformed.sorted(|number| *number).into_iter();
    let malformed =
        malformed.map(|(category, number)| (Kind::TapMalformed, "malformed", category, *number));
    let of_kind = gaps.chain(malformed).map(|(kind, title, name, number)| {
        let filter = equals("event_type", kind.spec().event_type);
        (format!("{title}: {}", name.unwrap_or("other")), number, filter, theme.error())
    });
    let drift = totals.drift.sorted(|number| *number).into_iter().map(|(name, number)| {
        let filter = "(._tap.drift // []) | length > 0".to_owned();
        (format!("drift: {}", name.unwrap_or("other")), *number, filter, theme.warning())
    });
    let rows = of_kind.chain(drift).map(|(name, number, filter, style)| {
        let cells = vec![
            ListCell::text(format!("  {}", terminal::visible(&name)), Style::new()),
            ListCell::count(number, style),
        ];
        ListRow { target: Some(OpenTarget::Events(filter)), ..plain(&name, cells) }
    });
    ListSection {
        name: "problems",
        columns: vec![
            ListColumn::text("Problems", width.saturating_sub(12).min(60)),
            ListColumn::number("count", 9),
        ],
        rows: rows.collect(),
        note: None,
        empty: "no gaps, malformed frames or drift",
    }
}

fn types(state: &State, width: usize) -> ListSection {
    let types = state.shown().stats.totals.types();
    let style = |name: &str| state.config.theme.family(family(name));
    bars("types", "Events by type", &types, width, style, type_filter)
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

fn plain(id: &str, cells: Vec<ListCell>) -> ListRow {
    ListRow { id: id.to_owned(), cells, target: None, style: Style::new() }
}

/// Returns a section of counts with bars. A row without a name stands for all names that are not
/// counted separately.
fn bars(
    name: &'static str,
    title: &str,
    counts: &[(Option<&str>, u64)],
    width: usize,
    style: impl Fn(&str) -> Style,
    filter: impl Fn(&str) -> Option<String>,
) -> ListSection {
    let values = || counts.iter().map(|(_, number)| value(*number));
    let scale = ChartScale::for_values(values());
    let max = values().fold(0.0, f64::max);
    let cells = width.saturating_sub(43).min(60);
    let rows = counts.iter().map(|(name, number)| {
        let key = value(*number);
        let label = name.unwrap_or("(other)");
        let bar =
            vec![Span::styled(bar(scale.share(key, max), cells), style(name.unwrap_or_default()))];
        ListRow {
            target: name.and_then(&filter).map(OpenTarget::Events),
            ..plain(
                label,
                vec![
                    ListCell::text(format!("  {}", terminal::visible(label)), Style::new()),
                    ListCell::count(*number, Style::new()),
                    ListCell { spans: bar, key: SortKey::Number(key) },
                ],
            )
        }
    });
    let is_logarithmic = scale == ChartScale::Logarithmic;
    ListSection {
        name,
        columns: vec![
            ListColumn::text(title, 30),
            ListColumn::number("count", 9),
            ListColumn::text(if is_logarithmic && cells >= 9 { "log scale" } else { "" }, 0),
        ],
        rows: rows.collect(),
        note: None,
        empty: "none yet",
    }
}
