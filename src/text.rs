//! Text that came from the wire: made safe for a terminal, and searched for identifiers.

pub mod scrub;
pub mod terminal;
