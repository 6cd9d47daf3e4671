//! The ids of the demo workspace and the demo call.

/// A workspace id for use where any id works.
pub const DEMO_WORKSPACE: &str = "d3300000-0000-4000-8000-000000000001";

/// The SID of the demo call, which is always live. Each observer sees it from its start, and it
/// contains every type of observer event.
pub const DEMO_CALL: &str = "CAd3300000000000000000000000000001";
