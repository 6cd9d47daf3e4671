//! Reading from a NATS server, compared with a client that only counts.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use super::{NatsServer, Speed, lines_of, row};

/// Number of events that are read.
const EVENTS: usize = 300_000;

/// Number of workspaces among which these are divided.
const WORKSPACES: u32 = 16;

/// The limits of the requests of evtap, in messages and in bytes: without acknowledgements, and as a
/// member of a consumer.
const ORDERED: (usize, usize) = (4096, 4 << 20);
const SHARED: (usize, usize) = (512, 1 << 20);

/// The maximum number of messages that are delivered and not acknowledged.
const MAX_UNACKNOWLEDGED: i64 = 20_000;

/// Measures reading. Returns a table, and what went wrong.
pub fn measured(
    evtap: &Path,
    dir: &Path,
    server: &NatsServer,
    runtime: &Runtime,
    rounds: usize,
) -> (String, Vec<String>) {
    let recording = dir.join("read.ndjson");
    std::fs::write(&recording, lines_of(EVENTS, WORKSPACES)).expect("a file");
    runtime.block_on(server.reset());
    let mut publish = Command::new(evtap);
    publish.arg("replay").arg(&recording).args(["-o", "ndjson", "--publish"]).arg(server.stream());
    publish.stdout(Stdio::null()).stderr(Stdio::null());
    assert!(publish.status().expect("it runs").success(), "it fails");

    let mut failures = Vec::new();
    let mut text = String::from(
        "| reading | evtap | processor | async-nats | processor | ratio |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let replay = format!("replay --from {} -o ndjson", server.stream());
    check(evtap, &replay, runtime.block_on(ordered(server)), &mut failures);
    for _ in 0..rounds {
        ours.push(run(evtap, &replay));
        theirs.push(Speed::of(false, || {
            runtime.block_on(ordered(server));
            EVENTS
        }));
    }
    row(&mut text, "`replay --from`, ordered consumer", &ours, &theirs);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let name = format!("evtap-{round}");
        let watch = format!("watch --from {} --since all --consumer {name}", server.stream());
        ours.push(run(evtap, &format!("{watch} -n {EVENTS} -o ndjson")));
        let unacknowledged = runtime.block_on(unacknowledged(server, &name));
        if unacknowledged != 0 {
            failures.push(format!("{unacknowledged} events are not acknowledged"));
        }
        theirs.push(Speed::of(false, || {
            runtime.block_on(acknowledging(server, &format!("bare-{round}")));
            EVENTS
        }));
    }
    row(&mut text, "`watch --from --consumer`, acknowledged", &ours, &theirs);
    (text, failures)
}

/// Runs evtap and returns its speed.
fn run(evtap: &Path, arguments: &str) -> Speed {
    Speed::of(true, || {
        let mut command = Command::new(evtap);
        command.args(arguments.split(' ')).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().expect("it runs").success(), "it fails");
        EVENTS
    })
}

/// Checks that evtap prints each event that the other client has read, in the same order.
fn check(evtap: &Path, arguments: &str, expected: [u8; 32], failures: &mut Vec<String>) {
    let mut command = Command::new(evtap);
    let ran = command.args(arguments.split(' ')).stderr(Stdio::null()).output().expect("it runs");
    let mut digest = Sha256::new();
    for line in ran.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        digest.update(id(line));
    }
    if <[u8; 32]>::from(digest.finalize()) != expected {
        failures.push("evtap prints other events than were stored".to_owned());
    }
}

/// Returns the part of an event that distinguishes it from the others: the SID of its call.
fn id(event: &[u8]) -> &[u8] {
    const NAME: &[u8] = b"\"call_sid\":\"";
    let at = memchr::memmem::find(event, NAME).map_or(event.len(), |at| at + NAME.len());
    event.get(at..at + 34).unwrap_or_default()
}

/// Reads everything in order. Returns the digest of the ids.
async fn ordered(server: &NatsServer) -> [u8; 32] {
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    let config = pull::Config {
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::None,
        memory_storage: true,
        num_replicas: 1,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.expect("a consumer");
    let (messages, bytes) = ORDERED;
    let requests = consumer.stream().max_messages_per_batch(messages).max_bytes_per_batch(bytes);
    let mut messages = requests.messages().await.expect("messages");
    let mut bodies = Vec::with_capacity(EVENTS);
    let mut last = 0;
    while bodies.len() < EVENTS {
        let message = messages.next().await.expect("more").expect("a message");
        let sequence = message.info().expect("of a stream").stream_sequence;
        assert!(sequence > last, "in order");
        last = sequence;
        let is_event = memchr::memmem::find(&message.payload, b"\"call_sid\"").is_some();
        if is_event {
            bodies.push(message.message.payload);
        }
    }
    let mut digest = Sha256::new();
    for body in &bodies {
        digest.update(id(body));
    }
    digest.finalize().into()
}

/// Reads and acknowledges everything.
async fn acknowledging(server: &NatsServer, name: &str) {
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    let config = pull::Config {
        durable_name: Some(name.to_owned()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(30),
        max_ack_pending: MAX_UNACKNOWLEDGED,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.expect("a consumer");
    let (messages, bytes) = SHARED;
    let requests = consumer.stream().max_messages_per_batch(messages).max_bytes_per_batch(bytes);
    let mut messages = requests.messages().await.expect("messages");
    let mut count = 0;
    while count < EVENTS {
        let message = messages.next().await.expect("more").expect("a message");
        message.ack().await.expect("sent");
        count += 1;
    }
}

/// Returns the number of messages that a consumer has delivered and that are not acknowledged.
async fn unacknowledged(server: &NatsServer, name: &str) -> usize {
    let stream = server.context().await.get_stream("evtap").await.expect("a stream");
    stream.consumer_info(name).await.expect("a consumer").num_ack_pending
}
