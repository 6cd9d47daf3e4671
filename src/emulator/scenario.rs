//! Scenarios: events from a file, which the emulator plays in place of a clinic's day.
//!
//! A scenario is one call, or whatever else happens in a workspace in a while. Its events have the
//! exact JSON of the file, in which variables stand for what is new each time: the call, the
//! workspace and the time.

mod events;
mod file;
mod payload;
mod play;
mod single;
mod template;

pub(super) use events::ScenarioEvent;
pub use events::{Scenario, ScenarioOptions};
pub use file::read_scenario;
pub(super) use payload::PayloadError;
pub(super) use play::{Play, PlayState};
pub(super) use single::CheckedEvent;
