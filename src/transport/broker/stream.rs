//! The stream on the broker: its requirements, and its creation.

use std::time::Duration;

use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};
use async_nats::jetstream::{Context, ErrorCode};

use super::address::BrokerAddress;
use super::subject::SubjectPrefix;
use crate::error::{Error, Exit, Result};

/// For how long a new stream recognises an event that is published again: three times as long as
/// the platform keeps events for a reconnecting client.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// The shortest such time that evtap accepts. A tap that was away resumes within the five minutes
/// that the platform keeps, and publishes again what it has published before.
const SHORTEST_WINDOW: Duration = Duration::from_secs(6 * 60);

/// For how long a new stream keeps events.
const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The maximum size of a new stream, in bytes. The oldest events are removed.
const MAX_BYTES: i64 = 10 << 30;

/// Returns the stream after checking that it suits, or creates it.
pub(super) async fn open(
    context: &Context,
    address: &BrokerAddress,
    prefix: &SubjectPrefix,
    creates: bool,
) -> Result<Stream> {
    let what = || format!("cannot publish to {}", address.name());
    let missing = match context.get_stream(&address.stream).await {
        Ok(stream) => {
            check(&stream.cached_info().config, &what, prefix)?;
            return Ok(stream);
        }
        Err(error) => error,
    };
    match missing.kind() {
        GetStreamErrorKind::JetStream(error)
            if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {}
        GetStreamErrorKind::JetStream(error) => return Err(refused(what(), error.error_code())),
        _ => return Err(unavailable(what())),
    }
    if !creates {
        return Err(Error::new(
            Exit::NotFound,
            what(),
            "the broker has no such stream",
            "give --create-stream to create it, or create it with",
        )
        .with_detail(format!("  {}", creation_command(address, prefix))));
    }
    match context.create_stream(config(address, prefix)).await {
        Ok(_) => {}
        Err(error) => {
            return Err(match error.kind() {
                CreateStreamErrorKind::JetStream(error) => refused(what(), error.error_code()),
                _ => unavailable(what()),
            });
        }
    }
    context.get_stream(&address.stream).await.map_err(|_| unavailable(what()))
}

/// Checks that an existing stream takes the events and recognises repeated ones.
fn check(config: &Config, what: &impl Fn() -> String, prefix: &SubjectPrefix) -> Result<()> {
    if config.duplicate_window < SHORTEST_WINDOW {
        let why = format!(
            "the stream recognises a repeated event for only {} s, which is shorter than the time after which a \
             tap resumes",
            config.duplicate_window.as_secs()
        );
        let advice = format!(
            "set its window with `nats stream edit {} --dupe-window {}m`",
            config.name,
            DUPLICATE_WINDOW.as_secs() / 60
        );
        return Err(Error::new(Exit::Failure, what(), why, advice));
    }
    if config.no_ack {
        return Err(Error::new(
            Exit::Failure,
            what(),
            "the stream does not acknowledge what it stores",
            "create a stream that does",
        ));
    }
    if config.retention != RetentionPolicy::Limits {
        return Err(Error::new(
            Exit::Failure,
            what(),
            "the stream removes events once its consumers have read them, or stores none without a \
             consumer",
            "name a stream that keeps them (retention `limits`), as --create-stream creates it",
        ));
    }
    if !config.subjects.iter().any(|pattern| covers(pattern, &prefix.all())) {
        return Err(Error::new(
            Exit::Failure,
            what(),
            format!("the stream does not take the subjects {}", prefix.all()),
            format!(
                "add them with `nats stream edit {} --subjects '{}'`, or give --subject-prefix",
                config.name,
                prefix.all()
            ),
        ));
    }
    Ok(())
}

/// Returns whether a pattern matches every subject that another pattern matches.
pub(super) fn covers(pattern: &str, of: &str) -> bool {
    let mut wanted = of.split('.');
    for token in pattern.split('.') {
        match (token, wanted.next()) {
            (">", Some(_)) => return true,
            ("*", Some(wanted)) if wanted != ">" => {}
            (token, Some(wanted)) if token == wanted => {}
            _ => return false,
        }
    }
    wanted.next().is_none()
}

fn config(address: &BrokerAddress, prefix: &SubjectPrefix) -> Config {
    Config {
        name: address.stream.clone(),
        subjects: vec![prefix.all()],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        duplicate_window: DUPLICATE_WINDOW,
        max_age: MAX_AGE,
        max_bytes: MAX_BYTES,
        allow_direct: true,
        ..Config::default()
    }
}

/// Returns the command of the `nats` tool that creates the same stream as `--create-stream`.
pub(super) fn creation_command(address: &BrokerAddress, prefix: &SubjectPrefix) -> String {
    format!(
        "nats --server {} stream add {} --subjects '{}' --storage file --discard old \
         --dupe-window {}m --max-age {}d --max-bytes {}GiB --allow-direct --defaults",
        address.server,
        address.stream,
        prefix.all(),
        DUPLICATE_WINDOW.as_secs() / 60,
        MAX_AGE.as_secs() / 86_400,
        MAX_BYTES >> 30,
    )
}

/// Creates the error for a request that the server refused. Its text is not used.
pub(super) fn refused(what: String, code: ErrorCode) -> Error {
    let (why, advice) = match code {
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => (
            "the broker has JetStream switched off".to_owned(),
            "start it with JetStream (`nats-server -js`), or enable it for the account",
        ),
        ErrorCode::STREAM_SUBJECT_OVERLAP => (
            "another stream of the broker takes these subjects already".to_owned(),
            "name that stream, or give other subjects with --subject-prefix",
        ),
        ErrorCode::STORAGE_RESOURCES_EXCEEDED => (
            format!("the broker has no {} GiB left for another stream", MAX_BYTES >> 30),
            "free space on its disk or raise its limit max_file_store, or create a smaller stream \
             yourself with `nats stream add`",
        ),
        ErrorCode(code) => (
            format!("the broker refused to (JetStream error {code})"),
            "look the number up in the documentation of NATS",
        ),
    };
    Error::new(Exit::Failure, what, why, advice)
}

pub(super) fn unavailable(what: String) -> Error {
    Error::new(
        Exit::Failure,
        what,
        "the broker does not answer requests about streams",
        "check that JetStream is enabled, and that these credentials may use $JS.API",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_the_subjects_that_it_matches() {
        for (pattern, expected) in [
            ("evtap.>", true),
            (">", true),
            ("*.>", true),
            ("evtap.*", false),
            ("evtap", false),
            ("evtap.*.>", false),
            ("other.>", false),
            ("evtap.w.>", false),
        ] {
            assert_eq!(covers(pattern, "evtap.>"), expected, "{pattern}");
        }
    }
}
