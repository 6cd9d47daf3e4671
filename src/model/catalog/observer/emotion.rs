//! How the caller sounds, and how the agent answers that.

use std::collections::BTreeMap;

use crate::model::catalog::value::{
    EmotionScore, EmpathyTier, FillerType, SpeakerVoice, Trend, VocalBurst,
};

crate::event! {
    /// Compound emotions heard in a turn.
    "compound_emotion" CompoundEmotion: Observer {
        /// The compound emotions and their scores.
        Open compounds: Vec<EmotionScore>, required, rank(400);
        /// The number of the turn.
        Open turn_index: i64, required;
    }

    /// How the caller sounds.
    "emotion" Emotion: Observer {
        /// How stirred the caller sounds, low to high.
        Open arousal: f64, required, rank(430);
        /// How often the caller has cut in so far.
        Open barge_in_count: i64;
        /// Seconds since the call began.
        Open call_duration_s: f64, nullable;
        /// How well the caller's sentences hang together, 0 to 1.
        Open coherence: f64, nullable;
        /// How much in control the caller sounds, low to high.
        Open dominance: f64, nullable;
        /// The strongest emotion.
        Open dominant: String, required, rank(410);
        /// How often the emotion has turned.
        Open emotional_shifts: i64, nullable;
        /// How positive the words are, low to high.
        Open language_sentiment: f64, nullable;
        /// How toxic the words are, by kind.
        Open language_toxicity: BTreeMap<String, f64>, nullable;
        /// Who detected the emotion.
        Open provider: String, nullable;
        /// Vocal bursts just heard, such as laughter.
        Open recent_bursts: Vec<VocalBurst>, nullable;
        /// Each emotion and its score.
        Open scores: Vec<EmotionScore>, nullable;
        /// Arousal in the last segment alone.
        Open segment_arousal: f64, nullable;
        /// The strongest emotion in the last segment alone.
        Open segment_dominant: String, nullable;
        /// Valence in the last segment alone.
        Open segment_valence: f64, nullable;
        /// How the voice differs from the speaker's usual one.
        Open speaker: SpeakerVoice, nullable;
        /// How like the known speaker the voice is, 0 to 1.
        Open speaker_similarity: f64, nullable;
        /// How many segments were heard.
        Open total_segments: i64, nullable;
        /// Where the emotion is heading.
        Open trend: Trend, nullable, rank(440);
        /// How many turns there were.
        Open turn_count: i64, nullable, rank(740);
        /// How pleased the caller sounds, low to high.
        Open valence: f64, required, rank(420);
        /// The person whose voice it was found to be.
        Phi verified_speaker_id: String, nullable;
    }

    /// How much empathy the turn calls for.
    "empathy_classified" EmpathyClassified: Observer {
        /// How much empathy the service begins with, 0 to 1.
        Open empathy_baseline: f64, required;
        /// What a filler is said for.
        Open filler_type: FillerType, required, rank(460);
        /// Whether the agent pauses first.
        Open should_pause: bool, required;
        /// Whether fillers are left out.
        Open suppress_filler: bool, required;
        /// How much empathy is called for, as a number.
        Open tier: i64, required;
        /// How much empathy is called for.
        Open tier_name: EmpathyTier, required, rank(450);
    }

    /// The agent's voice was set for the moment.
    "voice_context_applied" VoiceContextApplied: Observer {
        /// Whether emotion is detected.
        Open emotion_detection_enabled: bool, required;
        /// Whether the agent says fillers while it works.
        Open filler_enabled: bool, required;
        /// Why the voice was set so, in words.
        Free reasoning: String, required;
        /// The emotion that the voice is to have.
        Open tts_emotion: String, nullable;
        /// How fast the voice speaks, 1 being normal.
        Open tts_speed: f64, nullable;
        /// How loud the voice is, 1 being normal.
        Open tts_volume: f64, nullable;
    }
}
