//! How a delivered event is recognised when it comes again.

use crate::model::Frame;
use crate::redact::{RedactedEvent, identity};

/// Identifies an event in a stream by its id and its [`identity`].
pub type DeliveryKey = (u64, u64);

/// The key of an event that has an id of its own.
pub(super) fn key(frame: &Frame<'_>, shown: &RedactedEvent<'_>) -> Option<DeliveryKey> {
    let id = frame.id.filter(|_| !frame.flags.id_missing)?;
    Some((id.parse().ok()?, identity(shown)))
}
