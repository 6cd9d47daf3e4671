//! The HTTP clients for the two endpoints of the platform. All network access goes through here.
//!
//! The credential is sent in one of two headers, marked sensitive, and only to the origin that the
//! user named: never in plain text to another machine unless that was allowed, never after a
//! redirect to another scheme, host or port, and never through a proxy to a loopback address.
//! SSE and the WebSocket handshake use the same kind of client, so that proxies, certificates and
//! TLS work alike.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, HeaderValue};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Proxy, RequestBuilder, Response, Url};

use crate::error::{Error, Exit, Result};
use crate::transport::connect_error::{ConnectError, Redirect};
use crate::transport::credential::Credential;
use crate::transport::tls::{self, ServerVerifier};

/// How long opening a connection may take, including TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the head of an answer may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// How many redirects in a row are followed.
const MAX_REDIRECTS: usize = 5;

/// The value of `--proxy` that disables proxies, whatever the environment says.
pub const NO_PROXY: &str = "none";

/// How to reach the network.
#[derive(Clone, Default)]
pub struct Network {
    /// The URL of the proxy. It takes precedence over the environment.
    pub proxy: Option<String>,
    /// A PEM file of certificates to trust in addition to those of the system.
    pub ca_cert: Option<PathBuf>,
    /// Allows plain text, and so an unencrypted credential, to hosts other than this one.
    pub insecure_http: bool,
    /// A DNS resolver to use instead of that of the system.
    pub resolver: Option<Arc<dyn Resolve>>,
}

/// The base URLs of the platform: one for the workspace stream and one for the call observer.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoints {
    base: Url,
    agent: Url,
}

impl Endpoints {
    /// Creates the endpoints. Without `agent`, the observer is at `base` as well. A path in front
    /// of `/v1` is kept, for gateways.
    ///
    /// # Errors
    ///
    /// Fails if a URL is unusable, or is plain text to another host without `insecure_http`.
    pub fn resolve(base: &str, agent: Option<&str>, insecure_http: bool) -> Result<Self> {
        let base = origin("the base URL", base, "https://api.example.com", insecure_http)
            .map_err(|error| error.with_setting("--base-url"))?;
        let agent = match agent {
            Some(agent) => {
                origin("the agent base URL", agent, "wss://api.example.com", insecure_http)
                    .map_err(|error| error.with_setting("--agent-base-url"))?
            }
            None => base.clone(),
        };
        Ok(Self { base, agent })
    }

    /// Returns the base URLs of the workspace stream and of the observer.
    #[must_use]
    pub const fn origins(&self) -> (&Url, &Url) {
        (&self.base, &self.agent)
    }
}

/// The HTTP clients for the two endpoints. Cheap to clone; each attempt opens its own connection.
#[derive(Clone)]
pub struct Client {
    endpoints: Endpoints,
    streams: reqwest::Client,
    upgrades: reqwest::Client,
}

impl Client {
    /// Creates the clients with TLS, proxy and certificates. Does not connect yet.
    pub fn new(endpoints: Endpoints, network: &Network) -> Result<Self> {
        let streams = build(&endpoints.base, network, ClientPurpose::Stream)?;
        let upgrades = build(&endpoints.agent, network, ClientPurpose::Upgrade)?;
        Ok(Self { endpoints, streams, upgrades })
    }

    /// Returns the endpoints.
    #[must_use]
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Creates the request for the stream of a workspace.
    pub(super) fn events(&self, workspace_id: &str, credential: &Credential) -> RequestBuilder {
        let url = append_path(&self.endpoints.base, &["v1", workspace_id, "events", "stream"]);
        stream_request(&self.streams, url, Some(credential))
    }

    /// Creates the request for the observer of a call, without the headers of the handshake.
    pub(super) fn observer(&self, workspace_id: &str, call_sid: &str) -> RequestBuilder {
        let path = ["v1", workspace_id, "observers", call_sid, "ws"];
        self.upgrades.get(append_path(&self.endpoints.agent, &path))
    }
}

/// The purpose of a client, which determines its connection pool, protocol and redirects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ClientPurpose {
    /// Responses whose body does not end.
    Stream,
    /// HTTP/1.1 connections that become `WebSockets`.
    Upgrade,
    /// Consecutive POST requests without redirects.
    Post,
}

/// Creates a request for an event stream.
pub(super) fn stream_request(
    client: &reqwest::Client,
    url: Url,
    credential: Option<&Credential>,
) -> RequestBuilder {
    let request = client
        .get(url)
        .header(ACCEPT, "text/event-stream")
        .header(ACCEPT_ENCODING, "identity")
        .header(CACHE_CONTROL, "no-cache");
    match credential {
        Some(credential) => {
            request.header(AUTHORIZATION, secret(&format!("Bearer {}", credential.expose())))
        }
        None => request,
    }
}

