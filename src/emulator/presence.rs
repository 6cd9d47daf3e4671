//! Counts connections: to limit the open streams, and to find out when all clients are served.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::model::Stream;

/// The time that a disconnected client has to reconnect: the longest back-off.
const COME_BACK: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    streams: usize,
    observers: usize,
    /// The number of connections that got everything up to the end.
    served: usize,
    begun: bool,
    over: bool,
    closing: bool,
}

impl Count {
    const fn is_empty(&self) -> bool {
        self.streams == 0 && self.observers == 0
    }

    /// Whether no client is connected and nothing is played for one that may reconnect.
    const fn at_rest(&self) -> bool {
        self.is_empty() && (self.over || (!self.begun && self.served > 0))
    }
}

/// The count of connections.
#[derive(Debug, Clone)]
pub struct Presence(Arc<watch::Sender<Count>>);

impl Presence {
    /// Creates a count without connections.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }

    /// Counts a new workspace stream, unless `limit` streams are open.
    pub fn stream(&self, limit: usize) -> Option<Visit> {
        let entered = self.0.send_if_modified(|count| {
            let free = count.streams < limit;
            count.streams += usize::from(free);
            count.begun |= free;
            free
        });
        entered.then(|| Visit { presence: self.clone(), stream: Stream::Workspace })
    }

    /// Counts a new observer.
    pub fn observer(&self) -> Visit {
        self.0.send_modify(|count| count.observers += 1);
        Visit { presence: self.clone(), stream: Stream::Observer }
    }

    /// Records the end of the day.
    pub fn over(&self) {
        self.0.send_modify(|count| count.over = true);
    }

    /// Asks all connections to close.
    pub fn close(&self) {
        self.0.send_modify(|count| count.closing = true);
    }

    /// Waits until connections are asked to close.
    pub async fn closing(&self) {
        self.until(|count| count.closing).await;
    }

    /// Waits until no client is connected.
    pub async fn empty(&self) {
        self.until(Count::is_empty).await;
    }

    /// Waits until the day, or a call if there were only observers, has been played and the clients
    /// have received all of it. A client that lost its connection gets time to reconnect.
    pub async fn all_served(&self) {
        self.until(Count::at_rest).await;
        // A timeout means that no client has reconnected.
        let _ = timeout(COME_BACK, self.until(|count| count.at_rest() && count.served > 0)).await;
    }

    async fn until(&self, reached: impl Fn(&Count) -> bool) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|count| reached(count)).await;
    }
}

/// One connection, for as long as it lasts.
#[derive(Debug)]
pub struct Visit {
    presence: Presence,
    stream: Stream,
}

impl Visit {
    /// Records that the connection got everything.
    pub fn served(&self) {
        self.presence.0.send_modify(|count| count.served += 1);
    }

    /// Waits until connections are asked to close.
    pub async fn closing(&self) {
        self.presence.closing().await;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.presence.0.send_modify(|count| match self.stream {
            Stream::Workspace => count.streams -= 1,
            Stream::Observer | Stream::Own => count.observers -= 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn all_served(presence: &Presence) -> bool {
        presence.0.borrow().at_rest() && presence.all_served().now_or_never().is_some()
    }

    #[test]
    fn no_more_streams_than_there_may_be() {
        let presence = Presence::new();
        let first = presence.stream(2).expect("a place");
        let _second = presence.stream(2).expect("a place");
        assert!(presence.stream(2).is_none());
        drop(first);
        assert!(presence.stream(2).is_some());
    }

    #[tokio::test]
    async fn a_day_is_served_when_it_is_over_and_everybody_has_left() {
        let presence = Presence::new();
        assert!(!all_served(&presence), "nobody came yet");
        let stream = presence.stream(1).expect("a place");
        presence.over();
        assert!(!all_served(&presence), "somebody still reads");
        stream.served();
        drop(stream);
        assert!(all_served(&presence));
    }

    #[tokio::test]
    async fn a_disconnected_client_can_reconnect() {
        let presence = Presence::new();
        drop(presence.stream(1));
        presence.over();
        assert!(!all_served(&presence), "nobody had everything");
        presence.stream(1).expect("a place").served();
        assert!(all_served(&presence));
    }

    #[tokio::test]
    async fn observers_alone_need_no_day() {
        let presence = Presence::new();
        drop(presence.observer());
        assert!(!all_served(&presence), "nobody had everything");
        presence.observer().served();
        assert!(all_served(&presence));
        let _stream = presence.stream(1).expect("a place");
        assert!(!all_served(&presence), "a day has begun");
    }
}
