//! Events about decisions of reviewers.

use crate::model::Uuid;
use crate::model::catalog::value::ReviewAction;

crate::event! {
    /// A reviewer decided on an item.
    "review.submitted" ReviewSubmitted: Workspace, documented {
        /// The decision of the reviewer.
        Open action: ReviewAction, required, documented, rank(690);
        /// The number of items that the action applies to.
        Open count: i64, nullable, documented, rank(710);
        /// Id of the entity under review.
        Open entity_id: Uuid, nullable, documented;
        /// The type of the entity.
        Open entity_type: String, nullable, documented, rank(700);
        /// Id of the item under review.
        Open item_id: String, nullable, documented;
    }
}
