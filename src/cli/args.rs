//! The declaration of the command line: commands, options and their help.
//!
//! Every option is declared here once. Help, completion, man pages, the settings of the
//! configuration file and their tests derive from the declaration. [`resolve`](super::resolve)
//! checks the values and converts them.

mod alert;
mod audit;
mod broker;
mod complete;
mod config;
mod config_defaults;
mod connection;
mod delivery;
mod diff;
mod distil;
mod doctor;
mod expect;
mod filter;
mod frames;
mod generate;
pub mod groups;
mod help;
mod list;
pub mod manual;
#[cfg(feature = "mcp")]
mod mcp;
mod metrics;
mod observe;
mod output;
mod privacy;
mod range;
mod replay;
mod rules;
mod schema;
mod screen;
mod serve;
mod stats;
#[cfg(feature = "nats")]
mod taps;
mod timeline;
mod verify;
mod watch;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::LazyLock;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _, Parser, Subcommand};

pub use alert::AlertArgs;
pub use audit::AuditArgs;
pub use broker::BrokerArgs;
pub use complete::CompleteArgs;
pub use config::{ConfigAction, ConfigArgs, ConfigChoice};
pub use config_defaults::ConfigDefaults;
pub use connection::{AuthArgs, ConnectionArgs, DemoArgs};
pub use delivery::{DeliveryArgs, MergeOrder, ReconnectArgs, ResumeArgs, WaitArgs};
pub use diff::{DiffArgs, DiffFormat};
pub use distil::DistilArgs;
pub use doctor::DoctorArgs;
pub use expect::ExpectArgs;
pub use filter::{FilterArgs, StopArgs};
pub use frames::FramesArgs;
pub use generate::{GenerateArgs, Shell};
pub use help::HelpArgs;
#[cfg(feature = "mcp")]
pub use mcp::McpArgs;
pub use metrics::MetricsArgs;
pub use observe::ObserveArgs;
pub use output::{ColorWhen, OutputArgs, ReportFormat, Timestamps};
pub use privacy::{PhiMode, PrivacyArgs, ScrubArg};
pub use range::RangeArgs;
pub use replay::ReplayArgs;
pub use rules::RulesArgs;
pub use schema::{SchemaArgs, SqlDialect};
pub use screen::{Appearance, Background, ScreenArgs};
pub use serve::ServeArgs;
pub use stats::{StatsArgs, StatsOutputArgs};
#[cfg(feature = "nats")]
pub use taps::TapsArgs;
pub use timeline::{TimelineArgs, TimelineFormat};
pub use verify::VerifyArgs;
pub use watch::WatchArgs;

use crate::cli::settings;
use crate::model::Kind;
use crate::model::declare::LAST_SNAPSHOT;
use crate::output::status;

/// Tap and inspect the typed events of a healthcare AI platform
///
/// Protected health information is hidden unless you reveal it.
#[derive(Debug, Parser)]
#[command(name = "evtap", version, long_version = VERSION.as_str(), arg_required_else_help = true)]
#[command(max_term_width = 100, disable_help_subcommand = true, styles = groups::STYLES)]
#[command(after_help = manual::after("evtap"))]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
    /// Where settings come from.
    #[command(flatten)]
    pub config_choice: ConfigChoice,
}

impl Cli {
    /// Returns the format of this command's status messages.
    #[must_use]
    pub const fn status(&self) -> status::StatusFormat {
        match &self.command {
            Command::Watch(WatchArgs { output, .. })
            | Command::Observe(ObserveArgs { output, .. })
            | Command::Replay(ReplayArgs { output, .. })
            | Command::Alert(AlertArgs { output, .. }) => output.status,
            Command::Expect(ExpectArgs { status, .. })
            | Command::Stats(StatsArgs { status, .. })
            | Command::Timeline(TimelineArgs { status, .. }) => *status,
            _ => status::StatusFormat::Text,
        }
    }
}

/// The version, the target platform and the event contract.
///
/// It has no commit and no date, because the same source must give the same binary.
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

/// Returns the complete declaration of the command line, with topics and examples in the long help.
#[must_use]
pub fn definition() -> clap::Command {
    let mut command = declaration();
    command.build();
    command
}

/// Returns the declaration before clap completes it, so that defaults can still be changed.
#[must_use]
pub fn declaration() -> clap::Command {
    let command = Cli::command();
    let is_setting = |option: &Arg| settings::find(option.get_id().as_str()).is_some();
    let flags: Vec<_> = command
        .find_subcommand(settings::COMMAND)
        .into_iter()
        .flat_map(clap::Command::get_arguments)
        .filter(|option| is_flag(option) && is_setting(option))
        .map(|option| option.get_id().clone())
        .collect();
    command.mut_args(without_empty_variable).mut_subcommands(|command| {
        let after = manual::after(command.get_name());
        // A repeated option overrides itself, as in an alias that is called with more options.
        command
            .after_long_help(after)
            .args_override_self(true)
            .allow_negative_numbers(true)
            .mut_args(|option| {
                let option = without_empty_variable(option);
                if is_flag(&option) && flags.contains(option.get_id()) {
                    revocable(option)
                } else {
                    option
                }
            })
    })
}

/// Parses arguments by the declaration.
///
/// # Errors
/// Returns the error of clap, which may be the help or the version.
pub fn matches(arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let parsed = declaration().try_get_matches_from(arguments);
    let is_help = |error: &clap::Error| {
        matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        )
    };
    match parsed {
        // To list the commands by group takes longer than everything else before a run.
        Err(error) if is_help(&error) => {
            groups::with_groups(declaration()).try_get_matches_from(arguments)
        }
        parsed => parsed,
    }
}

