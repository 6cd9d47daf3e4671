mod failures;
mod gaps;
mod ids;

use std::io;

use futures_util::stream;

use super::*;
use crate::transport::credential::KeySource;
use crate::transport::scripted::{Scripted, ScriptedResponse, TOKEN, credential, header};
use crate::transport::{ConnectionState, FRAME_LIMIT, Item, channel};

/// An item that a run sent, in a form that tests can compare and print.
#[derive(Debug, PartialEq)]
enum Sent {
    Connected,
    Reconnecting(u32, String),
    Event(Option<String>, Option<String>, String),
    TooLarge(Option<String>, u64),
    Gap(String),
}

fn event(event: &str, id: &str, data: &str) -> Sent {
    Sent::Event(
        Some(event.to_owned()).filter(|e| !e.is_empty()),
        Some(id.to_owned()).filter(|id| !id.is_empty()),
        data.to_owned(),
    )
}

fn reconnecting(attempt: u32, why: &str) -> Sent {
    Sent::Reconnecting(attempt, why.to_owned())
}

fn gap(reason: &str) -> Sent {
    Sent::Gap(reason.to_owned())
}

fn describe(item: Item) -> Sent {
    match item {
        Item::Connection(event) => match event.state {
            ConnectionState::Connected => Sent::Connected,
            ConnectionState::Reconnecting { attempt, why, .. } => Sent::Reconnecting(attempt, why),
            ConnectionState::Ended { .. } | ConnectionState::NotObserved { .. } => {
                unreachable!("a workspace does not end")
            }
        },
        Item::Frame(frame) if frame.format == FrameFormat::Own => {
            let line = String::from_utf8(frame.data.to_vec()).expect("valid");
            Sent::Gap(line.split('"').rev().nth(1).expect("a reason").to_owned())
        }
        Item::Frame(frame) => match frame.fault {
            None => Sent::Event(
                frame.event,
                frame.id.map(|id| id.to_string()),
                String::from_utf8(frame.data.to_vec()).expect("valid"),
            ),
            Some((fault, bytes)) => {
                assert_eq!((fault, frame.data.len()), (FrameError::TooLarge, 0));
                Sent::TooLarge(frame.id.map(|id| id.to_string()), bytes)
            }
        },
        Item::Chunk(_)
        | Item::Coverage(_)
        | Item::Recording(_)
        | Item::Skipped(_)
        | Item::Receipt(_) => {
            unreachable!("a stream has frames")
        }
    }
}

/// A configuration without jitter, so that there is no waiting.
fn config() -> SourceConfig {
    SourceConfig { random: || 0.0, ..SourceConfig::default() }
}

fn keys() -> KeyRing {
    KeyRing::new(credential(), None)
}

/// Runs against a scripted server whose last answer is an error.
async fn play(answers: Vec<ScriptedResponse>) -> (Vec<Sent>, Vec<String>, Error) {
    let mut server = Scripted::new(answers).await;
    let (tx, mut rx) = channel(1000);
    let error = run(&server.client(), "ws-1", &keys(), Start::Now, &config(), &tx)
        .await
        .expect_err("the script ends in an error");
    assert!(!error.to_string().contains("anary"), "{error}");
    drop(tx);
    let mut items = Vec::new();
    while let Some(item) = rx.recv().await {
        assert!(!format!("{item:?}").contains("anary"));
        items.push(describe(item));
    }
    (items, server.heads(), error)
}

/// The last answer, which ends a run.
fn stop() -> ScriptedResponse {
    ScriptedResponse::status(401, "")
}

