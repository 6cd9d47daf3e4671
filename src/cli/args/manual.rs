//! The end of each command's long help: topics, and examples that a test runs.

mod examples;
pub mod general;
mod screen;
mod topics;

use std::fmt::Write;

use super::groups::heading;

pub use examples::examples;
pub use general::{BEGINNING, GENERAL_TOPICS};
pub use topics::topics;

/// Returns the text at the end of a command's long help; empty for a command without examples.
#[must_use]
pub fn after(command: &str) -> String {
    let mut text = String::new();
    if examples(command).is_empty() {
        return text;
    }
    if command == "evtap" {
        let _ = write!(text, "{}\n{}\n", heading("Topics"), general::list());
    }
    for topic in topics(command) {
        let _ = write!(text, "{}\n{}\n\n", heading(topic.title), topic.text);
    }
    text.push_str(&heading("Examples"));
    for example in examples(command) {
        let _ = write!(text, "\n  # {}\n  {}", example.does, folded(example.line));
    }
    text
}

/// The length of the lines of an example, so that clap does not wrap them at 80 columns.
const LINE_LENGTH: usize = 72;

/// Breaks a long command line where a shell can read it again: after a backslash, or inside a
/// quoted jq expression, where white space has no meaning.
fn folded(line: &str) -> String {
    let (mut text, mut length, mut quotes) = (String::new(), 0, Quotes::default());
    for word in line.split_inclusive(' ') {
        if length > 0 && length + word.trim_end().len() > LINE_LENGTH && !quotes.is_in_text {
            text.truncate(text.trim_end().len());
            text.push_str(if quotes.is_in_expression { "\n    " } else { " \\\n    " });
            length = 4;
        }
        quotes.pass(word);
        text.push_str(word);
        length += word.len();
    }
    text
}

/// Which quotes of the shell and of jq are open.
#[derive(Default)]
struct Quotes {
    /// Inside `'…'` of the shell.
    is_in_expression: bool,
    /// Inside `"…"` of the shell, or of jq in an expression.
    is_in_text: bool,
}

impl Quotes {
    fn pass(&mut self, word: &str) {
        for character in word.chars() {
            match character {
                '"' => self.is_in_text = !self.is_in_text,
                '\'' if !self.is_in_text => self.is_in_expression = !self.is_in_expression,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;

    #[test]
    fn examples_are_folded_so_that_a_shell_reads_the_same() {
        let command = args::declaration();
        let mut folds = 0;
        for command in command.get_subcommands() {
            for example in examples(command.get_name()) {
                let text = folded(example.line);
                assert!(format!("  {text}").lines().all(|line| line.len() <= 80), "{text}");
                assert_eq!(text.replace(" \\\n    ", " ").replace("\n    ", " "), example.line);
                folds += text.lines().count() - 1;
                let mut quotes = Quotes::default();
                for line in text.lines() {
                    quotes.pass(line);
                    assert!(!quotes.is_in_text, "no text is broken: {text}");
                    let continues = line.ends_with('\\');
                    let is_last = text.ends_with(line);
                    assert!(is_last || continues != quotes.is_in_expression, "{text}");
                }
            }
        }
        assert!(folds > 3, "some are long");
    }
}
