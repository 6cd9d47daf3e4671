//! Audits recordings for content that should not be shared: values in the clear of fields that are
//! hidden by their class, undeclared fields, text in which a detector finds an identifier, and
//! lines that are not events.
//!
//! The report contains counts and places, and never a value. All text of a line is searched, also
//! what was revealed when it was written. The detectors are a safety net, so a clean report is no
//! proof.

mod auditor;
mod chunk;
mod report;

pub use auditor::audit_files;
