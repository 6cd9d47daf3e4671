//! The lanes of a call's picture: what happened when, in a bounded number of spans.
//!
//! A page must open whatever the call contains. A lane with more spans than can be told apart has
//! neighbours merged, with a count, and the page says so.

use std::collections::HashMap;

use jiff::Timestamp;

use super::collect::StreamGap;
use super::{EntryKind, Timeline, clock};
use crate::analysis::call::short_text;
use crate::analysis::call::transcript::{NoteLevel, Speaker, TranscriptItem};
use crate::analysis::latency::TurnLatency;
use crate::analysis::page::axis::{TimeScale, float, float_of};
use crate::analysis::page::shortened;
use crate::analysis::stats::text::span;
use crate::model::Kind;
use crate::model::catalog::{Latency, SessionInfo, SessionStart, StateTransition};
use crate::output::stored_event::StoredEventReader;
use crate::text::units::counted;

/// The number of spans of a lane that can be told apart.
const MAX_SPANS: usize = 240;

/// The number of points of a curve.
const MAX_POINTS: usize = 400;

/// The number of rows for tools.
const MAX_TOOL_ROWS: usize = 6;

/// The most text in a tooltip, in bytes.
const MAX_TITLE: usize = 160;

/// How much longer than the events of a call the time before them may be, to be in the picture.
const MAX_LEAD: i64 = 3;

/// How a span is drawn, the least important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpanLook {
    /// Words that bridge a pause.
    Filler,
    /// Something ordinary.
    Plain,
    /// A success.
    Good,
    /// Something without an end or an answer.
    Open,
    /// Something that needs attention.
    Notable,
    /// A failure.
    Bad,
}

/// A part of a lane. Times are in milliseconds since the start of the call.
#[derive(Debug, Clone)]
pub struct LaneSpan {
    /// The start.
    pub from: i64,
    /// The end.
    pub to: i64,
    /// How it is drawn.
    pub look: SpanLook,
    /// Labels, the longest first. The first one that has room is shown.
    pub labels: Vec<String>,
    /// The full text.
    pub title: String,
    /// The entry of the timeline that it stands for.
    pub entry: Option<usize>,
    /// The number of spans that were merged into it, and how many of them look like `look`.
    merged: (u64, u64),
}

impl LaneSpan {
    fn new(from: i64, to: i64, look: SpanLook, label: &str, title: &str) -> Self {
        let title = format!("{} {}", clock(from), shortened(title, MAX_TITLE));
        let labels = vec![shortened(label, MAX_TITLE).into_owned()];
        Self { from, to: to.max(from), look, labels, title, entry: None, merged: (1, 1) }
    }

    /// Returns the longest label.
    #[must_use]
    pub fn label(&self) -> &str {
        self.labels.first().map_or("", String::as_str)
    }

    fn with_shorter_label(mut self, label: &str) -> Self {
        self.labels.push(shortened(label, MAX_TITLE).into_owned());
        self
    }

    fn with_entry(self, entry: usize) -> Self {
        Self { entry: Some(entry), ..self }
    }

    /// Adds the next span.
    fn merge(&mut self, next: &Self) {
        let (own, other) = (self.look, next.look);
        self.merged.1 = match own.cmp(&other) {
            std::cmp::Ordering::Less => next.merged.1,
            std::cmp::Ordering::Equal => self.merged.1 + next.merged.1,
            std::cmp::Ordering::Greater => self.merged.1,
        };
        self.merged.0 += next.merged.0;
        self.to = self.to.max(next.to);
        self.look = own.max(other);
        self.labels.clear();
    }
}

/// The latency of a turn, and when it was reported.
#[derive(Debug, Clone, Copy)]
pub struct TimedTurn {
    /// The number of the turn, starting from 1.
    pub number: usize,
    /// The time since the start of the call, in milliseconds.
    pub at: i64,
    /// The latency.
    pub latency: TurnLatency,
}

