//! Statistics of the events that are shown, for `--stats`, `evtap stats` and the live screen.
//!
//! Memory is bounded for any input and any duration: names from the wire are counted separately up
//! to a limit and together after it, ids are tracked up to a limit, and percentiles come from
//! histograms. Where the order of events matters, as for the first names, the statistics of a
//! [part](EventStats::part) of a stream keep the order. Parts can therefore be counted on several
//! threads and [merged](EventStats::merge) one after the other.

mod event_stats;
pub mod grouped;
mod grouping;
pub mod histogram;
pub mod html;
pub mod json;
pub mod observer;
pub mod over_time;
mod part;
pub mod series;
mod series_part;
pub mod step_tracker;
pub mod tally;
pub mod text;

pub use event_stats::{CallStats, EventStats, ToolStats, call_sid, event_millis};
