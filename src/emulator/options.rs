//! How to emulate: seed, rate, faults and limits.

use std::time::Duration;

use super::faults::Fault;
use super::ledger::Ledger;
use super::scenario;
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
