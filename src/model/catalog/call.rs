//! Calls, as the workspace sees them.

use crate::model::Uuid;
use crate::model::catalog::value::{CompletionReason, Direction, EscalationTrigger};

crate::event! {
    /// A call is over.
    "call.ended" CallEnded: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// Why it ended.
        Open completion_reason: CompletionReason, required, documented;
        /// Which way the call goes.
        Open direction: Direction, required, documented;
        /// How long the call took, in seconds.
        Open duration_seconds: f64, required, documented;
        /// Whether it was handed to a person.
        Open escalated: bool, documented;
    }

    /// A call was handed to a person.
    "call.escalated" CallEscalated: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// Id of the escalation.
        Open escalation_id: String, required, documented;
        /// Why, in words.
        Free reason: String, required, documented;
        /// Who asked for a person.
        Open trigger: EscalationTrigger, required, documented;
    }

    /// A call began.
    "call.started" CallStarted: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// Telephone number of the other party.
        Phi caller_id: String, nullable, documented;
        /// Which way the call goes.
        Open direction: Direction, required, documented;
        /// The service that answers.
        Open service_id: Uuid, required, documented;
    }
}
