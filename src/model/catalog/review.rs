//! Decisions of reviewers.

use crate::model::Uuid;
use crate::model::catalog::value::ReviewAction;

crate::event! {
    /// A reviewer decided on an item.
    "review.submitted" ReviewSubmitted: Workspace, documented {
        /// What the reviewer decided.
        Open action: ReviewAction, required, documented;
        /// How many items the action took in.
        Open count: i64, nullable, documented;
        /// The entity under review.
        Open entity_id: Uuid, nullable, documented;
        /// What kind of entity it is.
        Open entity_type: String, nullable, documented;
        /// The item under review.
        Open item_id: String, nullable, documented;
    }
}
