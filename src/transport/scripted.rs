//! A test server that writes scripted answers byte for byte and records the heads of the requests.
//!
//! It plays one answer per connection, in order, and refuses connections after the last.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::transport::client::{Client, Endpoints, Network};
use crate::transport::credential::Credential;

/// The credential of every test. It must appear only in requests.
pub(crate) const TOKEN: &str = "canary-token";

/// Creates an answer from the head of a request.
type ScriptedWrite = Box<dyn FnOnce(&str) -> Vec<u8> + Send>;

/// The bytes to write once the head of a request has arrived.
pub(crate) struct ScriptedResponse {
    write: ScriptedWrite,
    hold: bool,
}

impl ScriptedResponse {
    /// Creates an answer that depends on the request, and then closes the connection.
    pub(crate) fn from_request(write: impl FnOnce(&str) -> Vec<u8> + Send + 'static) -> Self {
        Self { write: Box::new(write), hold: false }
    }

    /// Creates an answer of these bytes, and then closes the connection.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::from_request(move |_| bytes)
    }

    /// Creates an event stream whose body ends with the connection.
    pub(crate) fn stream(body: &str) -> Self {
        Self::new(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n{body}"
        ))
    }

    /// Creates an answer without a body. Each header ends in CRLF.
    pub(crate) fn status(code: u16, headers: &str) -> Self {
        Self::new(format!("HTTP/1.1 {code} Canary\r\nContent-Length: 0\r\n{headers}\r\n"))
    }

    /// Keeps the connection open until the client closes it.
    pub(crate) fn and_hold(self) -> Self {
        Self { hold: true, ..self }
    }
}

/// The running server.
pub(crate) struct Scripted {
    address: SocketAddr,
    heads: mpsc::UnboundedReceiver<String>,
}

impl Scripted {
    /// Starts the server.
    pub(crate) async fn new(answers: impl IntoIterator<Item = ScriptedResponse>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (tx, heads) = mpsc::unbounded_channel();
        let answers: Vec<_> = answers.into_iter().collect();
        // Without answers, the listener is dropped, so that connections are refused.
        if !answers.is_empty() {
            tokio::spawn(serve(listener, answers, tx));
        }
        Self { address, heads }
    }

    /// Returns the URL of the server.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Creates a client whose two endpoints are this server.
    pub(crate) fn client(&self) -> Client {
        let endpoints = Endpoints::resolve(&self.url(), None, false).expect("a loopback URL");
        Client::new(endpoints, &Network::default()).expect("a client")
    }

    /// Takes the heads of the requests so far.
    pub(crate) fn heads(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.heads.try_recv().ok()).collect()
    }
}

/// Returns [`TOKEN`] as a credential.
pub(crate) fn credential() -> Credential {
    Credential::new(TOKEN, "a test").expect("a legal token")
}

async fn serve(
    listener: TcpListener,
    answers: Vec<ScriptedResponse>,
    heads: mpsc::UnboundedSender<String>,
) {
    let mut connections = JoinSet::new();
    for answer in answers {
        let (socket, _) = listener.accept().await.expect("a connection");
        connections.spawn(play(socket, answer, heads.clone()));
    }
    drop(listener);
    connections.join_all().await;
}

async fn play(
    mut socket: TcpStream,
    answer: ScriptedResponse,
    heads: mpsc::UnboundedSender<String>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).expect("a head of ASCII");
    let bytes = (answer.write)(&head);
    let _ = heads.send(head);
    let _ = socket.write_all(&bytes).await;
    if !answer.hold {
        let _ = socket.shutdown().await;
    }
    // Closing with unread bytes would reset the connection and lose data in transit.
    let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
}

/// Returns the value of a header that occurs exactly once in a head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut values = head.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    });
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// Creates the server's half of a WebSocket handshake, followed by the bytes in `then`.
pub(crate) fn switching(subprotocol: Option<&'static str>, then: Vec<u8>) -> ScriptedResponse {
    ScriptedResponse::from_request(move |head| {
        let accept =
            derive_accept_key(header(head, "sec-websocket-key").expect("a key").as_bytes());
        let subprotocol = subprotocol
            .map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"))
            .unwrap_or_default();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
             Connection: keep-alive, upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{subprotocol}\r\n"
        );
        [head.into_bytes(), then].concat()
    })
}

/// Encodes a WebSocket message of a server as one unmasked frame (RFC 6455, section 5.2).
pub(crate) fn message(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..126 => frame.push(u8::try_from(short).expect("short")),
        long => {
            frame.push(127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}