/// Creates a header value that `Debug` does not show. The text must be visible ASCII and spaces.
pub(crate) fn secret(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).expect("a secret is visible ASCII and spaces");
    value.set_sensitive(true);
    value
}

/// Sends a request and waits for the head of the answer.
pub(super) async fn send(request: RequestBuilder) -> Result<Response, ConnectError> {
    match tokio::time::timeout(RESPONSE_TIMEOUT, request.send()).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(ConnectError::unreachable(&error)),
        Err(_) => Err(ConnectError::ambiguous("the server did not answer", "check the URL")),
    }
}

/// Creates a client for one origin.
pub(crate) fn build(
    origin: &Url,
    network: &Network,
    purpose: ClientPurpose,
) -> Result<reqwest::Client> {
    // Fails if it was installed before, which makes no difference.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("evtap/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::custom(same_origin))
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true);
    builder = match purpose {
        // A new attempt must not reuse the dead HTTP/2 connection that it replaces.
        ClientPurpose::Stream => builder.pool_max_idle_per_host(0),
        ClientPurpose::Upgrade => builder.pool_max_idle_per_host(0).http1_only(),
        // A redirect would turn a POST into a GET.
        ClientPurpose::Post => builder.redirect(Policy::none()),
    };
    builder = if origin.scheme() == "http" {
        // Plain text needs no certificates, so it works on machines without any.
        builder.tls_certs_only([])
    } else {
        let verifier = ServerVerifier::new(network.ca_cert.as_deref())?;
        let protocols: &[&[u8]] = match purpose {
            ClientPurpose::Upgrade => &[b"http/1.1"],
            ClientPurpose::Stream | ClientPurpose::Post => &[b"h2", b"http/1.1"],
        };
        builder.tls_backend_preconfigured(tls::client_config(Arc::new(verifier), protocols))
    };
    if let Some(resolver) = &network.resolver {
        builder = builder.dns_resolver(Arc::clone(resolver));
    }
    match network.proxy.as_deref() {
        Some(url) if url != NO_PROXY && !is_loopback(origin) => {
            builder = builder.proxy(proxy(url)?);
        }
        Some(_) => builder = builder.no_proxy(),
        None if is_loopback(origin) => builder = builder.no_proxy(),
        None => {}
    }
    builder.build().map_err(|_| {
        Error::new(
            Exit::Failure,
            "cannot set up the HTTP client",
            "the system does not allow it",
            "free some resources of this machine",
        )
    })
}

/// Creates the proxy for all hosts except those in `NO_PROXY`. Errors do not quote the URL, which
/// may contain a password.
fn proxy(url: &str) -> Result<Proxy> {
    let parsed = Url::parse(url).map_err(|_| proxy_error("it is not a URL"))?;
    if !matches!(parsed.scheme(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
        return Err(proxy_error("its scheme is not http, https, socks5 or socks5h"));
    }
    Ok(Proxy::all(parsed)
        .map_err(|_| proxy_error("it is not a URL"))?
        .no_proxy(reqwest::NoProxy::from_env()))
}

fn proxy_error(why: &str) -> Error {
    Error::usage("the proxy can't be used", why, "give one such as http://proxy.example.com:3128")
        .with_setting("--proxy")
}

fn same_origin(attempt: Attempt<'_>) -> Action {
    let same =
        attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
    if !same {
        attempt.error(Redirect::OtherOrigin)
    } else if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error(Redirect::TooMany)
    } else {
        attempt.follow()
    }
}

/// Checks a base URL: an origin, perhaps with a path.
fn origin(what: &str, text: &str, example: &str, insecure_http: bool) -> Result<Url> {
    let url = address(what, text, example, "the API key", insecure_http)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::usage(
            unusable(what),
            "it has a query or a fragment",
            format!("give one such as {example}"),
        ));
    }
    Ok(url)
}

