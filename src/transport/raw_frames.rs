//! The raw frames of any event stream or WebSocket, without interpretation.
//!
//! This serves to inspect a proxy or the platform itself. It reads a single connection: it does not
//! reconnect or resume.

mod block;
mod message;

use reqwest::Url;
use tokio::sync::mpsc;

pub use message::{RawMessage, SseBlock};

use crate::error::{Exit, Result};
use crate::transport::client::{self, ClientPurpose, Network};
use crate::transport::connect_error::{ConnectError, cause};
use crate::transport::credential::Credential;
use crate::transport::socket::{self, SocketEvent, Subprotocol};
use crate::transport::{SourceConfig, sse};
use block::BlockSplitter;

const WHAT: &str = "cannot read the URL's frames";

/// Reads the frames of a URL into the channel until the connection ends or the receiver is gone.
///
/// The schemes `http` and `https` are event streams, `ws` and `wss` are `WebSockets`. The limits are
/// those of `config`. Dropping the future stops the read at once.
///
/// # Errors
///
/// Fails if the URL is unusable, or the connection cannot be opened or does not end cleanly.
pub async fn run(
    url: &str,
    credential: Option<&Credential>,
    network: &Network,
    config: &SourceConfig,
    tx: &mpsc::Sender<RawMessage>,
) -> Result<()> {
    let private = if credential.is_some() { "the API key" } else { "what it shows" };
    let address = client::address(
        "the URL",
        url,
        "https://api.example.com/stream",
        private,
        network.insecure_http,
    )?;
    let is_socket = Url::parse(url.trim()).is_ok_and(|url| matches!(url.scheme(), "ws" | "wss"));
    let purpose = if is_socket { ClientPurpose::Upgrade } else { ClientPurpose::Stream };
    let http = client::build(&address, network, purpose)?;
    let read = async {
        match purpose {
            ClientPurpose::Stream => {
                let request = client::stream_request(&http, address, credential);
                read_stream(request, config, tx).await
            }
            ClientPurpose::Upgrade | ClientPurpose::Post => {
                read_messages(http.get(address), credential, config, tx).await
            }
        }
    };
    tokio::select! {
        biased;
        () = tx.closed() => Ok(()),
        result = read => result.map_err(|failure| explain(failure, credential).into_error(WHAT)),
    }
}

/// Explains that a server refused a request without a credential because it had none.
fn explain(failure: ConnectError, credential: Option<&Credential>) -> ConnectError {
    match failure {
        ConnectError::Unauthorized { .. } | ConnectError::Fatal { exit: Exit::Credential, .. }
            if credential.is_none() =>
        {
            ConnectError::fatal(
                Exit::Credential,
                "the server refused a request without an API key",
                "give --auth to send the key",
            )
        }
        failure => failure,
    }
}

async fn read_stream(
    request: reqwest::RequestBuilder,
    config: &SourceConfig,
    tx: &mpsc::Sender<RawMessage>,
) -> Result<(), ConnectError> {
    let mut response = sse::open(request, None, "stream").await?;
    let mut splitter = BlockSplitter::new(config.max_frame);
    let end = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                for block in splitter.push(&chunk) {
                    // `run` watches for a receiver that is gone.
                    let _ = tx.send(block).await;
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(ConnectError::transient(cause(&error))),
        }
    };
    let bytes = splitter.unfinished();
    if let Some(block) = splitter.finish() {
        let _ = tx.send(block).await;
        end.and_then(|()| {
            Err(ConnectError::transient(format!(
                "the stream ended in the middle of a frame, after {bytes} bytes of it"
            )))
        })
    } else {
        end
    }
}

