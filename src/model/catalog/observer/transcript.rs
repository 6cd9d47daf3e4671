//! Events about what the agent and the caller say.

use crate::model::Unstated;
use crate::model::catalog::value::FillerType;

crate::event! {
    /// The agent said something.
    "agent_transcript" AgentTranscript: Observer, documented {
        /// The action of the agent in this turn.
        Open action: String, nullable, documented, rank(690);
        /// The purpose of a filler.
        Open filler_type: FillerType, nullable, documented, rank(460);
        /// Whether the caller interrupted.
        Open interrupted: bool, documented;
        /// Id of the speaker.
        Open speaker_id: String, nullable, documented;
        /// The role of the speaker in the call.
        Open speaker_role: String, nullable, documented, rank(10);
        /// Whether the transcript was already streamed in deltas.
        Open streaming: bool, nullable, documented;
        /// The transcript of what was said.
        Phi transcript: String, required, documented, rank(30);
    }

    /// The agent said more words of a turn.
    "agent_transcript_delta" AgentTranscriptDelta: Observer {
        /// The words that this event adds.
        Phi delta: String, required, rank(40);
    }

    /// A speaker interrupted another one.
    "barge_in" BargeIn: Observer {
        /// The texts that the agent had not said yet and discarded.
        Phi discarded_texts: Vec<String>, nullable, rank(480);
        /// Id of the speaker who was interrupted.
        Open interrupted_speaker_id: String, nullable;
        /// The text that was interrupted.
        Phi interrupted_text: String, nullable, rank(470);
        /// Id of the speaker who interrupted.
        Open interrupting_speaker_id: String, nullable;
        /// The number of interruptions so far.
        Open total_barge_ins: i64, nullable;
    }

    /// The caller said something.
    "user_transcript" UserTranscript: Observer, documented {
        /// The transcriber's confidence that the turn ended, from 0 to 1.
        Open eot_confidence: f64, nullable;
        /// Whether the caller interrupted with these words.
        Open is_barge_in: bool, nullable;
        /// Id of the speaker.
        Open speaker_id: String, nullable, documented;
        /// The role of the speaker in the call.
        Open speaker_role: String, nullable, documented, rank(10);
        /// The state that the agent is in.
        Open state: String, documented, rank(65);
        /// The transcriber's confidence in the words, from 0 to 1.
        Open stt_confidence: f64, nullable;
        /// The transcript of what was said.
        Phi transcript: String, required, documented, rank(30);
        /// Whether the transcript is final.
        Open is_final: Unstated, only_documented;
        /// The audio channel.
        Open channel: Unstated, only_documented, rank(520);
    }
}
