//! Errors of operations on values, with the texts of jq 1.8, which programs can catch.

use super::jq_value::JqValue;

/// An error that a program can catch.
pub type ValueError = jaq_core::Error<JqValue>;

/// A value or an error.
pub type ValueResult = Result<JqValue, ValueError>;

/// Returns the error for an evaluation that has reached a limit. Nothing that catches it can go on.
#[must_use]
pub fn exhausted() -> ValueError {
    super::budget::exhaust();
    ValueError::new(JqValue::Null)
}

/// Returns an error about one value, such as `null (null) has no keys`.
#[must_use]
pub fn type_error(value: &JqValue, problem: &str) -> ValueError {
    ValueError::str(format_args!("{} ({value}) {problem}", value.type_name()))
}

/// Returns an error about two values, such as `null (null) and number (1) cannot be subtracted`.
#[must_use]
pub fn pair_error(left: &JqValue, right: &JqValue, problem: &str) -> ValueError {
    let (left_type, right_type) = (left.type_name(), right.type_name());
    ValueError::str(format_args!("{left_type} ({left}) and {right_type} ({right}) {problem}"))
}

/// Returns the error for a value that cannot be indexed with `key`.
#[must_use]
pub fn index_error(value: &JqValue, key: &JqValue) -> ValueError {
    let (value, key_type) = (value.type_name(), key.type_name());
    ValueError::str(format_args!("Cannot index {value} with {key_type} ({key})"))
}

/// Returns the error for a value that cannot be iterated over.
#[must_use]
pub fn iterate_error(value: &JqValue) -> ValueError {
    ValueError::str(format_args!("Cannot iterate over {} ({value})", value.type_name()))
}
