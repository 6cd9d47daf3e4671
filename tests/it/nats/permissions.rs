//! The permissions of taps and of readers: those that docs/publishing.md lists suffice, and evtap
//! uses each of them.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::ConnectOptions;
use async_nats::jetstream::{self, kv, stream};
use evtap::emulator::{DEMO_CALL, DEMO_WORKSPACE, Options};
use futures_util::future::join_all;
use serde_json::Value;
use tempfile::TempDir;

use super::server::{NatsServer, is_installed};
use super::{WORKSPACE, lines};
use crate::support::{Evtap, HANG, emulator, evtap, types};

const DOCUMENTATION: &str = include_str!("../../../docs/publishing.md");

const TAP: &str = "a tap";
const OBSERVER: &str = "a tap that observes calls";
const READER: &str = "a reader";
const MEMBER: &str = "a member of a consumer";
const LIST: &str = "`evtap taps`, for calls";

/// Returns the subjects that the documentation lists for these.
fn documented(roles: &[&str]) -> Vec<String> {
    let mut subjects = Vec::new();
    for row in DOCUMENTATION.lines().filter(|line| line.starts_with("| `")) {
        let [_, names, who, _] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            continue;
        };
        if who.split("; ").any(|who| roles.contains(&who)) {
            subjects.extend(names.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    assert!(subjects.len() >= 2, "the documentation lists {subjects:?}");
    subjects
}

/// A server at which everybody without a name has limited permissions.
struct LimitedServer {
    server: NatsServer,
    home: TempDir,
    admin: jetstream::Context,
}

impl LimitedServer {
    /// Starts a server with a stream, a bucket and three events.
    async fn start(publish: &[String], subscribe: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let (config, log) = (home.path().join("nats.conf"), home.path().join("log"));
        let text = format!(
            "jetstream {{ max_file_store: 1TB }}\nno_auth_user: limited\nauthorization {{ users = [\n\
             {{ user: admin, password: admin }},\n{{ user: limited, password: limited, permissions: \
             {{ publish: {{ allow: {publish:?} }}, subscribe: {{ allow: {subscribe:?} }} }} }}\n] }}\n"
        );
        std::fs::write(&config, text).expect("written");
        let [config, log] = [config, log].map(|path: PathBuf| path.display().to_string());
        let server = NatsServer::start(&["-c", &config, "-l", &log]).await;
        let options = ConnectOptions::with_user_and_password("admin".into(), "admin".into());
        let client = options.connect(format!("127.0.0.1:{}", server.port())).await.expect("up");
        let admin = jetstream::new(client);
        let config = stream::Config {
            name: "evtap".to_owned(),
            subjects: vec!["evtap.>".to_owned()],
            duplicate_window: Duration::from_secs(15 * 60),
            ..Default::default()
        };
        admin.create_stream(config).await.expect("a stream");
        let bucket = kv::Config { bucket: "evtap_calls".to_owned(), ..Default::default() };
        admin.create_key_value(bucket).await.expect("a bucket");
        let ended = r#"{"tap":"west","run":"0","state":"ended"}"#;
        let stored = admin.publish("$KV.evtap_calls.call.CA0", ended.into()).await.expect("sent");
        stored.await.expect("stored");
        let bodies = evtap("replay - -o cloudevents").stdin(lines(3)).run().await.ended(0);
        for body in bodies.lines() {
            let subject = format!("evtap.{WORKSPACE}.call.started");
            let stored = admin.publish(subject, body.to_owned().into()).await.expect("sent");
            stored.await.expect("stored");
        }
        Self { server, home, admin }
    }

    /// Waits until the server has refused something.
    async fn refusal(&self, of: &str) {
        let subject = format!("\"{of}");
        let refused = async {
            loop {
                let log = std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
                if log.lines().any(|line| line.contains("Violation") && line.contains(&subject)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let refused = tokio::time::timeout(HANG, refused).await;
        assert!(refused.is_ok(), "nothing asks for {of}");
    }
}

/// Returns what a subject has before its wildcards.
fn literal(subject: &str) -> &str {
    subject.trim_end_matches(['*', '>', '.'])
}

/// Checks that each permission is used by the command, which may also subscribe to these.
async fn assert_needed(
    permissions: &[String],
    subscribe: &[&str],
    command: impl Fn(&str) -> Evtap,
) {
    let command = &command;
    let without = permissions.iter().map(|permission| async move {
        let others = permissions.iter().filter(|other| *other != permission).cloned();
        let limited = LimitedServer::start(&others.collect::<Vec<_>>(), subscribe).await;
        let mut running = command(&limited.server.url("evtap")).start();
        limited.refusal(literal(permission)).await;
        running.child.kill().await.expect("killed");
    });
    join_all(without).await;
    let limited = LimitedServer::start(permissions, &["nothing"]).await;
    let mut running = command(&limited.server.url("evtap")).start();
    limited.refusal(literal(INBOX)).await;
    running.child.kill().await.expect("killed");
}

const INBOX: &str = "_INBOX.>";

/// What a tap subscribes to.
const OF_TAP: [&str; 2] = [INBOX, "evtap.*.tap.connected.*"];

#[tokio::test]
async fn a_reader_needs_what_is_documented_and_nothing_else() {
    if !is_installed() {
        return;
    }
    let permissions = documented(&[READER]);
    let limited = LimitedServer::start(&permissions, &[INBOX]).await;
    let url = limited.server.url("evtap");
    for (command, status) in [("replay", 0), ("stats", 0), ("timeline", 0), ("verify", 8)] {
        // The events have no time, which `verify` reports.
        evtap(&format!("{command} --from {url}")).run().await.ended(status);
    }
    let ran = evtap(&format!("watch --from {url} --since all -n 3 -e call.*")).run().await;
    assert_eq!(types(&ran.ended(0)).len(), 3);
    let listed = evtap(&format!("taps --from {url}")).run().await.ended(0);
    assert!(listed.starts_with("Nobody taps 1 workspace"), "{listed}");
    assert!(listed.ends_with("do not allow to list observed calls.\n"), "{listed}");
    let watch = |url: &str| evtap(&format!("watch --from {url} --since all"));
    assert_needed(&permissions, &[INBOX], watch).await;
}

#[tokio::test]
async fn a_member_of_a_consumer_needs_what_is_documented_and_nothing_else() {
    if !is_installed() {
        return;
    }
    let permissions = documented(&[READER, MEMBER]);
    let limited = LimitedServer::start(&permissions, &[INBOX]).await;
    let watch = |url: &str| evtap(&format!("watch --from {url} --since all --consumer team"));
    let url = limited.server.url("evtap");
    assert_eq!(types(&watch(&url).arg("-n=3").run().await.ended(0)).len(), 3);
    let stream = limited.admin.get_stream("evtap").await.expect("a stream");
    let info = stream.consumer_info("team").await.expect("a consumer");
    assert_eq!((info.num_pending, info.num_ack_pending), (0, 0));
    assert_needed(&permissions, &[INBOX], watch).await;
}

#[tokio::test]
async fn a_reader_may_be_limited_to_a_workspace() {
    if !is_installed() {
        return;
    }
    let all = documented(&[READER]);
    let permissions: Vec<_> = all
        .into_iter()
        .map(|subject| match subject.strip_suffix(".CREATE.evtap.>") {
            Some(api) => format!("{api}.CREATE.evtap.*.evtap.{WORKSPACE}.>"),
            None => subject,
        })
        .collect();
    let limited = LimitedServer::start(&permissions, &[INBOX]).await;
    let url = limited.server.url("evtap");
    let read = evtap(&format!("replay --from {url} -w {WORKSPACE}")).run().await.ended(0);
    assert_eq!(read.lines().count(), 3);
    for other in ["", "-w 00000000-0000-0000-0000-000000000001"] {
        let mut running = evtap(&format!("replay --from {url} {other}")).start();
        limited.refusal("$JS.API.CONSUMER.CREATE.evtap").await;
        running.child.kill().await.expect("killed");
    }
}

#[tokio::test]
async fn a_tap_needs_what_is_documented_and_nothing_else() {
    if !is_installed() {
        return;
    }
    let permissions = documented(&[TAP]);
    let limited = LimitedServer::start(&permissions, &OF_TAP).await;
    let publish = |url: &str| evtap(&format!("replay - --publish {url}")).stdin(lines(5));
    let ran = publish(&limited.server.url("evtap")).run().await;
    ran.ended(0);
    assert!(ran.stderr().contains("5 published"), "{}", ran.stderr());
    assert_needed(&permissions, &OF_TAP, publish).await;
}

#[tokio::test]
async fn a_tap_that_observes_calls_needs_what_is_documented_and_nothing_else() {
    if !is_installed() {
        return;
    }
    let permissions = documented(&[TAP, OBSERVER]);
    let base = emulator(Options { rate: 20.0, seed: 1, ..Options::default() }).await;
    let observe = |url: &str| {
        let call = format!("observe -w {DEMO_WORKSPACE} -c {DEMO_CALL} -q .event_type");
        evtap(&format!("{call} --tap-name east --publish {url}")).at(&base)
    };
    let readable = documented(&[TAP, OBSERVER, READER, LIST]);
    let limited = LimitedServer::start(&readable, &OF_TAP).await;
    let url = limited.server.url("evtap");
    let mut running = observe(&url).start();
    running.line().await;
    let listed = evtap(&format!("taps -o json --from {url}")).run().await.ended(0);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let call = &listed["calls"][0];
    assert_eq!((&call["call_sid"], &call["tap"]), (&DEMO_CALL.into(), &"east".into()));
    assert_eq!(call["state"], "connected");
    let listed = evtap(&format!("taps --from {url}")).run().await.ended(0);
    let row = listed.lines().last().expect("a line");
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), [DEMO_CALL, "east", "connected"]);
    running.child.kill().await.expect("killed");
    assert_needed(&permissions, &OF_TAP, observe).await;
}

#[tokio::test]
async fn listing_calls_needs_what_is_documented() {
    if !is_installed() {
        return;
    }
    let list = |url: &str| evtap(&format!("taps --from {url}"));
    let calls = documented(&[LIST]);
    for permission in &calls {
        let mut others = documented(&[READER, LIST]);
        others.retain(|other| other != permission);
        let limited = LimitedServer::start(&others, &[INBOX]).await;
        let mut running = list(&limited.server.url("evtap")).start();
        limited.refusal(literal(permission)).await;
        running.child.kill().await.expect("killed");
    }
}
