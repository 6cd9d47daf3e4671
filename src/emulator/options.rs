//! The options of the emulator: seed, rate, faults and limits.

use std::time::Duration;

use super::day;
use super::faults::Fault;
use super::ledger::Ledger;
use super::scenario::ScenarioOptions;
use crate::model::is_uuid;
use crate::transport::credential::Credential;

/// The highest number of a demo workspace.
pub const MAX_DEMO: u32 = 999;

/// What the id of each demo workspace starts with. The rest is its number, in decimal.
const DEMO_PREFIX: &str = "d3300000-0000-4000-8000-";

/// The length of a number in the id of a demo workspace, in digits.
const DEMO_DIGITS: usize = 12;

/// Returns the id of a demo workspace. The first is [`DEMO_WORKSPACE`](super::DEMO_WORKSPACE).
#[must_use]
pub fn demo_workspace(number: u32) -> String {
    format!("{DEMO_PREFIX}{number:0DEMO_DIGITS$}")
}

/// The workspaces that exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServedWorkspaces {
    /// Any UUID, but at most 1,000 of them.
    Any,
    /// Only this one.
    One(String),
    /// The demo workspaces from 1 to this number.
    Demo(u32),
}

/// The maximum number of workspaces if any UUID is one.
pub const MAX_ANY: usize = 1000;

/// The maximum number of workspaces of [`ServedWorkspaces::Demo`].
pub const MAX_SERVED: u32 = 100_000;

impl ServedWorkspaces {
    /// Whether a workspace exists.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        match self {
            Self::Any => is_uuid(id),
            Self::One(only) => only.eq_ignore_ascii_case(id),
            Self::Demo(last) => {
                let digits = id.to_ascii_lowercase().strip_prefix(DEMO_PREFIX).map(str::to_owned);
                digits.is_some_and(|digits| {
                    digits.len() == DEMO_DIGITS
                        && digits.bytes().all(|digit| digit.is_ascii_digit())
                        && digits
                            .parse()
                            .is_ok_and(|number: u64| (1..=u64::from(*last)).contains(&number))
                })
            }
        }
    }

    /// Returns the maximum number of workspaces.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Any => MAX_ANY,
            Self::One(_) => 1,
            Self::Demo(last) => usize::try_from(*last).unwrap_or(usize::MAX),
        }
    }
}

/// The options of the emulator.
#[derive(Debug, Clone)]
pub struct Options {
    /// The seed of the days. The same seed gives a workspace the same events in the same order.
    pub seed: u64,
    /// The average number of workspace events per second. At five, calls take as long as they
    /// report.
    pub rate: f64,
    /// Whether to play the scenario, or else a day of about a minute, in which every type appears, and then return. If
    /// only observers connect, the emulator returns after the demo call.
    pub once: bool,
    /// The scenario to play in place of the days of the clinics and of the demo call.
    pub scenario: Option<ScenarioOptions>,
    /// The only credential to accept; `None` accepts any.
    pub api_key: Option<Credential>,
    /// The workspaces that exist.
    pub workspaces: ServedWorkspaces,
    /// The number of streams of a workspace that may be open at a time.
    pub max_streams: usize,
    /// The faults of successive connections, and the events that are absent.
    pub faults: Vec<Fault>,
    /// The time between two comment lines in a stream.
    pub heartbeat: Duration,
    /// Takes a line about each request: its method, its route and the status of the answer.
    pub request_log: Option<fn(&str)>,
    /// Numbers the workspace events and records their ids, for tests.
    pub ledger: Option<Ledger>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            rate: day::DENSITY,
            once: false,
            scenario: None,
            api_key: None,
            workspaces: ServedWorkspaces::Any,
            max_streams: 50,
            faults: Vec::new(),
            heartbeat: Duration::from_secs(15),
            request_log: None,
            ledger: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::DEMO_WORKSPACE;

    #[test]
    fn the_demo_workspaces_are_those_up_to_a_number() {
        let served = ServedWorkspaces::Demo(10_000);
        for number in [1, 9, 10, 9_999, 10_000] {
            assert!(served.contains(&demo_workspace(number)), "{number}");
        }
        assert!(served.contains(&DEMO_WORKSPACE.to_ascii_uppercase()));
        for number in [0, 10_001, u32::MAX] {
            assert!(!served.contains(&demo_workspace(number)), "{number}");
        }
        for other in [
            "00000000-0000-4000-8000-000000000001",
            "d3300000-0000-4000-8000-00000000000a",
            "d3300000-0000-4000-8000-1",
            "",
        ] {
            assert!(!served.contains(other), "{other}");
        }
    }
}
