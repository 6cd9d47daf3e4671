//! Events about encounters.

use crate::model::Uuid;

crate::event! {
    /// An encounter was updated.
    "encounter.updated" EncounterUpdated: Workspace, documented {
        /// Id of the encounter.
        Open encounter_entity_id: Uuid, required, documented;
        /// Id of the session.
        Open session_id: String, required, documented;
    }
}
