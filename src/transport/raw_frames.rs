//! The raw frames of any event stream or WebSocket, uninterpreted: what the transport delivers, and nothing made of it.
//!
//! For looking at a proxy or at the platform itself. One connection: its end is the end, and nothing is resumed.

use reqwest::Url;
use tokio::sync::mpsc;

use crate::error::Result;
use crate::transport::client::{self, ClientPurpose, Network};
use crate::transport::connect_error::{ConnectError, cause};
use crate::transport::credential::Credential;
use crate::transport::framer::{Parser, SseBody};
use crate::transport::socket::{self, SocketEvent};
use crate::transport::{FRAME_LIMIT, SourceConfig, sse};

const WHAT: &str = "cannot read the URL's frames";

/// One frame as the transport delivers it. It has no `Debug`: everything in it may be protected.
#[derive(Clone, PartialEq, Eq)]
pub enum RawMessage {
    /// What a blank line of an event stream ended. Without `data:` lines, `data` is empty.
    Sse {
        /// The `event:` line.
        event: Option<String>,
        /// The `id:` line.
        id: Option<String>,
        /// The `retry:` line, in milliseconds.
        retry: Option<u64>,
        /// The `data:` lines, joined by LF.
        data: String,
    },
    /// A text message of a WebSocket.
    Text(String),
    /// A binary message of a WebSocket.
    Binary(Vec<u8>),
    /// A frame over the limit, of so many bytes. An event stream goes on after it, a WebSocket can't.
    TooLarge(u64),
}

/// Reads a URL's frames into the channel until the connection ends well or the receiver is gone. The scheme decides: `http`
/// and `https` are event streams, `ws` and `wss` a WebSocket. Dropping the future stops it at once.
pub async fn run(
    url: &str,
    credential: Option<&Credential>,
    network: &Network,
    tx: &mpsc::Sender<RawMessage>,
) -> Result<()> {
    let address = client::address(
        "the URL",
        url,
        "https://api.example.com/stream",
        "the API key",
        network.insecure_http,
    )?;
    let is_socket = Url::parse(url.trim()).is_ok_and(|url| matches!(url.scheme(), "ws" | "wss"));
    let purpose = if is_socket { ClientPurpose::Upgrade } else { ClientPurpose::Stream };
    let http = client::build(&address, network, purpose)?;
    let read = async {
        match purpose {
            ClientPurpose::Stream => {
                stream(client::stream_request(&http, address, credential), tx).await
            }
            ClientPurpose::Upgrade | ClientPurpose::Post => {
                messages(http.get(address), credential, tx).await
            }
        }
    };
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        result = read => result.map_err(|failure| failure.into_error(WHAT)),
    }
}

async fn stream(
    request: reqwest::RequestBuilder,
    tx: &mpsc::Sender<RawMessage>,
) -> Result<(), ConnectError> {
    let mut response = sse::open(request, None, "stream").await?;
    let mut parser = Parser::new("", FRAME_LIMIT);
    while let Some(chunk) =
        response.chunk().await.map_err(|error| ConnectError::transient(cause(&error)))?
    {
        for frame in parser.push(&chunk) {
            let sse = |data| RawMessage::Sse {
                event: frame.event,
                id: frame.sets_id.then_some(frame.last_event_id),
                retry: frame.retry,
                data,
            };
            let raw = match frame.body {
                SseBody::Empty => sse(String::new()),
                SseBody::Data(data) => sse(data),
                SseBody::TooLarge(bytes) => RawMessage::TooLarge(bytes),
            };
            // `run` watches for a receiver that is gone.
            let _ = tx.send(raw).await;
        }
    }
    match parser.unfinished() {
        0 => Ok(()),
        bytes => Err(ConnectError::transient(format!(
            "the stream ended in the middle of a frame, after {bytes} bytes of it"
        ))),
    }
}

async fn messages(
    request: reqwest::RequestBuilder,
    credential: Option<&Credential>,
    tx: &mpsc::Sender<RawMessage>,
) -> Result<(), ConnectError> {
    let mut socket =
        socket::open(request, credential, "WebSocket", &SourceConfig::default()).await?;
    loop {
        let raw = match socket.next().await {
            // It is valid, so nothing is replaced.
            SocketEvent::Text(text) => {
                RawMessage::Text(String::from_utf8_lossy(&text).into_owned())
            }
            SocketEvent::Binary(data) => RawMessage::Binary(data.into()),
            SocketEvent::TooLarge(bytes) => RawMessage::TooLarge(bytes),
            SocketEvent::Closed(code) => {
                socket.close().await;
                return closed(code);
            }
            SocketEvent::NotUtf8 => {
                return Err(ConnectError::transient("a text message is no UTF-8"));
            }
            SocketEvent::Lost(why) => return Err(ConnectError::transient(why)),
        };
        let is_end = matches!(raw, RawMessage::TooLarge(_));
        // `run` watches for a receiver that is gone.
        let _ = tx.send(raw).await;
        if is_end {
            return Err(ConnectError::transient("a message was larger than the limit"));
        }
    }
}

