//! The bucket in which taps keep the leases of calls: a key-value bucket of the broker.

use std::fmt::Write as _;
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy};
use async_nats::jetstream::{Context, ErrorCode};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::connect::{BrokerConfig, connect};
use super::stream::{refused, unavailable};
use crate::error::{Error, Exit, Result};
use crate::transport::call_lease::{LeaseEntry, LeaseStore, StoreFailed};

/// How long an answer of the broker may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a new bucket keeps the lease of a call that is not renewed. No call lasts longer.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The bucket of the taps that publish to one stream.
pub struct CallBucket(Store);

impl CallBucket {
    /// Connects to the broker, and opens or creates the bucket.
    ///
    /// # Errors
    ///
    /// Fails if the broker cannot be reached, or if the bucket is missing or cannot be created.
    pub async fn open(config: &BrokerConfig) -> Result<Self> {
        let client = connect(config).await?;
        let context = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client);
        let bucket = format!("{}_calls", config.address.stream);
        let what = || format!("cannot share calls with other taps of {}", config.address.name());
        let Err(missing) = context.get_stream(format!("KV_{bucket}")).await else {
            return store(&context, &bucket).await.ok_or_else(|| unavailable(what()));
        };
        match missing.kind() {
            GetStreamErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {}
            GetStreamErrorKind::JetStream(error) => {
                return Err(refused(what(), error.error_code()));
            }
            _ => return Err(unavailable(what())),
        }
        if !config.creates_stream {
            let why = format!("the broker has no bucket {bucket}");
            let advice = "give --create-stream to create it, or create it with";
            let command = format!(
                "  nats --server {} kv add {bucket} --history 1 --ttl {}h",
                config.address.server,
                MAX_AGE.as_secs() / 3600
            );
            return Err(Error::new(Exit::NotFound, what(), why, advice).with_detail(command));
        }
        if let Err(error) = context.create_stream(stream_config(&bucket)).await {
            return Err(match error.kind() {
                CreateStreamErrorKind::JetStream(error) => refused(what(), error.error_code()),
                _ => unavailable(what()),
            });
        }
        store(&context, &bucket).await.ok_or_else(|| unavailable(what()))
    }
}

async fn store(context: &Context, bucket: &str) -> Option<CallBucket> {
    context.get_key_value(bucket).await.ok().map(CallBucket)
}

/// Returns what a bucket is: a stream whose messages are the changes of its entries (ADR-8 of NATS).
fn stream_config(bucket: &str) -> Config {
    Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        max_age: MAX_AGE,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..Config::default()
    }
}

/// Returns the key of a call. Keys must not contain other characters (ADR-8 of NATS).
fn key(call: &str) -> String {
    let mut key = "call.".to_owned();
    for byte in call.bytes() {
        if byte.is_ascii_alphanumeric() {
            key.push(char::from(byte));
        } else {
            let _ = write!(key, "={byte:02X}");
        }
    }
    key
}

impl LeaseStore for CallBucket {
    fn get<'a>(&'a self, call: &'a str) -> BoxFuture<'a, Result<Option<LeaseEntry>, StoreFailed>> {
        async move {
            let entry = self.0.entry(key(call)).await.map_err(|_| StoreFailed)?;
            // A deleted entry is one whose lease nobody renews.
            Ok(entry.map(|entry| LeaseEntry {
                value: entry.value,
                revision: entry.revision,
                stored: i64::try_from(entry.created.unix_timestamp_nanos() / 1_000_000)
                    .ok()
                    .and_then(|millis| Timestamp::from_millisecond(millis).ok())
                    .unwrap_or_default(),
            }))
        }
        .boxed()
    }

    fn set<'a>(
        &'a self,
        call: &'a str,
        value: Bytes,
        revision: Option<u64>,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreFailed>> {
        async move {
            // Revision 0 stands for a key that has no entry.
            match self.0.update(key(call), value, revision.unwrap_or_default()).await {
                Ok(revision) => Ok(Some(revision)),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
                Err(_) => Err(StoreFailed),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_only_characters_that_a_bucket_allows() {
        assert_eq!(key("CA0123"), "call.CA0123");
        assert_eq!(key("a.b *>é"), "call.a=2Eb=20=2A=3E=C3=A9");
    }
}
