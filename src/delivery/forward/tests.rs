//! Tests of what distinguishes the attempts to post one event.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::model::decode::Decoder;
use crate::model::{FrameFormat, Origin};
use crate::redact::{Policy, Redactor};
use crate::transport::RawFrame;
use crate::transport::client::{ClientPurpose, Network, build};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Returns a time that is a second later at each call.
fn clock() -> Timestamp {
    static SECONDS: AtomicI64 = AtomicI64::new(1_700_000_000);
    Timestamp::from_second(SECONDS.fetch_add(1, Ordering::Relaxed)).expect("a time")
}

/// Reads a request: its headers in lower case, and its body.
fn read_request(stream: &mut BufReader<TcpStream>) -> (String, Vec<u8>) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).expect("a head") > 0);
    }
    let mut body = vec![0; header(&head, "content-length").parse().expect("a length")];
    stream.read_exact(&mut body).expect("a body");
    (head, body)
}

/// Returns the value of a header.
fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let (_, value) =
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).expect("the header is there");
    value
}

#[test]
fn a_retry_has_the_same_id_and_body_and_a_new_time_and_signature() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/in", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        [503, 429, 200].map(|status| {
            let (stream, _) = listener.accept().expect("a connection");
            let mut stream = BufReader::new(stream);
            let request = read_request(&mut stream);
            let answer =
                format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            stream.get_mut().write_all(answer.as_bytes()).expect("it reads");
            request
        })
    });

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let handle = runtime.handle().clone();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    // The forwarder waits on this thread, so another one drives the sockets.
    let driver = std::thread::spawn(move || runtime.block_on(ended));
    let url: Url = url.parse().expect("a URL");
    let keys = WebhookKeys::parse(SECRET).expect("a secret");
    let endpoint = Endpoint {
        client: build(&url, &Network::default(), ClientPurpose::Post).expect("a client"),
        url,
        headers: HeaderMap::new(),
        body: ForwardBody::Json,
        keys: Some(keys.clone()),
        timeout: Duration::from_secs(60),
        retries: 2,
        status: status::StatusFormat::None,
        random: || 0.0,
        now: clock,
    };
    let mut forwarder = Forwarder::new(endpoint, handle);
    let raw = RawFrame {
        format: FrameFormat::Record,
        ..RawFrame::record(
            &Arc::new(Origin::default()),
            r#"{"event_type":"text.started"}"#.into(),
            0,
        )
    };
    let (mut decoder, mut redactor) = (Decoder::default(), Redactor::new(Policy::default()));
    let event = decoder.decode(raw.as_frame());
    let shown = redactor.redact(&event);
    let context = EventContext::new(&shown).with_id(Some("17-00000000000000ff"));
    forwarder.event(&context).expect("it is queued");
    forwarder.acknowledge().expect("it is delivered");

    let attempts = server.join().expect("no panic");
    let times = attempts.each_ref().map(|(head, body)| {
        assert!(body.starts_with(br#"{"event_type":"text.started""#));
        assert_eq!(*body, attempts[0].1);
        let id = header(head, "webhook-id");
        assert_eq!(id, "evtap#17-00000000000000ff");
        let time: i64 = header(head, "webhook-timestamp").parse().expect("seconds");
        assert_eq!(header(head, "webhook-signature"), keys.sign(id, time, body));
        time
    });
    assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");
    let results = forwarder.results().expect("they are counted");
    assert_eq!(
        (results.counts().delivered, results.counts().refused, results.retries()),
        (1, 0, 2)
    );
    drop(end);
    assert!(driver.join().expect("no panic").is_err(), "nothing is sent");
}

#[test]
fn an_id_is_a_header_without_a_full_stop() {
    assert_eq!(webhook_id("/v1/a/events/stream", "17-ff-2"), "/v1/a/events/stream#17-ff-2");
    assert_eq!(webhook_id("a.b", "\u{e9}\r\n 1"), "a_b#____1");
}
