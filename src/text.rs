//! Text that came from the wire: made safe for a terminal, and searched for identifiers.

pub mod console;
pub mod scrub;
pub mod terminal;
pub mod units;

/// What is shown in place of a hidden value.
pub const MASK: &str = "[redacted]";
