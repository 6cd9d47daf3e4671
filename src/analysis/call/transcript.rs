//! The transcript of one call: utterances, tool calls and notes in order, emotions, and latencies.
//!
//! A transcript of the live screen has a limit in bytes: long texts are cut, which they show, and
//! the oldest entries are evicted, which [`Transcript::missing`] counts. That of a timeline has none,
//! because the timeline limits the events that it is made of.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::field_text::{short_text, text};
use super::transcript_item::CUT;
pub use super::transcript_item::{NoteLevel, Speaker, TranscriptItem};
use crate::analysis::byte_budget::ByteBudget;
use crate::analysis::latency::{LatencyComponent, TurnLatency};
use crate::analysis::stats::histogram::DurationHistogram;
use crate::model::catalog::{
    AgentTranscript, AgentTranscriptDelta, BargeIn, Emotion, ForwardCallResolved, Latency,
    ParticipantJoined, ParticipantLeft, SpeakerMuted, ToolCallCompleted, ToolCallStarted,
    UserTranscript,
};
use crate::model::{Field, Kind};
use crate::redact::RedactedEvent;
use crate::text::MASK;

/// The memory of the items of a transcript, in bytes.
const MAX_ITEM_BYTES: usize = 1 << 20;

/// The number of emotions and of turns that are kept. All of them have the same size.
const MAX_MEASUREMENTS: usize = 2000;

/// The number of items that a summary keeps besides those that may change.
const SUMMARY_ITEMS: usize = 4;

/// The number of the newest items in which a summary looks for those that may change.
const SUMMARY_RANGE: usize = 200;

/// The number of emotions, turns and states that a summary keeps.
const SUMMARY_MEASUREMENTS: usize = 120;

/// The number of changes of state that are kept. Their names are short texts.
const MAX_STATES: usize = 500;

/// A turn of the agent whose latency was measured.
#[derive(Debug, Clone, Copy)]
pub struct MeasuredTurn {
    /// The time of the measurement, which is that of the first audio.
    pub time: Timestamp,
    /// The number of the item that follows; see [`Transcript::number`].
    pub item: u64,
    /// The latency.
    pub latency: TurnLatency,
}

/// The course of a call.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// The items in the order of their events.
    pub items: VecDeque<(Timestamp, TranscriptItem)>,
    /// The time, valence and arousal of each measured emotion.
    pub emotions: VecDeque<(Timestamp, f64, f64)>,
    /// The dominant emotion.
    pub dominant: Option<String>,
    /// The latencies of the agent's turns.
    pub turns: VecDeque<MeasuredTurn>,
    /// The states of the agent, each with the time from which it was known.
    pub states: VecDeque<(Timestamp, String)>,
    /// The number of utterances.
    pub turn_count: u64,
    /// The number of tool calls that failed.
    pub failures: u64,
    /// The number of events so far, by which a change is noticed.
    pub revision: u64,
    /// The memory of the names in `states`, in bytes.
    state_bytes: usize,
    /// The memory of the items, if it is limited.
    budget: Option<ByteBudget>,
}

impl Default for Transcript {
    fn default() -> Self {
        Self { budget: Some(ByteBudget::new(MAX_ITEM_BYTES)), ..Self::unlimited() }
    }
}

