//! Compares two runs of events, such as two calls or two days of recordings.
//!
//! A [`DiffCollector`] counts and measures one run, into a [`RunProfile`]. [`RunComparison`] compares
//! two profiles by state, tool and turn: what appeared, what disappeared, what takes longer or
//! shorter, and whose share changed. If each run is a single call, the steps of the calls are aligned
//! too. Only fields that are always shown are compared, so masked recordings serve as well.

mod align;
mod compare;
mod html;
mod json;
mod profile;
mod text;

pub use compare::{DiffThreshold, RunComparison};
pub use html::html;
pub use json::json;
pub use profile::{DiffCollector, RunProfile, take};
pub use text::text;
