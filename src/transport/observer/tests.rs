use tokio::io::{AsyncWriteExt, duplex};

use super::*;
use crate::error::Error;
use crate::transport::scripted::{Scripted, ScriptedResponse, credential, message, switching};
use crate::transport::{ConnectionState, FRAME_LIMIT, Item, channel};

/// Formats an item that a run sent.
fn describe(item: Item) -> String {
    match item {
        Item::Connection(event) => match event.state {
            ConnectionState::Connected => "connected".to_owned(),
            ConnectionState::Reconnecting { attempt, why, .. } => {
                format!("reconnecting {attempt}: {why}")
            }
            ConnectionState::Ended { why, .. } => format!("ended: {why}"),
            ConnectionState::NotObserved { .. } => unreachable!("of a workspace"),
        },
        Item::Frame(frame) if frame.format == FrameFormat::Own => {
            let line: serde_json::Value = serde_json::from_slice(&frame.data).expect("JSON");
            format!("gap {} {}", line["reason"].as_str().expect("a reason"), line["certain"])
        }
        Item::Frame(frame) => {
            assert_eq!((frame.format, frame.event, frame.id), (FrameFormat::Observer, None, None));
            match frame.fault {
                None => String::from_utf8(frame.data.to_vec()).expect("valid"),
                Some((fault, bytes)) => {
                    assert!(frame.data.is_empty());
                    format!("{fault:?} {bytes}")
                }
            }
        }
        Item::Chunk(_)
        | Item::Coverage(_)
        | Item::Recording(_)
        | Item::Skipped(_)
        | Item::Receipt(_) => {
            unreachable!("a stream has frames")
        }
    }
}

fn config(random: fn() -> f64) -> SourceConfig {
    SourceConfig { random, ..SourceConfig::default() }
}

fn keys() -> KeyRing {
    KeyRing::new(credential(), None)
}

/// Runs against a scripted server. Without jitter there is no waiting.
async fn play(answers: Vec<ScriptedResponse>) -> (Vec<String>, Result<()>) {
    let server = Scripted::new(answers).await;
    let (tx, mut rx) = channel(1000);
    let result = run(&server.client(), "ws-1", "CA1", &keys(), &config(|| 0.0), &tx).await;
    drop(tx);
    let mut items = Vec::new();
    while let Some(item) = rx.recv().await {
        items.push(describe(item));
    }
    let error = result.as_ref().err().map(Error::to_string).unwrap_or_default();
    assert!(!error.contains("anary") && !items.concat().contains("anary"), "{error} {items:?}");
    (items, result)
}

fn text(data: &str) -> Vec<u8> {
    message(1, data.as_bytes())
}

fn close(code: u16) -> Vec<u8> {
    message(8, &[&code.to_be_bytes()[..], b"canary"].concat())
}

fn answer(messages: &[Vec<u8>]) -> ScriptedResponse {
    switching(Some("auth"), messages.concat())
}

const END: &str = r#"{"a":1,"type":"session_end","data":{}}"#;

