//! The emulator over real loopback sockets.

mod observer;
mod stream;

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{DEMO_WORKSPACE, Fault, Options, run};

/// A rate so high that a day or a call takes milliseconds.
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

    /// Stops the emulator and waits for its end.
    async fn stop(self) {
        drop(self.stop);
        self.task.await.expect("no panic").expect("no failure of the listener");
    }

    /// Waits until the emulator ends by itself.
    async fn ends(self) {
        self.task.await.expect("no panic").expect("no failure of the listener");
    }
}

fn faulty(faults: &[&str]) -> Options {
    let faults = faults.iter().map(|fault| fault.parse::<Fault>().expect("a fault")).collect();
    Options { faults, ..Options::default() }
}

/// Creates a client that uses no proxy.
fn client() -> reqwest::Client {
    // An error means that another test has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
