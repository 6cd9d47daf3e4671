//! A call as its observer sees it: every turn with its words, moods, tools and timings.
//!
//! The script depends on the [`CallStory`] alone, so that every observer of the call sees the same,
//! and it is written only if there is an observer.

use std::sync::LazyLock;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::call_story::{CallStory, Handover};
use super::dialogue::{DialogueTurn, HANDED_OVER, Mood, ToolUse};
use super::session_info::INITIAL_STATE;
use super::story::{Story, StoryStep};
use super::unscripted;
use crate::emulator::DEMO_CALL;
use crate::emulator::cast::{measure, phone, short_id, sid, uuid};
use crate::model::{Kind, Stream};

/// The agent's turn begins this far into it; the caller's words, moods and tools come before.
const ANSWER: f64 = 0.5;
/// How many words one delta has.
const DELTA: usize = 3;

/// Everything after `session_info`, up to `session_end`.
pub fn script(call: &CallStory, workspace_id: &str) -> Vec<StoryStep> {
    static UNSCRIPTED: LazyLock<Vec<Kind>> = LazyLock::new(|| {
        let demo = CallStory::demo(DEMO_CALL, &mut StdRng::seed_from_u64(0));
        let mut kinds = unscripted::missing(Stream::Observer, &script_with(&[], &demo, ""));
        kinds.retain(|kind| *kind != Kind::SessionInfo);
        kinds
    });
    script_with(&UNSCRIPTED, call, workspace_id)
}

fn script_with(unscripted: &[Kind], call: &CallStory, workspace_id: &str) -> Vec<StoryStep> {
    let mut script = Script::new(call);
    script.open(workspace_id);
    unscripted::add(unscripted, &mut script.story, &mut script.rng);
    script.converse();
    script.close();
    script.story.steps
}

struct Script<'a> {
    call: &'a CallStory,
    rng: StdRng,
    story: Story,
    state: &'static str,
    session: String,
    trace: String,
    conference: String,
    turns: u32,
    shifts: u32,
    barge_ins: u32,
}

impl<'a> Script<'a> {
    fn new(call: &'a CallStory) -> Self {
        let mut rng = StdRng::seed_from_u64(call.seed);
        let (session, trace, conference) = (uuid(&mut rng), uuid(&mut rng), sid("CF", &mut rng));
        let trace = trace.replace('-', ""); // as in W3C Trace Context
        Self {
            call,
            rng,
            story: Story::default(),
            state: INITIAL_STATE,
            session,
            trace,
            conference,
            turns: 0,
            shifts: 0,
            barge_ins: 0,
        }
    }

    /// Tells something at a moment of the call, or right after what came before.
    fn at(&mut self, seconds: f64, kind: Kind, payload: Value) {
        self.story.go_to(seconds).tell(kind, payload);
    }

    fn open(&mut self, workspace_id: &str) {
        let start = json!({
            "call_sid": self.call.sid,
            "initial_state": INITIAL_STATE,
            "mode": "voice",
            "service_id": self.call.service_id,
            "session_id": self.session,
            "trace_id": self.trace,
            "workspace_id": workspace_id,
        });
        self.at(0.05, Kind::SessionStart, start);
        let (name, number) = (&self.call.caller.name, &self.call.caller.phone);
        self.joins(0.1, "caller", name, Some(number), None);
        self.joins(0.1, "agent", "Larkmere assistant", None, None);
        self.latency(0.3, true);
        self.says(0.3, 2.6, self.call.topic.greeting, None);
    }

    /// The turns, spread over the time until a person takes over or the call ends.
    fn converse(&mut self) {
        let turns = self.call.topic.turns;
        let until = self
            .call
            .handover
            .as_ref()
            .map_or(self.call.seconds - 2.0, |handover| handover.escalated);
        let slot = (until - 3.0).max(0.5) / f64::from(u32::try_from(turns.len()).unwrap_or(1));
        let mut begin = 3.0;
        for turn in turns {
            if begin >= until {
                return;
            }
            self.turn(turn, begin, slot);
            begin += slot;
        }
    }

    fn turn(&mut self, turn: &DialogueTurn, begin: f64, slot: f64) {
        let at = |fraction: f64| begin + slot * fraction;
        // Who is cross does not let the agent finish.
        let cut_in = turn.mood == Mood::Cross;
        self.turns += 1;
        self.hears(at(0.0), "caller-1", "caller", turn.caller, false);
        self.feels(at(0.03), turn.mood);
        self.navigates(at(0.1), turn);
        if let Some(tool) = &turn.tool {
            self.works(at(0.12), at(ANSWER - 0.05), tool);
        }
        if turn.state != self.state {
            let transition = json!({
                "annotation": if turn.tool.is_some() { Some("after a tool call") } else { None },
                "next_state": turn.state,
                "previous_state": self.state,
                "transition_type": "action",
            });
            self.at(at(ANSWER - 0.02), Kind::StateTransition, transition);
            self.state = turn.state;
        }
        self.latency(at(ANSWER), false);
        self.says(at(ANSWER), at(0.94), turn.agent, cut_in.then_some("Wait, wait."));
    }

