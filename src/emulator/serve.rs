//! Serves the two endpoints of the platform on a listener until the run is over.

use std::future::IntoFuture;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::options::Options;
use super::reset::{Reset, ResettableListener};
use super::server::Server;
use super::{observer, sse, trigger, trigger_route};

/// The time that connections have to end in good order.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves until `shutdown`, or with [`Options::once`] until the clients have received everything.
/// Ends all bodies and sockets in good order first.
///
/// Returns an error if the listener fails.
pub async fn run(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let server = Arc::new(Server::new(options));
    let _closing = Closing(Arc::clone(&server));
    let is_local = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let router = Router::new()
        .route("/v1/{workspace_id}/events/stream", get(sse::stream))
        .route("/v1/{workspace_id}/observers/{call_sid}/ws", get(observer::observe))
        .route("/healthz", get(|| async { "ok\n" }));
    let router =
        if is_local { router.route(trigger::PATH, post(trigger_route::respond)) } else { router };
    let router = router
        .layer(middleware::from_fn_with_state(server.options.request_log, log_request))
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
        sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::select! {
        result = finished => result,
        () = late => Ok(()),
    }
}

/// Logs a request once it is answered: by its route, because its path contains ids.
async fn log_request(
    State(log): State<Option<fn(&str)>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(log) = log else { return next.run(request).await };
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "another method",
    };
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("another path", MatchedPath::as_str);
    log(&format!("{method} {route}: {}", response.status().as_u16()));
    response
}

/// Ends every connection when the server is dropped, however that comes about.
struct Closing(Arc<Server>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}
