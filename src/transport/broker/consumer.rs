//! The consumer on the broker, from which a reader requests messages.
//!
//! Without a name, a consumer belongs to one connection and begins after the last message that was
//! read. A durable consumer remembers on the broker what its members have acknowledged.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use async_nats::datetime;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, Info, pull};
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::stream::{ConsumerErrorKind, Stream};
use jiff::Timestamp;

use super::read_config::{ReadConfig, ReadFailure, ReadStart};
use super::stream::covers;
use crate::error::{Error, Exit};

/// How long the broker keeps a consumer without a name while nobody requests messages from it.
const INACTIVE: Duration = Duration::from_secs(120);

/// How long a member may take before its messages are delivered to another one.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_secs(30);

/// The maximum number of messages of a durable consumer that are delivered and not acknowledged.
const MAX_UNACKNOWLEDGED: i64 = 20_000;

/// The name under which a durable consumer keeps the time of its first events, for all members.
const SINCE: &str = "evtap-since";

/// How much earlier than its time an event may have been stored, by the clocks of two machines.
const CLOCK_MARGIN: Duration = Duration::from_secs(60);

/// Opens the consumer, and returns whether it is new. `position` is the number of the last message
/// that was read. `was_open` says that there was a consumer before, so a durable one must still
/// exist. A consumer without a name from the user gets `unique`.
pub(super) async fn open(
    stream: &Stream,
    config: &ReadConfig,
    position: Option<u64>,
    was_open: bool,
    unique: String,
) -> Result<(Info, bool), ReadFailure> {
    let subjects = &stream.cached_info().config.subjects;
    let all = config.broker.prefix.all();
    let takes_only_ours = !subjects.is_empty() && subjects.iter().all(|own| covers(&all, own));
    // Without filters, a number that is missing shows that a message was removed.
    let filters = if takes_only_ours && config.subjects == [all] {
        Vec::new()
    } else {
        config.subjects.clone()
    };
    // The subject of the request has a single filter, by which permissions can be granted.
    let (filter_subject, filter_subjects) = match &filters[..] {
        [single] => (single.clone(), Vec::new()),
        _ => (String::new(), filters.clone()),
    };
    let Some(name) = &config.consumer else {
        let settings = pull::Config {
            name: Some(unique),
            deliver_policy: deliver_policy(config.start, position),
            ack_policy: AckPolicy::None,
            filter_subject,
            filter_subjects,
            inactive_threshold: INACTIVE,
            num_replicas: 1,
            memory_storage: true,
            ..pull::Config::default()
        };
        return create(stream, config, settings).await.map(|info| (info, true));
    };
    if let Some(info) = find(stream, config, name, &filters).await? {
        return Ok((info, false));
    }
    if was_open {
        let why = format!("the consumer {name} was deleted");
        let advice = "start again to create it anew, which begins where --since says";
        return Err(fatal(Exit::NotFound, config, why, advice));
    }
    let settings = pull::Config {
        durable_name: Some(name.clone()),
        deliver_policy: deliver_policy(config.start, None),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACKNOWLEDGE_WITHIN,
        max_ack_pending: MAX_UNACKNOWLEDGED,
        filter_subject,
        filter_subjects,
        metadata: match config.start {
            ReadStart::Since(since) => HashMap::from([(SINCE.to_owned(), since.to_string())]),
            ReadStart::Now | ReadStart::Beginning => HashMap::new(),
        },
        ..pull::Config::default()
    };
    match create(stream, config, settings).await {
        Ok(info) => Ok((info, true)),
        // Another member may have created it in the meantime.
        Err(failure) => {
            find(stream, config, name, &filters).await?.map(|info| (info, false)).ok_or(failure)
        }
    }
}

/// Returns the time before which events are left out, although the consumer delivers them.
pub(super) fn since(config: &ReadConfig, consumer: &Info) -> Option<Timestamp> {
    match config.start {
        _ if config.consumer.is_some() => consumer.config.metadata.get(SINCE)?.parse().ok(),
        ReadStart::Since(since) => Some(since),
        ReadStart::Now | ReadStart::Beginning => None,
    }
}

fn deliver_policy(start: ReadStart, position: Option<u64>) -> DeliverPolicy {
    match (position, start) {
        (Some(position), _) => {
            DeliverPolicy::ByStartSequence { start_sequence: position.saturating_add(1) }
        }
        (None, ReadStart::Now) => DeliverPolicy::New,
        (None, ReadStart::Beginning) => DeliverPolicy::All,
        (None, ReadStart::Since(since)) => {
            let start = since.checked_sub(CLOCK_MARGIN).unwrap_or(Timestamp::UNIX_EPOCH);
            datetime::from_nanos(start.as_nanosecond())
                .map_or(DeliverPolicy::All, |start_time| DeliverPolicy::ByStartTime { start_time })
        }
    }
}

