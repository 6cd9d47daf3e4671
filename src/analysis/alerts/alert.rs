//! An alert, and the `tap.alert` line that reports it.

use std::fmt::Write as _;
use std::sync::Arc;

use super::millis::Millis;
use super::subject::AlertSubject;
use crate::model::Origin;
use crate::model::catalog::value::{AlertReason, AlertState};
use crate::model::push_millis;

/// A change of what a rule knows about a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// The name of the rule.
    pub rule: Arc<str>,
    /// The key; empty if the rule has no keys.
    pub key: Arc<str>,
    /// The workspace of the events.
    pub origin: Arc<Origin>,
    /// When the state changed.
    pub at: Millis,
    /// What is known now.
    pub state: AlertState,
    /// When that began.
    pub since: Millis,
    /// The number of events that led to it.
    pub count: u64,
    /// The percentile or the number of seconds that was measured.
    pub value: Option<f64>,
    /// Why the state changed.
    pub reason: AlertReason,
    /// What the key stands for.
    pub subject: AlertSubject,
    /// Whether it is reported as an event.
    pub is_reported: bool,
}

impl Alert {
    /// Writes the line that reports the alert.
    ///
    /// Its time is that of the change by the time of the events, so a replay gives the same line.
    pub fn write(&self, line: &mut String) {
        line.clear();
        line.push_str("{\"event_type\":\"tap.alert\",\"rule\":");
        push_text(&self.rule, line);
        line.push_str(",\"key\":");
        push_text(&self.key, line);
        line.push_str(",\"state\":");
        push_text(self.state.as_str(), line);
        line.push_str(",\"since\":");
        push_time(self.since, line);
        line.push_str(",\"count\":");
        // Writing to a string cannot fail.
        let _ = write!(line, "{}", self.count);
        if let Some(value) = self.value {
            line.push_str(",\"value\":");
            line.push_str(&serde_json::to_string(&value).unwrap_or_default());
        }
        line.push_str(",\"reason\":");
        push_text(self.reason.as_str(), line);
        line.push_str(",\"_tap\":{\"time\":");
        push_time(self.at, line);
        if let Some(workspace) = &self.origin.workspace_id {
            line.push_str(",\"workspace_id\":");
            push_text(workspace, line);
        }
        line.push_str("}}");
    }
}

/// Appends a text as a JSON string.
fn push_text(text: &str, line: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        line.push('"');
        line.push_str(text);
        line.push('"');
    } else {
        line.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// Appends a time as RFC 3339 in UTC; null if there is no such time.
fn push_time(millis: Millis, line: &mut String) {
    let start = line.len();
    line.push('"');
    if push_millis(millis, line) {
        line.push('"');
    } else {
        line.truncate(start);
        line.push_str("null");
    }
}
