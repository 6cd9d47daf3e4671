//! Lines that evtap itself adds to a stream: what is no event of the platform, but belongs in the record.

use crate::model::catalog::value::{GapReason, Malformation};

crate::event! {
    /// A connection stands from here on. Only with `--status inline`.
    "tap.connected" TapConnected: Own {}

    /// A stream is over for good, and well. Only with `--status inline`.
    "tap.ended" TapEnded: Own {
        /// Why it is over.
        Free reason: String, required, rank(130);
    }

    /// Events are missing here, or may be.
    "tap.gap" TapGap: Own {
        /// The last moment of which everything is known, RFC 3339 in UTC.
        Open from: String, required, nullable;
        /// The moment from which on everything is known again, RFC 3339 in UTC.
        Open to: String, required;
        /// Whether something is missing for sure.
        Open certain: bool, required;
        /// How it came about.
        Open reason: GapReason, required, rank(130);
    }

    /// Something arrived that is no event. Its text is not shown.
    "tap.malformed" TapMalformed: Own, error {
        /// The byte at which it shows, from the start of the frame, or of the recording.
        Open offset: i64, required, rank(800);
        /// The length of the frame in bytes.
        Open length: i64, required, rank(810);
        /// What is wrong with it.
        Open category: Malformation, required, rank(790);
    }
}
