//! evtap.
pub mod credential;
pub mod decode;
pub mod error;
pub mod event;
pub mod redact;
pub mod sanitize;
pub mod scan;
pub mod schema;
pub mod sink;
pub mod source;
