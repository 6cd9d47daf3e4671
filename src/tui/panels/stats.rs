//! Statistics: the rate over time by family, percentiles of durations, outcomes of calls, and
//! events by type.

use std::collections::VecDeque;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::analysis::stats::text::span;
use crate::model::{Kind, family};
use crate::text::terminal;
use crate::tui::filtering::equals;
use crate::tui::layout::columns;
use crate::tui::list::{ListCell, ListColumn, ListRow, ListSection, OpenTarget, SortKey};
use crate::tui::list_panel::ListPanel;
use crate::tui::live_stats::SECONDS;
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::text::count;

/// Bars of zero to eight eighths of a cell.
const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The width of the columns of numbers in the table of percentiles, with the spaces between them.
const PERCENTILE_COLUMNS: usize = 3 * 9 + 8 + 2;

/// The statistics, in two groups of sections if they fit.
pub struct StatsPanel;

impl ListPanel for StatsPanel {
    fn screen(&self) -> Screen {
        Screen::Stats
    }

    fn groups(&self, state: &State, area: Rect) -> Vec<Vec<ListSection>> {
        let is_wide = area.width >= 110;
        let areas = columns(area, if is_wide { 2 } else { 1 });
        let width = areas.first().map_or(0, |area| usize::from(area.width));
        let mut first =
            vec![rates(state, width), percentiles(state, width), outcomes(state, width)];
        let second = vec![types(state, width)];
        if is_wide {
            return vec![first, second];
        }
        first.extend(second);
        vec![first]
    }
}

fn rates(state: &State, width: usize) -> ListSection {
    let theme = state.config.theme;
    let cells = width.saturating_sub(24).min(SECONDS);
    let rates = &state.stats.rates;
    let longest = rates.values().map(VecDeque::len).max().unwrap_or(0);
    let sum = |back: usize| {
        rates.values().filter_map(|seconds| seconds.get(seconds.len().checked_sub(back)?)).sum()
    };
    let all = (1..=longest).rev().map(sum).collect();
    let families = rates.iter().map(|(family, seconds)| (family.as_str(), seconds));
    let rows = std::iter::once(("all", &all)).chain(families).map(|(family, seconds)| {
        let max = seconds.iter().rev().take(cells).copied().max().unwrap_or(0);
        let line = seconds.iter().rev().take(cells).rev().map(|events| level(*events, max));
        let missing = " ".repeat(cells.saturating_sub(seconds.len()));
        let line = missing + &line.collect::<String>();
        #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
        let key = max as f64;
        ListRow {
            id: family.to_owned(),
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
            ListColumn::text(format!("last {cells} s, newest at the right"), 0),
        ],
        rows: rows.collect(),
        note: None,
        empty: "none yet",
    }
}

/// Returns the filter that keeps the events of a family.
fn family_filter(family: &str) -> Option<String> {
    match family {
        "all" | "(others)" => None,
        "observer" => Some(r#".event_type | contains(".") | not"#.to_owned()),
        family => type_filter(&format!("{family}.*")),
    }
}

fn level(value: u64, max: u64) -> &'static str {
    let level = (value * 8).div_ceil(max.max(1));
    BARS[usize::try_from(level).unwrap_or(8).min(8)]
}

fn percentiles(state: &State, width: usize) -> ListSection {
    let durations = state.stats.totals.durations();
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

fn plain(id: &str, cells: Vec<ListCell>) -> ListRow {
    ListRow { id: id.to_owned(), cells, target: None, style: Style::new() }
}

fn outcomes(state: &State, width: usize) -> ListSection {
    let totals = &state.stats.totals;
    // Without a workspace stream, only the observer sessions report outcomes.
    let calls = if totals.calls.outcomes.is_empty() { &totals.sessions } else { &totals.calls };
    let outcomes = calls.outcomes.sorted(|number| *number);
    let outcomes = outcomes.into_iter().map(|(name, number)| (name, *number));
    let style = |_: &str| state.config.theme.family("call");
    let filter = |name: &str| Some(equals("completion_reason", name));
    bars("outcomes", "How calls ended", outcomes.collect(), width, style, filter)
}

fn types(state: &State, width: usize) -> ListSection {
    let types = state.stats.totals.types();
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
fn bars(
    name: &'static str,
    title: &str,
    counts: Vec<(Option<&str>, u64)>,
    width: usize,
    style: impl Fn(&str) -> Style,
    filter: impl Fn(&str) -> Option<String>,
) -> ListSection {
    let max = counts.iter().map(|(_, number)| *number).max().unwrap_or(1).max(1);
    let cells = width.saturating_sub(43).min(60) as u64;
    let rows = counts.into_iter().map(|(value, number)| {
        let filled = usize::try_from((number * cells).div_ceil(max)).unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
        let key = number as f64;
        let label = value.unwrap_or("(other)");
        let bar = vec![Span::styled("▇".repeat(filled), style(value.unwrap_or_default()))];
        ListRow {
            target: value.and_then(&filter).map(OpenTarget::Events),
            ..plain(
                label,
                vec![
                    ListCell::text(format!("  {}", terminal::visible(label)), Style::new()),
                    ListCell::count(number, Style::new()),
                    ListCell { spans: bar, key: SortKey::Number(key) },
                ],
            )
        }
    });
    ListSection {
        name,
        columns: vec![
            ListColumn::text(title, 30),
            ListColumn::number("count", 9),
            ListColumn::text("", 0),
        ],
        rows: rows.collect(),
        note: None,
        empty: "none yet",
    }
}
