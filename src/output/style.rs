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
        self.push_parts([text], out);
    }

    /// Appends a text that consists of `parts` in this style.
    pub fn push_parts<const N: usize>(&self, parts: [&str; N], out: &mut Vec<u8>) {
        if !self.before.is_empty() {
            out.extend_from_slice(self.before.as_bytes());
        }
        for part in parts {
            out.extend_from_slice(part.as_bytes());
        }
        if !self.after.is_empty() {
            out.extend_from_slice(self.after.as_bytes());
        }
    }
}
