//! Hides protected values: turns a [`DecodedEvent`](crate::model::decode::DecodedEvent) into a
//! [`RedactedEvent`].
//!
//! A `RedactedEvent` is the text that arrived, with masks in place of some spans. Everything that
//! prints, filters, counts or records events takes a `RedactedEvent` and cannot reach a masked
//! value, because this module is the only one that reads a `DecodedEvent` and the only one that
//! decides what is hidden. The decision is spread over these files:
//!
//! - `policy`: which fields are hidden, by data class and by name.
//! - `redactor`: applies the policy to each field of a decoded event.
//! - `rewrite`: masks undeclared nested values and scrubs free text inside a value that is shown.
//! - `mask`: what takes the place of a hidden value (mask, pseudonym, last characters, nothing).
//! - `fast_path`: reaches the same result without decoding, for events like earlier ones.
//! - `findings`: records what was hidden, for `_tap.redacted`, `_tap.scrubbed` and `audit`.
//! - `event`: the redacted event itself.
//! - `identity`: a hash of what the policy never hides, which recognises an event in a later run.
//!
//! What counts as an identifier in free text is decided by [`scrub`](crate::text::scrub); which
//! class a field has is declared in [`model::catalog`](crate::model::catalog).

mod event;
mod fast_path;
mod findings;
mod identity;
mod mask;
mod policy;
mod redactor;
mod rewrite;

pub use event::{RedactedEvent, RedactedField};
pub use findings::{AuditedEvent, Finding, Reason};
pub use identity::{Fnv, identity};
pub use mask::{KEY_LENGTH, Mode, PseudonymKey, stand_in_pattern};
pub use policy::{FieldNames, Policy, ScrubMode};
pub use redactor::Redactor;
