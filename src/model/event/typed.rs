//! The contents of the variants of [`Event`](crate::model::Event).

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::source::{EventSource, UnknownField};
use crate::model::{Declared, Phi};

/// A declared event. It dereferences to the struct of its fields.
#[derive(Clone)]
pub struct Typed<T> {
    fields: Box<T>,
    pub(super) source: Box<EventSource>,
}

impl<T: Declared> Typed<T> {
    pub(super) fn new(source: EventSource) -> Self {
        let fields = Box::new(T::read(|name| source.field(name)));
        Self { fields, source: Box::new(source) }
    }

    /// Returns the struct of the fields.
    #[must_use]
    pub fn into_fields(self) -> T {
        *self.fields
    }
}

impl<T> Deref for Typed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.fields
    }
}

/// Shows the struct of the fields.
impl<T: fmt::Debug> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(f)
    }
}

/// Serialises the event as [`Event`](crate::model::Event) does.
impl<T> Serialize for Typed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source.serialize(serializer)
    }
}

/// An event whose type is not declared, or that names two types.
#[derive(Clone)]
pub struct UnknownEvent {
    pub(super) source: Box<EventSource>,
}

impl UnknownEvent {
    pub(super) fn new(source: EventSource) -> Self {
        Self { source: Box::new(source) }
    }

    /// Returns the type, or the mask if it does not look like a name.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.source.shown_type()
    }

    /// Returns the type as it arrived. It may be any text, including PHI.
    #[must_use]
    pub fn exposed_type(&self) -> Phi<&str> {
        Phi::new(&self.source.event_type)
    }

    /// Iterates over the fields, in the order in which they arrived.
    pub fn fields(&self) -> impl Iterator<Item = UnknownField<'_>> {
        self.source.unknown_fields()
    }
}

impl fmt::Debug for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.fields().collect();
        f.debug_struct("UnknownEvent")
            .field("event_type", &self.event_type())
            .field("fields", &fields)
            .finish()
    }
}

/// Serialises the event as [`Event`](crate::model::Event) does.
impl Serialize for UnknownEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.source.serialize(serializer)
    }
}
