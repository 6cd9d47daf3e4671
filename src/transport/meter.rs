//! What the live sources of a run have done so far, for metrics. Reading it never waits for a source.

use std::array::from_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ConnectionState;
use crate::model::Stream;

/// The kinds of streams that are counted separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// The SSE stream of a workspace.
    Workspace,
    /// The observer WebSocket of a call.
    Observer,
    /// A stream of a broker.
    Broker,
}

impl StreamKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Workspace, Self::Observer, Self::Broker];

    /// Returns the name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Observer => "observer",
            Self::Broker => "broker",
        }
    }

    /// Returns the kind of the stream that an origin names.
    pub(super) const fn of(stream: Option<Stream>) -> Self {
        match stream {
            Some(Stream::Workspace) => Self::Workspace,
            Some(Stream::Observer) => Self::Observer,
            Some(Stream::Own) | None => Self::Broker,
        }
    }
}

/// The state of the connection of a stream that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// The first connection is being opened.
    Connecting,
    /// The connection is open.
    Connected,
    /// The connection was lost and will be opened again.
    Reconnecting,
}

impl LinkState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Connecting, Self::Connected, Self::Reconnecting];

    /// Returns the name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
        }
    }
}

/// Counts streams by the state of their connection, reconnects and bytes.
#[derive(Debug, Default)]
pub struct SourceMeter {
    kinds: [KindCounts; StreamKind::ALL.len()],
}

/// The counts of one kind of streams.
#[derive(Debug, Default)]
struct KindCounts {
    streams: [AtomicU64; LinkState::ALL.len()],
    reconnects: AtomicU64,
    received: AtomicU64,
}

/// The counts of a [`SourceMeter`] for one kind of streams, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceCounts {
    /// The number of streams in each state, in the order of [`LinkState::ALL`].
    pub streams: [u64; LinkState::ALL.len()],
    /// The number of attempts to connect again.
    pub reconnects: u64,
    /// The bytes that were received: the body of an event stream, messages of a socket or a broker.
    pub received: u64,
}

impl SourceMeter {
    /// Returns the counts of a kind.
    #[must_use]
    pub fn counts(&self, kind: StreamKind) -> SourceCounts {
        let counts = &self.kinds[kind as usize];
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SourceCounts {
            streams: from_fn(|state| load(&counts.streams[state])),
            reconnects: load(&counts.reconnects),
            received: load(&counts.received),
        }
    }
}

/// Counts one stream until it is dropped.
#[derive(Debug)]
pub(super) struct StreamMeter {
    meter: Option<Arc<SourceMeter>>,
    kind: StreamKind,
    state: LinkState,
}

impl StreamMeter {
    /// Counts a stream whose first connection is being opened, if anybody wants to know.
    pub(super) fn new(meter: Option<&Arc<SourceMeter>>, kind: StreamKind) -> Self {
        let meter = Self { meter: meter.cloned(), kind, state: LinkState::Connecting };
        meter.count(LinkState::Connecting, 1);
        meter
    }

    /// Counts a change of the connection.
    pub(super) fn change(&mut self, state: &ConnectionState) {
        let next = match state {
            ConnectionState::Connected => LinkState::Connected,
            ConnectionState::Reconnecting { .. } => LinkState::Reconnecting,
            ConnectionState::NotObserved { .. } | ConnectionState::Ended { .. } => return,
        };
        if next == LinkState::Reconnecting
            && let Some(counts) = self.counts()
        {
            counts.reconnects.fetch_add(1, Ordering::Relaxed);
        }
        self.count(self.state, 0_u64.wrapping_sub(1));
        self.count(next, 1);
        self.state = next;
    }

    /// Counts bytes that were received.
    pub(super) fn add_received(&self, bytes: usize) {
        if let Some(counts) = self.counts() {
            counts.received.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    /// Adds to the number of streams in a state. Atomic addition wraps around, so it subtracts too.
    fn count(&self, state: LinkState, number: u64) {
        if let Some(counts) = self.counts() {
            counts.streams[state as usize].fetch_add(number, Ordering::Relaxed);
        }
    }

    fn counts(&self) -> Option<&KindCounts> {
        self.meter.as_ref().map(|meter| &meter.kinds[self.kind as usize])
    }
}

impl Drop for StreamMeter {
    fn drop(&mut self) {
        self.count(self.state, 0_u64.wrapping_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::catalog::value::EndReason;

    #[test]
    fn a_stream_is_counted_in_one_state_until_it_is_dropped() {
        let meter = Arc::new(SourceMeter::default());
        let streams = || meter.counts(StreamKind::Observer).streams;
        let mut stream = StreamMeter::new(Some(&meter), StreamKind::Observer);
        let other = StreamMeter::new(Some(&meter), StreamKind::Observer);
        assert_eq!(streams(), [2, 0, 0]);
        let lost =
            ConnectionState::Reconnecting { delay: Duration::ZERO, attempt: 1, why: String::new() };
        for (state, expected) in [
            (&ConnectionState::Connected, [1, 1, 0]),
            (&lost, [1, 0, 1]),
            (&lost, [1, 0, 1]),
            (&ConnectionState::Connected, [1, 1, 0]),
            (&ConnectionState::ended(EndReason::CallEnded), [1, 1, 0]),
        ] {
            stream.change(state);
            assert_eq!(streams(), expected, "{state:?}");
        }
        stream.add_received(7);
        drop(stream);
        assert_eq!(streams(), [1, 0, 0]);
        drop(other);
        let counts = SourceCounts { streams: [0; 3], reconnects: 2, received: 7 };
        assert_eq!(meter.counts(StreamKind::Observer), counts);
        let none = SourceCounts { streams: [0; 3], reconnects: 0, received: 0 };
        assert_eq!(meter.counts(StreamKind::Workspace), none);
    }
}