/// The parts of a call that the picture shows.
pub struct CallLanes {
    /// The time axis, in milliseconds since the start of the call.
    pub scale: TimeScale,
    /// The states of the agent.
    pub states: Vec<LaneSpan>,
    /// The times at which each speaker spoke.
    pub speech: Vec<(Speaker, Vec<LaneSpan>)>,
    /// The tools, in rows by the number of tool calls that contain them.
    pub tools: Vec<Vec<LaneSpan>>,
    /// The number of tool calls, and of those that failed.
    pub tool_counts: (u64, u64),
    /// The time, valence and arousal of each measured emotion.
    pub emotions: Vec<(i64, f64, f64)>,
    /// The latencies of the turns.
    pub turns: Vec<TimedTurn>,
    /// Steps that need attention, and others.
    pub steps: Vec<LaneSpan>,
    /// Gaps in the streams.
    pub gaps: Vec<LaneSpan>,
    /// Times without events.
    pub silences: Vec<LaneSpan>,
    /// Whether spans were merged because there are too many.
    pub is_merged: bool,
}

impl CallLanes {
    /// Reads the lanes from a timeline. Returns `None` if its events have no times.
    #[must_use]
    pub fn new(timeline: &Timeline, reader: &mut StoredEventReader) -> Option<Self> {
        let offset = |at: Option<Timestamp>| timeline.offset(at);
        let times = timeline.entries.iter().flat_map(|entry| [entry.at, entry.until]);
        let times = times.chain(timeline.raw.iter().map(|event| event.at));
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for at in times.filter_map(offset) {
            (first, last) = (first.min(at), last.max(at));
        }
        if first > last {
            return None;
        }
        let from =
            if first > (last - first).saturating_mul(MAX_LEAD) { first } else { first.min(0) };
        let mut lanes = Self {
            scale: TimeScale::new(from, last.max(from + 1000)),
            states: Vec::new(),
            speech: [Speaker::User, Speaker::Agent, Speaker::Operator]
                .map(|speaker| (speaker, Vec::new()))
                .into(),
            tools: Vec::new(),
            tool_counts: (0, 0),
            emotions: Vec::new(),
            turns: Vec::new(),
            steps: Vec::new(),
            gaps: Vec::new(),
            silences: Vec::new(),
            is_merged: false,
        };
        let mut tools = Vec::new();
        for (number, entry) in timeline.entries.iter().enumerate() {
            let Some(at) = offset(entry.at) else { continue };
            let until = offset(entry.until).unwrap_or(at);
            match &entry.kind {
                EntryKind::Item(item) => lanes.add_item(item, (at, until), number, &mut tools),
                EntryKind::Gap(gap) => {
                    lanes.gaps.push(gap_span(timeline, gap, at).with_entry(number));
                }
                EntryKind::Quiet(millis) => {
                    let title = format!("nothing for {}", span(float(*millis)));
                    let silence =
                        LaneSpan::new(at, at.saturating_add(*millis), SpanLook::Plain, "", &title);
                    lanes.silences.push(silence.with_entry(number));
                }
                EntryKind::Event(_) => {}
            }
        }
        lanes.add_measurements(timeline, reader, last);
        lanes.limit(tools);
        Some(lanes)
    }

