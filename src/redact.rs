//! From [`DecodedEvent`](crate::model::decode::DecodedEvent) to [`RedactedEvent`]: the only way, and the only place that decides
//! what is hidden.
//!
//! A `RedactedEvent` is the text that arrived with masks in place of some spans. Everything that prints, filters,
//! counts or records events takes a `RedactedEvent` and cannot reach what a mask covers, because only this module
//! reads a `DecodedEvent`. A [`Policy`] says which fields are hidden, a [`Mode`] what replaces a value, and
//! [`scrub`](crate::text::scrub) what counts as an identifier in free text.

mod event;
mod fast_path;
mod findings;
mod identity;
mod mask;
mod policy;
mod redactor;
mod rewrite;

pub use event::{RedactedEvent, RedactedField};
pub use findings::{Finding, Reason};
pub use identity::{Fnv, identity};
pub use mask::{KEY_LENGTH, Mode, PseudonymKey, stand_in_pattern};
pub use policy::{FieldNames, Policy, ScrubMode};
pub use redactor::Redactor;