/// 1000 is a good end, and so is a close without a code; any other is told.
fn closed(code: Option<u16>) -> Result<(), ConnectError> {
    match code {
        None | Some(1000 | 1001 | 1005) => Ok(()),
        Some(code) => {
            Err(ConnectError::transient(format!("the server closed the connection ({code})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Exit};
    use crate::transport::scripted::{
        Scripted, ScriptedResponse, TOKEN, credential, header, message, switching,
    };

    /// Reads what a script answers, by a scheme; the frames as tests may print them.
    async fn read(
        scheme: &str,
        answer: ScriptedResponse,
        key: bool,
    ) -> (Vec<String>, String, Result<()>) {
        let mut server = Scripted::new([answer]).await;
        let (tx, mut rx) = mpsc::channel(100);
        let url = server.url().replacen("http", scheme, 1) + "/a/b?c=d";
        let credential = credential();
        let result = run(&url, key.then_some(&credential), &Network::default(), &tx).await;
        drop(tx);
        let mut frames = Vec::new();
        while let Some(raw) = rx.recv().await {
            frames.push(match raw {
                RawMessage::Sse { event, id, retry, data } => {
                    format!("{event:?} {id:?} {retry:?} {data:?}")
                }
                RawMessage::Text(text) => format!("text {text}"),
                RawMessage::Binary(data) => format!("binary {data:?}"),
                RawMessage::TooLarge(bytes) => format!("too large {bytes}"),
            });
        }
        (frames, server.heads().remove(0), result)
    }

    #[tokio::test]
    async fn an_event_streams_frames_as_they_are() {
        let large = "x".repeat(FRAME_LIMIT + 1);
        let body = format!(
            "retry: 7\n\n: hi\n\nid: 1\nevent: error\ndata: {{\n\ndata:{large}\n\ndata: b\n\nid: 2\n\n: bye"
        );
        let (frames, head, result) = read("http", ScriptedResponse::stream(&body), true).await;
        let expected = [
            r#"None None Some(7) """#,
            r#"Some("error") Some("1") None "{""#,
            "too large 1048578",
            r#"None None None "b""#,
            r#"None Some("2") None """#,
        ];
        assert_eq!(frames, expected);
        assert_eq!(result, Ok(()));
        assert!(head.starts_with("GET /a/b?c=d HTTP/1.1\r\n"));
        assert_eq!(header(&head, "authorization"), Some(&*format!("Bearer {TOKEN}")));
    }

    #[tokio::test]
    async fn a_stream_that_is_none_or_breaks_off_is_an_error() {
        for (answer, why) in [
            (
                ScriptedResponse::stream("data: canary"),
                "the stream ended in the middle of a frame, after 12 bytes of it",
            ),
            (ScriptedResponse::status(503, ""), "the server answered 503"),
            (ScriptedResponse::status(404, ""), "there is no such stream (404)"),
        ] {
            let (frames, head, result) = read("http", answer, false).await;
            let error = result.expect_err("an error").to_string();
            assert!(error.starts_with(&format!("{WHAT}: {why}; ")) && frames.is_empty(), "{error}");
            assert_eq!(header(&head, "authorization"), None);
        }
    }

    #[tokio::test]
    async fn a_websockets_messages_as_they_are() {
        let script = [
            message(1, "{".as_bytes()),
            message(2, &[255]),
            message(9, b""),
            message(8, &1000_u16.to_be_bytes()),
        ];
        let (frames, head, result) = read("ws", switching(None, script.concat()), false).await;
        assert_eq!(
            (frames, result),
            (vec!["text {".to_owned(), "binary [255]".to_owned()], Ok(()))
        );
        assert_eq!(header(&head, "sec-websocket-protocol"), None);

        let large = message(1, "x".repeat(FRAME_LIMIT + 1).as_bytes());
        let (frames, head, result) = read("ws", switching(Some("auth"), large), true).await;
        assert_eq!(frames, ["too large 1048577"]);
        assert_eq!(result.expect_err("the end").exit, Exit::Failure);
        assert_eq!(header(&head, "sec-websocket-protocol"), Some(&*format!("auth, {TOKEN}")));
    }

    #[tokio::test]
    async fn a_close_that_is_not_good_is_told() {
        let (_, _, result) =
            read("ws", switching(None, message(8, &4004_u16.to_be_bytes())), false).await;
        assert!(
            result
                .expect_err("an error")
                .to_string()
                .contains("the server closed the connection (4004)")
        );
    }

    #[tokio::test]
    async fn plain_text_stays_at_home() {
        let (tx, _rx) = mpsc::channel(1);
        for url in ["http://a.example/", "ws://a.example/", "a.example", "file:///etc/hosts"] {
            let refused: Error =
                run(url, None, &Network::default(), &tx).await.expect_err("refused");
            assert_eq!(refused.exit, Exit::Usage);
        }
    }
}
