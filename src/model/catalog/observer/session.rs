//! Events about the start, the states and the end of the call.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Uuid;
use crate::model::catalog::value::Direction;

crate::event! {
    /// The session ended; no event follows.
    "session_end" SessionEnd: Observer {
        /// Twilio SID of the call.
        Open call_sid: String, nullable;
        /// Why it ended.
        Open completion_reason: String, rank(70),
            error_when(&["error", "timeout", "transport_error", "disconnected"]);
        /// The duration of the call, in seconds.
        Open duration_s: f64, rank(100);
        /// A summary of the emotions in the whole call.
        Free emotional_summary: BTreeMap<String, Value>, nullable;
        /// The state in which it ended.
        Open final_state: String, rank(280);
        /// Whether there is a recording.
        Open has_recording: bool, nullable;
        /// Id of the session.
        Open session_id: String, nullable;
        /// Id of the trace.
        Open trace_id: String, nullable;
        /// The number of turns.
        Open turns: i64, rank(750);
    }

    /// Describes the call; the first event on every connection.
    "session_info" SessionInfo: Observer {
        /// Twilio SID of the call.
        Open call_sid: String, required;
        /// Telephone number of the other party.
        Phi caller_id: String, phone_number, rank(60);
        /// The state that the agent is in.
        Open current_state: String, rank(260);
        /// The direction of the call.
        Open direction: Direction, rank(50);
        /// The duration of the call so far, in seconds.
        Open duration_seconds: f64, rank(90);
        /// Id of the service that answers.
        Open service_id: String;
        /// The time at which the call began, in seconds of Unix time.
        Open start_time: f64;
        /// Id of the workspace.
        Open workspace_id: String;
    }

    /// The session began.
    "session_start" SessionStart: Observer {
        /// Twilio SID of the call.
        Open call_sid: String, nullable;
        /// The state in which the agent begins.
        Open initial_state: String, nullable, rank(270);
        /// The mode of the session.
        Open mode: String, nullable, rank(230);
        /// Id of the service that answers.
        Open service_id: Uuid, nullable;
        /// Id of the session.
        Open session_id: String, nullable;
        /// Id of the trace.
        Open trace_id: String, nullable;
        /// Id of the workspace.
        Open workspace_id: Uuid, nullable;
    }

    /// The agent changed its state.
    "state_transition" StateTransition: Observer {
        /// A comment on the transition.
        Free annotation: String, nullable;
        /// The state after the transition.
        Open next_state: String, required, rank(250);
        /// The state before the transition.
        Open previous_state: String, required, rank(240);
        /// The kind of transition.
        Open transition_type: String, nullable, rank(290);
    }
}
