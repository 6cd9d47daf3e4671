//! Trace ids and span ids.

use std::fmt;

use sha2::{Digest, Sha256};

/// The id of a trace: 16 bytes that are not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

/// The id of a span: 8 bytes that are not all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// Parses an id as W3C Trace Context writes it: 32 lower-case hexadecimal digits, not all zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// Derives the id of a call's trace from its workspace and its SID.
    #[must_use]
    pub fn derive(workspace: &str, sid: &str) -> Self {
        Self(hash("evtap trace id", &[workspace.as_bytes(), sid.as_bytes()]))
    }
}

impl SpanId {
    /// Derives the id of a span from its trace, its call, and its place in the call. Two calls of
    /// one trace have different spans.
    #[must_use]
    pub fn derive(trace: TraceId, sid: &str, place: &str) -> Self {
        Self(hash("evtap span id", &[&trace.0, sid.as_bytes(), place.as_bytes()]))
    }
}

/// Returns the first bytes of a hash, which are not all zero. `domain` separates hashes of
/// different kinds, and the lengths separate the parts.
fn hash<const LENGTH: usize>(domain: &str, parts: &[&[u8]]) -> [u8; LENGTH] {
    let mut hash = Sha256::new_with_prefix(domain);
    for part in parts {
        hash.update([0]);
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; LENGTH];
    for (byte, hashed) in bytes.iter_mut().zip(hash.finalize()) {
        *byte = hashed;
    }
    if bytes == [0; LENGTH] {
        bytes[LENGTH - 1] = 1;
    }
    bytes
}

/// Returns the value of a lower-case hexadecimal digit.
const fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_trace_context_are_accepted() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(TraceId::parse(id).map(|id| id.to_string()).as_deref(), Some(id));
        for invalid in [
            "",
            "00000000000000000000000000000000",
            "4BF92F3577B34DA6A3CE929D0E0E4736",
            "4bf92f3577b34da6a3ce929d0e0e473",
            "4bf92f3577b34da6a3ce929d0e0e47360",
            "4bf92f3577b34da6a3ce929d0e0e473g",
            "5489a845-cbc5-4e26-b6be-4e77ee3407d1",
            "4bf92f3577b34da6a3ce929d0e0e47é",
        ] {
            assert_eq!(TraceId::parse(invalid), None, "{invalid}");
        }
    }

    /// These ids are in the backends of users, so they must not change.
    #[test]
    fn derived_ids_are_stable_and_depend_on_each_part() {
        let trace = TraceId::derive("ws", "CA1");
        assert_eq!(trace.to_string(), "fd49524343af8dca7f5dcba430a10d3d");
        assert_eq!(SpanId::derive(trace, "CA1", "call").to_string(), "59cd923adb95da43");
        assert_ne!(trace, TraceId::derive("wsC", "A1"));
        assert_ne!(trace, TraceId::derive("", "CA1"));
        assert_ne!(SpanId::derive(trace, "CA1", "call"), SpanId::derive(trace, "CA2", "call"));
        assert_ne!(SpanId::derive(trace, "CA1", "call"), SpanId::derive(trace, "CA1", "turn/0"));
    }
}
