//! Answers scrapes over HTTP/1.1, one request per connection.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::format::negotiate;

/// The path of the metrics.
pub const PATH: &str = "/metrics";

/// The most connections that are open at a time. Others wait until one is closed.
const MAX_CONNECTIONS: usize = 16;

/// How long a connection may take, from its opening to the last byte of the answer. It is the default
/// of Prometheus for a scrape.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum size of a request without its body, in bytes.
const MAX_REQUEST: usize = 16 * 1024;

/// How long to wait after a connection could not be accepted, as without a free file descriptor.
const ACCEPT_DELAY: Duration = Duration::from_millis(100);

/// Serves the metrics until it is dropped.
pub async fn serve(listener: TcpListener, registry: Arc<Registry>) {
    let router = Router::new()
        .route(PATH, get(metrics))
        .fallback(|| async { (StatusCode::NOT_FOUND, "the metrics are at /metrics\n") })
        .with_state(registry);
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // The semaphore is never closed.
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_DELAY).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .keep_alive(false)
            .max_buf_size(MAX_REQUEST)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // A client that breaks off is not a failure of the run.
            let _ = timeout(TIMEOUT, connection).await;
            drop(permit);
        });
    }
}

async fn metrics(State(registry): State<Arc<Registry>>, headers: HeaderMap) -> Response {
    let accept = headers.get_all(header::ACCEPT).iter();
    let format = negotiate(accept.filter_map(|value| value.to_str().ok()));
    let headers = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::VARY, "accept"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    match format.encode(&registry) {
        Ok(text) => (headers, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
