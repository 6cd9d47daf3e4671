//! The options of `--forward`, which posts events to an HTTP endpoint.

use std::path::Path;

use clap::{Args, ValueEnum};
use reqwest::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderName, TE,
    TRANSFER_ENCODING, UPGRADE,
};

use super::options::{DestinationContext, DestinationOptions, OpenDestination};
use crate::cli::resolve::value::positive_duration;
use crate::cli::secret_text::SecretText;
use crate::delivery::{Destination, Endpoint, ForwardBody, Forwarder};
use crate::error::{Error, Result};
use crate::transport::client::{ClientPurpose, address, build, secret};
use crate::transport::{SourceConfig, private_file};

/// Headers that evtap or the HTTP client sets, so that users cannot.
const RESERVED: &[HeaderName] =
    &[CONTENT_TYPE, CONTENT_LENGTH, HOST, CONNECTION, TRANSFER_ENCODING, TE, UPGRADE, EXPECT];

/// The options of forwarding.
#[derive(Debug, Args)]
#[command(next_help_heading = "Forwarding")]
pub struct ForwardArgs {
    /// Also post each printed event to this URL
    ///
    /// Events are posted one at a time and in order, so a slow endpoint slows the stream.
    #[arg(long = "forward", value_name = "URL", group = "remote")]
    pub url: Option<String>,
    /// Add a header to the posts; may be repeated
    ///
    /// `@FILE` reads headers from a private file, one per line. Example: `X-Team: front desk`
    #[arg(long = "forward-header", value_name = "HEADER", requires = "url")]
    pub headers: Vec<SecretText>,
    /// Format of the posts
    #[arg(
        long = "forward-format",
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        requires = "url"
    )]
    pub format: ForwardFormat,
    /// Maximum duration of a post
    #[arg(
        long = "forward-timeout",
        value_name = "DURATION",
        default_value = "10s",
        requires = "url"
    )]
    pub timeout: String,
    /// Maximum number of retries per event before the run ends with status 1
    ///
    /// evtap retries with increasing delays if there is no response, or after 408, 425, 429 and
    /// 5xx. It ends the run after 401, 403, 404, 405 and redirects, and counts and reports an event
    /// that is rejected with another 4xx.
    #[arg(long = "forward-retries", value_name = "N", default_value_t = 8, requires = "url")]
    pub retries: u32,
}

/// The format of a post.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ForwardFormat {
    /// The event as one JSON object, `application/json`
    #[default]
    Ndjson,
    /// A CloudEvent in structured mode, `application/cloudevents+json`
    Cloudevents,
}

impl DestinationOptions for ForwardArgs {
    fn resolve(&self, context: &DestinationContext<'_>) -> Result<Option<OpenDestination>> {
        Ok(endpoint(self, context)?.map(|endpoint| -> OpenDestination {
            Box::new(|runtime| {
                let forwarder = Box::new(Forwarder::new(endpoint, runtime));
                Box::pin(async { Ok(forwarder as Box<dyn Destination>) })
            })
        }))
    }
}

/// Returns the endpoint of `--forward`, or `None` without that option.
///
/// Connections to the endpoint use the same proxy and CA certificate as those to the platform.
fn endpoint(options: &ForwardArgs, context: &DestinationContext<'_>) -> Result<Option<Endpoint>> {
    const EXAMPLE: &str = "http://127.0.0.1:9000/events";

    let DestinationContext { network, status, .. } = *context;
    let Some(text) = &options.url else { return Ok(None) };
    let what = "the URL of --forward";
    let url = address(what, text, EXAMPLE, "the events", network.insecure_http)
        .map_err(|error| error.with_setting("--forward"))?;
    if text.trim_start().get(..2).is_some_and(|scheme| scheme.eq_ignore_ascii_case("ws")) {
        return Err(Error::usage(
            format!("{what} can't be used"),
            "a WebSocket does not accept posts",
            format!("give a URL such as {EXAMPLE}"),
        ));
    }
    let client = build(&url, network, ClientPurpose::Post)?;
    let mut headers = HeaderMap::new();
    for (index, header) in options.headers.iter().enumerate() {
        match header.0.strip_prefix('@') {
            None => {
                add(&mut headers, &header.0, &format!("--forward-header number {}", index + 1))?;
            }
            Some(path) => {
                let bytes = private_file::read_secret("--forward-header", Path::new(path))?;
                for (line, text) in String::from_utf8_lossy(&bytes)
                    .lines()
                    .enumerate()
                    .filter(|(_, text)| !text.trim().is_empty())
                {
                    add(&mut headers, text, &format!("line {} of {path}", line + 1))?;
                }
            }
        }
    }
    let body = match options.format {
        ForwardFormat::Ndjson => ForwardBody::Json,
        ForwardFormat::Cloudevents => ForwardBody::CloudEvent,
    };
    let timeout = positive_duration("--forward-timeout", &options.timeout)?;
    Ok(Some(Endpoint {
        client,
        url,
        headers,
        body,
        timeout,
        retries: options.retries,
        status,
        random: SourceConfig::default().random,
    }))
}

/// Adds a header written as `Name: value`.
///
/// Errors name only its place, because the text may contain a secret.
fn add(headers: &mut HeaderMap, text: &str, place: &str) -> Result<()> {
    let wrong =
        |why: &str| Error::usage(format!("cannot use {place}"), why, "write it like 'Name: value'");
    let (name, value) = text.split_once(':').ok_or_else(|| wrong("no colon"))?;
    let name =
        HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong("invalid header name"))?;
    if RESERVED.contains(&name) {
        return Err(wrong("evtap sets this header itself"));
    }
    let value = value.trim();
    if !value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return Err(wrong("its value has invalid characters"));
    }
    headers.append(name, secret(value));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_never_quoted() {
        let mut headers = HeaderMap::new();
        add(&mut headers, "X-Team:  front desk ", "-").expect("a header");
        add(&mut headers, "authorization: Bearer canary", "-").expect("a header");
        assert_eq!(headers["x-team"], "front desk");
        assert!(
            headers["authorization"].is_sensitive() && !format!("{headers:?}").contains("canary")
        );
        for bad in [
            "canary",
            ": canary",
            "x y: canary",
            "x: canary\u{7}",
            "x: canary\u{e9}",
            "Host: canary",
            "Content-Type: canary",
        ] {
            let error = add(&mut headers, bad, "-").expect_err(bad);
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
