//! The outcomes of calls, and the operators.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::analysis::stats::tally::Tally;
use crate::model::catalog::field_named;
use crate::model::id_prefix;
use crate::text::terminal;
use crate::tui::charts::bar::bar;
use crate::tui::charts::scale::value;
use crate::tui::filtering::equals;
use crate::tui::list::OpenTarget;
use crate::tui::list_section::{ListCell, ListColumn, ListSection, SortKey};
use crate::tui::state::State;
use crate::tui::text::{count, counted, length};
use crate::tui::workspace_state::OperatorState;

/// The width of the columns of the outcomes before the bars, with the spaces between them.
const OUTCOME_COLUMNS: usize = 1 + 14 + 1 + 7 + 1 + 5 + 1;

fn visible(text: &str) -> String {
    terminal::visible(text).into_owned()
}

/// Returns how calls ended. Without a workspace stream, only the observers report that.
fn tally(state: &State) -> &Tally<u64> {
    let totals = &state.shown().stats.totals;
    if totals.calls.outcomes.is_empty() {
        &totals.sessions.outcomes
    } else {
        &totals.calls.outcomes
    }
}

/// Returns the number of different outcomes.
pub fn outcome_count(state: &State) -> usize {
    tally(state).len()
}

/// Returns the title of the outcomes.
pub fn outcomes_title(state: &State) -> Vec<Span<'static>> {
    let theme = state.config.theme;
    let ended = tally(state).sorted(|_| 0).iter().map(|(_, number)| **number).sum();
    let text = format!("  {} ended", counted(ended, "call"));
    vec![Span::styled("Outcomes", theme.heading()), Span::styled(text, theme.quiet())]
}

/// Returns the outcomes with bars.
pub fn outcomes(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let outcomes = tally(state).sorted(|number| *number);
    let all: u64 = outcomes.iter().map(|(_, number)| **number).sum();
    let most = outcomes.iter().map(|(_, number)| **number).max().unwrap_or(1).max(1);
    let room = width.saturating_sub(OUTCOME_COLUMNS).min(60);
    let rows = outcomes.into_iter();
    let rows = rows.map(|(name, number)| (name.unwrap_or("(other)"), (name, *number)));
    ListSection::builder("outcomes", rows)
        .column(ListColumn::text("outcome", 14), |name, _| {
            ListCell::text(visible(name), Style::new())
        })
        .column(ListColumn::number("count", 7), |_, (_, number)| {
            ListCell::count(*number, Style::new())
        })
        .column(ListColumn::number("share", 5), move |_, (_, number)| {
            let share = format!("{}%", number * 100 / all.max(1));
            ListCell::number(share, value(*number), theme.quiet())
        })
        .column(ListColumn::graph("", 0), move |_, (name, number)| {
            let is_failure = field_named("completion_reason")
                .zip(*name)
                .is_some_and(|(field, name)| field.error_values.contains(&name));
            let style = match name {
                _ if is_failure => theme.error(),
                Some("escalated") => theme.warning(),
                _ => theme.family("call"),
            };
            let bar = bar(value(*number) / value(most), room);
            ListCell::number(bar, value(*number), style)
        })
        .target(|_, (name, _)| {
            name.map(|name| OpenTarget::Events(equals("completion_reason", name)))
        })
        .build("none has ended yet")
}

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Duty {
    Serving,
    Free,
    Busy,
    Off,
}

impl Duty {
    fn of(operator: &OperatorState) -> Self {
        match (&operator.call, operator.status.as_deref()) {
            (Some(_), _) => Self::Serving,
            (None, Some("online")) => Self::Free,
            (None, Some("busy")) => Self::Busy,
            (None, _) => Self::Off,
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Serving => "■",
            Self::Free => "□",
            Self::Busy => "◧",
            Self::Off => "·",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Free => "free",
            Self::Busy => "busy",
            Self::Off => "off",
        }
    }

    fn style(self, state: &State) -> Style {
        let theme = state.config.theme;
        match self {
            Self::Serving => theme.family("operator"),
            Self::Free => theme.good(),
            Self::Busy => theme.warning(),
            Self::Off => theme.quiet(),
        }
    }
}

/// Returns the title of the operators: how many are free, and so on.
pub fn operators_title(state: &State) -> Vec<Span<'static>> {
    let mut spans = vec![Span::styled("Operators", state.config.theme.heading())];
    for duty in [Duty::Free, Duty::Serving, Duty::Busy, Duty::Off] {
        let operators = state.shown().workspace.operators.named();
        let number = operators.filter(|(_, operator)| Duty::of(operator) == duty).count() as u64;
        if number > 0 || duty == Duty::Free {
            let text = format!("  {} {}", count(number), duty.name());
            let is_missing = duty == Duty::Free && !state.shown().workspace.operators.is_empty();
            let style = if number == 0 && is_missing {
                state.config.theme.error()
            } else {
                duty.style(state)
            };
            spans.push(Span::styled(text, style));
        }
    }
    spans
}

/// Returns the operators: those in a call first, then those who could take one, the longest first.
pub fn operators(state: &State, width: usize) -> ListSection<'_> {
    let theme = state.config.theme;
    let operators = &state.shown().workspace.operators;
    let mut sorted: Vec<_> = operators.named().collect();
    sorted.sort_by_key(|(_, operator)| (Duty::of(operator), operator.since));
    let now = state.reference_time().as_second();
    let is_narrow = width < 44;
    ListSection::builder("operators", sorted)
        .column(
            ListColumn::text("operator", if is_narrow { 10 } else { 12 }),
            move |id, operator| {
                let duty = Duty::of(operator);
                let style = if duty == Duty::Off { theme.quiet() } else { theme.heading() };
                let sign = Span::styled(format!("{} ", duty.sign()), duty.style(state));
                ListCell {
                    spans: vec![sign, Span::styled(visible(id_prefix(id)), style)],
                    key: SortKey::Text(id.to_owned()),
                }
            },
        )
        .column(ListColumn::text("state", 8), |_, operator| {
            let duty = Duty::of(operator);
            let mode = operator.call.as_ref().map_or(duty.name(), |(_, mode)| mode);
            ListCell::text(visible(mode), duty.style(state))
        })
        .column(ListColumn::text("call", if is_narrow { 9 } else { 11 }), |_, operator| {
            let call = operator.call.as_ref();
            let call = call.map(|(sid, _)| format!("{}…", visible(id_prefix(sid))));
            ListCell::text(call.unwrap_or_default(), Style::new())
        })
        .column(ListColumn::number("since", 6), move |_, operator| {
            let seconds = operator.since.map(|since| now - since.as_second());
            #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
            let age = seconds.map_or(-1.0, |seconds| seconds as f64);
            ListCell::number(seconds.map(length).unwrap_or_default(), age, theme.quiet())
        })
        .target(|id, _| Some(OpenTarget::Events(equals("operator_id", id))))
        .note(operators.other().map(|_| "and more, which are not kept"))
        .build("none yet")
}
