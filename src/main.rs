//! evtap.
fn main() {}
