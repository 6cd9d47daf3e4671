//! What evtap promises, held against the library and the real binary.

mod errors;
mod leak;
mod faults;
mod model;
mod predicates;
mod process;
mod replay;
mod schema;
mod serve;
mod snapshots;
mod stream;
mod support;
mod walk;
mod tapped;
