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
mod options;
mod presence;
mod reset;
pub mod samples;
mod scenario;
mod serve;
mod server;
mod sse;
mod stories;
#[cfg(test)]
mod tests;
mod wire;

pub use faults::{CutPoint, Fault, read_script};
pub use ledger::Ledger;
pub use options::{DEMO_CALL, DEMO_WORKSPACE, Options};
pub use serve::run;
