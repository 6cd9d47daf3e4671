//! Events about calls, on the workspace stream.

use crate::model::Uuid;
use crate::model::catalog::value::{CompletionReason, Direction, EscalationTrigger};

crate::event! {
    /// A call ended.
    "call.ended" CallEnded: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// Why it ended.
        Open completion_reason: CompletionReason, required, documented, rank(70),
            error_when(&["error", "timeout", "transport_error", "disconnected"]);
        /// The direction of the call.
        Open direction: Direction, required, documented, rank(50);
        /// The duration of the call, in seconds.
        Open duration_seconds: f64, required, documented, rank(90);
        /// Whether the call was handed over to a person.
        Open escalated: bool, documented, rank(80);
    }

    /// A call was handed over to a person.
    "call.escalated" CallEscalated: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// Id of the escalation.
        Open escalation_id: String, required, documented;
        /// The reason, in words.
        Free reason: String, required, documented, rank(130);
        /// Who asked for a person.
        Open trigger: EscalationTrigger, required, documented, rank(110);
    }

    /// A call began.
    "call.started" CallStarted: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// Telephone number of the other party.
        Phi caller_id: String, nullable, documented, phone_number, rank(60);
        /// The direction of the call.
        Open direction: Direction, required, documented, rank(50);
        /// Id of the service that answers.
        Open service_id: Uuid, required, documented;
    }
}
