//! The command line as people type it. Nothing is resolved here: see [`config`](crate::cli::config).

mod commands;
mod connection;
mod delivery;
mod filter;
mod forward;
pub mod manual;
mod output;
mod privacy;
mod settings;
mod stats;
mod timeline;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Args, CommandFactory as _, Parser, Subcommand};

pub use commands::{
    CompleteArgs, DoctorArgs, ExpectArgs, FramesArgs, GenerateArgs, SchemaArgs, ServeArgs, Shell,
};
pub use connection::{AuthArgs, ConnectionArgs, DemoArgs};
pub use delivery::{DeliveryArgs, MergeOrder, ReconnectArgs, ResumeArgs};
pub use filter::{FilterArgs, StopArgs};
pub use forward::{ForwardArgs, ForwardFormat, ForwardHeader};
pub use output::{Background, ColorWhen, OutputArgs, OutputFormat, ScreenArgs, Timestamps};
pub use privacy::{AuditArgs, PhiMode, PrivacyArgs, ReportFormat, ScrubArg};
pub use settings::{ConfigAction, ConfigArgs, ConfigChoice, ConfigDefaults, SetProfile};
pub use stats::{StatsArgs, StatsOutputArgs};
pub use timeline::{TimelineArgs, TimelineFormat};

use crate::model::Kind;
use crate::model::declare::LAST_SNAPSHOT;
use crate::output::status;

/// Tap and inspect the typed events of a healthcare AI platform. Protected health information is hidden unless you ask for it
/// by name.
#[derive(Debug, Parser)]
#[command(name = "evtap", version, long_version = VERSION.as_str(), arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = manual::after("evtap"))]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where settings come from.
    #[command(flatten)]
    pub choice: ConfigChoice,
}

impl Cli {
    /// How this command tells its news.
    #[must_use]
    pub const fn status(&self) -> status::StatusFormat {
        match &self.command {
            Command::Watch(WatchArgs { show, .. })
            | Command::Observe(ObserveArgs { show, .. })
            | Command::Replay(ReplayArgs { show, .. }) => show.status,
            Command::Expect(ExpectArgs { status, .. })
            | Command::Stats(StatsArgs { status, .. })
            | Command::Timeline(TimelineArgs { status, .. }) => *status,
            _ => status::StatusFormat::Text,
        }
    }
}

/// The version, what it was built for, and which events it knows. No commit and no date: the same source gives the same binary.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\nbuilt for {} {}{}\n{} event types, by the contract of {LAST_SNAPSHOT}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        if cfg!(target_feature = "crt-static") { ", static" } else { "" },
        Kind::ALL.len(),
    )
});

/// The command line as clap has it, with what help says at its end.
#[must_use]
pub fn definition() -> clap::Command {
    let mut command = declaration();
    command.build();
    command
}

/// The same as it is declared: what may still be given other defaults.
#[must_use]
pub fn declaration() -> clap::Command {
    Cli::command().mut_subcommands(|command| {
        let after = manual::after(command.get_name());
        command.after_long_help(after).mut_args(|option| match option.get_id().as_str() {
            "insecure_http" | "fail_on_gap" | "wrap" => revocable(option),
            _ => option,
        })
    })
}

/// An error that suggests no command which nobody is to type.
#[must_use]
pub fn without_hidden(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::Strings(names)) = error.get(ContextKind::SuggestedSubcommand)
        && names.iter().any(|name| name.starts_with("__"))
    {
        error.remove(ContextKind::SuggestedSubcommand);
    }
    error
}

/// A flag that may stand in a configuration, and that `=false` takes back.
fn revocable(option: Arg) -> Arg {
    option
        .action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .value_name("BOOL")
        .default_value("false")
        .default_missing_value("true")
        .hide_possible_values(true)
        .hide_default_value(true)
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch the event stream of a workspace
    Watch(WatchArgs),
    /// Observe one live call
    Observe(ObserveArgs),
    /// Replay a recording
    Replay(ReplayArgs),
    /// Check that certain events come, in order and in time
    Expect(ExpectArgs),
    /// Count events and measure what they tell: on recordings, or live
    Stats(StatsArgs),
    /// Tell one call from its beginning to its end: from recordings, or live
    Timeline(TimelineArgs),
    /// Serve a synthetic clinic on the platform's two endpoints
    Serve(ServeArgs),
    /// Describe the events, their fields and what is hidden
    Schema(SchemaArgs),
    /// Check whether a recording can be shared: what in it is not hidden, by counts and places
    Audit(AuditArgs),
    /// Print the raw transport frames of any SSE or WebSocket URL, nothing interpreted and nothing hidden
    Frames(FramesArgs),
    /// Show the settings and where each comes from, or write the configuration file
    Config(ConfigArgs),
    /// Check what a connection needs: configuration, key, DNS, proxy, TLS, clock, both endpoints
    Doctor(DoctorArgs),
    /// Print or write completion scripts and man pages
    #[command(subcommand)]
    Generate(GenerateArgs),
    /// Say what may come next on a command line
    #[command(name = "__complete", hide = true)]
    Complete(CompleteArgs),
}

