//! Analyses of many events: statistics, the transcript of a call, its timeline, alerts,
//! the comparison of two runs, and the audit of a recording.
//!
//! All of them work on redacted events, so their results contain only what may be shown. The audit
//! alone looks at hidden values, and reports their places without the values.

pub mod activity;
pub mod alerts;
pub mod audit;
pub mod byte_budget;
pub mod call;
pub mod diff;
pub mod latency;
pub mod page;
pub mod stats;
pub mod surface_funnel;
pub mod timeline;
pub mod traces;
pub mod verify;
