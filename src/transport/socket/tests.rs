use futures_util::FutureExt;
use reqwest::header::HeaderValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::transport::FRAME_LIMIT;
use crate::transport::scripted::{
    Scripted, ScriptedResponse, TOKEN, credential, header, message, switching,
};

/// Creates a socket without a network, and its other end.
async fn pair() -> (Socket<DuplexStream>, DuplexStream) {
    let (near, far) = duplex(1 << 22);
    (Socket::new(near, &SourceConfig::default()).await, far)
}

#[tokio::test]
async fn the_handshake_follows_the_standard_and_sends_the_credential_as_a_subprotocol() {
    let mut server = Scripted::new([switching(Some("auth"), message(1, b"hello"))]).await;
    let request = server.client().observer("ws-1", "CA1");
    let mut socket =
        open(request, Some(Subprotocol::Required(&credential())), "call", &SourceConfig::default())
            .await
            .unwrap_or_else(|failure| panic!("{failure:?}"));
    assert!(
        socket.next().await == SocketEvent::Text(Bytes::from("hello")),
        "a message that arrives with the handshake is not lost"
    );
    let head = server.heads().remove(0);
    assert_eq!(head.lines().next(), Some("GET /v1/ws-1/observers/CA1/ws HTTP/1.1"));
    for (name, expected) in [
        ("connection", Some("Upgrade")),
        ("upgrade", Some("websocket")),
        ("sec-websocket-version", Some("13")),
        ("sec-websocket-extensions", None),
        ("authorization", None),
    ] {
        assert_eq!(header(&head, name), expected, "{name}");
    }
    assert_eq!(header(&head, "sec-websocket-protocol"), Some(&*format!("auth, {TOKEN}")));
    assert_eq!(header(&head, "sec-websocket-key").map(str::len), Some(24), "16 bytes in base64");
}

#[test]
fn a_handshake_that_is_wrong_in_one_point_is_refused() {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let good = || {
        HeaderMap::from_iter(
            [
                (UPGRADE, "websocket"),
                (CONNECTION, "Upgrade"),
                (SEC_WEBSOCKET_ACCEPT, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                (SEC_WEBSOCKET_PROTOCOL, "auth"),
            ]
            .map(|(name, value)| (name, HeaderValue::from_static(value))),
        )
    };
    assert_eq!(check_handshake(&good(), key, &[Some(AUTH_SUBPROTOCOL)]), Ok(()));
    assert!(check_handshake(&good(), key, &[None]).is_err(), "a subprotocol that was not offered");
    for (name, value) in [
        (UPGRADE, None),
        (UPGRADE, Some("h2c")),
        (CONNECTION, None),
        (CONNECTION, Some("keep-alive")),
        (SEC_WEBSOCKET_ACCEPT, None),
        (SEC_WEBSOCKET_ACCEPT, Some("S3pPLMBiTxaQ9kYGzzhZRbK+xOo=")),
        (SEC_WEBSOCKET_PROTOCOL, None),
        (SEC_WEBSOCKET_PROTOCOL, Some("Auth")),
        (SEC_WEBSOCKET_PROTOCOL, Some("auth, auth")),
        (SEC_WEBSOCKET_EXTENSIONS, Some("permessage-deflate")),
    ] {
        let mut headers = good();
        headers.remove(&name);
        if let Some(value) = value {
            headers.insert(name.clone(), HeaderValue::from_static(value));
        }
        assert!(
            check_handshake(&headers, key, &[Some(AUTH_SUBPROTOCOL)]).is_err(),
            "{name}: {value:?}"
        );
    }
    let mut twice = good();
    twice.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("other"));
    assert!(check_handshake(&twice, key, &[Some(AUTH_SUBPROTOCOL)]).is_err());
}

