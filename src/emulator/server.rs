//! The emulator's two endpoints on a listener: who is let in, what fails on request, and when it is over.

use std::collections::VecDeque;
use std::future::{IntoFuture, pending};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::bus::{Bus, LiveCall};
use super::cast::is_uuid;
use super::faults::Fault;
use super::presence::Presence;
use super::reset::{Reset, ResettableListener};
use super::scenario::{Clock, Scenario, demo_call};
use super::{DEMO_CALL, Options, observer, sse};
use crate::transport::credential::Credential;

/// How long connections have to end in good order.
const PATIENCE: Duration = Duration::from_secs(2);

/// What all connections share.
#[derive(Debug)]
pub struct Server {
    /// How to emulate.
    pub options: Options,
    /// What happens in the workspace.
    pub bus: Bus,
    /// Who is connected.
    pub presence: Presence,
    faults: Mutex<VecDeque<Fault>>,
}

/// Serves until the shutdown, or in a run that is to end until everything was played and everybody has had it. All bodies
/// and sockets are ended in good order first.
///
/// Fails when the listener does.
pub async fn run(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let server = Arc::new(Server::new(options));
    let _closing = Closing(Arc::clone(&server));
    let router = Router::new()
        .route("/v1/{workspace_id}/events/stream", get(sse::stream))
        .route("/v1/{workspace_id}/observers/{call_sid}/ws", get(observer::observe))
        .with_state(Arc::clone(&server));
    let over = {
        let server = Arc::clone(&server);
        async move {
            tokio::select! {
                () = shutdown => {}
                () = server.all_served() => {}
            }
            server.close();
        }
    };
    let service = router.into_make_service_with_connect_info::<Reset>();
    let serving = axum::serve(ResettableListener(listener), service)
        .with_graceful_shutdown(over)
        .into_future();
    let finished = async {
        serving.await?;
        // Upgraded connections are no longer the server's own.
        server.presence.empty().await;
        Ok(())
    };
    let late = async {
        server.presence.closing().await;
        sleep(PATIENCE).await;
    };
    tokio::select! {
        result = finished => result,
        () = late => Ok(()),
        () = server.play() => Ok(()),
    }
}

/// Ends every connection when the server is dropped, however that comes about.
struct Closing(Arc<Server>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Server {
    fn new(mut options: Options) -> Self {
        let faults = Mutex::new(std::mem::take(&mut options.faults).into());
        let bus = Bus::new(options.ledger.clone());
        Self { options, bus, presence: Presence::new(), faults }
    }

    fn close(&self) {
        self.bus.close();
        self.presence.close();
    }

    /// Plays the day. It does not return, so that whoever waits for it waits for the connections.
    async fn play(&self) {
        self.bus.play(Scenario::new(self.options.seed, self.options.once)).await;
        self.bus.close();
        self.presence.over();
        pending::<()>().await;
    }

    async fn all_served(&self) {
        if self.options.once { self.presence.all_served().await } else { pending().await }
    }

    /// Whether that token lets anyone in.
    pub fn admits(&self, token: &str) -> bool {
        let legal = Credential::new(token, "a request");
        legal.is_ok_and(|given| {
            self.options.api_key.as_ref().is_none_or(|wanted| wanted.expose() == given.expose())
        })
    }

    /// Whether there is that workspace.
    pub fn has_workspace(&self, id: &str) -> bool {
        self.options
            .workspace
            .as_ref()
            .map_or_else(|| is_uuid(id), |only| only.eq_ignore_ascii_case(id))
    }

    /// The call of that SID, if there is one right now. The demo call begins with the question.
    pub fn call(&self, sid: &str) -> Option<LiveCall> {
        if sid != DEMO_CALL {
            return self.bus.call(sid);
        }
        let call = Arc::new(demo_call(sid, self.options.seed));
        Some(LiveCall {
            call,
            began: Duration::ZERO,
            clock: Clock::start(self.options.rate),
            whole: true,
        })
    }

    /// The next fault that is for this transport.
    pub fn take_fault(&self, is_for: impl Fn(&Fault) -> bool) -> Fault {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().position(is_for).and_then(|index| faults.remove(index)).unwrap_or(Fault::None)
    }
}

/// An answer without events.
pub fn refuse(status: u16, retry_after: Option<Duration>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or_default();
    let body = serde_json::json!({ "detail": reason }).to_string();
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.as_secs().into());
    }
    response
}
