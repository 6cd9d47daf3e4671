//! Tools that the agent calls.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::ObjectOrText;

crate::event! {
    /// A tool that the agent called has answered.
    "tool_call_completed" ToolCallCompleted: Observer, documented {
        /// How long it took, in milliseconds.
        Open duration_ms: f64, nullable, documented, rank(210);
        /// What went wrong, in words, by its former name.
        Free error: String, nullable, documented, until("2026-05-04"), rank(190);
        /// What the tool answered.
        Phi output: String, nullable, documented, rank(170);
        /// Whether it worked.
        Open succeeded: bool, documented, rank(180), error_when(&["false"]);
        /// The tool.
        Open tool_name: String, required, documented, max_length(256), rank(140);
        /// Id of this tool call.
        Open call_id: String, required, since("2026-05-04"), max_length(256);
        /// The endpoint that the tool calls.
        Open endpoint_name: String, nullable, since("2026-05-04"), max_length(256);
        /// What went wrong, in words.
        Free error_message: String, nullable, since("2026-05-04"), max_length(2048), rank(200);
        /// The integration that the tool belongs to.
        Open integration_name: String, nullable, since("2026-05-04"), max_length(256);
        /// Id of the tool call that this one is part of.
        Open parent_call_id: String, nullable, since("2026-05-04"), max_length(256);
        /// The protocol that the tool is called by.
        Open protocol: String, nullable, since("2026-05-04"), max_length(64);
    }

    /// The agent calls a tool.
    "tool_call_started" ToolCallStarted: Observer, documented {
        /// What the tool was given, by its former name.
        Phi tool_input: BTreeMap<String, Value>, nullable, documented, until("2026-05-04"),
            rank(160);
        /// The tool.
        Open tool_name: String, required, documented, max_length(256), rank(140);
        /// Id of this tool call.
        Open call_id: String, required, since("2026-05-04"), max_length(256);
        /// The endpoint that the tool calls.
        Open endpoint_name: String, nullable, since("2026-05-04"), max_length(256);
        /// What the tool was given.
        Phi input: ObjectOrText, nullable, since("2026-05-04"), rank(150);
        /// The integration that the tool belongs to.
        Open integration_name: String, nullable, since("2026-05-04"), max_length(256);
        /// Id of the tool call that this one is part of.
        Open parent_call_id: String, nullable, since("2026-05-04"), max_length(256);
        /// The protocol that the tool is called by.
        Open protocol: String, nullable, since("2026-05-04"), max_length(64);
    }
}
