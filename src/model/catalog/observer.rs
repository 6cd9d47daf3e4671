//! The events of one call, as its observer WebSocket tells them.

pub mod emotion;
pub mod participant;
pub mod session;
pub mod timing;
pub mod tool;
pub mod transcript;
