//! The route by which the clients of the emulator receive an event on request.
//!
//! Only an emulator that listens on a loopback address has it. It needs a credential like the others,
//! so that no page in a browser can use it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::scenario::{CheckedEvent, PayloadError};
use super::server::{Server, refuse};
use super::sse::bearer;
use super::trigger::{Trigger, TriggerResult};
use crate::model::Stream;

/// Responds to a request to send an event.
pub async fn respond(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !bearer(&headers).is_some_and(|token| server.admits(token)) {
        return refuse(401, None);
    }
    let Ok(Trigger { event_type, data, workspace_id }) = serde_json::from_slice(&body) else {
        return refuse(400, None);
    };
    let event = match CheckedEvent::new(&event_type, data.get(), rand::random()) {
        Ok(event) => Arc::new(event),
        Err(PayloadError { why, advice }) => {
            let body = serde_json::json!({ "detail": format!("{why}; {advice}") }).to_string();
            return (StatusCode::BAD_REQUEST, body).into_response();
        }
    };
    let workspace = workspace_id.map(|workspace| workspace.to_ascii_lowercase());
    let clients = match event.kind.spec().stream {
        Stream::Observer => server.observers.send(workspace.as_deref(), &event),
        Stream::Workspace | Stream::Own => server.trigger(workspace.as_deref(), &event),
    };
    serde_json::to_string(&TriggerResult { clients }).unwrap_or_default().into_response()
}
