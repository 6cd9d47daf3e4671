//! The emulator over real loopback sockets.

mod observer;
mod stream;

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{DEMO_WORKSPACE, Fault, Options, run};

/// As fast as it goes: a day or a call takes milliseconds.
const AT_ONCE: f64 = 1e6;
const TOKEN: &str = "test-key";

/// A running emulator.
struct Emulator {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Emulator {
    async fn start(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        Self { address, stop, task: tokio::spawn(run(listener, options, shutdown)) }
    }

    /// Stops it and waits until it has.
    async fn stop(self) {
        drop(self.stop);
        self.task.await.expect("no panic").expect("no failure of the listener");
    }

    /// Waits until it returns of its own accord.
    async fn ends(self) {
        self.task.await.expect("no panic").expect("no failure of the listener");
    }
}

fn faulty(faults: &[&str]) -> Options {
    let faults = faults.iter().map(|fault| fault.parse::<Fault>().expect("a fault")).collect();
    Options { faults, ..Options::default() }
}

/// A client that goes straight to the emulator.
fn client() -> reqwest::Client {
    // The second test to come here finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
