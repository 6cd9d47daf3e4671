//! An event that waits to be published.

use std::ops::Range;

use async_nats::{HeaderMap, Subject};
use bytes::Bytes;

use crate::redact::Fnv;

/// The header with the number of the lease of a call, which grows with each owner.
const EPOCH: &str = "Evtap-Epoch";

/// The header by which the broker recognises an event that it has stored.
pub(super) const ID: &str = "Nats-Msg-Id";

/// Returns the hash of an id that a cursor keeps.
pub(super) fn id_hash(id: &str) -> u64 {
    let mut hash = Fnv::default();
    hash.update(id);
    hash.0
}

/// An event as it is stored, and the lease that allows storing it.
pub(super) struct PendingMessage {
    pub subject: Subject,
    /// The part of the subject that names the workspace.
    pub workspace: Range<usize>,
    /// The source and the id of the CloudEvent, which identify it.
    pub id: String,
    pub event_type: String,
    pub body: Bytes,
    /// Whether the event is about the tap and not counted.
    pub is_lifecycle: bool,
    /// The call and the epoch of its lease, which must be valid; `None` if no lease is needed.
    pub lease: Option<(String, u64)>,
}

impl PendingMessage {
    /// Returns the memory that the message uses, in bytes.
    pub fn size(&self) -> usize {
        let texts = self.subject.len() + self.id.len() + self.event_type.len();
        let call = self.lease.as_ref().map_or(0, |(call, _)| call.len());
        size_of::<Self>() + texts + call + self.body.len()
    }

    /// Returns the token of the subject that names the workspace.
    pub fn workspace(&self) -> &str {
        self.subject.get(self.workspace.clone()).unwrap_or_default()
    }

    /// Returns the headers of the message, which include those that all messages have.
    pub fn headers(&self, common: &HeaderMap) -> HeaderMap {
        let mut headers = common.clone();
        headers.insert(ID, self.id.as_str());
        if let Some((_, epoch)) = &self.lease {
            headers.insert(EPOCH, epoch.to_string());
        }
        headers
    }
}