#[tokio::test]
async fn an_answer_without_a_websocket_is_a_failure() {
    for (answer, expected) in [
        (ScriptedResponse::stream(""), "the server answered 200, which does not open a stream"),
        (
            switching(Some("canary"), vec![]),
            "the server did not choose the subprotocol that it was offered",
        ),
        (
            ScriptedResponse::status(302, "Location: http://127.0.0.2:1/\r\n"),
            "the server redirects to another origin",
        ),
    ] {
        let server = Scripted::new([answer]).await;
        let failure = open(
            server.client().observer("ws-1", "CA1"),
            Some(Subprotocol::Required(&credential())),
            "call",
            &SourceConfig::default(),
        )
        .await
        .err()
        .expect("a failure");
        let ConnectError::Ambiguous { why, .. } = failure else { panic!("{failure:?}") };
        assert!(why.starts_with(expected), "{why}");
    }
}

#[tokio::test]
async fn messages_and_ends_are_distinguished() {
    let large = message(1, "x".repeat(FRAME_LIMIT + 1).as_bytes());
    let full = "x".repeat(FRAME_LIMIT);
    let fragments = [&[0x01, 2][..], b"ab", &[0x89, 0], &[0x80, 1], b"c"].concat();
    let lost = |why: &str| SocketEvent::Lost(why.to_owned());
    for (number, (bytes, expected)) in [
        (message(1, b"a"), SocketEvent::Text(Bytes::from("a"))),
        (message(2, &[255, 0]), SocketEvent::Binary(Bytes::from_static(&[255, 0]))),
        (message(1, full.as_bytes()), SocketEvent::Text(Bytes::from(full.clone()))),
        (fragments, SocketEvent::Text(Bytes::from("abc"))),
        (message(8, &4004_u16.to_be_bytes()), SocketEvent::Closed(Some(4004))),
        (
            message(8, &[&1013_u16.to_be_bytes()[..], b"canary"].concat()),
            SocketEvent::Closed(Some(1013)),
        ),
        (message(8, b""), SocketEvent::Closed(None)),
        (large, SocketEvent::TooLarge(FRAME_LIMIT as u64 + 1)),
        (message(1, &[b'a', 255]), SocketEvent::NotUtf8),
        (message(3, b"a"), lost("the server violated the WebSocket protocol")),
        (vec![0x81, 0x81, 0, 0, 0, 0, b'a'], lost("the server violated the WebSocket protocol")),
        (vec![0x81, 5, b'a'], lost("connection closed")),
        (vec![], lost("connection closed")),
    ]
    .into_iter()
    .enumerate()
    {
        let (mut socket, mut far) = pair().await;
        far.write_all(&bytes).await.expect("room");
        far.shutdown().await.expect("open");
        assert!(socket.next().await == expected, "case {number}");
    }
}

/// Removes the mask of a client's control frame with a payload of eight bytes.
fn unmask(frame: &[u8; 14]) -> Vec<u8> {
    (0..8).map(|index| frame[6 + index] ^ frame[2 + index % 4]).collect()
}

fn silent() -> SocketEvent {
    let why = "the server sent no message and answered no ping for 60 s";
    SocketEvent::Lost(why.to_owned())
}

#[tokio::test(start_paused = true)]
async fn sends_pings_and_gives_up_a_silent_connection() {
    let (mut socket, mut far) = pair().await;
    let began = Instant::now();
    assert!(socket.next().await == silent());
    assert_eq!(began.elapsed(), READ_TIMEOUT);
    let mut written = [0; 100];
    let count = far.read(&mut written).await.expect("open");
    assert!(
        matches!(count / 14, 2 | 3) && count.is_multiple_of(14),
        "a masked ping at 20 and 40 s, perhaps at 60 s"
    );
    assert_eq!(written[..2], [0x89, 0x88]);
}