    fn add_item(
        &mut self,
        item: &TranscriptItem,
        (at, until): (i64, i64),
        number: usize,
        tools: &mut Vec<(usize, LaneSpan)>,
    ) {
        match item {
            TranscriptItem::Utterance { speaker, text, marks, deltas, .. } => {
                let look = match (deltas, &marks[..]) {
                    (_, marks) if marks.contains(&"interrupted") => SpanLook::Bad,
                    (_, marks) if marks.contains(&"filler") => SpanLook::Filler,
                    (Some(_), _) => SpanLook::Open,
                    _ => SpanLook::Plain,
                };
                let remarks = marks.join(", ");
                let title = if remarks.is_empty() {
                    format!("{}: {text}", speaker.name())
                } else {
                    format!("{} ({remarks}): {text}", speaker.name())
                };
                let said = LaneSpan::new(at, until, look, "", &title).with_entry(number);
                let lane = self.speech.iter_mut().find(|(of, _)| of == speaker);
                if let Some((_, lane)) = lane {
                    lane.push(said);
                }
            }
            TranscriptItem::Tool { depth, name, duration, succeeded, error, .. } => {
                let look = match succeeded {
                    Some(true) => SpanLook::Good,
                    Some(false) => SpanLook::Bad,
                    None => SpanLook::Open,
                };
                let took = duration.filter(|millis| millis.is_finite() && *millis >= 0.0);
                #[expect(clippy::cast_possible_truncation, reason = "saturates")]
                let from = match took {
                    // Only the end was reported.
                    Some(took) if until == at && succeeded.is_some() => {
                        at.saturating_sub(took as i64).max(0).min(at)
                    }
                    _ => at,
                };
                self.tool_counts.0 += 1;
                self.tool_counts.1 += u64::from(look == SpanLook::Bad);
                let took = took.map(|millis| format!(" {}", span(millis))).unwrap_or_default();
                let outcome = match succeeded {
                    Some(true) => " ok",
                    Some(false) => " failed",
                    None => " no answer",
                };
                let error = error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
                let mark = if look == SpanLook::Bad { "✗ " } else { "" };
                let label = format!("{mark}{name}{took}");
                let title = format!("tool {name}{took}{outcome}{error}");
                let called = LaneSpan::new(from, until, look, &label, &title).with_entry(number);
                let called = called.with_shorter_label(&format!("{mark}{name}"));
                let called = called.with_shorter_label(mark.trim());
                tools.push((*depth, called));
            }
            TranscriptItem::Note(NoteLevel::State, _) => {}
            TranscriptItem::Note(level, text) => {
                let is_notable = *level == NoteLevel::Warning;
                let look = if is_notable { SpanLook::Notable } else { SpanLook::Plain };
                let label = text.split(": ").next().unwrap_or(text);
                let label = if is_notable { label } else { "" };
                let step = LaneSpan::new(at, at, look, label, text);
                self.steps.push(step.with_entry(number));
            }
        }
    }

    /// Adds states, emotions and latencies.
    fn add_measurements(&mut self, timeline: &Timeline, reader: &mut StoredEventReader, last: i64) {
        let mut state: Option<(i64, String)> = None;
        for event in &timeline.raw {
            let (Some(kind), Some(at)) = (event.stored.kind, timeline.offset(event.at)) else {
                continue;
            };
            let mut enter = |name: Option<String>| {
                let Some(name) =
                    name.filter(|name| state.as_ref().is_none_or(|(_, old)| old != name))
                else {
                    return;
                };
                if let Some((from, name)) = state.replace((at, name)) {
                    self.states.push(LaneSpan::new(
                        from,
                        at,
                        SpanLook::Plain,
                        &name,
                        &format!("state {name}"),
                    ));
                }
            };
            let turns = &mut self.turns;
            match kind {
                Kind::SessionInfo => reader.read(&event.stored, |shown| {
                    enter(shown.read::<SessionInfo>().and_then(|it| short_text(&it.current_state)));
                }),
                Kind::SessionStart => reader.read(&event.stored, |shown| {
                    enter(
                        shown.read::<SessionStart>().and_then(|it| short_text(&it.initial_state)),
                    );
                }),
                Kind::StateTransition => reader.read(&event.stored, |shown| {
                    enter(
                        shown.read::<StateTransition>().and_then(|it| short_text(&it.next_state)),
                    );
                }),
                Kind::Latency => reader.read(&event.stored, |shown| {
                    let Some(it) = shown.read::<Latency>() else { return };
                    let number = turns.len() + 1;
                    turns.push(TimedTurn { number, at, latency: TurnLatency::from(&it) });
                }),
                _ => {}
            }
        }
        if let Some((from, name)) = state {
            let end = timeline.call.ended.as_ref().and_then(|(at, _)| timeline.offset(Some(*at)));
            let end = end.unwrap_or(last).max(from);
            self.states.push(LaneSpan::new(
                from,
                end,
                SpanLook::Plain,
                &name,
                &format!("state {name}"),
            ));
        }
        let measured = timeline.call.transcript.emotions.iter();
        let finite = |value: f64| if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 };
        self.emotions = measured
            .filter_map(|(at, valence, arousal)| {
                Some((timeline.offset(Some(*at))?, finite(*valence), finite(*arousal)))
            })
            .collect();
    }

    /// Merges what cannot be told apart, and places the tools in rows.
    fn limit(&mut self, tools: Vec<(usize, LaneSpan)>) {
        let column = self.scale.length() / i64::try_from(MAX_SPANS).unwrap_or(i64::MAX) + 1;
        let mut is_merged = false;
        let nouns = self.speech.iter_mut().map(|(_, lane)| (lane, "utterance", "interrupted"));
        let others = [
            (&mut self.states, "state", ""),
            (&mut self.steps, "step", "notable"),
            (&mut self.gaps, "gap", "certain"),
            (&mut self.silences, "silence", ""),
        ];
        for (lane, noun, remark) in nouns.chain(others) {
            is_merged |= merge_neighbours(lane, column, noun, remark);
        }
        let mut by_depth = HashMap::<usize, Vec<LaneSpan>>::new();
        for (depth, tool) in tools {
            by_depth.entry(depth.min(MAX_TOOL_ROWS - 1)).or_default().push(tool);
        }
        for depth in 0..MAX_TOOL_ROWS {
            let Some(mut row) = by_depth.remove(&depth) else { continue };
            row.sort_by_key(|tool| tool.from);
            is_merged |= merge_neighbours(&mut row, column, "tool call", "failed");
            self.tools.extend(rows(row, MAX_TOOL_ROWS.saturating_sub(self.tools.len()).max(1)));
        }
        if self.emotions.len() > MAX_POINTS {
            is_merged = true;
            let size = self.emotions.len().div_ceil(MAX_POINTS);
            let mean = |chunk: &[(i64, f64, f64)]| {
                let number = float_of(chunk.len() as u64);
                let sum =
                    chunk.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.1, sum.1 + point.2));
                (chunk[chunk.len() / 2].0, sum.0 / number, sum.1 / number)
            };
            self.emotions = self.emotions.chunks(size).map(mean).collect();
        }
        self.speech.retain(|(speaker, lane)| *speaker != Speaker::Operator || !lane.is_empty());
        self.is_merged |= is_merged;
    }
}

