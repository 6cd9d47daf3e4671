//! Connection tests: opens an endpoint once and waits for its first frame. Nothing that is received
//! is kept.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use crate::transport::client::Client;
use crate::transport::connect_error::{ConnectError, cause};
use crate::transport::credential::Credential;
use crate::transport::framer::{Parser, SseBody};
use crate::transport::observer::{self, EventPeek};
use crate::transport::socket::{self, Subprotocol};
use crate::transport::{FRAME_LIMIT, SourceConfig, sse};

/// How long to wait for the first frame. The platform sends one at once, with its `retry:`.
pub const FIRST_FRAME_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait after the first frame for a refusal, since the server sends its `retry:` before
/// it refuses the stream. An event ends the wait.
const REFUSAL_WINDOW: Duration = Duration::from_secs(2);

/// The times of a stream that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedStream {
    /// The time until the stream was open.
    pub after: Duration,
    /// The time from then until the first frame; `None` if none arrived in time.
    pub first: Option<Duration>,
}

/// Opens the stream of a workspace and waits for its first frame.
pub async fn workspace(
    client: &Client,
    workspace_id: &str,
    credential: &Credential,
) -> Result<OpenedStream, ConnectError> {
    let begun = Instant::now();
    let response = sse::open(client.events(workspace_id, credential), None, "workspace").await?;
    let opened = Instant::now();
    let first = time_to_first_frame(Box::pin(response.bytes_stream())).await?;
    Ok(OpenedStream { after: opened - begun, first })
}

/// Returns the time until the first complete frame; `None` if none arrives in time.
///
/// # Errors
///
/// Fails if the server refuses the stream or the stream breaks.
async fn time_to_first_frame<E: StdError + 'static>(
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Option<Duration>, ConnectError> {
    let begun = Instant::now();
    let mut parser = Parser::new(FRAME_LIMIT);
    let mut first = None;
    loop {
        let until = begun + first.map_or(FIRST_FRAME_TIMEOUT, |first| first + REFUSAL_WINDOW);
        let chunk = match timeout_at(until, body.next()).await {
            Err(_) => return Ok(first),
            Ok(None) if first.is_some() => return Ok(first),
            Ok(None) => {
                return Err(ConnectError::transient(
                    "the server ended the stream before its first frame",
                ));
            }
            Ok(Some(Err(error))) => return Err(ConnectError::transient(cause(&error))),
            Ok(Some(Ok(chunk))) => chunk,
        };
        for frame in parser.push(&chunk) {
            if let Some(failure) = sse::refusal(&frame) {
                return Err(failure);
            }
            let elapsed = *first.get_or_insert_with(|| begun.elapsed());
            if matches!(frame.body, SseBody::Data(_)) {
                return Ok(Some(elapsed));
            }
        }
    }
}

/// Opens the observer of a call and waits for its first message.
pub async fn call(
    client: &Client,
    workspace_id: &str,
    call_sid: &str,
    credential: &Credential,
) -> Result<OpenedStream, ConnectError> {
    let begun = Instant::now();
    let mut socket = socket::open(
        client.observer(workspace_id, call_sid),
        Some(Subprotocol::Required(credential)),
        "call",
        &SourceConfig::default(),
    )
    .await?;
    let opened = Instant::now();
    let first = match timeout_at(opened + FIRST_FRAME_TIMEOUT, socket.next()).await {
        Err(_) => None,
        Ok(event) => match observer::peek(&event) {
            EventPeek::Message => Some(opened.elapsed()),
            EventPeek::Failed(failure) => return Err(failure),
        },
    };
    socket.close().await;
    Ok(OpenedStream { after: opened - begun, first })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::transport::client::{Endpoints, Network};
    use crate::transport::scripted::{Scripted, ScriptedResponse, credential, message, switching};

    /// Probes the workspace stream or the call observer with this answer of the server.
    async fn probe(
        observer: bool,
        answer: ScriptedResponse,
    ) -> Result<Option<Duration>, ConnectError> {
        let server = Scripted::new([answer]).await;
        let endpoints = Endpoints::resolve(&server.url(), None, false).expect("an origin");
        let client = Client::new(endpoints, &Network::default()).expect("a client");
        let opened = if observer {
            call(&client, "w", "c", &credential()).await
        } else {
            workspace(&client, "w", &credential()).await
        };
        opened.map(|opened| opened.first)
    }

    #[tokio::test]
    async fn any_frame_counts_as_the_first_except_a_refusal() {
        for body in ["retry: 3000\n\n", "id: 1\n\n", ": hi\n\nid: 1\nevent: x\ndata: canary\n\n"] {
            assert!(
                matches!(probe(false, ScriptedResponse::stream(body)).await, Ok(Some(_))),
                "{body}"
            );
        }
        let full = "event: error\ndata: {\"code\":\"too_many_streams\",\"message\":\"canary\"}\n\n";
        let late = format!("retry: 3000\n\n{full}");
        for (answer, why) in [
            (
                ScriptedResponse::stream(&late),
                "the workspace already has its maximum number of open streams",
            ),
            (
                ScriptedResponse::stream(full),
                "the workspace already has its maximum number of open streams",
            ),
            (
                ScriptedResponse::stream(": hi"),
                "the server ended the stream before its first frame",
            ),
            (ScriptedResponse::status(401, ""), "the server refused the API key (401)"),
        ] {
            let error = probe(false, answer).await.expect_err(why).into_error("x").to_string();
            assert!(error.contains(why) && !error.contains("canary"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_for_a_stream_without_frames_ends() {
        let half =
            stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b": hi\n\nretry: 3000\n"))]);
        let begun = Instant::now();
        assert_eq!(time_to_first_frame(Box::pin(half.chain(stream::pending()))).await, Ok(None));
        assert_eq!(begun.elapsed(), FIRST_FRAME_TIMEOUT);
    }

    #[tokio::test]
    async fn any_message_counts_as_the_first_and_a_close_is_an_error() {
        assert!(matches!(
            probe(true, switching(Some("auth"), message(1, b"{"))).await,
            Ok(Some(_))
        ));
        for (code, why) in [
            (4004_u16, "no such call (4004)"),
            (4403, "the API key may not observe this call (4403)"),
        ] {
            let error = probe(true, switching(Some("auth"), message(8, &code.to_be_bytes())))
                .await
                .expect_err(why);
            assert!(error.into_error("x").to_string().contains(why));
        }
    }
}