#[tokio::test]
async fn sends_the_request_of_the_protocol_and_delivers_the_frames() {
    let body = "retry: 3000\n\n: hello\n\nid: 1017\nevent: call.started\ndata: {\"a\":1}\n\n\
                data: bare\n\n";
    let (items, heads, _) = play(vec![ScriptedResponse::stream(body), stop()]).await;
    let expected = [
        Sent::Connected,
        event("call.started", "1017", "{\"a\":1}"),
        event("", "1017", "bare"),
        reconnecting(1, "the server ended the stream"),
    ];
    assert_eq!(items, expected);
    assert_eq!(heads[0].lines().next(), Some("GET /v1/ws-1/events/stream HTTP/1.1"));
    for (name, expected) in [
        ("authorization", Some(format!("Bearer {TOKEN}"))),
        ("accept", Some("text/event-stream".to_owned())),
        ("user-agent", Some(format!("evtap/{}", env!("CARGO_PKG_VERSION")))),
        ("accept-encoding", Some("identity".to_owned())),
        ("last-event-id", None),
        ("referer", None),
    ] {
        assert_eq!(header(&heads[0], name), expected.as_deref(), "{name}");
    }
    let asked: u64 = header(&heads[1], "last-event-id").expect("asked").parse().expect("a number");
    assert_eq!(asked, 1017 - 50 - 1);
}

