//! The trace of a call in a recording.

use super::span::CallSpans;
use super::traced_call::TracedCall;
use crate::analysis::timeline::collect::CollectedEvents;
use crate::output::stored_event::StoredEventReader;

/// Returns the spans of the call with a SID. Returns `None` if no event of the call has a time.
#[must_use]
pub fn recorded_trace(collected: &CollectedEvents, sid: &str) -> Option<CallSpans> {
    let mut reader = StoredEventReader::default();
    let mut call = TracedCall::new(sid);
    // In the live run, gaps after the end come too late for the trace.
    let mut end = usize::MAX;
    for (at, event) in collected.events.iter().enumerate() {
        if event.stored.call_sid.as_deref() == Some(sid) {
            reader.read(&event.stored, |shown| call.observe(shown));
            if call.has_ended() {
                end = end.min(at);
            }
        }
    }
    call.add_left_out(collected.dropped_events() + collected.dropped_gaps());
    call.spans(collected.gaps.iter().filter(|gap| gap.after <= end))
}
