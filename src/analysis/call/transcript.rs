//! What is said and done in one call: bubbles, notes and tools in their order, emotion, and where the time of a turn goes.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::field_text::text;
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

/// How much of one call is kept, of each sort, if nothing else is said.
const KEPT: usize = 2000;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    User,
    Agent,
    Operator,
}

impl Speaker {
    /// Returns the role that people know the speaker by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "caller",
            Self::Agent => "agent",
            Self::Operator => "operator",
        }
    }
}

/// How a note is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteLevel {
    /// For the record.
    Plain,
    /// The agent's state.
    State,
    /// Worth a look.
    Warning,
}

/// Something in the course of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum TranscriptItem {
    /// Words.
    Bubble {
        /// Whose.
        speaker: Speaker,
        /// What was said.
        text: String,
        /// What there is to know about it.
        marks: Vec<&'static str>,
        /// Of how many pieces it has been made so far, while more may come.
        growing: Option<usize>,
    },
    /// A tool, called.
    Tool {
        /// The id of the call.
        id: String,
        /// The id of the call that it is part of.
        parent: Option<String>,
        /// Within how many others it is called.
        depth: usize,
        /// The tool.
        name: String,
        /// How long it took, in milliseconds.
        duration: Option<f64>,
        /// Whether it worked, once it has answered.
        succeeded: Option<bool>,
        /// What went wrong.
        error: Option<String>,
    },
    /// Anything else worth a line.
    Note(NoteLevel, String),
}

/// What is known of the course of a call.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// In the order in which it came.
    pub items: VecDeque<(Timestamp, TranscriptItem)>,
    /// When, valence and arousal.
    pub emotions: VecDeque<(Timestamp, f64, f64)>,
    /// The strongest emotion.
    pub dominant: Option<String>,
    /// The turns of the agent.
    pub turns: VecDeque<TurnLatency>,
    /// How often somebody has spoken.
    pub turn_count: u64,
    /// How many tools failed.
    pub failures: u64,
    most: usize,
}

impl Default for Transcript {
    fn default() -> Self {
        Self::keeping(KEPT)
    }
}

impl Transcript {
    /// Keeps the newest so many of each sort.
    #[must_use]
    pub fn keeping(most: usize) -> Self {
        Self {
            items: VecDeque::new(),
            emotions: VecDeque::new(),
            dominant: None,
            turns: VecDeque::new(),
            turn_count: 0,
            failures: 0,
            most,
        }
    }

    /// Adds a note.
    pub fn note(&mut self, time: Timestamp, mood: NoteLevel, text: String) {
        self.add(time, TranscriptItem::Note(mood, text));
    }

    fn add(&mut self, time: Timestamp, item: TranscriptItem) {
        keep(&mut self.items, (time, item), self.most);
    }

    /// What was said last, and by whom.
    #[must_use]
    pub fn last_said(&self) -> Option<(Speaker, &str)> {
        self.items.iter().rev().find_map(|(_, item)| match item {
            TranscriptItem::Bubble { speaker, text, .. } => Some((*speaker, text.as_str())),
            _ => None,
        })
    }

    /// Returns the percentiles of a latency component over all turns, in milliseconds.
    #[must_use]
    pub fn percentiles(&self, component: &LatencyComponent) -> Option<[f64; 3]> {
        let mut measured = DurationHistogram::default();
        self.turns.iter().for_each(|turn| measured.add((component.value)(turn)));
        measured.percentiles()
    }

    /// Takes an event of the call.
    pub fn observe(&mut self, kind: Kind, shown: &RedactedEvent<'_>, time: Timestamp) {
        match kind {
            Kind::UserTranscript => {
                let Some(it) = shown.read::<UserTranscript>() else { return };
                let speaker = if text(&it.speaker_role).as_deref() == Some("operator") {
                    Speaker::Operator
                } else {
                    Speaker::User
                };
                let barged = it.is_barge_in.value() == Some(&true);
                self.say(
                    time,
                    speaker,
                    text(&it.transcript),
                    barged.then_some("cut in").into_iter().collect(),
                );
            }
            Kind::AgentTranscript => self.agent_transcript(shown, time),
            Kind::AgentTranscriptDelta => self.agent_transcript_delta(shown, time),
            Kind::BargeIn => {
                let Some(it) = shown.read::<BargeIn>() else { return };
                let who =
                    text(&it.interrupting_speaker_id).unwrap_or_else(|| "somebody".to_owned());
                self.note(time, NoteLevel::Warning, format!("barge-in: {who} cut in"));
            }
            Kind::ToolCallStarted | Kind::ToolCallCompleted => self.tool(shown, time),
            Kind::ParticipantJoined => {
                let Some(it) = shown.read::<ParticipantJoined>() else { return };
                let role = it.participant_role.value().map_or("participant", |role| role.expose());
                self.note(time, NoteLevel::Plain, format!("{role} joined"));
            }
            Kind::ParticipantLeft => {
                let Some(it) = shown.read::<ParticipantLeft>() else { return };
                let role = it.participant_role.value().map_or("participant", |role| role.expose());
                self.note(time, NoteLevel::Plain, format!("{role} left"));
            }
            Kind::SpeakerMuted => {
                let muted = shown
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
                let Some(it) = shown.read::<ForwardCallResolved>() else { return };
                let place = text(&it.location_name).unwrap_or_else(|| "nowhere".to_owned());
                self.note(time, NoteLevel::Warning, format!("forwarded to {place}"));
            }
            Kind::Emotion => {
                let Some(it) = shown.read::<Emotion>() else { return };
                if let (Some(valence), Some(arousal)) = (it.valence.value(), it.arousal.value()) {
                    keep(&mut self.emotions, (time, *valence, *arousal), self.most);
                }
                self.dominant = text(&it.dominant).or_else(|| self.dominant.take());
            }
            Kind::Latency => {
                let Some(it) = shown.read::<Latency>() else { return };
                keep(&mut self.turns, TurnLatency::from(&it), self.most);
            }
            _ => {}
        }
    }