    /// The agent speaks: a few words at a time, then all of them; or until somebody cuts in.
    fn says(&mut self, begin: f64, end: f64, text: &str, interruption: Option<&str>) {
        let words: Vec<_> = text.split_inclusive(' ').collect();
        let spoken = if interruption.is_some() { words.len() / 2 } else { words.len() };
        let pieces = words[..spoken].chunks(DELTA);
        let each = (end - begin) / f64::from(u32::try_from(pieces.len().max(1)).unwrap_or(1));
        let mut moment = begin;
        for piece in pieces {
            self.at(moment, Kind::AgentTranscriptDelta, json!({ "delta": piece.concat() }));
            moment += each;
        }
        let said = words[..spoken].concat();
        if let Some(interruption) = interruption {
            self.barge_ins += 1;
            let barge_in = json!({
                "discarded_texts": [words[spoken..].concat()],
                "interrupted_speaker_id": "agent-1",
                "interrupted_text": said,
                "interrupting_speaker_id": "caller-1",
                "total_barge_ins": self.barge_ins,
            });
            self.at(moment, Kind::BargeIn, barge_in);
            self.hears(moment, "caller-1", "caller", interruption, true);
        }
        let transcript = json!({
            "action": "answer",
            "interrupted": interruption.is_some(),
            "speaker_id": "agent-1",
            "speaker_role": "agent",
            "streaming": true,
            "transcript": said,
        });
        self.at(moment, Kind::AgentTranscript, transcript);
    }

    fn hears(&mut self, at: f64, speaker: &str, role: &str, text: &str, barge_in: bool) {
        let text = text
            .replace("{name}", &self.call.caller.name)
            .replace("{phone}", &self.call.caller.phone);
        let heard = json!({
            "eot_confidence": measure(0.6, 1.0, &mut self.rng),
            "is_barge_in": barge_in,
            "speaker_id": speaker,
            "speaker_role": role,
            "state": self.state,
            "stt_confidence": measure(0.8, 1.0, &mut self.rng),
            "transcript": text,
        });
        self.at(at, Kind::UserTranscript, heard);
    }

    fn feels(&mut self, at: f64, mood: Mood) {
        let (dominant, valence, arousal, tier, tier_name, filler, trend) = match mood {
            Mood::Calm => ("calm", 0.2, 0.3, 0, "FUNCTIONAL", "receipt", "stable"),
            Mood::Worried => ("anxiety", -0.4, 0.6, 2, "FULL_EMPATHY", "empathy", "deteriorating"),
            Mood::Cross => ("anger", -0.6, 0.8, 1, "LIGHT_TOUCH", "working", "deteriorating"),
            Mood::Relieved => ("relief", 0.5, 0.4, 1, "LIGHT_TOUCH", "receipt", "improving"),
        };
        self.shifts += u32::from(mood != Mood::Calm);
        let valence = valence + measure(-0.1, 0.1, &mut self.rng);
        let emotion = json!({
            "arousal": arousal,
            "barge_in_count": self.barge_ins,
            "call_duration_s": (at * 10.0).round() / 10.0,
            "coherence": measure(0.7, 1.0, &mut self.rng),
            "dominance": measure(0.2, 0.8, &mut self.rng),
            "dominant": dominant,
            "emotional_shifts": self.shifts,
            "language_sentiment": (valence * 100.0).round() / 100.0,
            "language_toxicity": { "insult": measure(0.0, 0.1, &mut self.rng), "threat": 0.0 },
            "provider": "prosody",
            "recent_bursts": [{ "type": "sigh", "score": measure(0.1, 0.9, &mut self.rng) }],
            "scores": [
                { "name": dominant, "score": measure(0.5, 0.9, &mut self.rng) },
                { "name": "interest", "score": measure(0.0, 0.4, &mut self.rng) },
            ],
            "segment_arousal": arousal,
            "segment_dominant": dominant,
            "segment_valence": (valence * 100.0).round() / 100.0,
            "speaker": {
                "energy_delta": measure(-0.3, 0.3, &mut self.rng),
                "energy_trend": if mood == Mood::Cross { "rising" } else { "stable" },
                "normalized": true,
                "pitch_delta": measure(-0.3, 0.3, &mut self.rng),
                "zcr_delta": null,
            },
            "speaker_similarity": measure(0.8, 1.0, &mut self.rng),
            "total_segments": self.turns * 2,
            "trend": trend,
            "turn_count": self.turns,
            "valence": (valence * 100.0).round() / 100.0,
            "verified_speaker_id": self.call.caller.entity_id,
        });
        self.at(at, Kind::Emotion, emotion);
        if mood != Mood::Calm {
            let compounds = json!([{
                "name": format!("{dominant}-and-hope"),
                "score": measure(0.2, 0.7, &mut self.rng),
            }]);
            self.at(
                at,
                Kind::CompoundEmotion,
                json!({ "compounds": compounds, "turn_index": self.turns }),
            );
        }
        let empathy = json!({
            "empathy_baseline": 0.4,
            "filler_type": filler,
            "should_pause": mood == Mood::Worried,
            "suppress_filler": mood == Mood::Cross,
            "tier": tier,
            "tier_name": tier_name,
        });
        self.at(at, Kind::EmpathyClassified, empathy);
        let voice = json!({
            "emotion_detection_enabled": true,
            "filler_enabled": mood != Mood::Cross,
            "reasoning": format!("The caller shows {dominant}; speak accordingly."),
            "tts_emotion": if mood == Mood::Calm { None } else { Some("warm") },
            "tts_speed": if mood == Mood::Worried { 0.9 } else { 1.0 },
            "tts_volume": 1.0,
        });
        self.at(at, Kind::VoiceContextApplied, voice);
    }

