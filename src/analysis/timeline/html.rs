//! A timeline as an HTML page to attach to a ticket: the picture of the call, the conversation, and
//! all events.
//!
//! The size of the page is bounded. What is left out is named at its place; JSON has everything.

use std::io::{self, Write};

use super::lanes::{CallLanes, SpanLook};
use super::picture::picture;
use super::render::{RenderedEntry, Tone, header, render};
use super::waterfall::{first_audio, waterfall};
use super::{EntryKind, RawEvent, Timeline, TimelineEntry, clock, fields};
use crate::analysis::page::{self, KeyNumber, escape, key_numbers, privacy_notice, shortened};
use crate::analysis::stats::text::span;
use crate::model::Stream;
use crate::output::pretty::{plain, rank};
use crate::output::stored_event::StoredEventReader;
use crate::text::units::{count, counted};

const STYLE: &str = concat!(include_str!("../page/page.css"), include_str!("timeline.css"));

/// The numbers of entries of the conversation that are shown, at its beginning and at its end.
const ENTRIES: (usize, usize) = (1000, 500);

/// The numbers of events that are shown, of the first and of the last ones.
const EVENTS: (usize, usize) = (600, 400);

/// The most text of an entry, and of a field, in bytes.
const MAX_ENTRY: usize = 4096;
const MAX_FIELD: usize = 512;

/// The most fields of an event that are shown.
const MAX_FIELDS: usize = 64;

/// Writes the page.
///
/// # Errors
/// Fails if `page` does.
pub fn html(timeline: &Timeline, page: &mut dyn Write) -> io::Result<()> {
    let mut reader = StoredEventReader::default();
    let lanes = CallLanes::new(timeline, &mut reader);
    let sid = escape(&timeline.sid);
    page::begin(page, &format!("Call {}", timeline.sid), STYLE)?;
    writeln!(page, "<header>\n<h1>Call <span class=\"sid\">{sid}</span></h1>")?;
    let (is_hidden, notice) = privacy_notice(&timeline.revealed);
    let class = if is_hidden { "hiding" } else { "revealing" };
    writeln!(page, "<p class=\"{class}\">{}</p>", escape(&notice))?;
    key_numbers(page, &numbers(timeline, lanes.as_ref()))?;
    page.write_all(b"<dl class=\"facts\">\n")?;
    for (name, value) in header(timeline).into_iter().skip(1) {
        let value = escape(&shortened(&value, MAX_FIELD));
        writeln!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>")?;
    }
    page.write_all(b"</dl>\n</header>\n<main>\n<div class=\"pictures\">\n<section>\n")?;
    page.write_all(b"<h2>Course of the call</h2>\n")?;
    match &lanes {
        Some(lanes) => picture(lanes, page)?,
        None => page.write_all(b"<p class=\"note\">The events have no times to draw.</p>\n")?,
    }
    page.write_all(b"</section>\n")?;
    if let Some(lanes) = lanes.as_ref().filter(|lanes| !lanes.turns.is_empty()) {
        page.write_all(b"<section>\n<h2>Latency of each turn</h2>\n")?;
        waterfall(lanes, page)?;
        page.write_all(b"</section>\n")?;
    }
    page.write_all(b"</div>\n<section class=\"talk\">\n<h2>Conversation</h2>\n")?;
    conversation(timeline, &mut reader, page)?;
    page.write_all(b"</section>\n</main>\n")?;
    raw_events(timeline, &mut reader, page)?;
    page::end(page)
}

fn numbers(timeline: &Timeline, lanes: Option<&CallLanes>) -> Vec<KeyNumber> {
    let call = &timeline.call;
    let unknown = || "–".to_owned();
    let seconds = call.seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    let outcome = match &call.ended {
        Some((_, why)) => shortened(why, 40).into_owned(),
        None => "no end was seen".to_owned(),
    };
    let duration = seconds.map_or_else(unknown, |seconds| span(seconds * 1000.0));
    let speech = || lanes.into_iter().flat_map(|lanes| &lanes.speech);
    let cut = speech().flat_map(|(_, said)| said).filter(|said| said.look == SpanLook::Bad).count();
    let utterances = timeline.call.transcript.turn_count;
    let (tools, failed) = lanes.map_or((0, 0), |lanes| lanes.tool_counts);
    let audio = lanes.and_then(first_audio);
    let gaps = timeline.entries.iter().filter(|entry| matches!(entry.kind, EntryKind::Gap(_)));
    let gaps = gaps.count() as u64 + timeline.dropped_gaps;
    let escalated = if call.escalated { " · escalated" } else { "" };
    vec![
        KeyNumber::new("Duration", duration, outcome + escalated).bad_if(call.escalated),
        KeyNumber::new("Utterances", count(utterances), format!("{cut} interrupted")),
        KeyNumber::new(
            "First audio, p50",
            audio.map_or_else(unknown, |[p50, ..]| span(p50)),
            audio.map_or_else(
                || "not measured".to_owned(),
                |[_, p95, p99]| format!("p95 {} · p99 {}", span(p95), span(p99)),
            ),
        ),
        KeyNumber::new("Tool calls", count(tools), format!("{failed} failed")).bad_if(failed > 0),
        KeyNumber::new(
            "Gaps",
            if gaps == 0 { "none".to_owned() } else { count(gaps) },
            if gaps == 0 { "no event is known to be missing" } else { "events may be missing" },
        )
        .bad_if(gaps > 0),
    ]
}

