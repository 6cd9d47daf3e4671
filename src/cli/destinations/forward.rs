//! The options of `--forward`, which posts events to an HTTP endpoint.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::headers::parse_headers;
use super::options::{DestinationContext, DestinationOptions, OpenDestination};
use crate::cli::resolve::value::positive_duration;
use crate::cli::secret_text::SecretText;
use crate::delivery::{Destination, Endpoint, ForwardBody, Forwarder, WebhookKeys};
use crate::error::{Error, Result};
use crate::transport::client::{ClientPurpose, address, build};
use crate::transport::{SourceConfig, private_file};

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
    /// Sign the posts with the secret in this file
    ///
    /// The file has mode 0600 and contains `whsec_` and 24 to 64 bytes in base64. Signatures follow
    /// Standard Webhooks. With several lines, each secret signs, so that one can be replaced.
    #[arg(long = "forward-key-file", value_name = "FILE", requires = "url")]
    pub key_file: Option<PathBuf>,
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
    let headers = parse_headers("--forward-header", &options.headers)?;
    let keys = options.key_file.as_deref().map(read_keys).transpose()?;
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
        keys,
        timeout,
        retries: options.retries,
        status,
        random: SourceConfig::default().random,
        now: SourceConfig::default().now,
    }))
}

/// Reads the secrets that posts are signed with.
fn read_keys(path: &Path) -> Result<WebhookKeys> {
    const OPTION: &str = "--forward-key-file";
    let bytes = private_file::read_secret(OPTION, path)?;
    WebhookKeys::parse(&String::from_utf8_lossy(&bytes)).map_err(|why| {
        let advice = "write one secret per line, such as `whsec_` and the output of `openssl rand -base64 32`";
        Error::usage(format!("cannot use {OPTION} {}", path.display()), why, advice)
    })
}
