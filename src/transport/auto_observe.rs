//! Observing the calls of workspaces as they start.
//!
//! At most a given number of calls is observed at a time, over all workspaces. Further calls wait
//! until there is room. Only the type and the call SID of an event are read. An observer that fails
//! does not end the workspace stream: a call may be over before it can be observed. Each call that
//! is not observed is reported.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Item;
use super::RawFrame;
use super::Receiver;
use super::Sender;
use super::{ConnectionEvent, ConnectionState};
use crate::error::Result;
use crate::model::{FrameFormat, Origin, Stream, is_call_sid};

/// The maximum number of waiting calls of a workspace. All SIDs have the same length. Further calls
/// are not observed.
const MAX_WAITING: usize = 1024;

const ENDED_FIRST: &str = "it ended while it waited for other calls; raise --auto-observe";
const TOO_MANY_WAIT: &str = "too many other calls are waiting; raise --auto-observe";

/// The number of calls that may be observed at a time, shared by all workspaces.
#[derive(Debug, Clone)]
pub struct ObserverSlots(Arc<Semaphore>);

impl ObserverSlots {
    /// Creates slots for at most `calls` calls.
    #[must_use]
    pub fn new(calls: usize) -> Self {
        Self(Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS))))
    }
}

/// The calls of a workspace that are observed or wait for it.
#[derive(Debug, Default)]
struct ObservedCalls {
    observed: HashSet<String>,
    waiting: VecDeque<String>,
}

impl ObservedCalls {
    /// Adds a call that has started to the waiting calls. Returns the call if there is no room.
    fn call_started(&mut self, call: String) -> Option<String> {
        if self.observed.contains(&call) || self.waiting.contains(&call) {
            return None;
        }
        if self.waiting.len() >= MAX_WAITING {
            return Some(call);
        }
        self.waiting.push_back(call);
        None
    }

    /// Removes a call that has ended from the waiting calls. Returns whether it was one.
    fn call_ended(&mut self, call: &str) -> bool {
        let waiting = self.waiting.len();
        self.waiting.retain(|waiting| waiting != call);
        self.waiting.len() < waiting
    }
}

