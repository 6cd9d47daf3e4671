//! `--metrics-listen`: what a live command has seen so far, for Prometheus to scrape.
//!
//! [`EventMetrics`] counts events on the thread of the pipeline. [`RunCollector`] reads what sources
//! and destinations count anyway. [`server`] answers scrapes on the runtime, so a slow client delays
//! neither events nor other clients. No label has a value from a hidden or a free-text field, and
//! the number of values is bounded; see [`labels`].

mod collector;
mod endpoint;
mod events;
mod format;
mod labels;
mod registry;
mod server;

pub use collector::RunCollector;
pub use endpoint::MetricsServer;
pub use events::EventMetrics;
pub use format::TextFormat;
pub use registry::registry;
