//! JSON as text: a strict scanner that finds values without copying them, and functions to read
//! strings.
//!
//! Values are spans of the text that arrived, so a number keeps its digits and an object the order
//! of its members. What the values mean is left to `model` and the modules after it.

mod json_type;
pub mod scan;
pub mod string;

pub use json_type::JsonType;