/// Returns the ranges of a list that are shown if `(first, last)` of its members are, and the
/// number of members between them.
fn ends(length: usize, (first, last): (usize, usize)) -> (usize, usize, usize) {
    if length <= first + last {
        return (length, length, 0);
    }
    (first, length - last, length - last - first)
}

/// Writes everything but the events that are neither speech, nor tools, nor steps.
fn conversation(
    timeline: &Timeline,
    reader: &mut StoredEventReader,
    page: &mut dyn Write,
) -> io::Result<()> {
    let entries = timeline.entries.iter().enumerate();
    let shown: Vec<_> =
        entries.filter(|(_, entry)| !matches!(entry.kind, EntryKind::Event(_))).collect();
    if shown.is_empty() {
        return page.write_all(b"<p class=\"note\">Nothing was said.</p>\n");
    }
    let (first, last, between) = ends(shown.len(), ENTRIES);
    page.write_all(b"<ol>\n")?;
    for (number, entry) in &shown[..first] {
        write_entry(timeline, *number, entry, reader, page)?;
    }
    if between > 0 {
        let between = count(between as u64);
        writeln!(
            page,
            "<li class=\"leftout\">{between} entries are left out here; <code>-o json</code> has them.</li>"
        )?;
    }
    for (number, entry) in &shown[last..] {
        write_entry(timeline, *number, entry, reader, page)?;
    }
    page.write_all(b"</ol>\n")
}

fn write_entry(
    timeline: &Timeline,
    number: usize,
    entry: &TimelineEntry,
    reader: &mut StoredEventReader,
    page: &mut dyn Write,
) -> io::Result<()> {
    let RenderedEntry { label, words, depth, .. } = render(entry, reader);
    let is_bad = words.iter().any(|(tone, _)| *tone == Tone::Bad);
    let bad = if is_bad { " isbad" } else { "" };
    write!(page, "<li id=\"e{number}\" class=\"{label} d{depth}{bad}\">")?;
    write_time(timeline, entry.at, page)?;
    write!(page, "<b>{label}</b> <span class=\"words\">")?;
    let first_bad = words.iter().position(|(tone, _)| *tone == Tone::Bad);
    for (at, (tone, words)) in words.iter().enumerate() {
        let between = if at > 0 { " " } else { "" };
        let class = class_of(*tone);
        // What failed is marked besides its colour.
        let mark = if first_bad == Some(at) && label == "tool" { "✗ " } else { "" };
        let words = escape(&shortened(words, MAX_ENTRY));
        write!(page, "{between}<span class=\"{class}\">{mark}{words}</span>")?;
    }
    page.write_all(b"</span></li>\n")
}

fn write_time(
    timeline: &Timeline,
    at: Option<jiff::Timestamp>,
    page: &mut dyn Write,
) -> io::Result<()> {
    let offset = timeline.offset(at).map_or_else(|| "-".to_owned(), clock);
    match at {
        Some(at) => write!(page, "<time datetime=\"{at:.3}\" title=\"{at:.3}\">{offset}</time>"),
        None => write!(page, "<span class=\"time\">{offset}</span>"),
    }
}

fn raw_events(
    timeline: &Timeline,
    reader: &mut StoredEventReader,
    page: &mut dyn Write,
) -> io::Result<()> {
    let (first, last, between) = ends(timeline.raw.len(), EVENTS);
    writeln!(
        page,
        "<details class=\"raw\">\n<summary>{}</summary>\n<div class=\"scroll\" role=\"region\" \
         aria-label=\"Events\" tabindex=\"0\">\n<table>\n<thead><tr><th scope=\"col\">Time</th>\
         <th scope=\"col\">Stream</th><th scope=\"col\">Type</th><th scope=\"col\">Fields</th></tr>\
         </thead>\n<tbody>",
        counted(timeline.raw.len() as u64, "event")
    )?;
    for event in &timeline.raw[..first] {
        write_event(timeline, event, reader, page)?;
    }
    if between > 0 {
        let between = count(between as u64);
        writeln!(
            page,
            "<tr class=\"leftout\"><td colspan=\"4\">{between} events are left out here; \
             <code>evtap replay</code> has them.</td></tr>"
        )?;
    }
    for event in &timeline.raw[last..] {
        write_event(timeline, event, reader, page)?;
    }
    page.write_all(b"</tbody>\n</table>\n</div>\n</details>\n")
}

fn write_event(
    timeline: &Timeline,
    event: &RawEvent,
    reader: &mut StoredEventReader,
    page: &mut dyn Write,
) -> io::Result<()> {
    page.write_all(b"<tr><td>")?;
    write_time(timeline, event.at, page)?;
    let stream = event.stream.map_or("", Stream::name);
    let event_type = escape(&shortened(&event.stored.event_type, MAX_FIELD));
    write!(page, "</td><td>{stream}</td><td>{event_type}</td><td>")?;
    let mut shown = fields(reader, &event.stored);
    shown.retain(|field| field.json != "null");
    shown.sort_by_key(|field| rank(&field.name, &field.json));
    let more = shown.len().saturating_sub(MAX_FIELDS);
    for field in shown.into_iter().take(MAX_FIELDS) {
        let class = if field.hidden { "hidden" } else { "value" };
        let name = escape(&shortened(&field.name, MAX_FIELD));
        let value = escape(&shortened(&plain(&field.json), MAX_FIELD));
        write!(
            page,
            "<span class=\"field\">{name}=<span class=\"{class}\">{value}</span></span> "
        )?;
    }
    if more > 0 {
        write!(page, "… {}", counted(more as u64, "more field"))?;
    }
    page.write_all(b"</td></tr>\n")
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
