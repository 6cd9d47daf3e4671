//! A stream of a NATS server as the input of a command, in place of the platform or recordings.

use std::sync::Arc;
#[cfg(feature = "nats")]
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "nats")]
use jiff::Timestamp;
#[cfg(feature = "nats")]
use tokio::sync::oneshot;
#[cfg(feature = "nats")]
use tokio::task::JoinHandle;

use crate::cli::args::{BrokerArgs, FilterArgs, StopArgs};
use crate::cli::platform::SourceTask;
use crate::error::{Error, Result};
use crate::output::status::StatusFormat;
use crate::transport::client::Network;
use crate::transport::progress::Progress;
use crate::transport::{Sender, SourceConfig};

#[cfg(feature = "nats")]
use crate::cli::resolve;
#[cfg(feature = "nats")]
use crate::emulator::DEMO_CALL;
#[cfg(feature = "nats")]
use crate::transport::broker::{
    BrokerAddress, BrokerConfig, EventSelection, ReadConfig, ReadStart, SubjectPrefix,
    UnreadMessages, run, subjects,
};

const FROM: &str = "--from";

/// The value of `--since` for the first event that is stored.
#[cfg(feature = "nats")]
const ALL: &str = "all";

/// The part of a stream to read.
#[cfg_attr(not(feature = "nats"), expect(dead_code, reason = "only a broker needs all of it"))]
#[derive(Debug, Clone, Default)]
pub struct BrokerRequest<'a> {
    /// The workspaces, or none for all.
    pub workspaces: &'a [String],
    /// The calls whose observers are read, or none for all events.
    pub calls: &'a [String],
    /// Globs of the event types that are read, or none for all.
    pub types: &'a [String],
    /// Where to begin.
    pub since: Option<&'a str>,
    /// Whether reading ends with what is stored.
    pub ends: bool,
    /// The name of a durable consumer.
    pub consumer: Option<&'a str>,
    /// Whether taps may say that they are connected, alive or end.
    pub shows_taps: bool,
    /// Whether events are put in order by time.
    pub is_sorted: bool,
}

/// Returns the types that the broker can select for the filters. Conditions that end a run see all
/// events.
pub fn selected_types<'a>(filter: &'a FilterArgs, stop: Option<&StopArgs>) -> &'a [String] {
    let sees_all = stop.is_some_and(|stop| stop.until.is_some() || stop.fail_if.is_some());
    if sees_all { &[] } else { &filter.events }
}

/// Returns whether what taps say of themselves, other than gaps, is shown: if status messages are
/// events of the stream, or if types are named.
pub fn shows_taps(status: StatusFormat, filter: Option<&FilterArgs>) -> bool {
    status == StatusFormat::Inline || filter.is_some_and(|filter| !filter.events.is_empty())
}

/// A stream that has been named and not opened.
pub struct BrokerInput {
    #[cfg(feature = "nats")]
    config: ReadConfig,
    /// The reading of a member of a consumer, which ends with what it has got and not delivered.
    #[cfg(feature = "nats")]
    member: Mutex<Option<JoinHandle<UnreadMessages>>>,
}

#[cfg(feature = "nats")]
impl BrokerInput {
    /// Checks the options. Returns `None` if no stream is named.
    pub fn resolve(
        url: Option<&str>,
        broker: &BrokerArgs,
        network: &Network,
        request: &BrokerRequest<'_>,
    ) -> Result<Option<Self>> {
        let Some(url) = url else { return Ok(None) };
        let workspaces = if request.workspaces.is_empty() {
            Vec::new()
        } else {
            resolve::workspaces(request.workspaces)?.ids
        };
        let mut calls = resolve::calls(request.calls)?;
        for call in calls.iter_mut().filter(|call| *call == resolve::DEMO) {
            DEMO_CALL.clone_into(call);
        }
        let prefix = SubjectPrefix::new("--subject-prefix", &broker.subject_prefix)?;
        let selection =
            EventSelection { workspaces: &workspaces, calls: &calls, types: request.types };
        let subjects = subjects(&prefix, selection);
        let default = if request.ends { ReadStart::Beginning } else { ReadStart::Now };
        let config = ReadConfig {
            broker: BrokerConfig {
                address: BrokerAddress::parse(FROM, url, network.insecure_http)?,
                credentials: broker.nats_creds.clone(),
                ca_cert: network.ca_cert.clone(),
                prefix,
                creates_stream: false,
            },
            subjects,
            start: request.since.map_or(Ok(default), start)?,
            ends: request.ends,
            consumer: request.consumer.map(consumer_name).transpose()?,
            shows_taps: request.shows_taps,
            is_sorted: request.is_sorted,
        };
        if config.is_sorted && config.consumer.is_some() {
            let why = "members of a consumer see only a part of the events";
            let advice = "leave out --order or --consumer";
            return Err(Error::usage("cannot use --order time", why, advice));
        }
        Ok(Some(Self { config, member: Mutex::default() }))
    }

