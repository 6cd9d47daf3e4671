//! Calls as traces: spans that a tracing backend can show next to those of other services.
//!
//! A [`TracedCall`] observes the events of one call as they arrive and keeps what its spans need, in
//! limited memory. [`otlp`] writes the spans as OTLP JSON. [`TraceCollector`] does so for all calls
//! of a live run, and `timeline` for one call of a recording; both build the same spans from the
//! same events.
//!
//! **Privacy.** All attributes come from fields of class open that are shown, read by
//! [`OpenFields`]. Fields that are hidden, prose or undeclared are never read, even if they are
//! revealed.
//!
//! **Ids.** The trace id is that of `session_start`, so that the spans join the backend's trace, or
//! else a hash of the workspace and the call. Span ids are hashes of the trace id and the place of
//! the span in the call. A replay yields the same ids.

mod collector;
mod ids;
mod open_fields;
pub mod otlp;
mod recorded;
mod span;
mod spans;
mod tools;
mod traced_call;
mod turns;

pub use collector::{TraceCollector, TracedStreams};
pub use recorded::recorded_trace;
pub use span::CallSpans;