fn gap_span(timeline: &Timeline, gap: &StreamGap, at: i64) -> LaneSpan {
    let StreamGap { from, to, is_certain, reason, .. } = gap;
    let start = timeline.offset(*from).unwrap_or(at);
    let end = timeline.offset(Some(*to)).unwrap_or(at);
    let what = if *is_certain { "events were lost" } else { "events may have been lost" };
    let look = if *is_certain { SpanLook::Bad } else { SpanLook::Open };
    LaneSpan::new(start, end, look, "", &format!("gap: {what} ({reason})"))
}

/// Merges spans that begin within `column` milliseconds if there are more than can be told apart.
/// Returns whether any were merged.
fn merge_neighbours(lane: &mut Vec<LaneSpan>, column: i64, noun: &str, remark: &str) -> bool {
    if lane.len() <= MAX_SPANS {
        return false;
    }
    lane.sort_by_key(|span| span.from);
    let mut merged: Vec<LaneSpan> = Vec::with_capacity(MAX_SPANS + 1);
    for span in lane.drain(..) {
        match merged.last_mut() {
            Some(last) if span.from.saturating_sub(last.from) < column => last.merge(&span),
            _ => merged.push(span),
        }
    }
    for span in merged.iter_mut().filter(|span| span.merged.0 > 1) {
        let (all, notable) = span.merged;
        let is_notable = span.look > SpanLook::Good && !remark.is_empty();
        let notable = if is_notable { format!(", {notable} {remark}") } else { String::new() };
        span.title = format!("{} {}{notable}", clock(span.from), counted(all, noun));
        span.labels.clear();
    }
    *lane = merged;
    true
}

/// Places spans, which are in order, in as few rows as possible without overlap, if `most` suffice.
fn rows(spans: Vec<LaneSpan>, most: usize) -> Vec<Vec<LaneSpan>> {
    let mut rows: Vec<Vec<LaneSpan>> = Vec::new();
    for span in spans {
        let is_free = |row: &&mut Vec<LaneSpan>| row.last().is_none_or(|last| last.to <= span.from);
        let is_last = rows.len() >= most;
        match rows.iter_mut().find(is_free) {
            Some(row) => row.push(span),
            None if is_last => rows[most - 1].push(span),
            None => rows.push(vec![span]),
        }
    }
    rows
}