fn is_flag(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

/// Ignores the environment variable of an option if it is empty, which means that it is not set.
fn without_empty_variable(option: Arg) -> Arg {
    let is_empty =
        option.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    if is_empty { option.env(Resettable::Reset) } else { option }
}

/// Lets `--flag=false` unset a flag that the configuration has set.
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
    /// Check that expected events arrive in order and in time
    Expect(ExpectArgs),
    /// Report events that should have happened and did not
    ///
    /// Applies rules to the events and prints only `tap.alert` events. `evtap help rules` describes
    /// the rules.
    Alert(AlertArgs),
    /// Compute statistics of recordings or of a live stream
    Stats(StatsArgs),
    /// Show one call from beginning to end, from recordings or live
    Timeline(TimelineArgs),
    /// Compare two calls, recordings or directories of recordings
    ///
    /// Reports what appeared or disappeared, what became slower or faster, and which outcomes changed
    /// their shares, by state, tool and turn.
    Diff(DiffArgs),
    /// Turn a recorded call into a scenario with invented people
    ///
    /// Prints a file for `serve --scenario`: the same types, order, pauses, shapes and sizes. Names,
    /// numbers, texts and ids are invented anew, so that nobody in the recording can be found in it.
    Distil(DistilArgs),
    /// List who taps which workspace, by the stream that they publish to
    ///
    /// Shows how far each tap is, which are silent, and which workspaces nobody taps.
    #[cfg(feature = "nats")]
    Taps(TapsArgs),
    /// Serve a synthetic clinic that emulates the platform's two endpoints
    Serve(ServeArgs),
    /// Describe the events, their fields and which fields are hidden
    Schema(SchemaArgs),
    /// Let an agent read events, over the Model Context Protocol
    ///
    /// Speaks the protocol on stdin and stdout until stdin ends. The tools only read, and they show
    /// neither hidden fields nor free text.
    #[cfg(feature = "mcp")]
    Mcp(McpArgs),
    /// Check whether a recording is safe to share
    ///
    /// Reports what is not hidden in it as counts and places, without the values. Exits with status
    /// 7 if there are findings.
    Audit(AuditArgs),
    /// Show which periods recordings cover and what is missing
    ///
    /// Also shows a digest of the events of each hour, to compare recordings. Exits with status 8 if a gap remains.
    Verify(VerifyArgs),
    /// Print the raw transport frames of an SSE or WebSocket URL
    ///
    /// Prints everything that arrives, including comments and unknown fields. Nothing is interpreted
    /// and nothing is hidden.
    Frames(FramesArgs),
    /// Show the settings and their origins, or edit the configuration file
    Config(ConfigArgs),
    /// Diagnose the connection to the platform
    ///
    /// Checks the configuration, the API key, DNS, the proxy, TLS, the clock and both endpoints.
    Doctor(DoctorArgs),
    /// Print or write completion scripts and man pages
    #[command(subcommand)]
    Generate(GenerateArgs),
    /// Show the help of a command, or explain a topic
    Help(HelpArgs),
    /// Complete a command line
    #[command(name = "__complete", hide = true)]
    Complete(CompleteArgs),
}

impl Command {
    /// Returns the named filters that its expressions can use.
    pub(crate) const fn named_mut(&mut self) -> Option<&mut BTreeMap<String, String>> {
        match self {
            Self::Watch(WatchArgs { filter, .. })
            | Self::Observe(ObserveArgs { filter, .. })
            | Self::Replay(ReplayArgs { filter, .. })
            | Self::Alert(AlertArgs { filter, .. })
            | Self::Stats(StatsArgs { filter, .. })
            | Self::Diff(DiffArgs { filter, .. })
            | Self::Timeline(TimelineArgs { filter, .. }) => Some(&mut filter.named),
            Self::Expect(ExpectArgs { named, .. }) => Some(named),
            #[cfg(feature = "mcp")]
            Self::Mcp(McpArgs { named, .. }) => Some(named),
            _ => None,
        }
    }

    /// Returns its options of the live screen.
    pub(crate) const fn screen_mut(&mut self) -> Option<&mut ScreenArgs> {
        match self {
            Self::Watch(WatchArgs { screen, .. })
            | Self::Observe(ObserveArgs { screen, .. })
            | Self::Replay(ReplayArgs { screen, .. }) => Some(screen),
            _ => None,
        }
    }

    /// Returns its options that control what is hidden.
    pub(crate) const fn privacy_mut(&mut self) -> Option<&mut PrivacyArgs> {
        match self {
            Self::Stats(StatsArgs { privacy, .. })
            | Self::Timeline(TimelineArgs { privacy, .. }) => Some(privacy),
            _ => match self.output_mut() {
                Some(output) => Some(&mut output.privacy),
                None => None,
            },
        }
    }

    /// Returns the fields that it hides although they are shown by default.
    pub(crate) const fn redact_mut(&mut self) -> Option<&mut Vec<String>> {
        match self {
            #[cfg(feature = "mcp")]
            Self::Mcp(McpArgs { redact, .. }) => Some(redact),
            _ => match self.privacy_mut() {
                Some(privacy) => Some(&mut privacy.redact),
                None => None,
            },
        }
    }

    /// Returns its options that control how events are printed.
    pub(crate) const fn output_mut(&mut self) -> Option<&mut OutputArgs> {
        match self {
            Self::Watch(WatchArgs { output, .. })
            | Self::Observe(ObserveArgs { output, .. })
            | Self::Replay(ReplayArgs { output, .. })
            | Self::Alert(AlertArgs { output, .. }) => Some(output),
            _ => None,
        }
    }
}
