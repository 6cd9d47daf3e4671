//! Prints the events of a workspace as typed values, as they happen.
//!
//! The first argument is the number of events after which the example ends. Without further
//! arguments it starts the emulator in its own process and watches that. With a URL and a workspace
//! id it connects to a platform with the key in `AMIGO_API_KEY`.
//!
//! ```sh
//! cargo run --no-default-features --features transport,emulator --example watch_workspace -- 20
//! AMIGO_API_KEY=… cargo run --no-default-features --features transport,emulator \
//!     --example watch_workspace -- 20 https://api.platform.amigo.ai WORKSPACE_ID
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints its results")]

use std::error::Error;
use std::net::Ipv4Addr;

use evtap::emulator::{self, DEMO_WORKSPACE};
use evtap::model::Event;
use evtap::transport::client::{Client, Endpoints, Network};
use evtap::transport::credential::Credential;
use evtap::transport::key_ring::KeyRing;
use evtap::transport::sse::{self, Start};
use evtap::transport::{self, Item, SourceConfig};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(Ok(20), |count| count.parse())?;
    let (url, workspace, key) = match (arguments.next(), arguments.next()) {
        (Some(url), Some(workspace)) => (url, workspace, std::env::var("AMIGO_API_KEY")?),
        _ => (emulate().await?, DEMO_WORKSPACE.to_owned(), "demo".to_owned()),
    };

    let client = Client::new(Endpoints::resolve(&url, None, false)?, &Network::default())?;
    let keys = KeyRing::new(Credential::new(&key, "AMIGO_API_KEY")?, None);
    let config = SourceConfig::default();
    // The channel is bounded, so a slow reader makes the socket wait.
    let (sender, mut receiver) = transport::channel(64);
    let source = sse::run(&client, &workspace, &keys, Start::Now, &config, &sender);
    let print = async {
        let mut left: u64 = count;
        while left > 0
            && let Some(item) = receiver.recv().await
        {
            match item {
                Item::Frame(frame) => {
                    match Event::from_frame(frame.as_frame()) {
                        Ok(event) => print(&event),
                        Err(error) => eprintln!("{error}"),
                    }
                    left -= 1;
                }
                Item::Connection(connection) => eprintln!("{:?}", connection.state),
                Item::Chunk(_)
                | Item::Coverage(_)
                | Item::Recording(_)
                | Item::Skipped(_)
                | Item::Receipt(_) => {}
            }
        }
    };
    tokio::select! {
        ended = source => ended?,
        () = print => {}
    }
    Ok(())
}

/// Serves the emulator on a free port and returns its URL.
async fn emulate() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let options = emulator::Options { rate: 50.0, ..emulator::Options::default() };
    tokio::spawn(emulator::run(listener, options, std::future::pending()));
    Ok(url)
}

fn print(event: &Event) {
    match event {
        Event::CallStarted(call) => println!("call.started: {} {}", call.direction, call.caller_id),
        Event::SurfaceDelivered(surface) => {
            println!("surface.delivered: {} to {}", surface.channel, surface.channel_address);
        }
        Event::TapGap(gap) => println!("events may be missing: {}", gap.reason),
        _ => println!("{}", event.event_type()),
    }
}