impl Transcript {
    /// Creates a transcript that keeps everything.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            items: VecDeque::new(),
            emotions: VecDeque::new(),
            dominant: None,
            turns: VecDeque::new(),
            states: VecDeque::new(),
            turn_count: 0,
            failures: 0,
            revision: 0,
            state_bytes: 0,
            budget: None,
        }
    }

    /// Returns a copy that takes little memory. It has the newest measurements, and of the items
    /// only the last ones, the last utterance, and those that another event may change.
    #[must_use]
    pub fn summary(&self) -> Self {
        let length = self.items.len();
        let said = self.last_place(|item| matches!(item, TranscriptItem::Utterance { .. }));
        let is_kept = |(at, item): &(usize, &(Timestamp, TranscriptItem))| {
            *at + SUMMARY_ITEMS >= length || Some(*at) == said || item.1.is_open()
        };
        let from = said.unwrap_or(length).min(length.saturating_sub(SUMMARY_RANGE));
        let items = self.items.iter().enumerate().skip(from).filter(is_kept);
        let items: VecDeque<_> = items.map(|(_, item)| item.clone()).collect();
        let mut budget = ByteBudget::new(MAX_ITEM_BYTES);
        budget.replace(0, items.iter().map(|(_, item)| item.bytes()).sum());
        let skipped = |length: usize| length.saturating_sub(SUMMARY_MEASUREMENTS);
        let states: VecDeque<_> =
            self.states.iter().skip(skipped(self.states.len())).cloned().collect();
        Self {
            items,
            emotions: self.emotions.iter().skip(skipped(self.emotions.len())).copied().collect(),
            dominant: self.dominant.clone(),
            turns: self.turns.iter().skip(skipped(self.turns.len())).copied().collect(),
            state_bytes: states.iter().map(|(_, state)| state.len()).sum(),
            states,
            turn_count: self.turn_count,
            failures: self.failures,
            revision: self.revision,
            budget: Some(budget),
        }
    }

    /// Returns the approximate memory use, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.budget.as_ref().map_or(0, ByteBudget::used)
            + self.emotions.len() * size_of::<(Timestamp, f64, f64)>()
            + self.turns.len() * size_of::<MeasuredTurn>()
            + self.states.len() * size_of::<(Timestamp, String)>()
            + self.state_bytes
    }

    /// Returns the number of items that were evicted.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.budget.as_ref().map_or(0, ByteBudget::missing)
    }

    /// Returns the number of the item in that place, which never changes: the first item of the call
    /// has the number 1.
    #[must_use]
    pub fn number(&self, place: usize) -> u64 {
        self.missing() + 1 + place as u64
    }

    /// Returns the place of the item with that number, or of the nearest one that is kept.
    #[must_use]
    pub fn place(&self, number: u64) -> Option<usize> {
        let place = usize::try_from(number.saturating_sub(self.missing() + 1)).ok()?;
        Some(place.min(self.items.len().checked_sub(1)?))
    }

    /// Records the state of the agent, if it has changed.
    pub fn set_state(&mut self, time: Timestamp, state: &str) {
        if state.is_empty() || self.states.back().is_some_and(|(_, last)| last == state) {
            return;
        }
        self.state_bytes += state.len();
        self.states.push_back((time, state.to_owned()));
        if self.budget.is_some()
            && self.states.len() > MAX_STATES
            && let Some((_, oldest)) = self.states.pop_front()
        {
            self.state_bytes -= oldest.len();
        }
    }

    /// Adds a note.
    pub fn note(&mut self, time: Timestamp, level: NoteLevel, text: String) {
        self.add(time, TranscriptItem::Note(level, text));
    }

    fn add(&mut self, time: Timestamp, mut item: TranscriptItem) {
        if let Some(budget) = &mut self.budget {
            item.cut();
            budget.replace(0, item.bytes());
        }
        self.items.push_back((time, item));
        self.evict();
    }

    /// Changes the item at a place.
    fn change(&mut self, place: usize, change: impl FnOnce(&mut TranscriptItem)) {
        let Some((_, item)) = self.items.get_mut(place) else { return };
        let before = item.bytes();
        change(item);
        if let Some(budget) = &mut self.budget {
            item.cut();
            budget.replace(before, item.bytes());
        }
        self.evict();
    }

    /// Removes the oldest items while they take too much memory.
    fn evict(&mut self) {
        let Some(budget) = &mut self.budget else { return };
        while budget.is_exceeded()
            && let Some((_, item)) = self.items.pop_front()
        {
            budget.evict(item.bytes());
        }
    }

    /// Returns the place of the newest item for which `is_match` returns true.
    fn last_place(&self, is_match: impl Fn(&TranscriptItem) -> bool) -> Option<usize> {
        self.items.iter().rposition(|(_, item)| is_match(item))
    }

    /// Returns the last utterance and its speaker.
    #[must_use]
    pub fn last_said(&self) -> Option<(Speaker, &str)> {
        self.items.iter().rev().find_map(|(_, item)| match item {
            TranscriptItem::Utterance { speaker, text, .. } => Some((*speaker, text.as_str())),
            _ => None,
        })
    }

    /// Returns the percentiles of a latency component over all turns, in milliseconds.
    #[must_use]
    pub fn percentiles(&self, component: &LatencyComponent) -> Option<[f64; 3]> {
        let mut durations = DurationHistogram::default();
        self.turns.iter().for_each(|turn| durations.add((component.value)(&turn.latency)));
        durations.percentiles()
    }

    /// Adds what an event of the call reports.
    pub fn observe(&mut self, kind: Kind, event: &RedactedEvent<'_>, time: Timestamp) {
        self.revision += 1;
        match kind {
            Kind::UserTranscript => {
                let Some(it) = event.read::<UserTranscript>() else { return };
                let speaker = if text(&it.speaker_role).as_deref() == Some("operator") {
                    Speaker::Operator
                } else {
                    Speaker::User
                };
                let barged = it.is_barge_in.value() == Some(&true);
                self.add_utterance(
                    time,
                    speaker,
                    text(&it.transcript),
                    barged.then_some("cut in").into_iter().collect(),
                );
            }
            Kind::AgentTranscript => self.agent_transcript(event, time),
            Kind::AgentTranscriptDelta => self.agent_transcript_delta(event, time),
            Kind::BargeIn => {
                let Some(it) = event.read::<BargeIn>() else { return };
                let who =
                    text(&it.interrupting_speaker_id).unwrap_or_else(|| "somebody".to_owned());
                self.note(time, NoteLevel::Warning, format!("barge-in: {who} cut in"));
            }
            Kind::ToolCallStarted | Kind::ToolCallCompleted => self.observe_tool(event, time),
            Kind::ParticipantJoined => {
                let Some(it) = event.read::<ParticipantJoined>() else { return };
                let role = it.participant_role.value().map_or("participant", |role| role.expose());
                self.note(time, NoteLevel::Plain, format!("{role} joined"));
            }
            Kind::ParticipantLeft => {
                let Some(it) = event.read::<ParticipantLeft>() else { return };
                let role = it.participant_role.value().map_or("participant", |role| role.expose());
                self.note(time, NoteLevel::Plain, format!("{role} left"));
            }
            Kind::SpeakerMuted => {
                let muted = event
                    .read::<SpeakerMuted>()
                    .and_then(|it| it.muted.value().copied())
                    .unwrap_or_default();
                self.note(
                    time,
                    NoteLevel::Plain,
                    if muted { "a speaker was muted" } else { "a speaker is heard again" }
                        .to_owned(),
                );
            }
            Kind::ForwardCallResolved => {
                let Some(it) = event.read::<ForwardCallResolved>() else { return };
                let place = text(&it.location_name).unwrap_or_else(|| "nowhere".to_owned());
                self.note(time, NoteLevel::Warning, format!("forwarded to {place}"));
            }
            Kind::Emotion => {
                let Some(it) = event.read::<Emotion>() else { return };
                if let (Some(valence), Some(arousal)) = (it.valence.value(), it.arousal.value()) {
                    self.emotions.push_back((time, *valence, *arousal));
                    self.limit_measurements();
                }
                self.dominant = short_text(&it.dominant).or_else(|| self.dominant.take());
            }
            Kind::Latency => {
                let Some(it) = event.read::<Latency>() else { return };
                let (item, latency) = (self.number(self.items.len()), TurnLatency::from(&it));
                self.turns.push_back(MeasuredTurn { time, item, latency });
                self.limit_measurements();
            }
            _ => {}
        }
    }

    fn agent_transcript(&mut self, event: &RedactedEvent<'_>, time: Timestamp) {
        let Some(it) = event.read::<AgentTranscript>() else { return };
        let is_operator = text(&it.speaker_role).as_deref() == Some("operator");
        let mut marks = Vec::new();
        if it.interrupted.value() == Some(&true) {
            marks.push("interrupted");
        }
        let is_filler = matches!(it.filler_type, Field::Value(_) | Field::Other(_));
        if is_filler || text(&it.action).as_deref() == Some("filler") {
            marks.push("filler");
        } else if let Some(place) = self.open_utterance() {
            // The complete text replaces the deltas.
            self.change(place, |item| {
                if let TranscriptItem::Utterance { text: words, marks: old, deltas, end, .. } = item
                {
                    (*words, *old) = (text(&it.transcript).unwrap_or_default(), marks);
                    (*deltas, *end) = (None, Some(time));
                }
            });
            self.turn_count += 1;
            return;
        }
        self.add_utterance(
            time,
            if is_operator { Speaker::Operator } else { Speaker::Agent },
            text(&it.transcript),
            marks,
        );
    }

    fn agent_transcript_delta(&mut self, event: &RedactedEvent<'_>, time: Timestamp) {
        let Some(delta) = event.read::<AgentTranscriptDelta>().and_then(|it| text(&it.delta))
        else {
            return;
        };
        if let Some(place) = self.open_utterance() {
            return self.change(place, |item| {
                if let TranscriptItem::Utterance { text, marks, deltas, end, .. } = item {
                    (*deltas, *end) = (deltas.map(|deltas| deltas + 1), Some(time));
                    if delta != MASK && !marks.contains(&CUT) {
                        text.push_str(&delta);
                    }
                }
            });
        }
        self.add(
            time,
            TranscriptItem::Utterance {
                speaker: Speaker::Agent,
                text: delta,
                marks: Vec::new(),
                deltas: Some(1),
                end: Some(time),
            },
        );
    }

    /// Returns the place of the agent's last utterance, if more deltas may follow. Other speakers
    /// may have interrupted it.
    fn open_utterance(&self) -> Option<usize> {
        let place = self.last_place(|item| {
            matches!(item, TranscriptItem::Utterance { speaker: Speaker::Agent, marks, .. }
                if !marks.contains(&"filler"))
        })?;
        let (_, item) = self.items.get(place)?;
        matches!(item, TranscriptItem::Utterance { deltas: Some(_), .. }).then_some(place)
    }

    fn add_utterance(
        &mut self,
        time: Timestamp,
        speaker: Speaker,
        text: Option<String>,
        marks: Vec<&'static str>,
    ) {
        self.turn_count += 1;
        self.add(
            time,
            TranscriptItem::Utterance {
                speaker,
                text: text.unwrap_or_default(),
                marks,
                deltas: None,
                end: None,
            },
        );
    }

    fn limit_measurements(&mut self) {
        if self.budget.is_some() {
            self.emotions.drain(..self.emotions.len().saturating_sub(MAX_MEASUREMENTS));
            self.turns.drain(..self.turns.len().saturating_sub(MAX_MEASUREMENTS));
        }
    }

    fn observe_tool(&mut self, event: &RedactedEvent<'_>, time: Timestamp) {
        if let Some(it) = event.read::<ToolCallStarted>() {
            let parent = text(&it.parent_call_id);
            let depth = parent.as_ref().and_then(|parent| {
                self.items.iter().rev().find_map(|(_, item)| match item {
                    TranscriptItem::Tool { id, depth, .. } if id == parent => Some(depth + 1),
                    _ => None,
                })
            });
            self.add(
                time,
                TranscriptItem::Tool {
                    id: text(&it.call_id).unwrap_or_default(),
                    parent,
                    depth: depth.unwrap_or(0),
                    name: text(&it.tool_name).unwrap_or_default(),
                    duration: None,
                    succeeded: None,
                    error: None,
                    finished: None,
                    input: field_json(event, &["input", "tool_input"]),
                    output: None,
                },
            );
        } else if let Some(it) = event.read::<ToolCallCompleted>() {
            let outcome = it.succeeded.value().copied();
            self.failures += u64::from(outcome == Some(false));
            let (wanted, tool) = (text(&it.call_id), text(&it.tool_name).unwrap_or_default());
            let message = text(&it.error_message).or_else(|| text(&it.error));
            let millis = it.duration_ms.value().copied();
            let answer = field_json(event, &["output"]);
            // Events of earlier versions have no call id, so the tool's name has to match.
            let open = self.last_place(|item| {
                matches!(item, TranscriptItem::Tool { id, name, succeeded: None, .. }
                    if wanted.as_ref().map_or(*name == tool, |wanted| wanted == id))
            });
            match open {
                Some(place) => self.change(place, |item| {
                    if let TranscriptItem::Tool {
                        duration,
                        succeeded,
                        error,
                        finished,
                        output,
                        ..
                    } = item
                    {
                        (*duration, *succeeded, *error) = (millis, outcome.or(Some(true)), message);
                        (*finished, *output) = (Some(time), answer);
                    }
                }),
                None => self.add(
                    time,
                    TranscriptItem::Tool {
                        id: wanted.unwrap_or_default(),
                        parent: text(&it.parent_call_id),
                        depth: 0,
                        name: tool,
                        duration: millis,
                        succeeded: outcome.or(Some(true)),
                        error: message,
                        finished: Some(time),
                        input: None,
                        output: answer,
                    },
                ),
            }
        }
    }
}

/// Returns the value of the first of these fields that a redacted event shows, as JSON.
fn field_json(event: &RedactedEvent<'_>, names: &[&str]) -> Option<String> {
    let field = names.iter().find_map(|name| event.field(name))?;
    (field.json != "null").then(|| field.json.to_owned())
}
