//! Leaves out events outside the range of time that is read.

use crate::output::status::RunCounts;
use crate::query::TimeRange;
use crate::redact::RedactedEvent;

/// Returns whether an event is in the range of time that is read, and counts it if not.
pub(super) fn is_in_range(
    range: TimeRange,
    event: &RedactedEvent<'_>,
    counts: &mut RunCounts,
) -> bool {
    if range.is_unbounded() {
        return true;
    }
    let moment = event.tap().moment();
    let is_inside = range.contains(moment);
    if !is_inside {
        counts.filtered += 1;
        // Without a time, it might belong to the range, so what is wrong with it is reported.
        if moment.is_none() {
            counts.observe(event);
        }
    }
    is_inside
}
