//! The options of the emulator: seed, rate, faults and limits.

use std::time::Duration;

use super::faults::Fault;
use super::ledger::Ledger;
use super::scenario;
use crate::transport::credential::Credential;

/// A workspace id for use where any id works.
pub const DEMO_WORKSPACE: &str = "d3300000-0000-4000-8000-000000000001";

/// The highest number of a demo workspace.
pub const MAX_DEMO: u16 = 999;

/// Returns the id of a demo workspace. The first is [`DEMO_WORKSPACE`].
#[must_use]
pub fn demo_workspace(number: u16) -> String {
    format!("d3300000-0000-4000-8000-{number:012}")
}

/// The SID of the demo call, which is always live. Each observer sees it from its start, and it
/// contains every type of observer event.
pub const DEMO_CALL: &str = "CAd3300000000000000000000000000001";

/// The options of the emulator.
#[derive(Debug, Clone)]
pub struct Options {
    /// The seed of the days. The same seed gives a workspace the same events in the same order.
    pub seed: u64,
    /// The average number of workspace events per second. At five, calls take as long as they
    /// report.
    pub rate: f64,
    /// Whether to play a day of about a minute, in which every type appears, and then return. If
    /// only observers connect, the emulator returns after the demo call.
    pub once: bool,
    /// The only credential to accept; `None` accepts any.
    pub api_key: Option<Credential>,
    /// The only workspace that exists; `None` accepts any UUID.
    pub workspace: Option<String>,
    /// The number of streams of a workspace that may be open at a time.
    pub max_streams: usize,
    /// The faults of successive connections.
    pub faults: Vec<Fault>,
    /// The time between two comment lines in a stream.
    pub heartbeat: Duration,
    /// Numbers the workspace events and records their ids, for tests.
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
