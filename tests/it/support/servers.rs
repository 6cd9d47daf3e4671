//! Servers on loopback ports: the emulator, scripted answers, a WebSocket server, an endpoint for
//! `--forward`; and a client that reads a stream as curl does.

use evtap::emulator::{self, Options};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

/// Starts the emulator in this process, until the test ends. Returns its base URL.
pub async fn emulator(options: Options) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(emulator::run(listener, options, std::future::pending()));
    base
}

/// Response head of an event stream whose body ends when the connection closes.
pub const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

/// Starts a server that answers one connection after another with these bytes. It closes each
/// connection except the last, then accepts no more. Returns its base URL.
pub async fn scripted(answers: impl IntoIterator<Item = Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let answers: Vec<_> = answers.into_iter().collect();
    tokio::spawn(async move {
        let mut open = Vec::new();
        let count = answers.len();
        for (index, answer) in answers.into_iter().enumerate() {
            let (socket, _) = listener.accept().await.expect("a connection");
            let mut socket = BufReader::new(socket);
            read_head(&mut socket).await;
            socket.write_all(&answer).await.expect("the client reads");
            if index + 1 == count {
                open.push(socket);
            }
        }
        drop(listener);
        std::future::pending::<()>().await;
    });
    base
}

/// Reserves a port on which nothing listens. No other process can use it while the socket is alive.
pub fn closed_port() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let base = format!("http://{}", socket.local_addr().expect("an address"));
    (socket, base)
}

/// Reads the head of a request or an answer.
pub async fn read_head(socket: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(socket.read_line(&mut head).await.expect("a head") > 0, "the client has gone");
    }
    head
}

/// Starts a WebSocket server that sends one client these messages and closes the connection
/// properly. Returns its base URL.
pub async fn websocket_server(messages: Vec<Message>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, accept_subprotocol)
            .await
            .expect("a handshake");
        for message in messages {
            socket.send(message).await.expect("the client reads");
        }
        // The client may close first.
        let _ = socket.close(None).await;
        while let Some(Ok(_)) = socket.next().await {}
    });
    base
}

#[expect(
    clippy::result_large_err,
    clippy::unnecessary_wraps,
    reason = "the signature is tungstenite's"
)]
fn accept_subprotocol(
    _: &Request,
    mut response: Response,
) -> Result<Response, tokio_tungstenite::tungstenite::handshake::server::ErrorResponse> {
    response.headers_mut().insert("Sec-WebSocket-Protocol", "auth".parse().expect("a header"));
    Ok(response)
}

/// Sends the request that `curl -N` sends, and reads until `enough` returns true for the body.
/// Returns the head and the body without its chunked encoding.
pub async fn curl(
    base: &str,
    path: &str,
    headers: &str,
    enough: impl Fn(&str) -> bool,
) -> (String, String) {
    let address = base.strip_prefix("http://").expect("plain HTTP");
    let mut socket = BufReader::new(TcpStream::connect(address).await.expect("a server"));
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: curl/8\r\nAccept: */*\r\n{headers}\r\n"
    );
    socket.write_all(request.as_bytes()).await.expect("the server reads");
    let head = read_head(&mut socket).await;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let mut body = String::new();
    while !enough(&body) {
        if !chunked {
            let mut rest = vec![0; content_length(&head) - body.len()];
            socket.read_exact(&mut rest).await.expect("a body");
            body += std::str::from_utf8(&rest).expect("text");
            break;
        }
        let mut size = String::new();
        socket.read_line(&mut size).await.expect("a chunk");
        let size = usize::from_str_radix(size.trim(), 16).expect("the size of a chunk");
        let mut chunk = vec![0; size + 2];
        socket.read_exact(&mut chunk).await.expect("a chunk");
        body += std::str::from_utf8(&chunk[..size]).expect("text");
        if size == 0 {
            break;
        }
    }
    (head, body)
}

fn content_length(head: &str) -> usize {
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
    });
    length.expect("a length")
}

/// A request that an endpoint received.
#[derive(Debug, Clone)]
pub struct Post {
    pub head: String,
    pub body: String,
}

/// Requests that an endpoint has received so far.
pub type Posts = std::sync::Arc<std::sync::Mutex<Vec<Post>>>;

/// Builds an answer with a status and no body.
pub fn status(code: u16, headers: &str) -> String {
    format!("HTTP/1.1 {code} Canary\r\nContent-Length: 0\r\n{headers}\r\n")
}

/// Starts an endpoint for `--forward`. `answer` returns the answer to each request by its number,
/// from 0; an empty answer closes the connection. Returns the URL and the requests.
pub async fn endpoint(answer: impl Fn(usize) -> String + Send + Sync + 'static) -> (String, Posts) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/in?x=y", listener.local_addr().expect("an address"));
    let posts = Posts::default();
    let got = Posts::clone(&posts);
    let answer = std::sync::Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (got, answer) = (Posts::clone(&got), std::sync::Arc::clone(&answer));
            tokio::spawn(async move {
                let mut socket = BufReader::new(socket);
                while socket.fill_buf().await.is_ok_and(|bytes| !bytes.is_empty()) {
                    let head = read_head(&mut socket).await;
                    let mut body = vec![0; content_length(&head)];
                    socket.read_exact(&mut body).await.expect("a body");
                    let number = {
                        let mut got = got.lock().expect("no panic");
                        got.push(Post { head, body: String::from_utf8(body).expect("text") });
                        got.len() - 1
                    };
                    let answer = answer(number);
                    if answer.is_empty() || socket.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, posts)
}

/// Returns the bodies that an endpoint has received, one per line.
pub fn bodies(posts: &Posts) -> String {
    posts.lock().expect("no panic").iter().flat_map(|post| [&*post.body, "\n"]).collect()
}
