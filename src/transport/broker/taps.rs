//! What the taps of a stream last said of themselves.
//!
//! Each tap has a subject for each kind of notice, and only the last message of each subject is
//! read, so the size of the stream does not matter.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::Message;
use async_nats::jetstream::context::{ContextBuilder, GetStreamErrorKind};
use async_nats::jetstream::stream::Stream;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use serde::Deserialize;

use super::call_owners::{self, CallOwner};
use super::connect::{BrokerConfig, connect};
use super::last_messages::{last_messages, shown_token};
use super::stream::{refused, unavailable};
use super::subject::SubjectPrefix;
use crate::error::{Error, Exit, Result};

/// How long an answer of the broker may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

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

/// The taps of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TapList {
    /// The taps of each workspace.
    pub workspaces: TapReports,
    /// The calls that taps own; `None` if the broker does not allow to read that.
    pub calls: Option<Vec<CallOwner>>,
}

/// Reads what the taps of a stream last said, and which calls they own.
///
/// # Errors
///
/// Fails if the broker cannot be reached, has no such stream or refuses to say.
pub async fn read_taps(config: &BrokerConfig) -> Result<TapList> {
    let what = || format!("cannot list the taps of {}", config.address.name());
    let client = connect(config).await?;
    let context = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
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
    let notices = last_messages(&client, &stream, config.prefix.notices()).await;
    for message in notices.ok_or_else(|| unavailable(what()))? {
        add(&mut reports, &config.prefix, &message);
    }
    let calls = call_owners::read(&client, &config.address.stream).await;
    Ok(TapList { workspaces: reports, calls })
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
