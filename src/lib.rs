//! evtap.
pub mod credential;
pub mod error;
pub mod event;
pub mod source;
