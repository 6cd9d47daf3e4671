//! The raw frames of any event stream or WebSocket, without interpretation.
//!
//! This serves to inspect a proxy or the platform itself. It reads a single connection: it does not
//! reconnect or resume.

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

/// One frame as the transport delivers it.
///
/// It has no `Debug`, because everything in it may be protected health information.
#[derive(Clone, PartialEq, Eq)]
pub enum RawMessage {
    /// A frame of an event stream. Without `data:` lines, `data` is empty.
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
    /// A frame over the limit, with its size in bytes. An event stream continues after it; a
    /// WebSocket cannot.
    TooLarge(u64),
}

/// Reads the frames of a URL into the channel until the connection ends or the receiver is gone.
///
/// The schemes `http` and `https` are event streams, `ws` and `wss` are `WebSockets`. Dropping the
/// future stops the read at once.
///
/// # Errors
///
/// Fails if the URL is unusable, or the connection cannot be opened or does not end cleanly.
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
                read_stream(client::stream_request(&http, address, credential), tx).await
            }
            ClientPurpose::Upgrade | ClientPurpose::Post => {
                read_messages(http.get(address), credential, tx).await
            }
        }
    };
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        result = read => result.map_err(|failure| failure.into_error(WHAT)),
    }
}

async fn read_stream(
    request: reqwest::RequestBuilder,
    tx: &mpsc::Sender<RawMessage>,
) -> Result<(), ConnectError> {
    let mut response = sse::open(request, None, "stream").await?;
    let mut parser = Parser::new(FRAME_LIMIT);
    while let Some(chunk) =
        response.chunk().await.map_err(|error| ConnectError::transient(cause(&error)))?
    {
        for frame in parser.push(&chunk) {
            let sse = |data| RawMessage::Sse {
                event: frame.event,
                id: frame.sets_id.then(|| frame.last_event_id.to_string()),
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

async fn read_messages(
    request: reqwest::RequestBuilder,
    credential: Option<&Credential>,
    tx: &mpsc::Sender<RawMessage>,
) -> Result<(), ConnectError> {
    let mut socket =
        socket::open(request, credential, "WebSocket", &SourceConfig::default()).await?;
    loop {
        let raw = match socket.next().await {
            // The text is valid UTF-8, so nothing is replaced.
            SocketEvent::Text(text) => {
                RawMessage::Text(String::from_utf8_lossy(&text).into_owned())
            }
            SocketEvent::Binary(data) => RawMessage::Binary(data.into()),
            SocketEvent::TooLarge(bytes) => RawMessage::TooLarge(bytes),
            SocketEvent::Closed(code) => {
                socket.close().await;
                return close_result(code);
            }
            SocketEvent::NotUtf8 => {
                return Err(ConnectError::transient("a text message is not UTF-8"));
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

/// Returns an error for a close code that does not stand for a normal end (RFC 6455, section 7.4).
fn close_result(code: Option<u16>) -> Result<(), ConnectError> {
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

    /// Reads a scripted answer by the given scheme, and returns the frames as text, the head of the
    /// request and the result.
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
    async fn frames_of_an_event_stream_are_delivered_unchanged() {
        let large = "x".repeat(FRAME_LIMIT + 1);
        let body = format!(
            "retry: 7\n\n: hi\n\nid: 1\nevent: error\ndata: {{\n\ndata:{large}\n\ndata: b\n\n\
             id: 2\n\n: bye"
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
    async fn a_refused_or_truncated_stream_is_an_error() {
        for (answer, why) in [
            (
                ScriptedResponse::stream("data: canary"),
                "the stream ended in the middle of a frame, after 12 bytes of it",
            ),
            (ScriptedResponse::status(503, ""), "the server answered 503"),
            (ScriptedResponse::status(404, ""), "no such stream (404)"),
        ] {
            let (frames, head, result) = read("http", answer, false).await;
            let error = result.expect_err("an error").to_string();
            assert!(error.starts_with(&format!("{WHAT}: {why}; ")) && frames.is_empty(), "{error}");
            assert_eq!(header(&head, "authorization"), None);
        }
    }

    #[tokio::test]
    async fn messages_of_a_websocket_are_delivered_unchanged() {
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
    async fn an_abnormal_close_code_is_an_error() {
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
    async fn plain_text_urls_to_other_hosts_are_refused() {
        let (tx, _rx) = mpsc::channel(1);
        for url in ["http://a.example/", "ws://a.example/", "a.example", "file:///etc/hosts"] {
            let refused: Error =
                run(url, None, &Network::default(), &tx).await.expect_err("refused");
            assert_eq!(refused.exit, Exit::Usage);
        }
    }
}
