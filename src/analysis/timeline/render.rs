//! Puts the entries of a timeline into words, for text and HTML.

use super::collect::StreamGap;
use super::{EntryKind, TimelineEntry, clock, fields};
use crate::analysis::call::transcript::{NoteLevel, TranscriptItem};
use crate::analysis::stats::text::span;
use crate::output::pretty::{plain, rank};
use crate::output::stored_event::StoredEventReader;
use crate::text::units::count;
use crate::text::{MASK, terminal};

/// The deepest indentation of tool calls.
const MAX_DEPTH: usize = 6;

/// The meaning of words, which decides their colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// Less important text.
    Quiet,
    /// A masked value.
    Hidden,
    /// Success.
    Good,
    /// Something that needs attention.
    Warning,
    /// A failure.
    Bad,
}

/// An entry in words.
pub struct RenderedEntry {
    /// The speaker or the kind of the entry, in one word.
    pub label: &'static str,
    /// The tone of the label.
    pub tone: Tone,
    /// The text, without hostile characters.
    pub words: Vec<(Tone, String)>,
    /// The number of tool calls that contain this one.
    pub depth: usize,
}

impl RenderedEntry {
    fn new(label: &'static str, tone: Tone) -> Self {
        Self { label, tone, words: Vec::new(), depth: 0 }
    }

    fn with(mut self, tone: Tone, words: &str) -> Self {
        self.words.push((tone, terminal::visible(words).into_owned()));
        self
    }
}

/// Puts an entry into words.
#[must_use]
pub fn render(entry: &TimelineEntry, reader: &mut StoredEventReader) -> RenderedEntry {
    match &entry.kind {
        EntryKind::Item(TranscriptItem::Utterance { speaker, text, marks, deltas, .. }) => {
            let label = speaker.name();
            let tone = if text.contains(MASK) { Tone::Hidden } else { Tone::Plain };
            let mut rendered = RenderedEntry::new(label, Tone::Plain).with(tone, text);
            for mark in marks {
                rendered = rendered.with(Tone::Warning, mark);
            }
            if deltas.is_some() {
                rendered.with(Tone::Quiet, "(the rest is missing)")
            } else {
                rendered
            }
        }
        EntryKind::Item(TranscriptItem::Tool {
            depth, name, duration, succeeded, error, ..
        }) => {
            let mut rendered = RenderedEntry::new("tool", Tone::Plain).with(Tone::Plain, name);
            if let Some(millis) = duration.filter(|millis| millis.is_finite() && *millis >= 0.0) {
                rendered = rendered.with(Tone::Quiet, &span(millis));
            }
            rendered = match succeeded {
                Some(true) => rendered.with(Tone::Good, "ok"),
                Some(false) => {
                    rendered.with(Tone::Bad, if error.is_some() { "failed:" } else { "failed" })
                }
                None => rendered.with(Tone::Warning, "no answer"),
            };
            if let Some(error) = error {
                rendered = rendered.with(Tone::Bad, error);
            }
            RenderedEntry { depth: (*depth).min(MAX_DEPTH), ..rendered }
        }
        EntryKind::Item(TranscriptItem::Note(level, text)) => match level {
            NoteLevel::Plain => RenderedEntry::new("call", Tone::Good).with(Tone::Plain, text),
            NoteLevel::State => RenderedEntry::new("state", Tone::Quiet).with(Tone::Plain, text),
            NoteLevel::Warning => {
                RenderedEntry::new("notice", Tone::Warning).with(Tone::Warning, text)
            }
        },
        EntryKind::Event(stored) => {
            let mut rendered =
                RenderedEntry::new("event", Tone::Quiet).with(Tone::Plain, &stored.event_type);
            let mut fields = fields(reader, stored);
            fields.retain(|field| field.json != "null");
            fields.sort_by_key(|field| rank(&field.name, &field.json));
            for field in fields {
                let tone = if field.hidden { Tone::Hidden } else { Tone::Quiet };
                rendered = rendered.with(tone, &format!("{}={}", field.name, plain(&field.json)));
            }
            rendered
        }
        EntryKind::Gap(StreamGap { from, is_certain, reason, .. }) => {
            let lost = if *is_certain { "events were lost" } else { "events may have been lost" };
            let since = from.map_or_else(String::new, |from| format!(" since {from:.3}"));
            RenderedEntry::new("gap", Tone::Bad)
                .with(Tone::Bad, &format!("{lost}{since} ({reason})"))
        }
        EntryKind::Quiet(millis) => {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53, and rounded")]
            let length = span(*millis as f64);
            RenderedEntry::new("quiet", Tone::Quiet)
                .with(Tone::Quiet, &format!("nothing for {length}"))
        }
    }
}

/// Returns the names and values of the header, without hostile characters except in the SID.
#[must_use]
pub fn header(timeline: &super::Timeline) -> Vec<(&'static str, String)> {
    let call = &timeline.call;
    let mut header = vec![("call", timeline.sid.clone())];
    let mut add = |name, value: Option<String>| {
        header.extend(value.map(|value| (name, terminal::visible(&value).into_owned())));
    };
    add("direction", call.direction.clone());
    add("service", call.service.clone());
    add("began", timeline.began.map(|began| format!("{began:.3}")));
    add(
        "ended",
        call.ended.as_ref().map(|(at, why)| {
            let offset = timeline.offset(Some(*at)).map(clock).unwrap_or_default();
            format!("{offset} {why}")
        }),
    );
    add(
        "took",
        call.seconds.filter(|seconds| *seconds >= 0.0).map(|seconds| span(seconds * 1000.0)),
    );
    add("escalated", call.escalated.then(|| "yes".to_owned()));
    let (workspace, observer) = timeline.events;
    let dropped = if timeline.dropped > 0 {
        format!("; {} more do not fit into memory", count(timeline.dropped))
    } else {
        String::new()
    };
    add(
        "events",
        Some(format!("{workspace} of the workspace, {observer} of the observer{dropped}")),
    );
    let gaps = count(timeline.dropped_gaps);
    add("gaps", (timeline.dropped_gaps > 0).then(|| format!("{gaps} more do not fit into memory")));
    if observer > 0 && timeline.shift != 0 {
        add("clocks", Some(format!("times of arrival are moved by {} ms", -timeline.shift)));
    }
    header
}
