//! Failures of a connection, classified by whether another attempt can help. SSE and the WebSocket
//! share this classification.
//!
//! The reasons consist of the crate's own words, status codes and counts. Errors of the libraries
//! are never quoted: they contain URLs, header values and text from the server.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use rustls::CertificateError;

use crate::error::{Error, Exit};

/// The longest `Retry-After` that is respected. A longer wait would look like a hang.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Why a connection could not be opened or was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectError {
    /// A failure that no further attempt can fix.
    Fatal {
        /// The status to exit with.
        exit: Exit,
        /// Why.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// The key was refused. Fatal, unless there is a newer key.
    Unauthorized {
        /// Why.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// A mistake of the user before the first successful connection, and a transient failure of the
    /// server after it.
    Ambiguous {
        /// Why.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// A failure after which another attempt may succeed.
    Transient {
        /// Why.
        why: String,
        /// How long the server asks to wait.
        at_least: Duration,
    },
}

impl ConnectError {
    /// Creates a failure that no further attempt can fix.
    pub fn fatal(exit: Exit, why: impl Into<String>, advice: &'static str) -> Self {
        Self::Fatal { exit, why: why.into(), advice }
    }

    /// Creates a failure that a newer key may fix.
    pub fn unauthorized(why: impl Into<String>, advice: &'static str) -> Self {
        Self::Unauthorized { why: why.into(), advice }
    }

    /// Creates a failure that is fatal only before the first successful connection.
    pub fn ambiguous(why: impl Into<String>, advice: &'static str) -> Self {
        Self::Ambiguous { why: why.into(), advice }
    }

    /// Creates a failure after which another attempt may succeed.
    pub fn transient(why: impl Into<String>) -> Self {
        Self::Transient { why: why.into(), at_least: Duration::ZERO }
    }

    /// Returns the reason.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Fatal { why, .. }
            | Self::Unauthorized { why, .. }
            | Self::Ambiguous { why, .. }
            | Self::Transient { why, .. } => why,
        }
    }

    /// Converts the failure to an error for a command that does not reconnect. `what` says what
    /// failed.
    #[must_use]
    pub fn into_error(self, what: &str) -> Error {
        match self {
            Self::Fatal { exit, why, advice } => Error::new(exit, what, why, advice),
            Self::Unauthorized { why, advice } => Error::new(Exit::Credential, what, why, advice),
            Self::Ambiguous { why, advice } => Error::new(Exit::Failure, what, why, advice),
            Self::Transient { why, .. } => Error::new(Exit::Failure, what, why, "try again"),
        }
    }

    /// Creates the failure of a request without an answer.
    #[must_use]
    pub fn unreachable(error: &(dyn StdError + 'static)) -> Self {
        Self::ambiguous(cause(error), "check the URL, the network and the proxy")
    }

    /// Creates the failure of an answer whose status does not open a stream. `resource` is what was
    /// requested, such as "workspace".
    #[must_use]
    pub fn status(status: StatusCode, headers: &HeaderMap, now: Timestamp, resource: &str) -> Self {
        let code = status.as_u16();
        match code {
            // HTML, section 9.2.3: 204 asks the client to stop reconnecting.
            204 => Self::fatal(
                Exit::Failure,
                "the server has no stream here (204)",
                "check the base URL",
            ),
            401 => Self::unauthorized(
                "the server refused the API key (401)",
                "check that the key is current and belongs to this environment",
            ),
            403 => Self::fatal(
                Exit::Credential,
                format!("the API key may not read this {resource} (403)"),
                "use a key that has access to it",
            ),
            404 | 410 => Self::fatal(
                Exit::NotFound,
                format!("no such {resource} ({code})"),
                "check the id and the base URL",
            ),
            407 => Self::ambiguous(
                "the proxy requires authentication (407)",
                "put user name and password into the proxy's URL",
            ),
            408 | 425 | 429 | 500..=599 => {
                let why = match code {
                    429 => "the server limits the request rate (429)".to_owned(),
                    _ => format!("the server answered {code}"),
                };
                Self::Transient { why, at_least: retry_after(headers, now) }
            }
            _ => Self::ambiguous(
                format!("the server answered {code}, which does not open a stream"),
                "check the base URL",
            ),
        }
    }
}

/// Returns the delay that `Retry-After` asks for, in seconds or as a date (RFC 9110, section
/// 10.2.3); zero if the header is missing or invalid.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Duration {
    static DATES: DateTimeParser = DateTimeParser::new();
    let Some(value) = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::trim)
    else {
        return Duration::ZERO;
    };
    let delay = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs)
    } else {
        // A date in the past counts as zero, and so does an invalid value.
        DATES
            .parse_timestamp(value)
            .ok()
            .and_then(|at| at.duration_since(now).try_into().ok())
            .unwrap_or_default()
    };
    delay.min(MAX_RETRY_AFTER)
}

/// The reason why a redirect was not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirect {
    /// It leads to another scheme, host or port, where the credential must not go.
    OtherOrigin,
    /// There were too many redirects in a row.
    TooMany,
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherOrigin => {
                "the server redirects to another origin, where the API key must not go"
            }
            Self::TooMany => "the server redirects too often",
        })
    }
}

impl StdError for Redirect {}

/// Describes an error of the libraries in the crate's own words: the first cause in its chain that
/// is known.
#[must_use]
pub fn cause(error: &(dyn StdError + 'static)) -> String {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(why) = known_cause(error) {
            return why;
        }
        next = error.source();
    }
    "the connection failed".to_owned()
}

