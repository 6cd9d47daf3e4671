//! Events that evtap itself adds to a stream, such as gaps, so that they are part of a recording.

use crate::model::Time;
use crate::model::catalog::value::{AlertReason, AlertState, EndReason, GapReason, Malformation};

crate::event! {
    /// A stream is connected from here on. Only with `--status inline` and in a broker.
    "tap.connected" TapConnected: Own {
        /// The name of the tap; only in a broker.
        Open tap: String, rank(120);
        /// The time from which the tap has everything but gaps, as RFC 3339 in UTC; only in a broker.
        Open from: Time, nullable;
        /// Whether the tap missed only gaps between its last position and `from`; only in a broker.
        Open continues: bool;
    }

    /// A stream ended normally. Only with `--status inline` and in a broker.
    "tap.ended" TapEnded: Own {
        /// The name of the tap; only in a broker.
        Open tap: String, rank(120);
        /// The time before which the tap has delivered everything; only in a broker.
        Open position: Time, nullable;
        /// Why the stream ended.
        Open reason: EndReason, required, rank(130);
    }

    /// A tap is alive and its stream is connected. Only in a broker.
    "tap.position" TapPosition: Own {
        /// The name of the tap.
        Open tap: String, required, rank(120);
        /// The time before which everything was delivered, except for gaps, as RFC 3339 in UTC.
        Open position: Time, required, nullable;
        /// The platform's id of the last event, if that is a number.
        Open last_id: i64, required, nullable;
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
        /// The name of the tap whose stream has the gap, if events are published.
        Open tap: String, rank(120);
    }

    /// What a rule of `evtap alert` or `--rules` has found.
    "tap.alert" TapAlert: Own, warning {
        /// The name of the rule.
        Open rule: String, required, rank(60);
        /// What the rule counts separately, such as a call; empty if it counts everything together.
        Open key: String, required, rank(70);
        /// What is known now.
        Open state: AlertState, required, rank(65);
        /// The time at which that began, as RFC 3339 in UTC.
        Open since: Time, required, nullable;
        /// The number of events that led to it.
        Open count: i64, required, rank(710);
        /// The percentile or the number of seconds that was measured, if something was measured.
        Open value: f64, nullable, rank(100);
        /// Why the state changed.
        Open reason: AlertReason, required, rank(130);
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
