//! Who is connected: for the limit of open streams, and to know when everybody has had everything.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::model::Stream;

/// How long a client that left before the end has to come back: the longest back-off.
const COME_BACK: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    streams: usize,
    observers: usize,
    /// Connections that were served to the end of what there was.
    served: usize,
    begun: bool,
    over: bool,
    closing: bool,
}

impl Count {
    const fn is_empty(&self) -> bool {
        self.streams == 0 && self.observers == 0
    }

    /// Nobody is connected, and nothing is being played for those who may come back.
    const fn at_rest(&self) -> bool {
        self.is_empty() && (self.over || (!self.begun && self.served > 0))
    }
}

/// The count of connections.
#[derive(Debug, Clone)]
pub struct Presence(Arc<watch::Sender<Count>>);

impl Presence {
    /// Nobody is there yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }

    /// A workspace stream is opened, unless so many are.
    pub fn stream(&self, most: usize) -> Option<Visit> {
        let entered = self.0.send_if_modified(|count| {
            let free = count.streams < most;
            count.streams += usize::from(free);
            count.begun |= free;
            free
        });
        entered.then(|| Visit { presence: self.clone(), stream: Stream::Workspace })
    }

    /// An observer comes.
    pub fn observer(&self) -> Visit {
        self.0.send_modify(|count| count.observers += 1);
        Visit { presence: self.clone(), stream: Stream::Observer }
    }

    /// The day is over.
    pub fn over(&self) {
        self.0.send_modify(|count| count.over = true);
    }

    /// Everybody is to leave.
    pub fn close(&self) {
        self.0.send_modify(|count| count.closing = true);
    }

    /// Waits until everybody is to leave.
    pub async fn closing(&self) {
        self.until(|count| count.closing).await;
    }

    /// Waits until nobody is there.
    pub async fn empty(&self) {
        self.until(Count::is_empty).await;
    }

    /// Waits until the day, or a call if that is all that anyone came for, has been played, and those who wanted it have
    /// had it to the end. A client that broke off is given the time to come back.
    pub async fn all_served(&self) {
        self.until(Count::at_rest).await;
        // Nobody came back in time; there is nothing more to wait for.
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
    /// It has had everything.
    pub fn served(&self) {
        self.presence.0.send_modify(|count| count.served += 1);
    }

    /// Waits until everybody is to leave.
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
    async fn who_breaks_off_can_come_back() {
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
