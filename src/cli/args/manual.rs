//! The end of each command's long help: topics, and examples that a test runs.

mod examples;
mod topics;

use std::fmt::Write;

pub use examples::examples;
pub use topics::topics;

/// Returns the text at the end of a command's long help; empty for a command without examples.
#[must_use]
pub fn after(command: &str) -> String {
    let mut text = String::new();
    if examples(command).is_empty() {
        return text;
    }
    for topic in topics(command) {
        let _ = write!(text, "{}:\n{}\n\n", topic.title, topic.text);
    }
    text.push_str("Examples:");
    for example in examples(command) {
        let _ = write!(text, "\n  # {}\n  {}", example.does, example.line);
    }
    text
}
