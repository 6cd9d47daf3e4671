//! HTML pages: one file that loads nothing, runs nothing, and can be printed.
//!
//! This module has the shell of a page, the escaping of text, and the pictures that pages share.
//! Text from the wire stays text: hostile characters become visible escapes, and characters with a
//! meaning in HTML are escaped. If that ever failed, the page's content security policy would still
//! prevent it from loading or running anything but the style sheet, which it names by its hash. The
//! policy forbids styles in attributes too, so pictures are SVG with classes and with lengths in
//! percent.

pub mod axis;
pub mod chart;
pub mod svg;

use std::borrow::Cow;
use std::io::{self, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use crate::analysis::byte_budget::truncated;
use crate::text::terminal;
use crate::text::units::count;

/// The patterns that pictures refer to, so that no two things differ only in hue.
const PATTERNS: &str = include_str!("page/patterns.svg");

/// Writes everything before the content of a page with this title and style sheet.
///
/// # Errors
/// Fails if `page` does.
pub fn begin(page: &mut dyn Write, title: &str, style: &str) -> io::Result<()> {
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    let title = escape(title);
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n\
         <style>{style}</style>\n</head>\n<body>\n{PATTERNS}"
    )
}

/// Writes everything after the content of a page.
///
/// # Errors
/// Fails if `page` does.
pub fn end(page: &mut dyn Write) -> io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    writeln!(page, "<footer>Written by evtap {version}.</footer>\n</body>\n</html>")
}

/// Returns whether protected health information is hidden, and a sentence that says so. `revealed`
/// are the names of the fields that the user asked to reveal.
#[must_use]
pub fn privacy_notice(revealed: &[String]) -> (bool, String) {
    if revealed.is_empty() {
        return (true, "Protected health information is hidden.".to_owned());
    }
    let names = terminal::visible(&revealed.join(", ")).into_owned();
    (false, format!("SHOWS protected health information, revealed by name: {names}."))
}

/// A number that a page shows large, with its name and an explanation.
pub struct KeyNumber {
    /// The name.
    pub name: &'static str,
    /// The number with its unit.
    pub value: String,
    /// What else there is to say, or nothing.
    pub detail: String,
    /// Whether it needs attention.
    pub is_bad: bool,
}

impl KeyNumber {
    /// Creates a number that needs no attention.
    #[must_use]
    pub fn new(name: &'static str, value: String, detail: impl Into<String>) -> Self {
        Self { name, value, detail: detail.into(), is_bad: false }
    }

    /// Marks the number as one that needs attention if `is_bad`.
    #[must_use]
    pub fn bad_if(self, is_bad: bool) -> Self {
        Self { is_bad, ..self }
    }
}

/// Writes a row of large numbers.
///
/// # Errors
/// Fails if `page` does.
pub fn key_numbers(page: &mut dyn Write, numbers: &[KeyNumber]) -> io::Result<()> {
    page.write_all(b"<dl class=\"numbers\">\n")?;
    for KeyNumber { name, value, detail, is_bad } in numbers {
        let (class, mark) = if *is_bad { (" class=\"bad\"", "▲ ") } else { ("", "") };
        let (value, detail) = (escape(value), escape(detail));
        writeln!(
            page,
            "<div{class}><dt>{name}</dt><dd>{mark}{value}</dd><dd class=\"detail\">{detail}</dd></div>"
        )?;
    }
    page.write_all(b"</dl>\n")
}

/// Escapes text for HTML, as content of an element or as a quoted attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in terminal::visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

/// Returns at most `limit` bytes of text, and says how many more there are.
#[must_use]
pub fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    let shown = truncated(text, limit);
    let rest = (text.len() - shown.len()) as u64;
    match rest {
        0 => Cow::Borrowed(text),
        rest => Cow::Owned(format!("{shown}… ({} more bytes)", count(rest))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_says_how_much_is_missing() {
        assert_eq!(shortened("é", 2), "é");
        assert_eq!(shortened(&"é".repeat(1000), 5), "éé… (1,996 more bytes)");
    }

    #[test]
    fn characters_with_a_meaning_are_escaped() {
        assert_eq!(
            escape("<a b='c' d=\"&\">\u{1b}"),
            "&lt;a b=&#39;c&#39; d=&quot;&amp;&quot;&gt;\\u{1b}"
        );
    }
}
