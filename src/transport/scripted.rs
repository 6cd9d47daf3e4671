//! A server for tests that writes what it was told, byte for byte, and keeps the heads of the requests. It plays one answer
//! a connection, in order, and refuses connections after the last.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::transport::client::{Client, Endpoints, Network};
use crate::transport::credential::Credential;

/// The credential of every test; it must turn up nowhere but in a request.
pub(crate) const TOKEN: &str = "canary-token";

/// Makes an answer out of the head of a request.
type ScriptedWrite = Box<dyn FnOnce(&str) -> Vec<u8> + Send>;

/// What to write once the head of a request has come.
pub(crate) struct ScriptedResponse {
    write: ScriptedWrite,
    hold: bool,
}

impl ScriptedResponse {
    /// Depending on the request, as a handshake does. Afterwards the connection is closed.
    pub(crate) fn to(write: impl FnOnce(&str) -> Vec<u8> + Send + 'static) -> Self {
        Self { write: Box::new(write), hold: false }
    }

    /// These bytes. Afterwards the connection is closed.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::to(move |_| bytes)
    }

    /// The head of an event stream, and a body up to the end of the connection.
    pub(crate) fn stream(body: &str) -> Self {
        Self::new(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n{body}"
        ))
    }

    /// A status, headers that end in CRLF, and nothing else.
    pub(crate) fn status(code: u16, headers: &str) -> Self {
        Self::new(format!("HTTP/1.1 {code} Canary\r\nContent-Length: 0\r\n{headers}\r\n"))
    }

    /// Leaves the connection open until the client closes it.
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
    /// Begins to listen.
    pub(crate) async fn new(answers: impl IntoIterator<Item = ScriptedResponse>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (tx, heads) = mpsc::unbounded_channel();
        let answers: Vec<_> = answers.into_iter().collect();
        // With nothing to play, the listener is gone before anybody can connect.
        if !answers.is_empty() {
            tokio::spawn(serve(listener, answers, tx));
        }
        Self { address, heads }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client whose endpoints are both this server.
    pub(crate) fn client(&self) -> Client {
        let endpoints = Endpoints::resolve(&self.url(), None, false).expect("a loopback URL");
        Client::new(endpoints, &Network::default()).expect("a client")
    }

    /// The heads of the requests so far.
    pub(crate) fn heads(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.heads.try_recv().ok()).collect()
    }
}

/// The credential that goes with [`TOKEN`].
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
    // Closing with unread bytes would reset the connection, and with it what is still on the way.
    let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
}

/// The value of a header in a head, if there is exactly one.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut values = head.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    });
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// The answer to a WebSocket's handshake, with a subprotocol or none, and what follows it.
pub(crate) fn switching(subprotocol: Option<&'static str>, then: Vec<u8>) -> ScriptedResponse {
    ScriptedResponse::to(move |head| {
        let accept =
            derive_accept_key(header(head, "sec-websocket-key").expect("a key").as_bytes());
        let subprotocol = subprotocol
            .map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"))
            .unwrap_or_default();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{subprotocol}\r\n"
        );
        [head.into_bytes(), then].concat()
    })
}

/// A whole WebSocket message as a server writes it: one unmasked frame (RFC 6455, section 5.2).
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
