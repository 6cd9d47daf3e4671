//! Data pipelines.

use crate::model::Uuid;

crate::event! {
    /// A data pipeline failed.
    "pipeline.error" PipelineError: Workspace, documented, error {
        /// The data source.
        Open data_source_id: Uuid, required, documented;
        /// What went wrong, in words.
        Free error: String, required, documented, rank(190);
    }

    /// A data pipeline has caught up with its source.
    "pipeline.sync_completed" PipelineSyncCompleted: Workspace, documented {
        /// The data source.
        Open data_source_id: Uuid, required, documented;
        /// How long it took, in milliseconds.
        Open duration_ms: i64, required, documented, rank(210);
        /// How many events it took in.
        Open event_count: i64, required, documented, rank(730);
    }
}
