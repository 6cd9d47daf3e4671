//! Events about simulated conversations.

use crate::model::Uuid;

crate::event! {
    /// A turn of a simulated conversation was stored.
    "simulation.turn_stored" SimulationTurnStored: Workspace, documented {
        /// Whether this turn ends the run.
        Open is_terminal: bool, required, documented, rank(320);
        /// Id of the simulation run.
        Open run_id: String, required, documented;
        /// Id of the service that answers.
        Open service_id: Uuid, required, documented;
        /// Id of the session.
        Open session_id: String, required, documented;
        /// The state after the turn.
        Open state_after: String, required, documented, rank(310);
        /// The state before the turn.
        Open state_before: String, required, documented, rank(300);
        /// The index of the turn.
        Open turn_index: i64, required, documented;
    }
}
