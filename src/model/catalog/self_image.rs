//! Events about briefs on entities.

use crate::model::Uuid;

crate::event! {
    /// A brief on an entity was generated.
    "self_image.brief_generated" SelfImageBriefGenerated: Workspace, documented {
        /// The confidence of the model, from 0 to 1.
        Open confidence: f64, required, documented, rank(720);
        /// The number of events that were processed.
        Open event_count: i64, required, documented, rank(730);
        /// Id of the stored event.
        Open event_id: Uuid, required, documented;
        /// Id of the entity that the brief is about.
        Open target_entity_id: Uuid, required, documented;
        /// The type of the entity that the brief is about.
        Open target_entity_type: String, required, documented;
        /// The version of the brief.
        Open version: String, required, documented;
    }
}
