//! Which taps own calls, by the leases in the bucket of a stream.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{ContextBuilder, GetStreamErrorKind};
use async_nats::{Client, Subject};
use jiff::Timestamp;

use super::last_messages::{last_messages, shown_token};
use crate::transport::call_lease::LeaseEntry;

/// How long an answer of the broker may take. Somebody who may read events may not be allowed to
/// read this, and gets no answer then.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// A call that a tap owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOwner {
    /// The SID of the call.
    pub call_sid: String,
    /// The name of the tap.
    pub tap: String,
    /// When the tap last renewed its lease.
    pub renewed: Timestamp,
}

/// Reads the owners of calls, by SID; `None` if the broker does not allow it.
pub(super) async fn read(client: &Client, stream: &str) -> Option<Vec<CallOwner>> {
    let context = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
    let prefix = format!("$KV.{stream}_calls.call.");
    let bucket = match context.get_stream(format!("KV_{stream}_calls")).await {
        Ok(bucket) => bucket,
        Err(error) => {
            return match error.kind() {
                // No tap observes calls.
                GetStreamErrorKind::JetStream(error)
                    if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Some(Vec::new())
                }
                _ => None,
            };
        }
    };
    let mut owners = Vec::new();
    for message in last_messages(client, &bucket, format!("{prefix}>")).await? {
        let stored = message.info().ok()?.published.unix_timestamp_nanos();
        let millis = i64::try_from(stored / 1_000_000).ok()?;
        let entry = LeaseEntry {
            value: message.payload.clone(),
            revision: 0,
            stored: Timestamp::from_millisecond(millis).ok()?,
        };
        owners.extend(owner(&prefix, &message.subject, &entry));
    }
    owners.sort_by(|one, other| one.call_sid.cmp(&other.call_sid));
    Some(owners)
}

/// Returns the owner of a call; `None` if nobody owns it.
fn owner(prefix: &str, subject: &Subject, entry: &LeaseEntry) -> Option<CallOwner> {
    let call = subject.strip_prefix(prefix)?;
    let tap = entry.owner()?;
    let is_name = (1..=64).contains(&tap.len())
        && tap.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    Some(CallOwner {
        call_sid: shown_token(call),
        tap: if is_name { tap } else { "?".to_owned() },
        renewed: entry.stored,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_held_leases_have_an_owner_and_only_names_are_shown() {
        let owner_of = |value: &str| {
            let stored = Timestamp::from_second(1_700_000_000).expect("a time");
            let value = bytes::Bytes::copy_from_slice(value.as_bytes());
            let entry = LeaseEntry { value, revision: 1, stored };
            owner("$KV.b.call.", &Subject::from("$KV.b.call.CA1"), &entry)
        };
        let held = owner_of(r#"{"tap":"east.1","run":"0","state":"held"}"#).expect("an owner");
        assert_eq!((&*held.call_sid, &*held.tap), ("CA1", "east.1"));
        for state in ["released", "ended"] {
            assert_eq!(owner_of(&format!(r#"{{"tap":"a","run":"0","state":"{state}"}}"#)), None);
        }
        assert_eq!(owner_of(""), None);
        let hostile = owner_of(r#"{"tap":"\u001b[31mJane Roe","run":"0","state":"held"}"#);
        assert_eq!(hostile.expect("an owner").tap, "?");
    }
}
