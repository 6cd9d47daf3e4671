//! evtap.
pub mod credential;
pub mod emulator;
pub mod error;
pub mod event;
pub mod source;
