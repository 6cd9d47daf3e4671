//! The fields of a recognized event, as spans of its frame.

use crate::json::scan::Span;
use crate::model::FieldSpec;

/// The fields of the current event. The buffer is reused from event to event.
#[derive(Default)]
pub struct FieldBuffer {
    /// The fields that the event has, in order.
    pub fields: Vec<ValueSpan>,
    /// The values that the mask replaces, in order. A hidden value that already is the mask, as in
    /// a recording, is not among them.
    pub masked: Vec<Span>,
}

/// The value of one field in the frame.
#[derive(Debug, Clone, Copy)]
pub struct ValueSpan {
    pub spec: &'static FieldSpec,
    pub value: Span,
    pub hidden: bool,
}
