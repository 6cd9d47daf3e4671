//! The help, made from the table of keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders};

use super::text::cell;
use crate::tui::keys::TABLE;
use crate::tui::state::State;

/// All that the help says.
#[must_use]
pub fn lines(state: &State) -> Vec<Line<'static>> {
    let theme = state.setup.theme;
    let mut lines = Vec::new();
    for (heading, bindings) in TABLE {
        lines.push(Line::styled(format!(" {heading}"), theme.heading()));
        for binding in *bindings {
            let key = Span::styled(format!("  {} ", cell(binding.name, 8)), theme.key());
            lines.push(Line::from(vec![key, Span::raw(binding.help)]));
        }
        lines.push(Line::default());
    }
    lines.push(Line::styled(" In the list", theme.heading()));
    for (sign, meaning) in [
        ("~", "the model did not expect something about this event"),
        ("!", "something went wrong"),
        ("◆", "marked"),
        ("[redacted]", "hidden; only --reveal on the command line lifts it, no key does"),
    ] {
        lines.push(Line::from(vec![Span::styled(format!("  {} ", cell(sign, 10)), theme.key()), Span::raw(meaning)]));
    }
    lines
}

/// Draws it over everything.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let block =
        Block::new().borders(Borders::ALL).border_style(state.setup.theme.quiet()).title(" Keys (j k scroll, Esc closes) ");
    let inner = if area.height >= 8 { block.inner(area) } else { area };
    if inner != area {
        frame.render_widget(block, area);
    }
    super::scrolled(frame, inner, lines(state), state.help.unwrap_or(0));
}
