//! The error of reading an event from bytes.

use std::error::Error;
use std::fmt;

use crate::json::scan::{Category, Defect};

/// The reason why bytes are not an event. Its messages contain the reason and the position, and
/// nothing of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventError(pub(super) Defect);

impl EventError {
    /// Returns the reason.
    #[must_use]
    pub const fn category(&self) -> Category {
        self.0.category
    }

    /// Returns the offset of the byte at which the error was found, from 0.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.0.offset
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.0.category {
            Category::Empty => "the input is only white space",
            Category::NotUtf8 => "the bytes are not UTF-8",
            Category::Truncated => "the JSON ends within a value",
            Category::NotJson => "the text is not JSON",
            Category::LoneSurrogate => "a \\u escape is half of a surrogate pair",
            Category::TooDeep => "arrays and objects are nested more than 127 levels deep",
            Category::NotAnObject => "the JSON is not an object",
            Category::NoEventType => "the object has neither an event_type nor a type",
            Category::TooLarge => "the input is larger than an event may be",
        };
        write!(f, "not an event: {reason} (at byte {})", self.0.offset)
    }
}

impl Error for EventError {}