impl Command {
    /// Where its expressions find those that have names.
    pub(crate) const fn named_mut(&mut self) -> Option<&mut BTreeMap<String, String>> {
        match self {
            Self::Watch(WatchArgs { pick, .. })
            | Self::Observe(ObserveArgs { pick, .. })
            | Self::Replay(ReplayArgs { pick, .. })
            | Self::Stats(StatsArgs { pick, .. })
            | Self::Timeline(TimelineArgs { pick, .. }) => Some(&mut pick.named),
            Self::Expect(ExpectArgs { named, .. }) => Some(named),
            _ => None,
        }
    }

    /// Its options of what is hidden.
    pub(crate) const fn privacy_mut(&mut self) -> Option<&mut PrivacyArgs> {
        match self {
            Self::Stats(StatsArgs { privacy, .. })
            | Self::Timeline(TimelineArgs { privacy, .. }) => Some(privacy),
            _ => match self.show_mut() {
                Some(show) => Some(&mut show.privacy),
                None => None,
            },
        }
    }

    /// Its options of what is shown.
    pub(crate) const fn show_mut(&mut self) -> Option<&mut OutputArgs> {
        match self {
            Self::Watch(WatchArgs { show, .. })
            | Self::Observe(ObserveArgs { show, .. })
            | Self::Replay(ReplayArgs { show, .. }) => Some(show),
            _ => None,
        }
    }
}

/// `evtap watch`
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The workspace's id, or `demo` for the built-in clinic; may repeat
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "AMIGO_WORKSPACE_ID",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub workspace: Vec<String>,
    /// Open the observer of each call that starts, at most N at a time, and merge its events
    #[arg(long, value_name = "N")]
    pub auto_observe: Option<usize>,
    /// Which events are kept.
    #[command(flatten)]
    pub pick: FilterArgs,
    /// What is shown, and how.
    #[command(flatten)]
    pub show: OutputArgs,
    /// The live screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// When to stop.
    #[command(flatten)]
    pub until: StopArgs,
    /// Where to begin.
    #[command(flatten)]
    pub resume: ResumeArgs,
    /// What becomes of events beside stdout.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
    /// Where else they go.
    #[command(flatten)]
    pub forward: ForwardArgs,
    /// How connections are kept.
    #[command(flatten)]
    pub liveness: ReconnectArgs,
    /// Where the platform is.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
}

/// `evtap observe`
#[derive(Debug, Args)]
pub struct ObserveArgs {
    /// The call's SID, or `demo` for a call of the built-in clinic; may repeat
    #[arg(short, long, value_name = "SID", required = true, value_delimiter = ',')]
    pub call: Vec<String>,
    /// The id of the calls' workspace
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true)]
    pub workspace: Option<String>,
    /// Which events are kept.
    #[command(flatten)]
    pub pick: FilterArgs,
    /// What is shown, and how.
    #[command(flatten)]
    pub show: OutputArgs,
    /// The live screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// When to stop.
    #[command(flatten)]
    pub until: StopArgs,
    /// What becomes of events beside stdout.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
    /// Where else they go.
    #[command(flatten)]
    pub forward: ForwardArgs,
    /// How connections are kept.
    #[command(flatten)]
    pub liveness: ReconnectArgs,
    /// Where the platform is.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
}

/// `evtap replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// NDJSON (evtap's own, bare events or CloudEvents) or a raw SSE capture, plain or packed by gzip or zstd; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Which events are kept.
    #[command(flatten)]
    pub pick: FilterArgs,
    /// What is shown, and how.
    #[command(flatten)]
    pub show: OutputArgs,
    /// The live screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// When to stop.
    #[command(flatten)]
    pub until: StopArgs,
    /// What becomes of events beside stdout.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
    /// How many threads work on a recording; as many as there are processors, if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
    /// Where else they go.
    #[command(flatten)]
    pub forward: ForwardArgs,
    /// Replay at so many times real time, by the times of the events: 1 is real time; as fast as it goes, if not given
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub speed: Option<f64>,
    /// Forward in the clear to hosts other than this one
    #[arg(long, requires = "url", help_heading = "Forwarding")]
    pub insecure_http: bool,
}
