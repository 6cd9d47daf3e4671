//! An emulator of the platform: the workspace stream and the call observers of a fictional clinic.
//!
//! [`run`] serves a listener, for `evtap serve` or in the process that taps it. The emulator
//! follows the platform's protocol exactly, including what makes it hard for clients: ids that
//! several events share, a replay of five minutes, two shapes of observer frames. It fails on
//! request, by [`Fault`]. All people in it are fictional.
//!
//! Each workspace has its own clinic, or plays a [`Scenario`] in its place. The seed and the workspace determine its day, which starts when
//! the first client opens the workspace stream, and continues whether or not a client is connected.
//! All clinics together keep a limited number of bytes for replays.

mod buffer;
mod bus;
mod cast;
mod clinics;
#[cfg(test)]
mod conformance;
mod day;
mod demo;
pub mod distil;
mod faults;
mod ledger;
mod observed_call;
mod observer;
mod observers;
mod options;
mod presence;
mod reset;
pub mod samples;
mod scenario;
mod serve;
mod server;
mod slow_tools;
mod sse;
mod stories;
mod story_faults;
#[cfg(test)]
mod tests;
mod trigger;
mod trigger_route;
mod wire;

pub use demo::{DEMO_CALL, DEMO_WORKSPACE};
pub use faults::{CutPoint, Fault, read_script};
pub use ledger::{Ledger, LedgerEntry, ObservedEvent};
pub use options::{MAX_DEMO, MAX_SERVED, Options, ServedWorkspaces, demo_workspace};
pub use scenario::{Scenario, ScenarioOptions, read_scenario};
pub use serve::run;
pub use trigger::Trigger;