#[tokio::test(start_paused = true)]
async fn only_a_pong_that_answers_a_ping_restarts_the_read_timeout() {
    let (mut socket, mut far) = pair().await;
    let began = Instant::now();
    let server = async {
        let mut ping = [0; 14];
        far.read_exact(&mut ping).await.expect("a ping after 20 s");
        let answer = message(10, &unmask(&ping));
        tokio::time::sleep(Duration::from_secs(30)).await;
        // The second pong answers nothing any more.
        for bytes in [&answer, &answer, &message(10, b""), &message(10, b"canary!!")] {
            far.write_all(bytes).await.expect("room");
            tokio::time::sleep(Duration::from_secs(10)).await;
            far.write_all(&message(9, b"")).await.expect("room");
        }
        far
    };
    let (event, _far) = tokio::join!(socket.next(), server);
    assert!(event == silent());
    assert_eq!(began.elapsed(), Duration::from_secs(20 + 30) + READ_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn pings_without_a_pause_do_not_keep_a_connection_open() {
    let (mut socket, mut far) = pair().await;
    let pings = message(9, &[0; 125]).repeat(100);
    let server = async {
        while far.write_all(&pings).await.is_ok() {
            // Virtual time passes only here. The client never runs out of frames to read.
            tokio::time::advance(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        event = socket.next() => assert!(event == silent()),
        () = server => unreachable!("the client is there"),
    }
}

/// The connection to a server that sends pings without a pause and reads only the first `room`
/// bytes. Then it closes the connection.
struct PingFlood {
    ping: Vec<u8>,
    sent: usize,
    to_send: usize,
    room: usize,
}

impl AsyncRead for PingFlood {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let length = self.ping.len();
        while self.sent < self.to_send && buffer.remaining() > 0 {
            let begin = self.sent % length;
            let end = length.min(begin + buffer.remaining());
            buffer.put_slice(&self.ping[begin..end]);
            self.sent += end - begin;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PingFlood {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        // The largest write shows how much was waiting.
        assert!(bytes.len() <= WRITE_BUFFER, "{} bytes wait to be written", bytes.len());
        let written = bytes.len().min(self.room);
        self.room -= written;
        if written == 0 { Poll::Pending } else { Poll::Ready(Ok(written)) }
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn pongs_that_a_server_does_not_read_are_replaced_rather_than_stored() {
    for payload in [0, 1, 125] {
        let ping = message(9, &vec![b'x'; payload]);
        let to_send = ping.len() * 20_000;
        let flood = PingFlood { ping, sent: 0, to_send, room: 1000 };
        let mut socket = Socket::new(flood, &SourceConfig::default()).await;
        assert!(socket.next().await == SocketEvent::Lost("connection closed".to_owned()));
        let flood = socket.stream.get_ref();
        assert_eq!((flood.sent, flood.room), (to_send, 0), "all pings were read");
    }
}

#[tokio::test]
async fn the_newest_ping_is_answered_once_the_server_reads_again() {
    let (near, mut far) = duplex(4000);
    let mut socket = Socket::new(near, &SourceConfig::default()).await;
    let reading = tokio::spawn(async move {
        let event = socket.next().await;
        (event, socket)
    });
    // Their pongs need twice the room that there is.
    for number in 0..1000_u16 {
        far.write_all(&message(9, &number.to_be_bytes())).await.expect("they are read");
    }
    far.write_all(&message(1, b"a")).await.expect("it is read");
    let (event, socket) = reading.await.expect("no panic");
    assert!(event == SocketEvent::Text(Bytes::from("a")));
    let closing = tokio::spawn(socket.close());
    let mut written = Vec::new();
    far.read_to_end(&mut written).await.expect("closed");
    closing.await.expect("no panic");
    assert!(written.len() < 4000 + WRITE_BUFFER + 16, "{} bytes", written.len());
    let (pong, close) = written[written.len() - 14..].split_at(8);
    let unmasked = [pong[6] ^ pong[2], pong[7] ^ pong[3]];
    assert_eq!((pong[0], u16::from_be_bytes(unmasked)), (0x8a, 999));
    assert_eq!(close[..2], [0x88, 0x80]);
}

#[tokio::test]
async fn a_message_does_not_keep_the_buffer_that_it_was_read_into() {
    let (mut socket, mut far) = pair().await;
    far.write_all(&[message(1, b"a"), message(9, &[0; 125]).repeat(1000)].concat())
        .await
        .expect("room");
    let SocketEvent::Text(text) = socket.next().await else { panic!("a message") };
    let text = text.try_into_mut().expect("nobody else refers to it");
    assert!(text.capacity() < 100, "{} bytes", text.capacity());
}

#[tokio::test]
async fn a_violation_is_answered_with_the_close_code_that_names_it() {
    let large = [&[0x81, 127][..], &(1_u64 << 40).to_be_bytes(), &vec![b'x'; 100_000]].concat();
    let fragments = [&[0x01, 0][..], &[0x00, 127], &(1_u64 << 40).to_be_bytes()].concat();
    for (bytes, code) in [
        (message(3, b"a"), 1002_u16),
        (message(11, b""), 1002),
        (vec![0xc1, 0], 1002),
        (vec![0x81, 0x81, 0, 0, 0, 0, b'a'], 1002),
        (vec![0x80, 0], 1002),
        (message(9, &[0; 126]), 1002),
        (message(8, b"x"), 1002),
        (message(1, &[b'a', 255]), 1007),
        (message(8, &[0x03, 0xe8, 255]), 1007),
        (large, 1009),
        (fragments, 1009),
    ] {
        let (mut socket, mut far) = pair().await;
        far.write_all(&bytes).await.expect("room");
        let event = socket.next().await;
        assert!(!matches!(event, SocketEvent::Text(_) | SocketEvent::Binary(_)));
        let server = async {
            let mut frame = [0; 8];
            far.read_exact(&mut frame).await.expect("a close frame");
            assert_eq!(frame[..2], [0x88, 0x82]);
            let unmasked = [frame[6] ^ frame[2], frame[7] ^ frame[3]];
            assert_eq!(u16::from_be_bytes(unmasked), code, "{:?}", &bytes[..2]);
            // The server ends the connection once it has seen the close frame.
            drop(far);
        };
        tokio::join!(socket.close(), server);
    }
}

#[tokio::test(start_paused = true)]
async fn the_read_timeout_does_not_count_while_the_caller_is_slow() {
    let (mut socket, mut far) = pair().await;
    tokio::time::sleep(READ_TIMEOUT * 2).await;
    assert!(socket.next().now_or_never().is_none(), "the timeout starts with the call");
    far.write_all(&message(1, b"a")).await.expect("room");
    assert!(socket.next().await == SocketEvent::Text(Bytes::from("a")));
}

#[tokio::test(start_paused = true)]
async fn closing_answers_the_server_and_takes_at_most_a_second() {
    let (mut socket, mut far) = pair().await;
    far.write_all(&message(8, &1000_u16.to_be_bytes())).await.expect("room");
    assert!(socket.next().await == SocketEvent::Closed(Some(1000)));
    socket.close().await;
    let mut written = Vec::new();
    far.read_to_end(&mut written).await.expect("closed");
    assert_eq!(written.first(), Some(&0x88), "a close frame");

    // The other end does not read.
    let (near, _far) = duplex(1);
    let began = Instant::now();
    Socket::new(near, &SourceConfig::default()).await.close().await;
    assert_eq!(began.elapsed(), CLOSE_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_connection_with_only_pongs_stays_open_for_a_day() {
    let (mut socket, mut far) = pair().await;
    let server = async {
        let (mut ping, mut pongs) = ([0; 14], 0);
        while far.read_exact(&mut ping).await.is_ok() {
            far.write_all(&message(10, &unmask(&ping))).await.expect("room");
            pongs += 1;
            if pongs == 24 * 3600 / 20 {
                break;
            }
        }
        far.write_all(&message(1, b"at last")).await.expect("room");
        far
    };
    let began = Instant::now();
    let (event, _far) = tokio::join!(socket.next(), server);
    assert!(event == SocketEvent::Text(Bytes::from("at last")));
    assert_eq!(began.elapsed(), Duration::from_secs(24 * 3600));
}
