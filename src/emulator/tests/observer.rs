//! The observer of a call.

use std::collections::BTreeSet;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Response;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{Bytes, Error};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{AT_ONCE, DEMO_WORKSPACE, Emulator, Options, TOKEN, client, faulty};
use crate::emulator::DEMO_CALL;
use crate::emulator::conformance::fits;
use crate::model::{Kind, Stream};
use crate::transport::credential::Credential;

type Socket = WebSocketStream<TcpStream>;

async fn connect(
    emulator: &Emulator,
    sid: &str,
    protocols: &str,
) -> Result<(Socket, Response<Option<Vec<u8>>>), Error> {
    let address = emulator.address;
    let url = format!("ws://{address}/v1/{DEMO_WORKSPACE}/observers/{sid}/ws");
    let mut request = url.into_client_request().expect("a request");
    if !protocols.is_empty() {
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocols.parse().expect("a header"));
    }
    client_async(request, TcpStream::connect(address).await.expect("a connection")).await
}

async fn observe(emulator: &Emulator, sid: &str) -> Socket {
    connect(emulator, sid, &format!("auth, {TOKEN}")).await.expect("an upgrade").0
}

/// The next event; `Err` is how the socket was closed, `None` without a close frame.
async fn next(socket: &mut Socket) -> Result<Value, Option<u16>> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
            Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(None),
        }
    }
}

/// All events, and how the socket was closed.
async fn all(socket: &mut Socket) -> (Vec<Value>, Option<u16>) {
    let mut events = Vec::new();
    loop {
        match next(socket).await {
            Ok(event) => events.push(event),
            Err(code) => return (events, code),
        }
    }
}

fn kind(event: &Value) -> Kind {
    event["type"].as_str().and_then(Kind::from_name).expect("a known type")
}

/// The fields of an event of either shape.
fn fields(mut event: Value) -> Value {
    let nested = event.get_mut("data").map(Value::take);
    nested.unwrap_or_else(|| {
        let fields = event.as_object().cloned().unwrap_or_default();
        Value::Object(fields.into_iter().filter(|(key, _)| key != "type").collect::<Map<_, _>>())
    })
}

#[tokio::test]
async fn the_demo_call_is_whole_and_ends_well() {
    let emulator = Emulator::start(Options { rate: AT_ONCE, ..Options::default() }).await;
    for _ in 0..2 {
        let (mut socket, response) =
            connect(&emulator, DEMO_CALL, &format!("auth, {TOKEN}")).await.expect("an upgrade");
        assert_eq!(response.headers()["sec-websocket-protocol"], "auth");
        let (events, code) = all(&mut socket).await;
        assert_eq!(code, Some(1000));
        assert_eq!(events.first().map(kind), Some(Kind::SessionInfo));
        assert_eq!(events.last().map(kind), Some(Kind::SessionEnd));
        let observed =
            Kind::ALL.iter().copied().filter(|kind| kind.spec().stream == Stream::Observer);
        assert_eq!(events.iter().map(kind).collect::<BTreeSet<_>>(), observed.collect());
        let of_shape = |nested| {
            let is_of_shape = |event: &&Value| event.get("data").is_some() == nested;
            events.iter().filter(is_of_shape).map(kind).collect::<BTreeSet<_>>()
        };
        let (flat, nested) = (of_shape(false), of_shape(true));
        assert_eq!(nested.len(), 7);
        assert!(nested.is_subset(&flat), "these occur in both shapes: {nested:?}, {flat:?}");
        for event in events {
            fits(kind(&event).spec(), &fields(event)).expect("a payload of the declared shape");
        }
    }
    emulator.stop().await;
}

#[tokio::test]
async fn an_observer_alone_lets_the_emulator_end() {
    let emulator =
        Emulator::start(Options { rate: AT_ONCE, once: true, ..Options::default() }).await;
    assert_eq!(all(&mut observe(&emulator, DEMO_CALL).await).await.1, Some(1000));
    emulator.ends().await;
}