#[tokio::test]
async fn a_break_within_a_millisecond_loses_and_duplicates_nothing() {
    let (items, heads, _) = play(vec![
        ScriptedResponse::stream("id:1017\ndata:a\n\nid:1017\ndata:b\n\nid:1018\ndata:cut o"),
        ScriptedResponse::stream(
            "id:1017\ndata:a\n\nid:1017\ndata:b\n\nid:1017\ndata:c\n\nid:1018\ndata:d\n\n",
        ),
        stop(),
    ])
    .await;
    let events: Vec<_> = items.into_iter().filter(|item| matches!(item, Sent::Event(..))).collect();
    assert_eq!(
        events,
        [
            event("", "1017", "a"),
            event("", "1017", "b"),
            event("", "1017", "c"),
            event("", "1018", "d")
        ]
    );
    let asked: Vec<_> = heads
        .iter()
        .map(|head| header(head, "last-event-id").and_then(|id| id.parse::<u64>().ok()))
        .collect();
    assert!(
        asked[0].is_none() && asked[1] == Some(966) && asked[2].is_some_and(|id| id <= 967),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_frame_that_is_too_large_is_reported_once() {
    let body = format!("id:5\ndata:{}\n\nid:6\ndata:a\n\n", "x".repeat(FRAME_LIMIT + 1));
    let (items, _, _) = play(vec![
        ScriptedResponse::stream(&body[..body.len() - 14]),
        ScriptedResponse::stream(&body),
        stop(),
    ])
    .await;
    let events: Vec<_> = items
        .into_iter()
        .filter(|item| !matches!(item, Sent::Connected | Sent::Reconnecting(..)))
        .collect();
    let size = FRAME_LIMIT as u64 + 4;
    assert_eq!(
        events,
        [gap("no_position"), Sent::TooLarge(Some("5".to_owned()), size), event("", "6", "a")]
    );
}

#[tokio::test]
async fn attempts_count_up_until_an_event_is_delivered() {
    let (items, _, _) = play(vec![
        ScriptedResponse::status(503, ""),
        ScriptedResponse::status(429, "Retry-After: 0\r\n"),
        ScriptedResponse::stream("retry: 1\n\n: hello\n\n"),
        ScriptedResponse::stream("data:a\n\n"),
        ScriptedResponse::new("not HTTP"),
        ScriptedResponse::new(""),
        ScriptedResponse::new("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"),
        stop(),
    ])
    .await;
    let expected = [
        reconnecting(1, "the server answered 503"),
        reconnecting(2, "the server limits the request rate (429)"),
        Sent::Connected,
        reconnecting(3, "the server ended the stream"),
        Sent::Connected,
        gap("no_position"),
        event("", "", "a"),
        reconnecting(1, "the server ended the stream"),
        reconnecting(2, "the answer is not HTTP"),
        reconnecting(3, "connection closed"),
        reconnecting(4, "not an event stream: the server sent text/html"),
    ];
    assert_eq!(items, expected);
}

#[tokio::test]
async fn ends_without_error_when_the_receiver_is_gone() {
    let server = Scripted::new([ScriptedResponse::stream("data:a\n\n").and_hold()]).await;
    let (tx, mut rx) = channel(1);
    let (client, keys, config) = (server.client(), keys(), config());
    let receive = async {
        assert_eq!(describe(rx.recv().await.expect("a connection event")), Sent::Connected);
        rx.close();
    };
    let (result, ()) = tokio::join!(run(&client, "ws-1", &keys, Start::Now, &config, &tx), receive);
    assert_eq!(result, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_fails_and_any_byte_restarts_the_timeout() {
    let (tx, mut rx) = channel(9);
    let config = config();
    let context = StreamContext::new("a test", Origin::default(), backoff::SSE, &config, &tx);
    let mut reader = SseReader::new(context, Start::Now);
    let began = tokio::time::Instant::now();
    let comments = stream::iter([":", "\n", ":\n"]).then(|chunk| async move {
        tokio::time::sleep(READ_TIMEOUT * 3 / 4).await;
        Ok::<_, io::Error>(Bytes::from(chunk))
    });
    let body = Box::pin(comments.chain(stream::pending()));
    let failure = reader.read(body, Parser::new(FRAME_LIMIT)).await;
    assert_eq!(failure, ConnectError::transient("nothing was received for 120 s"));
    assert_eq!(began.elapsed(), READ_TIMEOUT * 3 * 3 / 4 + READ_TIMEOUT);
    assert!(rx.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn waits_for_the_back_off() {
    let (tx, mut rx) = channel(9);
    let config = SourceConfig { random: || 0.5, ..SourceConfig::default() };
    let mut context = StreamContext::new("a test", Origin::default(), backoff::SSE, &config, &tx);
    for (failure, expected) in [
        (ConnectError::transient("a"), 1500),
        (ConnectError::transient("a"), 3000),
        (ConnectError::Transient { why: "a".to_owned(), at_least: Duration::from_secs(9) }, 9000),
    ] {
        let began = tokio::time::Instant::now();
        context.recover(failure, &keys(), &credential()).await.expect("transient");
        assert_eq!(began.elapsed(), Duration::from_millis(expected));
        assert!(matches!(rx.try_recv(), Ok(Item::Connection(_))));
    }
}

#[tokio::test]
async fn gives_up_after_the_maximum_number_of_reconnects() {
    let server = Scripted::new((0..4).map(|_| ScriptedResponse::status(503, ""))).await;
    let (tx, _rx) = channel(100);
    let config = SourceConfig { max_reconnects: Some(3), ..config() };
    let error = run(&server.client(), "ws-1", &keys(), Start::Now, &config, &tx)
        .await
        .expect_err("gives up");
    assert_eq!(error.exit, Exit::GaveUp);
    assert!(
        error.to_string().contains("the server answered 503; 3 reconnects failed; "),
        "{error}"
    );
}

#[tokio::test]
async fn a_rotated_key_is_read_again_and_an_unchanged_one_ends_the_run() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "newer-canary-key").expect("written");
    let mut server = Scripted::new([
        ScriptedResponse::stream("id:5\ndata:a\n\n"),
        ScriptedResponse::status(401, ""),
        ScriptedResponse::stream("id:5\ndata:a\n\nid:6\ndata:b\n\n"),
        ScriptedResponse::status(401, ""),
    ])
    .await;
    let (tx, mut rx) = channel(100);
    let keys = KeyRing::new(credential(), Some(KeySource::File(file.path().to_owned())));
    let error = run(&server.client(), "ws-1", &keys, Start::Now, &config(), &tx)
        .await
        .expect_err("refused for good");
    assert_eq!(error.exit, Exit::Credential);
    drop(tx);
    let mut events = 0;
    while let Some(item) = rx.recv().await {
        events += usize::from(matches!(item, Item::Frame(_)));
    }
    assert_eq!(events, 2);
    let bearers: Vec<_> = server
        .heads()
        .iter()
        .map(|head| header(head, "authorization").expect("a key").to_owned())
        .collect();
    assert_eq!(
        bearers[1..],
        [
            format!("Bearer {TOKEN}"),
            "Bearer newer-canary-key".into(),
            "Bearer newer-canary-key".into()
        ]
    );
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
                 HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata:a\n\n";
    let (items, _, _) = play(vec![ScriptedResponse::new(early), stop()]).await;
    assert_eq!(items[..2], [Sent::Connected, event("", "", "a")]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_ends_the_run() {
    let (items, _, error) = play(vec![ScriptedResponse::new("").and_hold()]).await;
    assert!(items.is_empty() && error.to_string().contains("the server did not answer"), "{error}");
}

/// Both transports limit the time until the head of the answer is complete.
#[tokio::test(start_paused = true)]
async fn an_answer_that_never_completes_ends_the_run() {
    use crate::transport::client::{Client, Endpoints, Network};
    for is_observer in [false, true] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x')) {
                tokio::time::sleep(Duration::from_secs(5)).await;
                if tokio::io::AsyncWriteExt::write_all(&mut socket, &[*byte]).await.is_err() {
                    return;
                }
            }
        });
        let client = Client::new(
            Endpoints::resolve(&base, None, false).expect("a URL"),
            &Network::default(),
        )
        .expect("a client");
        let (tx, _rx) = channel(9);
        let began = tokio::time::Instant::now();
        let ended = if is_observer {
            crate::transport::observer::run(&client, "ws-1", "CA1", &keys(), &config(), &tx).await
        } else {
            run(&client, "ws-1", &keys(), Start::Now, &config(), &tx).await
        };
        let error = ended.expect_err("no answer").to_string();
        assert!(
            error.contains("the server did not answer")
                && began.elapsed() <= Duration::from_secs(60),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn reconnects_after_a_suspend_of_the_machine() {
    use crate::transport::source_config::test_clock;
    let (tx, _rx) = channel(9);
    let config = SourceConfig { now: test_clock::now, ..config() };
    let context = StreamContext::new("a test", Origin::default(), backoff::SSE, &config, &tx);
    let mut reader = SseReader::new(context, Start::Now);
    let suspend = async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        test_clock::advance(Duration::from_secs(8 * 3600));
    };
    let body = Box::pin(stream::pending::<Result<Bytes, io::Error>>());
    let began = tokio::time::Instant::now();
    let (failure, ()) = tokio::join!(reader.read(body, Parser::new(FRAME_LIMIT)), suspend);
    assert_eq!(failure, ConnectError::transient("the machine was suspended"));
    assert!(began.elapsed() <= Duration::from_secs(12), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_idle_day_needs_no_reconnect_and_no_memory() {
    let (tx, mut rx) = channel(9);
    let config = config();
    let context = StreamContext::new("a test", Origin::default(), backoff::SSE, &config, &tx);
    let mut reader = SseReader::new(context, Start::Now);
    let day = Duration::from_secs(24 * 3600);
    let beats = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(15)).await;
        Some((Ok::<_, io::Error>(Bytes::from_static(b": heartbeat\nid: 1700000000000\n\n")), ()))
    });
    let reading = reader.read(Box::pin(beats), Parser::new(FRAME_LIMIT));
    assert!(
        tokio::time::timeout(day, reading).await.is_err(),
        "the connection is still open after a day"
    );
    assert!(rx.try_recv().is_err(), "heartbeats are not reported");
    assert_eq!(
        (reader.resume.position(), reader.resume.remembered()),
        (Some(1_700_000_000_000), 0)
    );
}

/// A resolver that returns this machine for every name, and counts the requests.
struct Counting(std::sync::atomic::AtomicUsize, u16);

impl reqwest::dns::Resolve for Counting {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], self.1));
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as reqwest::dns::Addrs) })
    }
}

#[tokio::test]
async fn each_attempt_resolves_the_host_name_again() {
    use crate::transport::client::{Endpoints, Network};
    let server = Scripted::new([
        ScriptedResponse::stream("id:1\ndata:a\n\n"),
        ScriptedResponse::status(503, ""),
        stop(),
    ])
    .await;
    let port = server.url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let names = std::sync::Arc::new(Counting(std::sync::atomic::AtomicUsize::default(), port));
    let network =
        Network { insecure_http: true, resolver: Some(names.clone()), ..Network::default() };
    let endpoints =
        Endpoints::resolve(&format!("http://platform.test:{port}"), None, true).expect("a URL");
    let client = Client::new(endpoints, &network).expect("a client");
    let (tx, _rx) = channel(100);
    run(&client, "ws-1", &keys(), Start::Now, &config(), &tx).await.expect_err("the script ends");
    assert_eq!(names.0.load(std::sync::atomic::Ordering::Relaxed), 3);
}
