//! The platform, emulated: the workspace stream and the call observer of a made-up clinic, whose day comes from a seed.
//!
//! [`run`] serves a listener, whether for `evtap serve` or within the process that taps it. It keeps to the platform's
//! protocol to the letter, down to what makes it hard for clients (ids that several events share, a replay that is five
//! minutes long, two shapes of observer frames), and fails on request, by [`Fault`]. Nobody who appears in it exists.
//!
//! The day begins when the first client opens the workspace stream, and goes on whether anyone listens or not.

mod buffer;
mod bus;
mod cast;
#[cfg(test)]
mod conformance;
mod faults;
mod ledger;
mod observer;
mod presence;
mod reset;
pub mod samples;
mod scenario;
mod server;
mod sse;
mod stories;
#[cfg(test)]
mod tests;
mod wire;

use std::time::Duration;

pub use faults::{CutPoint, Fault, read_script};
pub use ledger::Ledger;
pub use server::run;

use crate::transport::credential::Credential;

/// A workspace to name where any will do.
pub const DEMO_WORKSPACE: &str = "d3300000-0000-4000-8000-000000000001";

/// A call that is always live. It is played from its beginning for each observer, and everything happens in it that can.
pub const DEMO_CALL: &str = "CAd3300000000000000000000000000001";

/// How to emulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the day is drawn from. The same seed gives the same events in the same order.
    pub seed: u64,
    /// Workspace events a second, on average. At five, calls take as long as they say.
    pub rate: f64,
    /// Whether to play a day of about a minute, in which every type appears, and then return. With observers alone, to
    /// return when the demo call has been played.
    pub once: bool,
    /// The only credential to accept; `None` accepts any.
    pub api_key: Option<Credential>,
    /// The only workspace there is; `None` stands for any UUID.
    pub workspace: Option<String>,
    /// How many workspace streams may be open at a time.
    pub max_streams: usize,
    /// What goes wrong, one fault a connection, in order.
    pub faults: Vec<Fault>,
    /// The time between two comment lines in a stream.
    pub heartbeat: Duration,
    /// Numbers the workspace events and keeps their ids, for those who check what came of them.
    pub ledger: Option<Ledger>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            rate: scenario::DENSITY,
            once: false,
            api_key: None,
            workspace: None,
            max_streams: 50,
            faults: Vec::new(),
            heartbeat: Duration::from_secs(15),
            ledger: None,
        }
    }
}
