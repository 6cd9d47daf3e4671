//! Metrics of sources and destinations, which count their work themselves.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::labels::Labels;
use crate::delivery::ResultCounts;
use crate::transport::meter::{LinkState, SourceCounts, SourceMeter, StreamKind};

/// Reads the counts at each scrape.
#[derive(Debug)]
pub struct RunCollector {
    /// The counts of the sources.
    pub meter: Arc<SourceMeter>,
    /// The results of the destinations that count them.
    pub deliveries: Vec<Arc<dyn ResultCounts>>,
}

/// A metric: its name without prefix and unit, its help and its unit.
struct Descriptor(&'static str, &'static str, Option<Unit>);

impl RunCollector {
    fn sources(&self) -> impl Iterator<Item = (&'static str, SourceCounts)> {
        StreamKind::ALL.into_iter().map(|kind| (kind.name(), self.meter.counts(kind)))
    }
}

impl Collector for RunCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let states = |(stream, counts): (_, SourceCounts)| {
            let labels = move |state: LinkState| [("stream", stream), ("state", state.name())];
            LinkState::ALL.into_iter().zip(counts.streams).map(move |(state, n)| (labels(state), n))
        };
        let streams = Descriptor("streams", "Streams by the state of their connection.", None);
        gauges(&mut encoder, &streams, self.sources().flat_map(states))?;
        let by_stream = |count: fn(&SourceCounts) -> u64| {
            self.sources().map(move |(stream, counts)| ([("stream", stream)], count(&counts)))
        };
        let reconnects = Descriptor(
            "reconnects",
            "Attempts to connect again after a connection was lost.",
            None,
        );
        counters(&mut encoder, &reconnects, by_stream(|counts| counts.reconnects))?;
        let received = Descriptor(
            "received",
            "Bytes received in event streams and messages, without headers.",
            Some(Unit::Bytes),
        );
        counters(&mut encoder, &received, by_stream(|counts| counts.received))?;
        if self.deliveries.is_empty() {
            return Ok(());
        }
        let results = self.deliveries.iter().map(|results| (results.counts(), results.retries()));
        let delivered = results.clone().flat_map(|(counts, _)| {
            let labels = |result| [("destination", counts.name), ("result", result)];
            [(labels("delivered"), counts.delivered), (labels("refused"), counts.refused)]
        });
        let deliveries = Descriptor(
            "deliveries",
            "Events that a destination accepted or refused for good.",
            None,
        );
        counters(&mut encoder, &deliveries, delivered)?;
        let by_destination =
            results.map(|(counts, retries)| ([("destination", counts.name)], retries));
        let retries =
            Descriptor("delivery_retries", "Attempts to deliver that were repeated.", None);
        counters(&mut encoder, &retries, by_destination)
    }
}

fn counters<const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    Descriptor(name, help, unit): &Descriptor,
    values: impl Iterator<Item = (Labels<N>, u64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
    for (labels, value) in values {
        ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

fn gauges<const N: usize>(
    encoder: &mut DescriptorEncoder<'_>,
    Descriptor(name, help, unit): &Descriptor,
    values: impl Iterator<Item = (Labels<N>, u64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
    for (labels, value) in values {
        ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}
