//! Events about how the caller sounds, and how the agent reacts to it.

use std::collections::BTreeMap;

use crate::model::catalog::value::{
    EmotionScore, EmpathyTier, FillerType, SpeakerVoice, Trend, VocalBurst,
};

crate::event! {
    /// Compound emotions heard in a turn.
    "compound_emotion" CompoundEmotion: Observer {
        /// The compound emotions and their scores.
        Open compounds: Vec<EmotionScore>, required, rank(400);
        /// The index of the turn.
        Open turn_index: i64, required;
    }

    /// How the caller sounds.
    "emotion" Emotion: Observer {
        /// How aroused the caller sounds; higher is more.
        Open arousal: f64, required, rank(430);
        /// How often the caller has interrupted so far.
        Open barge_in_count: i64;
        /// The time since the call began, in seconds.
        Open call_duration_s: f64, nullable;
        /// How coherent the caller's sentences are, from 0 to 1.
        Open coherence: f64, nullable;
        /// How dominant the caller sounds; higher is more.
        Open dominance: f64, nullable;
        /// The strongest emotion.
        Open dominant: String, required, rank(410);
        /// How often the emotion has changed.
        Open emotional_shifts: i64, nullable;
        /// How positive the words are; higher is more.
        Open language_sentiment: f64, nullable;
        /// How toxic the words are, by kind.
        Open language_toxicity: BTreeMap<String, f64>, nullable;
        /// The provider that detected the emotion.
        Open provider: String, nullable;
        /// Recent vocal bursts, such as laughter.
        Open recent_bursts: Vec<VocalBurst>, nullable;
        /// Each emotion and its score.
        Open scores: Vec<EmotionScore>, nullable;
        /// The arousal in the last segment only.
        Open segment_arousal: f64, nullable;
        /// The strongest emotion in the last segment only.
        Open segment_dominant: String, nullable;
        /// The valence in the last segment only.
        Open segment_valence: f64, nullable;
        /// How the voice differs from the speaker's usual one.
        Open speaker: SpeakerVoice, nullable;
        /// How similar the voice is to the known speaker's, from 0 to 1.
        Open speaker_similarity: f64, nullable;
        /// The number of segments that were analysed.
        Open total_segments: i64, nullable;
        /// The trend of the emotion.
        Open trend: Trend, nullable, rank(440);
        /// The number of turns.
        Open turn_count: i64, nullable, rank(740);
        /// How pleased the caller sounds; higher is more.
        Open valence: f64, required, rank(420);
        /// Id of the person whose voice was recognised.
        Phi verified_speaker_id: String, nullable;
    }

    /// The empathy that a turn needs was classified.
    "empathy_classified" EmpathyClassified: Observer {
        /// The initial empathy of the service, from 0 to 1.
        Open empathy_baseline: f64, required;
        /// The purpose of a filler.
        Open filler_type: FillerType, required, rank(460);
        /// Whether the agent pauses first.
        Open should_pause: bool, required;
        /// Whether fillers are left out.
        Open suppress_filler: bool, required;
        /// The empathy that the turn needs, as a number.
        Open tier: i64, required;
        /// The empathy that the turn needs.
        Open tier_name: EmpathyTier, required, rank(450);
    }

    /// The agent's voice was adapted to the situation.
    "voice_context_applied" VoiceContextApplied: Observer {
        /// Whether emotion is detected.
        Open emotion_detection_enabled: bool, required;
        /// Whether the agent says fillers while it works.
        Open filler_enabled: bool, required;
        /// Why the voice was adapted, in words.
        Free reasoning: String, required;
        /// The emotion that the voice should express.
        Open tts_emotion: String, nullable;
        /// The speed of the voice, where 1 is normal.
        Open tts_speed: f64, nullable;
        /// The volume of the voice, where 1 is normal.
        Open tts_volume: f64, nullable;
    }
}
