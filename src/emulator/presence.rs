//! Counts connections: to limit the open streams, and to find out when all clients are served.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::transport::shutdown::ShutdownFlag;

/// The time that a disconnected client has to reconnect: the longest back-off.
const COME_BACK: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct Count {
    /// The number of open streams of each workspace that has any.
    streams: HashMap<String, usize>,
    observers: usize,
    /// The number of connections that got everything up to the end.
    served: usize,
    begun: bool,
    /// The number of days that are not over.
    days: usize,
}

impl Count {
    fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.observers == 0
    }

    /// Whether no client is connected and nothing is played for one that may reconnect.
    fn at_rest(&self) -> bool {
        self.is_empty() && if self.begun { self.days == 0 } else { self.served > 0 }
    }
}

/// The count of connections.
///
/// Every connection waits for `closing`, so it is apart from the count: a change of the count must
/// not wake all of them.
#[derive(Debug, Clone)]
pub struct Presence {
    count: Arc<watch::Sender<Count>>,
    closing: Arc<ShutdownFlag>,
}

impl Presence {
    /// Creates a count without connections.
    pub fn new() -> Self {
        Self { count: Arc::default(), closing: Arc::default() }
    }

    /// Counts a new stream of a workspace, unless `limit` of its streams are open.
    pub fn stream(&self, workspace: &str, limit: usize) -> Option<Visit> {
        let entered = self.count.send_if_modified(|count| {
            let open = count.streams.get(workspace).copied().unwrap_or_default();
            let free = open < limit;
            if free {
                count.streams.insert(workspace.to_owned(), open + 1);
            }
            free
        });
        entered.then(|| Visit { presence: self.clone(), workspace: Some(workspace.to_owned()) })
    }

    /// Counts a new observer.
    pub fn observer(&self) -> Visit {
        self.count.send_modify(|count| count.observers += 1);
        Visit { presence: self.clone(), workspace: None }
    }

    /// Records that the day of a workspace begins.
    pub fn day_begins(&self) {
        self.count.send_modify(|count| {
            count.begun = true;
            count.days += 1;
        });
    }

    /// Records that the day of a workspace is over.
    pub fn day_ends(&self) {
        self.count.send_modify(|count| count.days -= 1);
    }

    /// Asks all connections to close.
    pub fn close(&self) {
        self.closing.set();
    }

    /// Waits until connections are asked to close.
    pub async fn closing(&self) {
        self.closing.wait().await;
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
        let _ = self.count.subscribe().wait_for(|count| reached(count)).await;
    }
}

/// One connection, for as long as it lasts.
#[derive(Debug)]
pub struct Visit {
    presence: Presence,
    /// The workspace whose stream it is; `None` for an observer.
    workspace: Option<String>,
}

impl Visit {
    /// Records that the connection got everything.
    pub fn served(&self) {
        self.presence.count.send_modify(|count| count.served += 1);
    }

    /// Waits until connections are asked to close.
    pub async fn closing(&self) {
        self.presence.closing().await;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.presence.count.send_modify(|count| match self.workspace.take() {
            Some(workspace) => {
                if let Entry::Occupied(mut open) = count.streams.entry(workspace) {
                    *open.get_mut() -= 1;
                    if *open.get() == 0 {
                        open.remove();
                    }
                }
            }
            None => count.observers -= 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn all_served(presence: &Presence) -> bool {
        presence.count.borrow().at_rest() && presence.all_served().now_or_never().is_some()
    }

    #[test]
    fn no_more_streams_than_there_may_be() {
        let presence = Presence::new();
        let first = presence.stream("a", 2).expect("a place");
        let _second = presence.stream("a", 2).expect("a place");
        assert!(presence.stream("a", 2).is_none());
        assert!(presence.stream("b", 2).is_some(), "another workspace has its own limit");
        drop(first);
        assert!(presence.stream("a", 2).is_some());
    }

    #[tokio::test]
    async fn a_day_is_served_when_it_is_over_and_everybody_has_left() {
        let presence = Presence::new();
        assert!(!all_served(&presence), "nobody came yet");
        let stream = presence.stream("a", 1).expect("a place");
        presence.day_begins();
        presence.day_ends();
        assert!(!all_served(&presence), "somebody still reads");
        stream.served();
        drop(stream);
        assert!(all_served(&presence));
    }

    #[tokio::test]
    async fn a_disconnected_client_can_reconnect() {
        let presence = Presence::new();
        presence.day_begins();
        drop(presence.stream("a", 1));
        presence.day_ends();
        assert!(!all_served(&presence), "nobody had everything");
        presence.stream("a", 1).expect("a place").served();
        assert!(all_served(&presence));
    }

    #[tokio::test]
    async fn observers_alone_need_no_day() {
        let presence = Presence::new();
        drop(presence.observer());
        assert!(!all_served(&presence), "nobody had everything");
        presence.observer().served();
        assert!(all_served(&presence));
        presence.day_begins();
        assert!(!all_served(&presence), "a day has begun");
        presence.day_begins();
        presence.day_ends();
        assert!(!all_served(&presence), "another day goes on");
    }
}
