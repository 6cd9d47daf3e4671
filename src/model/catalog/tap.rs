//! Events that evtap itself adds to a stream, such as gaps, so that they are part of a recording.

use crate::model::Time;
use crate::model::catalog::value::{GapReason, Malformation};

crate::event! {
    /// A stream is connected from here on. Only with `--status inline`.
    "tap.connected" TapConnected: Own {}

    /// A stream ended normally. Only with `--status inline`.
    "tap.ended" TapEnded: Own {
        /// Why the stream ended.
        Free reason: String, required, rank(130);
    }

    /// Events are missing here, or may be missing.
    "tap.gap" TapGap: Own {
        /// The time up to which the stream is complete, as RFC 3339 in UTC.
        Open from: Time, required, nullable;
        /// The time from which the stream is complete again, as RFC 3339 in UTC.
        Open to: Time, required;
        /// Whether events are certainly missing.
        Open certain: bool, required;
        /// The cause of the gap.
        Open reason: GapReason, required, rank(130);
    }

    /// A frame arrived that is not an event. Its text is not shown.
    "tap.malformed" TapMalformed: Own, error {
        /// The offset of the error, in bytes from the start of the frame or of the recording.
        Open offset: i64, required, rank(800);
        /// The length of the frame, in bytes.
        Open length: i64, required, rank(810);
        /// The kind of error.
        Open category: Malformation, required, rank(790);
    }
}
