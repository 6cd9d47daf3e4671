//! The arguments of `evtap expect`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::broker::{BrokerArgs, FromArgs};
use super::connection::{ConnectionArgs, DemoArgs};
use super::delivery::WaitArgs;
use super::list::trimmed;
use super::metrics::MetricsArgs;
use super::range::RangeArgs;
use crate::output::status;
use crate::pipeline::stop::expect::ReportStyle;

/// `evtap expect`
#[derive(Debug, Args)]
pub struct ExpectArgs {
    /// Read the steps from this file, one per line, as for --then
    #[arg(value_name = "FILE", required_unless_present_any = ["then", "steps"], conflicts_with = "then")]
    pub file: Option<PathBuf>,
    /// Add a step: `[within DURATION] [N times] EXPR` or `never EXPR`; may be repeated
    ///
    /// EXPR is a jq expression, or `@NAME` for a filter from the configuration. A step that must
    /// never match is watched until the check ends.
    /// Example: `within 30s .event_type == "call.ended"`
    #[arg(long, value_name = "STEP")]
    pub then: Vec<String>,
    /// Read the steps from this TOML file
    ///
    /// Each table `[[steps]]` has `expect` or `never` with an expression, and can have `name`,
    /// `within` and `times`. `order = "any"` at the top is the same as --any-order.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "then"])]
    pub steps: Option<PathBuf>,
    /// Accept the steps in any order
    ///
    /// All of them are waited for from the beginning, and one event can meet several.
    #[arg(long)]
    pub any_order: bool,
    /// End the check after this long; steps that are not met by then have failed
    ///
    /// A recording is measured by the times of its events.
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<String>,
    /// Format of the report
    ///
    /// Under GitHub Actions, each step that was not met is also annotated, in its file if there is
    /// one.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ExpectFormat,
    /// Check the stream of this workspace: its id, or `demo`
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true)]
    pub workspace: Option<String>,
    /// Check this call: its SID, or `demo`
    #[arg(short, long, value_name = "SID", conflicts_with = "replay")]
    pub call: Option<String>,
    /// Check this recording; `-` is stdin; may be repeated
    #[arg(long, value_name = "FILE", group = "stored", conflicts_with = "from")]
    pub replay: Vec<PathBuf>,
    /// Number of threads that process a recording
    ///
    /// Default: the number of processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), requires = "stored")]
    pub threads: Option<u16>,
    /// Let expressions see this hidden field; may be repeated
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = trimmed)]
    pub reveal: Vec<String>,
    /// Set $NAME to a string in all expressions; may be repeated
    #[arg(long = "arg", num_args = 2, value_names = ["NAME", "VALUE"])]
    pub args: Vec<String>,
    /// Don't check expressions against the event model
    #[arg(long)]
    pub no_check: bool,
    /// Format of the status messages on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub status: status::StatusFormat,
    /// The range of time.
    #[command(flatten)]
    pub range: RangeArgs,
    /// The broker to read from.
    #[command(flatten)]
    pub source: FromArgs,
    /// How to reach the broker.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// Metrics of the run.
    #[command(flatten)]
    pub metrics: MetricsArgs,
    /// How to reach the platform.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// How long to wait for the server.
    #[command(flatten)]
    pub wait: WaitArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// The named filters of the configuration.
    #[arg(skip)]
    pub named: BTreeMap<String, String>,
}

/// The formats of the report of `expect`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ExpectFormat {
    /// A table for people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// `JUnit` XML, with a test case for each step
    Junit,
    /// The Test Anything Protocol
    Tap,
}

impl ExpectFormat {
    /// Returns the style of the report.
    #[must_use]
    pub const fn style(self) -> ReportStyle {
        match self {
            Self::Text => ReportStyle::Text,
            Self::Json => ReportStyle::Json,
            Self::Junit => ReportStyle::Junit,
            Self::Tap => ReportStyle::Tap,
        }
    }
}
