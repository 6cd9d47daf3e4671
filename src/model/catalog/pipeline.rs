//! Events about data pipelines.

use crate::model::Uuid;

crate::event! {
    /// A data pipeline failed.
    "pipeline.error" PipelineError: Workspace, documented, error {
        /// Id of the data source.
        Open data_source_id: Uuid, required, documented;
        /// The error, in words.
        Free error: String, required, documented, rank(190);
    }

    /// A data pipeline completed a sync with its source.
    "pipeline.sync_completed" PipelineSyncCompleted: Workspace, documented {
        /// Id of the data source.
        Open data_source_id: Uuid, required, documented;
        /// The duration, in milliseconds.
        Open duration_ms: i64, required, documented, rank(210);
        /// The number of events that were processed.
        Open event_count: i64, required, documented, rank(730);
    }
}
