//! The lines of the prompt, to be recalled.

use std::collections::HashSet;

use super::state::prompt::Purpose;

/// The memory of the lines of each kind, in bytes.
pub const HISTORY_BYTES: usize = 64 << 10;

/// The typed lines of each kind, the newest last.
#[derive(Debug, Default)]
pub struct PromptHistory {
    /// The filters that were applied.
    pub filters: Vec<String>,
    /// The patterns that were searched for.
    pub searches: Vec<String>,
    /// The commands that were run.
    pub commands: Vec<String>,
    /// Those of the filters that contain a value of an event, which was not typed.
    from_events: HashSet<String>,
}

impl PromptHistory {
    /// Returns the lines that can be recalled in a prompt.
    #[must_use]
    pub fn lines(&self, purpose: Purpose) -> &[String] {
        match purpose {
            Purpose::Filter => &self.filters,
            Purpose::Search => &self.searches,
            Purpose::Command => &self.commands,
            Purpose::Rows | Purpose::Save => &[],
        }
    }

    /// Adds a line that was typed. It moves to the end if it is known.
    pub fn add(&mut self, purpose: Purpose, line: String) {
        let lines = match purpose {
            Purpose::Filter => &mut self.filters,
            Purpose::Search => &mut self.searches,
            Purpose::Command => &mut self.commands,
            Purpose::Rows | Purpose::Save => return,
        };
        if line.trim().is_empty() {
            return;
        }
        lines.retain(|known| *known != line);
        lines.push(line);
        let bytes = |lines: &[String]| lines.iter().map(String::len).sum::<usize>();
        while lines.len() > 1 && bytes(lines) > HISTORY_BYTES {
            lines.remove(0);
        }
        if !self.from_events.is_empty() {
            let filters = &self.filters;
            self.from_events.retain(|line| filters.contains(line));
        }
    }

    /// Adds a filter that contains a value of an event.
    pub fn add_from_event(&mut self, filter: String) {
        self.add(Purpose::Filter, filter.clone());
        self.from_events.insert(filter);
    }

    /// Returns whether a filter contains a value of an event.
    #[must_use]
    pub fn is_from_event(&self, filter: &str) -> bool {
        self.from_events.contains(filter)
    }
}
