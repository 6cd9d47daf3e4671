//! What events add up to: statistics, the transcript of a call, its timeline, and the audit of a recording.

pub mod audit;
pub mod call;
pub mod latency;
pub mod stats;
pub mod surface_funnel;
pub mod timeline;
