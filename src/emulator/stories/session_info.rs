//! The `session_info` frame that an observer receives first on every connection.

use std::time::Duration;

use serde_json::{Value, json};

use super::call_story::CallStory;

/// The state in which each call begins.
pub const INITIAL_STATE: &str = "greeting";

/// What comes first on every connection: who is on the line, since when, and in which state.
pub fn session_info(
    call: &CallStory,
    workspace_id: &str,
    state: &str,
    elapsed: Duration,
    started: f64,
) -> Value {
    json!({
        "call_sid": call.sid,
        "caller_id": call.caller.phone,
        "current_state": state,
        "direction": call.direction,
        "duration_seconds": (elapsed.as_secs_f64() * 1e3).round() / 1e3,
        "service_id": call.service_id,
        "start_time": started,
        "workspace_id": workspace_id,
    })
}
