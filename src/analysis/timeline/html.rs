//! A timeline as a page to attach to a ticket: one file that loads nothing, runs nothing, and prints.
//!
//! Whatever came over the wire is text in it: hostile characters are visible escapes, and what HTML means something by is
//! escaped. Should that ever fail, the page's policy lets it load and run nothing but the one style sheet, by its hash.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::render::{Tone, head, hiding, told};
use super::{Timeline, clock};
use crate::text::terminal;

const STYLE: &str = include_str!("page.css");

/// The whole page.
#[must_use]
pub fn html(timeline: &Timeline) -> String {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    let sid = escape(&timeline.sid);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Call {sid}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Call {sid}</h1>\n<dl>\n"
    );
    for (name, value) in head(timeline).into_iter().skip(1) {
        let _ = writeln!(page, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
    }
    let (hidden, says) = hiding(timeline);
    let class = if hidden { "hiding" } else { "revealing" };
    let _ = writeln!(page, "</dl>\n<p class=\"{class}\">{}</p>\n<table>", escape(&says));
    page.push_str(
        "<thead><tr><th scope=\"col\">Time</th><th scope=\"col\">Who</th><th scope=\"col\">What</th></tr></thead>\n<tbody>\n",
    );
    for entry in &timeline.entries {
        let told = told(entry);
        let offset = timeline.offset(entry.at).map_or_else(|| "-".to_owned(), clock);
        let at = entry.at.map(|at| format!("{at:.3}")).unwrap_or_default();
        let _ = write!(
            page,
            "<tr class=\"{label}\"><td><time datetime=\"{at}\" title=\"{at}\">{offset}</time></td><td>{label}</td><td class=\"d{}\">",
            told.depth,
            label = told.label
        );
        for (at, (tone, words)) in told.words.iter().enumerate() {
            let between = if at > 0 { " " } else { "" };
            let _ = write!(
                page,
                "{between}<span class=\"{}\">{}</span>",
                class_of(*tone),
                escape(words)
            );
        }
        page.push_str("</td></tr>\n");
    }
    let version = env!("CARGO_PKG_VERSION");
    let _ =
        writeln!(page, "</tbody>\n</table>\n<footer>evtap {version}</footer>\n</body>\n</html>");
    page
}

const fn class_of(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Quiet => "quiet",
        Tone::Hidden => "hidden",
        Tone::Good => "good",
        Tone::Warning => "warning",
        Tone::Bad => "bad",
    }
}

/// Text as HTML, within an element or between quotes.
fn escape(text: &str) -> String {
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
