//! evtap taps the events of a healthcare AI platform, hides the protected health information (PHI)
//! in them, and prints, filters, counts, records or forwards what is left.
//!
//! # How an event flows
//!
//! ```text
//! transport ──Frame──▶ decode ──DecodedEvent──▶ redact ──RedactedEvent──▶ query ──▶ output ──▶ delivery
//! sse, observer,       typed model,             the only way              globs,    pretty,    record,
//! recordings           total                    to anything visible       jq, grep  ndjson, …  forward
//! ```
//!
//! Data flows one way, and each module imports only from the modules above it in the list in
//! docs/architecture.md, which a test enforces.

// `internals` opens for tests what is otherwise private and has no reader to document it for.
#![cfg_attr(not(feature = "internals"), warn(missing_docs))]
// Only the command uses the layers from `output` to `tui`. Without it they are built to show that
// they stand alone.
#![cfg_attr(all(feature = "pipeline", not(feature = "cli")), allow(dead_code, unused_imports))]

// Unit tests and integration tests share helpers that name the crate.
#[cfg(test)]
extern crate self as evtap;

#[cfg(feature = "pipeline")]
mod analysis;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "pipeline")]
mod delivery;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
pub mod json;
pub mod model;
#[cfg(feature = "pipeline")]
mod output;
#[cfg(feature = "pipeline")]
mod pipeline;
#[cfg(feature = "query")]
pub mod query;
pub mod redact;
pub mod text;
#[cfg(feature = "transport")]
pub mod transport;
#[cfg(feature = "tui")]
mod tui;

#[cfg(all(feature = "cli", feature = "internals"))]
#[doc(hidden)]
pub use cli::internals;
#[cfg(feature = "cli")]
pub use cli::main;

/// Runs the examples of docs/library.md as doctests.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct LibraryPage;
