//! Turns a recorded call into a scenario: the same types, order, pauses, shapes and sizes, with
//! invented people.
//!
//! Everything is replaced except structure: names that the model declares, enumerated values,
//! booleans, counts and durations, and the vocabulary of the agent, such as states and tools. The
//! same text becomes the same invention, so that a caller stays one person, and an id one id. What
//! is invented depends on the seed, on lengths and on the order of values, and on nothing else of
//! what it replaces.

mod fictions;
mod inventor;
mod originals;
mod recorded;
mod scenario_text;

pub use recorded::{RecordedEvent, RecordedField};
pub use scenario_text::{Distillate, distil};
