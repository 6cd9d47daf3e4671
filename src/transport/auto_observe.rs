//! Observing the calls of a workspace as they start.
//!
//! At most a given number of calls is observed at a time. Further calls wait until there is room,
//! and are dropped if they end first. Only the type and the call SID of an event are read. An
//! observer that fails does not end the workspace stream: a call may be over before it can be
//! observed.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::future::Future;

use serde::Deserialize;
use tokio::task::JoinSet;

use super::Item;
use super::RawFrame;
use super::Receiver;
use super::Sender;
use crate::error::Result;
use crate::model::{FrameFormat, is_call_sid};

/// The maximum number of waiting calls. Further calls are not observed.
const MAX_WAITING: usize = 1024;

/// Decides which calls to observe.
#[derive(Debug)]
pub struct AutoObserver {
    max_observed: usize,
    observed: HashSet<String>,
    waiting: VecDeque<String>,
}

impl AutoObserver {
    /// Creates an observer of at most `max_observed` calls at a time.
    #[must_use]
    pub fn new(max_observed: usize) -> Self {
        Self { max_observed, observed: HashSet::new(), waiting: VecDeque::new() }
    }

    /// Adds a call that has started to the waiting calls.
    fn call_started(&mut self, call: String) {
        if !self.observed.contains(&call)
            && !self.waiting.contains(&call)
            && self.waiting.len() < MAX_WAITING
        {
            self.waiting.push_back(call);
        }
    }

    /// Removes a call that has ended from the waiting calls.
    fn call_ended(&mut self, call: &str) {
        self.waiting.retain(|waiting| waiting != call);
    }

    /// Returns the next call to observe, if there is room.
    fn begin_next(&mut self) -> Option<String> {
        if self.observed.len() >= self.max_observed {
            return None;
        }
        let call = self.waiting.pop_front()?;
        self.observed.insert(call.clone());
        Some(call)
    }

    /// Makes room after the observer of a call has ended.
    fn observer_ended(&mut self, call: &str) {
        self.observed.remove(call);
    }
}

/// Passes on the items of a workspace and observes the calls that start among them, until the
/// stream and all observers have ended.
pub async fn follow<F>(
    mut items: Receiver,
    mut calls: AutoObserver,
    observe: impl Fn(String) -> F,
    tx: &Sender,
) where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut running: JoinSet<String> = JoinSet::new();
    let mut open = true;
    while open || !running.is_empty() {
        tokio::select! {
            item = items.recv(), if open => match item {
                None => open = false,
                Some(item) => {
                    if let Item::Frame(frame) = &item {
                        match CallSignal::from_frame(frame) {
                            Some(CallSignal::Started(call)) => calls.call_started(call),
                            Some(CallSignal::Ended(call)) => calls.call_ended(&call),
                            None => {}
                        }
                    }
                    if tx.send(item).await.is_err() {
                        return;
                    }
                }
            },
            Some(ended) = running.join_next() => if let Ok(call) = ended {
                calls.observer_ended(&call);
            },
        }
        while let Some(call) = calls.begin_next() {
            let observing = observe(call.clone());
            running.spawn(async move {
                // The observer has reported its end as a connection event.
                let _ = observing.await;
                call
            });
        }
    }
}

/// The start or the end of a call, with its SID.
enum CallSignal {
    Started(String),
    Ended(String),
}

impl CallSignal {
    fn from_frame(frame: &RawFrame) -> Option<Self> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow, default)]
            event_type: Option<Cow<'a, str>>,
            #[serde(borrow)]
            call_sid: Cow<'a, str>,
        }
        if frame.format != FrameFormat::Sse
            || frame.flags.replayed
            || !frame.event.as_deref().is_none_or(|event| event.starts_with("call."))
        {
            return None;
        }
        // Serde would also deserialise a struct from an array.
        let data = frame.data.trim_ascii_start();
        let fields =
            serde_json::from_slice::<Fields<'_>>(data).ok().filter(|_| data.starts_with(b"{"))?;
        if !is_call_sid(&fields.call_sid) {
            return None;
        }
        let call = fields.call_sid.into_owned();
        match frame.event.as_deref().or(fields.event_type.as_deref()) {
            Some("call.started") => Some(Self::Started(call)),
            Some("call.ended") => Some(Self::Ended(call)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tokio::sync::{Semaphore, mpsc};

    use super::*;
    use crate::model::FrameFlags;
    use crate::transport::channel;

    fn sid(n: u8) -> String {
        format!("CA{n:032}")
    }

    fn frame(event: &str, n: u8) -> Item {
        Item::Frame(RawFrame {
            origin: Arc::default(),
            format: FrameFormat::Sse,
            event: Some(event.to_owned()),
            id: None,
            data: Bytes::from(format!(r#"{{"call_sid":"{}"}}"#, sid(n))),
            received_at: None,
            fault: None,
            offset: 0,
            flags: FrameFlags::default(),
        })
    }

    #[tokio::test]
    async fn observes_at_most_the_maximum_and_no_call_that_has_ended() {
        let (own, frames) = channel(100);
        let (tx, mut rx) = channel(100);
        let (begin, mut observed) = mpsc::unbounded_channel();
        // Each permit ends one observer.
        let ends = Arc::new(Semaphore::new(0));
        let gate = Arc::clone(&ends);
        let observe = move |call: String| {
            let (begin, gate) = (begin.clone(), Arc::clone(&gate));
            async move {
                begin.send(call).expect("the test listens");
                let _permit = gate.acquire().await;
                Ok(())
            }
        };
        let follow =
            tokio::spawn(async move { follow(frames, AutoObserver::new(2), observe, &tx).await });
        for (event, n) in [
            ("call.started", 1),
            ("call.started", 1),
            ("call.started", 2),
            ("call.started", 3),
            ("call.started", 4),
        ] {
            own.send(frame(event, n)).await.expect("open");
        }
        own.send(frame("call.ended", 3)).await.expect("open");
        for _ in 0..6 {
            assert!(rx.recv().await.is_some(), "all events are passed on");
        }
        assert_eq!(observed.recv().await, Some(sid(1)));
        assert_eq!(observed.recv().await, Some(sid(2)));
        assert!(observed.try_recv().is_err(), "two at a time");
        ends.add_permits(1);
        assert_eq!(observed.recv().await, Some(sid(4)), "call 3 ended while it waited");
        drop(own);
        follow.await.expect("no panic");
        assert!(rx.recv().await.is_none());
    }
}
