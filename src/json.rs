//! A strict JSON scanner that works on spans of the text that arrived and allocates nothing.

mod json_type;
pub mod scan;
pub mod string;

pub use json_type::JsonType;
