//! The events of one call, on its observer WebSocket.

pub mod emotion;
pub mod participant;
pub mod session;
pub mod timing;
pub mod tool;
pub mod transcript;
