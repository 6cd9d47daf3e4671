//! The command line: arguments, configuration, one file per command, and what surrounds a run.

pub mod args;
pub mod commands;
pub mod completion;
pub mod config;
pub mod hardening;
mod inputs;
mod platform;
mod progress;
pub mod schema;
mod session;
pub mod settings;
