//! A style as escape sequences, which are determined once instead of for each text.

use colored::ColoredString;

/// The escape sequences before and after a text; empty where colours are disabled.
pub struct Style {
    /// The escape sequences before the text.
    pub before: String,
    /// The escape sequence after the text.
    pub after: String,
}

impl Style {
    /// Returns the escape sequences with which `style` surrounds a text now.
    pub fn new(style: impl Fn(&str) -> ColoredString) -> Self {
        const TEXT: &str = "|";
        let styled = style(TEXT).to_string();
        let (before, after) = styled.split_once(TEXT).unwrap_or_default();
        Self { before: before.to_owned(), after: after.to_owned() }
    }

    /// Appends a text in this style.
    pub fn push(&self, text: &str, out: &mut Vec<u8>) {
        for part in [&self.before, text, &self.after] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}
