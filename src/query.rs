//! Selects events: by type, by jq expression, by the text that is visible.
//!
//! Queries run after redaction, on [`RedactedEvent`](crate::redact::RedactedEvent) alone. A filter sees the mask and
//! cannot be used to find out what it covers.

pub mod check;
mod context;
mod failures;
mod field_access;
mod filter;
mod named;
pub mod native;
mod patterns;
mod predicate;
pub mod program;
mod result_cache;
pub mod suggest;
pub mod value;

pub use context::EventContext;
pub use failures::{FailureId, Failures};
pub use filter::{EventFilter, GrepFilter, TypeFilter};
pub use named::{is_filter_name, resolve_named_filter};
pub use predicate::{Predicate, budget_exceeded};
