//! The position of a delivered message in the stream and in the consumer.

use bytes::Bytes;
use jiff::Timestamp;

use crate::model::cloudevent;

/// The position of a delivered message, from its reply subject (NATS documentation, ADR-15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivered {
    /// How often it was delivered, from 1.
    pub deliveries: u64,
    /// Its number in the stream.
    pub sequence: u64,
    /// Its number among the deliveries of the consumer.
    pub delivery: u64,
    /// When it was stored, in nanoseconds since the Unix epoch.
    pub stored: u64,
    /// The number of messages of the consumer after it.
    pub pending: u64,
}

impl Delivered {
    /// Parses a reply subject; `None` if it is not that of a message of a stream.
    pub fn parse(reply: &str) -> Option<Self> {
        let rest = reply.strip_prefix("$JS.ACK.")?;
        // The longer form names a domain and an account first, and may have more tokens at the end.
        let skipped = if rest.bytes().filter(|byte| *byte == b'.').count() > 6 { 4 } else { 2 };
        let mut numbers = rest.split('.').skip(skipped).map(str::parse);
        // Every number has a next one.
        let mut next = || numbers.next()?.ok().filter(|number| *number < u64::MAX);
        Some(Self {
            deliveries: next()?,
            sequence: next()?,
            delivery: next()?,
            stored: next()?,
            pending: next()?,
        })
    }

    /// Returns when the message was stored.
    pub fn stored_at(&self) -> Option<Timestamp> {
        Timestamp::from_nanosecond(i128::from(self.stored)).ok()
    }
}

/// The last message that was passed on.
#[derive(Debug, Clone)]
pub(super) struct LastMessage {
    pub sequence: u64,
    pub stored: Option<Timestamp>,
    pub body: Bytes,
}

impl LastMessage {
    /// Returns a time up to which everything was read.
    pub fn time(&self) -> Option<Timestamp> {
        cloudevent::time(&self.body).or(self.stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_reply_subjects_are_read() {
        let expected = Delivered {
            deliveries: 2,
            sequence: 30,
            delivery: 4,
            stored: 1_795_000_000_123_000_000,
            pending: 5,
        };
        for reply in [
            "$JS.ACK.evtap.c.2.30.4.1795000000123000000.5",
            "$JS.ACK._.hash.evtap.c.2.30.4.1795000000123000000.5",
            "$JS.ACK.domain.hash.evtap.c.2.30.4.1795000000123000000.5.random",
        ] {
            assert_eq!(Delivered::parse(reply), Some(expected), "{reply}");
        }
        let endless = "$JS.ACK.evtap.c.1.18446744073709551615.4.1795000000123000000.5";
        for other in [endless, "", "_INBOX.x", "$JS.ACK.a", "$JS.ACK.a.b.c.d.e.f.g"] {
            assert_eq!(Delivered::parse(other), None, "{other}");
        }
    }
}
