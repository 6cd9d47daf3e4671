//! The fields of a recognized event, as spans of its frame.

use crate::json::scan::Span;
use crate::model::name::NameMasks;
use crate::model::{Drift, FieldSpec, Name};

/// The fields of the current event. The buffer is reused from event to event.
#[derive(Default)]
pub struct FieldBuffer {
    /// The fields that the event has, in order. No two have the same name.
    pub fields: Vec<InPlaceField>,
    /// The names of the hidden fields, in order. A null is not hidden.
    pub hidden: Vec<Name>,
    /// The names of the fields whose text has masked identifiers, in order.
    pub scrubbed: Vec<Name>,
    /// What differs from the declaration, in order. That of an undeclared field has no name yet.
    pub drift: Vec<Drift>,
    /// How many of the first names in the event's `_tap.redacted` an earlier run has listed.
    pub recorded: usize,
    /// The parts of the frame that are replaced, in order. A hidden value that already is the mask,
    /// as in a recording, is not among them.
    pub replaced: Vec<Replacement>,
    /// The placeholders of undeclared names.
    pub(super) masks: NameMasks,
}

impl FieldBuffer {
    /// Returns whether identifiers in a text are replaced.
    pub fn has_scrubbed(&self) -> bool {
        self.fields
            .iter()
            .any(|field| !field.hidden && matches!(field.value, InPlaceText::Replaced(_)))
    }

    pub(super) fn clear(&mut self) {
        self.fields.clear();
        self.hidden.clear();
        self.scrubbed.clear();
        self.drift.clear();
        self.recorded = 0;
        self.replaced.clear();
        self.masks = NameMasks::default();
    }

    /// Moves the drift to the end of a list.
    pub(super) fn move_drift(&mut self, text: &str, list: &mut Vec<Drift>) {
        let mut undeclared = self.fields.iter().filter(|field| field.spec.is_none());
        for drift in self.drift.iter_mut().filter(|drift| drift.field.is_none()) {
            drift.field = undeclared
                .next()
                .map(|field| Name::Owned(field.key(text, &self.replaced).to_owned()));
        }
        list.append(&mut self.drift);
    }

    /// Replaces a part of the frame, and returns a reference to the new text.
    pub(super) fn replace(&mut self, span: Span, text: Name) -> InPlaceText {
        self.replaced.push(Replacement { span, text });
        InPlaceText::Replaced(self.replaced.len() - 1)
    }
}

/// A part of the frame, and the text that takes its place.
pub struct Replacement {
    pub span: Span,
    pub text: Name,
}

/// One field of the frame.
#[derive(Clone, Copy)]
pub struct InPlaceField {
    /// The declaration; its name is the key.
    pub spec: Option<&'static FieldSpec>,
    /// The key of a field that is not declared.
    pub key: InPlaceText,
    pub value: InPlaceText,
    pub hidden: bool,
}

/// A text of a recognized event.
#[derive(Clone, Copy)]
pub enum InPlaceText {
    /// In the frame.
    Frame(Span),
    /// The replacement with this index.
    Replaced(usize),
}

impl InPlaceField {
    /// Returns the key as it may be shown, without its quotes.
    pub fn key<'a>(&self, text: &'a str, replaced: &'a [Replacement]) -> &'a str {
        self.spec.map_or_else(|| self.key.resolve(text, replaced), |spec| spec.name)
    }
}

impl InPlaceText {
    /// Returns the text, given the frame and the replacements.
    pub fn resolve<'a>(self, text: &'a str, replaced: &'a [Replacement]) -> &'a str {
        match self {
            Self::Frame(span) => span.slice(text),
            Self::Replaced(index) => &replaced[index].text,
        }
    }

    /// Returns the text as it arrived. `replaced` are the replacements of the event.
    pub fn arrived(self, replaced: &[Replacement]) -> Span {
        match self {
            Self::Frame(span) => span,
            Self::Replaced(index) => replaced[index].span,
        }
    }
}
