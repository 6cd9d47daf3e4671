//! Triggers.

use crate::model::Uuid;

crate::event! {
    /// A trigger's run is over.
    "trigger.completed" TriggerCompleted: Workspace, documented {
        /// How the run ended.
        Open status: String, required, documented, rank(220), error_when(&["failed", "error"]);
        /// The trigger.
        Open trigger_id: Uuid, required, documented;
        /// The trigger's name.
        Open trigger_name: String, required, documented, rank(120);
    }

    /// A trigger's run failed.
    "trigger.failed" TriggerFailed: Workspace, documented, error {
        /// How the run ended.
        Open status: String, required, documented, rank(220), error_when(&["failed", "error"]);
        /// The trigger.
        Open trigger_id: Uuid, required, documented;
        /// The trigger's name.
        Open trigger_name: String, required, documented, rank(120);
    }

    /// A trigger set something off.
    "trigger.fired" TriggerFired: Workspace, documented {
        /// Whether a person fired it.
        Open manual: bool, documented, rank(680);
        /// The trigger.
        Open trigger_id: Uuid, required, documented;
        /// The trigger's name.
        Open trigger_name: String, required, documented, rank(120);
    }
}
