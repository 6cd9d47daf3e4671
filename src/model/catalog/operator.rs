//! Events about operators: people who listen to calls and take them over.

use std::collections::BTreeMap;

use crate::model::catalog::value::{OperatorMode, OperatorStatus};
use crate::model::{Unstated, Uuid};

crate::event! {
    /// An operator joined a call.
    "operator.joined_call" OperatorJoinedCall: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// How the operator takes part in the call.
        Open mode: OperatorMode, required, documented, rank(230);
        /// Id of the operator.
        Open operator_id: Uuid, required, documented;
    }

    /// An operator left a call.
    "operator.left_call" OperatorLeftCall: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// The number of turns that the operator spoke.
        Open human_segment_turn_count: i64, nullable;
        /// Id of the operator.
        Open operator_id: Uuid, required, documented;
    }

    /// An operator switched between listening and taking over.
    "operator.mode_changed" OperatorModeChanged: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// How the operator takes part in the call.
        Open mode: OperatorMode, required, documented, rank(230);
        /// Id of the operator.
        Open operator_id: Uuid, required, documented;
    }

    /// An operator's profile changed.
    "operator.profile_updated" OperatorProfileUpdated: Workspace, documented {
        /// The values that changed, by name.
        Sensitive changes: BTreeMap<String, Option<String>>, nullable, rank(780);
        /// Id of the operator.
        Open operator_id: Uuid, required, documented;
    }

    /// An operator was registered.
    "operator.registered" OperatorRegistered: Workspace, documented {
        /// Id of the operator.
        Open operator_id: Uuid, required, documented;
        /// The time of the event.
        Open timestamp: String, nullable;
        /// The operator's name.
        Sensitive name: Unstated, only_documented, person_name, rank(770);
    }

    /// An operator went online, busy or offline.
    "operator.status_changed" OperatorStatusChanged: Workspace, documented {
        /// Id of the operator.
        Open operator_id: Uuid, required, documented;
        /// Whether the operator can take calls.
        Open status: OperatorStatus, required, documented, rank(220),
            error_when(&["failed", "error"]);
    }

    /// An operator wrapped up a call.
    "operator.wrap_up" OperatorWrapUp: Workspace, documented {
        /// Twilio SID of the call.
        Open call_sid: String, required, documented;
        /// The operator's summary of the call, in words.
        Free wrap_up_reason: String, nullable, rank(760);
        /// Id of the operator.
        Open operator_id: Unstated, only_documented;
    }
}