#[tokio::test]
async fn a_live_call_can_be_observed_by_its_sid() {
    let emulator = Emulator::start(Options::default()).await;
    let url = format!("http://{}/v1/{DEMO_WORKSPACE}/events/stream", emulator.address);
    let mut answer = client().get(url).bearer_auth(TOKEN).send().await.expect("an answer");
    let mut text = String::new();
    let sid = loop {
        if let Some((_, rest)) = text.split_once("\"call_sid\":\"") {
            break rest[..34].to_owned();
        }
        let chunk = answer.chunk().await.expect("a whole body").expect("more frames");
        text.push_str(std::str::from_utf8(&chunk).expect("text"));
    };
    let mut socket = observe(&emulator, &sid).await;
    let info = next(&mut socket).await.expect("a first frame");
    assert_eq!((kind(&info), info["call_sid"].as_str()), (Kind::SessionInfo, Some(sid.as_str())));
    emulator.stop().await;
    assert_eq!(all(&mut socket).await.1, Some(1001), "a shutdown says goodbye");
}

#[tokio::test]
async fn refuses_by_close_code_or_status() {
    let api_key = Some(Credential::new(TOKEN, "a test").expect("legal"));
    let emulator = Emulator::start(Options { api_key, ..Options::default() }).await;
    for wrong in ["auth", "auth, other-key"] {
        let mut socket = connect(&emulator, DEMO_CALL, wrong).await.expect("an upgrade").0;
        assert_eq!(all(&mut socket).await, (vec![], Some(4001)), "{wrong}");
    }
    for illegal in ["", "chat"] {
        match connect(&emulator, DEMO_CALL, illegal).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 401),
            _ => panic!("an upgrade without a subprotocol"),
        }
    }
    let mut unknown = observe(&emulator, "CA00000000000000000000000000000000").await;
    assert_eq!(all(&mut unknown).await, (vec![], Some(4004)));
    emulator.stop().await;
}

#[tokio::test]
async fn pings_are_answered() {
    let emulator = Emulator::start(Options { rate: 0.001, ..Options::default() }).await;
    let mut socket = observe(&emulator, DEMO_CALL).await;
    next(&mut socket).await.expect("a first frame");
    socket.send(Message::Ping(Bytes::from_static(b"there?"))).await.expect("an open socket");
    let answer = socket.next().await.expect("an open socket").expect("a message");
    assert_eq!(answer, Message::Pong(Bytes::from_static(b"there?")));
    emulator.stop().await;
}

#[tokio::test]
async fn faults_come_in_order_and_then_none() {
    let faults = [
        "error=stream_error",
        "status=503",
        "close=4100",
        "close=4004",
        "cut=0",
        "cut=900",
        "end=900",
    ];
    let emulator = Emulator::start(Options { rate: AT_ONCE, ..faulty(&faults) }).await;
    match connect(&emulator, DEMO_CALL, &format!("auth, {TOKEN}")).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 503),
        _ => panic!("an upgrade in spite of the fault"),
    }
    let (events, code) = all(&mut observe(&emulator, DEMO_CALL).await).await;
    assert_eq!((events.iter().map(kind).collect(), code), (vec![Kind::SessionInfo], Some(4100)));
    let refused = all(&mut observe(&emulator, DEMO_CALL).await).await;
    assert_eq!(refused, (vec![], Some(4004)), "a refusal precedes all events");
    assert_eq!(all(&mut observe(&emulator, DEMO_CALL).await).await, (vec![], None));
    for expected in [None, Some(1001)] {
        let (events, code) = all(&mut observe(&emulator, DEMO_CALL).await).await;
        assert_eq!(code, expected);
        let bytes: usize = events.iter().map(|event| event.to_string().len()).sum();
        assert!(events.len() > 1 && bytes <= 900, "{} events, {bytes} bytes", events.len());
    }
    assert_eq!(all(&mut observe(&emulator, DEMO_CALL).await).await.1, Some(1000));
    emulator.stop().await;
}
