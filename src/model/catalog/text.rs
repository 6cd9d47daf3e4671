//! Text conversations.

use crate::model::Uuid;

crate::event! {
    /// A text conversation is over.
    "text.completed" TextCompleted: Workspace, documented {
        /// Which kind of text channel, such as sms or web.
        Open channel_kind: String, required, documented, rank(530);
        /// Why it ended.
        Open completion_reason: String, nullable, documented, rank(70),
            error_when(&["error", "timeout", "transport_error", "disconnected"]);
        /// How long it took, in seconds.
        Open duration_seconds: f64, required, documented, rank(90);
        /// The state in which it ended.
        Open final_state: String, required, documented, rank(280);
        /// The session.
        Open session_id: String, required, documented;
        /// How many turns there were.
        Open turn_count: i64, required, documented, rank(740);
    }

    /// A text conversation began.
    "text.started" TextStarted: Workspace, documented {
        /// Which kind of text channel, such as sms or web.
        Open channel_kind: String, required, documented, rank(530);
        /// The patient or other entity that it belongs to.
        Open entity_id: Uuid, nullable, documented;
        /// The service that answers.
        Open service_id: Uuid, required, documented;
        /// The session.
        Open session_id: String, required, documented;
    }
}
