//! The workspace stream: `GET /v1/{workspace_id}/events/stream`.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::yield_now;
use tokio::time::{Instant, Interval, interval_at};

use super::buffer::Batch;
use super::faults::Fault;
use super::presence::Visit;
use super::reset::Reset;
use super::server::{Server, refuse};
use super::wire::{Wire, WireOutput};

/// The first frame of each stream, with the reconnection time in milliseconds.
const RETRY: &str = "retry: 3000\n\n";

/// How much earlier than requested an overlapping replay starts, in milliseconds.
const OVERLAP: u64 = 2000;

/// Responds to a request for the stream.
pub async fn stream(
    State(server): State<Arc<Server>>,
    ConnectInfo(reset): ConnectInfo<Reset>,
    Path(workspace): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !bearer(&headers).is_some_and(|token| server.admits(token)) {
        return refuse(401, None);
    }
    if !server.has_workspace(&workspace) {
        return refuse(404, None);
    }
    let most = server.options.max_streams;
    let faults = match server.take_fault(Fault::is_for_sse) {
        Fault::Status { code, retry_after } => return refuse(code, retry_after),
        Fault::Error(code) => return event_stream(Body::from(control(&code, most))),
        Fault::All(faults) => faults,
        fault => vec![fault],
    };
    let Some(visit) = server.presence.stream(&workspace.to_ascii_lowercase(), most) else {
        return event_stream(Body::from(control("too_many_streams", most)));
    };
    let Some(bus) = server.bus(&workspace) else {
        return refuse(503, None);
    };
    let mut after =
        headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse::<u64>().ok());
    for fault in &faults {
        match fault {
            Fault::Overlap => after = after.map(|id| id.saturating_sub(OVERLAP)),
            Fault::Backwards(milliseconds) => bus.go_back(*milliseconds),
            Fault::Forget => bus.forget(),
            _ => {}
        }
    }
    let (replay, live) = bus.subscribe(after);
    bus.begin(server.options.rate, after.is_some());
    let period = server.options.heartbeat.max(Duration::from_millis(1));
    let heartbeat = interval_at(Instant::now() + period, period);
    let events = Events { first: true, replay, live, heartbeat, last: None, visit };
    let state = (events, Wire::new(faults), VecDeque::new(), reset);
    let chunks = stream::unfold(state, |(mut events, mut wire, mut waiting, reset)| async move {
        while waiting.is_empty() {
            waiting = wire.pass(&events.next().await?);
        }
        let chunk = match waiting.pop_front()? {
            WireOutput::Bytes(bytes) => Ok(bytes),
            WireOutput::End => return None,
            WireOutput::Nothing => {
                events.visit.closing().await;
                return None;
            }
            broken => {
                // The bytes before must be sent before the connection breaks.
                yield_now().await;
                if broken == WireOutput::Reset {
                    reset.ask();
                }
                Err(io::Error::from(io::ErrorKind::ConnectionAborted))
            }
        };
        Some((chunk, (events, wire, waiting, reset)))
    });
    event_stream(Body::from_stream(chunks))
}

pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn event_stream(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")], body)
        .into_response()
}

/// Returns a complete body with one control frame.
fn control(code: &str, most: usize) -> String {
    let mut data = json!({ "code": code, "message": "The emulator was asked for this error." });
    if code == "too_many_streams" {
        data["message"] =
            Value::from("The workspace already has its maximum number of open streams.");
        data["max_streams"] = most.into();
    }
    format!("{RETRY}event: error\ndata: {data}\n\n")
}

/// The frames that a stream still has to send.
struct Events {
    first: bool,
    replay: VecDeque<Batch>,
    live: Option<broadcast::Receiver<Batch>>,
    heartbeat: Interval,
    last: Option<u64>,
    visit: Visit,
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.first) {
            return Some(Bytes::from_static(RETRY.as_bytes()));
        }
        if let Some(batch) = self.replay.pop_front() {
            return Some(self.sent(batch));
        }
        let Some(live) = &mut self.live else {
            self.visit.served();
            return None;
        };
        tokio::select! {
            biased;
            _ = self.heartbeat.tick() => Some(self.heartbeat_frame()),
            batch = live.recv() => match batch {
                Ok(batch) => Some(self.sent(batch)),
                // The client resumes after the end of the body, so it misses no events.
                Err(RecvError::Lagged(_)) => None,
                Err(RecvError::Closed) => {
                    self.visit.served();
                    None
                }
            },
        }
    }

    fn sent(&mut self, batch: Batch) -> Bytes {
        self.last = Some(batch.id);
        batch.frames
    }

    /// Returns a comment, with the last id if there is one.
    fn heartbeat_frame(&self) -> Bytes {
        let position = self.last.map_or_else(String::new, |id| format!("id: {id}\n"));
        format!(": heartbeat\n{position}\n").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::presence::Presence;

    #[tokio::test]
    async fn a_slow_stream_ends_and_never_skips_events() {
        let sender = broadcast::Sender::new(1);
        let visit = Presence::new().stream("a", 1).expect("a place");
        let period = Duration::from_secs(3600);
        let mut events = Events {
            first: true,
            replay: VecDeque::from([Batch { id: 1, frames: Bytes::from_static(b"one") }]),
            live: Some(sender.subscribe()),
            heartbeat: interval_at(Instant::now() + period, period),
            last: None,
            visit,
        };
        for id in [2, 3] {
            sender.send(Batch { id, frames: Bytes::from_static(b"more") }).expect("a receiver");
        }
        assert_eq!(events.next().await.as_deref(), Some(RETRY.as_bytes()));
        assert_eq!(events.next().await.as_deref(), Some(b"one".as_slice()));
        assert_eq!(events.next().await, None);
    }
}
