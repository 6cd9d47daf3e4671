//! The command line: arguments, configuration, one file per command, and what surrounds a run.

pub mod args;
pub mod commands;
pub mod completion;
pub mod config;
mod doctor;
pub mod generate;
pub mod hardening;
mod platform;
mod progress;
pub mod schema;
mod session;
