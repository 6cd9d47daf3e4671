//! Events about text conversations.

use crate::model::Uuid;

crate::event! {
    /// A text conversation ended.
    "text.completed" TextCompleted: Workspace, documented {
        /// The kind of text channel, such as sms or web.
        Open channel_kind: String, required, documented, rank(530);
        /// Why it ended.
        Open completion_reason: String, nullable, documented, rank(70),
            error_when(&["error", "timeout", "transport_error", "disconnected"]);
        /// The duration, in seconds.
        Open duration_seconds: f64, required, documented, rank(90);
        /// The state in which it ended.
        Open final_state: String, required, documented, rank(280);
        /// Id of the session.
        Open session_id: String, required, documented;
        /// The number of turns.
        Open turn_count: i64, required, documented, rank(740);
    }

    /// A text conversation began.
    "text.started" TextStarted: Workspace, documented {
        /// The kind of text channel, such as sms or web.
        Open channel_kind: String, required, documented, rank(530);
        /// Id of the patient or other entity that it belongs to.
        Open entity_id: Uuid, nullable, documented;
        /// Id of the service that answers.
        Open service_id: Uuid, required, documented;
        /// Id of the session.
        Open session_id: String, required, documented;
    }
}
