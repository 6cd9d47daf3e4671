//! The address of a stream on a broker: `nats://HOST[:PORT]/STREAM`, or `tls://` for TLS.

use reqwest::Url;

use crate::error::{Error, Result};
use crate::transport::client::is_loopback;

/// The port of a broker, unless the address names another one.
const DEFAULT_PORT: u16 = 4222;

const EXAMPLE: &str = "give one such as nats://127.0.0.1:4222/evtap";

/// A stream on a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    /// The URL of the server, without the stream.
    pub(super) server: String,
    /// The name of the stream.
    pub(super) stream: String,
    /// Whether the connection must use TLS.
    pub(super) requires_tls: bool,
}

impl BrokerAddress {
    /// Parses the value of `option`. Plain text to another machine requires `allows_plain`.
    ///
    /// # Errors
    ///
    /// Fails if the text is not such an address or contains a user name or a password, or if the
    /// connection would not be encrypted. The error does not quote the text, which may contain a
    /// password.
    pub fn parse(option: &'static str, text: &str, allows_plain: bool) -> Result<Self> {
        let what = || format!("the URL of {option} can't be used");
        let invalid = |why: &str| Error::usage(what(), why, EXAMPLE).with_setting(option);
        let url = Url::parse(text.trim()).map_err(|_| invalid("it is not a URL"))?;
        let is_tls = match url.scheme() {
            "nats" => false,
            "tls" => true,
            _ => return Err(invalid("its scheme is not nats or tls")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            let advice = "give the credentials with --nats-creds FILE";
            let why = "it contains a user name or password";
            return Err(Error::usage(what(), why, advice).with_setting(option));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| invalid("it has no host"))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it has more than a host, a port and a stream"));
        }
        let stream = url.path().trim_matches('/');
        if !is_stream_name(stream) {
            return Err(invalid(if stream.is_empty() {
                "it does not name a stream"
            } else {
                "the name of the stream has other characters than letters, digits, - and _"
            }));
        }
        if !is_tls && !is_loopback(&url) && !allows_plain {
            let advice = "use tls://, or --insecure-http if the network is your own";
            let why = "it is plain text, which would send the events in the clear";
            return Err(Error::usage(what(), why, advice).with_setting(option));
        }
        let scheme = url.scheme();
        let server = format!("{scheme}://{host}:{}", url.port().unwrap_or(DEFAULT_PORT));
        Ok(Self { server, stream: stream.to_owned(), requires_tls: is_tls })
    }

    /// Returns the address in the form in which it was given.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.server, self.stream)
    }
}

/// Returns whether this can be the name of a stream. NATS allows more characters, but recommends
/// these.
fn is_stream_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed() {
        for (text, server, stream, requires_tls) in [
            ("nats://127.0.0.1/evtap", "nats://127.0.0.1:4222", "evtap", false),
            (" nats://localhost:9/A-b_1/ ", "nats://localhost:9", "A-b_1", false),
            ("tls://broker.example/evtap", "tls://broker.example:4222", "evtap", true),
            ("nats://[::1]:7/e", "nats://[::1]:7", "e", false),
        ] {
            let parsed = BrokerAddress::parse("--publish", text, false).expect(text);
            let expected = BrokerAddress {
                server: server.to_owned(),
                stream: stream.to_owned(),
                requires_tls,
            };
            assert_eq!(parsed, expected);
        }
        assert!(BrokerAddress::parse("--publish", "nats://broker.example/evtap", true).is_ok());
    }

    #[test]
    fn other_texts_are_refused_and_not_quoted() {
        for (text, why) in [
            ("canary", "not a URL"),
            ("http://canary/evtap", "scheme"),
            ("nats://127.0.0.1", "does not name a stream"),
            ("nats://127.0.0.1/canary/b", "other characters"),
            ("nats://127.0.0.1/canary.b", "other characters"),
            ("nats:///canary", "no host"),
            ("nats://canary@127.0.0.1/s", "user name"),
            ("nats://u:canary@127.0.0.1/s", "user name"),
            ("nats://127.0.0.1/s?canary", "more than"),
            ("nats://canary.example/s", "plain text"),
        ] {
            let error = BrokerAddress::parse("--publish", text, false).expect_err(text);
            assert!(error.to_string().contains(why), "{text}: {error}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
