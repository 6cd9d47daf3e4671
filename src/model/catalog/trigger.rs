//! Events about triggers.

use crate::model::Uuid;

crate::event! {
    /// A run of a trigger completed.
    "trigger.completed" TriggerCompleted: Workspace, documented {
        /// The status with which the run ended.
        Open status: String, required, documented, rank(220), error_when(&["failed", "error"]);
        /// Id of the trigger.
        Open trigger_id: Uuid, required, documented;
        /// The name of the trigger.
        Open trigger_name: String, required, documented, rank(120);
    }

    /// A run of a trigger failed.
    "trigger.failed" TriggerFailed: Workspace, documented, error {
        /// The status with which the run ended.
        Open status: String, required, documented, rank(220), error_when(&["failed", "error"]);
        /// Id of the trigger.
        Open trigger_id: Uuid, required, documented;
        /// The name of the trigger.
        Open trigger_name: String, required, documented, rank(120);
    }

    /// A trigger fired.
    "trigger.fired" TriggerFired: Workspace, documented {
        /// Whether a person fired the trigger.
        Open manual: bool, documented, rank(680);
        /// Id of the trigger.
        Open trigger_id: Uuid, required, documented;
        /// The name of the trigger.
        Open trigger_name: String, required, documented, rank(120);
    }
}
