//! An entry in words, for whichever page it stands on.

use super::{EntryKind, TimelineEntry, clock};
use crate::analysis::call::transcript::{NoteLevel, TranscriptItem};
use crate::analysis::stats::text::span;
use crate::output::pretty::{plain, rank};
use crate::text::{MASK, terminal};

/// The deepest that tools are set in.
const DEEPEST: usize = 6;

/// How words are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// To be read.
    Plain,
    /// Beside it.
    Quiet,
    /// A mask.
    Hidden,
    /// Well.
    Good,
    /// Worth a look.
    Warning,
    /// Wrong.
    Bad,
}

/// An entry in words.
pub struct RenderedEntry {
    /// What or who it is: one word.
    pub label: &'static str,
    /// How the label is meant.
    pub tone: Tone,
    /// What it says, without hostile characters.
    pub words: Vec<(Tone, String)>,
    /// Within how many others it stands.
    pub depth: usize,
}

impl RenderedEntry {
    fn new(label: &'static str, tone: Tone) -> Self {
        Self { label, tone, words: Vec::new(), depth: 0 }
    }

    fn say(mut self, tone: Tone, words: &str) -> Self {
        self.words.push((tone, terminal::visible(words).into_owned()));
        self
    }
}

/// Tells an entry.
#[must_use]
pub fn told(entry: &TimelineEntry) -> RenderedEntry {
    match &entry.what {
        EntryKind::Item(TranscriptItem::Bubble { speaker, text, marks, growing }) => {
            let label = speaker.name();
            let tone = if text.contains(MASK) { Tone::Hidden } else { Tone::Plain };
            let mut told = RenderedEntry::new(label, Tone::Plain).say(tone, text);
            for mark in marks {
                told = told.say(Tone::Warning, mark);
            }
            if growing.is_some() { told.say(Tone::Quiet, "(the rest is missing)") } else { told }
        }
        EntryKind::Item(TranscriptItem::Tool {
            depth, name, duration, succeeded, error, ..
        }) => {
            let mut told = RenderedEntry::new("tool", Tone::Plain).say(Tone::Plain, name);
            if let Some(millis) = duration.filter(|millis| millis.is_finite() && *millis >= 0.0) {
                told = told.say(Tone::Quiet, &span(millis));
            }
            told = match succeeded {
                Some(true) => told.say(Tone::Good, "ok"),
                Some(false) => {
                    told.say(Tone::Bad, if error.is_some() { "failed:" } else { "failed" })
                }
                None => told.say(Tone::Warning, "no answer"),
            };
            if let Some(error) = error {
                told = told.say(Tone::Bad, error);
            }
            RenderedEntry { depth: (*depth).min(DEEPEST), ..told }
        }
        EntryKind::Item(TranscriptItem::Note(mood, text)) => match mood {
            NoteLevel::Plain => RenderedEntry::new("call", Tone::Good).say(Tone::Plain, text),
            NoteLevel::State => RenderedEntry::new("state", Tone::Quiet).say(Tone::Plain, text),
            NoteLevel::Warning => {
                RenderedEntry::new("notice", Tone::Warning).say(Tone::Warning, text)
            }
        },
        EntryKind::Event { event_type, fields } => {
            let mut told = RenderedEntry::new("event", Tone::Quiet).say(Tone::Plain, event_type);
            let mut fields: Vec<_> = fields.iter().filter(|field| field.json != "null").collect();
            fields.sort_by_key(|field| rank(&field.name, &field.json));
            for field in fields {
                let tone = if field.hidden { Tone::Hidden } else { Tone::Quiet };
                told = told.say(tone, &format!("{}={}", field.name, plain(&field.json)));
            }
            told
        }
        EntryKind::Gap { from, certain, reason } => {
            let lost = if *certain { "events were lost" } else { "events may have been lost" };
            let since = from.map_or_else(String::new, |from| format!(" since {from:.3}"));
            RenderedEntry::new("gap", Tone::Bad)
                .say(Tone::Bad, &format!("{lost}{since} ({reason})"))
        }
        EntryKind::Quiet(millis) => {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53, and rounded")]
            let length = span(*millis as f64);
            RenderedEntry::new("quiet", Tone::Quiet)
                .say(Tone::Quiet, &format!("nothing for {length}"))
        }
    }
}

/// What there is to say above the entries: names and values.
#[must_use]
pub fn head(timeline: &super::Timeline) -> Vec<(&'static str, String)> {
    let call = &timeline.call;
    let mut head = vec![("call", timeline.sid.clone())];
    let mut add = |name, value: Option<String>| {
        head.extend(value.map(|value| (name, terminal::visible(&value).into_owned())));
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
        format!("; {} more are not kept", timeline.dropped)
    } else {
        String::new()
    };
    add(
        "events",
        Some(format!("{workspace} of the workspace, {observer} of the observer{dropped}")),
    );
    if observer > 0 && timeline.shift != 0 {
        add("clocks", Some(format!("times of arrival are moved by {} ms", -timeline.shift)));
    }
    head
}

/// Whether anything is shown by name.
#[must_use]
pub fn hiding(timeline: &super::Timeline) -> (bool, String) {
    if timeline.revealed.is_empty() {
        return (true, "Protected health information is hidden.".to_owned());
    }
    let names = terminal::visible(&timeline.revealed.join(", ")).into_owned();
    (false, format!("SHOWS protected health information, revealed by name: {names}."))
}
