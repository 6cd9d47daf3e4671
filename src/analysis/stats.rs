//! Statistics of the events that are shown, for `--stats`, `evtap stats` and the live screen.
//!
//! Memory is bounded for any input and any duration: names from the wire are counted separately up
//! to a limit and together after it, ids are tracked up to a limit, and percentiles come from
//! histograms. Nothing depends on the order of events, so the statistics of parts of a stream can
//! be [merged](EventStats::merge).

mod event_stats;
pub mod grouped;
pub mod histogram;
pub mod json;
pub mod observer;
pub mod series;
pub mod step_tracker;
pub mod tally;
pub mod text;

pub use event_stats::{EventStats, event_millis};