/// Checks a URL that private data may be sent to, and returns it with the scheme `http` or `https`,
/// since a WebSocket begins as HTTP.
///
/// `what` names the URL, `example` a valid one, and `private` the private data, in error messages.
pub(crate) fn address(
    what: &str,
    text: &str,
    example: &str,
    private: &str,
    insecure_http: bool,
) -> Result<Url> {
    let invalid =
        |why: &str| Error::usage(unusable(what), why, format!("give one such as {example}"));
    let mut url = Url::parse(text.trim()).map_err(|_| invalid("it is not a URL"))?;
    let scheme = match url.scheme() {
        "https" | "wss" => "https",
        "http" | "ws" => "http",
        _ => return Err(invalid("its scheme is not https, wss, http or ws")),
    };
    url.set_scheme(scheme).map_err(|()| invalid("it is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it contains a user name or password"));
    }
    if scheme == "http" && !is_loopback(&url) && !insecure_http {
        return Err(Error::usage(
            unusable(what),
            format!("it is plain text, which would send {private} in the clear"),
            "use https or wss, or --insecure-http if the network is your own",
        ));
    }
    Ok(url)
}

fn unusable(what: &str) -> String {
    format!("{what} can't be used")
}

/// Returns whether a URL names this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Appends path segments to a base URL.
fn append_path(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    url.path_segments_mut().expect("an http URL has a path").pop_if_empty().extend(segments);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(base: &str, agent: Option<&str>, insecure_http: bool) -> Result<(String, String)> {
        let endpoints = Endpoints::resolve(base, agent, insecure_http)?;
        Ok((endpoints.base.to_string(), endpoints.agent.to_string()))
    }

    #[test]
    fn endpoints_are_resolved() {
        for (base, agent, expected) in [
            ("https://a.example", None, ("https://a.example/", "https://a.example/")),
            (" https://a.example:443/x/ ", None, ("https://a.example/x/", "https://a.example/x/")),
            (
                "https://a.example",
                Some("wss://b.example:8443"),
                ("https://a.example/", "https://b.example:8443/"),
            ),
            (
                "https://a.example",
                Some("https://b.example"),
                ("https://a.example/", "https://b.example/"),
            ),
            (
                "http://127.0.0.1:81",
                Some("ws://localhost:82"),
                ("http://127.0.0.1:81/", "http://localhost:82/"),
            ),
            ("http://[::1]:81", None, ("http://[::1]:81/", "http://[::1]:81/")),
            ("http://127.9.8.7", None, ("http://127.9.8.7/", "http://127.9.8.7/")),
        ] {
            let resolved = resolve(base, agent, false).expect("legal");
            assert_eq!((resolved.0.as_str(), resolved.1.as_str()), expected);
        }
        assert!(resolve("http://a.example", Some("ws://b.example"), true).is_ok());
    }

    #[test]
    fn endpoints_are_refused_without_quoting_them() {
        for (base, agent) in [
            ("", None),
            ("canary.example", None),
            ("ftp://canary.example", None),
            ("http://canary.example", None),
            ("http://127.0.0.1.canary.example", None),
            ("http://localhost.canary.example", None),
            ("http://[::2]", None),
            ("https://canary@a.example", None),
            ("https://:canary@a.example", None),
            ("https://a.example?canary", None),
            ("https://a.example#canary", None),
            ("https://a.example", Some("ws://canary.example")),
            ("https://a.example", Some("canary")),
        ] {
            let error = resolve(base, agent, false).expect_err("refused");
            assert_eq!(error.exit, Exit::Usage);
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn paths_are_appended_to_the_base_url() {
        let base = Url::parse("https://a.example/gateway/").expect("a URL");
        assert_eq!(
            append_path(&base, &["v1", "a/b?c", "ws"]).as_str(),
            "https://a.example/gateway/v1/a%2Fb%3Fc/ws"
        );
    }

    #[test]
    fn an_invalid_proxy_or_certificate_is_a_usage_error() {
        let local = Url::parse("http://127.0.0.1:1").expect("a URL");
        let remote = Url::parse("https://a.example").expect("a URL");
        let network = Network::default();
        assert!(build(&local, &network, ClientPurpose::Stream).is_ok());
        for wrong in ["http://", "user:canary@a.example", "ftp://user:canary@a.example", "canary"] {
            let proxy = Network { proxy: Some(wrong.to_owned()), ..Network::default() };
            let error = build(&remote, &proxy, ClientPurpose::Stream).expect_err("no proxy");
            assert!(error.exit == Exit::Usage && !error.to_string().contains("canary"), "{error}");
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        for path in [file.path().to_owned(), file.path().join("missing")] {
            let certificate = Network { ca_cert: Some(path), ..Network::default() };
            assert_eq!(
                build(&remote, &certificate, ClientPurpose::Upgrade).expect_err("no PEM").exit,
                Exit::Usage
            );
        }
    }

    #[test]
    fn the_credential_is_sensitive() {
        assert!(secret("Bearer canary").is_sensitive());
        assert!(!format!("{:?}", secret("Bearer canary")).contains("canary"));
    }
}