async fn read_messages(
    request: reqwest::RequestBuilder,
    credential: Option<&Credential>,
    config: &SourceConfig,
    tx: &mpsc::Sender<RawMessage>,
) -> Result<(), ConnectError> {
    let subprotocol = credential.map(Subprotocol::Offered);
    let mut socket = socket::open(request, subprotocol, "WebSocket", config).await?;
    let end = loop {
        let raw = match socket.next().await {
            // The text is valid UTF-8, so nothing is replaced.
            SocketEvent::Text(text) => {
                RawMessage::Text(String::from_utf8_lossy(&text).into_owned())
            }
            SocketEvent::Binary(data) => RawMessage::Binary(data.into()),
            SocketEvent::TooLarge(bytes) => RawMessage::TooLarge(bytes),
            SocketEvent::Closed(code) => break close_result(code),
            SocketEvent::NotUtf8 => {
                break Err(ConnectError::transient("a text message is not UTF-8"));
            }
            SocketEvent::Lost(why) => break Err(ConnectError::transient(why)),
        };
        let is_end = matches!(raw, RawMessage::TooLarge(_));
        // `run` watches for a receiver that is gone.
        let _ = tx.send(raw).await;
        if is_end {
            break Err(ConnectError::fatal(
                Exit::Failure,
                "a message was larger than the limit",
                "give a higher --max-frame",
            ));
        }
    };
    socket.close().await;
    end
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
    use crate::error::Error;
    use crate::transport::FRAME_LIMIT;
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
        let (key, config) = (key.then_some(&credential), SourceConfig::default());
        let result = run(&url, key, &Network::default(), &config, &tx).await;
        drop(tx);
        let mut frames = Vec::new();
        while let Some(raw) = rx.recv().await {
            frames.push(match raw {
                RawMessage::Sse(SseBlock { event, id, retry, data, other, is_incomplete }) => {
                    let end = if is_incomplete { " incomplete" } else { "" };
                    format!("{event:?} {id:?} {retry:?} {data:?} {other:?}{end}")
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
            "None None Some(7) None None",
            r#"None None None None Some(": hi")"#,
            r#"Some("error") Some("1") None Some("{") None"#,
            "too large 1048583",
            r#"None None None Some("b") None"#,
            r#"None Some("2") None None None"#,
            r#"None None None None Some(": bye") incomplete"#,
        ];
        assert_eq!(frames, expected);
        let error = result.expect_err("the blank line is missing").to_string();
        assert!(error.contains("in the middle of a frame, after 5 bytes of it; "), "{error}");
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
            (
                ScriptedResponse::stream("data: x\n\n: canary\n"),
                "the stream ended in the middle of a frame",
            ),
            (ScriptedResponse::status(503, ""), "the server answered 503"),
            (ScriptedResponse::status(404, ""), "no such stream (404)"),
            (
                ScriptedResponse::status(401, ""),
                "the server refused a request without an API key; give --auth",
            ),
            (
                ScriptedResponse::status(403, ""),
                "the server refused a request without an API key; give --auth",
            ),
        ] {
            let (frames, head, result) = read("http", answer, false).await;
            let error = result.expect_err("an error").to_string();
            assert!(error.starts_with(&format!("{WHAT}: {why}")), "{error}");
            assert!(!error.contains("anary"), "{error}");
            assert_eq!(frames.is_empty(), !why.contains("frame"), "{frames:?}");
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
    async fn a_server_need_not_know_the_subprotocol_that_carries_the_key() {
        let script = [message(1, b"a"), message(8, &1000_u16.to_be_bytes())].concat();
        let (frames, head, result) = read("ws", switching(None, script.clone()), true).await;
        assert_eq!((frames, result), (vec!["text a".to_owned()], Ok(())));
        assert_eq!(header(&head, "sec-websocket-protocol"), Some(&*format!("auth, {TOKEN}")));
        let (_, _, result) = read("ws", switching(Some("other"), script), true).await;
        let error = result.expect_err("it was not offered").to_string();
        assert!(error.contains("did not choose the subprotocol"), "{error}");
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
            let refused: Error = run(url, None, &Network::default(), &SourceConfig::default(), &tx)
                .await
                .expect_err("refused");
            assert_eq!(refused.exit, Exit::Usage);
        }
    }
}
