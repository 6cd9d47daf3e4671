//! A real NATS server with JetStream, and what it has stored.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, stream};
use futures_util::StreamExt;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{kill, tools};

/// A server, which ends when this is dropped.
pub struct NatsServer {
    process: Child,
    home: TempDir,
    port: u16,
    arguments: Vec<String>,
}

/// A stored message.
pub struct Stored {
    pub subject: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Stored {
    /// Returns whether this is an event about a tap, and no gap.
    pub fn is_about_tap(&self) -> bool {
        [".tap.connected.", ".tap.position.", ".tap.ended."]
            .iter()
            .any(|part| self.subject.contains(part))
    }

    /// Returns a member of the event.
    pub fn data(&self, name: &str) -> &Value {
        &self.body["data"][name]
    }

    /// Returns a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.as_str())
    }
}

/// Returns whether the server is installed.
pub fn is_installed() -> bool {
    tools::available(&["nats-server"])
}

impl NatsServer {
    /// Starts a server on a free port, with further arguments.
    pub async fn start(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
        // Port -1 is a free one, which the server reports in a file.
        let process = spawn(home.path(), "-1", &arguments);
        let port = port(&process, home.path()).await;
        Self { process, home, port, arguments }
    }

    /// Kills the server as `kill -9` does, and starts it again on the same port.
    pub async fn restart(&mut self) {
        self.kill();
        self.process = spawn(self.home.path(), &self.port.to_string(), &self.arguments);
        port(&self.process, self.home.path()).await;
    }

    /// Kills the server as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Sends a signal to the server, such as `STOP`.
    pub fn signal(&self, name: &str) {
        kill(self.process.id(), name);
    }

    /// Returns its port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until a stream has that many messages.
    pub async fn wait_for(&self, stream: &str, count: u64) {
        let context = self.context().await;
        loop {
            let stream = context.get_stream(stream).await;
            if stream.is_ok_and(|stream| stream.cached_info().state.messages >= count) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns the URL of a stream, for `--publish`.
    pub fn url(&self, stream: &str) -> String {
        format!("nats://127.0.0.1:{}/{stream}", self.port)
    }

    /// Returns a context of a client of the tests.
    pub async fn context(&self) -> jetstream::Context {
        let client = async_nats::connect(format!("nats://127.0.0.1:{}", self.port)).await;
        jetstream::new(client.expect("the server is up"))
    }

    /// Creates a stream that takes the subjects of evtap.
    pub async fn create(&self, config: stream::Config) {
        let defaults = stream::Config {
            name: "evtap".to_owned(),
            subjects: vec!["evtap.>".to_owned()],
            duplicate_window: Duration::from_secs(15 * 60),
            ..config
        };
        self.context().await.create_stream(defaults).await.expect("a stream");
    }

    /// Returns the events in a stream in order, without those about taps that are no gaps.
    pub async fn stored(&self, stream: &str) -> Vec<Stored> {
        let mut stored = self.stored_from(stream, 1).await;
        stored.retain(|message| !message.is_about_tap());
        stored
    }

    /// Returns all messages of a stream in order, which may be many.
    pub async fn read(&self, name: &str) -> Vec<Stored> {
        let stream = self.context().await.get_stream(name).await.expect("a stream");
        let count = stream.cached_info().state.messages;
        let config = pull::OrderedConfig::default();
        let consumer = stream.create_consumer(config).await.expect("a consumer");
        let messages = consumer.messages().await.expect("messages");
        let mut last = 0;
        let stored = messages.take(usize::try_from(count).expect("they fit")).map(|message| {
            let message = message.expect("a message");
            let sequence = message.info().expect("of a stream").stream_sequence;
            assert!(sequence > last, "{sequence} is read after {last}");
            last = sequence;
            let message = message.message;
            Stored {
                subject: message.subject.to_string(),
                headers: message.headers.unwrap_or_default(),
                body: serde_json::from_slice(&message.payload).expect("JSON"),
            }
        });
        stored.collect().await
    }

    /// Returns all messages of a stream from a sequence number on.
    pub async fn stored_from(&self, stream: &str, first: u64) -> Vec<Stored> {
        let stream = self.context().await.get_stream(stream).await.expect("a stream");
        let last = stream.cached_info().state.last_sequence;
        let mut stored = Vec::new();
        for sequence in first..=last {
            let message = stream.get_raw_message(sequence).await.expect("a message");
            let body = serde_json::from_slice(&message.payload).expect("JSON");
            let subject = message.subject.to_string();
            stored.push(Stored { subject, headers: message.headers, body });
        }
        stored
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(home: &Path, port: &str, arguments: &[String]) -> Child {
    // Without a limit of its own, the server takes streams up to the size of the disk's free space.
    let config = home.join("nats.conf");
    std::fs::write(&config, "jetstream { max_file_store: 1TB }").expect("written");
    let has_config = arguments.iter().any(|argument| argument == "-c");
    Command::new(tools::find("nats-server").expect("it is installed"))
        .args(["-js", "-a", "127.0.0.1", "-p", port, "--ports_file_dir"])
        .arg(home)
        .arg("-sd")
        .arg(home)
        .args(arguments)
        .args((!has_config).then_some("-c"))
        .args((!has_config).then_some(config))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}

/// Waits until a server has opened its port, and returns it.
async fn port(process: &Child, home: &Path) -> u16 {
    let file = home.join(format!("nats-server_{}.ports", process.id()));
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        // The file has no line end.
        if let Ok(ports) = serde_json::from_str::<Value>(&text) {
            let url = ports["nats"][0].as_str().expect("a URL").to_owned();
            return url.rsplit(':').next().expect("a port").parse().expect("a number");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