    fn navigates(&mut self, at: f64, turn: &DialogueTurn) {
        let (nav, render) =
            (measure(60.0, 240.0, &mut self.rng), measure(80.0, 400.0, &mut self.rng));
        let timing = json!({
            "input_tokens": self.rng.random_range(900..4000),
            "model": "navigator-2",
            "nav_ms": nav,
            "output_tokens": self.rng.random_range(8..120),
            "render_ms": render,
            "retry_attempts": 0,
            "selected_action": turn.tool.as_ref().map_or("answer", |tool| tool.name),
            "state": self.state,
            "total_ms": ((nav + render) * 100.0).round() / 100.0,
            "used_fallback": self.rng.random_bool(0.05),
        });
        self.at(at, Kind::NavTiming, timing);
    }

    /// The agent says that it is at work, and calls a tool, which calls another.
    fn works(&mut self, begin: f64, end: f64, tool: &ToolUse) {
        let filler = json!({
            "action": "filler",
            "filler_type": "working",
            "interrupted": false,
            "speaker_id": "agent-1",
            "speaker_role": "agent",
            "streaming": false,
            "transcript": "One moment, please.",
        });
        self.at(begin, Kind::AgentTranscript, filler);
        let (outer, inner) = (short_id("tool_", &mut self.rng), short_id("tool_", &mut self.rng));
        let given = json!({ "name": self.call.caller.name, "phone": self.call.caller.phone });
        let step = (end - begin) / 4.0;
        let started =
            |name: &str, id: &str, parent: Option<&str>, protocol: &str, input: &Value| {
                json!({
                    "call_id": id,
                    "endpoint_name": format!("{name}_v1"),
                    "input": input,
                    "integration_name": tool.integration,
                    "parent_call_id": parent,
                    "protocol": protocol,
                    "tool_name": name,
                })
            };
        // The inner tool takes its input as text: the contract allows both.
        let text = Value::String(given.to_string());
        self.at(
            begin + step,
            Kind::ToolCallStarted,
            started(tool.name, &outer, None, "native", &given),
        );
        self.at(
            begin + step * 2.0,
            Kind::ToolCallStarted,
            started(tool.inner, &inner, Some(&outer), "mcp", &text),
        );
        let completed = |name: &str, id: &str, parent: Option<&str>, protocol: &str, took: f64| {
            json!({
                "call_id": id,
                "duration_ms": (took * 1e4).round() / 10.0,
                "endpoint_name": format!("{name}_v1"),
                "error_message": if tool.output.is_none() { Some("The other side did not answer in time.") } else { None },
                "integration_name": tool.integration,
                "output": tool.output,
                "parent_call_id": parent,
                "protocol": protocol,
                "succeeded": tool.output.is_some(),
                "tool_name": name,
            })
        };
        self.at(
            begin + step * 3.0,
            Kind::ToolCallCompleted,
            completed(tool.inner, &inner, Some(&outer), "mcp", step),
        );
        self.at(
            end,
            Kind::ToolCallCompleted,
            completed(tool.name, &outer, None, "native", step * 3.0),
        );
    }

