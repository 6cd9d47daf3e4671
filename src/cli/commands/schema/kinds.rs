//! The events that `schema` describes.

use crate::model::{EventSpec, Kind};

/// Returns the platform's events and evtap's own.
pub fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().chain(Kind::OWN).copied()
}

/// Returns the name of the struct of an event type, which code generators use as well.
pub fn title(spec: &EventSpec) -> String {
    let kind = kinds().find(|kind| kind.spec().event_type == spec.event_type);
    kind.map_or_else(|| spec.event_type.to_owned(), |kind| format!("{kind:?}"))
}
