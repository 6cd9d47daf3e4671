//! Lines that evtap itself adds to a stream: what is no event of the platform, but belongs in the record.

use crate::event::catalog::value::Malformation;

crate::event! {
    /// Something arrived that is no event. Its text is not shown.
    "tap.malformed" TapMalformed: Own {
        /// The byte at which it shows, from the start of the frame, or of the recording.
        Open offset: i64, required;
        /// The length of the frame in bytes.
        Open length: i64, required;
        /// What is wrong with it.
        Open category: Malformation, required;
    }
}
