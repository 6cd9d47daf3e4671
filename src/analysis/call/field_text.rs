//! The text that a redacted event shows of a field.

use crate::analysis::byte_budget::{MAX_NAME_BYTES, truncate};
use crate::model::catalog::value;
use crate::model::{Field, FreeText, Phi, Uuid};
use crate::text::MASK;

/// Returns what a redacted event shows of a field: its text, or the mask.
pub fn text<T: ShownText>(field: &Field<T>) -> Option<String> {
    match field {
        Field::Value(value) => Some(value.shown_text().to_owned()),
        Field::Hidden => Some(MASK.to_owned()),
        _ => None,
    }
}

/// Returns what a redacted event shows of a field that is a name or a short text. A longer text is
/// cut.
pub fn short_text<T: ShownText>(field: &Field<T>) -> Option<String> {
    let mut text = text(field)?;
    truncate(&mut text, MAX_NAME_BYTES);
    Some(text)
}

/// The text of a value that was read from a [`RedactedEvent`](crate::redact::RedactedEvent).
///
/// The policy has decided what is shown before the value was read, so a value that is present may
/// be shown, whatever the class of its field.
pub trait ShownText {
    /// Returns the text.
    fn shown_text(&self) -> &str;
}

impl ShownText for String {
    fn shown_text(&self) -> &str {
        self
    }
}

impl ShownText for Uuid {
    fn shown_text(&self) -> &str {
        &self.0
    }
}

impl<T: ShownText> ShownText for Phi<T> {
    fn shown_text(&self) -> &str {
        self.expose().shown_text()
    }
}

impl<T: ShownText> ShownText for FreeText<T> {
    fn shown_text(&self) -> &str {
        self.expose().shown_text()
    }
}

macro_rules! choices_as_text {
    ($($choice:ident),+ $(,)?) => {$(
        impl ShownText for value::$choice {
            fn shown_text(&self) -> &str {
                self.expose()
            }
        }
    )+};
}

choices_as_text! {
    CompletionReason, Direction, EscalationTrigger, OperatorMode, OperatorStatus, ReviewAction,
}
