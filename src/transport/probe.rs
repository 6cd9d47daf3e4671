//! Opens each endpoint once, to see whether it can be opened and whether anything comes. Nothing of what comes is kept.

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
use crate::transport::{FRAME_LIMIT, SourceConfig, socket, sse};

/// How long the first frame may take. The platform sends one at once, with its `retry:`.
pub const FIRST_FRAME_TIMEOUT: Duration = Duration::from_secs(10);

/// How long after the first frame the server may refuse the stream all the same: its `retry:` comes before all else. An
/// event ends the wait.
const REFUSAL_WINDOW: Duration = Duration::from_secs(2);

/// A stream that could be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedStream {
    /// How long it took until it stood.
    pub after: Duration,
    /// How long the first frame took from then on, if one came in time.
    pub first: Option<Duration>,
}

/// Opens a workspace's stream, and waits for its first frame.
pub async fn workspace(
    client: &Client,
    workspace_id: &str,
    credential: &Credential,
) -> Result<OpenedStream, ConnectError> {
    let begun = Instant::now();
    let response = sse::open(client.events(workspace_id, credential), None, "workspace").await?;
    let stood = Instant::now();
    let first = first_frame(Box::pin(response.bytes_stream())).await?;
    Ok(OpenedStream { after: stood - begun, first })
}

/// How long it takes until a whole frame has come that nothing speaks against.
async fn first_frame<E: StdError + 'static>(
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Option<Duration>, ConnectError> {
    let begun = Instant::now();
    let mut parser = Parser::new("", FRAME_LIMIT);
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

/// Opens a call's observer, and waits for its first message.
pub async fn call(
    client: &Client,
    workspace_id: &str,
    call_sid: &str,
    credential: &Credential,
) -> Result<OpenedStream, ConnectError> {
    let begun = Instant::now();
    let mut socket = socket::open(
        client.observer(workspace_id, call_sid),
        Some(credential),
        "call",
        &SourceConfig::default(),
    )
    .await?;
    let stood = Instant::now();
    let first = match timeout_at(stood + FIRST_FRAME_TIMEOUT, socket.next()).await {
        Err(_) => None,
        Ok(heard) => match observer::glimpse(&heard) {
            EventPeek::Message => Some(stood.elapsed()),
            EventPeek::Failed(failure) => return Err(failure),
        },
    };
    socket.close().await;
    Ok(OpenedStream { after: stood - begun, first })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::transport::client::{Endpoints, Network};
    use crate::transport::scripted::{Scripted, ScriptedResponse, credential, message, switching};

    /// What becomes of the workspace's stream, or the call's, with this answer.
    async fn probe(live: bool, answer: ScriptedResponse) -> Result<Option<Duration>, ConnectError> {
        let server = Scripted::new([answer]).await;
        let endpoints = Endpoints::resolve(&server.url(), None, false).expect("an origin");
        let client = Client::new(endpoints, &Network::default()).expect("a client");
        let opened = if live {
            call(&client, "w", "c", &credential()).await
        } else {
            workspace(&client, "w", &credential()).await
        };
        opened.map(|opened| opened.first)
    }

    #[tokio::test]
    async fn a_first_frame_is_any_but_a_refusal() {
        for body in ["retry: 3000\n\n", "id: 1\n\n", ": hi\n\nid: 1\nevent: x\ndata: canary\n\n"] {
            assert!(
                matches!(probe(false, ScriptedResponse::stream(body)).await, Ok(Some(_))),
                "{body}"
            );
        }
        let full = "event: error\ndata: {\"code\":\"too_many_streams\",\"message\":\"canary\"}\n\n";
        let late = format!("retry: 3000\n\n{full}");
        for (answer, why) in [
            (ScriptedResponse::stream(&late), "the workspace has as many open streams as it may"),
            (ScriptedResponse::stream(full), "the workspace has as many open streams as it may"),
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
    async fn a_stream_that_is_held_back_is_waited_for_and_given_up() {
        let half =
            stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b": hi\n\nretry: 3000\n"))]);
        let begun = Instant::now();
        assert_eq!(first_frame(Box::pin(half.chain(stream::pending()))).await, Ok(None));
        assert_eq!(begun.elapsed(), FIRST_FRAME_TIMEOUT);
    }

    #[tokio::test]
    async fn a_first_message_is_any_and_a_close_is_told() {
        assert!(matches!(
            probe(true, switching(Some("auth"), message(1, b"{"))).await,
            Ok(Some(_))
        ));
        for (code, why) in [
            (4004_u16, "there is no such call (4004)"),
            (4403, "the API key may not observe this call (4403)"),
        ] {
            let error = probe(true, switching(Some("auth"), message(8, &code.to_be_bytes())))
                .await
                .expect_err(why);
            assert!(error.into_error("x").to_string().contains(why));
        }
    }
}