    fn agent_transcript(&mut self, shown: &RedactedEvent<'_>, time: Timestamp) {
        let Some(it) = shown.read::<AgentTranscript>() else { return };
        let is_operator = text(&it.speaker_role).as_deref() == Some("operator");
        let mut marks = Vec::new();
        if it.interrupted.value() == Some(&true) {
            marks.push("interrupted");
        }
        let is_filler = matches!(it.filler_type, Field::Value(_) | Field::Other(_));
        if is_filler || text(&it.action).as_deref() == Some("filler") {
            marks.push("filler");
        } else if let Some((words, known, growing)) = self.growing() {
            // The whole takes the place of its pieces.
            (*words, *known, *growing) = (text(&it.transcript).unwrap_or_default(), marks, None);
            self.turn_count += 1;
            return;
        }
        self.say(
            time,
            if is_operator { Speaker::Operator } else { Speaker::Agent },
            text(&it.transcript),
            marks,
        );
    }

    fn agent_transcript_delta(&mut self, shown: &RedactedEvent<'_>, time: Timestamp) {
        let Some(piece) = shown.read::<AgentTranscriptDelta>().and_then(|it| text(&it.delta))
        else {
            return;
        };
        if let Some((words, _, Some(pieces))) = self.growing() {
            *pieces += 1;
            if piece != MASK {
                words.push_str(&piece);
            }
            return;
        }
        self.add(
            time,
            TranscriptItem::Bubble {
                speaker: Speaker::Agent,
                text: piece,
                marks: Vec::new(),
                growing: Some(1),
            },
        );
    }

    /// The agent's bubble that more may be added to. Others may have cut in since it began.
    fn growing(&mut self) -> Option<(&mut String, &mut Vec<&'static str>, &mut Option<usize>)> {
        let (_, last) = self.items.iter_mut().rev().find(
            |(_, item)| matches!(item, TranscriptItem::Bubble { speaker: Speaker::Agent, marks, .. } if !marks.contains(&"filler")),
        )?;
        match last {
            TranscriptItem::Bubble { text, marks, growing, .. } if growing.is_some() => {
                Some((text, marks, growing))
            }
            _ => None,
        }
    }

    fn say(
        &mut self,
        time: Timestamp,
        speaker: Speaker,
        text: Option<String>,
        marks: Vec<&'static str>,
    ) {
        self.turn_count += 1;
        self.add(
            time,
            TranscriptItem::Bubble {
                speaker,
                text: text.unwrap_or_default(),
                marks,
                growing: None,
            },
        );
    }

    fn tool(&mut self, shown: &RedactedEvent<'_>, time: Timestamp) {
        if let Some(it) = shown.read::<ToolCallStarted>() {
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
                },
            );
        } else if let Some(it) = shown.read::<ToolCallCompleted>() {
            let worked = it.succeeded.value().copied();
            self.failures += u64::from(worked == Some(false));
            let (wanted, tool) = (text(&it.call_id), text(&it.tool_name).unwrap_or_default());
            let why = text(&it.error_message).or_else(|| text(&it.error));
            let length = it.duration_ms.value().copied();
            // Before calls had ids, the tool's name told which it was.
            let open = self.items.iter_mut().rev().find_map(|(_, item)| match item {
                TranscriptItem::Tool { id, name, duration, succeeded, error, .. }
                    if succeeded.is_none()
                        && wanted.as_ref().map_or(*name == tool, |wanted| wanted == id) =>
                {
                    Some((duration, succeeded, error))
                }
                _ => None,
            });
            match open {
                Some((duration, succeeded, error)) => {
                    (*duration, *succeeded, *error) = (length, worked.or(Some(true)), why);
                }
                None => self.add(
                    time,
                    TranscriptItem::Tool {
                        id: wanted.unwrap_or_default(),
                        parent: text(&it.parent_call_id),
                        depth: 0,
                        name: tool,
                        duration: length,
                        succeeded: worked.or(Some(true)),
                        error: why,
                    },
                ),
            }
        }
    }
}

fn keep<T>(kept: &mut VecDeque<T>, new: T, most: usize) {
    if kept.len() >= most {
        kept.pop_front();
    }
    kept.push_back(new);
}