async fn create(
    stream: &Stream,
    config: &ReadConfig,
    settings: pull::Config,
) -> Result<Info, ReadFailure> {
    let created: Result<Consumer<pull::Config>, _> = stream.create_consumer(settings).await;
    created.map(|consumer| consumer.cached_info().clone()).map_err(|error| match error.kind() {
        ConsumerErrorKind::JetStream(error) => refused(config, error.error_code()),
        _ => unavailable(),
    })
}

/// Returns the durable consumer if it exists and its members can share the work.
async fn find(
    stream: &Stream,
    config: &ReadConfig,
    name: &str,
    filters: &[String],
) -> Result<Option<Info>, ReadFailure> {
    let info = match stream.consumer_info(name).await {
        Ok(info) => info,
        Err(error) => {
            return match error.kind() {
                ConsumerInfoErrorKind::NotFound => Ok(None),
                ConsumerInfoErrorKind::JetStream(error)
                    if error.error_code() == ErrorCode::CONSUMER_NOT_FOUND =>
                {
                    Ok(None)
                }
                ConsumerInfoErrorKind::JetStream(error) => Err(refused(config, error.error_code())),
                _ => Err(unavailable()),
            };
        }
    };
    let theirs = &info.config;
    if theirs.deliver_subject.is_some() || theirs.ack_policy != AckPolicy::Explicit {
        let why = format!("the consumer {name} does not wait for acknowledgements of each message");
        return Err(fatal(Exit::Failure, config, why, "give another name with --consumer"));
    }
    let own: BTreeSet<_> = filters.iter().collect();
    let single = Some(&theirs.filter_subject).filter(|subject| !subject.is_empty());
    let all = config.broker.prefix.all();
    let wanted: BTreeSet<_> = theirs.filter_subjects.iter().chain(single).collect();
    let is_same = own == wanted || (own.is_empty() && wanted.iter().all(|one| **one == all));
    if !is_same {
        // A member would acknowledge what the others select and it does not.
        let why = format!("the consumer {name} selects other events than this command");
        let advice = "give the options of its other members (-e, --workspace), or another name";
        return Err(fatal(Exit::Usage, config, why, advice));
    }
    Ok(Some(info))
}

fn fatal(
    exit: Exit,
    config: &ReadConfig,
    why: impl Into<String>,
    advice: &'static str,
) -> ReadFailure {
    ReadFailure::Fatal(Error::new(exit, config.what(), why, advice))
}

/// Classifies an answer of the broker. Its text is not used.
fn refused(config: &ReadConfig, code: ErrorCode) -> ReadFailure {
    let (why, advice) = match code {
        ErrorCode::STREAM_NOT_FOUND => {
            return ReadFailure::Transient("the stream was not found".to_owned());
        }
        ErrorCode::CONSUMER_FILTER_NOT_SUBSET => (
            "the stream does not have the subjects of the events".to_owned(),
            "name another stream, or give the prefix of its subjects with --subject-prefix",
        ),
        ErrorCode::CONSUMER_PULL_REQUIRES_ACK
        | ErrorCode::CONSUMER_WQ_REQUIRES_EXPLICIT_ACK
        | ErrorCode::CONSUMER_WQ_MULTIPLE_UNFILTERED
        | ErrorCode::CONSUMER_WQ_CONSUMER_NOT_UNIQUE
        | ErrorCode::CONSUMER_WQ_CONSUMER_NOT_DELIVER_ALL => (
            "the stream is a work queue, which removes what is read".to_owned(),
            "name a stream that keeps messages by limits, as --create-stream creates it",
        ),
        ErrorCode::MAXIMUM_CONSUMERS_LIMIT => (
            "the stream has as many consumers as it allows".to_owned(),
            "end other readers, or allow more",
        ),
        ErrorCode::CONSUMER_BAD_DURABLE_NAME | ErrorCode::CONSUMER_NAME_TOO_LONG => (
            "the name of the consumer is not one".to_owned(),
            "give letters, digits, - and _ with --consumer",
        ),
        ErrorCode(code) => (
            format!("the broker refused a consumer (JetStream error {code})"),
            "look the number up in the documentation of NATS",
        ),
    };
    fatal(Exit::Failure, config, why, advice)
}

fn unavailable() -> ReadFailure {
    ReadFailure::Transient("the broker does not answer requests about consumers".to_owned())
}
