//! The media type of an answer of the server.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

/// Returns the media type of the answer without its parameters.
fn essence(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// Returns whether the answer is a stream of events.
pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    essence(headers).eq_ignore_ascii_case("text/event-stream")
}

/// The media types that servers and proxies commonly send instead of a stream.
const MEDIA_TYPES: &[&str] =
    &["text/html", "text/plain", "application/json", "application/problem+json", "application/xml"];

/// Returns the media type if it is a common one. A header can contain anything, so no other value
/// may be quoted.
pub(super) fn media_type(headers: &HeaderMap) -> &'static str {
    let essence = essence(headers);
    let known = MEDIA_TYPES.iter().find(|known| essence.eq_ignore_ascii_case(known));
    known.copied().unwrap_or(if essence.is_empty() { "no media type" } else { "another type" })
}