    /// Returns the address of the stream.
    pub fn name(&self) -> String {
        self.config.broker.address.name()
    }

    /// Returns the source that reads the stream.
    pub fn source(
        &self,
        limits: SourceConfig,
        progress: Option<Arc<Progress>>,
        tx: Sender,
    ) -> SourceTask {
        let config = self.config.clone();
        if config.consumer.is_none() {
            return Box::pin(async move {
                let never = std::future::pending();
                run(&config, &limits, progress, &tx, never).await.0
            });
        }
        // A task that is aborted cannot return the messages that it has got.
        let (stop, stopped) = oneshot::channel::<()>();
        let (ended, end) = oneshot::channel();
        let reading = tokio::spawn(async move {
            let stopped = async { _ = stopped.await };
            let (result, unread) = run(&config, &limits, progress, &tx, stopped).await;
            let _ = ended.send(result);
            unread
        });
        *self.member.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        Box::pin(async move {
            let _stop = stop;
            end.await.unwrap_or(Ok(()))
        })
    }

    /// Gives other members what this one has got and not delivered. Requires that the run has ended.
    pub async fn release(&self) {
        let member = self.member.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(member) = member
            && let Ok(unread) = member.await
        {
            unread.release().await;
        }
    }
}

#[cfg(not(feature = "nats"))]
impl BrokerInput {
    /// Refuses a stream, because the program cannot read it.
    pub fn resolve(
        url: Option<&str>,
        _broker: &BrokerArgs,
        _network: &Network,
        _request: &BrokerRequest<'_>,
    ) -> Result<Option<Self>> {
        let Some(_) = url else { return Ok(None) };
        let why = "this evtap was built without support for NATS";
        Err(Error::usage("cannot use --from", why, "build it with the feature `nats`")
            .with_setting(FROM))
    }

    /// Returns the address of the stream.
    pub fn name(&self) -> String {
        String::new()
    }

    /// Returns a source without events.
    pub fn source(
        &self,
        _limits: SourceConfig,
        _progress: Option<Arc<Progress>>,
        _tx: Sender,
    ) -> SourceTask {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Does nothing.
    pub async fn release(&self) {}
}

/// Parses where to begin: `all`, or what `--since` accepts elsewhere.
#[cfg(feature = "nats")]
fn start(since: &str) -> Result<ReadStart> {
    if since == ALL {
        return Ok(ReadStart::Beginning);
    }
    let millis = resolve::since(since, Timestamp::now())?;
    let since =
        i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    since.map(ReadStart::Since).ok_or_else(|| {
        let advice = "give a time such as 2026-05-05T10:00:00Z, an age such as 3m, or `all`";
        Error::usage("cannot begin at --since", "it is after the end of time", advice)
            .with_setting("--since")
    })
}

#[cfg(feature = "nats")]
fn consumer_name(name: &str) -> Result<String> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=64).contains(&name.len()) && name.bytes().all(is_legal) {
        return Ok(name.to_owned());
    }
    let why = "it is empty, long, or has other characters than letters, digits, - and _";
    Err(Error::invalid_value("--consumer", name, why, "give one such as archive"))
}