    fn latency(&mut self, at: f64, greeting: bool) {
        let [engine, nav, render, audio] =
            [200.0, 60.0, 80.0, 90.0].map(|low| measure(low, low * 3.0, &mut self.rng));
        let latency = json!({
            "audio_ttfb_ms": audio,
            "continuation": false,
            "e2e_ttfb_ms": ((engine + audio) * 100.0).round() / 100.0,
            "engine_ms": engine,
            "is_greeting": greeting,
            "nav_ms": nav,
            "render_ms": render,
        });
        self.at(at, Kind::Latency, latency);
    }

    fn joins(
        &mut self,
        at: f64,
        role: &str,
        name: &str,
        number: Option<&str>,
        operator: Option<&str>,
    ) {
        let joined = json!({
            "conference_sid": self.conference,
            "display_name": name,
            "operator_entity_id": operator,
            "participant_id": format!("{role}-1"),
            "participant_name": name,
            "participant_role": role,
            "phone_number": number,
        });
        self.at(at, Kind::ParticipantJoined, joined);
    }

    fn leaves(
        &mut self,
        at: f64,
        role: &str,
        name: &str,
        number: Option<&str>,
        operator: Option<&str>,
    ) {
        let left = json!({
            "conference_sid": self.conference,
            "display_name": name,
            "operator_entity_id": operator,
            "participant_id": format!("{role}-1"),
            "participant_role": role,
            "phone_number": number,
        });
        self.at(at, Kind::ParticipantLeft, left);
    }

    fn mutes(&mut self, at: f64, role: &str, muted: bool) {
        let payload =
            json!({ "muted": muted, "speaker_id": format!("{role}-1"), "speaker_role": role });
        self.at(at, Kind::SpeakerMuted, payload);
    }

    fn forwards(&mut self, at: f64) {
        let resolved = json!({
            "error": null,
            "location_name": "Larkmere urgent care",
            "result": "connected",
            "target_number": phone(&mut self.rng),
        });
        self.at(at, Kind::ForwardCallResolved, resolved);
    }

    /// An operator listens, speaks in the agent's stead, and goes.
    fn hands_over(&mut self, handover: &Handover) {
        let operator = &handover.operator;
        let escalation = json!({
            "annotation": "a person is wanted",
            "next_state": "with_operator",
            "previous_state": self.state,
            "transition_type": "escalation",
        });
        self.at(handover.escalated, Kind::StateTransition, escalation);
        self.state = "with_operator";
        self.says(
            handover.escalated,
            handover.joined,
            "I am getting a colleague on the line.",
            None,
        );
        if self.call.forwarded {
            self.forwards(handover.joined);
        }
        self.joins(
            handover.joined,
            "operator",
            &operator.name,
            Some(&operator.phone),
            Some(&operator.entity_id),
        );
        self.mutes(handover.joined, "operator", true);
        self.mutes(handover.takeover, "agent", true);
        self.mutes(handover.takeover, "operator", false);
        let each = (handover.left - handover.takeover)
            / f64::from(u32::try_from(HANDED_OVER.len()).unwrap_or(1));
        let mut moment = handover.takeover + 0.3;
        for (index, line) in HANDED_OVER.iter().enumerate() {
            let (speaker, role) =
                if index % 2 == 0 { ("operator-1", "operator") } else { ("caller-1", "caller") };
            self.turns += 1;
            self.hears(moment, speaker, role, &line.replace("{operator}", &operator.name), false);
            moment += each;
        }
        self.leaves(
            handover.left,
            "operator",
            &operator.name,
            Some(&operator.phone),
            Some(&operator.entity_id),
        );
    }

    fn close(&mut self) {
        let call = self.call;
        if let Some(handover) = &call.handover {
            self.hands_over(handover);
        }
        if call.forwarded && call.handover.is_none() {
            self.forwards(call.seconds - 0.8);
        }
        self.leaves(
            call.seconds - 0.3,
            "caller",
            &call.caller.name,
            Some(&call.caller.phone),
            None,
        );
        let end = json!({
            "call_sid": call.sid,
            "completion_reason": call.reason,
            "duration_s": call.seconds,
            "emotional_summary": { "dominant": "anxiety", "shifts": self.shifts },
            "final_state": self.state,
            "has_recording": true,
            "session_id": self.session,
            "trace_id": self.trace,
            "turns": self.turns,
        });
        self.at(call.seconds, Kind::SessionEnd, end);
    }
}