#[tokio::test]
async fn a_call_is_read_to_its_end_over_a_reconnect() {
    let (items, result) = play(vec![
        answer(&[text(r#"{"type":"session_info"}"#), message(2, b"{}"), text("not JSON")]),
        answer(&[text(r#"{"type":"x"}"#), message(9, b""), text(END), text("{}"), close(1000)]),
    ])
    .await;
    let expected = [
        "connected",
        r#"{"type":"session_info"}"#,
        "{}",
        "not JSON",
        "reconnecting 1: connection closed",
        "connected",
        "gap observer_down false",
        r#"{"type":"x"}"#,
        END,
        "{}",
        "ended: the call is over",
    ];
    assert_eq!(items, expected);
    assert_eq!(result, Ok(()));
}

#[tokio::test]
async fn messages_that_cannot_be_delivered_are_reported() {
    let large = message(1, "x".repeat(FRAME_LIMIT + 1).as_bytes());
    let (items, _) = play(vec![
        answer(&[message(2, &[b'"', 255, b'"']), large]),
        answer(&[message(1, &[255])]),
        answer(&[text(END)]),
    ])
    .await;
    let expected = [
        "connected",
        "NotUtf8 3",
        "TooLarge 1048577",
        "reconnecting 1: a message was larger than the limit",
        "connected",
        "gap observer_down false",
        "NotUtf8 0",
        "reconnecting 1: a text message was not UTF-8",
        "connected",
        "gap observer_down false",
        END,
        "ended: the call is over",
    ];
    assert_eq!(items, expected);
}

#[test]
fn every_close_code_has_an_outcome() {
    let failure = |code| match end_of_close(code, false) {
        ObserverEnd::Failed(failure) => failure,
        end => panic!("{code:?} {end:?}"),
    };
    for code in [4001, 4100] {
        assert!(
            matches!(failure(Some(code)), ConnectError::Unauthorized { .. }),
            "{code}: a newer key may help"
        );
    }
    for code in [1008, 4003, 4403] {
        let ConnectError::Fatal { exit, why, .. } = failure(Some(code)) else {
            panic!("{code} is final")
        };
        assert_eq!(exit, Exit::Credential);
        assert!(why.contains(&code.to_string()), "{why}");
    }
    for code in [1013, 4029] {
        assert!(
            matches!(failure(Some(code)), ConnectError::Transient { at_least: LATER_DELAY, .. }),
            "{code}"
        );
    }
    for code in [None, Some(1000), Some(1001), Some(1006), Some(1011), Some(4000), Some(4999)] {
        assert!(
            matches!(failure(code), ConnectError::Transient { at_least: Duration::ZERO, .. }),
            "{code:?}"
        );
    }
    for code in 0..=4999 {
        let is_final = matches!(code, 1008 | 4001 | 4003 | 4100 | 4403);
        let end = end_of_close(Some(code), false);
        assert_eq!(
            is_final,
            matches!(
                end,
                ObserverEnd::Failed(ConnectError::Fatal { .. } | ConnectError::Unauthorized { .. })
            ),
            "{code}"
        );
        assert_eq!(code == 4004, end == ObserverEnd::UnknownCall, "{code}");
    }
    assert_eq!(end_of_close(Some(4004), false), ObserverEnd::UnknownCall);
    for code in [None, Some(1000), Some(1008), Some(4004), Some(1013)] {
        assert_eq!(end_of_close(code, true), ObserverEnd::CallEnded, "{code:?}");
    }
}

#[tokio::test]
async fn close_codes_and_statuses_reconnect_or_end_the_run() {
    let (items, result) = play(vec![
        answer(&[close(4004)]),
        answer(&[close(1011)]),
        ScriptedResponse::status(503, ""),
        ScriptedResponse::status(429, "Retry-After: 0\r\n"),
        ScriptedResponse::new(""),
        answer(&[close(4403)]),
    ])
    .await;
    let expected = [
        "connected",
        "reconnecting 1: no such call (4004)",
        "connected",
        "reconnecting 2: the server closed the connection (1011)",
        "reconnecting 3: the server answered 503",
        "reconnecting 4: the server limits the request rate (429)",
        "reconnecting 5: connection closed",
        "connected",
    ];
    assert_eq!(items, expected);
    let error = result.expect_err("forbidden");
    assert_eq!(error.exit, Exit::Credential);
    assert!(
        error
            .to_string()
            .starts_with("cannot observe the call: the API key may not observe this call (4403); ")
    );

    for (first, exit) in [
        (ScriptedResponse::status(401, ""), Exit::Credential),
        (ScriptedResponse::status(403, ""), Exit::Credential),
        (ScriptedResponse::status(404, ""), Exit::NotFound),
        (ScriptedResponse::status(400, ""), Exit::Failure),
        (ScriptedResponse::stream("data: a\n\n"), Exit::Failure),
        (switching(None, vec![]), Exit::Failure),
    ] {
        let (items, result) = play(vec![first]).await;
        assert_eq!(result.expect_err("final").exit, exit);
        assert!(items.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_call_is_retried_for_ten_seconds() {
    let (tx, mut rx) = channel(100);
    let config = config(|| 1.0);
    let mut context =
        StreamContext::new("a test", Origin::default(), backoff::WEBSOCKET, &config, &tx);
    let mut unknown = UnknownCall::default();
    let began = Instant::now();
    let error = loop {
        if let Err(error) =
            unknown.handle_end(ObserverEnd::UnknownCall, &mut context, &keys(), &credential()).await
        {
            break error;
        }
    };
    assert_eq!(began.elapsed(), UNKNOWN_CALL_TIMEOUT);
    assert_eq!(error.exit, Exit::NotFound);
    let attempts = std::iter::from_fn(|| rx.try_recv().ok()).count();
    assert_eq!(attempts, 4, "after 1, 2 and 4 s, and at the end of the ten seconds");
}

#[tokio::test(start_paused = true)]
async fn a_message_shows_that_the_call_is_known() {
    let (tx, _rx) = channel(100);
    let config = config(|| 1.0);
    let mut context =
        StreamContext::new("a test", Origin::default(), backoff::WEBSOCKET, &config, &tx);
    let mut unknown = UnknownCall(Some(Instant::now()));
    let (near, mut far) = duplex(1000);
    far.write_all(&[text("{}"), close(4004)].concat()).await.expect("room");
    assert_eq!(
        read(
            Socket::new(near, &config).await,
            &mut context,
            &mut unknown,
            &mut CallProgress::default()
        )
        .await,
        ObserverEnd::UnknownCall
    );
    assert_eq!(unknown.0, None);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_even_if_the_server_does_not_close() {
    let (tx, mut rx) = channel(100);
    let config = config(|| 1.0);
    let mut context =
        StreamContext::new("a test", Origin::default(), backoff::WEBSOCKET, &config, &tx);
    let (near, mut far) = duplex(1000);
    far.write_all(&text(END)).await.expect("room");
    let began = Instant::now();
    let end = read(
        Socket::new(near, &config).await,
        &mut context,
        &mut UnknownCall::default(),
        &mut CallProgress::default(),
    )
    .await;
    assert_eq!((end, began.elapsed()), (ObserverEnd::CallEnded, END_TIMEOUT));
    assert_eq!(describe(rx.try_recv().expect("a frame")), END);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_to_try_later_gets_five_seconds() {
    let (tx, mut rx) = channel(9);
    let config = config(|| 0.5);
    let mut context =
        StreamContext::new("a test", Origin::default(), backoff::WEBSOCKET, &config, &tx);
    let began = Instant::now();
    let next = UnknownCall::default()
        .handle_end(end_of_close(Some(4029), false), &mut context, &keys(), &credential())
        .await
        .expect("passing");
    assert!(next.is_continue());
    assert_eq!(began.elapsed(), LATER_DELAY);
    assert_eq!(
        describe(rx.try_recv().expect("a connection event")),
        "reconnecting 1: the server asks to try later (4029)"
    );
}

#[test]
fn only_the_type_of_a_message_ends_the_call() {
    for (data, expected) in [
        (END, true),
        (r#"{"type":"session_\u0065nd"}"#, true),
        (r#"{"type":"session_ended"}"#, false),
        (r#"{"type":"x","data":{"type":"session_end"}}"#, false),
        (r#"{"text":"session_end"}"#, false),
        (r#"{"type":7}"#, false),
        (r#"["session_end"]"#, false),
        (r#"{"type":"session_end""#, false),
        ("", false),
    ] {
        assert_eq!(MessagePeek::parse(data.as_bytes()).is("session_end"), expected, "{data}");
    }
}

#[tokio::test]
async fn a_gap_is_certain_if_the_state_changed_meanwhile() {
    let info = |state: &str| {
        text(&format!(r#"{{"type":"session_info","data":{{"current_state":"{state}"}}}}"#))
    };
    let moved = text(r#"{"type":"state_transition","next_state":"b"}"#);
    for (again, certain) in [("b", false), ("c", true)] {
        let (items, _) = play(vec![
            answer(&[info("a"), moved.clone()]),
            ScriptedResponse::status(503, ""),
            answer(&[]),
            answer(&[info(again), text(END)]),
        ])
        .await;
        let gaps: Vec<_> = items.iter().filter(|item| item.starts_with("gap")).collect();
        assert_eq!(
            gaps,
            [&format!("gap observer_down {certain}")],
            "one gap, however many attempts it took"
        );
    }
}

#[tokio::test]
async fn a_gap_without_a_further_message_is_reported_at_the_end() {
    let (items, result) =
        play(vec![answer(&[text("{}")]), answer(&[]), answer(&[close(4403)])]).await;
    assert!(result.is_err());
    assert_eq!(items.last().map(String::as_str), Some("gap observer_down false"));
}

#[tokio::test(start_paused = true)]
async fn pings_continue_while_the_pipeline_is_blocked() {
    let (tx, _rx) = channel(1);
    let config = config(|| 0.0);
    let mut context =
        StreamContext::new("a test", Origin::default(), backoff::WEBSOCKET, &config, &tx);
    let (near, mut far) = duplex(1 << 20);
    let more_than_is_read_ahead = text("{}").repeat(MAX_READ_AHEAD / size_of::<RawFrame>() + 100);
    far.write_all(&more_than_is_read_ahead).await.expect("room");
    let (mut unknown, mut progress) = (UnknownCall::default(), CallProgress::default());
    let reading = read(Socket::new(near, &config).await, &mut context, &mut unknown, &mut progress);
    assert!(timeout(Duration::from_secs(3600), reading).await.is_err(), "the connection is kept");
    let mut pings = [0; 14 * 170];
    tokio::io::AsyncReadExt::read_exact(&mut far, &mut pings).await.expect("a ping every 20 s");
    assert!(pings.chunks(14).all(|ping| ping[..2] == [0x89, 0x88]));
}
