//! The connection to the broker.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use tokio::sync::Notify;

use super::address::BrokerAddress;
use super::subject::SubjectPrefix;
use crate::error::{Error, Exit, Result};
use crate::transport::connect_error::cause;
use crate::transport::private_file;
use crate::transport::tls::{self, ServerVerifier};

/// How long opening a connection may take, including TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest time between two attempts to reconnect.
const MAX_RECONNECT_DELAY: Duration = Duration::from_secs(5);

/// The oldest server that evtap works with: older ones lack what its streams are created with.
const MIN_VERSION: (u64, u64) = (2, 10);

/// The option and the setting that name the file of credentials.
const CREDENTIALS: &str = "--nats-creds";

/// How to reach a stream on a broker.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// The address of the stream.
    pub address: BrokerAddress,
    /// The file of credentials, as `nsc` writes it.
    pub credentials: Option<PathBuf>,
    /// A PEM file of certificates to trust in addition to those of the system.
    pub ca_cert: Option<PathBuf>,
    /// The first tokens of subjects.
    pub prefix: SubjectPrefix,
    /// Whether a missing stream is created.
    pub creates_stream: bool,
}

/// Connects to the broker, which must not be too old. The connection reconnects by itself.
pub(super) async fn connect(config: &BrokerConfig) -> Result<Client> {
    connect_watched(config, None).await.map_err(|failure| failure.error)
}

/// Returns a name that no other consumer has. With a name, the subject of the request that creates a
/// consumer has the name and the filter, by which permissions can be granted.
pub(super) fn unique_name(client: &Client) -> String {
    client.new_inbox().replace('.', "-")
}

/// Why there is no connection.
pub(super) struct ConnectFailure {
    /// What failed, why, and what to do.
    pub error: Error,
    /// Whether another attempt may succeed, if there was a connection before.
    pub can_pass: bool,
}

impl From<Error> for ConnectFailure {
    fn from(error: Error) -> Self {
        Self { error, can_pass: false }
    }
}

/// Connects like [`connect`]. With `lost`, the connection is not opened again when it is lost, which
/// is notified instead.
pub(super) async fn connect_watched(
    config: &BrokerConfig,
    lost: Option<Arc<Notify>>,
) -> Result<Client, ConnectFailure> {
    let once = |options: ConnectOptions, lost: Arc<Notify>| {
        options.max_reconnects(1).event_callback(move |event| {
            if matches!(event, Event::Disconnected | Event::Closed) {
                lost.notify_one();
            }
            std::future::ready(())
        })
    };
    open(config, |options| match lost {
        Some(lost) => once(options, lost),
        None => options,
    })
    .await
}

/// Connects like [`connect`], and notifies `changed` whenever the connection is lost or opened again.
pub(super) async fn connect_notifying(
    config: &BrokerConfig,
    changed: Arc<Notify>,
) -> Result<Client> {
    let notify = |options: ConnectOptions| {
        options.event_callback(move |event| {
            if matches!(event, Event::Disconnected | Event::Connected) {
                changed.notify_one();
            }
            std::future::ready(())
        })
    };
    open(config, notify).await.map_err(|failure| failure.error)
}

async fn open(
    config: &BrokerConfig,
    adapt: impl FnOnce(ConnectOptions) -> ConnectOptions,
) -> Result<Client, ConnectFailure> {
    let BrokerConfig { address, credentials, ca_cert, .. } = config;
    let what = || format!("cannot connect to {}", address.server);
    let verifier = ServerVerifier::new(ca_cert.as_deref())?;
    let mut options = ConnectOptions::new()
        .name("evtap")
        .connection_timeout(CONNECT_TIMEOUT)
        .require_tls(address.requires_tls)
        .tls_client_config(tls::client_config(Arc::new(verifier), &[]))
        .reconnect_delay_callback(|attempts| {
            // The client also waits before its first attempt, which is number 1.
            let failed = attempts.saturating_sub(1);
            let millis = 100 * u64::try_from(failed).unwrap_or(u64::MAX).min(100);
            Duration::from_millis(millis).min(MAX_RECONNECT_DELAY)
        });
    if !address.requires_tls {
        // They may be on other machines, to which plain text is not allowed.
        options = options.ignore_discovered_servers();
    }
    options = adapt(options);
    if let Some(path) = credentials {
        let text = private_file::read_secret(CREDENTIALS, path)
            .map_err(|error| error.with_setting(CREDENTIALS))?;
        let unusable = || {
            let why = "it is not a file of NATS credentials";
            let advice = "create one with `nsc generate creds`";
            Error::invalid_value(CREDENTIALS, path.display(), why, advice)
        };
        let text = std::str::from_utf8(&text).map_err(|_| unusable())?;
        options = options.credentials(text).map_err(|_| unusable())?;
    }
    let server: ServerAddr = address.server.parse().map_err(|_| {
        Error::usage(what(), "the address is not valid", "check the host and the port")
    })?;
    let client = options.connect(server).await.map_err(|error| {
        let running = "check the address, and that the broker is running";
        let (exit, why, advice) = match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => (
                Exit::Credential,
                "the broker refused the credentials".to_owned(),
                "give valid ones with --nats-creds",
            ),
            ConnectErrorKind::Dns | ConnectErrorKind::ServerParse => {
                (Exit::Failure, "no such host".to_owned(), "check the address")
            }
            ConnectErrorKind::TimedOut => (Exit::Failure, "timed out".to_owned(), running),
            ConnectErrorKind::Tls | ConnectErrorKind::Io | ConnectErrorKind::MaxReconnects => {
                let why = cause(&error);
                let advice = if why.starts_with("TLS") {
                    "check that the broker offers TLS, and its certificate (--ca-cert)"
                } else {
                    running
                };
                (Exit::Failure, why, advice)
            }
        };
        let can_pass = matches!(
            error.kind(),
            ConnectErrorKind::Dns
                | ConnectErrorKind::TimedOut
                | ConnectErrorKind::Io
                | ConnectErrorKind::MaxReconnects
        );
        ConnectFailure { error: Error::new(exit, what(), why, advice), can_pass }
    })?;
    let (major, minor) = MIN_VERSION;
    if !is_recent(&client.server_info().version) {
        let why = format!("the server is older than NATS {major}.{minor}, or does not say");
        return Err(Error::new(Exit::Failure, what(), why, "use a newer nats-server").into());
    }
    Ok(client)
}

/// Returns whether a version is at least the oldest supported one.
fn is_recent(version: &str) -> bool {
    let mut numbers = version.split('.').map(str::parse::<u64>);
    matches!(
        (numbers.next(), numbers.next()),
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= MIN_VERSION
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_are_recognised() {
        for (version, expected) in [
            ("2.10.0", true),
            ("2.15.1", true),
            ("3.0.0-beta", true),
            ("2.9.10", false),
            ("1.99.0", false),
            ("", false),
            ("x", false),
        ] {
            assert_eq!(is_recent(version), expected, "{version}");
        }
    }
}
