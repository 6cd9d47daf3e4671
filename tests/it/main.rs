//! What evtap promises, held against the library and the real binary.

mod audit;
mod confine;
mod errors;
mod leak;
mod model;
mod phi;
mod predicates;
mod process;
mod replay;
mod schema;
mod scrub;
mod serve;
mod snapshots;
mod stream;
mod support;
mod terminal;
mod walk;
