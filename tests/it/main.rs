//! What evtap promises, held against the library and the real binary.

mod audit;
mod check;
mod confine;
mod errors;
mod faults;
mod killed;
mod leak;
mod lossless;
mod manual;
mod model;
mod phi;
mod predicates;
mod process;
mod readme;
mod replay;
mod schema;
mod scrub;
mod selecting;
mod serve;
mod snapshots;
mod soak;
mod stream;
mod support;
mod tapped;
mod terminal;
mod walk;
