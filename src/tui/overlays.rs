//! What covers the panel, or the whole screen, while it is open.

pub mod column_picker;
pub mod help;
