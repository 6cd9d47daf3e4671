//! What a scenario is distilled from.

use crate::model::{FieldSpec, Kind, Stream};

/// An event of a recorded call.
pub struct RecordedEvent {
    /// The time since the first event, in milliseconds.
    pub at: u64,
    /// The type.
    pub event_type: String,
    /// The declared type, if it is declared.
    pub kind: Option<Kind>,
    /// The stream that carried it.
    pub stream: Stream,
    /// The fields, in order.
    pub fields: Vec<RecordedField>,
}

/// A field of a recorded event.
pub struct RecordedField {
    /// The name.
    pub name: String,
    /// The value as JSON; `None` if the field was left out when it was recorded.
    pub json: Option<String>,
    /// The declaration, if the field is declared.
    pub spec: Option<&'static FieldSpec>,
    /// Whether the value was masked when it was recorded.
    pub is_masked: bool,
}
