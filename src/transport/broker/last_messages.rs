//! The last message of each subject of a stream, by which the size of the stream does not matter.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::Stream;
use futures_util::StreamExt;

use super::connect::unique_name;

/// The number of messages that are requested at a time.
const BATCH: usize = 500;

/// How long the broker keeps the consumer of a reader that has gone.
const INACTIVE: Duration = Duration::from_secs(30);

/// Returns the last message of each subject that matches a filter, in the order of the stream.
pub(super) async fn last_messages(
    client: &Client,
    stream: &Stream,
    filter: String,
) -> Option<Vec<Message>> {
    let config = pull::Config {
        name: Some(unique_name(client)),
        deliver_policy: DeliverPolicy::LastPerSubject,
        ack_policy: AckPolicy::None,
        filter_subject: filter,
        inactive_threshold: INACTIVE,
        memory_storage: true,
        num_replicas: 1,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.ok()?;
    let mut messages = Vec::new();
    let mut is_pending = consumer.cached_info().num_pending > 0;
    while is_pending {
        let mut batch = consumer.fetch().max_messages(BATCH).messages().await.ok()?;
        is_pending = false;
        while let Some(message) = batch.next().await {
            let message = message.ok()?;
            is_pending = message.info().ok()?.pending > 0;
            messages.push(message);
        }
    }
    Some(messages)
}

/// Returns a token of a subject as it is shown. evtap encodes all other characters than these.
pub(super) fn shown_token(token: &str) -> String {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte);
    if token.bytes().all(is_legal) { token.replace("%2E", ".") } else { "?".to_owned() }
}
