//! A timeline as an HTML page to attach to a ticket: one file that loads nothing, runs nothing, and
//! can be printed.
//!
//! Text from the wire stays text: hostile characters become visible escapes, and characters with a
//! meaning in HTML are escaped. If that ever failed, the page's content security policy would still
//! prevent it from loading or running anything but the style sheet, which it names by its hash.

use std::io::{self, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::render::{Tone, header, privacy_notice, render};
use super::{Timeline, clock};
use crate::output::stored_event::StoredEventReader;
use crate::text::terminal;

const STYLE: &str = include_str!("page.css");

/// Writes the page.
///
/// # Errors
/// Fails if `page` does.
pub fn html(timeline: &Timeline, page: &mut dyn Write) -> io::Result<()> {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    let sid = escape(&timeline.sid);
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Call {sid}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>Call {sid}</h1>\n<dl>\n"
    )?;
    for (name, value) in header(timeline).into_iter().skip(1) {
        writeln!(page, "<dt>{name}</dt><dd>{}</dd>", escape(&value))?;
    }
    let (is_hidden, notice) = privacy_notice(timeline);
    let class = if is_hidden { "hiding" } else { "revealing" };
    writeln!(page, "</dl>\n<p class=\"{class}\">{}</p>\n<table>", escape(&notice))?;
    page.write_all(
        b"<thead><tr><th scope=\"col\">Time</th><th scope=\"col\">Who</th>\
         <th scope=\"col\">What</th></tr></thead>\n<tbody>\n",
    )?;
    let mut reader = StoredEventReader::default();
    for entry in &timeline.entries {
        let rendered = render(entry, &mut reader);
        let offset = timeline.offset(entry.at).map_or_else(|| "-".to_owned(), clock);
        let at = entry.at.map(|at| format!("{at:.3}")).unwrap_or_default();
        write!(
            page,
            "<tr class=\"{label}\"><td><time datetime=\"{at}\" title=\"{at}\">{offset}</time></td>\
             <td>{label}</td><td class=\"d{}\">",
            rendered.depth,
            label = rendered.label
        )?;
        for (at, (tone, words)) in rendered.words.iter().enumerate() {
            let between = if at > 0 { " " } else { "" };
            write!(page, "{between}<span class=\"{}\">{}</span>", class_of(*tone), escape(words))?;
        }
        page.write_all(b"</td></tr>\n")?;
    }
    let version = env!("CARGO_PKG_VERSION");
    writeln!(page, "</tbody>\n</table>\n<footer>evtap {version}</footer>\n</body>\n</html>")
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

/// Escapes text for HTML, as content of an element or as a quoted attribute.
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
