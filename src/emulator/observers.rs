//! The observers that are connected, for events that they receive on request.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::scenario::CheckedEvent;
use crate::model::Kind;

/// The number of events that an observer may be behind.
const MAX_WAITING: usize = 64;

/// The observers that are connected.
#[derive(Debug, Default)]
pub struct Observers(Mutex<Vec<(String, mpsc::Sender<Arc<CheckedEvent>>)>>);

/// The events that an observer receives besides those of its call.
#[derive(Debug)]
pub struct TriggeredEvents(mpsc::Receiver<Arc<CheckedEvent>>);

impl Observers {
    /// Adds an observer in a workspace.
    pub fn add(&self, workspace: &str) -> TriggeredEvents {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let mut observers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        observers.retain(|(_, sender)| !sender.is_closed());
        observers.push((workspace.to_ascii_lowercase(), sender));
        TriggeredEvents(receiver)
    }

    /// Sends an event to the observers in a workspace, or in all, and returns their number.
    pub fn send(&self, workspace: Option<&str>, event: &Arc<CheckedEvent>) -> usize {
        let observers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant = |of: &str| workspace.is_none_or(|workspace| workspace == of);
        let meant = observers.iter().filter(|(of, _)| is_meant(of));
        meant.filter(|(_, sender)| sender.try_send(Arc::clone(event)).is_ok()).count()
    }
}

impl TriggeredEvents {
    /// Waits for the next event, and returns its type and its payload for a call.
    pub async fn next(&mut self, workspace: &str, call_sid: &str) -> (Kind, String) {
        match self.0.recv().await {
            Some(event) => (event.kind, event.payload(workspace, call_sid, Timestamp::now())),
            None => std::future::pending().await,
        }
    }
}
