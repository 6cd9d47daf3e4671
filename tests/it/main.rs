//! What evtap promises, held against the library and the real binary.

mod check;
mod errors;
mod leak;
mod manual;
mod model;
mod predicates;
mod process;
mod readme;
mod replay;
mod schema;
mod screen;
mod selecting;
mod serve;
mod snapshots;
mod stream;
mod support;
mod walk;
