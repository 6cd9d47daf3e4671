//! Events about the tools that the agent calls.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::ObjectOrText;

crate::event! {
    /// A tool call of the agent completed.
    "tool_call_completed" ToolCallCompleted: Observer, documented {
        /// The duration, in milliseconds.
        Open duration_ms: f64, nullable, documented, rank(210);
        /// The error, in words; former name of `error_message`.
        Free error: String, nullable, documented, until("2026-05-04"), rank(190);
        /// The output of the tool.
        Phi output: String, nullable, documented, rank(170);
        /// Whether the call succeeded.
        Open succeeded: bool, documented, rank(180), error_when(&["false"]);
        /// The name of the tool.
        Open tool_name: String, required, documented, max_length(256), rank(140);
        /// Id of this tool call.
        Open call_id: String, required, since("2026-05-04"), max_length(256);
        /// The name of the endpoint that the tool calls.
        Open endpoint_name: String, nullable, since("2026-05-04"), max_length(256);
        /// The error, in words.
        Free error_message: String, nullable, since("2026-05-04"), max_length(2048), rank(200);
        /// The name of the integration that the tool belongs to.
        Open integration_name: String, nullable, since("2026-05-04"), max_length(256);
        /// Id of the tool call that this one is part of.
        Open parent_call_id: String, nullable, since("2026-05-04"), max_length(256);
        /// The protocol of the tool call.
        Open protocol: String, nullable, since("2026-05-04"), max_length(64);
    }

    /// The agent called a tool.
    "tool_call_started" ToolCallStarted: Observer, documented {
        /// The input of the tool; former name of `input`.
        Phi tool_input: BTreeMap<String, Value>, nullable, documented, until("2026-05-04"),
            rank(160);
        /// The name of the tool.
        Open tool_name: String, required, documented, max_length(256), rank(140);
        /// Id of this tool call.
        Open call_id: String, required, since("2026-05-04"), max_length(256);
        /// The name of the endpoint that the tool calls.
        Open endpoint_name: String, nullable, since("2026-05-04"), max_length(256);
        /// The input of the tool.
        Phi input: ObjectOrText, nullable, since("2026-05-04"), rank(150);
        /// The name of the integration that the tool belongs to.
        Open integration_name: String, nullable, since("2026-05-04"), max_length(256);
        /// Id of the tool call that this one is part of.
        Open parent_call_id: String, nullable, since("2026-05-04"), max_length(256);
        /// The protocol of the tool call.
        Open protocol: String, nullable, since("2026-05-04"), max_length(64);
    }
}
