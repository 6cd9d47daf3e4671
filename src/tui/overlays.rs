//! The overlays, which cover the panel or the whole screen while they are open.

pub mod column_picker;
pub mod help;
pub mod marks;
