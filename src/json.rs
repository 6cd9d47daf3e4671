//! A strict JSON scanner that works on spans of the text that arrived and allocates nothing.

pub mod scan;
