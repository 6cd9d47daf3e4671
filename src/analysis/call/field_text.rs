//! The visible text of a field: its value or the mask.

use crate::model::Field;
use crate::text::MASK;

/// What can be shown of a field: its text, or the mask.
pub fn text<T: AsRef<str>>(field: &Field<T>) -> Option<String> {
    match field {
        Field::Value(value) => Some(value.as_ref().to_owned()),
        Field::Hidden => Some(MASK.to_owned()),
        _ => None,
    }
}
