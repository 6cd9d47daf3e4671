//! What evtap promises, held against the library and the real binary.

mod audit;
mod check;
mod confine;
mod credential;
mod errors;
mod leak;
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
mod stream;
mod support;
mod terminal;
mod traces;
mod walk;
