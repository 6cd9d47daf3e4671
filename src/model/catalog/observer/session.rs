//! The frame of the call: its beginning, states and end.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Uuid;
use crate::model::catalog::value::Direction;

crate::event! {
    /// The session is over; nothing follows.
    "session_end" SessionEnd: Observer {
        /// Twilio SID of the call.
        Open call_sid: String, nullable;
        /// Why it ended.
        Open completion_reason: String, rank(70),
            error_when(&["error", "timeout", "transport_error", "disconnected"]);
        /// How long the call took, in seconds.
        Open duration_s: f64, rank(100);
        /// Emotion over the whole call.
        Free emotional_summary: BTreeMap<String, Value>, nullable;
        /// The state in which it ended.
        Open final_state: String, rank(280);
        /// Whether there is a recording.
        Open has_recording: bool, nullable;
        /// The session.
        Open session_id: String, nullable;
        /// Id of the trace.
        Open trace_id: String, nullable;
        /// How many turns there were.
        Open turns: i64, rank(750);
    }

    /// Who is on the line and since when; comes first on every connection.
    "session_info" SessionInfo: Observer {
        /// Twilio SID of the call.
        Open call_sid: String, required;
        /// Telephone number of the other party.
        Phi caller_id: String, phone_number, rank(60);
        /// The state that the agent is in.
        Open current_state: String, rank(260);
        /// Which way the call goes.
        Open direction: Direction, rank(50);
        /// How long the call has taken so far, in seconds.
        Open duration_seconds: f64, rank(90);
        /// The service that answers.
        Open service_id: String;
        /// When the call began, in seconds of Unix time.
        Open start_time: f64;
        /// The workspace.
        Open workspace_id: String;
    }

    /// The session began.
    "session_start" SessionStart: Observer {
        /// Twilio SID of the call.
        Open call_sid: String, nullable;
        /// The state in which the agent begins.
        Open initial_state: String, nullable, rank(270);
        /// How the session is held.
        Open mode: String, nullable, rank(230);
        /// The service that answers.
        Open service_id: Uuid, nullable;
        /// The session.
        Open session_id: String, nullable;
        /// Id of the trace.
        Open trace_id: String, nullable;
        /// The workspace.
        Open workspace_id: Uuid, nullable;
    }

    /// The agent went from one state to the next.
    "state_transition" StateTransition: Observer {
        /// A remark on the transition.
        Free annotation: String, nullable;
        /// The state that follows.
        Open next_state: String, required, rank(250);
        /// The state before.
        Open previous_state: String, required, rank(240);
        /// What kind of transition it is.
        Open transition_type: String, nullable, rank(290);
    }
}
