//! The observer of a call: `GET /v1/{workspace_id}/observers/{call_sid}/ws`, upgraded.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role};

use super::day::TICK;
use super::faults::Fault;
use super::ledger::{Ledger, ObservedEvent};
use super::observed_call::{ObservedCall, ObserverStep};
use super::observers::TriggeredEvents;
use super::presence::Visit;
use super::server::{Server, refuse};
use super::slow_tools::SlowTools;
use super::story_faults::StoryFaults;
use crate::model::Kind;

/// The subprotocol. Clients send the credential as a second one.
const SUBPROTOCOL: &str = "auth";
/// The time that a client has to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

const CALL_OVER: u16 = 1000;
const GOING_AWAY: u16 = 1001;
const WRONG_CREDENTIAL: u16 = 4001;
const NO_SUCH_CALL: u16 = 4004;
/// The close codes that refuse an observer, so that no event precedes them.
const REFUSALS: &[u16] = &[1008, WRONG_CREDENTIAL, 4003, NO_SUCH_CALL, 4029, 4403];

type ObserverSocket = WebSocketStream<TokioIo<Upgraded>>;

/// Responds to a request to observe a call.
pub async fn observe(
    State(server): State<Arc<Server>>,
    Path((workspace, sid)): Path<(String, String)>,
    mut request: Request,
) -> Response {
    let upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let headers = request.headers();
    let (Some(upgrade), Some(key)) = (upgrade, handshake_key(headers)) else {
        return refuse(StatusCode::UPGRADE_REQUIRED.as_u16(), None);
    };
    let offered = subprotocols(headers);
    if offered.first() != Some(&SUBPROTOCOL) {
        return refuse(StatusCode::UNAUTHORIZED.as_u16(), None);
    }
    let session = if !offered.get(1).is_some_and(|token| server.admits(token)) {
        Err(WRONG_CREDENTIAL)
    } else if !server.has_workspace(&workspace) {
        Err(NO_SUCH_CALL)
    } else {
        match server.take_fault(Fault::is_for_observer) {
            Fault::Status { code, retry_after } => return refuse(code, retry_after),
            Fault::Close(code) if REFUSALS.contains(&code) => Err(code),
            fault => match server.call(&workspace, &sid) {
                Some(call) => Ok(ObserverSession {
                    call,
                    fault,
                    ledger: server.options.ledger.clone(),
                    absent: server.absent.clone(),
                    slow: server.slow.clone(),
                    visit: server.presence.observer(),
                    triggered: server.observers.add(&workspace),
                    workspace,
                }),
                None => Err(NO_SUCH_CALL),
            },
        }
    };
    let accept = derive_accept_key(key.as_bytes());
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let mut socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        match session {
            Ok(session) => session.play(socket).await,
            Err(code) => close(&mut socket, code).await,
        }
    });
    let headers = [
        (header::CONNECTION, "upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_ACCEPT, accept.as_str()),
        (header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Returns the key of a valid handshake (RFC 6455, section 4.2.1).
fn handshake_key(headers: &HeaderMap) -> Option<String> {
    let has = |name, value: &str| {
        let text = headers.get(name).and_then(|text| text.to_str().ok()).unwrap_or_default();
        text.split(',').any(|part| part.trim().eq_ignore_ascii_case(value))
    };
    let asked = has(header::CONNECTION, "upgrade") && has(header::UPGRADE, "websocket");
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    (asked && has(header::SEC_WEBSOCKET_VERSION, "13")).then(|| key.to_owned())
}

fn subprotocols(headers: &HeaderMap) -> Vec<&str> {
    let values = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).collect()
}

/// One observer of one call.
struct ObserverSession {
    call: ObservedCall,
    workspace: String,
    fault: Fault,
    ledger: Option<Ledger>,
    absent: StoryFaults,
    slow: SlowTools,
    visit: Visit,
    triggered: TriggeredEvents,
}

/// The state of a socket after waiting for the next event.
enum SocketActivity {
    Open,
    Triggered(Kind, String),
    Gone,
    Closing,
}

impl ObserverSession {
    async fn play(mut self, mut socket: ObserverSocket) {
        let mut coming = self.call.steps(&self.workspace, &self.absent, &self.slow);
        let mut left = match self.fault {
            Fault::Cut(bytes) | Fault::End(bytes) => bytes,
            _ => usize::MAX,
        };

        let mut shapes = Shapes::default();
        let mut due = Vec::new();
        // The first event is sent alone, because some faults come after it.
        let mut is_first = true;
        while let Some(next) = coming.front() {
            let is_late = next.due <= Instant::now();
            let until = if is_late { next.due } else { next.due.max(Instant::now() + TICK) };
            match self.listen(&mut socket, until).await {
                SocketActivity::Open => {}
                SocketActivity::Triggered(kind, payload) => {
                    due.push(shapes.text(Some(kind), kind.spec().event_type, &payload));
                }
                SocketActivity::Gone => return,
                SocketActivity::Closing => return close(&mut socket, GOING_AWAY).await,
            }
            let now = Instant::now();
            while coming.front().is_some_and(|step| step.due <= now)
                && let Some(step) = coming.pop_front()
            {
                self.record(&step);
                due.push(shapes.text(step.kind, &step.event_type, &step.payload));
                if std::mem::take(&mut is_first) {
                    break;
                }
            }
            for text in due.drain(..) {
                if text.len() > left {
                    return self.fail(socket).await;
                }
                left -= text.len();
                if socket.feed(Message::text(text)).await.is_err() {
                    return;
                }
            }
            if socket.flush().await.is_err() {
                return;
            }
            if let Fault::Close(code) = self.fault {
                return close(&mut socket, code).await;
            }
        }
        close(&mut socket, CALL_OVER).await;
        self.visit.served();
    }

    fn record(&self, step: &ObserverStep) {
        let (Some(ledger), Some(kind)) = (&self.ledger, step.kind) else { return };
        if step.is_recorded {
            ledger.record_observed(ObservedEvent {
                call_sid: self.call.sid().to_owned(),
                at: step.at.as_secs_f64(),
                kind,
                payload: serde_json::from_str(&step.payload).unwrap_or_default(),
            });
        }
    }

    /// Reads messages of the client, so that pings are answered, until it is time for the next
    /// event.
    async fn listen(&mut self, socket: &mut ObserverSocket, until: Instant) -> SocketActivity {
        let timer = sleep_until(until);
        tokio::pin!(timer);
        loop {
            tokio::select! {
                () = &mut timer => return SocketActivity::Open,
                () = self.visit.closing() => return SocketActivity::Closing,
                (kind, payload) = self.triggered.next(&self.workspace, self.call.sid()) => {
                    return SocketActivity::Triggered(kind, payload);
                }
                message = socket.next() => match message {
                    Some(Ok(Message::Close(_))) => {
                        close(socket, CALL_OVER).await;
                        return SocketActivity::Gone;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return SocketActivity::Gone,
                },
            }
        }
    }

    /// Ends or breaks the connection, after all bytes that the fault allows.
    async fn fail(&self, mut socket: ObserverSocket) {
        // The events before the fault still have to arrive.
        let _ = socket.flush().await;
        if matches!(self.fault, Fault::End(_)) {
            close(&mut socket, GOING_AWAY).await;
        }
    }
}

/// Formats events in the two shapes that occur: with the fields beside the type, or in `data`.
///
/// Most types have the first shape. Those that the platform has sent in both alternate.
#[derive(Default)]
struct Shapes {
    /// The types whose last event was nested.
    nested: HashSet<Kind>,
}

impl Shapes {
    fn text(&mut self, kind: Option<Kind>, event_type: &str, payload: &str) -> String {
        if let Some(kind) = kind.filter(|kind| may_be_nested(*kind))
            && !self.nested.remove(&kind)
        {
            self.nested.insert(kind);
            return format!("{{\"type\":\"{event_type}\",\"data\":{payload}}}");
        }
        let fields = payload.get(1..).unwrap_or("}");
        let comma = if fields == "}" { "" } else { "," };
        format!("{{\"type\":\"{event_type}\"{comma}{fields}")
    }
}

const fn may_be_nested(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ToolCallStarted
            | Kind::ToolCallCompleted
            | Kind::Emotion
            | Kind::CompoundEmotion
            | Kind::EmpathyClassified
            | Kind::Latency
            | Kind::NavTiming
    )
}

/// Closes the socket with a code, and waits a moment for the client to do the same.
async fn close(socket: &mut ObserverSocket, code: u16) {
    let frame = CloseFrame { code: code.into(), reason: "".into() };
    // An error means that the client is already gone.
    let _ = socket.close(Some(frame)).await;
    let _ = timeout(CLOSE_TIMEOUT, async { while let Some(Ok(_)) = socket.next().await {} }).await;
}