fn known_cause(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return if error.is_dns() {
            Some("no such host".to_owned())
        } else if error.is_timeout() {
            Some("timed out".to_owned())
        } else {
            None
        };
    }
    if let Some(redirect) = error.downcast_ref::<Redirect>() {
        return Some(redirect.to_string());
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(tls_cause(error).to_owned());
    }
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return if error.is_parse() {
            Some("the answer is not HTTP".to_owned())
        } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
            Some("connection closed".to_owned())
        } else {
            None
        };
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // `source` of an `io::Error` skips the error that it wraps.
        let wrapped = error.get_ref().map(|inner| inner as &(dyn StdError + 'static));
        return wrapped.and_then(known_cause).or_else(|| io_cause(error.kind()).map(str::to_owned));
    }
    // The type of a proxy's error is not public, but its text is fixed.
    match error.to_string().strip_prefix("tunnel error: ")? {
        "proxy authorization required" => {
            Some("the proxy requires authentication (407)".to_owned())
        }
        "failed to create underlying connection" => None,
        _ => Some("the proxy refused to connect".to_owned()),
    }
}

fn io_cause(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind as Kind;
    Some(match kind {
        Kind::ConnectionRefused => "connection refused",
        Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe
        | Kind::UnexpectedEof
        | Kind::NotConnected => "connection closed",
        Kind::TimedOut => "timed out",
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => {
            "network unreachable"
        }
        _ => return None,
    })
}

fn tls_cause(error: &rustls::Error) -> &'static str {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "TLS: the certificate has expired",
        Tls::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "TLS: the certificate is not valid yet; is the clock right?",
        Tls::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "TLS: the certificate is for another host",
        Tls::InvalidCertificate(_) => "TLS: certificate not trusted",
        Tls::InvalidMessage(_) => "TLS: the server speaks another protocol",
        _ => "TLS: no agreement with the server",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(status: u16, retry_after: Option<&str>) -> Option<u64> {
        let now: Timestamp = "2026-05-01T00:00:00Z".parse().expect("a timestamp");
        let headers = retry_after
            .map(|value| (RETRY_AFTER, value.parse().expect("a header value")))
            .into_iter()
            .collect();
        let status = StatusCode::from_u16(status).expect("a status");
        match ConnectError::status(status, &headers, now, "workspace") {
            ConnectError::Transient { at_least, .. } => Some(at_least.as_secs()),
            ConnectError::Fatal { .. }
            | ConnectError::Unauthorized { .. }
            | ConnectError::Ambiguous { .. } => None,
        }
    }

    #[test]
    fn retry_after_accepts_seconds_and_dates() {
        for (value, expected) in [
            (None, 0),
            (Some("0"), 0),
            (Some("7"), 7),
            (Some(" 7 "), 7),
            (Some("3601"), 3600),
            (Some("99999999999999999999999"), 3600),
            (Some("-7"), 0),
            (Some("1.5"), 0),
            (Some("soon"), 0),
            (Some(""), 0),
            (Some("Fri, 01 May 2026 00:02:00 GMT"), 120),
            (Some("Thu, 30 Apr 2026 00:00:00 GMT"), 0),
            (Some("Fri, 01 May 2099 00:00:00 GMT"), 3600),
        ] {
            assert_eq!(seconds(429, value), Some(expected), "{value:?}");
            assert_eq!(seconds(503, value), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn every_status_has_an_outcome() {
        let headers = HeaderMap::new();
        for code in 100..1000 {
            let status = StatusCode::from_u16(code).expect("a status");
            let exit =
                match ConnectError::status(status, &headers, Timestamp::UNIX_EPOCH, "workspace") {
                    ConnectError::Fatal { exit, .. } => Some(exit),
                    ConnectError::Unauthorized { .. } => Some(Exit::Credential),
                    ConnectError::Ambiguous { .. } => None,
                    ConnectError::Transient { .. } => {
                        assert!(matches!(code, 408 | 425 | 429 | 500..=599), "{code}");
                        continue;
                    }
                };
            let expected = match code {
                204 => Some(Exit::Failure),
                401 | 403 => Some(Exit::Credential),
                404 | 410 => Some(Exit::NotFound),
                _ => None,
            };
            assert_eq!(exit, expected, "{code}");
            assert!(!matches!(code, 408 | 425 | 429 | 500..=599), "{code}");
        }
    }

    #[test]
    fn causes_are_found_through_wrappers_and_quote_nothing() {
        let refused =
            io::Error::other(io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused)));
        let untrusted = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let canary = rustls::Error::General("canary".to_owned());
        for (error, expected) in [
            (refused, "connection refused"),
            (io::Error::from(io::ErrorKind::UnexpectedEof), "connection closed"),
            (io::Error::other(untrusted), "TLS: certificate not trusted"),
            (
                io::Error::new(io::ErrorKind::InvalidData, canary),
                "TLS: no agreement with the server",
            ),
            (io::Error::new(io::ErrorKind::TimedOut, "canary"), "timed out"),
            (io::Error::other("canary"), "the connection failed"),
            (
                io::Error::other(Redirect::OtherOrigin),
                "the server redirects to another origin, where the API key must not go",
            ),
        ] {
            assert_eq!(cause(&error), expected);
        }
    }
}
