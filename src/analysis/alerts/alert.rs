//! An alert, and the `tap.alert` line that reports it.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::millis::Millis;
use crate::model::Origin;
use crate::model::catalog::value::{AlertReason, AlertState};
use crate::transport::RawFrame;

/// A change of what a rule knows about a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// The name of the rule.
    pub rule: Arc<str>,
    /// The key; empty if the rule has no keys.
    pub key: Box<str>,
    /// The workspace of the events.
    pub workspace: Option<Arc<str>>,
    /// When the state changed.
    pub at: Millis,
    /// What is known now.
    pub state: AlertState,
    /// When that began.
    pub since: Millis,
    /// The number of events that led to it.
    pub count: u64,
    /// The percentile or the number of seconds that was measured.
    pub value: Option<f64>,
    /// Why the state changed.
    pub reason: AlertReason,
}

impl Alert {
    /// Returns the line that reports the alert.
    ///
    /// Its time is that of the change by the time of the events, so a replay gives the same line.
    #[must_use]
    pub fn frame(&self) -> RawFrame {
        let mut line = json!({
            "event_type": "tap.alert",
            "rule": &*self.rule,
            "key": &*self.key,
            "state": self.state.as_str(),
            "since": text(self.since),
            "count": self.count,
            "value": self.value,
            "reason": self.reason.as_str(),
            "_tap": { "time": text(self.at) },
        });
        if self.value.is_none()
            && let Some(line) = line.as_object_mut()
        {
            line.shift_remove("value");
        }
        if let Some(workspace) = &self.workspace {
            line["_tap"]["workspace_id"] = json!(&**workspace);
        }
        let origin = Origin {
            workspace_id: self.workspace.as_deref().map(str::to_owned),
            ..Origin::default()
        };
        RawFrame::record(&Arc::new(origin), Bytes::from(line.to_string()), 0)
    }
}

/// Returns a time as RFC 3339 in UTC; `None` if there is no such time.
fn text(millis: Millis) -> Option<String> {
    Timestamp::from_millisecond(millis).ok().map(|time| format!("{time:.3}"))
}
