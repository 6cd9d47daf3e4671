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
    /// The results of the destinations that count events.
    pub deliveries: Vec<Arc<dyn ResultCounts>>,
    /// The results of the destinations that count spans.
    pub spans: Vec<Arc<dyn ResultCounts>>,
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
        if !self.deliveries.is_empty() {
            let delivered = self.deliveries.iter().flat_map(|results| {
                let counts = results.counts();
                let labels = |result| [("destination", counts.name), ("result", result)];
                [(labels("delivered"), counts.delivered), (labels("refused"), counts.refused)]
            });
            let deliveries = Descriptor(
                "deliveries",
                "Events that a destination accepted or refused for good.",
                None,
            );
            counters(&mut encoder, &deliveries, delivered)?;
        }
        if !self.spans.is_empty() {
            let exported = self.spans.iter().flat_map(|results| {
                let counts = results.counts();
                [
                    ([("result", "exported")], counts.delivered),
                    ([("result", "refused")], counts.refused),
                    ([("result", "dropped")], counts.dropped.unwrap_or_default()),
                ]
            });
            let spans = Descriptor("spans", "Spans by what became of them.", None);
            counters(&mut encoder, &spans, exported)?;
        }
        let mut all = self.deliveries.iter().chain(&self.spans).peekable();
        if all.peek().is_none() {
            return Ok(());
        }
        let by_destination =
            all.map(|results| ([("destination", results.counts().name)], results.retries()));
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
