//! The content of the cursor file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[cfg(doc)]
use crate::delivery::destination::Destination;
use crate::delivery::destination::LastStored;

/// The content of the cursor file.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CursorFile<'a> {
    pub version: u32,
    pub streams: Cow<'a, Positions>,
    /// The newest of what each tap has stored.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub last_stored: Cow<'a, LastStoredByTap>,
    /// The state of the rules, which belongs to these positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Box<RawValue>>,
}

/// The positions of streams by workspace.
pub(super) type Positions = BTreeMap<String, Position>;

/// What taps have stored, by their keys.
pub(super) type LastStoredByTap = BTreeMap<u64, LastStored>;

/// The position up to which a workspace has been delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// The id of the last event, or the time in milliseconds at which the first run began.
    pub id: u64,
    /// The events with this id or a later one: id, identity, and number of deliveries.
    pub events: Vec<(u64, u64, u32)>,
    /// The tap that stored the events up to here; see [`Destination::tap_key`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tap: Option<u64>,
}
