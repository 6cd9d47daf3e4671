//! Who says what.

use crate::model::Unstated;
use crate::model::catalog::value::FillerType;

crate::event! {
    /// The agent said something.
    "agent_transcript" AgentTranscript: Observer, documented {
        /// What the agent did with the turn.
        Open action: String, nullable, documented, rank(690);
        /// What a filler is said for.
        Open filler_type: FillerType, nullable, documented, rank(460);
        /// Whether the caller cut in.
        Open interrupted: bool, documented;
        /// Which agent speaks.
        Open speaker_id: String, nullable, documented;
        /// What the speaker is in the call.
        Open speaker_role: String, nullable, documented, rank(10);
        /// Whether the transcript was streamed before.
        Open streaming: bool, nullable, documented;
        /// What was said.
        Phi transcript: String, required, documented, rank(30);
    }

    /// The agent said a few more words of a turn.
    "agent_transcript_delta" AgentTranscriptDelta: Observer {
        /// The words that this piece adds.
        Phi delta: String, required, rank(40);
    }

    /// Somebody cut in while another was speaking.
    "barge_in" BargeIn: Observer {
        /// What the agent had yet to say, and dropped.
        Phi discarded_texts: Vec<String>, nullable, rank(480);
        /// Who was cut off.
        Open interrupted_speaker_id: String, nullable;
        /// What had been said when the other cut in.
        Phi interrupted_text: String, nullable, rank(470);
        /// Who cut in.
        Open interrupting_speaker_id: String, nullable;
        /// How often anyone has cut in so far.
        Open total_barge_ins: i64, nullable;
    }

    /// The caller said something.
    "user_transcript" UserTranscript: Observer, documented {
        /// How sure the transcriber is that the turn is over, 0 to 1.
        Open eot_confidence: f64, nullable;
        /// Whether the caller cut in with it.
        Open is_barge_in: bool, nullable;
        /// Who speaks.
        Open speaker_id: String, nullable, documented;
        /// What the speaker is in the call.
        Open speaker_role: String, nullable, documented, rank(10);
        /// The state that the agent is in.
        Open state: String, documented;
        /// How sure the transcriber is of the words, 0 to 1.
        Open stt_confidence: f64, nullable;
        /// What was said.
        Phi transcript: String, required, documented, rank(30);
        /// Whether the transcriber is done with the turn.
        Open is_final: Unstated, only_documented;
        /// The audio channel.
        Open channel: Unstated, only_documented, rank(520);
    }
}
