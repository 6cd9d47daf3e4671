//! The key by which a delivered event is recognised when it arrives again.

use crate::model::Frame;
use crate::redact::{RedactedEvent, identity};

/// Identifies an event in a stream by its id and its [`identity`].
pub type DeliveryKey = (u64, u64);

/// Returns the key of an event; `None` if it has no numeric id of its own.
pub(super) fn key(frame: &Frame<'_>, shown: &RedactedEvent<'_>) -> Option<DeliveryKey> {
    let id = frame.id.filter(|_| !frame.flags.id_missing)?;
    Some((id.parse().ok()?, identity(shown)))
}
