//! What evtap promises, held against the library and the real binary.

mod model;
mod predicates;
mod walk;
