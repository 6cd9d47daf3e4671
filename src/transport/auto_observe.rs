//! The calls of a workspace, observed as they start: at most so many at a time, the others wait until they end or there is
//! room.
//!
//! It looks at the type and the SID of an event and at nothing else. What an observer comes to, short of frames, is its own
//! matter: a call that is over before it can be observed is no failure of the workspace's stream.

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

/// How many calls may wait for room.
const WAITING: usize = 1024;

/// Which calls to observe.
#[derive(Debug)]
pub struct AutoObserver {
    most: usize,
    observed: HashSet<String>,
    waiting: VecDeque<String>,
}

impl AutoObserver {
    /// None yet, and at most so many at a time.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, observed: HashSet::new(), waiting: VecDeque::new() }
    }

    /// A call has started.
    fn started(&mut self, call: String) {
        if !self.observed.contains(&call)
            && !self.waiting.contains(&call)
            && self.waiting.len() < WAITING
        {
            self.waiting.push_back(call);
        }
    }

    /// A call has ended: there is nothing to wait for any more.
    fn ended(&mut self, call: &str) {
        self.waiting.retain(|waiting| waiting != call);
    }

    /// The next call to observe, if there is room.
    fn next(&mut self) -> Option<String> {
        let call = (self.observed.len() < self.most).then(|| self.waiting.pop_front()).flatten()?;
        self.observed.insert(call.clone());
        Some(call)
    }

    /// A call is no longer observed.
    fn done(&mut self, call: &str) {
        self.observed.remove(call);
    }
}

/// Sends a workspace's items on, and observes the calls that start among them, until the stream is over and so are they.
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
                            Some(CallSignal::Started(call)) => calls.started(call),
                            Some(CallSignal::Ended(call)) => calls.ended(&call),
                            None => {}
                        }
                    }
                    if tx.send(item).await.is_err() {
                        return;
                    }
                }
            },
            Some(done) = running.join_next() => if let Ok(call) = done {
                calls.done(&call);
            },
        }
        while let Some(call) = calls.next() {
            let observing = observe(call.clone());
            running.spawn(async move {
                // Its news has told how it ended.
                let _ = observing.await;
                call
            });
        }
    }
}

/// What is read of an event.
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
            || !frame.event.as_deref().is_none_or(|event| event.starts_with("call."))
        {
            return None;
        }
        // Serde would take the members of an array for those of a struct.
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
    use bytes::Bytes;
    use tokio::sync::mpsc;

    use super::*;
    use crate::model::FrameFlags;
    use crate::transport::channel;

    fn sid(n: u8) -> String {
        format!("CA{n:032}")
    }

    fn frame(event: &str, n: u8) -> Item {
        Item::Frame(RawFrame {
            origin: std::sync::Arc::default(),
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
    async fn no_more_calls_than_there_may_be_and_none_that_has_ended() {
        let (own, frames) = channel(100);
        let (tx, mut rx) = channel(100);
        let (begin, mut observed) = mpsc::unbounded_channel();
        let (end, ends) = async_gate();
        let observe = move |call: String| {
            let (begin, ends) = (begin.clone(), ends.clone());
            async move {
                begin.send(call).expect("the test listens");
                let _permit = ends.acquire().await;
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
            assert!(rx.recv().await.is_some(), "all events go on");
        }
        assert_eq!(observed.recv().await, Some(sid(1)));
        assert_eq!(observed.recv().await, Some(sid(2)));
        assert!(observed.try_recv().is_err(), "two at a time");
        end.add_permits(1);
        assert_eq!(observed.recv().await, Some(sid(4)), "3 has ended while it waited");
        drop(own);
        follow.await.expect("no panic");
        assert!(rx.recv().await.is_none());
    }

    fn async_gate()
    -> (std::sync::Arc<tokio::sync::Semaphore>, std::sync::Arc<tokio::sync::Semaphore>) {
        let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
        (std::sync::Arc::clone(&gate), gate)
    }
}
