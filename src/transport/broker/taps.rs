//! What the taps of a stream last said of themselves.
//!
//! Each tap has a subject for each kind of notice, and only the last message of each subject is
//! read, so the size of the stream does not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::{ContextBuilder, GetStreamErrorKind};
use async_nats::jetstream::stream::Stream;
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Deserialize;

use super::connect::{BrokerConfig, connect};
use super::stream::{refused, unavailable};
use super::subject::SubjectPrefix;
use crate::error::{Error, Exit, Result};

/// How long an answer of the broker may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The number of messages that are requested at a time.
const BATCH: usize = 500;

/// How long the broker keeps the consumer of a reader that has gone.
const INACTIVE: Duration = Duration::from_secs(30);

/// The maximum length of a version or a fingerprint.
const MAX_TEXT: usize = 64;

/// What one tap of a workspace last said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TapReport {
    /// When the broker stored its last message.
    pub heard: Timestamp,
    /// The time between two positions.
    pub heartbeat: Duration,
    /// Whether it said last that it ended.
    pub has_ended: bool,
    /// The time before which it has delivered everything but gaps.
    pub position: Option<Timestamp>,
    /// The version of evtap; empty if it is unknown.
    pub version: String,
    /// The hash of what it hides and of its filters; empty if it is unknown.
    pub fingerprint: String,
}

/// The taps of each workspace by name. Workspaces of which only events are stored have none.
pub type TapReports = BTreeMap<String, BTreeMap<String, TapReport>>;

/// Reads what the taps of a stream last said.
///
/// # Errors
///
/// Fails if the broker cannot be reached, has no such stream or refuses to say.
pub async fn read_taps(config: &BrokerConfig) -> Result<TapReports> {
    let what = || format!("cannot list the taps of {}", config.address.name());
    let client = connect(config).await?;
    let context = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client);
    let stream =
        context.get_stream(&config.address.stream).await.map_err(|error| match error.kind() {
            GetStreamErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                let advice = "check the name of the stream";
                Error::new(Exit::NotFound, what(), "the broker has no such stream", advice)
            }
            GetStreamErrorKind::JetStream(error) => refused(what(), error.error_code()),
            _ => unavailable(what()),
        })?;
    let mut reports = TapReports::new();
    for workspace in workspaces(&stream, &config.prefix).await.ok_or_else(|| unavailable(what()))? {
        reports.entry(workspace).or_default();
    }
    let notices = last_notices(&stream, &config.prefix).await;
    for message in notices.ok_or_else(|| unavailable(what()))? {
        add(&mut reports, &config.prefix, &message);
    }
    Ok(reports)
}

/// Returns the workspaces of which the stream has events.
async fn workspaces(stream: &Stream, prefix: &SubjectPrefix) -> Option<BTreeSet<String>> {
    let mut subjects = stream.info_with_subjects(prefix.events()).await.ok()?;
    let mut workspaces = BTreeSet::new();
    while let Some((subject, _)) = subjects.try_next().await.ok()? {
        if let Some([workspace, ..]) = prefix.tokens(&subject).as_deref() {
            workspaces.insert(shown_token(workspace));
        }
    }
    Some(workspaces)
}

/// Returns the last notice of each kind and tap, in the order of the stream.
async fn last_notices(stream: &Stream, prefix: &SubjectPrefix) -> Option<Vec<Message>> {
    let config = pull::Config {
        deliver_policy: DeliverPolicy::LastPerSubject,
        ack_policy: AckPolicy::None,
        filter_subject: prefix.notices(),
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

/// The members of a notice that are read.
#[derive(Deserialize)]
struct Notice {
    data: NoticeData,
}

#[derive(Deserialize)]
struct NoticeData {
    from: Option<String>,
    position: Option<String>,
}

/// Adds what a notice says.
fn add(reports: &mut TapReports, prefix: &SubjectPrefix, message: &Message) {
    let tokens = prefix.tokens(&message.subject);
    let (Some([workspace, "tap", kind, tap]), Ok(info)) = (tokens.as_deref(), message.info())
    else {
        return;
    };
    let stored = i64::try_from(info.published.unix_timestamp_nanos() / 1_000_000);
    let stored = stored.ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let taps = reports.entry(shown_token(workspace)).or_default();
    let report = taps.entry(shown_token(tap)).or_default();
    report.heard = report.heard.max(stored.unwrap_or_default());
    report.has_ended = *kind == "ended";
    let headers = message.headers.as_ref();
    report.heartbeat =
        Duration::from_millis(header(headers, "Evtap-Heartbeat").parse().unwrap_or(0));
    report.version = header(headers, "Evtap-Version");
    report.fingerprint = header(headers, "Evtap-Fingerprint");
    // A gap that ends at a time is no position.
    let time = |text: Option<String>| text.and_then(|text| text.parse().ok());
    if let Ok(Notice { data: NoticeData { from, position } }) =
        serde_json::from_slice::<Notice>(&message.payload)
        && *kind != "gap"
    {
        report.position = report.position.max(time(position)).max(time(from));
    }
}

/// Returns the value of a header, unless it is long or has characters that evtap does not use.
fn header(headers: Option<&HeaderMap>, name: &str) -> String {
    let value = headers.and_then(|headers| headers.get(name)).map_or("", |value| value.as_str());
    let is_shown = value.len() <= MAX_TEXT
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    if is_shown { value.to_owned() } else { String::new() }
}

/// Returns a token of a subject as it is shown. evtap encodes all other characters than these.
fn shown_token(token: &str) -> String {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte);
    if token.bytes().all(is_legal) { token.replace("%2E", ".") } else { "?".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_what_evtap_writes_is_shown() {
        for (token, expected) in [
            ("1b4e28ba-2fa1-11d2-883f-0016d3cca427", "1b4e28ba-2fa1-11d2-883f-0016d3cca427"),
            ("east%2E1", "east.1"),
            ("\u{1b}[31m", "?"),
            ("Jane\u{a0}Roe", "?"),
        ] {
            assert_eq!(shown_token(token), expected);
        }
        let mut headers = HeaderMap::new();
        headers.insert("A", "1.2.0-beta+3");
        headers.insert("B", "Jane Roe");
        assert_eq!(header(Some(&headers), "A"), "1.2.0-beta+3");
        assert_eq!(header(Some(&headers), "B"), "");
        assert_eq!(header(None, "A"), "");
    }
}
