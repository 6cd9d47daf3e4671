//! Decisions of reviewers.

use crate::model::Uuid;
use crate::model::catalog::value::ReviewAction;

crate::event! {
    /// A reviewer decided on an item.
    "review.submitted" ReviewSubmitted: Workspace, documented {
        /// What the reviewer decided.
        Open action: ReviewAction, required, documented, rank(690);
        /// How many items the action took in.
        Open count: i64, nullable, documented, rank(710);
        /// The entity under review.
        Open entity_id: Uuid, nullable, documented;
        /// What kind of entity it is.
        Open entity_type: String, nullable, documented, rank(700);
        /// The item under review.
        Open item_id: String, nullable, documented;
    }
}
