//! The options of `--otlp`, which exports calls as traces.

use clap::Args;

use super::headers::parse_headers;
use super::options::OpenDestination;
use crate::analysis::traces::TracedStreams;
use crate::cli::secret_text::SecretText;
use crate::delivery::{CollectorClient, Destination, TraceExporter, traces_url};
use crate::error::{Error, Result};
use crate::output::status::StatusFormat;
use crate::transport::SourceConfig;
use crate::transport::client::{ClientPurpose, Network, address, build};

const OTLP: &str = "--otlp";

/// The options of traces.
#[derive(Debug, Args)]
#[command(next_help_heading = "Traces")]
pub struct OtlpArgs {
    /// Also export each call as a trace to this OpenTelemetry collector
    ///
    /// evtap posts spans by OTLP over HTTP, as JSON, when a call has ended. Only fields that may
    /// always be shown are exported, whatever is revealed. `/v1/traces` is appended to the URL if it
    /// does not end with it. Example: `http://127.0.0.1:4318`
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
    /// Add a header to the posts to the collector; may be repeated
    ///
    /// `@FILE` reads headers from a private file, one per line. Example: `@collector.headers`
    #[arg(long = "otlp-header", value_name = "HEADER", requires = "otlp")]
    otlp_headers: Vec<SecretText>,
}

impl OtlpArgs {
    /// Checks that the calls of a workspace are observed if they are to be exported.
    pub fn require_observers(&self, has_observers: bool) -> Result<()> {
        if self.otlp.is_none() || has_observers {
            return Ok(());
        }
        let why = "the turns of calls come from their observers, and no call is observed";
        let advice = "add --auto-observe N, or use `evtap observe`";
        Err(Error::usage("cannot export traces", why, advice).with_setting(OTLP))
    }

    /// Checks the options and returns the destination, if they select it.
    pub fn resolve(
        &self,
        network: &Network,
        status: StatusFormat,
        streams: TracedStreams,
    ) -> Result<Option<OpenDestination>> {
        const EXAMPLE: &str = "http://127.0.0.1:4318";
        let Some(text) = &self.otlp else { return Ok(None) };
        let what = "the URL of --otlp";
        let base = address(what, text, EXAMPLE, "the spans", network.insecure_http)
            .map_err(|error| error.with_setting(OTLP))?;
        if text.trim_start().get(..2).is_some_and(|scheme| scheme.eq_ignore_ascii_case("ws")) {
            return Err(Error::usage(
                format!("{what} can't be used"),
                "a WebSocket does not accept posts",
                format!("give a URL such as {EXAMPLE}"),
            )
            .with_setting(OTLP));
        }
        let url = traces_url(base);
        let client = CollectorClient {
            client: build(&url, network, ClientPurpose::Post)?,
            url,
            headers: parse_headers("--otlp-header", &self.otlp_headers)?,
            status,
            random: SourceConfig::default().random,
        };
        Ok(Some(Box::new(move |runtime| {
            let exporter = Box::new(TraceExporter::new(client, streams, runtime));
            Box::pin(async { Ok(exporter as Box<dyn Destination>) })
        })))
    }
}
