//! Briefs on entities.

use crate::model::Uuid;

crate::event! {
    /// A brief on an entity was written.
    "self_image.brief_generated" SelfImageBriefGenerated: Workspace, documented {
        /// How sure the model is, 0 to 1.
        Open confidence: f64, required, documented, rank(720);
        /// How many events it took in.
        Open event_count: i64, required, documented, rank(730);
        /// Id of the stored event.
        Open event_id: Uuid, required, documented;
        /// The entity that the brief is about.
        Open target_entity_id: Uuid, required, documented;
        /// What kind of entity the brief is about.
        Open target_entity_type: String, required, documented;
        /// The version of the brief.
        Open version: String, required, documented;
    }
}
