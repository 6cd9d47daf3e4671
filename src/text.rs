//! Text for people: messages on stderr, escapes for terminals, masks for identifiers, and parsers
//! for durations and sizes.
//!
//! Text from the wire, from a file or from a name must pass [`terminal`] before a person sees it.
//! This module decides nothing about which field may be shown: that is the task of `redact`.

pub mod console;
pub mod scrub;
pub mod terminal;
pub mod units;

/// The text that replaces a hidden value.
pub const MASK: &str = "[redacted]";