/// Passes on the items of a workspace and observes the calls that start among them, until the
/// stream and all observers have ended.
pub async fn follow<F>(
    mut items: Receiver,
    workspace_id: &str,
    slots: &ObserverSlots,
    observe: impl Fn(String) -> F,
    tx: &Sender,
) where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut calls = ObservedCalls::default();
    let mut running: JoinSet<(String, Result<()>)> = JoinSet::new();
    let mut open = true;
    while open || !running.is_empty() {
        let mut not_observed = None;
        tokio::select! {
            biased;
            Some(ended) = running.join_next() => if let Ok((call, result)) = ended {
                calls.observed.remove(&call);
                not_observed = result.err().map(|error| (call, error.parts().1.to_owned()));
            },
            slot = Arc::clone(&slots.0).acquire_owned(), if !calls.waiting.is_empty() => {
                if let Some((slot, call)) = slot.ok().zip(calls.waiting.pop_front()) {
                    calls.observed.insert(call.clone());
                    let observing = observe(call.clone());
                    running.spawn(async move {
                        let result = observing.await;
                        drop(slot);
                        (call, result)
                    });
                }
            },
            item = items.recv(), if open => match item {
                None => open = false,
                Some(item) => {
                    let signal = match &item {
                        Item::Frame(frame) => CallSignal::from_frame(frame),
                        _ => None,
                    };
                    if tx.send(item).await.is_err() {
                        return;
                    }
                    not_observed = match signal {
                        Some(CallSignal::Started(call)) => {
                            calls.call_started(call).map(|call| (call, TOO_MANY_WAIT.to_owned()))
                        }
                        Some(CallSignal::Ended(call)) => {
                            calls.call_ended(&call).then(|| (call, ENDED_FIRST.to_owned()))
                        }
                        None => None,
                    };
                }
            },
        }
        if let Some((call, why)) = not_observed {
            let origin = Origin {
                stream: Some(Stream::Observer),
                workspace_id: Some(workspace_id.to_owned()),
                call_sid: Some(call),
            };
            let state = ConnectionState::NotObserved { why };
            let event = ConnectionEvent { origin: Arc::new(origin), state };
            if tx.send(Item::Connection(event)).await.is_err() {
                return;
            }
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
    use bytes::Bytes;
    use tokio::sync::mpsc;

    use super::*;
    use crate::error::{Error, Exit};
    use crate::model::FrameFlags;
    use crate::transport::channel;

    fn sid(n: usize) -> String {
        format!("CA{n:032}")
    }

    fn frame(event: &str, n: usize) -> Item {
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

    /// Starts to follow a workspace. Returns the sender of its items, the receiver of what is passed
    /// on, and the task. Each permit of `ends` ends one observer.
    fn start(
        slots: &ObserverSlots,
        begin: &mpsc::UnboundedSender<String>,
        ends: &Arc<Semaphore>,
    ) -> (Sender, Receiver, tokio::task::JoinHandle<()>) {
        let (own, frames) = channel(10_000);
        let (tx, rx) = channel(10_000);
        let (begin, gate, slots) = (begin.clone(), Arc::clone(ends), slots.clone());
        let observe = move |call: String| {
            let (begin, gate) = (begin.clone(), Arc::clone(&gate));
            async move {
                begin.send(call).expect("the test listens");
                gate.acquire().await.expect("open").forget();
                Ok(())
            }
        };
        let task = tokio::spawn(async move { follow(frames, "ws", &slots, observe, &tx).await });
        (own, rx, task)
    }

    /// Returns the calls that were not observed, and why, among the next items.
    async fn not_observed(rx: &mut Receiver, items: usize) -> Vec<(String, String)> {
        let mut calls = Vec::new();
        for _ in 0..items {
            if let Item::Connection(event) = rx.recv().await.expect("all events are passed on") {
                let ConnectionState::NotObserved { why } = &event.state else {
                    panic!("another state")
                };
                calls.push((event.origin.call_sid.clone().expect("a call"), why.clone()));
            }
        }
        calls
    }

    #[tokio::test]
    async fn observes_at_most_the_maximum_and_reports_a_call_that_ended_first() {
        let (begin, mut observed) = mpsc::unbounded_channel();
        let ends = Arc::new(Semaphore::new(0));
        let (own, mut rx, task) = start(&ObserverSlots::new(2), &begin, &ends);
        for (event, n) in [
            ("call.started", 1),
            ("call.started", 1),
            ("call.started", 2),
            ("call.started", 3),
            ("call.started", 4),
            ("call.ended", 3),
        ] {
            own.send(frame(event, n)).await.expect("open");
        }
        assert_eq!(not_observed(&mut rx, 7).await, [(sid(3), ENDED_FIRST.to_owned())]);
        assert_eq!(observed.recv().await, Some(sid(1)));
        assert_eq!(observed.recv().await, Some(sid(2)));
        assert!(observed.try_recv().is_err(), "two at a time");
        ends.add_permits(1);
        assert_eq!(observed.recv().await, Some(sid(4)), "call 3 ended while it waited");
        ends.add_permits(2);
        drop(own);
        task.await.expect("no panic");
        assert!(rx.recv().await.is_none());
    }

    #[tokio::test]
    async fn all_workspaces_together_observe_at_most_the_maximum() {
        let (begin, mut observed) = mpsc::unbounded_channel();
        let ends = Arc::new(Semaphore::new(0));
        let slots = ObserverSlots::new(2);
        let streams: Vec<_> = (0..3).map(|_| start(&slots, &begin, &ends)).collect();
        for (n, (own, ..)) in (0..).zip(&streams) {
            own.send(frame("call.started", n)).await.expect("open");
        }
        let mut calls = vec![observed.recv().await, observed.recv().await];
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(observed.try_recv().is_err(), "two at a time");
        ends.add_permits(1);
        calls.push(observed.recv().await);
        calls.sort();
        assert_eq!(calls, [Some(sid(0)), Some(sid(1)), Some(sid(2))]);
    }

    #[tokio::test]
    async fn a_call_that_finds_no_room_to_wait_or_cannot_be_observed_is_reported() {
        let (begin, _observed) = mpsc::unbounded_channel();
        let ends = Arc::new(Semaphore::new(0));
        let (own, mut rx, _task) = start(&ObserverSlots::new(0), &begin, &ends);
        for n in 0..=MAX_WAITING {
            own.send(frame("call.started", n)).await.expect("open");
        }
        let reported = not_observed(&mut rx, MAX_WAITING + 2).await;
        assert_eq!(reported, [(sid(MAX_WAITING), TOO_MANY_WAIT.to_owned())]);

        let (own, frames) = channel(10);
        let (tx, mut rx) = channel(10);
        let why = "no such call (4004)";
        let observe =
            move |_| async move { Err(Error::new(Exit::NotFound, "cannot observe", why, "wait")) };
        own.send(frame("call.started", 1)).await.expect("open");
        let slots = ObserverSlots::new(1);
        let reported = async {
            let reported = not_observed(&mut rx, 2).await;
            drop(own);
            reported
        };
        let followed = follow(frames, "ws", &slots, observe, &tx);
        let ((), reported) = tokio::join!(followed, reported);
        assert_eq!(reported, [(sid(1), why.to_owned())]);
    }
}
