//! The messages that are requested from a consumer and have not arrived: a window that is limited
//! in messages and in bytes, so that a slow reader takes a bounded amount of memory.

use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use serde_json::json;

/// How long the broker keeps a request for messages.
const EXPIRES: Duration = Duration::from_secs(30);

/// The limits of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct PullLimits {
    /// The maximum number of messages.
    pub messages: u64,
    /// The maximum size of the messages, in bytes.
    pub bytes: u64,
    /// How often the broker shows that it is alive while there are no messages.
    pub heartbeat: Duration,
}

/// What has been requested and has not arrived. At most twice the limits of a request.
#[derive(Debug)]
pub(super) struct PullWindow {
    limits: PullLimits,
    messages: u64,
    bytes: u64,
}

impl PullWindow {
    pub const fn new(limits: PullLimits) -> Self {
        Self { limits, messages: 0, bytes: 0 }
    }

    /// Returns whether half of what was requested has arrived.
    pub const fn must_request(&self) -> bool {
        self.messages <= self.limits.messages / 2 || self.bytes <= self.limits.bytes / 2
    }

    /// Returns the request to send if half of what was requested has arrived.
    pub fn request(&mut self) -> Option<Bytes> {
        if !self.must_request() {
            return None;
        }
        let PullLimits { messages, bytes, heartbeat } = self.limits;
        self.messages += messages;
        self.bytes += bytes;
        let request = json!({
            "batch": messages,
            "max_bytes": bytes,
            "expires": nanos(EXPIRES),
            "idle_heartbeat": nanos(heartbeat.min(EXPIRES / 3)),
        });
        Some(Bytes::from(request.to_string()))
    }

    /// Returns whether messages are requested that have not arrived.
    pub const fn is_open(&self) -> bool {
        self.messages > 0 && self.bytes > 0
    }

    /// Notes a message of `bytes` bytes.
    pub const fn received(&mut self, bytes: usize) {
        self.messages = self.messages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes as u64);
    }

    /// Notes the end of a request, of which the headers say how much has not arrived.
    pub fn ended(&mut self, headers: Option<&HeaderMap>) {
        let left = |name| headers?.get(name)?.as_str().parse().ok();
        // Without headers, nothing is known, so everything is requested anew.
        let messages = left("Nats-Pending-Messages").unwrap_or(u64::MAX);
        let bytes = left("Nats-Pending-Bytes").unwrap_or(u64::MAX);
        self.messages = self.messages.saturating_sub(messages);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> PullWindow {
        let heartbeat = Duration::from_secs(60);
        PullWindow::new(PullLimits { messages: 4, bytes: 100, heartbeat })
    }

    #[test]
    fn another_request_follows_when_half_of_the_messages_or_bytes_have_arrived() {
        for (size, expected) in [(1, 2), (25, 2), (60, 1)] {
            let mut window = window();
            assert!(window.request().is_some() && window.request().is_none());
            let mut arrived = 0;
            while window.request().is_none() {
                window.received(size);
                arrived += 1;
            }
            assert_eq!(arrived, expected, "messages of {size} bytes");
        }
    }

    #[test]
    fn what_an_ended_request_has_not_delivered_is_no_longer_expected() {
        let mut window = window();
        assert!(window.request().is_some());
        window.received(10);
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Pending-Messages", "3");
        headers.insert("Nats-Pending-Bytes", "90");
        window.ended(Some(&headers));
        assert_eq!((window.messages, window.bytes), (0, 0));
        let request = String::from_utf8(window.request().expect("one").to_vec()).expect("text");
        assert!(request.contains(r#""idle_heartbeat":10000000000"#), "{request}");
        window.ended(None);
        assert_eq!((window.messages, window.bytes), (0, 0));
    }
}
