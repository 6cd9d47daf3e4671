//! `--metrics-listen`: what a live command has seen so far, for Prometheus to scrape.
//!
//! [`events`] counts events on the thread of the pipeline. [`collector`] reads what sources
//! and destinations count anyway. [`server`] answers scrapes on the runtime, so a slow client delays
//! neither events nor other clients. No label has a value from a hidden or a free-text field, and
//! the number of values is bounded; see [`labels`].

pub mod collector;
mod endpoint;
pub mod events;
pub mod format;
mod labels;
pub mod registry;
mod server;

pub use endpoint::MetricsServer;
