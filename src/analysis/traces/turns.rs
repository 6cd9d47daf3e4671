//! The turns of a call.
//!
//! A turn begins when somebody speaks to the agent and ends with the agent's answer. Further words of
//! the same speaker before the answer belong to it. What the agent says of its own accord, such as
//! the greeting, is a turn without a speaker.

use super::open_fields::OpenFields;
use super::span::{SpanEvent, TraceTime};
use crate::analysis::latency::TurnLatency;

/// How far the agent's answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AnswerState {
    /// The agent has not begun to answer.
    Waiting,
    /// The agent speaks.
    Begun,
    /// The answer is complete.
    Finished,
}

/// A turn.
pub struct TracedTurn {
    /// The role of the speaker; `None` if the agent began.
    pub speaker: Option<String>,
    /// The time of its first event.
    pub start: TraceTime,
    /// The time of its last event.
    pub end: TraceTime,
    /// How far the agent's answer is.
    pub answer: AnswerState,
    /// Whether somebody interrupted the answer.
    pub is_interrupted: bool,
    /// Whether it is the greeting.
    pub is_greeting: bool,
    /// The measured latencies, with the times of their events.
    pub latencies: Vec<(TraceTime, TurnLatency)>,
    /// The language model that chose the answer.
    pub model: Option<String>,
    /// The number of tokens that the model read.
    pub input_tokens: Option<i64>,
    /// The number of tokens that the model wrote.
    pub output_tokens: Option<i64>,
    /// The events.
    pub events: Vec<SpanEvent<TraceTime>>,
}

/// The memory of a turn besides its latencies, texts and events, in bytes. A span of it is built
/// while it still exists.
pub const TURN_BYTES: usize = 2 * size_of::<TracedTurn>();

/// The memory of a latency, in bytes: of itself and of the four spans that are made of it.
pub const LATENCY_BYTES: usize = 1024;

impl TracedTurn {
    /// Creates a turn that begins with this event.
    pub const fn new(at: TraceTime, speaker: Option<String>) -> Self {
        Self {
            speaker,
            start: at,
            end: at,
            answer: AnswerState::Waiting,
            is_interrupted: false,
            is_greeting: false,
            latencies: Vec::new(),
            model: None,
            input_tokens: None,
            output_tokens: None,
            events: Vec::new(),
        }
    }

    /// Returns whether words of a speaker belong to this turn.
    pub fn continues(&self, speaker: &str) -> bool {
        self.answer == AnswerState::Waiting && self.speaker.as_deref() == Some(speaker)
    }

    /// Returns whether the agent's answer is complete.
    pub fn is_finished(&self) -> bool {
        self.answer == AnswerState::Finished
    }

    /// Notes that the agent has begun to answer.
    pub fn begin_answer(&mut self) {
        if self.answer == AnswerState::Waiting {
            self.answer = AnswerState::Begun;
        }
    }

    /// Adds the use of the language model. Several uses are summed up; the last model counts.
    pub fn add_model_use(&mut self, fields: &OpenFields<'_, '_>) {
        self.model = fields.text("model").or_else(|| self.model.take());
        let sum = |total: Option<i64>, name: &str| {
            let more = fields.integer(name).filter(|tokens| *tokens >= 0);
            more.map(|more| total.unwrap_or(0).saturating_add(more)).or(total)
        };
        self.input_tokens = sum(self.input_tokens, "input_tokens");
        self.output_tokens = sum(self.output_tokens, "output_tokens");
    }
}
