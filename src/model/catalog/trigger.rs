//! Triggers.

use crate::model::Uuid;

crate::event! {
    /// A trigger's run is over.
    "trigger.completed" TriggerCompleted: Workspace, documented {
        /// How the run ended.
        Open status: String, required, documented;
        /// The trigger.
        Open trigger_id: Uuid, required, documented;
        /// The trigger's name.
        Open trigger_name: String, required, documented;
    }

    /// A trigger's run failed.
    "trigger.failed" TriggerFailed: Workspace, documented {
        /// How the run ended.
        Open status: String, required, documented;
        /// The trigger.
        Open trigger_id: Uuid, required, documented;
        /// The trigger's name.
        Open trigger_name: String, required, documented;
    }

    /// A trigger set something off.
    "trigger.fired" TriggerFired: Workspace, documented {
        /// Whether a person fired it.
        Open manual: bool, documented;
        /// The trigger.
        Open trigger_id: Uuid, required, documented;
        /// The trigger's name.
        Open trigger_name: String, required, documented;
    }
}
