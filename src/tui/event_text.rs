//! The text of an event as the list shows it, for searches and filters by text.

use crate::output::columns::{self, Columns};
use crate::output::pretty::ordered;
use crate::redact::RedactedEvent;
use crate::text::terminal;

/// Returns the type of an event and its fields, as `name=value` separated by spaces, or the values of
/// the chosen columns. Hidden values are masked in it, as on the screen.
#[must_use]
pub fn event_text(event: &RedactedEvent<'_>, columns: Option<&Columns>) -> String {
    let mut text = terminal::visible(event.event_type()).into_owned();
    match columns {
        Some(columns) => {
            for (_, json) in columns.parts(event) {
                text.push(' ');
                text.extend(json.map(|json| terminal::visible(&columns::text(&json)).into_owned()));
            }
        }
        None => {
            for field in ordered(event) {
                text.extend([" ", &field.name, "=", &field.value]);
            }
        }
    }
    text
}
