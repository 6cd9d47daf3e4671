//! The options that choose the configuration, and the arguments of `evtap config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::ReportFormat;

/// Where settings come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigChoice {
    /// Read settings from this configuration file
    ///
    /// Default: `$XDG_CONFIG_HOME/evtap/config.toml`, or `~/.config/evtap/config.toml`.
    #[arg(long, value_name = "FILE", env = "EVTAP_CONFIG", hide_env_values = true, global = true)]
    pub config: Option<PathBuf>,
    /// Use this profile of the configuration file
    #[arg(
        long,
        value_name = "PROFILE",
        env = "EVTAP_PROFILE",
        hide_env_values = true,
        global = true
    )]
    pub profile: Option<String>,
    /// Which of the two were given as options and not by the environment.
    #[arg(skip)]
    pub typed: Vec<&'static str>,
}

/// `evtap config`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ConfigArgs {
    /// Locates or changes the file instead of showing the settings.
    #[command(subcommand)]
    pub action: Option<ConfigAction>,
    /// Format of the settings
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
    /// Options of `watch`, to show the settings that result from them
    #[arg(last = true, value_name = "OPTION")]
    pub options: Vec<String>,
}

/// The subcommands of `evtap config`.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Print the path of the configuration file, whether or not it exists
    Path,
    /// Write an example file that lists every setting, commented out
    Init,
    /// Set or remove settings of a profile
    ///
    /// Creates the profile if it does not exist. Comments in the file are kept.
    SetProfile(SetProfile),
}

/// `evtap config set-profile`
#[derive(Debug, Args)]
pub struct SetProfile {
    /// Name of the profile
    #[arg(value_name = "PROFILE")]
    pub name: String,
    /// Setting to change; `KEY=` removes it
    ///
    /// Example: `base_url=https://staging.example.com`
    #[arg(value_name = "KEY=VALUE", required = true)]
    pub settings: Vec<String>,
}
