//! The options of forwarding.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::{Args, ValueEnum};

/// Where else events go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Forwarding")]
pub struct ForwardArgs {
    /// Post each event that is shown to this URL, one at a time and in order; an endpoint that is slow slows the stream
    #[arg(long = "forward", value_name = "URL")]
    pub url: Option<String>,
    /// A header of the posts, such as `X-Team: front desk`; `@FILE` reads headers from a private file, a line each; may repeat
    #[arg(long = "forward-header", value_name = "HEADER", requires = "url")]
    pub headers: Vec<ForwardHeader>,
    /// What is posted: `ndjson` is the event as application/json, `cloudevents` a CloudEvent
    #[arg(
        long = "forward-format",
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        requires = "url"
    )]
    pub format: ForwardFormat,
    /// How long a post may take
    #[arg(long = "forward-timeout", value_name = "TIME", default_value = "10s", requires = "url")]
    pub timeout: String,
    /// How often one event is tried again, after longer and longer waits, before the run ends with status 1. What is tried
    /// again: no answer, 408, 425, 429 and 5xx. An event that is refused by another 4xx is counted and told; 401, 403, 404,
    /// 405 and redirects end the run
    #[arg(long = "forward-retries", value_name = "N", default_value_t = 8, requires = "url")]
    pub retries: u32,
}

/// The text of `--forward-header`, which may hold a secret: nothing shows it.
#[derive(Clone)]
pub struct ForwardHeader(pub String);

impl fmt::Debug for ForwardHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Header(hidden)")
    }
}

impl FromStr for ForwardHeader {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// What is posted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ForwardFormat {
    /// The event as one JSON object, `application/json`
    #[default]
    Ndjson,
    /// A CloudEvent in structured mode, `application/cloudevents+json`
    Cloudevents,
}
