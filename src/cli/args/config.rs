//! The options that choose the configuration, and the arguments of `evtap config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::ReportFormat;

/// Where settings come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigChoice {
    /// The configuration file; `$XDG_CONFIG_HOME/evtap/config.toml` if not given
    #[arg(long, value_name = "FILE", env = "EVTAP_CONFIG", hide_env_values = true, global = true)]
    pub config: Option<PathBuf>,
    /// Take settings from this profile of it
    #[arg(
        long,
        value_name = "PROFILE",
        env = "EVTAP_PROFILE",
        hide_env_values = true,
        global = true
    )]
    pub profile: Option<String>,
}

/// `evtap config`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ConfigArgs {
    /// Write or find the file, instead of showing what comes of it.
    #[command(subcommand)]
    pub action: Option<ConfigAction>,
    /// How the settings are written
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
    /// Options of `watch`, to see what becomes of them
    #[arg(last = true, value_name = "OPTION")]
    pub options: Vec<String>,
}

/// What `evtap config` does to the file.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Print where the file is, or would be
    Path,
    /// Write an example with every setting, each commented out
    Init,
    /// Set settings of a profile, which is made if it is not there; comments stay
    SetProfile(SetProfile),
}

/// `evtap config set-profile`
#[derive(Debug, Args)]
pub struct SetProfile {
    /// The profile
    #[arg(value_name = "PROFILE")]
    pub name: String,
    /// A setting and its value; without a value, it is taken out
    #[arg(value_name = "KEY=VALUE", required = true)]
    pub settings: Vec<String>,
}
