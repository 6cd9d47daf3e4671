//! All metrics of a run.

use jiff::Timestamp;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::collector::RunCollector;
use super::events::EventMetrics;

/// What the names of all metrics begin with.
const PREFIX: &str = "evtap";

/// Creates the metrics of a run. `now` is the clock.
#[must_use]
pub fn registry(collector: RunCollector, now: fn() -> Timestamp) -> (Registry, EventMetrics) {
    let mut registry = Registry::with_prefix(PREFIX);
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "The version of evtap", version);
    let events = EventMetrics::new(&mut registry, now);
    registry.register_collector(Box::new(collector));
    (registry, events)
}
