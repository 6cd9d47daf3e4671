//! Selects events: by type, by jq expression, by visible text.
//!
//! Queries run after redaction, on [`RedactedEvent`](crate::redact::RedactedEvent) alone. A filter
//! sees the mask and cannot be used to find out the value behind it.
//!
//! A jq expression is parsed ([`program`]), checked against the model ([`check`]) and compiled into
//! a [`Predicate`]. The predicate uses the native evaluator ([`native`]) where it can; otherwise it
//! runs a jq program ([`program`]) on the fields that the program reads, and caches the results.
//! A program whose outputs are written is an [`OutputProgram`], which has the same choice.

pub mod check;
mod context;
mod failures;
mod field_access;
mod filter;
mod named;
pub mod native;
mod output_program;
mod predicate;
pub mod program;
mod result_cache;
pub mod suggest;
mod syntax;
pub mod value;

pub use context::EventContext;
pub use failures::{FailureId, Failures};
pub use filter::{EventFilter, GrepFilter, TypeFilter};
pub use named::{is_filter_name, resolve_named_filter};
pub use output_program::OutputProgram;
pub use predicate::Predicate;
