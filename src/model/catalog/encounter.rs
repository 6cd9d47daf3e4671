//! Encounters.

use crate::model::Uuid;

crate::event! {
    /// An encounter has new facts.
    "encounter.updated" EncounterUpdated: Workspace, documented {
        /// The encounter.
        Open encounter_entity_id: Uuid, required, documented;
        /// The session.
        Open session_id: String, required, documented;
    }
}
